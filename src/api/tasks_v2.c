/* GET /api/tasks/next/v2: the legacy contract, kept for the migration. Any registered clip, drawn at random; no manifest. Its
 * nonces and rate are recorded as v3's are; the issue log itself is per window and manifest and knows nothing of v2. Of
 * strangers, who are served where no validator list is configured, nothing is written: keys cost nothing to make, and each
 * would leave rows behind for good. The memory of admission, which is bounded, holds their nonces and their rate. */
#include "api/asker.h"
#include "api/task_body.h"
#include "base/rfc3339.h"

typedef struct
{
  SvChallengeRequest request;
  SvAdmissionRequest admission;
  json_t *task;
  SvIssueEntry *entry;
} Work;

static void
free_work (gpointer data)
{
  Work *work = data;
  json_decref (work->task);
  sv_issue_entry_free (work->entry);
  g_free (work);
}

static json_t *
make_task (SvExchange *exchange, const SvClip *clip, gint64 now_ms)
{
  g_autofree char *task_id = g_uuid_string_random ();
  g_strlcpy (exchange->task, task_id, sizeof exchange->task);
  json_t *task = sv_task_body (exchange->service, clip, sv_task_seed (), now_ms);
  json_object_set_new (task, "task_id", json_string (task_id));
  return task;
}

static void
take_entry (SvIssueEntry *entry, gpointer data)
{
  SvExchange *exchange = data;
  ((Work *)exchange->work)->entry = entry;
  sv_exchange_resume (exchange);
}

/* Who asks, up to admission. Where a validator list is configured only known askers are served, else whoever signs. */
static SvReply *
admit (SvExchange *exchange, Work *work, const SvSnapshot *snapshot, gint64 now_ms)
{
  SvService *service = exchange->service;
  SvReply *reply = sv_asker_read (exchange, TRUE, &work->request);
  if (reply == NULL)
    reply = sv_asker_verify (service, &work->request, TRUE, now_ms);
  if (reply != NULL)
    return reply;
  gboolean is_known = sv_asker_is_known (service, snapshot, work->request.validator_hotkey);
  gboolean is_served = is_known || service->validators == NULL;
  if (!is_served && (snapshot->bindings == NULL || snapshot->catalog == NULL))
    return sv_reply_chain_unavailable ("who has a commitment has not been read yet");
  work->admission = (SvAdmissionRequest){
    .asker = work->request.validator_hotkey, .nonce = work->request.nonce, .time_ms = now_ms, .is_stranger = !is_known
  };
  return sv_asker_admit (service, &work->admission, is_served ? NULL : "not_permitted", is_served);
}

/* Waits until the request is durable. */
static void
record (SvExchange *exchange, const Work *work)
{
  SvIssueEntry *entry = sv_issue_entry_new (&work->admission);
  entry->done = take_entry;
  entry->data = exchange;
  exchange->stage++;
  sv_exchange_wait (exchange, SV_WAIT_STATE);
  sv_issue_log_submit (exchange->service->issue_log, entry);
}

static SvReply *
begin (SvExchange *exchange, Work *work)
{
  gint64 now_ms = sv_clock_ms ();
  g_autoptr (SvSnapshot) snapshot = sv_board_get (exchange->service->board);
  SvReply *reply = admit (exchange, work, snapshot, now_ms);
  if (reply != NULL)
    return reply;
  gboolean is_stranger = work->admission.is_stranger;
  const SvClip *clip = sv_task_draw_clip (snapshot);
  if (clip == NULL)
  {
    if (!is_stranger)
      sv_issue_log_submit (exchange->service->issue_log, sv_issue_entry_new (&work->admission));
    return sv_task_reply_no_clip ();
  }
  work->task = make_task (exchange, clip, now_ms);
  if (is_stranger)
    return sv_reply_json (200, "issued", g_steal_pointer (&work->task));
  record (exchange, work);
  return NULL;
}

SvReply *
sv_handle_tasks_v2 (SvExchange *exchange)
{
  if (exchange->stage == 0)
  {
    exchange->work = g_new0 (Work, 1);
    exchange->free_work = free_work;
    return begin (exchange, exchange->work);
  }
  Work *work = exchange->work;
  SvReply *fault = sv_issue_entry_fault (work->entry);
  return fault != NULL ? fault : sv_reply_json (200, "issued", g_steal_pointer (&work->task));
}
