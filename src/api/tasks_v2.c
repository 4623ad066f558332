/* GET /api/tasks/next/v2: the legacy contract, kept for the migration. Any registered clip, drawn at random; no manifest. Its
 * nonces and rate are recorded as v3's are; the issue log itself is per window and manifest and knows nothing of v2. Of
 * strangers, who are served where no validator list is configured, nothing is written: keys cost nothing to make, and each
 * would leave rows behind for good. The memory of admission, which is bounded, holds their nonces and their rate. */
#include <sodium.h>

#include "api/asker.h"
#include "api/clip_link.h"
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
make_task (const SvService *service, const SvClip *clip, gint64 now_ms)
{
  guint64 seed;
  randombytes_buf (&seed, sizeof seed);
  g_autofree char *task_id = g_uuid_string_random ();
  g_autofree char *url = sv_clip_url (service->store, service->bases[0], service->clip_key, clip->hash, now_ms);
  json_t *task = json_object ();
  json_object_set_new (task, "task_id", json_string (task_id));
  json_object_set_new (task, "video_url", json_string (url));
  json_object_set_new (task, "fps", json_real (clip->fps));
  json_object_set_new (task, "challenge_type", sv_json_string_or_null (clip->challenge_type));
  json_object_set_new (task, "seed", sv_json_integer (seed & SV_JSON_MAX_INTEGER));
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
    reply = sv_asker_verify (&work->request, TRUE, now_ms);
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

/* (transfer none) one of the clips that can be handed out, or NULL. Of lost ones there are few, so going on from where chance
 * has led is fair enough. */
static const SvClip *
draw_clip (const SvSnapshot *snapshot)
{
  guint n = snapshot->clips != NULL ? snapshot->clips->list->len : 0;
  guint first = n > 0 ? randombytes_uniform (n) : 0;
  const SvClip *clip = NULL;
  for (guint i = 0; i < n && clip == NULL; i++)
    clip = sv_snapshot_clip (snapshot, ((const SvClip *)snapshot->clips->list->pdata[(first + i) % n])->hash);
  return clip;
}

/* Waits until the request is durable. */
static void
record (SvExchange *exchange, const Work *work)
{
  SvIssueEntry *entry = sv_issue_entry_new (&work->admission);
  entry->done = take_entry;
  entry->data = exchange;
  exchange->stage++;
  sv_exchange_suspend (exchange);
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
  const SvClip *clip = draw_clip (snapshot);
  if (clip == NULL)
  {
    if (!is_stranger)
      sv_issue_log_submit (exchange->service->issue_log, sv_issue_entry_new (&work->admission));
    return sv_reply_error (503, "no_challenge", "No clip is registered here, or none is in the store");
  }
  work->task = make_task (exchange->service, clip, now_ms);
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
