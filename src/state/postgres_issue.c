/* The issue log, and closing its windows. Written by postgres_admission.c. */
#include "state/postgres_state.h"

#define PAGE 1000
#define COLUMNS "challenge_id, asker, miner, window_id, manifest_hash, element_id, clip_hash, seed, nonce, block, time_ms"

static SvIssueRecord *
read_record (const PGresult *result, int row)
{
  SvIssueRecord *record = g_new0 (SvIssueRecord, 1);
  record->challenge_id = (guint64)sv_postgres_integer (result, row, 0);
  record->asker = sv_postgres_text (result, row, 1);
  record->miner = sv_postgres_text (result, row, 2);
  record->window_id = sv_postgres_text (result, row, 3);
  record->manifest_hash = sv_postgres_text (result, row, 4);
  record->element_id = sv_postgres_text (result, row, 5);
  record->clip_hash = sv_postgres_text (result, row, 6);
  record->seed = (guint64)sv_postgres_integer (result, row, 7);
  record->nonce = sv_postgres_text (result, row, 8);
  record->block = (guint64)sv_postgres_integer (result, row, 9);
  record->time_ms = sv_postgres_integer (result, row, 10);
  return record;
}

static PGresult *
read_page (SvPostgresState *state, const char *window_id, guint64 after_id, GError **error)
{
  SvPostgresNumber after;
  const SvPostgresQuery all = {
    .sql = "SELECT " COLUMNS
           " FROM scorevision.issued WHERE challenge_id > $1::bigint ORDER BY challenge_id LIMIT " G_STRINGIFY (PAGE),
    .n = 1,
    .values = { sv_postgres_number (&after, (gint64)after_id) }
  };
  const SvPostgresQuery of_window = { .sql = "SELECT " COLUMNS " FROM scorevision.issued WHERE challenge_id > $1::bigint"
                                             " AND window_id = $2 ORDER BY challenge_id LIMIT " G_STRINGIFY (PAGE),
                                      .n = 2,
                                      .values = { after.text, window_id } };
  return sv_postgres_ask (state, window_id != NULL ? &of_window : &all, error);
}

/* Page by page, each with a snapshot of its own: since ids are in the order of commits, nothing can appear before what was
 * seen, and a long log neither fills this memory nor holds back the server's cleaning. */
gboolean
sv_postgres_list_issued (SvState *base, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                         GError **error)
{
  for (int n_rows = PAGE; n_rows == PAGE;)
  {
    g_autoptr (PGresult) page = read_page ((SvPostgresState *)base, window_id, after_id, error);
    if (page == NULL)
      return FALSE;
    n_rows = sv_pq ()->ntuples (page);
    for (int row = 0; row < n_rows; row++)
    {
      g_autoptr (SvIssueRecord) record = read_record (page, row);
      after_id = record->challenge_id;
      if (!visit (record, data))
        return TRUE;
    }
  }
  return TRUE;
}

/* ── closing ── */

/* Under the lock of admission, so each batch is wholly before it or wholly after. The row of closed_windows is there with the
 * lock's release. */
gboolean
sv_postgres_close_window (SvState *base, const char *window_id, guint64 *last_id, GError **error)
{
  SvPostgresState *state = (SvPostgresState *)base;
  const SvPostgresQuery queries[] = {
    { .sql = "BEGIN" },
    { .sql = "SELECT value FROM scorevision.counters WHERE name = 'issued' FOR UPDATE" },
    { .sql = "INSERT INTO scorevision.closed_windows (window_id, last_id) VALUES ($1, COALESCE ((SELECT challenge_id"
             " FROM scorevision.issued WHERE window_id = $1 ORDER BY challenge_id DESC LIMIT 1), 0)) ON CONFLICT DO NOTHING",
      .n = 1,
      .values = { window_id } },
    { .sql = "SELECT last_id FROM scorevision.closed_windows WHERE window_id = $1", .n = 1, .values = { window_id } },
    { .sql = "COMMIT" },
  };
  PGresult *results[G_N_ELEMENTS (queries)];
  if (!sv_postgres_ready (state, error) || !sv_postgres_round (state, queries, G_N_ELEMENTS (queries), results, error))
    return FALSE;
  *last_id = (guint64)sv_postgres_integer (results[3], 0, 0);
  sv_postgres_clear (results, G_N_ELEMENTS (queries));
  return TRUE;
}

/* The row's lock is admission's. */
gboolean
sv_postgres_raise_ids (SvState *base, guint64 last_id, GError **error)
{
  SvPostgresNumber number;
  const SvPostgresQuery query = {
    .sql = "UPDATE scorevision.counters SET value = $1::bigint WHERE name = 'issued' AND value < $1::bigint",
    .n = 1,
    .values = { sv_postgres_number (&number, (gint64)MIN (last_id, G_MAXINT64)) }
  };
  return sv_postgres_change ((SvPostgresState *)base, &query, NULL, error);
}
