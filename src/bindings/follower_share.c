/* One follower for many instances: the leader writes what it has read into the state after each step, the others read it there.
 * The final commitments are in the stored index already; beside them goes what lies above it. A reader holds the same stretches
 * as the leader does (follower.c), so both make their pictures alike. */
#include "base/error.h"
#include "bindings/follower_internal.h"
#include "bindings/record_set.h"

#define SHARE_AGAIN_US (5 * G_USEC_PER_SEC)

/* ── writing ── */

static SvSharedBlock
share_block (const SvBlock *block)
{
  SvSharedBlock shared = { .number = block->number, .time_ms = block->time_ms };
  g_strlcpy (shared.hash, block->hash, sizeof shared.hash);
  return shared;
}

static void
add_open (SvSharedChain *shared, const GPtrArray *records)
{
  for (guint i = 0; i < records->len; i++)
    g_ptr_array_add (shared->open, sv_record_to_stored (records->pdata[i]));
}

static SvSharedChain *
make_shared (SvFollower *follower, const SvHead *head)
{
  const SvSharing *sharing = follower->sharing;
  SvSharedChain *shared = sv_shared_chain_new ();
  shared->generation = follower->generation;
  shared->content = follower->content;
  shared->best = share_block (&head->best);
  shared->finalized = share_block (&head->finalized);
  shared->from_block = follower->from;
  shared->final_block = follower->has_saved ? follower->saved : 0;
  guint64 first_open = follower->has_saved ? follower->saved + 1 : 0;
  g_autoptr (GPtrArray) final = sv_history_list (&follower->history, first_open, G_MAXUINT64);
  add_open (shared, final);
  add_open (shared, follower->pending);
  g_array_append_vals (shared->unreadable, follower->unreadable->data, follower->unreadable->len);
  shared->permits = g_strdupv (sharing->permits);
  shared->permits_block = sharing->permits_block;
  shared->age_ms = MAX ((g_get_monotonic_time () - sharing->began_us) / 1000, 0);
  shared->answered = sharing->answered;
  return shared;
}

/* What tells this picture from others. */
static char *
mark_of (const SvSharedChain *shared)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT " %" G_GUINT64_FORMAT " %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                          " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                          shared->generation, shared->content, shared->best.hash, shared->finalized.number, shared->from_block,
                          shared->final_block, shared->permits_block, shared->answered);
}

/* An unchanged picture is shared again only so that the others see that it is still looked after. */
static gboolean
was_shared (const SvFollower *follower, const char *mark)
{
  return follower->shared_us != 0 && g_get_monotonic_time () - follower->shared_us < SHARE_AGAIN_US &&
         g_strcmp0 (follower->shared, mark) == 0;
}

/* A new leader's endpoint may be behind the old one's: then the others keep what they have until it has caught up. */
static gboolean
check_floor (SvFollower *follower, const SvHead *head, GError **error)
{
  if (head->best.number >= follower->floor)
  {
    follower->floor = 0;
    return TRUE;
  }
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s is behind: its best block is %" G_GUINT64_FORMAT ", and %" G_GUINT64_FORMAT
               " was answered by before; waiting until it has caught up",
               sv_chain_url (follower->chain), head->best.number, follower->floor);
  return FALSE;
}

gboolean
sv_follower_share (SvFollower *follower, const SvHead *head, GError **error)
{
  if (follower->sharing == NULL)
    return TRUE;
  if (!check_floor (follower, head, error))
    return FALSE;
  follower->content += follower->has_changed;
  g_autoptr (SvSharedChain) shared = make_shared (follower, head);
  g_autofree char *mark = mark_of (shared);
  if (was_shared (follower, mark))
    return TRUE;
  follower->shared_us = 0;
  if (!sv_state_share_chain (follower->state, &follower->id, shared, error))
    return FALSE;
  g_free (follower->shared);
  follower->shared = g_steal_pointer (&mark);
  follower->shared_us = g_get_monotonic_time ();
  return TRUE;
}

void
sv_follower_set_chain (SvFollower *follower, SvChain *chain)
{
  g_assert (sv_chain_id_equal (&follower->id, sv_chain_id (chain)));
  follower->chain = chain;
}

/* What was read for others' pictures is no ground to go on from: the checkpoint is. */
static gboolean
become_leader (SvFollower *follower, GError **error)
{
  SvSharedStatus status = { .skips_index = TRUE };
  g_autoptr (SvSharedChain) last = NULL;
  if (!sv_state_shared_chain (follower->state, &follower->id, &status, &last, error))
    return FALSE;
  sv_follower_forget (follower);
  follower->floor = last != NULL ? last->best.number : 0;
  follower->is_reading = FALSE;
  follower->shared_us = 0;
  return TRUE;
}

gboolean
sv_follower_lead (SvFollower *follower, const SvSharing *sharing, void (*progress) (guint64 block, guint64 head, gpointer data),
                  gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if ((follower->is_reading || !follower->is_started) && !become_leader (follower, error))
    return FALSE;
  follower->sharing = sharing;
  gboolean ok = sv_follower_step (follower, progress, data, &failure);
  follower->sharing = NULL;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_CONFLICT))
    sv_follower_forget (follower);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&failure));
  return ok;
}

/* ── reading ── */

static SvBlock
read_block (const SvSharedBlock *shared)
{
  SvBlock block = { .number = shared->number, .time_ms = shared->time_ms };
  g_strlcpy (block.hash, shared->hash, sizeof block.hash);
  return block;
}

static GPtrArray *
to_records (const GPtrArray *rows, guint64 from_block)
{
  GPtrArray *records = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_record_unref);
  for (guint i = 0; i < rows->len; i++)
  {
    const SvStoredCommitment *row = rows->pdata[i];
    if (row->block >= from_block)
      g_ptr_array_add (records, sv_record_new (row->block, row->index, row->hash, row->signer, row->text, row->succeeded));
  }
  return records;
}

/* The leader has gone further back, or to the front. Then all is taken anew; the index has it. */
static gboolean
is_continued (const SvFollower *follower, const SvSharedChain *shared)
{
  return follower->is_reading && follower->generation == shared->generation && follower->from == shared->from_block &&
         follower->known.final_block <= shared->final_block;
}

static void
take_shared (SvFollower *follower, const SvSharedChain *shared)
{
  g_autoptr (GPtrArray) final = to_records (shared->final, shared->from_block);
  if (!is_continued (follower, shared))
    sv_follower_forget (follower);
  else
    follower->has_changed = follower->content != shared->content;
  sv_history_append (&follower->history, final, final->len);
  g_ptr_array_unref (follower->pending);
  follower->pending = to_records (shared->open, shared->from_block);
  g_array_set_size (follower->unreadable, 0);
  g_array_append_vals (follower->unreadable, shared->unreadable->data, shared->unreadable->len);
  follower->is_reading = TRUE;
  follower->from = shared->from_block;
  follower->generation = shared->generation;
  follower->content = shared->content;
  SvHead head = { .best = read_block (&shared->best), .finalized = read_block (&shared->finalized) };
  sv_follower_publish (follower, &head);
}

static gboolean
read_from (SvFollower *follower, SvSharedStatus *status, SvSharedChain **shared, GError **error)
{
  return sv_state_shared_chain (follower->state, &follower->id, status, shared, error);
}

gboolean
sv_follower_read (SvFollower *follower, SvSharedStatus *status, SvSharedChain **shared, GError **error)
{
  SvSharedStatus none = { 0 };
  *status = follower->is_reading ? follower->known : none;
  if (!read_from (follower, status, shared, error))
    return FALSE;
  if (*shared == NULL)
    return TRUE;
  if (follower->is_reading && !is_continued (follower, *shared))
  {
    g_clear_pointer (shared, sv_shared_chain_free);
    *status = none;
    follower->is_reading = FALSE;
    if (!read_from (follower, status, shared, error))
      return FALSE;
    if (*shared == NULL) /* gone again: the index is just begun anew */
      return TRUE;
  }
  take_shared (follower, *shared);
  follower->known = *status;
  follower->known.generation = (*shared)->generation;
  follower->known.final_block = (*shared)->final_block;
  return TRUE;
}
