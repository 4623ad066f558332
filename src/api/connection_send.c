/* What a connection sends. An answer and its headers leave the worker's buffer by one system call; only what the client does
 * not take at once is copied, but for a body that many share. Files are sent in pieces, by the worker that is there for it. */
#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "api/front_internal.h"
#include "api/response.h"
#include "base/log.h"

#define FILE_PIECE (256 * 1024)
#define OUT_KEPT (256 * 1024)

static void
finish_answer (SvConnection *connection)
{
  sv_exchange_sent (connection->exchange);
  sv_connection_end_exchange (connection);
  if (!connection->is_keep_alive)
    sv_connection_end (connection);
  else
    sv_connection_set_state (connection, SV_CONNECTION_IDLE);
}

gssize
sv_connection_send_some (SvConnection *connection, const char *bytes, gsize length, int flags)
{
  gssize n;
  do
    n = send (connection->fd, bytes, length, MSG_NOSIGNAL | flags);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN)
    return -1;
  connection->is_writable = n == (gssize)length;
  connection->window_sent += n > 0 ? (guint64)n : 0;
  return MAX (n, 0);
}

/* A piece of the body that many send. */
static gboolean
send_shared (SvConnection *connection)
{
  gsize length;
  const char *bytes = g_bytes_get_data (connection->shared, &length);
  gssize n =
      sv_connection_send_some (connection, bytes + connection->shared_at, MIN (length - connection->shared_at, FILE_PIECE), 0);
  if (n < 0)
  {
    sv_connection_close (connection);
    return FALSE;
  }
  connection->shared_at += (gsize)n;
  if (connection->shared_at == length)
    g_clear_pointer (&connection->shared, g_bytes_unref);
  return connection->is_writable;
}

static gboolean
send_output (SvConnection *connection)
{
  int more = connection->file_left > 0 || connection->shared != NULL ? MSG_MORE : 0;
  gssize n = sv_connection_send_some (connection, connection->output + connection->output_at,
                                      connection->output_end - connection->output_at, more);
  if (n < 0)
  {
    sv_connection_close (connection);
    return FALSE;
  }
  connection->output_at += (gsize)n;
  if (connection->output_at < connection->output_end)
    return FALSE;
  g_clear_pointer (&connection->output, g_free);
  connection->output_at = connection->output_end = 0;
  return TRUE;
}

void
sv_connection_close_file (SvConnection *connection)
{
  connection->file_left = 0;
  if (connection->file_fd < 0)
    return;
  close (connection->file_fd);
  connection->file_fd = -1;
  g_atomic_int_add (&connection->worker->front->n_files, -1);
}

/* Takes the reply's file. */
static void
begin_file (SvConnection *connection, SvReply *reply)
{
  connection->file_fd = reply->fd;
  connection->file_offset = reply->offset;
  connection->file_left = reply->size;
  reply->fd = -1;
  g_atomic_int_add (&connection->worker->front->n_files, 1);
}

static gboolean
send_file (SvConnection *connection)
{
  off_t offset = (off_t)connection->file_offset;
  gssize n = sendfile (connection->fd, connection->file_fd, &offset, MIN (connection->file_left, FILE_PIECE));
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
  {
    connection->is_writable = errno == EINTR;
    return FALSE;
  }
  if (n <= 0) /* the client is gone, or the file has become shorter than we have said */
  {
    sv_connection_close (connection);
    return FALSE;
  }
  connection->file_offset += (guint64)n;
  connection->file_left -= (guint64)n;
  connection->window_sent += (guint64)n;
  return TRUE;
}

gboolean
sv_connection_go_on_sending (SvConnection *connection)
{
  if (!connection->is_writable)
    return FALSE;
  if (connection->output != NULL)
  {
    if (!send_output (connection))
      return FALSE;
  }
  else if (connection->shared != NULL)
  {
    if (!send_shared (connection))
      return FALSE;
  }
  else if (connection->file_left > 0 && !send_file (connection))
    return FALSE;
  if (connection->output == NULL && connection->shared == NULL && connection->file_left == 0)
  {
    sv_connection_close_file (connection);
    finish_answer (connection);
  }
  return TRUE;
}

/* A small file that the system has in memory goes with its headers; anything that may have to wait for a disk does not. */
static gboolean
append_small_file (GString *out, const SvReply *reply)
{
  gsize before = out->len;
  if (reply->size > SV_FILE_INLINE)
    return FALSE;
  g_string_set_size (out, before + reply->size);
  struct iovec place = { out->str + before, reply->size };
  if (preadv2 (reply->fd, &place, 1, (off_t)reply->offset, RWF_NOWAIT) == (gssize)reply->size)
    return TRUE;
  g_string_truncate (out, before);
  return FALSE;
}

/* What is left of the worker's buffer, or the file, is sent later. */
static void
keep_sending (SvConnection *connection, const char *rest, gsize length)
{
  connection->output = length > 0 ? g_memdup2 (rest, length) : NULL;
  connection->output_end = length;
  connection->window_sent = 0;
  sv_connection_set_state (connection, SV_CONNECTION_SENDING);
}

void
sv_connection_respond (SvConnection *connection, SvReply *reply)
{
  SvWorker *worker = connection->worker;
  SvExchange *exchange = connection->exchange;
  GString *out = g_string_truncate (worker->out, 0);
  connection->is_keep_alive &= !reply->is_last && !g_atomic_int_get (&worker->front->service->is_draining);
  sv_exchange_record (exchange, reply, worker->log);
  if (worker->log->len > SV_LOG_LINES_MAX)
    sv_worker_flush_log (worker, FALSE);
  SvResponseContext context = { .request_id = exchange->id,
                                .now_s = time (NULL),
                                .is_head = strcmp (exchange->method, "HEAD") == 0,
                                .is_last = !connection->is_keep_alive,
                                .is_apart = reply->shared != NULL && reply->length > SV_FILE_INLINE,
                                .is_old = connection->is_old };
  sv_response_write (out, reply, &context);
  if (reply->fd >= 0 && reply->size > 0 && !context.is_head && !append_small_file (out, reply))
    begin_file (connection, reply);
  if (context.is_apart && !context.is_head)
    connection->shared = g_bytes_ref (reply->shared);
  connection->shared_at = 0;
  gboolean has_more = connection->file_left > 0 || connection->shared != NULL;
  sv_reply_free (reply);
  gssize n = sv_connection_send_some (connection, out->str, out->len, has_more ? MSG_MORE : 0);
  if (n < 0)
    sv_connection_close (connection);
  else if ((gsize)n < out->len || has_more)
    keep_sending (connection, out->str + n, out->len - (gsize)n);
  else
    finish_answer (connection);
  if (out->allocated_len > OUT_KEPT)
  {
    g_string_free (worker->out, TRUE);
    worker->out = g_string_sized_new (4096);
  }
}
