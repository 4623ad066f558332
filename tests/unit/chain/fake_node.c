#include "fake_node.h"

#include <jansson.h>
#include <string.h>

#include "base/json.h"

static json_t *
read_request_body (const char *request)
{
  const char *body = strstr (request, "\r\n\r\n");
  json_t *json = body != NULL ? json_loads (body + 4, 0, NULL) : NULL;
  g_assert_nonnull (json);
  return json;
}

/* (transfer none) */
static json_t *
call_at (json_t *request, gsize i)
{
  return json_is_array (request) ? json_array_get (request, i) : request;
}

static gsize
count_calls (const json_t *request)
{
  return json_is_array (request) ? json_array_size (request) : 1;
}

static json_t *
answer_call (const NodeStep *step, const json_t *call)
{
  json_t *parameter = json_array_get (json_object_get (call, "params"), 0);
  json_t *id = json_object_get (call, "id");
  gboolean is_odd = json_number_value (parameter) / 2 != (double)(gint64)(json_number_value (parameter) / 2);
  if (step->manner == NODE_ODD && is_odd)
    return json_pack ("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "error", json_loads (step->body, 0, NULL));
  json_t *result = parameter != NULL ? json_incref (parameter) : json_null ();
  return json_pack ("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "result", result);
}

static char *
make_answer (const NodeStep *step, json_t *request)
{
  gsize n_calls = count_calls (request);
  g_autoptr (json_t) answers = json_array ();
  if (step->manner == NODE_HALF)
    n_calls = (n_calls + 1) / 2;
  for (gsize i = 0; i < n_calls; i++)
    json_array_append_new (answers, answer_call (step, call_at (request, step->manner == NODE_REVERSED ? n_calls - 1 - i : i)));
  return json_dumps (json_is_array (request) ? answers : json_array_get (answers, 0), JSON_COMPACT);
}

static char *
fill_in (const char *body, json_t *request)
{
  g_autoptr (GString) filled = g_string_new (body);
  for (gsize i = 0; i < MIN (count_calls (request), 10); i++)
  {
    g_autofree char *place = g_strdup_printf ("{%zu}", i);
    g_autofree char *id =
        g_strdup_printf ("%" JSON_INTEGER_FORMAT, json_integer_value (json_object_get (call_at (request, i), "id")));
    g_string_replace (filled, place, id, 0);
  }
  return g_strdup (filled->str);
}

static void
wait_until_gone (int fd)
{
  while (tiny_is_connected (fd, 1000))
    ;
}

static void
send_answer (const NodeStep *step, int fd, const char *http, const char *body)
{
  gsize length = strlen (body);
  g_autofree char *head = g_strdup_printf ("%s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                                           http != NULL ? http : "HTTP/1.1 200 OK", length);
  if (step->manner == NODE_SILENT)
    return wait_until_gone (fd);
  tiny_send_text (fd, head);
  if (step->manner == NODE_STALLED || step->manner == NODE_CUT)
    tiny_send (fd, body, length / 2);
  else
    tiny_send (fd, body, length);
  if (step->manner == NODE_STALLED)
    wait_until_gone (fd);
}

static void
send_without_end (int fd)
{
  g_autofree char *spaces = g_strnfill (1 << 20, ' ');
  tiny_send_text (fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  while (tiny_send (fd, spaces, 1 << 20))
    ;
}

static gboolean
answer (TinyServer *server, int fd, const char *request, gpointer data)
{
  FakeNode *node = data;
  const NodeStep *step = &node->steps[MIN (node->at, node->n_steps - 1)];
  g_autoptr (json_t) json = read_request_body (request);
  guint n_calls = (guint)count_calls (json);
  gboolean is_within = step->max_calls > 0 && n_calls <= step->max_calls;
  NodeStep plain = { 0 };
  node->at++;
  g_array_append_val (node->sizes, n_calls);
  if (is_within)
    step = &plain;
  if (step->manner == NODE_ENDLESS)
  {
    send_without_end (fd);
    return FALSE;
  }
  gboolean is_given = step->body != NULL && step->manner != NODE_ODD;
  g_autofree char *body = is_given ? fill_in (step->body, json) : make_answer (step, json);
  send_answer (step, fd, step->http, body);
  return FALSE;
}

void
fake_node_start (FakeNode *node, const NodeStep *steps, gsize n_steps)
{
  *node = (FakeNode){ .steps = steps, .n_steps = n_steps, .sizes = g_array_new (FALSE, FALSE, sizeof (guint)) };
  node->server = tiny_server_new (answer, node);
  node->url = g_strdup_printf ("ws://127.0.0.1:%u", tiny_server_port (node->server));
}

void
fake_node_stop (FakeNode *node)
{
  g_clear_pointer (&node->server, tiny_server_free); /* a test may have stopped it */
  g_clear_pointer (&node->sizes, g_array_unref);
  g_clear_pointer (&node->url, g_free);
}
