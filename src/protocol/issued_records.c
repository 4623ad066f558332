/* Reading a line's records. A line says given records in one way only: no name is there twice, or unused, and names stand in
 * the order in which the records come to them. So a record's name is right if it was used before, or is the first that was not.
 * What a name is, an account, a hash or an element id, is seen by itself, and is found out once for the line. */
#include "protocol/issued_columns.h"

#include <string.h>

#include "base/hash.h"
#include "base/identifiers.h"
#include "base/schema.h"

const SvIssuedColumn sv_issued_columns[SV_ISSUED_N_COLUMNS] = {
  { "id", SV_ISSUED_INTEGER, offsetof (SvIssueRecord, challenge_id) },
  { "asker", SV_ISSUED_ACCOUNT, offsetof (SvIssueRecord, asker) },
  { "miner", SV_ISSUED_ACCOUNT, offsetof (SvIssueRecord, miner) },
  { "manifest_hash", SV_ISSUED_HASH, offsetof (SvIssueRecord, manifest_hash) },
  { "element_id", SV_ISSUED_ELEMENT, offsetof (SvIssueRecord, element_id) },
  { "clip_hash", SV_ISSUED_HASH, offsetof (SvIssueRecord, clip_hash) },
  { "seed", SV_ISSUED_INTEGER, offsetof (SvIssueRecord, seed) },
  { "nonce", SV_ISSUED_NONCE, offsetof (SvIssueRecord, nonce) },
  { "block", SV_ISSUED_INTEGER, offsetof (SvIssueRecord, block) },
  { "time", SV_ISSUED_INTEGER, offsetof (SvIssueRecord, time_ms) },
};

gboolean
sv_issued_nonce_is_valid (const char *text)
{
  return strspn (text, "0123456789") == SV_ISSUED_NONCE_DIGITS && text[SV_ISSUED_NONCE_DIGITS] == '\0';
}

gboolean
sv_issued_is_name (const char *text, SvIssuedForm form)
{
  guint8 key[SV_PUBLIC_KEY_SIZE];
  switch (form)
  {
  case SV_ISSUED_ACCOUNT:
    return sv_ss58_decode (text, key);
  case SV_ISSUED_HASH:
    return sv_hash_is_valid (text);
  case SV_ISSUED_ELEMENT:
    return sv_element_id_is_valid (text);
  case SV_ISSUED_INTEGER:
  case SV_ISSUED_NONCE:
    break;
  }
  return FALSE;
}

typedef struct
{
  SvIssuedLine *line;
  SvFaults *faults;
  guint8 forms[SV_ISSUED_LINE_MAX_NAMES]; /* of the line's names */
  guint n_used;                           /* of them, by the records up to here */
} Reading;

/* ── names ── */

/* (transfer none) the name as records have it, or NULL. Only accounts and hashes have a colon, so it has one form at most. */
static const char *
judge_name (const json_t *json, guint8 *form)
{
  const char *text = json_string_value (json);
  *form = SV_ISSUED_INTEGER;
  if (text == NULL || strlen (text) != json_string_length (json))
    return NULL;
  if (g_str_has_prefix (text, SV_ACCOUNT_DOCUMENT_PREFIX))
  {
    text += strlen (SV_ACCOUNT_DOCUMENT_PREFIX);
    *form = SV_ISSUED_ACCOUNT;
  }
  else
    *form = strchr (text, ':') != NULL ? SV_ISSUED_HASH : SV_ISSUED_ELEMENT;
  return sv_issued_is_name (text, *form) ? text : NULL;
}

static void
read_names (Reading *reading, const json_t *names)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal); /* as they stand in the line */
  for (gsize i = 0; i < json_array_size (names); i++)
  {
    const json_t *json = json_array_get (names, i);
    const char *text = judge_name (json, &reading->forms[i]);
    g_autofree char *pointer = NULL;
    g_ptr_array_add (reading->line->names, g_strdup (text));
    if (text != NULL && g_hash_table_add (known, (gpointer)json_string_value (json)))
      continue;
    pointer = sv_pointer_index ("/names", i);
    sv_faults_add (reading->faults, pointer, "%s",
                   text != NULL ? "stands in the line twice" : "is no account (ss58:…), no hash (sha256:…) and no element id");
  }
}

/* ── records ── */

typedef struct
{
  SvIssueRecord record; /* its other texts are the line's */
  char nonce[SV_ISSUED_NONCE_DIGITS + 1];
} ReadRecord;

typedef struct
{
  Reading *reading;
  gsize number;
  ReadRecord *read;
} Row;

static void
fault_at (const Row *row, const SvIssuedColumn *column, const char *message)
{
  g_autofree char *pointer =
      g_strdup_printf ("/records/%" G_GSIZE_FORMAT "/%d", row->number, (int)(column - sv_issued_columns));
  sv_faults_add (row->reading->faults, pointer, "%s %s", column->field, message);
}

static void
read_integer (const Row *row, const SvIssuedColumn *column, const json_t *json)
{
  if (!sv_json_get_integer (json, G_STRUCT_MEMBER_P (row->read, column->offset)))
    fault_at (row, column, "is not an integer from 0 to 2^53-1");
}

static void
read_nonce (const Row *row, const SvIssuedColumn *column, const json_t *json)
{
  ReadRecord *read = row->read;
  const char *text = json_string_value (json);
  if (text == NULL || json_string_length (json) != SV_ISSUED_NONCE_DIGITS || !sv_issued_nonce_is_valid (text))
    fault_at (row, column, "is not a text of 19 digits");
  else
    read->record.nonce = memcpy (read->nonce, text, sizeof read->nonce);
}

static void
read_name (const Row *row, const SvIssuedColumn *column, const json_t *json)
{
  static const char *const other_forms[] = { [SV_ISSUED_ACCOUNT] = "is the number of a name that is no account",
                                             [SV_ISSUED_HASH] = "is the number of a name that is no hash",
                                             [SV_ISSUED_ELEMENT] = "is the number of a name that is no element id" };
  Reading *reading = row->reading;
  const GPtrArray *names = reading->line->names;
  guint64 number;
  if (!sv_json_get_integer (json, &number) || number >= names->len)
    fault_at (row, column, "is not the number of a name of this line");
  else if (number > reading->n_used)
    fault_at (row, column, "leaves a name out: they stand in the order of their first use");
  else
  {
    reading->n_used += number == reading->n_used;
    G_STRUCT_MEMBER (char *, row->read, column->offset) = names->pdata[number];
    if (reading->forms[number] != column->form)
      fault_at (row, column, other_forms[column->form]);
  }
}

static void
read_value (const Row *row, const SvIssuedColumn *column, const json_t *json)
{
  if (column->form == SV_ISSUED_INTEGER)
    read_integer (row, column, json);
  else if (column->form == SV_ISSUED_NONCE)
    read_nonce (row, column, json);
  else
    read_name (row, column, json);
}

static void
check_id (const Row *row)
{
  const SvIssuedLine *line = row->reading->line;
  guint64 id = row->read->record.challenge_id;
  if (id < line->first || id > line->last)
    fault_at (row, sv_issued_columns, "lies outside the line's range");
  else if (row->number > 0 && id <= ((const SvIssueRecord *)line->records->pdata[row->number - 1])->challenge_id)
    fault_at (row, sv_issued_columns, "is not above the one before it");
}

static void
read_record (Reading *reading, gsize i, const json_t *json)
{
  Row row = { reading, i, g_new0 (ReadRecord, 1) };
  row.read->record.window_id = reading->line->window_id;
  g_ptr_array_add (reading->line->records, row.read);
  if (json_array_size (json) == SV_ISSUED_N_COLUMNS)
  {
    for (gsize c = 0; c < SV_ISSUED_N_COLUMNS; c++)
      read_value (&row, &sv_issued_columns[c], json_array_get (json, c));
    check_id (&row);
    return;
  }
  g_autofree char *pointer = sv_pointer_index ("/records", i);
  sv_faults_add (reading->faults, pointer, "is not an array of %d values", SV_ISSUED_N_COLUMNS);
}

void
sv_issued_read_records (const SvScope *scope, SvIssuedLine *line)
{
  Reading reading = { .line = line, .faults = scope->faults };
  const json_t *names = sv_scope_array (scope, "names", SV_REQUIRED, 0, SV_ISSUED_LINE_MAX_NAMES);
  const json_t *records = sv_scope_array (scope, "records", SV_REQUIRED, 0, SV_ISSUED_LINE_MAX_RECORDS);
  g_ptr_array_set_free_func (line->records, g_free);
  read_names (&reading, names);
  for (gsize i = 0; i < json_array_size (records); i++)
    read_record (&reading, i, json_array_get (records, i));
  if (reading.n_used == line->names->len)
    return;
  g_autofree char *pointer = sv_pointer_index ("/names", reading.n_used);
  sv_faults_add (scope->faults, pointer, "is the name of nothing in the line's records");
}
