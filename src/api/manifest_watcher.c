/* The manifest watcher: keeps the catalog (index and verified manifests) and the clip table fresh. What cannot be read leaves
 * the last good picture in place: a verified manifest stays usable until its expiry (docs/protocol.md section 4). But nothing
 * of a signer who has been revoked since stays there.
 *
 * While the chain has not answered since the start, manifests are read by the accounts that the setting names and by what this
 * home remembers of the chain; where the chain says whom to trust, none are. */
#include "api/watching.h"

#include "api/catalog_loader.h"
#include "base/error.h"
#include "base/http_client.h"
#include "base/log.h"
#include "base/rfc3339.h"

struct SvManifestWatch
{
  const SvConfig *config;
  SvBoard *board;
  SvChainOpener *opener;
  SvChain *chain;   /* NULL until its endpoint has answered */
  SvReader *reader; /* NULL as long as it is not known which chain's documents to read, or whom to trust */
  SvState *state;
  SvCatalogLoader *loader;
  gboolean has_catalog;
  gboolean has_clips;
  guint64 clips_version;
  char *index_fault;
  SvWatchTold state_told;
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
  if (!has_reader (watch, &fault) && !g_error_matches (fault, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&fault));
    return NULL;
  }
  watch->state = sv_state_open (config, error);
  if (watch->state == NULL)
    return NULL;
  watch->loader = sv_catalog_loader_new (config, board, watch->state, error);
  return watch->loader != NULL ? g_steal_pointer (&watch) : NULL;
}

void
sv_manifest_watch_free (SvManifestWatch *watch)
{
  if (watch == NULL)
    return;
  g_clear_pointer (&watch->reader, sv_reader_free);
  g_clear_pointer (&watch->chain, sv_chain_free);
  g_clear_pointer (&watch->loader, sv_catalog_loader_free);
  g_clear_pointer (&watch->state, sv_state_free);
  g_free (watch->index_fault);
  sv_watch_told_clear (&watch->state_told);
  g_free (watch->clips_fault);
  g_free (watch);
}

/* ── the index ── */

/* A picture that was verified once stays, until its signer is revoked: a retired one's stays until there is another. */
static gboolean
is_honoured (SvManifestWatch *watch, const SvSignedDocument *document)
{
  return document == NULL || sv_reader_honours (document->signed_by, watch->reader);
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

static void
tell_of_index (const SvCatalog *catalog, guint n_missing, gboolean is_remembered)
{
  g_autofree char *sequence = g_strdup_printf ("%" G_GUINT64_FORMAT, catalog->index->sequence);
  g_autofree char *n_manifests = g_strdup_printf ("%u", g_hash_table_size (catalog->manifests));
  g_autofree char *left_out = g_strdup_printf ("%u", n_missing);
  sv_log (n_missing > 0 ? "warning" : "info", is_remembered ? "manifest index of this home taken up" : "manifest index read",
          "sequence", sequence, "manifests", n_manifests, n_missing > 0 ? "left_out" : NULL, left_out, NULL);
}

/* Takes @index. @away: why it could not be read, and comes from this home's memory; else NULL. */
static void
publish_index (SvManifestWatch *watch, SvIndex *index, const GError *away)
{
  gboolean is_retry = sv_catalog_loader_missing (watch->loader) > 0;
  g_autoptr (SvSnapshot) last = sv_board_get (watch->board);
  const SvCatalogSource source = {
    .reader = watch->reader, .block = best_block (watch, last), .last = last->catalog, .away = away
  };
  SvCatalog *catalog = sv_catalog_load (watch->loader, &source, index);
  guint n_missing = sv_catalog_loader_missing (watch->loader);
  if (!is_retry || n_missing == 0)
    tell_of_index (catalog, n_missing, away != NULL);
  sv_board_publish_catalog (watch->board, catalog);
  watch->has_catalog = watch->has_changed = TRUE;
}

/* Before the first publication there is nothing to serve, and that is no fault. An origin that fails at the start is bridged
 * by what this home verified last. */
static void
go_on_without_index (SvManifestWatch *watch, const GError *fault)
{
  if (sv_http_is_given_up ())
    return;
  gboolean is_first = !watch->has_catalog && g_error_matches (fault, SV_ERROR, SV_ERROR_NOT_FOUND);
  SvIndex *index = is_first ? sv_index_new (sv_reader_chain_id (watch->reader)) : sv_remembered_index (watch->reader, NULL);
  if (index != NULL)
    publish_index (watch, index, is_first ? NULL : fault);
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
  publish_index (watch, index != NULL ? index : sv_index_new (sv_reader_chain_id (watch->reader)), NULL);
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
  return sv_catalog_loader_missing (watch->loader) > 0 ||
         (sv_catalog_loader_has_more (watch->loader) && snapshot->bindings != NULL);
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
    publish_index (watch, index, NULL);
  else if (!is_catalog_honoured (watch))
    drop_what_does_not_count (watch);
  else if (error != NULL && (!watch->has_catalog || has_to_open (watch)))
    go_on_without_index (watch, error);
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
