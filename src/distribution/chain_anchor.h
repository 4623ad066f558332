/* Anchors on the chain (docs/protocol.md section 5), as readers need them. */
#pragma once

#include "chain/chain.h"
#include "protocol/anchor.h"

/* The anchor text of one account at @block, or NULL without an error when it has none (or one that is not well formed, which
 * is nobody's anchor). Returns: (transfer full). */
gboolean sv_chain_read_anchor (SvChain *chain, const char *address, guint64 block, SvAnchor **anchor,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of the accounts' anchors at @block the one with the greatest sequence, or NULL. Returns: (transfer full). */
gboolean sv_chain_greatest_anchor (SvChain *chain, const char *const *accounts, guint64 block, SvAnchor **anchor,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
