#include "miner/pending.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/schema.h"

#define MAX_SIZE (256 * 1024)

int
sv_pending_lock (const SvMinerWindow *window, GError **error)
{
  g_autofree char *folder = sv_config_home_path (window->config, "memory");
  g_autofree char *path = g_strdup_printf ("%s/commit-%s.lock", folder, sv_keypair_address (window->keypair));
  return sv_directory_make (folder, 0700, error) ? sv_file_lock (path, error) : -1;
}

static char *
path_of (const SvMinerWindow *window)
{
  g_autofree char *leaf = g_strdup_printf ("commitments/%s.pending", window->manifest->window_id);
  return sv_config_home_path (window->config, leaf);
}

gboolean
sv_pending_write (const SvMinerWindow *window, const SvPreparedExtrinsic *prepared, const char *text, GError **error)
{
  gsize length;
  const void *data = g_bytes_get_data (prepared->bytes, &length);
  g_autofree char *hex = sv_hex_encode (data, length);
  g_autoptr (json_t) json = json_object ();
  json_object_set_new (json, "hash", json_string (prepared->hash));
  json_object_set_new (json, "signer", json_string (prepared->signer));
  json_object_set_new (json, "text", json_string (text));
  json_object_set_new (json, "extrinsic", json_string (hex));
  json_object_set_new (json, "prepared_at", sv_json_integer (prepared->prepared_at));
  if (prepared->valid_until != G_MAXUINT64)
    json_object_set_new (json, "valid_until", sv_json_integer (prepared->valid_until));
  g_autofree char *written = sv_json_pretty (json);
  g_autofree char *path = path_of (window);
  return sv_file_write (path, written, strlen (written), 0600, error);
}

/* TRUE for bytes that have the hash: others would never be found on the chain. */
static gboolean
has_hash (const guint8 *data, gsize length, const char *hash)
{
  guint8 digest[SV_BLAKE2B_256_SIZE];
  sv_blake2b_256 (data, length, digest);
  g_autofree char *hex = sv_hex_encode (digest, sizeof digest);
  return g_str_has_prefix (hash, "0x") && strcmp (hash + 2, hex) == 0;
}

static gboolean
read_block (const json_t *value, guint64 *block)
{
  double number = json_is_number (value) ? json_number_value (value) : -1;
  if (!(number >= 0 && number <= (double)SV_JSON_MAX_INTEGER))
    return FALSE;
  *block = (guint64)number;
  return TRUE;
}

static SvPreparedExtrinsic *
from_json (const json_t *json, const char *signer)
{
  const char *hash = json_string_value (json_object_get (json, "hash"));
  const char *hex = json_string_value (json_object_get (json, "extrinsic"));
  const json_t *until = json_object_get (json, "valid_until");
  guint64 prepared_at, valid_until = G_MAXUINT64;
  gsize length = hex != NULL ? strlen (hex) / 2 : 0;
  g_autofree guint8 *data = g_malloc (length + 1);
  if (hash == NULL || hex == NULL || strlen (hex) % 2 != 0 || !sv_hex_decode (hex, FALSE, data, length) ||
      !has_hash (data, length, hash) || !read_block (json_object_get (json, "prepared_at"), &prepared_at) ||
      (until != NULL && !read_block (until, &valid_until)))
    return NULL;
  SvPreparedExtrinsic *prepared = g_new0 (SvPreparedExtrinsic, 1);
  g_strlcpy (prepared->hash, hash, sizeof prepared->hash);
  prepared->bytes = g_bytes_new (data, length);
  prepared->signer = g_strdup (signer);
  prepared->prepared_at = prepared_at;
  prepared->valid_until = valid_until;
  return prepared;
}

SvPreparedExtrinsic *
sv_pending_read (const SvMinerWindow *window, const char *text)
{
  const char *signer = sv_keypair_address (window->keypair);
  g_autofree char *path = path_of (window);
  g_autoptr (GBytes) bytes = sv_file_read (path, MAX_SIZE, NULL);
  g_autoptr (json_t) json =
      bytes != NULL ? sv_json_parse (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), MAX_SIZE, NULL) : NULL;
  gboolean is_ours = g_strcmp0 (json_string_value (json_object_get (json, "text")), text) == 0 &&
                     g_strcmp0 (json_string_value (json_object_get (json, "signer")), signer) == 0;
  return is_ours ? from_json (json, signer) : NULL;
}

void
sv_pending_remove (const SvMinerWindow *window)
{
  g_autofree char *path = path_of (window);
  (void)unlink (path);
}
