/* The endpoints that today's public client calls, for askers on the validator list: a task is handed out, completed, and then
 * its ground truth may be read (docs/protocol.md section 7). Each request uses up its nonce durably first; what has to be
 * looked up afterwards is the task desk's. A task belongs to whom it was issued to: to everybody else it does not exist. */
#include <string.h>

#include "api/asker.h"
#include "api/task_body.h"
#include "base/rfc3339.h"
#include "base/schema.h"

#define DESK_MAX 1024 /* jobs that may wait */
#define BELOW "/api/tasks/"

enum
{
  STAGE_BEGIN,
  STAGE_RECORDED, /* the nonce is used up durably */
  STAGE_DONE,     /* the desk has answered */
};

typedef struct
{
  SvChallengeRequest request; /* borrowed from the exchange */
  SvAdmissionRequest admission;
  json_t *task; /* what is handed out, but for its id */
  guint64 id;   /* what is asked about */
  SvIssueEntry *entry;
  SvTaskJob *job;
} Work;

static void
free_work (gpointer data)
{
  Work *work = data;
  json_decref (work->task);
  sv_issue_entry_free (work->entry);
  sv_task_job_free (work->job);
  g_free (work);
}

static Work *
work_of (SvExchange *exchange)
{
  if (exchange->work == NULL)
  {
    exchange->work = g_new0 (Work, 1);
    exchange->free_work = free_work;
  }
  return exchange->work;
}

/* ── who asks ── */

static SvReply *
reply_without_list (void)
{
  json_t *body = sv_error_body ("invalid_signature", "This server has no validator list (SCOREVISION_VALIDATORS), and these "
                                                     "endpoints serve only who is on it");
  json_object_set_new (body, "reason", json_string ("not_permitted"));
  return sv_reply_json (401, "not_permitted", body);
}

static SvReply *
admit (SvExchange *exchange, Work *work)
{
  SvService *service = exchange->service;
  gint64 now_ms = sv_clock_ms ();
  SvReply *reply = sv_asker_read (exchange, TRUE, &work->request);
  if (reply == NULL)
    reply = sv_asker_verify (service, &work->request, TRUE, now_ms);
  if (reply != NULL)
    return reply;
  if (service->validators == NULL)
    return reply_without_list ();
  if (!sv_validators_are_read (service->validators))
    return sv_reply_chain_unavailable ("the validator list has not been read yet");
  const char *asker = work->request.validator_hotkey;
  work->admission = (SvAdmissionRequest){ .asker = asker, .nonce = work->request.nonce, .time_ms = now_ms };
  gboolean is_permitted = sv_asker_is_validator (service, asker);
  return sv_asker_admit (service, &work->admission, is_permitted ? NULL : "not_permitted", is_permitted);
}

static void
take_entry (SvIssueEntry *entry, gpointer data)
{
  SvExchange *exchange = data;
  ((Work *)exchange->work)->entry = entry;
  sv_exchange_resume (exchange);
}

/* Waits until the request is durable, with @task (taken; NULL: none). */
static void
record (SvExchange *exchange, const Work *work, SvTaskRecord *task)
{
  SvIssueEntry *entry = sv_issue_entry_new (&work->admission);
  entry->task = task;
  entry->done = take_entry;
  entry->data = exchange;
  exchange->stage = STAGE_RECORDED;
  sv_exchange_wait (exchange, SV_WAIT_STATE);
  sv_issue_log_submit (exchange->service->issue_log, entry);
}

/* ── GET /api/tasks/next ── */

/* What the client knows sports by; for another there is no number. */
static json_t *
challenge_type_id (const char *challenge_type)
{
  static const char *const names[] = { "football", "cricket", "basketball" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (challenge_type, names[i]) == 0)
      return sv_json_integer (i);
  return g_strcmp0 (challenge_type, "soccer") == 0 ? sv_json_integer (0) : json_null ();
}

/* The client takes the same facts from several places, which older servers had them in. */
static json_t *
make_task (const SvService *service, const SvTaskDraw *draw, const char *element_id, gint64 now_ms)
{
  json_t *task = sv_task_body (service, draw->clip, draw->seed, now_ms);
  json_t *url = json_object_get (task, "video_url");
  json_t *payload = json_object ();
  json_object_set (payload, "clip_url", url);
  json_object_set (payload, "video_url", url);
  json_object_set (payload, "fps", json_object_get (task, "fps"));
  json_object_set (task, "asset_url", url);
  json_object_set_new (task, "payload", payload);
  json_object_set_new (task, "challenge_type_id", challenge_type_id (draw->clip->challenge_type));
  if (draw->entry == NULL)
    return task;
  json_object_set_new (task, "element_id", json_string (element_id));
  json_object_set_new (task, "window_id", json_string (draw->entry->window_id));
  json_object_set_new (task, "manifest_hash", json_string (draw->entry->hash));
  return task;
}

static SvReply *
begin_next (SvExchange *exchange, Work *work)
{
  SvReply *reply = admit (exchange, work);
  if (reply != NULL)
    return reply;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (exchange->service->board);
  SvTaskDraw draw;
  const char *element_id = work->request.element_id;
  gint64 now_ms = work->admission.time_ms;
  reply = sv_task_draw (exchange->service, snapshot, element_id, now_ms, &draw);
  if (reply != NULL)
  {
    sv_issue_log_submit (exchange->service->issue_log, sv_issue_entry_new (&work->admission));
    return reply;
  }
  SvTaskRecord *task = g_new0 (SvTaskRecord, 1);
  task->asker = g_strdup (work->admission.asker);
  task->clip_hash = g_strdup (draw.clip->hash);
  task->issued_ms = now_ms;
  work->task = make_task (exchange->service, &draw, element_id, now_ms);
  record (exchange, work, task);
  return NULL;
}

SvReply *
sv_handle_task_next (SvExchange *exchange)
{
  Work *work = work_of (exchange);
  if (exchange->stage == STAGE_BEGIN)
    return begin_next (exchange, work);
  SvReply *fault = sv_issue_entry_fault (work->entry);
  if (fault != NULL)
    return fault;
  sv_exchange_note_task (exchange, work->entry->task->id);
  json_object_set_new (work->task, "id", sv_json_integer (work->entry->task->id));
  json_object_set_new (work->task, "task_id", sv_json_integer (work->entry->task->id));
  return sv_reply_json (200, "issued", g_steal_pointer (&work->task));
}

/* ── asking about a task ── */

static void
take_job (SvTaskJob *job, gpointer data)
{
  SvExchange *exchange = data;
  ((Work *)exchange->work)->job = job;
  sv_exchange_resume (exchange);
}

static void
ask_desk (SvExchange *exchange, const Work *work, gboolean completes)
{
  SvTaskJob *job = g_new0 (SvTaskJob, 1);
  job->id = work->id;
  job->asker = g_strdup (work->admission.asker);
  job->now_ms = work->admission.time_ms;
  job->completes = completes;
  job->done = take_job;
  job->data = exchange;
  exchange->stage = STAGE_DONE;
  sv_exchange_wait (exchange, SV_WAIT_STATE);
  sv_task_desk_submit (exchange->service->tasks, job);
}

static SvReply *
reply_fault (const SvTaskJob *job)
{
  switch (job->outcome)
  {
  case SV_TASK_UNKNOWN:
    return sv_reply_error (404, "not_found", "No task %" G_GUINT64_FORMAT " was issued to this account in the last 7 days",
                           job->id);
  case SV_TASK_NOT_COMPLETED:
    return sv_reply_error (403, "not_completed",
                           "Task %" G_GUINT64_FORMAT " is not completed: POST it to /api/tasks/complete first", job->id);
  case SV_TASK_NO_TRUTH:
    return sv_reply_error (404, "no_ground_truth", "There is no ground truth for the clip of task %" G_GUINT64_FORMAT, job->id);
  case SV_TASK_TOO_MUCH:
    return sv_reply_overloaded ("Too much ground truth is being sent just now; try again with a new nonce");
  case SV_TASK_FAILED:
    return sv_reply_overloaded ("The task cannot be looked up just now; try again with a new nonce");
  case SV_TASK_DONE:
    break;
  }
  return NULL;
}

/* One request about work->id on its way: NULL while it waits, and when *@is_done, which is when the desk has done it. */
static SvReply *
go_on (SvExchange *exchange, Work *work, gboolean completes, gboolean *is_done)
{
  SvReply *reply = NULL;
  *is_done = FALSE;
  if (exchange->stage == STAGE_DONE)
  {
    reply = reply_fault (work->job);
    *is_done = reply == NULL;
  }
  else if (exchange->stage == STAGE_RECORDED)
  {
    reply = sv_issue_entry_fault (work->entry);
    if (reply == NULL)
      ask_desk (exchange, work, completes);
  }
  else if (sv_task_desk_waiting (exchange->service->tasks) >= DESK_MAX)
    reply = sv_reply_overloaded ("Too much is in flight here");
  else
  {
    reply = admit (exchange, work);
    if (reply == NULL)
      record (exchange, work, NULL);
  }
  return reply;
}

/* ── POST /api/tasks/complete ── */

static SvReply *
read_body (const SvExchange *exchange, guint64 *id)
{
  g_autoptr (GError) error = NULL;
  if (exchange->body_length == 0)
    return sv_reply_invalid ("body", "The body is missing: {\"challenge_id\": 12} is expected");
  g_autoptr (json_t) body =
      sv_json_parse ("The body", exchange->body, exchange->body_length, exchange->route->max_body, &error);
  if (body == NULL)
    return sv_reply_invalid ("body", error->message);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_auto (SvScope) scope = { 0 };
  if (sv_scope_init (&scope, body, "", faults))
    sv_scope_integer (&scope, "challenge_id", SV_REQUIRED, id);
  return sv_faults_check (faults, "The body", &error) ? NULL : sv_reply_invalid ("challenge_id", error->message);
}

SvReply *
sv_handle_task_complete (SvExchange *exchange)
{
  gboolean is_done = FALSE;
  Work *work = work_of (exchange);
  SvReply *reply = exchange->stage == STAGE_BEGIN ? read_body (exchange, &work->id) : NULL;
  if (reply == NULL)
  {
    sv_exchange_note_task (exchange, work->id);
    reply = go_on (exchange, work, TRUE, &is_done);
  }
  if (!is_done)
    return reply;
  g_autofree char *completed_at = sv_time_format (work->job->completed_ms);
  json_t *body = json_object ();
  json_object_set_new (body, "challenge_id", sv_json_integer (work->id));
  json_object_set_new (body, "status", json_string ("completed"));
  json_object_set_new (body, "completed_at", json_string (completed_at));
  return sv_reply_json (200, "completed", body);
}

/* ── GET /api/tasks/{id}/ground-truth ── */

static SvReply *
read_id (const SvExchange *exchange, guint64 *id)
{
  g_autofree char *text = NULL;
  const char *rest = exchange->target->path + strlen (BELOW);
  const char *slash = strchr (rest, '/');
  if (slash == NULL || strcmp (slash, "/ground-truth") != 0)
    return sv_reply_error (404, "not_found", "There is nothing here; /openapi.json lists what there is");
  text = g_strndup (rest, (gsize)(slash - rest));
  if (strspn (text, "0123456789") != strlen (text) || text[0] == '0' ||
      !g_ascii_string_to_unsigned (text, 10, 1, SV_JSON_MAX_INTEGER, id, NULL))
    return sv_reply_invalid ("id", "The task's id must be an integer from 1 to 2^53 - 1");
  return NULL;
}

/* The stored text is canonical, and so is the answer around it. */
static SvReply *
reply_ground_truth (const SvTaskJob *job)
{
  SvReply *reply = sv_reply_empty (200, "ground_truth");
  reply->body = g_strdup_printf ("{\"challenge_id\":%" G_GUINT64_FORMAT ",\"ground_truth\":%s}", job->id, job->ground_truth);
  reply->length = strlen (reply->body);
  sv_reply_set (reply, "Content-Type", "application/json");
  return reply;
}

SvReply *
sv_handle_task_ground_truth (SvExchange *exchange)
{
  gboolean is_done = FALSE;
  Work *work = work_of (exchange);
  SvReply *reply = exchange->stage == STAGE_BEGIN ? read_id (exchange, &work->id) : NULL;
  if (reply == NULL)
  {
    sv_exchange_note_task (exchange, work->id);
    reply = go_on (exchange, work, FALSE, &is_done);
  }
  if (!is_done)
    return reply;
  reply = reply_ground_truth (work->job);
  g_clear_pointer (&work->job->ground_truth, g_free);
  return reply;
}
