/* Tasks of the endpoints without manifest. Written by postgres_admission.c, with ids of the sequence that challenges have, too.
 * A task is asked about soon after it was issued: rows older than SV_TASK_KEPT_MS go from the old end, a few with each new one.
 */
#include "state/postgres_state.h"

#define REMOVED_AT_ONCE 4 /* more than the one that comes */

/* A time far ahead comes from a clock that has been set back since. */
SvPostgresQuery
sv_postgres_remove_old_tasks (guint n_new, gint64 now_ms, SvPostgresNumber numbers[3])
{
  static const char sql[] = "DELETE FROM scorevision.tasks WHERE id IN (SELECT id FROM scorevision.tasks ORDER BY id"
                            " LIMIT $1::bigint) AND NOT issued_ms BETWEEN $2::bigint AND $3::bigint";
  return (SvPostgresQuery){ .sql = sql,
                            .n = 3,
                            .values = { sv_postgres_number (&numbers[0], (gint64)n_new * REMOVED_AT_ONCE),
                                        sv_postgres_number (&numbers[1], now_ms - SV_TASK_KEPT_MS),
                                        sv_postgres_number (&numbers[2], now_ms + SV_TASK_KEPT_MS) } };
}

gboolean
sv_postgres_find_task (SvState *base, guint64 id, SvTaskRecord **task, GError **error)
{
  SvPostgresNumber number;
  const SvPostgresQuery query = {
    .sql = "SELECT id, asker, clip_hash, issued_ms, completed_ms FROM scorevision.tasks WHERE id = $1::bigint",
    .n = 1,
    .values = { sv_postgres_number (&number, (gint64)MIN (id, G_MAXINT64)) }
  };
  g_autoptr (PGresult) result = sv_postgres_ask ((SvPostgresState *)base, &query, error);
  if (result == NULL)
    return FALSE;
  *task = NULL;
  if (sv_pq ()->ntuples (result) == 0)
    return TRUE;
  *task = g_new0 (SvTaskRecord, 1);
  (*task)->id = (guint64)sv_postgres_integer (result, 0, 0);
  (*task)->asker = sv_postgres_text (result, 0, 1);
  (*task)->clip_hash = sv_postgres_text (result, 0, 2);
  (*task)->issued_ms = sv_postgres_integer (result, 0, 3);
  (*task)->completed_ms = sv_postgres_integer (result, 0, 4);
  return TRUE;
}

gboolean
sv_postgres_complete_task (SvState *base, guint64 id, const char *asker, gint64 now_ms, gboolean *found, GError **error)
{
  SvPostgresNumber number, now;
  guint64 n_rows;
  const SvPostgresQuery query = { .sql = "UPDATE scorevision.tasks SET completed_ms = CASE completed_ms WHEN 0 THEN $3::bigint"
                                         " ELSE completed_ms END WHERE id = $1::bigint AND asker = $2",
                                  .n = 3,
                                  .values = { sv_postgres_number (&number, (gint64)MIN (id, G_MAXINT64)), asker,
                                              sv_postgres_number (&now, now_ms) } };
  if (!sv_postgres_change ((SvPostgresState *)base, &query, &n_rows, error))
    return FALSE;
  *found = n_rows > 0;
  return TRUE;
}
