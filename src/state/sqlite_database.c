/* The SQLite file behind the state: opening, making and migrating it, statements, transactions, errors.
 *
 * WAL with synchronous=FULL: a commit is on disk when it returns, and readers never wait for the writer. Under admissions the
 * log is carried over into the file beside the commits (sqlite_checkpoint.c), else by a commit every 1,000 pages (4 MiB): what
 * grows at its end touches few pages twice, so more at once would save little. For the same reason a cache of 2 MiB is enough.
 * Debian's SQLite overwrites what is removed with zeros, for which a commit that removes old requests wrote half as many pages
 * again. The file is its owner's only, and whoever reads what was removed reads what is kept, too.
 * The file says whose it is (application_id) and which form it has (user_version); each migration brings it from one form to
 * the next, in one transaction, and is never changed after a release. The file holds draw keys, so it is made with mode 0600.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "state/sqlite_state.h"

#define APPLICATION_ID 0x53565331 /* "SVS1" */
#define BUSY_TIMEOUT_MS 10000

static const char *const migrations[] = {
  "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
  "CREATE TABLE clips (hash TEXT PRIMARY KEY, bytes INTEGER NOT NULL, duration_ms INTEGER NOT NULL, fps REAL NOT NULL,"
  "  width INTEGER NOT NULL, height INTEGER NOT NULL, sport TEXT NOT NULL, scenario TEXT NOT NULL,"
  "  challenge_type TEXT NOT NULL, added_ms INTEGER NOT NULL) WITHOUT ROWID;"
  "CREATE TABLE secrets (kind TEXT NOT NULL, name TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;"
  /* Askers are known ones, so their number is bounded; see sqlite_admission.c for requests and buckets. */
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
  "ROWID;",

  /* Requests and issue records only grow at their end, without indexes: sqlite_requests.c, sqlite_issue.c. */
  "CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
  "INSERT INTO names (id, name) SELECT id, account FROM askers;"
  "INSERT OR IGNORE INTO names (name) SELECT asker FROM issued UNION SELECT miner FROM issued UNION"
  "  SELECT window_id FROM issued UNION SELECT manifest_hash FROM issued UNION SELECT element_id FROM issued UNION"
  "  SELECT clip_hash FROM issued;"
  "CREATE TABLE new_issued (id INTEGER PRIMARY KEY, asker INTEGER NOT NULL, miner INTEGER NOT NULL, window INTEGER NOT NULL,"
  "  manifest INTEGER NOT NULL, element INTEGER NOT NULL, clip INTEGER NOT NULL, seed INTEGER NOT NULL, nonce NOT NULL,"
  "  block INTEGER NOT NULL, time_ms INTEGER NOT NULL);"
  "INSERT INTO new_issued SELECT challenge_id, a.id, m.id, w.id, h.id, e.id, c.id, seed,"
  "  iif (nonce GLOB '[1-9]*' AND nonce NOT GLOB '*[^0-9]*' AND CAST (CAST (nonce AS INTEGER) AS TEXT) = nonce,"
  "    CAST (nonce AS INTEGER), nonce),"
  "  block, time_ms FROM issued JOIN names a ON a.name = asker JOIN names m ON m.name = miner"
  "  JOIN names w ON w.name = window_id JOIN names h ON h.name = manifest_hash JOIN names e ON e.name = element_id"
  "  JOIN names c ON c.name = clip_hash ORDER BY challenge_id;"
  "CREATE TABLE windows (window INTEGER PRIMARY KEY, first_id INTEGER NOT NULL);"
  "INSERT INTO windows SELECT window, min (id) FROM new_issued GROUP BY window;"
  "CREATE TABLE new_requests (id INTEGER PRIMARY KEY, last_id INTEGER NOT NULL, time_ms INTEGER NOT NULL, log BLOB NOT NULL);"
  "INSERT INTO new_requests SELECT id, 0, time_ms, CAST (asker || ' ' || time_ms || ' ' || length (CAST (nonce AS BLOB)) ||"
  "  ' ' || ifnull (length (CAST (x_nonce AS BLOB)), -1) || ' ' || length (CAST (client_id AS BLOB)) || ' ' || nonce ||"
  "  ifnull (x_nonce, '') || client_id AS BLOB) FROM requests ORDER BY id;"
  "INSERT INTO new_requests SELECT NULL, ifnull (max (seq), 0), 0, x'' FROM sqlite_sequence WHERE name = 'issued';"
  "DROP TABLE requests; DROP TABLE buckets; DROP TABLE askers; DROP TABLE issued;"
  "ALTER TABLE new_requests RENAME TO requests; ALTER TABLE new_issued RENAME TO issued;",

  "CREATE TABLE tasks (id INTEGER PRIMARY KEY, asker TEXT NOT NULL, clip_hash TEXT NOT NULL, issued_ms INTEGER NOT NULL,"
  "  completed_ms INTEGER NOT NULL);"
  "CREATE TABLE ground_truths (clip_hash TEXT PRIMARY KEY, json TEXT NOT NULL);",

  "CREATE TABLE closed_windows (window_id TEXT PRIMARY KEY, last_id INTEGER NOT NULL) WITHOUT ROWID;",

  "CREATE TABLE shared_chains (genesis TEXT NOT NULL, netuid INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 0,"
  "  generation INTEGER NOT NULL DEFAULT 0, final_block INTEGER NOT NULL DEFAULT 0, picture TEXT, read_ms INTEGER,"
  "  wished INTEGER NOT NULL DEFAULT 0, answered INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (genesis, netuid)) WITHOUT ROWID;",

  /* A row holds the issue records of a transaction: sqlite_issue.c. */
  "ALTER TABLE issued RENAME TO single_issued; CREATE TABLE issued (last_id INTEGER PRIMARY KEY, records BLOB NOT NULL);",
};

/* What SQL alone cannot do of the migration in the same place, after it. */
static gboolean (*const rests_of_migrations[G_N_ELEMENTS (migrations)]) (SvSqliteState *state, GError **error) = {
  [5] = sv_sqlite_gather_issued,
};

static const char *
advice (int code)
{
  switch (code & 0xff)
  {
  case SQLITE_CORRUPT:
    return "restore it from a backup, or move it away and begin anew (clips are then added again with `sv clip add`)";
  case SQLITE_NOTADB:
    return "it is not a database; name another path in SCOREVISION_DATABASE";
  case SQLITE_FULL:
    return "free some space and run the same command again";
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_CANTOPEN:
    return "check that the file and its directory can be written by this user";
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return "another process holds it; try again when that is done";
  default:
    return "check its disk and run the same command again";
  }
}

gboolean
sv_sqlite_fail (SvSqliteState *state, int code, GError **error)
{
  static const int faults_of_ours[] = { SQLITE_ERROR, SQLITE_INTERNAL, SQLITE_MISUSE, SQLITE_CONSTRAINT,
                                        SQLITE_RANGE, SQLITE_MISMATCH, SQLITE_NOMEM };
  for (gsize i = 0; i < G_N_ELEMENTS (faults_of_ours); i++)
    if ((code & 0xff) == faults_of_ours[i])
    {
      g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "database %s: %s", state->base.url, sqlite3_errmsg (state->db));
      return FALSE;
    }
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "database %s: %s; %s", state->base.url, sqlite3_errstr (code),
               advice (code));
  return FALSE;
}

/* ── statements ── */

sqlite3_stmt *
sv_sqlite_statement (SvSqliteState *state, const char *sql, GError **error)
{
  sqlite3_stmt *statement = g_hash_table_lookup (state->statements, sql);
  if (statement != NULL)
  {
    sqlite3_reset (statement);
    return statement;
  }
  int code = sqlite3_prepare_v3 (state->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  if (code != SQLITE_OK)
  {
    sv_sqlite_fail (state, code, error);
    return NULL;
  }
  g_hash_table_insert (state->statements, (gpointer)sql, statement);
  return statement;
}

gboolean
sv_sqlite_step (SvSqliteState *state, sqlite3_stmt *statement, gboolean *has_row, GError **error)
{
  int code = sqlite3_step (statement);
  *has_row = code == SQLITE_ROW;
  if (*has_row)
    return TRUE;
  gboolean ok = code == SQLITE_DONE || sv_sqlite_fail (state, code, error);
  sqlite3_reset (statement);
  return ok;
}

gboolean
sv_sqlite_run (SvSqliteState *state, sqlite3_stmt *statement, GError **error)
{
  gboolean has_row;
  return sv_sqlite_step (state, statement, &has_row, error);
}

void
sv_sqlite_bind_text (sqlite3_stmt *statement, int index, const char *text)
{
  sqlite3_bind_text (statement, index, text, -1, SQLITE_STATIC);
}

char *
sv_sqlite_column_text (sqlite3_stmt *statement, int column)
{
  return g_strdup ((const char *)sqlite3_column_text (statement, column));
}

static gboolean
execute (SvSqliteState *state, const char *sql, GError **error)
{
  int code = sqlite3_exec (state->db, sql, NULL, NULL, NULL);
  return code == SQLITE_OK || sv_sqlite_fail (state, code, error);
}

static gboolean
read_integer (SvSqliteState *state, const char *sql, gint64 *value, GError **error)
{
  gboolean has_row;
  sqlite3_stmt *statement = sv_sqlite_statement (state, sql, error);
  if (statement == NULL || !sv_sqlite_step (state, statement, &has_row, error))
    return FALSE;
  *value = has_row ? sqlite3_column_int64 (statement, 0) : 0;
  sqlite3_reset (statement);
  return TRUE;
}

/* ── transactions ── */

gboolean
sv_sqlite_begin (SvSqliteState *state, GError **error)
{
  sqlite3_stmt *statement = sv_sqlite_statement (state, "BEGIN IMMEDIATE", error);
  return statement != NULL && sv_sqlite_run (state, statement, error);
}

/* A full disk or a broken file may have ended the transaction already. */
static void
roll_back (SvSqliteState *state)
{
  if (!sqlite3_get_autocommit (state->db))
    sqlite3_exec (state->db, "ROLLBACK", NULL, NULL, NULL);
  sv_sqlite_forget_requests (state);
  sv_sqlite_forget_names (state);
}

gboolean
sv_sqlite_end (SvSqliteState *state, gboolean ok, GError **error)
{
  sqlite3_stmt *statement = ok ? sv_sqlite_statement (state, "COMMIT", error) : NULL;
  if (statement != NULL && sv_sqlite_run (state, statement, error))
    return TRUE;
  roll_back (state);
  return FALSE;
}

/* ── opening ── */

/* SQLite would make the file as the umask says. Only a file that is missing is opened here: closing a descriptor of one that
 * is in use would drop this process's locks on it. */
static gboolean
make_file (SvSqliteState *state, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (state->path);
  g_autoptr (GError) failure = NULL;
  if (!sv_directory_make (folder, 0700, &failure))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "database %s: %s", state->base.url, failure->message);
    return FALSE;
  }
  int fd = open (state->path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    close (fd);
  else if (errno != EEXIST)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "database %s cannot be made: %s; %s", state->base.url,
                 g_strerror (errno), advice (errno == ENOSPC ? SQLITE_FULL : SQLITE_CANTOPEN));
    return FALSE;
  }
  return TRUE;
}

/* *@version is the form that the file has, 0 for an empty one. */
static gboolean
check_owner (SvSqliteState *state, gint64 *version, GError **error)
{
  gint64 owner = 0, n_tables = 0;
  if (!read_integer (state, "PRAGMA application_id", &owner, error) ||
      !read_integer (state, "PRAGMA user_version", version, error) ||
      !read_integer (state, "SELECT count(*) FROM sqlite_schema", &n_tables, error))
    return FALSE;
  if (owner != APPLICATION_ID && (owner != 0 || n_tables != 0 || *version != 0))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "database %s belongs to another program; name another path in SCOREVISION_DATABASE", state->base.url);
    return FALSE;
  }
  if (*version > (gint64)G_N_ELEMENTS (migrations))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "database %s was written by a newer sv (form %" G_GINT64_FORMAT ", this one knows %d); upgrade sv",
                 state->base.url, *version, (int)G_N_ELEMENTS (migrations));
    return FALSE;
  }
  return TRUE;
}

/* Inside the transaction, since another process may be just as new. */
static gboolean
migrate (SvSqliteState *state, GError **error)
{
  gint64 version;
  if (!check_owner (state, &version, error))
    return FALSE;
  for (gsize i = (gsize)version; i < G_N_ELEMENTS (migrations); i++)
    if (!execute (state, migrations[i], error) || (rests_of_migrations[i] != NULL && !rests_of_migrations[i](state, error)))
      return FALSE;
  g_autofree char *mark =
      g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, (int)G_N_ELEMENTS (migrations));
  return execute (state, mark, error);
}

/* The change to WAL needs the file for a moment alone, and SQLite does not wait for that on its own account. */
static gboolean
use_wal (SvSqliteState *state, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + BUSY_TIMEOUT_MS * 1000;
  int code;
  while (((code = sqlite3_exec (state->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL)) & 0xff) == SQLITE_BUSY &&
         g_get_monotonic_time () < deadline)
    g_usleep (5000);
  return code == SQLITE_OK || sv_sqlite_fail (state, code, error);
}

/* In one snapshot: another process may just be making the file. */
static gboolean
check_owner_unlocked (SvSqliteState *state, gint64 *version, GError **error)
{
  if (!execute (state, "BEGIN", error))
    return FALSE;
  gboolean ok = check_owner (state, version, error);
  roll_back (state);
  return ok;
}

static gboolean
prepare_file (SvSqliteState *state, GError **error)
{
  gint64 version;
  if (!check_owner_unlocked (state, &version, error) || !execute (state, "PRAGMA secure_delete = OFF", error))
    return FALSE;
  if (version != (gint64)G_N_ELEMENTS (migrations) &&
      (!sv_sqlite_begin (state, error) || !sv_sqlite_end (state, migrate (state, error), error)))
    return FALSE;
  return use_wal (state, error) &&
         execute (state,
                  "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 1000;"
                  " PRAGMA cache_size = -2048",
                  error);
}

gboolean
sv_sqlite_open (SvSqliteState *state, GError **error)
{
  if (!make_file (state, error))
    return FALSE;
  int code =
      sqlite3_open_v2 (state->path, &state->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
  if (code != SQLITE_OK)
    return sv_sqlite_fail (state, code, error);
  sqlite3_busy_timeout (state->db, BUSY_TIMEOUT_MS);
  sqlite3_db_config (state->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  return prepare_file (state, error);
}

void
sv_sqlite_close (SvSqliteState *state)
{
  sv_sqlite_checkpointer_stop (state);
  g_clear_pointer (&state->statements, g_hash_table_unref);
  sqlite3_close (state->db);
}
