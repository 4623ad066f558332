/* Commitments in blocks. A block costs one call, its body; its events are asked for only when it holds a commitment of the
 * subnet, because only they tell whether it succeeded. Where the events are gone with the block's state, the account's slot
 * still tells of the commitment that lies in it, if that is the one; of others nobody can tell, and the block is unreadable.
 * One without a text (other programs put theirs there time-locked) binds nobody, so what became of it need not be known. */
#include "chain/subtensor/subtensor.h"

#include <string.h>

#include "base/error.h"
#include "chain/subtensor/account_memory.h"
#include "chain/subtensor/block_body.h"
#include "chain/subtensor/headers.h"
#include "chain/subtensor/state.h"

/* What is read of a stretch of blocks, batch by batch. */
typedef struct
{
  GPtrArray *commitments;            /* (element-type SvExtrinsic) all set_commitment of the subnet, those without a text too */
  GArray *gone;                      /* of guint64: blocks that cannot be read any more */
  guint64 tip;                       /* the block read last, */
  char tip_hash[SV_BLOCK_HASH_TEXT]; /* and its hash; "" before the first */
} Stretch;

static void
stretch_init (Stretch *stretch)
{
  *stretch = (Stretch){ .commitments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free),
                        .gone = g_array_new (FALSE, FALSE, sizeof (guint64)) };
}

static void
stretch_clear (Stretch *stretch)
{
  g_clear_pointer (&stretch->commitments, g_ptr_array_unref);
  g_clear_pointer (&stretch->gone, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stretch, stretch_clear)

/* ── one batch of blocks ── */

/* Notes a body that was read: it must stand on the one before it. */
static gboolean
link_body (const SvSubtensor *subtensor, Stretch *stretch, const SvBlockBody *body, GError **error)
{
  if (body->is_gone)
  {
    g_array_append_val (stretch->gone, body->number);
    return TRUE;
  }
  if (*stretch->tip_hash != '\0' && stretch->tip + 1 == body->number && strcmp (body->parent, stretch->tip_hash) != 0)
  {
    sv_set_reorganised (&subtensor->nodes, body->number, error);
    return FALSE;
  }
  stretch->tip = body->number;
  g_strlcpy (stretch->tip_hash, body->hash, sizeof stretch->tip_hash);
  return TRUE;
}

/* Fills in bodies of ascending blocks. */
static gboolean
read_bodies (SvSubtensor *subtensor, Stretch *stretch, GPtrArray *bodies, GError **error)
{
  g_autofree SvRpcCall *calls = g_new0 (SvRpcCall, bodies->len);
  for (guint i = 0; i < bodies->len; i++)
    calls[i] = (SvRpcCall){ .method = "chain_getBlock", .params = sv_params (((SvBlockBody *)bodies->pdata[i])->hash, NULL) };
  gboolean done = bodies->len == 0 || sv_nodes_perform_archive (&subtensor->nodes, calls, bodies->len, error);
  for (guint i = 0; i < bodies->len; i++)
  {
    done = done && sv_block_body_read (subtensor, bodies->pdata[i], &calls[i], error) &&
           link_body (subtensor, stretch, bodies->pdata[i], error);
    sv_rpc_call_clear (&calls[i]);
  }
  return done;
}

/* ── whether they succeeded ── */

static gboolean
take_events (const SvBlockBody *body, SvRpcCall *call, gboolean *is_gone, GError **error)
{
  *is_gone = sv_rpc_is_pruned (call->error);
  if (*is_gone)
    return TRUE;
  if (!sv_rpc_take_error (call, error))
    return FALSE;
  return sv_block_body_judge (body, call->result, error);
}

/* The slot at the best head holds the last commitment of each account: those it shows have succeeded. Those without a text are
 * left as they are. */
static gboolean
judge_by_slots (SvSubtensor *subtensor, const SvBlockBody *body, gboolean *is_known, GError **error)
{
  *is_known = TRUE;
  for (guint i = 0; i < body->commitments->len && *is_known; i++)
  {
    SvExtrinsic *extrinsic = body->commitments->pdata[i];
    g_auto (SvRegistration) registration = { 0 };
    gboolean found;
    if (*extrinsic->text == '\0')
      continue;
    if (!sv_state_registration (subtensor, extrinsic->signer, &found, &registration, error))
      return FALSE;
    extrinsic->succeeded = found && registration.block == body->number && g_strcmp0 (registration.text, extrinsic->text) == 0;
    *is_known = extrinsic->succeeded;
  }
  return TRUE;
}

static gboolean
judge (SvSubtensor *subtensor, Stretch *stretch, const SvBlockBody *body, SvRpcCall *call, GError **error)
{
  gboolean is_gone, is_known = TRUE;
  if (!take_events (body, call, &is_gone, error) || (is_gone && !judge_by_slots (subtensor, body, &is_known, error)))
    return FALSE;
  if (is_known)
    return TRUE;
  g_array_append_val (stretch->gone, body->number);
  g_ptr_array_set_size (body->commitments, 0);
  return TRUE;
}

/* Asks for the events of those blocks that hold commitments. */
static gboolean
judge_bodies (SvSubtensor *subtensor, Stretch *stretch, GPtrArray *bodies, GError **error)
{
  g_autofree SvRpcCall *calls = g_new0 (SvRpcCall, bodies->len);
  g_autoptr (GPtrArray) asked = g_ptr_array_new ();
  gboolean done = TRUE;
  for (guint i = 0; i < bodies->len && done; i++)
  {
    SvBlockBody *body = bodies->pdata[i];
    if (body->commitments->len == 0)
      continue;
    g_autofree char *key = sv_state_key (body->runtime->metadata, "System", "Events", error);
    done = key != NULL;
    if (done)
      calls[asked->len] = (SvRpcCall){ .method = "state_getStorage", .params = sv_params (key, body->hash, NULL) };
    if (done)
      g_ptr_array_add (asked, body);
  }
  done = done && (asked->len == 0 || sv_nodes_perform_archive (&subtensor->nodes, calls, asked->len, error));
  for (guint i = 0; i < asked->len; i++)
  {
    done = done && judge (subtensor, stretch, asked->pdata[i], &calls[i], error);
    sv_rpc_call_clear (&calls[i]);
  }
  return done;
}

/* ── stretches ── */

/* The bodies to read of [@first, @last], without those whose runtime nobody knows any more. */
static GPtrArray *
plan_bodies (SvSubtensor *subtensor, Stretch *stretch, guint64 first, guint64 last, GError **error)
{
  g_autoptr (GPtrArray) bodies = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_block_body_free);
  g_autoptr (GPtrArray) hashes = sv_hashes_read (&subtensor->nodes, first, last, error);
  if (!hashes)
    return NULL;
  if (hashes->len != last - first + 1)
  {
    sv_set_reorganised (&subtensor->nodes, first + hashes->len, error);
    return NULL;
  }
  for (guint64 number = first; number <= last; number++)
  {
    gboolean is_gone;
    SvBlockBody *body = sv_block_body_new (number, hashes->pdata[number - first]);
    g_ptr_array_add (bodies, body);
    body->runtime = sv_subtensor_runtime_of (subtensor, number, body->hash, &is_gone, error);
    if (body->runtime)
      continue;
    if (!is_gone)
      return NULL;
    g_array_append_val (stretch->gone, number);
    g_ptr_array_remove_index (bodies, bodies->len - 1);
  }
  return g_steal_pointer (&bodies);
}

static gboolean
read_batch (SvSubtensor *subtensor, Stretch *stretch, guint64 first, guint64 last, GError **error)
{
  g_autoptr (GPtrArray) bodies = plan_bodies (subtensor, stretch, first, last, error);
  if (!bodies || !read_bodies (subtensor, stretch, bodies, error) || !judge_bodies (subtensor, stretch, bodies, error))
    return FALSE;
  for (guint i = 0; i < bodies->len; i++)
  {
    SvBlockBody *body = bodies->pdata[i];
    g_ptr_array_extend_and_steal (stretch->commitments, g_steal_pointer (&body->commitments));
  }
  return TRUE;
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const guint64 *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

/* All set_commitment of the subnet, those without a text too. */
static GPtrArray *
read_stretch (SvSubtensor *subtensor, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  g_auto (Stretch) stretch = { 0 };
  stretch_init (&stretch);
  guint64 last_final = MIN (last, subtensor->head.finalized.number);
  if (first > 0 && first <= last_final &&
      !sv_runtimes_cover (&subtensor->runtimes, &subtensor->nodes, first - 1, last_final - 1, error))
    return NULL;
  for (guint64 next = first; next <= last;)
  {
    guint64 end = MIN (last, next + sv_nodes_batch_size (&subtensor->nodes) - 1);
    if (!read_batch (subtensor, &stretch, next, end, error))
      return NULL;
    next = end + 1;
  }
  g_array_sort (stretch.gone, compare_numbers);
  if (unreadable)
    *unreadable = g_steal_pointer (&stretch.gone);
  return g_steal_pointer (&stretch.commitments);
}

GPtrArray *
sv_subtensor_commitments (SvChain *chain, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  g_autoptr (GPtrArray) all = read_stretch ((SvSubtensor *)chain, first, last, unreadable, error);
  if (!all)
    return NULL;
  GPtrArray *with_text = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  while (all->len > 0)
  {
    g_autoptr (SvExtrinsic) extrinsic = g_ptr_array_steal_index (all, 0);
    if (*extrinsic->text != '\0')
      g_ptr_array_add (with_text, g_steal_pointer (&extrinsic));
  }
  return with_text;
}

gboolean
sv_subtensor_find_extrinsic (SvChain *chain, guint64 block, const char *hash, SvExtrinsic **found, gboolean *unreadable,
                             GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  g_autoptr (GArray) gone = NULL;
  *found = NULL;
  if (unreadable)
    *unreadable = FALSE;
  if (block == 0 || block > subtensor->head.best.number)
    return TRUE;
  g_autoptr (GPtrArray) commitments = read_stretch (subtensor, block, block, &gone, error);
  if (!commitments)
    return FALSE;
  for (guint i = 0; i < commitments->len && !*found; i++)
    if (strcmp (((SvExtrinsic *)commitments->pdata[i])->hash, hash) == 0)
      *found = g_ptr_array_steal_index (commitments, i);
  if (unreadable)
    *unreadable = !*found && gone->len > 0;
  return TRUE;
}

/* ── of one account ── */

static void
prepend (GPtrArray *earlier, GPtrArray *found)
{
  for (guint i = 0; i < earlier->len; i++)
    g_ptr_array_insert (found, (gint)i, earlier->pdata[i]);
  g_ptr_array_set_free_func (earlier, NULL);
  g_ptr_array_set_size (earlier, 0);
}

/* Puts the account's successful commitments of [@first, @last] before those in @found. */
static gboolean
find_in_blocks (SvSubtensor *subtensor, const char *address, guint64 first, guint64 last, GPtrArray *found, GArray *gone,
                GError **error)
{
  g_autoptr (GArray) unreadable = NULL;
  g_autoptr (GPtrArray) all = read_stretch (subtensor, first, last, &unreadable, error);
  if (!all)
    return FALSE;
  g_autoptr (GPtrArray) own = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  while (all->len > 0)
  {
    g_autoptr (SvExtrinsic) extrinsic = g_ptr_array_steal_index (all, 0);
    if (extrinsic->succeeded && *extrinsic->text != '\0' && strcmp (extrinsic->signer, address) == 0)
      g_ptr_array_add (own, g_steal_pointer (&extrinsic));
  }
  prepend (own, found);
  g_array_prepend_vals (gone, unreadable->data, unreadable->len);
  return TRUE;
}

/* Goes from mark to mark: the state at a block names the account's last commitment up to there, and the state before that one
 * the one before it. Where a state is gone, what is left is read block by block. */
static gboolean
follow_marks (SvSubtensor *subtensor, const char *address, guint64 first, guint64 last, GPtrArray *found, GArray *gone,
              GError **error)
{
  for (guint64 at = last;;)
  {
    guint64 mark;
    SvMark kind;
    if (!sv_state_last_commitment (subtensor, address, at, &kind, &mark, error))
      return FALSE;
    if (kind == SV_MARK_GONE)
      return find_in_blocks (subtensor, address, first, at, found, gone, error);
    if (kind == SV_MARK_NONE || mark < first || mark == 0)
      return TRUE;
    if (!find_in_blocks (subtensor, address, mark, mark, found, gone, error))
      return FALSE;
    if (mark == first)
      return TRUE;
    at = mark - 1;
  }
}

static void
keep_between (GPtrArray *extrinsics, guint64 first, guint64 last)
{
  for (guint i = extrinsics->len; i > 0; i--)
  {
    const SvExtrinsic *extrinsic = extrinsics->pdata[i - 1];
    if (extrinsic->block < first || extrinsic->block > last)
      g_ptr_array_remove_index (extrinsics, i - 1);
  }
}

GPtrArray *
sv_subtensor_account_commitments (SvChain *chain, const char *address, guint64 first, guint64 last, GArray **unreadable,
                                  GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  guint64 final = MIN (last, subtensor->head.finalized.number);
  g_auto (SvAccountMemory) memory = { 0 };
  sv_account_memory_load (&memory, subtensor->cache, &chain->id, address);
  gboolean goes_on = memory.is_there && memory.from <= first && first <= memory.to + 1;
  guint64 from = goes_on ? memory.from : first, next = goes_on ? memory.to + 1 : first;
  g_autoptr (GPtrArray) known =
      goes_on ? g_steal_pointer (&memory.extrinsics) : g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  g_autoptr (GPtrArray) newer = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  g_autoptr (GArray) gone = g_array_new (FALSE, FALSE, sizeof (guint64));
  if (next <= last && !follow_marks (subtensor, address, next, last, newer, gone, error))
    return NULL;
  g_ptr_array_extend_and_steal (known, g_steal_pointer (&newer));
  if (gone->len == 0 && next <= final)
    sv_account_memory_save (&memory, &chain->id, address, from, final, known);
  keep_between (known, first, last);
  if (unreadable)
    *unreadable = g_steal_pointer (&gone);
  return g_steal_pointer (&known);
}
