/* An entry is what the index says of one manifest. It repeats the manifest's window, blocks, signer and numbers so that a
 * reader need not fetch it to choose; sv_index_entry_agrees() is what makes that safe. */
#include "protocol/manifest_index_entry.h"

#include "base/error.h"
#include "base/rfc3339.h"

void
sv_index_entry_free (SvIndexEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->hash);
  g_free (entry->window_id);
  g_free (entry->published_at);
  g_free (entry->published_by);
  g_free (entry->superseded_by);
  json_decref (entry->elements_summary);
  g_free (entry);
}

static char *
dup_string (const json_t *object, const char *key)
{
  return g_strdup (json_string_value (json_object_get (object, key)));
}

static guint64
get_integer (const json_t *object, const char *key)
{
  return (guint64)json_number_value (json_object_get (object, key));
}

SvIndexEntry *
sv_index_entry_read (const json_t *json)
{
  SvIndexEntry *entry = g_new0 (SvIndexEntry, 1);
  entry->hash = dup_string (json, "hash");
  entry->window_id = dup_string (json, "window_id");
  entry->start_block = get_integer (json, "start_block");
  entry->expiry_block = get_integer (json, "expiry_block");
  entry->active_from = get_integer (json, "active_from");
  entry->added_sequence = get_integer (json, "added_sequence");
  entry->published_at = dup_string (json, "published_at");
  entry->published_by = sv_account_normalize (json_string_value (json_object_get (json, "published_by")));
  entry->superseded_by = dup_string (json, "superseded_by");
  entry->is_superseded = entry->superseded_by != NULL;
  entry->superseded_at_block = get_integer (json, "superseded_at_block");
  entry->elements_summary = json_incref (json_object_get (json, "elements_summary"));
  return entry;
}

void
sv_index_entries_take (GPtrArray *entries, json_t *array)
{
  for (gsize i = 0; i < json_array_size (array); i++)
  {
    g_ptr_array_add (entries, sv_index_entry_read (json_array_get (array, i)));
    json_array_set_new (array, i, json_null ());
  }
}

SvIndexEntry *
sv_index_entry_new (const SvManifest *manifest, guint64 active_from, guint64 added_sequence, gint64 now)
{
  SvIndexEntry *entry = g_new0 (SvIndexEntry, 1);
  entry->hash = g_strdup (manifest->hash);
  entry->window_id = g_strdup (manifest->window_id);
  entry->start_block = manifest->start_block;
  entry->expiry_block = manifest->expiry_block;
  entry->active_from = active_from;
  entry->added_sequence = added_sequence;
  entry->published_at = sv_time_format (now);
  entry->published_by = g_strdup (manifest->document->signed_by);
  entry->elements_summary = sv_manifest_summary (manifest);
  return entry;
}

static json_t *
entry_to_json (const SvIndexEntry *entry)
{
  g_autofree char *published_by = sv_account_document_form (entry->published_by);
  json_t *json = json_object ();
  json_object_set_new (json, "hash", json_string (entry->hash));
  json_object_set_new (json, "window_id", json_string (entry->window_id));
  json_object_set_new (json, "start_block", sv_json_integer (entry->start_block));
  json_object_set_new (json, "expiry_block", sv_json_integer (entry->expiry_block));
  json_object_set_new (json, "active_from", sv_json_integer (entry->active_from));
  json_object_set_new (json, "added_sequence", sv_json_integer (entry->added_sequence));
  json_object_set_new (json, "published_at", json_string (entry->published_at));
  json_object_set_new (json, "published_by", json_string (published_by));
  json_object_set (json, "elements_summary", entry->elements_summary);
  if (!entry->is_superseded)
    return json;
  json_object_set_new (json, "superseded_by", json_string (entry->superseded_by));
  json_object_set_new (json, "superseded_at_block", sv_json_integer (entry->superseded_at_block));
  return json;
}

json_t *
sv_index_entries_to_json (const GPtrArray *entries)
{
  json_t *array = json_array ();
  for (guint i = 0; i < entries->len; i++)
    json_array_append_new (array, entry_to_json (g_ptr_array_index (entries, i)));
  return array;
}

json_t *
sv_manifest_summary (const SvManifest *manifest)
{
  json_t *summary = json_array ();
  for (gsize i = 0; i < manifest->n_elements; i++)
  {
    const SvElement *element = &manifest->elements[i];
    json_t *item = json_object ();
    json_object_set_new (item, "id", json_string (element->id));
    json_object_set_new (item, "beta", json_real (element->beta));
    json_object_set_new (item, "baseline_theta", json_real (element->baseline_theta));
    json_object_set_new (item, "service_rate_fps", json_real (element->service_rate_fps));
    json_array_append_new (summary, item);
  }
  return summary;
}

/* The name of the first field in which they differ, or NULL. */
static const char *
find_disagreement (const SvIndexEntry *entry, const SvManifest *manifest)
{
  g_autoptr (json_t) summary = sv_manifest_summary (manifest);
  if (g_strcmp0 (entry->hash, manifest->hash) != 0)
    return "hash";
  if (g_strcmp0 (entry->window_id, manifest->window_id) != 0)
    return "window_id";
  if (entry->start_block != manifest->start_block)
    return "start_block";
  if (entry->expiry_block != manifest->expiry_block)
    return "expiry_block";
  if (manifest->document == NULL || g_strcmp0 (entry->published_by, manifest->document->signed_by) != 0)
    return "published_by";
  return sv_json_equal (entry->elements_summary, summary) ? NULL : "elements_summary";
}

gboolean
sv_index_entry_agrees (const SvIndexEntry *entry, const SvManifest *manifest, GError **error)
{
  const char *field = find_disagreement (entry, manifest);
  if (field == NULL)
    return TRUE;
  g_set_error (
      error, SV_ERROR, SV_ERROR_VERIFY,
      "mix-and-match: the index's entry of window %s and the manifest %s that it names differ in %s; the index is not to "
      "be used, and the operator has to explain it",
      entry->window_id, entry->hash, field);
  return FALSE;
}
