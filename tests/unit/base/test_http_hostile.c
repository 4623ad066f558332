/* Servers that mean harm. Cases: what a distrusted server begins and does not end is its doing, who does not answer is merely
 * not there; a drip below the minimum rate, and a slow answer above it; encodings that nobody asked for; a large answer, which
 * is kept in a file, and no room for the file; redirects into private networks, and from https to http.
 *
 * The last needs an https server whose certificate the system's authorities vouch for, which a test has not; there libcurl is
 * played, and answers as such a server would. */
#include <curl/curl.h>
#include <glib.h>
#include <string.h>

#include "base/curl_library.h"
#include "base/error.h"
#include "base/http_client.h"
#include "tiny_server.h"

/* ── asking and answering ── */

static SvHttpRequest
request_for (const char *url)
{
  SvHttpRequest request = { .url = url, .limits = SV_HTTP_LIMITS_DEFAULT };
  request.limits.distrusts_server = TRUE;
  return request;
}

static SvHttpResponse *
ask (const SvHttpRequest *request, GError **error)
{
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  return sv_http_perform (client, request, error);
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

/* The text in @data, then the end of the connection. */
static gboolean
say (TinyServer *server, int fd, const char *request, gpointer data)
{
  tiny_send_text (fd, data);
  return FALSE;
}

static void
assert_answer_fails (const char *answer, SvErrorCode code, const char *in_message)
{
  g_autoptr (TinyServer) server = tiny_server_new (say, (gpointer)answer);
  g_autofree char *url = tiny_server_url (server, "/path");
  SvHttpRequest request = request_for (url);
  assert_fails (&request, code, in_message);
}

/* ── an answer that does not come to its end ── */

static void
test_what_was_begun (void)
{
  static const char *const begun[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 2x0 OK\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (begun); i++)
    assert_answer_fails (begun[i], SV_ERROR_POLICY, "/path: broken answer: ");
}

static void
test_no_answer (void)
{
  assert_answer_fails ("", SV_ERROR_UNREACHABLE, "/path: ");
  TinyServer *server = tiny_server_new (say, "");
  g_autofree char *url = tiny_server_url (server, "/path");
  tiny_server_free (server);
  SvHttpRequest request = request_for (url);
  assert_fails (&request, SV_ERROR_UNREACHABLE, "/path: ");
}

/* A hundred times @data, in two seconds. */
static gboolean
drip (TinyServer *server, int fd, const char *request, gpointer data)
{
  tiny_send_text (fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  for (guint i = 0; i < 100 && tiny_is_connected (fd, 20); i++)
    tiny_send_text (fd, data);
  return FALSE;
}

static void
test_minimum_rate (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (drip, "0123456789");
  g_autofree char *url = tiny_server_url (server, "/path");
  SvHttpRequest request = request_for (url);
  request.limits.stall_timeout_ms = 1000;
  request.limits.min_rate = 10000;
  assert_fails (&request, SV_ERROR_POLICY, "/path: slow transfer: less than 10000 bytes a second");
  request.limits.distrusts_server = FALSE;
  assert_fails (&request, SV_ERROR_UNREACHABLE, "/path: slow transfer: less than 10000 bytes a second");
  g_autoptr (GError) error = NULL;
  request.limits.min_rate = 10;
  g_autoptr (SvHttpResponse) response = ask (&request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (response->body_length, ==, 1000);
}

static void
test_total_time (void)
{
  g_autoptr (TinyServer) server = tiny_server_new (drip, "0123456789");
  g_autofree char *url = tiny_server_url (server, "/path");
  SvHttpRequest request = request_for (url);
  request.limits.total_timeout_ms = 300;
  assert_fails (&request, SV_ERROR_POLICY, "/path: slow transfer: ");
}

/* ── encodings ── */

static void
test_encodings (void)
{
  static const char *const headers[] = { "Content-Encoding: br",         "Content-Encoding: zstd",
                                         "content-encoding: gzip, gzip", "Content-Encoding: gzip\r\nContent-Encoding: gzip",
                                         "Transfer-Encoding: gzip",      "Transfer-Encoding: br, chunked" };
  for (gsize i = 0; i < G_N_ELEMENTS (headers); i++)
  {
    g_autofree char *answer = g_strdup_printf ("HTTP/1.1 200 OK\r\n%s\r\n\r\nwhatever", headers[i]);
    g_test_message ("%s", headers[i]);
    assert_answer_fails (answer, SV_ERROR_POLICY, "compressed in a way that was not asked for");
  }
  g_autoptr (TinyServer) server =
      tiny_server_new (say, "HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 2\r\n\r\nok");
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  g_autoptr (SvHttpResponse) response = ask (&request, NULL);
  g_assert_nonnull (response);
  g_autofree char *seen = tiny_server_last_request (server);
  g_assert_nonnull (strstr (seen, "Accept-Encoding: gzip, deflate\r\n"));
}

/* ── large answers ── */

#define LARGE (3 * 1024 * 1024 + 7)

/* The bytes in @data. */
static gboolean
say_bytes (TinyServer *server, int fd, const char *request, gpointer data)
{
  gsize length;
  const void *bytes = g_bytes_get_data (data, &length);
  tiny_send_text (fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  tiny_send (fd, bytes, length);
  return FALSE;
}

static GBytes *
make_large (void)
{
  guint32 *numbers = g_malloc (LARGE + sizeof *numbers);
  for (gsize i = 0; i < LARGE / sizeof *numbers + 1; i++)
    numbers[i] = (guint32)i * 2654435761u;
  return g_bytes_new_take (numbers, LARGE);
}

static void
test_large_answer (void)
{
  g_autoptr (GBytes) large = make_large ();
  g_autoptr (TinyServer) server = tiny_server_new (say_bytes, large);
  g_autofree char *url = tiny_server_url (server, "/");
  g_autoptr (GError) error = NULL;
  SvHttpRequest request = request_for (url);
  g_autoptr (SvHttpResponse) response = ask (&request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (response->body_length, ==, LARGE);
  g_assert_true (g_bytes_equal (response->body, large));
}

static void
test_no_room_for_a_large_answer (void)
{
  if (!g_test_subprocess ())
  {
    g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed ();
    return;
  }
  g_setenv ("TMPDIR", "/nonexistent", TRUE);
  g_autoptr (GBytes) large = make_large ();
  g_autoptr (TinyServer) server = tiny_server_new (say_bytes, large);
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = request_for (url);
  assert_fails (&request, SV_ERROR_FAILED, "/nonexistent: No such file or directory; make room there, or set TMPDIR");
}

/* ── redirects ── */

static gboolean
lead_away (TinyServer *server, int fd, const char *request, gpointer data)
{
  g_autofree char *away = g_strdup_printf ("HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", (char *)data);
  return tiny_send_text (fd, away);
}

static void
test_private_redirects (void)
{
  static const char *const targets[] = { "http://127.0.0.2:1/", "http://[::1]:1/", "http://10.0.0.1/", "https://192.168.1.1/",
                                         "http://169.254.169.254/latest/meta-data" };
  for (gsize i = 0; i < G_N_ELEMENTS (targets); i++)
  {
    g_autoptr (TinyServer) server = tiny_server_new (lead_away, (gpointer)targets[i]);
    g_autofree char *url = tiny_server_url (server, "/");
    SvHttpRequest request = request_for (url);
    request.limits.max_redirects = 3;
    assert_fails (&request, SV_ERROR_POLICY, "refused the redirect to here: it is a private or local address");
  }
}

static struct
{
  curl_write_callback on_header;
  void *data;
} played;

static CURLcode
played_setopt (CURL *handle, CURLoption option, ...)
{
  va_list arguments;
  va_start (arguments, option);
  if (option == CURLOPT_HEADERFUNCTION)
    played.on_header = va_arg (arguments, curl_write_callback);
  else if (option == CURLOPT_HEADERDATA)
    played.data = va_arg (arguments, void *);
  va_end (arguments);
  return CURLE_OK;
}

static CURLcode
played_perform (CURL *handle)
{
  char status[] = "HTTP/1.1 302 Found\r\n", location[] = "Location: http://example.org/there\r\n", end[] = "\r\n";
  played.on_header (status, 1, strlen (status), played.data);
  played.on_header (location, 1, strlen (location), played.data);
  played.on_header (end, 1, strlen (end), played.data);
  return CURLE_OK;
}

static CURLcode
played_getinfo (CURL *handle, CURLINFO what, ...)
{
  va_list arguments;
  va_start (arguments, what);
  if (what == CURLINFO_RESPONSE_CODE)
    *va_arg (arguments, long *) = 302;
  else if (what == CURLINFO_PRIMARY_IP)
    *va_arg (arguments, const char **) = "93.184.216.34";
  va_end (arguments);
  return CURLE_OK;
}

static void
test_redirect_from_https_to_http (void)
{
  SvCurl *curl = (SvCurl *)sv_curl ();
  SvCurl real = *curl;
  curl->easy_setopt = played_setopt;
  curl->easy_perform = played_perform;
  curl->easy_getinfo = played_getinfo;
  SvHttpRequest request = request_for ("https://example.org/");
  request.limits.max_redirects = 3;
  assert_fails (&request, SV_ERROR_POLICY, "https://example.org/: refused its redirect: it leads from https to http");
  request.url = "http://example.org/";
  assert_fails (&request, SV_ERROR_POLICY, "there are too many");
  *curl = real;
}

int
main (int argc, char **argv)
{
  static const char *const proxies[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (proxies); i++)
    g_unsetenv (proxies[i]);
  g_test_add_func ("/http-hostile/what-was-begun", test_what_was_begun);
  g_test_add_func ("/http-hostile/no-answer", test_no_answer);
  g_test_add_func ("/http-hostile/minimum-rate", test_minimum_rate);
  g_test_add_func ("/http-hostile/total-time", test_total_time);
  g_test_add_func ("/http-hostile/encodings", test_encodings);
  g_test_add_func ("/http-hostile/large-answer", test_large_answer);
  g_test_add_func ("/http-hostile/no-room-for-a-large-answer", test_no_room_for_a_large_answer);
  g_test_add_func ("/http-hostile/private-redirects", test_private_redirects);
  g_test_add_func ("/http-hostile/redirect-from-https-to-http", test_redirect_from_https_to_http);
  return g_test_run ();
}
