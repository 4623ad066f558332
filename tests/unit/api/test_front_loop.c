/* The front with routes of this test: what no route of the server shows from outside.
 *
 * bodies: whole, in pieces, expected, too long, by another method, slow        suspended: resumed from another thread, at once,
 * by the hundred, with requests behind them        in hand: the cap, strangers who are slow do not count, one address's
 * connections        a shared socket: one front is quiet, the other goes on; who is idle stays until the front is closed */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/front.h"

#define DEADLINE_MS 20000
#define MAX_BODY 100000

typedef struct
{
  SvService service;
  SvFrontLimits limits;
  SvFront *front;
  int listen_fd;
  GThreadPool *resumers;
} Loop;

/* ── the routes ── */

static Loop *the_loop;
static gint n_held; /* suspended and not resumed */
static GAsyncQueue *held;

static SvReply *
handle_length (SvExchange *exchange)
{
  g_autofree char *text = g_strdup_printf ("%" G_GSIZE_FORMAT " %.10s", exchange->body_length, exchange->body);
  return sv_reply_text (200, "ok", "text/plain", text);
}

static void
resume (gpointer exchange, gpointer unused)
{
  sv_exchange_resume (exchange);
}

static SvReply *
handle_suspended (SvExchange *exchange)
{
  if (exchange->stage++ == 3)
    return sv_reply_text (200, "ok", "text/plain", sv_pairs_find (exchange->target->parameters, "n", FALSE));
  sv_exchange_suspend (exchange);
  if (exchange->stage == 1)
    sv_exchange_resume (exchange); /* before it has returned */
  else
    g_thread_pool_push (the_loop->resumers, exchange, NULL);
  return NULL;
}

static SvReply *
handle_held (SvExchange *exchange)
{
  if (exchange->stage++ == 1)
    return sv_reply_text (200, "ok", "text/plain", "held");
  sv_exchange_suspend (exchange);
  g_atomic_int_inc (&n_held);
  g_async_queue_push (held, exchange);
  return NULL;
}

const SvRoute *
sv_route_find (const char *path, gboolean is_plain)
{
  static const SvRoute routes[] = {
    { "length", "/length", FALSE, FALSE, handle_length, "POST", MAX_BODY },
    { "suspended", "/suspended", FALSE, FALSE, handle_suspended, "GET", 0 },
    { "held", "/held", FALSE, TRUE, handle_held, "GET", 0 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (strcmp (routes[i].path, path) == 0)
      return &routes[i];
  return NULL;
}

/* ── clients ── */

static int
connect_to (Loop *loop)
{
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (getsockname (loop->listen_fd, (struct sockaddr *)&address, &length), ==, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  return fd;
}

static void
send_text (int fd, const char *text)
{
  for (gsize sent = 0, length = strlen (text); sent < length;)
  {
    gssize n = send (fd, text + sent, length - sent, MSG_NOSIGNAL);
    g_assert_cmpint (n, >, 0);
    sent += (gsize)n;
  }
}

static gboolean
has_something (int fd, int ms)
{
  struct pollfd wait = { .fd = fd, .events = POLLIN };
  return poll (&wait, 1, ms) == 1;
}

static char *
read_until (int fd, const char *part)
{
  GString *text = g_string_new (NULL);
  for (char byte; strstr (text->str, part) == NULL && has_something (fd, DEADLINE_MS) && recv (fd, &byte, 1, 0) == 1;)
    g_string_append_c (text, byte);
  return g_string_free (text, FALSE);
}

static void
expect (int fd, const char *part)
{
  g_autofree char *text = read_until (fd, part);
  if (strstr (text, part) == NULL)
    g_error ("expected %s, got %s", part, text);
}

static void
expect_end (int fd)
{
  char byte;
  g_assert_true (has_something (fd, DEADLINE_MS));
  g_assert_cmpint (recv (fd, &byte, 1, 0), <=, 0);
  close (fd);
}

#define POST_HEAD(length, more) "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n" more "\r\n"

/* ── bodies ── */

static void
test_bodies (Loop *loop, gconstpointer unused)
{
  int fd = connect_to (loop);
  send_text (fd, POST_HEAD ("3", "") "abc" POST_HEAD ("0", "") POST_HEAD ("2", "") "x");
  expect (fd, "3 abc");
  expect (fd, "0 (null)");
  send_text (fd, "y" POST_HEAD ("5", "Expect: 100-continue\r\n"));
  expect (fd, "2 xy");
  expect (fd, "HTTP/1.1 100 Continue\r\n\r\n");
  send_text (fd, "hello");
  expect (fd, "5 hello");
  g_autofree char *large = g_strnfill (MAX_BODY, 'z');
  send_text (fd, POST_HEAD (G_STRINGIFY (MAX_BODY), ""));
  send_text (fd, large);
  expect (fd, G_STRINGIFY (MAX_BODY) " zzzzzzzzzz");
  send_text (fd, "POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n");
  expect (fd, "HTTP/1.1 413 "); /* and not first a 100 */
  expect (fd, "The body is longer than 100000 bytes\"}");
  expect_end (fd);
}

static void
test_a_body_of_another_method_is_not_read (Loop *loop, gconstpointer unused)
{
  int fd = connect_to (loop);
  send_text (fd, "PUT /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" POST_HEAD ("1", "") "a");
  expect (fd, "Allow: POST");
  expect (fd, "Connection: close");
  expect (fd, "}");
  expect_end (fd);
}

static void
test_a_body_that_drips_ends (Loop *loop, gconstpointer unused)
{
  int fd = connect_to (loop);
  send_text (fd, POST_HEAD ("100", ""));
  for (guint i = 0; !has_something (fd, 5) && i < DEADLINE_MS / 5; i++)
    send_text (fd, "x");
  expect (fd, "HTTP/1.1 408 ");
  g_autoptr (GString) metrics = g_string_new (NULL);
  sv_front_write_metrics (loop->front, metrics);
  g_assert_nonnull (strstr (metrics->str, "sv_connections_cut_total{reason=\"body_timeout\"} 1\n"));
  close (fd);
}

/* ── suspended ── */

static void
test_suspended_requests_are_gone_on_with (Loop *loop, gconstpointer unused)
{
  int fds[100];
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
  {
    g_autofree char *text = g_strdup_printf ("GET /suspended?n=one-%u! HTTP/1.1\r\nHost: a\r\n\r\n"
                                             "GET /suspended?n=two-%u! HTTP/1.1\r\nHost: a\r\n\r\n",
                                             i, i);
    send_text (fds[i] = connect_to (loop), text);
  }
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
  {
    g_autofree char *one = g_strdup_printf ("one-%u!", i);
    g_autofree char *two = g_strdup_printf ("two-%u!", i);
    expect (fds[i], one);
    expect (fds[i], two);
    close (fds[i]);
  }
}

#define HELD "GET /held HTTP/1.1\r\nHost: a\r\n\r\n"

static void
let_go (void)
{
  sv_exchange_resume (g_async_queue_pop (held));
  g_atomic_int_add (&n_held, -1);
}

static void
await_held (gint n)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE_MS * 1000;
  while (g_atomic_int_get (&n_held) != n)
  {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (1000);
  }
}

static void
test_the_client_of_a_suspended_request_may_go (Loop *loop, gconstpointer unused)
{
  int fd = connect_to (loop);
  send_text (fd, HELD);
  await_held (1);
  const struct linger none = { .l_onoff = 1 };
  setsockopt (fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close (fd);
  int other = connect_to (loop);
  send_text (other, POST_HEAD ("1", "") "a"); /* by then the reset has been seen */
  expect (other, "1 a");
  close (other);
  let_go ();
}

static void
test_what_is_in_hand_is_bounded (Loop *loop, gconstpointer unused)
{
  int first = connect_to (loop), second = connect_to (loop), third = connect_to (loop);
  send_text (first, HELD);
  send_text (second, HELD);
  await_held (2);
  send_text (third, HELD);
  expect (third, "HTTP/1.1 503 ");
  expect (third, "Too much is in flight here");
  let_go ();
  let_go ();
  expect (first, "held");
  expect (second, "held");
  send_text (third, HELD);
  await_held (1);
  let_go ();
  expect (third, "held");
  close (first);
  close (second);
  close (third);
}

/* ── the end ── */

static void
test_a_quiet_front_leaves_the_socket_to_others (Loop *loop, gconstpointer unused)
{
  int kept = connect_to (loop), idle = connect_to (loop);
  send_text (kept, POST_HEAD ("1", "") "a");
  send_text (idle, POST_HEAD ("1", "") "a");
  expect (kept, "1 a");
  expect (idle, "1 a");
  g_atomic_int_set (&loop->service.is_draining, 1);
  sv_front_quiesce (loop->front);
  g_assert_cmpuint (sv_front_connections (loop->front), ==, 2);

  g_autoptr (GError) error = NULL;
  SvFront *next = sv_front_new (&loop->service, loop->listen_fd, &loop->limits, &error);
  g_assert_no_error (error);
  int fd = connect_to (loop);
  send_text (fd, POST_HEAD ("1", "") "b");
  expect (fd, "1 b");
  g_assert_cmpuint (sv_front_connections (loop->front), ==, 2);
  send_text (kept, POST_HEAD ("1", "") "c");
  expect (kept, "Connection: close");
  expect (kept, "1 c");
  expect_end (kept);
  sv_front_close (loop->front);
  expect_end (idle);
  g_assert_cmpuint (sv_front_connections (loop->front), ==, 0);
  close (fd);
  sv_front_free (next);
}

/* ── */

static void
set_up (Loop *loop, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  const char *const no_proxies[] = { NULL };
  struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  memset (loop, 0, sizeof *loop);
  the_loop = loop;
  loop->service.addresses = loop->service.public_addresses = sv_address_limit_new (100, 400, no_proxies, NULL);
  loop->service.metrics = sv_metrics_new ();
  loop->service.max_working = 2;
  loop->service.issue_log = sv_issue_log_new (NULL, &(SvAdmissionRules){ 0 });
  g_mutex_init (&loop->service.flight_lock);
  g_cond_init (&loop->service.flight_changed);
  loop->limits = (SvFrontLimits){ .max_connections = 200,
                                  .per_address = 200,
                                  .head_ms = 10000,
                                  .body_ms = 100,
                                  .idle_ms = 60000,
                                  .send_ms = 20000,
                                  .send_bytes = 20480,
                                  .linger_ms = 2000 };
  loop->resumers = g_thread_pool_new (resume, NULL, 3, FALSE, NULL);
  loop->listen_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_assert_cmpint (bind (loop->listen_fd, (struct sockaddr *)&any, sizeof any), ==, 0);
  g_assert_cmpint (listen (loop->listen_fd, 200), ==, 0);
  loop->front = sv_front_new (&loop->service, loop->listen_fd, &loop->limits, &error);
  g_assert_no_error (error);
}

static void
tear_down (Loop *loop, gconstpointer unused)
{
  sv_front_free (loop->front);
  g_assert_cmpint (loop->service.n_in_flight, ==, 0);
  g_assert_cmpint (loop->service.n_working, ==, 0);
  g_thread_pool_free (loop->resumers, FALSE, TRUE);
  close (loop->listen_fd);
  sv_issue_log_free (loop->service.issue_log);
  sv_metrics_free (loop->service.metrics);
  sv_address_limit_free (loop->service.addresses);
  g_mutex_clear (&loop->service.flight_lock);
  g_cond_clear (&loop->service.flight_changed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  held = g_async_queue_new ();
#define ADD(test) g_test_add ("/api/front_loop/" #test, Loop, NULL, set_up, test, tear_down)
  ADD (test_bodies);
  ADD (test_a_body_of_another_method_is_not_read);
  ADD (test_a_body_that_drips_ends);
  ADD (test_suspended_requests_are_gone_on_with);
  ADD (test_the_client_of_a_suspended_request_may_go);
  ADD (test_what_is_in_hand_is_bounded);
  ADD (test_a_quiet_front_leaves_the_socket_to_others);
  int status = g_test_run ();
  g_async_queue_unref (held);
  return status;
}
