/* Commitments in blocks. A block costs one call, its body; its events are asked for only when it holds a commitment of the
 * subnet, because only they tell whether it succeeded. Where the events are gone with the block's state, the account's slot
 * still tells of the commitment that lies in it, if that is the one; of others nobody can tell. Such a block is unreadable for
 * those whom its untold commitments concern: for others what it holds is known. */
#include "chain/subtensor/subtensor.h"

#include <string.h>

#include "base/error.h"
#include "chain/subtensor/block_body.h"
#include "chain/subtensor/headers.h"
#include "chain/subtensor/state.h"
#include "protocol/commitment.h"

/* What is read of a stretch of blocks, batch by batch. */
typedef struct
{
  GPtrArray *commitments; /* (element-type SvExtrinsic) set_commitment of the subnet */
  gboolean with_others;   /* those without a text too, as other programs make them */
  GPtrArray *untold;      /* (element-type SvExtrinsic) those of which it cannot be known whether they succeeded */
  GArray *gone;           /* of guint64: blocks that cannot be read any more */
} Stretch;

static void
stretch_init (Stretch *stretch)
{
  stretch->commitments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  stretch->untold = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  stretch->gone = g_array_new (FALSE, FALSE, sizeof (guint64));
}

static void
stretch_clear (Stretch *stretch)
{
  g_clear_pointer (&stretch->commitments, g_ptr_array_unref);
  g_clear_pointer (&stretch->untold, g_ptr_array_unref);
  g_clear_pointer (&stretch->gone, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stretch, stretch_clear)

/* ── one batch of blocks ── */

/* Whether a body fits to what is known around it: the block read before it, and the finalized one. Several nodes may stand
 * behind an endpoint, and the one that tells of a block may be on another branch than the one that told of those. */
static gboolean
fits (const SvSubtensor *subtensor, const SvBlockBody *body)
{
  const SvBlock *final = &subtensor->head.finalized;
  gboolean follows = *subtensor->tip_hash != '\0' && subtensor->tip + 1 == body->number;
  return (!follows || strcmp (body->parent, subtensor->tip_hash) == 0) &&
         (body->number != final->number || strcmp (body->hash, final->hash) == 0) &&
         (body->number != final->number + 1 || strcmp (body->parent, final->hash) == 0);
}

/* Notes a body that was read. After one that does not fit, or is gone, it is not known what the next one has to follow on. */
static gboolean
link_body (SvSubtensor *subtensor, Stretch *stretch, const SvBlockBody *body, GError **error)
{
  gboolean is_fit = body->is_gone || fits (subtensor, body);
  if (body->is_gone)
    g_array_append_val (stretch->gone, body->number);
  if (!is_fit)
    sv_set_reorganised (&subtensor->nodes, body->number, error);
  subtensor->tip = body->number;
  g_strlcpy (subtensor->tip_hash, is_fit && !body->is_gone ? body->hash : "", sizeof subtensor->tip_hash);
  return is_fit;
}

static void
drop_without_text (GPtrArray *commitments)
{
  for (guint i = commitments->len; i > 0; i--)
    if (*((const SvExtrinsic *)commitments->pdata[i - 1])->text == '\0')
      g_ptr_array_remove_index (commitments, i - 1);
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
    if (!stretch->with_others)
      drop_without_text (((SvBlockBody *)bodies->pdata[i])->commitments);
    sv_rpc_call_clear (&calls[i]);
  }
  return done;
}

/* ── whether they succeeded ── */

/* A block with a commitment has events; some gateways say of state that is gone that it is empty. */
static gboolean
take_events (const SvBlockBody *body, SvRpcCall *call, gboolean *is_gone, GError **error)
{
  *is_gone = sv_rpc_is_pruned (call->error) || (!call->error && json_is_null (call->result));
  if (*is_gone)
    return TRUE;
  if (!sv_rpc_take_error (call, error))
    return FALSE;
  return sv_block_body_judge (body, call->result, error);
}

/* TRUE for one of several with the same text by the same account: the slot cannot tell them apart. */
static gboolean
is_ambiguous (const SvBlockBody *body, const SvExtrinsic *extrinsic)
{
  guint n = 0;
  for (guint i = 0; i < body->commitments->len; i++)
  {
    const SvExtrinsic *other = body->commitments->pdata[i];
    n += strcmp (other->signer, extrinsic->signer) == 0 && strcmp (other->text, extrinsic->text) == 0;
  }
  return n > 1;
}

/* The slot at the best head holds the last commitment of an account: what it shows has succeeded. */
static gboolean
judge_by_slot (SvSubtensor *subtensor, const SvBlockBody *body, SvExtrinsic *extrinsic, GError **error)
{
  g_auto (SvRegistration) registration = { 0 };
  gboolean found;
  if (!sv_state_registration (subtensor, extrinsic->signer, &found, &registration, error))
    return FALSE;
  extrinsic->succeeded = found && registration.block == body->number && g_strcmp0 (registration.text, extrinsic->text) == 0 &&
                         !is_ambiguous (body, extrinsic);
  return TRUE;
}

static gboolean
judge_by_slots (SvSubtensor *subtensor, Stretch *stretch, const SvBlockBody *body, GError **error)
{
  for (guint i = 0; i < body->commitments->len; i++)
    if (!judge_by_slot (subtensor, body, body->commitments->pdata[i], error))
      return FALSE;
  for (guint i = body->commitments->len; i > 0; i--)
    if (!((const SvExtrinsic *)body->commitments->pdata[i - 1])->succeeded)
      g_ptr_array_add (stretch->untold, g_ptr_array_steal_index (body->commitments, i - 1));
  return TRUE;
}

static gboolean
judge (SvSubtensor *subtensor, Stretch *stretch, const SvBlockBody *body, SvRpcCall *call, GError **error)
{
  gboolean is_gone;
  return take_events (body, call, &is_gone, error) && (!is_gone || judge_by_slots (subtensor, stretch, body, error));
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
      calls[asked->len] =
          (SvRpcCall){ .method = "state_getStorage", .params = sv_params (key, body->hash, NULL), .is_there = TRUE };
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
  guint64 final = subtensor->head.finalized.number;
  if (first <= final && !sv_hashes_confirm (&subtensor->nodes, first, hashes, (guint)(MIN (last, final) - first + 1), error))
    return NULL;
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

static gboolean
has_number (const GArray *numbers, guint64 number)
{
  for (guint i = 0; i < numbers->len; i++)
    if (g_array_index (numbers, guint64, i) == number)
      return TRUE;
  return FALSE;
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const guint64 *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

static gboolean
read_stretch (SvSubtensor *subtensor, guint64 first, guint64 last, Stretch *stretch, GError **error)
{
  stretch_init (stretch);
  guint64 last_final = MIN (last, subtensor->head.finalized.number);
  if (first > 0 && first <= last_final &&
      !sv_runtimes_cover (&subtensor->runtimes, &subtensor->nodes, first - 1, last_final - 1, error))
    return FALSE;
  for (guint64 next = first; next <= last;)
  {
    guint64 end = MIN (last, next + sv_nodes_batch_size (&subtensor->nodes) - 1);
    if (!read_batch (subtensor, stretch, next, end, error))
      return FALSE;
    next = end + 1;
  }
  return TRUE;
}

/* Anchors and the texts of other programs bind nobody to anything. */
static gboolean
may_bind (const SvExtrinsic *extrinsic)
{
  g_autofree char *window = sv_commitment_text_window (extrinsic->text);
  return window != NULL;
}

/* The blocks of which it is not known what @address, or with NULL anybody, has bound himself to there. */
static GArray *
list_unreadable (Stretch *stretch, const char *address)
{
  for (guint i = 0; i < stretch->untold->len; i++)
  {
    const SvExtrinsic *extrinsic = stretch->untold->pdata[i];
    if (may_bind (extrinsic) && (!address || strcmp (extrinsic->signer, address) == 0) &&
        !has_number (stretch->gone, extrinsic->block))
      g_array_append_val (stretch->gone, extrinsic->block);
  }
  g_array_sort (stretch->gone, compare_numbers);
  return g_steal_pointer (&stretch->gone);
}

GPtrArray *
sv_subtensor_commitments (SvChain *chain, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  g_auto (Stretch) stretch = { 0 };
  if (!read_stretch ((SvSubtensor *)chain, first, last, &stretch, error))
    return NULL;
  if (unreadable)
    *unreadable = list_unreadable (&stretch, NULL);
  return g_steal_pointer (&stretch.commitments);
}

static SvExtrinsic *
steal_by_hash (GPtrArray *extrinsics, const char *hash)
{
  for (guint i = 0; i < extrinsics->len; i++)
    if (strcmp (((const SvExtrinsic *)extrinsics->pdata[i])->hash, hash) == 0)
      return g_ptr_array_steal_index (extrinsics, i);
  return NULL;
}

gboolean
sv_subtensor_find_between (SvSubtensor *subtensor, guint64 first, guint64 last, const char *hash, SvExtrinsic **found,
                           gboolean *unreadable, GError **error)
{
  g_auto (Stretch) stretch = { .with_others = TRUE };
  *found = NULL;
  *unreadable = FALSE;
  if (!read_stretch (subtensor, first, last, &stretch, error))
    return FALSE;
  *found = steal_by_hash (stretch.commitments, hash);
  g_autoptr (SvExtrinsic) untold = steal_by_hash (stretch.untold, hash);
  *unreadable = !*found && (untold || stretch.gone->len > 0);
  return TRUE;
}

gboolean
sv_subtensor_find_extrinsic (SvChain *chain, guint64 block, const char *hash, SvExtrinsic **found, gboolean *unreadable,
                             GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  gboolean is_unreadable = FALSE;
  *found = NULL;
  gboolean may_hold = block > 0 && block <= subtensor->head.best.number;
  if (may_hold && !sv_subtensor_find_between (subtensor, block, block, hash, found, &is_unreadable, error))
    return FALSE;
  if (unreadable)
    *unreadable = is_unreadable;
  return TRUE;
}

/* ── of one account ── */

GPtrArray *
sv_subtensor_commitments_by (SvSubtensor *subtensor, const char *address, guint64 first, guint64 last, GArray **unreadable,
                             GError **error)
{
  g_auto (Stretch) stretch = { 0 };
  if (!read_stretch (subtensor, first, last, &stretch, error))
    return NULL;
  GPtrArray *own = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  for (guint i = 0; i < stretch.commitments->len; i++)
  {
    const SvExtrinsic *extrinsic = stretch.commitments->pdata[i];
    if (extrinsic->succeeded && strcmp (extrinsic->signer, address) == 0)
      g_ptr_array_add (own, g_steal_pointer (&stretch.commitments->pdata[i]));
  }
  *unreadable = list_unreadable (&stretch, address);
  return own;
}
