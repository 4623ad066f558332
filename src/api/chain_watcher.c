/* The chain watcher: follows the subnet's commitments (bindings/follower.h) from where the open windows need them, and puts
 * each new picture on the board. */
#include "api/watching.h"

#include "base/log.h"
#include "base/rfc3339.h"

#define PROGRESS_EVERY_US (5 * G_TIME_SPAN_SECOND)

struct SvChainWatch
{
  SvBoard *board;
  SvChain *chain;
  SvState *state;
  SvFollower *follower;
  SvValidators *validators; /* borrowed, or NULL */
  SvBindings *published;    /* counted: the picture on the board */
  gboolean is_following;
  gint64 progress_us;
  char *fault;
};

SvChainWatch *
sv_chain_watch_new (const SvConfig *config, SvBoard *board, SvValidators *validators, GError **error)
{
  g_autoptr (SvChainWatch) watch = g_new0 (SvChainWatch, 1);
  watch->board = board;
  watch->validators = validators;
  watch->chain = sv_chain_open (config, error);
  if (watch->chain == NULL)
    return NULL;
  watch->state = sv_state_open (config, error);
  if (watch->state == NULL)
    return NULL;
  watch->follower = sv_follower_new (watch->chain, watch->state);
  return g_steal_pointer (&watch);
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
  g_free (watch->fault);
  g_free (watch);
}

/* Following begins where the earliest open window needs it; with none open yet, at the head. */
static void
choose_start (SvChainWatch *watch, const SvHead *head)
{
  guint64 from;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (watch->board);
  if (snapshot->catalog == NULL || !sv_window_follow_from (snapshot->catalog->index, head->best.number, &from))
  {
    if (watch->is_following)
      return;
    from = head->finalized.number;
  }
  watch->is_following = TRUE;
  sv_follower_set_from (watch->follower, from);
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

static gboolean
follow (SvChainWatch *watch, GError **error)
{
  SvHead head;
  if (!sv_chain_head (watch->chain, &head, error))
    return FALSE;
  if (watch->validators != NULL && !sv_validators_refresh (watch->validators, watch->chain, head.finalized.number, error))
    return FALSE;
  choose_start (watch, &head);
  watch->progress_us = g_get_monotonic_time ();
  return sv_follower_step (watch->follower, show_progress, watch, error);
}

void
sv_chain_watch_step (gboolean is_demanded, gpointer data)
{
  SvChainWatch *watch = data;
  g_autoptr (GError) error = NULL;
  gint64 began_ms = sv_clock_ms ();
  gboolean followed = follow (watch, &error);
  sv_watch_report ("chain", error, &watch->fault);
  if (!followed)
    return;
  sv_board_saw_chain (watch->board, began_ms);
  g_autoptr (SvBindings) bindings = sv_follower_bindings (watch->follower);
  if (bindings == NULL || bindings == watch->published)
    return;
  sv_board_publish_bindings (watch->board, sv_bindings_ref (bindings));
  g_clear_pointer (&watch->published, sv_bindings_unref);
  watch->published = g_steal_pointer (&bindings);
}
