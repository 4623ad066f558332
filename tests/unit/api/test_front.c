/* The front over real sockets, with routes of the server and short limits.
 *
 * requests: pipelined in order, byte by byte, several in one packet with a part of the next, HEAD, HTTP/1.0, an empty line
 * refused: what follows a framing error is not read, a body where none is taken        connections: idle ones by the hundred,
 * the oldest makes room, one address's number, half-closed        time: idle, a head that drips, a client that takes nothing
 * files: a download beside challenges, so many at once, a small one inline        the end: idle ones are closed */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world.h"

#define DEADLINE_MS 20000
#define GET(target) "GET " target " HTTP/1.1\r\nHost: test\r\n\r\n"
#define LAST(target) "GET " target " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"

static int
connect_to (World *world)
{
  int fd = world_connect (world);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
send_text (int fd, const char *text)
{
  g_assert_cmpint (send (fd, text, strlen (text), MSG_NOSIGNAL), ==, (gssize)strlen (text));
}

/* Reads until the server closes. Returns: (transfer full). */
static char *
read_to_end (int fd)
{
  GString *text = g_string_new (NULL);
  char chunk[65536];
  for (gssize n; (n = recv (fd, chunk, sizeof chunk, 0)) > 0;)
    g_string_append_len (text, chunk, n);
  close (fd);
  return g_string_free (text, FALSE);
}

/* Reads one answer whose length it tells. */
static char *
read_answer (int fd)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize length = G_MAXSIZE;
  for (char byte; text->len < length && recv (fd, &byte, 1, 0) == 1;)
  {
    g_string_append_c (text, byte);
    const char *field =
        length == G_MAXSIZE && g_str_has_suffix (text->str, "\r\n\r\n") ? strstr (text->str, "Content-Length: ") : NULL;
    if (field != NULL)
      length = text->len + g_ascii_strtoull (field + strlen ("Content-Length: "), NULL, 10);
  }
  return g_strdup (text->str);
}

static guint
count (const char *text, const char *part)
{
  guint n = 0;
  for (const char *at = text; (at = strstr (at, part)) != NULL; at += strlen (part))
    n++;
  return n;
}

/* Whether the server closes the connection within the deadline. */
static gboolean
is_closed_in_time (int fd)
{
  char byte;
  struct pollfd wait = { .fd = fd, .events = POLLIN };
  return poll (&wait, 1, DEADLINE_MS) == 1 && recv (fd, &byte, 1, 0) <= 0;
}

/* ── requests ── */

static void
test_pipelined_requests_are_answered_in_order (World *world, gconstpointer unused)
{
  world_start (world);
  int fd = connect_to (world);
  GString *requests = g_string_new (NULL);
  for (guint i = 0; i < 100; i++)
    g_string_append (requests, i % 2 == 0 ? GET ("/healthz") : GET ("/nowhere"));
  g_string_append (requests, LAST ("/openapi.json"));
  send_text (fd, requests->str);
  g_string_free (requests, TRUE);
  g_autofree char *text = read_to_end (fd);
  g_assert_cmpuint (count (text, "HTTP/1.1 200 OK\r\n"), ==, 51);
  g_assert_cmpuint (count (text, "HTTP/1.1 404 Not Found\r\n"), ==, 50);
  for (const char *at = text; (at = strstr (at, "HTTP/1.1 200")) != NULL && strstr (at, "HTTP/1.1 404") != NULL; at++)
    g_assert_true (strstr (at, "HTTP/1.1 404") < strstr (at + 1, "HTTP/1.1 200"));
  g_assert_nonnull (strstr (text, "\"3.1.0\""));
}

static void
test_a_request_may_come_byte_by_byte (World *world, gconstpointer unused)
{
  world_start (world);
  int fd = connect_to (world);
  const char *request = "\r\n" GET ("/healthz") GET ("/healthz");
  for (const char *p = request; *p != '\0'; p++)
    g_assert_cmpint (send (fd, p, 1, 0), ==, 1);
  g_autofree char *first = read_answer (fd);
  g_autofree char *second = read_answer (fd);
  send_text (fd, GET ("/healthz") "GET /nowh");
  g_autofree char *third = read_answer (fd);
  send_text (fd, "ere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  g_autofree char *fourth = read_to_end (fd);
  g_assert_true (g_str_has_prefix (first, "HTTP/1.1 200") && g_str_has_prefix (second, "HTTP/1.1 200"));
  g_assert_true (g_str_has_prefix (third, "HTTP/1.1 200") && g_str_has_prefix (fourth, "HTTP/1.1 404"));
}

static void
test_old_clients_and_heads (World *world, gconstpointer unused)
{
  world_start (world);
  g_auto (Answer) old = world_send (world, "GET /healthz HTTP/1.0\r\n\r\n");
  g_assert_cmpuint (old.status, ==, 200);
  g_auto (Answer) kept = world_send (world, "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" LAST ("/nowhere"));
  g_autofree char *connection = answer_header (&kept, "Connection");
  g_assert_cmpstr (connection, ==, "keep-alive");
  g_assert_nonnull (strstr (kept.body, "HTTP/1.1 404"));
  g_auto (Answer) whole = world_get (world, "/openapi.json");
  g_auto (Answer) head = world_request (world, "HEAD", "/openapi.json", NULL);
  g_autofree char *whole_length = answer_header (&whole, "Content-Length");
  g_autofree char *head_length = answer_header (&head, "Content-Length");
  g_assert_cmpuint (head.length, ==, 0);
  g_assert_cmpstr (whole_length, ==, head_length);
  g_assert_cmpuint (whole.length, ==, g_ascii_strtoull (whole_length, NULL, 10));
  g_auto (Answer) absolute = world_request (world, "GET", "http://test/healthz", NULL);
  g_assert_cmpuint (absolute.status, ==, 200);
}

/* What could be a second request to one reader and the first one's body to another is nobody's. */
static void
test_nothing_is_read_behind_what_is_refused (World *world, gconstpointer unused)
{
  world_start (world);
  const char *heads[] = { "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 44\r\n\r\n",
                          "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /healthz HTTP/1.1\nHost: a\n\n" };
  const guint statuses[] = { 411, 413, 400, 400 };
  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
  {
    g_autofree char *text = g_strconcat (heads[i], LAST ("/healthz"), NULL);
    g_auto (Answer) answer = world_send (world, text);
    g_autofree char *connection = answer_header (&answer, "Connection");
    g_assert_cmpuint (answer.status, ==, statuses[i]);
    g_assert_cmpstr (connection, ==, "close");
    g_assert_null (strstr (answer.body, "HTTP/1.1"));
  }
}

static void
test_who_closes_his_side_is_answered (World *world, gconstpointer unused)
{
  world_start (world);
  int fd = connect_to (world);
  send_text (fd, GET ("/healthz"));
  shutdown (fd, SHUT_WR);
  g_autofree char *text = read_to_end (fd);
  g_assert_true (g_str_has_prefix (text, "HTTP/1.1 200"));
}

/* ── connections ── */

static gsize
resident_bytes (void)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  return (gsize)g_ascii_strtoull (strchr (text, ' ') + 1, NULL, 10) * (gsize)sysconf (_SC_PAGESIZE);
}

/* 10,000 in 128 MiB are 13 KiB each. They have all been used, so that whatever stays behind a request is seen. */
static void
test_idle_connections_are_small (World *world, gconstpointer unused)
{
  enum
  {
    N = 400
  };
  int fds[N];
  world_start (world);
  gsize before = resident_bytes ();
  for (guint i = 0; i < N; i++)
  {
    fds[i] = connect_to (world);
    send_text (fds[i], GET ("/healthz"));
    g_free (read_answer (fds[i]));
  }
  gsize each = (resident_bytes () - MIN (before, resident_bytes ())) / N;
  for (guint i = 0; i < N; i++)
    close (fds[i]);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
  g_assert_cmpuint (each, <, 4096);
#else
  g_test_message ("%" G_GSIZE_FORMAT " bytes each", each);
#endif
}

static gboolean
tells_cut (const char *metrics, const char *reason)
{
  g_autofree char *line = g_strdup_printf ("\nsv_connections_cut_total{reason=\"%s\"} ", reason);
  const char *at = strstr (metrics, line);
  g_assert_nonnull (at);
  return atoi (at + strlen (line)) >= 1;
}

/* That connections were cut for this reason is told. */
static void
expect_cut (World *world, const char *reason)
{
  g_auto (Answer) metrics = world_get (world, "/metrics");
  g_assert_true (tells_cut (metrics.body, reason));
}

static gboolean
is_displacing_told (int fd)
{
  send_text (fd, GET ("/metrics"));
  g_autofree char *metrics = read_answer (fd);
  return tells_cut (metrics, "displaced");
}

/* Told over a connection that others have made room for. The worker that answers need not be the one that cut, and may be
 * first.
 */
static void
expect_displaced (int fd)
{
  gboolean is_told = FALSE;
  for (gint64 deadline = g_get_monotonic_time () + DEADLINE_MS * 1000; !is_told && g_get_monotonic_time () < deadline;)
    is_told = is_displacing_told (fd);
  g_assert_true (is_told);
}

static void
test_the_oldest_idle_connection_makes_room (World *world, gconstpointer unused)
{
  int fds[5];
  world_populate (world);
  world->limits.max_connections = 4;
  world_start_server (world);
  for (guint i = 0; i < 5; i++)
  {
    fds[i] = connect_to (world);
    send_text (fds[i], GET ("/healthz"));
    g_free (read_answer (fds[i]));
  }
  expect_displaced (fds[4]);
  guint n_open = 0;
  for (guint i = 0; i < 5; i++)
  {
    char byte;
    n_open += recv (fds[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN ? 1 : 0;
    close (fds[i]);
  }
  g_assert_cmpuint (n_open, ==, 4);
}

/* Bodies that do not come, and answers that are not taken, keep nobody out: long before their time is over they make room. Two
 * workers that accept at the same moment may both have found room for the last one, so it may be the next one's turn. */
static void
test_what_does_not_come_to_its_end_makes_room (World *world, gconstpointer unused)
{
  int fds[4];
  world_populate (world);
  world->limits.max_connections = G_N_ELEMENTS (fds);
  world_start_server (world);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
  {
    fds[i] = connect_to (world);
    send_text (fds[i], "POST /api/tasks/complete HTTP/1.1\r\nHost: a\r\nContent-Length: 16384\r\n\r\n{");
  }
  gboolean is_told = FALSE;
  for (gint64 deadline = g_get_monotonic_time () + DEADLINE_MS * 1000; !is_told && g_get_monotonic_time () < deadline;)
  {
    int fd = connect_to (world);
    is_told = is_displacing_told (fd);
    close (fd);
  }
  g_assert_true (is_told);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
}

/* ── time ── */

static void
test_idle_connections_end (World *world, gconstpointer unused)
{
  world->limits.idle_ms = 50;
  world_start (world);
  int fd = connect_to (world), unused_fd = connect_to (world);
  send_text (fd, GET ("/healthz"));
  g_free (read_answer (fd));
  g_assert_true (is_closed_in_time (fd) && is_closed_in_time (unused_fd));
  expect_cut (world, "idle_timeout");
  close (fd);
  close (unused_fd);
}

/* Each byte comes well before the limit; all of them together do not. */
static void
test_a_head_that_drips_ends (World *world, gconstpointer unused)
{
  world->limits.head_ms = 100;
  world_start (world);
  int fd = connect_to (world);
  send_text (fd, "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ");
  struct pollfd wait = { .fd = fd, .events = POLLIN };
  guint n_sent = 0;
  while (poll (&wait, 1, 5) == 0 && n_sent++ < DEADLINE_MS / 5)
    g_assert_cmpint (send (fd, "x", 1, MSG_NOSIGNAL), ==, 1);
  g_autofree char *text = read_to_end (fd);
  g_assert_true (g_str_has_prefix (text, "HTTP/1.1 408"));
  expect_cut (world, "head_timeout");
}

/* Sparse, so that it costs nothing, and larger than any socket's buffers. */
static void
make_large_file (World *world)
{
  g_autofree char *path = g_build_filename (world->directory, "store/scorevision/big.json", NULL);
  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
  g_assert_cmpint (truncate (path, 64 * 1024 * 1024), ==, 0);
}

static void
test_who_takes_nothing_is_cut_off (World *world, gconstpointer unused)
{
  world->limits.send_ms = 100;
  world_start (world);
  make_large_file (world);
  int fd = connect_to (world);
  send_text (fd, LAST ("/scorevision/big.json"));
  struct pollfd wait = { .fd = fd, .events = 0 };
  g_assert_cmpint (poll (&wait, 1, DEADLINE_MS), ==, 1); /* nothing is read; that it is reset is seen all the same */
  expect_cut (world, "send_timeout");
  close (fd);
}

/* ── files ── */

static void
test_a_download_is_whole_and_others_go_on (World *world, gconstpointer unused)
{
  world_start (world);
  make_large_file (world);
  int fd = connect_to (world);
  send_text (fd, GET ("/scorevision/big.json") LAST ("/healthz"));
  world_expect_status (world, "GET", "/healthz", NULL, 200); /* while nobody takes the download */
  gsize total = 0;
  char chunk[65536];
  g_autoptr (GString) end = g_string_new (NULL);
  for (gssize n; (n = recv (fd, chunk, sizeof chunk, 0)) > 0; total += (gsize)n)
  {
    g_string_append_len (end, chunk, n);
    g_string_erase (end, 0, MAX ((gssize)end->len - 100, 0));
  }
  close (fd);
  g_assert_cmpuint (total, >, 64 * 1024 * 1024);
  g_assert_true (g_str_has_suffix (end->str, "{\"status\":\"ok\"}"));
}

/* One that nobody takes is in the way of the next one, and of nothing else; when it is gone there is room again. */
static void
test_only_so_many_files_are_sent_at_once (World *world, gconstpointer unused)
{
  world->limits.max_files = 1;
  world_start (world);
  make_large_file (world);
  int fd = connect_to (world);
  char byte;
  send_text (fd, GET ("/scorevision/big.json"));
  g_assert_cmpint (recv (fd, &byte, 1, MSG_PEEK), ==, 1);
  world_expect_status (world, "GET", "/scorevision/big.json", NULL, 503);
  world_expect_status (world, "GET", "/healthz", NULL, 200);
  close (fd);
  g_autofree char *answer = NULL;
  gint64 deadline = g_get_monotonic_time () + DEADLINE_MS * 1000;
  do
  {
    g_free (answer);
    fd = connect_to (world);
    send_text (fd, "GET /scorevision/big.json HTTP/1.1\r\nHost: test\r\nRange: bytes=0-99999\r\nConnection: close\r\n\r\n");
    answer = read_to_end (fd);
  } while (!g_str_has_prefix (answer, "HTTP/1.1 206") && g_get_monotonic_time () < deadline);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 206"));
}

static void
test_a_file_that_becomes_shorter_ends_the_connection (World *world, gconstpointer unused)
{
  world_start (world);
  make_large_file (world);
  g_autofree char *path = g_build_filename (world->directory, "store/scorevision/big.json", NULL);
  int fd = connect_to (world);
  char byte;
  send_text (fd, GET ("/scorevision/big.json"));
  g_assert_cmpint (recv (fd, &byte, 1, MSG_PEEK), ==, 1);
  g_assert_cmpint (truncate (path, 100), ==, 0);
  g_autofree char *text = read_to_end (fd); /* and does not wait for what never comes */
  g_assert_true (g_str_has_prefix (text, "HTTP/1.1 200"));
}

/* ── the end ── */

static void
test_stopping_closes_idle_connections (World *world, gconstpointer unused)
{
  world_start (world);
  int fd = connect_to (world);
  send_text (fd, GET ("/healthz"));
  g_free (read_answer (fd));
  world_stop (world);
  g_assert_true (is_closed_in_time (fd));
  close (fd);
}

/* ── */

static void
set_up (World *world, gconstpointer unused)
{
  world_set_up (world, 0);
}

static void
tear_down (World *world, gconstpointer unused)
{
  world_tear_down (world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add ("/api/front/" #test, World, NULL, set_up, test, tear_down)
  ADD (test_pipelined_requests_are_answered_in_order);
  ADD (test_a_request_may_come_byte_by_byte);
  ADD (test_old_clients_and_heads);
  ADD (test_nothing_is_read_behind_what_is_refused);
  ADD (test_who_closes_his_side_is_answered);
  ADD (test_idle_connections_are_small);
  ADD (test_the_oldest_idle_connection_makes_room);
  ADD (test_what_does_not_come_to_its_end_makes_room);
  ADD (test_idle_connections_end);
  ADD (test_a_head_that_drips_ends);
  ADD (test_who_takes_nothing_is_cut_off);
  ADD (test_a_download_is_whole_and_others_go_on);
  ADD (test_only_so_many_files_are_sent_at_once);
  ADD (test_a_file_that_becomes_shorter_ends_the_connection);
  ADD (test_stopping_closes_idle_connections);
  return g_test_run ();
}
