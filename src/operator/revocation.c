/* The text must not carry what a thief has written: its hash and sequence are those of an index that verifies once the accounts
 * are revoked, or there are none. */
#include "operator/revocation.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"

void
sv_revocation_free (SvRevocation *revocation)
{
  if (revocation == NULL)
    return;
  g_free (revocation->text);
  g_clear_error (&revocation->index_error);
  g_strfreev (revocation->windows);
  g_free (revocation);
}

static gboolean
check_owner (const SvAnchorSlot *slot, GError **error)
{
  g_autofree char *owner = sv_chain_owner (slot->chain, error);
  if (owner == NULL)
    return FALSE;
  if (strcmp (owner, sv_keypair_address (slot->keypair)) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "only the subnet's owner can revoke: that is %s, and the wallet's hotkey is %s; choose his wallet with "
               "BITTENSOR_WALLET_COLD and BITTENSOR_WALLET_HOT, or revoke for yourself alone with `!ACCOUNT` in "
               "SCOREVISION_MANIFEST_SIGNERS",
               owner, sv_keypair_address (slot->keypair));
  return FALSE;
}

/* (transfer full) windows of @index whose live manifest is by somebody who does not count. */
static char **
find_refused_windows (const SvAnchorSlot *slot, const SvIndex *index)
{
  g_autoptr (GStrvBuilder) windows = g_strv_builder_new ();
  for (guint i = 0; index != NULL && i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = index->entries->pdata[i];
    if (!sv_reader_honours (entry->published_by, slot->reader))
      g_strv_builder_add (windows, entry->window_id);
  }
  return g_strv_builder_end (windows);
}

/* The newest index that still counts; NULL where there is none, or none can be had now. */
static SvIndex *
index_without (const SvAnchorSlot *slot, const char *const *accounts, SvRevocation *revocation)
{
  sv_reader_assume_revoked (slot->reader, accounts);
  SvIndex *index = sv_fetch_index (slot->reader, SV_FETCH_BYPASS_CACHES, &revocation->index_error);
  revocation->has_signer = sv_signers_accounts (sv_reader_signers (slot->reader))[0] != NULL;
  revocation->windows = find_refused_windows (slot, index);
  if (g_error_matches (revocation->index_error, SV_ERROR, SV_ERROR_NOT_FOUND))
    g_clear_error (&revocation->index_error);
  return index != NULL ? index : sv_remembered_index (slot->reader, NULL);
}

static gboolean
names_all (const SvAnchor *own, const char *const *accounts)
{
  for (; own != NULL && *accounts != NULL; accounts++)
    if (!g_strv_contains ((const char *const *)own->revoked, *accounts))
      return FALSE;
  return own != NULL;
}

static gboolean
await_finality (const SvAnchorSlot *slot, SvExtrinsic **extrinsic, guint timeout_ms, GError **error)
{
  if (sv_chain_await_finality (slot->chain, extrinsic, timeout_ms, NULL, NULL, error))
    return TRUE;
  g_prefix_error (error, "the revocation is in a block, and not final yet; run the same command again to see it through: ");
  return FALSE;
}

static gboolean
commit (const SvAnchorSlot *slot, const SvRevokeOptions *options, SvRevocation *revocation, GError **error)
{
  g_autoptr (SvExtrinsic) extrinsic = sv_anchor_slot_commit (slot, revocation->text, options->flags, error);
  if (extrinsic == NULL ||
      (options->finality_timeout_ms > 0 && !await_finality (slot, &extrinsic, options->finality_timeout_ms, error)))
    return FALSE;
  revocation->block = extrinsic->block;
  revocation->is_final = options->finality_timeout_ms > 0;
  g_strlcpy (revocation->extrinsic, extrinsic->hash, sizeof revocation->extrinsic);
  return TRUE;
}

/* Whether the slot says so in a final block, too. */
static gboolean
read_finality (const SvAnchorSlot *slot, const char *const *accounts, gboolean *is_final, GError **error)
{
  SvHead head;
  g_autoptr (SvAnchor) anchor = NULL;
  if (!sv_chain_head (slot->chain, &head, error) ||
      !sv_chain_read_anchor (slot->chain, sv_keypair_address (slot->keypair), head.finalized.number, &anchor, error))
    return FALSE;
  *is_final = names_all (anchor, accounts);
  return TRUE;
}

/* Where the chain has no room for both, the revocation goes before the anchor. */
static char *
make_text (const SvAnchorSlot *slot, const SvIndex *index, const SvAnchor *own, const char *const *accounts, GError **error)
{
  g_autoptr (GError) too_long = NULL;
  char *text = sv_anchor_slot_text (slot, index, own, accounts, &too_long);
  if (text != NULL)
    return text;
  if (index != NULL && g_error_matches (too_long, SV_ERROR, SV_ERROR_POLICY))
    return sv_anchor_slot_text (slot, NULL, own, accounts, error);
  g_propagate_error (error, g_steal_pointer (&too_long));
  return NULL;
}

static SvRevocation *
revoke_locked (const SvAnchorSlot *slot, const char *const *accounts, const SvRevokeOptions *options, GError **error)
{
  g_autoptr (SvAnchor) own = NULL;
  g_autoptr (SvRevocation) revocation = g_new0 (SvRevocation, 1);
  if (!sv_anchor_slot_read (slot, &own, error))
    return NULL;
  g_autoptr (SvIndex) index = index_without (slot, accounts, revocation);
  revocation->was_there = names_all (own, accounts);
  if (revocation->was_there)
  {
    revocation->text = sv_anchor_format (own->hash, own->sequence, (const char *const *)own->revoked);
    return read_finality (slot, accounts, &revocation->is_final, error) ? g_steal_pointer (&revocation) : NULL;
  }
  revocation->text = make_text (slot, index, own, accounts, error);
  if (revocation->text == NULL || (!options->dry_run && !commit (slot, options, revocation, error)))
    return NULL;
  return g_steal_pointer (&revocation);
}

/* What only waiting helps against is told with the block. */
static void
set_not_revoked (const SvAnchorSlot *slot, GError *reason, GError **error)
{
  guint64 after;
  if (g_error_matches (reason, SV_ERROR, SV_ERROR_UNREACHABLE) && sv_anchor_slot_free_after (slot, &after))
    g_prefix_error (&reason, "run the same command again after block %" G_GUINT64_FORMAT ": ", after);
  g_propagate_error (error, reason);
}

SvRevocation *
sv_revoke_signers (const SvAnchorSlot *slot, const char *const *accounts, const SvRevokeOptions *options, GError **error)
{
  if (!check_owner (slot, error))
    return NULL;
  GError *local = NULL;
  int lock = sv_anchor_slot_lock (slot, &local);
  SvRevocation *revocation = lock >= 0 ? revoke_locked (slot, accounts, options, &local) : NULL;
  if (lock >= 0)
    close (lock);
  if (revocation == NULL)
    set_not_revoked (slot, local, error);
  return revocation;
}
