/* One thread and one epoll. A connection has one request on its way: it is sent whole, its answer is read until as many bytes
 * are there as Content-Length says, and the next request follows at once. So the number of connections is the number of
 * requests that the server has in hand. */
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
  const GPtrArray *requests;
  guint next;
  guint n_answered;
  GArray *latencies;
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
  connection->sent = bench_now ();
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
  if (!g_str_has_prefix (connection->answer, "HTTP/1.1 200 "))
    bench_fail ("not a challenge: %s", connection->answer);
  double latency = bench_now () - connection->sent;
  g_array_append_val (drive->latencies, latency);
  drive->n_answered++;
  send_next (drive, connection);
}

static void
receive_all (Drive *drive)
{
  struct epoll_event events[EVENTS_MAX];
  while (drive->n_answered < drive->requests->len)
  {
    int n = epoll_wait (drive->epoll, events, EVENTS_MAX, STALL_MS);
    if (n == 0)
      bench_fail ("the server has not answered for %d s", STALL_MS / 1000);
    for (int i = 0; i < n; i++)
      receive (drive, events[i].data.ptr);
  }
}

double
bench_drive (guint port, guint n, const GPtrArray *requests, GArray *latencies)
{
  g_autofree Connection *connections = g_new0 (Connection, n);
  Drive drive = { .epoll = epoll_create1 (EPOLL_CLOEXEC), .requests = requests, .latencies = latencies };
  for (guint i = 0; i < n; i++)
    open_connection (&drive, &connections[i], port);
  double began = bench_now ();
  for (guint i = 0; i < n; i++)
    send_next (&drive, &connections[i]);
  receive_all (&drive);
  double elapsed = bench_now () - began;
  for (guint i = 0; i < n; i++)
    close (connections[i].fd);
  close (drive.epoll);
  return elapsed;
}
