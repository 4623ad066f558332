/* Going on after the signer of the store's index was revoked (or retired). Whoever stole the key may have written anything into
 * it, with any sequence, so nothing of it is believed for its own sake. The entries of the last index that this home verified
 * are kept as far as their manifests verify by themselves. A manifest that only the thief lists may be genuine, but that it is
 * live, or in force, or that nothing has replaced it, is his word alone: of such ones only those are kept that say nothing
 * about now, of windows that are over and had no other manifest. The thief's order, sequences and blocks of the future are not
 * taken over. */
#include <string.h>

#include "base/error.h"
#include "base/rfc3339.h"
#include "distribution/reader_state.h"
#include "distribution/recovery.h"
#include "protocol/window.h"

#define BLOCK "%" G_GUINT64_FORMAT

static void
rebuild_clear (gpointer data)
{
  SvIndexRebuild *rebuild = data;
  g_free (rebuild->reason);
  g_ptr_array_unref (rebuild->kept);
  g_ptr_array_unref (rebuild->dropped);
}

SvIndexRebuild *
sv_index_rebuild_ref (const SvIndexRebuild *rebuild)
{
  return rebuild != NULL ? g_rc_box_acquire ((gpointer)rebuild) : NULL;
}

void
sv_index_rebuild_unref (SvIndexRebuild *rebuild)
{
  if (rebuild != NULL)
    g_rc_box_release_full (rebuild, rebuild_clear);
}

/* ── what there is ── */

gboolean
sv_read_listed_index (SvReader *reader, SvIndex **listed, char **etag, GError **error)
{
  const SvMirrorQuestion question = { .key = SV_INDEX_KEY,
                                      .options = { .max_size = SV_INDEX_MAX_SIZE, .bypass_caches = TRUE } };
  g_autoptr (SvMirrorAnswer) answer = sv_mirrors_ask_one (reader->mirrors, 0, &question);
  *listed = NULL;
  *etag = NULL;
  if (answer->object != NULL)
  {
    *listed = sv_index_open (answer->object->bytes, &reader->id, NULL, NULL, NULL);
    *etag = g_strdup (answer->object->etag);
  }
  else if (!g_error_matches (answer->error, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_propagate_error (error, g_steal_pointer (&answer->error));
    return FALSE;
  }
  return TRUE;
}

/* Memory holds no index but of those who were trusted when it was read; of a revoked one it gives none. */
gboolean
sv_fetch_retired_index (SvReader *reader, SvIndex **index, char **etag)
{
  g_autoptr (SvIndex) listed = NULL;
  g_autoptr (SvIndex) remembered = sv_remembered_index (reader, NULL);
  if (remembered == NULL || !sv_read_listed_index (reader, &listed, etag, NULL))
    return FALSE;
  if (listed != NULL && strcmp (listed->document->hash, remembered->document->hash) == 0 &&
      remembered->sequence >= sv_known_sequence (reader))
  {
    *index = g_steal_pointer (&remembered);
    return TRUE;
  }
  g_clear_pointer (etag, g_free);
  return FALSE;
}

static guint64
highest_sequence (SvReader *reader, const SvIndex *remembered)
{
  guint64 highest = 0;
  const char *hash;
  (void)sv_memory_highest (reader->memory, sv_reader_honours, reader, &highest, &hash);
  if (reader->anchor != NULL)
    highest = MAX (highest, reader->anchor->sequence);
  return remembered != NULL ? MAX (highest, remembered->sequence) : highest;
}

static gint
compare_added (gconstpointer a, gconstpointer b)
{
  const SvIndexEntry *x = *(const SvIndexEntry *const *)a, *y = *(const SvIndexEntry *const *)b;
  return x->added_sequence < y->added_sequence ? -1 : x->added_sequence > y->added_sequence;
}

/* (transfer container) live and superseded ones in the order in which they were added. */
static GPtrArray *
entries_of (const SvIndex *index)
{
  GPtrArray *entries = g_ptr_array_new ();
  g_ptr_array_extend (entries, index->entries, NULL, NULL);
  g_ptr_array_extend (entries, index->superseded, NULL, NULL);
  g_ptr_array_sort (entries, compare_added);
  return entries;
}

/* ── one entry ── */

static void
append_block (GString *line, guint64 block, guint64 latest)
{
  if (block <= latest)
    g_string_append_printf (line, "block " BLOCK, block);
  else
    g_string_append_printf (line, "the finalized head (listed as block " BLOCK ")", block);
}

/* All that a reader makes something of, since lines that are the same are what was agreed to. Blocks above @latest are kept as
 * the finalized head, which moves. */
static void
note (GPtrArray *list, const SvIndexEntry *entry, guint64 latest, const char *remark)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_string_printf (line, "window %s, manifest %s (", entry->window_id, entry->hash);
  if (!entry->is_superseded)
    g_string_append (line, "live");
  else
  {
    g_string_append_printf (line, "superseded by %s at ", entry->superseded_by != NULL ? entry->superseded_by : "another");
    append_block (line, entry->superseded_at_block, latest);
  }
  g_string_append_printf (line, ", blocks " BLOCK " to " BLOCK ", active from ", entry->start_block, entry->expiry_block);
  append_block (line, entry->active_from, latest);
  g_string_append_printf (line, ")%s%s", remark != NULL ? ": " : "", remark != NULL ? remark : "");
  g_ptr_array_add (list, g_string_free (g_steal_pointer (&line), FALSE));
}

static void
note_dropped (SvIndexRebuild *rebuild, const SvIndexEntry *entry, const char *reason)
{
  note (rebuild->dropped, entry, G_MAXUINT64, reason);
}

/* FALSE where it cannot be told now: an entry is not lost because a store is slow. */
static gboolean
try_entry (SvReader *reader, SvIndex *index, const SvIndexEntry *entry, const char *remark, SvIndexRebuild *rebuild,
           GError **error)
{
  guint64 finalized = sv_signers_block (reader->signers);
  g_autoptr (GError) reason = NULL;
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (reader, entry, &reason);
  if (manifest == NULL && g_error_matches (reason, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  if (manifest != NULL && sv_index_adopt (index, entry, finalized, &reason))
    note (rebuild->kept, entry, finalized, remark);
  else
    note_dropped (rebuild, entry, reason->message);
  return TRUE;
}

static gboolean
keep_verified (SvReader *reader, SvIndex *index, const SvIndex *verified, SvIndexRebuild *rebuild, GError **error)
{
  g_autoptr (GPtrArray) entries = verified != NULL ? entries_of (verified) : g_ptr_array_new ();
  for (guint i = 0; i < entries->len; i++)
    if (!try_entry (reader, index, entries->pdata[i], NULL, rebuild, error))
      return FALSE;
  return TRUE;
}

/* ── what only the refused index lists ── */

/* (transfer full) window_id (not copied) -> how many manifests it has. */
static GHashTable *
count_manifests (const GPtrArray *entries)
{
  GHashTable *counts = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < entries->len; i++)
  {
    char *window_id = ((const SvIndexEntry *)entries->pdata[i])->window_id;
    guint count = GPOINTER_TO_UINT (g_hash_table_lookup (counts, window_id));
    g_hash_table_insert (counts, window_id, GUINT_TO_POINTER (count + 1));
  }
  return counts;
}

/* Why it is not kept, or NULL. What is long over may stand in an archive already, where a window can stand once. */
static const char *
find_doubt (const SvIndexEntry *entry, const SvIndex *verified, GHashTable *counts, guint64 finalized)
{
  if (entry->expiry_block > finalized)
    return "its window is not over, and no verified index of this home lists it; publish the window again";
  if (verified != NULL && sv_index_find_window (verified, entry->window_id) != NULL)
    return "its window is over, and in the verified index of this home it has other manifests";
  if (entry->is_superseded || GPOINTER_TO_UINT (g_hash_table_lookup (counts, entry->window_id)) != 1)
    return "its window is over and had other manifests, and no verified index of this home tells which counted when";
  if (verified != NULL && verified->archive != NULL && sv_index_entry_is_archivable (entry, finalized))
    return "it is long over, and no verified index lists it";
  return NULL;
}

static gboolean
keep_listed (SvReader *reader, SvIndex *index, const SvIndex *listed, const SvIndex *verified, SvIndexRebuild *rebuild,
             GError **error)
{
  g_autoptr (GPtrArray) entries = listed != NULL ? entries_of (listed) : g_ptr_array_new ();
  g_autoptr (GHashTable) counts = count_manifests (entries);
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = entries->pdata[i];
    if (verified != NULL && sv_index_find_hash (verified, entry->hash) != NULL)
      continue;
    const char *doubt = find_doubt (entry, verified, counts, sv_signers_block (reader->signers));
    if (doubt != NULL)
      note_dropped (rebuild, entry, doubt);
    else if (!try_entry (reader, index, entry, "only the refused index lists it", rebuild, error))
      return FALSE;
  }
  return TRUE;
}

/* ── the whole ── */

/* What the next manifest follows: what the verified index says, else the last one kept. */
static void
set_newest (SvIndex *index, const SvIndex *remembered)
{
  g_autoptr (GPtrArray) entries = entries_of (index);
  if (remembered != NULL && remembered->newest != NULL)
    index->newest = g_strdup (remembered->newest);
  else if (entries->len > 0)
    index->newest = g_strdup (((const SvIndexEntry *)entries->pdata[entries->len - 1])->hash);
}

/* Of archives only those count that a verified index has vouched for. */
static void
set_archive (SvIndex *index, const SvIndex *remembered, const SvIndex *listed, SvIndexRebuild *rebuild)
{
  index->archive = remembered != NULL ? g_strdup (remembered->archive) : NULL;
  if (listed != NULL && listed->archive != NULL && g_strcmp0 (listed->archive, index->archive) != 0)
    g_ptr_array_add (rebuild->dropped,
                     g_strdup_printf ("archive %s: no verified index of this home names it", listed->archive));
}

static SvIndex *
build_index (SvReader *reader, const SvIndex *listed, SvIndexRebuild *rebuild, GError **error)
{
  g_autoptr (SvIndex) remembered = sv_remembered_index (reader, NULL);
  g_autoptr (SvIndex) index = sv_index_new (&reader->id);
  SvHead head;
  if (!sv_chain_head (reader->chain, &head, error))
    return NULL;
  index->sequence = rebuild->above_sequence = highest_sequence (reader, remembered);
  if (!keep_verified (reader, index, remembered, rebuild, error) ||
      !keep_listed (reader, index, listed, remembered, rebuild, error))
    return NULL;
  set_newest (index, remembered);
  const SvIndexEntry *active = sv_window_active (index, head.best.number);
  index->current_manifest_hash = g_strdup (active != NULL ? active->hash : NULL);
  set_archive (index, remembered, listed, rebuild);
  index->updated_at = sv_time_format (sv_clock_ms ());
  return g_steal_pointer (&index);
}

static SvIndexRebuild *
rebuild_new (const GError *reason)
{
  SvIndexRebuild *rebuild = g_rc_box_new0 (SvIndexRebuild);
  rebuild->reason = g_strdup (reason->message);
  rebuild->kept = g_ptr_array_new_with_free_func (g_free);
  rebuild->dropped = g_ptr_array_new_with_free_func (g_free);
  return rebuild;
}

/* Two histories of signers are for a person to explain, whatever he wants to rebuild. */
gboolean
sv_rebuild_index (SvReader *reader, SvIndex **index, char **etag, SvIndexRebuild **rebuild, GError **error)
{
  g_autoptr (GError) refusal = NULL;
  g_autoptr (SvIndex) listed = NULL;
  *rebuild = NULL;
  if (!sv_reader_update_signers (reader, SV_FETCH_BYPASS_CACHES, error))
    return FALSE;
  if (sv_fetch_index_for_update (reader, index, etag, &refusal))
    return TRUE;
  if (!g_error_matches (refusal, SV_ERROR, SV_ERROR_VERIFY) && !g_error_matches (refusal, SV_ERROR, SV_ERROR_MALFORMED))
  {
    g_propagate_error (error, g_steal_pointer (&refusal));
    return FALSE;
  }
  if (!sv_read_listed_index (reader, &listed, etag, error))
    return FALSE;
  *rebuild = rebuild_new (refusal);
  *index = build_index (reader, listed, *rebuild, error);
  if (*index != NULL)
    return TRUE;
  g_clear_pointer (etag, g_free);
  g_clear_pointer (rebuild, sv_index_rebuild_unref);
  return FALSE;
}
