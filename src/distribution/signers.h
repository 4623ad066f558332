/* Trusted signers of manifests and indexes: SCOREVISION_MANIFEST_SIGNERS, a comma list of accounts, `chain:owner`, and
 * `!ACCOUNT` for one that is revoked locally (docs/protocol.md section 2). */
#pragma once

#include "chain/chain.h"

typedef struct SvSigners SvSigners;

/* With none configured: SV_ERROR_USAGE telling how to set one. `chain:owner` needs @chain (else SV_ERROR_UNREACHABLE); a
 * changed owner is SV_ERROR_POLICY until it was accepted with @accept_owner. Returns: (transfer full). */
SvSigners *sv_signers_load (const SvConfig *config, SvChain *chain, gboolean accept_owner,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_signers_free (SvSigners *signers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSigners, sv_signers_free)

/* An SvTrustFunc; @signers is the data. */
gboolean sv_signers_trust (const char *address, gpointer signers);

/* (transfer none) bare addresses of those whose slots on the chain may hold the anchor: the trusted accounts and the subnet's
 * owner, unless revoked; NULL-terminated. */
const char *const *sv_signers_anchorers (const SvSigners *signers);

/* (transfer none) bare addresses of the trusted accounts, NULL-terminated. */
const char *const *sv_signers_accounts (const SvSigners *signers);
