/* The last step of publishing (docs/protocol.md section 5): the index's newest manifest and its sequence, on the chain. */
#pragma once

#include "operator/publish.h"

typedef struct
{
  gboolean was_there; /* an anchor of this signer covers the publication already */
  guint64 sequence;
  char *hash;
  guint64 block;                      /* where the extrinsic was included; 0 where the anchor was there */
  char extrinsic[SV_BLOCK_HASH_TEXT]; /* empty where the anchor was there */
} SvAnchoring;

void sv_anchoring_free (SvAnchoring *anchoring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvAnchoring, sv_anchoring_free)

/* Anchors the index as it is now and waits for inclusion; nothing is done when an anchor of this signer covers @publication
 * already. What the chain refuses for good is SV_ERROR_POLICY; everything else is SV_ERROR_UNREACHABLE saying "public, not
 * anchored; run the same command again after block N". Returns: (transfer full). */
SvAnchoring *sv_anchor_publication (SvPublisher *publisher, const SvPublication *publication, SvPrepareFlags flags,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
