/* Hostile bytes as values of every type of a small runtime, and as storage keys: passing over and decoding agree, and what is
 * read by the plain readers never leaves the bytes. The first byte chooses the type. */
#include "base/hash.h"
#include "base/json.h"
#include "chain/subtensor/storage_key.h"
#include "chain/subtensor/value.h"
#include "metadata_fixture.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static void
check_value (const SvMetadata *metadata, guint32 type, const guint8 *data, gsize size)
{
  SvScaleReader skipped = sv_scale_reader (data, size);
  SvScaleReader decoded = skipped;
  sv_value_skip (metadata, type, &skipped);
  g_autoptr (json_t) value = sv_value_decode (metadata, type, &decoded);
  g_assert_true ((value == NULL) == (decoded.fault != NULL));
  g_assert_cmpuint (skipped.offset, <=, size);
  if (value == NULL)
    return;
  g_assert_null (skipped.fault);
  g_assert_cmpuint (skipped.offset, ==, decoded.offset);
}

/* What is read is written as the same bytes. */
static void
check_compact (const guint8 *data, gsize size)
{
  SvScaleReader reader = sv_scale_reader (data, size);
  guint64 value = sv_scale_compact (&reader);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  if (reader.fault != NULL)
    return;
  sv_scale_put_compact (out, value);
  g_assert_cmpmem (out->data, out->len, data, reader.offset);
}

/* Each byte names a read. */
static void
check_readers (const guint8 *data, gsize size)
{
  SvScaleReader reader = sv_scale_reader (data, size);
  for (gsize i = 0; i < size; i++)
  {
    gsize before = reader.offset;
    gsize length = 0;
    const guint8 *bytes = NULL;
    switch (data[i] % 8)
    {
    case 0:
      sv_scale_u16 (&reader);
      break;
    case 1:
      sv_scale_bool (&reader);
      break;
    case 2:
      sv_scale_u64 (&reader);
      break;
    case 3:
      bytes = sv_scale_bytes (&reader, &length);
      break;
    case 4:
      g_free (sv_scale_text (&reader));
      break;
    case 5:
      length = data[i];
      bytes = sv_scale_take (&reader, length);
      break;
    default:
      sv_scale_compact (&reader);
    }
    g_assert_true (reader.offset >= before && reader.offset <= size);
    g_assert_true (bytes == NULL || bytes + length <= data + size);
  }
}

static void
check_key (const SvMetadata *metadata, const char *name, const guint8 *data, gsize size)
{
  const SvStorageEntry *entry = sv_metadata_storage (metadata, "Commitments", name, NULL);
  g_autofree char *prefix = sv_storage_key (entry, NULL, 0);
  g_autofree char *rest = sv_hex_encode (data, size);
  g_autofree char *key = g_strconcat (prefix, rest, NULL);
  for (guint which = 0; which <= entry->n_keys; which++)
  {
    g_autoptr (GBytes) part = sv_storage_key_part (metadata, entry, key, which);
    g_assert_true (part == NULL || g_bytes_get_size (part) <= size);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static SvMetadata *metadata;
  if (metadata == NULL)
    metadata = metadata_fixture_new (16);
  if (size == 0)
    return 0;
  check_value (metadata, data[0] % N_FIXTURE_TYPES, data + 1, size - 1);
  check_compact (data, size);
  check_readers (data, size);
  check_key (metadata, "CommitmentOf", data, size);
  check_key (metadata, "Three", data, size);
  return 0;
}
