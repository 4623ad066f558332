#include "model_node.h"

#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "chain/subtensor/scale.h"

/* ── blocks ── */

static guint64
best_of (const ModelNode *node)
{
  return MIN (node->best, model_best (node->model));
}

static guint64
final_of (const ModelNode *node)
{
  return MIN (node->final, node->model->final);
}

static json_t *
hash_at (const ModelNode *node, const json_t *number)
{
  guint64 height = (guint64)json_number_value (number);
  return height <= best_of (node) ? json_string (model_block (node->model, height)->hash) : json_null ();
}

static json_t *
answer_hash (const ModelNode *node, const json_t *numbers)
{
  if (!json_is_array (numbers))
    return hash_at (node, numbers);
  json_t *list = json_array ();
  for (gsize i = 0; i < json_array_size (numbers); i++)
    json_array_append_new (list, hash_at (node, json_array_get (numbers, i)));
  return list;
}

/* The block that a parameter names, the best without one. NULL where the node has none. */
static ModelBlock *
named_block (const ModelNode *node, const json_t *hash)
{
  if (!hash)
    return model_block (node->model, best_of (node));
  ModelBlock *block = model_find (node->model, json_string_value (hash));
  return block && block->number <= node->best ? block : NULL;
}

static json_t *
answer_body (const ModelNode *node, const ModelBlock *block)
{
  if (!block || block->number < node->bodies_from)
    return json_null ();
  json_t *extrinsics = json_array ();
  for (guint i = 0; i < block->extrinsics->len; i++)
  {
    GBytes *bytes = block->extrinsics->pdata[i];
    g_autofree char *hex = sv_hex_encode (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    g_autofree char *text = g_strconcat ("0x", hex, NULL);
    json_array_append_new (extrinsics, json_string (text));
  }
  return json_pack ("{s:{s:O, s:o}}", "block", "header", block->header, "extrinsics", extrinsics);
}

/* ── state ── */

static json_t *
answer_version (const ModelBlock *block)
{
  return json_pack ("{s:s, s:i, s:i}", "specName", "small-runtime", "specVersion", (int)block->runtime->spec_version,
                    "transactionVersion", 1);
}

static int
compare_keys (const void *a, const void *b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static json_t *
answer_keys (const ModelBlock *block, const json_t *params)
{
  const char *prefix = json_string_value (json_array_get (params, 0));
  gsize limit = (gsize)json_number_value (json_array_get (params, 1));
  const char *after = json_string_value (json_array_get (params, 2));
  g_autofree gpointer *keys = g_hash_table_get_keys_as_array (block->state, NULL);
  json_t *page = json_array ();
  qsort (keys, g_hash_table_size (block->state), sizeof *keys, compare_keys);
  for (guint i = 0; i < g_hash_table_size (block->state) && json_array_size (page) < limit; i++)
    if (g_str_has_prefix (keys[i], prefix) && (!after || strcmp (keys[i], after) > 0))
      json_array_append_new (page, json_string (keys[i]));
  return page;
}

static json_t *
answer_metadata (const ModelBlock *block)
{
  GBytes *bytes = block->runtime->bytes;
  g_autofree char *hex = sv_hex_encode (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autofree char *text = g_strconcat ("0x", hex, NULL);
  return json_string (text);
}

/* Metadata_metadata_at_version: an optional byte vector. */
static json_t *
answer_metadata_at (const ModelBlock *block)
{
  GBytes *bytes = block->runtime->bytes;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  sv_scale_put_u8 (out, 1);
  sv_scale_put_bytes (out, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autofree char *hex = sv_hex_encode (out->data, out->len);
  g_autofree char *text = g_strconcat ("0x", hex, NULL);
  return json_string (text);
}

static json_t *
answer_state (const ModelNode *node, const ModelBlock *block, const char *method, const json_t *params)
{
  const char *first = json_string_value (json_array_get (params, 0));
  const char *value = NULL;
  if (strcmp (method, "state_getRuntimeVersion") == 0)
    return answer_version (block);
  if (strcmp (method, "state_getMetadata") == 0)
    return answer_metadata (block);
  if (strcmp (method, "state_getKeysPaged") == 0)
    return answer_keys (block, params);
  if (strcmp (method, "state_getStorage") == 0)
    return (value = g_hash_table_lookup (block->state, first)) ? json_string (value) : json_null ();
  if (node->versions && strcmp (first, "Metadata_metadata_versions") == 0)
    return json_string (node->versions);
  return node->versions ? answer_metadata_at (block) : NULL;
}

/* ── extrinsics ── */

static json_t *
take_extrinsic (ModelNode *node, const char *hex)
{
  gsize length = strlen (hex) / 2 - 1;
  g_autofree guint8 *data = g_malloc (length);
  guint8 digest[SV_BLAKE2B_256_SIZE];
  g_assert_true (sv_hex_decode (hex + 2, FALSE, data, length));
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  sv_blake2b_256 (data, length, digest);
  g_autofree char *digits = sv_hex_encode (digest, sizeof digest);
  g_autofree char *hash = g_strconcat ("0x", digits, NULL);
  g_ptr_array_add (node->submitted, g_strdup (hex));
  if (node->keeps_what_it_got)
    model_queue_bytes (node->model, bytes, MODEL_SUCCEEDS);
  return json_string (hash);
}

/* ── answers ── */

static json_t *
error_of (int code, const char *words)
{
  return json_pack ("{s:i, s:s}", "code", code, "message", words);
}

/* NULL with *@error set for what has none. */
static json_t *
answer_method (ModelNode *node, const char *method, const json_t *params, json_t **error)
{
  gboolean is_state = g_str_has_prefix (method, "state_");
  const json_t *first = json_array_get (params, 0);
  gsize n = json_array_size (params);
  const json_t *hash = is_state ? (n > 0 ? json_array_get (params, n - 1) : NULL) : first;
  if (strcmp (method, "chain_getBlockHash") == 0)
    return answer_hash (node, first);
  if (strcmp (method, "chain_getFinalizedHead") == 0)
    return json_string (model_block (node->model, final_of (node))->hash);
  if (strcmp (method, "system_accountNextIndex") == 0)
    return sv_json_integer (node->nonce);
  if (strcmp (method, "author_submitExtrinsic") == 0)
    return take_extrinsic (node, json_string_value (first));
  const ModelBlock *block = named_block (node, hash);
  if (strcmp (method, "chain_getBlock") == 0)
    return answer_body (node, block);
  if (strcmp (method, "chain_getHeader") == 0)
    return block ? json_incref (block->header) : json_null ();
  json_t *answer = NULL;
  if (is_state && (!block || block->number < node->state_from))
    *error = error_of (4003, "Client error: UnknownBlock: State already discarded for the block");
  else if (is_state)
    answer = answer_state (node, block, method, params);
  if (!answer && !*error)
    *error = error_of (-32601, "Method not found");
  return answer;
}

static json_t *
answer_call (ModelNode *node, const json_t *call)
{
  const char *method = json_string_value (json_object_get (call, "method"));
  const json_t *params = json_object_get (call, "params");
  json_t *id = json_object_get (call, "id"), *error = NULL, *result = NULL;
  g_ptr_array_add (node->asked, g_strdup (method));
  if (node->before)
    node->before (node, method, params);
  if (node->failing && strcmp (node->failing, method) == 0)
    error = error_of (node->code, node->words);
  else
    result = answer_method (node, method, params, &error);
  if (result && node->meddle)
    node->meddle (node, method, params, &result);
  return result ? json_pack ("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "result", result)
                : json_pack ("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "error", error);
}

static json_t *
answer_request (ModelNode *node, const json_t *request)
{
  if (!json_is_array (request))
    return answer_call (node, request);
  json_t *answers = json_array ();
  for (gsize i = 0; i < json_array_size (request); i++)
    json_array_append_new (answers, answer_call (node, json_array_get (request, i)));
  return answers;
}

static gboolean
answer (TinyServer *server, int fd, const char *request, gpointer data)
{
  ModelNode *node = data;
  const char *body = strstr (request, "\r\n\r\n");
  g_autoptr (json_t) json = body ? json_loads (body + 4, 0, NULL) : NULL;
  g_assert_nonnull (json);
  g_autoptr (json_t) answers = node->is_down ? NULL : answer_request (node, json);
  g_autofree char *text = answers ? json_dumps (answers, JSON_COMPACT) : g_strdup ("");
  g_autofree char *head = g_strdup_printf ("HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                                           node->is_down ? "404 Not Found" : "200 OK", strlen (text));
  tiny_send_text (fd, head);
  tiny_send_text (fd, text);
  return FALSE;
}

void
model_node_start (ModelNode *node, ChainModel *model)
{
  *node = (ModelNode){ .model = model, .best = G_MAXUINT64, .final = G_MAXUINT64 };
  node->asked = g_ptr_array_new_with_free_func (g_free);
  node->submitted = g_ptr_array_new_with_free_func (g_free);
  node->server = tiny_server_new (answer, node);
  node->url = tiny_server_url (node->server, "");
}

void
model_node_stop (ModelNode *node)
{
  g_clear_pointer (&node->server, tiny_server_free);
  g_clear_pointer (&node->asked, g_ptr_array_unref);
  g_clear_pointer (&node->submitted, g_ptr_array_unref);
  g_clear_pointer (&node->url, g_free);
}

guint
model_node_count (const ModelNode *node, const char *method)
{
  guint n = 0;
  for (guint i = 0; i < node->asked->len; i++)
    n += !method || strcmp (node->asked->pdata[i], method) == 0;
  return n;
}

void
model_node_forget (ModelNode *node)
{
  g_ptr_array_set_size (node->asked, 0);
}

guint
model_node_n_requests (const ModelNode *node)
{
  return tiny_server_n_requests (node->server);
}
