#include "chain_model.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "chain/subtensor/commitment_fields.h"
#include "chain/subtensor/extrinsic.h"
#include "chain/subtensor/extrinsics_root.h"
#include "chain/subtensor/header.h"
#include "chain/subtensor/scale.h"
#include "chain/subtensor/storage_key.h"

#define FINALITY 3
#define AGE_MS (G_GINT64_CONSTANT (30) * 86400 * 1000) /* of the first block */

static char *
hex_of (const void *data, gsize length)
{
  g_autofree char *digits = sv_hex_encode (data, length);
  return g_strconcat ("0x", digits, NULL);
}

static char *
hex_of_array (const GByteArray *bytes)
{
  return hex_of (bytes->data, bytes->len);
}

/* ── runtimes ── */

static ModelRuntime *
add_runtime (ChainModel *model, const SmallRuntime *made_of)
{
  ModelRuntime *runtime = g_new0 (ModelRuntime, 1);
  runtime->spec_version = MODEL_SPEC + model->runtimes->len;
  runtime->bytes = small_metadata_bytes (made_of);
  runtime->metadata = small_metadata_new (made_of);
  g_ptr_array_add (model->runtimes, runtime);
  return runtime;
}

static void
runtime_free (gpointer data)
{
  ModelRuntime *runtime = data;
  g_bytes_unref (runtime->bytes);
  sv_metadata_unref (runtime->metadata);
  g_free (runtime);
}

/* By which the next block is executed. */
static ModelRuntime *
tip_runtime (const ChainModel *model)
{
  if (model->line->len == 0)
    return model->runtimes->pdata[0];
  return ((ModelBlock *)model->line->pdata[model->line->len - 1])->runtime;
}

void
model_upgrade (ChainModel *model, const SmallRuntime *runtime)
{
  model->upgrade = add_runtime (model, runtime);
}

/* ── state ── */

static char *
key_of (const SvMetadata *metadata, const char *pallet, const char *entry, guint16 netuid, const void *second, gsize length)
{
  g_autoptr (GError) error = NULL;
  const SvStorageEntry *storage = sv_metadata_storage (metadata, pallet, entry, &error);
  g_assert_no_error (error);
  guint16 number = GUINT16_TO_LE (netuid);
  g_autoptr (GBytes) first = g_bytes_new (&number, sizeof number);
  g_autoptr (GBytes) rest = g_bytes_new (second, length);
  const GBytes *keys[] = { first, rest };
  return sv_storage_key (storage, keys, storage->n_keys);
}

void
model_set (ChainModel *model, const char *pallet, const char *entry, const void *second, gsize length, const char *value_hex)
{
  g_hash_table_insert (model->changes, key_of (tip_runtime (model)->metadata, pallet, entry, MODEL_NETUID, second, length),
                       g_strdup (value_hex));
}

void
model_set_number (ChainModel *model, const char *pallet, const char *entry, guint64 number, gsize width)
{
  guint64 bytes = GUINT64_TO_LE (number);
  g_autofree char *value = hex_of (&bytes, width);
  model_set (model, pallet, entry, NULL, 0, value);
}

void
model_register (ChainModel *model, const SvKeypair *who)
{
  model_set (model, "SubtensorModule", "Uids", sv_keypair_public_key (who), SV_PUBLIC_KEY_SIZE, "0x0700");
}

static guint32
info_type (const SvMetadata *metadata)
{
  const SvStorageEntry *entry = sv_metadata_storage (metadata, "Commitments", "CommitmentOf", NULL);
  const SvType *registration = sv_metadata_type (metadata, entry->value_type);
  return registration->fields[registration->n_fields - 1].type;
}

char *
model_slot_hex (const ChainModel *model, guint32 block, const char *text)
{
  const SvMetadata *metadata = tip_runtime (model)->metadata;
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) value = g_byte_array_new ();
  sv_scale_put_u64 (value, 0);
  sv_scale_put_u32 (value, block);
  gboolean is_put = sv_commitment_fields_put (metadata, info_type (metadata), text, value, &error);
  g_assert_no_error (error);
  g_assert_true (is_put);
  return hex_of_array (value);
}

static void
take_changes (ChainModel *model, GHashTable *state)
{
  GHashTableIter i;
  gpointer key, value;
  g_hash_table_iter_init (&i, model->changes);
  while (g_hash_table_iter_next (&i, &key, &value))
    if (value)
      g_hash_table_insert (state, g_strdup (key), g_strdup (value));
    else
      g_hash_table_remove (state, key);
  g_hash_table_remove_all (model->changes);
}

static void
put_value (GHashTable *state, char *key, char *value)
{
  g_hash_table_insert (state, key, value);
}

/* ── extrinsics ── */

const char *
model_queue_bytes (ChainModel *model, GBytes *extrinsic, guint outcome)
{
  char hash[SV_BLOCK_HASH_TEXT];
  g_ptr_array_add (model->extrinsics, g_bytes_ref (extrinsic));
  g_array_append_val (model->outcomes, outcome);
  sv_extrinsic_hash (g_bytes_get_data (extrinsic, NULL), g_bytes_get_size (extrinsic), hash);
  return g_intern_string (hash);
}

const char *
model_queue (ChainModel *model, const SvKeypair *who, guint16 netuid, const char *text, guint outcome)
{
  const ModelRuntime *runtime = tip_runtime (model);
  SvExtrinsicContext context = { .spec_version = runtime->spec_version, .nonce = model->nonce++ };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) call = sv_commitment_call (runtime->metadata, netuid, text, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) extrinsic = sv_extrinsic_sign (runtime->metadata, &context, call, who, &error);
  g_assert_no_error (error);
  return model_queue_bytes (model, extrinsic, outcome);
}

const char *
model_commit (ChainModel *model, const SvKeypair *who, const char *text)
{
  const char *hash = model_queue (model, who, MODEL_NETUID, text, MODEL_SUCCEEDS);
  model_grow (model, 1);
  return hash;
}

/* What every block begins with: an unsigned extrinsic, here a remark of the block's number. */
static GBytes *
make_inherent (guint64 number)
{
  guint8 bytes[] = { 4 * 8, 4, SMALL_SYSTEM, 0, 4 * 4, (guint8)number, (guint8)(number >> 8), (guint8)(number >> 16), 0 };
  return g_bytes_new (bytes, sizeof bytes);
}

/* Writes what a commitment that succeeds writes. */
static void
store_commitment (const ChainModel *model, guint64 number, const SvCommitmentCall *call, GHashTable *state)
{
  const SvMetadata *metadata = tip_runtime (model)->metadata;
  guint32 block = GUINT32_TO_LE ((guint32)number);
  put_value (state, key_of (metadata, "Commitments", "CommitmentOf", call->netuid, call->signer, sizeof call->signer),
             model_slot_hex (model, (guint32)number, call->text));
  if (sv_metadata_storage (metadata, "Commitments", "LastCommitment", NULL))
    put_value (state, key_of (metadata, "Commitments", "LastCommitment", call->netuid, call->signer, sizeof call->signer),
               hex_of (&block, sizeof block));
}

static void
execute (const ChainModel *model, guint64 number, GBytes *extrinsic, GHashTable *state)
{
  g_auto (SvCommitmentCall) call = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean is_one;
  gboolean is_read = sv_extrinsic_read_commitment (tip_runtime (model)->metadata, g_bytes_get_data (extrinsic, NULL),
                                                   g_bytes_get_size (extrinsic), &is_one, &call, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  if (is_one && call.text)
    store_commitment (model, number, &call, state);
}

static guint8
commitments_index (const ChainModel *model)
{
  SvCallInfo info;
  return sv_metadata_call (tip_runtime (model)->metadata, "Commitments", "set_commitment", &info, NULL) ? info.pallet : 0;
}

/* System.ExtrinsicSuccess or .ExtrinsicFailed of extrinsic @index. */
static void
put_event (const ChainModel *model, GByteArray *events, guint index, guint outcome)
{
  static const guint8 info_and_no_topics[] = { 4, 0, 0 };
  const guint8 failure[] = { 3, commitments_index (model), (guint8)outcome, 0, 0, 0 };
  sv_scale_put_u8 (events, 0);
  sv_scale_put_u32 (events, index);
  sv_scale_put_u8 (events, SMALL_SYSTEM);
  sv_scale_put_u8 (events, outcome != MODEL_SUCCEEDS);
  if (outcome != MODEL_SUCCEEDS)
    sv_scale_put_raw (events, failure, sizeof failure);
  sv_scale_put_raw (events, info_and_no_topics, sizeof info_and_no_topics);
}

static void
execute_all (ChainModel *model, ModelBlock *block)
{
  g_autoptr (GByteArray) events = g_byte_array_new ();
  guint64 time = GUINT64_TO_LE ((guint64)model->start_ms + block->number * MODEL_BLOCK_TIME_MS);
  const SvMetadata *metadata = tip_runtime (model)->metadata;
  guint n = block->number > 0 ? model->extrinsics->len : 0;
  sv_scale_put_compact (events, n > 0 || block->number > 0 ? n + 1 : 0);
  if (block->number > 0)
  {
    g_ptr_array_add (block->extrinsics, make_inherent (block->number));
    put_event (model, events, 0, MODEL_SUCCEEDS);
  }
  for (guint i = 0; i < n; i++)
  {
    guint outcome = g_array_index (model->outcomes, guint, i);
    g_ptr_array_add (block->extrinsics, g_bytes_ref (model->extrinsics->pdata[i]));
    put_event (model, events, i + 1, outcome);
    if (outcome == MODEL_SUCCEEDS)
      execute (model, block->number, model->extrinsics->pdata[i], block->state);
  }
  put_value (block->state, key_of (metadata, "System", "Events", 0, NULL, 0), hex_of_array (events));
  put_value (block->state, key_of (metadata, "Timestamp", "Now", 0, NULL, 0), hex_of (&time, sizeof time));
  g_ptr_array_set_size (model->extrinsics, 0);
  g_array_set_size (model->outcomes, 0);
}

/* ── blocks ── */

static void
block_free (gpointer data)
{
  ModelBlock *block = data;
  json_decref (block->header);
  g_ptr_array_unref (block->extrinsics);
  g_hash_table_unref (block->state);
  g_free (block);
}

static GHashTable *
copy_state (GHashTable *from)
{
  GHashTable *state = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter i;
  gpointer key, value;
  if (!from)
    return state;
  g_hash_table_iter_init (&i, from);
  while (g_hash_table_iter_next (&i, &key, &value))
    put_value (state, g_strdup (key), g_strdup (value));
  return state;
}

static json_t *
make_header (const ChainModel *model, const ModelBlock *block, const char *parent)
{
  static const char *const logs[] = { "0x066175726120a73aad2300000000", "0x08" };
  guint8 root[32], state_root[32] = { block->number > 0 ? model->salt : 0, model->name };
  sv_extrinsics_root (block->extrinsics, SV_TRIE_V0, root);
  g_autofree char *root_hex = hex_of (root, sizeof root), *state_hex = hex_of (state_root, sizeof state_root);
  g_autofree char *number = g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", block->number);
  json_t *digest = json_pack ("{s:[s]}", "logs", logs[0]);
  if (model->upgrade)
    json_array_append_new (json_object_get (digest, "logs"), json_string (logs[1]));
  return json_pack ("{s:s, s:s, s:s, s:s, s:o}", "parentHash", parent, "number", number, "stateRoot", state_hex,
                    "extrinsicsRoot", root_hex, "digest", digest);
}

static void
make_block (ChainModel *model)
{
  ModelBlock *parent = model->line->len > 0 ? model->line->pdata[model->line->len - 1] : NULL;
  ModelBlock *block = g_new0 (ModelBlock, 1);
  g_autofree char *zeros = hex_of ((guint8[32]){ 0 }, 32);
  g_autoptr (GError) error = NULL;
  SvHeader header;
  block->number = model->line->len;
  block->extrinsics = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  block->state = copy_state (parent ? parent->state : NULL);
  execute_all (model, block);
  take_changes (model, block->state);
  block->runtime = model->upgrade ? model->upgrade : tip_runtime (model);
  block->header = make_header (model, block, parent ? parent->hash : zeros);
  model->upgrade = NULL;
  gboolean is_header = sv_header_from_json (block->header, &header, &error);
  g_assert_no_error (error);
  g_assert_true (is_header);
  g_strlcpy (block->hash, header.hash, sizeof block->hash);
  g_ptr_array_add (model->blocks, block);
  g_ptr_array_add (model->line, block);
  model->final = MAX (model->final, block->number - MIN (block->number, model->finality));
}

void
model_grow (ChainModel *model, guint n)
{
  for (; n > 0; n--)
    make_block (model);
}

void
model_drop (ChainModel *model, guint n)
{
  model->salt++;
  g_ptr_array_set_size (model->line, (int)(model->line->len - n));
}

ChainModel *
chain_model_new_named (const SmallRuntime *runtime, guint8 name)
{
  ChainModel *model = g_new0 (ChainModel, 1);
  model->name = name;
  model->runtimes = g_ptr_array_new_with_free_func (runtime_free);
  model->blocks = g_ptr_array_new_with_free_func (block_free);
  model->line = g_ptr_array_new ();
  model->finality = FINALITY;
  model->start_ms = sv_clock_ms () - AGE_MS;
  model->extrinsics = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  model->outcomes = g_array_new (FALSE, FALSE, sizeof (guint));
  model->changes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  add_runtime (model, runtime);
  model_grow (model, 1);
  return model;
}

ChainModel *
chain_model_new (const SmallRuntime *runtime)
{
  return chain_model_new_named (runtime, 0);
}

void
chain_model_free (ChainModel *model)
{
  if (!model)
    return;
  g_ptr_array_unref (model->line);
  g_ptr_array_unref (model->blocks);
  g_ptr_array_unref (model->runtimes);
  g_ptr_array_unref (model->extrinsics);
  g_array_unref (model->outcomes);
  g_hash_table_unref (model->changes);
  g_free (model);
}

guint64
model_best (const ChainModel *model)
{
  return model->line->len - 1;
}

ModelBlock *
model_block (const ChainModel *model, guint64 number)
{
  g_assert_cmpuint (number, <, model->line->len);
  return model->line->pdata[number];
}

ModelBlock *
model_find (const ChainModel *model, const char *hash)
{
  for (guint i = 0; i < model->blocks->len; i++)
  {
    ModelBlock *block = model->blocks->pdata[i];
    if (g_strcmp0 (block->hash, hash) == 0)
      return block;
  }
  return NULL;
}
