/* Revoking signers on the chain (docs/protocol.md section 5): the subnet's owner names them in his slot, for good. */
#pragma once

#include "operator/anchor_slot.h"

typedef struct
{
  SvPrepareFlags flags;
  gboolean dry_run;
  guint finality_timeout_ms; /* 0: an included text is enough */
} SvRevokeOptions;

typedef struct
{
  char *text;                         /* what the owner's slot holds, or with dry_run would hold */
  gboolean was_there;                 /* the slot named them all already */
  guint64 block;                      /* 0 where nothing was committed */
  char extrinsic[SV_BLOCK_HASH_TEXT]; /* empty then */
  gboolean is_final;
  gboolean has_signer; /* without the revoked ones an account stays trusted here */
  GError *index_error; /* why the index cannot be read, or is refused, without them; NULL also where there is none */
  char **windows;      /* whose live manifest is refused without them, where the index is not; NULL-terminated */
} SvRevocation;

void sv_revocation_free (SvRevocation *revocation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvRevocation, sv_revocation_free)

/* Commits the owner's text with @accounts (NULL-terminated, bare) and every account revoked before, beside the index that still
 * verifies without them, where the chain has room for both. The keypair must be the owner's: else SV_ERROR_POLICY naming the
 * owner. What the chain refuses for now is SV_ERROR_UNREACHABLE naming the block. The slot's reader judges from here on as if
 * they were revoked. Returns: (transfer full). */
SvRevocation *sv_revoke_signers (const SvAnchorSlot *slot, const char *const *accounts, const SvRevokeOptions *options,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
