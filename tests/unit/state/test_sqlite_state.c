/* What is particular to the SQLite engine; what every engine does is in tests/contract/.
 *
 *  1. URLs: sqlite:PATH only; what is missing or not there yet is a usage error that shows no password
 *  2. the file and its folders are made, for their owner only; it opens again
 *  3. ten processes that open a new database at once all can use it
 *  4. a file that is no database, another program's, a newer sv's, a folder: unreachable, with the path and what to do, and the
 *     file is left as it was
 *  5. a damaged page is reported as damage, never as an answer
 *  6. an empty file is taken as a new database
 *  7. read-only and full: unreachable with what to do; a failed batch leaves nothing, and the next one works when there is room
 *  8. under steady writing the log is carried over into the file and begins anew
 *  9. where one of several draw keys cannot be made none is, and what is told is zeros
 */
#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "refusal.h"
#include "scratch.h"
#include "state/state.h"

typedef struct
{
  char *folder;
  char *path;
  char *url;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = scratch_new ();
  f->path = scratch_path (f->folder, "state/deep/api.sqlite");
  f->url = g_strconcat ("sqlite:", f->path, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_free (f->path);
  g_free (f->url);
  scratch_remove (f->folder);
}

static SvState *
try_open (const char *url, GError **error)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  sv_config_set (config, "SCOREVISION_DATABASE", url);
  return sv_state_open (config, error);
}

static SvState *
must_open (const char *url)
{
  GError *error = NULL;
  SvState *state = try_open (url, &error);
  g_assert_no_error (error);
  return state;
}

static void
make_folder (Fixture *f)
{
  g_autofree char *folder = g_path_get_dirname (f->path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
}

/* Runs SQL on the file, as another program would. */
static void
run_sql (const Fixture *f, const char *sql)
{
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (f->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static gboolean
admit (SvState *state, guint first, guint n, GError **error)
{
  SvAdmissionRules rules = { .limit = 1000000, .window_ms = 60000, .remember_ms = 120000 };
  g_autofree SvAdmission *batch = g_new0 (SvAdmission, n);
  g_autoptr (GPtrArray) nonces = g_ptr_array_new_with_free_func (g_free);
  SvIssueRecord record = { .asker = (char *)"5A",
                           .miner = (char *)"5M",
                           .window_id = (char *)"w",
                           .manifest_hash = (char *)"h",
                           .element_id = (char *)"e",
                           .clip_hash = (char *)"c",
                           .nonce = (char *)"n" };
  for (guint i = 0; i < n; i++)
  {
    char *nonce = g_strdup_printf ("nonce-%u", first + i);
    g_ptr_array_add (nonces, nonce);
    batch[i] = (SvAdmission){ .asker = "5A", .nonce = nonce, .client_id = "", .now_ms = 1000, .record = &record };
  }
  return sv_state_admit (state, &rules, batch, n, error);
}

static gboolean
count_record (const SvIssueRecord *record, gpointer data)
{
  ++*(guint *)data;
  return TRUE;
}

static gboolean
count_issued (SvState *state, guint *n, GError **error)
{
  *n = 0;
  return sv_state_list_issued (state, NULL, 0, count_record, n, error);
}

static void
assert_issued (SvState *state, guint expected)
{
  guint n;
  GError *error = NULL;
  g_assert_true (count_issued (state, &n, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, expected);
}

/* ── 1, 2, 3 ── */

static void
test_urls (Fixture *f, gconstpointer data)
{
  static const char *const bad[] = { "sqlite:", "/srv/state.sqlite", "state.sqlite" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_fails_saying (try_open (bad[i], refusal), SV_ERROR_USAGE, "sqlite:PATH");
  assert_fails (try_open ("postgresql://user:secret@host:port/db", refusal), SV_ERROR_USAGE);
}

static void
test_making (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  struct stat file, folder;
  g_autofree char *folder_path = g_path_get_dirname (f->path);
  mode_t umask_before = umask (022);
  SvState *state = must_open (f->url);
  umask (umask_before);
  g_assert_true (admit (state, 0, 3, &error));
  g_assert_no_error (error);
  g_assert_cmpint (stat (f->path, &file), ==, 0);
  g_assert_cmpint (stat (folder_path, &folder), ==, 0);
  g_assert_cmpuint (file.st_mode & 0777, ==, 0600);
  g_assert_cmpuint (folder.st_mode & 0777, ==, 0700);
  sv_state_free (state);

  g_autoptr (SvState) again = must_open (f->url);
  assert_issued (again, 3);
}

static int
open_and_admit (gpointer url)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvState) state = try_open (url, &error);
  if (state != NULL && admit (state, (guint)getpid () * 10, 1, &error))
    return 0;
  g_printerr ("# %s\n", error->message);
  return 1;
}

static void
test_opening_at_once (Fixture *f, gconstpointer data)
{
  pid_t children[10];
  for (gsize i = 0; i < G_N_ELEMENTS (children); i++)
    children[i] = child_start (open_and_admit, f->url);
  for (gsize i = 0; i < G_N_ELEMENTS (children); i++)
    g_assert_cmpint (child_wait (children[i]), ==, 0);
  g_autoptr (SvState) state = must_open (f->url);
  assert_issued (state, G_N_ELEMENTS (children));
}

/* ── 4 ── */

static void
assert_unreachable (Fixture *f, const char *advice)
{
  g_autofree char *before = NULL, *after = NULL;
  gsize before_length = 0, after_length = 0;
  g_file_get_contents (f->path, &before, &before_length, NULL);
  assert_fails_saying (try_open (f->url, refusal), SV_ERROR_UNREACHABLE, f->path);
  assert_fails_saying (try_open (f->url, refusal), SV_ERROR_UNREACHABLE, advice);
  g_file_get_contents (f->path, &after, &after_length, NULL);
  g_assert_cmpmem (before, before_length, after, after_length);
}

static void
test_no_database (Fixture *f, gconstpointer data)
{
  g_autofree char *text = g_strnfill (10000, 'x');
  make_folder (f);
  g_assert_true (g_file_set_contents (f->path, text, -1, NULL));
  assert_unreachable (f, "name another path in SCOREVISION_DATABASE");
}

static void
test_another_program (Fixture *f, gconstpointer data)
{
  make_folder (f);
  run_sql (f, "CREATE TABLE bookmarks (url TEXT)");
  assert_unreachable (f, "belongs to another program");
  run_sql (f, "DROP TABLE bookmarks; PRAGMA application_id = 1");
  assert_unreachable (f, "belongs to another program");
}

static void
test_newer (Fixture *f, gconstpointer data)
{
  sv_state_free (must_open (f->url));
  run_sql (f, "PRAGMA user_version = 1000");
  assert_fails_saying (try_open (f->url, refusal), SV_ERROR_UNREACHABLE, "upgrade sv");
}

static void
test_folder_in_its_place (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (g_mkdir_with_parents (f->path, 0700), ==, 0);
  assert_fails_saying (try_open (f->url, refusal), SV_ERROR_UNREACHABLE, f->path);
  g_autofree char *below = g_strconcat ("sqlite:/dev/null/state.sqlite", NULL);
  assert_fails (try_open (below, refusal), SV_ERROR_UNREACHABLE);
}

/* ── 5, 6 ── */

/* Overwrites every page but the first, which has the schema. */
static void
damage (const Fixture *f)
{
  struct stat status;
  char noise[4096];
  memset (noise, 0xa5, sizeof noise);
  int fd = open (f->path, O_WRONLY);
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  g_assert_cmpint (status.st_size, >, 10 * (off_t)sizeof noise);
  for (off_t at = sizeof noise; at < status.st_size; at += (off_t)sizeof noise)
    g_assert_cmpint (pwrite (fd, noise, sizeof noise, at), ==, sizeof noise);
  close (fd);
}

static void
test_damage (Fixture *f, gconstpointer data)
{
  guint n;
  SvState *state = must_open (f->url);
  g_assert_true (admit (state, 0, 200, NULL));
  sv_state_free (state);
  damage (f);
  g_autoptr (GError) error = NULL;
  g_autoptr (SvState) damaged = try_open (f->url, &error);
  if (damaged != NULL)
    g_assert_false (count_issued (damaged, &n, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_assert_nonnull (strstr (error->message, "restore it from a backup"));
  if (damaged != NULL)
    assert_fails (admit (damaged, 1000, 1, refusal), SV_ERROR_UNREACHABLE);
}

static void
test_empty_file (Fixture *f, gconstpointer data)
{
  make_folder (f);
  g_assert_true (g_file_set_contents (f->path, "", 0, NULL));
  g_autoptr (SvState) state = must_open (f->url);
  g_assert_true (admit (state, 0, 1, NULL));
}

/* ── 7: in a child with its own mounts, which exits with the number of the check that failed ── */

static gboolean
is_unreachable (gboolean ok, const GError *error, const char *advice)
{
  if (!ok && g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE) && strstr (error->message, advice) != NULL)
    return TRUE;
  g_printerr ("# %s\n", error == NULL ? "no error" : error->message);
  return FALSE;
}

static int
use_read_only (gpointer data)
{
  Fixture *f = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_path_get_dirname (f->path);
  if (!mount_read_only (folder))
    return CHILD_MAY_NOT;
  g_autoptr (SvState) state = try_open (f->url, &error);
  gboolean ok = state != NULL && admit (state, 100, 1, &error);
  return is_unreachable (ok, error, "can be written by this user") ? 0 : 1;
}

static int
use_full (gpointer data)
{
  Fixture *f = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_path_get_dirname (f->path);
  g_autofree char *ballast = scratch_path (folder, "ballast");
  if (!mount_tiny (folder, 2 << 20))
    return CHILD_MAY_NOT;
  g_autoptr (SvState) state = try_open (f->url, NULL);
  if (state == NULL || !admit (state, 0, 10, NULL))
    return 1;
  g_autofree char *fill = g_malloc0 (1 << 20);
  if (!g_file_set_contents (ballast, fill, 1 << 20, NULL))
    return 2;
  gboolean ok = admit (state, 10, 40000, &error);
  if (!is_unreachable (ok, error, "free some space and run the same command again"))
    return 3;
  guint n;
  if (!count_issued (state, &n, NULL) || n != 10)
    return 4;
  if (unlink (ballast) != 0 || !admit (state, 10, 100, NULL))
    return 5;
  return count_issued (state, &n, NULL) && n == 110 ? 0 : 6;
}

static void
assert_child (int status)
{
  if (status == CHILD_MAY_NOT)
    g_test_skip ("NOT TESTED: this machine lets no test mount a file system");
  else
    g_assert_cmpint (status, ==, 0);
}

static void
test_read_only (Fixture *f, gconstpointer data)
{
  sv_state_free (must_open (f->url));
  assert_child (child_with_own_mounts (use_read_only, f));
}

static void
test_full (Fixture *f, gconstpointer data)
{
  make_folder (f);
  assert_child (child_with_own_mounts (use_full, f));
}

static goffset
size_of (const char *path)
{
  struct stat status;
  return stat (path, &status) == 0 ? status.st_size : 0;
}

static void
test_draw_keys_all_or_none (Fixture *f, gconstpointer data)
{
  static const char *const hashes[] = { "sha256:aa", "sha256:bad" };
  guint8 keys[2][SV_STATE_KEY_SIZE];
  gboolean found;
  g_autoptr (SvState) state = must_open (f->url);
  run_sql (f,
           "CREATE TRIGGER refuse BEFORE INSERT ON secrets WHEN NEW.name = 'sha256:bad' BEGIN SELECT RAISE (ABORT, 'no'); END");
  memset (keys, 1, sizeof keys);
  assert_fails (sv_state_draw_keys (state, hashes, 2, keys, refusal), SV_ERROR_FAILED);
  g_assert_true (sodium_is_zero (keys[0], sizeof keys));
  g_assert_true (sv_state_find_draw_key (state, "sha256:aa", keys[0], &found, NULL));
  g_assert_false (found);
  run_sql (f, "DROP TRIGGER refuse");
  g_assert_true (sv_state_draw_keys (state, hashes, 2, keys, NULL));
  g_assert_false (sodium_is_zero (keys[0], sizeof keys[0]));
}

/* What SQLite changes in its log's header whenever it begins anew (bytes 16 to 23, https://www.sqlite.org/fileformat.html). */
static guint64
salts_of (const char *log)
{
  guint64 salts = 0;
  int fd = open (log, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pread (fd, &salts, sizeof salts, 16), ==, sizeof salts);
  close (fd);
  return salts;
}

/* Long before the log is as long as a commit would carry over all of. */
static void
test_log_anew (Fixture *f, gconstpointer data)
{
  const goffset too_long = 16 * 1024 * 1024;
  g_autofree char *log = g_strconcat (f->path, "-wal", NULL);
  g_autoptr (SvState) state = must_open (f->url);
  g_assert_true (admit (state, 0, 10, NULL));
  const guint64 salts = salts_of (log);
  const goffset carried = size_of (f->path);
  for (guint first = 10; salts_of (log) == salts && size_of (log) < too_long; first += 10)
    g_assert_true (admit (state, first, 10, NULL));
  g_assert_cmpint (size_of (log), <, too_long);
  g_assert_cmpint (size_of (f->path), >, carried);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const struct
  {
    const char *path;
    void (*run) (Fixture *fixture, gconstpointer data);
  } cases[] = {
    { "/sqlite-state/urls", test_urls },
    { "/sqlite-state/the file is made for its owner", test_making },
    { "/sqlite-state/ten processes open it at once", test_opening_at_once },
    { "/sqlite-state/no database", test_no_database },
    { "/sqlite-state/another program's", test_another_program },
    { "/sqlite-state/a newer one's", test_newer },
    { "/sqlite-state/a folder in its place", test_folder_in_its_place },
    { "/sqlite-state/damage", test_damage },
    { "/sqlite-state/an empty file", test_empty_file },
    { "/sqlite-state/read-only", test_read_only },
    { "/sqlite-state/full", test_full },
    { "/sqlite-state/the log begins anew", test_log_anew },
    { "/sqlite-state/draw keys all or none", test_draw_keys_all_or_none },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add (cases[i].path, Fixture, NULL, set_up, cases[i].run, tear_down);
  return g_test_run ();
}
