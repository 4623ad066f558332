/* One client: reading requests, one at a time and in their order, and going on with them.
 *
 * An idle connection holds this struct and nothing else. What arrives is read into the worker's buffer and taken from there;
 * only what cannot be used yet (a head or body that is not complete, requests behind the present one) is copied. Sockets are
 * registered once and edge-triggered: that a suspended request costs no system call is why. So each end of what can be read or
 * written has to be remembered (is_readable, is_writable). */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/front_internal.h"

#define MAX_TURNS 8 /* before others have theirs */
#define INPUT_MIN 2048
#define BODY_BYTES_PER_SECOND 1024 /* that a body has to come with */
#define INPUT_MAX (SV_HEAD_MAX + SV_READ_SIZE)

/* ── closing ── */

static void
drop_buffers (SvConnection *connection)
{
  g_clear_pointer (&connection->input, g_free);
  g_clear_pointer (&connection->output, g_free);
  g_clear_pointer (&connection->shared, g_bytes_unref);
  connection->input_at = connection->input_end = connection->input_size = 0;
  connection->output_at = connection->output_end = 0;
  connection->is_partial = FALSE;
  sv_connection_close_file (connection);
}

void
sv_connection_end_exchange (SvConnection *connection)
{
  SvExchange *exchange = g_steal_pointer (&connection->exchange);
  if (exchange != NULL)
    sv_worker_return_exchange (connection->worker, exchange);
}

void
sv_connection_close (SvConnection *connection)
{
  if (connection->state == SV_CONNECTION_CLOSED)
    return;
  SvFront *front = connection->worker->front;
  sv_connection_end_exchange (connection);
  drop_buffers (connection);
  close (connection->fd);
  connection->fd = -1;
  sv_address_limit_disconnect (front->service->addresses, &connection->peer);
  g_atomic_int_add (&connection->home->n_connections, -1);
  g_atomic_int_add (&front->n_connections, -1);
  sv_connection_set_state (connection, SV_CONNECTION_CLOSED);
  g_ptr_array_add (connection->worker->dead, connection);
}

/* A socket closed with unread bytes in it resets the connection, and the client may lose the answer. */
void
sv_connection_end (SvConnection *connection)
{
  gboolean may_have_more = connection->is_readable || connection->input != NULL;
  if (connection->has_ended || !may_have_more || shutdown (connection->fd, SHUT_WR) != 0)
  {
    sv_connection_close (connection);
    return;
  }
  drop_buffers (connection);
  sv_connection_set_state (connection, SV_CONNECTION_LINGERING);
}

static void
dispatch (SvConnection *connection)
{
  SvReply *reply = sv_exchange_handle (connection->exchange);
  if (reply != NULL)
    sv_connection_respond (connection, reply);
  else
    sv_connection_set_state (connection, SV_CONNECTION_WORKING);
}

void
sv_connection_resume (SvConnection *connection)
{
  dispatch (connection);
  sv_connection_advance (connection);
}

/* ── reading ── */

/* Bytes read, which may be none; -1 when the connection is closed. */
static gssize
receive (SvConnection *connection, char *bytes, gsize length)
{
  gssize n;
  do
    n = recv (connection->fd, bytes, length, 0);
  while (n < 0 && errno == EINTR);
  if (n == 0 || (n < 0 && errno != EAGAIN))
  {
    sv_connection_close (connection);
    return -1;
  }
  connection->is_readable = n == (gssize)length || (n > 0 && connection->has_ended);
  return MAX (n, 0);
}

static SvOrigin
origin_of (SvConnection *connection)
{
  const SvWorker *worker = connection->worker;
  gboolean has_begun = connection->state == SV_CONNECTION_HEAD;
  return (SvOrigin){ .connection = connection,
                     .peer = &connection->peer,
                     .client = connection->client,
                     .arrived_us =
                         has_begun ? connection->deadline_us - (gint64)worker->front->limits.head_ms * 1000 : worker->now_us };
}

static void
refuse (SvConnection *connection, guint status, const char *fault)
{
  SvOrigin origin = origin_of (connection);
  if (connection->exchange == NULL)
    connection->exchange = sv_worker_take_exchange (connection->worker);
  connection->is_keep_alive = FALSE;
  connection->is_readable = TRUE; /* whatever else there is, it is not read as a request */
  sv_connection_respond (connection, sv_exchange_refuse (connection->exchange, &origin, status, fault));
}

/* Copies what there is of the body. Returns how much that was. */
static gsize
begin_body (SvConnection *connection, const char *bytes, gsize length, gboolean is_expecting)
{
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  SvExchange *exchange = connection->exchange;
  gsize n = MIN (length, exchange->body_length);
  exchange->body = g_malloc (exchange->body_length + 1);
  memcpy (exchange->body, bytes, n);
  exchange->body[exchange->body_length] = '\0';
  connection->body_received = (guint32)n;
  if (n == exchange->body_length)
  {
    dispatch (connection);
    return n;
  }
  connection->window_sent = 0;
  sv_connection_set_state (connection, SV_CONNECTION_BODY);
  if (is_expecting && n == 0 && sv_connection_send_some (connection, go_on, sizeof go_on - 1, 0) != (gssize)sizeof go_on - 1)
    sv_connection_close (connection);
  return n;
}

/* Takes one request from the bytes, if it is there. Returns how many bytes are used. */
static gsize
take_request (SvConnection *connection, const char *bytes, gsize length)
{
  SvWorker *worker = connection->worker;
  const SvRequestHead *head = &worker->head;
  SvHeadVerdict verdict = sv_request_head_parse (bytes, length, &worker->head);
  connection->is_partial = verdict == SV_HEAD_INCOMPLETE;
  if (verdict == SV_HEAD_INCOMPLETE)
  {
    if (connection->state == SV_CONNECTION_IDLE)
      sv_connection_set_state (connection, SV_CONNECTION_HEAD);
    return 0;
  }
  if (verdict == SV_HEAD_REFUSED)
  {
    refuse (connection, head->status, head->fault);
    return length;
  }
  SvOrigin origin = origin_of (connection);
  connection->exchange = sv_worker_take_exchange (worker);
  connection->is_keep_alive = head->is_keep_alive;
  connection->is_old = head->minor == 0;
  SvReply *reply = sv_exchange_begin (connection->exchange, &origin, bytes, head);
  gsize used = head->length;
  if (reply == NULL && head->body_bytes > 0)
    return used + begin_body (connection, bytes + used, length - used, head->is_expecting);
  if (reply == NULL)
  {
    dispatch (connection);
    return used;
  }
  if (head->body_bytes > 0) /* it is not read, so the next request cannot be found */
  {
    connection->is_keep_alive = FALSE;
    connection->is_readable = TRUE;
  }
  sv_connection_respond (connection, reply);
  return used;
}

static void
keep_input (SvConnection *connection, const char *bytes, gsize length)
{
  if (length == 0 || connection->state == SV_CONNECTION_CLOSED || connection->state == SV_CONNECTION_LINGERING)
    return;
  connection->input_size = (guint32)MAX (length, INPUT_MIN);
  connection->input = g_malloc (connection->input_size);
  memcpy (connection->input, bytes, length);
  connection->input_at = 0;
  connection->input_end = (guint32)length;
}

static void
use_input (SvConnection *connection)
{
  guint32 at = connection->input_at;
  at += (guint32)take_request (connection, connection->input + at, connection->input_end - at);
  if (connection->input == NULL) /* the connection has ended */
    return;
  connection->input_at = at;
  if (at < connection->input_end)
    return;
  g_clear_pointer (&connection->input, g_free);
  connection->input_at = connection->input_end = connection->input_size = 0;
}

static void
make_room (SvConnection *connection)
{
  guint32 length = connection->input_end - connection->input_at;
  if (connection->input_at > 0)
    memmove (connection->input, connection->input + connection->input_at, length);
  connection->input_at = 0;
  connection->input_end = length;
  if (connection->input_size - length >= connection->input_size / 2)
    return;
  connection->input_size = MIN (2 * connection->input_size, INPUT_MAX);
  connection->input = g_realloc (connection->input, connection->input_size);
}

/* More of a head that was not complete. It is looked at again only when a line has come to its end or it is too long: a client
 * that sends single bytes shall not have its head parsed for each. */
static gboolean
read_more (SvConnection *connection)
{
  make_room (connection);
  char *end = connection->input + connection->input_end;
  gssize n = receive (connection, end, connection->input_size - connection->input_end);
  if (n <= 0)
    return FALSE;
  connection->input_end += (guint32)n;
  connection->is_partial = memchr (end, '\n', (gsize)n) == NULL && connection->input_end <= SV_HEAD_MAX;
  return TRUE;
}

static gboolean
step_head (SvConnection *connection)
{
  if (connection->input != NULL && !connection->is_partial)
  {
    use_input (connection);
    return TRUE;
  }
  if (!connection->is_readable)
    return FALSE;
  if (connection->input != NULL)
    return read_more (connection);
  char *buffer = connection->worker->buffer;
  gssize n = receive (connection, buffer, SV_READ_SIZE);
  if (n <= 0)
    return FALSE;
  gsize used = take_request (connection, buffer, (gsize)n);
  keep_input (connection, buffer + used, (gsize)n - used);
  return TRUE;
}

static gboolean
step_body (SvConnection *connection)
{
  SvExchange *exchange = connection->exchange;
  if (!connection->is_readable)
    return FALSE;
  gsize left = exchange->body_length - connection->body_received;
  gssize n = receive (connection, exchange->body + connection->body_received, left);
  if (n <= 0)
    return FALSE;
  connection->body_received += (guint32)n;
  connection->window_sent += (guint32)n;
  if (connection->body_received == exchange->body_length)
    dispatch (connection);
  return TRUE;
}

static gboolean
step_lingering (SvConnection *connection)
{
  return connection->is_readable && receive (connection, connection->worker->buffer, SV_READ_SIZE) > 0;
}

/* ── going on ── */

static SvWorker *
worker_for (const SvConnection *connection)
{
  SvFront *front = connection->home->front;
  return connection->file_left > 0 ? &front->workers[front->n_workers] : connection->home;
}

static gboolean
step (SvConnection *connection)
{
  if (connection->worker != worker_for (connection))
    return FALSE;
  switch ((SvConnectionState)connection->state)
  {
  case SV_CONNECTION_IDLE:
  case SV_CONNECTION_HEAD:
    return step_head (connection);
  case SV_CONNECTION_BODY:
    return step_body (connection);
  case SV_CONNECTION_SENDING:
    return sv_connection_go_on_sending (connection);
  case SV_CONNECTION_LINGERING:
    return step_lingering (connection);
  case SV_CONNECTION_WORKING:
  case SV_CONNECTION_CLOSED:
    break;
  }
  return FALSE;
}

gboolean
sv_connection_advance (SvConnection *connection)
{
  guint turn = 0;
  while (turn < MAX_TURNS && step (connection))
    turn++;
  if (connection->state == SV_CONNECTION_CLOSED)
    return FALSE;
  if (connection->worker != worker_for (connection))
  {
    sv_worker_hand_over (connection, worker_for (connection));
    return FALSE;
  }
  if (turn == MAX_TURNS && !connection->is_ready)
  {
    connection->is_ready = TRUE;
    g_ptr_array_add (connection->worker->ready, connection);
  }
  return TRUE;
}

/* Where the client has moved as many bytes as it has to, it has as much time again. */
static gboolean
is_under_way (SvConnection *connection, guint64 min_bytes)
{
  SvConnectionState state = (SvConnectionState)connection->state;
  if (connection->window_sent < min_bytes)
    return FALSE;
  connection->window_sent = 0;
  sv_connection_set_state (connection, state);
  return TRUE;
}

/* Resets it, so that the system does not keep for a client what it does not take. */
static void
abort_connection (SvConnection *connection)
{
  const struct linger none = { .l_onoff = 1 };
  setsockopt (connection->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  sv_connection_close (connection);
}

void
sv_connection_expire (SvConnection *connection)
{
  const SvFrontLimits *limits = &connection->worker->front->limits;
  switch ((SvConnectionState)connection->state)
  {
  case SV_CONNECTION_HEAD:
    sv_worker_count (connection->worker, SV_FRONT_CUT_HEAD, 1);
    refuse (connection, 408, "its headers did not arrive in time");
    break;
  case SV_CONNECTION_BODY:
    if (is_under_way (connection, MAX ((guint64)limits->body_ms * BODY_BYTES_PER_SECOND / 1000, 1)))
      break;
    sv_worker_count (connection->worker, SV_FRONT_CUT_BODY, 1);
    refuse (connection, 408, "its body did not arrive in time");
    break;
  case SV_CONNECTION_SENDING:
    if (is_under_way (connection, limits->send_bytes))
      break;
    sv_worker_count (connection->worker, SV_FRONT_CUT_SENDING, 1);
    abort_connection (connection);
    break;
  case SV_CONNECTION_IDLE:
    sv_worker_count (connection->worker, SV_FRONT_CUT_IDLE, 1);
    sv_connection_close (connection);
    break;
  case SV_CONNECTION_LINGERING:
    sv_connection_close (connection);
    break;
  case SV_CONNECTION_WORKING:
  case SV_CONNECTION_CLOSED:
    break;
  }
}
