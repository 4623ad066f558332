/* One thread and one epoll. A connection has one request on its way: it is sent whole, and its answer is read until as many
 * bytes are there as Content-Length says. Then the next request follows at once, so that the number of connections is the
 * number of requests that the server has in hand; or, by a clock, those that are due. The clock ticks every half millisecond,
 * and in between the client sleeps: the system notes when an answer has come, which is read at the next tick. A client that
 * woke for each answer would keep its processor awake, and where all are, a host has been seen to hold the whole machine back,
 * for 3 to 7 ms of each 100 or for 50 ms at a time. */
#include "connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rounds.h"

#define ANSWER_MAX 8192
#define STALL_MS 20000
#define EVENTS_MAX 1024
#define TICK_SECONDS 0.0005
#define SETTLE_US 100000   /* for the server to accept all connections, before the clock begins */
#define LATE_SECONDS 0.005 /* for which nobody but the machine itself keeps a sleeper who has a processor for himself */
#define OPEN_AT_ONCE 64
#define TAKES_NO_MORE_SECONDS 5
#define PER_ADDRESS 1000 /* connections of one of our addresses: a server may allow each only so many */

typedef struct
{
  int fd;
  double due;
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
  GArray *answers;
  guint *statuses; /* how many answers had each, or NULL: all must be 200 */
  double interval; /* between requests, 0: at once */
  double began;
  guint64 n_ticks;     /* of the clock since then */
  double clock_offset; /* of the system's time notes from bench_now() */
  BenchWatch *watch;
  GQueue idle; /* of Connection, while requests come by the clock */
} Drive;

static void
open_connection (Drive *drive, Connection *connection, guint port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16)port) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  int at_once = 1, notes_time = 1;
  connection->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->fd < 0 || connect (connection->fd, (struct sockaddr *)(gpointer)&address, sizeof address) != 0)
    bench_fail ("no connection to port %u: %s", port, g_strerror (errno));
  setsockopt (connection->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  if (drive->interval > 0 && setsockopt (connection->fd, SOL_SOCKET, SO_TIMESTAMPNS, &notes_time, sizeof notes_time) != 0)
    bench_fail ("the system does not note when answers come: %s", g_strerror (errno));
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
  if (epoll_ctl (drive->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
    bench_fail ("epoll: %s", g_strerror (errno));
}

static void
send_next (Drive *drive, Connection *connection, double due)
{
  if (drive->next == drive->requests->len)
    return;
  const char *request = drive->requests->pdata[drive->next++];
  gsize length = strlen (request);
  connection->filled = 0;
  connection->due = due;
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

/* When what was received last came: noted by the system, else now. */
static double
arrival_of (const Drive *drive, struct msghdr *message)
{
  struct timespec time;
  struct cmsghdr *note = CMSG_FIRSTHDR (message);
  if (note == NULL || note->cmsg_level != SOL_SOCKET || note->cmsg_type != SCM_TIMESTAMPNS)
    return bench_now ();
  memcpy (&time, CMSG_DATA (note), sizeof time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9 - drive->clock_offset;
}

static void
receive (Drive *drive, Connection *connection)
{
  char note[CMSG_SPACE (sizeof (struct timespec))];
  struct iovec room = { connection->answer + connection->filled, ANSWER_MAX - connection->filled };
  struct msghdr message = { .msg_iov = &room, .msg_iovlen = 1, .msg_control = note, .msg_controllen = sizeof note };
  gssize n = recvmsg (connection->fd, &message, 0);
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
  BenchAnswer answer = { connection->due, arrival_of (drive, &message) - connection->due };
  g_array_append_val (drive->answers, answer);
  drive->n_answered++;
  if (drive->interval > 0)
    g_queue_push_tail (&drive->idle, connection);
  else
    send_next (drive, connection, bench_now ());
}

/* ── by the clock ── */

static void
sleep_until_tick (Drive *drive)
{
  drive->n_ticks++;
  double tick = drive->began + (double)drive->n_ticks * TICK_SECONDS;
  const struct timespec until = { .tv_sec = (time_t)tick, .tv_nsec = (long)((tick - (double)(time_t)tick) * 1e9) };
  gboolean sleeps = bench_now () < tick; /* or it has too much to do itself */
  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
    ;
  double now = bench_now ();
  if (sleeps && now - tick > LATE_SECONDS && drive->watch != NULL)
    bench_watch_note_halt (drive->watch, tick, now);
}

/* Sends what is due at this tick or was at an earlier one, however late the tick itself is looked at. */
static void
send_due (Drive *drive)
{
  guint64 n_ticks;
  while (drive->next < drive->requests->len && drive->idle.length > 0 &&
         (n_ticks = (guint64)ceil (drive->next * drive->interval / TICK_SECONDS)) <= drive->n_ticks)
    send_next (drive, g_queue_pop_head (&drive->idle), drive->began + (double)n_ticks * TICK_SECONDS);
}

/* How long an answer is waited for. By the clock no longer than until the next tick, and asleep. */
static int
patience_ms (Drive *drive)
{
  if (drive->interval == 0)
    return STALL_MS;
  sleep_until_tick (drive);
  return 0;
}

static void
receive_all (Drive *drive)
{
  struct epoll_event events[EVENTS_MAX];
  double heard = bench_now ();
  while (drive->n_answered < drive->requests->len)
  {
    int n = epoll_wait (drive->epoll, events, EVENTS_MAX, patience_ms (drive));
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
  if (drive->interval > 0)
    g_usleep (SETTLE_US);
  drive->began = bench_now ();
  drive->clock_offset = bench_clock (CLOCK_REALTIME) - drive->began;
  prctl (PR_SET_TIMERSLACK, 1UL);
  for (guint i = 0; i < n; i++)
    if (drive->interval > 0)
      g_queue_push_tail (&drive->idle, &connections[i]);
    else
      send_next (drive, &connections[i], drive->began);
  receive_all (drive);
  double elapsed = bench_now () - drive->began;
  for (guint i = 0; i < n; i++)
    close (connections[i].fd);
  close (drive->epoll);
  g_queue_clear (&drive->idle);
  return elapsed;
}

double
bench_drive (guint port, guint n, const GPtrArray *requests, GArray *answers, guint *statuses)
{
  Drive drive = { .requests = requests, .answers = answers, .statuses = statuses };
  return drive_all (&drive, port, n);
}

double
bench_drive_at (guint port, guint n, const GPtrArray *requests, double per_second, GArray *answers, guint *statuses,
                BenchWatch *watch)
{
  Drive drive = { .requests = requests, .answers = answers, .interval = 1 / per_second, .statuses = statuses, .watch = watch };
  drive_all (&drive, port, n);
  return drive.began;
}

GArray *
bench_latencies (const GArray *answers)
{
  GArray *latencies = bench_rounds_new ();
  for (guint i = 0; i < answers->len; i++)
    bench_rounds_add (latencies, g_array_index (answers, BenchAnswer, i).latency);
  return latencies;
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
  guint n_held = 0;
  for (guint i = 0; i < descriptors->len; i++)
  {
    int fd = g_array_index (descriptors, int, i);
    gssize n = recv (fd, &byte, 1, MSG_DONTWAIT);
    n_held += n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 1 : 0;
    close (fd);
  }
  g_array_unref (descriptors);
  return n_held;
}
