/* An account's slot on the chain, in which its anchor and the owner's revocations lie (docs/protocol.md section 5): who writes
 * there replaces what was there. */
#pragma once

#include "distribution/chain_anchor.h"
#include "distribution/reader.h"

/* All borrowed. */
typedef struct
{
  const SvConfig *config;
  SvChain *chain;
  SvReader *reader; /* knows the accounts that are revoked */
  const SvKeypair *keypair;
} SvAnchorSlot;

/* Processes of one home and account take turns by this lock, from reading the slot until their text is included. Returns the
 * descriptor to close, or -1. */
int sv_anchor_slot_lock (const SvAnchorSlot *slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the slot holds at the best head, included or final; *@anchor is NULL where it is no anchor. Returns: (transfer full). */
gboolean sv_anchor_slot_read (const SvAnchorSlot *slot, SvAnchor **anchor, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The text for the slot: `sv1 manifest` of @index, or `sv1 revoke` where that is NULL or names no manifest, with every account
 * that must be named: those of the text that is replaced (@own, or NULL), the remembered ones where the account owns the
 * subnet, and @more (or NULL). SV_ERROR_POLICY where the chain does not take one so long. Returns: (transfer full). */
char *sv_anchor_slot_text (const SvAnchorSlot *slot, const SvIndex *index, const SvAnchor *own, const char *const *more,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Commits the text and waits for its inclusion. Returns: (transfer full). */
SvExtrinsic *sv_anchor_slot_commit (const SvAnchorSlot *slot, const char *text, SvPrepareFlags flags,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The block after which the chain takes another text; FALSE where it does not answer. */
gboolean sv_anchor_slot_free_after (const SvAnchorSlot *slot, guint64 *block);
