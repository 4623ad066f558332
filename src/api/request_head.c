/* Reading a request's head, strictly: whatever two programs in a row could read differently is refused, because that is how a
 * request is smuggled past the one in front. So a line ends with CR LF and nothing else, a field is never folded, there is no
 * white space before a colon, a length is said once and in digits, and a body of unknown length is not taken. tests/peer
 * compares it with Node's parser and lists where it is the stricter one. */
#include "api/request_head.h"

#include <string.h>

#include "base/words.h"

#define MAX_METHOD 16
#define MAX_EMPTY_LINES 4 /* before a request; some clients end a body with one */
#define MAX_LENGTH_DIGITS 18

typedef struct
{
  const char *bytes;
  gsize length;
  gsize at;
  SvRequestHead *head;
  guint n_hosts;
  guint n_lengths;
  gboolean has_coding; /* Transfer-Encoding */
  gboolean is_chunked;
  gboolean says_close;
  gboolean says_keep_alive;
  gboolean has_other_expectation;
} Reading;

enum
{
  TOKEN = 1,  /* of methods and field names */
  TARGET = 2, /* printable, and no "#" */
  VALUE = 4,  /* printable, space, tab, and bytes above ASCII */
  HOST = 8,
};

#define T TOKEN
#define G TARGET
#define V VALUE
#define H HOST

/* clang-format off */
static const guint8 kinds[256] = {
  ['\t'] = V, [' '] = V,
  ['!'] = T|G|V|H, ['"'] = G|V, ['#'] = T|V, ['$'] = T|G|V|H, ['%'] = T|G|V|H, ['&'] = T|G|V|H, ['\''] = T|G|V|H,
  ['('] = G|V|H, [')'] = G|V|H, ['*'] = T|G|V|H, ['+'] = T|G|V|H, [','] = G|V|H, ['-'] = T|G|V|H, ['.'] = T|G|V|H, ['/'] = G|V,
  ['0' ... '9'] = T|G|V|H,
  [':'] = G|V|H, [';'] = G|V|H, ['<'] = G|V, ['='] = G|V|H, ['>'] = G|V, ['?'] = G|V, ['@'] = G|V,
  ['A' ... 'Z'] = T|G|V|H,
  ['['] = G|V|H, ['\\'] = G|V, [']'] = G|V|H, ['^'] = T|G|V, ['_'] = T|G|V|H, ['`'] = T|G|V,
  ['a' ... 'z'] = T|G|V|H,
  ['{'] = G|V, ['|'] = T|G|V, ['}'] = G|V, ['~'] = T|G|V|H,
  [0x80 ... 0xff] = V,
};
/* clang-format on */

#undef T
#undef G
#undef V
#undef H

static gboolean
refuse (Reading *reading, guint status, const char *fault)
{
  reading->head->status = status;
  reading->head->fault = fault;
  return FALSE;
}

/* How many bytes from @at on, at most @max, are of this kind. Targets and values are long, and mostly plain. */
static gsize
count (const Reading *reading, gsize at, gsize max, guint8 kind)
{
  const char *bytes = reading->bytes + at;
  gsize n = 0, length = MIN (max, reading->length - at);
  if (kind == TARGET || kind == VALUE)
    n = sv_words_in_range (bytes, length, kind == VALUE ? ' ' : '$', '~');
  while (n < length && (kinds[(guint8)bytes[n]] & kind) != 0)
    n++;
  return n;
}

static gboolean
span_is (const Reading *reading, SvSpan span, const char *text)
{
  return span.length == strlen (text) && g_ascii_strncasecmp (reading->bytes + span.at, text, span.length) == 0;
}

/* ── the request line ── */

/* Of "http://host:80/path" the path; the host is told by the Host field, which must be there as well. */
static gboolean
strip_authority (Reading *reading, SvSpan *target)
{
  const char *text = reading->bytes + target->at;
  gsize scheme = target->length >= 7 && g_ascii_strncasecmp (text, "http://", 7) == 0    ? 7
                 : target->length >= 8 && g_ascii_strncasecmp (text, "https://", 8) == 0 ? 8
                                                                                         : 0;
  if (scheme == 0)
    return TRUE;
  const char *path = memchr (text + scheme, '/', target->length - scheme);
  gsize host = count (reading, target->at + scheme, target->length - scheme, HOST);
  if (path == NULL || host == 0 || text + scheme + host != path)
    return refuse (reading, 400, "the target's absolute form has no host or no path");
  target->length -= (guint32)(path - text);
  target->at += (guint32)(path - text);
  return TRUE;
}

static gboolean
read_version (Reading *reading, gsize at, gsize length)
{
  const char *text = reading->bytes + at;
  if (length != 8 || memcmp (text, "HTTP/", 5) != 0 || !g_ascii_isdigit (text[5]) || text[6] != '.' ||
      !g_ascii_isdigit (text[7]))
    return refuse (reading, 400, "the request line is not METHOD TARGET HTTP/1.1");
  if (text[5] != '1' || text[7] > '1')
    return refuse (reading, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  reading->head->minor = (guint)(text[7] - '0');
  return TRUE;
}

/* @length is that of the line without its end. */
static gboolean
read_request_line (Reading *reading, gsize length)
{
  gsize end = reading->at + length;
  gsize method = count (reading, reading->at, MIN (length, MAX_METHOD + 1), TOKEN);
  gsize target_at = reading->at + method + 1;
  if (method == 0 || method > MAX_METHOD || target_at >= end || reading->bytes[reading->at + method] != ' ')
    return refuse (reading, 400, "the request line is not METHOD TARGET HTTP/1.1");
  gsize target = count (reading, target_at, end - target_at, TARGET);
  if (target > SV_TARGET_MAX)
    return refuse (reading, 414, "the request's target is longer than " G_STRINGIFY (SV_TARGET_MAX) " bytes");
  if (target == 0 || target_at + target >= end || reading->bytes[target_at + target] != ' ')
    return refuse (reading, 400, "the request line is not METHOD TARGET HTTP/1.1");
  reading->head->method = (SvSpan){ (guint32)reading->at, (guint32)method };
  reading->head->target = (SvSpan){ (guint32)target_at, (guint32)target };
  return read_version (reading, target_at + target + 1, end - target_at - target - 1) &&
         strip_authority (reading, &reading->head->target);
}

/* ── fields ── */

static gboolean
read_length (Reading *reading, SvSpan value)
{
  guint64 bytes = 0;
  reading->n_lengths++;
  if (value.length == 0 || value.length > MAX_LENGTH_DIGITS)
    return refuse (reading, 400, "Content-Length is not a number of bytes");
  for (guint32 i = 0; i < value.length; i++)
  {
    char digit = reading->bytes[value.at + i];
    if (!g_ascii_isdigit (digit))
      return refuse (reading, 400, "Content-Length is not a number of bytes");
    bytes = bytes * 10 + (guint64)(digit - '0');
  }
  reading->head->body_bytes = bytes;
  return TRUE;
}

static void
read_connection (Reading *reading, SvSpan value)
{
  guint32 end = value.at + value.length;
  for (guint32 at = value.at; at < end;)
  {
    SvSpan option = { at, (guint32)count (reading, at, end - at, TOKEN) };
    reading->says_close |= span_is (reading, option, "close");
    reading->says_keep_alive |= span_is (reading, option, "keep-alive");
    at += MAX (option.length, 1);
  }
}

/* Those that say where a request ends and what becomes of the connection. */
static gboolean
read_meaning (Reading *reading, const SvField *field)
{
  switch (field->name.length)
  {
  case 4:
    if (!span_is (reading, field->name, "Host"))
      return TRUE;
    reading->n_hosts++;
    if (count (reading, field->value.at, field->value.length, HOST) != field->value.length)
      return refuse (reading, 400, "Host is not a host");
    return TRUE;
  case 6:
    if (!span_is (reading, field->name, "Expect"))
      return TRUE;
    reading->head->is_expecting = span_is (reading, field->value, "100-continue");
    reading->has_other_expectation |= !reading->head->is_expecting;
    return TRUE;
  case 10:
    if (span_is (reading, field->name, "Connection"))
      read_connection (reading, field->value);
    return TRUE;
  case 14:
    return !span_is (reading, field->name, "Content-Length") || read_length (reading, field->value);
  case 17:
    if (!span_is (reading, field->name, "Transfer-Encoding"))
      return TRUE;
    reading->is_chunked = !reading->has_coding && span_is (reading, field->value, "chunked");
    reading->has_coding = TRUE;
    return TRUE;
  default:
    return TRUE;
  }
}

static gboolean
read_field (Reading *reading, gsize length)
{
  SvRequestHead *head = reading->head;
  gsize name = count (reading, reading->at, length, TOKEN);
  if (name == 0 || name == length || reading->bytes[reading->at + name] != ':')
    return refuse (reading, 400, "a header line is not NAME: VALUE");
  gsize at = reading->at + name + 1, end = reading->at + length;
  if (count (reading, at, end - at, VALUE) != end - at)
    return refuse (reading, 400, "a header's value has a control character");
  if (head->n_fields == SV_FIELDS_MAX)
    return refuse (reading, 431, "there are more than " G_STRINGIFY (SV_FIELDS_MAX) " header lines");
  while (at < end && (reading->bytes[at] == ' ' || reading->bytes[at] == '\t'))
    at++;
  while (end > at && (reading->bytes[end - 1] == ' ' || reading->bytes[end - 1] == '\t'))
    end--;
  SvField *field = &head->fields[head->n_fields++];
  *field = (SvField){ { (guint32)reading->at, (guint32)name }, { (guint32)at, (guint32)(end - at) } };
  return read_meaning (reading, field);
}

static gboolean
check_framing (Reading *reading)
{
  SvRequestHead *head = reading->head;
  if (reading->n_hosts > 1 || (head->minor == 1 && reading->n_hosts == 0))
    return refuse (reading, 400, "there must be one Host");
  if (reading->n_lengths > 1)
    return refuse (reading, 400, "Content-Length is given more than once");
  if (reading->has_coding && (reading->n_lengths > 0 || head->minor == 0))
    return refuse (reading, 400, "Transfer-Encoding is not allowed beside Content-Length or in HTTP/1.0");
  if (reading->has_coding && reading->is_chunked)
    return refuse (reading, 411, "a body's length must be told by Content-Length");
  if (reading->has_coding)
    return refuse (reading, 501, "this Transfer-Encoding is not understood");
  if (reading->has_other_expectation)
    return refuse (reading, 417, "only Expect: 100-continue is understood");
  head->is_expecting = head->is_expecting && head->minor == 1 && head->body_bytes > 0;
  head->is_keep_alive = !reading->says_close && (head->minor == 1 || reading->says_keep_alive);
  return TRUE;
}

/* ── lines ── */

typedef enum
{
  LINE,
  NO_LINE, /* not yet */
  BAD_LINE,
} LineVerdict;

static LineVerdict
find_line (Reading *reading, gsize *length)
{
  const char *from = reading->bytes + reading->at;
  const char *end = memchr (from, '\n', reading->length - reading->at);
  if (end == NULL)
    return NO_LINE;
  *length = (gsize)(end - from);
  if (*length == 0 || end[-1] != '\r')
  {
    refuse (reading, 400, "a line does not end with CR LF");
    return BAD_LINE;
  }
  --*length;
  return LINE;
}

static gboolean
skip_empty_lines (Reading *reading)
{
  for (guint i = 0; i < MAX_EMPTY_LINES && reading->length - reading->at >= 2; i++)
    if (memcmp (reading->bytes + reading->at, "\r\n", 2) == 0)
      reading->at += 2;
  return reading->at < reading->length;
}

/* A line that has not ended yet may already be too long. */
static gboolean
check_unfinished (Reading *reading, gsize headers_at)
{
  gsize length = reading->length - reading->at;
  if (headers_at == 0)
  {
    gsize method = count (reading, reading->at, MIN (length, MAX_METHOD + 1), TOKEN);
    if (method > MAX_METHOD || (method < length && (method == 0 || reading->bytes[reading->at + method] != ' ') &&
                                !(method == 0 && reading->bytes[reading->at] == '\r')))
      return refuse (reading, 400, "the request line is not METHOD TARGET HTTP/1.1");
    if (length > SV_TARGET_MAX + MAX_METHOD + 16)
      return refuse (reading, 414, "the request's target is longer than " G_STRINGIFY (SV_TARGET_MAX) " bytes");
  }
  else if (reading->length - headers_at > SV_HEADERS_MAX)
    return refuse (reading, 431, "the request's headers are longer than " G_STRINGIFY (SV_HEADERS_MAX) " bytes");
  return TRUE;
}

static SvHeadVerdict
read_lines (Reading *reading)
{
  gsize length, headers_at = 0;
  for (;;)
  {
    LineVerdict verdict = find_line (reading, &length);
    if (verdict == NO_LINE)
      return check_unfinished (reading, headers_at) ? SV_HEAD_INCOMPLETE : SV_HEAD_REFUSED;
    if (verdict == BAD_LINE)
      return SV_HEAD_REFUSED;
    if (headers_at > 0 && length == 0)
      break;
    if (headers_at > 0 && reading->at + length + 2 - headers_at > SV_HEADERS_MAX)
      return refuse (reading, 431, "the request's headers are longer than " G_STRINGIFY (SV_HEADERS_MAX) " bytes"),
             SV_HEAD_REFUSED;
    if (!(headers_at > 0 ? read_field (reading, length) : read_request_line (reading, length)))
      return SV_HEAD_REFUSED;
    reading->at += length + 2;
    headers_at = headers_at > 0 ? headers_at : reading->at;
  }
  reading->head->length = (guint32)reading->at + 2;
  return check_framing (reading) ? SV_HEAD_COMPLETE : SV_HEAD_REFUSED;
}

SvHeadVerdict
sv_request_head_parse (const char *bytes, gsize length, SvRequestHead *head)
{
  Reading reading = { .bytes = bytes, .length = MIN (length, SV_HEAD_MAX + 2 * MAX_EMPTY_LINES), .head = head };
  head->n_fields = 0;
  head->body_bytes = 0;
  head->is_expecting = FALSE;
  if (!skip_empty_lines (&reading))
    return SV_HEAD_INCOMPLETE;
  return read_lines (&reading);
}
