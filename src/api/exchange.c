/* One request on its way: what is no handler's business is judged here, before and after it.
 *
 * The order is that of cost. Its path found, a request is refused when its address asks too fast, by one look into memory:
 * refusals count, too. Then it is for its form, its path, its method and its body, by looking at its bytes; then, with the body
 * there, whatever exceeds what the server has in hand. Only after that anything is verified, and only for a known asker
 * anything is looked up or written. */
#include "api/exchange.h"

#include <string.h>

#include "api/asker.h"
#include "base/identifiers.h"
#include "base/log.h"

#define LINES_PER_SECOND 20
#define KEPT_TEXT 4096 /* bytes of text that an exchange keeps for the next request */

/* ── beginning ── */

static char *
write_hex (char *out, guint32 number, guint min_digits)
{
  static const char digits[] = "0123456789abcdef";
  guint n = min_digits;
  while (n < 8 && number >> (4 * n) != 0)
    n++;
  for (guint i = n; i > 0; i--)
    *out++ = digits[number >> (4 * (i - 1)) & 15];
  return out;
}

static void
make_id (char *id)
{
  static gint counter;
  static gsize prefix;
  if (g_once_init_enter (&prefix))
    g_once_init_leave (&prefix, (gsize)g_random_int () | 1);
  char *end = write_hex (id, (guint32)prefix, 8);
  *end++ = '-';
  *write_hex (end, (guint32)g_atomic_int_add (&counter, 1), 1) = '\0';
}

SvExchange *
sv_exchange_new (SvService *service)
{
  SvExchange *exchange = g_new0 (SvExchange, 1);
  exchange->service = service;
  exchange->own_target.parameters = sv_pairs_new_borrowing ();
  exchange->headers = sv_pairs_new_borrowing ();
  exchange->text_size = KEPT_TEXT;
  exchange->text = g_malloc (KEPT_TEXT);
  return exchange;
}

void
sv_exchange_free (SvExchange *exchange)
{
  if (exchange == NULL)
    return;
  g_array_unref (exchange->own_target.parameters);
  g_array_unref (exchange->headers);
  g_free (exchange->text);
  g_free (exchange->kept);
  g_free (exchange);
}

static void
start (SvExchange *exchange, const SvOrigin *origin)
{
  exchange->connection = origin->connection;
  exchange->client = origin->client;
  exchange->method = "-";
  exchange->is_begun = TRUE;
  exchange->began_us = g_get_monotonic_time ();
  exchange->arrived_us = origin->arrived_us;
  make_id (exchange->id);
  g_atomic_int_inc (&exchange->service->n_in_flight);
}

/* Headers of ours, and those that static files need. */
static gboolean
is_wanted (const char *name, gsize length)
{
  if (length > 2 && (name[0] | 0x20) == 'x' && name[1] == '-')
    return TRUE;
  return (length == 5 && g_ascii_strncasecmp (name, "Range", 5) == 0) ||
         (length == 8 && g_ascii_strncasecmp (name, "If-Range", 8) == 0) ||
         (length == 13 && g_ascii_strncasecmp (name, "If-None-Match", 13) == 0);
}

static void
keep_headers (SvExchange *exchange, const SvRequestHead *head)
{
  for (guint i = 0; i < head->n_fields; i++)
  {
    const SvField *field = &head->fields[i];
    char *name = exchange->text + field->name.at, *value = exchange->text + field->value.at;
    if (!is_wanted (name, field->name.length))
      continue;
    name[field->name.length] = '\0';
    value[field->value.length] = '\0';
    sv_pairs_borrow (exchange->headers, name, value);
  }
}

static void
copy_text (SvExchange *exchange, const char *bytes, gsize length)
{
  if (length > exchange->text_size)
  {
    g_free (exchange->text);
    exchange->text = g_malloc (length);
    exchange->text_size = length;
  }
  memcpy (exchange->text, bytes, length);
}

/* Of a proxy that is trusted the request's id is taken over, so that its log and ours name the same. */
static void
find_id (SvExchange *exchange, const SvAddress *peer)
{
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
  if (!sv_address_limit_trusts (exchange->service->addresses, peer))
    return;
  g_autofree char *given = sv_pairs_join (exchange->headers, "X-Request-Id"); /* of two, the comma is not allowed */
  gsize length = given != NULL ? strlen (given) : 0;
  if (length > 0 && length <= SV_REQUEST_ID_MAX && strspn (given, allowed) == length)
    memcpy (exchange->id, given, length + 1);
}

/* Some proxies add a header line of their own below the client's, so the last one is the one to believe. */
static void
find_client (SvExchange *exchange, const SvAddress *peer)
{
  const SvAddressLimit *addresses = exchange->service->addresses;
  if (!sv_address_limit_trusts (addresses, peer))
    return;
  static gint told;
  g_autofree char *forwarded_for = sv_pairs_join (exchange->headers, "X-Forwarded-For");
  gboolean is_known = sv_address_limit_client (addresses, peer, forwarded_for, exchange->client_text);
  exchange->client = exchange->client_text;
  if (!is_known && forwarded_for != NULL && g_atomic_int_compare_and_exchange (&told, 0, 1))
    sv_log ("warning", "a trusted proxy forwards requests with an X-Forwarded-For that names no address: they share one limit",
            "client", exchange->client, NULL);
}

/* ── judging what is no handler's business ── */

static SvReply *
check_method (const SvExchange *exchange)
{
  const SvRoute *route = exchange->route;
  if (strcmp (exchange->method, route->method) == 0 || (route->allows_head && strcmp (exchange->method, "HEAD") == 0))
    return NULL;
  SvReply *reply = sv_reply_error (405, "method_not_allowed", "This is asked by %s", route->method);
  sv_reply_set_static (reply, "Allow", route->allows_head ? "GET, HEAD" : route->method);
  return reply;
}

static SvReply *
check_body (const SvExchange *exchange, guint64 length)
{
  gsize max = exchange->route->max_body;
  if (length <= max)
    return NULL;
  if (max == 0)
    return sv_reply_error (413, "invalid_request", "Requests have no body here");
  return sv_reply_error (413, "invalid_request", "The body is longer than %" G_GSIZE_FORMAT " bytes", max);
}

/* Health checks of a proxy are its own requests, and nobody's limit. */
static gboolean
is_health_check (const SvExchange *exchange, const SvAddress *peer)
{
  const SvRoute *route = exchange->route;
  return route != NULL && (route->handle == sv_handle_healthz || route->handle == sv_handle_readyz) &&
         sv_address_limit_trusts (exchange->service->addresses, peer) &&
         sv_pairs_find (exchange->headers, "X-Forwarded-For", TRUE) == NULL;
}

/* Who asks too fast for what is not the API has no use for an answer: his connection ends. */
static SvReply *
check_address (const SvExchange *exchange, const SvAddress *peer)
{
  SvService *service = exchange->service;
  gboolean is_of_api = exchange->route != NULL && exchange->route->is_limited;
  gboolean is_costly = exchange->route != NULL && exchange->route->is_costly;
  if (is_health_check (exchange, peer))
    return NULL;
  if (sv_address_limit_take (is_of_api ? service->addresses : service->public_addresses, exchange->client,
                             exchange->began_us) &&
      (!is_costly || sv_address_limit_take (service->costly_addresses, exchange->client, exchange->began_us)))
    return NULL;
  SvReply *reply = sv_reply_overloaded ("Too many requests from this address");
  reply->is_last = !is_of_api;
  return reply;
}

/* Finds what is asked for. Returns why that is not to be had, or NULL. */
static SvReply *
find_route (SvExchange *exchange, const SvRequestHead *head, const SvAddress *peer)
{
  char *target = exchange->text + head->target.at;
  const char *query = memchr (target, '?', head->target.length);
  gsize path_length = query != NULL ? (gsize)(query - target) : head->target.length;
  gboolean is_plain = memchr (target, '%', path_length) == NULL;
  const char *fault = sv_target_decode (&exchange->own_target, target, head->target.length);
  if (fault == NULL)
  {
    exchange->target = &exchange->own_target;
    exchange->route = sv_route_find (exchange->target->path, is_plain);
  }
  SvReply *reply = check_address (exchange, peer);
  if (reply != NULL)
    return reply;
  if (fault != NULL)
    return sv_reply_error (400, "invalid_request", "Malformed request: %s", fault);
  if (exchange->route == NULL)
    return sv_reply_error (404, "not_found", "There is nothing here; /openapi.json lists what there is");
  return NULL;
}

SvReply *
sv_exchange_begin (SvExchange *exchange, const SvOrigin *origin, const char *bytes, const SvRequestHead *head)
{
  start (exchange, origin);
  copy_text (exchange, bytes, head->length);
  keep_headers (exchange, head);
  find_client (exchange, origin->peer);
  find_id (exchange, origin->peer);
  exchange->text[head->method.at + head->method.length] = '\0';
  exchange->method = exchange->text + head->method.at;
  SvReply *reply = find_route (exchange, head, origin->peer);
  if (reply == NULL)
  {
    exchange->body_length = head->body_bytes;
    reply = check_method (exchange);
  }
  return reply != NULL ? reply : check_body (exchange, head->body_bytes);
}

SvReply *
sv_exchange_refuse (SvExchange *exchange, const SvOrigin *origin, guint status, const char *fault)
{
  if (!exchange->is_begun)
    start (exchange, origin);
  if (status == 408)
    return sv_reply_error (status, "request_timeout", "The request took too long: %s", fault);
  return sv_reply_error (status, "invalid_request", "Malformed request: %s", fault);
}

/* ── handling ── */

/* A slow body does not count: whoever sends one shall not take the place of those whose request is here. */
static SvReply *
check_load (SvExchange *exchange)
{
  SvService *service = exchange->service;
  if (!exchange->route->is_limited)
    return NULL;
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

SvReply *
sv_exchange_handle (SvExchange *exchange)
{
  SvReply *reply = exchange->is_working ? NULL : check_load (exchange);
  exchange->is_suspended = FALSE;
  if (exchange->waits_for != SV_WAIT_NONE)
    sv_metrics_count_waiting (exchange->service->metrics, exchange->waits_for, -1);
  exchange->waits_for = SV_WAIT_NONE;
  if (reply == NULL)
    reply = exchange->route->handle (exchange);
  g_assert ((reply == NULL) == exchange->is_suspended); /* else it would be answered twice, or never */
  return reply;
}

void
sv_exchange_suspend (SvExchange *exchange)
{
  exchange->is_suspended = TRUE;
}

void
sv_exchange_wait (SvExchange *exchange, SvWait wait)
{
  sv_exchange_suspend (exchange);
  exchange->waits_for = wait;
  sv_metrics_count_waiting (exchange->service->metrics, wait, 1);
}

void
sv_exchange_note_task (SvExchange *exchange, guint64 id)
{
  g_snprintf (exchange->task, sizeof exchange->task, "%" G_GUINT64_FORMAT, id);
}

/* ── steps ── */

void
sv_exchange_end_step_at (SvExchange *exchange, SvStep step, gint64 end_us)
{
  sv_metrics_count_step (exchange->service->metrics, step, end_us - exchange->step_us);
  exchange->step_us = end_us;
}

void
sv_exchange_end_step (SvExchange *exchange, SvStep step)
{
  sv_exchange_end_step_at (exchange, step, g_get_monotonic_time ());
}

void
sv_exchange_begin_steps (SvExchange *exchange)
{
  exchange->step_us = exchange->arrived_us;
  sv_exchange_end_step_at (exchange, SV_STEP_HEAD, exchange->began_us);
}

/* ── the end ── */

static void
announce (SvService *service)
{
  if (!g_atomic_int_get (&service->is_draining))
    return;
  g_mutex_lock (&service->flight_lock);
  g_cond_broadcast (&service->flight_changed);
  g_mutex_unlock (&service->flight_lock);
}

static void
finish_working (SvExchange *exchange)
{
  if (!exchange->is_working)
    return;
  exchange->is_working = FALSE;
  g_atomic_int_add (&exchange->service->n_working, -1);
  announce (exchange->service);
}

/* What was handed out is always logged; of all else so many lines a second, of each kind of answer. */
static gboolean
may_log (const SvExchange *exchange, const SvReply *reply, SvAnswerKind *kind, gint64 now_us, guint *left_out)
{
  *left_out = 0;
  if (exchange->route != NULL && exchange->route->is_limited && reply->status < 400)
    return TRUE;
  if (sv_log_limit_take (&kind->log_limit, LINES_PER_SECOND, now_us, left_out))
    return TRUE;
  sv_metrics_note_left_out (exchange->service->metrics);
  return FALSE;
}

static void
write_ms (guint64 us, char text[SV_INTEGER_TEXT_SIZE + 4])
{
  char thousandths[SV_INTEGER_TEXT_SIZE];
  gsize length = sv_integer_write (us / 1000, text);
  sv_integer_write (1000 + us % 1000, thousandths);
  thousandths[0] = '.';
  memcpy (text + length, thousandths, 5);
}

static void
log_answer (const SvExchange *exchange, const SvReply *reply, gint64 duration_us, guint left_out, GString *log)
{
  char status[SV_INTEGER_TEXT_SIZE], ms[SV_INTEGER_TEXT_SIZE + 4], n[SV_INTEGER_TEXT_SIZE], challenge[SV_INTEGER_TEXT_SIZE];
  sv_integer_write (exchange->challenge_id, challenge);
  sv_integer_write (left_out, n);
  sv_integer_write (reply->status, status);
  write_ms ((guint64)MAX (duration_us, 0), ms);
  sv_log_append (log, "info", "request", "id", exchange->id, "method", exchange->method, "path",
                 exchange->target != NULL ? exchange->target->path : "-", "status", status, "outcome", reply->label, "ms", ms,
                 "client", exchange->client, "asker", exchange->asker, "challenge",
                 exchange->challenge_id > 0 ? challenge : NULL, "miner", exchange->miner, "element", exchange->element, "task",
                 *exchange->task != '\0' ? exchange->task : NULL, "left_out", left_out > 0 ? n : NULL, NULL);
}

void
sv_exchange_record (SvExchange *exchange, const SvReply *reply, GString *log)
{
  guint left_out;
  gint64 now_us = g_get_monotonic_time ();
  gint64 duration_us = now_us - exchange->began_us;
  const char *endpoint = exchange->route != NULL ? exchange->route->name : "none";
  SvAnswerKind *kind = sv_metrics_count (exchange->service->metrics, endpoint, reply->status, reply->label, duration_us);
  if (may_log (exchange, reply, kind, now_us, &left_out))
    log_answer (exchange, reply, duration_us, left_out, log);
  finish_working (exchange);
}

void
sv_exchange_sent (SvExchange *exchange)
{
  if (exchange->step_us != 0)
    sv_exchange_end_step (exchange, SV_STEP_SENT);
}

void
sv_exchange_end (SvExchange *exchange)
{
  SvService *service = exchange->service;
  finish_working (exchange);
  if (exchange->free_work != NULL)
    exchange->free_work (exchange->work);
  g_clear_pointer (&exchange->body, g_free);
  g_array_set_size (exchange->own_target.parameters, 0);
  g_array_set_size (exchange->headers, 0);
  if (exchange->text_size > KEPT_TEXT)
  {
    g_free (exchange->text);
    exchange->text = g_malloc (KEPT_TEXT);
    exchange->text_size = KEPT_TEXT;
  }
  gboolean was_begun = exchange->is_begun;
  exchange->connection = NULL;
  exchange->route = NULL;
  exchange->target = NULL;
  exchange->client = exchange->asker = exchange->miner = exchange->element = NULL;
  exchange->challenge_id = 0;
  exchange->task[0] = '\0';
  exchange->body_length = 0;
  exchange->stage = 0;
  exchange->step_us = 0;
  exchange->work = NULL;
  exchange->free_work = NULL;
  exchange->is_begun = FALSE;
  if (!was_begun)
    return;
  g_atomic_int_add (&service->n_in_flight, -1);
  announce (service);
}
