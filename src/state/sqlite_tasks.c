/* Tasks of the endpoints without manifest. Ids come from the counter of the issue log, so that no challenge and no task have
 * the same. A task is asked about soon after it was issued: rows older than SV_TASK_KEPT_MS go from the old end, a few with
 * each new one, so that the table stays as large as what was issued in that time. */
#include "state/sqlite_state.h"

#define REMOVED_AT_ONCE 4 /* more than the one that comes */

/* A time far ahead comes from a clock that has been set back since. */
static gboolean
remove_old (SvSqliteState *state, gint64 now_ms, GError **error)
{
  sqlite3_stmt *change = sv_sqlite_statement (state,
                                              "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks ORDER BY id LIMIT ?)"
                                              " AND (issued_ms < ? OR issued_ms > ?)",
                                              error);
  if (change == NULL)
    return FALSE;
  sqlite3_bind_int (change, 1, REMOVED_AT_ONCE);
  sqlite3_bind_int64 (change, 2, now_ms - SV_TASK_KEPT_MS);
  sqlite3_bind_int64 (change, 3, now_ms + SV_TASK_KEPT_MS);
  return sv_sqlite_run (state, change, error);
}

gboolean
sv_sqlite_insert_task (SvSqliteState *state, SvTaskRecord *task, GError **error)
{
  guint64 id = state->last_id + 1;
  if (!remove_old (state, task->issued_ms, error))
    return FALSE;
  sqlite3_stmt *insert = sv_sqlite_statement (
      state, "INSERT INTO tasks (id, asker, clip_hash, issued_ms, completed_ms) VALUES (?, ?, ?, ?, 0)", error);
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, (gint64)id);
  sv_sqlite_bind_text (insert, 2, task->asker);
  sv_sqlite_bind_text (insert, 3, task->clip_hash);
  sqlite3_bind_int64 (insert, 4, task->issued_ms);
  if (!sv_sqlite_run (state, insert, error))
    return FALSE;
  task->id = state->last_id = id;
  return TRUE;
}

gboolean
sv_sqlite_find_task (SvState *base, guint64 id, SvTaskRecord **task, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  gboolean has_row;
  *task = NULL;
  sqlite3_stmt *query =
      sv_sqlite_statement (state, "SELECT asker, clip_hash, issued_ms, completed_ms FROM tasks WHERE id = ?", error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, (gint64)id);
  if (!sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  if (!has_row)
    return TRUE;
  *task = g_new0 (SvTaskRecord, 1);
  (*task)->id = id;
  (*task)->asker = sv_sqlite_column_text (query, 0);
  (*task)->clip_hash = sv_sqlite_column_text (query, 1);
  (*task)->issued_ms = sqlite3_column_int64 (query, 2);
  (*task)->completed_ms = sqlite3_column_int64 (query, 3);
  sqlite3_reset (query);
  return TRUE;
}

gboolean
sv_sqlite_complete_task (SvState *base, guint64 id, const char *asker, gint64 now_ms, gboolean *found, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  sqlite3_stmt *change =
      sv_sqlite_statement (state,
                           "UPDATE tasks SET completed_ms = CASE completed_ms WHEN 0 THEN ? ELSE completed_ms END"
                           " WHERE id = ? AND asker = ?",
                           error);
  if (change == NULL)
    return FALSE;
  sqlite3_bind_int64 (change, 1, now_ms);
  sqlite3_bind_int64 (change, 2, (gint64)id);
  sv_sqlite_bind_text (change, 3, asker);
  if (!sv_sqlite_run (state, change, error))
    return FALSE;
  *found = sqlite3_changes (state->db) > 0;
  return TRUE;
}
