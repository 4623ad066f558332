/* One window as a miner sees it before committing (docs/protocol.md section 6): what the hotkey has bound in it, and what
 * folding would say of a new text. */
#pragma once

#include "distribution/reader.h"
#include "keys/keypair.h"
#include "protocol/commitment.h"

typedef struct
{
  const SvConfig *config; /* these three are borrowed */
  SvChain *chain;
  const SvKeypair *keypair;
  SvManifest *manifest;
  guint64 start_block;
  guint64 expiry_block;
  SvHead head;
  SvFold *fold; /* at the best head */
} SvMinerWindow;

void sv_miner_window_free (SvMinerWindow *window);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvMinerWindow, sv_miner_window_free)

/* Reads index, manifest and the hotkey's commitments. SV_ERROR_NOT_FOUND for a window that the index does not have, naming
 * those it has; SV_ERROR_POLICY for one that is over. Returns: (transfer full). */
SvMinerWindow *sv_miner_window_open (const SvConfig *config, SvChain *chain, SvReader *reader, const SvKeypair *keypair,
                                     const char *window_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads head and commitments anew. */
gboolean sv_miner_window_refresh (SvMinerWindow *window, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when the state has just what @text says, so that there is nothing to commit. */
gboolean sv_commit_is_in_force (const SvMinerWindow *window, const SvCommitmentText *text);

/* Hotkeys whose last commitment binds one of the text's chutes in this window, "chute_id: hotkey, hotkey" each;
 * NULL-terminated. For a warning, so their slots are enough. Returns: (transfer full). */
char **sv_commit_rivals (SvMinerWindow *window, const SvCommitmentText *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Refuses (SV_ERROR_POLICY, with the reason) what folding would make void, and what would overwrite the hotkey's anchor. */
gboolean sv_commit_check (const SvMinerWindow *window, const SvCommitmentText *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
