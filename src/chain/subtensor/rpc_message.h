/* JSON-RPC 2.0 messages: requests written, answers read and matched to what was asked. No input or output: the answer is text
 * from outside, and nothing of it is believed but what has the form of an answer to these very calls. */
#pragma once

#include "chain/subtensor/rpc.h"

#define SV_RPC_MAX_ANSWER (64 * 1024 * 1024)

typedef enum
{
  SV_RPC_NOTHING, /* no answer */
  SV_RPC_RESULT,
  SV_RPC_ERROR,
  SV_RPC_GONE,      /* an error: the node does not have that state any more */
  SV_RPC_UNKNOWN,   /* an error: the node does not have that block: not yet, or not any more */
  SV_RPC_BUSY,      /* an error that passes: too many requests, budget spent, server busy */
  SV_RPC_TOO_LARGE, /* an error that fewer calls in one request may avoid */
  SV_RPC_NO_BATCH,  /* an error for a batch because it is one */
} SvRpcKind;

/* What the node says to a call, or to a whole request. */
typedef struct
{
  SvRpcKind kind;
  json_t *result;
  gint64 code; /* of an error; 0 where it has none */
  char *text;  /* of an error: the node's words, printable */
  guint limit; /* SV_RPC_TOO_LARGE: how many calls the node takes, 0 where it does not say */
} SvRpcReply;

void sv_rpc_reply_clear (SvRpcReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvRpcReply, sv_rpc_reply_clear)

/* (element-type SvRpcReply), all of them SV_RPC_NOTHING. Returns: (transfer full). */
GArray *sv_rpc_replies_new (gsize n_calls);

/* The request for @calls with the ids from @first_id on: a batch, unless it is one call only. SV_ERROR_USAGE where parameters
 * cannot be written. Returns: (transfer full). */
GBytes *sv_rpc_request_new (SvRpcCall *const *calls, gsize n_calls, guint64 first_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the answer to the request for replies->len calls from @first_id on. TRUE with @replies filled in (a call that has no
 * answer stays SV_RPC_NOTHING), or with @whole where one error answers a whole batch. FALSE (SV_ERROR_MALFORMED) for what is
 * not JSON, not JSON-RPC or not an answer to these calls: one unknown or repeated id, and the rest is not believed either. */
gboolean sv_rpc_read_answer (const void *data, gsize length, guint64 first_id, GArray *replies, SvRpcReply *whole,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What an error of @code that says @words means; @is_batch where it is the answer to a whole batch. */
SvRpcKind sv_rpc_error_kind (gint64 code, const char *words, gboolean is_batch);
