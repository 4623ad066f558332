/* A server says these things in its log, when they have become true; who checks before a start wants to know them then. The
 * windows looked at are those in force and the next few, since a store can hold a thousand that are far away. */
#include "api/manifests_check.h"

#include "base/error.h"
#include "distribution/reader.h"
#include "keys/keypair.h"
#include "protocol/window.h"
#include "state/state.h"

#define MAX_AHEAD 8

typedef struct
{
  SvReader *reader;
  SvKeypair *keypair;  /* or NULL */
  GHashTable *clips;   /* hashes of the registered ones; NULL: unknown */
  GHashTable *missing; /* hash -> NULL */
  char *unsigned_window;
  char *unsigned_issuers;
  char *clipless_window;
  char *fault; /* of the first manifest that cannot be had */
  guint n_manifests;
  guint n_failed;
} Look;

static void
look_clear (Look *look)
{
  g_clear_pointer (&look->keypair, sv_keypair_free);
  g_clear_pointer (&look->clips, g_hash_table_unref);
  g_clear_pointer (&look->missing, g_hash_table_unref);
  g_free (look->unsigned_window);
  g_free (look->unsigned_issuers);
  g_free (look->clipless_window);
  g_free (look->fault);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Look, look_clear)

/* (transfer full) or NULL. */
static GHashTable *
read_clips (const SvConfig *config)
{
  g_autoptr (SvState) state = sv_state_open (config, NULL);
  g_autoptr (GPtrArray) list = state != NULL ? sv_state_list_clips (state, NULL) : NULL;
  if (list == NULL)
    return NULL;
  GHashTable *clips = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < list->len; i++)
    g_hash_table_add (clips, g_strdup (((const SvClip *)list->pdata[i])->hash));
  return clips;
}

static void
look_at_issuers (Look *look, const SvManifest *manifest)
{
  if (look->keypair == NULL || look->unsigned_window != NULL ||
      g_strv_contains ((const char *const *)manifest->issuers, sv_keypair_address (look->keypair)))
    return;
  look->unsigned_window = g_strdup (manifest->window_id);
  look->unsigned_issuers = g_strjoinv (", ", manifest->issuers);
}

static void
look_at_clips (Look *look, const SvManifest *manifest)
{
  for (gsize i = 0; look->clips != NULL && i < manifest->n_elements; i++)
    for (gsize j = 0; j < manifest->elements[i].n_clips; j++)
    {
      const char *hash = manifest->elements[i].clips[j].hash;
      if (g_hash_table_contains (look->clips, hash))
        continue;
      g_hash_table_add (look->missing, g_strdup (hash));
      if (look->clipless_window == NULL)
        look->clipless_window = g_strdup (manifest->window_id);
    }
}

static void
look_at_entry (Look *look, const SvIndexEntry *entry)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (look->reader, entry, &error);
  if (manifest == NULL)
  {
    look->n_failed++;
    if (look->fault == NULL)
      look->fault = g_strdup (error->message);
    return;
  }
  look->n_manifests++;
  look_at_issuers (look, manifest);
  look_at_clips (look, manifest);
}

static void
look_at_windows (Look *look, const SvIndex *index, guint64 block)
{
  guint n_ahead = 0;
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = index->entries->pdata[i];
    gboolean is_ahead = !sv_entry_in_force (entry, block);
    if (sv_entry_expired (entry, block) || (is_ahead && ++n_ahead > MAX_AHEAD))
      continue;
    look_at_entry (look, entry);
  }
}

/* (transfer full) what to say of issuers; NULL: nothing. */
static char *
tell_issuers (const Look *look)
{
  if (look->unsigned_window == NULL)
    return NULL;
  const char *own = sv_keypair_address (look->keypair);
  return g_strdup_printf ("the issue log of window %s will not be published: this server runs with hotkey %s, and the "
                          "manifest's issuers are %s; run it with one of these (BITTENSOR_WALLET_COLD, _HOT), or publish a "
                          "manifest with %s in `issuers`",
                          look->unsigned_window, own, *look->unsigned_issuers != '\0' ? look->unsigned_issuers : "nobody", own);
}

static char *
tell_clips (const Look *look)
{
  GHashTableIter iter;
  gpointer hash;
  g_hash_table_iter_init (&iter, look->missing);
  if (!g_hash_table_iter_next (&iter, &hash, NULL))
    return NULL;
  guint n = g_hash_table_size (look->missing);
  return g_strdup_printf ("nobody will get a challenge with %s of the windows served %s not registered here, such as %s of "
                          "window %s; add %s by `sv clip add FILE` with this SCOREVISION_DATABASE",
                          n == 1 ? "a clip" : "clips", n == 1 ? "that is" : "that are", (const char *)hash,
                          look->clipless_window, n == 1 ? "it" : "them");
}

static char *
tell_found (const Look *look, GError **error)
{
  if (look->n_failed > 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "%u of %u manifests cannot be had: %s", look->n_failed,
                 look->n_failed + look->n_manifests, look->fault);
    return NULL;
  }
  return g_strdup_printf ("%u manifest%s to be served", look->n_manifests, look->n_manifests == 1 ? "" : "s");
}

char *
sv_manifests_check (const SvConfig *config, char **issuers, char **clips, GError **error)
{
  SvHead head;
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvChain) chain = sv_chain_open (config, error);
  g_autoptr (SvReader) reader = chain != NULL ? sv_reader_new (config, chain, NULL, error) : NULL;
  if (reader == NULL || !sv_chain_head (chain, &head, error))
    return NULL;
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &failure);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return g_strdup ("nothing was published yet; `sv manifest publish` does that");
  if (index == NULL)
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  g_auto (Look) look = { .reader = reader,
                         .keypair = sv_wallet_load (config, NULL),
                         .clips = read_clips (config),
                         .missing = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  look_at_windows (&look, index, head.best.number);
  *issuers = tell_issuers (&look);
  *clips = tell_clips (&look);
  return tell_found (&look, error);
}
