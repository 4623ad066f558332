/* The index in memory: read from its document, written into the next one, searched. What may stand in it is checked in
 * manifest_index_check.c, how it changes in manifest_index_change.c. An index is rewritten whole with each publication, and
 * kept short by the archive, so entries are plain arrays and searches linear. */
#include "protocol/manifest_index.h"

#include "protocol/manifest_index_entry.h"

static SvIndex *
index_new (void)
{
  SvIndex *index = g_new0 (SvIndex, 1);
  index->entries = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_index_entry_free);
  index->superseded = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_index_entry_free);
  return index;
}

SvIndex *
sv_index_new (const SvChainId *chain)
{
  SvIndex *index = index_new ();
  index->chain = *chain;
  return index;
}

void
sv_index_free (SvIndex *index)
{
  if (index == NULL)
    return;
  g_clear_pointer (&index->document, sv_signed_document_free);
  g_free (index->updated_at);
  g_free (index->newest);
  g_free (index->archive);
  g_free (index->current_manifest_hash);
  g_ptr_array_unref (index->entries);
  g_ptr_array_unref (index->superseded);
  g_free (index);
}

static char *
dup_string (const json_t *object, const char *key)
{
  return g_strdup (json_string_value (json_object_get (object, key)));
}

/* @json has passed the rules; its entries are gone afterwards. */
static SvIndex *
index_take (json_t *json)
{
  SvIndex *index = index_new ();
  if (!sv_chain_id_from_json (json_object_get (json, "chain"), &index->chain))
    g_assert_not_reached ();
  index->sequence = (guint64)json_number_value (json_object_get (json, "sequence"));
  index->updated_at = dup_string (json, "updated_at");
  index->newest = dup_string (json, "newest");
  index->archive = dup_string (json, "archive");
  index->current_manifest_hash = dup_string (json, "current_manifest_hash");
  sv_index_entries_take (index->entries, json_object_get (json, "manifests"));
  sv_index_entries_take (index->superseded, json_object_get (json, "superseded"));
  return index;
}

SvIndex *
sv_index_open (GBytes *bytes, const SvChainId *chain, SvTrustFunc is_trusted, gpointer trust_data, GError **error)
{
  const SvDocumentRules rules = { .type = "index",
                                  .chain = chain,
                                  .max_size = SV_INDEX_MAX_SIZE,
                                  .check_schema = sv_index_check,
                                  .is_trusted = is_trusted,
                                  .trust_data = trust_data };
  SvSignedDocument *document = sv_signed_document_open ("index", bytes, &rules, error);
  if (document == NULL)
    return NULL;
  SvIndex *index = index_take (document->json);
  g_clear_pointer (&document->json, json_decref);
  index->document = document;
  return index;
}

static json_t *
index_to_json (const SvIndex *index)
{
  json_t *json = json_object ();
  json_object_set_new (json, "version", json_string (SV_INDEX_VERSION));
  json_object_set_new (json, "sequence", sv_json_integer (index->sequence));
  json_object_set_new (json, "updated_at", sv_json_string_or_null (index->updated_at));
  json_object_set_new (json, "newest", sv_json_string_or_null (index->newest));
  json_object_set_new (json, "archive", sv_json_string_or_null (index->archive));
  json_object_set_new (json, "current_manifest_hash", sv_json_string_or_null (index->current_manifest_hash));
  json_object_set_new (json, "manifests", sv_index_entries_to_json (index->entries));
  json_object_set_new (json, "superseded", sv_index_entries_to_json (index->superseded));
  return json;
}

/* What readers would refuse is never signed. */
static gboolean
check_signed (const SvSignedDocument *document, GError **error)
{
  const gsize size = g_bytes_get_size (document->bytes);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  if (size > SV_INDEX_MAX_SIZE)
    sv_faults_add (faults, "", "is %" G_GSIZE_FORMAT " bytes; readers accept at most %d", size, SV_INDEX_MAX_SIZE);
  sv_index_check (document->json, faults);
  return sv_faults_check (faults, "index", error);
}

SvSignedDocument *
sv_index_sign (const SvIndex *index, const SvKeypair *keypair, gint64 signed_at, GError **error)
{
  g_autoptr (json_t) json = index_to_json (index);
  g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, "index", &index->chain, keypair, signed_at, error);
  if (document == NULL || !check_signed (document, error))
    return NULL;
  return g_steal_pointer (&document);
}

const SvIndexEntry *
sv_index_find_live (const SvIndex *index, const char *window_id)
{
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (index->entries, i);
    if (g_str_equal (entry->window_id, window_id))
      return entry;
  }
  return NULL;
}

const SvIndexEntry *
sv_index_find_hash (const SvIndex *index, const char *hash)
{
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (index->entries, i);
    if (g_str_equal (entry->hash, hash))
      return entry;
  }
  for (guint i = index->superseded->len; i > 0; i--) /* the latest stands last */
  {
    const SvIndexEntry *entry = g_ptr_array_index (index->superseded, i - 1);
    if (g_str_equal (entry->hash, hash))
      return entry;
  }
  return NULL;
}

const SvIndexEntry *
sv_index_find_window (const SvIndex *index, const char *window_id)
{
  const SvIndexEntry *entry = sv_index_find_live (index, window_id);
  for (guint i = index->superseded->len; entry == NULL && i > 0; i--)
  {
    const SvIndexEntry *old = g_ptr_array_index (index->superseded, i - 1);
    if (g_str_equal (old->window_id, window_id))
      entry = old;
  }
  return entry;
}

guint64
sv_index_default_start (const SvIndex *index, const char *window_id, guint64 expiry_block, guint64 current_block)
{
  const SvIndexEntry *last = NULL;
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (index->entries, i);
    if (entry->expiry_block < expiry_block && !g_str_equal (entry->window_id, window_id) &&
        (last == NULL || entry->expiry_block > last->expiry_block))
      last = entry;
  }
  return last != NULL ? last->expiry_block : current_block;
}
