/* The front: calls in, requests out, again and again until every call has its answer or the time is over. What a request's
 * outcome means for the next one is the pace's business (rpc_pace.h), what it was is the exchange's (rpc_exchange.h). */
#include "chain/subtensor/rpc.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "chain/subtensor/rpc_clock.h"
#include "chain/subtensor/rpc_exchange.h"
#include "chain/subtensor/rpc_pace.h"

#define DEFAULT_TIMEOUT_MS 60000
#define MAX_FAULTS 6    /* in a row */
#define MIN_TRY_MS 1000 /* a single try gets half of the time that is left, but not less than that */

struct SvRpc
{
  SvRpcEndpoint endpoint;
  SvHttpClient *http;
  SvRpcPace pace;
  SvRpcClock clock;
  guint timeout_ms;
  guint64 next_id;
};

/* One sv_rpc_perform(). */
typedef struct
{
  SvRpc *rpc;
  GPtrArray *open; /* of SvRpcCall, in the caller's order: those without an answer */
  gint64 deadline;
  guint n_tries;
  guint n_faults; /* in a row */
} Task;

/* ---- the clock ---- */

static gint64
real_now (gpointer data)
{
  return g_get_monotonic_time () / 1000;
}

static void
real_sleep (gpointer data, gint64 ms)
{
  sv_http_pause ((guint)ms);
}

static double
real_jitter (gpointer data)
{
  return randombytes_uniform (1 << 20) / (double)(1 << 20);
}

static gint64
now (const SvRpc *rpc)
{
  return rpc->clock.now_ms (rpc->clock.data);
}

static double
jitter (const SvRpc *rpc)
{
  return rpc->clock.jitter (rpc->clock.data);
}

void
sv_rpc_set_clock (SvRpc *rpc, const SvRpcClock *clock)
{
  rpc->clock = *clock;
}

/* ---- life ---- */

SvRpc *
sv_rpc_new (const char *endpoint, GError **error)
{
  g_auto (SvRpcEndpoint) parsed = { 0 };
  if (!sv_rpc_endpoint_parse (endpoint, &parsed, error))
    return NULL;
  SvRpc *rpc = g_new0 (SvRpc, 1);
  rpc->endpoint = parsed;
  memset (&parsed, 0, sizeof parsed);
  rpc->http = sv_http_client_new ();
  rpc->clock = (SvRpcClock){ .now_ms = real_now, .sleep_ms = real_sleep, .jitter = real_jitter };
  rpc->timeout_ms = DEFAULT_TIMEOUT_MS;
  rpc->next_id = 1;
  sv_rpc_pace_init (&rpc->pace);
  return rpc;
}

void
sv_rpc_free (SvRpc *rpc)
{
  if (rpc == NULL)
    return;
  sv_http_client_free (rpc->http);
  sv_rpc_endpoint_clear (&rpc->endpoint);
  g_free (rpc);
}

const char *
sv_rpc_endpoint (const SvRpc *rpc)
{
  return rpc->endpoint.shown;
}

void
sv_rpc_set_timeout (SvRpc *rpc, guint milliseconds)
{
  rpc->timeout_ms = milliseconds;
}

guint
sv_rpc_batch_size (const SvRpc *rpc)
{
  return sv_rpc_pace_batch (&rpc->pace, now (rpc));
}

/* ---- errors ---- */

/* (transfer none) what to do about a node's error, where there is something to do. */
static const char *
hint_for (const SvRpcReply *reply)
{
  if (reply->kind == SV_RPC_GONE)
    return "; set BITTENSOR_SUBTENSOR_FALLBACK to an archive endpoint, which keeps every block's state";
  if (reply->kind == SV_RPC_UNKNOWN)
    return "; where several nodes stand behind this address, not all have come as far, and trying again helps";
  if (reply->code == -32601)
    return "; this endpoint does not serve it: set BITTENSOR_SUBTENSOR_ENDPOINT to one that does";
  return "";
}

/* The code stands at the end, where sv_rpc_error_code() finds it: the node's words before it are in quotes, and cannot forge
 * it. */
static GError *
node_error (const SvRpc *rpc, const char *method, const SvRpcReply *reply)
{
  SvErrorCode code = reply->kind == SV_RPC_GONE      ? SV_ERROR_NOT_FOUND
                     : reply->kind == SV_RPC_UNKNOWN ? SV_ERROR_UNREACHABLE
                                                     : SV_ERROR_FAILED;
  g_autofree char *words = sv_rpc_endpoint_hide (&rpc->endpoint, reply->text);
  g_autofree char *number = reply->code != 0 ? g_strdup_printf (" (error %" G_GINT64_FORMAT ")", reply->code) : g_strdup ("");
  return g_error_new (SV_ERROR, (int)code, "%s: %s: the node answers \"%s\"%s%s", rpc->endpoint.shown, method, words,
                      hint_for (reply), number);
}

gint64
sv_rpc_error_code (const GError *error)
{
  static const char opening[] = " (error ";
  gint64 code = 0;
  if (error == NULL || error->domain != SV_ERROR || !g_str_has_suffix (error->message, ")"))
    return 0;
  const char *start = g_strrstr (error->message, opening);
  if (start == NULL)
    return 0;
  start += strlen (opening);
  g_autofree char *digits = g_strndup (start, strlen (start) - 1);
  gint64 limit = G_GINT64_CONSTANT (1) << 53;
  return g_ascii_string_to_signed (digits, 10, -limit, limit, &code, NULL) ? code : 0;
}

gboolean
sv_rpc_is_pruned (const GError *error)
{
  return g_error_matches (error, SV_ERROR, SV_ERROR_NOT_FOUND);
}

gboolean
sv_rpc_is_unknown (const GError *error)
{
  return g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE);
}

static gboolean
give_up (const Task *task, const char *why, GError **error)
{
  const SvRpc *rpc = task->rpc;
  g_autofree char *hidden = sv_rpc_endpoint_hide (&rpc->endpoint, why);
  g_autofree char *tries = task->n_tries > 1 ? g_strdup_printf (" (asked %u times)", task->n_tries) : g_strdup ("");
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s: %s%s; check BITTENSOR_SUBTENSOR_ENDPOINT, or set BITTENSOR_SUBTENSOR_FALLBACK to a second endpoint",
               rpc->endpoint.shown, hidden, tries);
  return FALSE;
}

/* ---- one request ---- */

typedef struct
{
  guint n_closed;
  guint n_missing;
  const SvRpcReply *busy; /* one of them, or NULL */
  gboolean is_too_large;
} Harvest;

/* TRUE when the reply settles the call. */
static gboolean
close_call (const SvRpc *rpc, SvRpcCall *call, SvRpcReply *reply, gboolean is_alone, Harvest *harvest)
{
  if (reply->kind == SV_RPC_NOTHING)
    harvest->n_missing++;
  if (reply->kind == SV_RPC_BUSY)
    harvest->busy = reply;
  if (reply->kind == SV_RPC_TOO_LARGE && !is_alone)
    harvest->is_too_large = TRUE;
  if (reply->kind == SV_RPC_NOTHING || reply->kind == SV_RPC_BUSY || (reply->kind == SV_RPC_TOO_LARGE && !is_alone))
    return FALSE;
  call->endpoint = rpc->endpoint.shown;
  if (reply->kind == SV_RPC_RESULT)
    call->result = g_steal_pointer (&reply->result);
  else
    call->error = node_error (rpc, call->method, reply);
  harvest->n_closed++;
  return TRUE;
}

/* Hands the replies over and keeps open what they leave open. */
static Harvest
harvest_replies (Task *task, GArray *replies)
{
  Harvest harvest = { 0 };
  guint kept = 0;
  for (guint i = 0; i < task->open->len; i++)
  {
    SvRpcCall *call = g_ptr_array_index (task->open, i);
    SvRpcReply *reply = i < replies->len ? &g_array_index (replies, SvRpcReply, i) : NULL;
    if (reply == NULL || !close_call (task->rpc, call, reply, replies->len == 1, &harvest))
      g_ptr_array_index (task->open, kept++) = call;
  }
  g_ptr_array_set_size (task->open, (int)kept);
  return harvest;
}

/* What the answered request, which may have left calls open, means for the next. Sets exchange->why to why it is not all. */
static SvRpcVerdict
take_answer (Task *task, SvRpcExchange *exchange)
{
  SvRpc *rpc = task->rpc;
  guint n_calls = exchange->replies->len;
  Harvest harvest = harvest_replies (task, exchange->replies);
  if (harvest.n_closed > 0)
    task->n_faults = 0;
  if (harvest.n_closed == n_calls)
    sv_rpc_pace_answered (&rpc->pace, n_calls, now (rpc));
  else if (harvest.busy != NULL)
    exchange->why = g_strdup_printf ("the node answers \"%s\"", harvest.busy->text);
  else if (harvest.n_missing > 0)
    exchange->why = g_strdup_printf ("its answer left out %u of %u calls", harvest.n_missing, n_calls);
  else
    exchange->why = g_strdup ("its answers are too large");
  if (harvest.is_too_large)
    sv_rpc_pace_shrink (&rpc->pace, n_calls, 0);
  if (harvest.busy != NULL)
    return SV_RPC_REFUSED;
  return harvest.n_missing > 0 ? SV_RPC_STALLED : SV_RPC_ANSWERED;
}

/* Waits @ms; FALSE when the time limit does not allow that. */
static gboolean
wait_for (Task *task, gint64 ms, const char *why, GError **error)
{
  const SvRpc *rpc = task->rpc;
  if (ms > 0 && now (rpc) + ms >= task->deadline)
  {
    g_autofree char *text =
        g_strdup_printf ("%s, and the next try would be after the time limit of %.0f s", why, rpc->timeout_ms / 1000.0);
    return give_up (task, text, error);
  }
  if (ms > 0)
    rpc->clock.sleep_ms (rpc->clock.data, ms);
  return TRUE;
}

static gboolean
take_fault (Task *task, const char *why, GError **error)
{
  task->n_faults++;
  if (sv_http_is_given_up () || task->n_faults >= MAX_FAULTS || now (task->rpc) >= task->deadline)
    return give_up (task, why, error);
  return wait_for (task, sv_rpc_backoff (task->n_faults, jitter (task->rpc)), why, error);
}

/* What to change before the next request; FALSE when there is none. */
static gboolean
follow_verdict (Task *task, SvRpcExchange *exchange, GError **error)
{
  SvRpc *rpc = task->rpc;
  guint n_calls = exchange->replies->len;
  SvRpcVerdict verdict = exchange->verdict == SV_RPC_ANSWERED ? take_answer (task, exchange) : exchange->verdict;
  switch (verdict)
  {
  case SV_RPC_ANSWERED:
    return TRUE;
  case SV_RPC_STALLED:
    sv_rpc_pace_shrink (&rpc->pace, n_calls, 0);
    return take_fault (task, exchange->why, error);
  case SV_RPC_FAULTY:
    return take_fault (task, exchange->why, error);
  case SV_RPC_REFUSED:
    sv_rpc_pace_refused (&rpc->pace, exchange->retry_after, jitter (rpc), now (rpc));
    return wait_for (task, sv_rpc_pace_wait (&rpc->pace, now (rpc)), exchange->why, error);
  case SV_RPC_TOO_MUCH:
    sv_rpc_pace_shrink (&rpc->pace, n_calls, exchange->limit);
    return n_calls > 1 ? TRUE : give_up (task, exchange->why, error);
  case SV_RPC_ONE_BY_ONE:
    sv_rpc_pace_no_batches (&rpc->pace, now (rpc));
    return n_calls > 1 ? TRUE : give_up (task, exchange->why, error);
  case SV_RPC_HOPELESS:
    return give_up (task, exchange->why, error);
  }
  g_assert_not_reached ();
}

/* A try gets half of the time that is left: where it takes too long, a smaller one can follow. */
static guint
time_for_a_try (gint64 left)
{
  return (guint)MIN (MAX (left / 2, MIN_TRY_MS), left);
}

static gboolean
ask_once (Task *task, GError **error)
{
  SvRpc *rpc = task->rpc;
  g_auto (SvRpcExchange) exchange = { 0 };
  if (!wait_for (task, sv_rpc_pace_wait (&rpc->pace, now (rpc)), "it asked for a slower pace", error))
    return FALSE;
  gint64 left = task->deadline - now (rpc);
  if (left <= 0)
    return give_up (task, "it did not answer everything within the time limit", error);
  guint n_calls = MIN (sv_rpc_pace_batch (&rpc->pace, now (rpc)), task->open->len);
  guint64 first_id = rpc->next_id;
  rpc->next_id += n_calls;
  task->n_tries++;
  if (!sv_rpc_exchange_run (&exchange, rpc->http, &rpc->endpoint, (SvRpcCall *const *)task->open->pdata, n_calls, first_id,
                            time_for_a_try (left), error))
    return FALSE;
  sv_rpc_pace_asked (&rpc->pace, now (rpc));
  return follow_verdict (task, &exchange, error);
}

/* ---- calls ---- */

gboolean
sv_rpc_perform (SvRpc *rpc, SvRpcCall *calls, gsize n_calls, GError **error)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  Task task = { .rpc = rpc, .open = open, .deadline = now (rpc) + rpc->timeout_ms };
  for (gsize i = 0; i < n_calls; i++)
    if (calls[i].result == NULL && calls[i].error == NULL)
      g_ptr_array_add (open, &calls[i]);
  while (open->len > 0)
    if (!ask_once (&task, error))
      return FALSE;
  return TRUE;
}

json_t *
sv_rpc_call (SvRpc *rpc, const char *method, json_t *params, GError **error)
{
  g_auto (SvRpcCall) call = { .method = method, .params = params };
  if (!sv_rpc_perform (rpc, &call, 1, error))
    return NULL;
  if (call.error != NULL)
    g_propagate_error (error, g_steal_pointer (&call.error));
  return g_steal_pointer (&call.result);
}
