#include "chain/subtensor/storage_key.h"

#include <sodium.h>
#include <string.h>
#include <xxhash.h>

#include "base/hash.h"
#include "chain/subtensor/value.h"

#define BLAKE2_128_SIZE 16
#define TWOX_64_SIZE 8
#define TWOX_128_SIZE 16
#define TWOX_256_SIZE 32
#define PREFIX_SIZE (2 * TWOX_128_SIZE)
#define MAX_KEY_SIZE (64 * 1024)

/* Substrate's twox: as many xxHash64, with seeds from 0 on, little-endian one after the other, as @size asks for. Every piece
 * of this is for looking up, none for security. */
static void
put_twox (GByteArray *out, const void *data, gsize length, gsize size)
{
  for (guint seed = 0; seed < size / TWOX_64_SIZE; seed++)
    sv_scale_put_u64 (out, XXH64 (data, length, seed));
}

static void
put_blake2 (GByteArray *out, const void *data, gsize length, gsize size)
{
  guint8 digest[crypto_generichash_BYTES_MAX];
  g_assert (size <= sizeof digest);
  crypto_generichash (digest, size, data, length, NULL, 0);
  sv_scale_put_raw (out, digest, size);
}

/* Bytes of the hash that stands before the key, or in its place. */
static gsize
hash_size (SvHasher hasher)
{
  static const gsize sizes[] = {
    [SV_HASHER_BLAKE2_128] = BLAKE2_128_SIZE,
    [SV_HASHER_BLAKE2_256] = SV_BLAKE2B_256_SIZE,
    [SV_HASHER_BLAKE2_128_CONCAT] = BLAKE2_128_SIZE,
    [SV_HASHER_TWOX_128] = TWOX_128_SIZE,
    [SV_HASHER_TWOX_256] = TWOX_256_SIZE,
    [SV_HASHER_TWOX_64_CONCAT] = TWOX_64_SIZE,
    [SV_HASHER_IDENTITY] = 0,
  };
  return sizes[hasher];
}

static gboolean
is_blake2 (SvHasher hasher)
{
  return hasher == SV_HASHER_BLAKE2_128 || hasher == SV_HASHER_BLAKE2_256 || hasher == SV_HASHER_BLAKE2_128_CONCAT;
}

/* Whether the key itself is in the storage key too. */
static gboolean
keeps_key (SvHasher hasher)
{
  return hasher == SV_HASHER_IDENTITY || hasher == SV_HASHER_BLAKE2_128_CONCAT || hasher == SV_HASHER_TWOX_64_CONCAT;
}

static void
put_hash (GByteArray *out, SvHasher hasher, const void *data, gsize length)
{
  if (is_blake2 (hasher))
    put_blake2 (out, data, length, hash_size (hasher));
  else
    put_twox (out, data, length, hash_size (hasher));
}

static void
put_key (GByteArray *out, SvHasher hasher, const GBytes *key)
{
  gsize length;
  const void *data = g_bytes_get_data ((GBytes *)key, &length);
  put_hash (out, hasher, data, length);
  if (keeps_key (hasher))
    sv_scale_put_raw (out, data, length);
}

static void
put_prefix (GByteArray *out, const SvStorageEntry *entry)
{
  put_twox (out, entry->prefix, strlen (entry->prefix), TWOX_128_SIZE);
  put_twox (out, entry->name, strlen (entry->name), TWOX_128_SIZE);
}

char *
sv_storage_key (const SvStorageEntry *entry, const GBytes *const *keys, guint n_keys)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_assert (n_keys <= entry->n_keys);
  put_prefix (out, entry);
  for (guint i = 0; i < n_keys; i++)
    put_key (out, entry->hashers[i], keys[i]);
  g_autofree char *hex = sv_hex_encode (out->data, out->len);
  return g_strconcat ("0x", hex, NULL);
}

static GByteArray *
decode_hex (const char *hex)
{
  gsize length = strlen (hex);
  if (!g_str_has_prefix (hex, "0x") || length % 2 != 0 || length / 2 > MAX_KEY_SIZE)
    return NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_byte_array_set_size (bytes, (guint)(length / 2 - 1));
  return sv_hex_decode (hex + 2, TRUE, bytes->data, bytes->len) ? g_steal_pointer (&bytes) : NULL;
}

/* Reads key number @which with its hash, which has to be that of the key. Returns: (transfer none) the encoded key, or NULL for
 * a hash that does not keep it, and on a fault. */
static const guint8 *
read_key (const SvMetadata *metadata, const SvStorageEntry *entry, guint which, SvScaleReader *reader, gsize *length)
{
  SvHasher hasher = entry->hashers[which];
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  const guint8 *hash = sv_scale_take (reader, hash_size (hasher));
  gsize start = reader->offset;
  if (!keeps_key (hasher))
    return NULL;
  sv_value_skip (metadata, entry->key_types[which], reader);
  if (hash == NULL || reader->fault != NULL)
    return NULL;
  *length = reader->offset - start;
  put_hash (expected, hasher, reader->data + start, *length);
  if (expected->len == 0 || memcmp (expected->data, hash, expected->len) == 0)
    return reader->data + start;
  sv_scale_fail (reader, "a key's hash is not that of the key");
  return NULL;
}

GBytes *
sv_storage_key_part (const SvMetadata *metadata, const SvStorageEntry *entry, const char *key_hex, guint which)
{
  g_autoptr (GByteArray) key = decode_hex (key_hex);
  g_autoptr (GByteArray) prefix = g_byte_array_new ();
  GBytes *found = NULL;
  if (key == NULL || which >= entry->n_keys)
    return NULL;
  SvScaleReader reader = sv_scale_reader (key->data, key->len);
  put_prefix (prefix, entry);
  const guint8 *start = sv_scale_take (&reader, PREFIX_SIZE);
  if (start == NULL || memcmp (start, prefix->data, PREFIX_SIZE) != 0)
    return NULL;
  for (guint i = 0; i < entry->n_keys; i++)
  {
    gsize length = 0;
    const guint8 *part = read_key (metadata, entry, i, &reader, &length);
    if (i == which && part != NULL)
      found = g_bytes_new (part, length);
  }
  if (reader.fault != NULL || sv_scale_left (&reader) > 0)
    g_clear_pointer (&found, g_bytes_unref);
  return found;
}
