/* The manifest watcher: keeps the catalog (index and verified manifests) and the clip table fresh. What cannot be read leaves
 * the last good picture in place: a verified manifest stays usable until its expiry (docs/protocol.md section 4). But nothing
 * of a signer who has been revoked since stays there.
 *
 * While the chain has not answered since the start, manifests are read by the accounts that the setting names and by what this
 * home remembers of the chain; where the chain says whom to trust, none are. */
#include "api/watching.h"

#include <sodium.h>

#include "api/issue_files.h"
#include "base/error.h"
#include "base/log.h"
#include "base/rfc3339.h"

/* Opening a manifest costs a verification and some parsing. A server that starts with a thousand windows ahead of it opens
 * those in force and the nearest ones, and the rest in its next steps. */
#define OPENED_AT_FIRST 64
#define OPENED_AT_ONCE 256

struct SvManifestWatch
{
  const SvConfig *config;
  SvBoard *board;
  SvChainOpener *opener;
  SvChain *chain;   /* NULL until its endpoint has answered */
  SvReader *reader; /* NULL as long as it is not known which chain's documents to read, or whom to trust */
  SvState *state;
  SvObjectStore *store; /* whose issue logs are looked at */
  GHashTable *fenced;   /* the set of windows whose logs were */
  gboolean has_catalog;
  gboolean is_incomplete; /* a manifest of the index could not be had: try again */
  gboolean has_more;      /* some were left for the next step */
  GHashTable *left_out;   /* hashes of manifests that were told of as left out */
  SvDrawKeys *keys;       /* where the next one is put */
  gboolean has_clips;
  guint64 clips_version;
  char *index_fault;
  SvWatchTold state_told;
  gint64 keys_away_us;  /* since when draw keys cannot be had, where the keeper of the state tells it */
  gboolean has_changed; /* catalog or clips */
  char *clips_fault;
  guint64 n_statements; /* on signers, that count */
};

/* A reader that there is already stays, and goes on with the chain: what it has accepted is judged anew by what stands there.
 */
static void
take_chain (SvManifestWatch *watch)
{
  if (watch->chain != NULL)
    return;
  watch->chain = sv_chain_opener_open (watch->opener, NULL);
  if (watch->chain != NULL && watch->reader != NULL)
    sv_reader_set_chain (watch->reader, watch->chain);
}

/* Without a chain the reader's own words would ask for a setting that there is. */
static gboolean
has_reader (SvManifestWatch *watch, GError **error)
{
  take_chain (watch);
  if (watch->reader != NULL)
    return TRUE;
  g_autoptr (GError) fault = NULL;
  watch->reader = sv_reader_new (watch->config, watch->chain, NULL, &fault);
  if (watch->reader == NULL && watch->chain == NULL && g_error_matches (fault, SV_ERROR, SV_ERROR_UNREACHABLE))
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "not read before the chain answers, since it tells which documents are its own, or whom to trust "
                 "(SCOREVISION_GENESIS, SCOREVISION_MANIFEST_SIGNERS)");
  else if (watch->reader == NULL)
    g_propagate_error (error, g_steal_pointer (&fault));
  return watch->reader != NULL;
}

SvManifestWatch *
sv_manifest_watch_new (const SvConfig *config, SvBoard *board, SvChainOpener *opener, GError **error)
{
  g_autoptr (GError) fault = NULL;
  g_autoptr (SvManifestWatch) watch = g_new0 (SvManifestWatch, 1);
  watch->config = config;
  watch->board = board;
  watch->opener = opener;
  watch->left_out = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  watch->fenced = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!has_reader (watch, &fault) && !g_error_matches (fault, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&fault));
    return NULL;
  }
  watch->state = sv_state_open (config, error);
  if (watch->state == NULL)
    return NULL;
  watch->store = sv_object_store_open (sv_config_get (config, "SCOREVISION_STORE"), config, error);
  return watch->store != NULL ? g_steal_pointer (&watch) : NULL;
}

void
sv_manifest_watch_free (SvManifestWatch *watch)
{
  if (watch == NULL)
    return;
  g_clear_pointer (&watch->reader, sv_reader_free);
  g_clear_pointer (&watch->chain, sv_chain_free);
  g_clear_pointer (&watch->state, sv_state_free);
  g_clear_pointer (&watch->store, sv_object_store_free);
  sv_draw_keys_unref (watch->keys);
  g_hash_table_unref (watch->left_out);
  g_hash_table_unref (watch->fenced);
  g_free (watch->index_fault);
  sv_watch_told_clear (&watch->state_told);
  g_free (watch->clips_fault);
  g_free (watch);
}

/* ── manifests ── */

/* A database that is another one than the window's log was published from would give ids that lie in published ranges, and
 * whoever holds shards against the log would reject honest ones. So nothing of a window is served before that is excluded. */
static gboolean
fence_window (SvManifestWatch *watch, const char *window_id, GError **error)
{
  if (g_hash_table_contains (watch->fenced, window_id))
    return TRUE;
  if (!sv_issue_files_fence (watch->store, watch->state, window_id, error))
    return FALSE;
  g_hash_table_add (watch->fenced, g_strdup (window_id));
  return TRUE;
}

/* A picture that was verified once stays, until its signer is revoked: a retired one's stays until there is another. */
static gboolean
is_honoured (SvManifestWatch *watch, const SvSignedDocument *document)
{
  return document == NULL || sv_reader_honours (document->signed_by, watch->reader);
}

/* An index on its way to a catalog. */
typedef struct
{
  SvManifestWatch *watch;
  SvCatalog *catalog;
  const SvCatalog *last; /* or NULL */
  guint64 block;
  guint n_ahead;      /* opened ahead of time */
  GHashTable *opened; /* hash, the index's -> SvManifest that waits for its draw key */
} Loading;

/* What was verified before is taken as it is. */
static gboolean
take_from_last (const Loading *loading, const SvIndexEntry *entry)
{
  SvServedManifest *served = loading->last != NULL ? g_hash_table_lookup (loading->last->manifests, entry->hash) : NULL;
  if (served == NULL || !is_honoured (loading->watch, served->manifest->document) ||
      !sv_index_entry_agrees (entry, served->manifest, NULL))
    return FALSE;
  g_hash_table_insert (loading->catalog->manifests, g_strdup (entry->hash), sv_served_manifest_ref (served));
  return TRUE;
}

/* It is tried again at every step, and told of once. */
static void
leave_out (SvManifestWatch *watch, const char *hash, const GError *error)
{
  watch->is_incomplete = TRUE;
  if (sv_watch_is_told_by_keeper (watch->board, error, &watch->keys_away_us))
    return;
  if (g_hash_table_add (watch->left_out, g_strdup (hash)))
    sv_log ("warning", "manifest left out", "manifest", hash, "reason", error->message, NULL);
}

/* Its JSON is several times as large as what challenges need of it. */
static void
open_entry (Loading *loading, const SvIndexEntry *entry, GError **error)
{
  SvManifest *manifest = sv_fetch_entry_manifest (loading->watch->reader, entry, error);
  if (manifest == NULL)
    return;
  sv_manifest_drop_json (manifest);
  g_hash_table_insert (loading->opened, entry->hash, manifest);
}

/* A hash can have several entries. */
static gboolean
is_loaded (const Loading *loading, const SvIndexEntry *entry)
{
  return g_hash_table_contains (loading->opened, entry->hash) ||
         g_hash_table_contains (loading->catalog->manifests, entry->hash) || take_from_last (loading, entry);
}

static void
load_entry (Loading *loading, const SvIndexEntry *entry)
{
  g_autoptr (GError) error = NULL;
  if (is_loaded (loading, entry))
    return;
  gboolean is_ahead = !sv_entry_in_force (entry, loading->block);
  if (is_ahead && loading->n_ahead >= (loading->last == NULL ? OPENED_AT_FIRST : OPENED_AT_ONCE))
  {
    loading->watch->has_more = TRUE;
    return;
  }
  loading->n_ahead += is_ahead ? 1 : 0;
  if (fence_window (loading->watch, entry->window_id, &error))
    open_entry (loading, entry, &error);
  else
    loading->catalog->n_unfenced += is_ahead ? 0 : 1;
  if (error != NULL)
    leave_out (loading->watch, entry->hash, error);
}

static void
load_manifests (Loading *loading, const GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
    if (!sv_entry_expired (g_ptr_array_index (entries, i), loading->block))
      load_entry (loading, g_ptr_array_index (entries, i));
}

static void
serve_manifest (Loading *loading, const char *hash, const guint8 draw_key[SV_STATE_KEY_SIZE])
{
  gpointer manifest;
  g_hash_table_steal_extended (loading->opened, hash, NULL, &manifest);
  g_hash_table_insert (loading->catalog->manifests, g_strdup (hash),
                       sv_served_manifest_new (manifest, &loading->watch->keys, draw_key));
  g_hash_table_remove (loading->watch->left_out, hash);
  loading->watch->keys_away_us = 0;
}

static gboolean
take_draw_keys (Loading *loading, const char *const *hashes, guint n, GError **error)
{
  guint8 (*keys)[SV_STATE_KEY_SIZE] = sodium_allocarray (n, sizeof *keys);
  g_assert (keys != NULL);
  gboolean ok = sv_state_draw_keys (loading->watch->state, hashes, n, keys, error);
  for (guint i = 0; i < n && ok; i++)
    serve_manifest (loading, hashes[i], keys[i]);
  sodium_free (keys);
  return ok;
}

/* One transaction for all of them: a new server has a thousand to make. Where the key of one is damaged, one for each. */
static void
serve_opened (Loading *loading)
{
  guint n;
  g_autoptr (GError) error = NULL;
  g_autofree const char **hashes = (const char **)g_hash_table_get_keys_as_array (loading->opened, &n);
  if (take_draw_keys (loading, hashes, n, &error))
    return;
  for (guint i = 0; i < n; i++)
  {
    g_autoptr (GError) own = NULL;
    if (!g_error_matches (error, SV_ERROR, SV_ERROR_MALFORMED))
      leave_out (loading->watch, hashes[i], error);
    else if (!take_draw_keys (loading, &hashes[i], 1, &own))
      leave_out (loading->watch, hashes[i], own);
  }
}

static void
free_manifest (gpointer manifest)
{
  sv_manifest_free (manifest);
}

/* What is in @index, and can be had, comes into the catalog. */
static void
fill_catalog (Loading *loading, const SvIndex *index)
{
  loading->opened = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_manifest);
  load_manifests (loading, index->entries);
  load_manifests (loading, index->superseded);
  serve_opened (loading);
  g_hash_table_unref (loading->opened);
}

/* The best block; 0 where nobody has told it yet. */
static guint64
best_block (SvManifestWatch *watch, const SvSnapshot *snapshot)
{
  SvHead head;
  g_autoptr (GError) error = NULL;
  if (watch->chain != NULL && sv_chain_head (watch->chain, &head, &error))
    return head.best.number;
  if (error != NULL)
    sv_log ("warning", "chain head cannot be read", "reason", error->message, NULL);
  return snapshot->bindings != NULL ? sv_bindings_head (snapshot->bindings)->best.number : 0;
}

/* Takes @index. */
static void
publish_index (SvManifestWatch *watch, SvIndex *index)
{
  gboolean is_retry = watch->is_incomplete;
  SvCatalog *catalog = sv_catalog_new (index);
  watch->is_incomplete = watch->has_more = FALSE;
  g_autoptr (SvSnapshot) last = sv_board_get (watch->board);
  Loading loading = { .watch = watch, .catalog = catalog, .last = last->catalog, .block = best_block (watch, last) };
  fill_catalog (&loading, index);
  g_autofree char *sequence = g_strdup_printf ("%" G_GUINT64_FORMAT, index->sequence);
  g_autofree char *n_manifests = g_strdup_printf ("%u", g_hash_table_size (catalog->manifests));
  if (!is_retry || !watch->is_incomplete)
    sv_log ("info", "manifest index read", "sequence", sequence, "manifests", n_manifests, NULL);
  sv_board_publish_catalog (watch->board, catalog);
  watch->has_catalog = watch->has_changed = TRUE;
}

/* Before the first publication there is nothing to serve, and that is no fault. An origin that fails at the start is bridged
 * by what this home verified last. */
static void
start_without_index (SvManifestWatch *watch, const GError *fault)
{
  SvIndex *index = NULL;
  if (!g_error_matches (fault, SV_ERROR, SV_ERROR_NOT_FOUND))
    index = sv_remembered_index (watch->reader, NULL);
  if (index == NULL && !g_error_matches (fault, SV_ERROR, SV_ERROR_NOT_FOUND))
    return;
  publish_index (watch, index != NULL ? index : sv_index_new (sv_reader_chain_id (watch->reader)));
}

static gboolean
is_catalog_honoured (SvManifestWatch *watch)
{
  g_autoptr (SvSnapshot) snapshot = sv_board_get (watch->board);
  if (snapshot->catalog == NULL)
    return TRUE;
  gboolean ok = is_honoured (watch, snapshot->catalog->index->document);
  GHashTableIter iter;
  gpointer served;
  g_hash_table_iter_init (&iter, snapshot->catalog->manifests);
  while (ok && g_hash_table_iter_next (&iter, NULL, &served))
    ok = is_honoured (watch, ((const SvServedManifest *)served)->manifest->document);
  return ok;
}

/* What is left when a signer has been revoked: the last index of another one, or nothing. */
static void
drop_what_does_not_count (SvManifestWatch *watch)
{
  SvIndex *index = sv_remembered_index (watch->reader, NULL);
  sv_log ("warning", "a signer was revoked", "reason", "what he signed is not served any more", NULL);
  publish_index (watch, index != NULL ? index : sv_index_new (sv_reader_chain_id (watch->reader)));
}

static void
report_signers (SvManifestWatch *watch)
{
  guint64 n_statements = sv_signers_fold_last_effective (sv_signers_fold (sv_reader_signers (watch->reader)));
  if (n_statements == watch->n_statements)
    return;
  watch->n_statements = n_statements;
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, n_statements);
  sv_log ("info", "statements on signers read", "n", number, NULL);
}

/* What is far ahead can wait until this server answers at all, which it does not before the chain was read. */
static gboolean
has_to_open (SvManifestWatch *watch)
{
  g_autoptr (SvSnapshot) snapshot = sv_board_get (watch->board);
  return watch->is_incomplete || (watch->has_more && snapshot->bindings != NULL);
}

static void
step_index (SvManifestWatch *watch, SvFetchMode mode)
{
  g_autoptr (GError) error = NULL;
  SvIndex *index = NULL;
  if (!has_reader (watch, &error))
  {
    sv_watch_report ("manifest index", error, &watch->index_fault);
    return;
  }
  if (has_to_open (watch))
    index = sv_fetch_index (watch->reader, mode, &error);
  else if (!sv_poll_index (watch->reader, mode, &index, &error))
    index = NULL;
  sv_watch_report ("manifest index", error, &watch->index_fault);
  if (error == NULL)
    sv_board_saw_index (watch->board, sv_clock_ms ());
  report_signers (watch);
  if (index != NULL)
    publish_index (watch, index);
  else if (error != NULL && !watch->has_catalog)
    start_without_index (watch, error);
  else if (!is_catalog_honoured (watch))
    drop_what_does_not_count (watch);
}

/* ── clips ── */

static gboolean
step_clips (SvManifestWatch *watch, GError **error)
{
  guint64 version;
  if (!sv_state_clips_version (watch->state, &version, error))
    return FALSE;
  if (watch->has_clips && version == watch->clips_version)
    return TRUE;
  GPtrArray *list = sv_state_list_clips (watch->state, error);
  if (list == NULL)
    return FALSE;
  sv_board_publish_clips (watch->board, sv_clip_table_new (list));
  watch->has_clips = watch->has_changed = TRUE;
  watch->clips_version = version;
  return TRUE;
}

/* Notes those clips of a manifest that are not registered here: hash -> window. */
static void
note_missing (const SvManifest *manifest, const SvClipTable *clips, GHashTable *missing)
{
  for (gsize i = 0; i < manifest->n_elements; i++)
    for (gsize j = 0; j < manifest->elements[i].n_clips; j++)
      if (!g_hash_table_contains (clips->by_hash, manifest->elements[i].clips[j].hash))
        g_hash_table_insert (missing, manifest->elements[i].clips[j].hash, manifest->window_id);
}

/* Without it nobody would know why challenges fail: each one that draws such a clip is 503 `no_challenge`. */
static void
set_missing (GHashTable *missing, GError **error)
{
  GHashTableIter iter;
  gpointer hash, window;
  g_hash_table_iter_init (&iter, missing);
  if (g_hash_table_iter_next (&iter, &hash, &window))
    g_set_error (
        error, SV_ERROR, SV_ERROR_NOT_FOUND,
        "clips of the windows served are not registered here (%u, among them %s of window %s): nobody gets a challenge "
        "with them; add them by `sv clip add FILE`, with the SCOREVISION_DATABASE of this server",
        g_hash_table_size (missing), (const char *)hash, (const char *)window);
}

static void
report_missing_clips (SvManifestWatch *watch)
{
  g_autoptr (SvSnapshot) snapshot = sv_board_get (watch->board);
  if (!watch->has_changed || snapshot->catalog == NULL || snapshot->clips == NULL)
    return;
  watch->has_changed = FALSE;
  g_autoptr (GHashTable) missing = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer served;
  g_hash_table_iter_init (&iter, snapshot->catalog->manifests);
  while (g_hash_table_iter_next (&iter, NULL, &served))
    note_missing (((const SvServedManifest *)served)->manifest, snapshot->clips, missing);
  set_missing (missing, &error);
  sv_watch_report ("clips", error, &watch->clips_fault);
}

void
sv_manifest_watch_step (gboolean is_demanded, gpointer data)
{
  SvManifestWatch *watch = data;
  g_autoptr (GError) error = NULL;
  step_index (watch, is_demanded ? SV_FETCH_BYPASS_CACHES : SV_FETCH_NORMAL);
  if (step_clips (watch, &error))
    sv_board_saw_state (watch->board, sv_clock_ms ());
  sv_watch_report_state (watch->board, "state", error, &watch->state_told);
  report_missing_clips (watch);
  g_autoptr (SvSnapshot) snapshot = sv_board_get (watch->board);
  sv_board_set_clip_gaps (watch->board, sv_snapshot_clip_gaps (snapshot));
}
