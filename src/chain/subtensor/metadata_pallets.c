/* Pallets of metadata 14, 15 and 16. Version 15 adds documentation; 16 adds associated types, view functions, and everywhere
 * whether a thing is deprecated. */
#include "chain/subtensor/metadata_model.h"

/* What each takes at least, by the fields of version 14. */
#define MIN_PALLET_SIZE 7
#define MIN_ENTRY_SIZE 6
#define MIN_CONSTANT_SIZE 4
#define MIN_ASSOCIATED_TYPE_SIZE 3
#define MIN_VIEW_FUNCTION_SIZE 37
#define VIEW_FUNCTION_ID_SIZE 32

enum
{
  MODIFIER_OPTIONAL,
  MODIFIER_DEFAULT,
  MODIFIER_REQUIRED,
};

enum
{
  ENTRY_PLAIN,
  ENTRY_MAP,
};

static void
read_hashers (SvMetadataReader *reader, SvStorageEntry *entry)
{
  entry->n_keys = (guint)sv_scale_length (&reader->scale, 1);
  if (entry->n_keys == 0)
    sv_scale_fail (&reader->scale, "a storage map has no keys");
  for (guint i = 0; i < entry->n_keys && reader->scale.fault == NULL; i++)
  {
    guint8 hasher = sv_scale_u8 (&reader->scale);
    if (hasher > SV_HASHER_IDENTITY)
      sv_scale_fail (&reader->scale, "a hasher is of no known kind");
    if (i < SV_MAX_STORAGE_KEYS)
      entry->hashers[i] = hasher;
  }
}

/* One hasher takes the key type as it is; several take the items of a tuple, one each. */
static void
set_key_types (SvMetadataReader *reader, SvStorageEntry *entry, guint32 key_type)
{
  const SvType *keys = sv_metadata_type (reader->metadata, key_type);
  entry->key_types[0] = key_type;
  if (reader->scale.fault != NULL || entry->n_keys == 1 || entry->n_keys > SV_MAX_STORAGE_KEYS)
    return;
  if (keys->kind != SV_TYPE_TUPLE || keys->n_fields != entry->n_keys)
  {
    sv_scale_fail (&reader->scale, "the key of a storage map is not a tuple with an item for each hasher");
    return;
  }
  for (guint i = 0; i < entry->n_keys; i++)
    entry->key_types[i] = keys->fields[i].type;
}

static void
read_entry_type (SvMetadataReader *reader, SvStorageEntry *entry)
{
  guint8 kind = sv_scale_u8 (&reader->scale);
  if (kind > ENTRY_MAP)
    sv_scale_fail (&reader->scale, "a storage entry is of no known kind");
  if (kind == ENTRY_MAP)
  {
    read_hashers (reader, entry);
    set_key_types (reader, entry, sv_metadata_read_type_id (reader));
  }
  entry->value_type = sv_metadata_read_type_id (reader);
}

static void
read_entry (SvMetadataReader *reader, const char *prefix, SvStorageEntry *entry)
{
  entry->prefix = prefix;
  entry->name = sv_metadata_read_text (reader);
  guint8 modifier = sv_scale_u8 (&reader->scale);
  if (modifier > MODIFIER_REQUIRED)
    sv_scale_fail (&reader->scale, "a storage entry has no known modifier");
  entry->is_optional = modifier == MODIFIER_OPTIONAL;
  read_entry_type (reader, entry);
  entry->default_bytes = sv_scale_bytes (&reader->scale, &entry->default_length);
  sv_metadata_skip_docs (reader);
  if (reader->metadata->version >= 16)
    sv_metadata_skip_deprecation (reader);
}

/* A map of more keys than SV_MAX_STORAGE_KEYS is left out: nobody here asks for it, and all the others shall stay usable. */
static void
read_storage (SvMetadataReader *reader, SvPallet *pallet)
{
  const char *prefix = sv_metadata_read_text (reader);
  guint n_entries = (guint)sv_scale_length (&reader->scale, MIN_ENTRY_SIZE);
  pallet->entries = sv_metadata_allocate (reader->metadata, n_entries, sizeof *pallet->entries);
  for (guint i = 0; i < n_entries && reader->scale.fault == NULL; i++)
  {
    SvStorageEntry *entry = &pallet->entries[pallet->n_entries];
    *entry = (SvStorageEntry){ 0 };
    read_entry (reader, prefix, entry);
    pallet->n_entries += entry->n_keys <= SV_MAX_STORAGE_KEYS;
  }
}

/* The type of a pallet's calls, events or errors, if it has any. */
static guint32
read_items_type (SvMetadataReader *reader)
{
  if (!sv_scale_bool (&reader->scale))
    return SV_NO_TYPE;
  guint32 type = sv_metadata_read_type_id (reader);
  if (reader->metadata->version >= 16)
    sv_metadata_skip_variant_deprecations (reader);
  return type;
}

static void
read_constants (SvMetadataReader *reader, SvPallet *pallet)
{
  pallet->n_constants = (guint)sv_scale_length (&reader->scale, MIN_CONSTANT_SIZE);
  pallet->constants = sv_metadata_allocate (reader->metadata, pallet->n_constants, sizeof *pallet->constants);
  for (guint i = 0; i < pallet->n_constants && reader->scale.fault == NULL; i++)
  {
    SvNamedConstant *constant = &pallet->constants[i];
    constant->name = sv_metadata_read_text (reader);
    constant->value.type = sv_metadata_read_type_id (reader);
    constant->value.bytes = sv_scale_bytes (&reader->scale, &constant->value.length);
    sv_metadata_skip_docs (reader);
    if (reader->metadata->version >= 16)
      sv_metadata_skip_deprecation (reader);
  }
}

static void
skip_associated_types (SvMetadataReader *reader)
{
  gsize n = sv_scale_length (&reader->scale, MIN_ASSOCIATED_TYPE_SIZE);
  for (gsize i = 0; i < n && reader->scale.fault == NULL; i++)
  {
    sv_metadata_skip_text (reader);
    sv_metadata_read_type_id (reader);
    sv_metadata_skip_docs (reader);
  }
}

static void
skip_view_functions (SvMetadataReader *reader)
{
  gsize n = sv_scale_length (&reader->scale, MIN_VIEW_FUNCTION_SIZE);
  for (gsize i = 0; i < n && reader->scale.fault == NULL; i++)
  {
    sv_scale_take (&reader->scale, VIEW_FUNCTION_ID_SIZE);
    sv_metadata_skip_text (reader);
    sv_metadata_skip_inputs (reader);
    sv_metadata_read_type_id (reader);
    sv_metadata_skip_docs (reader);
    sv_metadata_skip_deprecation (reader);
  }
}

static void
read_pallet (SvMetadataReader *reader, SvPallet *pallet)
{
  guint version = reader->metadata->version;
  pallet->name = sv_metadata_read_text (reader);
  if (sv_scale_bool (&reader->scale))
    read_storage (reader, pallet);
  pallet->calls = read_items_type (reader);
  pallet->events = read_items_type (reader);
  read_constants (reader, pallet);
  pallet->errors = read_items_type (reader);
  if (version >= 16)
  {
    skip_associated_types (reader);
    skip_view_functions (reader);
  }
  pallet->index = sv_scale_u8 (&reader->scale);
  if (version >= 15)
    sv_metadata_skip_docs (reader);
  if (version >= 16)
    sv_metadata_skip_deprecation (reader);
}

void
sv_metadata_read_pallets (SvMetadataReader *reader)
{
  SvMetadata *metadata = reader->metadata;
  metadata->n_pallets = (guint)sv_scale_length (&reader->scale, MIN_PALLET_SIZE);
  if (metadata->n_pallets > G_N_ELEMENTS (metadata->by_index))
  {
    sv_scale_fail (&reader->scale, "there are more pallets than indexes for them");
    return;
  }
  metadata->pallets = sv_metadata_allocate (metadata, metadata->n_pallets, sizeof *metadata->pallets);
  for (guint i = 0; i < metadata->n_pallets && reader->scale.fault == NULL; i++)
  {
    SvPallet *pallet = &metadata->pallets[i];
    read_pallet (reader, pallet);
    if (reader->scale.fault == NULL && metadata->by_index[pallet->index] != NULL)
      sv_scale_fail (&reader->scale, "two pallets have one index");
    metadata->by_index[pallet->index] = pallet;
  }
}
