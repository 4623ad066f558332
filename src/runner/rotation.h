/* Whose bindings, and which of them next (docs/protocol.md section 8): those of the hotkeys named with --miner, read from the
 * API's list and checked on the chain, else the wallet's own from the receipts; then the element named, or the next in
 * rotation. */
#pragma once

#include "bindings/receipts.h"
#include "protocol/manifest.h"

typedef struct SvRotation SvRotation;

/* @miners: bare addresses, NULL-terminated, may be empty: @own alone. All borrowed but copied where kept. The place in the
 * rotation survives in $SCOREVISION_HOME/runner/rotation. Returns: (transfer full). */
SvRotation *sv_rotation_new (const SvConfig *config, const char *const *miners, const char *own, const char *element,
                             const char *slug);
void sv_rotation_free (SvRotation *rotation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvRotation, sv_rotation_free)

/* Makes bindings and proofs of the manifest's window ready (the user's `get_commitment_proof`, for all elements at once): from
 * what is known of them, or with @refresh anew. @block is the head. */
gboolean sv_get_commitment_proofs (SvRotation *rotation, SvChain *chain, const SvManifest *manifest, guint64 block,
                                   gboolean refresh, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The element named, or the next in rotation, with its binding, and in *@miner whose it is. SV_ERROR_NOT_FOUND naming the
 * command that helps. (transfer none) until the next load. */
const SvBoundElement *sv_select_element_from_commitments (SvRotation *rotation, const char **miner,
                                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remembers the binding as done, so that the next run goes on after it. */
void sv_rotation_done (SvRotation *rotation, const char *miner, const SvBoundElement *bound);
