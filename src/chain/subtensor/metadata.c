/* The questions to parsed metadata. Names are looked for one by one: there are some thirty pallets with at most a few hundred
 * items, and nobody asks more than a few times a block. */
#include "chain/subtensor/metadata.h"

#include <string.h>

#include "base/error.h"
#include "chain/subtensor/metadata_model.h"

SvMetadata *
sv_metadata_ref (SvMetadata *metadata)
{
  g_atomic_ref_count_inc (&metadata->references);
  return metadata;
}

void
sv_metadata_unref (SvMetadata *metadata)
{
  if (metadata == NULL || !g_atomic_ref_count_dec (&metadata->references))
    return;
  g_ptr_array_unref (metadata->blocks);
  g_free (metadata->bytes);
  g_free (metadata);
}

guint
sv_metadata_version (const SvMetadata *metadata)
{
  return metadata->version;
}

guint
sv_metadata_n_types (const SvMetadata *metadata)
{
  return metadata->n_types;
}

const SvType *
sv_metadata_type (const SvMetadata *metadata, guint32 id)
{
  return id < metadata->n_types ? &metadata->types[id] : NULL;
}

static const SvPallet *
find_pallet (const SvMetadata *metadata, const char *name)
{
  for (guint i = 0; i < metadata->n_pallets; i++)
  {
    if (strcmp (metadata->pallets[i].name, name) == 0)
      return &metadata->pallets[i];
  }
  return NULL;
}

static void
set_missing (GError **error, const char *kind, const char *pallet, const char *item)
{
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
               "the chain's runtime has no %s %s.%s: is this the endpoint of a Subtensor chain, and this program new enough "
               "for its runtime?",
               kind, pallet, item);
}

const SvStorageEntry *
sv_metadata_storage (const SvMetadata *metadata, const char *pallet, const char *entry, GError **error)
{
  const SvPallet *found = find_pallet (metadata, pallet);
  for (guint i = 0; found != NULL && i < found->n_entries; i++)
  {
    if (strcmp (found->entries[i].name, entry) == 0)
      return &found->entries[i];
  }
  set_missing (error, "storage", pallet, entry);
  return NULL;
}

gboolean
sv_metadata_call (const SvMetadata *metadata, const char *pallet, const char *call, SvCallInfo *info, GError **error)
{
  const SvPallet *found = find_pallet (metadata, pallet);
  const SvType *calls = found != NULL ? sv_metadata_type (metadata, found->calls) : NULL;
  const SvVariant *variant = calls != NULL ? sv_type_variant (calls, call) : NULL;
  if (variant == NULL)
  {
    set_missing (error, "call", pallet, call);
    return FALSE;
  }
  *info = (SvCallInfo){ .pallet = found->index, .call = variant };
  return TRUE;
}

gboolean
sv_metadata_constant (const SvMetadata *metadata, const char *pallet, const char *constant, SvConstant *value, GError **error)
{
  const SvPallet *found = find_pallet (metadata, pallet);
  for (guint i = 0; found != NULL && i < found->n_constants; i++)
  {
    if (strcmp (found->constants[i].name, constant) != 0)
      continue;
    *value = found->constants[i].value;
    return TRUE;
  }
  set_missing (error, "constant", pallet, constant);
  return FALSE;
}

const char *
sv_metadata_pallet_name (const SvMetadata *metadata, guint8 pallet)
{
  const SvPallet *found = metadata->by_index[pallet];
  return found != NULL ? found->name : NULL;
}

static const SvVariant *
variant_at (const SvMetadata *metadata, guint32 type_id, guint8 index)
{
  const SvType *type = sv_metadata_type (metadata, type_id);
  return type != NULL ? sv_type_variant_at (type, index) : NULL;
}

const SvVariant *
sv_metadata_call_at (const SvMetadata *metadata, guint8 pallet, guint8 call)
{
  const SvPallet *found = metadata->by_index[pallet];
  return found != NULL ? variant_at (metadata, found->calls, call) : NULL;
}

const SvVariant *
sv_metadata_event_at (const SvMetadata *metadata, guint8 pallet, guint8 event)
{
  const SvPallet *found = metadata->by_index[pallet];
  return found != NULL ? variant_at (metadata, found->events, event) : NULL;
}

const SvVariant *
sv_metadata_error_at (const SvMetadata *metadata, guint8 pallet, guint8 error_index)
{
  const SvPallet *found = metadata->by_index[pallet];
  return found != NULL ? variant_at (metadata, found->errors, error_index) : NULL;
}

const SvVariant *
sv_type_variant (const SvType *type, const char *name)
{
  for (guint i = 0; i < type->n_variants; i++)
  {
    if (strcmp (type->variants[i].name, name) == 0)
      return &type->variants[i];
  }
  return NULL;
}

const SvVariant *
sv_type_variant_at (const SvType *type, guint8 index)
{
  /* Most enums number their variants from 0 on, without gaps. */
  if (index < type->n_variants && type->variants[index].index == index)
    return &type->variants[index];
  for (guint i = 0; i < type->n_variants; i++)
  {
    if (type->variants[i].index == index)
      return &type->variants[i];
  }
  return NULL;
}

gboolean
sv_metadata_takes_extrinsic (const SvMetadata *metadata, guint version)
{
  for (gsize i = 0; i < metadata->n_extrinsic_versions; i++)
  {
    if (metadata->extrinsic_versions[i] == version)
      return TRUE;
  }
  return FALSE;
}

const SvExtension *
sv_metadata_extensions (const SvMetadata *metadata, guint *n_extensions)
{
  *n_extensions = metadata->n_extensions;
  return metadata->extensions;
}

guint32
sv_metadata_address_type (const SvMetadata *metadata)
{
  return metadata->address_type;
}

guint32
sv_metadata_signature_type (const SvMetadata *metadata)
{
  return metadata->signature_type;
}

guint32
sv_metadata_call_type (const SvMetadata *metadata)
{
  return metadata->call_type;
}
