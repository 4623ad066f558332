/* A record is SV_ISSUE_ROW_NUMBERS numbers, and the text of its nonce where that is no number. Records of a transaction say
 * much the same, so each number is written as its difference from that of the record before, which for most takes one byte;
 * the first record's are differences from 0. So a row can be read without the others.
 *
 * A difference is modulo 2^64, so that each number can follow each other one. Its sign is made its lowest bit, so that small
 * ones are short whichever way they go (0, -1, 1, -2 … become 0, 1, 2, 3 …), and of that each byte has seven bits, the lowest
 * first, and a bit that says that more follow. There is one way to write a record, and no other is read.
 *
 * A usual record has some 20 bytes: 8 are the seed, which is random, 4 or 5 the nonce, and most others one. */
#include "state/issue_row.h"

#include <string.h>

#include "base/identifiers.h"

#define NUMBER_MAX_SIZE 10 /* bytes: 64 bits by seven */

/* ── writing ── */

void
sv_issue_row_empty (SvIssueRow *row)
{
  g_string_truncate (row->bytes, 0);
  row->n_records = 0;
  memset (row->last, 0, sizeof row->last);
}

/* 0 where it does not read back as the same text, or is too large. */
static gint64
number_of (const char *nonce, gsize length)
{
  guint64 number = 0;
  gsize i = 0;
  if (length == 0 || *nonce == '0')
    return 0;
  for (; i < length && g_ascii_isdigit (nonce[i]) && number <= G_MAXINT64 / 10; i++)
    number = 10 * number + (guint64)(nonce[i] - '0');
  return i == length && number <= G_MAXINT64 ? (gint64)number : 0;
}

static guint8 *
put_difference (guint8 *at, gint64 from, gint64 to)
{
  guint64 difference = (guint64)to - (guint64)from;
  guint64 rest = difference << 1 ^ (0 - (difference >> 63));
  for (; rest > 0x7f; rest >>= 7)
    *at++ = (guint8)(rest | 0x80);
  *at++ = (guint8)rest;
  return at;
}

void
sv_issue_row_append (SvIssueRow *row, gint64 numbers[SV_ISSUE_ROW_NUMBERS], const char *nonce)
{
  guint8 bytes[SV_ISSUE_ROW_NUMBERS * NUMBER_MAX_SIZE], *at = bytes;
  gsize length = strlen (nonce);
  gint64 number = number_of (nonce, length);
  numbers[SV_ISSUE_ROW_NONCE] = number > 0 ? number : -(gint64)length;
  for (gsize i = 0; i < SV_ISSUE_ROW_NUMBERS; i++)
    at = put_difference (at, row->last[i], numbers[i]);
  g_string_append_len (row->bytes, (const char *)bytes, at - bytes);
  if (number == 0)
    g_string_append_len (row->bytes, nonce, (gssize)length);
  memcpy (row->last, numbers, sizeof row->last);
  row->n_records++;
}

/* ── reading ── */

void
sv_issue_row_read (SvIssueRowRest *rest, const void *bytes, gsize length)
{
  *rest = (SvIssueRowRest){ .at = bytes, .end = bytes != NULL ? (const guint8 *)bytes + length : NULL };
}

/* The bytes after those of a number that needs more than one, which is the shortest that it has. NULL: it does not end, or has
 * more than 64 bits. */
static const guint8 *
take_bits (const guint8 *at, const guint8 *end, guint64 *bits)
{
  *bits = 0;
  for (guint shift = 0; at < end && shift < 64; shift += 7)
  {
    guint64 byte = *at++;
    *bits |= (byte & 0x7f) << shift;
    if (byte <= 0x7f)
      return byte > 0 && (shift < 63 || byte == 1) ? at : NULL;
  }
  return NULL;
}

/* Modulo 2^64, as it was written. */
static gboolean
take_number (SvIssueRowRest *rest, gint64 *number)
{
  guint64 bits;
  if (rest->at < rest->end && *rest->at <= 0x7f)
    bits = *rest->at++;
  else
  {
    const guint8 *after = take_bits (rest->at, rest->end, &bits);
    if (after == NULL)
      return FALSE;
    rest->at = after;
  }
  guint64 difference = bits >> 1 ^ (0 - (bits & 1));
  *number = (gint64)((guint64)*number + difference);
  return TRUE;
}

static gboolean
take_nonce (SvIssueRowRest *rest)
{
  rest->text = rest->at;
  if (rest->numbers[SV_ISSUE_ROW_NONCE] > 0)
    return TRUE;
  guint64 length = 0 - (guint64)rest->numbers[SV_ISSUE_ROW_NONCE];
  if (length > (guint64)(rest->end - rest->at))
    return FALSE;
  const char *text = (const char *)rest->text;
  if (length > 0 && (memchr (text, '\0', length) != NULL || number_of (text, length) > 0))
    return FALSE;
  rest->at += length;
  return TRUE;
}

gboolean
sv_issue_row_next (SvIssueRowRest *rest)
{
  gint64 id_before = rest->numbers[SV_ISSUE_ROW_ID];
  for (gsize i = 0; i < SV_ISSUE_ROW_NUMBERS; i++)
    if (!take_number (rest, &rest->numbers[i]))
      return FALSE;
  return rest->numbers[SV_ISSUE_ROW_ID] > id_before && take_nonce (rest);
}

const char *
sv_issue_row_nonce (const SvIssueRowRest *rest, GString *buffer)
{
  gint64 nonce = rest->numbers[SV_ISSUE_ROW_NONCE];
  char digits[SV_INTEGER_TEXT_SIZE];
  g_string_truncate (buffer, 0);
  if (nonce > 0)
    g_string_append_len (buffer, digits, (gssize)sv_integer_write ((guint64)nonce, digits));
  else
    g_string_append_len (buffer, (const char *)rest->text, (gssize)-nonce);
  return buffer->str;
}
