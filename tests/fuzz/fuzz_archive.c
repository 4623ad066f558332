/* Archives of the index from outside: the bytes as they come, and, since mutated ones are hardly ever canonical, what parses in
 * its canonical form. An archive that opens is asked like an index, and is taken into the next one whole. */
#include "base/hash.h"
#include "protocol/manifest_archive.h"
#include "protocol/window.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static void
ask (const SvIndex *archive, const GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (entries, i), *found = NULL;
    const SvIndexEntry *of_window = sv_index_find_window (archive, entry->window_id);
    g_assert_cmpstr (of_window->window_id, ==, entry->window_id);
    g_assert_nonnull (sv_index_find_hash (archive, entry->hash));
    if (sv_entry_in_force (entry, entry->start_block))
      g_assert_cmpint (sv_window_judge (archive, entry->hash, entry->start_block, &found), ==, SV_WINDOW_SERVES);
    (void)sv_window_is_over (archive, entry->window_id, entry->expiry_block);
  }
}

/* Archiving the archive: nothing is lost or changed on the way through an index. */
static void
take_in (SvIndex *archive)
{
  g_autoptr (GError) error = NULL;
  guint n_live = archive->entries->len, n_superseded = archive->superseded->len;
  g_autoptr (GBytes) bytes = sv_index_take_archivable (archive, G_MAXUINT64, NULL, &error);
  g_assert_no_error (error);
  if (bytes == NULL)
    return;
  g_autoptr (SvIndex) again = sv_archive_open (bytes, archive->archive, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (again->entries->len, ==, n_live);
  g_assert_cmpuint (again->superseded->len, ==, n_superseded);
}

static void
open_bytes (GBytes *bytes)
{
  g_autofree char *hash = sv_hash_gbytes (bytes);
  g_autoptr (GError) error = NULL;
  SvIndex *archive = sv_archive_open (bytes, hash, &error);
  if (archive == NULL)
  {
    g_assert_nonnull (error);
    return;
  }
  ask (archive, archive->entries);
  ask (archive, archive->superseded);
  take_in (archive);
  sv_index_free (archive);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  open_bytes (bytes);
  g_autoptr (json_t) json = sv_json_parse ("fuzz", data, size, SV_INDEX_MAX_SIZE, NULL);
  g_autoptr (GBytes) canonical = json != NULL ? sv_json_canonical (json, NULL) : NULL;
  if (canonical != NULL)
    open_bytes (canonical);
  return 0;
}
