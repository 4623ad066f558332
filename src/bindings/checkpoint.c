/* The stored index has no holes: it holds every commitment from the checkpoint's from_block to its number. Several processes
 * may follow one chain into one state, so what is stored is looked at before each write, and somebody else's progress counts.
 */
#include "bindings/checkpoint.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"

/* ── loading ── */

/* *@there is FALSE when the chain has another block at that height. */
static gboolean
compare_with_chain (SvChain *chain, const SvHead *head, const SvCheckpoint *checkpoint, gboolean *there, GError **error)
{
  SvBlock block;
  if (checkpoint->number > head->finalized.number)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "%s is behind: its finalized block is %" G_GUINT64_FORMAT
                 ", and commitments were read up to final block %" G_GUINT64_FORMAT
                 " before; wait until it has caught up, or use another endpoint (if the chain itself was set "
                 "back, begin with a new SCOREVISION_DATABASE)",
                 sv_chain_url (chain), head->finalized.number, checkpoint->number);
    return FALSE;
  }
  if (!sv_chain_block (chain, checkpoint->number, &block, error))
    return FALSE;
  *there = strcmp (block.hash, checkpoint->hash) == 0;
  return TRUE;
}

gboolean
sv_checkpoint_load (SvChain *chain, SvState *state, const SvHead *head, SvCheckpoint *checkpoint, gboolean *found,
                    GError **error)
{
  gboolean there;
  if (!sv_state_checkpoint (state, sv_chain_id (chain), checkpoint, found, error))
    return FALSE;
  if (!*found)
    return TRUE;
  if (!compare_with_chain (chain, head, checkpoint, &there, error))
    return FALSE;
  if (there)
    return TRUE;
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, checkpoint->number);
  sv_log ("warning", "the chain is not the one that was followed before; its commitments are read anew", "block", number,
          "expected", checkpoint->hash, NULL);
  *found = FALSE;
  return sv_state_forget_chain (state, sv_chain_id (chain), error);
}

GPtrArray *
sv_checkpoint_read (SvChain *chain, SvState *state, guint64 first, guint64 last, GError **error)
{
  g_autoptr (GPtrArray) stored = sv_state_list_commitments (state, sv_chain_id (chain), first, error);
  if (!stored)
    return NULL;
  GPtrArray *records = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_record_unref);
  for (guint i = 0; i < stored->len; i++)
  {
    const SvStoredCommitment *row = stored->pdata[i];
    if (row->block <= last)
      g_ptr_array_add (records, sv_record_new (row->block, row->index, row->hash, row->signer, row->text, row->succeeded));
  }
  return records;
}

/* ── saving ── */

static GPtrArray *
to_rows (const GPtrArray *records)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_stored_commitment_free);
  for (guint i = 0; i < records->len; i++)
    g_ptr_array_add (rows, sv_record_to_stored (records->pdata[i]));
  return rows;
}

static gboolean
append (SvChain *chain, SvState *state, const SvHistory *history, const SvCheckpoint *checkpoint, guint64 first, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) records = sv_history_list (history, first, checkpoint->number);
  g_autoptr (GPtrArray) rows = to_rows (records);
  if (sv_state_append_commitments (state, sv_chain_id (chain), checkpoint, rows, &failure))
    return TRUE;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_CONFLICT)) /* another follower was faster: all the better */
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
sv_checkpoint_save (SvChain *chain, SvState *state, const SvHistory *history, guint64 from_block, guint64 number,
                    GError **error)
{
  SvCheckpoint stored, next = { .from_block = from_block, .number = number };
  gboolean found;
  SvBlock block;
  guint64 first = from_block;
  if (!sv_state_checkpoint (state, sv_chain_id (chain), &stored, &found, error))
    return FALSE;
  if (found && number <= stored.number && (from_block >= stored.from_block || number < stored.number))
    return TRUE;
  if (found && from_block >= stored.from_block && from_block <= stored.number + 1)
  {
    next.from_block = stored.from_block;
    first = stored.number + 1;
  }
  if (!sv_chain_block (chain, number, &block, error))
    return FALSE;
  g_strlcpy (next.hash, block.hash, sizeof next.hash);
  return append (chain, state, history, &next, first, error);
}
