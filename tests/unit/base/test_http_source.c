/* Request bodies from files, and redirects that are handed out.
 *  1. just the bytes asked for are sent, with their length, wherever the descriptor stands
 *  2. they are sent whole again where a kept connection turns out to be closed
 *  3. a file that ends early is our fault, not the server's
 *  4. a redirect that the caller takes is an answer, and nobody is asked elsewhere
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/http_client.h"
#include "tiny_server.h"

static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* Answers the first request, and closes the connection when the second comes. */
static gboolean
answer_once (TinyServer *server, int fd, const char *request, gpointer data)
{
  guint *n_left = data;
  if ((*n_left)-- == 0)
    return FALSE;
  return tiny_send_text (fd, good);
}

static int
open_content (const char *content)
{
  int fd = memfd_create ("source", MFD_CLOEXEC);
  g_assert_cmpint (write (fd, content, strlen (content)), ==, strlen (content));
  return fd;
}

static gboolean
send_range (SvHttpClient *client, const char *url, int fd, guint64 offset, guint64 length, GError **error)
{
  SvHttpRequest request = { .method = "PUT",
                            .url = url,
                            .source_fd = fd,
                            .source_offset = offset,
                            .source_length = length,
                            .limits = SV_HTTP_LIMITS_DEFAULT };
  g_autoptr (SvHttpResponse) response = sv_http_perform (client, &request, error);
  return response != NULL;
}

static void
assert_sent (TinyServer *server, const char *body)
{
  g_autofree char *request = tiny_server_last_request (server);
  g_autofree char *length = g_strdup_printf ("Content-Length: %zu\r\n", strlen (body));
  g_assert_true (g_str_has_prefix (request, "PUT /key HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, length));
  g_assert_cmpstr (strstr (request, "\r\n\r\n") + 4, ==, body);
}

static void
test_range (void)
{
  guint n_left = 99;
  GError *error = NULL;
  g_autoptr (TinyServer) server = tiny_server_new (answer_once, &n_left);
  g_autofree char *url = tiny_server_url (server, "/key");
  int fd = open_content ("0123456789");
  SvHttpClient *client = sv_http_client_new ();
  g_assert_true (send_range (client, url, fd, 3, 4, &error));
  g_assert_no_error (error);
  assert_sent (server, "3456");
  g_assert_true (send_range (client, url, fd, 0, 10, &error));
  g_assert_no_error (error);
  assert_sent (server, "0123456789");
  g_assert_true (send_range (client, url, fd, 10, 0, &error));
  g_assert_no_error (error);
  assert_sent (server, "");
  sv_http_client_free (client);
  close (fd);
}

static void
test_again (void)
{
  guint n_left = 1;
  GError *error = NULL;
  g_autoptr (TinyServer) server = tiny_server_new (answer_once, &n_left);
  g_autofree char *url = tiny_server_url (server, "/key");
  int fd = open_content ("0123456789");
  SvHttpClient *client = sv_http_client_new ();
  g_assert_true (send_range (client, url, fd, 0, 10, &error));
  g_assert_no_error (error);
  g_assert_true (send_range (client, url, fd, 2, 5, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (tiny_server_n_requests (server), ==, 3);
  assert_sent (server, "23456");
  sv_http_client_free (client);
  close (fd);
}

static void
test_too_short (void)
{
  guint n_left = 99;
  g_autoptr (GError) error = NULL;
  g_autoptr (TinyServer) server = tiny_server_new (answer_once, &n_left);
  g_autofree char *url = tiny_server_url (server, "/key");
  int fd = open_content ("0123456789");
  SvHttpClient *client = sv_http_client_new ();
  g_assert_false (send_range (client, url, fd, 5, 6, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "shorter"));
  sv_http_client_free (client);
  close (fd);
}

static gboolean
redirect (TinyServer *server, int fd, const char *request, gpointer data)
{
  tiny_send_text (fd, "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 3\r\n\r\nwhy");
  return FALSE;
}

static void
test_redirect (void)
{
  GError *error = NULL;
  g_autoptr (TinyServer) server = tiny_server_new (redirect, NULL);
  g_autofree char *url = tiny_server_url (server, "/key");
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  SvHttpRequest request = { .url = url, .takes_redirects = TRUE, .limits = SV_HTTP_LIMITS_DEFAULT };
  g_autoptr (SvHttpResponse) response = sv_http_perform (client, &request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (response->status, ==, 301);
  g_assert_cmpmem (g_bytes_get_data (response->body, NULL), g_bytes_get_size (response->body), "why", 3);
  g_assert_cmpuint (tiny_server_n_requests (server), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http-source/just the bytes asked for are sent", test_range);
  g_test_add_func ("/http-source/they are sent again on another connection", test_again);
  g_test_add_func ("/http-source/a file that ends early is our fault", test_too_short);
  g_test_add_func ("/http-source/a redirect can be taken as an answer", test_redirect);
  return g_test_run ();
}
