#include "subtensor_node.h"

#include <gio/gio.h>
#include <stdarg.h>

#include "base/http_client.h"

struct SubtensorNode
{
  GSubprocess *process;
  GDataInputStream *output;
  SvHttpClient *http;
  char *endpoint;
};

/* The first line that the program writes: what it is ready for. */
static char *
first_line (SubtensorNode *node)
{
  node->output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (node->process));
  return g_data_input_stream_read_line_utf8 (node->output, NULL, NULL, NULL);
}

SubtensorNode *
subtensor_node_start (char **reason)
{
  g_autoptr (GError) error = NULL;
  SubtensorNode *node = g_new0 (SubtensorNode, 1);
  node->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "node",
                                    SV_SOURCE_ROOT "/tests/support/subtensor/node.mjs", NULL);
  g_autofree char *line = node->process ? first_line (node) : NULL;
  if (line && g_str_has_prefix (line, "endpoint "))
  {
    node->endpoint = g_strdup (line + strlen ("endpoint "));
    node->http = sv_http_client_new ();
    return node;
  }
  if (line && g_str_has_prefix (line, "absent "))
    *reason = g_strconcat ("no Subtensor node: ", line + strlen ("absent "), NULL);
  else if (error)
    *reason = g_strconcat ("no Subtensor node: ", error->message, NULL);
  else
    g_error ("the Subtensor node did not start: %s", line ? line : "it said nothing");
  subtensor_node_stop (node);
  return NULL;
}

/* The program ends when its standard input does. */
void
subtensor_node_stop (SubtensorNode *node)
{
  if (!node)
    return;
  if (node->process)
  {
    g_output_stream_close (g_subprocess_get_stdin_pipe (node->process), NULL, NULL);
    g_subprocess_wait (node->process, NULL, NULL);
  }
  g_clear_object (&node->output);
  g_clear_object (&node->process);
  g_clear_pointer (&node->http, sv_http_client_free);
  g_free (node->endpoint);
  g_free (node);
}

const char *
subtensor_node_endpoint (const SubtensorNode *node)
{
  return node->endpoint;
}

json_t *
subtensor_node_call (SubtensorNode *node, const char *method, json_t *params)
{
  g_autoptr (GError) error = NULL;
  json_t *call = json_pack ("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1, "method", method, "params",
                            params ? params : json_array ());
  char *text = json_dumps (call, JSON_COMPACT);
  const char *const headers[] = { "Content-Type: application/json", NULL };
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  SvHttpRequest request = {
    .method = "POST", .url = node->endpoint, .headers = headers, .body = body, .limits = SV_HTTP_LIMITS_DEFAULT
  };
  g_autoptr (SvHttpResponse) response = sv_http_perform (node->http, &request, &error);
  g_assert_no_error (error);
  gsize length;
  const char *said = g_bytes_get_data (response->body, &length);
  json_t *answer = json_loadb (said, length, 0, NULL);
  json_t *result = json_object_get (answer, "result");
  if (!result)
    g_error ("%s: %.*s", text, (int)length, said);
  json_incref (result);
  json_decref (answer);
  json_decref (call);
  free (text);
  return result;
}

void
subtensor_node_do (SubtensorNode *node, const char *method, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  json_t *params = json_vpack_ex (NULL, 0, format, arguments);
  va_end (arguments);
  g_assert_nonnull (params);
  json_decref (subtensor_node_call (node, method, params));
}
