/* sv manifest list, current, show: what the reader has verified, for people and as JSON. Blocks are what counts; times
 * beside them are estimates from the head's time and the chain's block time, and are left out where there is none. */
#include "cli/manifest_show.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "cli/table.h"
#include "operator/manifest_source.h"

#define BLOCK "%" G_GUINT64_FORMAT

static gboolean opt_accept_owner, opt_require_anchor, opt_all;

#define ACCEPT_OWNER_OPTION                                                                                                    \
  {                                                                                                                            \
    "accept-owner", 0, 0, G_OPTION_ARG_NONE, &opt_accept_owner, "take a changed owner of the subnet for the right one", NULL   \
  }

const GOptionEntry sv_manifest_list_options[] = {
  { "all", 0, 0, G_OPTION_ARG_NONE, &opt_all, "also windows of long ago, which are in the archive", NULL },
  ACCEPT_OWNER_OPTION,
  G_OPTION_ENTRY_NULL,
};
const GOptionEntry sv_manifest_source_options[] = { ACCEPT_OWNER_OPTION, G_OPTION_ENTRY_NULL };
const GOptionEntry sv_manifest_current_options[] = {
  { "require-anchor", 0, 0, G_OPTION_ARG_NONE, &opt_require_anchor, "fail where the manifest is not anchored on the chain",
    NULL },
  ACCEPT_OWNER_OPTION,
  G_OPTION_ENTRY_NULL,
};

/* ── time ── */

typedef struct
{
  SvHead head;
  guint64 block_time_ms; /* 0: the chain has none */
} Clock;

static gboolean
read_clock (SvContext *context, Clock *clock, GError **error)
{
  SvChain *chain = sv_context_chain (context, error);
  if (chain == NULL || !sv_chain_head (chain, &clock->head, error))
    return FALSE;
  clock->block_time_ms = sv_chain_block_time_ms (chain);
  return TRUE;
}

/* Milliseconds from the head to @block, negative for the past; bounded, since an expiry may lie anywhere. */
static gint64
ms_until (const Clock *clock, guint64 block)
{
  const double farthest = 1e15;
  double ms = ((double)block - (double)clock->head.best.number) * (double)clock->block_time_ms;
  return (gint64)CLAMP (ms, -farthest, farthest);
}

/* NULL where the chain has no block time. */
static char *
time_of_block (const Clock *clock, guint64 block)
{
  gint64 ms = clock->head.best.time_ms + ms_until (clock, block);
  return clock->block_time_ms > 0 ? sv_time_format (ms / 1000 * 1000) : NULL; /* an estimate: no fractions of a second */
}

static json_t *
time_to_json (const Clock *clock, guint64 block)
{
  g_autofree char *text = time_of_block (clock, block);
  return sv_json_string_or_null (text);
}

/* ── list ── */

static guint64
first_block (const SvIndexEntry *entry)
{
  return MAX (entry->start_block, entry->active_from);
}

static guint64
end_block (const SvIndexEntry *entry)
{
  return entry->is_superseded ? MIN (entry->expiry_block, entry->superseded_at_block) : entry->expiry_block;
}

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  const SvIndexEntry *x = *(const SvIndexEntry *const *)a, *y = *(const SvIndexEntry *const *)b;
  if (x->start_block != y->start_block)
    return x->start_block < y->start_block ? -1 : 1;
  return x->added_sequence < y->added_sequence ? -1 : x->added_sequence > y->added_sequence;
}

static void
add_entries (GPtrArray *all, const GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add (all, entries->pdata[i]);
}

/* (transfer container) live and superseded ones, and those of @history, which may be NULL, in the order of their windows. */
static GPtrArray *
all_entries (const SvIndex *index, const SvIndex *history)
{
  GPtrArray *entries = g_ptr_array_new ();
  add_entries (entries, index->entries);
  add_entries (entries, index->superseded);
  if (history != NULL)
  {
    add_entries (entries, history->entries);
    add_entries (entries, history->superseded);
  }
  g_ptr_array_sort (entries, compare_entries);
  return entries;
}

static json_t *
entry_to_json (const SvIndexEntry *entry, SvWindowState state, const Clock *clock)
{
  json_t *json = json_object ();
  json_object_set_new (json, "state", json_string (sv_window_state_name (state)));
  json_object_set_new (json, "window_id", json_string (entry->window_id));
  json_object_set_new (json, "hash", json_string (entry->hash));
  json_object_set_new (json, "start_block", sv_json_integer (entry->start_block));
  json_object_set_new (json, "active_from", sv_json_integer (entry->active_from));
  json_object_set_new (json, "expiry_block", sv_json_integer (entry->expiry_block));
  json_object_set_new (json, "superseded_by", sv_json_string_or_null (entry->superseded_by));
  json_object_set_new (json, "superseded_at_block",
                       entry->is_superseded ? sv_json_integer (entry->superseded_at_block) : json_null ());
  json_object_set_new (json, "added_sequence", sv_json_integer (entry->added_sequence));
  json_object_set_new (json, "published_at", json_string (entry->published_at));
  json_object_set_new (json, "published_by", json_string (entry->published_by));
  json_object_set_new (json, "starts_at", time_to_json (clock, first_block (entry)));
  json_object_set_new (json, "ends_at", time_to_json (clock, end_block (entry)));
  return json;
}

static void
print_list_json (const SvIndex *index, GPtrArray *entries, const Clock *clock)
{
  json_t *manifests = json_array ();
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = entries->pdata[i];
    SvWindowState state = sv_window_state (index, entry, clock->head.best.number);
    json_array_append_new (manifests, entry_to_json (entry, state, clock));
  }
  json_t *json = json_object ();
  json_object_set_new (json, "block", sv_json_integer (clock->head.best.number));
  json_object_set_new (json, "sequence", sv_json_integer (index->sequence));
  json_object_set_new (json, "updated_at", json_string (index->updated_at));
  json_object_set_new (json, "newest", sv_json_string_or_null (index->newest));
  json_object_set_new (json, "archive", sv_json_string_or_null (index->archive));
  json_object_set_new (json, "manifests", manifests);
  sv_print_json (json);
}

static SvStyle
state_style (SvWindowState state)
{
  static const SvStyle styles[] = {
    [SV_WINDOW_UPCOMING] = SV_STYLE_PLAIN, [SV_WINDOW_ACTIVE] = SV_STYLE_GREEN, [SV_WINDOW_IN_FORCE] = SV_STYLE_YELLOW,
    [SV_WINDOW_SUPERSEDED] = SV_STYLE_DIM, [SV_WINDOW_EXPIRED] = SV_STYLE_DIM,
  };
  return styles[state];
}

/* "ends in 3 h 12 min, 2025-10-24 00:00Z", "ended 5 h ago, 2025-10-23 08:15Z": a narrow terminal cuts the end. "" where the
 * chain has no block time. */
static char *
describe_time (const SvIndexEntry *entry, SvWindowState state, const Clock *clock)
{
  gboolean is_upcoming = state == SV_WINDOW_UPCOMING;
  guint64 block = is_upcoming ? first_block (entry) : end_block (entry);
  g_autofree char *time = time_of_block (clock, block);
  if (time == NULL)
    return g_strdup ("");
  gint64 ms = ms_until (clock, block);
  g_autofree char *duration = sv_duration_format (ABS (ms));
  const char *verb = is_upcoming ? "starts" : ms > 0 ? "ends" : "ended";
  return g_strdup_printf ("%s %s%s%s, %.10s %.5sZ", verb, ms > 0 ? "in " : "", duration, ms > 0 ? "" : " ago", time,
                          time + strlen ("2025-10-24T"));
}

static void
add_list_row (SvTable *table, const SvIndexEntry *entry, SvWindowState state, const Clock *clock)
{
  g_autofree char *hash = sv_short_hash (entry->hash);
  const char *hex = hash + strlen (SV_HASH_PREFIX); /* the row fits into 80 columns without the prefix */
  g_autofree char *when = describe_time (entry, state, clock);
  g_auto (GStrv) words = g_strsplit (sv_window_state_name (state), "_", -1);
  g_autofree char *shown_state = g_strjoinv (" ", words);
  sv_table_add (table, shown_state);
  sv_table_add (table, entry->window_id);
  sv_table_add (table, hex);
  sv_table_printf (table, BLOCK, first_block (entry));
  sv_table_printf (table, BLOCK, end_block (entry));
  sv_table_add (table, when);
  sv_table_style_row (table, state_style (state));
}

static void
print_list (const SvContext *context, const SvIndex *index, GPtrArray *entries, const Clock *clock)
{
  static const char *const headers[] = { "STATE", "WINDOW", "MANIFEST", "FROM", "TO", "TIME", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT,  SV_COLUMN_ELASTIC, SV_COLUMN_LEFT,
                                      SV_COLUMN_RIGHT, SV_COLUMN_RIGHT,   SV_COLUMN_ELASTIC };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = entries->pdata[i];
    add_list_row (table, entry, sv_window_state (index, entry, clock->head.best.number), clock);
  }
  printf ("index " BLOCK ", at block " BLOCK "\n\n", index->sequence, clock->head.best.number);
  sv_table_print (table, context->use_color);
  if (index->archive != NULL && !opt_all)
    printf ("\nWindows over for %d blocks are in the archive; --all shows them, too.\n", SV_ARCHIVE_AFTER);
}

int
sv_manifest_run_list (SvContext *context, int argc, char **argv, GError **error)
{
  Clock clock;
  context->accept_owner = opt_accept_owner;
  if (!sv_check_arguments (argc, 0, 0, "sv manifest list [--all]", error) || !read_clock (context, &clock, error))
    return 1;
  SvReader *reader = sv_context_reader (context, error);
  g_autoptr (SvIndex) index = reader != NULL ? sv_fetch_index (reader, SV_FETCH_NORMAL, error) : NULL;
  if (index == NULL)
    return 1;
  g_autoptr (SvIndex) history = opt_all ? sv_fetch_history (reader, index, error) : NULL;
  if (opt_all && history == NULL)
    return 1;
  g_autoptr (GPtrArray) entries = all_entries (index, history);
  if (context->as_json)
    print_list_json (index, entries, &clock);
  else
    print_list (context, index, entries, &clock);
  return 0;
}

/* ── current ── */

/* By @fetched, else by the last index that was verified. NULL where it cannot be known now (the index is refused, or the chain
 * does not answer), with the reason in @error. */
static const char *
find_anchor_state (SvReader *reader, const SvIndex *fetched, const SvManifest *manifest, GError **error)
{
  SvAnchorState state;
  g_autoptr (SvIndex) remembered = fetched == NULL ? sv_remembered_index (reader, error) : NULL;
  const SvIndex *index = fetched != NULL ? fetched : remembered;
  const SvIndexEntry *entry = index != NULL ? sv_index_find_hash (index, manifest->hash) : NULL;
  if (entry == NULL || !sv_anchor_state (reader, index, entry, &state, error))
    return NULL;
  return sv_anchor_state_name (state);
}

static gboolean
check_anchored (const SvManifest *manifest, const char *anchor, GError **error)
{
  if (!opt_require_anchor || (anchor != NULL && g_str_equal (anchor, sv_anchor_state_name (SV_ANCHORED))) ||
      (anchor != NULL && g_str_equal (anchor, sv_anchor_state_name (SV_ANCHOR_PENDING))))
    return TRUE;
  if (error != NULL && *error != NULL)
    return FALSE;
  g_set_error (
      error, SV_ERROR, SV_ERROR_VERIFY,
      "manifest %s of window %s is %s: a newer index is anchored on the chain, and this manifest is not in its history",
      manifest->hash, manifest->window_id, anchor != NULL ? anchor : "not in the index");
  return FALSE;
}

static void
print_current_json (const SvManifest *manifest, const Clock *clock, const char *anchor)
{
  guint64 block = clock->head.best.number;
  json_t *json = json_object ();
  json_object_set_new (json, "window_id", json_string (manifest->window_id));
  json_object_set_new (json, "manifest_hash", json_string (manifest->hash));
  json_object_set_new (json, "start_block", sv_json_integer (manifest->start_block));
  json_object_set_new (json, "expiry_block", sv_json_integer (manifest->expiry_block));
  json_object_set_new (json, "block", sv_json_integer (block));
  json_object_set_new (json, "blocks_left", sv_json_integer (manifest->expiry_block - MIN (block, manifest->expiry_block)));
  json_object_set_new (json, "expires_at", time_to_json (clock, manifest->expiry_block));
  json_object_set_new (json, "signed_by", json_string (manifest->document->signed_by));
  json_object_set_new (json, "elements", sv_json_integer (manifest->n_elements));
  json_object_set_new (json, "anchor", sv_json_string_or_null (anchor));
  sv_print_json (json);
}

static void
print_window_lines (const SvManifest *manifest, const Clock *clock)
{
  g_autofree char *expires = time_of_block (clock, manifest->expiry_block);
  g_autofree char *left = sv_duration_format (MAX (ms_until (clock, manifest->expiry_block), 0));
  printf ("window      %s\nmanifest    %s\nblocks      " BLOCK " to " BLOCK ", now " BLOCK "\n", manifest->window_id,
          manifest->hash, manifest->start_block, manifest->expiry_block, clock->head.best.number);
  if (expires != NULL)
    printf ("ends        %s, in %s\n", expires, left);
  printf ("signed by   %s\nelements    %" G_GSIZE_FORMAT "\n", manifest->document->signed_by, manifest->n_elements);
}

int
sv_manifest_run_current (SvContext *context, int argc, char **argv, GError **error)
{
  Clock clock;
  context->accept_owner = opt_accept_owner;
  if (!sv_check_arguments (argc, 0, 0, "sv manifest current [--require-anchor]", error) || !read_clock (context, &clock, error))
    return 1;
  SvReader *reader = sv_context_reader (context, error);
  g_autoptr (SvIndex) index = NULL;
  g_autoptr (SvManifest) manifest = reader != NULL ? sv_get_current (reader, clock.head.best.number, &index, error) : NULL;
  if (manifest == NULL)
    return 1;
  GError *unknown = NULL;
  const char *anchor = find_anchor_state (reader, index, manifest, &unknown);
  if (context->as_json)
    print_current_json (manifest, &clock, anchor);
  else
  {
    print_window_lines (manifest, &clock);
    g_autofree char *styled =
        sv_styled (anchor != NULL ? anchor : "unknown", anchor != NULL ? SV_STYLE_BOLD : SV_STYLE_YELLOW, context->use_color);
    printf ("anchor      %s%s%s\n", styled, unknown != NULL ? ": " : "", unknown != NULL ? unknown->message : "");
  }
  if (opt_require_anchor && unknown != NULL)
  {
    g_propagate_error (error, unknown);
    return 1;
  }
  g_clear_error (&unknown);
  return check_anchored (manifest, anchor, error) ? 0 : 1;
}

/* ── show ── */

static SvReader *
need_reader (gpointer context, GError **error)
{
  return sv_context_reader (context, error);
}

static SvChain *
need_chain (gpointer context, GError **error)
{
  return sv_context_chain (context, error);
}

SvManifestSource *
sv_manifest_load_source (SvContext *context, const char *name, GError **error)
{
  context->accept_owner = opt_accept_owner;
  SvSourceEngines engines = { need_reader, need_chain, context };
  return sv_manifest_source_load (name, &engines, error);
}

static char *
describe_pillars (const SvElement *element)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (gsize i = 0; i < element->n_pillars; i++)
    g_string_append_printf (text, "%s%s %g", i > 0 ? ", " : "", element->pillars[i].name, element->pillars[i].weight);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
print_elements (const SvContext *context, const SvManifest *manifest)
{
  static const char *const headers[] = { "ELEMENT", "CLIPS", "FPS", "P95 MS", "THETA", "DELTA", "BETA", "PILLARS", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT,  SV_COLUMN_RIGHT, SV_COLUMN_RIGHT, SV_COLUMN_RIGHT,
                                      SV_COLUMN_RIGHT, SV_COLUMN_RIGHT, SV_COLUMN_RIGHT, SV_COLUMN_ELASTIC };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  for (gsize i = 0; i < manifest->n_elements; i++)
  {
    const SvElement *element = &manifest->elements[i];
    g_autofree char *pillars = describe_pillars (element);
    sv_table_add (table, element->id);
    sv_table_printf (table, "%" G_GSIZE_FORMAT, element->n_clips);
    sv_table_printf (table, "%g", element->service_rate_fps);
    sv_table_printf (table, "%g", element->latency_p95_ms);
    sv_table_printf (table, "%g", element->baseline_theta);
    sv_table_printf (table, "%g", element->delta_floor);
    sv_table_printf (table, "%g", element->beta);
    sv_table_add (table, pillars);
  }
  sv_table_print (table, context->use_color);
}

static void
print_manifest (const SvContext *context, const SvManifest *manifest)
{
  printf ("window      %s\n", manifest->window_id);
  printf ("manifest    %s\n", manifest->hash != NULL ? manifest->hash : "not published: a hash comes with the signature");
  if (manifest->has_start_block)
    printf ("blocks      " BLOCK " to " BLOCK "\n", manifest->start_block, manifest->expiry_block);
  else
    printf ("blocks      to " BLOCK "; publishing fills in the start\n", manifest->expiry_block);
  if (manifest->document != NULL)
  {
    g_autofree char *signed_at = sv_time_format (manifest->document->signed_at);
    printf ("signed      %s by %s\nprevious    %s\n", signed_at, manifest->document->signed_by,
            manifest->previous != NULL ? manifest->previous : "none: the first one");
  }
  printf ("issuers    ");
  for (char **issuer = manifest->issuers; *issuer != NULL; issuer++)
    printf (" %s", *issuer);
  printf ("%s\n\n", manifest->issuers[0] == NULL ? " the signer" : "");
  print_elements (context, manifest);
}

int
sv_manifest_run_show (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 0, 1, "sv manifest show [HASH|WINDOW|FILE|active]", error))
    return 1;
  g_autoptr (SvManifestSource) source = sv_manifest_load_source (context, argc > 0 ? argv[0] : "active", error);
  if (source == NULL)
    return 1;
  if (context->as_json)
    sv_print_json (json_incref (source->json));
  else
    print_manifest (context, source->manifest);
  return 0;
}
