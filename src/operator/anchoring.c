/* Anchoring follows the index, never the other way round: what is anchored is the index as it is when the transaction is made,
 * so one anchor covers all that was published meanwhile, and publishers who waited find themselves covered. Processes of one
 * home and signer take turns by a lock until their text is included; otherwise a slow one could put a lower sequence over a
 * higher one in the signer's slot. */
#include "operator/anchoring.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "distribution/chain_anchor.h"

#define SHORTEST_WAIT_MS 60000
#define WAIT_BLOCKS 20
#define MAX_ATTEMPTS 10

void
sv_anchoring_free (SvAnchoring *anchoring)
{
  if (anchoring == NULL)
    return;
  g_free (anchoring->hash);
  g_free (anchoring);
}

static const char *
signer_of (SvPublisher *publisher)
{
  return sv_keypair_address (sv_publisher_keypair (publisher));
}

static int
lock_signer (SvPublisher *publisher, GError **error)
{
  g_autofree char *folder = sv_config_home_path (sv_publisher_config (publisher), "memory");
  g_autofree char *path = g_strdup_printf ("%s/anchor-%s.lock", folder, signer_of (publisher));
  return sv_directory_make (folder, 0700, error) ? sv_file_lock (path, error) : -1;
}

/* The signer's slot at the best head: what it holds already, included or final. */
static gboolean
read_own_anchor (SvPublisher *publisher, SvAnchor **anchor, GError **error)
{
  SvHead head;
  SvChain *chain = sv_publisher_chain (publisher);
  return sv_chain_head (chain, &head, error) &&
         sv_chain_read_anchor (chain, signer_of (publisher), head.best.number, anchor, error);
}

/* ── the text ── */

static void
add_accounts (GPtrArray *accounts, const char *const *more)
{
  for (; *more != NULL; more++)
    if (!g_ptr_array_find_with_equal_func (accounts, *more, g_str_equal, NULL))
      g_ptr_array_add (accounts, (gpointer)*more);
}

/* The owner's texts go on with every account revoked so far: those of the text that is replaced, and those remembered. While it
 * cannot be told who is the owner, nothing is written: it might take revocations back. */
static GPtrArray *
accounts_to_repeat (SvPublisher *publisher, const SvAnchor *own, GError **error)
{
  g_autofree char *owner = NULL;
  if (!sv_chain_find_owner (sv_publisher_chain (publisher), &owner, error))
    return NULL;
  GPtrArray *accounts = g_ptr_array_new ();
  if (own != NULL)
    add_accounts (accounts, (const char *const *)own->revoked);
  if (g_strcmp0 (owner, signer_of (publisher)) == 0)
    add_accounts (accounts, sv_reader_revoked (sv_publisher_reader (publisher)));
  g_ptr_array_add (accounts, NULL);
  return accounts;
}

static char *
make_text (SvPublisher *publisher, const SvIndex *index, const SvAnchor *own, GError **error)
{
  g_autoptr (GPtrArray) accounts = accounts_to_repeat (publisher, own, error);
  if (accounts == NULL)
    return NULL;
  g_autofree char *text = sv_anchor_format (index->newest, index->sequence, (const char *const *)accounts->pdata);
  gsize longest = sv_chain_max_text (sv_publisher_chain (publisher));
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
submit_text (SvPublisher *publisher, const char *text, SvPrepareFlags flags, GError **error)
{
  SvChain *chain = sv_publisher_chain (publisher);
  for (guint attempt = 1;; attempt++)
  {
    GError *local = NULL;
    g_autoptr (SvPreparedExtrinsic) prepared =
        sv_chain_prepare_commitment (chain, sv_publisher_keypair (publisher), text, flags, &local);
    if (prepared != NULL && sv_chain_submit (chain, prepared, &local))
      return g_steal_pointer (&prepared);
    if (attempt == MAX_ATTEMPTS || !g_error_matches (local, SV_ERROR, SV_ERROR_CONFLICT))
    {
      g_propagate_error (error, local);
      return NULL;
    }
    g_error_free (local);
  }
}

static SvExtrinsic *
commit_text (SvPublisher *publisher, const char *text, SvPrepareFlags flags, GError **error)
{
  SvChain *chain = sv_publisher_chain (publisher);
  g_autoptr (SvPreparedExtrinsic) prepared = submit_text (publisher, text, flags, error);
  if (prepared == NULL)
    return NULL;
  guint64 wait_ms = MAX (SHORTEST_WAIT_MS, WAIT_BLOCKS * sv_chain_block_time_ms (chain));
  return sv_chain_await_inclusion (chain, prepared, (guint)MIN (wait_ms, G_MAXUINT), NULL, NULL, error);
}

static SvAnchoring *
anchor_index (SvPublisher *publisher, const SvAnchor *own, SvPrepareFlags flags, GError **error)
{
  g_autoptr (SvIndex) index = sv_publisher_read_index (publisher, error);
  if (index == NULL)
    return NULL;
  g_autofree char *text = make_text (publisher, index, own, error);
  if (text == NULL)
    return NULL;
  g_autoptr (SvExtrinsic) extrinsic = commit_text (publisher, text, flags, error);
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
  g_autoptr (SvAnchor) own = NULL;
  if (!read_own_anchor (publisher, &own, error))
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

/* The block after which the chain takes another text; FALSE where it does not answer. */
static gboolean
when_to_try_again (SvPublisher *publisher, guint64 *after)
{
  SvChain *chain = sv_publisher_chain (publisher);
  guint64 earliest;
  if (!sv_chain_earliest_commitment (chain, signer_of (publisher), sv_chain_max_text (chain), &earliest, NULL))
    return FALSE;
  *after = earliest - 1;
  return TRUE;
}

/* The publication stands whatever happens here, so the message must not sound as if nothing had been published. */
static void
set_not_anchored (SvPublisher *publisher, const SvPublication *publication, const GError *reason, GError **error)
{
  guint64 after;
  if (g_error_matches (reason, SV_ERROR, SV_ERROR_POLICY))
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "manifest %s is public, not anchored: %s", publication->manifest_hash,
                 reason->message);
  else if (when_to_try_again (publisher, &after))
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
  int lock = lock_signer (publisher, &local);
  if (lock >= 0)
  {
    anchoring = anchor_locked (publisher, publication, flags, &local);
    close (lock);
  }
  if (anchoring == NULL)
    set_not_anchored (publisher, publication, local, error);
  return anchoring;
}
