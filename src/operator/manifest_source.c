/* A name is tried in an order in which nothing can be mistaken: `active` and hashes have forms of their own; a file that
 * exists was meant as one; what remains is a window. */
#include "operator/manifest_source.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"

void
sv_manifest_source_free (SvManifestSource *source)
{
  if (source == NULL)
    return;
  g_free (source->title);
  json_decref (source->json);
  g_clear_pointer (&source->manifest, sv_manifest_free);
  g_free (source);
}

static SvManifestSource *
source_from_manifest (const char *name, SvManifest *manifest)
{
  if (manifest == NULL)
    return NULL;
  SvManifestSource *source = g_new0 (SvManifestSource, 1);
  source->title = strcmp (name, manifest->hash) == 0
                      ? g_strdup_printf ("%s (window %s)", manifest->hash, manifest->window_id)
                      : g_strdup_printf ("%s (window %s, %s)", name, manifest->window_id, manifest->hash);
  source->json = json_incref (manifest->json);
  source->manifest = manifest;
  return source;
}

static SvManifestSource *
load_active (const SvSourceEngines *engines, GError **error)
{
  SvHead head;
  SvReader *reader = engines->need_reader (engines->data, error);
  SvChain *chain = reader != NULL ? engines->need_chain (engines->data, error) : NULL;
  if (chain == NULL || !sv_chain_head (chain, &head, error))
    return NULL;
  return source_from_manifest ("active", sv_get_current_manifest (reader, head.best.number, error));
}

static SvManifestSource *
load_hash (const char *hash, const SvSourceEngines *engines, GError **error)
{
  SvReader *reader = engines->need_reader (engines->data, error);
  return reader != NULL ? source_from_manifest (hash, sv_fetch_manifest (reader, hash, error)) : NULL;
}

static SvManifestSource *
load_window (const char *window_id, const SvSourceEngines *engines, GError **error)
{
  SvReader *reader = engines->need_reader (engines->data, error);
  g_autoptr (SvIndex) index = reader != NULL ? sv_fetch_index (reader, SV_FETCH_NORMAL, error) : NULL;
  if (index == NULL)
    return NULL;
  const SvIndexEntry *entry = sv_index_find_live (index, window_id);
  g_autoptr (SvIndex) history = entry == NULL ? sv_fetch_history (reader, index, error) : NULL;
  if (history != NULL)
    entry = sv_index_find_live (history, window_id);
  if (entry != NULL)
    return source_from_manifest (window_id, sv_fetch_entry_manifest (reader, entry, error));
  if (history != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
                 "%s is neither a file nor a window of the index or its archive; `sv manifest list --all` shows the windows",
                 window_id);
  return NULL;
}

/* ── files ── */

/* A stored document is JSON with a signature; anything else was authored. */
static gboolean
is_stored (const json_t *json)
{
  return json_object_get (json, "signature") != NULL;
}

static SvManifest *
open_stored_file (const char *path, GBytes *bytes, GError **error)
{
  SvManifest *manifest = sv_manifest_open (bytes, NULL, NULL, NULL, NULL, error);
  if (manifest == NULL)
    g_prefix_error (error, "%s: ", path);
  return manifest;
}

static SvManifestSource *
load_file (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = sv_file_read (path, SV_MANIFEST_MAX_SIZE, error);
  if (bytes == NULL)
    return NULL;
  g_autoptr (SvAuthoredManifest) authored = sv_authored_manifest_read (path, bytes, error);
  if (authored == NULL)
    return NULL;
  if (is_stored (authored->json))
    return source_from_manifest (path, open_stored_file (path, bytes, error));
  if (!sv_authored_manifest_check (authored, FALSE, error))
    return NULL;
  g_autoptr (SvManifest) manifest = sv_manifest_from_authored (authored->json, error);
  if (manifest == NULL)
    return NULL;
  SvManifestSource *source = g_new0 (SvManifestSource, 1);
  source->title = g_strdup_printf ("%s (window %s, not published)", path, manifest->window_id);
  source->json = json_incref (manifest->json);
  source->manifest = g_steal_pointer (&manifest);
  return source;
}

SvManifestSource *
sv_manifest_source_load (const char *name, const SvSourceEngines *engines, GError **error)
{
  if (strcmp (name, "active") == 0)
    return load_active (engines, error);
  g_autofree char *hash = sv_hash_normalize (name);
  if (hash != NULL)
    return load_hash (hash, engines, error);
  if (g_file_test (name, G_FILE_TEST_EXISTS) || !sv_window_id_is_valid (name))
    return load_file (name, error);
  return load_window (name, engines, error);
}
