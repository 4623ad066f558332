/* Inside the Subtensor chain: what an account has committed in final blocks, kept in $SCOREVISION_HOME/cache. A public node has
 * the state of recent blocks only, and without it every block would have to be read to find an account's older commitments. */
#pragma once

#include "chain/chain.h"

typedef struct
{
  char *path;
  gboolean is_there;
  guint64 from, to; /* the blocks that are known, both included */
  gboolean has_mark;
  guint64 mark;          /* what the state at @to named as the account's last commitment; 0 for none */
  GPtrArray *extrinsics; /* (element-type SvExtrinsic) successful ones in chain order */
} SvAccountMemory;

/* What cannot be read, or is another account's or chain's, is as if it were not there. */
void sv_account_memory_load (SvAccountMemory *memory, const char *folder, const SvChainId *chain, const char *address);
void sv_account_memory_clear (SvAccountMemory *memory);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvAccountMemory, sv_account_memory_clear)

/* Keeps those of @found (element-type SvExtrinsic, all from memory->from on) in blocks up to memory->to. Failing is no error:
 * it costs only time later. */
void sv_account_memory_save (const SvAccountMemory *memory, const SvChainId *chain, const char *address,
                             const GPtrArray *found);
