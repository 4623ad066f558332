/* GET /api/challenge/v3: the way of one challenge (docs/architecture.md). Between its stages the connection may be suspended;
 * what it needs afterwards it has as copies, and it judges again on whatever snapshot is current then. */
#include "api/asker.h"
#include "api/challenge_judge.h"

#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "base/rfc3339.h"

enum
{
  STAGE_BEGIN,
  STAGE_JUDGE,
  STAGE_ISSUED,
};

/* All that a request needs on its way, in one block, which the exchange keeps for its next request: blocks of this size are
 * where an allocator takes long. */
typedef struct
{
  SvExchange *exchange;
  SvChallengeRequest request; /* borrowed from the exchange */
  SvAdmissionRequest admission;
  char manifest_hash[SV_HASH_TEXT_SIZE];
  SvChallengeCase asked;
  SvOutcome outcome;
  SvStep waited;      /* what it was suspended for */
  SvIssueEntry entry; /* the issue log's while the exchange is suspended for it */
  char buffer[SV_CHALLENGE_TEXT_USUAL_SIZE];
} Work;

static void
free_work (gpointer data)
{
  Work *work = data;
  sv_challenge_text_clear (&work->outcome.answer);
  work->exchange->kept = work;
}

static Work *
take_work (SvExchange *exchange)
{
  Work *work = g_steal_pointer (&exchange->kept);
  if (work == NULL)
    work = g_new (Work, 1);
  memset (work, 0, offsetof (Work, buffer));
  work->exchange = exchange;
  work->outcome.buffer = work->buffer;
  return work;
}

/* ── who asks ── */

static gboolean
is_bound (const SvService *service, const SvChallengeRequest *request, const char *miner)
{
  if (request->x_nonce == NULL || request->x_signature == NULL)
    return FALSE;
  for (char **origin = service->origins; *origin != NULL; origin++)
  {
    g_autofree char *expected = sv_bound_nonce (*origin, service->netuid, request->validator_hotkey, request->nonce,
                                                request->element_id, miner, request->chute_slug ? request->chute_slug : "",
                                                request->commitment_proof ? request->commitment_proof : "");
    if (g_strcmp0 (expected, request->x_nonce) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Why the asker may not name this miner; NULL when he may. */
static const char *
refusal_of (const SvService *service, const SvChallengeRequest *request, const char *miner)
{
  if (strcmp (miner, request->validator_hotkey) == 0)
    return NULL;
  if (!sv_asker_is_validator (service, request->validator_hotkey))
    return "not_permitted";
  return is_bound (service, request, miner) ? NULL : "unbound_nonce";
}

static SvReply *
begin (SvExchange *exchange, Work *work)
{
  SvService *service = exchange->service;
  SvChallengeRequest *request = &work->request;
  sv_exchange_begin_steps (exchange);
  SvReply *reply = sv_asker_read (exchange, FALSE, request);
  if (reply != NULL)
    return reply;
  gint64 now_ms = sv_clock_ms ();
  const char *asker = request->validator_hotkey;
  const char *miner = request->miner_hotkey != NULL ? request->miner_hotkey : asker;
  reply = sv_asker_verify (service, request, FALSE, now_ms);
  sv_exchange_end_step (exchange, SV_STEP_SIGNATURES);
  if (reply != NULL)
    return reply;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (service->board);
  gboolean is_hash = sv_hash_normalize_into (request->manifest_hash, work->manifest_hash);
  g_assert (is_hash); /* the request's form is right */
  work->asked = (SvChallengeCase){ .request = request,
                                   .manifest_hash = work->manifest_hash,
                                   .miner = miner,
                                   .is_known = sv_asker_is_known (service, snapshot, asker),
                                   .now_ms = now_ms };
  work->admission = (SvAdmissionRequest){
    .asker = asker, .nonce = request->nonce, .x_nonce = request->x_nonce, .client_id = request->client_id, .time_ms = now_ms
  };
  if (strcmp (miner, asker) != 0 && service->validators != NULL && !sv_validators_are_read (service->validators))
    return sv_reply_chain_unavailable ("the validator list has not been read yet");
  reply = sv_asker_admit (service, &work->admission, refusal_of (service, request, miner), work->asked.is_known);
  sv_exchange_end_step (exchange, SV_STEP_ADMISSION);
  return reply;
}

/* ── what he gets ── */

static void
go_on (SvIssueEntry *entry, gpointer exchange)
{
  sv_exchange_resume (exchange);
}

/* The nonce of a request that ends with an error is used up all the same, and stays so over a restart; nobody waits for it. */
static SvReply *
end_with_error (SvExchange *exchange, Work *work, SvReply *reply)
{
  if (work->asked.is_known)
    sv_issue_log_submit (exchange->service->issue_log, sv_issue_entry_new (&work->admission));
  return reply;
}

static void
issue (SvExchange *exchange, Work *work)
{
  sv_issue_entry_borrow (&work->entry, &work->admission);
  work->entry.record = &work->outcome.record;
  work->entry.done = go_on;
  work->entry.data = exchange;
  exchange->stage = STAGE_ISSUED;
  sv_exchange_wait (exchange, SV_WAIT_STATE);
  sv_issue_log_submit (exchange->service->issue_log, &work->entry);
}

static SvReply *
judge (SvExchange *exchange, Work *work)
{
  SvService *service = exchange->service;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (service->board);
  sv_challenge_judge (service, snapshot, &work->asked, &work->outcome);
  g_clear_pointer (&snapshot, sv_snapshot_unref);
  sv_exchange_end_step (exchange, SV_STEP_JUDGING);
  exchange->stage = STAGE_JUDGE;
  switch (work->outcome.kind)
  {
  case SV_OUTCOME_REPLY:
    return end_with_error (exchange, work, work->outcome.reply);
  case SV_OUTCOME_READ_INDEX:
    work->asked.index_was_read = TRUE;
    work->waited = SV_STEP_INDEX;
    sv_exchange_wait (exchange, SV_WAIT_INDEX);
    sv_watcher_wait (service->manifests, sv_exchange_resume, exchange);
    break;
  case SV_OUTCOME_READ_CHAIN:
    work->asked.chain_was_read = TRUE;
    work->waited = SV_STEP_CHAIN;
    sv_exchange_wait (exchange, SV_WAIT_CHAIN);
    sv_watcher_wait (service->chain, sv_exchange_resume, exchange);
    break;
  case SV_OUTCOME_ISSUE:
    issue (exchange, work);
    break;
  }
  return NULL;
}

static SvReply *
answer (SvExchange *exchange, Work *work)
{
  gsize length;
  sv_exchange_end_step_at (exchange, SV_STEP_QUEUED, work->entry.taken_us);
  sv_exchange_end_step_at (exchange, SV_STEP_DURABLE, work->entry.done_us);
  const SvOutcome *outcome = &work->outcome;
  SvReply *fault = sv_issue_entry_fault (&work->entry);
  if (fault != NULL)
    return fault;
  if (work->entry.outcome == SV_WINDOW_CLOSED)
    return sv_challenge_expired (outcome->window_id, outcome->expiry_block, outcome->record.block);
  exchange->challenge_id = work->outcome.record.challenge_id;
  exchange->miner = work->asked.miner;
  exchange->element = work->request.element_id;
  const char *text = sv_challenge_text_finish (&work->outcome.answer, work->outcome.record.challenge_id, &length);
  return sv_reply_lend_json (200, "issued", text, length);
}

SvReply *
sv_handle_challenge_v3 (SvExchange *exchange)
{
  if (exchange->stage == STAGE_ISSUED)
    return answer (exchange, exchange->work);
  if (exchange->stage == STAGE_BEGIN)
  {
    exchange->work = take_work (exchange);
    exchange->free_work = free_work;
    SvReply *reply = begin (exchange, exchange->work);
    if (reply != NULL)
      return reply;
  }
  else
    sv_exchange_end_step (exchange, ((const Work *)exchange->work)->waited);
  return judge (exchange, exchange->work);
}
