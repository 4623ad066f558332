/* Hashes and headers. A node says which block stands at a height; that the header it then gives is that block's is checked by
 * hashing it, and that a stretch is one chain by following the parents. */
#include "chain/subtensor/headers.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

#define MAX_HASHES 1000 /* numbers put into one call */

void
sv_set_reorganised (const SvNodes *nodes, guint64 number, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s: the chain was reorganised at block %" G_GUINT64_FORMAT " while it was read; trying again helps",
               sv_nodes_shown (nodes), number);
}

/* ── hashes ── */

static gboolean
is_hash (const json_t *json)
{
  guint8 bytes[32];
  const char *text = json_string_value (json);
  return text && json_string_length (json) == SV_BLOCK_HASH_TEXT - 1 && g_str_has_prefix (text, "0x") &&
         sv_hex_decode (text + 2, FALSE, bytes, sizeof bytes);
}

/* Adds what the answer lists; FALSE where the chain ends. */
static gboolean
take_hashes (const json_t *answer, gsize expected, GPtrArray *hashes, gboolean *is_whole)
{
  *is_whole = json_array_size (answer) == expected;
  for (gsize i = 0; i < expected && *is_whole; i++)
  {
    const json_t *hash = json_array_get (answer, i);
    if (!is_hash (hash))
    {
      *is_whole = json_is_null (hash);
      return FALSE;
    }
    g_ptr_array_add (hashes, g_strdup (json_string_value (hash)));
  }
  return *is_whole;
}

GPtrArray *
sv_hashes_read (SvNodes *nodes, guint64 first, guint64 last, GError **error)
{
  g_autoptr (GPtrArray) hashes = g_ptr_array_new_with_free_func (g_free);
  gboolean goes_on = TRUE;
  while (goes_on && first <= last)
  {
    gboolean is_whole;
    json_t *numbers = json_array ();
    for (; first <= last && json_array_size (numbers) < MAX_HASHES; first++)
      json_array_append_new (numbers, sv_json_integer (first));
    gsize expected = json_array_size (numbers);
    g_autoptr (json_t) answer = sv_nodes_call (nodes, "chain_getBlockHash", json_pack ("[o]", numbers), error);
    if (!answer)
      return NULL;
    goes_on = take_hashes (answer, expected, hashes, &is_whole);
    if (is_whole)
      continue;
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: its answer to chain_getBlockHash is no list of hashes",
                 sv_nodes_shown (nodes));
    return NULL;
  }
  return g_steal_pointer (&hashes);
}

static gboolean
compare_hashes (const SvNodes *nodes, guint other, guint64 first, const GPtrArray *ours, const GPtrArray *theirs,
                GError **error)
{
  for (guint i = 0; i < theirs->len; i++)
  {
    if (strcmp (ours->pdata[i], theirs->pdata[i]) == 0)
      continue;
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "the chain endpoints do not agree: block %" G_GUINT64_FORMAT
                 ", which is final, is %s on %s and %s on %s; find out which of them is right, and configure no other",
                 first + i, (const char *)ours->pdata[i], sv_nodes_shown (nodes), (const char *)theirs->pdata[i],
                 sv_rpc_endpoint (nodes->all[other].rpc));
    return FALSE;
  }
  return TRUE;
}

/* What the other endpoint lacks, or cannot tell now, it does not contradict. */
gboolean
sv_hashes_confirm (SvNodes *nodes, guint64 first, const GPtrArray *hashes, guint n, GError **error)
{
  g_autoptr (GPtrArray) theirs = g_ptr_array_new_with_free_func (g_free);
  guint other;
  if (n == 0 || !sv_nodes_other (nodes, &other))
    return TRUE;
  json_t *numbers = json_array ();
  for (guint i = 0; i < n; i++)
    json_array_append_new (numbers, sv_json_integer (first + i));
  SvRpcCall call = { .method = "chain_getBlockHash", .params = json_pack ("[o]", numbers) };
  gboolean is_whole;
  if (sv_nodes_ask (nodes, other, &call, 1, NULL) && !call.error)
    (void)!take_hashes (call.result, n, theirs, &is_whole);
  sv_rpc_call_clear (&call);
  return compare_hashes (nodes, other, first, hashes, theirs, error);
}

/* ── headers ── */

gboolean
sv_header_check (const SvNodes *nodes, const char *endpoint, const json_t *json, const char *hash, SvHeader *header,
                 GError **error)
{
  if (json_is_null (json))
  {
    g_set_error (
        error, SV_ERROR, SV_ERROR_UNREACHABLE,
        "%s names block %s and does not have it (several nodes may stand behind this address); trying again may help, or "
        "another endpoint does",
        endpoint, hash);
    return FALSE;
  }
  if (!sv_header_from_json (json, header, error))
  {
    g_prefix_error (error, "%s: ", endpoint);
    return FALSE;
  }
  if (header->number == 0 && strcmp (hash, nodes->genesis) == 0)
    g_strlcpy (header->hash, hash, sizeof header->hash);
  if (strcmp (header->hash, hash) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s lies about block %" G_GUINT64_FORMAT
               ": the header it gives for %s hashes to %s; do not trust this endpoint, use another one",
               endpoint, header->number, hash, header->hash);
  return FALSE;
}

static gboolean
take_header (const SvNodes *nodes, SvRpcCall *call, const char *hash, guint64 number, GPtrArray *headers, GError **error)
{
  g_autofree SvHeader *header = g_new0 (SvHeader, 1);
  const SvHeader *before = headers->len > 0 ? headers->pdata[headers->len - 1] : NULL;
  if (call->error)
  {
    g_propagate_error (error, g_steal_pointer (&call->error));
    return FALSE;
  }
  if (!sv_header_check (nodes, call->endpoint, call->result, hash, header, error))
    return FALSE;
  if (header->number != number || (before && strcmp (header->parent, before->hash) != 0))
  {
    sv_set_reorganised (nodes, number, error);
    return FALSE;
  }
  g_ptr_array_add (headers, g_steal_pointer (&header));
  return TRUE;
}

GPtrArray *
sv_headers_read (SvNodes *nodes, guint64 first, guint64 last, GError **error)
{
  g_autoptr (GPtrArray) hashes = sv_hashes_read (nodes, first, last, error);
  if (!hashes)
    return NULL;
  if (hashes->len != last - first + 1)
  {
    sv_set_reorganised (nodes, first + hashes->len, error);
    return NULL;
  }
  g_autoptr (GPtrArray) headers = g_ptr_array_new_with_free_func (g_free);
  g_autofree SvRpcCall *calls = g_new0 (SvRpcCall, hashes->len);
  for (guint i = 0; i < hashes->len; i++)
    calls[i] = (SvRpcCall){ .method = "chain_getHeader", .params = sv_params (hashes->pdata[i], NULL) };
  gboolean done = sv_nodes_perform (nodes, calls, hashes->len, error);
  for (guint i = 0; i < hashes->len; i++)
  {
    done = done && take_header (nodes, &calls[i], hashes->pdata[i], first + i, headers, error);
    sv_rpc_call_clear (&calls[i]);
  }
  return done ? g_steal_pointer (&headers) : NULL;
}
