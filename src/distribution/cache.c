/* The cache of content-addressed objects. What is read from it is hashed like anything else, so a damaged or forged file is
 * merely fetched again. */
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "distribution/reader_state.h"

#define CACHE_MODE 0644

static char *
cache_path (const SvReader *reader, const char *folder, const char *hash)
{
  g_autofree char *leaf = g_strdup_printf ("cache/%s/%s.json", folder, sv_hash_hex (hash));
  return sv_config_home_path (reader->config, leaf);
}

GBytes *
sv_cache_read (const SvReader *reader, const char *folder, const char *hash, gsize max_size)
{
  g_autofree char *path = cache_path (reader, folder, hash);
  g_autoptr (GBytes) bytes = sv_file_read (path, max_size, NULL);
  if (bytes == NULL)
    return NULL;
  g_autofree char *found = sv_hash_gbytes (bytes);
  return strcmp (found, hash) == 0 ? g_steal_pointer (&bytes) : NULL;
}

/* A cache that cannot be written costs time, not correctness; nor does one that a power cut damages, and who follows a long
 * history does not wait for the disk at each step. */
void
sv_cache_write (const SvReader *reader, const char *folder, const char *hash, GBytes *bytes)
{
  g_autofree char *path = cache_path (reader, folder, hash);
  g_autoptr (GError) error = NULL;
  if (!sv_file_write_cached (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), CACHE_MODE, &error))
    sv_log ("warning", "object not cached", "reason", error->message, NULL);
}
