/* Admission: replays, rate limits and the recording of requests, a batch in one transaction of two rounds.
 *
 * The row counters.issued is locked first, so batches of all instances come one after the other: ids have no gaps and no
 * doubles and are in the order of commits, and so are the rows of `requests`, the log of what was asked. What others have added
 * to it since the last batch is read in the same round (postgres_requests.c); with it this handle knows all that is known,
 * judges (request_memory.h), and writes all rows of the batch by one statement per table in the second round, which ends with
 * the commit. So a batch costs two ways to the server and one flush of its log, and nothing in it grows with the limit or with
 * history.
 *
 * Whatever fails, the memory is dropped with the connection and read again: what became of a commit without an answer is found
 * in the log.
 *
 * Rows that nobody needs are removed from the old end, twice as many a batch as it may add. Where that end is stands in the
 * counter's row, too, so that nobody looks for it among rows that are gone: a pg_dump that runs meanwhile keeps those in the
 * table and makes it longer, but nothing slower. */
#include "base/error.h"
#include "state/postgres_state.h"

typedef struct
{
  SvPostgresState *state;
  const SvAdmissionRules *rules;
  SvAdmission *batch;
  gsize n;
  gint64 last_id;       /* given so far */
  gint64 first_request; /* the oldest row of the log */
  gint64 old_end;       /* the log's end before this batch */
  gint64 now_ms;        /* the latest time in the batch */
  gint64 task_ms;       /* the latest of its tasks */
  guint n_tasks;
  GHashTable *closed;   /* the set of the batch's windows that are closed */
  GString *requests[6]; /* columns of what is written, as arrays */
  GString *issued[11];
  GString *tasks[4];
} Batch;

/* ── beginning ── */

static void
take_closed (Batch *batch, const PGresult *rows)
{
  for (int i = 0; i < sv_pq ()->ntuples (rows); i++)
    g_hash_table_add (batch->closed, sv_postgres_text (rows, i, 0));
}

static gboolean
take_counter (Batch *batch, const PGresult *row, gboolean has_all, GError **error)
{
  SvPostgresState *state = batch->state;
  if (sv_pq ()->ntuples (row) != 1)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "database %s: its counter of challenge ids is missing; restore it from a backup", state->base.url);
    return FALSE;
  }
  batch->last_id = sv_postgres_integer (row, 0, 0);
  batch->first_request = sv_postgres_integer (row, 0, 1);
  if (!has_all && !sv_postgres_read_requests (state, error))
    return FALSE;
  batch->old_end = state->last_request = sv_postgres_integer (row, 0, 2);
  return TRUE;
}

static gboolean
begin (Batch *batch, GError **error)
{
  SvPostgresState *state = batch->state;
  SvPostgresNumber last;
  gboolean has_all;
  g_autoptr (GString) windows = g_string_new (NULL);
  for (gsize i = 0; i < batch->n; i++)
    if (batch->batch[i].record != NULL)
      sv_postgres_array_add (windows, batch->batch[i].record->window_id);
  const SvPostgresQuery queries[] = {
    { .sql = "BEGIN" },
    { .sql = "SELECT value, first_request, last_request FROM scorevision.counters WHERE name = 'issued' FOR UPDATE" },
    sv_postgres_requests_query (state, &last),
    { .sql = "SELECT window_id FROM scorevision.closed_windows WHERE window_id = ANY ($1::text[])",
      .n = 1,
      .values = { sv_postgres_array_end (windows) } },
  };
  PGresult *results[G_N_ELEMENTS (queries)];
  if (!sv_postgres_round (state, queries, G_N_ELEMENTS (queries), results, error))
    return FALSE;
  sv_postgres_take_requests (state, results[2], &has_all);
  take_closed (batch, results[3]);
  gboolean ok = take_counter (batch, results[1], has_all, error);
  sv_postgres_clear (results, G_N_ELEMENTS (queries));
  return ok;
}

/* ── judging ── */

static void
note_request (Batch *batch, const SvRequest *request)
{
  sv_postgres_array_add_integer (batch->requests[0], ++batch->state->last_request);
  sv_postgres_array_add (batch->requests[1], request->asker);
  sv_postgres_array_add (batch->requests[2], request->nonce);
  sv_postgres_array_add (batch->requests[3], request->x_nonce);
  sv_postgres_array_add (batch->requests[4], request->client_id);
  sv_postgres_array_add_integer (batch->requests[5], request->now_ms);
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
  batch->task_ms = MAX (batch->task_ms, task->issued_ms);
  batch->n_tasks++;
}

static void
judge (Batch *batch, SvAdmission *admission)
{
  SvRequest request;
  gboolean is_closed = admission->record != NULL && g_hash_table_contains (batch->closed, admission->record->window_id);
  batch->now_ms = MAX (batch->now_ms, admission->now_ms);
  if (!sv_request_memory_judge_logged (batch->state->memory, batch->rules->limit, is_closed, admission, &request))
    return;
  note_request (batch, &request);
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

/* Of the rows from $3 to before $4 those go that come before the first which is still needed. A time far ahead comes from a
 * clock that has been set back since. */
#define END                                                                                                                    \
  "WITH kept AS (SELECT COALESCE ((SELECT seq FROM scorevision.requests WHERE seq >= $3::bigint AND seq < $4::bigint"          \
  " AND time_ms BETWEEN $5::bigint AND $6::bigint ORDER BY seq LIMIT 1), $4::bigint) AS seq),"                                 \
  " gone AS (DELETE FROM scorevision.requests r USING kept WHERE r.seq >= $3::bigint AND r.seq < kept.seq)"                    \
  " UPDATE scorevision.counters SET value = $1::bigint, last_request = $2::bigint, first_request = kept.seq FROM kept"         \
  " WHERE name = 'issued'"

static SvPostgresQuery
end_of_batch (const Batch *batch, SvPostgresNumber numbers[6])
{
  gint64 remember_ms = (gint64)batch->rules->remember_ms;
  gint64 end = MIN (batch->first_request + 2 * (gint64)batch->n + 16, batch->old_end + 1);
  return (SvPostgresQuery){
    .sql = END,
    .n = 6,
    .values = { sv_postgres_number (&numbers[0], batch->last_id), sv_postgres_number (&numbers[1], batch->state->last_request),
                sv_postgres_number (&numbers[2], batch->first_request), sv_postgres_number (&numbers[3], end),
                sv_postgres_number (&numbers[4], batch->now_ms - remember_ms),
                sv_postgres_number (&numbers[5], batch->now_ms + remember_ms) }
  };
}

static gboolean
end (Batch *batch, GError **error)
{
  guint n = 0;
  SvPostgresQuery queries[6];
  SvPostgresNumber numbers[6], old[3];
  if (batch->requests[0]->len > 0)
    queries[n++] = insert_of ("INSERT INTO scorevision.requests (seq, asker, nonce, x_nonce, client_id, time_ms)"
                              " SELECT * FROM unnest ($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],"
                              " $6::bigint[])",
                              batch->requests, G_N_ELEMENTS (batch->requests));
  if (batch->issued[0]->len > 0)
    queries[n++] = insert_of ("INSERT INTO scorevision.issued (challenge_id, asker, miner, window_id, manifest_hash,"
                              " element_id, clip_hash, seed, nonce, block, time_ms) SELECT * FROM unnest ($1::bigint[],"
                              " $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],"
                              " $9::text[], $10::bigint[], $11::bigint[])",
                              batch->issued, G_N_ELEMENTS (batch->issued));
  if (batch->n_tasks > 0)
  {
    queries[n++] = sv_postgres_remove_old_tasks (batch->n_tasks, batch->task_ms, old);
    queries[n++] = insert_of ("INSERT INTO scorevision.tasks (id, asker, clip_hash, issued_ms) SELECT * FROM"
                              " unnest ($1::bigint[], $2::text[], $3::text[], $4::bigint[])",
                              batch->tasks, G_N_ELEMENTS (batch->tasks));
  }
  queries[n++] = end_of_batch (batch, numbers);
  queries[n++] = (SvPostgresQuery){ .sql = "COMMIT" };
  return sv_postgres_round (batch->state, queries, n, NULL, error);
}

static gboolean
admit (Batch *batch, GError **error)
{
  SvPostgresState *state = batch->state;
  if (batch->n == 0)
    return TRUE;
  if (!sv_postgres_ready (state, error) || !sv_postgres_remember_requests (state, batch->rules, error) || !begin (batch, error))
    return FALSE;
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
    { .sql = "SELECT value FROM scorevision.counters WHERE name = 'issued' FOR UPDATE" },
    { .sql =
          "INSERT INTO scorevision.issued (challenge_id, asker, miner, window_id, manifest_hash, element_id, clip_hash, seed,"
          " nonce, block, time_ms) VALUES (9223372036854775807, '', '', '', '', '', '', 0, '', 0, 0)" },
    { .sql = "DELETE FROM scorevision.issued WHERE challenge_id = 9223372036854775807" },
    { .sql = "INSERT INTO scorevision.requests (seq, asker, nonce, x_nonce, client_id, time_ms)"
             " VALUES (9223372036854775807, '', NULL, NULL, '', 0)" },
    { .sql = "DELETE FROM scorevision.requests WHERE seq = 9223372036854775807" },
    { .sql = "COMMIT" },
  };
  SvPostgresState *state = (SvPostgresState *)base;
  if (sv_postgres_ready (state, error) && sv_postgres_round (state, queries, G_N_ELEMENTS (queries), NULL, error))
    return TRUE;
  sv_postgres_disconnect (state);
  return FALSE;
}
