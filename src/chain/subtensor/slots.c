/* What the subnet's state says: its owner, who may validate, and what each account has committed last. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "chain/subtensor/scale.h"
#include "chain/subtensor/state.h"
#include "chain/subtensor/storage_key.h"

#define PAGE 512        /* keys asked for at once */
#define MAX_SLOTS 65536 /* a netuid's uids are 16 bits */

/* ── slots ── */

static gboolean
read_page (SvSubtensor *subtensor, const char *prefix, const char *after, const SvBlock *at, GPtrArray *keys, gboolean *is_last,
           GError **error)
{
  json_t *params = json_pack ("[s,i,s?,s]", prefix, PAGE, after ? after : prefix, at->hash);
  g_autoptr (json_t) page = sv_nodes_call (&subtensor->nodes, "state_getKeysPaged", params, error);
  gsize i;
  const json_t *key;
  if (!page)
    return FALSE;
  json_array_foreach (page, i, key)
  {
    const char *text = json_string_value (key);
    if (text && g_str_has_prefix (text, prefix))
      g_ptr_array_add (keys, g_strdup (text));
  }
  *is_last = json_array_size (page) < PAGE;
  return TRUE;
}

static GPtrArray *
list_keys (SvSubtensor *subtensor, const char *prefix, const SvBlock *at, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  for (gboolean is_last = FALSE; !is_last && keys->len < MAX_SLOTS;)
  {
    guint before = keys->len;
    const char *after = before > 0 ? keys->pdata[before - 1] : NULL;
    if (!read_page (subtensor, prefix, after, at, keys, &is_last, error))
      return NULL;
    is_last = is_last || keys->len == before;
  }
  return g_steal_pointer (&keys);
}

static SvSlot *
make_slot (SvSubtensor *subtensor, const SvStorageEntry *entry, const char *key, GBytes *value, GError **error)
{
  const SvMetadata *metadata = subtensor->runtimes_of_head.of_best->metadata;
  g_auto (SvRegistration) registration = { 0 };
  g_autoptr (GBytes) account = sv_storage_key_part (metadata, entry, key, 1);
  if (!account || g_bytes_get_size (account) != SV_PUBLIC_KEY_SIZE)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: a key of Commitments.CommitmentOf names no account",
                 sv_nodes_shown (&subtensor->nodes));
    return NULL;
  }
  if (!sv_registration_decode (metadata, g_bytes_get_data (value, NULL), g_bytes_get_size (value), &registration, error))
    return NULL;
  SvSlot *slot = g_new0 (SvSlot, 1);
  slot->account = sv_ss58_encode (g_bytes_get_data (account, NULL));
  slot->block = registration.block;
  slot->text = g_steal_pointer (&registration.text);
  return slot;
}

static gboolean
take_slot (SvSubtensor *subtensor, const SvStorageEntry *entry, const char *key, SvRpcCall *call, GPtrArray *slots,
           GError **error)
{
  if (!sv_rpc_take_error (call, error))
    return FALSE;
  if (json_is_null (call->result))
    return TRUE;
  g_autoptr (GBytes) value = sv_answer_bytes ("Commitments.CommitmentOf", call->result, error);
  SvSlot *slot = value ? make_slot (subtensor, entry, key, value, error) : NULL;
  if (slot)
    g_ptr_array_add (slots, slot);
  return slot != NULL;
}

static gboolean
read_slots (SvSubtensor *subtensor, const SvStorageEntry *entry, const GPtrArray *keys, const SvBlock *at, GPtrArray *slots,
            GError **error)
{
  g_autofree SvRpcCall *calls = g_new0 (SvRpcCall, keys->len);
  for (guint i = 0; i < keys->len; i++)
    calls[i] = (SvRpcCall){ .method = "state_getStorage", .params = sv_params (keys->pdata[i], at->hash, NULL) };
  gboolean done = keys->len == 0 || sv_nodes_perform (&subtensor->nodes, calls, keys->len, error);
  for (guint i = 0; i < keys->len; i++)
  {
    done = done && take_slot (subtensor, entry, keys->pdata[i], &calls[i], slots, error);
    sv_rpc_call_clear (&calls[i]);
  }
  return done;
}

GPtrArray *
sv_subtensor_slots (SvChain *chain, GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  const SvBlock *best = &subtensor->head.best;
  const SvMetadata *metadata = subtensor->runtimes_of_head.of_best->metadata;
  const SvStorageEntry *entry = sv_metadata_storage (metadata, "Commitments", "CommitmentOf", error);
  g_autofree char *prefix =
      entry ? sv_state_netuid_key (subtensor, metadata, "Commitments", "CommitmentOf", NULL, error) : NULL;
  g_autoptr (GPtrArray) keys = prefix ? list_keys (subtensor, prefix, best, error) : NULL;
  g_autoptr (GPtrArray) slots = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_slot_free);
  return keys && read_slots (subtensor, entry, keys, best, slots, error) ? g_steal_pointer (&slots) : NULL;
}

/* ── of the subnet, at a final block ── */

static const guint8 nobody[SV_PUBLIC_KEY_SIZE];

static const SvMetadata *
metadata_at (SvSubtensor *subtensor, const SvBlock *at, GError **error)
{
  gboolean is_gone;
  SvRuntime *runtime = sv_subtensor_runtime_of (subtensor, at->number, at->hash, &is_gone, error);
  if (runtime)
    return runtime->metadata;
  if (is_gone)
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "the state of block %" G_GUINT64_FORMAT " is gone; set BITTENSOR_SUBTENSOR_FALLBACK to an archive endpoint",
                 at->number);
  return NULL;
}

/* One value under netuid, and under @second too where the map has two keys. *@value is NULL where there is none. */
static gboolean
read_one (SvSubtensor *subtensor, const char *pallet, const char *entry, GBytes *second, const SvBlock *at, GBytes **value,
          GError **error)
{
  const SvMetadata *metadata = metadata_at (subtensor, at, error);
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  char *key = metadata ? sv_state_netuid_key (subtensor, metadata, pallet, entry, second, error) : NULL;
  if (!key)
    return FALSE;
  g_ptr_array_add (keys, key);
  g_autoptr (GPtrArray) values = sv_state_read_agreed (subtensor, entry, keys, at, error);
  if (!values)
    return FALSE;
  *value = values->pdata[0] ? g_bytes_ref (values->pdata[0]) : NULL;
  return TRUE;
}

gboolean
sv_subtensor_anchor_text (SvChain *chain, const char *address, guint64 at_block, char **text, GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  g_auto (SvRegistration) registration = { 0 };
  g_autoptr (GBytes) account = sv_state_account (address, error), value = NULL;
  SvBlock at;
  *text = NULL;
  if (!account || !sv_state_block (subtensor, at_block, &at, error) ||
      !read_one (subtensor, "Commitments", "CommitmentOf", account, &at, &value, error))
    return FALSE;
  const SvMetadata *metadata = value ? metadata_at (subtensor, &at, error) : NULL;
  if (value && (!metadata || !sv_registration_decode (metadata, g_bytes_get_data (value, NULL), g_bytes_get_size (value),
                                                      &registration, error)))
    return FALSE;
  if (registration.text &&
      (g_str_has_prefix (registration.text, "sv1 manifest ") || g_str_has_prefix (registration.text, "sv1 revoke")))
    *text = g_steal_pointer (&registration.text);
  return TRUE;
}

gboolean
sv_subtensor_owner (SvChain *chain, char **owner, GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  g_autoptr (GBytes) value = NULL;
  SvBlock at = subtensor->head.finalized;
  if (!read_one (subtensor, "SubtensorModule", "SubnetOwnerHotkey", NULL, &at, &value, error))
    return FALSE;
  if (!value)
    return TRUE;
  if (g_bytes_get_size (value) == SV_PUBLIC_KEY_SIZE)
  {
    *owner = sv_ss58_encode (g_bytes_get_data (value, NULL));
    return TRUE;
  }
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: SubtensorModule.SubnetOwnerHotkey is no account",
               sv_nodes_shown (&subtensor->nodes));
  return FALSE;
}

/* ── permits ── */

/* The keys of Keys(netuid, uid) for every uid that ValidatorPermit, a vector of bools by uid, has as true. */
static GPtrArray *
holder_keys (SvSubtensor *subtensor, const SvMetadata *metadata, GBytes *permits, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  SvScaleReader reader =
      sv_scale_reader (permits ? g_bytes_get_data (permits, NULL) : "\0", permits ? g_bytes_get_size (permits) : 1);
  gsize n = sv_scale_length (&reader, 1);
  for (gsize uid = 0; uid < n && uid <= G_MAXUINT16; uid++)
  {
    guint16 number = GUINT16_TO_LE ((guint16)uid);
    if (!sv_scale_bool (&reader))
      continue;
    g_autoptr (GBytes) second = g_bytes_new (&number, sizeof number);
    char *key = sv_state_netuid_key (subtensor, metadata, "SubtensorModule", "Keys", second, error);
    if (!key)
      return NULL;
    g_ptr_array_add (keys, key);
  }
  return sv_scale_finish (&reader, "SubtensorModule.ValidatorPermit", error) ? g_steal_pointer (&keys) : NULL;
}

/* A place that nobody holds has the zero key, to which anybody can make sr25519 signatures. */
static gboolean
is_nobody (GBytes *account)
{
  return memcmp (g_bytes_get_data (account, NULL), nobody, sizeof nobody) == 0;
}

char **
sv_subtensor_permits (SvChain *chain, guint64 block, GError **error)
{
  SvSubtensor *subtensor = (SvSubtensor *)chain;
  g_autoptr (GStrvBuilder) accounts = g_strv_builder_new ();
  g_autoptr (GBytes) permits = NULL;
  SvBlock at;
  if (!sv_state_block (subtensor, block, &at, error) ||
      !read_one (subtensor, "SubtensorModule", "ValidatorPermit", NULL, &at, &permits, error))
    return NULL;
  const SvMetadata *metadata = metadata_at (subtensor, &at, error);
  g_autoptr (GPtrArray) keys = metadata ? holder_keys (subtensor, metadata, permits, error) : NULL;
  g_autoptr (GPtrArray) holders = keys ? sv_state_read_agreed (subtensor, "Keys", keys, &at, error) : NULL;
  if (!holders)
    return NULL;
  for (guint i = 0; i < holders->len; i++)
  {
    GBytes *holder = holders->pdata[i];
    if (!holder || g_bytes_get_size (holder) != SV_PUBLIC_KEY_SIZE || is_nobody (holder))
      continue;
    g_autofree char *account = sv_ss58_encode (g_bytes_get_data (holder, NULL));
    g_strv_builder_add (accounts, account);
  }
  return g_strv_builder_end (accounts);
}
