#include "runner/rotation.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"

#define MAX_PLACE 1024

/* One miner's element that can be asked for. */
typedef struct
{
  char *key; /* "HOTKEY ELEMENT", by which the rotation is ordered */
  char *miner;
  const SvBoundElement *bound; /* in one of the folds or receipts below */
} Candidate;

struct SvRotation
{
  const SvConfig *config;
  char **miners;
  char *own;
  char *element;       /* named, or NULL */
  char *slug;          /* named, or NULL */
  char *last;          /* key of the last one done */
  char *manifest_hash; /* of the manifest that the candidates were chosen for, and its window */
  char *window_id;
  GPtrArray *candidates; /* of Candidate, by key */
  GPtrArray *folds;      /* of SvFold: where other miners' bindings are held */
  SvReceipts *receipts;  /* the wallet's own */
};

static void
candidate_free (gpointer data)
{
  Candidate *candidate = data;
  g_free (candidate->key);
  g_free (candidate->miner);
  g_free (candidate);
}

static char *
place_path (const SvConfig *config)
{
  return sv_config_home_path (config, "runner/rotation");
}

SvRotation *
sv_rotation_new (const SvConfig *config, const char *const *miners, const char *own, const char *element, const char *slug)
{
  SvRotation *rotation = g_new0 (SvRotation, 1);
  rotation->config = config;
  rotation->miners = g_strdupv ((char **)miners);
  rotation->own = g_strdup (own);
  rotation->element = g_strdup (element);
  rotation->slug = g_strdup (slug);
  rotation->candidates = g_ptr_array_new_with_free_func (candidate_free);
  rotation->folds = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_fold_free);
  g_autofree char *path = place_path (config);
  g_autoptr (GBytes) place = sv_file_read (path, MAX_PLACE, NULL);
  if (place != NULL)
    rotation->last = g_strndup (g_bytes_get_data (place, NULL), g_bytes_get_size (place));
  return rotation;
}

static void
forget_bindings (SvRotation *rotation)
{
  g_ptr_array_set_size (rotation->candidates, 0);
  g_ptr_array_set_size (rotation->folds, 0);
  g_clear_pointer (&rotation->receipts, sv_receipts_free);
  g_clear_pointer (&rotation->manifest_hash, g_free);
  g_clear_pointer (&rotation->window_id, g_free);
}

void
sv_rotation_free (SvRotation *rotation)
{
  if (rotation == NULL)
    return;
  forget_bindings (rotation);
  g_ptr_array_unref (rotation->candidates);
  g_ptr_array_unref (rotation->folds);
  g_strfreev (rotation->miners);
  g_free (rotation->own);
  g_free (rotation->element);
  g_free (rotation->slug);
  g_free (rotation->last);
  g_free (rotation);
}

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(const Candidate *const *)a)->key, (*(const Candidate *const *)b)->key);
}

/* An element that a superseding manifest has dropped is bound still, but nobody hands out work for it. */
static void
add_candidate (SvRotation *rotation, const SvManifest *manifest, const char *miner, const SvBoundElement *bound)
{
  if (sv_manifest_find_element (manifest, bound->binding.element_id) == NULL)
    return;
  if (rotation->element != NULL && strcmp (rotation->element, bound->binding.element_id) != 0)
    return;
  if (rotation->slug != NULL && strcmp (rotation->slug, bound->binding.chute_slug) != 0)
    return;
  Candidate *candidate = g_new0 (Candidate, 1);
  candidate->key = g_strdup_printf ("%s %s", miner, bound->binding.element_id);
  candidate->miner = g_strdup (miner);
  candidate->bound = bound;
  g_ptr_array_add (rotation->candidates, candidate);
}

/* ── where bindings come from ── */

static gboolean
load_other (SvRotation *rotation, SvChain *chain, const SvManifest *manifest, const char *miner, GError **error)
{
  SvFold *fold = sv_refresh_commitments (rotation->config, chain, miner, manifest->window_id, manifest->start_block,
                                         manifest->expiry_block, error);
  if (fold == NULL)
    return FALSE;
  g_ptr_array_add (rotation->folds, fold);
  GHashTableIter iter;
  gpointer bound;
  g_hash_table_iter_init (&iter, fold->bound);
  while (g_hash_table_iter_next (&iter, NULL, &bound))
    add_candidate (rotation, manifest, miner, bound);
  return TRUE;
}

static gboolean
refresh_own (SvRotation *rotation, SvChain *chain, const SvManifest *manifest, GError **error)
{
  g_autoptr (SvFold) fold = sv_refresh_commitments (rotation->config, chain, rotation->own, manifest->window_id,
                                                    manifest->start_block, manifest->expiry_block, error);
  return fold != NULL && sv_receipts_write (rotation->config, fold, rotation->own, manifest->expiry_block, error);
}

static gboolean
add_own (SvRotation *rotation, const SvManifest *manifest, GError **error)
{
  g_clear_pointer (&rotation->receipts, sv_receipts_free);
  rotation->receipts = sv_receipts_read (rotation->config, manifest->window_id, rotation->own, error);
  if (rotation->receipts == NULL)
    return FALSE;
  for (guint i = 0; i < rotation->receipts->bound->len; i++)
    add_candidate (rotation, manifest, rotation->own, g_ptr_array_index (rotation->receipts->bound, i));
  return TRUE;
}

/* From the receipts; where these, or what is wanted in them, are missing or expired, after one refresh. */
static gboolean
load_own (SvRotation *rotation, SvChain *chain, const SvManifest *manifest, guint64 block, gboolean refresh, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!refresh && add_own (rotation, manifest, &local) && rotation->receipts->expires_at_block > block &&
      rotation->candidates->len > 0)
    return TRUE;
  if (g_error_matches (local, SV_ERROR, SV_ERROR_CONFLICT))
  {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_ptr_array_set_size (rotation->candidates, 0);
  return refresh_own (rotation, chain, manifest, error) && add_own (rotation, manifest, error);
}

gboolean
sv_get_commitment_proofs (SvRotation *rotation, SvChain *chain, const SvManifest *manifest, guint64 block, gboolean refresh,
                          GError **error)
{
  if (!refresh && g_strcmp0 (rotation->manifest_hash, manifest->hash) == 0)
    return TRUE;
  forget_bindings (rotation);
  gboolean loaded = TRUE;
  if (rotation->miners[0] == NULL)
    loaded = load_own (rotation, chain, manifest, block, refresh, error);
  for (gsize i = 0; loaded && rotation->miners[i] != NULL; i++)
    loaded = load_other (rotation, chain, manifest, rotation->miners[i], error);
  if (!loaded)
    return FALSE;
  g_ptr_array_sort (rotation->candidates, compare_candidates);
  rotation->manifest_hash = g_strdup (manifest->hash);
  rotation->window_id = g_strdup (manifest->window_id);
  return TRUE;
}

/* ── choosing ── */

static void
set_nothing_bound (const SvRotation *rotation, GError **error)
{
  gboolean is_own = rotation->miners[0] == NULL;
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "no commitment%s%s%s%s in window %s; %s",
               rotation->element != NULL ? " for " : "", rotation->element != NULL ? rotation->element : "",
               rotation->slug != NULL ? " on chute " : "", rotation->slug != NULL ? rotation->slug : "", rotation->window_id,
               is_own ? "commit with `sv miner commit`, or see what is committed with `sv miner commitments`"
                      : "the miners named with --miner have not committed to it");
}

const SvBoundElement *
sv_select_element_from_commitments (SvRotation *rotation, const char **miner, GError **error)
{
  if (rotation->candidates->len == 0)
  {
    set_nothing_bound (rotation, error);
    return NULL;
  }
  const Candidate *chosen = g_ptr_array_index (rotation->candidates, 0);
  for (guint i = 0; rotation->last != NULL && i < rotation->candidates->len; i++)
  {
    const Candidate *candidate = g_ptr_array_index (rotation->candidates, i);
    if (strcmp (candidate->key, rotation->last) > 0)
    {
      chosen = candidate;
      break;
    }
  }
  *miner = chosen->miner;
  return chosen->bound;
}

void
sv_rotation_done (SvRotation *rotation, const char *miner, const SvBoundElement *bound)
{
  g_autofree char *path = place_path (rotation->config);
  g_free (rotation->last);
  rotation->last = g_strdup_printf ("%s %s", miner, bound->binding.element_id);
  /* A lost place only means that an element comes up twice. */
  if (!sv_file_write (path, rotation->last, strlen (rotation->last), 0600, NULL))
    g_debug ("the place in the rotation was not kept");
}
