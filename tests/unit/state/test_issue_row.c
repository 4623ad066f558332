/* The form of a row of the issue log (state/issue_row.h).
 *
 *  1. what was written is read back, whatever it is: least and greatest numbers, nonces that are numbers, nearly so, empty,
 * long
 *  2. a record that says what the one before says takes few bytes
 *  3. a row that is cut short anywhere: the records before the cut, and then the end or a refusal
 *  4. a row of which any byte is any other one: a refusal, or records that are written as exactly these bytes
 *  5. what is refused: numbers that are longer than they need be, or have more than 64 bits; ids that do not ascend; a text
 * that is longer than the row, has a NUL, or is a number; and nothing at all In 3 to 5 rows lie in blocks of their very size,
 * so that the sanitizers see whatever is read beyond them.
 */
#include "state/issue_row.h"

#include <string.h>

typedef struct
{
  gint64 numbers[SV_ISSUE_ROW_NUMBERS]; /* but for SV_ISSUE_ROW_NONCE */
  const char *nonce;
} Record;

/* A usual one, the next one, one that shares nothing with it, and nonces on either side of what is a number. */
static const Record records[] = {
  { { 1, 1, 2, 3, 4, 5, 6, G_GINT64_CONSTANT (9007199254740991), 7000000, 1761177600000 }, "1761177600000000000" },
  { { 2, 1, 2, 3, 4, 5, 6, 0, 7000000, 1761177600001 }, "1761177600001000000" },
  { { 300, G_MAXINT64, 1, G_MAXINT64, 1, G_MAXINT64, 1, -1, -1, G_MAXINT64 }, "9223372036854775807" },
  { { 301, 1, G_MAXINT64, 1, G_MAXINT64, 1, G_MAXINT64, G_MININT64, 0, G_MININT64 }, "9223372036854775808" },
  { { 302, 1, 1, 1, 1, 1, 1, G_MAXINT64, 1, -1 }, "1" },
  { { 303, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "0" },
  { { 304, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "" },
  { { 305, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "01761177600000000000" },
  { { 306, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "99999999999999999999999999" },
  { { 307, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "+1" },
  { { 308, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "1 " },
  { { 309, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "-1" },
  { { 310, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "caf\xc3\xa9" },
  { { G_MAXINT64 - 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "12x" },
  { { G_MAXINT64, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, "12" },
};

static SvIssueRow
row_new (void)
{
  return (SvIssueRow){ .bytes = g_string_new (NULL) };
}

static void
append (SvIssueRow *row, const Record *record)
{
  gint64 numbers[SV_ISSUE_ROW_NUMBERS];
  memcpy (numbers, record->numbers, sizeof numbers);
  sv_issue_row_append (row, numbers, record->nonce);
}

static GString *
write_all (void)
{
  SvIssueRow row = row_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
    append (&row, &records[i]);
  g_assert_cmpuint (row.n_records, ==, G_N_ELEMENTS (records));
  return row.bytes;
}

static void
assert_record (const SvIssueRowRest *rest, const Record *expected)
{
  g_autoptr (GString) nonce = g_string_new ("the one before");
  g_assert_cmpmem (rest->numbers, SV_ISSUE_ROW_NONCE * sizeof (gint64), expected->numbers,
                   SV_ISSUE_ROW_NONCE * sizeof (gint64));
  g_assert_cmpstr (sv_issue_row_nonce (rest, nonce), ==, expected->nonce);
}

/* ── 1, 2 ── */

static void
test_read_back (void)
{
  SvIssueRowRest rest;
  g_autoptr (GString) bytes = write_all ();
  sv_issue_row_read (&rest, bytes->str, bytes->len);
  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
  {
    g_assert_true (rest.at < rest.end);
    g_assert_true (sv_issue_row_next (&rest));
    assert_record (&rest, &records[i]);
  }
  g_assert_true (rest.at == rest.end);
}

static void
test_each_alone (void)
{
  SvIssueRow row = row_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
  {
    SvIssueRowRest rest;
    append (&row, &records[i]);
    sv_issue_row_read (&rest, row.bytes->str, row.bytes->len);
    g_assert_true (sv_issue_row_next (&rest) && rest.at == rest.end);
    assert_record (&rest, &records[i]);
    sv_issue_row_empty (&row);
    g_assert_cmpuint (row.n_records, ==, 0);
  }
  g_string_free (row.bytes, TRUE);
}

static void
test_long_nonce (void)
{
  SvIssueRowRest rest;
  SvIssueRow row = row_new ();
  g_autofree char *nonce = g_strnfill (1 << 20, '1');
  const Record longest = { { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, nonce };
  append (&row, &longest);
  sv_issue_row_read (&rest, row.bytes->str, row.bytes->len);
  g_assert_true (sv_issue_row_next (&rest) && rest.at == rest.end);
  assert_record (&rest, &longest);
  g_string_free (row.bytes, TRUE);
}

static void
test_few_bytes (void)
{
  SvIssueRow row = row_new ();
  append (&row, &records[0]);
  gsize first = row.bytes->len;
  Record next = records[0];
  next.numbers[SV_ISSUE_ROW_ID]++;
  append (&row, &next);
  g_assert_cmpuint (row.bytes->len - first, ==, SV_ISSUE_ROW_NUMBERS);
  g_string_free (row.bytes, TRUE);
}

/* ── 3, 4 ── */

/* Reads what is at @bytes up to what is refused. Returns: whether nothing is; what was read is written to @again. */
static gboolean
read_all (const guint8 *bytes, gsize length, SvIssueRow *again)
{
  SvIssueRowRest rest;
  gint64 id_before = 0;
  g_autofree guint8 *exact = g_memdup2 (bytes, length);
  g_autoptr (GString) nonce = g_string_new (NULL);
  sv_issue_row_read (&rest, exact, length);
  while (rest.at < rest.end)
  {
    gint64 numbers[SV_ISSUE_ROW_NUMBERS];
    if (!sv_issue_row_next (&rest))
      return FALSE;
    g_assert_cmpint (rest.numbers[SV_ISSUE_ROW_ID], >, id_before);
    id_before = rest.numbers[SV_ISSUE_ROW_ID];
    memcpy (numbers, rest.numbers, sizeof numbers);
    sv_issue_row_append (again, numbers, sv_issue_row_nonce (&rest, nonce));
    g_assert_cmpint (numbers[SV_ISSUE_ROW_NONCE], ==, rest.numbers[SV_ISSUE_ROW_NONCE]);
  }
  return TRUE;
}

static void
test_cut_short (void)
{
  g_autoptr (GString) bytes = write_all ();
  gsize n_whole = 0;
  for (gsize length = 0; length < bytes->len; length++)
  {
    SvIssueRow again = row_new ();
    gboolean is_whole = read_all ((const guint8 *)bytes->str, length, &again);
    g_assert_cmpuint (again.bytes->len, <=, length);
    g_assert_cmpmem (again.bytes->str, again.bytes->len, bytes->str, again.bytes->len);
    g_assert_true (is_whole == (again.bytes->len == length));
    n_whole += is_whole;
    g_string_free (again.bytes, TRUE);
  }
  g_assert_cmpuint (n_whole, ==, G_N_ELEMENTS (records)); /* the empty row, and all but the last record */
}

static void
test_changed (void)
{
  g_autoptr (GString) bytes = write_all ();
  guint n_refused = 0;
  for (gsize i = 0; i < bytes->len; i++)
    for (guint by = 1; by <= 0xff; by++)
    {
      SvIssueRow again = row_new ();
      bytes->str[i] ^= (char)by;
      if (read_all ((const guint8 *)bytes->str, bytes->len, &again))
        g_assert_cmpmem (again.bytes->str, again.bytes->len, bytes->str, bytes->len);
      else
        n_refused++;
      bytes->str[i] ^= (char)by;
      g_string_free (again.bytes, TRUE);
    }
  g_assert_cmpuint (n_refused, >, 1000);
}

/* ── 5 ── */

/* Ten numbers of one byte each: the first record's, all 1, before its nonce. */
#define ONES "\2\2\2\2\2\2\2\2\2\2"
/* The same of a record that says what the one before says, with an id one above. */
#define NEXT "\2\0\0\0\0\0\0\0\0\0"
#define MAX_64 "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"

static const struct
{
  const char *what;
  const char *bytes;
  gsize length;
  gboolean is_read;
} rows[] = {
#define ROW(what, bytes, is_read)                                                                                              \
  {                                                                                                                            \
    what, bytes, sizeof bytes - 1, is_read                                                                                     \
  }
  ROW ("one record", ONES "\2", TRUE),
  ROW ("two", ONES "\2" NEXT "\0", TRUE),
  ROW ("a text", ONES "\1x", TRUE),
  ROW ("a number of two bytes", ONES "\x80\1", TRUE),
  ROW ("a number of two bytes that needs one", ONES "\x82\0", FALSE),
  ROW ("64 bits", "\2\2\2\2\2\2\2" MAX_64 "\2\2\2", TRUE),
  ROW ("65 bits", "\2\2\2\2\2\2\2\xff\xff\xff\xff\xff\xff\xff\xff\xff\2\2\2\2", FALSE),
  ROW ("65 bits, the last one alone", "\2\2\2\2\2\2\2\x80\x80\x80\x80\x80\x80\x80\x80\x80\2\2\2\2", FALSE),
  ROW ("eleven bytes", "\2\2\2\2\2\2\2\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\1\2\2\2", FALSE),
  ROW ("an id of 0", "\0\2\2\2\2\2\2\2\2\2\2", FALSE),
  ROW ("an id below 0", "\1\2\2\2\2\2\2\2\2\2\2", FALSE),
  ROW ("the least id", MAX_64 "\2\2\2\2\2\2\2\2\2\2", FALSE),
  ROW ("the same id twice", ONES "\2\0\0\0\0\0\0\0\0\0\0\0", FALSE),
  ROW ("an id below the one before", "\4\2\2\2\2\2\2\2\2\2\2\1\0\0\0\0\0\0\0\0\0\0", FALSE),
  ROW ("an id that goes round", ONES "\2" MAX_64 "\0\0\0\0\0\0\0\0\0\0", FALSE),
  ROW ("a text longer than the row", ONES "\3x", FALSE),
  ROW ("the longest text", ONES MAX_64, FALSE),
  ROW ("a text with a NUL", ONES "\1\0", FALSE),
  ROW ("a text that is a number",
       ONES "\1"
            "1",
       FALSE),
  ROW ("nothing", "", FALSE),
};

static void
test_rules (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
  {
    SvIssueRowRest rest;
    gboolean is_read;
    g_autofree guint8 *exact = g_memdup2 (rows[i].bytes, rows[i].length);
    sv_issue_row_read (&rest, exact, rows[i].length);
    do
      is_read = sv_issue_row_next (&rest);
    while (is_read && rest.at < rest.end);
    if (is_read != rows[i].is_read)
      g_error ("%s: %s", rows[i].what, is_read ? "is read" : "is refused");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/issue-row/read back", test_read_back);
  g_test_add_func ("/issue-row/each alone", test_each_alone);
  g_test_add_func ("/issue-row/a long nonce", test_long_nonce);
  g_test_add_func ("/issue-row/few bytes", test_few_bytes);
  g_test_add_func ("/issue-row/cut short", test_cut_short);
  g_test_add_func ("/issue-row/changed", test_changed);
  g_test_add_func ("/issue-row/rules", test_rules);
  return g_test_run ();
}
