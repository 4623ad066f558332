/* Waiting for an extrinsic, which needs nothing but heads and proofs: until a block holds it, and until that block is final. */
#include <string.h>

#include "base/error.h"
#include "chain/engine.h"

/* How often a waiting caller looks: ten times a block, but neither a busy loop nor slower than people expect, and on a public
 * endpoint no oftener than it likes. */
#define SHORTEST_WAIT_MS 20
#define LONGEST_WAIT_MS 1000

#define MAX_MOVE 64 /* blocks that a reorganisation may set an extrinsic back, as long as one that is mortal may wait */

static void
wait_a_little (SvChain *chain, gint64 deadline)
{
  guint64 tenth = CLAMP (sv_chain_block_time_ms (chain) / 10, SHORTEST_WAIT_MS, LONGEST_WAIT_MS);
  gint64 left_us = deadline - g_get_monotonic_time ();
  if (left_us > 0)
    g_usleep ((gulong)MIN ((gint64)tenth * 1000, left_us));
}

/* What cannot be read now may be read a little later, so while there is time such a failure is no end. Takes @failure. */
static gboolean
may_wait (gint64 deadline, GError *failure, GError **error)
{
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE) && g_get_monotonic_time () < deadline)
  {
    g_error_free (failure);
    return TRUE;
  }
  g_propagate_error (error, failure);
  return FALSE;
}

/* *@known is FALSE where it cannot be read now. */
static gboolean
read_head (SvChain *chain, gint64 deadline, SvHead *head, gboolean *known, GError **error)
{
  GError *failure = NULL;
  *known = sv_chain_head (chain, head, &failure);
  return *known || may_wait (deadline, failure, error);
}

/* ── inclusion ── */

static void
set_unreadable (const SvChain *chain, guint64 block, const char *hash, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s: block %" G_GUINT64_FORMAT " cannot be read, so it is not known whether it holds extrinsic %s; set "
               "BITTENSOR_SUBTENSOR_FALLBACK to an archive endpoint, or run the same command again",
               chain->url, block, hash);
}

/* Looks for the extrinsic in the blocks from @first to @last. While one of them cannot be read, it is not known that none holds
 * it: SV_ERROR_UNREACHABLE. */
static gboolean
find_between (SvChain *chain, const char *hash, guint64 first, guint64 last, SvExtrinsic **found, GError **error)
{
  g_autoptr (GArray) unreadable = NULL;
  if (first > last)
    return TRUE;
  g_autoptr (GPtrArray) commitments = sv_chain_commitments (chain, first, last, &unreadable, error);
  if (!commitments)
    return FALSE;
  for (guint i = 0; i < commitments->len && !*found; i++)
    if (strcmp (((SvExtrinsic *)commitments->pdata[i])->hash, hash) == 0)
      *found = g_ptr_array_steal_index (commitments, i);
  if (*found || unreadable->len == 0)
    return TRUE;
  set_unreadable (chain, g_array_index (unreadable, guint64, 0), hash, error);
  return FALSE;
}

/* Of the blocks that may hold it those up to the finalized one need not be looked at again, the others do: a reorganisation may
 * move it. */
static gboolean
look_for (SvChain *chain, const SvPreparedExtrinsic *prepared, const SvHead *head, guint64 *next, SvExtrinsic **found,
          GError **error)
{
  if (!find_between (chain, prepared->hash, *next, MIN (head->best.number, prepared->valid_until), found, error))
    return FALSE;
  *next = MAX (*next, head->finalized.number + 1);
  return TRUE;
}

/* Before anybody is told that nothing was committed, each block that may hold it must say so of this very extrinsic. */
static gboolean
look_a_last_time (SvChain *chain, const SvPreparedExtrinsic *prepared, SvExtrinsic **found, GError **error)
{
  gboolean unreadable = FALSE;
  for (guint64 number = prepared->prepared_at; !*found && number <= prepared->valid_until; number++)
  {
    if (!sv_chain_find_extrinsic (chain, number, prepared->hash, found, &unreadable, error))
      return FALSE;
    if (!unreadable)
      continue;
    set_unreadable (chain, number, prepared->hash, error);
    return FALSE;
  }
  return TRUE;
}

/* It was looked for in vain; *@found where a last look finds it. */
static gboolean
check_not_expired (SvChain *chain, const SvPreparedExtrinsic *prepared, const SvHead *head, SvExtrinsic **found, GError **error)
{
  if (*found || head->finalized.number <= prepared->valid_until)
    return TRUE;
  if (!look_a_last_time (chain, prepared, found, error) || *found)
    return *found != NULL;
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
               "extrinsic %s was not included up to block %" G_GUINT64_FORMAT
               ", the last that may hold it: nothing was committed, run the same command again",
               prepared->hash, prepared->valid_until);
  return FALSE;
}

static SvExtrinsic *
judge_included (SvExtrinsic *extrinsic, GError **error)
{
  if (extrinsic->succeeded)
    return extrinsic;
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED,
               "extrinsic %s was included in block %" G_GUINT64_FORMAT " but failed there: %s", extrinsic->hash,
               extrinsic->block, extrinsic->failure != NULL ? extrinsic->failure : "the chain does not say why");
  sv_extrinsic_free (extrinsic);
  return NULL;
}

SvExtrinsic *
sv_chain_await_inclusion (SvChain *chain, const SvPreparedExtrinsic *prepared, guint timeout_ms,
                          void (*progress) (guint64 best_block, gpointer data), gpointer data, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + (gint64)timeout_ms * 1000;
  char seen[SV_BLOCK_HASH_TEXT] = "";
  guint64 next = prepared->prepared_at;
  for (;;)
  {
    SvHead head;
    GError *failure = NULL;
    gboolean known;
    g_autoptr (SvExtrinsic) found = NULL;
    if (!read_head (chain, deadline, &head, &known, error))
      return NULL;
    gboolean looks = known && strcmp (head.best.hash, seen) != 0;
    if (looks && look_for (chain, prepared, &head, &next, &found, &failure) &&
        check_not_expired (chain, prepared, &head, &found, &failure))
    {
      if (found)
        return judge_included (g_steal_pointer (&found), error);
      g_strlcpy (seen, head.best.hash, sizeof seen);
      if (progress)
        progress (head.best.number, data);
    }
    if (failure && !may_wait (deadline, failure, error))
      return NULL;
    if (g_get_monotonic_time () >= deadline)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                   "extrinsic %s was not included within %u s; it may still be: run the same command again", prepared->hash,
                   timeout_ms / 1000);
      return NULL;
    }
    wait_a_little (chain, deadline);
  }
}

/* ── finality ── */

/* Where it is now: where it was, or where a reorganisation has put it, which may be final already. */
static gboolean
find_again (SvChain *chain, const SvExtrinsic *extrinsic, const SvHead *head, SvExtrinsic **found, GError **error)
{
  guint64 first = extrinsic->block - MIN (extrinsic->block, MAX_MOVE);
  gboolean unreadable;
  if (!sv_chain_find_extrinsic (chain, extrinsic->block, extrinsic->hash, found, &unreadable, error) ||
      (!*found && !find_between (chain, extrinsic->hash, first, head->best.number, found, error)))
    return FALSE;
  if (*found || !unreadable)
    return TRUE;
  set_unreadable (chain, extrinsic->block, extrinsic->hash, error);
  return FALSE;
}

/* Looks once whether the extrinsic is in a final block; *@done tells. */
static gboolean
look_whether_final (SvChain *chain, SvExtrinsic **extrinsic, const SvHead *head, gboolean *done, GError **error)
{
  g_autoptr (SvExtrinsic) found = NULL;
  if (!find_again (chain, *extrinsic, head, &found, error))
    return FALSE;
  if (!found)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "extrinsic %s was in block %" G_GUINT64_FORMAT
                 ", but the chain was reorganised and does not hold it now; run the same command again",
                 (*extrinsic)->hash, (*extrinsic)->block);
    return FALSE;
  }
  sv_extrinsic_free (*extrinsic);
  *extrinsic = g_steal_pointer (&found);
  *done = (*extrinsic)->block <= head->finalized.number;
  return TRUE;
}

static void
set_not_final (const SvExtrinsic *extrinsic, guint timeout_ms, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "block %" G_GUINT64_FORMAT " with extrinsic %s was not finalized within %u s; look again later with "
               "`sv chain proof %" G_GUINT64_FORMAT ":%s`",
               extrinsic->block, extrinsic->hash, timeout_ms / 1000, extrinsic->block, extrinsic->hash);
}

gboolean
sv_chain_await_finality (SvChain *chain, SvExtrinsic **extrinsic, guint timeout_ms,
                         void (*progress) (guint64 finalized_block, gpointer data), gpointer data, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + (gint64)timeout_ms * 1000;
  char seen[SV_BLOCK_HASH_TEXT] = "";
  for (;;)
  {
    SvHead head;
    GError *failure = NULL;
    gboolean known, done = FALSE;
    if (!read_head (chain, deadline, &head, &known, error))
      return FALSE;
    if (known && head.finalized.number >= (*extrinsic)->block &&
        !look_whether_final (chain, extrinsic, &head, &done, &failure) && !may_wait (deadline, failure, error))
      return FALSE;
    if (done)
      return TRUE;
    if (known && progress && strcmp (head.finalized.hash, seen) != 0)
      progress (head.finalized.number, data);
    if (known)
      g_strlcpy (seen, head.finalized.hash, sizeof seen);
    if (g_get_monotonic_time () >= deadline)
    {
      set_not_final (*extrinsic, timeout_ms, error);
      return FALSE;
    }
    wait_a_little (chain, deadline);
  }
}
