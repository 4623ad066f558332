/* Manifests by hash, by index entry and by block. Verified bytes are kept in the cache. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "distribution/reader_state.h"

/* ── by hash ── */

/* *@is_had: there are bytes of that hash, whatever they are. */
static SvManifest *
fetch_by_hash (SvReader *reader, const char *hash, SvTrustFunc is_trusted, gboolean *is_had, GError **error)
{
  g_autoptr (GBytes) cached = sv_cache_read (reader, SV_CACHE_MANIFESTS, hash, SV_MANIFEST_MAX_SIZE);
  *is_had = TRUE;
  if (cached != NULL)
    return sv_manifest_open (cached, hash, &reader->id, is_trusted, reader, error);
  g_autofree char *key = sv_manifest_key (hash);
  g_autoptr (GBytes) bytes = sv_mirrors_get_by_hash (reader->mirrors, key, hash, SV_MANIFEST_MAX_SIZE, error);
  if (bytes == NULL)
  {
    *is_had = FALSE;
    g_prefix_error (error, "manifest %s: ", hash);
    return NULL;
  }
  g_autoptr (SvManifest) manifest = sv_manifest_open (bytes, hash, &reader->id, is_trusted, reader, error);
  if (manifest != NULL)
    sv_cache_write (reader, SV_CACHE_MANIFESTS, hash, bytes);
  else
    g_prefix_error (error, "not to be used, whoever named it: ");
  return g_steal_pointer (&manifest);
}

gboolean
sv_has_cached_manifest (const SvReader *reader, const char *hash)
{
  g_autoptr (GBytes) cached = sv_cache_read (reader, SV_CACHE_MANIFESTS, hash, SV_MANIFEST_MAX_SIZE);
  return cached != NULL;
}

static SvManifest *
fetch_honoured (SvReader *reader, const char *hash, gboolean *is_had, GError **error)
{
  *is_had = FALSE;
  if (!sv_hash_is_valid (hash))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "`%s` is not a manifest hash: sha256: and 64 hex digits", hash);
    return NULL;
  }
  return fetch_by_hash (reader, hash, sv_reader_honours, is_had, error);
}

/* Archives are vouched for by the index that names them. */
static gboolean
is_listed (SvReader *reader, const char *hash, gboolean *found, GError **error)
{
  g_autoptr (SvIndex) remembered = sv_remembered_index (reader, NULL);
  *found = remembered != NULL && sv_index_find_hash (remembered, hash) != NULL;
  if (*found)
    return TRUE;
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, error);
  *found = index != NULL && sv_index_find_hash (index, hash) != NULL;
  if (index == NULL || *found)
    return index != NULL;
  g_autoptr (SvIndex) history = sv_fetch_history (reader, index, error);
  *found = history != NULL && sv_index_find_hash (history, hash) != NULL;
  return history != NULL;
}

/* What is retired counts only where somebody trusted lists it. */
static gboolean
check_listed (SvReader *reader, const SvManifest *manifest, GError **error)
{
  const char *signer = manifest->document->signed_by;
  gboolean found;
  if (sv_reader_trusts (signer, reader))
    return TRUE;
  if (!is_listed (reader, manifest->hash, &found, error))
    g_prefix_error (error,
                    "manifest %s: signed by %s, which is retired, and it cannot be told whether it is listed: ", manifest->hash,
                    signer);
  else if (!found)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "manifest %s: signed by %s, which is retired, and no index of a trusted signer lists it", manifest->hash,
                 signer);
  else
    return TRUE;
  return FALSE;
}

SvManifest *
sv_fetch_manifest (SvReader *reader, const char *hash, GError **error)
{
  gboolean is_had;
  if (!reader->has_statements && !sv_reader_update_signers (reader, SV_FETCH_NORMAL, error))
    return NULL;
  g_autoptr (SvManifest) manifest = fetch_honoured (reader, hash, &is_had, error);
  return manifest != NULL && check_listed (reader, manifest, error) ? g_steal_pointer (&manifest) : NULL;
}

/* What the index names was put into the store before the index was. */
static void
explain_withheld (const SvReader *reader, const SvIndexEntry *entry, GError **error)
{
  if (error == NULL || !g_error_matches (*error, SV_ERROR, SV_ERROR_NOT_FOUND))
    return;
  g_prefix_error (error, "freeze: the manifest of window %s is in the index, and nowhere to be had: ", entry->window_id);
  (*error)->code = SV_ERROR_VERIFY;
  sv_mirrors_advise (reader->mirrors, *error);
}

SvManifest *
sv_judge_entry_manifest (SvReader *reader, const SvIndexEntry *entry, gboolean *is_refused, GError **error)
{
  g_autoptr (SvManifest) manifest = fetch_honoured (reader, entry->hash, is_refused, error);
  if (manifest == NULL)
    explain_withheld (reader, entry, error);
  if (manifest == NULL || !sv_index_entry_agrees (entry, manifest, error))
    return NULL;
  *is_refused = FALSE;
  return g_steal_pointer (&manifest);
}

SvManifest *
sv_fetch_entry_manifest (SvReader *reader, const SvIndexEntry *entry, GError **error)
{
  gboolean is_refused;
  return sv_judge_entry_manifest (reader, entry, &is_refused, error);
}

/* ── by block ── */

static SvManifest *
none_active (const SvIndex *index, guint64 block, GError **error)
{
  const SvIndexEntry *next = sv_window_upcoming (index, block);
  if (next != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
                 "no window is active at block %" G_GUINT64_FORMAT "; the next one, %s, starts at block %" G_GUINT64_FORMAT,
                 block, next->window_id, MAX (next->start_block, next->active_from));
  else
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
                 "no window is active at block %" G_GUINT64_FORMAT ", and none is announced; the operator publishes one with "
                 "`sv manifest publish`",
                 block);
  return NULL;
}

static SvManifest *
fetch_active (SvReader *reader, const SvIndex *index, guint64 block, GError **error)
{
  const SvIndexEntry *entry = sv_window_active (index, block);
  return entry != NULL ? sv_fetch_entry_manifest (reader, entry, error) : none_active (index, block, error);
}

/* The last verified active manifest while its window lasts. An index listed it when it was verified. */
static SvManifest *
fetch_last_active (SvReader *reader, guint64 block)
{
  const char *hash = sv_memory_active (reader->memory);
  gboolean is_had;
  g_autoptr (SvManifest) manifest = hash != NULL ? fetch_by_hash (reader, hash, sv_reader_honours, &is_had, NULL) : NULL;
  if (manifest == NULL || block < manifest->start_block || block >= manifest->expiry_block)
    return NULL;
  return g_steal_pointer (&manifest);
}

/* What there is to go on with when the index or its manifest cannot be had or is refused (@reason). An index that was had is
 * the remembered one by now, and its manifest is not asked for again. */
static SvManifest *
fall_back (SvReader *reader, guint64 block, gboolean had_index, const GError *reason)
{
  g_autoptr (SvIndex) index = had_index ? NULL : sv_remembered_index (reader, NULL);
  g_autoptr (SvManifest) manifest = index != NULL ? fetch_active (reader, index, block, NULL) : NULL;
  if (manifest == NULL)
    manifest = fetch_last_active (reader, block);
  if (manifest != NULL)
    sv_log ("warning", "using the last verified manifest", "manifest", manifest->hash, "window", manifest->window_id, "reason",
            reason->message, NULL);
  return g_steal_pointer (&manifest);
}

SvManifest *
sv_get_current (SvReader *reader, guint64 block, SvIndex **index, GError **error)
{
  GError *local = NULL;
  *index = NULL;
  g_autoptr (SvIndex) fetched = sv_fetch_index (reader, SV_FETCH_NORMAL, &local);
  g_autoptr (SvManifest) manifest = fetched != NULL ? fetch_active (reader, fetched, block, &local) : NULL;
  if (manifest != NULL)
  {
    if (!sv_memory_remember_active (reader->memory, manifest->hash, error))
      return NULL;
    *index = g_steal_pointer (&fetched);
    return g_steal_pointer (&manifest);
  }
  gboolean is_none_active = fetched != NULL && sv_window_active (fetched, block) == NULL;
  if (!is_none_active)
    manifest = fall_back (reader, block, fetched != NULL, local);
  if (manifest != NULL)
    g_error_free (local);
  else
    g_propagate_error (error, local);
  return g_steal_pointer (&manifest);
}

SvManifest *
sv_get_current_manifest (SvReader *reader, guint64 block, GError **error)
{
  g_autoptr (SvIndex) index = NULL;
  return sv_get_current (reader, block, &index, error);
}

/* ── on the chain ── */

#define MAX_ANCESTORS 1024

const char *
sv_anchor_state_name (SvAnchorState state)
{
  static const char *const names[] = { "anchored", "pending", "unanchored" };
  return names[state];
}

/* Follows `previous` from the anchored manifest. The hash chain itself vouches for each step, so a signer that was trusted
 * once and is not any more does not break it. */
static gboolean
is_ancestor (SvReader *reader, const char *from, const char *sought, gboolean *found, GError **error)
{
  g_autofree char *hash = g_strdup (from);
  *found = FALSE;
  for (guint step = 0; hash != NULL && step <= MAX_ANCESTORS; step++)
  {
    if (strcmp (hash, sought) == 0)
    {
      *found = TRUE;
      return TRUE;
    }
    gboolean is_had;
    g_autoptr (SvManifest) manifest = fetch_by_hash (reader, hash, NULL, &is_had, error);
    if (manifest == NULL)
      return FALSE;
    g_free (hash);
    hash = g_strdup (manifest->previous);
  }
  return TRUE;
}

gboolean
sv_anchor_state (SvReader *reader, const SvIndex *index, const SvIndexEntry *entry, SvAnchorState *state, GError **error)
{
  if (!sv_reader_refresh_trust (reader, error))
    return FALSE;
  if (!reader->has_anchor)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "no chain can be asked whether manifest %s is anchored", entry->hash);
    return FALSE;
  }
  gboolean found = FALSE;
  if (reader->anchor != NULL && !is_ancestor (reader, reader->anchor->hash, entry->hash, &found, error))
    return FALSE;
  guint64 sequence = reader->anchor != NULL ? reader->anchor->sequence : 0;
  if (found)
    *state = SV_ANCHORED;
  else
    *state = entry->added_sequence > sequence ? SV_ANCHOR_PENDING : SV_UNANCHORED;
  return TRUE;
}
