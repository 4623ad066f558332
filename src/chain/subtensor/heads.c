/* Heads and single blocks. Looking for a new head is what is done most often, so it is one request while there is none, and
 * three when there is.
 *
 * Where a second endpoint is configured it has to agree: it is asked for its hash of the finalized block, and where it has not
 * come as far, the finalized block is the one that it has. So what is read at the finalized head can be read on both. */
#include "chain/subtensor/subtensor.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "chain/subtensor/headers.h"
#include "chain/subtensor/scale.h"
#include "chain/subtensor/storage_key.h"

#define LONG_LAG 50         /* blocks */
#define MAX_FUTURE_MS 30000 /* what Substrate lets a block's time be ahead */

/* ── one block ── */

static void
to_block (const SvHeader *header, gint64 time_ms, SvBlock *block)
{
  block->number = header->number;
  g_strlcpy (block->hash, header->hash, sizeof block->hash);
  g_strlcpy (block->parent, header->parent, sizeof block->parent);
  block->time_ms = time_ms;
}

static char *
timestamp_key (const SvMetadata *metadata, GError **error)
{
  const SvStorageEntry *entry = sv_metadata_storage (metadata, "Timestamp", "Now", error);
  return entry ? sv_storage_key (entry, NULL, 0) : NULL;
}

/* The time of a block from the answer to a question for Timestamp.Now; 0 where the state is gone. */
static gboolean
read_time (SvRpcCall *call, gint64 *time_ms, GError **error)
{
  *time_ms = 0;
  if (call->error && !sv_rpc_is_pruned (call->error))
  {
    g_propagate_error (error, g_steal_pointer (&call->error));
    return FALSE;
  }
  if (call->error || json_is_null (call->result))
    return TRUE;
  g_autoptr (GBytes) bytes = sv_answer_bytes ("Timestamp.Now", call->result, error);
  if (!bytes)
    return FALSE;
  SvScaleReader reader = sv_scale_reader (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  guint64 number = sv_scale_u64 (&reader);
  *time_ms = (gint64)MIN (number, G_MAXINT64);
  return sv_scale_finish (&reader, "Timestamp.Now", error);
}

gboolean
sv_subtensor_block (SvChain *chain, guint64 number, SvBlock *block, GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  SvHeader header;
  gint64 time_ms;
  g_autofree char *key = timestamp_key (subtensor->next_runtime->metadata, error);
  g_autoptr (GPtrArray) hashes = key ? sv_hashes_read (&subtensor->nodes, number, number, error) : NULL;
  if (!hashes)
    return FALSE;
  if (hashes->len == 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "%s has no block %" G_GUINT64_FORMAT " yet", chain->url, number);
    return FALSE;
  }
  const char *hash = hashes->pdata[0];
  SvRpcCall calls[] = { { .method = "chain_getHeader", .params = sv_params (hash, NULL) },
                        { .method = "state_getStorage", .params = sv_params (key, hash, NULL) } };
  gboolean done = sv_nodes_perform (&subtensor->nodes, calls, G_N_ELEMENTS (calls), error) &&
                  sv_rpc_take_error (&calls[0], error) &&
                  (number == 0 || sv_header_check (calls[0].endpoint, calls[0].result, hash, &header, error)) &&
                  read_time (&calls[1], &time_ms, error);
  if (done && number == 0) /* its hash is the chain's name; a forked test chain's header may not hash to it */
  {
    header = (SvHeader){ 0 };
    g_strlcpy (header.hash, hash, sizeof header.hash);
    memset (header.parent, '0', sizeof header.parent - 1);
    header.parent[1] = 'x';
  }
  if (done)
    to_block (&header, time_ms, block);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    sv_rpc_call_clear (&calls[i]);
  return done;
}

/* Where the runtime changes among the open blocks, a block's own parent tells which one executed it. */
static SvRuntime *
runtime_of_open_block (SvSubtensor *subtensor, const char *hash, GError **error)
{
  SvNodes *nodes = &subtensor->nodes;
  SvHeader header;
  g_autoptr (json_t) json = sv_nodes_call (nodes, "chain_getHeader", sv_params (hash, NULL), error);
  if (!json || !sv_header_check (sv_nodes_shown (nodes), json, hash, &header, error))
    return NULL;
  g_autoptr (json_t) version = sv_nodes_call (nodes, "state_getRuntimeVersion", sv_params (header.parent, NULL), error);
  return version ? sv_runtimes_of_version (&subtensor->runtimes, nodes, version, header.parent, error) : NULL;
}

SvRuntime *
sv_subtensor_runtime_of (SvSubtensor *subtensor, guint64 number, const char *hash, gboolean *is_gone, GError **error)
{
  *is_gone = FALSE;
  if (strcmp (hash, subtensor->head.best.hash) == 0)
    return subtensor->best_runtime;
  if (number > subtensor->head.finalized.number)
    return subtensor->final_runtime == subtensor->next_runtime ? subtensor->next_runtime
                                                               : runtime_of_open_block (subtensor, hash, error);
  return sv_runtimes_at (&subtensor->runtimes, &subtensor->nodes, number - MIN (number, 1), is_gone, error);
}

/* ── the second endpoint ── */

static gboolean
check_same_block (const SvNodes *nodes, guint other, const char *ours, const char *theirs, guint64 number, GError **error)
{
  if (g_strcmp0 (ours, theirs) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "the chain endpoints do not agree: finalized block %" G_GUINT64_FORMAT
               " is %s on %s and %s on %s; find out which of them is right, and configure no other",
               number, ours, sv_nodes_shown (nodes), theirs ? theirs : "missing", sv_rpc_endpoint (nodes->all[other].rpc));
  return FALSE;
}

/* The other endpoint is behind: what it has as final must be on the first one's chain, and is taken. */
static gboolean
take_lower (SvNodes *nodes, guint other, const SvHeader *theirs, SvHeader *final, GError **error)
{
  if (final->number - theirs->number > LONG_LAG)
  {
    g_autofree char *lag = g_strdup_printf ("%" G_GUINT64_FORMAT, final->number - theirs->number);
    sv_log ("warning", "a chain endpoint is far behind the other, and holds both back", "endpoint",
            sv_rpc_endpoint (nodes->all[other].rpc), "blocks", lag, NULL);
  }
  g_autoptr (GPtrArray) headers = sv_headers_read (nodes, theirs->number, theirs->number, error);
  if (!headers)
    return FALSE;
  const SvHeader *ours = headers->pdata[0];
  if (!check_same_block (nodes, other, ours->hash, theirs->hash, theirs->number, error))
    return FALSE;
  *final = *ours;
  return TRUE;
}

static gboolean
compare_final (SvNodes *nodes, guint other, SvRpcCall *calls, SvHeader *final, GError **error)
{
  SvHeader theirs;
  const char *hash = json_string_value (calls[1].result);
  SvRpcCall header = { .method = "chain_getHeader", .params = sv_params (hash ? hash : "", NULL) };
  gboolean known = sv_nodes_ask (nodes, other, &header, 1, error) && sv_rpc_take_error (&header, error) &&
                   sv_header_check (header.endpoint, header.result, hash ? hash : "", &theirs, error);
  sv_rpc_call_clear (&header);
  if (!known)
    return FALSE;
  if (theirs.number >= final->number)
    return check_same_block (nodes, other, final->hash, json_string_value (calls[0].result), final->number, error);
  return take_lower (nodes, other, &theirs, final, error);
}

/* Lets the other endpoint, if there is one that answers, confirm the finalized block. */
static gboolean
confirm_final (SvSubtensor *subtensor, SvHeader *final, GError **error)
{
  SvNodes *nodes = &subtensor->nodes;
  guint other = nodes->n - 1 - nodes->current;
  if (nodes->n == 1 || nodes->all[other].avoided_until_us > g_get_monotonic_time ())
    return TRUE;
  g_autoptr (GError) failure = NULL;
  SvRpcCall calls[] = { { .method = "chain_getBlockHash", .params = json_pack ("[o]", sv_json_integer (final->number)) },
                        { .method = "chain_getFinalizedHead", .params = json_array () } };
  gboolean agreed = sv_nodes_ask (nodes, other, calls, G_N_ELEMENTS (calls), &failure) &&
                    compare_final (nodes, other, calls, final, &failure);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    sv_rpc_call_clear (&calls[i]);
  if (agreed)
    return TRUE;
  if (!g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  sv_log ("warning", "the other chain endpoint cannot confirm the finalized block", "endpoint",
          sv_rpc_endpoint (nodes->all[other].rpc), "reason", failure->message, NULL);
  return TRUE;
}

/* ── heads ── */

/* What the node has as best and finalized block, by hash. */
static gboolean
read_tips (SvSubtensor *subtensor, SvHeader *best, char final[SV_BLOCK_HASH_TEXT], GError **error)
{
  SvRpcCall calls[] = { { .method = "chain_getHeader", .params = json_array () },
                        { .method = "chain_getFinalizedHead", .params = json_array () } };
  gboolean done = sv_nodes_perform (&subtensor->nodes, calls, G_N_ELEMENTS (calls), error) &&
                  sv_rpc_take_error (&calls[0], error) && sv_rpc_take_error (&calls[1], error) &&
                  sv_header_from_json (calls[0].result, best, error);
  const char *hash = json_string_value (calls[1].result);
  if (done && (!hash || strlen (hash) != SV_BLOCK_HASH_TEXT - 1))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: its answer to chain_getFinalizedHead is no hash",
                 sv_nodes_shown (&subtensor->nodes));
    done = FALSE;
  }
  if (done)
    g_strlcpy (final, hash, SV_BLOCK_HASH_TEXT);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    sv_rpc_call_clear (&calls[i]);
  return done;
}

/* The answers about two tips: the final one's header, the runtimes before and after the best block and after the final one. */
static gboolean
take_details (SvSubtensor *subtensor, SvRpcCall *calls, const SvHeader *best, const char *final_hash, SvHeader *final,
              GError **error)
{
  SvNodes *nodes = &subtensor->nodes;
  for (gsize i = 0; i < 4; i++)
    if (!sv_rpc_take_error (&calls[i], error))
      return FALSE;
  if (!sv_header_check (calls[0].endpoint, calls[0].result, final_hash, final, error))
    return FALSE;
  subtensor->final_runtime = sv_runtimes_of_version (&subtensor->runtimes, nodes, calls[1].result, final_hash, error);
  subtensor->best_runtime = subtensor->final_runtime
                                ? sv_runtimes_of_version (&subtensor->runtimes, nodes, calls[2].result, best->parent, error)
                                : NULL;
  subtensor->next_runtime =
      subtensor->best_runtime ? sv_runtimes_of_version (&subtensor->runtimes, nodes, calls[3].result, best->hash, error) : NULL;
  if (!subtensor->next_runtime)
    return FALSE;
  sv_runtimes_note (&subtensor->runtimes, final->number, subtensor->final_runtime);
  return TRUE;
}

static gboolean
read_details (SvSubtensor *subtensor, const SvHeader *best, const char *final_hash, SvHeader *final, GError **error)
{
  const char *before_best = best->number > 0 ? best->parent : best->hash;
  SvRpcCall calls[] = { { .method = "chain_getHeader", .params = sv_params (final_hash, NULL) },
                        { .method = "state_getRuntimeVersion", .params = sv_params (final_hash, NULL) },
                        { .method = "state_getRuntimeVersion", .params = sv_params (before_best, NULL) },
                        { .method = "state_getRuntimeVersion", .params = sv_params (best->hash, NULL) } };
  gboolean done = sv_nodes_perform (&subtensor->nodes, calls, G_N_ELEMENTS (calls), error) &&
                  take_details (subtensor, calls, best, final_hash, final, error);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    sv_rpc_call_clear (&calls[i]);
  return done;
}

static gboolean
read_times (SvSubtensor *subtensor, const SvHeader *best, const SvHeader *final, SvHead *head, GError **error)
{
  gint64 best_time, final_time;
  g_autofree char *key = timestamp_key (subtensor->best_runtime->metadata, error);
  if (!key)
    return FALSE;
  SvRpcCall calls[] = { { .method = "state_getStorage", .params = sv_params (key, best->hash, NULL) },
                        { .method = "state_getStorage", .params = sv_params (key, final->hash, NULL) } };
  gboolean done = sv_nodes_perform (&subtensor->nodes, calls, G_N_ELEMENTS (calls), error) &&
                  read_time (&calls[0], &best_time, error) && read_time (&calls[1], &final_time, error);
  if (done)
  {
    to_block (best, best_time, &head->best);
    to_block (final, final_time, &head->finalized);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    sv_rpc_call_clear (&calls[i]);
  return done;
}

static gboolean
check_order (const SvSubtensor *subtensor, const SvHeader *best, const SvHeader *final, GError **error)
{
  if (final->number <= best->number)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s has block %" G_GUINT64_FORMAT " as final and %" G_GUINT64_FORMAT " as its best, which is not a chain",
               sv_nodes_shown (&subtensor->nodes), final->number, best->number);
  return FALSE;
}

static gboolean
check_time (const SvSubtensor *subtensor, const SvBlock *best, GError **error)
{
  gint64 ahead = best->time_ms - sv_clock_ms ();
  if (ahead <= MAX_FUTURE_MS)
    return TRUE;
  g_autofree char *duration = sv_duration_format (ahead);
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s: its head, block %" G_GUINT64_FORMAT
               ", is %s in the future; set this machine's clock, or use another endpoint if the clock is right",
               sv_nodes_shown (&subtensor->nodes), best->number, duration);
  return FALSE;
}

gboolean
sv_subtensor_head (SvChain *chain, SvHead *head, GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  SvHeader best, final;
  char final_hash[SV_BLOCK_HASH_TEXT];
  if (!read_tips (subtensor, &best, final_hash, error))
    return FALSE;
  gboolean is_new = !subtensor->has_head || strcmp (best.hash, subtensor->head.best.hash) != 0 ||
                    strcmp (final_hash, subtensor->tip_final) != 0;
  if (is_new)
  {
    SvHead fresh;
    if (!read_details (subtensor, &best, final_hash, &final, error) || !check_order (subtensor, &best, &final, error) ||
        !confirm_final (subtensor, &final, error) || !read_times (subtensor, &best, &final, &fresh, error) ||
        !check_time (subtensor, &fresh.best, error))
      return FALSE;
    if (strcmp (final.hash, final_hash) != 0) /* a lower one: what is known of the node's own says nothing of it */
      subtensor->final_runtime = NULL;
    subtensor->head = fresh;
    subtensor->has_head = TRUE;
    g_strlcpy (subtensor->tip_final, final_hash, sizeof subtensor->tip_final);
  }
  *head = subtensor->head;
  return TRUE;
}
