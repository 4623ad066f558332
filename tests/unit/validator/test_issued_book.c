/* What was read of an issue log:
 *  - records are found, ids that are covered are told from others, by window
 *  - the same line twice, and lines that overlap and agree, are no contradiction
 *  - another value, a record less, a record more where both say something, other closing words: a contradiction, by its file
 *  - a sum: records, the last of them, the first gap, closing words; records come in order
 */
#include "base/hash.h"
#include "validator/issued_book.h"

#include "../protocol/sample.h"

static SvIssuedLine *
line_of (const char *window_id, guint64 first, guint64 last, const char *ids)
{
  g_auto (GStrv) numbers = g_strsplit (ids, " ", -1);
  SvIssuedLine *line = sv_issued_line_new (window_id, first, last);
  for (char **number = numbers; *number != NULL && **number != '\0'; number++)
  {
    SvIssueRecord *record = g_new0 (SvIssueRecord, 1);
    record->challenge_id = g_ascii_strtoull (*number, NULL, 10);
    record->window_id = g_strdup (window_id);
    record->asker = g_strdup (ALICE);
    record->miner = g_strdup (BOB);
    record->manifest_hash = g_strdup (HASH_A);
    record->element_id = g_strdup ("E@1");
    record->clip_hash = g_strdup (HASH_B);
    record->nonce = g_strdup ("9761177600000000000");
    record->seed = SV_JSON_MAX_INTEGER;
    record->block = 7;
    record->time_ms = 1761177600123;
    g_ptr_array_add (line->records, record);
  }
  return line;
}

/* Signs and adds it, and takes it. Returns: (transfer full) the file that it contradicts, or NULL. */
static char *
add (SvIssuedBook *book, SvIssuedLine *line, const char *file)
{
  GError *error = NULL;
  char *contradicted;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  line->document = sv_issued_sign (line, &chain, keypair, 0, &error);
  g_assert_no_error (error);
  g_free (line->document->hash);
  line->document->hash = sv_hash_gbytes (line->document->bytes); /* as a reader has it */
  gboolean done = sv_issued_book_add (book, line, file, &contradicted, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  sv_issued_line_free (line);
  return contradicted;
}

static void
assert_agrees (SvIssuedBook *book, SvIssuedLine *line)
{
  g_autofree char *contradicted = add (book, line, "other");
  g_assert_null (contradicted);
}

static void
assert_contradicts (SvIssuedBook *book, SvIssuedLine *line)
{
  g_autofree char *contradicted = add (book, line, "other");
  g_assert_cmpstr (contradicted, ==, "first");
}

static SvIssuedBook *
book_new (void)
{
  GError *error = NULL;
  SvIssuedBook *book = sv_issued_book_new (&error);
  g_assert_no_error (error);
  return book;
}

static void
assert_found (SvIssuedBook *book, const char *window_id, guint64 id, gboolean is_covered, gboolean is_there)
{
  GError *error = NULL;
  gboolean covered;
  g_autoptr (SvIssueRecord) record = NULL;
  gboolean done = sv_issued_book_find (book, window_id, id, &covered, &record, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_true (covered == is_covered);
  g_assert_true ((record != NULL) == is_there);
  if (record == NULL)
    return;
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, id);
  g_autoptr (SvIssuedLine) expected = line_of (window_id, id, id, text);
  g_assert_true (sv_issue_record_equal (record, expected->records->pdata[0]));
}

static void
test_find (void)
{
  g_autoptr (SvIssuedBook) book = book_new ();
  assert_agrees (book, line_of ("w1", 1, 10, "2 10"));
  assert_agrees (book, line_of ("w2", 11, 12, "11"));
  assert_found (book, "w1", 2, TRUE, TRUE);
  assert_found (book, "w1", 10, TRUE, TRUE);
  assert_found (book, "w1", 3, TRUE, FALSE);
  assert_found (book, "w1", 11, FALSE, FALSE);
  assert_found (book, "w2", 11, TRUE, TRUE);
  assert_found (book, "w2", 2, FALSE, FALSE);
  assert_found (book, "w3", 2, FALSE, FALSE);
}

static void
test_agreement (void)
{
  g_autoptr (SvIssuedBook) book = book_new ();
  assert_agrees (book, line_of ("w1", 1, 10, "2 5 10"));
  assert_agrees (book, line_of ("w1", 1, 10, "2 5 10"));
  assert_agrees (book, line_of ("w1", 3, 7, "5"));
  assert_agrees (book, line_of ("w1", 6, 12, "10 12"));
  assert_agrees (book, line_of ("w2", 1, 10, "3"));
  assert_found (book, "w1", 12, TRUE, TRUE);
}

static void
test_contradictions (void)
{
  g_autoptr (SvIssuedBook) book = book_new ();
  g_assert_null (add (book, line_of ("w1", 1, 10, "2 5 10"), "first"));
  assert_contradicts (book, line_of ("w1", 1, 10, "2 10"));
  assert_contradicts (book, line_of ("w1", 1, 10, "2 5 6 10"));
  assert_contradicts (book, line_of ("w1", 9, 12, "12"));
  SvIssuedLine *line = line_of ("w1", 4, 6, "5");
  ((SvIssueRecord *)line->records->pdata[0])->time_ms++;
  assert_contradicts (book, line);
  assert_found (book, "w1", 12, FALSE, FALSE);
  assert_found (book, "w1", 6, TRUE, FALSE);
}

static SvIssuedLine *
closing_of (guint64 first, guint64 last_id, guint8 key_byte)
{
  guint8 key[32] = { key_byte };
  SvIssuedLine *line = line_of ("w1", first, SV_ISSUED_END, "");
  line->is_closing = TRUE;
  line->last_id = last_id;
  g_ptr_array_add (line->keys, sv_issued_key_new (HASH_A, key));
  return line;
}

static void
test_closing (void)
{
  g_autoptr (SvIssuedBook) book = book_new ();
  g_assert_null (add (book, closing_of (11, 10, 1), "first"));
  assert_agrees (book, closing_of (12, 10, 1));
  assert_contradicts (book, closing_of (11, 10, 2));
  assert_contradicts (book, closing_of (11, 9, 1));
  assert_contradicts (book, line_of ("w1", 1, 11, "11"));
  assert_agrees (book, line_of ("w1", 1, 11, "10"));
}

static gboolean
note_id (const SvIssueRecord *record, gpointer data)
{
  g_string_append_printf (data, "%" G_GUINT64_FORMAT " ", record->challenge_id);
  return record->challenge_id != 12;
}

static void
assert_sum (SvIssuedBook *book, guint64 n_records, guint64 last_id, guint64 gap, gboolean is_closed)
{
  GError *error = NULL;
  g_auto (SvIssuedSummary) sum = { 0 };
  gboolean done = sv_issued_book_sum (book, "w1", &sum, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_cmpuint (sum.n_records, ==, n_records);
  g_assert_cmpuint (sum.last_id, ==, last_id);
  g_assert_cmpuint (sum.gap, ==, gap);
  g_assert_true (sum.is_closed == is_closed);
  if (!is_closed)
    return;
  g_assert_cmpuint (sum.closing_last_id, ==, 12);
  g_assert_cmpuint (sum.keys->len, ==, 1);
  g_assert_cmpuint (((const SvIssuedKey *)sum.keys->pdata[0])->key[0], ==, 255);
}

static void
test_sum (void)
{
  GError *error = NULL;
  g_autoptr (GString) ids = g_string_new (NULL);
  g_autoptr (SvIssuedBook) book = book_new ();
  assert_sum (book, 0, 0, 1, FALSE);
  assert_agrees (book, closing_of (13, 12, 255));
  assert_sum (book, 0, 0, 1, TRUE);
  assert_agrees (book, line_of ("w1", 8, 12, "12"));
  assert_agrees (book, line_of ("w1", 1, 5, "2"));
  assert_sum (book, 2, 12, 6, TRUE);
  assert_agrees (book, line_of ("w1", 4, 9, "7"));
  assert_sum (book, 3, 12, 0, TRUE);
  gboolean done = sv_issued_book_visit (book, "w1", note_id, ids, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_cmpstr (ids->str, ==, "2 7 12 ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/issued-book/find", test_find);
  g_test_add_func ("/issued-book/agreement", test_agreement);
  g_test_add_func ("/issued-book/contradictions", test_contradictions);
  g_test_add_func ("/issued-book/closing", test_closing);
  g_test_add_func ("/issued-book/sum", test_sum);
  return g_test_run ();
}
