/* A process that is about to end gives up its requests. What is given up once stays so: each case is the next moment of one
 * process.
 *  1. before: nothing is given up, a pause lasts, a request is answered
 *  2. a patience that is not over yet changes nothing
 *  3. one that is: a request under way ends, and so does a pause; the next ones fail at once
 */
#include "base/error.h"
#include "base/http_client.h"
#include "tiny_server.h"

#define LONG_MS 600000 /* longer than a test may take */

static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static gboolean
answer (TinyServer *server, int fd, const char *request, gpointer is_silent)
{
  if (!g_atomic_int_get ((gint *)is_silent))
    return tiny_send_text (fd, good);
  sv_http_give_up_after (0);
  while (tiny_is_connected (fd, 1000))
    ;
  return FALSE;
}

static gboolean
ask (TinyServer *server, GError **error)
{
  g_autofree char *url = tiny_server_url (server, "/");
  SvHttpRequest request = { .url = url, .limits = SV_HTTP_LIMITS_DEFAULT };
  request.limits.total_timeout_ms = request.limits.stall_timeout_ms = LONG_MS;
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  g_autoptr (SvHttpResponse) response = sv_http_perform (client, &request, error);
  return response != NULL;
}

static void
assert_given_up (TinyServer *server)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (ask (server, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_assert_nonnull (g_strstr_len (error->message, -1, "this server is being stopped"));
}

static void
test_give_up (void)
{
  gint is_silent = 0;
  g_autoptr (TinyServer) server = tiny_server_new (answer, &is_silent);
  for (guint before = 0; before < 2; before++)
  {
    gint64 began_us = g_get_monotonic_time ();
    sv_http_pause (20);
    g_assert_cmpint (g_get_monotonic_time () - began_us, >=, 20000);
    g_assert_false (sv_http_is_given_up ());
    g_assert_true (ask (server, NULL));
    sv_http_give_up_after (LONG_MS);
  }
  g_atomic_int_set (&is_silent, 1);
  assert_given_up (server); /* the server's thread says so when it has been asked */
  g_assert_true (sv_http_is_given_up ());
  sv_http_give_up_after (LONG_MS); /* is not put off again */
  g_assert_true (sv_http_is_given_up ());
  sv_http_pause (LONG_MS);
  g_atomic_int_set (&is_silent, 0);
  assert_given_up (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/give-up", test_give_up);
  return g_test_run ();
}
