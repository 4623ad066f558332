/* The index update, which also moves long expired entries into the archive. Ten publishers may swap at once: each reads the
 * index with its ETag, edits, signs, and puts it under the condition that the ETag is still the same. Who loses waits a random
 * while, longer each time, and does everything anew on the winner's index, so that `previous`, the overlap check and the
 * sequence always follow from the index that is replaced. A crash before the swap leaves at most objects that nobody names. */
#include "distribution/publisher.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "distribution/reader_state.h"

#define MAX_ATTEMPTS 200
#define FIRST_PAUSE_MS 10
#define LONGEST_PAUSE_MS 1000

struct SvPublisher
{
  const SvConfig *config;
  SvChain *chain;
  SvObjectStore *store;
  const SvKeypair *keypair;
  SvReader *reader;
};

static gboolean
check_signer (const SvPublisher *publisher, GError **error)
{
  const char *address = sv_keypair_address (publisher->keypair);
  if (sv_reader_trusts (address, publisher->reader))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "the wallet's hotkey %s is not a trusted signer, so no reader would accept what it publishes; if it is the "
               "operator's, add it to SCOREVISION_MANIFEST_SIGNERS, else choose the wallet with BITTENSOR_WALLET_COLD and "
               "BITTENSOR_WALLET_HOT",
               address);
  return FALSE;
}

SvPublisher *
sv_publisher_new (const SvConfig *config, SvChain *chain, SvObjectStore *store, const SvKeypair *keypair,
                  const SvReaderOptions *options, GError **error)
{
  g_autoptr (SvPublisher) publisher = g_new0 (SvPublisher, 1);
  publisher->config = config;
  publisher->chain = chain;
  publisher->store = store;
  publisher->keypair = keypair;
  publisher->reader = sv_reader_new_for_store (config, chain, options, store, error);
  if (publisher->reader == NULL || !check_signer (publisher, error))
    return NULL;
  return g_steal_pointer (&publisher);
}

void
sv_publisher_free (SvPublisher *publisher)
{
  if (publisher == NULL)
    return;
  g_clear_pointer (&publisher->reader, sv_reader_free);
  g_free (publisher);
}

SvReader *
sv_publisher_reader (SvPublisher *publisher)
{
  return publisher->reader;
}

SvChain *
sv_publisher_chain (SvPublisher *publisher)
{
  return publisher->chain;
}

const SvKeypair *
sv_publisher_keypair (SvPublisher *publisher)
{
  return publisher->keypair;
}

const SvConfig *
sv_publisher_config (SvPublisher *publisher)
{
  return publisher->config;
}

SvIndex *
sv_publisher_read_index (SvPublisher *publisher, GError **error)
{
  g_autofree char *etag = NULL;
  SvIndex *index;
  return sv_fetch_index_for_update (publisher->reader, &index, &etag, error) ? index : NULL;
}

/* ── manifest objects ── */

char *
sv_manifest_key (const char *hash)
{
  return g_strdup_printf ("scorevision/manifests/%s.json", sv_hash_hex (hash));
}

/* The name that the user's client asks for. */
static char *
prefixed_manifest_key (const char *hash)
{
  return g_strdup_printf ("scorevision/manifests/%s.json", hash);
}

/* What is there already under a content's own name is that content. */
static gboolean
put_once (SvPublisher *publisher, const char *key, GBytes *bytes, GError **error)
{
  GError *local = NULL;
  if (sv_object_store_head (publisher->store, key, NULL, &local))
    return TRUE;
  if (!g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_propagate_error (error, local);
    return FALSE;
  }
  g_clear_error (&local);
  SvPutOptions options = { .condition = SV_PUT_ONCE,
                           .content_type = "application/json",
                           .cache_control = SV_CACHE_IMMUTABLE };
  g_autofree char *etag = sv_object_store_put (publisher->store, key, bytes, &options, &local);
  /* Somebody else was quicker; or something that is no object is in the way, and then it is still not there. */
  if (etag != NULL ||
      (g_error_matches (local, SV_ERROR, SV_ERROR_CONFLICT) && sv_object_store_head (publisher->store, key, NULL, NULL)))
  {
    g_clear_error (&local);
    return TRUE;
  }
  g_propagate_error (error, local);
  return FALSE;
}

gboolean
sv_publisher_put_manifest (SvPublisher *publisher, const SvManifest *manifest, GError **error)
{
  g_autofree char *key = sv_manifest_key (manifest->hash);
  g_autofree char *prefixed = prefixed_manifest_key (manifest->hash);
  GBytes *bytes = manifest->document->bytes;
  return put_once (publisher, key, bytes, error) && put_once (publisher, prefixed, bytes, error);
}

/* ── the index ── */

/* FALSE without an error when somebody else's change came first. */
static gboolean
swap_index (SvPublisher *publisher, const SvSignedDocument *document, const char *etag, GError **error)
{
  SvPutOptions options = { .condition = etag != NULL ? SV_PUT_IF_MATCHES : SV_PUT_IF_ABSENT,
                           .etag = etag,
                           .content_type = "application/json",
                           .cache_control = SV_CACHE_INDEX };
  GError *local = NULL;
  g_autofree char *now = sv_object_store_put (publisher->store, SV_INDEX_KEY, document->bytes, &options, &local);
  if (now != NULL)
    return TRUE;
  if (g_error_matches (local, SV_ERROR, SV_ERROR_CONFLICT))
    g_error_free (local);
  else
    g_propagate_error (error, local);
  return FALSE;
}

/* The newest archive, where there is one that is small enough to be taken in. One that cannot be had is only named: history
 * must not keep a rollback from being made. */
static SvIndex *
read_newest_archive (SvPublisher *publisher, const SvIndex *index)
{
  g_autoptr (GError) error = NULL;
  SvIndex *newest = index->archive != NULL ? sv_fetch_archive (publisher->reader, index->archive, &error) : NULL;
  if (error != NULL)
    sv_log ("warning", "archive not read, it is named as it is", "archive", index->archive, "reason", error->message, NULL);
  return newest;
}

/* Moves what is long expired out of @index; its archive lies in the store before the index names it. */
static gboolean
archive_old (SvPublisher *publisher, SvIndex *index, GError **error)
{
  SvHead head;
  if (!sv_chain_head (publisher->chain, &head, error))
    return FALSE;
  if (!sv_index_has_archivable (index, head.finalized.number))
    return TRUE;
  g_autoptr (SvIndex) newest = read_newest_archive (publisher, index);
  g_autoptr (GBytes) bytes = sv_index_take_archivable (index, head.finalized.number, newest, error);
  if (bytes == NULL)
    return FALSE;
  g_autofree char *key = sv_archive_key (index->archive);
  if (!put_once (publisher, key, bytes, error))
    return FALSE;
  sv_cache_write (publisher->reader, SV_CACHE_ARCHIVE, index->archive, bytes);
  return TRUE;
}

/* Our own index counts for this home's memory as one that was read. */
static SvIndex *
remember_own (SvPublisher *publisher, const SvSignedDocument *document, GError **error)
{
  SvReader *reader = publisher->reader;
  g_autoptr (SvIndex) index = sv_index_open (document->bytes, &reader->id, sv_reader_trusts, reader, error);
  if (index == NULL || !sv_memory_remember_index (reader->memory, index, sv_reader_trusts, reader, error))
    return NULL;
  return g_steal_pointer (&index);
}

/* One try. *@result is NULL without an error when another one is needed. */
static gboolean
try_update (SvPublisher *publisher, SvIndexEdit edit, gpointer data, SvIndex **result, GError **error)
{
  g_autoptr (SvIndex) index = NULL;
  g_autofree char *etag = NULL;
  gboolean changed = FALSE;
  *result = NULL;
  if (!sv_fetch_index_for_update (publisher->reader, &index, &etag, error) || !edit (index, &changed, data, error))
    return FALSE;
  if (!changed)
  {
    *result = g_steal_pointer (&index);
    return TRUE;
  }
  if (!archive_old (publisher, index, error))
    return FALSE;
  g_autoptr (SvSignedDocument) document = sv_index_sign (index, publisher->keypair, sv_clock_ms (), error);
  if (document == NULL)
    return FALSE;
  GError *local = NULL;
  if (swap_index (publisher, document, etag, &local))
    *result = remember_own (publisher, document, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

static void
pause_before_retry (guint attempt)
{
  guint longest = MIN (FIRST_PAUSE_MS << MIN (attempt, 16), LONGEST_PAUSE_MS);
  g_usleep ((gulong)g_random_int_range (1, (gint32)longest + 1) * 1000);
}

SvIndex *
sv_publisher_update_index (SvPublisher *publisher, SvIndexEdit edit, gpointer data, GError **error)
{
  for (guint attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
  {
    SvIndex *result;
    if (!try_update (publisher, edit, data, &result, error))
      return NULL;
    if (result != NULL)
      return result;
    pause_before_retry (attempt);
  }
  g_set_error (
      error, SV_ERROR, SV_ERROR_CONFLICT,
      "the index of %s was changed by others %d times in a row while this change was being made; run the command again",
      sv_object_store_url (publisher->store), MAX_ATTEMPTS);
  return NULL;
}
