/* Inside the miner's room: the signed extrinsic that a run keeps in a file until it is on the chain, so that the same command
 * finds it again when that run was interrupted. */
#pragma once

#include "miner/commitments.h"

/* One run at a time signs for a hotkey of this home, or two at once would each put the same text on the chain. Returns: a
 * descriptor to close, or -1. */
int sv_pending_lock (const SvMinerWindow *window, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean sv_pending_write (const SvMinerWindow *window, const SvPreparedExtrinsic *prepared, const char *text,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The extrinsic that an interrupted run left, when it is for the same text and hotkey; else NULL. A pending file that cannot be
 * read is worth nothing: the fold of the chain's state decides then. Returns: (transfer full). */
SvPreparedExtrinsic *sv_pending_read (const SvMinerWindow *window, const char *text);

void sv_pending_remove (const SvMinerWindow *window);
