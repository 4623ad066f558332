/* Endpoints. The one that answered last is asked first; one that did not answer is left alone for a minute, so that a node that
 * is down costs its time-out once and not with every question. Before an endpoint's first answer counts, its genesis is
 * compared: a fallback of another chain would otherwise answer for this one. */
#include "chain/subtensor/nodes.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"

#define FINNEY "wss://entrypoint-finney.opentensor.ai:443"
#define FINNEY_GENESIS "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"
#define TEST "wss://test.finney.opentensor.ai:443"

#define AVOID_US (60 * G_USEC_PER_SEC)
#define ALONE_TIMEOUT_MS 60000
#define WITH_FALLBACK_TIMEOUT_MS 20000

/* ── names ── */

static const char *
url_of (const char *endpoint)
{
  return strcmp (endpoint, "finney") == 0 ? FINNEY : strcmp (endpoint, "test") == 0 ? TEST : endpoint;
}

gboolean
sv_nodes_take (const char *endpoint)
{
  static const char *const schemes[] = { "ws://", "wss://", "http://", "https://" };
  if (url_of (endpoint) != endpoint)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_str_has_prefix (endpoint, schemes[i]))
      return TRUE;
  return FALSE;
}

static gboolean
add_node (SvNodes *nodes, const SvConfig *config, const char *setting, GError **error)
{
  const char *endpoint = sv_config_get (config, setting);
  if (!endpoint)
    return TRUE;
  if (!sv_nodes_take (endpoint))
  {
    g_autofree char *shown = sv_config_mask (endpoint);
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "%s (%s): '%s' is no Subtensor endpoint; it takes finney, test, wss://HOST or https://HOST", setting,
                 sv_config_origin (config, setting), shown);
    return FALSE;
  }
  nodes->all[nodes->n].rpc = sv_rpc_new (url_of (endpoint), error);
  if (!nodes->all[nodes->n].rpc)
  {
    g_prefix_error (error, "%s (%s): ", setting, sv_config_origin (config, setting));
    return FALSE;
  }
  if (strcmp (endpoint, "finney") == 0)
    g_strlcpy (nodes->genesis, FINNEY_GENESIS, sizeof nodes->genesis);
  nodes->n++;
  return TRUE;
}

gboolean
sv_nodes_init (SvNodes *nodes, const SvConfig *config, GError **error)
{
  if (!add_node (nodes, config, "BITTENSOR_SUBTENSOR_ENDPOINT", error) ||
      !add_node (nodes, config, "BITTENSOR_SUBTENSOR_FALLBACK", error))
    return FALSE;
  for (guint i = 0; i < nodes->n; i++)
    sv_rpc_set_timeout (nodes->all[i].rpc, nodes->n > 1 ? WITH_FALLBACK_TIMEOUT_MS : ALONE_TIMEOUT_MS);
  return TRUE;
}

void
sv_nodes_clear (SvNodes *nodes)
{
  for (guint i = 0; i < nodes->n; i++)
    g_clear_pointer (&nodes->all[i].rpc, sv_rpc_free);
  nodes->n = 0;
}

const char *
sv_nodes_shown (const SvNodes *nodes)
{
  return sv_rpc_endpoint (nodes->all[nodes->current].rpc);
}

guint
sv_nodes_batch_size (const SvNodes *nodes)
{
  return sv_rpc_batch_size (nodes->all[nodes->current].rpc);
}

/* ── one endpoint ── */

static gboolean
compare_genesis (SvNodes *nodes, const SvRpc *rpc, const char *genesis, GError **error)
{
  if (!genesis || strlen (genesis) != sizeof nodes->genesis - 1)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "%s tells no genesis, so it is no Substrate node that can be used here",
                 sv_rpc_endpoint (rpc));
    return FALSE;
  }
  if (*nodes->genesis == '\0')
    g_strlcpy (nodes->genesis, genesis, sizeof nodes->genesis);
  if (strcmp (genesis, nodes->genesis) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s is of another chain: its genesis is %s, not %s; correct BITTENSOR_SUBTENSOR_ENDPOINT or "
               "BITTENSOR_SUBTENSOR_FALLBACK",
               sv_rpc_endpoint (rpc), genesis, nodes->genesis);
  return FALSE;
}

static gboolean
check_chain (SvNodes *nodes, SvNode *node, GError **error)
{
  if (node->is_of_chain)
    return TRUE;
  SvRpcCall call = { .method = "chain_getBlockHash", .params = json_pack ("[i]", 0) };
  gboolean answered = sv_rpc_perform (node->rpc, &call, 1, error);
  if (answered)
    node->is_of_chain = compare_genesis (nodes, node->rpc, json_string_value (call.result), error);
  sv_rpc_call_clear (&call);
  return node->is_of_chain;
}

gboolean
sv_nodes_ask (SvNodes *nodes, guint which, SvRpcCall *calls, gsize n_calls, GError **error)
{
  SvNode *node = &nodes->all[which];
  GError *local = NULL;
  if (check_chain (nodes, node, &local) && sv_rpc_perform (node->rpc, calls, n_calls, &local))
  {
    node->avoided_until_us = 0;
    return TRUE;
  }
  if (g_error_matches (local, SV_ERROR, SV_ERROR_UNREACHABLE))
    node->avoided_until_us = g_get_monotonic_time () + AVOID_US;
  g_propagate_error (error, local);
  return FALSE;
}

/* ── the first that answers ── */

static guint
choose_node (const SvNodes *nodes)
{
  gint64 now = g_get_monotonic_time ();
  for (guint i = 0; i < nodes->n; i++)
    if (nodes->all[i].avoided_until_us <= now)
      return i;
  return nodes->current;
}

static void
switch_to (SvNodes *nodes, guint which)
{
  if (nodes->current != which)
    sv_log ("warning", "another chain endpoint is used now", "endpoint", sv_rpc_endpoint (nodes->all[which].rpc), NULL);
  nodes->current = which;
}

gboolean
sv_nodes_perform (SvNodes *nodes, SvRpcCall *calls, gsize n_calls, GError **error)
{
  g_autoptr (GError) first = NULL;
  guint which = choose_node (nodes);
  if (sv_nodes_ask (nodes, which, calls, n_calls, &first))
  {
    switch_to (nodes, which);
    return TRUE;
  }
  guint other = nodes->n - 1 - which;
  if (nodes->n == 1 || !g_error_matches (first, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&first));
    return FALSE;
  }
  sv_log ("warning", "a chain endpoint does not answer", "endpoint", sv_rpc_endpoint (nodes->all[which].rpc), "reason",
          first->message, NULL);
  if (!sv_nodes_ask (nodes, other, calls, n_calls, error))
  {
    g_prefix_error (error, "%s; and the other endpoint: ", first->message);
    return FALSE;
  }
  switch_to (nodes, other);
  return TRUE;
}

gboolean
sv_nodes_other (const SvNodes *nodes, guint *other)
{
  *other = nodes->n - 1 - nodes->current;
  return nodes->n > 1 && nodes->all[*other].avoided_until_us <= g_get_monotonic_time ();
}

static void
take_answer (SvRpcCall *call, SvRpcCall *better)
{
  if (better->error)
    return;
  g_clear_error (&call->error);
  call->result = g_steal_pointer (&better->result);
  call->endpoint = better->endpoint;
}

static gboolean
lacks_block (const SvRpcCall *call)
{
  gboolean is_expected = call->is_there || g_str_has_prefix (call->method, "chain_get");
  gboolean is_absent = is_expected && !call->error && json_is_null (call->result);
  return is_absent || sv_rpc_is_pruned (call->error) || sv_rpc_is_unknown (call->error);
}

gboolean
sv_nodes_perform_archive (SvNodes *nodes, SvRpcCall *calls, gsize n_calls, GError **error)
{
  if (!sv_nodes_perform (nodes, calls, n_calls, error))
    return FALSE;
  if (nodes->n == 1)
    return TRUE;
  g_autofree SvRpcCall *again = g_new0 (SvRpcCall, n_calls);
  g_autofree gsize *places = g_new0 (gsize, n_calls);
  gsize n_again = 0;
  for (gsize i = 0; i < n_calls; i++)
    if (lacks_block (&calls[i]))
    {
      again[n_again] = (SvRpcCall){ .method = calls[i].method, .params = json_incref (calls[i].params) };
      places[n_again++] = i;
    }
  g_autoptr (GError) ignored = NULL; /* what the other endpoint does not answer stays as it is */
  gboolean answered = n_again > 0 && sv_nodes_ask (nodes, nodes->n - 1 - nodes->current, again, n_again, &ignored);
  for (gsize i = 0; i < n_again; i++)
  {
    if (answered)
      take_answer (&calls[places[i]], &again[i]);
    sv_rpc_call_clear (&again[i]);
  }
  return TRUE;
}

json_t *
sv_nodes_call (SvNodes *nodes, const char *method, json_t *params, GError **error)
{
  SvRpcCall call = { .method = method, .params = params };
  json_t *result = NULL;
  if (sv_nodes_perform_archive (nodes, &call, 1, error) && sv_rpc_take_error (&call, error))
    result = g_steal_pointer (&call.result);
  sv_rpc_call_clear (&call);
  return result;
}

/* ── parameters and answers ── */

json_t *
sv_params (const char *first, ...)
{
  json_t *params = json_array ();
  va_list rest;
  va_start (rest, first);
  for (const char *text = first; text; text = va_arg (rest, const char *))
    json_array_append_new (params, json_string (text));
  va_end (rest);
  return params;
}

GBytes *
sv_answer_bytes (const char *what, const json_t *answer, GError **error)
{
  const char *text = json_string_value (answer);
  gsize length = text && g_str_has_prefix (text, "0x") ? strlen (text + 2) : 1;
  g_autofree guint8 *bytes = g_malloc (length / 2 + 1);
  if (length % 2 == 0 && sv_hex_decode (text + 2, TRUE, bytes, length / 2))
    return g_bytes_new_take (g_steal_pointer (&bytes), length / 2);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: the node's answer is not bytes in hex", what);
  return NULL;
}

#define METHOD_NOT_FOUND (-32601) /* JSON-RPC 2.0 */

gboolean
sv_rpc_take_error (SvRpcCall *call, GError **error)
{
  if (!call->error)
    return TRUE;
  gboolean may_be_had = sv_rpc_is_pruned (call->error) || sv_rpc_error_code (call->error) == METHOD_NOT_FOUND;
  if (may_be_had)
    g_set_error_literal (error, SV_ERROR, SV_ERROR_UNREACHABLE, call->error->message);
  else
    g_propagate_error (error, g_steal_pointer (&call->error));
  return FALSE;
}
