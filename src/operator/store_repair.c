/* Repairs go round by round: a repaired index names what may be missing, a repaired archive names an earlier one, a repaired
 * statement tells the hash of the one before it. Every round writes only what hashes to its name, or an index that a reader
 * would take and of which no newer one is known, so each may be the last one before a crash. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "distribution/mirrors.h"
#include "distribution/recovery.h"
#include "operator/store_check_state.h"
#include "operator/store_index_place.h"
#include "operator/store_issued.h"

/* ── content, from wherever it still is ── */

static char *
shown_key (const SvStoreFault *fault)
{
  return fault->kind == SV_STORE_MANIFEST ? sv_manifest_key (fault->hash) : g_strdup (fault->key);
}

static GBytes *
find_other_name (SvStoreCheck *check, const SvStoreFault *fault, char **source)
{
  if (fault->kind != SV_STORE_MANIFEST)
    return NULL;
  char *keys[] = { sv_manifest_key (fault->hash), sv_manifest_key_prefixed (fault->hash) };
  GBytes *bytes = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    if (bytes == NULL && strcmp (keys[i], fault->key) != 0)
      bytes = sv_store_get (check->store, keys[i], fault->hash, SV_MANIFEST_MAX_SIZE, NULL);
    g_free (keys[i]);
  }
  *source = bytes != NULL ? g_strdup ("its other name") : NULL;
  return bytes;
}

static GBytes *
find_outside (SvStoreCheck *check, const SvStoreFault *fault, char **source)
{
  g_auto (GStrv) urls = sv_store_public_urls (check->config);
  if (urls[0] == NULL)
    return NULL;
  g_autofree char *key = shown_key (fault);
  g_autoptr (SvMirrors) mirrors = sv_mirrors_new (check->config, (const char *const *)urls);
  GBytes *bytes = sv_mirrors_get_by_hash (mirrors, key, fault->hash, SV_INDEX_MAX_SIZE, NULL);
  *source = bytes != NULL ? g_strdup (sv_mirrors_name (mirrors)) : NULL;
  return bytes;
}

static GBytes *
find_content (SvStoreCheck *check, const SvStoreFault *fault, char **source)
{
  GBytes *bytes = find_other_name (check, fault, source);
  if (bytes == NULL && (bytes = sv_recover_by_hash (check->reader, fault->hash, SV_INDEX_MAX_SIZE)) != NULL)
    *source = g_strdup (fault->kind == SV_STORE_SIGNERS ? "this home's memory" : "this home's cache");
  return bytes != NULL ? bytes : find_outside (check, fault, source);
}

/* Puts an object instead of what is there, if anything, and counts it. */
static gboolean
put_instead (SvStoreCheck *check, const SvStoreFault *fault, GBytes *bytes, const SvPutOptions *options, GError **error)
{
  SvStoreTally *tally = &check->report.tallies[fault->kind];
  guint64 size = 0;
  gboolean was_there = sv_object_store_head (check->store, fault->key, &size, NULL);
  g_autofree char *etag = sv_object_store_put (check->store, fault->key, bytes, options, error);
  if (etag == NULL)
    return FALSE;
  tally->objects += !was_there;
  tally->bytes += g_bytes_get_size (bytes) - MIN (size, tally->bytes);
  return TRUE;
}

/* Also over what is there: it is not what its name says. What was written is read again before it counts. */
static gboolean
put_content (SvStoreCheck *check, const SvStoreFault *fault, GBytes *bytes, GError **error)
{
  SvPutOptions options = sv_store_put_options (fault->kind);
  gboolean is_put = put_instead (check, fault, bytes, &options, error);
  g_autoptr (GBytes) written =
      is_put ? sv_store_get (check->store, fault->key, fault->hash, g_bytes_get_size (bytes), error) : NULL;
  return written != NULL;
}

static gboolean
repair_content (SvStoreCheck *check, SvStoreFault *fault, char **source, GError **error)
{
  g_autoptr (GBytes) bytes = find_content (check, fault, source);
  if (bytes == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
                 "no sound copy was found: neither in this store nor in this home nor at R2_PUBLIC_URL; name a mirror "
                 "with --public-url, or copy the object from a backup");
    return FALSE;
  }
  if (!put_content (check, fault, bytes, error))
    return FALSE;
  SvStoreName name = sv_store_name_read (fault->key);
  if (name.kind == SV_STORE_SIGNERS && g_hash_table_lookup (check->states, fault->key) == NULL)
    g_array_append_val (check->statements, name.number);
  g_hash_table_replace (check->states, g_strdup (fault->key), GINT_TO_POINTER (SV_OBJECT_SOUND));
  return TRUE;
}

/* ── the index ── */

/* The newest that can be had: what mirrors show, if a reader takes it, else what this home remembers. */
static SvIndex *
find_index (SvStoreCheck *check, char **source, GError **error)
{
  g_auto (GStrv) urls = sv_store_public_urls (check->config);
  g_autoptr (SvReader) outside = urls[0] != NULL ? sv_reader_new (check->config, check->chain, NULL, NULL) : NULL;
  SvIndex *index = outside != NULL ? sv_fetch_index (outside, SV_FETCH_BYPASS_CACHES, NULL) : NULL;
  *source = index != NULL ? g_strjoinv (", ", urls) : g_strdup ("this home's memory");
  return index != NULL ? index : sv_recover_index (check->reader, error);
}

/* What is signed is somebody's, also where he is not trusted here: it is not ours to replace, unless it is below what is
 * known. */
static gboolean
may_replace (const SvIndex *other, const SvIndex *index, GError **error)
{
  if (!sv_chain_id_equal (&other->chain, &index->chain))
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "it is left alone, because it is signed and of another chain or subnet; see that SCOREVISION_STORE and the "
                 "chain belong together");
  else if (other->sequence >= index->sequence)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "it is left alone, because it is signed (by %s), and its sequence %" G_GUINT64_FORMAT
                 " is not below %" G_GUINT64_FORMAT
                 ", that of the newest index that can be brought back; if that account is the operator's, add it to "
                 "SCOREVISION_MANIFEST_SIGNERS, and if it was revoked or retired, `sv manifest publish FILE --rebuild-index` "
                 "goes on without it",
                 other->document->signed_by, other->sequence, index->sequence);
  else
    return TRUE;
  return FALSE;
}

static gboolean
put_index (SvStoreCheck *check, const SvStoreFault *fault, const SvIndex *index, GError **error)
{
  g_auto (SvIndexPlace) there = { 0 };
  if (!sv_index_place_read (check->store, &there, error) || (there.index != NULL && !may_replace (there.index, index, error)))
    return FALSE;
  const SvPutOptions options = sv_index_place_put_options (&there);
  return put_instead (check, fault, index->document->bytes, &options, error);
}

/* Somebody else may have put the index right since it was read. */
static gboolean
is_right_now (SvStoreCheck *check, char **source)
{
  g_autoptr (SvIndex) index = sv_fetch_index (check->reader, SV_FETCH_BYPASS_CACHES, NULL);
  if (index == NULL)
    return FALSE;
  *source = g_strdup ("elsewhere, by somebody else meanwhile");
  return TRUE;
}

static gboolean
repair_index (SvStoreCheck *check, SvStoreFault *fault, char **source, GError **error)
{
  if (is_right_now (check, source))
    return TRUE;
  g_autoptr (GError) failure = NULL;
  if (!sv_knows_anchor (check->reader))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "the chain cannot be asked which index is the newest; run the same command again when it answers");
    return FALSE;
  }
  g_autoptr (SvIndex) index = find_index (check, source, &failure);
  if (index != NULL)
    return put_index (check, fault, index, error);
  g_set_error (error, SV_ERROR, failure->code,
               "no index can be brought back from here: %s; bring scorevision/index.json back from a mirror (--public-url URL) "
               "or a backup",
               failure->message);
  return FALSE;
}

/* ── all of it ── */

static gboolean
repair_fault (SvStoreCheck *check, SvStoreFault *fault)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *source = NULL;
  gboolean ok = fault->remedy == SV_REMEDY_INDEX ? repair_index (check, fault, &source, &failure)
                                                 : repair_content (check, fault, &source, &failure);
  fault->remedy = SV_REMEDY_NONE; /* tried */
  if (ok)
  {
    fault->repaired_from = g_steal_pointer (&source);
    check->report.tallies[fault->kind].repaired++;
    return TRUE;
  }
  g_free (fault->advice);
  fault->advice = g_strdup (failure->message);
  return FALSE;
}

/* Faults that were found before this round. */
static guint
repair_round (SvStoreCheck *check)
{
  guint n_repaired = 0;
  for (guint i = 0; i < check->report.faults->len; i++)
  {
    SvStoreFault *fault = check->report.faults->pdata[i];
    if (fault->remedy == SV_REMEDY_NONE || fault->repaired_from != NULL)
      continue;
    if (check->options.progress != NULL)
      check->options.progress (check->objects, check->bytes, fault->key, check->options.data);
    n_repaired += repair_fault (check, fault);
  }
  return n_repaired;
}

/* The probe of a process that is at work lasts seconds: what is there after a minute still is nobody's any more. */
static gboolean
remove_probes (SvStoreCheck *check, GError **error)
{
  gint64 until = check->probes_at_us + (gint64)check->options.probe_patience_ms * 1000;
  gint64 wait = until - g_get_monotonic_time ();
  if (check->probes->len > 0 && check->options.progress != NULL)
    check->options.progress (check->objects, check->bytes, check->probes->pdata[0], check->options.data);
  if (check->probes->len > 0 && wait > 0)
    g_usleep ((gulong)wait);
  while (check->probes->len > 0)
  {
    if (!sv_object_store_delete (check->store, check->probes->pdata[0], error))
      return FALSE;
    g_ptr_array_remove_index (check->probes, 0);
    check->report.tallies[SV_STORE_PROBE].repaired++;
  }
  return TRUE;
}

gboolean
sv_store_check_repair (SvStoreCheck *check, GError **error)
{
  gboolean had_index = check->index != NULL;
  while (repair_round (check) > 0)
    if (!sv_store_check_index (check, error) || !sv_store_check_named (check, error) ||
        !sv_store_check_statements (check, error))
      return FALSE;
  if (!remove_probes (check, error))
    return FALSE;
  if (!had_index && !sv_store_check_issued (check, error))
    return FALSE;
  if (!had_index && check->index != NULL)
    sv_store_check_public (check);
  sv_store_write_notes (check);
  return TRUE;
}
