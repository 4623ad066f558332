/* sv key: hotkeys in btcli's files, and signatures over any file. A secret comes in by a file or by standard input and goes
 * out never; one that was typed as an argument is refused without being repeated. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "keys/keypair.h"

#define MAX_MESSAGE (64 * 1024 * 1024)

/* ---- new, show, import ---- */

static void
print_field (const char *name, const char *value)
{
  printf ("%-12s%s\n", name, value);
}

static void
print_key (const SvContext *context, const SvKeypair *keypair, const char *path)
{
  g_autofree char *hex = sv_hex_encode (sv_keypair_public_key (keypair), SV_PUBLIC_KEY_SIZE);
  g_autofree char *public_key = g_strconcat ("0x", hex, NULL);
  const char *scheme = sv_scheme_name (sv_keypair_scheme (keypair));
  if (context->as_json)
  {
    sv_print_json (json_pack ("{s:s,s:s,s:s,s:s}", "account", sv_keypair_address (keypair), "public_key", public_key, "scheme",
                              scheme, "path", path));
    return;
  }
  print_field ("account", sv_keypair_address (keypair));
  print_field ("public key", public_key);
  print_field ("scheme", scheme);
  print_field ("key file", path);
}

static char *opt_scheme, *opt_account;
static gboolean opt_encrypt;

/* Writes the key where the wallet settings say, and shows it. */
static gboolean
store_key (const SvContext *context, const SvKeypair *keypair, GError **error)
{
  g_autofree char *path = sv_wallet_hotkey_path (context->config);
  gboolean ok = opt_encrypt ? sv_keyfile_create_encrypted (path, keypair, error) : sv_keyfile_create (path, keypair, error);
  if (!ok)
  {
    if (error != NULL && g_error_matches (*error, SV_ERROR, SV_ERROR_CONFLICT))
      g_prefix_error (error, "no key is ever overwritten (choose another --hotkey or --wallet): ");
    return FALSE;
  }
  print_key (context, keypair, path);
  return TRUE;
}

static void
print_next_steps (const SvKeypair *keypair)
{
  sv_say (stdout,
          "Next, as a miner, runner or validator, who name the operator whom they trust:\n"
          "  export SCOREVISION_MANIFEST_SIGNERS=chain:owner      (or the operator's account)\n"
          "  sv miner elements --window upcoming\n"
          "Next, only as the operator, who signs manifests with this key:\n"
          "  export SCOREVISION_MANIFEST_SIGNERS=%s\n"
          "  sv manifest create --help\n",
          sv_keypair_address (keypair));
}

#define ENCRYPT_OPTION                                                                                                         \
  {                                                                                                                            \
    "encrypt", 0, 0, G_OPTION_ARG_NONE, &opt_encrypt, "write the file encrypted, with a passphrase", NULL                      \
  }

static const GOptionEntry new_options[] = {
  { "scheme", 0, 0, G_OPTION_ARG_STRING, &opt_scheme, "ed25519 (default) or sr25519", "SCHEME" },
  ENCRYPT_OPTION,
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry import_options[] = {
  { "scheme", 0, 0, G_OPTION_ARG_STRING, &opt_scheme, "sr25519 or ed25519; see above", "SCHEME" },
  { "account", 0, 0, G_OPTION_ARG_STRING, &opt_account, "the account that must come out", "ACCOUNT" },
  ENCRYPT_OPTION,
  G_OPTION_ENTRY_NULL,
};

static gboolean
read_scheme (SvScheme *scheme, GError **error)
{
  *scheme = g_strcmp0 (opt_scheme, "sr25519") == 0 ? SV_SCHEME_SR25519 : SV_SCHEME_ED25519;
  if (opt_scheme == NULL || strcmp (opt_scheme, sv_scheme_name (*scheme)) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--scheme is ed25519 or sr25519");
  return FALSE;
}

static int
run_new (SvContext *context, int argc, char **argv, GError **error)
{
  SvScheme scheme;
  if (!sv_check_arguments (argc, 0, 0, "sv key new [--scheme ed25519|sr25519] [--encrypt]", error) ||
      !read_scheme (&scheme, error) || !sv_wallet_check_names (context->config, error))
    return 1;
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (scheme);
  if (!store_key (context, keypair, error))
    return 1;
  if (context->as_json)
    return 0;
  printf ("\nKeep a copy of the key file%s: nobody can make it again.\n", opt_encrypt ? " and of its passphrase" : "");
  print_next_steps (keypair);
  return 0;
}

static int
run_show (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 0, 0, "sv key show", error))
    return 1;
  g_autoptr (SvKeypair) keypair = sv_wallet_load (context->config, error);
  if (keypair == NULL)
    return 1;
  g_autofree char *path = sv_wallet_hotkey_path (context->config);
  print_key (context, keypair, path);
  return 0;
}

static gboolean
looks_like_seed (const char *argument)
{
  gsize start = g_str_has_prefix (argument, "0x") ? 2 : 0;
  return strspn (argument + start, "0123456789abcdefABCDEF") >= 32;
}

static guint
count_words (int argc, char **argv)
{
  guint n = 0;
  for (int i = 0; i < argc; i++)
  {
    g_auto (GStrv) words = g_strsplit_set (argv[i], " \t\n", -1);
    n += g_strv_length (words);
  }
  return n;
}

/* Whoever types a secret as an argument has shown it to all users of the machine; the message must not show it again. */
static gboolean
check_not_a_secret (int argc, char **argv, GError **error)
{
  if (count_words (argc, argv) < 12 && (argc != 1 || !looks_like_seed (argv[0])))
    return TRUE;
  g_set_error (
      error, SV_ERROR, SV_ERROR_USAGE,
      "a seed, a private key or a phrase does not belong on a command line, where others can see it: give a file, or - "
      "for standard input");
  return FALSE;
}

/* (transfer full) the bare address of --account, or NULL where it was not given. */
static gboolean
read_account (char **account, GError **error)
{
  *account = sv_account_normalize (opt_account);
  if (opt_account == NULL || *account != NULL)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--account is not an SS58 address of network 42");
  return FALSE;
}

static int
run_import (SvContext *context, int argc, char **argv, GError **error)
{
  SvKeyImport import = { .has_scheme = opt_scheme != NULL };
  g_autofree char *account = NULL;
  if (!check_not_a_secret (argc, argv, error) ||
      !sv_check_arguments (argc, 1, 1, "sv key import [--scheme S] [--account A] [--encrypt] FILE|-", error) ||
      !read_scheme (&import.scheme, error) || !read_account (&account, error) ||
      !sv_wallet_check_names (context->config, error))
    return 1;
  import.account = account;
  g_autoptr (SvKeypair) keypair = sv_key_import (strcmp (argv[0], "-") == 0 ? NULL : argv[0], &import, error);
  if (keypair == NULL || !store_key (context, keypair, error))
    return 1;
  if (context->as_json)
    return 0;
  putchar ('\n');
  print_next_steps (keypair);
  return 0;
}

/* ---- sign, verify ---- */

static gboolean opt_canonical_json;
static char *opt_signature;

static const GOptionEntry sign_options[] = {
  { "canonical-json", 0, 0, G_OPTION_ARG_NONE, &opt_canonical_json, "over the canonical form of the JSON in the file", NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry verify_options[] = {
  { "account", 0, 0, G_OPTION_ARG_STRING, &opt_account, "who is said to have signed", "ACCOUNT" },
  { "signature", 0, 0, G_OPTION_ARG_STRING, &opt_signature, "ed25519:HEX or sr25519:HEX", "SIGNATURE" },
  { "canonical-json", 0, 0, G_OPTION_ARG_NONE, &opt_canonical_json, "over the canonical form of the JSON in the file", NULL },
  G_OPTION_ENTRY_NULL,
};

static GBytes *
read_standard_input (GError **error)
{
  g_autoptr (GByteArray) content = g_byte_array_new ();
  guint8 piece[65536];
  gssize n;
  while ((n = read (STDIN_FILENO, piece, sizeof piece)) != 0)
  {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "standard input: %s", g_strerror (errno));
      return NULL;
    }
    g_byte_array_append (content, piece, (guint)n);
    if (content->len > MAX_MESSAGE)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "standard input: more than %d bytes", MAX_MESSAGE);
      return NULL;
    }
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&content));
}

/* What is signed: the file's bytes, or with --canonical-json the canonical form of the JSON in it. */
static GBytes *
read_message (const char *file, GError **error)
{
  gboolean is_input = strcmp (file, "-") == 0;
  g_autoptr (GBytes) bytes = is_input ? read_standard_input (error) : sv_file_read (file, MAX_MESSAGE, error);
  if (bytes == NULL || !opt_canonical_json)
    return g_steal_pointer (&bytes);
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  g_autoptr (json_t) json = sv_json_parse (is_input ? "standard input" : file, data, length, MAX_MESSAGE, error);
  return json != NULL ? sv_json_canonical (json, error) : NULL;
}

static int
run_sign (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 1, 1, "sv key sign [--canonical-json] FILE|-", error))
    return 1;
  g_autoptr (SvKeypair) keypair = sv_wallet_load (context->config, error);
  if (keypair == NULL)
    return 1;
  g_autoptr (GBytes) message = read_message (argv[0], error);
  if (message == NULL)
    return 1;
  gsize length;
  const void *data = g_bytes_get_data (message, &length);
  g_autofree char *signature = sv_keypair_sign (keypair, data, length);
  if (context->as_json)
    sv_print_json (json_pack ("{s:s,s:s}", "account", sv_keypair_address (keypair), "signature", signature));
  else
    puts (signature);
  return 0;
}

/* Returns: (transfer full) the bare address. */
static char *
check_verify_options (SvScheme *scheme, GError **error)
{
  guint8 bytes[SV_SIGNATURE_SIZE];
  if (opt_account == NULL || opt_signature == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "--account and --signature are needed");
    return NULL;
  }
  g_autofree char *address = NULL;
  if (!read_account (&address, error))
    return NULL;
  if (!sv_signature_parse (opt_signature, SV_SIGNATURE_REQUEST, bytes, scheme))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "--signature is not 64 bytes in lower-case hex, as in ed25519:… or sr25519:…");
    return NULL;
  }
  return g_steal_pointer (&address);
}

static int
run_verify (SvContext *context, int argc, char **argv, GError **error)
{
  SvScheme scheme;
  if (!sv_check_arguments (argc, 1, 1, "sv key verify --account A --signature S [--canonical-json] FILE|-", error))
    return 1;
  g_autofree char *address = check_verify_options (&scheme, error);
  if (address == NULL)
    return 1;
  g_autoptr (GBytes) message = read_message (argv[0], error);
  if (message == NULL)
    return 1;
  gsize length;
  const void *data = g_bytes_get_data (message, &length);
  if (!sv_signature_verify (address, data, length, opt_signature, SV_SIGNATURE_REQUEST))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "the signature is not %s's over this content", address);
    return 1;
  }
  if (context->as_json)
    sv_print_json (json_pack ("{s:b,s:s,s:s}", "valid", 1, "account", address, "scheme", sv_scheme_name (scheme)));
  else
    printf ("valid: signed by %s\n", address);
  return 0;
}

#define PASSPHRASES                                                                                                            \
  "The passphrase of --encrypt is asked on the terminal, or taken from the environment as btcli keeps it: the variable "       \
  "BT_PW_ "                                                                                                                    \
  "and the file's path in upper case, / and . as _, holds base64 of the passphrase XOR the variable's name."

const SvCommand sv_key_commands[] = {
  { "key", "new", "[--scheme ed25519|sr25519] [--encrypt]", "make a hotkey",
    "Writes btcli's file form to WALLET-PATH/WALLET/hotkeys/HOTKEY with mode 0600. An existing file is never "
    "overwritten.\n\n" PASSPHRASES,
    "  sv key new --wallet default --hotkey miner", new_options, run_new },
  { "key", "show", "", "show the hotkey's account, public key and file", NULL, "  sv key show --hotkey miner --json", NULL,
    run_show },
  { "key", "import", "[--scheme S] [--account A] [--encrypt] FILE|-", "make a hotkey of a seed, a phrase or a private key",
    "Reads a seed (0x and 64 hex digits), a phrase of 12 to 24 English words or an sr25519 private key (0x and 128 hex digits) "
    "from a file or, with -, from standard input, where a terminal does not show what is typed; never from the command line. "
    "Behind a seed or a phrase may stand a derivation path and behind a phrase its password: WORDS//hard/soft///PASSWORD.\n\n"
    "A phrase is read as an sr25519 key, as btcli does, and a seed as an ed25519 key; --scheme says otherwise. With --account "
    "nothing is written unless the secret is that account's.\n\n" PASSPHRASES,
    "  sv key import - --hotkey restored\n"
    "  sv key import phrase.txt --hotkey restored --account 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    import_options, run_import },
  { "key", "sign", "[--canonical-json] FILE|-", "sign a file with the hotkey",
    "The signature is over the file's bytes or, with --canonical-json, over the canonical form (RFC 8785) of the JSON in it.",
    "  sv key sign --canonical-json statement.json", sign_options, run_sign },
  { "key", "verify", "--account A --signature S [--canonical-json] FILE|-", "check a signature",
    "Ends with status 3 when the signature is not the account's over this content.",
    "  sv key verify --account 5F… --signature ed25519:… statement.json", verify_options, run_verify },
  { NULL },
};
