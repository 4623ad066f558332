#include "chain/subtensor/rpc_exchange.h"

#include <string.h>

#include "base/error.h"
#include "base/rfc3339.h"
#include "chain/subtensor/rpc_pace.h"

#define STALL_MS 15000

void
sv_rpc_exchange_clear (SvRpcExchange *exchange)
{
  g_clear_pointer (&exchange->replies, g_array_unref);
  g_clear_pointer (&exchange->why, g_free);
}

static void
conclude (SvRpcExchange *exchange, SvRpcVerdict verdict, char *why)
{
  exchange->verdict = verdict;
  g_free (exchange->why);
  exchange->why = why;
}

/* ---- no HTTP answer ---- */

/* The HTTP client names the URL with its path before what happened. Returns: (transfer none). */
static const char *
without_url (const SvRpcEndpoint *endpoint, const char *message)
{
  gsize length = strlen (endpoint->http_url);
  gboolean has_url = strncmp (message, endpoint->http_url, length) == 0 && g_str_has_prefix (message + length, ": ");
  return has_url ? message + length + strlen (": ") : message;
}

static void
judge_fault (SvRpcExchange *exchange, const SvRpcEndpoint *endpoint, const GError *fault, gboolean was_slow)
{
  const char *what = without_url (endpoint, fault->message);
  if (g_error_matches (fault, SV_ERROR, SV_ERROR_UNREACHABLE))
    conclude (exchange, was_slow ? SV_RPC_STALLED : SV_RPC_FAULTY, g_strdup_printf ("no answer: %s", what));
  else if (strstr (what, "is larger than") != NULL)
    conclude (exchange, SV_RPC_TOO_MUCH, g_strdup (what));
  else if (strstr (what, "redirect") != NULL)
    conclude (exchange, SV_RPC_HOPELESS, g_strdup_printf ("%s: set the URL that it leads to", what));
  else
    conclude (exchange, SV_RPC_HOPELESS, g_strdup (what));
}

/* ---- an HTTP answer ---- */

/* One error for all calls. */
static void
judge_whole (SvRpcExchange *exchange, const SvRpcReply *whole)
{
  char *why = g_strdup_printf ("the node answers a batch with \"%s\" (error %" G_GINT64_FORMAT ")", whole->text, whole->code);
  exchange->limit = whole->limit;
  if (whole->kind == SV_RPC_BUSY)
    conclude (exchange, SV_RPC_REFUSED, why);
  else if (whole->kind == SV_RPC_NO_BATCH)
    conclude (exchange, SV_RPC_ONE_BY_ONE, why);
  else
    conclude (exchange, SV_RPC_TOO_MUCH, why); /* an error of unknown meaning, too: a single call shows what it is about */
}

/* TRUE when the body is an answer of JSON-RPC. */
static gboolean
read_body (SvRpcExchange *exchange, const SvHttpResponse *response, guint64 first_id, GError **error)
{
  g_auto (SvRpcReply) whole = { 0 };
  gsize length;
  const void *data = g_bytes_get_data (response->body, &length);
  if (!sv_rpc_read_answer (data, length, first_id, exchange->replies, &whole, error))
    return FALSE;
  if (whole.kind == SV_RPC_NOTHING)
    conclude (exchange, SV_RPC_ANSWERED, NULL);
  else
    judge_whole (exchange, &whole);
  return TRUE;
}

/* What a status says whatever the body is; FALSE where it depends on that. */
static gboolean
judge_status (SvRpcExchange *exchange, guint status, gboolean is_batch)
{
  if (status == 401 || status == 403)
    conclude (exchange, SV_RPC_HOPELESS,
              g_strdup_printf ("HTTP %u, it does not let us in: check the key in its URL, and whether it admits this machine",
                               status));
  else if (status >= 300 && status <= 399)
    conclude (exchange, SV_RPC_HOPELESS,
              g_strdup_printf ("HTTP %u, a redirect, which is not followed: set the final URL", status));
  else if (status == 429)
    conclude (exchange, SV_RPC_REFUSED, g_strdup ("HTTP 429, too many requests"));
  else if (status == 413)
    conclude (exchange, is_batch ? SV_RPC_TOO_MUCH : SV_RPC_HOPELESS, g_strdup ("HTTP 413, the request is too large"));
  else if (status == 503 && exchange->retry_after >= 0)
    conclude (exchange, SV_RPC_REFUSED, g_strdup ("HTTP 503, and it asks to wait"));
  else
    return FALSE;
  return TRUE;
}

/* Another status than 2xx with a body that is no answer, or with an error that a gateway made up. */
static void
judge_other_status (SvRpcExchange *exchange, guint status, gboolean is_batch)
{
  const char *words = g_array_index (exchange->replies, SvRpcReply, 0).text;
  if (status == 408 || status == 504 || status == 524)
    conclude (exchange, SV_RPC_STALLED, g_strdup_printf ("HTTP %u, it took too long", status));
  else if (is_batch && (status == 400 || status == 405 || status == 415 || status == 422 || status == 501))
    conclude (exchange, SV_RPC_ONE_BY_ONE, g_strdup_printf ("HTTP %u for a batch", status));
  else if (status >= 500)
    conclude (exchange, SV_RPC_FAULTY,
              g_strdup_printf ("HTTP %u%s%s", status, words != NULL ? ": " : "", words != NULL ? words : ""));
  else
    conclude (exchange, SV_RPC_HOPELESS, g_strdup_printf ("HTTP %u: there is no JSON-RPC at this URL", status));
}

/* A gateway's "upstream failed" comes as JSON-RPC, too; only what asks for something else of us counts with a 5xx. */
static gboolean
is_final (const SvRpcExchange *exchange, guint status)
{
  if (status < 500 || exchange->verdict != SV_RPC_ANSWERED)
    return TRUE;
  for (guint i = 0; i < exchange->replies->len; i++)
  {
    SvRpcKind kind = g_array_index (exchange->replies, SvRpcReply, i).kind;
    if (kind != SV_RPC_BUSY && kind != SV_RPC_TOO_LARGE && kind != SV_RPC_GONE && kind != SV_RPC_UNKNOWN)
      return FALSE;
  }
  return TRUE;
}

static void
judge_response (SvRpcExchange *exchange, const SvHttpResponse *response, guint64 first_id)
{
  g_autoptr (GError) local = NULL;
  gboolean is_batch = exchange->replies->len > 1;
  exchange->retry_after = sv_rpc_retry_after (sv_http_response_header (response, "retry-after"),
                                              sv_http_response_header (response, "date"), sv_clock_ms ());
  if (judge_status (exchange, response->status, is_batch))
    return;
  gboolean is_read = read_body (exchange, response, first_id, &local);
  if (is_read && is_final (exchange, response->status))
    return;
  if (response->status >= 200 && response->status <= 299)
    conclude (exchange, SV_RPC_STALLED, g_strdup (local->message));
  else
    judge_other_status (exchange, response->status, is_batch);
}

/* ---- both ---- */

static SvHttpResponse *
post (SvHttpClient *http, const SvRpcEndpoint *endpoint, GBytes *body, guint timeout_ms, GError **error)
{
  static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json", NULL };
  SvHttpRequest request = { .method = "POST", .url = endpoint->url, .headers = headers, .body = body };
  request.limits = (SvHttpLimits)SV_HTTP_LIMITS_DEFAULT;
  request.limits.max_bytes = SV_RPC_MAX_ANSWER;
  request.limits.total_timeout_ms = timeout_ms;
  request.limits.stall_timeout_ms = STALL_MS;
  request.limits.policy = SV_HTTP_ANY_ADDRESS;
  return sv_http_perform (http, &request, error);
}

gboolean
sv_rpc_exchange_run (SvRpcExchange *exchange, SvHttpClient *http, const SvRpcEndpoint *endpoint, SvRpcCall *const *calls,
                     gsize n_calls, guint64 first_id, guint timeout_ms, GError **error)
{
  g_autoptr (GError) fault = NULL;
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GBytes) body = sv_rpc_request_new (calls, n_calls, first_id, error);
  if (body == NULL)
    return FALSE;
  *exchange = (SvRpcExchange){ .replies = sv_rpc_replies_new (n_calls), .retry_after = -1 };
  g_autoptr (SvHttpResponse) response = post (http, endpoint, body, timeout_ms, &fault);
  gint64 took_ms = (g_get_monotonic_time () - begin) / 1000;
  if (response == NULL)
    judge_fault (exchange, endpoint, fault, took_ms + 100 >= MIN (timeout_ms, STALL_MS));
  else
    judge_response (exchange, response, first_id);
  return TRUE;
}
