/* The chain watcher: follows the subnet's commitments (bindings/follower.h) from where the open windows need them, and puts
 * each new picture on the board.
 *
 * Of all instances that share a state one leads: it reads the chain, at its interval, and at once where somebody wishes it,
 * here or elsewhere; and shares what it has read. The others take that over, the validator list with it, so that all answer by
 * the same block. Steps are short of what they cost, a question or two to the state, so all look often.
 *
 * An instance whose endpoint has not answered yet does not ask to lead, nor does one that knows no index, so which windows are
 * open; so it keeps nobody from it who knows more. */
#include "api/watching.h"

#include "base/log.h"
#include "base/rfc3339.h"

#define PROGRESS_EVERY_US (5 * G_TIME_SPAN_SECOND)
#define ANSWER_WITHIN_US (3 * G_TIME_SPAN_SECOND) /* how long a wish for the leader's next reading is waited for */
#define LOOK_EVERY_US 20000
#define TASK "chain"

struct SvChainWatch
{
  SvBoard *board;
  SvChainOpener *opener;
  SvChain *chain; /* NULL until its endpoint has answered */
  SvState *state;
  SvFollower *follower;     /* NULL while it is not known which chain there is to follow */
  SvChainId id;             /* that chain */
  SvValidators *validators; /* borrowed, or NULL */
  SvBindings *published;    /* counted: the picture on the board */
  gboolean is_following;
  gint64 progress_us;
  gint64 interval_us; /* between readings that nobody has wished */
  gint64 read_us;     /* monotonic: when the chain was read last */
  guint64 answered;   /* the last wish that was there before */
  gboolean leads;
  SvWatchTold told;
};

SvChainWatch *
sv_chain_watch_new (const SvConfig *config, SvBoard *board, SvChainOpener *opener, SvValidators *validators, GError **error)
{
  g_autoptr (SvChainWatch) watch = g_new0 (SvChainWatch, 1);
  watch->board = board;
  watch->validators = validators;
  watch->opener = opener;
  watch->state = sv_state_open (config, error);
  return watch->state != NULL ? g_steal_pointer (&watch) : NULL;
}

void
sv_chain_watch_free (SvChainWatch *watch)
{
  if (watch == NULL)
    return;
  g_clear_pointer (&watch->published, sv_bindings_unref);
  g_clear_pointer (&watch->follower, sv_follower_free);
  g_clear_pointer (&watch->state, sv_state_free);
  g_clear_pointer (&watch->chain, sv_chain_free);
  sv_watch_told_clear (&watch->told);
  g_free (watch);
}

/* TRUE from when the chain's endpoint has answered. Which chain it is may be known before. */
static gboolean
has_chain (SvChainWatch *watch)
{
  if (watch->chain != NULL)
    return TRUE;
  watch->chain = sv_chain_opener_open (watch->opener, NULL);
  sv_board_set_chain_contact (watch->board, watch->chain != NULL ? SV_CHAIN_ANSWERS : sv_chain_opener_contact (watch->opener));
  if (watch->follower == NULL && sv_chain_opener_id (watch->opener, &watch->id))
    watch->follower = sv_follower_new_without_chain (&watch->id, watch->state);
  if (watch->chain == NULL)
    return FALSE;
  sv_follower_set_chain (watch->follower, watch->chain);
  watch->interval_us = (gint64)sv_chain_poll_interval_ms (watch->chain) * 1000;
  sv_board_set_on_demand (watch->board, sv_chain_block_time_ms (watch->chain) == 0);
  return TRUE;
}

/* As far back as it was followed before, and without a gap: else all that the state has would be dropped, which other
 * instances may need, and a node may not have any more. */
static gboolean
continue_from (SvChainWatch *watch, guint64 *from, GError **error)
{
  SvCheckpoint stored;
  SvSharedStatus status = { 0 };
  g_autoptr (SvSharedChain) shared = NULL;
  gboolean found = FALSE;
  if (!sv_state_checkpoint (watch->state, &watch->id, &stored, &found, error) ||
      !sv_state_shared_chain (watch->state, &watch->id, &status, &shared, error))
    return FALSE;
  if (found)
    *from = MIN (*from, stored.number + 1);
  if (found && shared != NULL)
    *from = MIN (*from, shared->from_block);
  return TRUE;
}

/* Following begins where the earliest open window needs it; with none open yet, at the head. */
static gboolean
choose_start (SvChainWatch *watch, const SvHead *head, GError **error)
{
  guint64 from;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (watch->board);
  if (snapshot->catalog == NULL || !sv_window_follow_from (snapshot->catalog->index, head->best.number, &from))
  {
    from = head->finalized.number;
    if (watch->is_following || !continue_from (watch, &from, error))
      return watch->is_following;
  }
  watch->is_following = TRUE;
  sv_follower_set_from (watch->follower, from);
  return TRUE;
}

static void
show_progress (guint64 block, guint64 head, gpointer data)
{
  SvChainWatch *watch = data;
  gint64 now = g_get_monotonic_time ();
  if (now - watch->progress_us < PROGRESS_EVERY_US)
    return;
  watch->progress_us = now;
  g_autofree char *block_text = g_strdup_printf ("%" G_GUINT64_FORMAT, block);
  g_autofree char *head_text = g_strdup_printf ("%" G_GUINT64_FORMAT, head);
  sv_log ("info", "reading the chain", "block", block_text, "head", head_text, NULL);
}

static void
publish (SvChainWatch *watch)
{
  g_autoptr (SvBindings) bindings = sv_follower_bindings (watch->follower);
  if (bindings == NULL || bindings == watch->published)
    return;
  sv_board_publish_bindings (watch->board, sv_bindings_ref (bindings));
  g_clear_pointer (&watch->published, sv_bindings_unref);
  watch->published = g_steal_pointer (&bindings);
}

/* ── leading ── */

static gboolean
follow (SvChainWatch *watch, guint64 wished, GError **error)
{
  SvHead head;
  SvSharing sharing = { .began_us = g_get_monotonic_time (), .answered = wished };
  if (!sv_chain_head (watch->chain, &head, error))
    return FALSE;
  if (watch->validators != NULL && !sv_validators_refresh (watch->validators, watch->chain, head.finalized.number, error))
    return FALSE;
  g_auto (GStrv) permits = watch->validators != NULL ? sv_validators_permits (watch->validators, &sharing.permits_block) : NULL;
  sharing.permits = permits;
  if (!choose_start (watch, &head, error))
    return FALSE;
  watch->progress_us = g_get_monotonic_time ();
  return sv_follower_lead (watch->follower, &sharing, show_progress, watch, error);
}

static gboolean
step_leading (SvChainWatch *watch, gboolean is_demanded, GError **error)
{
  SvSharedStatus status = { 0 };
  gint64 began_ms = sv_clock_ms (), now_us = g_get_monotonic_time ();
  if (!sv_state_shared_chain (watch->state, &watch->id, &status, NULL, error))
    return FALSE;
  if (!is_demanded && status.wished == watch->answered && now_us - watch->read_us < watch->interval_us && watch->read_us != 0)
    return TRUE;
  watch->read_us = now_us;
  watch->answered = status.wished;
  if (!follow (watch, status.wished, error))
    return FALSE;
  sv_board_saw_chain (watch->board, began_ms);
  publish (watch);
  return TRUE;
}

/* ── following the leader ── */

static gboolean
take_over_picture (SvChainWatch *watch, SvSharedStatus *status, GError **error)
{
  g_autoptr (SvSharedChain) shared = NULL;
  if (!sv_follower_read (watch->follower, status, &shared, error))
    return FALSE;
  if (shared != NULL && shared->permits != NULL && watch->validators != NULL)
    sv_validators_set (watch->validators, shared->permits, shared->permits_block);
  publish (watch);
  if (status->age_ms < sv_clock_ms ())
    sv_board_saw_chain (watch->board, MAX (sv_clock_ms () - status->age_ms, sv_board_chain_seen_ms (watch->board)));
  return TRUE;
}

static gboolean
ask_to_lead (SvChainWatch *watch, GError **error)
{
  gboolean leads = FALSE;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (watch->board);
  gboolean can_lead = watch->chain != NULL && snapshot->catalog != NULL;
  if (can_lead && !sv_state_lead (watch->state, TASK, &leads, error))
    return FALSE;
  if (leads != watch->leads)
    sv_log ("info", leads ? "this instance follows the chain" : "another instance follows the chain", NULL);
  if (leads && !watch->leads)
    watch->read_us = 0;
  watch->leads = leads;
  return TRUE;
}

/* Somebody waits for what the chain holds now: until the leader has read it after he was asked, or this instance has become the
 * leader, or it has taken too long; then who waits is told that the chain was not read. */
static gboolean
await_reading (SvChainWatch *watch, GError **error)
{
  guint64 wish;
  SvSharedStatus status = { 0 };
  gint64 began_ms = sv_clock_ms (), deadline = g_get_monotonic_time () + ANSWER_WITHIN_US;
  if (!sv_state_wish_chain (watch->state, &watch->id, &wish, error))
    return FALSE;
  while (g_get_monotonic_time () < deadline)
  {
    if (!take_over_picture (watch, &status, error))
      return FALSE;
    if (status.answered >= wish)
    {
      sv_board_saw_chain (watch->board, began_ms);
      return TRUE;
    }
    if (!ask_to_lead (watch, error))
      return FALSE;
    if (watch->leads)
      return step_leading (watch, TRUE, error);
    g_usleep (LOOK_EVERY_US);
  }
  return TRUE;
}

static gboolean
step_following (SvChainWatch *watch, gboolean is_demanded, GError **error)
{
  SvSharedStatus status = { 0 };
  return is_demanded ? await_reading (watch, error) : take_over_picture (watch, &status, error);
}

void
sv_chain_watch_step (gboolean is_demanded, gpointer data)
{
  SvChainWatch *watch = data;
  g_autoptr (GError) error = NULL;
  if (!has_chain (watch) && watch->follower == NULL)
    return;
  gboolean has_asked = ask_to_lead (watch, &error);
  sv_board_set_leads (watch->board, has_asked && watch->leads);
  if (has_asked)
    (void)(watch->leads ? step_leading : step_following) (watch, is_demanded, &error);
  sv_watch_report_state (watch->board, "chain", error, &watch->told);
}
