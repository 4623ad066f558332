/* Admission: replays, rate limits and the recording of requests, for a batch in one transaction. What is judged by is in memory
 * (request_memory.c), brought up to date under the transaction's lock (sqlite_requests.c), and dropped when a transaction
 * fails. So a batch writes one row for its requests, one for its challenges, and one for each task that it gives out. */
#include <string.h>

#include "state/sqlite_state.h"

/* One batch on its way. */
typedef struct
{
  const SvAdmissionRules *rules;
  GString *log;
  SvSqliteIssues issues;
  gint64 last_ms;           /* the latest time in the log */
  const char *asked_window; /* which was looked up last, under this lock; borrowed from its request */
  gboolean is_closed;       /* and what was found */
} Batch;

static gboolean
log_request (SvSqliteState *state, Batch *batch, const SvRequest *request, GError **error)
{
  batch->last_ms = MAX (batch->last_ms, request->now_ms);
  return sv_sqlite_log_request (state, batch->log, request, error);
}

/* Asked before the request is judged, which remembers it: of one that comes too late nothing is recorded. */
static gboolean
is_too_late (SvSqliteState *state, Batch *batch, const SvAdmission *admission, gboolean *is_closed, GError **error)
{
  *is_closed = FALSE;
  if (admission->record == NULL)
    return TRUE;
  const char *window = admission->record->window_id;
  if (batch->asked_window == NULL || strcmp (batch->asked_window, window) != 0)
  {
    batch->asked_window = NULL;
    if (!sv_sqlite_window_is_closed (state, window, &batch->is_closed, error))
      return FALSE;
    batch->asked_window = window;
  }
  *is_closed = batch->is_closed;
  return TRUE;
}

static gboolean
admit_one (SvSqliteState *state, Batch *batch, SvAdmission *admission, GError **error)
{
  gboolean is_closed;
  SvRequest request;
  if (!is_too_late (state, batch, admission, &is_closed, error))
    return FALSE;
  if (!sv_request_memory_judge_logged (state->memory, batch->rules->limit, is_closed, admission, &request))
    return TRUE;
  if (!log_request (state, batch, &request, error))
    return FALSE;
  if (admission->outcome == SV_RATE_LIMITED)
    return TRUE;
  return (admission->record == NULL || sv_sqlite_insert_issued (state, &batch->issues, admission->record, error)) &&
         (admission->task == NULL || sv_sqlite_insert_task (state, admission->task, error));
}

static gboolean
admit_each (SvSqliteState *state, Batch *batch, SvAdmission *admissions, gsize n, GError **error)
{
  for (gsize i = 0; i < n; i++)
    if (!admit_one (state, batch, &admissions[i], error))
      return FALSE;
  return sv_sqlite_write_issues (state, &batch->issues, error) &&
         (batch->log->len == 0 || sv_sqlite_write_requests (state, batch->log, batch->last_ms, error));
}

static gboolean
admit_all (SvSqliteState *state, const SvAdmissionRules *rules, SvAdmission *admissions, gsize n, GError **error)
{
  g_autoptr (GString) log = g_string_sized_new (n * 128);
  Batch batch = { .rules = rules, .log = log, .last_ms = G_MININT64 };
  sv_sqlite_issues_init (&batch.issues);
  gboolean ok = sv_sqlite_read_requests (state, rules, error) && admit_each (state, &batch, admissions, n, error);
  sv_sqlite_issues_clear (&batch.issues);
  return ok;
}

gboolean
sv_sqlite_admit (SvState *base, const SvAdmissionRules *rules, SvAdmission *batch, gsize n, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  sv_sqlite_checkpointer_start (state);
  return sv_sqlite_begin (state, error) && sv_sqlite_end (state, admit_all (state, rules, batch, n, error), error);
}

/* ── whether there is anything to be had ── */

static gboolean
write_and_remove (SvSqliteState *state, GError **error)
{
  static const char *const steps[] = {
    "INSERT INTO issued (last_id, records) VALUES (9223372036854775807, x'')",
    "DELETE FROM issued WHERE last_id = 9223372036854775807",
    "INSERT INTO requests (id, last_id, time_ms, log) VALUES (9223372036854775807, 0, 0, x'')",
    "DELETE FROM requests WHERE id = 9223372036854775807",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
  {
    sqlite3_stmt *statement = sv_sqlite_statement (state, steps[i], error);
    if (statement == NULL || !sv_sqlite_run (state, statement, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
sv_sqlite_try_admission (SvState *base, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  return sv_sqlite_begin (state, error) && sv_sqlite_end (state, write_and_remove (state, error), error);
}
