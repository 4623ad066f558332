#include "bindings/account_fold.h"

#include "base/error.h"

SvFold *
sv_account_fold_of (const GPtrArray *extrinsics, const char *window_id, guint64 start_block, guint64 expiry_block,
                    guint64 at_block)
{
  g_autofree SvChainText *texts = g_new0 (SvChainText, extrinsics->len);
  g_autoptr (GPtrArray) proofs = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < extrinsics->len; i++)
  {
    const SvExtrinsic *extrinsic = g_ptr_array_index (extrinsics, i);
    g_ptr_array_add (proofs, sv_proof_format (extrinsic->block, extrinsic->hash));
    texts[i] = (SvChainText){
      .block = extrinsic->block, .index = extrinsic->index, .text = extrinsic->text, .proof = g_ptr_array_index (proofs, i)
    };
  }
  return sv_fold (window_id, start_block, expiry_block, texts, extrinsics->len, at_block);
}

SvFold *
sv_account_fold_read (SvChain *chain, const char *address, const char *window_id, guint64 start_block, guint64 expiry_block,
                      guint64 at_block, GError **error)
{
  g_autoptr (GArray) unreadable = NULL;
  guint64 first = start_block > SV_COMMIT_EARLIEST ? start_block - SV_COMMIT_EARLIEST : 0;
  g_autoptr (GPtrArray) extrinsics = sv_chain_account_commitments (chain, address, first, at_block, &unreadable, error);
  if (extrinsics == NULL)
    return NULL;
  if (unreadable->len == 0)
    return sv_account_fold_of (extrinsics, window_id, start_block, expiry_block, at_block);
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "block %" G_GUINT64_FORMAT " cannot be read any more on %s (%u blocks in all), and may hold a commitment of %s; "
               "set BITTENSOR_SUBTENSOR_FALLBACK to an archive endpoint",
               g_array_index (unreadable, guint64, 0), sv_chain_url (chain), unreadable->len, address);
  return NULL;
}
