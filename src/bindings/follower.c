/* The chain follower. What it knows lies in three stretches:
 *
 *     from ……………………… next_final ……………… tip ……………… head
 *      final, in `history`   open, in `pending`   not read yet
 *
 * A step reads the head, makes sure that the tip is still on the chain (else the open blocks are read again), moves what has
 * become final from `pending` to `history`, and reads on to the head. Final blocks are read in chunks, and each chunk goes into
 * the state at once, so that a long back-fill survives being interrupted. Open blocks are taken only when the head, read again
 * afterwards, is still there: so a picture never mixes two branches.
 *
 * A block whose content is gone is remembered as unreadable, and the checkpoint stays below it: the next start tries again, and
 * so does a running follower every ten minutes, as an archive endpoint may have come back. */
#include "bindings/follower.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "bindings/checkpoint.h"
#include "bindings/follower_internal.h"
#include "bindings/record_set.h"

#define CHUNK 500                                    /* blocks read at once */
#define MAX_ATTEMPTS 10                              /* of reading a chain that reorganises meanwhile */
#define TRY_UNREADABLE_US (10 * 60 * G_USEC_PER_SEC) /* how often it is looked whether they can be read now */

typedef void (*Progress) (guint64 block, guint64 head, gpointer data);

SvFollower *
sv_follower_new_without_chain (const SvChainId *id, SvState *state)
{
  SvFollower *follower = g_new0 (SvFollower, 1);
  follower->id = *id;
  follower->state = state;
  g_mutex_init (&follower->lock);
  sv_history_init (&follower->history);
  follower->pending = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_record_unref);
  follower->unreadable = g_array_new (FALSE, FALSE, sizeof (guint64));
  return follower;
}

SvFollower *
sv_follower_new (SvChain *chain, SvState *state)
{
  SvFollower *follower = sv_follower_new_without_chain (sv_chain_id (chain), state);
  sv_follower_set_chain (follower, chain);
  return follower;
}

void
sv_follower_free (SvFollower *follower)
{
  if (!follower)
    return;
  sv_bindings_unref (follower->picture);
  sv_history_clear (&follower->history);
  g_ptr_array_unref (follower->pending);
  g_array_unref (follower->unreadable);
  g_mutex_clear (&follower->lock);
  g_free (follower->shared);
  g_free (follower);
}

void
sv_follower_set_from (SvFollower *follower, guint64 from_block)
{
  g_mutex_lock (&follower->lock);
  follower->wanted_from = from_block;
  g_mutex_unlock (&follower->lock);
}

static guint64
get_wanted_from (SvFollower *follower)
{
  g_mutex_lock (&follower->lock);
  guint64 wanted = follower->wanted_from;
  g_mutex_unlock (&follower->lock);
  return wanted;
}

SvBindings *
sv_follower_bindings (SvFollower *follower)
{
  g_mutex_lock (&follower->lock);
  SvBindings *picture = follower->picture ? sv_bindings_ref (follower->picture) : NULL;
  g_mutex_unlock (&follower->lock);
  return picture;
}

/* ── reading ── */

typedef struct
{
  GPtrArray *records;
  GArray *unreadable;
} Stretch;

static void
stretch_clear (Stretch *stretch)
{
  g_clear_pointer (&stretch->records, g_ptr_array_unref);
  g_clear_pointer (&stretch->unreadable, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stretch, stretch_clear)

static gboolean
read_stretch (SvFollower *follower, guint64 first, guint64 last, Stretch *stretch, GError **error)
{
  g_autoptr (GPtrArray) extrinsics = sv_chain_commitments (follower->chain, first, last, &stretch->unreadable, error);
  if (!extrinsics)
    return FALSE;
  stretch->records = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_record_unref);
  for (guint i = 0; i < extrinsics->len; i++)
  {
    const SvExtrinsic *extrinsic = extrinsics->pdata[i];
    g_ptr_array_add (stretch->records, sv_record_new (extrinsic->block, extrinsic->index, extrinsic->hash, extrinsic->signer,
                                                      extrinsic->text, extrinsic->succeeded));
  }
  return TRUE;
}

/* Adds a stretch that follows on what is pending. */
static void
take_stretch (SvFollower *follower, Stretch *stretch)
{
  follower->has_changed |= stretch->records->len > 0 || stretch->unreadable->len > 0;
  g_array_append_vals (follower->unreadable, stretch->unreadable->data, stretch->unreadable->len);
  g_ptr_array_extend_and_steal (follower->pending, g_steal_pointer (&stretch->records));
}

/* ── beginning, and moving the beginning ── */

void
sv_follower_forget (SvFollower *follower)
{
  follower->is_started = FALSE;
  follower->has_tip = FALSE;
  follower->has_saved = FALSE;
  follower->has_changed = TRUE;
  sv_history_empty (&follower->history);
  g_ptr_array_set_size (follower->pending, 0);
  g_array_set_size (follower->unreadable, 0);
}

static gboolean
start (SvFollower *follower, const SvHead *head, guint64 wanted, GError **error)
{
  SvCheckpoint checkpoint;
  gboolean found = FALSE;
  sv_follower_forget (follower);
  if (follower->state && !sv_checkpoint_load (follower->chain, follower->state, head, &checkpoint, &found, error))
    return FALSE;
  follower->from = follower->next_final = wanted;
  if (found && wanted <= checkpoint.number)
  {
    follower->from = MAX (wanted, checkpoint.from_block);
    g_autoptr (GPtrArray) records =
        sv_checkpoint_read (follower->chain, follower->state, follower->from, checkpoint.number, error);
    if (!records)
      return FALSE;
    sv_history_append (&follower->history, records, records->len);
    follower->next_final = checkpoint.number + 1;
  }
  follower->is_started = TRUE;
  follower->generation = MAX (g_get_real_time (), follower->generation + 1);
  return TRUE;
}

static void
drop_unreadable (SvFollower *follower, guint64 first, guint64 last)
{
  for (guint i = follower->unreadable->len; i > 0; i--)
  {
    guint64 block = g_array_index (follower->unreadable, guint64, i - 1);
    if (block >= first && block <= last)
      g_array_remove_index (follower->unreadable, i - 1);
  }
}

static guint
count_pending_up_to (const SvFollower *follower, guint64 block)
{
  guint n = 0;
  while (n < follower->pending->len && ((const SvRecord *)follower->pending->pdata[n])->block <= block)
    n++;
  return n;
}

static void
move_from_forward (SvFollower *follower, guint64 wanted)
{
  sv_history_drop_below (&follower->history, wanted);
  drop_unreadable (follower, 0, wanted - 1);
  follower->from = wanted;
  follower->has_changed = TRUE;
}

/* The stored index may reach further back than the memory. */
static gboolean
read_earlier (SvFollower *follower, guint64 first, guint64 last, Stretch *stretch, Progress progress, gpointer data,
              GError **error)
{
  SvCheckpoint stored;
  gboolean found = FALSE;
  if (follower->state && !sv_state_checkpoint (follower->state, &follower->id, &stored, &found, error))
    return FALSE;
  if (found && stored.from_block <= first && stored.number >= last)
  {
    stretch->unreadable = g_array_new (FALSE, FALSE, sizeof (guint64));
    stretch->records = sv_checkpoint_read (follower->chain, follower->state, first, last, error);
    return stretch->records != NULL;
  }
  stretch->unreadable = g_array_new (FALSE, FALSE, sizeof (guint64));
  stretch->records = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_record_unref);
  for (guint64 next = first; next <= last; next += CHUNK)
  {
    g_auto (Stretch) chunk = { 0 };
    guint64 end = MIN (next + CHUNK - 1, last);
    if (!read_stretch (follower, next, end, &chunk, error))
      return FALSE;
    g_array_append_vals (stretch->unreadable, chunk.unreadable->data, chunk.unreadable->len);
    g_ptr_array_extend_and_steal (stretch->records, g_steal_pointer (&chunk.records));
    if (progress)
      progress (end, last, data);
  }
  return TRUE;
}

static gboolean
move_from_back (SvFollower *follower, guint64 wanted, Progress progress, gpointer data, GError **error)
{
  g_auto (Stretch) earlier = { 0 };
  if (!read_earlier (follower, wanted, follower->from - 1, &earlier, progress, data, error))
    return FALSE;
  sv_history_prepend (&follower->history, earlier.records);
  g_array_prepend_vals (follower->unreadable, earlier.unreadable->data, earlier.unreadable->len);
  follower->from = wanted;
  follower->has_changed = TRUE;
  follower->has_saved = FALSE;
  return TRUE;
}

static gboolean
settle_beginning (SvFollower *follower, const SvHead *head, Progress progress, gpointer data, GError **error)
{
  guint64 wanted = get_wanted_from (follower);
  gboolean holds_nothing_of_it = wanted > follower->next_final || follower->next_final <= follower->from;
  if (!follower->is_started || (wanted != follower->from && holds_nothing_of_it))
    if (!start (follower, head, wanted, error))
      return FALSE;
  if (wanted > follower->from)
    move_from_forward (follower, wanted);
  return wanted >= follower->from || move_from_back (follower, wanted, progress, data, error);
}

/* ── the open blocks ── */

static void
drop_open_blocks (SvFollower *follower)
{
  guint n_unreadable = follower->unreadable->len;
  drop_unreadable (follower, follower->next_final, G_MAXUINT64);
  follower->has_changed |= follower->pending->len > 0 || n_unreadable != follower->unreadable->len;
  g_ptr_array_set_size (follower->pending, 0);
  follower->has_tip = FALSE;
}

static gboolean
is_on_chain (SvFollower *follower, const SvBlock *block, gboolean *yes, GError **error)
{
  g_autoptr (GError) failure = NULL;
  SvBlock now;
  *yes = sv_chain_block (follower->chain, block->number, &now, &failure) && strcmp (now.hash, block->hash) == 0;
  if (!failure || g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Notices a reorganisation. A head that is no higher than the tip, and another block, is on another branch. */
static gboolean
check_tip (SvFollower *follower, const SvHead *head, GError **error)
{
  gboolean stands = FALSE;
  if (!follower->has_tip || strcmp (follower->tip.hash, head->best.hash) == 0)
    return TRUE;
  if (follower->tip.number < head->best.number && !is_on_chain (follower, &follower->tip, &stands, error))
    return FALSE;
  if (!stands)
  {
    g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, follower->tip.number);
    sv_log ("info", "the chain was reorganised; its open blocks are read again", "block", number, NULL);
    drop_open_blocks (follower);
  }
  return TRUE;
}

static guint64
next_to_read (const SvFollower *follower)
{
  return follower->has_tip ? MAX (follower->tip.number + 1, follower->next_final) : follower->next_final;
}

/* Blocks up to @last have become final. */
static void
promote (SvFollower *follower, guint64 last)
{
  if (last < follower->next_final)
    return;
  guint n = count_pending_up_to (follower, last);
  sv_history_append (&follower->history, follower->pending, n);
  if (n > 0)
    g_ptr_array_remove_range (follower->pending, 0, n);
  follower->next_final = last + 1;
}

/* ── to the head ── */

static gboolean
save (SvFollower *follower, GError **error)
{
  if (!follower->state || follower->next_final <= follower->from)
    return TRUE;
  guint64 last = follower->next_final - 1;
  if (follower->unreadable->len > 0)
  {
    guint64 gone = g_array_index (follower->unreadable, guint64, 0);
    if (gone <= follower->from)
      return TRUE;
    last = MIN (last, gone - 1);
  }
  if (follower->has_saved && last <= follower->saved)
    return TRUE;
  if (!sv_checkpoint_save (follower->chain, follower->state, &follower->history, follower->from, last, error))
    return FALSE;
  follower->has_saved = TRUE;
  follower->saved = last;
  return TRUE;
}

/* Reads what follows on the blocks read so far. Where that fails it may be because they are on another branch, so the open ones
 * are read again, too. */
static gboolean
read_on (SvFollower *follower, guint64 first, guint64 last, Stretch *stretch, GError **error)
{
  if (read_stretch (follower, first, last, stretch, error))
    return TRUE;
  drop_open_blocks (follower);
  return FALSE;
}

static gboolean
read_final_blocks (SvFollower *follower, const SvHead *head, Progress progress, gpointer data, GError **error)
{
  guint64 final = head->finalized.number;
  guint64 next = next_to_read (follower);
  while (next <= final)
  {
    g_auto (Stretch) stretch = { 0 };
    guint64 last = MIN (next + CHUNK - 1, final);
    if (!read_on (follower, next, last, &stretch, error))
      return FALSE;
    take_stretch (follower, &stretch);
    promote (follower, last);
    follower->has_tip = FALSE;
    if (!save (follower, error))
      return FALSE;
    if (progress)
      progress (last, head->best.number, data);
    next = last + 1;
  }
  return TRUE;
}

/* *@consistent is FALSE when the chain was reorganised meanwhile; then nothing was taken. */
static gboolean
read_open_blocks (SvFollower *follower, const SvHead *head, gboolean *consistent, GError **error)
{
  g_auto (Stretch) stretch = { 0 };
  guint64 next = next_to_read (follower);
  *consistent = TRUE;
  if (next > head->best.number)
    return TRUE;
  if (!read_on (follower, next, head->best.number, &stretch, error) || !is_on_chain (follower, &head->best, consistent, error))
    return FALSE;
  if (!*consistent)
    return TRUE;
  take_stretch (follower, &stretch);
  follower->has_tip = TRUE;
  follower->tip = head->best;
  return TRUE;
}

/* To the head, in one piece: only then are open blocks known to be those below the head, and may become final. */
static gboolean
read_to_head (SvFollower *follower, const SvHead *head, Progress progress, gpointer data, gboolean *consistent, GError **error)
{
  if (!read_final_blocks (follower, head, progress, data, error) || !read_open_blocks (follower, head, consistent, error))
    return FALSE;
  if (!*consistent)
    return TRUE;
  promote (follower, head->finalized.number);
  return save (follower, error);
}

/* ── unreadable blocks ── */

/* Where the lowest of them can be read now, everything after the checkpoint is read again. */
static gboolean
look_again (SvFollower *follower, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  if (follower->unreadable->len == 0 || now - follower->looked_again < TRY_UNREADABLE_US)
    return TRUE;
  g_auto (Stretch) stretch = { 0 };
  guint64 lowest = g_array_index (follower->unreadable, guint64, 0);
  follower->looked_again = now;
  if (!read_stretch (follower, lowest, lowest, &stretch, error))
    return FALSE;
  if (stretch.unreadable->len == 0)
    sv_follower_forget (follower);
  return TRUE;
}

static void
tell_unreadable (SvFollower *follower)
{
  guint n = follower->unreadable->len;
  if (n == follower->n_told)
    return;
  follower->looked_again = n > follower->n_told ? g_get_monotonic_time () : follower->looked_again;
  follower->n_told = n;
  g_autofree char *blocks = sv_bindings_list_blocks (follower->unreadable);
  if (n == 0)
    sv_log ("info", "all blocks can be read now", NULL);
  else
    sv_log ("warning", "blocks cannot be read any more", "blocks", blocks, "endpoint", sv_chain_url (follower->chain),
            "meaning",
            "proofs of windows that they may hold commitments for are neither accepted nor rejected; set "
            "BITTENSOR_SUBTENSOR_FALLBACK to an archive endpoint",
            NULL);
}

/* ── the picture ── */

static SvRecordSet *
make_record_set (SvFollower *follower)
{
  g_autoptr (GPtrArray) segments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_segment_unref);
  for (guint i = 0; i < follower->history.segments->len; i++)
    g_ptr_array_add (segments, sv_segment_ref (follower->history.segments->pdata[i]));
  if (follower->pending->len > 0)
    g_ptr_array_add (segments, sv_segment_new (follower->pending, 0, follower->pending->len));
  return sv_record_set_new (follower->from, segments, follower->unreadable);
}

void
sv_follower_publish (SvFollower *follower, const SvHead *head)
{
  gboolean is_new = follower->has_changed || !follower->picture;
  SvRecordSet *set = is_new ? make_record_set (follower) : sv_record_set_ref (sv_bindings_record_set (follower->picture));
  SvBindings *picture = sv_bindings_new (head, set);
  sv_record_set_unref (set);
  g_mutex_lock (&follower->lock);
  SvBindings *old = follower->picture;
  follower->picture = picture;
  g_mutex_unlock (&follower->lock);
  sv_bindings_unref (old);
  follower->has_changed = FALSE;
}

gboolean
sv_follower_step (SvFollower *follower, Progress progress, gpointer data, GError **error)
{
  for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
  {
    SvHead head;
    gboolean consistent;
    if (!sv_chain_head (follower->chain, &head, error) || !look_again (follower, error) ||
        !settle_beginning (follower, &head, progress, data, error) || !check_tip (follower, &head, error) ||
        !read_to_head (follower, &head, progress, data, &consistent, error))
      return FALSE;
    if (consistent)
    {
      tell_unreadable (follower);
      if (!sv_follower_share (follower, &head, error))
        return FALSE;
      sv_follower_publish (follower, &head);
      return TRUE;
    }
  }
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s was reorganised again and again while it was read; trying again later", sv_chain_url (follower->chain));
  return FALSE;
}
