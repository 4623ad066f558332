/* What publishing changes in the index, as edits that sv_publisher_update_index() repeats until one goes through. Everything
 * that follows from the index (previous, a filled-in start, the overlap check, the signature) is therefore made inside the
 * edit, from the index that it will replace. */
#include "operator/publish.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/rfc3339.h"

typedef struct
{
  SvPublisher *publisher;
  const json_t *authored; /* when publishing */
  const char *hash;       /* when rolling back */
  const SvPublishOptions *options;
  SvPublication *publication; /* of the last edit */
} Change;

void
sv_publication_free (SvPublication *publication)
{
  if (publication == NULL)
    return;
  g_free (publication->manifest_hash);
  g_free (publication->window_id);
  g_free (publication->newest);
  g_free (publication->previous);
  g_free (publication->replaced);
  g_free (publication);
}

/* ── the outcome of one edit ── */

static void
note_publication (Change *change, const SvIndex *index, const SvManifest *manifest, const SvIndexEntry *entry,
                  gboolean is_unchanged)
{
  SvPublication *publication = g_new0 (SvPublication, 1);
  publication->manifest_hash = g_strdup (manifest->hash);
  publication->window_id = g_strdup (manifest->window_id);
  publication->start_block = manifest->start_block;
  publication->expiry_block = manifest->expiry_block;
  publication->newest = g_strdup (index->newest);
  publication->previous = g_strdup (manifest->previous);
  publication->active_from = entry->active_from;
  publication->added_sequence = entry->added_sequence;
  publication->is_unchanged = is_unchanged;
  sv_publication_free (change->publication);
  change->publication = publication;
}

/* The entry that the edit has just moved is the last one superseded. */
static void
note_replaced (Change *change, const SvIndex *index)
{
  const SvIndexEntry *replaced = index->superseded->pdata[index->superseded->len - 1];
  change->publication->replaced = g_strdup (replaced->hash);
  change->publication->replaced_until = replaced->superseded_at_block;
}

/* ── steps ── */

static gboolean
store_manifest (Change *change, const SvManifest *manifest, GError **error)
{
  return change->options->dry_run || sv_publisher_put_manifest (change->publisher, manifest, error);
}

/* A live manifest stays as it is; only its objects may be missing. */
static gboolean
keep_live (Change *change, const SvIndex *index, const SvManifest *manifest, const SvIndexEntry *live, GError **error)
{
  note_publication (change, index, manifest, live, TRUE);
  return store_manifest (change, manifest, error);
}

static gboolean
add_to_index (Change *change, SvIndex *index, const SvManifest *manifest, SvIndexChange *details, GError **error)
{
  gboolean replaces = sv_index_find_live (index, manifest->window_id) != NULL;
  if (!sv_index_add (index, manifest, details, error) || !store_manifest (change, manifest, error))
    return FALSE;
  note_publication (change, index, manifest, sv_index_find_live (index, manifest->window_id), FALSE);
  if (replaces)
    note_replaced (change, index);
  return TRUE;
}

static gboolean
prepare_change (const Change *change, gboolean supersede, gboolean is_new, SvIndexChange *details, GError **error)
{
  SvHead head;
  if (!sv_chain_head (sv_publisher_chain (change->publisher), &head, error))
    return FALSE;
  *details = (SvIndexChange){ .finalized_block = head.finalized.number,
                              .best_block = head.best.number,
                              .overlap = change->options->overlap,
                              .supersede = supersede,
                              .is_new = is_new,
                              .now = sv_clock_ms () };
  return TRUE;
}

/* ── publish ── */

/* *@live_manifest is NULL where the live manifest cannot be verified any more (its signer was revoked, say): superseding must
 * still be possible then. */
static gboolean
read_live (Change *change, const SvIndexEntry *live, SvManifest **live_manifest, GError **error)
{
  GError *local = NULL;
  *live_manifest = live != NULL ? sv_fetch_entry_manifest (sv_publisher_reader (change->publisher), live, &local) : NULL;
  if (local == NULL)
    return TRUE;
  if (!change->options->supersede)
  {
    g_propagate_prefixed_error (error, local,
                                "window %s has a live manifest that cannot be compared with this one: ", live->window_id);
    return FALSE;
  }
  sv_log ("warning", "live manifest not compared", "reason", local->message, NULL);
  g_error_free (local);
  return TRUE;
}

static guint64
choose_start (const Change *change, const SvIndex *index, const SvIndexEntry *live, const SvIndexChange *details)
{
  const char *window_id = json_string_value (json_object_get (change->authored, "window_id"));
  guint64 expiry_block = (guint64)json_number_value (json_object_get (change->authored, "expiry_block"));
  if (live != NULL && change->options->supersede)
    return live->start_block;
  return sv_index_default_start (index, window_id, expiry_block, details->best_block);
}

static gboolean
publish_edit (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  Change *change = data;
  const char *window_id = json_string_value (json_object_get (change->authored, "window_id"));
  const SvIndexEntry *live = sv_index_find_live (index, window_id);
  g_autoptr (SvManifest) live_manifest = NULL;
  SvIndexChange details;
  if (!read_live (change, live, &live_manifest, error))
    return FALSE;
  if (live_manifest != NULL && sv_manifest_same_content (live_manifest, change->authored))
    return keep_live (change, index, live_manifest, live, error);
  if (!prepare_change (change, change->options->supersede, TRUE, &details, error))
    return FALSE;
  g_autoptr (SvManifest) manifest = sv_manifest_sign (change->authored, choose_start (change, index, live, &details),
                                                      index->newest, sv_chain_id (sv_publisher_chain (change->publisher)),
                                                      sv_publisher_keypair (change->publisher), details.now, error);
  *changed = TRUE;
  return manifest != NULL && add_to_index (change, index, manifest, &details, error);
}

/* ── rollback ── */

static gboolean
rollback_edit (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  Change *change = data;
  const SvIndexEntry *entry = sv_index_find_hash (index, change->hash);
  if (entry == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
                 "the index has never had manifest %s; `sv manifest list` shows those it has", change->hash);
    return FALSE;
  }
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (sv_publisher_reader (change->publisher), entry, error);
  if (manifest == NULL)
    return FALSE;
  if (!entry->is_superseded)
    return keep_live (change, index, manifest, entry, error);
  SvIndexChange details;
  if (!prepare_change (change, TRUE, FALSE, &details, error))
    return FALSE;
  *changed = TRUE;
  return add_to_index (change, index, manifest, &details, error);
}

/* ── both ── */

/* With dry_run the edit is made on a copy in memory that nobody stores. */
static gboolean
run_edit (Change *change, SvIndexEdit edit, GError **error)
{
  g_autoptr (SvIndex) index = NULL;
  gboolean changed = FALSE;
  if (!change->options->dry_run)
    return (index = sv_publisher_update_index (change->publisher, edit, change, error)) != NULL;
  index = sv_publisher_read_index (change->publisher, error);
  return index != NULL && edit (index, &changed, change, error);
}

static SvPublication *
make_change (Change *change, SvIndexEdit edit, GError **error)
{
  if (run_edit (change, edit, error))
    return change->publication;
  sv_publication_free (change->publication);
  return NULL;
}

SvPublication *
sv_publish_manifest (SvPublisher *publisher, const json_t *authored, const SvPublishOptions *options, GError **error)
{
  g_autoptr (json_t) normalized = sv_manifest_normalize (authored, error);
  if (normalized == NULL)
    return NULL;
  Change change = { .publisher = publisher, .authored = normalized, .options = options };
  return make_change (&change, publish_edit, error);
}

SvPublication *
sv_rollback_manifest (SvPublisher *publisher, const char *hash, const SvPublishOptions *options, GError **error)
{
  Change change = { .publisher = publisher, .hash = hash, .options = options };
  return make_change (&change, rollback_edit, error);
}
