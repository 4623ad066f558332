/* Closed windows: a row per window from which nothing is issued any more. Closing and admitting are write transactions of one
 * database, so one of them is first, whichever process it is of: what was admitted before is below the last id that closing
 * tells, and nothing comes after. */
#include "state/sqlite_state.h"

static gboolean
insert_closed (SvSqliteState *state, const char *window_id, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state, "INSERT OR IGNORE INTO closed_windows (window_id) VALUES (?)", error);
  if (insert == NULL)
    return FALSE;
  sv_sqlite_bind_text (insert, 1, window_id);
  return sv_sqlite_run (state, insert, error);
}

static gboolean
read_last_id (SvSqliteState *state, const char *window_id, guint64 *last_id, GError **error)
{
  gboolean has_row;
  sqlite3_stmt *query =
      sv_sqlite_statement (state, "SELECT coalesce(max(challenge_id), 0) FROM issued WHERE window_id = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, window_id);
  if (!sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  *last_id = has_row ? (guint64)sqlite3_column_int64 (query, 0) : 0;
  sqlite3_reset (query);
  return TRUE;
}

gboolean
sv_sqlite_close_window (SvState *base, const char *window_id, guint64 *last_id, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  if (!sv_sqlite_begin (state, error))
    return FALSE;
  gboolean ok = insert_closed (state, window_id, error) && read_last_id (state, window_id, last_id, error);
  return sv_sqlite_end (state, ok, error);
}

gboolean
sv_sqlite_window_is_closed (SvSqliteState *state, const char *window_id, gboolean *is_closed, GError **error)
{
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT 1 FROM closed_windows WHERE window_id = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, window_id);
  if (!sv_sqlite_step (state, query, is_closed, error))
    return FALSE;
  sqlite3_reset (query);
  return TRUE;
}
