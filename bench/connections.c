/* One thread and one epoll. A connection has one request on its way: it is sent whole, and its answer is read until as many
 * bytes are there as Content-Length says. Then the next request follows at once, so that the number of connections is the
 * number of requests that the server has in hand; or, by a clock, when the next one is due. */
#include "connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rounds.h"

#define ANSWER_MAX 8192
#define STALL_MS 20000
#define EVENTS_MAX 64
#define OPEN_AT_ONCE 64
#define TAKES_NO_MORE_SECONDS 5
#define PER_ADDRESS 1000 /* connections of one of our addresses: a server may allow each only so many */

typedef struct
{
  int fd;
  double sent;
  gsize filled;
  char answer[ANSWER_MAX + 1];
} Connection;

typedef struct
{
  int epoll;
  guint n_connections;
  const GPtrArray *requests;
  guint next;
  guint n_answered;
  GArray *latencies;
  guint *statuses; /* how many answers had each, or NULL: all must be 200 */
  double began;
  double interval; /* between requests, 0: at once */
  GQueue idle;     /* of Connection, while requests come by the clock */
} Drive;

static void
open_connection (Drive *drive, Connection *connection, guint port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16)port) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  int at_once = 1;
  connection->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->fd < 0 || connect (connection->fd, (struct sockaddr *)(gpointer)&address, sizeof address) != 0)
    bench_fail ("no connection to port %u: %s", port, g_strerror (errno));
  setsockopt (connection->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
  if (epoll_ctl (drive->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
    bench_fail ("epoll: %s", g_strerror (errno));
}

static void
send_next (Drive *drive, Connection *connection)
{
  if (drive->next == drive->requests->len)
    return;
  const char *request = drive->requests->pdata[drive->next++];
  gsize length = strlen (request);
  connection->filled = 0;
  connection->sent = drive->interval > 0 ? drive->began + (drive->next - 1) * drive->interval : bench_now ();
  if (send (connection->fd, request, length, MSG_NOSIGNAL) != (gssize)length)
    bench_fail ("a request cannot be sent: %s", g_strerror (errno));
}

/* The whole length of the answer, 0 while its headers are not there. */
static gsize
answer_length (const Connection *connection)
{
  const char *end = strstr (connection->answer, "\r\n\r\n");
  if (end == NULL)
    return 0;
  const char *length = strcasestr (connection->answer, "\r\nContent-Length:");
  if (length == NULL || length > end)
    bench_fail ("an answer without Content-Length: %s", connection->answer);
  return (gsize)(end + 4 - connection->answer) + strtoul (strchr (length, ':') + 1, NULL, 10);
}

static void
count_answer (Drive *drive, const char *answer)
{
  guint status = g_str_has_prefix (answer, "HTTP/1.1 ") ? (guint)atoi (answer + strlen ("HTTP/1.1 ")) : 0;
  if (drive->statuses != NULL && status <= BENCH_STATUS_MAX)
    drive->statuses[status]++;
  else if (status != 200)
    bench_fail ("not a challenge: %s", answer);
}

static void
receive (Drive *drive, Connection *connection)
{
  gssize n = recv (connection->fd, connection->answer + connection->filled, ANSWER_MAX - connection->filled, 0);
  if (n <= 0)
    bench_fail ("the server closed a connection");
  connection->filled += (gsize)n;
  connection->answer[connection->filled] = '\0';
  gsize length = answer_length (connection);
  if (length > ANSWER_MAX)
    bench_fail ("an answer of %zu bytes", length);
  if (length == 0 || connection->filled < length)
    return;
  count_answer (drive, connection->answer);
  double latency = bench_now () - connection->sent;
  g_array_append_val (drive->latencies, latency);
  drive->n_answered++;
  if (drive->interval > 0)
    g_queue_push_tail (&drive->idle, connection);
  else
    send_next (drive, connection);
}

/* Sends what is due. */
static void
send_due (Drive *drive)
{
  double now = bench_now ();
  while (drive->next < drive->requests->len && drive->idle.length > 0 && drive->began + drive->next * drive->interval <= now)
    send_next (drive, g_queue_pop_head (&drive->idle));
}

/* Until the next request is due. It sleeps so long, though that may end some 50 us late and the lateness is taken for the
 * server's: where all processors are kept awake a host has been seen to hold the machine back for 50 ms at a time. */
static struct timespec
time_to_wait (const Drive *drive)
{
  double seconds = STALL_MS / 1000.0;
  if (drive->interval > 0 && drive->idle.length > 0 && drive->next < drive->requests->len)
    seconds = CLAMP (drive->began + drive->next * drive->interval - bench_now (), 0, seconds);
  return (struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9) };
}

static void
receive_all (Drive *drive)
{
  struct epoll_event events[EVENTS_MAX];
  double heard = bench_now ();
  while (drive->n_answered < drive->requests->len)
  {
    const struct timespec patience = time_to_wait (drive);
    int n = epoll_pwait2 (drive->epoll, events, EVENTS_MAX, &patience, NULL);
    for (int i = 0; i < n; i++)
      receive (drive, events[i].data.ptr);
    if (drive->interval > 0)
      send_due (drive);
    if (n > 0 || drive->idle.length == drive->n_connections)
      heard = bench_now ();
    else if (bench_now () - heard >= STALL_MS / 1000.0)
      bench_fail ("the server has not answered for %d s", STALL_MS / 1000);
  }
}

static double
drive_all (Drive *drive, guint port, guint n)
{
  g_autofree Connection *connections = g_new0 (Connection, n);
  drive->epoll = epoll_create1 (EPOLL_CLOEXEC);
  drive->n_connections = n;
  for (guint i = 0; i < n; i++)
    open_connection (drive, &connections[i], port);
  drive->began = bench_now ();
  for (guint i = 0; i < n; i++)
    if (drive->interval > 0)
      g_queue_push_tail (&drive->idle, &connections[i]);
    else
      send_next (drive, &connections[i]);
  receive_all (drive);
  double elapsed = bench_now () - drive->began;
  for (guint i = 0; i < n; i++)
    close (connections[i].fd);
  close (drive->epoll);
  g_queue_clear (&drive->idle);
  return elapsed;
}

double
bench_drive (guint port, guint n, const GPtrArray *requests, GArray *latencies)
{
  Drive drive = { .requests = requests, .latencies = latencies };
  return drive_all (&drive, port, n);
}

double
bench_drive_at (guint port, guint n, const GPtrArray *requests, double per_second, GArray *latencies, guint *statuses)
{
  Drive drive = { .requests = requests, .latencies = latencies, .interval = 1 / per_second, .statuses = statuses };
  return drive_all (&drive, port, n);
}

/* ── idle ones ── */

static int
open_from (guint own_address, guint port)
{
  struct sockaddr_in own = { .sin_family = AF_INET }, address = { .sin_family = AF_INET, .sin_port = htons ((guint16)port) };
  own.sin_addr.s_addr = htonl (INADDR_LOOPBACK + own_address);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  const struct timeval patience = { .tv_sec = TAKES_NO_MORE_SECONDS };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
      bind (fd, (struct sockaddr *)(gpointer)&own, sizeof own) != 0 ||
      connect (fd, (struct sockaddr *)(gpointer)&address, sizeof address) != 0)
    bench_fail ("no connection to port %u: %s", port, g_strerror (errno));
  return fd;
}

/* FALSE where the server takes no more. */
static gboolean
has_answered (int fd)
{
  char answer[ANSWER_MAX];
  gssize n = recv (fd, answer, sizeof answer - 1, 0);
  if (n <= 0)
    return FALSE;
  answer[n] = '\0';
  if (!g_str_has_prefix (answer, "HTTP/1.1 200 "))
    bench_fail ("not a challenge: %s", answer);
  return TRUE;
}

static GArray *
keep_first (GArray *descriptors, guint n)
{
  for (guint i = n; i < descriptors->len; i++)
    close (g_array_index (descriptors, int, i));
  return g_array_set_size (descriptors, n);
}

GArray *
bench_open_idle (guint port, const GPtrArray *requests)
{
  GArray *descriptors = g_array_new (FALSE, FALSE, sizeof (int));
  while (descriptors->len < requests->len)
  {
    guint first = descriptors->len, n = MIN (OPEN_AT_ONCE, requests->len - first);
    for (guint i = first; i < first + n; i++)
    {
      const char *request = requests->pdata[i];
      int fd = open_from (1 + i / PER_ADDRESS, port);
      g_array_append_val (descriptors, fd);
      if (send (fd, request, strlen (request), MSG_NOSIGNAL) < 0)
        bench_fail ("a request cannot be sent: %s", g_strerror (errno));
    }
    for (guint i = first; i < first + n; i++)
      if (!has_answered (g_array_index (descriptors, int, i)))
        return keep_first (descriptors, i);
  }
  return descriptors;
}

guint
bench_close_idle (GArray *descriptors)
{
  char byte;
  guint n_closed = 0;
  for (guint i = 0; i < descriptors->len; i++)
  {
    int fd = g_array_index (descriptors, int, i);
    gssize n = recv (fd, &byte, 1, MSG_DONTWAIT);
    n_closed += n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) ? 1 : 0;
    close (fd);
  }
  g_array_unref (descriptors);
  return n_closed;
}
