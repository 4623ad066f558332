/* Going on after the signer of the store's index was revoked (or retired). Whoever stole the key may have written anything into
 * it, with any sequence, so nothing of it is believed for its own sake: of the entries that it, and the last index that this
 * home verified, list, those are kept whose manifests verify by themselves. The thief's order, sequences and blocks of the
 * future are not taken over. */
#include <string.h>

#include "base/error.h"
#include "base/rfc3339.h"
#include "distribution/reader_state.h"
#include "distribution/recovery.h"
#include "protocol/window.h"

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
note (GPtrArray *list, const SvIndexEntry *entry, const GError *reason)
{
  g_ptr_array_add (list, g_strdup_printf ("window %s, manifest %s%s%s", entry->window_id, entry->hash,
                                          reason != NULL ? ": " : "", reason != NULL ? reason->message : ""));
}

/* FALSE where it cannot be told now: an entry is not lost because a store is slow. */
static gboolean
try_entry (SvReader *reader, SvIndex *index, const SvIndexEntry *entry, guint64 finalized, SvIndexRebuild *rebuild,
           GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (reader, entry, &reason);
  if (manifest == NULL && g_error_matches (reason, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  if (manifest != NULL && sv_index_adopt (index, entry, finalized, &reason))
    note (rebuild->kept, entry, NULL);
  else
    note (rebuild->dropped, entry, reason);
  return TRUE;
}

/* What is long over may stand in an archive already, where a window can stand once. */
static gboolean
is_maybe_archived (const SvIndex *known, const SvIndexEntry *entry, guint64 finalized, SvIndexRebuild *rebuild)
{
  if (known == NULL || known->archive == NULL || !sv_index_entry_is_archivable (entry, finalized))
    return FALSE;
  g_autoptr (GError) reason = g_error_new (SV_ERROR, SV_ERROR_VERIFY, "it is long over, and no verified index lists it");
  note (rebuild->dropped, entry, reason);
  return TRUE;
}

/* What the verified index says of a manifest goes before what the other one says of it. */
static gboolean
try_entries (SvReader *reader, SvIndex *index, const SvIndex *from, const SvIndex *known, SvIndexRebuild *rebuild,
             GError **error)
{
  if (from == NULL)
    return TRUE;
  guint64 finalized = sv_signers_block (reader->signers);
  g_autoptr (GPtrArray) entries = entries_of (from);
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = entries->pdata[i];
    if ((known != NULL && sv_index_find_hash (known, entry->hash) != NULL) ||
        is_maybe_archived (known, entry, finalized, rebuild))
      continue;
    if (!try_entry (reader, index, entry, finalized, rebuild, error))
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
  if (!try_entries (reader, index, remembered, NULL, rebuild, error) ||
      !try_entries (reader, index, listed, remembered, rebuild, error))
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
