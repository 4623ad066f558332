/* The seam to libmicrohttpd.
 *
 * The library calls the access handler first when the headers are there, again when the request is complete, and once more
 * each time a suspended connection was resumed; one worker thread serves a connection all its life, so none of these calls
 * overlap. The target is taken as it came, in the callback meant for logging it, and decoded by http.c. */
#include "api/exchange.h"

#include <stdio.h>
#include <string.h>

#include "api/asker.h"
#include "base/log.h"

/* ── beginning ── */

static void
make_id (char id[24])
{
  static gint counter;
  static gsize prefix;
  if (g_once_init_enter (&prefix))
    g_once_init_leave (&prefix, (gsize)g_random_int () | 1);
  snprintf (id, 24, "%08x-%x", (guint)prefix, (guint)g_atomic_int_add (&counter, 1));
}

void *
sv_exchange_on_target (void *service, const char *target, struct MHD_Connection *connection)
{
  SvExchange *exchange = g_new0 (SvExchange, 1);
  exchange->service = service;
  exchange->connection = connection;
  exchange->raw_target = g_strndup (target, strnlen (target, SV_TARGET_MAX + 1)); /* which would fill up all it may take */
  make_id (exchange->id);
  return exchange;
}

/* Headers of ours, and those that static files need. */
static enum MHD_Result
keep_header (void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
  static const char *const wanted[] = { "Range", "If-Range", "If-None-Match", NULL };
  gboolean keep = g_ascii_strncasecmp (name, "X-", 2) == 0;
  for (gsize i = 0; wanted[i] != NULL && !keep; i++)
    keep = g_ascii_strcasecmp (name, wanted[i]) == 0;
  if (keep)
    sv_pairs_add (data, name, value != NULL ? value : "");
  return MHD_YES;
}

static gboolean
has_body (struct MHD_Connection *connection)
{
  const char *length = MHD_lookup_connection_value (connection, MHD_HEADER_KIND, "Content-Length");
  return (length != NULL && strcmp (length, "0") != 0) ||
         MHD_lookup_connection_value (connection, MHD_HEADER_KIND, "Transfer-Encoding") != NULL;
}

static void
begin (SvExchange *exchange)
{
  SvService *service = exchange->service;
  exchange->is_begun = TRUE;
  exchange->began_us = g_get_monotonic_time ();
  exchange->headers = sv_pairs_new ();
  MHD_get_connection_values (exchange->connection, MHD_HEADER_KIND, keep_header, exchange->headers);
  const union MHD_ConnectionInfo *info = MHD_get_connection_info (exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  /* Some proxies add a header line of their own below the client's, so the last one is the one to believe. */
  g_autofree char *forwarded_for = sv_pairs_join (exchange->headers, "X-Forwarded-For");
  exchange->client = sv_address_limit_client (service->addresses, info != NULL ? info->client_addr : NULL, forwarded_for);
  g_mutex_lock (&service->flight_lock);
  service->n_in_flight++;
  g_mutex_unlock (&service->flight_lock);
}

/* ── judging what is no handler's business ── */

static SvReply *
check_size (const SvExchange *exchange)
{
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info (exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  if (strlen (exchange->raw_target) > SV_TARGET_MAX)
    return sv_reply_error (414, "invalid_request", "The request's target is longer than %d bytes", SV_TARGET_MAX);
  if (info != NULL && info->header_size > strlen (exchange->raw_target) + SV_HEADERS_MAX)
    return sv_reply_error (431, "invalid_request", "The request's headers are longer than %d bytes", SV_HEADERS_MAX);
  return NULL;
}

static SvReply *
find_route (SvExchange *exchange, const char *method)
{
  const char *reason;
  exchange->target = sv_target_parse (exchange->raw_target, &reason);
  if (exchange->target == NULL)
    return sv_reply_error (400, "invalid_request", "Malformed request: %s", reason);
  exchange->route = sv_route_find (exchange->target->path);
  if (exchange->route == NULL)
    return sv_reply_error (404, "not_found", "There is nothing here; /openapi.json lists what there is");
  if (strcmp (method, "GET") == 0 || (exchange->route->allows_head && strcmp (method, "HEAD") == 0))
    return NULL;
  SvReply *reply = sv_reply_error (405, "method_not_allowed", "This is read by GET");
  sv_reply_set (reply, "Allow", exchange->route->allows_head ? "GET, HEAD" : "GET");
  return reply;
}

static SvReply *
check_load (SvExchange *exchange)
{
  SvService *service = exchange->service;
  if (!exchange->route->is_limited)
    return NULL;
  if (!sv_address_limit_take (service->addresses, exchange->client, exchange->began_us))
    return sv_reply_overloaded ("Too many requests from this address");
  exchange->is_working = TRUE;
  guint working = (guint)g_atomic_int_add (&service->n_working, 1);
  if (g_atomic_int_get (&service->is_closing))
    return sv_reply_overloaded ("The server is stopping");
  const char *fault = sv_state_keeper_fault (service->keeper);
  if (fault != NULL)
    return sv_reply_overloaded (fault);
  if (working >= service->max_working || sv_issue_log_waiting (service->issue_log) >= 2 * service->max_working)
    return sv_reply_overloaded ("Too much is in flight here");
  return NULL;
}

static SvReply *
handle (SvExchange *exchange, const char *method)
{
  SvReply *reply = NULL;
  if (exchange->route == NULL)
  {
    reply = check_size (exchange);
    if (reply == NULL)
      reply = find_route (exchange, method);
    if (reply == NULL)
      reply = check_load (exchange);
  }
  return reply != NULL ? reply : exchange->route->handle (exchange);
}

/* ── sending ── */

static void
finish_working (SvExchange *exchange)
{
  SvService *service = exchange->service;
  if (!exchange->is_working)
    return;
  exchange->is_working = FALSE;
  g_atomic_int_add (&service->n_working, -1);
  if (!g_atomic_int_get (&service->is_closing))
    return;
  g_mutex_lock (&service->flight_lock);
  g_cond_broadcast (&service->flight_changed);
  g_mutex_unlock (&service->flight_lock);
}

static void
record (const SvExchange *exchange, const SvReply *reply, const char *method)
{
  char status[16], ms[32];
  gint64 duration_us = g_get_monotonic_time () - exchange->began_us;
  const char *route = exchange->route != NULL ? exchange->route->name : "none";
  sv_metrics_count (exchange->service->metrics, route, reply->status, reply->label, duration_us);
  snprintf (status, sizeof status, "%u", reply->status);
  snprintf (ms, sizeof ms, "%" G_GINT64_FORMAT ".%03d", duration_us / 1000, (int)(duration_us % 1000));
  sv_log ("info", "request", "id", exchange->id, "method", method, "path",
          exchange->target != NULL ? exchange->target->path : "-", "status", status, "outcome", reply->label, "ms", ms,
          "client", exchange->client, "asker", exchange->asker, NULL);
}

static struct MHD_Response *
make_response (SvReply *reply)
{
  static char nothing[1];
  struct MHD_Response *response;
  if (reply->fd >= 0)
  {
    response = MHD_create_response_from_fd_at_offset64 (reply->size, reply->fd, reply->offset);
    if (response != NULL)
      reply->fd = -1;
  }
  else if (reply->body == NULL)
    response = MHD_create_response_from_buffer (0, nothing, MHD_RESPMEM_PERSISTENT);
  else
  {
    response = MHD_create_response_from_buffer (reply->length, reply->body, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
      reply->body = NULL;
  }
  return response;
}

/* Takes @reply. */
static enum MHD_Result
send_reply (SvExchange *exchange, SvReply *reply, const char *method)
{
  record (exchange, reply, method);
  guint status = reply->status;
  struct MHD_Response *response = make_response (reply);
  enum MHD_Result result = MHD_NO;
  if (response != NULL)
  {
    for (guint i = 0; i < reply->headers->len; i++)
    {
      const SvPair *header = &g_array_index (reply->headers, SvPair, i);
      MHD_add_response_header (response, header->name, header->value);
    }
    MHD_add_response_header (response, "X-Request-Id", exchange->id);
    MHD_add_response_header (response, "X-Content-Type-Options", "nosniff");
    if (g_atomic_int_get (&exchange->service->is_draining))
      MHD_add_response_header (response, "Connection", "close");
    result = MHD_queue_response (exchange->connection, status, response);
    MHD_destroy_response (response);
  }
  sv_reply_free (reply);
  finish_working (exchange);
  return result;
}

/* ── the library's callbacks ── */

enum MHD_Result
sv_exchange_on_access (void *service, struct MHD_Connection *connection, const char *url, const char *method,
                       const char *version, const char *upload_data, size_t *upload_size, void **data)
{
  SvExchange *exchange = *data;
  if (!exchange->is_begun)
  {
    begin (exchange);
    if (has_body (connection))
      return send_reply (exchange, sv_reply_error (413, "invalid_request", "Requests have no body here"), method);
    return MHD_YES;
  }
  if (*upload_size > 0)
    return MHD_NO;
  SvReply *reply = handle (exchange, method);
  return reply != NULL ? send_reply (exchange, reply, method) : MHD_YES;
}

void
sv_exchange_on_completed (void *data, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode code)
{
  SvService *service = data;
  SvExchange *exchange = *slot;
  if (exchange == NULL)
    return;
  *slot = NULL;
  finish_working (exchange);
  if (exchange->is_begun)
  {
    g_mutex_lock (&service->flight_lock);
    service->n_in_flight--;
    g_cond_broadcast (&service->flight_changed);
    g_mutex_unlock (&service->flight_lock);
  }
  if (exchange->free_work != NULL)
    exchange->free_work (exchange->work);
  sv_target_free (exchange->target);
  g_clear_pointer (&exchange->headers, g_array_unref);
  g_free (exchange->raw_target);
  g_free (exchange->client);
  g_free (exchange);
}

void
sv_exchange_suspend (SvExchange *exchange)
{
  MHD_suspend_connection (exchange->connection);
}

void
sv_exchange_resume (gpointer data)
{
  SvExchange *exchange = data;
  MHD_resume_connection (exchange->connection);
}
