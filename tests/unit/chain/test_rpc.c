/* Cases: what is sent and what comes back (one call, batches, any order, more calls than one batch); what the node answers with
 * an error; answers that are none (HTML, cut, other shapes, wrong ids); answers that are slow, too large or absent; refusals
 * (429, 503, spent budgets, of a whole batch and of single calls); endpoints that take no batches or small ones; endpoints that
 * do not let us in; and that no message shows a key. Nothing waits: the clock is the test's, but where a transfer must end by
 * its time limit. */
#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "chain/subtensor/rpc.h"
#include "chain/subtensor/rpc_clock.h"
#include "chain/subtensor/rpc_endpoint.h"
#include "fake_node.h"

/* ---- a client with its own clock ---- */

typedef struct
{
  FakeNode node;
  SvRpc *rpc;
  gint64 now;
  GArray *sleeps; /* (gint64) milliseconds */
} World;

static gint64
world_now (gpointer data)
{
  return ((World *)data)->now;
}

static void
world_sleep (gpointer data, gint64 ms)
{
  World *world = data;
  world->now += ms;
  g_array_append_val (world->sleeps, ms);
}

static double
world_jitter (gpointer data)
{
  return 0.5;
}

static void
world_use (World *world, const char *url)
{
  g_autoptr (GError) error = NULL;
  SvRpcClock clock = { .now_ms = world_now, .sleep_ms = world_sleep, .jitter = world_jitter, .data = world };
  world->rpc = sv_rpc_new (url, &error);
  g_assert_no_error (error);
  sv_rpc_set_clock (world->rpc, &clock);
}

static void
world_start (World *world, const NodeStep *steps, gsize n_steps)
{
  *world = (World){ .now = 1000000, .sleeps = g_array_new (FALSE, FALSE, sizeof (gint64)) };
  fake_node_start (&world->node, steps, n_steps);
  world_use (world, world->node.url);
}

static void
world_stop (World *world)
{
  g_clear_pointer (&world->rpc, sv_rpc_free);
  g_clear_pointer (&world->sleeps, g_array_unref);
  fake_node_stop (&world->node);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (World, world_stop)

#define world_begin(world, ...)                                                                                                \
  static const NodeStep steps[] = { __VA_ARGS__ };                                                                             \
  g_auto (World) world = { 0 };                                                                                                \
  world_start (&world, steps, G_N_ELEMENTS (steps))

/* ---- asking ---- */

#define MAX_CALLS 200

/* Calls that ask a node for its own number back. */
static gboolean
ask (World *world, SvRpcCall *calls, gsize n_calls, GError **error)
{
  memset (calls, 0, n_calls * sizeof *calls);
  for (gsize i = 0; i < n_calls; i++)
    calls[i] = (SvRpcCall){ .method = "echo", .params = json_pack ("[o]", sv_json_integer (i)) };
  return sv_rpc_perform (world->rpc, calls, n_calls, error);
}

static void
clear_calls (SvRpcCall *calls, gsize n_calls)
{
  for (gsize i = 0; i < n_calls; i++)
    sv_rpc_call_clear (&calls[i]);
}

static void
assert_contains (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("expected \"%s\" in \"%s\"", part, text);
}

/* Asks for @n_calls numbers and gets each of them. */
static void
assert_answered (World *world, gsize n_calls)
{
  SvRpcCall calls[MAX_CALLS];
  g_autoptr (GError) error = NULL;
  g_assert_true (ask (world, calls, n_calls, &error));
  g_assert_no_error (error);
  for (gsize i = 0; i < n_calls; i++)
  {
    g_assert_no_error (calls[i].error);
    g_assert_cmpfloat (json_number_value (calls[i].result), ==, (double)i);
  }
  clear_calls (calls, n_calls);
}

/* Asks for @n_calls numbers, and the endpoint is given up with @in_message after @n_requests requests. */
static void
assert_given_up (World *world, gsize n_calls, const char *in_message, guint n_requests)
{
  SvRpcCall calls[MAX_CALLS];
  g_autoptr (GError) error = NULL;
  g_assert_false (ask (world, calls, n_calls, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  assert_contains (error->message, in_message);
  assert_contains (error->message, "check BITTENSOR_SUBTENSOR_ENDPOINT, or set BITTENSOR_SUBTENSOR_FALLBACK");
  g_assert_true (g_str_has_prefix (error->message, sv_rpc_endpoint (world->rpc)));
  if (n_requests > 0)
    g_assert_cmpuint (tiny_server_n_requests (world->node.server), ==, n_requests);
  clear_calls (calls, n_calls);
}

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

/* The requests so far held @... calls. */
static void
assert_sizes (World *world, gsize n, const guint *expected)
{
  const GArray *sizes = world->node.sizes;
  for (guint i = 0; i < MIN (n, sizes->len); i++)
    g_assert_cmpuint (g_array_index (sizes, guint, i), ==, expected[i]);
  g_assert_cmpuint (sizes->len, ==, n);
}

#define assert_request_sizes(world, ...)                                                                                       \
  assert_sizes (world, sizeof ((guint[]){ __VA_ARGS__ }) / sizeof (guint), (guint[]){ __VA_ARGS__ })

static gint64
slept (const World *world, guint i)
{
  g_assert_cmpuint (i, <, world->sleeps->len);
  return g_array_index (world->sleeps, gint64, i);
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

/* ---- absent, slow, too large ---- */

static void
test_node_that_is_down_is_given_up (void)
{
  world_begin (world, { NODE_ECHO });
  g_clear_pointer (&world.node.server, tiny_server_free);
  assert_given_up (&world, 1, "no answer: ", 0);
  g_assert_cmpuint (world.sleeps->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (slept (&world, i), ==, 125 << i); /* a quarter of a second, doubled, halved by the jitter */
}

static void
test_node_that_comes_back_is_answer_enough (void)
{
  world_begin (world, { .http = "HTTP/1.1 502 Bad Gateway", .body = "<html>" }, { NODE_CUT }, { NODE_ECHO });
  assert_answered (&world, 1);
  g_assert_cmpuint (tiny_server_n_requests (world.node.server), ==, 3);
}

/* The time limit ends these transfers: the only real waiting here. */
static void
test_silence_ends_with_the_time (void)
{
  static const NodeManner manners[] = { NODE_SILENT, NODE_STALLED };
  for (gsize i = 0; i < G_N_ELEMENTS (manners); i++)
  {
    const NodeStep step = { manners[i] };
    g_auto (World) world = { 0 };
    world_start (&world, &step, 1);
    g_clear_pointer (&world.rpc, sv_rpc_free);
    world.rpc = sv_rpc_new (world.node.url, NULL); /* with the real clock */
    sv_rpc_set_timeout (world.rpc, 300);
    assert_given_up (&world, 1, "no answer: ", 1);
  }
}

static void
test_slow_batches_become_smaller (void)
{
  world_begin (world, { NODE_SILENT, .max_calls = 3 });
  sv_rpc_set_timeout (world.rpc, 600);
  assert_answered (&world, 6);
  assert_request_sizes (&world, 6, 3, 3);
}

static void
test_answer_without_end_makes_batches_smaller (void)
{
  world_begin (world, { NODE_ENDLESS, .max_calls = 1 });
  assert_answered (&world, 2);
  assert_request_sizes (&world, 2, 1, 1);
}

static void
test_too_large_batches_become_smaller (void)
{
  static const NodeStep steps[] = {
    { .max_calls = 16,
      .body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32011,\"message\":\"The batch response was too "
              "large\",\"data\":\"Exceeded max limit of 15728640\"}}" },
    { .max_calls = 16,
      .body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32702,\"message\":\"Response is too big\"}}" },
    { .max_calls = 16, .http = "HTTP/1.1 413 Payload Too Large", .body = "" },
    { .max_calls = 16, .body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32603,\"message\":\"Internal error\"}}" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
  {
    g_auto (World) world = { 0 };
    world_start (&world, &steps[i], 1);
    assert_answered (&world, 40);
    assert_request_sizes (&world, 40, 20, 10, 11, 12, 7);
    g_assert_cmpuint (world.sleeps->len, ==, 0);
  }
}

static void
test_limit_of_a_batch_is_believed (void)
{
  world_begin (world, { .max_calls = 10,
                        .body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32010,\"message\":\"The batch request "
                                "was too large\",\"data\":\"Exceeded max limit of 10\"}}" });
  assert_answered (&world, 35);
  assert_request_sizes (&world, 35, 10, 10, 10, 5);
  g_assert_cmpuint (sv_rpc_batch_size (world.rpc), ==, 10);
}

static void
test_too_large_answers_are_asked_for_alone (void)
{
  world_begin (world, { NODE_ODD, .body = "{\"code\":-32008,\"message\":\"Response is too big\"}" });
  SvRpcCall calls[3];
  g_assert_true (ask (&world, calls, 3, NULL));
  g_assert_nonnull (calls[0].result);
  g_assert_cmpint (sv_rpc_error_code (calls[1].error), ==, -32008);
  g_assert_nonnull (calls[2].result);
  clear_calls (calls, 3);
  assert_request_sizes (&world, 3, 1);
}

/* ---- no batches ---- */

static void
test_endpoint_without_batches_gets_single_calls (void)
{
  static const NodeStep steps[] = {
    { .max_calls = 1,
      .body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"Batched requests are not supported by "
              "this server\"}}" },
    { .max_calls = 1, .body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"Invalid request\"}}" },
    { .max_calls = 1, .http = "HTTP/1.1 400 Bad Request", .body = "no" },
    { .max_calls = 1, .http = "HTTP/1.1 405 Method Not Allowed", .body = "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
  {
    g_auto (World) world = { 0 };
    world_start (&world, &steps[i], 1);
    assert_answered (&world, 3);
    assert_request_sizes (&world, 3, 1, 1, 1);
    g_assert_cmpuint (sv_rpc_batch_size (world.rpc), ==, 1);
    g_assert_cmpuint (world.sleeps->len, ==, 0);
  }
}

/* ---- refusals ---- */

static void
test_refusals_slow_us_down (void)
{
  static const struct
  {
    NodeStep step;
    gint64 wait;
  } cases[] = {
    { { .http = "HTTP/1.1 429 Too Many Requests", .body = "slow down" }, 1250 },
    { { .http = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7", .body = "" }, 7000 },
    { { .http = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 86400", .body = "" }, 30000 },
    { { .http = "HTTP/1.1 429 No\r\nDate: Wed, 21 Oct 2026 07:28:00 GMT\r\nRetry-After: Wed, 21 Oct 2026 07:28:09 GMT",
        .body = "" },
      9000 },
    { { .http = "HTTP/1.1 429 No\r\nRetry-After: soon", .body = "" }, 1250 },
    { { .http = "HTTP/1.1 503 No\r\nRetry-After: 3", .body = "" }, 3000 },
    { { .body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32004,\"message\":\"the budget is spent\"}}" }, 1250 },
    { { .body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32999,\"message\":\"RPC rate limit\"}}" }, 1250 },
    { { .http = "HTTP/1.1 500 No",
        .body = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"Too many requests\"}}" },
      1250 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize n_calls = 1; n_calls <= 2; n_calls++)
    {
      const NodeStep script[] = { cases[i].step, { NODE_ECHO } };
      g_auto (World) world = { 0 };
      world_start (&world, script, 2);
      assert_answered (&world, n_calls);
      assert_answered (&world, n_calls);
      g_test_message ("%zu calls: %s %s", n_calls, script[0].http, script[0].body);
      g_assert_cmpuint (world.sleeps->len, ==, 2);
      g_assert_cmpint (slept (&world, 0), ==, cases[i].wait);
      g_assert_cmpint (slept (&world, 1), ==, 1000); /* from now on one request a second */
      g_assert_cmpuint (tiny_server_n_requests (world.node.server), ==, 3);
    }
}

static void
test_refused_calls_alone_are_asked_again (void)
{
  world_begin (world, { NODE_ODD, .body = "{\"code\":-32005,\"message\":\"limit exceeded\"}" }, { NODE_ECHO });
  assert_answered (&world, 6);
  assert_request_sizes (&world, 6, 3);
  g_assert_cmpint (slept (&world, 0), ==, 1250);
}

static void
test_refusals_without_end_end_with_the_time (void)
{
  world_begin (world, { .http = "HTTP/1.1 429 Too Many Requests", .body = "" });
  gint64 begin = world.now;
  assert_given_up (&world, 1, "HTTP 429, too many requests, and the next try would be after the time limit of 60 s", 0);
  g_assert_cmpint (world.now - begin, <=, 60000);
  g_assert_cmpuint (world.sleeps->len, >, 3);
}

static void
test_wait_beyond_the_time_is_not_begun (void)
{
  world_begin (world, { .http = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 20", .body = "" });
  sv_rpc_set_timeout (world.rpc, 5000);
  assert_given_up (&world, 1, "the time limit of 5 s", 1);
  assert_given_up (&world, 1, "it asked for a slower pace", 1); /* and it is not asked before */
  g_assert_cmpuint (world.sleeps->len, ==, 0);
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
    { "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/", "refused its redirect" },
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
    assert_contains (error->message, "BITTENSOR_SUBTENSOR_ENDPOINT");
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
  g_test_add_func ("/rpc/node-that-is-down", test_node_that_is_down_is_given_up);
  g_test_add_func ("/rpc/node-that-comes-back", test_node_that_comes_back_is_answer_enough);
  g_test_add_func ("/rpc/silence-ends-with-the-time", test_silence_ends_with_the_time);
  g_test_add_func ("/rpc/slow-batches-become-smaller", test_slow_batches_become_smaller);
  g_test_add_func ("/rpc/answer-without-end", test_answer_without_end_makes_batches_smaller);
  g_test_add_func ("/rpc/too-large-batches-become-smaller", test_too_large_batches_become_smaller);
  g_test_add_func ("/rpc/limit-of-a-batch-is-believed", test_limit_of_a_batch_is_believed);
  g_test_add_func ("/rpc/too-large-answers-alone", test_too_large_answers_are_asked_for_alone);
  g_test_add_func ("/rpc/endpoint-without-batches", test_endpoint_without_batches_gets_single_calls);
  g_test_add_func ("/rpc/refusals-slow-us-down", test_refusals_slow_us_down);
  g_test_add_func ("/rpc/refused-calls-alone", test_refused_calls_alone_are_asked_again);
  g_test_add_func ("/rpc/refusals-without-end", test_refusals_without_end_end_with_the_time);
  g_test_add_func ("/rpc/wait-beyond-the-time", test_wait_beyond_the_time_is_not_begun);
  g_test_add_func ("/rpc/hopeless-endpoints-are-asked-once", test_hopeless_endpoints_are_asked_once);
  g_test_add_func ("/rpc/schemes-become-http", test_schemes_become_http);
  g_test_add_func ("/rpc/other-endpoints", test_other_endpoints_are_wrong_usage);
  g_test_add_func ("/rpc/no-message-shows-a-key", test_no_message_shows_a_key);
  return g_test_run ();
}
