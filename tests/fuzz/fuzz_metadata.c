/* Runtime metadata of any kind: what parses answers every question, and values of its types come to an end, in the same place
 * for passing over and for decoding. */
#include "chain/subtensor/metadata.h"

#include "base/json.h"
#include "chain/subtensor/value.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

#define MAX_TYPES 256
#define N_VALUE_BYTES 256

static void
check_type (const SvMetadata *metadata, guint32 id, const guint8 *data, gsize size)
{
  SvScaleReader skipped = sv_scale_reader (data, size);
  SvScaleReader decoded = skipped;
  const SvType *type = sv_metadata_type (metadata, id);
  g_assert_cmpuint (type->id, ==, id);
  g_assert_true (g_utf8_validate (type->path, -1, NULL));
  sv_value_skip (metadata, id, &skipped);
  g_autoptr (json_t) value = sv_value_decode (metadata, id, &decoded);
  g_assert_true ((value == NULL) == (decoded.fault != NULL));
  if (value != NULL && skipped.fault == NULL)
    g_assert_cmpuint (skipped.offset, ==, decoded.offset);
  if (value != NULL && sv_value_is_empty (metadata, id))
    g_assert_cmpuint (decoded.offset, ==, 0);
}

static void
check_variant (const SvMetadata *metadata, const SvVariant *variant)
{
  if (variant == NULL)
    return;
  g_assert_true (g_utf8_validate (variant->name, -1, NULL));
  g_assert_true (g_utf8_validate (variant->docs, -1, NULL));
  for (guint i = 0; i < variant->n_fields; i++)
    g_assert_nonnull (sv_metadata_type (metadata, variant->fields[i].type));
}

static void
check_pallets (const SvMetadata *metadata)
{
  for (guint pallet = 0; pallet < 256; pallet++)
  {
    const char *name = sv_metadata_pallet_name (metadata, (guint8)pallet);
    for (guint index = 0; name != NULL && index < 256; index++)
    {
      check_variant (metadata, sv_metadata_call_at (metadata, (guint8)pallet, (guint8)index));
      check_variant (metadata, sv_metadata_event_at (metadata, (guint8)pallet, (guint8)index));
      check_variant (metadata, sv_metadata_error_at (metadata, (guint8)pallet, (guint8)index));
    }
  }
}

static void
check_extrinsic (const SvMetadata *metadata)
{
  guint n;
  const SvExtension *extensions = sv_metadata_extensions (metadata, &n);
  for (guint i = 0; i < n; i++)
  {
    g_assert_true (g_utf8_validate (extensions[i].identifier, -1, NULL));
    g_assert_nonnull (sv_metadata_type (metadata, extensions[i].type));
    g_assert_nonnull (sv_metadata_type (metadata, extensions[i].additional_type));
  }
  g_assert_nonnull (sv_metadata_type (metadata, sv_metadata_address_type (metadata)));
  g_assert_nonnull (sv_metadata_type (metadata, sv_metadata_signature_type (metadata)));
  g_assert_nonnull (sv_metadata_type (metadata, sv_metadata_call_type (metadata)));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  SvCallInfo call;
  SvConstant constant;
  g_autoptr (GError) error = NULL;
  g_autoptr (SvMetadata) metadata = sv_metadata_parse (data, size, &error);
  g_assert_true ((metadata == NULL) == (error != NULL));
  if (metadata == NULL)
    return 0;
  for (guint32 id = 0; id < MIN (sv_metadata_n_types (metadata), MAX_TYPES); id++)
    check_type (metadata, id, data, MIN (size, N_VALUE_BYTES));
  check_pallets (metadata);
  check_extrinsic (metadata);
  if (sv_metadata_call (metadata, "P", "c", &call, NULL))
    check_variant (metadata, call.call);
  if (sv_metadata_constant (metadata, "P", "C", &constant, NULL))
    check_type (metadata, constant.type, constant.bytes, constant.length);
  const SvStorageEntry *entry = sv_metadata_storage (metadata, "P", "E", NULL);
  if (entry != NULL)
    check_type (metadata, entry->value_type, entry->default_bytes, entry->default_length);
  return 0;
}
