/* A Subtensor chain behind chain.h: opening it, and the table. What is read comes from nodes by JSON-RPC (nodes.c), in words
 * that the runtime's own metadata explain (runtimes.c). Hashes of blocks and extrinsics are computed here; which block is the
 * best or final one, and what the state holds, is the node's word (docs/security.md). */
#include "chain/subtensor/subtensor.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/subtensor/extrinsic.h"
#include "chain/subtensor/scale.h"

#define MAX_NETUID 65535
#define DEFAULT_BLOCK_TIME_MS 12000
#define MIN_POLL_MS 250
#define MAX_POLL_MS 3000

static void
subtensor_close (SvChain *chain)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  sv_nodes_clear (&subtensor->nodes);
  sv_runtimes_clear (&subtensor->runtimes);
  g_free (subtensor->cache);
  g_free (chain->url);
  g_free (subtensor);
}

/* The first head tells genesis, runtime and metadata, without which nothing else can be asked. */
static gboolean
connect (SvSubtensor *subtensor, GError **error)
{
  SvHead head;
  if (!sv_subtensor_head (&subtensor->base, &head, error))
    return FALSE;
  g_strlcpy (subtensor->base.id.genesis, subtensor->nodes.genesis, sizeof subtensor->base.id.genesis);
  if (sv_hex_decode (subtensor->base.id.genesis + 2, FALSE, subtensor->genesis, sizeof subtensor->genesis))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: its genesis hash is not 32 bytes in lower-case hex",
               sv_nodes_shown (&subtensor->nodes));
  return FALSE;
}

static SvChain *
subtensor_open (const char *url, const SvConfig *config, GError **error)
{
  guint64 netuid;
  if (!sv_config_get_integer (config, "SCOREVISION_NETUID", 0, MAX_NETUID, &netuid, error))
    return NULL;
  SvSubtensor *subtensor = g_new0 (SvSubtensor, 1);
  SvChain *chain = &subtensor->base;
  chain->engine = &sv_subtensor_engine;
  chain->id.netuid = (guint)netuid;
  subtensor->cache = sv_config_home_path (config, "cache");
  sv_runtimes_init (&subtensor->runtimes, config);
  if (sv_nodes_init (&subtensor->nodes, config, error))
  {
    chain->url = g_strdup (strchr (url, ':') ? sv_nodes_shown (&subtensor->nodes) : url);
    if (connect (subtensor, error))
      return chain;
  }
  subtensor_close (chain);
  return NULL;
}

/* ── what the runtime says of itself ── */

static gboolean
read_number (const SvMetadata *metadata, const char *pallet, const char *constant, guint64 *number)
{
  SvConstant value;
  if (!sv_metadata_constant (metadata, pallet, constant, &value, NULL) || value.length != 8)
    return FALSE;
  SvScaleReader reader = sv_scale_reader (value.bytes, value.length);
  *number = sv_scale_u64 (&reader);
  return TRUE;
}

/* Aura makes a block per slot; the time pallet wants at least half a slot between blocks. */
static guint64
subtensor_block_time_ms (SvChain *chain)
{
  const SvMetadata *metadata = ((SvSubtensor *)chain)->runtimes_of_head.next->metadata;
  guint64 ms;
  if (read_number (metadata, "Aura", "SlotDuration", &ms) && ms > 0 && ms < G_MAXUINT32)
    return ms;
  if (read_number (metadata, "Timestamp", "MinimumPeriod", &ms) && ms > 0 && ms < G_MAXUINT32)
    return 2 * ms;
  return DEFAULT_BLOCK_TIME_MS;
}

static guint
subtensor_poll_interval_ms (SvChain *chain)
{
  return (guint)CLAMP (subtensor_block_time_ms (chain) / 4, MIN_POLL_MS, MAX_POLL_MS);
}

static char *
subtensor_runtime (SvChain *chain)
{
  const SvRuntime *runtime = ((SvSubtensor *)chain)->runtimes_of_head.next;
  return g_strdup_printf ("%s %u, transactions %u, metadata %u", runtime->name, runtime->spec_version,
                          runtime->transaction_version, sv_metadata_version (runtime->metadata));
}

static gsize
subtensor_max_text (SvChain *chain)
{
  return sv_commitment_max_text (((SvSubtensor *)chain)->runtimes_of_head.next->metadata);
}

const SvChainEngine sv_subtensor_engine = {
  .takes = sv_nodes_take,
  .open = subtensor_open,
  .close = subtensor_close,
  .block_time_ms = subtensor_block_time_ms,
  .poll_interval_ms = subtensor_poll_interval_ms,
  .runtime = subtensor_runtime,
  .head = sv_subtensor_head,
  .block = sv_subtensor_block,
  .commitments = sv_subtensor_commitments,
  .find_extrinsic = sv_subtensor_find_extrinsic,
  .account_commitments = sv_subtensor_account_commitments,
  .slots = sv_subtensor_slots,
  .anchor_text = sv_subtensor_anchor_text,
  .owner = sv_subtensor_owner,
  .permits = sv_subtensor_permits,
  .prepare_commitment = sv_subtensor_prepare_commitment,
  .earliest_commitment = sv_subtensor_earliest_commitment,
  .submit = sv_subtensor_submit,
  .max_text = subtensor_max_text,
};
