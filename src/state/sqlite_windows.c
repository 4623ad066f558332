/* Closed windows: a row per window from which nothing is issued any more, with the last id of it. Closing and admitting are
 * write transactions of one database, so one of them is first, whichever process it is of: what was admitted before is not
 * above the last id that closing tells, and nothing comes after. */
#include "state/sqlite_state.h"

/* *@is_closed is FALSE where it is not. */
static gboolean
read_closed (SvSqliteState *state, const char *window_id, gboolean *is_closed, guint64 *last_id, GError **error)
{
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT last_id FROM closed_windows WHERE window_id = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, window_id);
  if (!sv_sqlite_step (state, query, is_closed, error))
    return FALSE;
  *last_id = *is_closed ? (guint64)sqlite3_column_int64 (query, 0) : 0;
  sqlite3_reset (query);
  return TRUE;
}

static gboolean
find_last_id (SvSqliteState *state, const char *window_id, guint64 *last_id, GError **error)
{
  gint64 window = 0;
  *last_id = 0;
  return sv_sqlite_find_name (state, window_id, &window, error) &&
         (window == 0 || sv_sqlite_last_issued (state, window, last_id, error));
}

static gboolean
insert_closed (SvSqliteState *state, const char *window_id, guint64 last_id, GError **error)
{
  sqlite3_stmt *insert =
      sv_sqlite_statement (state, "INSERT OR IGNORE INTO closed_windows (window_id, last_id) VALUES (?, ?)", error);
  if (insert == NULL)
    return FALSE;
  sv_sqlite_bind_text (insert, 1, window_id);
  sqlite3_bind_int64 (insert, 2, (gint64)last_id);
  return sv_sqlite_run (state, insert, error);
}

gboolean
sv_sqlite_close_window (SvState *base, const char *window_id, guint64 *last_id, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  gboolean is_closed;
  if (!read_closed (state, window_id, &is_closed, last_id, error) || is_closed)
    return is_closed;
  if (!sv_sqlite_begin (state, error))
    return FALSE;
  gboolean ok = find_last_id (state, window_id, last_id, error) && insert_closed (state, window_id, *last_id, error);
  return sv_sqlite_end (state, ok, error);
}

gboolean
sv_sqlite_window_is_closed (SvSqliteState *state, const char *window_id, gboolean *is_closed, GError **error)
{
  guint64 last_id;
  return read_closed (state, window_id, is_closed, &last_id, error);
}
