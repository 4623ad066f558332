/* Lines of the issue log, written and signed. Of a busy server records are ten thousand a second, so they are checked and
 * written as they are: no JSON value is made of them, and the text is made once. Names stand before the records that they are
 * numbered by, so a line's records are gone through twice: to be checked and numbered, and to be written. A closing line is one
 * for each window. */
#include "protocol/issued_columns.h"

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
  json_object_set_new (json, "names", json_array ());
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

/* ── names ── */

#define N_SLOTS 4096 /* a power of two, three times as many as there can be names */
#define HASH_FACTOR G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)

typedef struct
{
  const char *text; /* of a record of the line */
  SvIssuedForm form;
} Name;

typedef struct
{
  guint n_names;
  Name names[SV_ISSUED_LINE_MAX_NAMES];
  guint16 slots[N_SLOTS];                                           /* number of a name + 1, 0 for none */
  guint16 numbers[SV_ISSUED_LINE_MAX_RECORDS][SV_ISSUED_N_COLUMNS]; /* of records' names */
} Names;

/* Eight bytes at a time: every name is hashed many times. */
static guint
hash_name (const char *text, SvIssuedForm form)
{
  guint64 hash = form, word;
  gsize length = strlen (text);
  for (; length >= sizeof word; length -= sizeof word, text += sizeof word)
  {
    memcpy (&word, text, sizeof word);
    hash = (hash ^ word) * HASH_FACTOR;
    hash ^= hash >> 32;
  }
  for (; length > 0; length--)
    hash = (hash ^ (guint8)*text++) * HASH_FACTOR;
  return (guint)(hash >> 32) % N_SLOTS;
}

/* FALSE where it is no name of this form, which is looked at when it comes first. */
static gboolean
number_name (Names *names, const char *text, SvIssuedForm form, guint16 *number)
{
  guint at = text != NULL ? hash_name (text, form) : 0;
  for (; text != NULL && names->slots[at] > 0; at = (at + 1) % N_SLOTS)
  {
    const Name *name = &names->names[names->slots[at] - 1];
    *number = names->slots[at] - 1;
    if (name->form == form && strcmp (name->text, text) == 0)
      return TRUE;
  }
  if (!sv_issued_is_name (text, form))
    return FALSE;
  *number = (guint16)names->n_names;
  names->names[names->n_names++] = (Name){ text, form };
  names->slots[at] = (guint16)names->n_names;
  return TRUE;
}

/* ── records ── */

/* @before shares texts with the record. */
static gboolean
check_name (Names *names, guint i, gsize c, const SvIssueRecord *record, const SvIssueRecord *before)
{
  const SvIssuedColumn *column = &sv_issued_columns[c];
  const char *text = G_STRUCT_MEMBER (char *, record, column->offset);
  if (before == NULL || G_STRUCT_MEMBER (char *, before, column->offset) != text)
    return number_name (names, text, column->form, &names->numbers[i][c]);
  names->numbers[i][c] = names->numbers[i - 1][c];
  return TRUE;
}

static gboolean
check_value (Names *names, guint i, gsize c, const SvIssueRecord *record, const SvIssueRecord *before)
{
  const SvIssuedColumn *column = &sv_issued_columns[c];
  if (column->form == SV_ISSUED_INTEGER)
    return G_STRUCT_MEMBER (guint64, record, column->offset) <= SV_JSON_MAX_INTEGER;
  if (column->form == SV_ISSUED_NONCE)
    return record->nonce != NULL && sv_issued_nonce_is_valid (record->nonce);
  return check_name (names, i, c, record, before);
}

/* The field that a reader would refuse, or NULL. */
static const char *
bad_field (const SvIssuedLine *line, guint i, Names *names)
{
  const SvIssueRecord *record = line->records->pdata[i];
  const SvIssueRecord *before = i > 0 ? line->records->pdata[i - 1] : NULL;
  guint64 id = record->challenge_id;
  if (id < line->first || id > line->last || (before != NULL && id <= before->challenge_id))
    return "id";
  for (gsize c = 0; c < SV_ISSUED_N_COLUMNS; c++)
    if (!check_value (names, i, c, record, before))
      return sv_issued_columns[c].field;
  return NULL;
}

static gboolean
check_records (const SvIssuedLine *line, Names *names, GError **error)
{
  g_autofree char *reason = NULL;
  if (line->first == 0 || line->last < line->first || line->last >= SV_ISSUED_END || !sv_window_id_is_valid (line->window_id))
    reason = g_strdup ("the line's window or range is not well formed");
  else if (line->records->len > SV_ISSUED_LINE_MAX_RECORDS)
    reason = g_strdup ("too many for one line");
  for (guint i = 0; reason == NULL && i < line->records->len; i++)
  {
    const char *field = bad_field (line, i, names);
    if (field != NULL)
      reason = g_strdup_printf ("challenge %" G_GUINT64_FORMAT ": its %s is not well formed",
                                ((const SvIssueRecord *)line->records->pdata[i])->challenge_id, field);
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
write_names (SvJsonText *json, const Names *names)
{
  for (guint i = 0; i < names->n_names; i++)
    if (names->names[i].form == SV_ISSUED_ACCOUNT)
      write_account (json, i > 0 ? "," : "", names->names[i].text);
    else
      write_string (json, i > 0 ? "," : "", names->names[i].text);
}

#define RECORD_MAX_SIZE (SV_ISSUED_N_COLUMNS * (SV_INTEGER_TEXT_SIZE + 3)) /* bytes; a nonce is not longer than integers */

static gsize
write_value (const SvIssueRecord *record, const SvIssuedColumn *column, guint16 number, char *out)
{
  if (column->form == SV_ISSUED_INTEGER)
    return sv_integer_write (G_STRUCT_MEMBER (guint64, record, column->offset), out);
  if (column->form != SV_ISSUED_NONCE)
    return sv_integer_write (number, out);
  *out++ = '"';
  memcpy (out, record->nonce, SV_ISSUED_NONCE_DIGITS);
  out[SV_ISSUED_NONCE_DIGITS] = '"';
  return SV_ISSUED_NONCE_DIGITS + 2;
}

static void
write_record (SvJsonText *json, const SvIssueRecord *record, const guint16 *numbers)
{
  sv_json_text_reserve (json, RECORD_MAX_SIZE);
  char *out = json->text + json->length;
  for (gsize c = 0; c < SV_ISSUED_N_COLUMNS; c++)
  {
    *out++ = c > 0 ? ',' : '[';
    out += write_value (record, &sv_issued_columns[c], numbers[c], out);
  }
  *out++ = ']';
  json->length = (gsize)(out - json->text);
}

/* In the canonical order, in which `signature` stands behind the records. */
static void
write_before_signature (SvJsonText *json, const SvIssuedLine *line, const Names *names, const SvChainId *chain)
{
  write_string (json, "{\"chain\":{\"genesis\":", chain->genesis);
  write_integer (json, ",\"netuid\":", chain->netuid);
  write_integer (json, "},\"first\":", line->first);
  write_integer (json, ",\"last\":", line->last);
  sv_json_text_literal (json, ",\"names\":[");
  write_names (json, names);
  sv_json_text_literal (json, "],\"records\":[");
  for (guint i = 0; i < line->records->len; i++)
  {
    if (i > 0)
      sv_json_text_literal (json, ",");
    write_record (json, line->records->pdata[i], names->numbers[i]);
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

#define USUAL_SIZE 32768 /* bytes of a line that is full */

static SvSignedDocument *
sign_records (const SvIssuedLine *line, const SvChainId *chain, const SvKeypair *keypair, gint64 signed_at, GError **error)
{
  g_auto (SvJsonText) text = { 0 };
  g_autofree Names *names = g_new0 (Names, 1);
  if (!check_records (line, names, error))
    return NULL;
  SvSignedDocument *document = g_new0 (SvSignedDocument, 1);
  document->signed_at = signed_at - signed_at % 1000;
  document->signed_by = g_strdup (sv_keypair_address (keypair));
  sv_json_text_init (&text, NULL, 0);
  sv_json_text_reserve (&text, USUAL_SIZE);
  write_before_signature (&text, line, names, chain);
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
