/* Committing. The order of steps is what makes a kill harmless: the signed extrinsic is written to a pending file before it is
 * submitted, so that the same command finds it again and submits the very same bytes, which a chain takes once; receipts are
 * written from the chain's state, never from what we meant to do; the pending file goes last. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "bindings/receipts.h"
#include "miner/pending.h"

/* ── splitting ── */

static SvCommitmentText *
part_of (const SvCommitmentText *text)
{
  return sv_commitment_text_new (text->is_withdrawal, text->window_id, text->total_cap_milli);
}

static void
add_binding (SvCommitmentText *part, const SvBinding *b)
{
  sv_commitment_text_add (part, b->element_id, b->hf_revision, b->chute_slug, b->chute_id, b->cap_milli);
}

char **
sv_commit_texts (const SvCommitmentText *text, gsize max_text, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (SvCommitmentText) part = part_of (text);
  g_autofree char *written = NULL;
  for (guint i = 0; i < text->bindings->len; i++)
  {
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    add_binding (part, binding);
    char *longer = sv_commitment_text_format (part);
    if (strlen (longer) > max_text)
    {
      if (part->bindings->len == 1)
      {
        g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                     "the binding of %s takes %zu bytes on the chain, which has room for %zu; use shorter names",
                     binding->element_id, strlen (longer), max_text);
        g_free (longer);
        return NULL;
      }
      g_ptr_array_add (texts, g_steal_pointer (&written));
      g_clear_pointer (&part, sv_commitment_text_free);
      part = part_of (text);
      g_free (longer);
      i--;
      continue;
    }
    g_free (written);
    written = longer;
  }
  g_ptr_array_add (texts, g_steal_pointer (&written));
  g_ptr_array_add (texts, NULL);
  g_ptr_array_set_free_func (texts, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&texts), FALSE);
}

/* ── submitting ── */

/* Takes up what an interrupted run left, in *@prepared; NULL there when it left nothing that the chain still takes. Only the
 * chain's own refusal tells that: while the chain cannot be reached, or its node talks nonsense, the old extrinsic may be
 * waiting there, and a new one would be a second. */
static gboolean
resume (const SvMinerWindow *window, const char *text, SvPreparedExtrinsic **prepared, GError **error)
{
  g_autoptr (GError) refused = NULL;
  g_autoptr (SvPreparedExtrinsic) pending = sv_pending_read (window, text);
  *prepared = NULL;
  if (pending == NULL)
    return TRUE;
  if (sv_chain_submit (window->chain, pending, &refused))
  {
    *prepared = g_steal_pointer (&pending);
    return TRUE;
  }
  if (g_error_matches (refused, SV_ERROR, SV_ERROR_CONFLICT) || g_error_matches (refused, SV_ERROR, SV_ERROR_POLICY))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&refused));
  return FALSE;
}

static SvPreparedExtrinsic *
submit_anew (const SvMinerWindow *window, const char *text, SvPrepareFlags flags, GError **error)
{
  g_autoptr (SvPreparedExtrinsic) prepared = sv_chain_prepare_commitment (window->chain, window->keypair, text, flags, error);
  if (prepared == NULL || !sv_pending_write (window, prepared, text, error) ||
      !sv_chain_submit (window->chain, prepared, error))
    return NULL;
  return g_steal_pointer (&prepared);
}

/* The proof of a text that is in force already: an earlier run got as far as inclusion. */
static char *
proof_in_force (const SvMinerWindow *window, const SvCommitmentText *text)
{
  if (!sv_commit_is_in_force (window, text))
    return NULL;
  const SvBinding *first = g_ptr_array_index (text->bindings, 0);
  if (text->is_withdrawal)
    return g_strdup (g_hash_table_lookup (window->fold->withdrawn, first->element_id));
  const SvBoundElement *bound = g_hash_table_lookup (window->fold->bound, first->element_id);
  return g_strdup (bound->proof);
}

/* The last block that holds a part of what is in force of the text; FALSE where it is not in force. */
static gboolean
find_last_proof (const SvMinerWindow *window, const SvCommitmentText *text, SvProof *last)
{
  last->block = 0;
  for (guint i = 0; i < text->bindings->len && sv_commit_is_in_force (window, text); i++)
  {
    const char *element_id = ((SvBinding *)g_ptr_array_index (text->bindings, i))->element_id;
    const SvBoundElement *bound = g_hash_table_lookup (window->fold->bound, element_id);
    const char *withdrawal = g_hash_table_lookup (window->fold->withdrawn, element_id);
    SvProof proof;
    if (sv_proof_parse (text->is_withdrawal ? withdrawal : bound->proof, &proof) && proof.block >= last->block)
      *last = proof;
  }
  return last->block > 0;
}

/* What an interrupted run has got into a block is waited for as that run would have: until then a reorganisation can move it,
 * and its proof with it. */
static gboolean
await_what_is_in_force (SvMinerWindow *window, const SvCommitmentText *text, const SvCommitWait *wait, GError **error)
{
  SvProof last;
  g_autoptr (SvExtrinsic) included = NULL;
  gboolean is_unreadable;
  if (wait->finality_timeout_ms == 0 || !find_last_proof (window, text, &last) || last.block <= window->head.finalized.number)
    return TRUE;
  if (!sv_chain_find_extrinsic (window->chain, last.block, last.hash, &included, &is_unreadable, error))
    return FALSE;
  if (included != NULL &&
      !sv_chain_await_finality (window->chain, &included, wait->finality_timeout_ms, wait->on_final, wait->data, error))
    return FALSE;
  return sv_miner_window_refresh (window, error);
}

static gboolean
every_element_comes_from (const SvFold *fold, const SvCommitmentText *text, const char *proof)
{
  for (guint i = 0; i < text->bindings->len; i++)
  {
    const SvBinding *binding = g_ptr_array_index (text->bindings, i);
    const SvBoundElement *bound = g_hash_table_lookup (fold->bound, binding->element_id);
    const char *withdrawal = g_hash_table_lookup (fold->withdrawn, binding->element_id);
    if (g_strcmp0 (text->is_withdrawal ? withdrawal : bound != NULL ? bound->proof : NULL, proof) != 0)
      return FALSE;
  }
  return TRUE;
}

/* Between the check and the inclusion blocks pass, in which a window starts and other texts come first: only the chain's state
 * tells what became of the text. What an interrupted run left may by now be overtaken, and is not sent a third time. */
static gboolean
check_took_effect (const SvMinerWindow *window, const SvCommitmentText *text, const char *proof, GError **error)
{
  if (every_element_comes_from (window->fold, text, proof))
    return TRUE;
  const char *reason = "a later text of this hotkey has replaced it";
  for (guint i = 0; i < window->fold->verdicts->len; i++)
  {
    const SvTextVerdict *verdict = g_ptr_array_index (window->fold->verdicts, i);
    if (strcmp (verdict->proof, proof) == 0 && verdict->void_reason != NULL)
      reason = verdict->void_reason;
  }
  sv_pending_remove (window);
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "extrinsic %s is on the chain, but without effect: %s; see `sv miner commitments --refresh`", proof, reason);
  return FALSE;
}

/* What a block holds and has failed there is spent, and the next run signs anew. While that is not certain, the chain may still
 * take it. */
static void
forget_if_spent (const SvMinerWindow *window, const SvPreparedExtrinsic *prepared)
{
  SvHead head;
  if (!sv_chain_head (window->chain, &head, NULL))
    return;
  guint64 last = MIN (head.best.number, prepared->valid_until);
  g_autoptr (GPtrArray) included = sv_chain_commitments (window->chain, prepared->prepared_at, last, NULL, NULL);
  for (guint i = 0; included != NULL && i < included->len; i++)
  {
    const SvExtrinsic *extrinsic = g_ptr_array_index (included, i);
    if (strcmp (extrinsic->hash, prepared->hash) == 0 && !extrinsic->succeeded)
      sv_pending_remove (window);
  }
}

/* Hands the text to the chain: *@prepared. Where it is in force already, *@proof instead: another run of the same command,
 * which this one waited for, may have got that far since the state was read. */
static gboolean
submit_once (SvMinerWindow *window, const SvCommitmentText *parsed, const char *text, SvPrepareFlags flags,
             SvPreparedExtrinsic **prepared, char **proof, GError **error)
{
  if (!resume (window, text, prepared, error))
    return FALSE;
  if (*prepared != NULL)
    return TRUE;
  if (!sv_miner_window_refresh (window, error))
    return FALSE;
  *proof = proof_in_force (window, parsed);
  if (*proof == NULL && sv_commit_check (window, parsed, error))
    *prepared = submit_anew (window, text, flags, error);
  return *proof != NULL || *prepared != NULL;
}

static gboolean
submit_locked (SvMinerWindow *window, const SvCommitmentText *parsed, const char *text, SvPrepareFlags flags,
               SvPreparedExtrinsic **prepared, char **proof, GError **error)
{
  int lock = sv_pending_lock (window, error);
  if (lock < 0)
    return FALSE;
  gboolean done = submit_once (window, parsed, text, flags, prepared, proof, error);
  close (lock);
  return done;
}

static char *
include_text (SvMinerWindow *window, const SvCommitmentText *parsed, const char *text, const SvCommitWait *wait, GError **error)
{
  g_autoptr (SvPreparedExtrinsic) prepared = NULL;
  g_autofree char *proof = NULL;
  if (!submit_locked (window, parsed, text, wait->flags, &prepared, &proof, error))
    return NULL;
  if (proof != NULL)
    return g_steal_pointer (&proof);
  g_autoptr (SvExtrinsic) included =
      sv_chain_await_inclusion (window->chain, prepared, wait->timeout_ms, wait->on_block, wait->data, error);
  if (included == NULL)
  {
    forget_if_spent (window, prepared);
    return NULL;
  }
  if (wait->finality_timeout_ms > 0 &&
      !sv_chain_await_finality (window->chain, &included, wait->finality_timeout_ms, wait->on_final, wait->data, error))
    return NULL;
  if (!sv_miner_window_refresh (window, error))
    return NULL;
  proof = sv_proof_format (included->block, included->hash);
  return check_took_effect (window, parsed, proof, error) ? g_steal_pointer (&proof) : NULL;
}

static char *
submit_text (SvMinerWindow *window, const char *text, const SvCommitWait *wait, GError **error)
{
  g_autoptr (SvCommitmentText) parsed = sv_commitment_text_parse (text, strlen (text), error);
  if (parsed == NULL || !await_what_is_in_force (window, parsed, wait, error))
    return NULL;
  g_autofree char *proof = proof_in_force (window, parsed);
  if (proof == NULL)
    proof = include_text (window, parsed, text, wait, error);
  if (proof == NULL ||
      !sv_receipts_write (window->config, window->fold, sv_keypair_address (window->keypair), window->expiry_block, error))
    return NULL;
  sv_pending_remove (window);
  return g_steal_pointer (&proof);
}

gboolean
sv_commit_element_set (SvMinerWindow *window, const SvCommitmentText *text, const SvCommitWait *wait, char ***proofs,
                       GError **error)
{
  g_auto (GStrv) texts = sv_commit_texts (text, sv_chain_max_text (window->chain), error);
  if (texts == NULL)
    return FALSE;
  guint count = g_strv_length (texts);
  *proofs = g_new0 (char *, count + 1);
  for (guint i = 0; i < count; i++)
  {
    (*proofs)[i] = submit_text (window, texts[i], wait, error);
    if ((*proofs)[i] != NULL)
      continue;
    if (i > 0)
      g_prefix_error (error, "%u of %u parts of the commitment are on the chain; run the same command again for the rest: ", i,
                      count);
    return FALSE;
  }
  return TRUE;
}
