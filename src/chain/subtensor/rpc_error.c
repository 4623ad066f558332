/* What the errors of nodes mean. There is no standard for it: the codes of jsonrpsee (which Substrate nodes are built on), of
 * Ethereum's list that gateways follow, and the words that both use, were collected here. */
#include <string.h>

#include "chain/subtensor/rpc_message.h"

static gboolean
is_one_of (gint64 code, const gint64 *codes, gsize n_codes)
{
  for (gsize i = 0; i < n_codes; i++)
    if (codes[i] == code)
      return TRUE;
  return FALSE;
}

static gboolean
has_one_of (const char *words, const char *const *phrases)
{
  for (; *phrases != NULL; phrases++)
    if (strstr (words, *phrases) != NULL)
      return TRUE;
  return FALSE;
}

/* Codes of Substrate's own rooms (author, chain, state …) are positive: such an error is about the call, whatever its words
 * are. A runtime's "rate limit exceeded" for a transaction must not be taken for a busy endpoint. */
static gboolean
is_of_substrate (gint64 code)
{
  return code >= 1000;
}

/* "The batch request was too large", "batch request count exceeded limit of 100", "Response is too big". */
static gboolean
is_too_large (gint64 code, const char *words)
{
  static const gint64 codes[] = { -32007, -32008, -32010, -32011, -32701, -32702 };
  static const char *const phrases[] = { "is too big", "was too large", "is too large", "too many calls in", NULL };
  static const char *const excesses[] = { "exceed", "too ", "limit", "max", NULL };
  gboolean is_rate = strstr (words, "rate") != NULL;
  if (strstr (words, "is busy") != NULL)
    return FALSE; /* older nodes say so with a code that newer ones have for large batches */
  return is_one_of (code, codes, G_N_ELEMENTS (codes)) || has_one_of (words, phrases) ||
         (strstr (words, "batch") != NULL && !is_rate && has_one_of (words, excesses));
}

/* jsonrpsee's "Batched requests are not supported by this server" has the code that others use for a limit. */
static gboolean
is_no_batch (gint64 code, const char *words)
{
  static const gint64 codes[] = { -32600, -32601, -32602, -32700 };
  static const char *const phrases[] = { "not support", "unsupported", "not allowed", "disabled", "not enabled", NULL };
  return (strstr (words, "batch") != NULL && has_one_of (words, phrases)) || is_one_of (code, codes, G_N_ELEMENTS (codes));
}

static gboolean
is_busy (gint64 code, const char *words)
{
  static const gint64 codes[] = { -32004, -32005, -32009, -32029, -32604, -32999, 429 };
  static const char *const phrases[] = {
    "rate limit", "rate-limit",     "ratelimit",     "too many requests", "too many calls", "quota",         "budget",
    "throttl",    "limit exceeded", "limit reached", "is busy",           "try again",      "over capacity", NULL
  };
  static const char *const others[] = { "not support", "unsupported", "subscription", NULL };
  if (has_one_of (words, phrases))
    return TRUE;
  return is_one_of (code, codes, G_N_ELEMENTS (codes)) && !has_one_of (words, others);
}

static gboolean
is_gone (const char *words)
{
  static const char *const phrases[] = { "already discarded", "state is pruned",      "state not available",
                                         "missing trie node", "missing expected key", NULL };
  return has_one_of (words, phrases);
}

static gboolean
is_unknown (const char *words)
{
  static const char *const phrases[] = { "unknownblock",
                                         "unknown block",
                                         "called for an invalid block",
                                         "header was not found",
                                         "failed to get header",
                                         "block number from id",
                                         NULL };
  gboolean is_of_block = strstr (words, "block not found") != NULL || strstr (words, "block 0x") != NULL;
  return has_one_of (words, phrases) || (is_of_block && strstr (words, "not found") != NULL);
}

SvRpcKind
sv_rpc_error_kind (gint64 code, const char *words, gboolean is_batch)
{
  g_autofree char *lower = g_ascii_strdown (words, -1);
  gboolean is_transaction = code >= 1000 && code < 2000;
  if (is_gone (lower) && !is_transaction)
    return SV_RPC_GONE;
  if (is_unknown (lower) && !is_transaction)
    return SV_RPC_UNKNOWN;
  if (is_of_substrate (code))
    return SV_RPC_ERROR;
  if (is_batch && is_no_batch (code, lower))
    return SV_RPC_NO_BATCH;
  if (is_too_large (code, lower))
    return SV_RPC_TOO_LARGE;
  if (is_busy (code, lower))
    return SV_RPC_BUSY;
  return SV_RPC_ERROR;
}
