/* As with shards there is one reader, read_line(): checking a line is reading it into one that is thrown away.
 *
 * A line has at most 256 records. Where all their names differ and are as long as can be, that is half of the 256 KiB which it
 * may have, and beyond which a reader parses nothing before it has verified the signature. So a million records cost four
 * thousand signatures. The range stands in the line and not only in the file's name: what is signed is then a whole statement,
 * "these and no others", and neither file names nor signposts have to be believed. */
#include "protocol/issued.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "protocol/fields.h"
#include "protocol/issued_columns.h"

/* ── values ── */

SvIssuedKey *
sv_issued_key_new (const char *manifest_hash, const guint8 key[32])
{
  SvIssuedKey *copy = g_new0 (SvIssuedKey, 1);
  copy->manifest_hash = g_strdup (manifest_hash);
  memcpy (copy->key, key, sizeof copy->key);
  return copy;
}

void
sv_issued_key_free (SvIssuedKey *key)
{
  if (key == NULL)
    return;
  sodium_memzero (key->key, sizeof key->key);
  g_free (key->manifest_hash);
  g_free (key);
}

static void
record_free (gpointer record)
{
  sv_issue_record_free (record);
}

static void
key_free (gpointer key)
{
  sv_issued_key_free (key);
}

SvIssuedLine *
sv_issued_line_new (const char *window_id, guint64 first, guint64 last)
{
  SvIssuedLine *line = g_new0 (SvIssuedLine, 1);
  line->window_id = g_strdup (window_id);
  line->first = first;
  line->last = last;
  line->records = g_ptr_array_new_with_free_func (record_free);
  line->keys = g_ptr_array_new_with_free_func (key_free);
  line->names = g_ptr_array_new_with_free_func (g_free);
  return line;
}

void
sv_issued_line_free (SvIssuedLine *line)
{
  if (line == NULL)
    return;
  g_clear_pointer (&line->document, sv_signed_document_free);
  g_free (line->window_id);
  g_ptr_array_unref (line->records);
  g_ptr_array_unref (line->names);
  g_ptr_array_unref (line->keys);
  g_free (line);
}

const SvIssueRecord *
sv_issued_find (const SvIssuedLine *line, guint64 challenge_id)
{
  for (guint low = 0, high = line->records->len; low < high;)
  {
    guint middle = low + (high - low) / 2;
    const SvIssueRecord *record = line->records->pdata[middle];
    if (record->challenge_id == challenge_id)
      return record;
    if (record->challenge_id < challenge_id)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const SvIssuedKey *
sv_issued_find_key (const GPtrArray *keys, const char *manifest_hash)
{
  for (guint i = 0; i < keys->len; i++)
  {
    const SvIssuedKey *key = keys->pdata[i];
    if (strcmp (key->manifest_hash, manifest_hash) == 0)
      return key;
  }
  return NULL;
}

gboolean
sv_issue_record_equal (const SvIssueRecord *a, const SvIssueRecord *b)
{
  return a->challenge_id == b->challenge_id && a->seed == b->seed && a->block == b->block && a->time_ms == b->time_ms &&
         g_strcmp0 (a->asker, b->asker) == 0 && g_strcmp0 (a->miner, b->miner) == 0 &&
         g_strcmp0 (a->window_id, b->window_id) == 0 && g_strcmp0 (a->manifest_hash, b->manifest_hash) == 0 &&
         g_strcmp0 (a->element_id, b->element_id) == 0 && g_strcmp0 (a->clip_hash, b->clip_hash) == 0 &&
         g_strcmp0 (a->nonce, b->nonce) == 0;
}

/* ── reading ── */

static void
read_key (const char *manifest_hash, const json_t *value, SvIssuedLine *line, SvFaults *faults)
{
  guint8 key[32];
  g_autofree char *pointer = sv_pointer_key ("/closed/keys", manifest_hash);
  const char *hex = json_string_value (value);

  if (!sv_hash_is_valid (manifest_hash))
    sv_faults_add (faults, pointer, "is not named by a manifest's hash");
  else if (hex == NULL || json_string_length (value) != 2 * sizeof key || !sv_hex_decode (hex, FALSE, key, sizeof key))
    sv_faults_add (faults, pointer, "is not 64 lower-case hex digits");
  else
    g_ptr_array_add (line->keys, sv_issued_key_new (manifest_hash, key));
}

static void
read_closing (const SvScope *scope, SvIssuedLine *line)
{
  g_auto (SvScope) closed = { 0 }, keys = { 0 };
  const char *manifest_hash;
  json_t *value;

  line->is_closing = sv_scope_object (scope, "closed", SV_OPTIONAL, &closed);
  if (line->is_closing != (line->last == SV_ISSUED_END))
    sv_scope_fault (scope, "closed", "stands in the line whose last is 2^53-1, and in no other");
  if (!line->is_closing)
    return;
  if (sv_scope_integer (&closed, "last_id", SV_REQUIRED, &line->last_id) && line->last_id >= line->first)
    sv_scope_fault (&closed, "last_id", "is not below the line's first");
  if (line->records->len > 0)
    sv_scope_fault (scope, "records", "a closing line has none");
  if (!sv_scope_object (&closed, "keys", SV_REQUIRED, &keys))
    return;
  if (json_object_size (keys.json) > SV_ISSUED_MAX_KEYS)
    sv_scope_fault (&closed, "keys", "has more than %d members", SV_ISSUED_MAX_KEYS);
  else
    json_object_foreach ((json_t *)keys.json, manifest_hash, value) read_key (manifest_hash, value, line, scope->faults);
}

static void
read_fields (const SvScope *scope, SvIssuedLine *line)
{
  line->window_id = sv_field_text (scope, "window_id", SV_REQUIRED, &sv_form_window_id);
  if (sv_scope_integer (scope, "first", SV_REQUIRED, &line->first) && line->first == 0)
    sv_scope_fault (scope, "first", "is 0; ids begin with 1");
  if (sv_scope_integer (scope, "last", SV_REQUIRED, &line->last) && line->last < line->first)
    sv_scope_fault (scope, "last", "is below first");
  sv_issued_read_records (scope, line);
  read_closing (scope, line);
}

/* (transfer full) what could be read; whole where @faults stays without errors. */
static SvIssuedLine *
read_line (const json_t *json, SvFaults *faults)
{
  SvIssuedLine *line = sv_issued_line_new (NULL, 0, 0);
  g_auto (SvScope) scope = { 0 };

  if (sv_scope_init (&scope, json, "", faults))
    read_fields (&scope, line);
  return line;
}

void
sv_issued_check (const json_t *json, SvFaults *faults)
{
  sv_issued_line_free (read_line (json, faults));
}

SvIssuedLine *
sv_issued_open (GBytes *bytes, const SvChainId *chain, SvTrustFunc is_trusted, gpointer trust_data, GError **error)
{
  const SvDocumentRules rules = { .type = "issued",
                                  .chain = chain,
                                  .max_size = SV_ISSUED_LINE_MAX_SIZE,
                                  .check_schema = sv_issued_check,
                                  .is_trusted = is_trusted,
                                  .trust_data = trust_data };
  g_autoptr (SvFaults) faults = sv_faults_new ();
  SvSignedDocument *document = sv_signed_document_open ("issue log", bytes, &rules, error);
  if (document == NULL)
    return NULL;
  SvIssuedLine *line = read_line (document->json, faults);
  line->document = document;
  g_clear_pointer (&document->json, json_decref);
  return line;
}

/* ── files and signposts ── */

GBytes *
sv_issued_next_line (GBytes *file, gsize *offset, GError **error)
{
  gsize length;
  const char *data = g_bytes_get_data (file, &length);
  if (*offset >= length)
    return NULL;
  const char *newline = memchr (data + *offset, '\n', length - *offset);
  gsize size = newline != NULL ? (gsize)(newline - data) - *offset : length - *offset;
  if (newline == NULL || size > SV_ISSUED_LINE_MAX_SIZE)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "a line is %s",
                 newline == NULL ? "cut short" : "longer than 256 KiB, which no line of an issue log is");
    return NULL;
  }
  GBytes *line = g_bytes_new_from_bytes (file, *offset, size);
  *offset += size + 1;
  return line;
}

GBytes *
sv_issued_signpost_write (guint64 last)
{
  char *text = g_strdup_printf ("{\"last\":%" G_GUINT64_FORMAT "}", last);
  return g_bytes_new_take (text, strlen (text));
}

gboolean
sv_issued_signpost_read (GBytes *bytes, guint64 first, guint64 *last, GError **error)
{
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_auto (SvScope) scope = { 0 };
  g_autoptr (json_t) json = sv_json_parse ("signpost", data, length, SV_ISSUED_SIGNPOST_MAX_SIZE, error);
  if (json == NULL)
    return FALSE;
  if (sv_scope_init (&scope, json, "", faults) && sv_scope_integer (&scope, "last", SV_REQUIRED, last) && *last < first)
    sv_scope_fault (&scope, "last", "lies before the signpost's own id");
  return sv_faults_check (faults, "signpost", error);
}
