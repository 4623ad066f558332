/* The user's element catalog: windows of the index, each with its verified manifest, in the terms of a miner who decides what
 * to serve. All of it is made from what the reader verified; when the index cannot be had now, from the one that was verified
 * last (with a log line), since a miner may plan by that as well. */
#include "distribution/element_catalog.h"

#include "base/error.h"
#include "base/log.h"

void
sv_window_summary_free (SvWindowSummary *summary)
{
  if (summary == NULL)
    return;
  g_clear_pointer (&summary->manifest, sv_manifest_free);
  g_free (summary);
}

/* The index, or the remembered one where the origin fails or shows something that is refused. */
static SvIndex *
read_index (SvReader *reader, GError **error)
{
  GError *local = NULL;
  SvIndex *index = sv_fetch_index (reader, SV_FETCH_NORMAL, &local);
  if (index == NULL)
    index = sv_remembered_index (reader, NULL);
  if (index == NULL)
  {
    g_propagate_error (error, local);
    return NULL;
  }
  if (local != NULL)
    sv_log ("warning", "using the last verified index", "reason", local->message, NULL);
  g_clear_error (&local);
  return index;
}

static guint64
last_block (const SvIndexEntry *entry)
{
  return entry->is_superseded ? MIN (entry->expiry_block, entry->superseded_at_block) : entry->expiry_block;
}

static guint64
blocks_left (const SvWindowSummary *summary, const SvIndexEntry *entry)
{
  guint64 begin = MAX (entry->start_block, entry->active_from);
  guint64 until = summary->state == SV_WINDOW_UPCOMING ? begin : last_block (entry);
  return until > summary->block ? until - summary->block : 0;
}

static SvWindowSummary *
summarize (SvReader *reader, SvChain *chain, const SvIndex *index, const SvIndexEntry *entry, guint64 block, GError **error)
{
  g_autoptr (SvWindowSummary) summary = g_new0 (SvWindowSummary, 1);
  summary->manifest = sv_fetch_entry_manifest (reader, entry, error);
  if (summary->manifest == NULL)
    return NULL;
  summary->state = sv_window_state (index, entry, block);
  summary->start_block = entry->start_block;
  summary->expiry_block = entry->expiry_block;
  summary->block = block;
  summary->blocks_left = blocks_left (summary, entry);
  summary->ms_left = chain != NULL ? summary->blocks_left * sv_chain_block_time_ms (chain) : 0;
  return g_steal_pointer (&summary);
}

/* (transfer container) the entries in the scope, nearest first. */
static GPtrArray *
entries_in_scope (const SvIndex *index, SvWindowScope scope, guint64 block)
{
  if (scope == SV_SCOPE_ALL_UPCOMING)
    return sv_window_all_upcoming (index, block);
  GPtrArray *entries = g_ptr_array_new ();
  const SvIndexEntry *entry = scope == SV_SCOPE_CURRENT ? sv_window_active (index, block) : sv_window_upcoming (index, block);
  if (entry != NULL)
    g_ptr_array_add (entries, (gpointer)entry);
  return entries;
}

GPtrArray *
sv_list_elements (SvReader *reader, SvChain *chain, SvWindowScope scope, guint64 block, GError **error)
{
  g_autoptr (SvIndex) index = read_index (reader, error);
  if (index == NULL)
    return NULL;
  g_autoptr (GPtrArray) entries = entries_in_scope (index, scope, block);
  g_autoptr (GPtrArray) summaries = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_window_summary_free);
  for (guint i = 0; i < entries->len; i++)
  {
    SvWindowSummary *summary = summarize (reader, chain, index, entries->pdata[i], block, error);
    if (summary == NULL)
      return NULL;
    g_ptr_array_add (summaries, summary);
  }
  return g_steal_pointer (&summaries);
}

static void
set_no_such_window (const SvIndex *index, const char *window_id, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = index->entries->pdata[i];
    g_string_append_printf (known, "%s%s", i > 0 ? ", " : "", entry->window_id);
  }
  g_autofree char *shown = sv_text_printable (window_id);
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "there is no window %s in the index; there is %s", shown,
               known->len > 0 ? known->str : "none");
}

SvWindowSummary *
sv_summarize_window (SvReader *reader, SvChain *chain, const char *window_id, guint64 block, GError **error)
{
  g_autoptr (SvIndex) index = read_index (reader, error);
  if (index == NULL)
    return NULL;
  const SvIndexEntry *entry = sv_index_find_live (index, window_id);
  if (entry != NULL)
    return summarize (reader, chain, index, entry, block, error);
  set_no_such_window (index, window_id, error);
  return NULL;
}

/* ── JSON ── */

static json_t *
element_to_json (const SvElement *element)
{
  json_t *json = json_object ();
  json_object_set_new (json, "element_id", json_string (element->id));
  json_object_set_new (json, "service_rate_fps", json_real (element->service_rate_fps));
  json_object_set_new (json, "baseline_theta", json_real (element->baseline_theta));
  json_object_set_new (json, "beta", json_real (element->beta));
  json_object_set_new (json, "delta_floor", json_real (element->delta_floor));
  json_object_set_new (json, "latency_p95_ms", json_real (element->latency_p95_ms));
  json_object_set_new (json, "clip_count", sv_json_integer (element->n_clips));
  json_t *telemetry = json_array ();
  for (char **key = element->telemetry; *key != NULL; key++)
    json_array_append_new (telemetry, json_string (*key));
  json_object_set_new (json, "telemetry", telemetry);
  return json;
}

json_t *
sv_window_summary_to_json (const SvWindowSummary *summary)
{
  const SvManifest *manifest = summary->manifest;
  json_t *json = json_object ();
  json_object_set_new (json, "window_id", json_string (manifest->window_id));
  json_object_set_new (json, "state", json_string (sv_window_state_name (summary->state)));
  json_object_set_new (json, "manifest_hash", json_string (manifest->hash));
  json_object_set_new (json, "start_block", sv_json_integer (summary->start_block));
  json_object_set_new (json, "expiry_block", sv_json_integer (summary->expiry_block));
  json_object_set_new (json, "block", sv_json_integer (summary->block));
  json_object_set_new (json, "blocks_left", sv_json_integer (summary->blocks_left));
  json_object_set_new (json, "seconds_left", summary->ms_left > 0 ? sv_json_integer (summary->ms_left / 1000) : json_null ());
  json_t *elements = json_array ();
  for (gsize i = 0; i < manifest->n_elements; i++)
    json_array_append_new (elements, element_to_json (&manifest->elements[i]));
  json_object_set_new (json, "elements", elements);
  return json;
}
