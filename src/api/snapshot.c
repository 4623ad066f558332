/* Snapshots. Every part is counted by itself (g_atomic_rc_box), so that a new block does not copy the manifests, nor a new clip
 * the bindings. */
#include "api/snapshot.h"

#include <sodium.h>
#include <string.h>

#include "base/text_hash.h"

/* ── manifests ── */

/* Guarded memory costs two pages and four mappings a piece, so keys share it. */
#define KEYS_AT_ONCE 64

struct SvDrawKeys
{
  SvDrawKey *keys; /* in sodium_malloc memory */
  guint n;
};

static SvDrawKeys *
draw_keys_new (void)
{
  SvDrawKeys *keys = g_atomic_rc_box_new0 (SvDrawKeys);
  keys->keys = sodium_allocarray (KEYS_AT_ONCE, sizeof (SvDrawKey));
  g_assert (keys->keys != NULL);
  return keys;
}

static void
clear_draw_keys (gpointer keys)
{
  sodium_free (((SvDrawKeys *)keys)->keys);
}

void
sv_draw_keys_unref (SvDrawKeys *keys)
{
  if (keys != NULL)
    g_atomic_rc_box_release_full (keys, clear_draw_keys);
}

SvServedManifest *
sv_served_manifest_new (SvManifest *manifest, SvDrawKeys **keys, const guint8 draw_key[SV_STATE_KEY_SIZE])
{
  if (*keys == NULL || (*keys)->n == KEYS_AT_ONCE)
  {
    sv_draw_keys_unref (*keys);
    *keys = draw_keys_new ();
  }
  SvServedManifest *served = g_atomic_rc_box_new0 (SvServedManifest);
  served->manifest = manifest;
  served->keys = g_atomic_rc_box_acquire (*keys);
  SvDrawKey *place = &(*keys)->keys[(*keys)->n++];
  sv_draw_key_prepare (draw_key, place);
  served->draw_key = place;
  served->draw_commit = sv_draw_commit (draw_key);
  return served;
}

SvServedManifest *
sv_served_manifest_ref (SvServedManifest *served)
{
  return g_atomic_rc_box_acquire (served);
}

static void
clear_served_manifest (gpointer data)
{
  SvServedManifest *served = data;
  sv_manifest_free (served->manifest);
  sv_draw_keys_unref (served->keys);
  g_free (served->draw_commit);
}

void
sv_served_manifest_unref (gpointer served)
{
  g_atomic_rc_box_release_full (served, clear_served_manifest);
}

static void
free_part (gpointer data)
{
  SvIndex *part = data;
  g_ptr_array_unref (part->entries);
  g_ptr_array_unref (part->superseded);
  g_free (part);
}

/* (transfer none) the part of @parts for the key, made where there is none. */
static SvIndex *
part_of (GHashTable *parts, const char *key)
{
  SvIndex *part = g_hash_table_lookup (parts, key);
  if (part != NULL)
    return part;
  part = g_new0 (SvIndex, 1);
  part->entries = g_ptr_array_new ();
  part->superseded = g_ptr_array_new ();
  g_hash_table_insert (parts, (gpointer)key, part);
  return part;
}

static void
add_to_parts (SvCatalog *catalog, SvIndexEntry *entry, gboolean is_live)
{
  SvIndex *of_hash = part_of (catalog->by_hash, entry->hash), *of_window = part_of (catalog->by_window, entry->window_id);
  g_ptr_array_add (is_live ? of_hash->entries : of_hash->superseded, entry);
  g_ptr_array_add (is_live ? of_window->entries : of_window->superseded, entry);
}

static void
divide (SvCatalog *catalog)
{
  const SvIndex *index = catalog->index;
  catalog->by_hash = g_hash_table_new_full (sv_text_hash, g_str_equal, NULL, free_part);
  catalog->by_window = g_hash_table_new_full (sv_text_hash, g_str_equal, NULL, free_part);
  for (guint i = 0; i < index->entries->len; i++)
    add_to_parts (catalog, g_ptr_array_index (index->entries, i), TRUE);
  for (guint i = 0; i < index->superseded->len; i++)
    add_to_parts (catalog, g_ptr_array_index (index->superseded, i), FALSE);
  catalog->nothing = part_of (catalog->by_hash, "");
}

SvCatalog *
sv_catalog_new (SvIndex *index)
{
  SvCatalog *catalog = g_atomic_rc_box_new0 (SvCatalog);
  catalog->index = index;
  divide (catalog);
  catalog->manifests = g_hash_table_new_full (sv_text_hash, g_str_equal, g_free, sv_served_manifest_unref);
  return catalog;
}

static void
clear_catalog (gpointer data)
{
  SvCatalog *catalog = data;
  g_hash_table_unref (catalog->by_hash);
  g_hash_table_unref (catalog->by_window);
  sv_index_free (catalog->index);
  g_hash_table_unref (catalog->manifests);
}

static const SvIndex *
find_part (const SvCatalog *catalog, GHashTable *parts, const char *key)
{
  const SvIndex *part = g_hash_table_lookup (parts, key);
  return part != NULL ? part : catalog->nothing;
}

const SvIndex *
sv_catalog_of_hash (const SvCatalog *catalog, const char *hash)
{
  return find_part (catalog, catalog->by_hash, hash);
}

const SvIndex *
sv_catalog_of_window (const SvCatalog *catalog, const char *window_id)
{
  return find_part (catalog, catalog->by_window, window_id);
}

void
sv_catalog_unref (SvCatalog *catalog)
{
  g_atomic_rc_box_release_full (catalog, clear_catalog);
}

/* ── clips ── */

SvClipTable *
sv_clip_table_new (GPtrArray *list)
{
  SvClipTable *clips = g_atomic_rc_box_new0 (SvClipTable);
  clips->list = list;
  clips->by_hash = g_hash_table_new (sv_text_hash, g_str_equal);
  for (guint i = 0; i < list->len; i++)
  {
    SvClip *clip = g_ptr_array_index (list, i);
    g_hash_table_insert (clips->by_hash, clip->hash, clip);
  }
  return clips;
}

static void
clear_clip_table (gpointer data)
{
  SvClipTable *clips = data;
  g_hash_table_unref (clips->by_hash);
  g_ptr_array_unref (clips->list);
}

void
sv_clip_table_unref (SvClipTable *clips)
{
  g_atomic_rc_box_release_full (clips, clear_clip_table);
}

/* ── snapshots ── */

SvSnapshot *
sv_snapshot_new (void)
{
  return g_atomic_rc_box_new0 (SvSnapshot);
}

SvSnapshot *
sv_snapshot_copy (const SvSnapshot *snapshot)
{
  SvSnapshot *copy = sv_snapshot_new ();
  copy->catalog = snapshot->catalog != NULL ? g_atomic_rc_box_acquire (snapshot->catalog) : NULL;
  copy->clips = snapshot->clips != NULL ? g_atomic_rc_box_acquire (snapshot->clips) : NULL;
  copy->lost = snapshot->lost != NULL ? g_hash_table_ref (snapshot->lost) : NULL;
  copy->bindings = snapshot->bindings != NULL ? sv_bindings_ref (snapshot->bindings) : NULL;
  return copy;
}

SvSnapshot *
sv_snapshot_ref (SvSnapshot *snapshot)
{
  return g_atomic_rc_box_acquire (snapshot);
}

static void
clear_snapshot (gpointer data)
{
  SvSnapshot *snapshot = data;
  g_clear_pointer (&snapshot->catalog, sv_catalog_unref);
  g_clear_pointer (&snapshot->clips, sv_clip_table_unref);
  g_clear_pointer (&snapshot->lost, g_hash_table_unref);
  g_clear_pointer (&snapshot->bindings, sv_bindings_unref);
}

void
sv_snapshot_unref (SvSnapshot *snapshot)
{
  g_atomic_rc_box_release_full (snapshot, clear_snapshot);
}

gboolean
sv_snapshot_covers_windows (const SvSnapshot *snapshot)
{
  guint64 follow_from;
  return snapshot->bindings == NULL || snapshot->catalog == NULL ||
         !sv_window_follow_from (snapshot->catalog->index, sv_bindings_head (snapshot->bindings)->best.number, &follow_from) ||
         sv_bindings_from_block (snapshot->bindings) <= follow_from;
}

const SvClip *
sv_snapshot_clip (const SvSnapshot *snapshot, const char *hash)
{
  if (snapshot->clips == NULL || (snapshot->lost != NULL && g_hash_table_contains (snapshot->lost, hash)))
    return NULL;
  return g_hash_table_lookup (snapshot->clips->by_hash, hash);
}

/* ── known askers ── */

static gboolean
any_open (const GPtrArray *entries, guint64 block)
{
  for (guint i = 0; i < entries->len; i++)
    if (!sv_entry_expired (g_ptr_array_index (entries, i), block))
      return TRUE;
  return FALSE;
}

static gboolean
is_open_window (const char *window_id, gpointer data)
{
  const SvSnapshot *snapshot = data;
  const SvIndex *part = sv_catalog_of_window (snapshot->catalog, window_id);
  guint64 block = sv_bindings_head (snapshot->bindings)->best.number;
  return any_open (part->entries, block) || any_open (part->superseded, block);
}

gboolean
sv_snapshot_knows (const SvSnapshot *snapshot, const char *account)
{
  return snapshot->catalog != NULL && snapshot->bindings != NULL &&
         sv_bindings_has_committed (snapshot->bindings, account, is_open_window, (gpointer)snapshot);
}

guint
sv_snapshot_count_known (const SvSnapshot *snapshot)
{
  if (snapshot->catalog == NULL || snapshot->bindings == NULL)
    return 0;
  return sv_bindings_count_committed (snapshot->bindings, is_open_window, (gpointer)snapshot);
}
