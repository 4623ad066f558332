/* The folded state of one account, read straight from the chain: for whoever asks about a single hotkey and does not follow the
 * subnet. */
#pragma once

#include "chain/chain.h"
#include "protocol/proof.h"

/* Folds @extrinsics (element-type SvExtrinsic), successful ones of one account in chain order, up to @at_block. Returns:
 * (transfer full). */
SvFold *sv_account_fold_of (const GPtrArray *extrinsics, const char *window_id, guint64 start_block, guint64 expiry_block,
                            guint64 at_block);

/* Reads the account's commitments that can count for the window, up to @at_block, and folds them. SV_ERROR_UNREACHABLE where a
 * block that may hold one cannot be read any more, naming it. Returns: (transfer full). */
SvFold *sv_account_fold_read (SvChain *chain, const char *address, const char *window_id, guint64 start_block,
                              guint64 expiry_block, guint64 at_block, GError **error) G_GNUC_WARN_UNUSED_RESULT;
