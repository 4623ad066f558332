/* Without the lock a slow process could put a lower sequence over a higher one, or take a revocation back. */
#include "operator/anchor_slot.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"

#define SHORTEST_WAIT_MS 60000
#define WAIT_BLOCKS 20
#define MAX_ATTEMPTS 10

static const char *
account_of (const SvAnchorSlot *slot)
{
  return sv_keypair_address (slot->keypair);
}

int
sv_anchor_slot_lock (const SvAnchorSlot *slot, GError **error)
{
  g_autofree char *folder = sv_config_home_path (slot->config, "memory");
  g_autofree char *path = g_strdup_printf ("%s/anchor-%s.lock", folder, account_of (slot));
  return sv_directory_make (folder, 0700, error) ? sv_file_lock (path, error) : -1;
}

gboolean
sv_anchor_slot_read (const SvAnchorSlot *slot, SvAnchor **anchor, GError **error)
{
  SvHead head;
  return sv_chain_head (slot->chain, &head, error) &&
         sv_chain_read_anchor (slot->chain, account_of (slot), head.best.number, anchor, error);
}

/* ── the text ── */

static void
add_accounts (GPtrArray *accounts, const char *const *more)
{
  for (; more != NULL && *more != NULL; more++)
    if (!g_ptr_array_find_with_equal_func (accounts, *more, g_str_equal, NULL))
      g_ptr_array_add (accounts, (gpointer)*more);
}

/* The owner's texts go on with every account revoked so far: those of the text that is replaced, and those remembered. While it
 * cannot be told who is the owner, nothing is written: it might take revocations back. */
static GPtrArray *
accounts_to_name (const SvAnchorSlot *slot, const SvAnchor *own, const char *const *more, GError **error)
{
  g_autofree char *owner = NULL;
  if (!sv_chain_find_owner (slot->chain, &owner, error))
    return NULL;
  GPtrArray *accounts = g_ptr_array_new ();
  if (own != NULL)
    add_accounts (accounts, (const char *const *)own->revoked);
  if (g_strcmp0 (owner, account_of (slot)) == 0)
    add_accounts (accounts, sv_reader_revoked (slot->reader));
  add_accounts (accounts, more);
  g_ptr_array_add (accounts, NULL);
  return accounts;
}

char *
sv_anchor_slot_text (const SvAnchorSlot *slot, const SvIndex *index, const SvAnchor *own, const char *const *more,
                     GError **error)
{
  g_autoptr (GPtrArray) accounts = accounts_to_name (slot, own, more, error);
  if (accounts == NULL)
    return NULL;
  const char *newest = index != NULL ? index->newest : NULL;
  g_autofree char *text = sv_anchor_format (newest, index != NULL ? index->sequence : 0, (const char *const *)accounts->pdata);
  gsize longest = sv_chain_max_text (slot->chain);
  if (strlen (text) <= longest)
    return g_steal_pointer (&text);
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "the anchor with its %u revoked accounts is %" G_GSIZE_FORMAT " bytes and the chain takes %" G_GSIZE_FORMAT,
               accounts->len - 1, strlen (text), longest);
  return NULL;
}

/* ── the transaction ── */

/* Another program with the same hotkey may commit at the same time; the text is then prepared again behind its own. */
static SvPreparedExtrinsic *
submit_text (const SvAnchorSlot *slot, const char *text, SvPrepareFlags flags, GError **error)
{
  for (guint attempt = 1;; attempt++)
  {
    GError *local = NULL;
    g_autoptr (SvPreparedExtrinsic) prepared = sv_chain_prepare_commitment (slot->chain, slot->keypair, text, flags, &local);
    if (prepared != NULL && sv_chain_submit (slot->chain, prepared, &local))
      return g_steal_pointer (&prepared);
    if (attempt == MAX_ATTEMPTS || !g_error_matches (local, SV_ERROR, SV_ERROR_CONFLICT))
    {
      g_propagate_error (error, local);
      return NULL;
    }
    g_error_free (local);
  }
}

SvExtrinsic *
sv_anchor_slot_commit (const SvAnchorSlot *slot, const char *text, SvPrepareFlags flags, GError **error)
{
  g_autoptr (SvPreparedExtrinsic) prepared = submit_text (slot, text, flags, error);
  if (prepared == NULL)
    return NULL;
  guint64 wait_ms = MAX (SHORTEST_WAIT_MS, WAIT_BLOCKS * sv_chain_block_time_ms (slot->chain));
  return sv_chain_await_inclusion (slot->chain, prepared, (guint)MIN (wait_ms, G_MAXUINT), NULL, NULL, error);
}

gboolean
sv_anchor_slot_free_after (const SvAnchorSlot *slot, guint64 *block)
{
  guint64 earliest;
  if (!sv_chain_earliest_commitment (slot->chain, account_of (slot), sv_chain_max_text (slot->chain), &earliest, NULL))
    return FALSE;
  *block = earliest - 1;
  return TRUE;
}
