/* Getting work: one request after the other until there is a challenge, and a rule for every answer in between. What repeats is
 * bounded: an unattended runner that asks for ever hides a fault from its owner. */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "runner/runner_internal.h"

#define MAX_ROUNDS 6       /* requests for one challenge */
#define MAX_WAIT_S 300     /* longer waits are the operator's business */
#define DEFAULT_WAIT_S 5   /* for a 503 that names none */
#define DEFAULT_LIMIT_S 60 /* for a 409 that names none */

void
sv_work_clear (SvWork *work)
{
  g_clear_pointer (&work->manifest, sv_manifest_free);
  g_clear_pointer (&work->challenge, sv_challenge_free);
  g_clear_pointer (&work->miner, g_free);
  g_clear_pointer (&work->proof, g_free);
  sv_binding_clear (&work->binding);
}

/* What to do after an answer that is no challenge. */
typedef enum
{
  AGAIN,          /* with a new nonce */
  ANOTHER_DRAW,   /* of the next element: this one's clip is not there */
  FRESH_MANIFEST, /* read index and manifest past caches */
  FRESH_BINDINGS, /* refresh the proof */
  WAIT,
  GIVE_UP,
} Remedy;

static gboolean
lacks_clip (const SvRefusal *refusal)
{
  return refusal->status == 503 && g_strcmp0 (refusal->error, "no_challenge") == 0;
}

static Remedy
remedy_for (const SvRefusal *refusal)
{
  gboolean is_replay = g_strcmp0 (refusal->reason, "replayed_nonce") == 0;
  if (lacks_clip (refusal))
    return ANOTHER_DRAW;
  switch (refusal->status)
  {
  case 401:
    return is_replay ? AGAIN : GIVE_UP;
  case 404:
  case 410:
    return FRESH_MANIFEST;
  case 409:
  case 429:
  case 502:
  case 503:
  case 504:
    return WAIT;
  case 412:
    return FRESH_BINDINGS;
  default:
    return GIVE_UP;
  }
}

/* Neither the runner nor the miner can do anything about it, so it says who can. */
static void
set_without_clip (const SvRefusal *refusal, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "the Challenge API answered 503 no_challenge: %s; the fault is neither this machine's nor the miner's: tell the "
               "API's operator, who has to name clips in the window's manifest and to register each with `sv clip add`; until "
               "then other elements may have clips (--element)",
               refusal->message);
}

static void
set_refused (const SvRefusal *refusal, GError **error)
{
  if (lacks_clip (refusal))
  {
    set_without_clip (refusal, error);
    return;
  }
  static const struct
  {
    guint status;
    const char *reason;
    SvErrorCode code;
    const char *hint;
  } hints[] = {
    { 401, "stale_nonce", SV_ERROR_POLICY,
      "; this machine's clock is wrong by more than a minute: set it (for example with chrony)" },
    { 401, "not_permitted", SV_ERROR_POLICY,
      "; this hotkey is not on the API's validator list, so it can only run its own commitments" },
    { 401, "unbound_nonce", SV_ERROR_POLICY, "; SCOREVISION_API must be written as the server's own public address" },
    { 401, NULL, SV_ERROR_VERIFY, "" },
    { 412, NULL, SV_ERROR_POLICY, "; see `sv miner commitments --refresh`, and commit with `sv miner commit`" },
    { 404, NULL, SV_ERROR_NOT_FOUND, "; see `sv manifest current`" },
    { 410, NULL, SV_ERROR_NOT_FOUND, "; see `sv manifest current`" },
    { 409, NULL, SV_ERROR_POLICY, "" },
    { 400, NULL, SV_ERROR_FAILED, "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (hints); i++)
    if (hints[i].status == refusal->status && (hints[i].reason == NULL || g_strcmp0 (hints[i].reason, refusal->reason) == 0))
    {
      g_set_error (error, SV_ERROR, hints[i].code, "the Challenge API answered %u %s%s%s%s: %s%s", refusal->status,
                   refusal->error != NULL ? refusal->error : "", refusal->reason != NULL ? " (" : "",
                   refusal->reason != NULL ? refusal->reason : "", refusal->reason != NULL ? ")" : "", refusal->message,
                   hints[i].hint);
      return;
    }
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "the Challenge API answered %u %s: %s", refusal->status,
               refusal->error != NULL ? refusal->error : "", refusal->message);
}

static gboolean
wait_as_told (const SvRunner *runner, const SvRefusal *refusal, GError **error)
{
  guint seconds = refusal->retry_after_s;
  if (seconds == 0)
    seconds = refusal->status == 409 ? DEFAULT_LIMIT_S : DEFAULT_WAIT_S;
  if (seconds <= MAX_WAIT_S)
    return sv_runner_wait (runner, seconds, refusal->message, error);
  set_refused (refusal, error);
  return FALSE;
}

/* ── v3 ── */

static gboolean
load (SvRunner *runner, Remedy after, SvWork *work, GError **error)
{
  SvHead head;
  if (!sv_chain_head (runner->chain, &head, error))
    return FALSE;
  if (after == FRESH_MANIFEST)
  {
    g_autoptr (SvIndex) index = sv_fetch_index (runner->reader, SV_FETCH_BYPASS_CACHES, error);
    if (index == NULL)
      return FALSE;
  }
  g_clear_pointer (&work->manifest, sv_manifest_free);
  work->manifest = sv_get_current_manifest (runner->reader, head.best.number, error);
  return work->manifest != NULL && sv_get_commitment_proofs (runner->rotation, runner->chain, work->manifest, head.best.number,
                                                             after == FRESH_BINDINGS, error);
}

/* The next element of which the manifest names clips: for others there is no challenge to be had, and no use in asking. */
static const SvBoundElement *
choose (SvRunner *runner, const SvWork *work, const char **miner, GError **error)
{
  g_autofree char *first = NULL;
  for (;;)
  {
    const SvBoundElement *bound = sv_select_element_from_commitments (runner->rotation, miner, error);
    const SvElement *element = bound != NULL ? sv_manifest_find_element (work->manifest, bound->binding.element_id) : NULL;
    if (element == NULL || element->n_clips > 0)
      return bound;
    g_autofree char *key = g_strdup_printf ("%s %s", *miner, element->id);
    if (g_strcmp0 (key, first) == 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
                   "window %s has no clips for element %s, so there are no challenges for it; tell the operator of the subnet, "
                   "whose manifest has to name some, or run another element (`sv manifest current` shows them)",
                   work->manifest->window_id, element->id);
      return NULL;
    }
    if (first == NULL)
      first = g_steal_pointer (&key);
    sv_rotation_done (runner->rotation, *miner, bound);
  }
}

static gboolean
ask (SvRunner *runner, SvWork *work, SvRefusal *refusal, GError **error)
{
  const char *miner = NULL;
  const SvBoundElement *bound = choose (runner, work, &miner, error);
  if (bound == NULL)
    return FALSE;
  gboolean is_self = strcmp (miner, sv_keypair_address (runner->keypair)) == 0;
  SvChallengeAsk question = { .manifest = work->manifest, .bound = bound, .miner = is_self ? NULL : miner };
  sv_runner_step (runner, "asking for a challenge: %s, window %s, miner %s", bound->binding.element_id,
                  work->manifest->window_id, miner);
  work->challenge = sv_get_next_challenge_v3 (&runner->client, &question, refusal, error);
  if (work->challenge == NULL)
  {
    /* The drawn clip is not there: the next element, or another draw, may have better luck. */
    if (lacks_clip (refusal))
      sv_rotation_done (runner->rotation, miner, bound);
    return FALSE;
  }
  work->miner = g_strdup (miner);
  work->proof = g_strdup (bound->proof);
  sv_binding_copy (&work->binding, &bound->binding);
  sv_rotation_done (runner->rotation, miner, bound);
  return TRUE;
}

gboolean
sv_runner_get_work (SvRunner *runner, SvWork *work, GError **error)
{
  Remedy after = AGAIN;
  gboolean is_refreshed = FALSE;
  for (guint round = 0;; round++)
  {
    g_auto (SvRefusal) refusal = { 0 };
    if (!load (runner, after, work, error))
      return FALSE;
    if (ask (runner, work, &refusal, error))
      return TRUE;
    if (refusal.status == 0)
      return FALSE;
    after = remedy_for (&refusal);
    sv_log ("info", "challenge refused", "error", refusal.error, "reason", refusal.reason, "message", refusal.message, NULL);
    if (after == GIVE_UP || round + 1 >= MAX_ROUNDS || (after == FRESH_BINDINGS && is_refreshed))
    {
      set_refused (&refusal, error);
      return FALSE;
    }
    is_refreshed |= after == FRESH_BINDINGS;
    if (after == ANOTHER_DRAW && refusal.retry_after_s == 0)
      continue;
    /* A window that turns takes a moment to reach everybody, so the second look for a fresh manifest is not at once. */
    if ((after == WAIT || after == ANOTHER_DRAW) ? !wait_as_told (runner, &refusal, error)
                                                 : round > 0 && !sv_runner_wait (runner, round, refusal.message, error))
      return FALSE;
  }
}

/* ── legacy ── */

SvTask *
sv_runner_get_task (SvRunner *runner, GError **error)
{
  for (guint round = 0;; round++)
  {
    g_auto (SvRefusal) refusal = { 0 };
    sv_runner_step (runner, "asking for a legacy task");
    SvTask *task = sv_get_next_challenge (&runner->client, &refusal, error);
    if (task != NULL || refusal.status == 0)
      return task;
    Remedy remedy = remedy_for (&refusal);
    sv_log ("info", "task refused", "error", refusal.error, "reason", refusal.reason, "message", refusal.message, NULL);
    if ((remedy != WAIT && remedy != AGAIN && remedy != ANOTHER_DRAW) || round + 1 >= MAX_ROUNDS)
    {
      set_refused (&refusal, error);
      return NULL;
    }
    if ((remedy == WAIT || (remedy == ANOTHER_DRAW && refusal.retry_after_s > 0)) && !wait_as_told (runner, &refusal, error))
      return NULL;
  }
}
