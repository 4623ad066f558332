/* The published issue log:
 *  - a signed line opens with its values; a record is found by its id, a K by its manifest
 *  - a closing line has the last id and the keys
 *  - a text that comes again stands once in the line; an account and an element id that look alike are two
 *  - each rule of the form is told with its place
 *  - another signer, another chain, a changed byte: refused
 *  - what a reader would refuse is not signed
 *  - the longest identifiers fit into a line
 *  - a file is cut into lines; one that is cut short is refused
 *  - signposts
 */
#include "base/error.h"
#include "protocol/issued.h"

#include "sample.h"

#define NONCE "1761177600000000000"

static SvIssueRecord *
record_of (guint64 id)
{
  SvIssueRecord *record = g_new0 (SvIssueRecord, 1);
  record->challenge_id = id;
  record->asker = g_strdup (ALICE);
  record->miner = g_strdup (BOB);
  record->window_id = g_strdup ("2025-10-23");
  record->manifest_hash = g_strdup (HASH_A);
  record->element_id = g_strdup ("PlayerDetect_v1@1.0");
  record->clip_hash = g_strdup (HASH_B);
  record->seed = SV_JSON_MAX_INTEGER;
  record->nonce = g_strdup (NONCE);
  record->block = 123400;
  record->time_ms = 1761177600123;
  return record;
}

static SvIssuedLine *
line_of (guint64 first, guint64 last)
{
  SvIssuedLine *line = sv_issued_line_new ("2025-10-23", first, last);
  g_ptr_array_add (line->records, record_of (first));
  if (last > first)
    g_ptr_array_add (line->records, record_of (last));
  return line;
}

static SvIssuedLine *
closing_of (guint64 last_id)
{
  static const guint8 key[32] = { 1, 2, 255 };
  SvIssuedLine *line = sv_issued_line_new ("2025-10-23", last_id + 1, SV_ISSUED_END);
  line->is_closing = TRUE;
  line->last_id = last_id;
  g_ptr_array_add (line->keys, sv_issued_key_new (HASH_A, key));
  g_ptr_array_add (line->keys, sv_issued_key_new (HASH_B, key));
  return line;
}

static SvSignedDocument *
sign (const SvIssuedLine *line)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  SvSignedDocument *document = sv_issued_sign (line, &chain, keypair, 1761177600000, &error);
  g_assert_no_error (error);
  return document;
}

static SvIssuedLine *
open_signed (const SvIssuedLine *line)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvSignedDocument) document = sign (line);
  SvIssuedLine *opened = sv_issued_open (document->bytes, &chain, NULL, NULL, &error);
  g_assert_no_error (error);
  return opened;
}

static void
test_line (void)
{
  g_autoptr (SvIssuedLine) line = line_of (7, 12);
  g_autoptr (SvIssuedLine) opened = open_signed (line);
  g_assert_cmpstr (opened->window_id, ==, "2025-10-23");
  g_assert_cmpuint (opened->first, ==, 7);
  g_assert_cmpuint (opened->last, ==, 12);
  g_assert_false (opened->is_closing);
  g_assert_cmpuint (opened->records->len, ==, 2);
  const SvIssueRecord *found = sv_issued_find (opened, 12);
  g_assert_nonnull (found);
  g_assert_true (sv_issue_record_equal (found, line->records->pdata[1]));
  g_assert_false (sv_issue_record_equal (found, line->records->pdata[0]));
  g_assert_true (sv_issued_find (opened, 7) == opened->records->pdata[0]);
  g_assert_null (sv_issued_find (opened, 8));
  g_assert_null (sv_issued_find (opened, 13));
}

static void
test_closing_line (void)
{
  g_autoptr (SvIssuedLine) line = closing_of (12);
  g_autoptr (SvIssuedLine) opened = open_signed (line);
  g_assert_true (opened->is_closing);
  g_assert_cmpuint (opened->last_id, ==, 12);
  g_assert_cmpuint (opened->keys->len, ==, 2);
  const SvIssuedKey *key = sv_issued_find_key (opened->keys, HASH_B);
  g_assert_nonnull (key);
  g_assert_cmpmem (key->key, 32, ((const SvIssuedKey *)line->keys->pdata[1])->key, 32);
  g_assert_null (sv_issued_find_key (opened->keys, HASH_C));
}

/* A signed line as JSON, to be spoilt. */
static json_t *
json_of (const SvIssuedLine *line)
{
  gsize length;
  g_autoptr (SvSignedDocument) document = sign (line);
  const void *data = g_bytes_get_data (document->bytes, &length);
  json_t *json = sv_json_parse ("line", data, length, SV_ISSUED_LINE_MAX_SIZE, NULL);
  g_assert_nonnull (json);
  return json;
}

static void
assert_fault (const SvIssuedLine *line, const char *pointer, const char *value, const char *expected)
{
  g_autoptr (json_t) json = json_of (line);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_autoptr (GError) error = NULL;
  sample_set (json, pointer, value);
  sv_issued_check (json, faults);
  g_assert_false (sv_faults_check (faults, "line", &error));
  if (strstr (error->message, expected) == NULL)
    g_error ("%s = %s: \"%s\" does not tell of \"%s\"", pointer, value, error->message, expected);
}

static void
test_rules (void)
{
  g_autoptr (SvIssuedLine) line = line_of (7, 12);
  g_autoptr (SvIssuedLine) closing = closing_of (12);
  /* [7,0,1,2,3,4,…] and [12,0,1,2,3,4,…] of ALICE, BOB, HASH_A, PlayerDetect_v1@1.0 and HASH_B */
  static const struct
  {
    const char *pointer, *value, *expected;
  } in_line[] = {
    { "/window_id", "\"../x\"", "/window_id" },
    { "/first", "0", "ids begin with 1" },
    { "/first", "8", "/records/0/0: id lies outside" },
    { "/last", "6", "below first" },
    { "/last", "11", "/records/1/0: id lies outside" },
    { "/names", NULL, "/names: is missing" },
    { "/names", "{}", "/names: must be an array" },
    { "/names/0", "7", "/names/0: is no account" },
    { "/names/0", "\"" ALICE "\"", "/records/0/1: asker is the number of a name that is no account" },
    { "/names/0", "\"ss58:nobody\"", "/names/0: is no account" },
    { "/names/0", "\"ss58:" ALICE "\\u0000\"", "/names/0: is no account" },
    { "/names/2", "\"sha256:12\"", "/names/2: is no account" },
    { "/names/3", "\"//\"", "/names/3: is no account" },
    { "/names/4", "\"" HASH_A "\"", "/names/4: stands in the line twice" },
    { "/names/5", "\"E@1\"", "/names/5: is the name of nothing" },
    { "/names/4", NULL, "/records/0/5: clip_hash is not the number of a name" },
    { "/records", NULL, "/records: is missing" },
    { "/records", "[]", "/names/0: is the name of nothing" },
    { "/records/0", "7", "/records/0: is not an array of 10" },
    { "/records/0", "{}", "/records/0: is not an array of 10" },
    { "/records/0/9", NULL, "/records/0: is not an array of 10" },
    { "/records/0/10", "1", "/records/0: is not an array of 10" },
    { "/records/0/0", "\"7\"", "/records/0/0: id is not an integer" },
    { "/records/1/0", "7", "/records/1/0: id is not above the one before" },
    { "/records/0/1", "\"ss58:" ALICE "\"", "/records/0/1: asker is not the number of a name" },
    { "/records/0/1", "1", "/records/0/1: asker leaves a name out" },
    { "/records/0/2", "0.5", "/records/0/2: miner is not the number of a name" },
    { "/records/0/2", "-1", "/records/0/2: miner is not the number of a name" },
    { "/records/0/3", "5", "/records/0/3: manifest_hash is not the number of a name" },
    { "/records/1/3", "1", "/records/1/3: manifest_hash is the number of a name that is no hash" },
    { "/records/1/4", "4", "/records/1/4: element_id is the number of a name that is no element id" },
    { "/records/1/5", "3", "/records/1/5: clip_hash is the number of a name that is no hash" },
    { "/records/1/1", "3", "/records/1/1: asker is the number of a name that is no account" },
    { "/records/0/6", "-1", "/records/0/6: seed is not an integer" },
    { "/records/0/6", "9007199254740992", "/records/0/6: seed is not an integer" },
    { "/records/0/7", "\"123\"", "/records/0/7: nonce is not a text of 19 digits" },
    { "/records/0/7", "\"" NONCE "\\u0000\"", "/records/0/7: nonce is not a text of 19 digits" },
    { "/records/0/7", "1761177600000000000", "/records/0/7: nonce is not a text of 19 digits" },
    { "/records/0/8", "1.5", "/records/0/8: block is not an integer" },
    { "/records/0/9", "\"2025-10-23T00:00:00Z\"", "/records/0/9: time is not an integer" },
    { "/closed", "{\"last_id\":6,\"keys\":{}}", "/closed" },
  };
  static const struct
  {
    const char *pointer, *value, *expected;
  } in_closing[] = {
    { "/closed", NULL, "/closed" },
    { "/closed/last_id", "13", "/closed/last_id" },
    { "/closed/keys", "[]", "/closed/keys" },
    { "/closed/keys/" HASH_A, "\"00\"", "64 lower-case hex" },
    { "/closed/keys/x", "\"00\"", "named by a manifest's hash" },
    { "/names/0", "\"E@1\"", "/names/0: is the name of nothing" },
    { "/records/0", "{}", "/records" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (in_line); i++)
    assert_fault (line, in_line[i].pointer, in_line[i].value, in_line[i].expected);
  for (gsize i = 0; i < G_N_ELEMENTS (in_closing); i++)
    assert_fault (closing, in_closing[i].pointer, in_closing[i].value, in_closing[i].expected);
}

static gboolean
trusts (const char *address, gpointer data)
{
  return strcmp (address, data) == 0;
}

static void
test_trust (void)
{
  SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (SvIssuedLine) line = line_of (7, 12);
  g_autoptr (SvSignedDocument) document = sign (line);
  g_autoptr (SvIssuedLine) trusted =
      sv_issued_open (document->bytes, &chain, trusts, (gpointer)sv_keypair_address (keypair), NULL);
  g_assert_nonnull (trusted);
  g_assert_null (sv_issued_open (document->bytes, &chain, trusts, (gpointer)ALICE, NULL));
  chain.netuid++;
  g_assert_null (sv_issued_open (document->bytes, &chain, NULL, NULL, NULL));
  chain.netuid--;

  gsize length;
  char *spoilt = g_memdup2 (g_bytes_get_data (document->bytes, &length), g_bytes_get_size (document->bytes));
  length = g_bytes_get_size (document->bytes);
  char *block = g_strstr_len (spoilt, (gssize)length, "123400");
  g_assert_nonnull (block);
  block[0] = '9';
  g_autoptr (GBytes) bytes = g_bytes_new_take (spoilt, length);
  g_autoptr (GError) error = NULL;
  g_assert_null (sv_issued_open (bytes, &chain, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
}

static void
assert_not_signed (SvIssuedLine *line)
{
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (GError) error = NULL;
  g_assert_null (sv_issued_sign (line, &chain, keypair, 0, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_FAILED);
}

static void
replace (char **text, const char *other)
{
  g_free (*text);
  *text = g_strdup (other);
}

/* Each field once. */
static void
test_unreadable_is_not_signed (void)
{
  for (guint i = 0; i < 14; i++)
  {
    g_autoptr (SvIssuedLine) line = line_of (7, 12);
    SvIssueRecord *record = line->records->pdata[1];
    switch (i)
    {
    case 0:
      record->challenge_id = 5;
      break;
    case 1:
      record->challenge_id = 13;
      break;
    case 2:
      record->challenge_id = 7;
      break;
    case 3:
      replace (&record->asker, "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694tz");
      break;
    case 4:
      replace (&record->miner, "nobody\"");
      break;
    case 5:
      replace (&record->manifest_hash, "sha256:12");
      break;
    case 6:
      replace (&record->element_id, "");
      break;
    case 7:
      replace (&record->clip_hash, NULL);
      break;
    case 8:
      replace (&record->nonce, "12");
      break;
    case 9:
      record->seed = SV_JSON_MAX_INTEGER + 1;
      break;
    case 10:
      record->block = SV_JSON_MAX_INTEGER + 1;
      break;
    case 11:
      replace (&line->window_id, "a b");
      break;
    case 12:
      line->first = 0;
      break;
    case 13:
      record->time_ms = -1;
      break;
    }
    assert_not_signed (line);
  }
}

/* What is written straight is what canonical JSON of the same values is, and a text of its own is signed. */
static void
test_written_as_canonical (void)
{
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (SvIssuedLine) line = line_of (7, 12);
  g_autoptr (SvSignedDocument) written = sign (line);
  gsize length;
  const char *data = g_bytes_get_data (written->bytes, &length);
  g_autoptr (json_t) json = sv_json_parse ("line", data, length, SV_ISSUED_LINE_MAX_SIZE, NULL);
  g_autoptr (SvSignedDocument) created = sv_signed_document_create (json, "issued", &chain, keypair, written->signed_at, NULL);
  g_assert_cmpmem (data, length, g_bytes_get_data (created->bytes, NULL), g_bytes_get_size (created->bytes));
  g_assert_cmpstr (written->signed_by, ==, created->signed_by);
}

static char *
text_of (const SvIssuedLine *line)
{
  g_autoptr (SvSignedDocument) document = sign (line);
  return g_strndup (g_bytes_get_data (document->bytes, NULL), g_bytes_get_size (document->bytes));
}

static void
test_names (void)
{
  g_autoptr (SvIssuedLine) line = line_of (7, 12);
  SvIssueRecord *second = line->records->pdata[1];
  g_autofree char *text = text_of (line);
  g_assert_nonnull (strstr (text, ",\"names\":[\"ss58:" ALICE "\",\"ss58:" BOB "\",\"" HASH_A
                                  "\",\"PlayerDetect_v1@1.0\",\"" HASH_B "\"],\"records\":["
                                  "[7,0,1,2,3,4,9007199254740991,\"" NONCE "\",123400,1761177600123],"
                                  "[12,0,1,2,3,4,9007199254740991,\"" NONCE "\",123400,1761177600123]],"));
  replace (&second->asker, BOB);
  replace (&second->element_id, ALICE);
  replace (&second->clip_hash, HASH_A);
  g_autofree char *other = text_of (line);
  g_assert_nonnull (strstr (other, "\"" HASH_B "\",\"" ALICE "\"],"));
  g_assert_nonnull (strstr (other, ",[12,1,1,2,5,2,"));
  g_autoptr (SvIssuedLine) opened = open_signed (line);
  g_assert_cmpuint (opened->names->len, ==, 6);
  g_assert_true (sv_issue_record_equal (opened->records->pdata[1], second));
}

static void
set_longest_names (SvIssueRecord *record, guint i)
{
  guint8 key[SV_PUBLIC_KEY_SIZE] = { (guint8)i };
  g_free (record->asker);
  record->asker = sv_ss58_encode (key);
  key[1] = 1;
  g_free (record->miner);
  record->miner = sv_ss58_encode (key);
  g_snprintf (record->manifest_hash + strlen (HASH_A) - 3, 4, "%03x", i);
  g_snprintf (record->clip_hash + strlen (HASH_B) - 3, 4, "%03x", i);
  g_free (record->element_id);
  record->element_id = g_strdup_printf ("%0128u", i);
}

/* Every name differs from every other. */
static void
test_longest_fits (void)
{
  g_autoptr (SvIssuedLine) line =
      sv_issued_line_new ("2025-10-23", SV_ISSUED_END - SV_ISSUED_LINE_MAX_RECORDS, SV_ISSUED_END - 1);
  for (guint i = 0; i < SV_ISSUED_LINE_MAX_RECORDS; i++)
  {
    SvIssueRecord *record = record_of (line->first + i);
    set_longest_names (record, i);
    record->block = SV_JSON_MAX_INTEGER;
    g_ptr_array_add (line->records, record);
  }
  g_autoptr (SvIssuedLine) opened = open_signed (line);
  g_assert_cmpuint (opened->records->len, ==, SV_ISSUED_LINE_MAX_RECORDS);
  g_assert_cmpuint (opened->names->len, ==, 5 * SV_ISSUED_LINE_MAX_RECORDS);
  for (guint i = 0; i < opened->records->len; i++)
    g_assert_true (sv_issue_record_equal (opened->records->pdata[i], line->records->pdata[i]));
}

static void
test_file (void)
{
  gsize offset = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) file = g_bytes_new_static ("ab\n\nc", 5);
  g_autoptr (GBytes) first = sv_issued_next_line (file, &offset, &error);
  g_autoptr (GBytes) second = sv_issued_next_line (file, &offset, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (first, NULL), g_bytes_get_size (first), "ab", 2);
  g_assert_cmpuint (g_bytes_get_size (second), ==, 0);
  g_assert_null (sv_issued_next_line (file, &offset, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);

  offset = 0;
  g_clear_error (&error);
  g_autofree char *text = g_strnfill (SV_ISSUED_LINE_MAX_SIZE + 2, 'x');
  text[SV_ISSUED_LINE_MAX_SIZE + 1] = '\n';
  g_autoptr (GBytes) too_long = g_bytes_new_static (text, SV_ISSUED_LINE_MAX_SIZE + 2);
  g_assert_null (sv_issued_next_line (too_long, &offset, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);

  g_clear_error (&error);
  g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);
  offset = 0;
  g_assert_null (sv_issued_next_line (empty, &offset, &error));
  g_assert_no_error (error);
}

static void
test_signposts (void)
{
  guint64 last;
  static const char *const refused[] = { "", "{}", "[]", "{\"last\":6}", "{\"last\":-1}", "{\"last\":9007199254740992}", "{" };
  g_autoptr (GBytes) written = sv_issued_signpost_write (SV_ISSUED_END);
  g_assert_true (sv_issued_signpost_read (written, 7, &last, NULL));
  g_assert_cmpuint (last, ==, SV_ISSUED_END);
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
  {
    g_autoptr (GBytes) bytes = g_bytes_new_static (refused[i], strlen (refused[i]));
    g_autoptr (GError) error = NULL;
    g_assert_false (sv_issued_signpost_read (bytes, 7, &last, &error));
    g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/issued/line", test_line);
  g_test_add_func ("/issued/closing-line", test_closing_line);
  g_test_add_func ("/issued/rules", test_rules);
  g_test_add_func ("/issued/trust", test_trust);
  g_test_add_func ("/issued/unreadable-is-not-signed", test_unreadable_is_not_signed);
  g_test_add_func ("/issued/written-as-canonical", test_written_as_canonical);
  g_test_add_func ("/issued/names", test_names);
  g_test_add_func ("/issued/longest-fits", test_longest_fits);
  g_test_add_func ("/issued/file", test_file);
  g_test_add_func ("/issued/signposts", test_signposts);
  return g_test_run ();
}
