/* JSON-RPC 2.0 over HTTP(S) to a Substrate node. `ws://` and `wss://` endpoints are spoken to as http and https on the same host
 * and port, where Substrate nodes serve both. One thread at a time.
 *
 * Paces itself: it begins at full speed, and a 429, a Retry-After, or an answer that a budget is spent (-32004 and kin) slows
 * it down to what the endpoint bears, from where it recovers step by step. Network faults, 5xx, 429 and spent budgets are tried
 * again with jittered back-off within the time limit; what the node answers otherwise is an answer. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct SvRpc SvRpc;

/* @endpoint is ws(s):// or http(s)://HOST[:PORT][/PATH]; SV_ERROR_USAGE for anything else. No connection is made yet.
 * Returns: (transfer full). */
SvRpc *sv_rpc_new (const char *endpoint, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_rpc_free (SvRpc *rpc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvRpc, sv_rpc_free)

/* (transfer none) for messages: without passwords and keys (sv_config_mask). */
const char *sv_rpc_endpoint (const SvRpc *rpc);

/* Time that one sv_rpc_perform() may take with all its attempts; 60 s unless set. */
void sv_rpc_set_timeout (SvRpc *rpc, guint milliseconds);

typedef struct
{
  const char *method;
  json_t *params; /* an array; (transfer full): freed by sv_rpc_call_clear() */
  json_t *result; /* set on success (JSON null too) */
  GError *error;  /* set where the node answered with an error: see sv_rpc_error_code() and sv_rpc_is_pruned() */
} SvRpcCall;

void sv_rpc_call_clear (SvRpcCall *call);

/* Performs all calls, in one HTTP request where they fit into one (the largest batch that an endpoint takes is learnt: one that
 * refuses batches, or an answer that is too large, makes batches smaller down to single calls). TRUE when every call has a
 * result or an error of its own; FALSE (SV_ERROR_UNREACHABLE, naming the endpoint and what it did) when the endpoint did not
 * answer, or not JSON-RPC, within the time limit. Every answer is matched to its call by id. */
gboolean sv_rpc_perform (SvRpc *rpc, SvRpcCall *calls, gsize n_calls, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One call. An error that the node answers is *@error. @params is taken. Returns: (transfer full). */
json_t *sv_rpc_call (SvRpc *rpc, const char *method, json_t *params, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The node's own error code (-32601, 1010 …) of an error from here; 0 for others. The message holds the node's words. */
gint64 sv_rpc_error_code (const GError *error);
/* TRUE when the node said that it does not have the state or block any more ("State already discarded", "UnknownBlock" …). */
gboolean sv_rpc_is_pruned (const GError *error);
