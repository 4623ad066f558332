/* The ledger's file. One SQLite database in WAL mode with synchronous FULL: readers never wait for the writer, a commit is on
 * the disk when it returns, and a process killed anywhere leaves the last whole transaction. Any number of processes share it;
 * each write begins with BEGIN IMMEDIATE, so that two of them queue up instead of failing half way.
 *
 * The file says what it is (application_id, user_version), so that a foreign database is never written to. A file that was
 * removed or replaced while open is noticed (SQLITE_FCNTL_HAS_MOVED): otherwise a long-lived process would go on making blocks
 * in a file that nobody else sees. */
#include "chain/ledger_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/ledger_schema.h"

#define BUSY_TIMEOUT_MS 30000

/* ── errors ── */

gboolean
sv_ledger_damaged (SvLedger *ledger, const char *what, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s is damaged or not a ledger (%s): restore it from a copy, or move it away and make a new one with "
               "`sv chain create`",
               ledger->path, what);
  return FALSE;
}

gboolean
sv_ledger_fail (SvLedger *ledger, GError **error)
{
  const char *message = sqlite3_errmsg (ledger->db);
  switch (sqlite3_errcode (ledger->db) & 0xff)
  {
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_SCHEMA:
  case SQLITE_ERROR: /* no such table or column: the statements themselves are right */
    return sv_ledger_damaged (ledger, message, error);
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "ledger %s: another process has been writing for %d s; see which one holds it and try again", ledger->path,
                 BUSY_TIMEOUT_MS / 1000);
    return FALSE;
  case SQLITE_READONLY:
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "ledger %s cannot be written (%s): whoever uses a ledger writes the blocks that are due, so give this user "
                 "write access to the file and its directory",
                 ledger->path, message);
    return FALSE;
  case SQLITE_FULL:
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "ledger %s: no space left on its disk; make room and try again",
                 ledger->path);
    return FALSE;
  default:
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "ledger %s: %s", ledger->path, message);
    return FALSE;
  }
}

/* ── statements and transactions ── */

sqlite3_stmt *
sv_ledger_prepare (SvLedger *ledger, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2 (ledger->db, sql, -1, &statement, NULL) == SQLITE_OK)
    return statement;
  sv_ledger_fail (ledger, error);
  return NULL;
}

gboolean
sv_ledger_step (SvLedger *ledger, sqlite3_stmt *statement, gboolean *row, GError **error)
{
  int status = sqlite3_step (statement);
  *row = status == SQLITE_ROW;
  return *row || status == SQLITE_DONE || sv_ledger_fail (ledger, error);
}

gboolean
sv_ledger_run (SvLedger *ledger, sqlite3_stmt *statement, GError **error)
{
  if (sqlite3_step (statement) != SQLITE_DONE)
    return sv_ledger_fail (ledger, error);
  sqlite3_reset (statement);
  return TRUE;
}

static gboolean
execute (SvLedger *ledger, const char *sql, GError **error)
{
  return sqlite3_exec (ledger->db, sql, NULL, NULL, NULL) == SQLITE_OK || sv_ledger_fail (ledger, error);
}

static gboolean
transact (SvLedger *ledger, const char *begin, SvLedgerWork work, gpointer data, GError **error)
{
  if (!execute (ledger, begin, error))
    return FALSE;
  if (work (ledger, data, error) && execute (ledger, "COMMIT", error))
    return TRUE;
  if (!sqlite3_get_autocommit (ledger->db)) /* SQLite has rolled back by itself after some errors */
    sqlite3_exec (ledger->db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

gboolean
sv_ledger_read (SvLedger *ledger, SvLedgerWork work, gpointer data, GError **error)
{
  return transact (ledger, "BEGIN", work, data, error);
}

static gboolean
check_still_there (SvLedger *ledger, GError **error)
{
  int has_moved = 0;
  if (sqlite3_file_control (ledger->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) != SQLITE_OK || !has_moved)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "ledger %s was removed or replaced while it was open: put it back, or start this program again", ledger->path);
  return FALSE;
}

gboolean
sv_ledger_write (SvLedger *ledger, SvLedgerWork work, gpointer data, GError **error)
{
  return check_still_there (ledger, error) && transact (ledger, "BEGIN IMMEDIATE", work, data, error);
}

gboolean
sv_ledger_column_hash (sqlite3_stmt *statement, int column, char hash[SV_BLOCK_HASH_TEXT])
{
  guint8 digest[32];
  const char *text = (const char *)sqlite3_column_text (statement, column);
  if (!text || !g_str_has_prefix (text, "0x") || !sv_hex_decode (text + 2, FALSE, digest, sizeof digest))
    return FALSE;
  g_strlcpy (hash, text, SV_BLOCK_HASH_TEXT);
  return TRUE;
}

/* ── opening ── */

static gboolean
check_is_file (SvLedger *ledger, GError **error)
{
  struct stat status;
  if (stat (ledger->path, &status) != 0)
  {
    gboolean is_absent = errno == ENOENT || errno == ENOTDIR;
    g_set_error (error, SV_ERROR, is_absent ? SV_ERROR_NOT_FOUND : SV_ERROR_UNREACHABLE,
                 is_absent
                     ? "there is no ledger at %s (%s); make one with `sv chain create`, or name yours with --chain ledger:PATH"
                     : "ledger %s: %s",
                 ledger->path, g_strerror (errno));
    return FALSE;
  }
  return S_ISREG (status.st_mode) || sv_ledger_damaged (ledger, "it is not a regular file", error);
}

static gboolean
read_pragma (SvLedger *ledger, const char *sql, gint64 *value, GError **error)
{
  gboolean row;
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, sql, error);
  if (!statement || !sv_ledger_step (ledger, statement, &row, error))
    return FALSE;
  *value = row ? sqlite3_column_int64 (statement, 0) : 0;
  return TRUE;
}

static gboolean
check_is_ledger (SvLedger *ledger, GError **error)
{
  gint64 application, version;
  if (!read_pragma (ledger, "PRAGMA application_id", &application, error) ||
      !read_pragma (ledger, "PRAGMA user_version", &version, error))
    return FALSE;
  if (application != SV_LEDGER_APPLICATION_ID)
    return sv_ledger_damaged (ledger, "the file belongs to another program, or is empty", error);
  if (version == SV_LEDGER_VERSION)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "ledger %s has format %" G_GINT64_FORMAT ", this build reads format %d: use the version of sv that made it",
               ledger->path, version, SV_LEDGER_VERSION);
  return FALSE;
}

static gboolean
read_parameters (SvLedger *ledger, GError **error)
{
  gboolean row;
  g_autoptr (sqlite3_stmt) statement =
      sv_ledger_prepare (ledger, "SELECT genesis, owner, block_time_ms, finality FROM ledger", error);
  if (!statement || !sv_ledger_step (ledger, statement, &row, error))
    return FALSE;
  if (!row || !sv_ledger_column_hash (statement, 0, ledger->base.id.genesis))
    return sv_ledger_damaged (ledger, "it has no genesis", error);
  ledger->owner = g_strdup ((const char *)sqlite3_column_text (statement, 1));
  ledger->block_time_ms = (guint64)sqlite3_column_int64 (statement, 2);
  ledger->finality = (guint64)sqlite3_column_int64 (statement, 3);
  return TRUE;
}

static gboolean
read_permits (SvLedger *ledger, GError **error)
{
  gboolean row;
  g_autoptr (GStrvBuilder) permits = g_strv_builder_new ();
  g_autoptr (sqlite3_stmt) statement = sv_ledger_prepare (ledger, "SELECT address FROM permit ORDER BY position", error);
  if (!statement)
    return FALSE;
  while (TRUE)
  {
    if (!sv_ledger_step (ledger, statement, &row, error))
      return FALSE;
    if (!row)
      break;
    g_strv_builder_add (permits, (const char *)sqlite3_column_text (statement, 0));
  }
  ledger->permits = g_strv_builder_end (permits);
  return TRUE;
}

gboolean
sv_ledger_file_open (SvLedger *ledger, GError **error)
{
  if (!check_is_file (ledger, error))
    return FALSE;
  if (sqlite3_open_v2 (ledger->path, &ledger->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
    return sv_ledger_fail (ledger, error);
  sqlite3_busy_timeout (ledger->db, BUSY_TIMEOUT_MS);
  if (sqlite3_db_readonly (ledger->db, "main") == 1)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "ledger %s is read-only here: whoever uses a ledger writes the blocks that are due, so give this user write "
                 "access to the file and its directory",
                 ledger->path);
    return FALSE;
  }
  return check_is_ledger (ledger, error) && execute (ledger, "PRAGMA synchronous = FULL", error) &&
         read_parameters (ledger, error) && read_permits (ledger, error);
}

void
sv_ledger_file_close (SvLedger *ledger)
{
  sqlite3_close (ledger->db);
  g_free (ledger->path);
  g_free (ledger->owner);
  g_strfreev (ledger->permits);
}
