/* Waiting for an extrinsic, which needs nothing but heads and proofs: until a block holds it, and until that block is final. */
#include <string.h>

#include "base/error.h"
#include "chain/engine.h"

/* How often a waiting caller looks: ten times a block, but neither a busy loop nor slower than people expect, and on a public
 * endpoint no oftener than it likes. */
#define SHORTEST_WAIT_MS 20
#define LONGEST_WAIT_MS 1000

#define FARTHEST_MOVE 64 /* blocks; an extrinsic of a Subtensor chain may be in that many, and no others (submit.c) */

static void
wait_a_little (SvChain *chain, gint64 deadline)
{
  guint64 tenth = CLAMP (sv_chain_block_time_ms (chain) / 10, SHORTEST_WAIT_MS, LONGEST_WAIT_MS);
  gint64 left_us = deadline - g_get_monotonic_time ();
  if (left_us > 0)
    g_usleep ((gulong)MIN ((gint64)tenth * 1000, left_us));
}

/* What cannot be read now may be read a little later (a node that restarts, a chain that is reorganised while it is read), so
 * while there is time such a failure is no end. Takes @failure; FALSE where it is one. */
static gboolean
may_pass (GError *failure, gint64 deadline, GError **error)
{
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE) && g_get_monotonic_time () < deadline)
  {
    g_error_free (failure);
    return TRUE;
  }
  g_propagate_error (error, failure);
  return FALSE;
}

/* ── inclusion ── */

/* How far the blocks have been looked through. */
typedef struct
{
  guint64 next; /* all before are final, and do not hold it */
  gboolean has_gap;
  guint64 gap;                   /* the first block among them that could not be read */
  char seen[SV_BLOCK_HASH_TEXT]; /* the best block then */
} Search;

/* The extrinsic with this hash among @commitments, taken out of them, or NULL. */
static SvExtrinsic *
take_found (GPtrArray *commitments, const char *hash)
{
  for (guint i = 0; i < commitments->len; i++)
    if (strcmp (((SvExtrinsic *)commitments->pdata[i])->hash, hash) == 0)
      return g_ptr_array_steal_index (commitments, i);
  return NULL;
}

/* Looks for the extrinsic in the blocks from search->next to the head. Those up to the finalized one need not be looked at
 * again, the others do: a reorganisation may move it. */
static gboolean
look_for (SvChain *chain, const SvPreparedExtrinsic *prepared, const SvHead *head, Search *search, SvExtrinsic **found,
          GError **error)
{
  g_autoptr (GArray) unreadable = NULL;
  guint64 last = MIN (head->best.number, prepared->valid_until);
  if (search->next > last)
    return TRUE;
  g_autoptr (GPtrArray) commitments = sv_chain_commitments (chain, search->next, last, &unreadable, error);
  if (!commitments)
    return FALSE;
  *found = take_found (commitments, prepared->hash);
  if (!search->has_gap && unreadable->len > 0 && g_array_index (unreadable, guint64, 0) <= head->finalized.number)
  {
    search->has_gap = TRUE;
    search->gap = g_array_index (unreadable, guint64, 0);
  }
  search->next = MAX (search->next, head->finalized.number + 1);
  return TRUE;
}

static gboolean
check_not_expired (const SvPreparedExtrinsic *prepared, const SvHead *head, const Search *search, GError **error)
{
  if (head->finalized.number <= prepared->valid_until)
    return TRUE;
  if (search->has_gap)
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "block %" G_GUINT64_FORMAT
                 " cannot be read any more, so it is not known whether it holds extrinsic %s, which no later one does; set "
                 "BITTENSOR_SUBTENSOR_FALLBACK to an archive endpoint",
                 search->gap, prepared->hash);
  else
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "extrinsic %s was not included up to block %" G_GUINT64_FORMAT
                 ", the last that may hold it: nothing was committed, run the same command again",
                 prepared->hash, prepared->valid_until);
  return FALSE;
}

/* Looks once. *@found is NULL where no block holds it yet, *@is_new tells whether there is a new best block. */
static gboolean
look_for_inclusion (SvChain *chain, const SvPreparedExtrinsic *prepared, SvHead *head, Search *search, SvExtrinsic **found,
                    gboolean *is_new, GError **error)
{
  if (!sv_chain_head (chain, head, error))
    return FALSE;
  *is_new = strcmp (head->best.hash, search->seen) != 0;
  if (!*is_new)
    return TRUE;
  if (!look_for (chain, prepared, head, search, found, error))
    return FALSE;
  g_strlcpy (search->seen, head->best.hash, sizeof search->seen);
  return TRUE;
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
  Search search = { .next = prepared->prepared_at };
  for (;;)
  {
    SvHead head;
    g_autoptr (SvExtrinsic) found = NULL;
    GError *failure = NULL;
    gboolean is_new = FALSE, looked = look_for_inclusion (chain, prepared, &head, &search, &found, &is_new, &failure);
    if (!looked && !may_pass (failure, deadline, error))
      return NULL;
    if (found)
      return judge_included (g_steal_pointer (&found), error);
    if (looked && !check_not_expired (prepared, &head, &search, error))
      return NULL;
    if (looked && is_new && progress)
      progress (head.best.number, data);
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

/* Looks for the extrinsic wherever a reorganisation may have put it, which is also before the block that held it. */
static gboolean
find_moved (SvChain *chain, const SvExtrinsic *extrinsic, const SvHead *head, SvExtrinsic **found, GError **error)
{
  g_autoptr (GArray) unreadable = NULL;
  guint64 first = extrinsic->block - MIN (extrinsic->block, FARTHEST_MOVE);
  g_autoptr (GPtrArray) commitments = sv_chain_commitments (chain, first, head->best.number, &unreadable, error);
  if (!commitments)
    return FALSE;
  *found = take_found (commitments, extrinsic->hash);
  if (*found)
    return TRUE;
  if (unreadable->len > 0)
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "block %" G_GUINT64_FORMAT " cannot be read, so it is not known whether it holds extrinsic %s",
                 g_array_index (unreadable, guint64, 0), extrinsic->hash);
  else
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "extrinsic %s was in block %" G_GUINT64_FORMAT
                 ", but the chain was reorganised and does not hold it now; run the same command again",
                 extrinsic->hash, extrinsic->block);
  return FALSE;
}

/* Looks once whether the extrinsic is in a final block; *@done tells. */
static gboolean
look_whether_final (SvChain *chain, SvExtrinsic **extrinsic, SvHead *head, gboolean *done, GError **error)
{
  g_autoptr (SvExtrinsic) found = NULL;
  if (!sv_chain_head (chain, head, error))
    return FALSE;
  if (head->finalized.number < (*extrinsic)->block)
    return TRUE;
  if (!sv_chain_find_extrinsic (chain, (*extrinsic)->block, (*extrinsic)->hash, &found, NULL, error) ||
      (!found && !find_moved (chain, *extrinsic, head, &found, error)))
    return FALSE;
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
    gboolean done = FALSE, looked = look_whether_final (chain, extrinsic, &head, &done, &failure);
    if (!looked && !may_pass (failure, deadline, error))
      return FALSE;
    if (done)
      return TRUE;
    if (looked && progress && strcmp (head.finalized.hash, seen) != 0)
      progress (head.finalized.number, data);
    if (looked)
      g_strlcpy (seen, head.finalized.hash, sizeof seen);
    if (g_get_monotonic_time () >= deadline)
    {
      set_not_final (*extrinsic, timeout_ms, error);
      return FALSE;
    }
    wait_a_little (chain, deadline);
  }
}
