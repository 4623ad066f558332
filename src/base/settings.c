/* The table of all settings, in the order of docs/protocol.md section 10: what is not in it does not exist. Help, `sv config
 * show`, the check of sv.conf and the check of the environment are all made from it, so a new setting is one line here and a
 * line in the protocol. Settings whose default follows another setting (config.c, "derived") show here what they are when
 * nothing is set. Secrets have no flag, because a command line is seen by everyone on the machine. */
#include "base/config.h"

static const SvSetting settings[] = {
  { "BITTENSOR_SUBTENSOR_ENDPOINT", "chain", "ledger:~/.score/ledger.sqlite", FALSE, "chain",
    "the chain: ledger:PATH, finney, test, wss://… or https://…" },
  { "BITTENSOR_SUBTENSOR_FALLBACK", "chain-fallback", NULL, FALSE, "chain", "endpoint to use when the first does not answer" },
  { "SCOREVISION_GENESIS", "genesis", NULL, FALSE, "chain", "genesis hash that the chain must have (default: the first seen)" },

  { "SCOREVISION_STORE", "store", "file:~/.score/store", FALSE, "store", "the operator's store: file:PATH or s3://BUCKET" },
  { "S3_ENDPOINT", "s3-endpoint", NULL, FALSE, "store", "S3 server of s3:// stores" },
  { "R2_ACCOUNT_ID", "r2-account-id", NULL, FALSE, "store", "Cloudflare account whose R2 serves s3:// stores" },
  { "S3_REGION", "s3-region", "auto", FALSE, "store", "region that S3 requests are signed for" },
  { "R2_WRITE_ACCESS_KEY_ID", NULL, NULL, TRUE, "store", "access key of s3:// stores" },
  { "R2_WRITE_SECRET_ACCESS_KEY", NULL, NULL, TRUE, "store", "secret of that access key" },
  { "R2_BUCKET", "r2-bucket", NULL, FALSE, "store", "bucket of the operator's store where SCOREVISION_STORE is not set" },
  { "SCOREVISION_RESULTS_STORE", "results-store", NULL, FALSE, "store",
    "where the runner writes shards (default: the operator's store, if file:)" },
  { "R2_PUBLIC_URL", "public-url", NULL, FALSE, "store", "where published objects are read, a comma list of mirrors" },
  { "R2_BUCKET_PUBLIC_URL", NULL, NULL, FALSE, "store", "another name of R2_PUBLIC_URL" },

  { "SCOREVISION_DATABASE", "database", "sqlite:~/.score/state.sqlite", FALSE, "state",
    "state of the Challenge API: sqlite:PATH or postgresql://…" },

  { "SCOREVISION_MANIFEST_SIGNERS", "signers", NULL, FALSE, "trust",
    "whose manifests are trusted: a comma list of accounts, or chain:owner" },
  { "SCOREVISION_VALIDATORS", "validators", NULL, FALSE, "trust",
    "who is on the validator list: a comma list of accounts, or chain:permit" },

  { "SCOREVISION_API", "api", "http://127.0.0.1:8080", FALSE, "api",
    "the Challenge API's URL; for the server a comma list of its public base URLs" },
  { "SCOREVISION_LISTEN", "listen", "127.0.0.1:8080", FALSE, "api", "address and port that `sv serve` listens on" },
  { "SCOREVISION_TRUSTED_PROXIES", "trusted-proxies", NULL, FALSE, "api", "proxies whose forwarded addresses are believed" },
  { "SCOREVISION_LOG", "log", "logfmt", FALSE, "api", "form of log lines: logfmt or json" },
  { "SCOREVISION_RATE_LIMIT", "rate-limit", "60/60s", FALSE, "api", "requests per time that one asker may make" },
  { "SCOREVISION_ISSUE_INTERVAL", "issue-interval", "60", FALSE, "api", "seconds between publications of the issue log" },
  { "SCOREVISION_CHAIN_MAX_LAG", "chain-max-lag", "120", FALSE, "api", "seconds after which the chain's head is too old" },

  { "SCOREVISION_USE_CHALLENGE_V3", "use-challenge-v3", "0", FALSE, "runner",
    "1, true or True: the manifest-aware challenge endpoint; else the legacy one" },
  { "SCOREVISION_EVALUATOR", "evaluator", NULL, FALSE, "runner", "program that scores predictions" },

  { "CHUTES_MINER_BASE_URL_TEMPLATE", "chute-url-template", "https://{slug}.chutes.ai", FALSE, "chutes",
    "URL of a chute, with {slug} in it" },
  { "CHUTES_MINER_PREDICT_ENDPOINT", "chute-predict-endpoint", "predict", FALSE, "chutes",
    "path of a chute's prediction call" },
  { "CHUTES_API_KEY", NULL, NULL, TRUE, "chutes", "bearer token for chutes" },
  { "CHUTES_API_URL", "chutes-api-url", NULL, FALSE, "chutes", "the chute platform's API, to compare bindings with" },

  { "BITTENSOR_WALLET_PATH", "wallet-path", "~/.bittensor/wallets", FALSE, "keys", "directory of the wallets" },
  { "BITTENSOR_WALLET_COLD", "wallet", "default", FALSE, "keys", "name of the wallet" },
  { "BITTENSOR_WALLET_HOT", "hotkey", "default", FALSE, "keys", "name of the hotkey in the wallet" },

  { "SCOREVISION_HOME", "home", "~/.score", FALSE, "home", "directory of everything that is kept on this machine" },
  { "SCOREVISION_NETUID", "netuid", "44", FALSE, "home", "number of the subnet" },
  { "SCOREVISION_CONFIG", NULL, NULL, FALSE, "home", "the configuration file (environment only)" },
};

const SvSetting *
sv_settings (gsize *n_settings)
{
  *n_settings = G_N_ELEMENTS (settings);
  return settings;
}
