/* A request's head: every rule, and the limits to the byte. That the reading agrees with another implementation is shown by
 * tests/peer/requests.test.mjs.
 *
 * complete: spans, length, empty lines before, absolute form        keep-alive, expectation, body's length
 * refused: each with its status        limits: target, headers, lines        cut short at every byte
 * each byte at each place of a target and of a value */
#include <string.h>

#include "api/request_head.h"

static SvRequestHead head;

static SvHeadVerdict
parse (const char *text)
{
  return sv_request_head_parse (text, strlen (text), &head);
}

static void
assert_span (const char *text, SvSpan span, const char *expected)
{
  g_autofree char *found = g_strndup (text + span.at, span.length);
  g_assert_cmpstr (found, ==, expected);
}

static void
test_a_head_is_taken_apart (void)
{
  const char *text = "\r\nGET /a?b=c HTTP/1.1\r\nHost: h\r\nX-Nonce:\t n \t\r\nEmpty:\r\n\r\nGET /next";
  g_assert_cmpint (parse (text), ==, SV_HEAD_COMPLETE);
  g_assert_cmpuint (head.length, ==, strlen (text) - strlen ("GET /next"));
  assert_span (text, head.method, "GET");
  assert_span (text, head.target, "/a?b=c");
  g_assert_cmpuint (head.minor, ==, 1);
  g_assert_cmpuint (head.n_fields, ==, 3);
  assert_span (text, head.fields[1].name, "X-Nonce");
  assert_span (text, head.fields[1].value, "n");
  assert_span (text, head.fields[2].value, "");
}

static void
test_the_absolute_form_is_its_path (void)
{
  const char *text = "GET http://h:80/a?b HTTP/1.1\r\nHost: h\r\n\r\n";
  g_assert_cmpint (parse (text), ==, SV_HEAD_COMPLETE);
  assert_span (text, head.target, "/a?b");
  g_assert_cmpint (parse ("GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n"), ==, SV_HEAD_REFUSED);
  g_assert_cmpint (parse ("GET http://h@i/a HTTP/1.1\r\nHost: h\r\n\r\n"), ==, SV_HEAD_REFUSED);
}

static void
test_what_becomes_of_the_connection (void)
{
  static const struct
  {
    const char *text;
    gboolean is_keep_alive;
    gboolean is_expecting;
    guint64 body_bytes;
  } cases[] = {
    { "GET / HTTP/1.1\r\nHost: h\r\n\r\n", TRUE, FALSE, 0 },
    { "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", FALSE, FALSE, 0 },
    { "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", FALSE, FALSE, 0 },
    { "GET / HTTP/1.0\r\n\r\n", FALSE, FALSE, 0 },
    { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", TRUE, FALSE, 0 },
    { "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 012\r\nExpect: 100-Continue\r\n\r\n", TRUE, TRUE, 12 },
    { "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n", TRUE, FALSE, 0 },
    { "POST / HTTP/1.0\r\nContent-Length: 999999999999999999\r\nExpect: 100-continue\r\n\r\n", FALSE, FALSE,
      999999999999999999 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_assert_cmpint (parse (cases[i].text), ==, SV_HEAD_COMPLETE);
    g_assert_cmpint (head.is_keep_alive, ==, cases[i].is_keep_alive);
    g_assert_cmpint (head.is_expecting, ==, cases[i].is_expecting);
    g_assert_cmpuint (head.body_bytes, ==, cases[i].body_bytes);
  }
}

static void
test_each_fault_has_its_status (void)
{
  static const struct
  {
    guint status;
    const char *text;
  } cases[] = {
    { 400, "GET /\r\n\r\n" },
    { 400, " GET / HTTP/1.1\r\nHost: h\r\n\r\n" },
    { 400, "GET / HTTP/1.1\nHost: h\n\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n" },
    { 400, "GET /# HTTP/1.1\r\nHost: h\r\n\r\n" },
    { 400, "GET /\x80 HTTP/1.1\r\nHost: h\r\n\r\n" },
    { 400, "AMETHODOFSEVENTEE / HTTP/1.1\r\nHost: h\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost : h\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\r\nA\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\r\nA\xc3: b\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000000000\r\n\r\n" },
    { 400, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" },
    { 400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
    { 411, "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" },
    { 501, "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" },
    { 501, "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" },
    { 417, "GET / HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n" },
    { 505, "GET / HTTP/2.0\r\nHost: h\r\n\r\n" },
    { 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
    { 400, "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n" },
    { 400, "\x16\x03\x01" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (parse (cases[i].text) != SV_HEAD_REFUSED || head.status != cases[i].status)
      g_error ("%s: expected %u, got %u %s", cases[i].text, cases[i].status, head.status, head.fault);
  const char with_nul[] = "GET / HTTP/1.1\r\nHost: h\r\nA: \0\r\n\r\n";
  g_assert_cmpint (sv_request_head_parse (with_nul, sizeof with_nul - 1, &head), ==, SV_HEAD_REFUSED);
}

/* A request with a target and a header value of so many bytes, and so many lines. */
static char *
make (gsize target, gsize value, guint n_lines)
{
  GString *text = g_string_new ("GET /");
  while (text->len < strlen ("GET ") + target)
    g_string_append_c (text, 'a');
  g_string_append (text, " HTTP/1.1\r\nHost: ");
  for (gsize i = 0; i < value; i++)
    g_string_append_c (text, 'h');
  g_string_append (text, "\r\n");
  for (guint i = 1; i < n_lines; i++)
    g_string_append (text, "A:\r\n");
  g_string_append (text, "\r\n");
  return g_string_free (text, FALSE);
}

static void
assert_limit (gsize target, gsize value, guint n_lines, guint status)
{
  g_autofree char *text = make (target, value, n_lines);
  SvHeadVerdict verdict = parse (text);
  g_assert_cmpint (verdict, ==, status == 0 ? SV_HEAD_COMPLETE : SV_HEAD_REFUSED);
  g_assert_true (status == 0 || head.status == status);
}

static void
test_limits_are_kept_to_the_byte (void)
{
  const gsize longest = SV_HEADERS_MAX - strlen ("Host: \r\n");
  assert_limit (SV_TARGET_MAX, longest, 1, 0);
  assert_limit (SV_TARGET_MAX + 1, 1, 1, 414);
  assert_limit (1, longest + 1, 1, 431);
  assert_limit (1, 1, SV_FIELDS_MAX, 0);
  assert_limit (1, 1, SV_FIELDS_MAX + 1, 431);
}

/* Whoever never ends his line is not waited for. */
static void
test_lines_without_an_end_are_refused (void)
{
  g_autofree char *endless = g_strnfill (SV_HEAD_MAX + 1000, 'a');
  g_autofree char *target = g_strconcat ("GET /", endless, NULL);
  g_autofree char *value = g_strconcat ("GET / HTTP/1.1\r\nA: ", endless, NULL);
  g_assert_cmpint (parse (endless), ==, SV_HEAD_REFUSED);
  g_assert_cmpuint (head.status, ==, 400);
  g_assert_cmpint (parse (target), ==, SV_HEAD_REFUSED);
  g_assert_cmpuint (head.status, ==, 414);
  g_assert_cmpint (parse (value), ==, SV_HEAD_REFUSED);
  g_assert_cmpuint (head.status, ==, 431);
}

static void
test_what_is_cut_short_is_waited_for (void)
{
  const char *text = "\r\nPOST http://h/a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
  for (gsize i = 0; i < strlen (text); i++)
  {
    g_autofree char *part = g_memdup2 (text, i);
    g_assert_cmpint (sv_request_head_parse (part, i, &head), ==, SV_HEAD_INCOMPLETE);
  }
  g_assert_cmpint (parse (text), ==, SV_HEAD_COMPLETE);
}

#define LENGTH 19 /* two words and a rest */

static void
assert_verdict (const char *before, const char *part, const char *after, gboolean is_allowed)
{
  g_autofree char *text = g_strconcat (before, part, after, NULL);
  g_assert_cmpint (parse (text), ==, is_allowed ? SV_HEAD_COMPLETE : SV_HEAD_REFUSED);
}

static void
test_each_byte_at_each_place (void)
{
  for (gsize at = 0; at < LENGTH; at++)
    for (guint byte = 1; byte < 256; byte++)
    {
      g_autofree char *part = g_strnfill (LENGTH, 'a');
      part[at] = (char)byte;
      assert_verdict ("GET /", part, " HTTP/1.1\r\nHost: h\r\n\r\n", byte > 0x20 && byte < 0x7f && byte != '#');
      assert_verdict ("GET / HTTP/1.1\r\nHost: h\r\nX: a", part, "a\r\n\r\n", byte == '\t' || (byte >= 0x20 && byte != 0x7f));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/api/request_head/" #test, test)
  ADD (test_a_head_is_taken_apart);
  ADD (test_the_absolute_form_is_its_path);
  ADD (test_what_becomes_of_the_connection);
  ADD (test_each_fault_has_its_status);
  ADD (test_limits_are_kept_to_the_byte);
  ADD (test_lines_without_an_end_are_refused);
  ADD (test_what_is_cut_short_is_waited_for);
  ADD (test_each_byte_at_each_place);
  return g_test_run ();
}
