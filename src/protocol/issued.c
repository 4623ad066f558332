/* As with shards there is one reader, read_line(): checking a line is reading it into one that is thrown away.
 *
 * A line has at most 256 records, because a record with the longest identifiers has some 700 bytes, and a line may have 256
 * KiB, beyond which a reader parses nothing before it has verified the signature. So a million records cost four thousand
 * signatures. The range stands in the line and not only in the file's name: what is signed is then a whole statement, "these
 * and no others", and neither file names nor signposts have to be believed. */
#include "protocol/issued.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "base/schema.h"

#define NONCE_DIGITS 19
#define SEED_MAX SV_JSON_MAX_INTEGER

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

static gboolean
is_nonce (const char *text)
{
  return strspn (text, "0123456789") == NONCE_DIGITS && text[NONCE_DIGITS] == '\0';
}

/* The required string in @key. Returns: (transfer full), or NULL with a fault. */
static char *
read_string (const SvScope *scope, const char *key, gboolean (*is_valid) (const char *text))
{
  const char *text = sv_scope_string (scope, key, SV_REQUIRED);

  if (text == NULL || is_valid (text))
    return g_strdup (text);
  sv_scope_fault (scope, key, "is not well formed");
  return NULL;
}

static char *
read_account (const SvScope *scope, const char *key)
{
  const char *text = sv_scope_string (scope, key, SV_REQUIRED);
  char *address = text != NULL ? sv_account_normalize (text) : NULL;

  if (text != NULL && address == NULL)
    sv_scope_fault (scope, key, "is not an account");
  return address;
}

static void
read_record_fields (const SvScope *scope, SvIssueRecord *record)
{
  const char *time = sv_scope_string (scope, "time", SV_REQUIRED);

  if (time != NULL && !sv_time_parse (time, &record->time_ms))
    sv_scope_fault (scope, "time", "is not a time like 2025-10-23T00:00:00Z");
  sv_scope_integer (scope, "id", SV_REQUIRED, &record->challenge_id);
  record->asker = read_account (scope, "asker");
  record->miner = read_account (scope, "miner");
  record->manifest_hash = read_string (scope, "manifest_hash", sv_hash_is_valid);
  record->element_id = read_string (scope, "element_id", sv_element_id_is_valid);
  record->clip_hash = read_string (scope, "clip_hash", sv_hash_is_valid);
  record->nonce = read_string (scope, "nonce", is_nonce);
  sv_scope_integer (scope, "seed", SV_REQUIRED, &record->seed);
  sv_scope_integer (scope, "block", SV_REQUIRED, &record->block);
}

static void
read_record (const json_t *json, gsize i, SvIssuedLine *line, SvFaults *faults)
{
  g_autofree char *pointer = sv_pointer_index ("/records", i);
  g_auto (SvScope) scope = { 0 };
  guint64 before = i > 0 ? ((const SvIssueRecord *)line->records->pdata[i - 1])->challenge_id : 0;

  SvIssueRecord *record = g_new0 (SvIssueRecord, 1);
  record->window_id = g_strdup (line->window_id);
  g_ptr_array_add (line->records, record);
  if (!sv_scope_init (&scope, json, pointer, faults))
    return;
  read_record_fields (&scope, record);
  if (record->challenge_id < line->first || record->challenge_id > line->last)
    sv_scope_fault (&scope, "id", "lies outside the line's range");
  else if (i > 0 && record->challenge_id <= before)
    sv_scope_fault (&scope, "id", "is not above the one before it");
}

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
  line->window_id = read_string (scope, "window_id", sv_window_id_is_valid);
  if (sv_scope_integer (scope, "first", SV_REQUIRED, &line->first) && line->first == 0)
    sv_scope_fault (scope, "first", "is 0; ids begin with 1");
  if (sv_scope_integer (scope, "last", SV_REQUIRED, &line->last) && line->last < line->first)
    sv_scope_fault (scope, "last", "is below first");
  const json_t *records = sv_scope_array (scope, "records", SV_REQUIRED, 0, SV_ISSUED_LINE_MAX_RECORDS);
  for (gsize i = 0; i < json_array_size (records); i++)
    read_record (json_array_get (records, i), i, line, scope->faults);
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

/* ── writing ── */

static json_t *
closing_to_json (const SvIssuedLine *line)
{
  json_t *keys = json_object ();
  for (guint i = 0; i < line->keys->len; i++)
  {
    const SvIssuedKey *key = line->keys->pdata[i];
    g_autofree char *hex = sv_hex_encode (key->key, sizeof key->key);
    json_object_set_new (keys, key->manifest_hash, json_string (hex));
  }
  json_t *json = json_object ();
  json_object_set_new (json, "last_id", sv_json_integer (line->last_id));
  json_object_set_new (json, "keys", keys);
  return json;
}

static json_t *
closing_line_to_json (const SvIssuedLine *line)
{
  json_t *json = json_object ();
  json_object_set_new (json, "window_id", json_string (line->window_id));
  json_object_set_new (json, "first", sv_json_integer (line->first));
  json_object_set_new (json, "last", sv_json_integer (line->last));
  json_object_set_new (json, "records", json_array ());
  json_object_set_new (json, "closed", closing_to_json (line));
  return json;
}

static SvSignedDocument *
refuse_line (const SvIssuedLine *line, const char *reason, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "records of window %s cannot be published: %s", line->window_id, reason);
  return NULL;
}

static SvSignedDocument *
sign_closing (const SvIssuedLine *line, const SvChainId *chain, const SvKeypair *keypair, gint64 signed_at, GError **error)
{
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_autoptr (json_t) content = closing_line_to_json (line);
  g_autoptr (GError) failure = NULL;
  if (line->records->len > 0)
    return refuse_line (line, "a closing line has none", error);
  sv_issued_check (content, faults);
  if (!sv_faults_check (faults, "issue log", &failure))
    return refuse_line (line, failure->message, error);
  return sv_signed_document_create (content, "issued", chain, keypair, signed_at, error);
}

/* ── writing records ──
 * Of a busy server these are ten thousand a second, so they are checked and written as they are: no value is made of them, and
 * the text is made once. */

/* @known: accounts that were found right already, borrowed from the line's records. */
static gboolean
is_account (const char *text, GHashTable *known)
{
  guint8 key[SV_PUBLIC_KEY_SIZE];
  if (text == NULL || (!g_hash_table_contains (known, text) && !sv_ss58_decode (text, key)))
    return FALSE;
  g_hash_table_add (known, (gpointer)text);
  return TRUE;
}

/* The field that a reader would refuse, or NULL. */
static const char *
bad_field (const SvIssuedLine *line, guint i, GHashTable *known)
{
  const SvIssueRecord *record = line->records->pdata[i];
  guint64 before = i > 0 ? ((const SvIssueRecord *)line->records->pdata[i - 1])->challenge_id : 0;
  const struct
  {
    const char *name;
    gboolean is_right;
  } fields[] = {
    { "id", record->challenge_id >= line->first && record->challenge_id <= line->last && record->challenge_id > before },
    { "asker", is_account (record->asker, known) },
    { "miner", is_account (record->miner, known) },
    { "manifest_hash", record->manifest_hash != NULL && sv_hash_is_valid (record->manifest_hash) },
    { "element_id", record->element_id != NULL && sv_element_id_is_valid (record->element_id) },
    { "clip_hash", record->clip_hash != NULL && sv_hash_is_valid (record->clip_hash) },
    { "nonce", record->nonce != NULL && is_nonce (record->nonce) },
    { "seed", record->seed <= SEED_MAX },
    { "block", record->block <= SV_JSON_MAX_INTEGER },
  };
  for (gsize at = 0; at < G_N_ELEMENTS (fields); at++)
    if (!fields[at].is_right)
      return fields[at].name;
  return NULL;
}

static gboolean
check_records (const SvIssuedLine *line, GError **error)
{
  g_autofree char *reason = NULL;
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  if (line->first == 0 || line->last < line->first || line->last >= SV_ISSUED_END || !sv_window_id_is_valid (line->window_id))
    reason = g_strdup ("the line's window or range is not well formed");
  else if (line->records->len > SV_ISSUED_LINE_MAX_RECORDS)
    reason = g_strdup ("too many for one line");
  for (guint i = 0; reason == NULL && i < line->records->len; i++)
  {
    const char *field = bad_field (line, i, known);
    if (field != NULL)
      reason = g_strdup_printf ("/records/%u/%s is not well formed", i, field);
  }
  return reason == NULL || refuse_line (line, reason, error) != NULL;
}

static void
write_integer (SvJsonText *json, const char *key, guint64 value)
{
  sv_json_text_raw (json, key, strlen (key));
  sv_json_text_integer (json, value);
}

static void
write_string (SvJsonText *json, const char *key, const char *value)
{
  sv_json_text_raw (json, key, strlen (key));
  sv_json_text_string (json, value);
}

/* An account has no character that JSON would escape. */
static void
write_account (SvJsonText *json, const char *key, const char *address)
{
  sv_json_text_raw (json, key, strlen (key));
  sv_json_text_literal (json, "\"" SV_ACCOUNT_DOCUMENT_PREFIX);
  sv_json_text_raw (json, address, strlen (address));
  sv_json_text_literal (json, "\"");
}

static void
write_record (SvJsonText *json, const SvIssueRecord *record)
{
  g_autofree char *time = sv_time_format (record->time_ms);
  write_account (json, "{\"asker\":", record->asker);
  write_integer (json, ",\"block\":", record->block);
  write_string (json, ",\"clip_hash\":", record->clip_hash);
  write_string (json, ",\"element_id\":", record->element_id);
  write_integer (json, ",\"id\":", record->challenge_id);
  write_string (json, ",\"manifest_hash\":", record->manifest_hash);
  write_account (json, ",\"miner\":", record->miner);
  write_string (json, ",\"nonce\":", record->nonce);
  write_integer (json, ",\"seed\":", record->seed);
  write_string (json, ",\"time\":", time);
  sv_json_text_literal (json, "}");
}

/* In the canonical order, in which `signature` stands behind the records. */
static void
write_before_signature (SvJsonText *json, const SvIssuedLine *line, const SvChainId *chain)
{
  write_string (json, "{\"chain\":{\"genesis\":", chain->genesis);
  write_integer (json, ",\"netuid\":", chain->netuid);
  write_integer (json, "},\"first\":", line->first);
  write_integer (json, ",\"last\":", line->last);
  sv_json_text_literal (json, ",\"records\":[");
  for (guint i = 0; i < line->records->len; i++)
  {
    if (i > 0)
      sv_json_text_literal (json, ",");
    write_record (json, line->records->pdata[i]);
  }
  sv_json_text_literal (json, "]");
}

static void
write_after_signature (SvJsonText *json, const SvIssuedLine *line, const SvSignedDocument *document)
{
  g_autofree char *signed_at = sv_time_format (document->signed_at);
  write_string (json, ",\"signed_at\":", signed_at);
  write_account (json, ",\"signed_by\":", document->signed_by);
  write_string (json, ",\"type\":\"issued\",\"window_id\":", line->window_id);
  sv_json_text_literal (json, "}");
}

static SvSignedDocument *
sign_records (const SvIssuedLine *line, const SvChainId *chain, const SvKeypair *keypair, gint64 signed_at, GError **error)
{
  g_auto (SvJsonText) text = { 0 };
  if (!check_records (line, error))
    return NULL;
  SvSignedDocument *document = g_new0 (SvSignedDocument, 1);
  document->signed_at = signed_at - signed_at % 1000;
  document->signed_by = g_strdup (sv_keypair_address (keypair));
  sv_json_text_init (&text, NULL, 0);
  write_before_signature (&text, line, chain);
  gsize place = text.length;
  write_after_signature (&text, line, document);
  g_autofree char *signature = sv_keypair_sign (keypair, text.text, text.length);
  text.length = place;
  write_string (&text, ",\"signature\":", signature);
  write_after_signature (&text, line, document);
  document->bytes = g_bytes_new (text.text, text.length);
  return document;
}

SvSignedDocument *
sv_issued_sign (const SvIssuedLine *line, const SvChainId *chain, const SvKeypair *keypair, gint64 signed_at, GError **error)
{
  g_autoptr (SvSignedDocument) document = line->is_closing ? sign_closing (line, chain, keypair, signed_at, error)
                                                           : sign_records (line, chain, keypair, signed_at, error);
  if (document == NULL || g_bytes_get_size (document->bytes) <= SV_ISSUED_LINE_MAX_SIZE)
    return g_steal_pointer (&document);
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED,
               "%u records of window %s have %" G_GSIZE_FORMAT " bytes, more than a line may have", line->records->len,
               line->window_id, g_bytes_get_size (document->bytes));
  return NULL;
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
