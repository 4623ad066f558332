/* From a text to an extrinsic on the chain. It is mortal: a node that was never heard of again cannot include it hours later,
 * and after its last block it is certain that it did not. Its era begins at the finalized head, which no reorganisation takes
 * away. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/subtensor/extrinsic.h"
#include "chain/subtensor/limits.h"
#include "chain/subtensor/state.h"

#define ERA_PERIOD 64 /* blocks, a power of two: some 13 minutes */

/* Error codes of Substrate's author RPC. */
enum
{
  AUTHOR_INVALID = 1010,
  AUTHOR_BANNED = 1012,
  AUTHOR_ALREADY_IMPORTED = 1013,
  AUTHOR_LOW_PRIORITY = 1014,
  AUTHOR_POOL_FULL = 1016,
};

/* ── preparing ── */

static gboolean
check_limits (SvSubtensor *subtensor, const char *address, const char *text, SvPrepareFlags flags, GError **error)
{
  guint64 earliest;
  if (!sv_limits_check_registered (subtensor, address, error) ||
      (!(flags & SV_PREPARE_REPLACE) && !sv_limits_check_slot (subtensor, address, error)) ||
      !sv_limits_earliest (subtensor, address, strlen (text), &earliest, error))
    return FALSE;
  if (earliest <= subtensor->head.best.number + 1)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "the chain takes no further commitment of hotkey %s before block %" G_GUINT64_FORMAT " (now %" G_GUINT64_FORMAT
               "): wait until then",
               address, earliest, subtensor->head.best.number);
  return FALSE;
}

static gboolean
read_nonce (SvSubtensor *subtensor, const char *address, guint64 *nonce, GError **error)
{
  g_autoptr (json_t) answer = sv_nodes_call (&subtensor->nodes, "system_accountNextIndex", sv_params (address, NULL), error);
  if (!answer)
    return FALSE;
  double number = json_is_number (answer) ? json_number_value (answer) : -1;
  *nonce = number >= 0 && number <= G_MAXUINT32 ? (guint64)number : 0;
  if ((double)*nonce == number)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: its answer to system_accountNextIndex is no number",
               sv_nodes_shown (&subtensor->nodes));
  return FALSE;
}

static gboolean
make_context (SvSubtensor *subtensor, const char *address, SvExtrinsicContext *context, GError **error)
{
  const SvBlock *final = &subtensor->head.finalized;
  *context = (SvExtrinsicContext){ .spec_version = subtensor->runtimes_of_head.next->spec_version,
                                   .transaction_version = subtensor->runtimes_of_head.next->transaction_version,
                                   .era_period = ERA_PERIOD,
                                   .era_block = final->number };
  memcpy (context->genesis_hash, subtensor->genesis, sizeof context->genesis_hash);
  if (!sv_hex_decode (final->hash + 2, FALSE, context->era_hash, sizeof context->era_hash))
    return FALSE;
  return read_nonce (subtensor, address, &context->nonce, error);
}

SvPreparedExtrinsic *
sv_subtensor_prepare_commitment (SvChain *chain, const SvKeypair *keypair, const char *text, SvPrepareFlags flags,
                                 GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  const char *address = sv_keypair_address (keypair);
  SvHead head;
  SvExtrinsicContext context;
  if (!sv_chain_head (chain, &head, error)) /* also notices a new runtime */
    return NULL;
  const SvMetadata *metadata = subtensor->runtimes_of_head.next->metadata;
  g_autoptr (GBytes) call = sv_commitment_call (metadata, (guint16)chain->id.netuid, text, error);
  if (!call || !check_limits (subtensor, address, text, flags, error) || !make_context (subtensor, address, &context, error))
    return NULL;
  g_autoptr (GBytes) bytes = sv_extrinsic_sign (metadata, &context, call, keypair, error);
  if (!bytes)
    return NULL;
  SvPreparedExtrinsic *prepared = g_new0 (SvPreparedExtrinsic, 1);
  sv_extrinsic_hash (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), prepared->hash);
  prepared->bytes = g_steal_pointer (&bytes);
  prepared->signer = g_strdup (address);
  prepared->prepared_at = context.era_block + 1;
  prepared->valid_until = context.era_block + ERA_PERIOD - 1;
  return prepared;
}

gboolean
sv_subtensor_earliest_commitment (SvChain *chain, const char *address, gsize length, guint64 *block, GError **error)
{
  SvHead head;
  return sv_chain_head (chain, &head, error) && sv_limits_earliest ((SvSubtensor *)chain, address, length, block, error);
}

/* ── submitting ── */

/* Whether a block holds it already: of those that may, up to the best. */
static gboolean
is_included (SvChain *chain, const SvPreparedExtrinsic *prepared, gboolean *yes, GError **error)
{
  SvHead head;
  g_autoptr (SvExtrinsic) found = NULL;
  gboolean unreadable;
  *yes = FALSE;
  if (!sv_chain_head (chain, &head, error))
    return FALSE;
  guint64 first = prepared->prepared_at, last = MIN (head.best.number, prepared->valid_until);
  if (first > last)
    return TRUE;
  if (!sv_subtensor_find_between ((SvSubtensor *)chain, first, last, prepared->hash, &found, &unreadable, error))
    return FALSE;
  *yes = found != NULL;
  if (!unreadable)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s: not all of the blocks %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
               " can be read any more, so it is not known what became of extrinsic %s; set BITTENSOR_SUBTENSOR_FALLBACK to an "
               "archive endpoint",
               chain->url, first, last, prepared->hash);
  return FALSE;
}

/* The nonce is used, the era is over, or the runtime that it was signed for is gone: as Substrate says it, and as development
 * nodes do. */
static gboolean
says_that_it_is_over (const char *words)
{
  static const char *const phrases[] = { "outdated", "stale", "ancient", "bad signature", "badProof" };
  for (gsize i = 0; i < G_N_ELEMENTS (phrases); i++)
    if (strstr (words, phrases[i]))
      return TRUE;
  return FALSE;
}

/* What the node says of an extrinsic that it does not take. */
static void
set_refused (const SvChain *chain, gint64 code, const GError *said, GError **error)
{
  gboolean is_busy = code == AUTHOR_BANNED || code == AUTHOR_POOL_FULL;
  gboolean is_stale = code == AUTHOR_LOW_PRIORITY || says_that_it_is_over (said->message);
  if (is_busy)
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "%s takes no extrinsic now (%s); run the same command again in a minute", chain->url, said->message);
  else if (is_stale)
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "%s does not take this extrinsic any more (%s): it has expired, or another of the same hotkey came first; run "
                 "the same command again",
                 chain->url, said->message);
  else
    g_set_error (error, SV_ERROR, code == AUTHOR_INVALID || code == 0 ? SV_ERROR_POLICY : SV_ERROR_FAILED,
                 "%s refuses the extrinsic: %s", chain->url, said->message);
}

/* Substrate's author RPC has the codes from 1000 on, and development nodes have none; codes of JSON-RPC itself, below 0, tell
 * of the endpoint, not of the extrinsic. */
static gboolean
is_refusal (const GError *said)
{
  return said && !sv_rpc_is_unknown (said) && sv_rpc_error_code (said) >= 0;
}

static gboolean
judge_refusal (SvChain *chain, const SvPreparedExtrinsic *prepared, const GError *said, GError **error)
{
  gint64 code = sv_rpc_error_code (said);
  gboolean included;
  if (code == AUTHOR_ALREADY_IMPORTED)
    return TRUE;
  if (!is_included (chain, prepared, &included, error))
    return FALSE;
  if (!included)
    set_refused (chain, code, said, error);
  return included;
}

static gboolean
check_hash (const SvChain *chain, const SvPreparedExtrinsic *prepared, const json_t *answer, GError **error)
{
  if (g_strcmp0 (json_string_value (answer), prepared->hash) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s lies about the extrinsic it was given: its hash is %s, and the node names another; do not trust this "
               "endpoint, use another one",
               chain->url, prepared->hash);
  return FALSE;
}

gboolean
sv_subtensor_submit (SvChain *chain, const SvPreparedExtrinsic *prepared, GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  g_autofree char *hex = sv_hex_encode (g_bytes_get_data (prepared->bytes, NULL), g_bytes_get_size (prepared->bytes));
  g_autofree char *argument = g_strconcat ("0x", hex, NULL);
  SvRpcCall call = { .method = "author_submitExtrinsic", .params = sv_params (argument, NULL) };
  gboolean done = sv_nodes_perform (&subtensor->nodes, &call, 1, error);
  if (done && is_refusal (call.error))
    done = judge_refusal (chain, prepared, call.error, error);
  else if (done)
    done = sv_rpc_take_error (&call, error) && check_hash (chain, prepared, call.result, error);
  sv_rpc_call_clear (&call);
  return done;
}
