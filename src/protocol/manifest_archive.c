/* Archiving. Without it an index grows with each window for good, and everybody reads it every few seconds. With it the index
 * holds what expired within a week, and history lies in archives that only those read who need it.
 *
 * A publication moves a window or two, so archives of one publication each would make a chain as long as history; therefore a
 * small one is taken into the next, by content, as nothing that was published is ever rewritten: the old object stays where it
 * is, and who holds an older index still finds it. */
#include "protocol/manifest_archive.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "protocol/manifest_index_entry.h"

/* ── opening ── */

static gboolean
check_bytes (GBytes *bytes, const char *hash, GError **error)
{
  if (g_bytes_get_size (bytes) > SV_INDEX_MAX_SIZE)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "archive: larger than the limit of %d bytes", SV_INDEX_MAX_SIZE);
    return FALSE;
  }
  g_autofree char *found = sv_hash_gbytes (bytes);
  if (strcmp (found, hash) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "archive: the bytes have the hash %s, not %s", found, hash);
  return FALSE;
}

static gboolean
check_canonical (GBytes *bytes, const json_t *json, GError **error)
{
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  if (sv_json_is_canonical (json, data, length))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "archive: the bytes are not canonical JSON (RFC 8785)");
  return FALSE;
}

static SvIndex *
new_without_chain (void)
{
  static const SvChainId none;
  return sv_index_new (&none);
}

SvIndex *
sv_archive_open (GBytes *bytes, const char *hash, GError **error)
{
  if (!check_bytes (bytes, hash, error))
    return NULL;
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  g_autoptr (json_t) json = sv_json_parse ("archive", data, length, SV_INDEX_MAX_SIZE, error);
  if (json == NULL || !check_canonical (bytes, json, error))
    return NULL;
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sv_archive_check (json, faults);
  if (!sv_faults_check (faults, "archive", error))
    return NULL;
  SvIndex *archive = new_without_chain ();
  archive->archive = g_strdup (json_string_value (json_object_get (json, "previous")));
  sv_index_entries_take (archive->entries, json_object_get (json, "manifests"));
  sv_index_entries_take (archive->superseded, json_object_get (json, "superseded"));
  return archive;
}

/* ── archiving ── */

gboolean
sv_index_entry_is_archivable (const SvIndexEntry *entry, guint64 block)
{
  return block >= entry->expiry_block && block - entry->expiry_block >= SV_ARCHIVE_AFTER;
}

static gboolean
any_archivable (const GPtrArray *entries, guint64 block)
{
  for (guint i = 0; i < entries->len; i++)
    if (sv_index_entry_is_archivable (g_ptr_array_index (entries, i), block))
      return TRUE;
  return FALSE;
}

gboolean
sv_index_has_archivable (const SvIndex *index, guint64 block)
{
  return any_archivable (index->entries, block) || any_archivable (index->superseded, block);
}

static void
move_archivable (GPtrArray *entries, guint64 block, GPtrArray *archived)
{
  for (guint i = 0; i < entries->len;)
    if (sv_index_entry_is_archivable (g_ptr_array_index (entries, i), block))
      g_ptr_array_add (archived, g_ptr_array_steal_index (entries, i));
    else
      i++;
}

static void
append_entries (json_t *json, const char *key, const GPtrArray *entries)
{
  g_autoptr (json_t) more = sv_index_entries_to_json (entries);
  json_array_extend (json_object_get (json, key), more);
}

/* The archive of what was @taken, behind the entries of @newest where that is taken in. */
static GBytes *
write_archive (const SvIndex *taken, const SvIndex *newest, const char *previous, GError **error)
{
  g_autoptr (json_t) json = json_object ();
  json_object_set_new (json, "version", json_string (SV_INDEX_VERSION));
  json_object_set_new (json, "manifests", newest != NULL ? sv_index_entries_to_json (newest->entries) : json_array ());
  json_object_set_new (json, "superseded", newest != NULL ? sv_index_entries_to_json (newest->superseded) : json_array ());
  json_object_set_new (json, "previous", sv_json_string_or_null (previous));
  append_entries (json, "manifests", taken->entries);
  append_entries (json, "superseded", taken->superseded);
  g_autoptr (GBytes) bytes = sv_json_canonical (json, error);
  if (bytes == NULL)
    return NULL;
  /* What readers would refuse is never written. */
  g_autofree char *hash = sv_hash_gbytes (bytes);
  g_autoptr (SvIndex) opened = sv_archive_open (bytes, hash, error);
  return opened != NULL ? g_steal_pointer (&bytes) : NULL;
}

static guint
count_entries (const SvIndex *index)
{
  return index->entries->len + index->superseded->len;
}

/* NULL where the two are to stay apart; also when together they are more than readers take. */
static GBytes *
write_together (const SvIndex *taken, const SvIndex *newest)
{
  if (newest == NULL || count_entries (taken) + count_entries (newest) >= SV_ARCHIVE_SMALL)
    return NULL;
  return write_archive (taken, newest, newest->archive, NULL);
}

GBytes *
sv_index_take_archivable (SvIndex *index, guint64 block, const SvIndex *newest, GError **error)
{
  if (!sv_index_has_archivable (index, block))
    return NULL;
  g_autoptr (SvIndex) taken = new_without_chain ();
  move_archivable (index->entries, block, taken->entries);
  move_archivable (index->superseded, block, taken->superseded);
  GBytes *bytes = write_together (taken, newest);
  if (bytes == NULL)
    bytes = write_archive (taken, NULL, index->archive, error);
  if (bytes == NULL)
    return NULL;
  g_free (index->archive);
  index->archive = sv_hash_gbytes (bytes);
  return bytes;
}

/* ── history ── */

void
sv_archive_append (SvIndex *history, SvIndex *archive)
{
  g_ptr_array_extend_and_steal (history->entries, g_steal_pointer (&archive->entries));
  g_ptr_array_extend_and_steal (history->superseded, g_steal_pointer (&archive->superseded));
  archive->entries = g_ptr_array_new ();
  archive->superseded = g_ptr_array_new ();
  sv_index_free (archive);
}
