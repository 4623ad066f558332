/* Databases of earlier forms are brought to the present one when they are opened, whole.
 *
 *  1. form 1: issue records, nonces that are still remembered with their rate, clips and keys are kept; ids go on where they
 * were
 *  2. form 1 without any request, but with records: ids go on, too
 *  3. form 5, which had a row for each record: all are kept, however many there are and whatever ids are missing, also from the
 *     middle on and by window; windows stay closed, and ids go on
 *  4. a migration that fails leaves the file as it was
 */
#include <sqlite3.h>
#include <string.h>

#include "refusal.h"
#include "scratch.h"
#include "state/state.h"

/* What sv made of an empty file in form 1. */
static const char form_1[] =
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE clips (hash TEXT PRIMARY KEY, bytes INTEGER NOT NULL, duration_ms INTEGER NOT NULL, fps REAL NOT NULL,"
    "  width INTEGER NOT NULL, height INTEGER NOT NULL, sport TEXT NOT NULL, scenario TEXT NOT NULL,"
    "  challenge_type TEXT NOT NULL, added_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE secrets (kind TEXT NOT NULL, name TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;"
    "CREATE TABLE askers (id INTEGER PRIMARY KEY, account TEXT NOT NULL UNIQUE);"
    "CREATE TABLE requests (id INTEGER PRIMARY KEY, asker INTEGER NOT NULL, nonce TEXT NOT NULL, x_nonce TEXT,"
    "  client_id TEXT NOT NULL, bucket TEXT NOT NULL, time_ms INTEGER NOT NULL, position INTEGER NOT NULL,"
    "  bucket_position INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX requests_nonce ON requests (nonce, asker);"
    "CREATE UNIQUE INDEX requests_x_nonce ON requests (x_nonce, asker) WHERE x_nonce IS NOT NULL;"
    "CREATE INDEX requests_time ON requests (asker, time_ms, position);"
    "CREATE INDEX requests_bucket ON requests (asker, bucket, time_ms, bucket_position);"
    "CREATE TABLE buckets (asker INTEGER NOT NULL, name TEXT NOT NULL, seen_ms INTEGER NOT NULL, PRIMARY KEY (asker, name))"
    "  WITHOUT ROWID;"
    "CREATE TABLE issued (challenge_id INTEGER PRIMARY KEY AUTOINCREMENT, asker TEXT NOT NULL, miner TEXT NOT NULL,"
    "  window_id TEXT NOT NULL, manifest_hash TEXT NOT NULL, element_id TEXT NOT NULL, clip_hash TEXT NOT NULL,"
    "  seed INTEGER NOT NULL, nonce TEXT NOT NULL, block INTEGER NOT NULL, time_ms INTEGER NOT NULL);"
    "CREATE INDEX issued_window ON issued (window_id, challenge_id);"
    "CREATE TABLE chains (id INTEGER PRIMARY KEY, genesis TEXT NOT NULL, netuid INTEGER NOT NULL, from_block INTEGER NOT NULL,"
    "  number INTEGER NOT NULL, hash TEXT NOT NULL, UNIQUE (genesis, netuid));"
    "CREATE TABLE commitments (chain INTEGER NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL, hash TEXT NOT NULL,"
    "  signer TEXT NOT NULL, text TEXT NOT NULL, succeeded INTEGER NOT NULL, PRIMARY KEY (chain, block, position)) WITHOUT "
    "ROWID;"
    "PRAGMA application_id = 1398166321; PRAGMA user_version = 1;";

static const char records_of_1[] =
    "INSERT INTO issued VALUES (1, '5A', '5M', 'w1', 'h1', 'e1', 'c1', 9007199254740991, '1761177600000000000', 7, 1000),"
    "  (2, '5B', '5B', 'w2', 'h2', 'e1', 'c2', 0, '9999999999999999999', 8, 1001),"
    "  (3, '5A', '5A', 'w1', 'h1', 'e2', 'c2', 1, '0000000000000000001', 9, 1002);"
    "UPDATE sqlite_sequence SET seq = 5 WHERE name = 'issued';"; /* two that were removed by hand */

static const char requests_of_1[] = "INSERT INTO askers VALUES (1, '5A'), (2, '5B');"
                                    "INSERT INTO requests VALUES (10, 1, '1761177600000000000', 'x-1', '', '', 1000, 4, 4),"
                                    "  (11, 2, '9999999999999999999', NULL, 'caf\xc3\xa9', 'caf\xc3\xa9', 1001, 1, 1),"
                                    "  (12, 1, '0000000000000000001', NULL, '', '', 1002, 5, 5);"
                                    "INSERT INTO buckets VALUES (1, '', 1002), (2, 'caf\xc3\xa9', 1001);";

static const char rest_of_1[] = "INSERT INTO counters VALUES ('clips', 3);"
                                "INSERT INTO clips VALUES ('c1', 1, 2, 25.0, 640, 360, 'football', 'match', 'football', 5);"
                                "INSERT INTO secrets VALUES ('draw', 'h1', zeroblob (32));";

/* What sv made of an empty file in form 5. */
static const char form_5[] =
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE clips (hash TEXT PRIMARY KEY, bytes INTEGER NOT NULL, duration_ms INTEGER NOT NULL, fps REAL NOT NULL,"
    "  width INTEGER NOT NULL, height INTEGER NOT NULL, sport TEXT NOT NULL, scenario TEXT NOT NULL,"
    "  challenge_type TEXT NOT NULL, added_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE secrets (kind TEXT NOT NULL, name TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;"
    "CREATE TABLE chains (id INTEGER PRIMARY KEY, genesis TEXT NOT NULL, netuid INTEGER NOT NULL, from_block INTEGER NOT NULL,"
    "  number INTEGER NOT NULL, hash TEXT NOT NULL, UNIQUE (genesis, netuid));"
    "CREATE TABLE commitments (chain INTEGER NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL, hash TEXT NOT NULL,"
    "  signer TEXT NOT NULL, text TEXT NOT NULL, succeeded INTEGER NOT NULL, PRIMARY KEY (chain, block, position)) WITHOUT "
    "ROWID;"
    "CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE \"issued\" (id INTEGER PRIMARY KEY, asker INTEGER NOT NULL, miner INTEGER NOT NULL, window INTEGER NOT NULL,"
    "  manifest INTEGER NOT NULL, element INTEGER NOT NULL, clip INTEGER NOT NULL, seed INTEGER NOT NULL, nonce NOT NULL,"
    "  block INTEGER NOT NULL, time_ms INTEGER NOT NULL);"
    "CREATE TABLE windows (window INTEGER PRIMARY KEY, first_id INTEGER NOT NULL);"
    "CREATE TABLE \"requests\" (id INTEGER PRIMARY KEY, last_id INTEGER NOT NULL, time_ms INTEGER NOT NULL, log BLOB NOT NULL);"
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, asker TEXT NOT NULL, clip_hash TEXT NOT NULL, issued_ms INTEGER NOT NULL,"
    "  completed_ms INTEGER NOT NULL);"
    "CREATE TABLE ground_truths (clip_hash TEXT PRIMARY KEY, json TEXT NOT NULL);"
    "CREATE TABLE closed_windows (window_id TEXT PRIMARY KEY, last_id INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE shared_chains (genesis TEXT NOT NULL, netuid INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 0,"
    "  generation INTEGER NOT NULL DEFAULT 0, final_block INTEGER NOT NULL DEFAULT 0, picture TEXT, read_ms INTEGER,"
    "  wished INTEGER NOT NULL DEFAULT 0, answered INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (genesis, netuid)) WITHOUT ROWID;"
    "PRAGMA application_id = 1398166321; PRAGMA user_version = 5;";

#define MANY_OF_5 1000 /* ids 11, 12, … but for those that end in 0 */

/* Before them and behind them some whose numbers and nonces are as large, or as odd, as they can be. */
static const char records_of_5[] =
    "INSERT INTO names VALUES (1, '5A'), (2, '5M'), (3, 'w1'), (4, 'h1'), (5, 'e1'), (6, 'c1'), (7, 'w2'), (300, '5B');"
    "INSERT INTO issued VALUES (1, 1, 2, 3, 4, 5, 6, 9007199254740991, 1761177600000000000, 7, 1000),"
    "  (2, 300, 300, 7, 4, 5, 6, 0, '9999999999999999999', 8, 1001), (4, 1, 2, 3, 4, 5, 6, 0, '', 9, 1002),"
    "  (5, 1, 2, 3, 4, 5, 6, 0, '0000000000000000001', 9, 1002), (6, 1, 2, 3, 4, 5, 6, 0, 9223372036854775807, 9, 1002);"
    "INSERT INTO issued SELECT id, 1, 2, 3, 4, 5, 6, id, 1761177600000000000 + id, 7, 2000 FROM (WITH RECURSIVE ids (id) AS"
    "  (SELECT 11 UNION ALL SELECT id + 1 FROM ids WHERE id < 1010) SELECT id FROM ids) WHERE id % 10 <> 0;"
    "INSERT INTO issued VALUES (9007199254740000, 1, 300, 7, 4, 5, 6, 1, 'caf\xc3\xa9', 0, -1);"
    "INSERT INTO windows VALUES (3, 1), (7, 2);"
    "INSERT INTO closed_windows VALUES ('w1', 1009);"
    "INSERT INTO requests VALUES (1, 9007199254740001, 0, x'');";

#define FIRST_OF_5 "1 5A 5M w1 h1 e1 c1 9007199254740991 1761177600000000000 7 1000\n"
#define SECOND_OF_5 "2 5B 5B w2 h1 e1 c1 0 9999999999999999999 8 1001\n"
#define NEXT_OF_5                                                                                                              \
  "4 5A 5M w1 h1 e1 c1 0  9 1002\n"                                                                                            \
  "5 5A 5M w1 h1 e1 c1 0 0000000000000000001 9 1002\n"                                                                         \
  "6 5A 5M w1 h1 e1 c1 0 9223372036854775807 9 1002\n"
#define LAST_OF_5 "9007199254740000 5A 5B w2 h1 e1 c1 1 caf\xc3\xa9 0 -1\n"

typedef struct
{
  char *folder;
  char *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = scratch_new ();
  f->path = scratch_path (f->folder, "state.sqlite");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_free (f->path);
  scratch_remove (f->folder);
}

static void
run_sql (const Fixture *f, const char *sql)
{
  sqlite3 *db;
  char *message = NULL;
  g_assert_cmpint (sqlite3_open (f->path, &db), ==, SQLITE_OK);
  sqlite3_exec (db, sql, NULL, NULL, &message);
  g_assert_cmpstr (message, ==, NULL);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static SvState *
try_open (const Fixture *f, GError **error)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  g_autofree char *url = g_strconcat ("sqlite:", f->path, NULL);
  sv_config_set (config, "SCOREVISION_DATABASE", url);
  return sv_state_open (config, error);
}

static SvState *
must_open (const Fixture *f)
{
  GError *error = NULL;
  SvState *state = try_open (f, &error);
  g_assert_no_error (error);
  return state;
}

/* ── what is in it ── */

static gboolean
write_record (const SvIssueRecord *record, gpointer text)
{
  g_string_append_printf (
      text, "%" G_GUINT64_FORMAT " %s %s %s %s %s %s %" G_GUINT64_FORMAT " %s %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT "\n",
      record->challenge_id, record->asker, record->miner, record->window_id, record->manifest_hash, record->element_id,
      record->clip_hash, record->seed, record->nonce, record->block, record->time_ms);
  return TRUE;
}

#define RECORD_1 "1 5A 5M w1 h1 e1 c1 9007199254740991 1761177600000000000 7 1000\n"
#define RECORD_2 "2 5B 5B w2 h2 e1 c2 0 9999999999999999999 8 1001\n"
#define RECORD_3 "3 5A 5A w1 h1 e2 c2 1 0000000000000000001 9 1002\n"

static void
assert_records_after (SvState *state, const char *window_id, guint64 after_id, const char *expected)
{
  GError *error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_assert_true (sv_state_list_issued (state, window_id, after_id, write_record, text, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (text->str, ==, expected);
}

static void
assert_records (SvState *state, const char *window_id, const char *expected)
{
  assert_records_after (state, window_id, 0, expected);
}

static void
write_nonce (const char *asker, const char *nonce, const char *x_nonce, const char *client_id, gint64 time_ms, gpointer text)
{
  g_string_append_printf (text, "%s %s %s %s %" G_GINT64_FORMAT "\n", asker, nonce, x_nonce != NULL ? x_nonce : "none",
                          client_id, time_ms);
}

static SvAdmission
admit (SvState *state, const char *asker, const char *nonce, const char *x_nonce, SvIssueRecord *record)
{
  GError *error = NULL;
  SvAdmissionRules rules = { .limit = 3, .window_ms = 60000, .remember_ms = 120000 };
  SvAdmission admission = {
    .asker = asker, .nonce = nonce, .x_nonce = x_nonce, .client_id = "", .now_ms = 2000, .record = record
  };
  g_assert_true (sv_state_admit (state, &rules, &admission, 1, &error));
  g_assert_no_error (error);
  return admission;
}

static guint64
next_id_of (SvState *state, const char *window_id)
{
  SvIssueRecord record = { .asker = (char *)"5C",
                           .miner = (char *)"5M",
                           .window_id = (char *)window_id,
                           .manifest_hash = (char *)"h1",
                           .element_id = (char *)"e1",
                           .clip_hash = (char *)"c1",
                           .nonce = (char *)"n" };
  g_assert_cmpint (admit (state, "5C", "n", NULL, &record).outcome, ==, SV_ADMITTED);
  return record.challenge_id;
}

static guint64
next_id (SvState *state)
{
  return next_id_of (state, "w1");
}

/* ── the cases ── */

static void
test_form_1 (Fixture *f, gconstpointer data)
{
  guint8 key[32], zero[32] = { 0 };
  gboolean found;
  g_autoptr (GString) nonces = g_string_new (NULL);
  run_sql (f, form_1);
  run_sql (f, records_of_1);
  run_sql (f, requests_of_1);
  run_sql (f, rest_of_1);
  g_autoptr (SvState) state = must_open (f);
  assert_records (state, NULL, RECORD_1 RECORD_2 RECORD_3);
  assert_records (state, "w1", RECORD_1 RECORD_3);
  assert_records (state, "w2", RECORD_2);
  assert_records (state, "5A", "");

  g_assert_true (sv_state_recent_nonces (state, 1001, write_nonce, nonces, NULL));
  g_assert_cmpstr (nonces->str, ==, "5B 9999999999999999999 none caf\xc3\xa9 1001\n5A 0000000000000000001 none  1002\n");
  g_assert_cmpint (admit (state, "5A", "1761177600000000000", NULL, NULL).outcome, ==, SV_REPLAYED_NONCE);
  g_assert_cmpint (admit (state, "5A", "fresh", "x-1", NULL).outcome, ==, SV_REPLAYED_NONCE);
  g_assert_cmpint (admit (state, "5A", "fresh", NULL, NULL).outcome, ==, SV_ADMITTED);
  SvAdmission limited = admit (state, "5A", "another", NULL, NULL);
  g_assert_cmpint (limited.outcome, ==, SV_RATE_LIMITED);
  g_assert_cmpuint (limited.retry_after_s, ==, 59);
  g_assert_cmpuint (next_id (state), ==, 6);

  g_autoptr (GPtrArray) clips = sv_state_list_clips (state, NULL);
  g_assert_cmpuint (clips->len, ==, 1);
  g_assert_true (sv_state_find_draw_key (state, "h1", key, &found, NULL));
  g_assert_true (found);
  g_assert_cmpmem (key, 32, zero, 32);
}

static void
test_form_1_without_requests (Fixture *f, gconstpointer data)
{
  run_sql (f, form_1);
  run_sql (f, records_of_1);
  g_autoptr (SvState) state = must_open (f);
  assert_records (state, NULL, RECORD_1 RECORD_2 RECORD_3);
  g_assert_cmpuint (next_id (state), ==, 6);
}

static char *
many_of_5 (guint64 after_id)
{
  GString *text = g_string_new (NULL);
  for (guint64 id = MAX (after_id, 10) + 1; id <= 10 + MANY_OF_5; id++)
    if (id % 10 != 0)
      g_string_append_printf (
          text, "%" G_GUINT64_FORMAT " 5A 5M w1 h1 e1 c1 %" G_GUINT64_FORMAT " 1761177600%09" G_GUINT64_FORMAT " 7 2000\n", id,
          id, id);
  return g_string_free (text, FALSE);
}

static void
assert_all_of_5 (SvState *state)
{
  g_autofree char *many = many_of_5 (0);
  g_autofree char *all = g_strconcat (FIRST_OF_5 SECOND_OF_5 NEXT_OF_5, many, LAST_OF_5, NULL);
  g_autofree char *of_w1 = g_strconcat (FIRST_OF_5 NEXT_OF_5, many, NULL);
  assert_records (state, NULL, all);
  assert_records (state, "w1", of_w1);
  assert_records (state, "w2", SECOND_OF_5 LAST_OF_5);
}

static void
test_form_5 (Fixture *f, gconstpointer data)
{
  guint64 last_id;
  run_sql (f, form_5);
  run_sql (f, records_of_5);
  g_autoptr (SvState) state = must_open (f);
  assert_all_of_5 (state);
  for (guint64 after_id = 6; after_id <= 10 + MANY_OF_5; after_id += 17)
  {
    g_autofree char *many = many_of_5 (after_id);
    g_autofree char *all = g_strconcat (many, LAST_OF_5, NULL);
    assert_records_after (state, NULL, after_id, all);
    assert_records_after (state, "w1", after_id, many);
    assert_records_after (state, "w2", after_id, LAST_OF_5);
  }
  SvIssueRecord late = { .window_id = (char *)"w1" };
  g_assert_cmpint (admit (state, "5C", "n", NULL, &late).outcome, ==, SV_WINDOW_CLOSED);
  g_assert_true (sv_state_close_window (state, "w1", &last_id, NULL));
  g_assert_cmpuint (last_id, ==, 1009);
  g_assert_true (sv_state_close_window (state, "w2", &last_id, NULL));
  g_assert_cmpuint (last_id, ==, 9007199254740000);
  g_assert_cmpuint (next_id_of (state, "w3"), ==, 9007199254740002);
  run_sql (f, "CREATE TABLE single_issued (it_is_gone)");
}

static void
test_form_5_failing (Fixture *f, gconstpointer data)
{
  run_sql (f, form_5);
  run_sql (f, records_of_5);
  run_sql (f, "CREATE TABLE single_issued (unexpected)");
  assert_fails (try_open (f, refusal), SV_ERROR_FAILED);
  run_sql (f, "DROP TABLE single_issued; SELECT id, nonce FROM issued");
  g_autoptr (SvState) state = must_open (f);
  assert_all_of_5 (state);
}

static void
test_failing (Fixture *f, gconstpointer data)
{
  run_sql (f, form_1);
  run_sql (f, records_of_1);
  run_sql (f, "CREATE TABLE new_requests (unexpected)");
  assert_fails (try_open (f, refusal), SV_ERROR_FAILED);
  run_sql (f, "DROP TABLE new_requests; SELECT challenge_id, window_id FROM issued");
  g_autoptr (SvState) state = must_open (f);
  assert_records (state, NULL, RECORD_1 RECORD_2 RECORD_3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/sqlite-forms/form 1", Fixture, NULL, set_up, test_form_1, tear_down);
  g_test_add ("/sqlite-forms/form 1 without requests", Fixture, NULL, set_up, test_form_1_without_requests, tear_down);
  g_test_add ("/sqlite-forms/form 5", Fixture, NULL, set_up, test_form_5, tear_down);
  g_test_add ("/sqlite-forms/form 5, a migration that fails", Fixture, NULL, set_up, test_form_5_failing, tear_down);
  g_test_add ("/sqlite-forms/a migration that fails", Fixture, NULL, set_up, test_failing, tear_down);
  return g_test_run ();
}
