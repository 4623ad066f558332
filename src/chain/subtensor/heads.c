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
#include "chain/subtensor/headers.h"
#include "chain/subtensor/scale.h"
#include "chain/subtensor/storage_key.h"

#define LONG_LAG 50 /* blocks */
#define HEAD_ATTEMPTS 4
#define HEAD_PAUSE_US (250 * 1000) /* times the number of the attempt */

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
  g_autofree char *key = timestamp_key (subtensor->runtimes_of_head.next->metadata, error);
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
                  sv_header_check (&subtensor->nodes, calls[0].endpoint, calls[0].result, hash, &header, error) &&
                  read_time (&calls[1], &time_ms, error);
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
  if (!json || !sv_header_check (nodes, sv_nodes_shown (nodes), json, hash, &header, error))
    return NULL;
  g_autoptr (json_t) version = sv_nodes_call (nodes, "state_getRuntimeVersion", sv_params (header.parent, NULL), error);
  return version ? sv_runtimes_of_version (&subtensor->runtimes, nodes, version, header.parent, error) : NULL;
}

SvRuntime *
sv_subtensor_runtime_of (SvSubtensor *subtensor, guint64 number, const char *hash, gboolean *is_gone, GError **error)
{
  *is_gone = FALSE;
  if (strcmp (hash, subtensor->head.best.hash) == 0)
    return subtensor->runtimes_of_head.of_best;
  if (number > subtensor->head.finalized.number)
    return subtensor->runtimes_of_head.after_final == subtensor->runtimes_of_head.next
               ? subtensor->runtimes_of_head.next
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
                   sv_header_check (nodes, header.endpoint, header.result, hash ? hash : "", &theirs, error);
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
  guint other;
  if (!sv_nodes_other (nodes, &other))
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
  if (done && best->number == 0)
    g_strlcpy (best->hash, subtensor->nodes.genesis, sizeof best->hash);
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

/* What is read of two new tips, and counts when all of it has been checked. */
typedef struct
{
  SvHeader best, final;
  char final_hash[SV_BLOCK_HASH_TEXT]; /* the node's own; @final may become a lower one */
  SvHeadRuntimes runtimes;
  SvHead head;
} Tips;

/* An endpoint may be put before another chain while we run, or before a node that has another past: what was final must be
 * there still. */
static gboolean
check_past (const SvSubtensor *subtensor, const json_t *hashes, GError **error)
{
  const SvNodes *nodes = &subtensor->nodes;
  const SvBlock *final = &subtensor->head.finalized;
  const char *genesis = json_string_value (json_array_get (hashes, 0)), *now = json_string_value (json_array_get (hashes, 1));
  if (g_strcmp0 (genesis, nodes->genesis) != 0)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s is of another chain now: its genesis is %s, and was %s",
                 sv_nodes_shown (nodes), genesis ? genesis : "not told", nodes->genesis);
  else if (subtensor->has_head && !now)
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "%s is behind: it does not have block %" G_GUINT64_FORMAT
                 ", which was final already; wait until it has caught up, or use another endpoint",
                 sv_nodes_shown (nodes), final->number);
  else if (subtensor->has_head && strcmp (now, final->hash) != 0)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "%s contradicts itself: finalized block %" G_GUINT64_FORMAT
                 " was %s and is %s now; do not trust this endpoint, use another one",
                 sv_nodes_shown (nodes), final->number, final->hash, now);
  else
    return TRUE;
  return FALSE;
}

static SvRuntime *
runtime_of (SvSubtensor *subtensor, SvRpcCall *call, const char *hash, GError **error)
{
  return sv_rpc_take_error (call, error)
             ? sv_runtimes_of_version (&subtensor->runtimes, &subtensor->nodes, call->result, hash, error)
             : NULL;
}

/* The answers: the final block's header, the runtimes after it, and before and after the best block, and the hashes of the
 * past. */
static gboolean
take_details (SvSubtensor *subtensor, SvRpcCall *calls, Tips *tips, GError **error)
{
  if (!sv_rpc_take_error (&calls[4], error) || !check_past (subtensor, calls[4].result, error) ||
      !sv_rpc_take_error (&calls[0], error) ||
      !sv_header_check (&subtensor->nodes, calls[0].endpoint, calls[0].result, tips->final_hash, &tips->final, error))
    return FALSE;
  tips->runtimes.after_final = runtime_of (subtensor, &calls[1], tips->final_hash, error);
  if (!tips->runtimes.after_final)
    return FALSE;
  tips->runtimes.of_best = runtime_of (subtensor, &calls[2], tips->best.parent, error);
  if (!tips->runtimes.of_best)
    return FALSE;
  tips->runtimes.next = runtime_of (subtensor, &calls[3], tips->best.hash, error);
  return tips->runtimes.next != NULL;
}

static gboolean
read_details (SvSubtensor *subtensor, Tips *tips, GError **error)
{
  const SvHeader *best = &tips->best;
  const char *before_best = best->number > 0 ? best->parent : best->hash;
  json_t *past = json_pack ("[[i,o]]", 0, sv_json_integer (subtensor->head.finalized.number));
  SvRpcCall calls[] = { { .method = "chain_getHeader", .params = sv_params (tips->final_hash, NULL) },
                        { .method = "state_getRuntimeVersion", .params = sv_params (tips->final_hash, NULL) },
                        { .method = "state_getRuntimeVersion", .params = sv_params (before_best, NULL) },
                        { .method = "state_getRuntimeVersion", .params = sv_params (best->hash, NULL) },
                        { .method = "chain_getBlockHash", .params = past } };
  gboolean done = sv_nodes_perform (&subtensor->nodes, calls, G_N_ELEMENTS (calls), error);
  for (gsize i = 0; done && i < G_N_ELEMENTS (calls); i++)
    subtensor->tips_unknown |= sv_rpc_is_unknown (calls[i].error) || (!calls[i].error && json_is_null (calls[i].result));
  done = done && take_details (subtensor, calls, tips, error);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    sv_rpc_call_clear (&calls[i]);
  return done;
}

static gboolean
read_times (SvSubtensor *subtensor, Tips *tips, GError **error)
{
  gint64 best_time, final_time;
  g_autofree char *key = timestamp_key (tips->runtimes.of_best->metadata, error);
  if (!key)
    return FALSE;
  SvRpcCall calls[] = { { .method = "state_getStorage", .params = sv_params (key, tips->best.hash, NULL) },
                        { .method = "state_getStorage", .params = sv_params (key, tips->final.hash, NULL) } };
  gboolean done = sv_nodes_perform (&subtensor->nodes, calls, G_N_ELEMENTS (calls), error) &&
                  read_time (&calls[0], &best_time, error) && read_time (&calls[1], &final_time, error);
  if (done)
  {
    to_block (&tips->best, best_time, &tips->head.best);
    to_block (&tips->final, final_time, &tips->head.finalized);
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

/* Everything that is remembered of a head is remembered here, after all else: one that is refused leaves no trace. */
static void
take_tips (SvSubtensor *subtensor, const Tips *tips)
{
  subtensor->head = tips->head;
  subtensor->has_head = TRUE;
  subtensor->runtimes_of_head = tips->runtimes;
  g_strlcpy (subtensor->tip_final, tips->final_hash, sizeof subtensor->tip_final);
  if (strcmp (tips->final.hash, tips->final_hash) == 0)
    sv_runtimes_note (&subtensor->runtimes, tips->final.number, tips->runtimes.after_final);
  else /* a lower one: what is known of the node's own says nothing of it */
    subtensor->runtimes_of_head.after_final = NULL;
}

static gboolean
read_head_once (SvSubtensor *subtensor, GError **error)
{
  Tips tips = { 0 };
  if (!read_tips (subtensor, &tips.best, tips.final_hash, error))
    return FALSE;
  if (subtensor->has_head && strcmp (tips.best.hash, subtensor->head.best.hash) == 0 &&
      strcmp (tips.final_hash, subtensor->tip_final) == 0)
    return TRUE;
  if (!read_details (subtensor, &tips, error) || !check_order (subtensor, &tips.best, &tips.final, error) ||
      !confirm_final (subtensor, &tips.final, error) || !read_times (subtensor, &tips, error))
    return FALSE;
  take_tips (subtensor, &tips);
  return TRUE;
}

/* Behind a public address stand several nodes, and the one that names a new block may not be the one that is asked about it a
 * moment later: that passes. */
gboolean
sv_subtensor_head (SvChain *chain, SvHead *head, GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  for (guint attempt = 1;; attempt++)
  {
    GError *failure = NULL;
    subtensor->tips_unknown = FALSE;
    if (read_head_once (subtensor, &failure))
      break;
    if (!subtensor->tips_unknown || attempt == HEAD_ATTEMPTS)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
    g_error_free (failure);
    g_usleep (attempt * HEAD_PAUSE_US);
  }
  *head = subtensor->head;
  return TRUE;
}
