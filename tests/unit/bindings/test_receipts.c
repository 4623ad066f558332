/* Receipts on disk, and making them anew from a list that may lie and a chain that does not.
 *
 * disk     - what was written is read back; the file's mode is 0600; with nothing bound it goes away
 *          - a file that cannot be removed is an error, for it tells of bindings that are gone
 *          - none, another hotkey's, another window's: each with what to do
 *          - each broken field is refused, naming the refresh that mends it
 *          - windows are listed sorted, and only what is named like one
 * refresh  - the list's proofs are looked up and folded, withdrawals and replaced texts too
 *          - what the list makes up, or says of others, is not believed; what it leaves out is not found
 *          - a withdrawal that the list hides does not bring back what was withdrawn when the list shows the truth otherwise
 *          - an answer that is no list, a wrong status, no server, no address
 */
#include "bindings/receipts.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger_fixture.h"
#include "refusal.h"
#include "scratch.h"
#include "tiny_server.h"

#define WINDOW "2025-10-23"
#define START 100
#define EXPIRY 200
#define CHUTE "87f7d0c5-0000-4000-8000-000000000001"
#define COMMIT_A "sv1 commit " WINDOW " 40\nA r1 lynx " CHUTE " 20\nB r1 lynx " CHUTE " 20"

typedef struct
{
  LedgerFixture ledger;
  char *home;
  const char *hotkey;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  ledger_fixture_set_up (&fixture->ledger, 0);
  fixture->home = scratch_new ();
  fixture->hotkey = sv_keypair_address (fixture->ledger.miner);
  sv_config_set (fixture->ledger.config, "SCOREVISION_HOME", fixture->home);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  scratch_remove (fixture->home);
  ledger_fixture_tear_down (&fixture->ledger);
}

static SvFold *
fold_of (const char *text)
{
  static const char *const proof = "10:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  SvChainText texts[] = { { .block = 10, .text = text, .proof = proof } };
  return sv_fold (WINDOW, START, EXPIRY, texts, text != NULL, 50);
}

static void
write_receipts (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvFold) fold = fold_of (text);
  gboolean done = sv_receipts_write (fixture->ledger.config, fold, fixture->hotkey, EXPIRY, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

static SvReceipts *
read_receipts (Fixture *fixture, GError **error)
{
  return sv_receipts_read (fixture->ledger.config, WINDOW, fixture->hotkey, error);
}

/* ── disk ── */

static void
what_was_written_is_read_back (Fixture *fixture, gconstpointer data)
{
  struct stat status;
  write_receipts (fixture, "sv1 commit " WINDOW " 40.5\nB r/1 lynx " CHUTE " 0.001\nA r1 orca " CHUTE " 12.345");
  g_autoptr (SvReceipts) receipts = read_receipts (fixture, NULL);
  g_assert_cmpuint (receipts->bound->len, ==, 2);
  g_assert_cmpuint (receipts->total_cap_milli, ==, 40500);
  g_assert_cmpuint (receipts->expires_at_block, ==, EXPIRY);
  const SvBoundElement *a = sv_receipts_find (receipts, "A"), *b = sv_receipts_find (receipts, "B");
  g_assert_true (a == g_ptr_array_index (receipts->bound, 0));
  g_assert_cmpuint (a->binding.cap_milli, ==, 12345);
  g_assert_cmpuint (b->binding.cap_milli, ==, 1);
  g_assert_cmpstr (b->binding.hf_revision, ==, "r/1");
  g_assert_cmpuint (b->committed_at_block, ==, 10);
  g_assert_null (sv_receipts_find (receipts, "C"));
  g_autofree char *path = sv_receipts_path (fixture->ledger.config, WINDOW);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
}

static void
with_nothing_bound_the_file_goes_away (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = sv_receipts_path (fixture->ledger.config, WINDOW);
  write_receipts (fixture, NULL); /* nothing to remove */
  write_receipts (fixture, COMMIT_A);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  write_receipts (fixture, NULL);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  assert_fails_saying (read_receipts (fixture, refusal), SV_ERROR_NOT_FOUND, "sv miner commitments --refresh");
}

static void
a_file_that_cannot_be_removed_is_an_error (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = sv_receipts_path (fixture->ledger.config, WINDOW);
  g_autoptr (SvFold) nothing = fold_of (NULL);
  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0); /* unlink refuses a directory, to root as well */
  assert_fails_saying (sv_receipts_write (fixture->ledger.config, nothing, fixture->hotkey, EXPIRY, refusal), SV_ERROR_FAILED,
                       "cannot be removed");
}

static void
receipts_of_others_are_told_apart (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = sv_receipts_path (fixture->ledger.config, WINDOW);
  g_autofree char *other = sv_receipts_path (fixture->ledger.config, "2025-10-24");
  write_receipts (fixture, COMMIT_A);
  assert_fails_saying (sv_receipts_read (fixture->ledger.config, WINDOW, sv_keypair_address (fixture->ledger.owner), refusal),
                       SV_ERROR_CONFLICT, "SCOREVISION_HOME");
  g_autoptr (SvFold) nothing = fold_of (NULL);
  assert_fails (
      sv_receipts_write (fixture->ledger.config, nothing, sv_keypair_address (fixture->ledger.owner), EXPIRY, refusal),
      SV_ERROR_CONFLICT);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (g_rename (path, other), ==, 0);
  assert_fails (sv_receipts_read (fixture->ledger.config, "2025-10-24", fixture->hotkey, refusal), SV_ERROR_CONFLICT);
}

static void
broken_receipts_are_refused_with_what_mends_them (Fixture *fixture, gconstpointer data)
{
  static const char *const swaps[][2] = {
    { "\"element_id\": \"A\"", "\"element_id\": \"../A\"" },
    { "\"hf_revision\": \"r1\"", "\"hf_revision\": \"r 1\"" },
    { "\"chute_slug\": \"lynx\"", "\"chute_slug\": \"evil.example/\"" },
    { "\"chute_slug\": \"lynx\"", "\"chute_slug\": null" },
    { "\"chute_id\": \"87f7", "\"chute_id\": \"87F7" },
    { "\"commitment_proof\": \"10:", "\"commitment_proof\": \"010:" },
    { "\"service_cap_fps\": 20", "\"service_cap_fps\": -0.5" },
    { "\"service_cap_fps\": 20", "\"service_cap_fps\": 1e400" },
    { "\"service_cap_fps\": 20", "\"service_cap_fps\": \"20\"" },
    { "\"expires_at_block\": 200", "\"expires_at_block\": 9007199254740993" },
    { "\"miner_hotkey\": \"ss58:", "\"miner_hotkey\": \"ss58:0" },
    { "\"bindings\": [", "\"bindings\": 1, \"bindings\": [" },
    { "{", "[" },
    { "{", "{\"x\": \"\xff\"," },
  };
  g_autofree char *path = sv_receipts_path (fixture->ledger.config, WINDOW);
  g_autofree char *good = NULL;
  write_receipts (fixture, COMMIT_A);
  g_assert_true (g_file_get_contents (path, &good, NULL, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (swaps); i++)
  {
    const char *place = strstr (good, swaps[i][0]);
    if (place == NULL)
      g_error ("\"%s\" is not in %s", swaps[i][0], good);
    g_autofree char *bad = g_strdup_printf ("%.*s%s%s", (int)(place - good), good, swaps[i][1], place + strlen (swaps[i][0]));
    g_assert_true (g_file_set_contents (path, bad, -1, NULL));
    assert_fails_saying (read_receipts (fixture, refusal), SV_ERROR_MALFORMED, "sv miner commitments --refresh");
  }
  g_assert_true (g_file_set_contents (path, good, (gssize)strlen (good) / 2, NULL));
  assert_fails (read_receipts (fixture, refusal), SV_ERROR_MALFORMED);
}

static void
windows_are_listed_sorted (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "b.json", "a.json", ".json", "-x.json", "a b.json", "a.pending", "c" };
  g_autofree char *folder = scratch_path (fixture->home, "commitments");
  g_auto (GStrv) none = sv_receipts_windows (fixture->ledger.config);
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  g_mkdir (folder, 0700);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
  {
    g_autofree char *path = scratch_path (folder, names[i]);
    g_assert_true (g_file_set_contents (path, "", 0, NULL));
  }
  g_auto (GStrv) windows = sv_receipts_windows (fixture->ledger.config);
  g_autofree char *joined = g_strjoinv (" ", windows);
  g_assert_cmpstr (joined, ==, "a b");
}

/* ── refresh ── */

typedef struct
{
  guint status;
  const char *body;
} Answer;

static gboolean
answer (TinyServer *server, int fd, const char *request, gpointer data)
{
  const Answer *wanted = data;
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 %u x\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                                           wanted->status, strlen (wanted->body), wanted->body);
  tiny_send_text (fd, text);
  return FALSE;
}

static SvFold *
refresh (Fixture *fixture, guint status, const char *body, GError **error)
{
  Answer wanted = { status, body };
  g_autoptr (TinyServer) server = tiny_server_new (answer, &wanted);
  g_autofree char *url = tiny_server_url (server, "/");
  sv_config_set (fixture->ledger.config, "SCOREVISION_API", url);
  SvFold *fold =
      sv_refresh_commitments (fixture->ledger.config, fixture->ledger.chain, fixture->hotkey, WINDOW, START, EXPIRY, error);
  g_autofree char *request = tiny_server_last_request (server);
  g_autofree char *wanted_query = g_strdup_printf ("GET /api/commitments?hotkey=%s&window_id=" WINDOW " ", fixture->hotkey);
  g_assert_true (g_str_has_prefix (request, wanted_query));
  return fold;
}

static char *
commit (Fixture *fixture, const SvKeypair *keypair, const char *text)
{
  g_autoptr (SvExtrinsic) included = ledger_fixture_commit (&fixture->ledger, keypair, text);
  return sv_proof_format (included->block, included->hash);
}

/* The list as the API gives it: pairs of element and proof, and all texts. */
static char *
list (const char *const *shown, const char *const *proofs)
{
  g_autoptr (json_t) state = json_pack ("{s:[],s:[]}", "bindings", "proofs");
  for (gsize i = 0; shown[i] != NULL; i += 2)
    json_array_append_new (json_object_get (state, "bindings"),
                           json_pack ("{s:s,s:s}", "element_id", shown[i], "commitment_proof", shown[i + 1]));
  for (gsize i = 0; proofs[i] != NULL; i++)
    json_array_append_new (json_object_get (state, "proofs"), json_string (proofs[i]));
  g_autoptr (json_t) whole = json_pack ("{s:[O]}", "commitments", state);
  return json_dumps (whole, 0);
}

static void
assert_refreshed (Fixture *fixture, const char *const *shown, const char *const *proofs, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *body = list (shown, proofs);
  g_autoptr (SvFold) fold = refresh (fixture, 200, body, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) ids = sv_fold_element_ids (fold);
  g_ptr_array_add (ids, NULL);
  g_autofree char *joined = g_strjoinv (" ", (char **)ids->pdata);
  g_assert_cmpstr (joined, ==, expected);
}

static void
proofs_are_looked_up_and_folded (Fixture *fixture, gconstpointer data)
{
  const SvKeypair *miner = fixture->ledger.miner;
  g_autofree char *first = commit (fixture, miner, COMMIT_A);
  g_autofree char *second = commit (fixture, miner, "sv1 withdraw " WINDOW "\nB");
  g_autofree char *third = commit (fixture, miner, "sv1 commit " WINDOW " 40\nC r lynx " CHUTE " 20");
  g_autofree char *other_window = commit (fixture, miner, "sv1 commit 2025-10-24 40\nD r lynx " CHUTE " 20");
  const char *const shown[] = { "A", first, "C", third, "D", other_window, NULL };
  const char *const all[] = { third, first, second, first, NULL };
  assert_refreshed (fixture, shown, all, "A C");
}

static void
the_list_is_not_believed (Fixture *fixture, gconstpointer data)
{
  g_autofree char *own = commit (fixture, fixture->ledger.miner, COMMIT_A);
  g_autofree char *foreign = commit (fixture, fixture->ledger.owner, "sv1 commit " WINDOW " 40\nC r lynx " CHUTE " 20");
  const char *const shown[] = { "A", own, "C", foreign, "D", own, "E", "1:0xzz", "F", "999999:0x00", NULL };
  const char *const none[] = { NULL };
  assert_refreshed (fixture, shown, none, "A");
  assert_refreshed (fixture, none, none, "");
  const char *const hidden[] = { own, NULL }; /* proofs alone bind nothing that the list does not show */
  assert_refreshed (fixture, none, hidden, "");
}

static void
what_was_withdrawn_stays_withdrawn (Fixture *fixture, gconstpointer data)
{
  g_autofree char *first = commit (fixture, fixture->ledger.miner, COMMIT_A);
  g_autofree char *second = commit (fixture, fixture->ledger.miner, "sv1 withdraw " WINDOW "\nB");
  const char *const truth[] = { "A", first, NULL };
  const char *const none[] = { NULL };
  assert_refreshed (fixture, truth, none, "A");
  g_assert_nonnull (second);
}

static void
answers_that_are_no_list_are_refused (Fixture *fixture, gconstpointer data)
{
  assert_fails (refresh (fixture, 200, "<html>", refusal), SV_ERROR_MALFORMED);
  assert_fails (refresh (fixture, 200, "{\"commitments\":[],\"commitments\":[]}", refusal), SV_ERROR_MALFORMED);
  assert_fails_saying (refresh (fixture, 503, "{}", refusal), SV_ERROR_UNREACHABLE, "503");
  assert_fails (refresh (fixture, 302, "", refusal), SV_ERROR_UNREACHABLE);
  static const char *const odd[] = { "{}", "[]", "7", "{\"commitments\":{}}", "{\"commitments\":[7,{\"bindings\":[7,{}]}]}" };
  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
  {
    g_autoptr (SvFold) fold = refresh (fixture, 200, odd[i], NULL);
    g_assert_cmpuint (g_hash_table_size (fold->bound), ==, 0);
  }
}

static void
an_api_that_cannot_be_asked_is_an_error (Fixture *fixture, gconstpointer data)
{
  SvConfig *config = fixture->ledger.config;
  sv_config_set (config, "SCOREVISION_API", "ftp://127.0.0.1");
  assert_fails (sv_refresh_commitments (config, fixture->ledger.chain, fixture->hotkey, WINDOW, START, EXPIRY, refusal),
                SV_ERROR_USAGE);
  sv_config_set (config, "SCOREVISION_API", "http://127.0.0.1:1");
  assert_fails (sv_refresh_commitments (config, fixture->ledger.chain, fixture->hotkey, WINDOW, START, EXPIRY, refusal),
                SV_ERROR_UNREACHABLE);
}

#define ADD(name) g_test_add ("/receipts/" #name, Fixture, NULL, set_up, name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (what_was_written_is_read_back);
  ADD (with_nothing_bound_the_file_goes_away);
  ADD (a_file_that_cannot_be_removed_is_an_error);
  ADD (receipts_of_others_are_told_apart);
  ADD (broken_receipts_are_refused_with_what_mends_them);
  ADD (windows_are_listed_sorted);
  ADD (proofs_are_looked_up_and_folded);
  ADD (the_list_is_not_believed);
  ADD (what_was_withdrawn_stays_withdrawn);
  ADD (answers_that_are_no_list_are_refused);
  ADD (an_api_that_cannot_be_asked_is_an_error);
  return g_test_run ();
}
