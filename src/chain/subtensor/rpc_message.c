#include "chain/subtensor/rpc_message.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

void
sv_rpc_call_clear (SvRpcCall *call)
{
  g_clear_pointer (&call->params, json_decref);
  g_clear_pointer (&call->result, json_decref);
  g_clear_error (&call->error);
}

void
sv_rpc_reply_clear (SvRpcReply *reply)
{
  g_clear_pointer (&reply->result, json_decref);
  g_clear_pointer (&reply->text, g_free);
  *reply = (SvRpcReply){ 0 };
}

static void
clear_reply (gpointer reply)
{
  sv_rpc_reply_clear (reply);
}

GArray *
sv_rpc_replies_new (gsize n_calls)
{
  GArray *replies = g_array_sized_new (FALSE, TRUE, sizeof (SvRpcReply), (guint)n_calls);
  g_array_set_clear_func (replies, clear_reply);
  g_array_set_size (replies, (guint)n_calls);
  return replies;
}

/* ---- requests ---- */

static json_t *
call_to_json (const SvRpcCall *call, guint64 id)
{
  json_t *params = call->params != NULL ? json_incref (call->params) : json_array ();
  return json_pack ("{s:s, s:o, s:s, s:o}", "jsonrpc", "2.0", "id", sv_json_integer (id), "method", call->method, "params",
                    params);
}

GBytes *
sv_rpc_request_new (SvRpcCall *const *calls, gsize n_calls, guint64 first_id, GError **error)
{
  g_autoptr (json_t) request = n_calls == 1 ? call_to_json (calls[0], first_id) : json_array ();
  g_autoptr (GError) local = NULL;
  for (gsize i = 0; n_calls > 1 && i < n_calls; i++)
    json_array_append_new (request, call_to_json (calls[i], first_id + i));
  GBytes *bytes = sv_json_canonical (request, &local);
  if (bytes == NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "the parameters of %s cannot be written as JSON: %s", calls[0]->method,
                 local->message);
  return bytes;
}

/* ---- answers ---- */

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "it is not an answer of JSON-RPC 2.0: %s", what);
  return FALSE;
}

/* The code of an error; what is no whole number of reasonable size is none. */
static gint64
read_code (const json_t *error)
{
  double code = json_number_value (json_object_get (error, "code"));
  return fabs (code) <= (double)SV_JSON_MAX_INTEGER && code == trunc (code) ? (gint64)code : 0;
}

/* Message and data in one: nodes put what matters into either of them. Returns: (transfer full). */
static char *
read_words (const json_t *error)
{
  const char *message =
      json_is_string (error) ? json_string_value (error) : json_string_value (json_object_get (error, "message"));
  const json_t *data = json_object_get (error, "data");
  g_autofree char *other = NULL;
  if (message == NULL)
    message = "(without a message)";
  if (data == NULL || json_is_null (data))
    return g_strdup (message);
  if (!json_is_string (data))
    other = sv_json_canonical_string (data);
  return g_strconcat (message, ": ", other != NULL ? other : json_string_value (data), NULL);
}

/* "… exceeded limit of 100" names how many calls a batch may have; 0 where nothing of the kind is said. */
static guint
read_limit (gint64 code, const char *words)
{
  const char *limit = strstr (words, "limit of ");
  if (limit == NULL || (code != -32010 && strstr (words, "batch request") == NULL))
    return 0;
  return (guint)MIN (g_ascii_strtoull (limit + strlen ("limit of "), NULL, 10), G_MAXINT);
}

static gboolean
read_error (const json_t *from, gboolean is_batch, SvRpcReply *reply, GError **error)
{
  if (!json_is_object (from) && !json_is_string (from))
    return refuse (error, "\"error\" is not an object");
  g_autofree char *words = read_words (from);
  reply->code = read_code (from);
  reply->kind = sv_rpc_error_kind (reply->code, words, is_batch);
  reply->text = sv_text_printable (words);
  reply->limit = reply->kind == SV_RPC_TOO_LARGE ? read_limit (reply->code, words) : 0;
  return TRUE;
}

static gboolean
read_reply (const json_t *from, gboolean is_batch, SvRpcReply *reply, GError **error)
{
  json_t *result = json_object_get (from, "result");
  const json_t *fault = json_object_get (from, "error");
  if ((result != NULL) == (fault != NULL))
    return refuse (error, "it has %s", result != NULL ? "both \"result\" and \"error\"" : "neither \"result\" nor \"error\"");
  if (fault != NULL)
    return read_error (fault, is_batch, reply, error);
  reply->kind = SV_RPC_RESULT;
  reply->result = json_incref (result);
  return TRUE;
}

static gboolean
check_version (const json_t *from, GError **error)
{
  const char *version = json_string_value (json_object_get (from, "jsonrpc"));
  if (!json_is_object (from))
    return refuse (error, "an object was expected");
  return g_strcmp0 (version, "2.0") == 0 ? TRUE : refuse (error, "\"jsonrpc\" is not \"2.0\"");
}

/* (transfer none) the reply that @id belongs to, or NULL. */
static SvRpcReply *
find_reply (GArray *replies, const json_t *id, guint64 first_id)
{
  double offset = json_number_value (id) - (double)first_id;
  if (!json_is_number (id) || !(offset >= 0 && offset < replies->len) || offset != trunc (offset))
    return NULL;
  return &g_array_index (replies, SvRpcReply, (guint)offset);
}

static gboolean
read_item (const json_t *item, guint64 first_id, GArray *replies, GError **error)
{
  const json_t *id = json_object_get (item, "id");
  SvRpcReply *reply = find_reply (replies, id, first_id);
  if (!check_version (item, error))
    return FALSE;
  if (reply == NULL && replies->len == 1 && json_is_null (id) && json_object_get (item, "error") != NULL)
    reply = &g_array_index (replies, SvRpcReply, 0); /* a node that could not read the request does not know its id */
  if (reply == NULL)
    return refuse (error, "its \"id\" is none that was asked");
  if (reply->kind != SV_RPC_NOTHING)
    return refuse (error, "two answers have the same \"id\"");
  return read_reply (item, FALSE, reply, error);
}

/* One object for a whole batch: only an error can be that. */
static gboolean
read_whole (const json_t *answer, SvRpcReply *whole, GError **error)
{
  if (!check_version (answer, error))
    return FALSE;
  if (json_object_get (answer, "error") == NULL)
    return refuse (error, "an array was expected for several calls");
  return read_reply (answer, TRUE, whole, error);
}

static gboolean
read_answer (const json_t *answer, guint64 first_id, GArray *replies, SvRpcReply *whole, GError **error)
{
  if (replies->len == 1)
    return read_item (answer, first_id, replies, error);
  if (!json_is_array (answer))
    return read_whole (answer, whole, error);
  for (gsize i = 0; i < json_array_size (answer); i++)
    if (!read_item (json_array_get (answer, i), first_id, replies, error))
      return FALSE;
  return TRUE;
}

static void
clear_replies (GArray *replies)
{
  for (guint i = 0; i < replies->len; i++)
    sv_rpc_reply_clear (&g_array_index (replies, SvRpcReply, i));
}

gboolean
sv_rpc_read_answer (const void *data, gsize length, guint64 first_id, GArray *replies, SvRpcReply *whole, GError **error)
{
  g_autoptr (json_t) answer = sv_json_parse ("its answer", data, length, SV_RPC_MAX_ANSWER, error);
  if (answer == NULL)
    return FALSE;
  if (read_answer (answer, first_id, replies, whole, error))
    return TRUE;
  clear_replies (replies);
  sv_rpc_reply_clear (whole);
  return FALSE;
}
