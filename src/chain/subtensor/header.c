/* A header's hash is BLAKE2b-256 of its SCALE form: parent hash ‖ compact number ‖ state root ‖ extrinsics root ‖ digest. RPC
 * gives the digest's items already encoded, so they go into the hash as they are. */
#include "chain/subtensor/header.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/subtensor/scale.h"

#define HASH_SIZE 32
#define MAX_LOGS 64
#define MAX_LOG_SIZE (64 * 1024)
#define MAX_NUMBER_DIGITS 16
#define MAX_NUMBER G_MAXUINT32
#define ENVIRONMENT_UPDATED 8 /* sp_runtime::generic::DigestItem::RuntimeEnvironmentUpdated, an item without content */

static gboolean
malformed (const char *where, const char *what, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "block header: %s: %s", where, what);
  return FALSE;
}

/* (transfer none) the digits after "0x", or NULL. */
static const char *
hex_digits (const json_t *value, gsize *n_digits)
{
  const char *text = json_string_value (value);
  if (text == NULL || !g_str_has_prefix (text, "0x") || json_string_length (value) != strlen (text))
    return NULL;
  *n_digits = strlen (text) - 2;
  return text + 2;
}

static gboolean
put_hash (const json_t *json, const char *key, GByteArray *out, guint8 hash[HASH_SIZE], GError **error)
{
  gsize n_digits;
  const char *digits = hex_digits (json_object_get (json, key), &n_digits);
  if (digits == NULL || !sv_hex_decode (digits, TRUE, hash, HASH_SIZE))
    return malformed (key, "it must be \"0x\" and 64 hex digits", error);
  sv_scale_put_raw (out, hash, HASH_SIZE);
  return TRUE;
}

static gboolean
put_number (const json_t *json, GByteArray *out, guint64 *number, GError **error)
{
  gsize n_digits;
  const char *digits = hex_digits (json_object_get (json, "number"), &n_digits);
  *number = 0;
  if (digits == NULL || n_digits < 1 || n_digits > MAX_NUMBER_DIGITS || strspn (digits, "0123456789abcdefABCDEF") != n_digits)
    return malformed ("number", "it must be \"0x\" and 1 to 16 hex digits", error);
  *number = g_ascii_strtoull (digits, NULL, 16);
  if (*number > MAX_NUMBER)
    return malformed ("number", "a Subtensor chain's block numbers have 32 bits", error);
  sv_scale_put_compact (out, *number);
  return TRUE;
}

static gboolean
put_log (const json_t *log, GByteArray *out, gboolean *changes_runtime, GError **error)
{
  gsize n_digits;
  const char *digits = hex_digits (log, &n_digits);
  if (digits == NULL || n_digits < 2 || n_digits % 2 != 0 || n_digits / 2 > MAX_LOG_SIZE)
    return malformed ("digest.logs", "an item must be \"0x\" and the hex digits of 1 to 65536 bytes", error);
  gsize length = n_digits / 2;
  g_autofree guint8 *bytes = g_malloc (length);
  if (!sv_hex_decode (digits, TRUE, bytes, length))
    return malformed ("digest.logs", "an item is not hex", error);
  if (length == 1 && bytes[0] == ENVIRONMENT_UPDATED)
    *changes_runtime = TRUE;
  sv_scale_put_raw (out, bytes, length);
  return TRUE;
}

static gboolean
put_digest (const json_t *json, GByteArray *out, gboolean *changes_runtime, GError **error)
{
  const json_t *logs = json_object_get (json_object_get (json, "digest"), "logs");
  if (!json_is_array (logs) || json_array_size (logs) > MAX_LOGS)
    return malformed ("digest.logs", "it must be an array of at most 64 items", error);
  sv_scale_put_compact (out, json_array_size (logs));
  for (gsize i = 0; i < json_array_size (logs); i++)
    if (!put_log (json_array_get (logs, i), out, changes_runtime, error))
      return FALSE;
  return TRUE;
}

static void
write_hash (const guint8 hash[HASH_SIZE], char text[SV_BLOCK_HASH_TEXT])
{
  g_autofree char *hex = sv_hex_encode (hash, HASH_SIZE);
  g_snprintf (text, SV_BLOCK_HASH_TEXT, "0x%s", hex);
}

gboolean
sv_header_from_json (const json_t *json, SvHeader *header, GError **error)
{
  g_autoptr (GByteArray) encoded = g_byte_array_new ();
  guint8 hash[HASH_SIZE], parent[HASH_SIZE], state_root[HASH_SIZE];
  memset (header, 0, sizeof *header);
  if (!put_hash (json, "parentHash", encoded, parent, error) || !put_number (json, encoded, &header->number, error) ||
      !put_hash (json, "stateRoot", encoded, state_root, error) ||
      !put_hash (json, "extrinsicsRoot", encoded, header->extrinsics_root, error) ||
      !put_digest (json, encoded, &header->changes_runtime, error))
    return FALSE;
  sv_blake2b_256 (encoded->data, encoded->len, hash);
  write_hash (hash, header->hash);
  write_hash (parent, header->parent);
  return TRUE;
}
