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

  /* What the edit's manifest is to be compared with. */
  char *compared;
  json_t *compared_content;
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
  json_decref (publication->content);
  g_free (publication->compared);
  json_decref (publication->compared_content);
  sv_index_rebuild_unref (publication->rebuild);
  g_free (publication);
}

/* ── what there is to compare with ── */

static void
forget_compared (Change *change)
{
  g_clear_pointer (&change->compared, g_free);
  g_clear_pointer (&change->compared_content, json_decref);
}

static void
note_compared (Change *change, const char *hash, json_t *content)
{
  forget_compared (change);
  change->compared = g_strdup (hash);
  change->compared_content = json_incref (content);
}

/* The manifest that is replaced, else the active one. One that cannot be had or verified hinders nobody: publishing may be what
 * mends it. */
static void
find_compared (Change *change, const SvIndex *index, const SvIndexEntry *live, guint64 block)
{
  const SvIndexEntry *entry = live != NULL ? live : sv_window_active (index, block);
  forget_compared (change);
  if (entry == NULL)
    return;
  g_autoptr (GError) error = NULL;
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (sv_publisher_reader (change->publisher), entry, &error);
  if (manifest == NULL)
    sv_log ("warning", "manifest not compared with", "manifest", entry->hash, "reason", error->message, NULL);
  note_compared (change, entry->hash, manifest != NULL ? manifest->json : NULL);
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
  publication->content = json_incref (manifest->json);
  publication->compared = g_strdup (change->compared);
  publication->compared_content = json_incref (change->compared_content);
  publication->rebuild = sv_index_rebuild_ref (sv_publisher_rebuild (change->publisher));
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

/* ── what was agreed to ── */

static gboolean
same_lines (const GPtrArray *a, const GPtrArray *b)
{
  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    if (!g_str_equal (a->pdata[i], b->pdata[i]))
      return FALSE;
  return TRUE;
}

static gboolean
same_rebuild (const SvIndexRebuild *a, const SvIndexRebuild *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  return same_lines (a->kept, b->kept) && same_lines (a->dropped, b->dropped);
}

/* The first thing in which what is about to be published is not what was agreed to, or NULL. Where nothing is published there
 * is only the index. */
static char *
find_surprise (const SvPublication *now, const SvPublication *agreed)
{
  if (!same_rebuild (now->rebuild, agreed->rebuild))
    return g_strdup ("the index in the store has become another, and what would be kept and dropped of it is not the same");
  if (now->is_unchanged)
    return NULL;
  if (g_strcmp0 (now->replaced, agreed->replaced) != 0)
    return g_strdup_printf ("the live manifest of window %s is %s", now->window_id,
                            now->replaced != NULL ? now->replaced : "none any more");
  if (g_strcmp0 (now->compared, agreed->compared) != 0)
    return g_strdup_printf ("the active manifest is %s", now->compared != NULL ? now->compared : "none any more");
  if (now->start_block != agreed->start_block || now->expiry_block != agreed->expiry_block)
    return g_strdup_printf ("window %s would run from block %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, now->window_id,
                            now->start_block, now->expiry_block);
  return NULL;
}

static gboolean
check_agreed (const Change *change, GError **error)
{
  const SvPublication *agreed = change->options->agreed;
  g_autofree char *surprise = agreed != NULL ? find_surprise (change->publication, agreed) : NULL;
  if (surprise == NULL)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
               "nothing was published: since you were asked %s; run the same command again to see what it does now", surprise);
  return FALSE;
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
  note_compared (change, manifest->hash, manifest->json);
  note_publication (change, index, manifest, live, TRUE);
  return check_agreed (change, error) && store_manifest (change, manifest, error);
}

static gboolean
add_to_index (Change *change, SvIndex *index, const SvManifest *manifest, SvIndexChange *details, GError **error)
{
  gboolean replaces = sv_index_find_live (index, manifest->window_id) != NULL;
  if (!sv_index_add (index, manifest, details, error))
    return FALSE;
  note_publication (change, index, manifest, sv_index_find_live (index, manifest->window_id), FALSE);
  if (replaces)
    note_replaced (change, index);
  return check_agreed (change, error) && store_manifest (change, manifest, error);
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
    const char *remedy = g_error_matches (local, SV_ERROR, SV_ERROR_VERIFY) ? "; to replace it publish with --supersede" : "";
    g_set_error (error, SV_ERROR, local->code, "window %s has a live manifest that cannot be compared with this one: %s%s",
                 live->window_id, local->message, remedy);
    g_error_free (local);
    return FALSE;
  }
  sv_log ("warning", "live manifest not compared", "reason", local->message, NULL);
  g_error_free (local);
  return TRUE;
}

/* Who has rebuilt the index needs both options in one command: without the other change it is not written. */
static gboolean
check_kept (const Change *change, const SvIndexEntry *live, GError **error)
{
  if (live == NULL || change->options->supersede || sv_publisher_rebuild (change->publisher) == NULL)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
               "window %s has the live manifest %s, which the rebuilt index keeps; to replace it publish with --rebuild-index "
               "--supersede",
               live->window_id, live->hash);
  return FALSE;
}

/* A window_id is used once per chain, ever; what is long over stands in the archives. */
static gboolean
look_into_archives (const Change *change, const SvIndex *index, const char *window_id, gboolean *is_archived, GError **error)
{
  g_autoptr (SvIndex) history = sv_fetch_history (sv_publisher_reader (change->publisher), index, error);
  if (history == NULL)
  {
    g_prefix_error (error, "it cannot be told whether window %s was used before: ", window_id);
    return FALSE;
  }
  *is_archived = sv_index_find_window (history, window_id) != NULL;
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
  if (!check_kept (change, live, error) || !prepare_change (change, change->options->supersede, TRUE, &details, error))
    return FALSE;
  if (live == NULL && !look_into_archives (change, index, window_id, &details.is_archived, error))
    return FALSE;
  find_compared (change, index, live, details.best_block);
  g_autoptr (SvManifest) manifest = sv_manifest_sign (change->authored, choose_start (change, index, live, &details),
                                                      index->newest, sv_chain_id (sv_publisher_chain (change->publisher)),
                                                      sv_publisher_keypair (change->publisher), details.now, error);
  *changed = TRUE;
  return manifest != NULL && add_to_index (change, index, manifest, &details, error);
}

/* ── rollback ── */

/* FALSE. */
static gboolean
explain_unknown (const Change *change, const SvIndex *index, GError **error)
{
  g_autoptr (SvIndex) history = sv_fetch_history (sv_publisher_reader (change->publisher), index, error);
  const SvIndexEntry *entry = history != NULL ? sv_index_find_hash (history, change->hash) : NULL;
  if (entry != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "manifest %s is in the archive: its window %s ended at block %" G_GUINT64_FORMAT
                 ", and a window that is over cannot change",
                 change->hash, entry->window_id, entry->expiry_block);
  else if (history != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
                 "the index has never had manifest %s; `sv manifest list --all` shows those it has had", change->hash);
  return FALSE;
}

static gboolean
rollback_edit (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  Change *change = data;
  const SvIndexEntry *entry = sv_index_find_hash (index, change->hash);
  if (entry == NULL)
    return explain_unknown (change, index, error);
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (sv_publisher_reader (change->publisher), entry, error);
  if (manifest == NULL)
    return FALSE;
  if (!entry->is_superseded)
    return keep_live (change, index, manifest, entry, error);
  SvIndexChange details;
  if (!prepare_change (change, TRUE, FALSE, &details, error))
    return FALSE;
  find_compared (change, index, sv_index_find_live (index, manifest->window_id), details.best_block);
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
  gboolean done = run_edit (change, edit, error);
  forget_compared (change);
  if (done)
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
