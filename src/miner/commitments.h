/* Committing on the chain (docs/protocol.md section 6): a miner's present state for a window, what folding would say of a new
 * text, and its submission, which a kill at any point leaves in a state that the same command completes. */
#pragma once

#include "bindings/receipts.h"
#include "distribution/reader.h"
#include "keys/keypair.h"

/* One window as a miner sees it before committing. */
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

/* TRUE when the state has just what @text says, so that there is nothing to commit. */
gboolean sv_commit_is_in_force (const SvMinerWindow *window, const SvCommitmentText *text);

/* Hotkeys whose last commitment binds one of the text's chutes in this window, "chute_id: hotkey, hotkey" each;
 * NULL-terminated. For a warning, so their slots are enough. Returns: (transfer full). */
char **sv_commit_rivals (SvMinerWindow *window, const SvCommitmentText *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Refuses (SV_ERROR_POLICY, with the reason) what folding would make void, and what would overwrite the hotkey's anchor. */
gboolean sv_commit_check (const SvMinerWindow *window, const SvCommitmentText *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  void (*on_block) (guint64 best_block, gpointer data);      /* while waiting for inclusion; may be NULL */
  void (*on_final) (guint64 finalized_block, gpointer data); /* while waiting for finality; may be NULL */
  gpointer data;
  guint timeout_ms;
  guint finality_timeout_ms; /* 0: an included commitment is enough */
  SvPrepareFlags flags;
} SvCommitWait;

/* The user's `commit_element_set`: checks, submits, waits for inclusion and finality, writes the receipts. A text too long for
 * the chain is split by elements. *@proofs receives the proof of each extrinsic, NULL-terminated; on failure, of those that are
 * on the chain. @window->fold is the new state afterwards. */
gboolean sv_commit_element_set (SvMinerWindow *window, const SvCommitmentText *text, const SvCommitWait *wait, char ***proofs,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The texts that the commitment is split into, as they go on the chain. Returns: (transfer full) NULL-terminated. */
char **sv_commit_texts (const SvCommitmentText *text, gsize max_text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
