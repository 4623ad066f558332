/* The log of requests as it is read: a row for each that was judged (refused ones, too, but no replays), in the order of the
 * commits of all who write it. Read one after the other they make the memory that each of the writers has, so whoever has read
 * all of them judges the next request without asking the database. postgres_admission.c writes it and removes from it. */
#include "state/postgres_state.h"

#define PAGE 10000 /* rows in one answer */

SvPostgresQuery
sv_postgres_requests_query (const SvPostgresState *state, SvPostgresNumber *last)
{
  static const char sql[] = "SELECT seq, asker, nonce, x_nonce, client_id, time_ms FROM scorevision.requests"
                            " WHERE seq > $1::bigint ORDER BY seq LIMIT " G_STRINGIFY (PAGE);
  return (SvPostgresQuery){ .sql = sql, .n = 1, .values = { sv_postgres_number (last, state->last_request) } };
}

static SvRequest
request_in (const PGresult *rows, int row)
{
  return (SvRequest){ .asker = sv_pq ()->getvalue (rows, row, 1),
                      .nonce = sv_postgres_value (rows, row, 2),
                      .x_nonce = sv_postgres_value (rows, row, 3),
                      .client_id = sv_pq ()->getvalue (rows, row, 4),
                      .now_ms = sv_postgres_integer (rows, row, 5) };
}

void
sv_postgres_take_requests (SvPostgresState *state, const PGresult *rows, gboolean *has_all)
{
  int n = sv_pq ()->ntuples (rows);
  for (int row = 0; row < n; row++)
  {
    SvRequest request = request_in (rows, row);
    sv_request_memory_recall (state->memory, state->rules.limit, &request);
  }
  if (n > 0)
    state->last_request = sv_postgres_integer (rows, n - 1, 0);
  *has_all = n < PAGE;
}

gboolean
sv_postgres_read_requests (SvPostgresState *state, GError **error)
{
  for (gboolean has_all = FALSE; !has_all;)
  {
    PGresult *rows;
    SvPostgresNumber last;
    const SvPostgresQuery query = sv_postgres_requests_query (state, &last);
    if (!sv_postgres_round (state, &query, 1, &rows, error))
      return FALSE;
    sv_postgres_take_requests (state, rows, &has_all);
    sv_pq_clear (rows);
  }
  return TRUE;
}

gboolean
sv_postgres_remember_requests (SvPostgresState *state, const SvAdmissionRules *rules, GError **error)
{
  if (state->memory != NULL && (state->rules.window_ms != rules->window_ms || state->rules.remember_ms != rules->remember_ms))
    sv_postgres_forget_requests (state);
  state->rules = *rules;
  if (state->memory != NULL)
    return TRUE;
  state->memory = sv_request_memory_new (rules);
  return sv_postgres_read_requests (state, error);
}

void
sv_postgres_forget_requests (SvPostgresState *state)
{
  g_clear_pointer (&state->memory, sv_request_memory_free);
  state->last_request = 0;
}

/* ── warming up ── */

gboolean
sv_postgres_recent_nonces (SvState *base, gint64 since_ms, SvVisitNonce visit, gpointer data, GError **error)
{
  gint64 last_seq = 0;
  for (int n_rows = PAGE; n_rows == PAGE;)
  {
    SvPostgresNumber last, since;
    const SvPostgresQuery query = { .sql = "SELECT seq, asker, nonce, x_nonce, client_id, time_ms FROM scorevision.requests"
                                           " WHERE seq > $1::bigint AND time_ms >= $2::bigint AND nonce IS NOT NULL"
                                           " ORDER BY seq LIMIT " G_STRINGIFY (PAGE),
                                    .n = 2,
                                    .values = { sv_postgres_number (&last, last_seq), sv_postgres_number (&since, since_ms) } };
    g_autoptr (PGresult) rows = sv_postgres_ask ((SvPostgresState *)base, &query, error);
    if (rows == NULL)
      return FALSE;
    n_rows = sv_pq ()->ntuples (rows);
    for (int row = 0; row < n_rows; row++)
    {
      SvRequest request = request_in (rows, row);
      visit (request.asker, request.nonce, request.x_nonce, request.client_id, request.now_ms, data);
    }
    if (n_rows > 0)
      last_seq = sv_postgres_integer (rows, n_rows - 1, 0);
  }
  return TRUE;
}
