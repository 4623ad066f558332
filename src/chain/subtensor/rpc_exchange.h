/* One HTTP request to a node, and what became of it. */
#pragma once

#include "base/http_client.h"
#include "chain/subtensor/rpc_endpoint.h"
#include "chain/subtensor/rpc_message.h"

typedef enum
{
  SV_RPC_ANSWERED,   /* the replies are filled in */
  SV_RPC_FAULTY,     /* no answer, or not one of JSON-RPC; it may pass */
  SV_RPC_STALLED,    /* the same, after a long time or with too much: fewer calls may help */
  SV_RPC_REFUSED,    /* more slowly, please */
  SV_RPC_TOO_MUCH,   /* fewer calls, please */
  SV_RPC_ONE_BY_ONE, /* single calls, please */
  SV_RPC_HOPELESS,   /* asking again will not help */
} SvRpcVerdict;

typedef struct
{
  SvRpcVerdict verdict;
  GArray *replies;    /* of SvRpcReply */
  char *why;          /* what the endpoint did, for a message; NULL where it answered */
  gint64 retry_after; /* milliseconds; -1 where it does not say */
  guint limit;        /* SV_RPC_TOO_MUCH: calls that it takes, or 0 */
} SvRpcExchange;

void sv_rpc_exchange_clear (SvRpcExchange *exchange);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvRpcExchange, sv_rpc_exchange_clear)

/* Asks for @calls with ids from @first_id on, for at most @timeout_ms. FALSE (SV_ERROR_USAGE) only where the request cannot be
 * written. */
gboolean sv_rpc_exchange_run (SvRpcExchange *exchange, SvHttpClient *http, const SvRpcEndpoint *endpoint,
                              SvRpcCall *const *calls, gsize n_calls, guint64 first_id, guint timeout_ms,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
