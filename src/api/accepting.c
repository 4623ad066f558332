/* Taking up connections, and making room for them: where there is none, whoever has been idle for longest gives it, then
 * whoever does not come to the end of a request or an answer. Only where there is no such one, nobody is accepted for a while.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/front_internal.h"

#define MAX_ACCEPTS 64         /* a round */
#define LISTEN_AGAIN_US 100000 /* when there was no room */
#define FRESH_US 250000        /* as long as nobody's is closed who may have just begun */
#define SLOW_US 2000000        /* a request or answer that has been under way for longer makes room for a new connection */
#define MAX_LOOKED_AT 16       /* connections of a list, for one that makes room */

void
sv_worker_listen (SvWorker *worker, gboolean should)
{
  SvFront *front = worker->front;
  struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = front };
  if (should != worker->is_listening)
    epoll_ctl (worker->epoll_fd, should ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, front->listen_fd, &event);
  worker->is_listening = should;
  worker->listen_again_us = should ? 0 : worker->now_us + LISTEN_AGAIN_US;
}

/* A client that takes an answer as fast as it has to is no slow one. */
static gboolean
is_slow (const SvConnection *connection, gint64 since_us)
{
  const SvFrontLimits *limits = &connection->worker->front->limits;
  gint64 passed_us = connection->worker->now_us - since_us;
  return connection->state != SV_CONNECTION_SENDING ||
         connection->window_sent < (guint64)passed_us * limits->send_bytes / ((guint64)limits->send_ms * 1000);
}

/* The connection that makes room for another: the one that has been idle for longest, else a request, or an answer, that does
 * not come to its end. Each list begins with what has been in it for longest. NULL: there is none. */
static SvConnection *
find_dispensable (SvWorker *worker)
{
  static const SvConnectionState states[] = { SV_CONNECTION_IDLE, SV_CONNECTION_HEAD, SV_CONNECTION_BODY, SV_CONNECTION_SENDING,
                                              SV_CONNECTION_LINGERING };
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
  {
    SvConnection *connection = worker->lists[states[i]].first;
    gint64 grace_us = states[i] == SV_CONNECTION_IDLE ? FRESH_US : SLOW_US;
    for (guint n = 0; connection != NULL && n < MAX_LOOKED_AT; n++, connection = connection->next)
    {
      gint64 since_us = connection->deadline_us - sv_connection_time_for (connection);
      if (worker->now_us - since_us <= grace_us)
        break;
      if (is_slow (connection, since_us))
        return connection;
    }
  }
  return NULL;
}

static SvWorker *
least_busy (SvWorker *worker)
{
  SvFront *front = worker->front;
  SvWorker *least = worker;
  for (guint i = 0; i < front->n_workers; i++)
    if (g_atomic_int_get (&front->workers[i].n_connections) < g_atomic_int_get (&least->n_connections))
      least = &front->workers[i];
  return least;
}

static void
welcome (SvWorker *worker, int fd, const struct sockaddr_storage *address)
{
  SvFront *front = worker->front;
  SvAddress peer;
  sv_address_read ((const struct sockaddr *)address, &peer);
  if (!sv_address_limit_connect (front->service->addresses, &peer, front->limits.per_address))
  {
    sv_worker_count (worker, SV_FRONT_REFUSED_ADDRESS, 1);
    close (fd);
    return;
  }
  sv_worker_count (worker, SV_FRONT_ACCEPTED, 1);
  SvConnection *connection = g_new0 (SvConnection, 1);
  connection->fd = fd;
  connection->file_fd = -1;
  connection->peer = peer;
  connection->is_writable = TRUE;
  connection->is_arriving = TRUE;
  connection->state = SV_CONNECTION_IDLE;
  connection->home = connection->worker = least_busy (worker);
  sv_address_format (&peer, connection->client);
  g_atomic_int_inc (&front->n_connections);
  g_atomic_int_inc (&connection->home->n_connections);
  if (connection->home == worker)
    sv_worker_take_up (worker, connection);
  else
    sv_worker_post (connection->home, connection);
}

static gboolean
is_full (const SvFront *front)
{
  return (guint)g_atomic_int_get (&front->n_connections) >= front->limits.max_connections;
}

static gboolean
lacks_means (int errnum)
{
  return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS || errnum == ENOMEM;
}

/* What keeps the next one from being taken: 0, or an error of accept(). *@fd receives it. */
static int
accept_one (const SvFront *front, gboolean may_take, struct sockaddr_storage *address, int *fd)
{
  socklen_t length = sizeof *address;
  *fd = may_take ? accept4 (front->listen_fd, (struct sockaddr *)address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
  return *fd >= 0 ? 0 : may_take ? errno : EMFILE;
}

void
sv_worker_accept (SvWorker *worker)
{
  SvFront *front = worker->front;
  for (guint i = 0; i < MAX_ACCEPTS; i++)
  {
    int fd;
    struct sockaddr_storage address;
    SvConnection *dispensable = find_dispensable (worker);
    gboolean was_full = is_full (front);
    int errnum = accept_one (front, !was_full || dispensable != NULL, &address, &fd);
    gboolean needs_room = lacks_means (errnum) || (was_full && errnum == 0);
    if (errnum == EAGAIN)
      return;
    if (needs_room && dispensable == NULL)
    {
      sv_worker_count (worker, was_full ? SV_FRONT_PAUSED_FULL : SV_FRONT_PAUSED_MEANS, 1);
      sv_worker_listen (worker, FALSE);
      return;
    }
    if (needs_room)
    {
      sv_worker_count (worker, SV_FRONT_CUT_DISPLACED, 1);
      sv_connection_close (dispensable);
    }
    if (errnum == 0)
      welcome (worker, fd, &address);
  }
}
