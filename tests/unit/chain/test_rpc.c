/* Cases: what is sent and what comes back (one call, batches, any order, more calls than one batch); what the node answers with
 * an error; answers that are none (HTML, cut, other shapes, wrong ids); endpoints that do not let us in; and that no message
 * shows a key. */
#include <string.h>

#include "base/error.h"
#include "chain/subtensor/rpc_endpoint.h"
#include "rpc_world.h"

/* The node answers one call with an error. Returns: (transfer full). */
static GError *
ask_and_fail (World *world)
{
  GError *error = NULL;
  g_autoptr (json_t) result = sv_rpc_call (world->rpc, "state_call", NULL, &error);
  g_assert_null (result);
  g_assert_nonnull (error);
  return error;
}

/* ---- what is sent, what comes back ---- */

static void
test_one_call_is_one_object (void)
{
  world_begin (world, { NODE_ECHO });
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) result = sv_rpc_call (world.rpc, "chain_getBlockHash", json_pack ("[i]", 7), &error);
  g_autofree char *request = tiny_server_last_request (world.node.server);

  g_assert_no_error (error);
  g_assert_cmpfloat (json_number_value (result), ==, 7);
  assert_contains (request, "POST / HTTP/1.1\r\n");
  assert_contains (request, "Content-Type: application/json\r\n");
  assert_contains (request, "\r\n\r\n{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"chain_getBlockHash\",\"params\":[7]}");
}

static void
test_null_is_a_result (void)
{
  world_begin (world, { NODE_ECHO });
  g_autoptr (json_t) result = sv_rpc_call (world.rpc, "chain_getBlock", NULL, NULL);
  g_autofree char *request = tiny_server_last_request (world.node.server);
  g_assert_true (json_is_null (result));
  assert_contains (request, "\"params\":[]");
}

static void
test_no_calls_need_no_request (void)
{
  world_begin (world, { NODE_ECHO });
  g_assert_true (sv_rpc_perform (world.rpc, NULL, 0, NULL));
  g_assert_cmpuint (tiny_server_n_requests (world.node.server), ==, 0);
}

static void
test_answers_come_in_any_order (void)
{
  world_begin (world, { NODE_REVERSED });
  assert_answered (&world, 5);
  assert_request_sizes (&world, 5);
  g_assert_cmpuint (world.sleeps->len, ==, 0);
}

static void
test_batches_grow_while_they_are_answered (void)
{
  world_begin (world, { NODE_ECHO });
  g_assert_cmpuint (sv_rpc_batch_size (world.rpc), ==, 64);
  assert_answered (&world, 200);
  assert_request_sizes (&world, 64, 72, 64);
  g_assert_cmpuint (sv_rpc_batch_size (world.rpc), ==, 81);
  g_assert_cmpuint (world.sleeps->len, ==, 0); /* a node that refuses nothing is asked at full speed */
}

static void
test_what_cannot_be_written_is_wrong_usage (void)
{
  world_begin (world, { NODE_ECHO });
  g_autoptr (GError) error = NULL;
  json_t *params = json_pack ("[I]", (json_int_t)G_MAXINT64);
  g_autoptr (json_t) result = sv_rpc_call (world.rpc, "echo", params, &error);
  g_assert_null (result);
  g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  assert_contains (error->message, "the parameters of echo");
}

/* ---- errors of the node ---- */

static void
test_error_of_the_node_is_an_answer (void)
{
  world_begin (world, { .body = "{\"jsonrpc\":\"2.0\",\"id\":{0},\"error\":{\"code\":1010,\"message\":\"Invalid Transaction\","
                                "\"data\":\"Transaction has a bad signature\"}}" });
  g_autoptr (GError) error = ask_and_fail (&world);
  g_autofree char *expected = g_strdup_printf ("%s: state_call: the node answers \"Invalid Transaction: Transaction has a bad "
                                               "signature\" (error 1010)",
                                               world.node.url);
  g_assert_error (error, SV_ERROR, SV_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, expected);
  g_assert_cmpint (sv_rpc_error_code (error), ==, 1010);
  g_assert_false (sv_rpc_is_pruned (error));
  g_prefix_error (&error, "sv chain: ");
  g_assert_cmpint (sv_rpc_error_code (error), ==, 1010);
  g_assert_cmpuint (tiny_server_n_requests (world.node.server), ==, 1);
}

static void
test_lost_state_is_told_apart (void)
{
  world_begin (world,
               { .body = "{\"jsonrpc\":\"2.0\",\"id\":{0},\"error\":{\"code\":4003,\"message\":\"Client error: Api called "
                         "for an unknown Block: State already discarded for 0x11\"}}" });
  g_autoptr (GError) error = ask_and_fail (&world);
  g_assert_true (sv_rpc_is_pruned (error));
  g_assert_cmpint (sv_rpc_error_code (error), ==, 4003);
  assert_contains (error->message, "set BITTENSOR_SUBTENSOR_FALLBACK to an archive endpoint");
}

static void
test_words_of_the_node_cannot_steer (void)
{
  world_begin (
      world,
      { .body = "{\"jsonrpc\":\"2.0\",\"id\":{0},\"error\":{\"message\":\"\\u001b[2Jgone\\nsv: all is well (error 7)\"}}" });
  g_autoptr (GError) error = ask_and_fail (&world);
  g_assert_null (strchr (error->message, '\033'));
  g_assert_null (strchr (error->message, '\n'));
  assert_contains (error->message, "\\u001b[2Jgone\\u000asv");
  g_assert_cmpint (sv_rpc_error_code (error), ==, 0);
}

static void
test_words_of_the_node_are_bounded (void)
{
  g_autofree char *words = g_strnfill (1 << 20, 'x');
  g_autofree char *body = g_strdup_printf (
      "{\"jsonrpc\":\"2.0\",\"id\":{0},\"error\":{\"code\":-32000,\"message\":\"%s\",\"data\":{\"a\":[1,{}]}}}", words);
  const NodeStep step = { .body = body };
  g_auto (World) world = { 0 };
  world_start (&world, &step, 1);
  g_autoptr (GError) error = ask_and_fail (&world);
  g_assert_cmpuint (strlen (error->message), <, 400);
  g_assert_cmpint (sv_rpc_error_code (error), ==, -32000);
}

static void
test_errors_of_others_have_no_code (void)
{
  g_autoptr (GError) foreign = g_error_new (G_FILE_ERROR, 1, "no such file (error 7)");
  g_autoptr (GError) words = g_error_new (SV_ERROR, SV_ERROR_FAILED, "something (error seven)");
  g_assert_cmpint (sv_rpc_error_code (NULL), ==, 0);
  g_assert_cmpint (sv_rpc_error_code (foreign), ==, 0);
  g_assert_cmpint (sv_rpc_error_code (words), ==, 0);
  g_assert_false (sv_rpc_is_pruned (NULL));
}

static void
test_one_error_in_a_batch_is_of_one_call (void)
{
  world_begin (world, { NODE_ODD, .body = "{\"code\":-32601,\"message\":\"Method not found\"}" });
  SvRpcCall calls[4];
  g_assert_true (ask (&world, calls, 4, NULL));
  for (guint i = 0; i < 4; i++)
    g_assert_cmpint (sv_rpc_error_code (calls[i].error), ==, i % 2 == 1 ? -32601 : 0);
  g_assert_nonnull (calls[2].result);
  clear_calls (calls, 4);
  assert_request_sizes (&world, 4);
}

/* ---- answers that are none ---- */

static void
test_garbage_is_tried_again_and_given_up (void)
{
  static const char *const bodies[] = {
    "",
    "<html><title>502</title></html>",
    "{\"jsonrpc\":\"2.0\",\"id\":{0},\"resu",
    "\"fine\"",
    "null",
    "[]",
    "{}",
    "{\"result\":0,\"id\":{0}}",
    "{\"jsonrpc\":\"1.0\",\"result\":0,\"id\":{0}}",
    "{\"jsonrpc\":\"2.0\",\"result\":0}",
    "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":null}",
    "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":99}",
    "{\"jsonrpc\":\"2.0\",\"result\":0,\"id\":\"{0}\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":{0}}",
    "{\"jsonrpc\":\"2.0\",\"id\":{0},\"result\":0,\"error\":{\"code\":1,\"message\":\"\"}}",
    "{\"jsonrpc\":\"2.0\",\"id\":{0},\"error\":5}",
    "[{\"jsonrpc\":\"2.0\",\"id\":{0},\"result\":0}]",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
  {
    const NodeStep step = { .body = bodies[i] };
    g_auto (World) world = { 0 };
    world_start (&world, &step, 1);
    g_test_message ("%s", bodies[i]);
    assert_given_up (&world, 1, "(asked 6 times)", 6);
  }
}

static void
test_batch_with_a_wrong_answer_is_not_believed (void)
{
  static const char *const bodies[] = {
    "[{\"jsonrpc\":\"2.0\",\"id\":{0},\"result\":9},{\"jsonrpc\":\"2.0\",\"id\":{0},\"result\":9}]",
    "[{\"jsonrpc\":\"2.0\",\"id\":{0},\"result\":9},{\"jsonrpc\":\"2.0\",\"id\":12345,\"result\":9}]",
    "[{\"jsonrpc\":\"2.0\",\"id\":{0},\"result\":9},{\"jsonrpc\":\"2.0\",\"id\":{1},\"result\":9},7]",
    "{\"jsonrpc\":\"2.0\",\"id\":{0},\"result\":9}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
  {
    const NodeStep script[] = { { .body = bodies[i] }, { NODE_ECHO } };
    g_auto (World) world = { 0 };
    world_start (&world, script, 2);
    g_test_message ("%s", bodies[i]);
    assert_answered (&world, 2);
    assert_request_sizes (&world, 2, 1, 1);
  }
}

static void
test_missing_answers_are_asked_for_again (void)
{
  world_begin (world, { NODE_HALF }, { NODE_ECHO });
  assert_answered (&world, 8);
  assert_request_sizes (&world, 8, 4);
}

static void
test_no_answers_at_all_are_given_up (void)
{
  world_begin (world, { .body = "[]" });
  assert_given_up (&world, 64, "its answer left out 2 of 2 calls (asked 6 times)", 6);
  g_assert_cmpuint (sv_rpc_batch_size (world.rpc), ==, 1);
}

static void
test_answered_calls_are_kept (void)
{
  world_begin (world, { NODE_HALF }, { .http = "HTTP/1.1 404 Not Found", .body = "" }, { NODE_ECHO });
  SvRpcCall calls[4];
  g_autoptr (GError) error = NULL;
  g_assert_false (ask (&world, calls, 4, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_assert_nonnull (calls[1].result);
  g_assert_null (calls[2].result);
  g_assert_true (sv_rpc_perform (world.rpc, calls, 4, NULL));
  g_assert_cmpfloat (json_number_value (calls[3].result), ==, 3);
  clear_calls (calls, 4);
  assert_request_sizes (&world, 4, 2, 2);
}

/* ---- endpoints that will not ---- */

static void
test_hopeless_endpoints_are_asked_once (void)
{
  static const struct
  {
    const char *http;
    const char *in_message;
  } cases[] = {
    { "HTTP/1.1 401 Unauthorized", "HTTP 401, it does not let us in: check the key in its URL" },
    { "HTTP/1.1 403 Forbidden", "HTTP 403, it does not let us in: check the key in its URL" },
    { "HTTP/1.1 404 Not Found", "HTTP 404: there is no JSON-RPC at this URL" },
    { "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/",
      "refused its redirect: none is allowed here: set the URL that it leads to" },
    { "HTTP/1.1 302 Moved", "HTTP 302, a redirect, which is not followed: set the final URL" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    const NodeStep step = { .http = cases[i].http, .body = "<html>" };
    g_auto (World) world = { 0 };
    world_start (&world, &step, 1);
    assert_given_up (&world, 3, cases[i].in_message, 1);
    g_assert_cmpuint (world.sleeps->len, ==, 0);
  }
}

/* What a gateway makes up for a node that it cannot reach is no answer of the node. */
static void
test_errors_with_a_gateways_fault_are_tried_again (void)
{
  world_begin (world, { .http = "HTTP/1.1 502 Bad Gateway",
                        .body = "{\"jsonrpc\":\"2.0\",\"id\":{0},\"error\":{\"code\":-32000,\"message\":\"no upstream\"}}" });
  assert_given_up (&world, 1, "HTTP 502: no upstream (asked 6 times)", 6);
}

/* ---- endpoints ---- */

static void
test_schemes_become_http (void)
{
  static const struct
  {
    const char *text;
    const char *url;
    const char *shown;
  } cases[] = {
    { "wss://Node.example", "https://Node.example/", "wss://node.example" },
    { "wss://node.example:443", "https://node.example:443/", "wss://node.example" },
    { "WS://127.0.0.1:9944", "http://127.0.0.1:9944/", "ws://127.0.0.1:9944" },
    { "ws://node.example/", "http://node.example/", "ws://node.example" },
    { "https://node.example/rpc/key", "https://node.example/rpc/key", "https://node.example/…" },
    { "http://[::1]:9944?apikey=1", "http://[::1]:9944/?apikey=1", "http://[::1]:9944/…" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_auto (SvRpcEndpoint) endpoint = { 0 };
    g_autoptr (GError) error = NULL;
    g_assert_true (sv_rpc_endpoint_parse (cases[i].text, &endpoint, &error));
    g_assert_no_error (error);
    g_assert_cmpstr (endpoint.url, ==, cases[i].url);
    g_assert_cmpstr (endpoint.shown, ==, cases[i].shown);
  }
}

static void
test_other_endpoints_are_wrong_usage (void)
{
  static const char *const texts[] = { "",          "node.example",
                                       "ledger:/x", "ftp://node.example",
                                       "wss://",    "wss://me:secret@node.example" };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
  {
    g_autoptr (GError) error = NULL;
    g_assert_null (sv_rpc_new (texts[i], &error));
    g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
    g_assert_null (strstr (error->message, "secret"));
  }
}

/* Whether the node is absent, refuses, redirects or repeats the address in what it says. */
static void
test_no_message_shows_a_key (void)
{
  static const NodeStep steps[] = {
    { .http = "HTTP/1.1 403 Forbidden", .body = "/v1/c0ffee1234" },
    { .http = "HTTP/1.1 302 Found\r\nLocation: /c0ffee1234", .body = "" },
    { NODE_CUT },
    { .body = "/v1/c0ffee1234" },
    { .body = "{\"jsonrpc\":\"2.0\",\"id\":{0},\"error\":{\"code\":-32601,\"message\":\"no "
              "/v1/c0ffee1234?apikey=beef5678beef\"}}" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
  {
    g_auto (World) world = { 0 };
    world_start (&world, &steps[i], 1);
    g_autofree char *url = g_strconcat (world.node.url, "/v1/c0ffee1234?apikey=beef5678beef", NULL);
    g_clear_pointer (&world.rpc, sv_rpc_free);
    world_use (&world, url);
    g_autoptr (GError) error = ask_and_fail (&world);
    g_autofree char *request = tiny_server_last_request (world.node.server);
    assert_contains (request, "POST /v1/c0ffee1234?apikey=beef5678beef ");
    assert_contains (error->message, world.node.url);
    g_assert_null (strstr (error->message, "c0ffee"));
    g_assert_null (strstr (error->message, "beef"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rpc/one-call-is-one-object", test_one_call_is_one_object);
  g_test_add_func ("/rpc/null-is-a-result", test_null_is_a_result);
  g_test_add_func ("/rpc/no-calls-need-no-request", test_no_calls_need_no_request);
  g_test_add_func ("/rpc/answers-come-in-any-order", test_answers_come_in_any_order);
  g_test_add_func ("/rpc/batches-grow", test_batches_grow_while_they_are_answered);
  g_test_add_func ("/rpc/what-cannot-be-written", test_what_cannot_be_written_is_wrong_usage);
  g_test_add_func ("/rpc/error-of-the-node-is-an-answer", test_error_of_the_node_is_an_answer);
  g_test_add_func ("/rpc/lost-state-is-told-apart", test_lost_state_is_told_apart);
  g_test_add_func ("/rpc/words-cannot-steer", test_words_of_the_node_cannot_steer);
  g_test_add_func ("/rpc/words-are-bounded", test_words_of_the_node_are_bounded);
  g_test_add_func ("/rpc/errors-of-others-have-no-code", test_errors_of_others_have_no_code);
  g_test_add_func ("/rpc/one-error-in-a-batch", test_one_error_in_a_batch_is_of_one_call);
  g_test_add_func ("/rpc/garbage-is-given-up", test_garbage_is_tried_again_and_given_up);
  g_test_add_func ("/rpc/batch-with-a-wrong-answer", test_batch_with_a_wrong_answer_is_not_believed);
  g_test_add_func ("/rpc/missing-answers-are-asked-for-again", test_missing_answers_are_asked_for_again);
  g_test_add_func ("/rpc/no-answers-at-all", test_no_answers_at_all_are_given_up);
  g_test_add_func ("/rpc/answered-calls-are-kept", test_answered_calls_are_kept);
  g_test_add_func ("/rpc/hopeless-endpoints-are-asked-once", test_hopeless_endpoints_are_asked_once);
  g_test_add_func ("/rpc/errors-with-a-gateways-fault", test_errors_with_a_gateways_fault_are_tried_again);
  g_test_add_func ("/rpc/schemes-become-http", test_schemes_become_http);
  g_test_add_func ("/rpc/other-endpoints", test_other_endpoints_are_wrong_usage);
  g_test_add_func ("/rpc/no-message-shows-a-key", test_no_message_shows_a_key);
  return g_test_run ();
}
