/* Committing on the chain (docs/protocol.md section 6): splitting a text, and submitting it, which a kill at any point leaves
 * in a state that the same command completes. */
#pragma once

#include "miner/miner_window.h"

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
