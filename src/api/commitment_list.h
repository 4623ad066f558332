/* The texts of GET /api/commitments by one picture of manifests and bindings. Writing one takes up to some hundred
 * milliseconds, so it is no work for a thread that has connections. One thread at a time. */
#pragma once

#include "api/snapshot.h"

typedef struct SvCommitmentList SvCommitmentList;

/* Takes @snapshot, which has bindings and a catalog. */
SvCommitmentList *sv_commitment_list_new (SvSnapshot *snapshot);
void sv_commitment_list_free (SvCommitmentList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvCommitmentList, sv_commitment_list_free)

/* Whether it would say the same by @snapshot; any thread. */
gboolean sv_commitment_list_is_of (const SvCommitmentList *list, const SvSnapshot *snapshot);

/* The answer's text for one hotkey and one window, NULL each for all. Returns: (transfer full); NULL when the window is not
 * open. */
GBytes *sv_commitment_list_write (SvCommitmentList *list, const char *hotkey, const char *window_id);
