/* Drives `sv chain` of the built sv.
 *
 *  create   - prints where it is and its genesis; never overwrites; forms of --block-time, --finality and accounts
 *  status   - before there is a ledger, it names the command that makes one; afterwards everything about it
 *  advance  - one block, several, another branch; refuses final blocks and what is no number
 *  proof    - malformed is 2, not there is 4
 *           - a commitment in force, with what it binds; final or not
 *           - the same withdrawn, and when the window is over; a text that is no commitment
 *           - without an index it says that it cannot tell
 *  owner    - the zero key owns nothing, so chain:owner is refused
 *  messages - quote a setting without its password and without control characters
 */
#include <string.h>

#include "sv_process.h"

#define CHUTE "87f7d0c5-0000-4000-8000-000000000001"
#define PLAYER "PlayerDetect_v1@1.0"
#define ZERO_ACCOUNT "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM"
#define NO_HASH "0x0000000000000000000000000000000000000000000000000000000000000000"

typedef struct
{
  char *home;
  char *settings[3];
} Fixture;

#define SV(fixture, ...) run_sv ((fixture)->home, (const char *const *)(fixture)->settings, __VA_ARGS__)

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->home = g_dir_make_tmp ("sv-cli-chain-XXXXXX", NULL);
  fixture->settings[0] = g_strdup ("SCOREVISION_STORE=file:store");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  remove_tree (fixture->home);
  for (gsize i = 0; i < G_N_ELEMENTS (fixture->settings); i++)
    g_free (fixture->settings[i]);
  g_free (fixture->home);
}

static void
assert_says (const char *text, const char *wanted)
{
  if (!strstr (text, wanted))
    g_error ("expected \"%s\" in \"%s\"", wanted, text);
}

static double
number_at (const json_t *json, const char *object, const char *key)
{
  return json_number_value (json_object_get (json_object_get (json, object), key));
}

/* ── create and status ── */

static void
a_ledger_is_made_once (Fixture *fixture, gconstpointer data)
{
  expect_failure (SV (fixture, "chain status"), 4, "sv chain create");
  g_autofree char *made = expect_out (SV (fixture, "chain create"), 0);
  assert_says (made, "/.score/ledger.sqlite\n");
  assert_says (made, "genesis     0x");
  assert_says (made, "block time  12 s\n");
  assert_says (made, "Next: sv manifest create");
  expect_failure (SV (fixture, "chain create"), 6, "never overwritten");
}

static void
status_tells_what_it_was_made_with (Fixture *fixture, gconstpointer data)
{
  json_t *key = expect_json (SV (fixture, "key new --json"));
  const char *account = json_string_value (json_object_get (key, "account"));
  json_t *made = expect_json (
      SV (fixture, "chain create --owner %s --permit ss58:%s --block-time 500ms --finality 5 --json", account, account));
  json_t *status = expect_json (SV (fixture, "chain status --json"));
  g_autofree char *document = g_strconcat ("ss58:", account, NULL);
  g_assert_cmpstr (json_string_value (json_object_get (status, "genesis")), ==,
                   json_string_value (json_object_get (made, "genesis")));
  g_assert_cmpstr (json_string_value (json_object_get (status, "owner")), ==, document);
  g_assert_cmpstr (json_string_value (json_array_get (json_object_get (status, "permits"), 0)), ==, document);
  g_assert_cmpfloat (json_number_value (json_object_get (status, "netuid")), ==, 44);
  g_assert_cmpfloat (json_number_value (json_object_get (status, "block_time_ms")), ==, 500);
  g_assert_cmpfloat (number_at (status, "finalized", "number"), <=, number_at (status, "head", "number"));
  g_autofree char *text = expect_out (SV (fixture, "chain status --netuid 45"), 0);
  assert_says (text, "netuid      45\n");
  assert_says (text, account);
  json_decref (key);
  json_decref (made);
  json_decref (status);
}

static void
options_of_create_are_checked (Fixture *fixture, gconstpointer data)
{
  static const char *const good[] = { "0", "0s", "10ms", "1s", "86400s" };
  static const char *const bad[] = { "12", "1m", "9ms", "86401s", "s", "ms", "-1s", "1.5s", "99999999999999999999s" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_free (expect_out (SV (fixture, "chain create --chain ledger:%" G_GSIZE_FORMAT ".ledger --block-time %s", i, good[i]), 0));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    expect_failure (SV (fixture, "chain create --block-time=%s", bad[i]), 2, "--block-time");
  expect_failure (SV (fixture, "chain create --finality=-1"), 2, "--finality");
  expect_failure (SV (fixture, "chain create --owner nobody"), 2, "--owner nobody");
  expect_failure (SV (fixture, "chain create --permit nobody"), 2, "--permit nobody");
  expect_failure (SV (fixture, "chain create here"), 2, "too many arguments");
  expect_failure (SV (fixture, "chain create --chain ftp://example.org"), 2, "ledger:PATH");
  expect_failure (SV (fixture, "chain status --chain ftp://example.org"), 2, "ledger:PATH");
}

/* ── advance ── */

static void
blocks_are_made_by_hand (Fixture *fixture, gconstpointer data)
{
  g_free (expect_out (SV (fixture, "chain create --block-time 0"), 0));
  g_autofree char *one = expect_out (SV (fixture, "chain advance"), 0);
  g_assert_cmpstr (one, ==, "head 1, finalized 0\n");
  g_autofree char *more = expect_out (SV (fixture, "chain advance 9"), 0);
  g_assert_cmpstr (more, ==, "head 10, finalized 7\n");
  json_t *branch = expect_json (SV (fixture, "chain advance 2 --reorg 3 --json"));
  g_assert_cmpfloat (number_at (branch, "head", "number"), ==, 12);
  json_decref (branch);
  expect_failure (SV (fixture, "chain advance --reorg 4"), 6, "at most 3");
  expect_failure (SV (fixture, "chain advance 0"), 2, "1 to 1000000");
  expect_failure (SV (fixture, "chain advance many"), 2, "numbers of blocks");
  expect_failure (SV (fixture, "chain advance 1 2"), 2, "too many arguments");
}

/* ── proof ── */

/* A window from block 40 to 60, an operator, and a miner by the hotkey `miner`. Returns: (transfer full) what publishing said.
 */
static char *
set_up_window (Fixture *fixture)
{
  g_free (expect_out (SV (fixture, "chain create --block-time 0"), 0));
  g_free (expect_out (SV (fixture, "key new --hotkey miner"), 0));
  json_t *key = expect_json (SV (fixture, "key new --json"));
  fixture->settings[1] =
      g_strconcat ("SCOREVISION_MANIFEST_SIGNERS=", json_string_value (json_object_get (key, "account")), NULL);
  json_decref (key);
  g_free (expect_out (SV (fixture,
                          "manifest create --template football --window-id w1 --start-block 40 --expiry-block 60"
                          " --clip sha256:%064d -o m.yaml",
                          1),
                      0));
  return expect_out (SV (fixture, "manifest publish m.yaml --yes"), 0);
}

/* Returns: (transfer full). */
static char *
proof_in_receipts (Fixture *fixture)
{
  g_autofree char *receipts = expect_out (SV (fixture, "miner commitments list --hotkey miner --json"), 0);
  g_autoptr (GRegex) pattern = g_regex_new ("[0-9]+:0x[0-9a-f]{64}", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_assert_true (g_regex_match (pattern, receipts, 0, &match));
  return g_match_info_fetch (match, 0);
}

static char *
commit_player (Fixture *fixture)
{
  g_free (expect_out (SV (fixture, "miner commit --hotkey miner --window-id w1 --elements " PLAYER " --service-cap-fps 45 --yes"
                                   " --bind " PLAYER "=rev-1,slug-a," CHUTE),
                      0));
  return proof_in_receipts (fixture);
}

static void
assert_verdict (Fixture *fixture, const char *proof, const char *verdict, gboolean finalized)
{
  json_t *json = expect_json (SV (fixture, "chain proof %s --json", proof));
  const json_t *elements = json_object_get (json_object_get (json, "commitment"), "elements");
  g_assert_cmpstr (json_string_value (json_object_get (json_array_get (elements, 0), "verdict")), ==, verdict);
  g_assert_cmpint (json_is_true (json_object_get (json, "finalized")), ==, finalized);
  json_decref (json);
}

static void
what_is_no_proof_is_told_apart_from_what_is_not_there (Fixture *fixture, gconstpointer data)
{
  g_free (expect_out (SV (fixture, "chain create --block-time 0"), 0));
  expect_failure (SV (fixture, "chain proof"), 2, "an argument is missing");
  expect_failure (SV (fixture, "chain proof 0"), 2, "BLOCK:0x");
  expect_failure (SV (fixture, "chain proof 00:" NO_HASH), 2, "BLOCK:0x");
  expect_failure (SV (fixture, "chain proof 0:" NO_HASH), 4, "holds no commitment");
  expect_failure (SV (fixture, "chain proof 1:" NO_HASH), 4, "no block 1 yet");
}

static void
a_proof_tells_what_it_binds_until_the_window_is_over (Fixture *fixture, gconstpointer data)
{
  g_free (set_up_window (fixture));
  g_autofree char *proof = commit_player (fixture);
  g_autofree char *text = expect_out (SV (fixture, "chain proof %s", proof), 0);
  assert_says (text, "finalized   not yet");
  assert_says (text, "  sv1 commit w1 45\n  " PLAYER " rev-1 slug-a " CHUTE " 45\n");
  assert_says (text, "binds " PLAYER " to slug-a (chute " CHUTE ", revision rev-1, 45 fps): in force\n");
  assert_verdict (fixture, proof, "valid", FALSE);
  g_free (expect_out (SV (fixture, "chain advance 30"), 0));
  assert_verdict (fixture, proof, "valid", TRUE);
  g_free (expect_out (SV (fixture, "chain advance 60"), 0));
  assert_verdict (fixture, proof, "expired", TRUE);
}

static void
a_withdrawn_binding_is_not_in_force (Fixture *fixture, gconstpointer data)
{
  g_free (set_up_window (fixture));
  g_autofree char *proof = commit_player (fixture);
  g_free (expect_out (SV (fixture, "miner commit --hotkey miner --withdraw --window-id w1 --elements " PLAYER " --yes"), 0));
  g_autofree char *text = expect_out (SV (fixture, "chain proof %s", proof), 0);
  assert_says (text, ": withdrawn\n");
}

static void
without_an_index_it_says_that_it_cannot_tell (Fixture *fixture, gconstpointer data)
{
  g_free (set_up_window (fixture));
  g_autofree char *proof = commit_player (fixture);
  g_autofree char *text = expect_out (SV (fixture, "chain proof %s --store file:empty", proof), 0);
  assert_says (text, "Whether that is in force cannot be told here: ");
  g_clear_pointer (&fixture->settings[1], g_free);
  g_autofree char *untrusting = expect_out (SV (fixture, "chain proof %s", proof), 0);
  assert_says (untrusting, "SCOREVISION_MANIFEST_SIGNERS");
}

static void
an_anchor_is_no_commitment (Fixture *fixture, gconstpointer data)
{
  g_autofree char *published = set_up_window (fixture);
  const char *extrinsic = strstr (published, "extrinsic 0x");
  g_assert_nonnull (extrinsic);
  g_autofree char *text = expect_out (SV (fixture, "chain proof 1:%.66s", extrinsic + strlen ("extrinsic ")), 0);
  assert_says (text, "  sv1 manifest sha256:");
  assert_says (text, "It is not a commitment to elements, so it binds nothing.\n");
}

static void
a_zero_owner_is_nobody (Fixture *fixture, gconstpointer data)
{
  g_free (expect_out (SV (fixture, "chain create --owner " ZERO_ACCOUNT), 0));
  expect_failure (SV (fixture, "manifest list --signers chain:owner"), 3, "zero key");
}

/* Neither what steers a terminal nor a password gets into a message. */
static void
messages_are_fit_to_be_shown (Fixture *fixture, gconstpointer data)
{
  fixture->settings[1] = g_strdup ("BITTENSOR_SUBTENSOR_ENDPOINT=ftp://u:PASSWORD@n/?apikey=KEY&x=\033[31m\302\233");
  g_auto (Result) result = SV (fixture, "chain status");
  g_assert_cmpint (result.status, ==, 2);
  assert_says (result.err, "ftp://u:****@n/?apikey=****&x=\\x1b[31m\\x9b' is no chain");
  g_assert_null (strstr (result.err, "PASSWORD"));
  g_assert_null (strchr (result.err, '\033'));

  g_free (fixture->settings[1]);
  fixture->settings[1] = g_strdup ("BITTENSOR_SUBTENSOR_ENDPOINT=http://127.0.0.1:1");
  g_auto (Result) fallback = SV (fixture, "chain status --chain-fallback http://u:PASSWORD@n/");
  g_assert_cmpint (fallback.status, ==, 2);
  assert_says (fallback.err, "BITTENSOR_SUBTENSOR_FALLBACK (flag): ");
  g_assert_null (strstr (fallback.err, "PASSWORD"));
}

#define ADD(name, function) g_test_add ("/cli-chain/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-ledger-is-made-once", a_ledger_is_made_once);
  ADD ("status-tells-what-it-was-made-with", status_tells_what_it_was_made_with);
  ADD ("options-of-create-are-checked", options_of_create_are_checked);
  ADD ("blocks-are-made-by-hand", blocks_are_made_by_hand);
  ADD ("no-proof-and-not-there", what_is_no_proof_is_told_apart_from_what_is_not_there);
  ADD ("a-proof-tells-what-it-binds", a_proof_tells_what_it_binds_until_the_window_is_over);
  ADD ("a-withdrawn-binding-is-not-in-force", a_withdrawn_binding_is_not_in_force);
  ADD ("without-an-index", without_an_index_it_says_that_it_cannot_tell);
  ADD ("an-anchor-is-no-commitment", an_anchor_is_no_commitment);
  ADD ("a-zero-owner-is-nobody", a_zero_owner_is_nobody);
  ADD ("messages-are-fit-to-be-shown", messages_are_fit_to_be_shown);
  return g_test_run ();
}
