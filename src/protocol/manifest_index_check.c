/* Rules of the index document and of its archives (docs/protocol.md section 4). Rules of one entry come first, then those
 * between entries: order, one live entry a window, windows that do not overlap, and sequence numbers that each belong to one
 * change. */
#include "protocol/element_check.h"
#include "protocol/manifest_archive.h"
#include "protocol/signed_fields.h"

#include "base/identifiers.h"
#include "base/rfc3339.h"

#define ENTRY_FIELD_NAMES                                                                                                      \
  "hash", "window_id", "start_block", "expiry_block", "active_from", "added_sequence", "published_at", "published_by",         \
      "elements_summary"

static void
check_time (const SvScope *scope, const char *key)
{
  gint64 when;
  const char *text = sv_scope_string (scope, key, SV_REQUIRED);
  if (text != NULL && !sv_time_parse (text, &when))
    sv_scope_fault (scope, key, "\"%s\" is not a UTC time like 2025-10-23T00:00:00Z", text);
}

static void
check_account (const SvScope *scope, const char *key)
{
  const char *text = sv_scope_string (scope, key, SV_REQUIRED);
  g_autofree char *address = text != NULL ? sv_account_normalize (text) : NULL;
  if (text != NULL && address == NULL)
    sv_scope_fault (scope, key, "\"%s\" is not an account", text);
}

static void
check_window_id (const SvScope *scope)
{
  const char *id = sv_scope_string (scope, "window_id", SV_REQUIRED);
  if (id != NULL && !sv_window_id_is_valid (id))
    sv_scope_fault (scope, "window_id", "\"%s\" is not a window id", id);
}

static void
check_summary_item (const json_t *json, const char *pointer, SvFaults *faults)
{
  static const char *const fields[] = { "id", "beta", "baseline_theta", "service_rate_fps", NULL };
  double number;
  g_auto (SvScope) item = { 0 };
  if (!sv_scope_init (&item, json, pointer, faults))
    return;
  const char *id = sv_scope_string (&item, "id", SV_REQUIRED);
  if (id != NULL && !sv_element_id_is_valid (id))
    sv_scope_fault (&item, "id", "\"%s\" is not an element id", id);
  for (gsize i = 1; fields[i] != NULL; i++)
    (void)sv_scope_number (&item, fields[i], SV_REQUIRED, 0, G_MAXDOUBLE, &number);
  sv_scope_warn_unknown (&item, fields);
}

static void
check_summary (const SvScope *entry)
{
  const json_t *summary = sv_scope_array (entry, "elements_summary", SV_REQUIRED, 1, SV_MANIFEST_MAX_ELEMENTS);
  g_autofree char *at = sv_pointer_key (entry->pointer, "elements_summary");
  for (gsize i = 0; i < json_array_size (summary); i++)
  {
    g_autofree char *pointer = sv_pointer_index (at, i);
    check_summary_item (json_array_get (summary, i), pointer, entry->faults);
  }
}

static void
check_entry_blocks (const SvScope *entry)
{
  guint64 start = 0, expiry = 0, block;
  const gboolean has_start = sv_scope_integer (entry, "start_block", SV_REQUIRED, &start);
  const gboolean has_expiry = sv_scope_integer (entry, "expiry_block", SV_REQUIRED, &expiry);
  if (has_start && has_expiry && expiry <= start)
    sv_scope_fault (entry, "expiry_block", "%" G_GUINT64_FORMAT " is not after start_block %" G_GUINT64_FORMAT, expiry, start);
  (void)sv_scope_integer (entry, "active_from", SV_REQUIRED, &block);
}

/* A live entry that says it was superseded would be in force for one reader and not for another. */
static void
check_replacement (const SvScope *entry, gboolean is_superseded)
{
  static const char *const live_fields[] = { ENTRY_FIELD_NAMES, NULL };
  static const char *const superseded_fields[] = { ENTRY_FIELD_NAMES, "superseded_by", "superseded_at_block", NULL };
  guint64 block;
  if (is_superseded)
  {
    sv_content_check_hash (entry, "superseded_by", SV_REQUIRED, SV_CONTENT_STORED);
    (void)sv_scope_integer (entry, "superseded_at_block", SV_REQUIRED, &block);
    sv_scope_warn_unknown (entry, superseded_fields);
    return;
  }
  if (json_object_get (entry->json, "superseded_by") != NULL || json_object_get (entry->json, "superseded_at_block") != NULL)
    sv_scope_fault (entry, NULL, "says that it was superseded; such an entry belongs into \"superseded\"");
  else
    sv_scope_warn_unknown (entry, live_fields);
}

/* An archive has no sequence of its own to hold against. */
static void
check_sequence (const SvScope *entry, const SvScope *index, GHashTable *sequences)
{
  guint64 added = 0;
  const json_t *sequence = json_object_get (index->json, "sequence");
  const double newest = sequence != NULL ? json_number_value (sequence) : (double)SV_JSON_MAX_INTEGER;
  if (!sv_scope_integer (entry, "added_sequence", SV_REQUIRED, &added))
    return;
  if (added == 0 || (double)added > newest)
    sv_scope_fault (entry, "added_sequence", "%" G_GUINT64_FORMAT " is not between 1 and the index's own sequence", added);
  guint64 *key = g_new (guint64, 1);
  *key = added;
  if (!g_hash_table_add (sequences, key))
    sv_scope_fault (entry, "added_sequence", "%" G_GUINT64_FORMAT " belongs to another entry too", added);
}

static void
check_entries (const SvScope *index, const char *key, gboolean are_superseded, GHashTable *sequences)
{
  const json_t *entries = sv_scope_array (index, key, SV_REQUIRED, 0, G_MAXSIZE);
  g_autofree char *at = sv_pointer_key (index->pointer, key);
  for (gsize i = 0; i < json_array_size (entries); i++)
  {
    g_autofree char *pointer = sv_pointer_index (at, i);
    g_auto (SvScope) entry = { 0 };
    if (!sv_scope_init (&entry, json_array_get (entries, i), pointer, index->faults))
      continue;
    sv_content_check_hash (&entry, "hash", SV_REQUIRED, SV_CONTENT_STORED);
    check_window_id (&entry);
    check_entry_blocks (&entry);
    check_sequence (&entry, index, sequences);
    check_time (&entry, "published_at");
    check_account (&entry, "published_by");
    check_summary (&entry);
    check_replacement (&entry, are_superseded);
  }
}

/* Windows are half-open, [start, expiry): one may begin at the block where another ends. */
static void
check_neighbours (const SvScope *index, const json_t *before, const json_t *entry, const char *pointer)
{
  const double last_expiry = json_number_value (json_object_get (before, "expiry_block"));
  const double start = json_number_value (json_object_get (entry, "start_block"));
  const double expiry = json_number_value (json_object_get (entry, "expiry_block"));
  if (expiry < last_expiry)
    sv_faults_add (index->faults, pointer, "live entries do not stand by ascending expiry_block");
  else if (start < last_expiry)
    sv_faults_add (index->faults, pointer, "begins at block %.0f, before the window before it ends at %.0f", start,
                   last_expiry);
}

/* In an archive windows may overlap: one that was published later may have begun at a block of long ago. */
static void
check_live_windows (const SvScope *index, gboolean is_archive)
{
  const json_t *entries = json_object_get (index->json, "manifests");
  g_autoptr (GHashTable) windows = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *at = sv_pointer_key (index->pointer, "manifests");
  for (gsize i = 0; i < json_array_size (entries); i++)
  {
    const json_t *entry = json_array_get (entries, i);
    const char *window = json_string_value (json_object_get (entry, "window_id"));
    g_autofree char *pointer = sv_pointer_index (at, i);
    if (window != NULL && !g_hash_table_add (windows, (gpointer)window))
      sv_faults_add (index->faults, pointer, "is a second live entry of window %s", window);
    else if (i > 0 && !is_archive)
      check_neighbours (index, json_array_get (entries, i - 1), entry, pointer);
  }
}

static void
check_both_lists (const SvScope *index, gboolean is_archive)
{
  g_autoptr (GHashTable) sequences = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  check_entries (index, "manifests", FALSE, sequences);
  check_entries (index, "superseded", TRUE, sequences);
  check_live_windows (index, is_archive);
}

static void
check_version (const SvScope *index)
{
  const char *version = sv_scope_string (index, "version", SV_REQUIRED);
  if (version != NULL && g_strcmp0 (version, SV_INDEX_VERSION) != 0)
    sv_scope_fault (index, "version", "is \"%s\"; this program knows version \"%s\"", version, SV_INDEX_VERSION);
}

void
sv_index_check (const json_t *json, SvFaults *faults)
{
  static const char *const fields[] = { SV_SIGNED_FIELD_NAMES,   "version",   "sequence",   "updated_at", "newest", "archive",
                                        "current_manifest_hash", "manifests", "superseded", NULL };
  guint64 sequence;
  g_auto (SvScope) index = { 0 };
  if (!sv_scope_init (&index, json, "", faults))
    return;
  check_version (&index);
  sv_signed_fields_check (&index, "index");
  if (sv_scope_integer (&index, "sequence", SV_REQUIRED, &sequence) && sequence == 0)
    sv_scope_fault (&index, "sequence", "is 0; the first published index has 1");
  check_time (&index, "updated_at");
  sv_content_check_hash (&index, "newest", SV_OPTIONAL, SV_CONTENT_STORED);
  sv_content_check_hash (&index, "archive", SV_OPTIONAL, SV_CONTENT_STORED);
  sv_content_check_hash (&index, "current_manifest_hash", SV_OPTIONAL, SV_CONTENT_STORED);

  check_both_lists (&index, FALSE);
  sv_scope_warn_unknown (&index, fields);
}

void
sv_archive_check (const json_t *json, SvFaults *faults)
{
  static const char *const fields[] = { "version", "manifests", "superseded", "previous", NULL };
  g_auto (SvScope) archive = { 0 };
  if (!sv_scope_init (&archive, json, "", faults))
    return;
  check_version (&archive);
  if (json_object_get (json, "sequence") != NULL)
    sv_scope_fault (&archive, "sequence", "belongs into an index, not into an archive");
  sv_content_check_hash (&archive, "previous", SV_OPTIONAL, SV_CONTENT_STORED);
  check_both_lists (&archive, TRUE);
  sv_scope_warn_unknown (&archive, fields);
}
