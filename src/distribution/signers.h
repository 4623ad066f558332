/* Trusted signers of manifests and indexes: SCOREVISION_MANIFEST_SIGNERS, a comma list of accounts, `chain:owner`, and
 * `!ACCOUNT` for one that is revoked locally; the chain's revocations; and the remembered statements on signers, judged at the
 * finalized head (docs/protocol.md section 2). */
#pragma once

#include "chain/chain.h"
#include "protocol/signers_fold.h"

typedef struct SvSigners SvSigners;

/* With none configured: SV_ERROR_USAGE telling how to set one. `chain:owner` needs @chain (else SV_ERROR_UNREACHABLE). The
 * first owner seen is accepted, another one with @accept_owner; until then that is SV_ERROR_POLICY for `chain:owner`, and for a
 * list of accounts his revocations and anchors do not count. Without a chain that answers, statements are judged at the last
 * finalized block that this home remembers. Returns: (transfer full). */
SvSigners *sv_signers_load (const SvConfig *config, SvChain *chain, gboolean accept_owner,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_signers_free (SvSigners *signers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSigners, sv_signers_free)

/* Logs a warning where the owner has changed and was not accepted, unless @before (or NULL) knew of it. */
void sv_signers_warn_of_owner (const SvSigners *signers, const SvSigners *before);

/* SV_ERROR_VERIFY where every account that the setting names is revoked: then no statement can have effect, now or later. */
gboolean sv_signers_check_some_left (const SvSigners *signers, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SvTrustFuncs; @signers is the data. The first: whose indexes and manifests count. The second: whose manifests count where a
 * verified index lists them, and whose memory counts, that is the trusted and the retired ones'. */
gboolean sv_signers_trust (const char *address, gpointer signers);
gboolean sv_signers_honour (const char *address, gpointer signers);

/* (transfer none) bare addresses of those whose slots on the chain may hold the anchor: the trusted accounts and the subnet's
 * owner, unless revoked; NULL-terminated. */
const char *const *sv_signers_anchorers (const SvSigners *signers);

/* (transfer none) bare addresses of the trusted accounts, NULL-terminated. */
const char *const *sv_signers_accounts (const SvSigners *signers);

/* (transfer none) what was folded, from what, and for which block. */
const SvSignersFold *sv_signers_fold (const SvSigners *signers);
const SvSignerRoots *sv_signers_roots (const SvSigners *signers);
const GPtrArray *sv_signers_statements (const SvSigners *signers);
guint64 sv_signers_block (const SvSigners *signers);

/* Folds anew with other statements (taken). */
void sv_signers_set_statements (SvSigners *signers, GPtrArray *statements);

/* Folds anew with further revoked accounts; nothing is done where all are revoked already. */
void sv_signers_add_revoked (SvSigners *signers, const char *const *accounts);
