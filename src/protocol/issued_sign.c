/* Lines of the issue log, written and signed. Of a busy server records are ten thousand a second, so they are checked and
 * written as they are: no JSON value is made of them, and the text is made once. A closing line is one for each window. */
#include "protocol/issued.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "base/json_text.h"
#include "base/rfc3339.h"

/* ── the closing line ── */

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

/* ── records ── */

#define RECORD_USUAL_SIZE 640 /* bytes, hardly ever more */

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
    { "nonce", record->nonce != NULL && sv_issued_nonce_is_valid (record->nonce) },
    { "seed", record->seed <= SV_JSON_MAX_INTEGER },
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

/* The time that was written last: of a busy server many records have the same. */
typedef struct
{
  gint64 ms;
  char *text; /* NULL: none yet */
} WrittenTime;

static void
write_time (SvJsonText *json, const char *key, gint64 ms, WrittenTime *last)
{
  if (last->text == NULL || last->ms != ms)
  {
    g_free (last->text);
    *last = (WrittenTime){ ms, sv_time_format (ms) };
  }
  write_string (json, key, last->text);
}

static void
write_record (SvJsonText *json, const SvIssueRecord *record, WrittenTime *last_time)
{
  write_account (json, "{\"asker\":", record->asker);
  write_integer (json, ",\"block\":", record->block);
  write_string (json, ",\"clip_hash\":", record->clip_hash);
  write_string (json, ",\"element_id\":", record->element_id);
  write_integer (json, ",\"id\":", record->challenge_id);
  write_string (json, ",\"manifest_hash\":", record->manifest_hash);
  write_account (json, ",\"miner\":", record->miner);
  write_string (json, ",\"nonce\":", record->nonce);
  write_integer (json, ",\"seed\":", record->seed);
  write_time (json, ",\"time\":", record->time_ms, last_time);
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
  WrittenTime time = { 0 };
  for (guint i = 0; i < line->records->len; i++)
  {
    if (i > 0)
      sv_json_text_literal (json, ",");
    write_record (json, line->records->pdata[i], &time);
  }
  g_free (time.text);
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
  sv_json_text_reserve (&text, (line->records->len + 1) * RECORD_USUAL_SIZE);
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
