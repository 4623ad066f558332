/* Inside the Subtensor chain: the endpoints (BITTENSOR_SUBTENSOR_ENDPOINT, and BITTENSOR_SUBTENSOR_FALLBACK for when the first
 * does not answer), behind which all nodes must be of one chain. */
#pragma once

#include "base/config.h"
#include "chain/subtensor/rpc.h"

#define SV_MAX_NODES 2

typedef struct
{
  SvRpc *rpc;
  gboolean is_of_chain;    /* its genesis was compared */
  gint64 avoided_until_us; /* it did not answer: monotonic time from which it is asked again */
} SvNode;

typedef struct
{
  SvNode all[SV_MAX_NODES];
  guint n;
  guint current;    /* that answered last */
  char genesis[67]; /* of the first that answered; "" before */
} SvNodes;

gboolean sv_nodes_init (SvNodes *nodes, const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_nodes_clear (SvNodes *nodes);

/* TRUE for the names and URLs of section 10: finney, test, ws(s)://…, http(s)://…. */
gboolean sv_nodes_take (const char *endpoint);

/* (transfer none) the endpoint in use, as it may be shown. */
const char *sv_nodes_shown (const SvNodes *nodes);

/* The calls, by the first endpoint that answers. */
gboolean sv_nodes_perform (SvNodes *nodes, SvRpcCall *calls, gsize n_calls, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same; a call whose block or state is gone there is put to the other endpoint too, which may be an archive. */
gboolean sv_nodes_perform_archive (SvNodes *nodes, SvRpcCall *calls, gsize n_calls, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One call whose failure is an error, as above. @params is taken. Returns: (transfer full). */
json_t *sv_nodes_call (SvNodes *nodes, const char *method, json_t *params, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The endpoint beside the one in use, to confirm what that says: FALSE where there is none, or it did not answer lately. */
gboolean sv_nodes_other (const SvNodes *nodes, guint *other);

/* The calls by endpoint @which only; SV_ERROR_UNREACHABLE where it does not answer. */
gboolean sv_nodes_ask (SvNodes *nodes, guint which, SvRpcCall *calls, gsize n_calls, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How many calls to put together at most. */
guint sv_nodes_batch_size (const SvNodes *nodes);

/* JSON parameters that are all texts. Returns: (transfer full). */
json_t *sv_params (const char *first, ...) G_GNUC_NULL_TERMINATED;

/* The bytes of an answer "0x…". SV_ERROR_MALFORMED naming @what. Returns: (transfer full). */
GBytes *sv_answer_bytes (const char *what, const json_t *answer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE for a call that has a result; else its error becomes *@error: SV_ERROR_UNREACHABLE where another endpoint may answer. */
gboolean sv_rpc_take_error (SvRpcCall *call, GError **error) G_GNUC_WARN_UNUSED_RESULT;
