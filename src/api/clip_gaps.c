/* Clips of the windows in force that nobody can be handed out. All instances that share a database have the same, so no load
 * balancer can do anything about it: the server stays ready, and says in /readyz and /metrics what is wrong. */
#include "api/snapshot.h"

static void
note_gaps (const SvSnapshot *snapshot, const SvManifest *manifest, GHashTable *missing, SvClipGaps *gaps)
{
  for (gsize i = 0; i < manifest->n_elements; i++)
  {
    const SvElement *element = &manifest->elements[i];
    gaps->n_clipless += element->n_clips == 0;
    for (gsize j = 0; j < element->n_clips; j++)
      if (sv_snapshot_clip (snapshot, element->clips[j].hash) == NULL)
        g_hash_table_add (missing, element->clips[j].hash);
  }
}

static void
note_entries (const SvSnapshot *snapshot, const GPtrArray *entries, GHashTable *missing, SvClipGaps *gaps)
{
  guint64 block = sv_bindings_head (snapshot->bindings)->best.number;
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (entries, i);
    const SvServedManifest *served = g_hash_table_lookup (snapshot->catalog->manifests, entry->hash);
    if (served != NULL && sv_entry_in_force (entry, block))
      note_gaps (snapshot, served->manifest, missing, gaps);
  }
}

SvClipGaps
sv_snapshot_clip_gaps (const SvSnapshot *snapshot)
{
  SvClipGaps gaps = { 0 };
  if (snapshot->catalog == NULL || snapshot->clips == NULL || snapshot->bindings == NULL)
    return gaps;
  g_autoptr (GHashTable) missing = g_hash_table_new (g_str_hash, g_str_equal);
  note_entries (snapshot, snapshot->catalog->index->entries, missing, &gaps);
  note_entries (snapshot, snapshot->catalog->index->superseded, missing, &gaps);
  gaps.n_missing = g_hash_table_size (missing);
  return gaps;
}
