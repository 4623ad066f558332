/* What is particular to the issue log of the SQLite engine, whose rows hold many records each; what every engine does is in
 * tests/contract/.
 *
 *  1. a batch is as few rows as hold it, and none where nothing was issued
 *  2. from whatever id on it is listed, in the middle of a row or not, all or a window's: what is above that id, as often as it
 *     is asked; and no more than is wanted
 *  3. ids that tasks have in the middle of a batch belong to no record
 *  4. the last id of a window that is closed, in the middle of a row, in an earlier one, and where it has none
 *  5. a row that is damaged is reported as damage with the path and what to do, whichever of its bytes is another one, and
 *     however it is cut short, or is told as other records
 *  6. so is one of a name that is not known, one whose key is not its last record's, and one that overlaps the row before
 */
#include <sqlite3.h>
#include <string.h>

#include "refusal.h"
#include "scratch.h"
#include "state/state.h"

#define N_RECORDS 600 /* of the batch: more than two rows */

typedef struct
{
  char *folder;
  char *path;
  SvState *state;
} Fixture;

static SvState *
must_open (const Fixture *f)
{
  GError *error = NULL;
  g_autoptr (SvConfig) config = sv_config_new ();
  g_autofree char *url = g_strconcat ("sqlite:", f->path, NULL);
  sv_config_set (config, "SCOREVISION_DATABASE", url);
  SvState *state = sv_state_open (config, &error);
  g_assert_no_error (error);
  return state;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = scratch_new ();
  f->path = scratch_path (f->folder, "state.sqlite");
  f->state = must_open (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  sv_state_free (f->state);
  g_free (f->path);
  scratch_remove (f->folder);
}

/* Runs SQL on the file, as another program would. Returns: the first number that it tells, or 0. */
static gint64
run_sql (const Fixture *f, const char *sql)
{
  sqlite3 *db;
  gint64 number = 0;
  g_assert_cmpint (sqlite3_open (f->path, &db), ==, SQLITE_OK);
  for (sqlite3_stmt *statement; *sql != '\0'; sqlite3_finalize (statement))
  {
    g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &statement, &sql), ==, SQLITE_OK);
    int code = sqlite3_step (statement);
    if (code == SQLITE_ROW)
      number = sqlite3_column_int64 (statement, 0);
    g_assert_true (code == SQLITE_ROW || code == SQLITE_DONE);
  }
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  return number;
}

/* Windows take turns, but the first and the last records of the batch are of one each. */
static const char *
window_of (guint64 id)
{
  return id <= 5 ? "first" : id > N_RECORDS - 20 ? "late" : id % 3 == 0 ? "third" : "other";
}

static SvIssueRecord
record_of (const char *window_id)
{
  return (SvIssueRecord){ .asker = (char *)"5A",
                          .miner = (char *)"5M",
                          .window_id = (char *)window_id,
                          .manifest_hash = (char *)"h",
                          .element_id = (char *)"e",
                          .clip_hash = (char *)"c",
                          .nonce = (char *)"1761177600000000000" };
}

/* In one batch: so many challenges; every tenth is a task in place of one where @has_tasks. */
static void
admit (Fixture *f, guint n, gboolean has_tasks)
{
  static guint n_nonces = 0;
  GError *error = NULL;
  SvAdmissionRules rules = { .limit = 1000000, .window_ms = 60000, .remember_ms = 120000 };
  g_autofree SvAdmission *batch = g_new0 (SvAdmission, n);
  g_autofree SvIssueRecord *records = g_new0 (SvIssueRecord, n);
  g_autoptr (GPtrArray) nonces = g_ptr_array_new_with_free_func (g_free);
  SvTaskRecord task = { .asker = (char *)"5A", .clip_hash = (char *)"c", .issued_ms = 1000 };
  for (guint i = 0; i < n; i++)
  {
    gboolean is_task = has_tasks && i % 10 == 9;
    char *nonce = g_strdup_printf ("nonce-%u", n_nonces++);
    g_ptr_array_add (nonces, nonce);
    records[i] = record_of (window_of (i + 1));
    records[i].seed = records[i].block = i + 1;
    batch[i] = (SvAdmission){ .asker = "5A",
                              .nonce = nonce,
                              .client_id = "",
                              .now_ms = 1000,
                              .record = is_task ? NULL : &records[i],
                              .task = is_task ? &task : NULL };
  }
  g_assert_true (sv_state_admit (f->state, &rules, batch, n, &error));
  g_assert_no_error (error);
}

/* ── 1, 2, 3 ── */

static void
test_rows (Fixture *f, gconstpointer data)
{
  admit (f, 30, FALSE);
  g_assert_cmpint (run_sql (f, "SELECT count(*) FROM issued"), ==, 1);
  g_assert_cmpint (run_sql (f, "SELECT max(last_id) FROM issued"), ==, 30);
  admit (f, N_RECORDS, FALSE);
  g_assert_cmpint (run_sql (f, "SELECT count(*) FROM issued"), ==, 1 + 3);
  g_assert_true (sv_state_try_admission (f->state, NULL));
  admit (f, 0, FALSE);
  g_assert_cmpint (run_sql (f, "SELECT count(*) FROM issued"), ==, 1 + 3);
  g_assert_cmpint (run_sql (f, "SELECT max(last_id) FROM issued"), ==, 30 + N_RECORDS);
}

typedef struct
{
  guint64 id; /* of the last one that was visited */
  const char *window_id;
  guint n_wanted;
  gboolean (*has_record) (guint64 id);
} Expectation;

static gboolean
is_any (guint64 id)
{
  return TRUE;
}

static gboolean
is_no_task (guint64 id)
{
  return id % 10 != 0;
}

static guint64
next_id (const Expectation *expected, guint64 id)
{
  do
    id++;
  while (id <= N_RECORDS &&
         (!expected->has_record (id) || (expected->window_id != NULL && strcmp (expected->window_id, window_of (id)) != 0)));
  return id;
}

static gboolean
check_next (const SvIssueRecord *record, gpointer data)
{
  Expectation *expected = data;
  g_assert_cmpuint (expected->n_wanted, >, 0);
  g_assert_cmpuint (record->challenge_id, ==, next_id (expected, expected->id));
  g_assert_cmpuint (record->seed, ==, record->challenge_id);
  g_assert_cmpuint (record->block, ==, record->challenge_id);
  g_assert_cmpstr (record->window_id, ==, window_of (record->challenge_id));
  g_assert_cmpstr (record->nonce, ==, "1761177600000000000");
  expected->id = record->challenge_id;
  return --expected->n_wanted > 0;
}

static void
assert_listed (Fixture *f, Expectation expected, guint64 after_id)
{
  GError *error = NULL;
  guint n_wanted = expected.n_wanted;
  expected.id = after_id;
  g_assert_true (sv_state_list_issued (f->state, expected.window_id, after_id, check_next, &expected, &error));
  g_assert_no_error (error);
  if (expected.n_wanted > 0) /* not as many as are wanted: then all */
    g_assert_cmpuint (next_id (&expected, expected.id), >, N_RECORDS);
  else
    g_assert_cmpuint (n_wanted, >, 0);
}

static void
assert_listed_from_everywhere (Fixture *f, gboolean (*has_record) (guint64 id))
{
  static const char *const windows[] = { NULL, "first", "third", "other", "late" };
  for (gsize i = 0; i < G_N_ELEMENTS (windows); i++)
    for (guint64 after_id = 0; after_id <= N_RECORDS + 1; after_id++)
    {
      assert_listed (f, (Expectation){ 0, windows[i], N_RECORDS + 1, has_record }, after_id);
      assert_listed (f, (Expectation){ 0, windows[i], 1 + (guint)(after_id % 300), has_record }, after_id);
    }
  assert_listed (f, (Expectation){ 0, NULL, 1, has_record }, G_MAXINT64);
}

static void
test_from_everywhere (Fixture *f, gconstpointer data)
{
  admit (f, N_RECORDS, FALSE);
  assert_listed_from_everywhere (f, is_any);
  sv_state_free (f->state);
  f->state = must_open (f);
  assert_listed_from_everywhere (f, is_any);
}

static void
test_tasks_between (Fixture *f, gconstpointer data)
{
  admit (f, N_RECORDS, TRUE);
  assert_listed_from_everywhere (f, is_no_task);
}

/* ── 4 ── */

static guint64
close_window (Fixture *f, const char *window_id)
{
  GError *error = NULL;
  guint64 last_id;
  g_assert_true (sv_state_close_window (f->state, window_id, &last_id, &error));
  g_assert_no_error (error);
  return last_id;
}

static void
test_closing (Fixture *f, gconstpointer data)
{
  admit (f, N_RECORDS, FALSE);
  g_assert_cmpuint (close_window (f, "third"), ==, N_RECORDS - 21);
  g_assert_cmpuint (close_window (f, "late"), ==, N_RECORDS);
  g_assert_cmpuint (close_window (f, "first"), ==, 5);
  g_assert_cmpuint (close_window (f, "5A"), ==, 0);
  g_assert_cmpuint (close_window (f, "none"), ==, 0);
}

/* ── 5, 6 ── */

static gboolean
note_record (const SvIssueRecord *record, gpointer data)
{
  guint64 *last_id = data;
  g_assert_cmpuint (record->challenge_id, >, *last_id);
  *last_id = record->challenge_id;
  const char *const texts[] = { record->asker,      record->miner,     record->window_id, record->manifest_hash,
                                record->element_id, record->clip_hash, record->nonce };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_true (texts[i] != NULL && strlen (texts[i]) < G_MAXINT);
  return TRUE;
}

static gboolean
is_listed (Fixture *f, GError **error)
{
  guint64 last_id = 0;
  return sv_state_list_issued (f->state, NULL, 0, note_record, &last_id, error);
}

static void
assert_damaged (Fixture *f)
{
  assert_fails_saying (is_listed (f, refusal), SV_ERROR_UNREACHABLE, f->path);
  assert_fails_saying (is_listed (f, refusal), SV_ERROR_UNREACHABLE, "restore it from a backup");
}

static void
put_row (sqlite3 *db, const guint8 *bytes, gsize length)
{
  sqlite3_stmt *change;
  g_assert_cmpint (sqlite3_prepare_v2 (db, "UPDATE issued SET records = ?", -1, &change, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_bind_blob64 (change, 1, bytes, length, SQLITE_TRANSIENT), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (change), ==, SQLITE_DONE);
  sqlite3_finalize (change);
}

static guint8 *
get_row (sqlite3 *db, gsize *length)
{
  sqlite3_stmt *query;
  g_assert_cmpint (sqlite3_prepare_v2 (db, "SELECT records FROM issued", -1, &query, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (query), ==, SQLITE_ROW);
  *length = (gsize)sqlite3_column_bytes (query, 0);
  guint8 *bytes = g_memdup2 (sqlite3_column_blob (query, 0), *length);
  sqlite3_finalize (query);
  return bytes;
}

static void
test_damage (Fixture *f, gconstpointer data)
{
  gsize length;
  sqlite3 *db;
  admit (f, 3, FALSE);
  g_assert_cmpint (sqlite3_open (f->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), ==, SQLITE_OK);
  g_autofree guint8 *bytes = get_row (db, &length);
  for (gsize i = 0; i < length; i++)
  {
    put_row (db, bytes, i);
    assert_damaged (f);
    for (guint bit = 0; bit < 8; bit++)
    {
      g_autoptr (GError) error = NULL;
      bytes[i] ^= (guint8)(1 << bit);
      put_row (db, bytes, length);
      if (!is_listed (f, &error))
        assert_damaged (f);
      bytes[i] ^= (guint8)(1 << bit);
    }
  }
  put_row (db, bytes, length);
  g_assert_true (is_listed (f, NULL));
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static void
test_damage_beside_rows (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *damage;
    const char *repair;
  } cases[] = {
    { "UPDATE issued SET last_id = 7 WHERE last_id = 6", "UPDATE issued SET last_id = 6 WHERE last_id = 7" },
    { "INSERT INTO issued VALUES (2, x'0402020202020202020202')", /* of an id that the next row has, too */
      "DELETE FROM issued WHERE last_id = 2" },
    { "UPDATE names SET id = id + 1000 WHERE name = 'e'", "UPDATE names SET id = id - 1000 WHERE name = 'e'" },
  };
  admit (f, 3, FALSE);
  admit (f, 3, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_assert_true (is_listed (f, NULL));
    run_sql (f, cases[i].damage);
    sv_state_free (f->state); /* it has read the names */
    f->state = must_open (f);
    assert_damaged (f);
    run_sql (f, cases[i].repair);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/sqlite-issue/rows", Fixture, NULL, set_up, test_rows, tear_down);
  g_test_add ("/sqlite-issue/from everywhere", Fixture, NULL, set_up, test_from_everywhere, tear_down);
  g_test_add ("/sqlite-issue/tasks between", Fixture, NULL, set_up, test_tasks_between, tear_down);
  g_test_add ("/sqlite-issue/closing", Fixture, NULL, set_up, test_closing, tear_down);
  g_test_add ("/sqlite-issue/damage", Fixture, NULL, set_up, test_damage, tear_down);
  g_test_add ("/sqlite-issue/damage beside rows", Fixture, NULL, set_up, test_damage_beside_rows, tear_down);
  return g_test_run ();
}
