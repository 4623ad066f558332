/* Single values of the chain's state, each under a key that the metadata tell how to make. What the state holds is the node's
 * word; for what trust rests on, a second endpoint has to say the same. */
#include "chain/subtensor/state.h"

#include <string.h>

#include "base/error.h"
#include "chain/subtensor/headers.h"
#include "chain/subtensor/scale.h"
#include "chain/subtensor/storage_key.h"

/* ── keys ── */

char *
sv_state_key (const SvMetadata *metadata, const char *pallet, const char *entry, GError **error)
{
  const SvStorageEntry *storage = sv_metadata_storage (metadata, pallet, entry, error);
  return storage ? sv_storage_key (storage, NULL, 0) : NULL;
}

char *
sv_state_netuid_key (const SvSubtensor *subtensor, const SvMetadata *metadata, const char *pallet, const char *entry,
                     GBytes *second, GError **error)
{
  const SvStorageEntry *storage = sv_metadata_storage (metadata, pallet, entry, error);
  if (!storage)
    return NULL;
  guint16 netuid = GUINT16_TO_LE ((guint16)subtensor->base.id.netuid);
  g_autoptr (GBytes) first = g_bytes_new (&netuid, sizeof netuid);
  const GBytes *keys[] = { first, second };
  guint n_keys = second ? 2 : 1;
  if (storage->n_keys >= n_keys)
    return sv_storage_key (storage, keys, n_keys);
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "the runtime keeps %s.%s under other keys than this version of sv knows; update sv", pallet, entry);
  return NULL;
}

GBytes *
sv_state_account (const char *address, GError **error)
{
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  if (sv_ss58_decode (address, public_key))
    return g_bytes_new (public_key, sizeof public_key);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s is no account of network 42", address);
  return NULL;
}

/* ── values ── */

static gboolean
take_value (SvRpcCall *call, const SvBlock *at, GBytes **value, gboolean *is_gone, GError **error)
{
  gboolean gone = sv_rpc_is_pruned (call->error);
  if (is_gone)
    *is_gone = gone;
  if (gone && is_gone)
    return TRUE;
  if (gone)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "%s does not have the state of block %" G_GUINT64_FORMAT
                 " any more; set BITTENSOR_SUBTENSOR_FALLBACK to an archive endpoint",
                 call->endpoint, at->number);
    return FALSE;
  }
  if (!sv_rpc_take_error (call, error))
    return FALSE;
  if (json_is_null (call->result))
    return TRUE;
  *value = sv_answer_bytes ("state_getStorage", call->result, error);
  if (!*value)
    g_prefix_error (error, "%s: ", call->endpoint);
  return *value != NULL;
}

gboolean
sv_state_read (SvSubtensor *subtensor, const char *key, const SvBlock *at, GBytes **value, gboolean *is_gone, GError **error)
{
  SvRpcCall call = { .method = "state_getStorage", .params = sv_params (key, at->hash, NULL) };
  *value = NULL;
  gboolean done =
      sv_nodes_perform_archive (&subtensor->nodes, &call, 1, error) && take_value (&call, at, value, is_gone, error);
  sv_rpc_call_clear (&call);
  return done;
}

/* ── values that trust rests on ── */

static void
free_value (gpointer value)
{
  if (value)
    g_bytes_unref (value);
}

static gboolean
take_values (SvRpcCall *calls, guint n, const SvBlock *at, GPtrArray *values, GError **error)
{
  gboolean done = TRUE;
  for (guint i = 0; i < n; i++)
  {
    GBytes *value = NULL;
    done = done && take_value (&calls[i], at, &value, NULL, error);
    if (done)
      g_ptr_array_add (values, value);
  }
  return done;
}

/* From the endpoint in use, or with @other from that one. */
static GPtrArray *
read_values (SvSubtensor *subtensor, const GPtrArray *keys, const SvBlock *at, const guint *other, GError **error)
{
  SvNodes *nodes = &subtensor->nodes;
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (free_value);
  g_autofree SvRpcCall *calls = g_new0 (SvRpcCall, keys->len);
  for (guint i = 0; i < keys->len; i++)
    calls[i] = (SvRpcCall){ .method = "state_getStorage", .params = sv_params (keys->pdata[i], at->hash, NULL) };
  gboolean done = keys->len == 0 || (other ? sv_nodes_ask (nodes, *other, calls, keys->len, error)
                                           : sv_nodes_perform_archive (nodes, calls, keys->len, error));
  done = done && take_values (calls, keys->len, at, values, error);
  for (guint i = 0; i < keys->len; i++)
    sv_rpc_call_clear (&calls[i]);
  return done ? g_steal_pointer (&values) : NULL;
}

static gboolean
are_same (const GPtrArray *ours, const GPtrArray *theirs)
{
  for (guint i = 0; i < ours->len; i++)
  {
    const GBytes *a = ours->pdata[i], *b = theirs->pdata[i];
    if (a && b ? !g_bytes_equal (a, b) : a != b)
      return FALSE;
  }
  return TRUE;
}

GPtrArray *
sv_state_read_agreed (SvSubtensor *subtensor, const char *what, const GPtrArray *keys, const SvBlock *at, GError **error)
{
  SvNodes *nodes = &subtensor->nodes;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) ours = read_values (subtensor, keys, at, NULL, error);
  guint other;
  if (!ours || !sv_nodes_other (nodes, &other))
    return g_steal_pointer (&ours);
  g_autoptr (GPtrArray) theirs = read_values (subtensor, keys, at, &other, &failure);
  if (failure && !g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  if (!theirs || are_same (ours, theirs))
    return g_steal_pointer (&ours);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "the chain endpoints do not agree: %s and %s have different values for %s at final block %" G_GUINT64_FORMAT
               "; find out which of them is right, and configure no other",
               sv_nodes_shown (nodes), sv_rpc_endpoint (nodes->all[other].rpc), what, at->number);
  return NULL;
}

/* ── blocks ── */

gboolean
sv_state_block (SvSubtensor *subtensor, guint64 number, SvBlock *block, GError **error)
{
  const SvHead *head = &subtensor->head;
  if (number == head->best.number || number == head->finalized.number)
  {
    *block = number == head->best.number ? head->best : head->finalized;
    return TRUE;
  }
  g_autoptr (GPtrArray) hashes = sv_hashes_read (&subtensor->nodes, number, number, error);
  if (!hashes)
    return FALSE;
  if (hashes->len == 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "%s has no block %" G_GUINT64_FORMAT " yet", subtensor->base.url, number);
    return FALSE;
  }
  if (number < head->finalized.number && !sv_hashes_confirm (&subtensor->nodes, number, hashes, 1, error))
    return FALSE;
  *block = (SvBlock){ .number = number };
  g_strlcpy (block->hash, hashes->pdata[0], sizeof block->hash);
  return TRUE;
}

/* ── commitments ── */

gboolean
sv_state_registration (SvSubtensor *subtensor, const char *address, gboolean *found, SvRegistration *registration,
                       GError **error)
{
  const SvMetadata *metadata = subtensor->runtimes_of_head.of_best->metadata;
  g_autoptr (GBytes) account = sv_state_account (address, error), value = NULL;
  g_autofree char *key =
      account ? sv_state_netuid_key (subtensor, metadata, "Commitments", "CommitmentOf", account, error) : NULL;
  *found = FALSE;
  if (!key || !sv_state_read (subtensor, key, &subtensor->head.best, &value, NULL, error))
    return FALSE;
  *found = value != NULL;
  return !value ||
         sv_registration_decode (metadata, g_bytes_get_data (value, NULL), g_bytes_get_size (value), registration, error);
}

/* A block number of the state: the runtime's own width, little-endian. */
static gboolean
decode_number (GBytes *value, const char *what, guint64 *number, GError **error)
{
  SvScaleReader reader = sv_scale_reader (g_bytes_get_data (value, NULL), g_bytes_get_size (value));
  *number = g_bytes_get_size (value) == 8 ? sv_scale_u64 (&reader) : sv_scale_u32 (&reader);
  return sv_scale_finish (&reader, what, error);
}

/* Some gateways say of a state that is gone that it is empty. The time is in every state but the first. */
static gboolean
is_empty_state (SvSubtensor *subtensor, const SvMetadata *metadata, const SvBlock *block, gboolean *yes, GError **error)
{
  g_autoptr (GBytes) time = NULL;
  gboolean is_gone;
  g_autofree char *key = sv_state_key (metadata, "Timestamp", "Now", error);
  if (!key || !sv_state_read (subtensor, key, block, &time, &is_gone, error))
    return FALSE;
  *yes = time == NULL;
  return TRUE;
}

/* LastCommitment stays when a commitment is revealed or taken out of its slot; runtimes without it have only the slot. */
static gboolean
read_mark (SvSubtensor *subtensor, const SvMetadata *metadata, const char *address, const SvBlock *block, SvMark *kind,
           guint64 *mark, GError **error)
{
  g_autoptr (GBytes) account = sv_state_account (address, error), last = NULL, slot = NULL;
  g_autofree char *last_key =
      account ? sv_state_netuid_key (subtensor, metadata, "Commitments", "LastCommitment", account, NULL) : NULL;
  g_autofree char *slot_key =
      account ? sv_state_netuid_key (subtensor, metadata, "Commitments", "CommitmentOf", account, error) : NULL;
  gboolean is_gone = FALSE;
  if (!slot_key || !sv_state_read (subtensor, slot_key, block, &slot, &is_gone, error) ||
      (last_key && !is_gone && !sv_state_read (subtensor, last_key, block, &last, &is_gone, error)) ||
      (!slot && !last && !is_gone && !is_empty_state (subtensor, metadata, block, &is_gone, error)))
    return FALSE;
  *kind = is_gone ? SV_MARK_GONE : slot || last ? SV_MARK_AT : SV_MARK_NONE;
  *mark = 0;
  if (last && !decode_number (last, "Commitments.LastCommitment", mark, error))
    return FALSE;
  g_auto (SvRegistration) registration = { 0 };
  if (slot && !sv_registration_decode (metadata, g_bytes_get_data (slot, NULL), g_bytes_get_size (slot), &registration, error))
    return FALSE;
  *mark = MAX (*mark, registration.block);
  return TRUE;
}

gboolean
sv_state_last_commitment (SvSubtensor *subtensor, const char *address, guint64 at, SvMark *kind, guint64 *mark, GError **error)
{
  SvBlock block;
  gboolean is_gone;
  if (!sv_state_block (subtensor, at, &block, error))
    return FALSE;
  const SvRuntime *runtime = sv_subtensor_runtime_of (subtensor, block.number, block.hash, &is_gone, error);
  if (!runtime && is_gone)
  {
    *kind = SV_MARK_GONE;
    return TRUE;
  }
  if (!runtime || !read_mark (subtensor, runtime->metadata, address, &block, kind, mark, error))
    return FALSE;
  if (*kind != SV_MARK_AT || *mark <= at)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s says that %s committed in block %" G_GUINT64_FORMAT " and that this was so at block %" G_GUINT64_FORMAT
               " already; do not trust this endpoint, use another one",
               sv_nodes_shown (&subtensor->nodes), address, *mark, at);
  return FALSE;
}
