/* Receipts: what a miner remembers of his own commitments, in $SCOREVISION_HOME/commitments/{window_id}.json with mode 0600
 * (docs/protocol.md section 6): the user's State Layout plus the proof per element. Losing them loses nothing; they are made
 * anew from the chain. Miner and runner both read them, which is why they live on this floor. */
#pragma once

#include "base/config.h"
#include "chain/chain.h"
#include "protocol/proof.h"

typedef struct
{
  char *miner_hotkey; /* bare address */
  char *window_id;
  guint64 total_cap_milli;
  guint64 expires_at_block;
  GPtrArray *bound; /* (element-type SvBoundElement) sorted by element_id */
} SvReceipts;

void sv_receipts_free (SvReceipts *receipts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvReceipts, sv_receipts_free)

/* Returns: (transfer full). */
char *sv_receipts_path (const SvConfig *config, const char *window_id);

/* SV_ERROR_NOT_FOUND naming `sv miner commit` and `sv miner commitments --refresh` where there are none for the window;
 * SV_ERROR_CONFLICT where they are another hotkey's. Returns: (transfer full). */
SvReceipts *sv_receipts_read (const SvConfig *config, const char *window_id, const char *hotkey,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SV_ERROR_CONFLICT where the window's receipts in this home are another hotkey's. A miner asks before he commits. */
gboolean sv_receipts_check_owner (const SvConfig *config, const char *window_id, const char *hotkey,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes what @fold says of @hotkey; with nothing bound the file goes away. Another hotkey's receipts are never touched:
 * SV_ERROR_CONFLICT. */
gboolean sv_receipts_write (const SvConfig *config, const SvFold *fold, const char *hotkey, guint64 expiry_block,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Window ids that have receipts, sorted. Returns: (transfer full) NULL-terminated. */
char **sv_receipts_windows (const SvConfig *config);

/* (transfer none) the element's binding and proof, or NULL. */
const SvBoundElement *sv_receipts_find (const SvReceipts *receipts, const char *element_id);

/* Asks the API's public list for the hotkey's commitments of a window, looks up each proof on the chain, folds what is found
 * there and returns that. The API can leave something out, but it can make nothing up. SV_ERROR_UNREACHABLE where API or chain
 * cannot be read, naming the block. Returns: (transfer full). */
SvFold *sv_refresh_commitments (const SvConfig *config, SvChain *chain, const char *hotkey, const char *window_id,
                                guint64 start_block, guint64 expiry_block, GError **error) G_GNUC_WARN_UNUSED_RESULT;
