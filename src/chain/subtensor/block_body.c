/* One block: its header is hashed and must be the one asked for, its extrinsics must be those that the header commits to, and
 * of them those that are set_commitment of the subnet are kept. */
#include "chain/subtensor/block_body.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/subtensor/events.h"
#include "chain/subtensor/extrinsic.h"
#include "chain/subtensor/extrinsics_root.h"
#include "chain/subtensor/headers.h"

#define MAX_EXTRINSICS 100000
#define RECENT_BLOCKS 64

SvBlockBody *
sv_block_body_new (guint64 number, const char *hash)
{
  SvBlockBody *body = g_new0 (SvBlockBody, 1);
  body->number = number;
  g_strlcpy (body->hash, hash, sizeof body->hash);
  body->commitments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_extrinsic_free);
  return body;
}

void
sv_block_body_free (SvBlockBody *body)
{
  if (!body)
    return;
  g_clear_pointer (&body->commitments, g_ptr_array_unref);
  g_free (body);
}

/* ── the body ── */

static gboolean
check_header (const SvSubtensor *subtensor, SvBlockBody *body, const json_t *block, SvHeader *header, GError **error)
{
  if (!sv_header_check (&subtensor->nodes, body->endpoint, json_object_get (block, "header"), body->hash, header, error))
    return FALSE;
  if (header->number != body->number)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "%s lies about block %" G_GUINT64_FORMAT ": the block it names there is number %" G_GUINT64_FORMAT
                 "; do not trust this endpoint, use another one",
                 body->endpoint, body->number, header->number);
    return FALSE;
  }
  g_strlcpy (body->parent, header->parent, sizeof body->parent);
  return TRUE;
}

static void
name_extrinsic (const SvBlockBody *body, guint index, GError **error)
{
  g_prefix_error (error, "%s: block %" G_GUINT64_FORMAT ", extrinsic %u: ", body->endpoint, body->number, index);
}

/* Returns: (transfer full) (element-type GBytes). */
static GPtrArray *
read_extrinsics (const SvBlockBody *body, const json_t *json, GError **error)
{
  g_autoptr (GPtrArray) extrinsics = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  for (guint i = 0; i < json_array_size (json); i++)
  {
    GBytes *bytes = sv_answer_bytes ("an extrinsic", json_array_get (json, i), error);
    if (!bytes)
    {
      name_extrinsic (body, i, error);
      return NULL;
    }
    g_ptr_array_add (extrinsics, bytes);
  }
  return g_steal_pointer (&extrinsics);
}

static gboolean
check_extrinsics (const SvBlockBody *body, const SvHeader *header, const GPtrArray *extrinsics, GError **error)
{
  if (sv_extrinsics_root_matches (extrinsics, header->extrinsics_root))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s lies about block %" G_GUINT64_FORMAT
               ": the extrinsics it gives are not those that the block's header commits to; do not trust this endpoint, use "
               "another one",
               body->endpoint, header->number);
  return FALSE;
}

static SvExtrinsic *
make_extrinsic (const SvBlockBody *body, guint index, GBytes *bytes, const SvCommitmentCall *call)
{
  SvExtrinsic *extrinsic = g_new0 (SvExtrinsic, 1);
  extrinsic->block = body->number;
  extrinsic->index = index;
  sv_extrinsic_hash (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), extrinsic->hash);
  extrinsic->signer = sv_ss58_encode (call->signer);
  extrinsic->text = g_strdup (call->text ? call->text : "");
  return extrinsic;
}

static gboolean
take_extrinsic (const SvSubtensor *subtensor, SvBlockBody *body, guint index, GBytes *bytes, GError **error)
{
  g_auto (SvCommitmentCall) call = { 0 };
  gboolean is_one;
  if (!sv_extrinsic_read_commitment (body->runtime->metadata, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &is_one,
                                     &call, error))
  {
    name_extrinsic (body, index, error);
    return FALSE;
  }
  if (is_one && call.netuid == subtensor->base.id.netuid)
    g_ptr_array_add (body->commitments, make_extrinsic (body, index, bytes, &call));
  return TRUE;
}

static gboolean
read_block (const SvSubtensor *subtensor, SvBlockBody *body, const json_t *block, GError **error)
{
  SvHeader header;
  const json_t *json = json_object_get (block, "extrinsics");
  if (!json_is_array (json) || json_array_size (json) > MAX_EXTRINSICS)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: its answer to chain_getBlock holds no extrinsics", body->endpoint);
    return FALSE;
  }
  if (!check_header (subtensor, body, block, &header, error))
    return FALSE;
  g_autoptr (GPtrArray) extrinsics = read_extrinsics (body, json, error);
  if (!extrinsics || !check_extrinsics (body, &header, extrinsics, error))
    return FALSE;
  body->n_extrinsics = extrinsics->len;
  for (guint i = 0; i < extrinsics->len; i++)
    if (!take_extrinsic (subtensor, body, i, extrinsics->pdata[i], error))
      return FALSE;
  return TRUE;
}

/* A node that lacks an old block has dropped it; one that lacks a recent block has not come as far. */
static gboolean
is_old (const SvSubtensor *subtensor, guint64 number)
{
  return number + RECENT_BLOCKS <= subtensor->head.best.number;
}

gboolean
sv_block_body_read (const SvSubtensor *subtensor, SvBlockBody *body, SvRpcCall *call, GError **error)
{
  gboolean is_absent = sv_rpc_is_unknown (call->error) || (!call->error && json_is_null (call->result));
  body->is_gone = sv_rpc_is_pruned (call->error) || (is_absent && is_old (subtensor, body->number));
  if (body->is_gone)
    return TRUE;
  if (is_absent)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "%s names block %" G_GUINT64_FORMAT
                 " and does not have it (several nodes may stand behind this address); trying "
                 "again may help, or another endpoint does",
                 call->endpoint, body->number);
    return FALSE;
  }
  if (!sv_rpc_take_error (call, error))
    return FALSE;
  body->endpoint = call->endpoint;
  if (body->number == 0) /* the genesis block has no extrinsics, and a test chain's header of it may be its own */
    return TRUE;
  return read_block (subtensor, body, json_object_get (call->result, "block"), error);
}

/* ── what became of it ── */

/* The pallet's words, and what the one who signed can do about it. */
static char *
explain_failure (const SvExtrinsic *extrinsic, const char *failure)
{
  static const struct
  {
    const char *name, *advice;
  } advices[] = {
    { "Commitments.AccountNotAllowedCommit",
      "hotkey %s is not registered on this subnet; register it with `btcli subnet register`, then run the same command again" },
    { "Commitments.SpaceLimitExceeded",
      "hotkey %s has used up its space of this epoch; run the same command again in the next one" },
    { "Commitments.CommitmentSetRateLimitExceeded",
      "hotkey %s has committed a short while ago; run the same command again later" },
    { "Commitments.TooManyFieldsInCommitmentInfo", "the text of hotkey %s is too long; split it" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (advices); i++)
    if (g_str_has_prefix (failure, advices[i].name))
    {
      g_auto (GStrv) parts = g_strsplit (advices[i].advice, "%s", 2);
      return g_strconcat (advices[i].name, ": ", parts[0], extrinsic->signer, parts[1], NULL);
    }
  return g_strdup (failure);
}

gboolean
sv_block_body_judge (const SvBlockBody *body, const json_t *events, GError **error)
{
  g_auto (SvBlockOutcomes) outcomes = { 0 };
  g_autoptr (GBytes) bytes = sv_answer_bytes ("System.Events", events, error);
  if (!bytes || !sv_events_read_outcomes (body->runtime->metadata, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                                          body->n_extrinsics, &outcomes, error))
  {
    g_prefix_error (error, "block %" G_GUINT64_FORMAT ": ", body->number);
    return FALSE;
  }
  for (guint i = 0; i < body->commitments->len; i++)
  {
    SvExtrinsic *extrinsic = body->commitments->pdata[i];
    if (outcomes.outcomes[extrinsic->index] == SV_OUTCOME_UNKNOWN)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
                   "block %" G_GUINT64_FORMAT ": its events do not say what became of extrinsic %u", body->number,
                   extrinsic->index);
      return FALSE;
    }
    extrinsic->succeeded = outcomes.outcomes[extrinsic->index] == SV_OUTCOME_SUCCESS;
    if (!extrinsic->succeeded)
      extrinsic->failure = explain_failure (extrinsic, outcomes.failures[extrinsic->index]);
  }
  return TRUE;
}
