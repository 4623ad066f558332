/* Inside the Subtensor chain: the body of one block, as far as commitments of the subnet are in it. */
#pragma once

#include "chain/subtensor/subtensor.h"

typedef struct
{
  guint64 number;
  char hash[SV_BLOCK_HASH_TEXT];
  char parent[SV_BLOCK_HASH_TEXT];
  SvRuntime *runtime;   /* that executed it */
  const char *endpoint; /* that gave it */
  gboolean is_gone;     /* no endpoint has it any more */
  guint n_extrinsics;
  GPtrArray *commitments; /* (element-type SvExtrinsic) set_commitment of the subnet; text "" where there is none */
} SvBlockBody;

SvBlockBody *sv_block_body_new (guint64 number, const char *hash);
void sv_block_body_free (SvBlockBody *body);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvBlockBody, sv_block_body_free)

/* Takes the answer to chain_getBlock: checks that it is this block, whole and unchanged, and collects the commitments.
 * SV_ERROR_VERIFY where it is not. */
gboolean sv_block_body_read (const SvSubtensor *subtensor, SvBlockBody *body, SvRpcCall *call,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes the value of System.Events: what became of the commitments. */
gboolean sv_block_body_judge (const SvBlockBody *body, const json_t *events, GError **error) G_GNUC_WARN_UNUSED_RESULT;
