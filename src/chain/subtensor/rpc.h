/* JSON-RPC 2.0 over HTTP(S) to a Substrate node. `ws://` and `wss://` endpoints are spoken to as http and https on the same
 * host and port, where Substrate nodes serve both. One thread at a time.
 *
 * Paces itself: it begins at full speed, and a 429, a Retry-After, or an answer that a budget is spent (-32004 and kin) slows
 * it down to what the endpoint bears, from where it recovers step by step. Network faults, 5xx, 429 and spent budgets are tried
 * again with jittered back-off within the time limit (faults without any answer between them six times at most, so that an
 * endpoint that is down is given up before its time); what the node answers otherwise is an answer. A call may so reach the
 * node more than once: call what may be called twice only (a signed extrinsic may). */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct SvRpc SvRpc;

/* @endpoint is ws(s):// or http(s)://HOST[:PORT][/PATH]; SV_ERROR_USAGE for anything else, and for user:password@ in it. No
 * connection is made yet. Returns: (transfer full). */
SvRpc *sv_rpc_new (const char *endpoint, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_rpc_free (SvRpc *rpc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvRpc, sv_rpc_free)

/* (transfer none) for messages: scheme, host and port; path and query may hold keys, and are "/…". */
const char *sv_rpc_endpoint (const SvRpc *rpc);

/* Time that one sv_rpc_perform() may take with all its attempts; 60 s unless set. */
void sv_rpc_set_timeout (SvRpc *rpc, guint milliseconds);

/* How many calls go into one request at present, 1 to 256: for whoever wants to read ahead by what one request takes. */
guint sv_rpc_batch_size (const SvRpc *rpc);

typedef struct
{
  const char *method;
  json_t *params;       /* an array, or NULL for an empty one; (transfer full): freed by sv_rpc_call_clear() */
  json_t *result;       /* set on success (JSON null too); every number in it is a real (base/json.h) */
  GError *error;        /* set where the node answered with an error: see sv_rpc_error_code() and sv_rpc_is_pruned() */
  gboolean is_there;    /* the chain has it: a null means that the endpoint does not */
  const char *endpoint; /* set with either: sv_rpc_endpoint() of who answered */
} SvRpcCall;

void sv_rpc_call_clear (SvRpcCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvRpcCall, sv_rpc_call_clear)

/* Performs all calls, in one HTTP request where they fit into one (the largest batch that an endpoint takes is learnt: one that
 * refuses batches, or an answer that is too large, makes batches smaller down to single calls). TRUE when every call has a
 * result or an error of its own; FALSE (SV_ERROR_UNREACHABLE, naming the endpoint and what it did) when the endpoint did not
 * answer, or not JSON-RPC, within the time limit; calls answered until then keep what they have, and are not performed again
 * when the same array is. Every answer is matched to its call by id. */
gboolean sv_rpc_perform (SvRpc *rpc, SvRpcCall *calls, gsize n_calls, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One call. An error that the node answers is *@error. @params (NULL for none) is taken. Returns: (transfer full). */
json_t *sv_rpc_call (SvRpc *rpc, const char *method, json_t *params, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An error that the node answered is SV_ERROR_FAILED, SV_ERROR_NOT_FOUND where sv_rpc_is_pruned(), SV_ERROR_UNREACHABLE where
 * sv_rpc_is_unknown(). These functions are for the errors of calls only. */

/* The node's own error code (-32601, 1010 …) of an error from here; 0 for others. The message holds the node's words. Holds
 * also for an error that got a prefix since; what comes after the message would hide the code. */
gint64 sv_rpc_error_code (const GError *error);
/* TRUE when the node said that it does not have the state any more ("State already discarded" …). */
gboolean sv_rpc_is_pruned (const GError *error);
/* TRUE when the node said that it does not have the block ("UnknownBlock" …): not yet, as where several nodes stand behind one
 * address, or not any more. */
gboolean sv_rpc_is_unknown (const GError *error);
