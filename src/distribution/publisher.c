/* The index update, which also moves long expired entries into the archive. Ten publishers may swap at once: each reads the
 * index with its ETag, edits, signs, and puts it under the condition that the ETag is still the same. Who loses waits a random
 * while, longer each time, and does everything anew on the winner's index, so that `previous`, the overlap check and the
 * sequence always follow from the index that is replaced. A crash before the swap leaves at most objects that nobody names. */
#include "distribution/publisher.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "distribution/reader_state.h"

#define MAX_ATTEMPTS 200
#define MAX_UNCHANGED 3 /* refusals in a row although nobody has changed the index: then the store is wrong */
#define FIRST_PAUSE_MS 10
#define LONGEST_PAUSE_MS 1000

struct SvPublisher
{
  const SvConfig *config;
  SvChain *chain;
  SvObjectStore *store;
  const SvKeypair *keypair;
  SvReader *reader;
  gboolean may_rebuild;
  gboolean may_follow_retired;
  SvIndexRebuild *rebuild;
};

/* Of an account that was a signer, or will be one, the remedy is another. */
static gboolean
check_signer (const SvPublisher *publisher, GError **error)
{
  const char *address = sv_keypair_address (publisher->keypair);
  const SvSigners *signers = sv_reader_signers (publisher->reader);
  SvSignerState state = sv_signers_fold_state (sv_signers_fold (signers), address, sv_signers_block (signers));
  if (state == SV_SIGNER_TRUSTED)
    return TRUE;
  if (state != SV_SIGNER_UNKNOWN)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "the wallet's hotkey %s is %s as a signer at block %" G_GUINT64_FORMAT
                 ", so no reader would accept what it publishes; `sv manifest signers` says why, and whose wallet can",
                 address, sv_signer_state_name (state), sv_signers_block (signers));
  else
    g_set_error (
        error, SV_ERROR, SV_ERROR_POLICY,
        "the wallet's hotkey %s is not a trusted signer, so no reader would accept what it publishes; if it is the "
        "operator's, add it to SCOREVISION_MANIFEST_SIGNERS, or have a trusted one add it (`sv manifest signers add`), "
        "else choose the wallet with BITTENSOR_WALLET_COLD and BITTENSOR_WALLET_HOT",
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
  if (publisher->reader == NULL || !sv_reader_update_signers (publisher->reader, SV_FETCH_BYPASS_CACHES, error) ||
      !check_signer (publisher, error))
    return NULL;
  return g_steal_pointer (&publisher);
}

void
sv_publisher_free (SvPublisher *publisher)
{
  if (publisher == NULL)
    return;
  g_clear_pointer (&publisher->reader, sv_reader_free);
  g_clear_pointer (&publisher->rebuild, sv_index_rebuild_unref);
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

void
sv_publisher_allow_rebuild (SvPublisher *publisher)
{
  publisher->may_rebuild = TRUE;
}

void
sv_publisher_allow_retired (SvPublisher *publisher)
{
  publisher->may_follow_retired = TRUE;
}

const SvIndexRebuild *
sv_publisher_rebuild (const SvPublisher *publisher)
{
  return publisher->rebuild;
}

/* (transfer full) who signed the index in the store, where it is signed rightly and its signer does not count; or NULL. */
static char *
find_refused_signer (SvPublisher *publisher)
{
  g_autoptr (SvIndex) listed = NULL;
  g_autofree char *etag = NULL;
  if (!sv_read_listed_index (publisher->reader, &listed, &etag, NULL) || listed == NULL ||
      sv_reader_trusts (listed->document->signed_by, publisher->reader))
    return NULL;
  return g_strdup (listed->document->signed_by);
}

/* An index by somebody who does not count any more is not built on without being asked to. */
static gboolean
fetch_verified_index (SvPublisher *publisher, SvIndex **index, char **etag, GError **error)
{
  g_autoptr (GError) refusal = NULL;
  if (sv_fetch_index_for_update (publisher->reader, index, etag, &refusal))
    return TRUE;
  if (publisher->may_follow_retired && g_error_matches (refusal, SV_ERROR, SV_ERROR_VERIFY) &&
      sv_fetch_retired_index (publisher->reader, index, etag))
    return TRUE;
  g_autofree char *signer = g_error_matches (refusal, SV_ERROR, SV_ERROR_VERIFY) ? find_refused_signer (publisher) : NULL;
  if (signer != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "%s; if %s was retired or revoked, `sv manifest publish FILE --rebuild-index` goes on without its index",
                 refusal->message, signer);
  else
    g_propagate_error (error, g_steal_pointer (&refusal));
  return FALSE;
}

/* What was said of an earlier rebuilding stays where this is none. */
static gboolean
fetch_index (SvPublisher *publisher, SvIndex **index, char **etag, gboolean *is_rebuilt, GError **error)
{
  *is_rebuilt = FALSE;
  if (!publisher->may_rebuild)
    return fetch_verified_index (publisher, index, etag, error);
  g_autoptr (SvIndexRebuild) rebuild = NULL;
  if (!sv_rebuild_index (publisher->reader, index, etag, &rebuild, error))
    return FALSE;
  *is_rebuilt = rebuild != NULL;
  if (*is_rebuilt)
  {
    sv_index_rebuild_unref (publisher->rebuild);
    publisher->rebuild = g_steal_pointer (&rebuild);
  }
  return TRUE;
}

SvIndex *
sv_publisher_read_index (SvPublisher *publisher, GError **error)
{
  g_autofree char *etag = NULL;
  SvIndex *index;
  gboolean is_rebuilt;
  return fetch_index (publisher, &index, &etag, &is_rebuilt, error) ? index : NULL;
}

/* ── manifest objects ── */

static gboolean
put_new (SvPublisher *publisher, const char *key, GBytes *bytes, SvPutCondition condition, const char *cache_control,
         GError **error)
{
  SvPutOptions options = { .condition = condition, .content_type = "application/json", .cache_control = cache_control };
  g_autofree char *etag = sv_object_store_put (publisher->store, key, bytes, &options, error);
  return etag != NULL;
}

typedef enum
{
  CONTENT_SOUND,
  CONTENT_ABSENT,
  CONTENT_DAMAGED,
  CONTENT_UNKNOWN, /* with an error */
} ContentState;

static ContentState
look_at_content (SvPublisher *publisher, const char *key, GBytes *bytes, GError **error)
{
  const SvGetOptions options = { .max_size = g_bytes_get_size (bytes), .bypass_caches = TRUE };
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvObject) present = sv_object_store_get (publisher->store, key, &options, NULL, &failure);
  if (present != NULL)
    return g_bytes_equal (present->bytes, bytes) ? CONTENT_SOUND : CONTENT_DAMAGED;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return CONTENT_ABSENT;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_MALFORMED)) /* it is larger */
    return CONTENT_DAMAGED;
  g_propagate_error (error, g_steal_pointer (&failure));
  return CONTENT_UNKNOWN;
}

/* Over something else that lies under the content's own name, and read again before it counts. */
static gboolean
put_right (SvPublisher *publisher, const char *key, GBytes *bytes, GError **error)
{
  sv_log ("warning", "a damaged object is written anew", "store", sv_object_store_url (publisher->store), "key", key, NULL);
  if (!put_new (publisher, key, bytes, SV_PUT_ALWAYS, SV_CACHE_IMMUTABLE, error))
    return FALSE;
  ContentState state = look_at_content (publisher, key, bytes, error);
  if (state == CONTENT_ABSENT || state == CONTENT_DAMAGED)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "%s in store %s is not what its name says, also after it was written anew; somebody else writes there, or the "
                 "store does not keep what it is given: look at it with `sv store check`",
                 key, sv_object_store_url (publisher->store));
  return state == CONTENT_SOUND;
}

/* An object under a content's own name may still be damaged, so it is read. */
static gboolean
put_once (SvPublisher *publisher, const char *key, GBytes *bytes, GError **error)
{
  g_autoptr (GError) conflict = NULL;
  ContentState state = look_at_content (publisher, key, bytes, error);
  if (state == CONTENT_ABSENT)
  {
    if (put_new (publisher, key, bytes, SV_PUT_ONCE, SV_CACHE_IMMUTABLE, &conflict))
      return TRUE;
    /* Somebody else was quicker; or something that is no object is in the way, and then it is still not there. */
    if (g_error_matches (conflict, SV_ERROR, SV_ERROR_CONFLICT))
      state = look_at_content (publisher, key, bytes, error);
  }
  if (state == CONTENT_ABSENT)
    g_propagate_error (error, g_steal_pointer (&conflict));
  return state == CONTENT_SOUND || (state == CONTENT_DAMAGED && put_right (publisher, key, bytes, error));
}

gboolean
sv_publisher_put_manifest (SvPublisher *publisher, const SvManifest *manifest, GError **error)
{
  g_autofree char *key = sv_manifest_key (manifest->hash);
  g_autofree char *prefixed = sv_manifest_key_prefixed (manifest->hash);
  GBytes *bytes = manifest->document->bytes;
  return put_once (publisher, key, bytes, error) && put_once (publisher, prefixed, bytes, error);
}

/* ── statements on signers ── */

const SvSignersStatement *
sv_publisher_last_statement (const SvPublisher *publisher)
{
  return sv_statements_last (publisher->reader, 0);
}

GPtrArray *
sv_publisher_statements (const SvPublisher *publisher)
{
  return sv_statements_shown (publisher->reader, 0);
}

/* What the store holds in its place must be the same: nobody could read what follows after another one. */
static gboolean
put_known (SvPublisher *publisher, const SvSignersStatement *known, GError **error)
{
  g_autofree char *key = sv_signers_key (known->number);
  const SvGetOptions options = { .max_size = SV_SIGNERS_MAX_SIZE, .bypass_caches = TRUE };
  gboolean unchanged;
  g_autoptr (GError) local = NULL;
  g_autoptr (SvObject) object = sv_object_store_get (publisher->store, key, &options, &unchanged, &local);
  if (object != NULL && g_bytes_equal (object->bytes, known->document->bytes))
    return TRUE;
  if (object == NULL && g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND))
    return put_new (publisher, key, known->document->bytes, SV_PUT_IF_ABSENT, SV_CACHE_INDEX, error);
  if (object == NULL && !g_error_matches (local, SV_ERROR, SV_ERROR_MALFORMED))
    g_propagate_error (error, g_steal_pointer (&local));
  else
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "%s in store %s is not the statement on signers that this home knows (%s); somebody has changed it: remove it "
                 "there, and run the command again, which puts the right one back",
                 key, sv_object_store_url (publisher->store), known->document->hash);
  return FALSE;
}

gboolean
sv_publisher_put_statement (SvPublisher *publisher, const SvSignersStatement *statement, GError **error)
{
  const SvSigners *signers = sv_reader_signers (publisher->reader);
  guint64 n_known = sv_signers_fold_last_effective (sv_signers_fold (signers));
  for (guint64 i = 0; i < n_known; i++)
  {
    if (!put_known (publisher, sv_signers_statements (signers)->pdata[i], error))
      return FALSE;
  }
  g_autofree char *key = sv_signers_key (statement->number);
  return put_new (publisher, key, statement->document->bytes, SV_PUT_IF_ABSENT, SV_CACHE_INDEX, error);
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
  if (index == NULL || !sv_memory_remember_index (reader->memory, index, sv_reader_honours, reader, error))
    return NULL;
  return g_steal_pointer (&index);
}

/* One try. *@result is NULL without an error when another one is needed; *@etag is that of the index that was read. */
static gboolean
try_update (SvPublisher *publisher, SvIndexEdit edit, gpointer data, char **etag, SvIndex **result, GError **error)
{
  g_autoptr (SvIndex) index = NULL;
  gboolean changed = FALSE, is_rebuilt;
  *result = NULL;
  g_clear_pointer (&publisher->rebuild, sv_index_rebuild_unref);
  if (!fetch_index (publisher, &index, etag, &is_rebuilt, error) || !edit (index, &changed, data, error))
    return FALSE;
  if (!changed && !is_rebuilt)
  {
    *result = g_steal_pointer (&index);
    return TRUE;
  }
  if (!check_signer (publisher, error) || !archive_old (publisher, index, error))
    return FALSE;
  g_autoptr (SvSignedDocument) document = sv_index_sign (index, publisher->keypair, sv_clock_ms (), error);
  if (document == NULL)
    return FALSE;
  GError *local = NULL;
  if (swap_index (publisher, document, *etag, &local))
    *result = remember_own (publisher, document, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

void
sv_publisher_pause (guint attempt)
{
  guint longest = MIN (FIRST_PAUSE_MS << MIN (attempt, 16), LONGEST_PAUSE_MS);
  g_usleep ((gulong)g_random_int_range (1, (gint32)longest + 1) * 1000);
}

/* NULL. */
static SvIndex *
refuse_wrong_store (const SvPublisher *publisher, GError **error)
{
  g_set_error (
      error, SV_ERROR, SV_ERROR_UNREACHABLE,
      "store %s refuses to change the index because somebody else had changed it, and shows that nobody has; the index "
      "is as it was; try again later, check for a proxy in between, and if it stays so, use another server",
      sv_object_store_url (publisher->store));
  return NULL;
}

SvIndex *
sv_publisher_update_index (SvPublisher *publisher, SvIndexEdit edit, gpointer data, GError **error)
{
  g_autofree char *before = NULL;
  for (guint attempt = 0, n_unchanged = 0; attempt < MAX_ATTEMPTS; attempt++)
  {
    SvIndex *result;
    g_autofree char *etag = NULL;
    if (!try_update (publisher, edit, data, &etag, &result, error))
      return NULL;
    if (result != NULL)
      return result;
    n_unchanged = g_strcmp0 (etag, before) == 0 ? n_unchanged + 1 : 0;
    if (n_unchanged >= MAX_UNCHANGED)
      return refuse_wrong_store (publisher, error);
    g_free (before);
    before = g_steal_pointer (&etag);
    sv_publisher_pause (attempt);
  }
  g_set_error (
      error, SV_ERROR, SV_ERROR_CONFLICT,
      "the index of %s was changed by others %d times in a row while this change was being made; run the command again",
      sv_object_store_url (publisher->store), MAX_ATTEMPTS);
  return NULL;
}
