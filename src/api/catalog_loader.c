/* Manifests are opened ahead of time, so that a window can turn while nothing can be read. What cannot be had is left out, and
 * tried again with the next catalog.
 *
 * A store that does not answer takes a minute to say so. Where a few seconds have been lost to failures nothing more is asked
 * there for the same catalog, for what this home has must not wait for that a hundred times. Of those in force, and then of
 * those ahead, the first are those that were asked for in vain longest ago, or never: so a single object that fails keeps no
 * other from being had. */
#include "api/catalog_loader.h"

#include <sodium.h>

#include "api/issue_files.h"
#include "api/watching.h"
#include "base/error.h"
#include "base/http_client.h"
#include "base/log.h"

/* Opening a manifest costs a verification and some parsing. A server that starts with a thousand windows ahead of it opens
 * those in force and the nearest ones, and the rest in its next steps. */
#define OPENED_AT_FIRST 64
#define OPENED_AT_ONCE 256
#define MAX_LOST_US (5 * G_TIME_SPAN_SECOND)

struct SvCatalogLoader
{
  SvBoard *board;       /* borrowed */
  SvState *state;       /* borrowed */
  SvObjectStore *store; /* whose issue logs are looked at */
  GHashTable *fenced;   /* the set of windows whose logs were */
  SvDrawKeys *keys;     /* where the next one is put */
  guint n_missing;      /* manifests of the last index that could not be had */
  gboolean has_more;    /* some were left for the next step */
  GHashTable *left_out; /* hashes of manifests that were told of as left out */
  GHashTable *in_vain;  /* hash -> number of the catalog for which it was asked for last, in vain */
  guint n_catalogs;
  gint64 keys_away_us; /* since when draw keys cannot be had, where the keeper of the state tells it */
};

SvCatalogLoader *
sv_catalog_loader_new (const SvConfig *config, SvBoard *board, SvState *state, GError **error)
{
  g_autoptr (SvObjectStore) store = sv_object_store_open (sv_config_get (config, "SCOREVISION_STORE"), config, error);
  if (store == NULL)
    return NULL;
  SvCatalogLoader *loader = g_new0 (SvCatalogLoader, 1);
  loader->board = board;
  loader->state = state;
  loader->store = g_steal_pointer (&store);
  loader->fenced = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  loader->left_out = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  loader->in_vain = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return loader;
}

void
sv_catalog_loader_free (SvCatalogLoader *loader)
{
  sv_object_store_free (loader->store);
  sv_draw_keys_unref (loader->keys);
  g_hash_table_unref (loader->fenced);
  g_hash_table_unref (loader->left_out);
  g_hash_table_unref (loader->in_vain);
  g_free (loader);
}

guint
sv_catalog_loader_missing (const SvCatalogLoader *loader)
{
  return loader->n_missing;
}

gboolean
sv_catalog_loader_has_more (const SvCatalogLoader *loader)
{
  return loader->has_more;
}

/* ── loading ── */

/* Somewhere that is asked, while a catalog is made. */
typedef struct
{
  gint64 lost_us; /* how long failures have taken */
  GError *fault;  /* once that is too long, the last one; NULL before */
} Place;

/* An index on its way to a catalog. */
typedef struct
{
  SvCatalogLoader *loader;
  SvReader *reader;
  SvCatalog *catalog;
  const SvCatalog *last; /* or NULL */
  guint64 block;
  guint n_ahead;      /* opened ahead of time */
  Place logs;         /* the store of the issue logs */
  Place origin;       /* where manifests are read from */
  char *last_reason;  /* why one was left out */
  GHashTable *opened; /* hash, the index's -> SvManifest that waits for its draw key */
} Loading;

/* A database that is another one than the window's log was published from would give ids that lie in published ranges, and
 * whoever holds shards against the log would reject honest ones. So nothing of a window is served before that is excluded. */
static gboolean
fence_window (SvCatalogLoader *loader, const char *window_id, GError **error)
{
  if (!sv_issue_files_fence (loader->store, loader->state, window_id, error))
    return FALSE;
  g_hash_table_add (loader->fenced, g_strdup (window_id));
  return TRUE;
}

/* What was verified before is taken as it is. */
static gboolean
take_from_last (const Loading *loading, const SvIndexEntry *entry)
{
  SvServedManifest *served = loading->last != NULL ? g_hash_table_lookup (loading->last->manifests, entry->hash) : NULL;
  if (served == NULL || !sv_reader_honours (served->manifest->document->signed_by, loading->reader) ||
      !sv_index_entry_agrees (entry, served->manifest, NULL))
    return FALSE;
  g_hash_table_insert (loading->catalog->manifests, g_strdup (entry->hash), sv_served_manifest_ref (served));
  return TRUE;
}

/* It is tried again at every step, and told of once; many for the same reason are told of by their first. */
static void
leave_out (Loading *loading, const char *hash, const GError *error)
{
  SvCatalogLoader *loader = loading->loader;
  loader->n_missing++;
  if (sv_watch_is_told_by_keeper (loader->board, error, &loader->keys_away_us))
    return;
  gboolean is_same = g_strcmp0 (loading->last_reason, error->message) == 0;
  g_free (loading->last_reason);
  loading->last_reason = g_strdup (error->message);
  if (is_same || sv_http_is_given_up ())
    return;
  if (g_hash_table_add (loader->left_out, g_strdup (hash)))
    sv_log ("warning", "manifest left out", "manifest", hash, "reason", error->message, NULL);
}

/* Takes @failure, of something that was asked for from @began_us on. */
static void
note_failure (Loading *loading, Place *place, const char *hash, gint64 began_us, GError *failure, GError **error)
{
  g_hash_table_replace (loading->loader->in_vain, g_strdup (hash), GUINT_TO_POINTER (loading->loader->n_catalogs));
  place->lost_us += g_get_monotonic_time () - began_us;
  if (place->lost_us >= MAX_LOST_US && place->fault == NULL)
    place->fault = g_error_copy (failure);
  g_propagate_error (error, failure);
}

static gboolean
fence_entry (Loading *loading, const SvIndexEntry *entry, GError **error)
{
  SvCatalogLoader *loader = loading->loader;
  GError *failure = NULL;
  gint64 began_us = g_get_monotonic_time ();
  if (g_hash_table_contains (loader->fenced, entry->window_id))
    return TRUE;
  if (loading->logs.fault != NULL)
  {
    g_propagate_error (error, g_error_copy (loading->logs.fault));
    return FALSE;
  }
  if (fence_window (loader, entry->window_id, &failure))
    return TRUE;
  g_prefix_error (&failure, "its published issue log cannot be looked at: ");
  note_failure (loading, &loading->logs, entry->hash, began_us, failure, error);
  return FALSE;
}

/* Its JSON is several times as large as what challenges need of it. */
static void
open_entry (Loading *loading, const SvIndexEntry *entry, GError **error)
{
  GError *failure = NULL;
  gint64 began_us = g_get_monotonic_time ();
  if (loading->origin.fault != NULL && !sv_has_cached_manifest (loading->reader, entry->hash))
  {
    g_propagate_error (error, g_error_copy (loading->origin.fault));
    return;
  }
  SvManifest *manifest = sv_fetch_entry_manifest (loading->reader, entry, &failure);
  if (manifest == NULL)
  {
    note_failure (loading, &loading->origin, entry->hash, began_us, failure, error);
    return;
  }
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
    loading->loader->has_more = TRUE;
    return;
  }
  loading->n_ahead += is_ahead ? 1 : 0;
  if (fence_entry (loading, entry, &error))
    open_entry (loading, entry, &error);
  else
    loading->catalog->n_unfenced += is_ahead ? 0 : 1;
  if (error != NULL)
    leave_out (loading, entry->hash, error);
}

static void
list_open (const Loading *loading, const GPtrArray *entries, GPtrArray *list)
{
  for (guint i = 0; i < entries->len; i++)
    if (!sv_entry_expired (g_ptr_array_index (entries, i), loading->block))
      g_ptr_array_add (list, g_ptr_array_index (entries, i));
}

static gint
compare_turns (gconstpointer a, gconstpointer b, gpointer data)
{
  const Loading *loading = data;
  const SvIndexEntry *const *first = a, *const *second = b;
  gboolean is_ahead[] = { !sv_entry_in_force (*first, loading->block), !sv_entry_in_force (*second, loading->block) };
  guint in_vain[] = { GPOINTER_TO_UINT (g_hash_table_lookup (loading->loader->in_vain, (*first)->hash)),
                      GPOINTER_TO_UINT (g_hash_table_lookup (loading->loader->in_vain, (*second)->hash)) };
  if (is_ahead[0] != is_ahead[1])
    return is_ahead[0] - is_ahead[1];
  return (in_vain[0] > in_vain[1]) - (in_vain[0] < in_vain[1]);
}

/* Otherwise in the index's order. */
static void
load_manifests (Loading *loading, const SvIndex *index)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  list_open (loading, index->entries, list);
  list_open (loading, index->superseded, list);
  g_ptr_array_sort_with_data (list, compare_turns, loading);
  for (guint i = 0; i < list->len; i++)
    load_entry (loading, list->pdata[i]);
}

static void
serve_manifest (Loading *loading, const char *hash, const guint8 draw_key[SV_STATE_KEY_SIZE])
{
  gpointer manifest;
  g_hash_table_steal_extended (loading->opened, hash, NULL, &manifest);
  g_hash_table_insert (loading->catalog->manifests, g_strdup (hash),
                       sv_served_manifest_new (manifest, &loading->loader->keys, draw_key));
  g_hash_table_remove (loading->loader->left_out, hash);
  g_hash_table_remove (loading->loader->in_vain, hash);
  loading->loader->keys_away_us = 0;
}

static gboolean
take_draw_keys (Loading *loading, const char *const *hashes, guint n, GError **error)
{
  guint8 (*keys)[SV_STATE_KEY_SIZE] = sodium_allocarray (n, sizeof *keys);
  g_assert (keys != NULL);
  gboolean ok = sv_state_draw_keys (loading->loader->state, hashes, n, keys, error);
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
      leave_out (loading, hashes[i], error);
    else if (!take_draw_keys (loading, &hashes[i], 1, &own))
      leave_out (loading, hashes[i], own);
  }
}

static void
free_manifest (gpointer manifest)
{
  sv_manifest_free (manifest);
}

/* ── an index ── */

SvCatalog *
sv_catalog_load (SvCatalogLoader *loader, const SvCatalogSource *source, SvIndex *index)
{
  Loading loading = { .loader = loader, .reader = source->reader, .last = source->last, .block = source->block };
  loading.catalog = sv_catalog_new (index);
  loading.opened = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_manifest);
  loader->n_missing = 0;
  loader->has_more = FALSE;
  loader->n_catalogs++;
  if (g_error_matches (source->away, SV_ERROR, SV_ERROR_UNREACHABLE))
    loading.origin.fault = g_error_copy (source->away);
  load_manifests (&loading, index);
  serve_opened (&loading);
  g_hash_table_unref (loading.opened);
  g_free (loading.last_reason);
  g_clear_error (&loading.logs.fault);
  g_clear_error (&loading.origin.fault);
  return loading.catalog;
}
