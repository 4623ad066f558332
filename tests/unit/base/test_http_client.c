/* Cases: what a right answer becomes and what is sent; answers that are too big (announced, not announced, endless, expanding,
 * in headers, in an error page); answers that are broken, slow or absent; the sink; redirects (none allowed, followed, in a
 * loop, elsewhere with credentials, to another scheme, of a POST); the address policy (not ours, ours, ours after a redirect,
 * an old connection, addresses in disguise). */
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/http_client.h"
#include "base/http_hop.h"
#include "tiny_server.h"

/* ── asking ── */

static SvHttpResponse *
ask (const SvHttpRequest *request, GError **error)
{
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  return sv_http_perform (client, request, error);
}

static SvHttpRequest
request_for (const char *url)
{
  return (SvHttpRequest){ .url = url, .limits = SV_HTTP_LIMITS_DEFAULT };
}

static void
assert_body (const SvHttpResponse *response, const char *expected)
{
  gsize length;
  const char *body = g_bytes_get_data (response->body, &length);
  g_assert_cmpmem (body, length, expected, strlen (expected));
}

static void
assert_fails (const SvHttpRequest *request, SvErrorCode code, const char *in_message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvHttpResponse) response = ask (request, &error);
  g_assert_null (response);
  g_assert_error (error, SV_ERROR, (int)code);
  if (strstr (error->message, in_message) == NULL)
    g_error ("expected \"%s\" in \"%s\"", in_message, error->message);
}

/* ── answering ── */

/* The text in @data, then the end of the connection. */
static gboolean
say (TinyServer *server, int fd, const char *request, gpointer data)
{
  tiny_send_text (fd, data);
  return FALSE;
}

/* The same, keeping the connection. */
static gboolean
say_and_stay (TinyServer *server, int fd, const char *request, gpointer data)
{
  return tiny_send_text (fd, data);
}

static gboolean
repeat_for_ever (TinyServer *server, int fd, const char *request, gpointer data)
{
  const char *const *parts = data;
  tiny_send_text (fd, parts[0]);
  while (tiny_send_text (fd, parts[1]))
    ;
  return FALSE;
}

static gboolean
drip (TinyServer *server, int fd, const char *request, gpointer data)
{
  tiny_send_text (fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
  while (tiny_is_connected (fd, 20) && tiny_send_text (fd, "."))
    ;
  return FALSE;
}

static gboolean
keep_silent (TinyServer *server, int fd, const char *request, gpointer data)
{
  while (tiny_is_connected (fd, 100))
    ;
  return FALSE;
}

/* Content-Encoding: gzip of @data. */
static gboolean
say_compressed (TinyServer *server, int fd, const char *request, gpointer data)
{
  GBytes *plain = data;
  g_autoptr (GZlibCompressor) compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  gsize length, n_read, n_written;
  const void *bytes = g_bytes_get_data (plain, &length);
  g_autofree guint8 *out = g_malloc (length + 1024);
  GConverterResult result = g_converter_convert (G_CONVERTER (compressor), bytes, length, out, length + 1024,
                                                 G_CONVERTER_INPUT_AT_END, &n_read, &n_written, NULL);
  g_assert_cmpint (result, ==, G_CONVERTER_FINISHED);
  tiny_send_text (fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n");
  tiny_send (fd, out, n_written);
  return FALSE;
}

/* ── a right answer ── */

static void
test_answer_is_handed_over (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag:  \"x\" \r\n"
                                                        "X-Two: a\r\nx-two: b\r\n\r\nhello");
  g_autofree char *url = tiny_server_url (server, "/a?b=c#d");
  g_autofree char *final_url = tiny_server_url (server, "/a?b=c");
  g_autoptr (GError) error = NULL;
  SvHttpRequest request = request_for (url);
  g_autoptr (SvHttpResponse) response = ask (&request, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (response->status, ==, 200);
  g_assert_cmpuint (response->body_length, ==, 5);
  assert_body (response, "hello");
  g_assert_cmpstr (sv_http_response_header (response, "etag"), ==, "\"x\"");
  g_assert_cmpstr (sv_http_response_header (response, "x-two"), ==, "a, b");
  g_assert_null (sv_http_response_header (response, "location"));
  g_assert_cmpstr (response->final_url, ==, final_url);
}

static void
test_any_status_is_an_answer (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
  g_autofree char *url = tiny_server_url (server, "/");
  g_autoptr (GError) error = NULL;
  SvHttpRequest request = request_for (url);
  g_autoptr (SvHttpResponse) response = ask (&request, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (response->status, ==, 503);
  assert_body (response, "busy");
}

static void
test_provisional_answers_and_trailers_are_no_headers (void)
{
  g_autoptr (TinyServer) server =
      tiny_server_new (say, "HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n"
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nETag: late\r\n\r\n");
  g_autofree char *url = tiny_server_url (server, "/");
  g_autoptr (GError) error = NULL;
  SvHttpRequest request = request_for (url);
  g_autoptr (SvHttpResponse) response = ask (&request, &error);

  g_assert_no_error (error);
  assert_body (response, "ok");
  g_assert_null (sv_http_response_header (response, "link"));
  g_assert_null (sv_http_response_header (response, "etag"));
}

static void
test_request_is_sent_as_given (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  g_autofree char *url = tiny_server_url (server, "/k%2Fey?list=1");
  g_autoptr (GBytes) body = g_bytes_new_static ("{\"a\":1}", 7);
  const char *const headers[] = { "If-Match: \"x\"", "Content-Type: application/json", NULL };
  g_autoptr (GError) error = NULL;
  SvHttpRequest request = request_for (url);
  request.method = "PUT";
  request.headers = headers;
  request.body = body;
  g_autoptr (SvHttpResponse) response = ask (&request, &error);
  g_autofree char *seen = tiny_server_last_request (server);

  g_assert_no_error (error);
  g_assert_cmpuint (response->status, ==, 201);
  g_assert_true (g_str_has_prefix (seen, "PUT /k%2Fey?list=1 HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (seen, "\r\nIf-Match: \"x\"\r\n"));
  g_assert_nonnull (strstr (seen, "\r\nContent-Type: application/json\r\n"));
  g_assert_nonnull (strstr (seen, "\r\nContent-Length: 7\r\n"));
  g_assert_null (strstr (seen, "Expect:"));
  g_assert_true (g_str_has_suffix (seen, "\r\n\r\n{\"a\":1}"));
}

static void
test_post_without_body_says_so (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  request.method = "POST";
  g_autoptr (SvHttpResponse) response = ask (&request, NULL);
  g_autofree char *seen = tiny_server_last_request (server);

  g_assert_nonnull (response);
  g_assert_nonnull (strstr (seen, "\r\nContent-Length: 0\r\n"));
  g_assert_null (strstr (seen, "Content-Type:"));
}

static void
test_head_has_no_body (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n");
  g_autofree char *url = tiny_server_url (server, "/");
  g_autoptr (GError) error = NULL;
  SvHttpRequest request = request_for (url);
  request.method = "HEAD";
  g_autoptr (SvHttpResponse) response = ask (&request, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (sv_http_response_header (response, "content-length"), ==, "999999999");
  assert_body (response, "");
}

static void
test_header_with_line_break_is_refused (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  g_autofree char *url = tiny_server_url (server, "/");
  const char *const headers[] = { "X-Nonce: a\r\nX-Signature: forged", NULL };
  SvHttpRequest request = request_for (url);
  request.headers = headers;
  assert_fails (&request, SV_ERROR_USAGE, "not one line");
  g_assert_cmpuint (tiny_server_n_connections (server), ==, 0);
}

static void
test_connection_is_kept (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say_and_stay, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  g_autofree char *url = tiny_server_url (server, "/");
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  SvHttpRequest request = request_for (url);
  for (guint i = 0; i < 3; i++)
  {
    g_autoptr (SvHttpResponse) response = sv_http_perform (client, &request, NULL);
    g_assert_nonnull (response);
  }
  g_clear_pointer (&client, sv_http_client_free);
  g_assert_cmpuint (tiny_server_n_requests (server), ==, 3);
  g_assert_cmpuint (tiny_server_n_connections (server), ==, 1);
}

/* ── too big ── */

static void
test_body_up_to_the_limit_passes (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  request.limits.max_bytes = 5;
  g_autoptr (SvHttpResponse) response = ask (&request, NULL);
  g_assert_nonnull (response);
  request.limits.max_bytes = 4;
  assert_fails (&request, SV_ERROR_POLICY, "larger than 4 bytes");
}

static void
test_endless_body_is_cut_off (void)
{
  const char *const parts[] = { "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "0123456789abcdef" };
  g_autoptr (TinyServer) server = tiny_server_new (repeat_for_ever, (gpointer)parts);
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  request.limits.max_bytes = 100000;
  assert_fails (&request, SV_ERROR_POLICY, "larger than 100000 bytes");
}

static void
test_endless_error_page_is_cut_off (void)
{
  const char *const parts[] = { "HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\n", "0123456789abcdef" };
  g_autoptr (TinyServer) server = tiny_server_new (repeat_for_ever, (gpointer)parts);
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  request.limits.max_bytes = (gsize)2 * 1024 * 1024 * 1024;
  assert_fails (&request, SV_ERROR_POLICY, "larger than 1048576 bytes");
}

static void
test_endless_headers_are_cut_off (void)
{
  const char *const parts[] = { "HTTP/1.1 200 OK\r\n", "X-More: of the same\r\n" };
  g_autoptr (TinyServer) server = tiny_server_new (repeat_for_ever, (gpointer)parts);
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  assert_fails (&request, SV_ERROR_POLICY, "headers are larger");
}

static void
test_body_is_counted_after_expansion (void)
{
  gsize size = 4 * 1024 * 1024;
  g_autoptr (GBytes) zeros = g_bytes_new_take (g_malloc0 (size), size);
  g_autoptr (TinyServer) server = tiny_server_new (say_compressed, zeros);
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  request.limits.max_bytes = size;
  g_autoptr (SvHttpResponse) response = ask (&request, NULL);
  g_assert_nonnull (response);
  g_assert_true (g_bytes_equal (response->body, zeros));
  request.limits.max_bytes = size - 1;
  assert_fails (&request, SV_ERROR_POLICY, "larger than 4194303 bytes");
}

/* ── broken, slow, absent ── */

static void
assert_unreachable (const char *answer)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, (gpointer)answer);
  g_autofree char *url = tiny_server_url (server, "/path?token=secret");
  g_autoptr (GError) error = NULL;
  SvHttpRequest request = request_for (url);
  g_autoptr (SvHttpResponse) response = ask (&request, &error);
  g_assert_null (response);
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_assert_nonnull (strstr (error->message, "/path: "));
  g_assert_null (strstr (error->message, "secret"));
}

static void
test_broken_answers_are_unreachable (void)
{
  assert_unreachable ("");
  assert_unreachable ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
  assert_unreachable ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
  assert_unreachable ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n");
  assert_unreachable ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello");
  assert_unreachable ("HTTP/1.1 2x0 OK\r\n\r\n");
  assert_unreachable ("\x01\x02\x03 garbage without end of line");
  assert_unreachable ("SSH-2.0-OpenSSH_9.2\r\n");
}

static void
test_slow_drip_ends_with_the_total_time (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (drip, NULL);
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  request.limits.total_timeout_ms = 300;
  assert_fails (&request, SV_ERROR_UNREACHABLE, "timed out");
}

static void
test_silence_ends_with_the_stall_time (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (keep_silent, NULL);
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  request.limits.stall_timeout_ms = 1000;
  assert_fails (&request, SV_ERROR_UNREACHABLE, "too slow");
}

static void
test_nobody_there_is_unreachable (void)
{
  TinyServer *server = tiny_server_new (say, "");
  g_autofree char *url = tiny_server_url (server, "/x?key=secret");
  tiny_server_free (server);
  SvHttpRequest request = request_for (url);
  assert_fails (&request, SV_ERROR_UNREACHABLE, "/x: ");
  SvHttpRequest unknown = request_for ("http://nobody.invalid/");
  assert_fails (&unknown, SV_ERROR_UNREACHABLE, "http://nobody.invalid/: ");
}

static void
test_not_a_url_is_wrong_usage (void)
{
  SvHttpRequest request = request_for ("file:///etc/passwd");
  assert_fails (&request, SV_ERROR_USAGE, "not an absolute http or https URL");
}

/* ── the sink ── */

static void
test_sink_takes_the_body_of_success_only (void)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("sv-sink-XXXXXX", &path, NULL);
  g_autoptr (TinyServer) good = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nclip");
  g_autoptr (TinyServer) bad = tiny_server_new (say, "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nsorry");
  g_autofree char *good_url = tiny_server_url (good, "/");
  g_autofree char *bad_url = tiny_server_url (bad, "/");
  g_autofree char *content = NULL;

  SvHttpRequest request = request_for (bad_url);
  request.sink_fd = fd;
  g_autoptr (SvHttpResponse) refused = ask (&request, NULL);
  assert_body (refused, "sorry");
  request.url = good_url;
  g_autoptr (SvHttpResponse) response = ask (&request, NULL);
  assert_body (response, "");
  g_assert_cmpuint (response->body_length, ==, 4);
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "clip");
  close (fd);
  g_unlink (path);
}

static void
test_sink_that_cannot_be_written_is_our_fault (void)
{
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nclip");
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  request.sink_fd = fd;
  assert_fails (&request, SV_ERROR_FAILED, "/: ");
  close (fd);
}

/* ── redirects ── */

/* "/" leads to the address in @data, everything else answers. */
static gboolean
lead_away (TinyServer *server, int fd, const char *request, gpointer data)
{
  g_autofree char *away = g_strdup_printf ("HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", (char *)data);
  return tiny_send_text (fd, strstr (request, " / HTTP/") != NULL ? away : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere");
}

static void
assert_redirect_fails (const char *location, guint max_redirects, const char *method, const char *in_message)
{
  g_autoptr (TinyServer) server = tiny_server_new (lead_away, (gpointer)location);
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  request.method = method;
  request.limits.max_redirects = max_redirects;
  assert_fails (&request, SV_ERROR_POLICY, in_message);
  g_assert_cmpuint (tiny_server_n_requests (server), ==, strstr (in_message, "too many") != NULL ? max_redirects + 1 : 1);
}

static void
test_refused_redirects (void)
{
  assert_redirect_fails ("/there", 0, "GET", "none is allowed here");
  assert_redirect_fails ("/", 3, "GET", "too many");
  assert_redirect_fails ("/there", 3, "POST", "only GET and HEAD");
  assert_redirect_fails ("ftp://127.0.0.1/", 3, "GET", "its scheme is another");
  assert_redirect_fails ("file:///etc/passwd", 3, "GET", "its scheme is another");
  assert_redirect_fails ("http://user:secret@127.0.0.1/", 3, "GET", "user name and password");
}

static void
test_redirect_is_followed (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (lead_away, "there?x=1");
  g_autofree char *url = tiny_server_url (server, "/");
  g_autofree char *final_url = tiny_server_url (server, "/there?x=1");
  const char *const headers[] = { "Authorization: Bearer secret", NULL };
  g_autoptr (GError) error = NULL;
  SvHttpRequest request = request_for (url);
  request.headers = headers;
  request.limits.max_redirects = 1;
  g_autoptr (SvHttpResponse) response = ask (&request, &error);
  g_autofree char *seen = tiny_server_last_request (server);

  g_assert_no_error (error);
  assert_body (response, "here");
  g_assert_cmpstr (response->final_url, ==, final_url);
  g_assert_null (sv_http_response_header (response, "location"));
  g_assert_nonnull (strstr (seen, "Bearer secret"));
}

static void
test_credentials_stay_at_their_origin (void)
{
  g_autoptr (TinyServer) other = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere");
  g_autofree char *target = tiny_server_url (other, "/there");
  g_autoptr (TinyServer) server = tiny_server_new (lead_away, target);
  g_autofree char *url = tiny_server_url (server, "/");
  const char *const headers[] = { "Authorization: Bearer secret", "X-Nonce: secret", "Range: bytes=0-3", NULL };
  SvHttpRequest request = request_for (url);
  request.headers = headers;
  request.limits.max_redirects = 1;
  g_autoptr (SvHttpResponse) response = ask (&request, NULL);
  g_autofree char *seen = tiny_server_last_request (other);

  g_assert_nonnull (response);
  g_assert_null (strstr (seen, "secret"));
  g_assert_nonnull (strstr (seen, "Range: bytes=0-3"));
}

static void
test_redirect_never_leaves_https (void)
{
  g_auto (SvUrl) secure = { 0 };
  g_auto (SvUrl) plain = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_true (sv_url_parse ("https://example.org/", &secure, NULL));
  g_assert_true (sv_url_resolve (&secure, "http://example.org/", &plain, NULL));
  g_assert_true (sv_http_check_redirect (&secure, &secure, NULL));
  g_assert_true (sv_http_check_redirect (&plain, &secure, NULL));
  g_assert_false (sv_http_check_redirect (&secure, &plain, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_POLICY);
}

/* ── addresses ── */

static void
test_local_addresses_are_refused_to_outsiders (void)
{
  static const char *const disguises[] = {
    "http://127.0.0.1:%u/",        "http://localhost:%u/",  "http://0.0.0.0:%u/",           "http://[::ffff:127.0.0.1]:%u/",
    "http://2130706433:%u/",       "http://0x7f.1:%u/",     "https://127.0.0.1:%u/",        "https://10.0.0.1:%u/",
    "https://169.254.169.254:%u/", "https://[fe80::1]:%u/", "https://[64:ff9b::7f00:1]:%u/"
  };
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  for (gsize i = 0; i < G_N_ELEMENTS (disguises); i++)
  {
    g_auto (GStrv) parts = g_strsplit (disguises[i], "%u", 2);
    g_autofree char *url = g_strdup_printf ("%s%u%s", parts[0], tiny_server_port (server), parts[1]);
    SvHttpRequest request = request_for (url);
    request.limits.policy = SV_HTTP_PUBLIC_ADDRESS;
    g_test_message ("%s", url);
    assert_fails (&request, SV_ERROR_POLICY, g_str_has_prefix (url, "https") ? "private or local" : "");
  }
  g_assert_cmpuint (tiny_server_n_connections (server), ==, 0);
}

static void
test_public_http_is_refused_to_outsiders (void)
{
  SvHttpRequest request = request_for ("http://8.8.8.8/");
  request.limits.policy = SV_HTTP_PUBLIC_ADDRESS;
  assert_fails (&request, SV_ERROR_POLICY, "https is needed");
}

static void
test_own_origin_may_be_local (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  g_autofree char *url = tiny_server_url (server, "/clips/1");
  g_autofree char *own = tiny_server_url (server, "");
  g_autofree char *other_port = g_strdup_printf ("http://127.0.0.1:%u", tiny_server_port (server) ^ 1);
  const char *const not_this[] = { "https://example.org", other_port, NULL };
  const char *const this_too[] = { "https://example.org", own, NULL };
  SvHttpRequest request = request_for (url);
  request.limits.policy = SV_HTTP_PUBLIC_ADDRESS;
  request.limits.own_origins = not_this;
  assert_fails (&request, SV_ERROR_POLICY, "private or local");
  request.limits.own_origins = this_too;
  g_autoptr (SvHttpResponse) response = ask (&request, NULL);
  g_assert_nonnull (response);
}

static void
test_own_origin_does_not_count_after_a_redirect (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (lead_away, "/there");
  g_autofree char *url = tiny_server_url (server, "/");
  g_autofree char *own = tiny_server_url (server, "");
  const char *const origins[] = { own, NULL };
  SvHttpRequest request = request_for (url);
  request.limits.policy = SV_HTTP_PUBLIC_ADDRESS;
  request.limits.own_origins = origins;
  request.limits.max_redirects = 3;
  assert_fails (&request, SV_ERROR_POLICY, "private or local");
  g_assert_cmpuint (tiny_server_n_requests (server), ==, 1);
}

static void
test_outsiders_redirects_begin_with_https (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (lead_away, "https://127.0.0.1:1/there");
  g_autofree char *url = tiny_server_url (server, "/");
  g_autofree char *own = tiny_server_url (server, "");
  const char *const origins[] = { own, NULL };
  SvHttpRequest request = request_for (url);
  request.limits.policy = SV_HTTP_PUBLIC_ADDRESS;
  request.limits.own_origins = origins;
  request.limits.max_redirects = 3;
  assert_fails (&request, SV_ERROR_POLICY, "within https");
}

static void
test_old_connection_is_judged_again (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (say_and_stay, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  g_autofree char *url = tiny_server_url (server, "/");
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  g_autoptr (GError) error = NULL;
  SvHttpRequest request = request_for (url);
  g_autoptr (SvHttpResponse) first = sv_http_perform (client, &request, NULL);
  g_assert_nonnull (first);
  request.limits.policy = SV_HTTP_PUBLIC_ADDRESS;
  g_autoptr (SvHttpResponse) second = sv_http_perform (client, &request, &error);
  g_assert_null (second);
  g_assert_error (error, SV_ERROR, SV_ERROR_POLICY);
  g_clear_pointer (&client, sv_http_client_free);
  g_assert_cmpuint (tiny_server_n_requests (server), ==, 1);
}

int
main (int argc, char **argv)
{
  static const char *const proxies[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (proxies); i++)
    g_unsetenv (proxies[i]); /* a proxy would answer in the place of hosts that do not exist */
  g_test_add_func ("/http/answer-is-handed-over", test_answer_is_handed_over);
  g_test_add_func ("/http/any-status-is-an-answer", test_any_status_is_an_answer);
  g_test_add_func ("/http/provisional-answers-and-trailers", test_provisional_answers_and_trailers_are_no_headers);
  g_test_add_func ("/http/request-is-sent-as-given", test_request_is_sent_as_given);
  g_test_add_func ("/http/post-without-body-says-so", test_post_without_body_says_so);
  g_test_add_func ("/http/head-has-no-body", test_head_has_no_body);
  g_test_add_func ("/http/header-with-line-break-is-refused", test_header_with_line_break_is_refused);
  g_test_add_func ("/http/connection-is-kept", test_connection_is_kept);
  g_test_add_func ("/http/body-up-to-the-limit-passes", test_body_up_to_the_limit_passes);
  g_test_add_func ("/http/endless-body-is-cut-off", test_endless_body_is_cut_off);
  g_test_add_func ("/http/endless-error-page-is-cut-off", test_endless_error_page_is_cut_off);
  g_test_add_func ("/http/endless-headers-are-cut-off", test_endless_headers_are_cut_off);
  g_test_add_func ("/http/body-is-counted-after-expansion", test_body_is_counted_after_expansion);
  g_test_add_func ("/http/broken-answers-are-unreachable", test_broken_answers_are_unreachable);
  g_test_add_func ("/http/slow-drip-ends-with-the-total-time", test_slow_drip_ends_with_the_total_time);
  g_test_add_func ("/http/silence-ends-with-the-stall-time", test_silence_ends_with_the_stall_time);
  g_test_add_func ("/http/nobody-there-is-unreachable", test_nobody_there_is_unreachable);
  g_test_add_func ("/http/not-a-url-is-wrong-usage", test_not_a_url_is_wrong_usage);
  g_test_add_func ("/http/sink-takes-the-body-of-success-only", test_sink_takes_the_body_of_success_only);
  g_test_add_func ("/http/sink-that-cannot-be-written", test_sink_that_cannot_be_written_is_our_fault);
  g_test_add_func ("/http/refused-redirects", test_refused_redirects);
  g_test_add_func ("/http/redirect-is-followed", test_redirect_is_followed);
  g_test_add_func ("/http/credentials-stay-at-their-origin", test_credentials_stay_at_their_origin);
  g_test_add_func ("/http/redirect-never-leaves-https", test_redirect_never_leaves_https);
  g_test_add_func ("/http/local-addresses-are-refused", test_local_addresses_are_refused_to_outsiders);
  g_test_add_func ("/http/public-http-is-refused", test_public_http_is_refused_to_outsiders);
  g_test_add_func ("/http/own-origin-may-be-local", test_own_origin_may_be_local);
  g_test_add_func ("/http/outsiders-redirects-begin-with-https", test_outsiders_redirects_begin_with_https);
  g_test_add_func ("/http/own-origin-ends-with-a-redirect", test_own_origin_does_not_count_after_a_redirect);
  g_test_add_func ("/http/old-connection-is-judged-again", test_old_connection_is_judged_again);
  return g_test_run ();
}
