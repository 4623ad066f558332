/* Anchoring follows the index, never the other way round: what is anchored is the index as it is when the transaction is made,
 * so one anchor covers all that was published meanwhile, and publishers who waited find themselves covered. */
#include "operator/anchoring.h"

#include <unistd.h>

#include "base/error.h"
#include "operator/anchor_slot.h"

void
sv_anchoring_free (SvAnchoring *anchoring)
{
  if (anchoring == NULL)
    return;
  g_free (anchoring->hash);
  g_free (anchoring);
}

static SvAnchorSlot
slot_of (SvPublisher *publisher)
{
  return (SvAnchorSlot){ .config = sv_publisher_config (publisher),
                         .chain = sv_publisher_chain (publisher),
                         .reader = sv_publisher_reader (publisher),
                         .keypair = sv_publisher_keypair (publisher) };
}

static SvAnchoring *
anchor_index (SvPublisher *publisher, const SvAnchor *own, SvPrepareFlags flags, GError **error)
{
  const SvAnchorSlot slot = slot_of (publisher);
  g_autoptr (SvIndex) index = sv_publisher_read_index (publisher, error);
  if (index == NULL)
    return NULL;
  g_autofree char *text = sv_anchor_slot_text (&slot, index, own, NULL, error);
  if (text == NULL)
    return NULL;
  g_autoptr (SvExtrinsic) extrinsic = sv_anchor_slot_commit (&slot, text, flags, error);
  if (extrinsic == NULL)
    return NULL;
  SvAnchoring *anchoring = g_new0 (SvAnchoring, 1);
  anchoring->sequence = index->sequence;
  anchoring->hash = g_strdup (index->newest);
  anchoring->block = extrinsic->block;
  g_strlcpy (anchoring->extrinsic, extrinsic->hash, sizeof anchoring->extrinsic);
  return anchoring;
}

static SvAnchoring *
anchor_locked (SvPublisher *publisher, const SvPublication *publication, SvPrepareFlags flags, GError **error)
{
  const SvAnchorSlot slot = slot_of (publisher);
  g_autoptr (SvAnchor) own = NULL;
  if (!sv_anchor_slot_read (&slot, &own, error))
    return NULL;
  if (own == NULL || own->hash == NULL || own->sequence < publication->added_sequence)
    return anchor_index (publisher, own, flags, error);
  SvAnchoring *anchoring = g_new0 (SvAnchoring, 1);
  anchoring->was_there = TRUE;
  anchoring->sequence = own->sequence;
  anchoring->hash = g_strdup (own->hash);
  return anchoring;
}

/* ── failing ── */

/* The publication stands whatever happens here, so the message must not sound as if nothing had been published. */
static void
set_not_anchored (SvPublisher *publisher, const SvPublication *publication, const GError *reason, GError **error)
{
  const SvAnchorSlot slot = slot_of (publisher);
  guint64 after;
  if (g_error_matches (reason, SV_ERROR, SV_ERROR_POLICY))
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "manifest %s is public, not anchored: %s", publication->manifest_hash,
                 reason->message);
  else if (sv_anchor_slot_free_after (&slot, &after))
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "manifest %s is public, not anchored; run the same command again after block %" G_GUINT64_FORMAT ": %s",
                 publication->manifest_hash, after, reason->message);
  else
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "manifest %s is public, not anchored; run the same command again when the chain answers: %s",
                 publication->manifest_hash, reason->message);
}

SvAnchoring *
sv_anchor_publication (SvPublisher *publisher, const SvPublication *publication, SvPrepareFlags flags, GError **error)
{
  g_autoptr (GError) local = NULL;
  SvAnchoring *anchoring = NULL;
  const SvAnchorSlot slot = slot_of (publisher);
  int lock = sv_anchor_slot_lock (&slot, &local);
  if (lock >= 0)
  {
    anchoring = anchor_locked (publisher, publication, flags, &local);
    close (lock);
  }
  if (anchoring == NULL)
    set_not_anchored (publisher, publication, local, error);
  return anchoring;
}
