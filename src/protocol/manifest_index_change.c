/* How an index changes. All conditions are looked at before the first write, so that a refused change leaves the index as it
 * was; and history is only added to: a replaced entry moves to `superseded` with its own blocks and sequence untouched. */
#include "protocol/manifest_index.h"

#include "base/error.h"
#include "base/rfc3339.h"
#include "protocol/manifest_index_entry.h"
#include "protocol/window.h"

#define BLOCK "%" G_GUINT64_FORMAT

static gboolean
check_not_expired (const SvManifest *manifest, const SvIndexChange *change, GError **error)
{
  if (change->best_block < manifest->expiry_block)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "window %s ends at block " BLOCK " and the chain is at " BLOCK "; a window that is over cannot change",
               manifest->window_id, manifest->expiry_block, change->best_block);
  return FALSE;
}

/* A first manifest of a window. */
static gboolean
check_unused (const SvIndex *index, const SvManifest *manifest, const SvIndexEntry *live, gboolean is_archived, GError **error)
{
  if (live != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "window %s has the live manifest %s; to replace it publish with --supersede", manifest->window_id, live->hash);
  else if (is_archived || sv_index_find_window (index, manifest->window_id) != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "window %s was used before; choose another window_id",
                 manifest->window_id);
  else
    return TRUE;
  return FALSE;
}

/* A further manifest of a window. */
static gboolean
check_replaces (const SvManifest *manifest, const SvIndexEntry *live, GError **error)
{
  if (live == NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "window %s has no live manifest to replace; publish without --supersede",
                 manifest->window_id);
  else if (g_str_equal (live->hash, manifest->hash))
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "%s is the live manifest of window %s already", manifest->hash,
                 manifest->window_id);
  else if (live->start_block != manifest->start_block || live->expiry_block != manifest->expiry_block)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "window %s runs from block " BLOCK " to " BLOCK ", the new manifest from " BLOCK " to " BLOCK
                 "; a replacement keeps start_block and expiry_block",
                 manifest->window_id, live->start_block, live->expiry_block, manifest->start_block, manifest->expiry_block);
  else
    return TRUE;
  return FALSE;
}

/* Windows are half-open: one may begin at the block where another ends. */
static gboolean
check_no_overlap (const SvIndex *index, const char *window_id, guint64 start_block, guint64 expiry_block, GError **error)
{
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (index->entries, i);
    if (g_str_equal (entry->window_id, window_id) || expiry_block <= entry->start_block || entry->expiry_block <= start_block)
      continue;
    g_autofree char *before = entry->start_block > start_block
                                  ? g_strdup_printf ("end it by block " BLOCK ", or ", entry->start_block)
                                  : g_strdup ("");
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "window %s (blocks " BLOCK " to " BLOCK ") overlaps window %s (" BLOCK " to " BLOCK "); %sbegin it at " BLOCK
                 " or later and end it after that",
                 window_id, start_block, expiry_block, entry->window_id, entry->start_block, entry->expiry_block, before,
                 entry->expiry_block);
    return FALSE;
  }
  return TRUE;
}

/* Somebody else published between the signing of this manifest and now. */
static gboolean
check_follows_newest (const SvIndex *index, const SvManifest *manifest, const SvIndexChange *change, GError **error)
{
  if (!change->is_new || g_strcmp0 (manifest->previous, index->newest) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
               "manifest %s follows %s, but the newest in the index is %s; publish again, so that it is signed anew",
               manifest->hash, manifest->previous != NULL ? manifest->previous : "none",
               index->newest != NULL ? index->newest : "none");
  return FALSE;
}

static gboolean
check_change (const SvIndex *index, const SvManifest *manifest, const SvIndexChange *change, const SvIndexEntry *live,
              GError **error)
{
  return check_not_expired (manifest, change, error) &&
         (change->supersede ? check_replaces (manifest, live, error)
                            : check_unused (index, manifest, live, change->is_archived, error)) &&
         check_no_overlap (index, manifest->window_id, manifest->start_block, manifest->expiry_block, error) &&
         check_follows_newest (index, manifest, change, error);
}

static void
move_to_superseded (SvIndex *index, const SvIndexEntry *live, const char *hash, const SvIndexChange *change)
{
  guint at = 0;
  if (!g_ptr_array_find (index->entries, live, &at))
    g_assert_not_reached ();
  SvIndexEntry *entry = g_ptr_array_steal_index (index->entries, at);
  entry->is_superseded = TRUE;
  entry->superseded_by = g_strdup (hash);
  entry->superseded_at_block = change->finalized_block + MIN (change->overlap, SV_JSON_MAX_INTEGER - change->finalized_block);
  g_ptr_array_add (index->superseded, entry);
}

static void
insert_by_expiry (SvIndex *index, SvIndexEntry *entry)
{
  guint at = 0;
  while (at < index->entries->len &&
         ((const SvIndexEntry *)g_ptr_array_index (index->entries, at))->expiry_block < entry->expiry_block)
    at++;
  g_ptr_array_insert (index->entries, (gint)at, entry);
}

static void
set_string (char **field, const char *value)
{
  char *copy = g_strdup (value);
  g_free (*field);
  *field = copy;
}

gboolean
sv_index_add (SvIndex *index, const SvManifest *manifest, const SvIndexChange *change, GError **error)
{
  g_return_val_if_fail (manifest->document != NULL, FALSE);
  const SvIndexEntry *live = sv_index_find_live (index, manifest->window_id);
  if (!check_change (index, manifest, change, live, error))
    return FALSE;

  if (live != NULL)
    move_to_superseded (index, live, manifest->hash, change);
  index->sequence++;
  insert_by_expiry (index, sv_index_entry_new (manifest, change->finalized_block, index->sequence, change->now));
  if (change->is_new)
    set_string (&index->newest, manifest->hash);
  g_free (index->updated_at);
  index->updated_at = sv_time_format (change->now);

  const SvIndexEntry *active = sv_window_active (index, change->best_block);
  set_string (&index->current_manifest_hash, active != NULL ? active->hash : NULL);
  return TRUE;
}

static SvIndexEntry *
copy_entry (const SvIndexEntry *entry)
{
  SvIndexEntry *copy = g_new (SvIndexEntry, 1);
  *copy = *entry;
  copy->hash = g_strdup (entry->hash);
  copy->window_id = g_strdup (entry->window_id);
  copy->published_at = g_strdup (entry->published_at);
  copy->published_by = g_strdup (entry->published_by);
  copy->superseded_by = g_strdup (entry->superseded_by);
  copy->elements_summary = json_incref (entry->elements_summary);
  return copy;
}

gboolean
sv_index_adopt (SvIndex *index, const SvIndexEntry *entry, guint64 finalized_block, GError **error)
{
  const SvIndexEntry *live = entry->is_superseded ? NULL : sv_index_find_live (index, entry->window_id);
  if (live != NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "its window has the live manifest %s already", live->hash);
    return FALSE;
  }
  if (!entry->is_superseded && !check_no_overlap (index, entry->window_id, entry->start_block, entry->expiry_block, error))
    return FALSE;
  SvIndexEntry *copy = copy_entry (entry);
  copy->added_sequence = ++index->sequence;
  copy->active_from = MIN (entry->active_from, finalized_block);
  copy->superseded_at_block = MIN (entry->superseded_at_block, finalized_block);
  if (entry->is_superseded)
    g_ptr_array_add (index->superseded, copy);
  else
    insert_by_expiry (index, copy);
  return TRUE;
}
