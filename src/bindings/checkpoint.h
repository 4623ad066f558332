/* Inside bindings: what the follower keeps in the state between runs. */
#pragma once

#include "bindings/history.h"
#include "state/state.h"

/* Reads the checkpoint and compares its block with the chain's, whose head is @head; one that lies on another chain is
 * forgotten, with a log line. One above the finalized head is SV_ERROR_UNREACHABLE: the chain's endpoint is behind. */
gboolean sv_checkpoint_load (SvChain *chain, SvState *state, const SvHead *head, SvCheckpoint *checkpoint, gboolean *found,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The stored records with @first <= block <= @last. Returns: (transfer full) (element-type SvRecord). */
GPtrArray *sv_checkpoint_read (SvChain *chain, SvState *state, guint64 first, guint64 last,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the stored index hold the final records of @history, which begins at @from_block, up to block @number. Does nothing
 * where it holds them already. */
gboolean sv_checkpoint_save (SvChain *chain, SvState *state, const SvHistory *history, guint64 from_block, guint64 number,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
