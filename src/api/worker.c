/* One thread's loop: its connections, their deadlines, what other threads hand it.
 *
 * A round takes a few events, then the inbox, then those that have more to do, then the deadlines. What can be done once a
 * round is: freeing connections, and writing the log's lines, when there are enough of them or they have waited for long
 * enough. Few events, because they may be as many requests, each with a signature to be verified, and what is in the inbox are
 * answers, which only have to be sent.
 *
 * Other threads put connections into the inbox without a lock, and write the event only to a thread that sleeps: so a batch of
 * the issue log costs one wake-up for each worker, and none while the worker is busy. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "api/front_internal.h"
#include "base/log.h"
#include "base/thread_priority.h"

#define MAX_EVENTS 8       /* a round */
#define MAX_SPARE 256      /* exchanges kept for the next request */
#define SLICE_US 500       /* of the processor: some requests */
#define LOG_DELAY_US 20000 /* at most, of a line of the log that no others follow */

/* ── counting ── */

/* Nobody else writes these, so adding needs no locked instruction. */
void
sv_worker_count (SvWorker *worker, SvFrontCount count, guint64 n)
{
  guint64 before = atomic_load_explicit (&worker->counts[count], memory_order_relaxed);
  atomic_store_explicit (&worker->counts[count], before + n, memory_order_relaxed);
}

static void
count_in_state (SvWorker *worker, guint8 state, gint change)
{
  gint before = atomic_load_explicit (&worker->n_in_state[state], memory_order_relaxed);
  atomic_store_explicit (&worker->n_in_state[state], before + change, memory_order_relaxed);
}

/* ── lists ── */

static void
unlink_connection (SvConnection *connection)
{
  SvConnectionList *list = &connection->worker->lists[connection->state];
  *(connection->previous != NULL ? &connection->previous->next : &list->first) = connection->next;
  *(connection->next != NULL ? &connection->next->previous : &list->last) = connection->previous;
  connection->previous = connection->next = NULL;
  count_in_state (connection->worker, connection->state, -1);
}

/* Behind those that end no later: that is the end of the list, but for a few that come from another thread. */
static void
link_connection (SvConnection *connection)
{
  SvConnectionList *list = &connection->worker->lists[connection->state];
  SvConnection *before = list->last;
  while (before != NULL && before->deadline_us > connection->deadline_us)
    before = before->previous;
  connection->previous = before;
  connection->next = before != NULL ? before->next : list->first;
  *(before != NULL ? &before->next : &list->first) = connection;
  *(connection->next != NULL ? &connection->next->previous : &list->last) = connection;
  count_in_state (connection->worker, connection->state, 1);
}

gint64
sv_connection_time_for (const SvConnection *connection)
{
  const SvFrontLimits *limits = &connection->worker->front->limits;
  switch ((SvConnectionState)connection->state)
  {
  case SV_CONNECTION_IDLE:
    return (gint64)limits->idle_ms * 1000;
  case SV_CONNECTION_HEAD:
    return (gint64)limits->head_ms * 1000;
  case SV_CONNECTION_BODY:
    return (gint64)limits->body_ms * 1000;
  case SV_CONNECTION_SENDING:
    return (gint64)limits->send_ms * 1000;
  case SV_CONNECTION_LINGERING:
    return (gint64)limits->linger_ms * 1000;
  case SV_CONNECTION_WORKING: /* as long as the handler takes */
  case SV_CONNECTION_CLOSED:
    break;
  }
  return 0;
}

void
sv_connection_set_state (SvConnection *connection, SvConnectionState state)
{
  unlink_connection (connection);
  connection->state = (guint8)state;
  connection->deadline_us = connection->worker->now_us + sv_connection_time_for (connection);
  if (state != SV_CONNECTION_CLOSED)
    link_connection (connection);
}

/* ── between threads ── */

void
sv_worker_wake (SvWorker *worker)
{
  const guint64 one = 1;
  gssize written = write (worker->event_fd, &one, sizeof one);
  (void)written; /* it cannot be full: nobody waits 2^64 times */
}

void
sv_worker_post (SvWorker *worker, SvConnection *connection)
{
  SvConnection *first;
  do
  {
    first = g_atomic_pointer_get (&worker->inbox);
    connection->next_in_inbox = first;
  } while (!g_atomic_pointer_compare_and_exchange (&worker->inbox, first, connection));
  if (first == NULL && g_atomic_int_get (&worker->is_sleeping))
    sv_worker_wake (worker);
}

void
sv_exchange_resume (gpointer data)
{
  SvExchange *exchange = data;
  sv_worker_post (exchange->connection->worker, exchange->connection);
}

void
sv_worker_hand_over (SvConnection *connection, SvWorker *to)
{
  epoll_ctl (connection->worker->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
  unlink_connection (connection);
  if (connection->is_ready)
    g_ptr_array_remove (connection->worker->ready, connection);
  connection->is_ready = FALSE;
  connection->worker = to;
  connection->is_arriving = TRUE;
  sv_worker_post (to, connection);
}

/* Registering tells at once what can be read and written. */
void
sv_worker_take_up (SvWorker *worker, SvConnection *connection)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection };
  connection->is_arriving = FALSE;
  connection->deadline_us = worker->now_us + sv_connection_time_for (connection);
  connection->window_sent = 0;
  link_connection (connection);
  if (epoll_ctl (worker->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0)
    sv_connection_close (connection);
}

static void
empty_inbox (SvWorker *worker)
{
  SvConnection *last_first = g_atomic_pointer_exchange (&worker->inbox, NULL), *first = NULL;
  while (last_first != NULL)
  {
    SvConnection *next = last_first->next_in_inbox;
    last_first->next_in_inbox = first;
    first = last_first;
    last_first = next;
  }
  while (first != NULL)
  {
    SvConnection *connection = first;
    first = connection->next_in_inbox;
    if (connection->is_arriving)
      sv_worker_take_up (worker, connection);
    else
      sv_connection_resume (connection);
  }
}

/* ── exchanges ── */

SvExchange *
sv_worker_take_exchange (SvWorker *worker)
{
  if (worker->spare->len == 0)
    return sv_exchange_new (worker->front->service);
  return g_ptr_array_steal_index_fast (worker->spare, worker->spare->len - 1);
}

void
sv_worker_return_exchange (SvWorker *worker, SvExchange *exchange)
{
  sv_exchange_end (exchange);
  if (worker->spare->len < MAX_SPARE)
    g_ptr_array_add (worker->spare, exchange);
  else
    sv_exchange_free (exchange);
}

/* ── the log ── */

/* In portions of whole lines, none longer than a pipe takes at once where no line is. */
void
sv_worker_flush_log (SvWorker *worker, gboolean all)
{
  const char *lines = worker->log->str;
  gsize left = worker->log->len;
  while (left > (all ? 0 : SV_LOG_LINES_MAX))
  {
    const char *end = left <= SV_LOG_LINES_MAX ? lines + left - 1 : memrchr (lines, '\n', SV_LOG_LINES_MAX);
    if (end == NULL)
      end = memchr (lines, '\n', left);
    gsize length = (gsize)(end - lines) + 1;
    sv_log_write (lines, length);
    lines += length;
    left -= length;
  }
  g_string_erase (worker->log, 0, (gssize)(worker->log->len - left));
}

static void
flush_log_in_time (SvWorker *worker)
{
  if (worker->log->len == 0)
    worker->log_since_us = G_MAXINT64;
  else if (worker->log_since_us == G_MAXINT64)
    worker->log_since_us = worker->now_us;
  else if (worker->now_us - worker->log_since_us >= LOG_DELAY_US)
    sv_worker_flush_log (worker, TRUE);
}

/* ── rounds ── */

static void
handle_event (SvWorker *worker, const struct epoll_event *event)
{
  if (event->data.ptr == worker) /* the inbox is looked into anyway */
    return;
  if (event->data.ptr == worker->front)
  {
    sv_worker_accept (worker);
    return;
  }
  SvConnection *connection = event->data.ptr;
  if (connection->state == SV_CONNECTION_CLOSED)
    return;
  if ((event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
    connection->is_readable = TRUE;
  if ((event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
    connection->has_ended = TRUE;
  if ((event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
    connection->is_writable = TRUE;
  sv_connection_advance (connection);
}

static void
go_on_with_ready (SvWorker *worker)
{
  for (guint left = worker->ready->len; left > 0; left--)
  {
    SvConnection *connection = g_ptr_array_steal_index (worker->ready, 0);
    connection->is_ready = FALSE;
    if (connection->state != SV_CONNECTION_CLOSED && connection->worker == worker)
      sv_connection_advance (connection);
  }
}

static void
expire_all (SvWorker *worker)
{
  for (guint i = 0; i < SV_N_LISTS; i++)
  {
    SvConnection *first;
    while (i != SV_CONNECTION_WORKING && (first = worker->lists[i].first) != NULL && first->deadline_us <= worker->now_us)
      sv_connection_expire (first);
  }
  if (worker->listen_again_us > 0 && worker->listen_again_us <= worker->now_us)
    sv_worker_listen (worker, TRUE);
}

/* A request that is here already is answered; without one, an idle connection is closed. */
static void
send_idle_away (SvWorker *worker)
{
  SvConnection *connection, *next;
  for (connection = worker->lists[SV_CONNECTION_IDLE].first; connection != NULL; connection = next)
  {
    next = connection->next;
    connection->is_readable = TRUE;
    if (sv_connection_advance (connection) && connection->state == SV_CONNECTION_IDLE)
      sv_connection_close (connection);
  }
}

static void
come_to_stage (SvWorker *worker, SvFrontStage stage)
{
  SvFront *front = worker->front;
  sv_worker_listen (worker, FALSE);
  worker->listen_again_us = 0;
  if (stage == SV_FRONT_CLOSED)
    send_idle_away (worker);
  g_mutex_lock (&front->lock);
  worker->stage = stage;
  g_cond_broadcast (&front->reached);
  g_mutex_unlock (&front->lock);
}

static void
bury_dead (SvWorker *worker)
{
  for (guint i = 0; i < worker->dead->len; i++)
  {
    SvConnection *connection = worker->dead->pdata[i];
    if (connection->is_ready)
      g_ptr_array_remove (worker->ready, connection);
    g_free (connection);
  }
  g_ptr_array_set_size (worker->dead, 0);
}

/* Milliseconds until something has to be done, -1 for none. */
static int
time_to_sleep (SvWorker *worker)
{
  gint64 next_us = worker->listen_again_us > 0 ? worker->listen_again_us : G_MAXINT64;
  if (worker->ready->len > 0)
    return 0;
  if (worker->log->len > 0)
    next_us = MIN (next_us, worker->log_since_us + LOG_DELAY_US);
  for (guint i = 0; i < SV_N_LISTS; i++)
    if (i != SV_CONNECTION_WORKING && worker->lists[i].first != NULL)
      next_us = MIN (next_us, worker->lists[i].first->deadline_us);
  if (sv_metrics_is_pending (worker->front->service->metrics))
    next_us = MIN (next_us, worker->now_us + G_USEC_PER_SEC);
  if (next_us == G_MAXINT64)
    return -1;
  return (int)MIN (MAX (next_us - g_get_monotonic_time (), 0) / 1000 + 1, 60000);
}

static void
tell_left_out (SvWorker *worker)
{
  SvMetrics *metrics = worker->front->service->metrics;
  if (worker->told_us + G_USEC_PER_SEC > worker->now_us || !sv_metrics_is_pending (metrics))
    return;
  worker->told_us = worker->now_us;
  sv_metrics_tell_left_out (metrics, worker->now_us, worker->log);
}

/* The issue log's thread has just used the processor when it begins to wait for the disk. Back from there it may have had more
 * than its share, and Linux lets it wait until the next tick of its clock, 4 ms mostly, with all whose answers it brings. Where
 * nobody wants the processor this is a system call that does nothing. */
static void
make_way (const SvWorker *worker)
{
  if (sv_issue_log_is_writing (worker->front->service->issue_log))
    sched_yield ();
}

static void
run_round (SvWorker *worker)
{
  struct epoll_event events[MAX_EVENTS];
  int timeout_ms = time_to_sleep (worker);
  if (timeout_ms != 0)
  {
    g_atomic_int_set (&worker->is_sleeping, 1);
    if (g_atomic_pointer_get (&worker->inbox) != NULL || g_atomic_int_get (&worker->front->is_stopping))
      timeout_ms = 0;
  }
  if (timeout_ms != 0)
    sv_worker_count (worker, SV_FRONT_BUSY_US, (guint64)(g_get_monotonic_time () - worker->awake_us));
  int n = epoll_wait (worker->epoll_fd, events, MAX_EVENTS, timeout_ms);
  g_atomic_int_set (&worker->is_sleeping, 0);
  worker->now_us = g_get_monotonic_time ();
  if (timeout_ms != 0)
    worker->awake_us = worker->now_us;
  for (int i = 0; i < n; i++)
    handle_event (worker, &events[i]);
  empty_inbox (worker);
  go_on_with_ready (worker);
  expire_all (worker);
  tell_left_out (worker);
  flush_log_in_time (worker);
  SvFrontStage stage = (SvFrontStage)g_atomic_int_get (&worker->front->stage);
  if (stage != worker->stage)
    come_to_stage (worker, stage);
  bury_dead (worker);
  make_way (worker);
}

void
sv_worker_close_all (SvWorker *worker)
{
  empty_inbox (worker);
  for (guint i = 0; i < SV_N_LISTS; i++)
    while (worker->lists[i].first != NULL)
      sv_connection_close (worker->lists[i].first);
  bury_dead (worker);
}

gpointer
sv_worker_run (gpointer data)
{
  SvWorker *worker = data;
  sigset_t pipe;
  sv_thread_set_slice (SLICE_US);
  sigemptyset (&pipe);
  sigaddset (&pipe, SIGPIPE); /* sendfile() has no other way not to raise it */
  pthread_sigmask (SIG_BLOCK, &pipe, NULL);
  worker->now_us = worker->awake_us = g_get_monotonic_time ();
  worker->log_since_us = G_MAXINT64;
  if (worker != &worker->front->workers[worker->front->n_workers])
    sv_worker_listen (worker, TRUE);
  while (!g_atomic_int_get (&worker->front->is_stopping))
    run_round (worker);
  sv_worker_close_all (worker);
  sv_metrics_tell_left_out (worker->front->service->metrics, G_MAXINT64, worker->log); /* no line follows any more */
  sv_worker_flush_log (worker, TRUE);
  return NULL;
}
