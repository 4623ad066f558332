/* Admission: replays, rate limits and the recording of requests, a batch in one transaction of two rounds.
 *
 * The row counters.issued is locked first, so batches of all instances come one after the other: ids have no gaps and no
 * doubles and are in the order of commits, and so are the rows of `requests`, the log of what was asked. What others have added
 * to it since the last batch is read in the same round; with it this handle knows all that is known (request_log.h), judges,
 * and writes all rows of the batch by one statement per table in the second round, which ends with the commit. So a batch costs
 * two ways to the server and one flush of its log, and nothing in it grows with the limit or with history.
 *
 * Whatever fails, the memory is dropped with the connection and read again: what became of a commit without an answer is
 * found in the log. Rows that nobody needs are removed from the old end, twice as many a batch as it may add, by their range in
 * the log: a pg_dump that runs meanwhile makes the table longer, but nothing slower. */
#include "base/error.h"
#include "state/postgres_state.h"

#define PAGE 10000 /* rows of the log in one answer */
#define READ_LOG                                                                                                               \
  "SELECT seq, asker, nonce, x_nonce, bucket, time_ms FROM scorevision.requests WHERE seq > $1::bigint ORDER BY seq LIMIT "    \
  "10000"

typedef struct
{
  SvPostgresState *state;
  const SvAdmissionRules *rules;
  SvAdmission *batch;
  gsize n;
  gint64 last_id;       /* given so far */
  GHashTable *closed;   /* the set of the batch's windows that are closed */
  GString *requests[7]; /* columns of what is written, as arrays */
  GString *issued[11];
  GString *tasks[4];
  gboolean removes;
  gint64 first_removed, last_removed;
} Batch;

/* ── reading what others have added ── */

static void
take_log (SvPostgresState *state, const PGresult *rows)
{
  for (int i = 0; i < PQntuples (rows); i++)
  {
    SvRequestRow row = { .seq = sv_postgres_integer (rows, i, 0),
                         .asker = PQgetvalue (rows, i, 1),
                         .nonce = sv_postgres_value (rows, i, 2),
                         .x_nonce = sv_postgres_value (rows, i, 3),
                         .bucket = PQgetvalue (rows, i, 4),
                         .time_ms = sv_postgres_integer (rows, i, 5) };
    sv_request_log_add (state->requests, &row);
  }
}

/* Page by page, until one is not full. Nothing is locked for that; inside the transaction little is left to read. */
static gboolean
read_log (SvPostgresState *state, GError **error)
{
  for (int n_rows = PAGE; n_rows == PAGE;)
  {
    SvPostgresNumber last;
    PGresult *rows;
    const SvPostgresQuery query = { .sql = READ_LOG,
                                    .n = 1,
                                    .values = { sv_postgres_number (&last, sv_request_log_last (state->requests)) } };
    if (!sv_postgres_round (state, &query, 1, &rows, error))
      return FALSE;
    take_log (state, rows);
    n_rows = PQntuples (rows);
    PQclear (rows);
  }
  return TRUE;
}

static void
take_closed (Batch *batch, const PGresult *rows)
{
  for (int i = 0; i < PQntuples (rows); i++)
    g_hash_table_add (batch->closed, sv_postgres_text (rows, i, 0));
}

static gboolean
take_counter (Batch *batch, const PGresult *row, gboolean has_all, GError **error)
{
  SvPostgresState *state = batch->state;
  if (PQntuples (row) != 1)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "database %s: its counter of challenge ids is missing; restore it from a backup", state->base.url);
    return FALSE;
  }
  batch->last_id = sv_postgres_integer (row, 0, 0);
  if (!has_all && !read_log (state, error))
    return FALSE;
  sv_request_log_skip_to (state->requests, sv_postgres_integer (row, 0, 1));
  return TRUE;
}

static gboolean
begin (Batch *batch, GError **error)
{
  SvPostgresState *state = batch->state;
  SvPostgresNumber last;
  g_autoptr (GString) windows = g_string_new (NULL);
  for (gsize i = 0; i < batch->n; i++)
    if (batch->batch[i].record != NULL)
      sv_postgres_array_add (windows, batch->batch[i].record->window_id);
  const SvPostgresQuery queries[] = {
    { .sql = "BEGIN" },
    { .sql = "SELECT value, second FROM scorevision.counters WHERE name = 'issued' FOR UPDATE" },
    { .sql = READ_LOG, .n = 1, .values = { sv_postgres_number (&last, sv_request_log_last (state->requests)) } },
    { .sql = "SELECT window_id FROM scorevision.closed_windows WHERE window_id = ANY ($1::text[])",
      .n = 1,
      .values = { sv_postgres_array_end (windows) } },
  };
  PGresult *results[G_N_ELEMENTS (queries)];
  if (!sv_postgres_round (state, queries, G_N_ELEMENTS (queries), results, error))
    return FALSE;
  take_log (state, results[2]);
  take_closed (batch, results[3]);
  gboolean ok = take_counter (batch, results[1], PQntuples (results[2]) < PAGE, error);
  sv_postgres_clear (results, G_N_ELEMENTS (queries));
  return ok;
}

/* ── judging ── */

static void
note_request (Batch *batch, const SvRequestRow *row, const SvAdmission *admission)
{
  sv_postgres_array_add_integer (batch->requests[0], row->seq);
  sv_postgres_array_add (batch->requests[1], row->asker);
  sv_postgres_array_add (batch->requests[2], row->nonce);
  sv_postgres_array_add (batch->requests[3], row->x_nonce);
  sv_postgres_array_add (batch->requests[4], admission->client_id);
  sv_postgres_array_add (batch->requests[5], row->bucket);
  sv_postgres_array_add_integer (batch->requests[6], row->time_ms);
}

static void
note_issued (Batch *batch, gint64 id, const SvIssueRecord *record)
{
  const char *const texts[] = { record->asker,         record->miner,      record->window_id,
                                record->manifest_hash, record->element_id, record->clip_hash };
  sv_postgres_array_add_integer (batch->issued[0], id);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    sv_postgres_array_add (batch->issued[1 + i], texts[i]);
  sv_postgres_array_add_integer (batch->issued[7], (gint64)record->seed);
  sv_postgres_array_add (batch->issued[8], record->nonce);
  sv_postgres_array_add_integer (batch->issued[9], (gint64)record->block);
  sv_postgres_array_add_integer (batch->issued[10], record->time_ms);
}

static void
note_task (Batch *batch, gint64 id, const SvTaskRecord *task)
{
  sv_postgres_array_add_integer (batch->tasks[0], id);
  sv_postgres_array_add (batch->tasks[1], task->asker);
  sv_postgres_array_add (batch->tasks[2], task->clip_hash);
  sv_postgres_array_add_integer (batch->tasks[3], task->issued_ms);
}

static void
judge (Batch *batch, SvAdmission *admission)
{
  SvRequestRow row;
  gboolean is_closed = admission->record != NULL && g_hash_table_contains (batch->closed, admission->record->window_id);
  if (!sv_request_log_judge (batch->state->requests, batch->rules, is_closed, admission, &row))
    return;
  note_request (batch, &row, admission);
  if (admission->outcome != SV_ADMITTED)
    return;
  if (admission->record != NULL)
  {
    admission->record->challenge_id = (guint64)++batch->last_id;
    note_issued (batch, batch->last_id, admission->record);
  }
  if (admission->task != NULL)
  {
    admission->task->id = (guint64)++batch->last_id;
    note_task (batch, batch->last_id, admission->task);
  }
}

/* ── writing ── */

static SvPostgresQuery
insert_of (const char *sql, GString *const *columns, guint n)
{
  SvPostgresQuery query = { .sql = sql, .n = (int)n };
  for (guint i = 0; i < n; i++)
    query.values[i] = sv_postgres_array_end (columns[i]);
  return query;
}

static gboolean
end (Batch *batch, GError **error)
{
  guint n = 0;
  SvPostgresQuery queries[6];
  SvPostgresNumber id, seq, first, last;
  if (batch->removes)
    queries[n++] = (SvPostgresQuery){ .sql = "DELETE FROM scorevision.requests WHERE seq BETWEEN $1::bigint AND $2::bigint",
                                      .n = 2,
                                      .values = { sv_postgres_number (&first, batch->first_removed),
                                                  sv_postgres_number (&last, batch->last_removed) } };
  if (batch->requests[0]->len > 0)
    queries[n++] = insert_of ("INSERT INTO scorevision.requests (seq, asker, nonce, x_nonce, client_id, bucket, time_ms)"
                              " SELECT * FROM unnest ($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],"
                              " $6::text[], $7::bigint[])",
                              batch->requests, G_N_ELEMENTS (batch->requests));
  if (batch->issued[0]->len > 0)
    queries[n++] = insert_of ("INSERT INTO scorevision.issued (challenge_id, asker, miner, window_id, manifest_hash,"
                              " element_id, clip_hash, seed, nonce, block, time_ms) SELECT * FROM unnest ($1::bigint[],"
                              " $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],"
                              " $9::text[], $10::bigint[], $11::bigint[])",
                              batch->issued, G_N_ELEMENTS (batch->issued));
  if (batch->tasks[0]->len > 0)
    queries[n++] = insert_of ("INSERT INTO scorevision.tasks (id, asker, clip_hash, issued_ms) SELECT * FROM"
                              " unnest ($1::bigint[], $2::text[], $3::text[], $4::bigint[])",
                              batch->tasks, G_N_ELEMENTS (batch->tasks));
  queries[n++] = (SvPostgresQuery){ .sql = "UPDATE scorevision.counters SET value = $1::bigint, second = $2::bigint"
                                           " WHERE name = 'issued'",
                                    .n = 2,
                                    .values = { sv_postgres_number (&id, batch->last_id),
                                                sv_postgres_number (&seq, sv_request_log_last (batch->state->requests)) } };
  queries[n++] = (SvPostgresQuery){ .sql = "COMMIT" };
  return sv_postgres_round (batch->state, queries, n, NULL, error);
}

static gboolean
admit (Batch *batch, GError **error)
{
  SvPostgresState *state = batch->state;
  if (!sv_postgres_ready (state, error))
    return FALSE;
  if (state->requests == NULL)
  {
    state->requests = sv_request_log_new ();
    if (!read_log (state, error))
      return FALSE;
  }
  if (!begin (batch, error))
    return FALSE;
  if (batch->n > 0)
    batch->removes = sv_request_log_forget_old (state->requests, batch->rules, batch->batch[batch->n - 1].now_ms,
                                                (guint)(2 * batch->n + 16), &batch->first_removed, &batch->last_removed);
  for (gsize i = 0; i < batch->n; i++)
    judge (batch, &batch->batch[i]);
  return end (batch, error);
}

static void
make_columns (GString **columns, guint n)
{
  for (guint i = 0; i < n; i++)
    columns[i] = g_string_new (NULL);
}

static void
free_columns (GString **columns, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_free (columns[i], TRUE);
}

gboolean
sv_postgres_admit (SvState *base, const SvAdmissionRules *rules, SvAdmission *admissions, gsize n, GError **error)
{
  SvPostgresState *state = (SvPostgresState *)base;
  Batch batch = { .state = state, .rules = rules, .batch = admissions, .n = n };
  batch.closed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  make_columns (batch.requests, G_N_ELEMENTS (batch.requests));
  make_columns (batch.issued, G_N_ELEMENTS (batch.issued));
  make_columns (batch.tasks, G_N_ELEMENTS (batch.tasks));
  gboolean ok = admit (&batch, error);
  if (!ok)
    sv_postgres_disconnect (state); /* its transaction, and a memory that may hold what was not written */
  free_columns (batch.requests, G_N_ELEMENTS (batch.requests));
  free_columns (batch.issued, G_N_ELEMENTS (batch.issued));
  free_columns (batch.tasks, G_N_ELEMENTS (batch.tasks));
  g_hash_table_unref (batch.closed);
  return ok;
}

/* ── whether there is anything to be had ── */

gboolean
sv_postgres_try_admission (SvState *base, GError **error)
{
  static const SvPostgresQuery queries[] = {
    { .sql = "BEGIN" },
    { .sql = "SELECT value, second FROM scorevision.counters WHERE name = 'issued' FOR UPDATE" },
    { .sql =
          "INSERT INTO scorevision.issued (challenge_id, asker, miner, window_id, manifest_hash, element_id, clip_hash, seed,"
          " nonce, block, time_ms) VALUES (9223372036854775807, '', '', '', '', '', '', 0, '', 0, 0)" },
    { .sql = "DELETE FROM scorevision.issued WHERE challenge_id = 9223372036854775807" },
    { .sql = "INSERT INTO scorevision.requests (seq, asker, nonce, x_nonce, client_id, bucket, time_ms)"
             " VALUES (9223372036854775807, '', NULL, NULL, '', '', 0)" },
    { .sql = "DELETE FROM scorevision.requests WHERE seq = 9223372036854775807" },
    { .sql = "COMMIT" },
  };
  SvPostgresState *state = (SvPostgresState *)base;
  if (sv_postgres_ready (state, error) && sv_postgres_round (state, queries, G_N_ELEMENTS (queries), NULL, error))
    return TRUE;
  sv_postgres_disconnect (state);
  return FALSE;
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
                                           " ORDER BY seq LIMIT 10000",
                                    .n = 2,
                                    .values = { sv_postgres_number (&last, last_seq), sv_postgres_number (&since, since_ms) } };
    g_autoptr (PGresult) rows = sv_postgres_ask ((SvPostgresState *)base, &query, error);
    if (rows == NULL)
      return FALSE;
    n_rows = PQntuples (rows);
    for (int i = 0; i < n_rows; i++)
      visit (PQgetvalue (rows, i, 1), PQgetvalue (rows, i, 2), sv_postgres_value (rows, i, 3), PQgetvalue (rows, i, 4),
             sv_postgres_integer (rows, i, 5), data);
    if (n_rows > 0)
      last_seq = sv_postgres_integer (rows, n_rows - 1, 0);
  }
  return TRUE;
}
