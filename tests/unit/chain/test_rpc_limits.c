/* Cases: nodes that are down, come back, say nothing, stall; batches that are too slow or too large, or not taken at all;
 * refusals (429, 503, spent budgets, of a whole batch and of single calls). Nothing waits, because the clock is the test's, but
 * where a transfer must end by its time limit. */
#include "chain/subtensor/rpc.h"
#include "rpc_world.h"

/* ---- absent, slow, too large ---- */

static void
test_node_that_is_down_is_given_up (void)
{
  world_begin (world, { NODE_ECHO });
  g_clear_pointer (&world.node.server, tiny_server_free);
  assert_given_up (&world, 1, "no answer: ", 0);
  g_assert_cmpuint (world.sleeps->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (world_slept (&world, i), ==, 125 << i); /* a quarter of a second, doubled, halved by the jitter */
}

static void
test_node_that_comes_back_is_answer_enough (void)
{
  world_begin (world, { .http = "HTTP/1.1 502 Bad Gateway", .body = "<html>" }, { NODE_CUT }, { NODE_ECHO });
  assert_answered (&world, 1);
  g_assert_cmpuint (tiny_server_n_requests (world.node.server), ==, 3);
}

/* A node that leaves out calls again and again is not given up while it answers others. */
static void
test_progress_makes_up_for_faults (void)
{
  world_begin (world, { NODE_HALF });
  assert_answered (&world, 100);
}

static void
test_time_limit_holds_for_a_busy_talk (void)
{
  world_begin (world, { .max_calls = 1, .http = "HTTP/1.1 400 Bad Request", .body = "one by one" });
  world.tick = 1000;
  sv_rpc_set_timeout (world.rpc, 200000);
  assert_given_up (&world, 200, "it did not answer everything within the time limit", 0);
  g_assert_cmpuint (tiny_server_n_requests (world.node.server), >, 2);
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
      g_assert_cmpint (world_slept (&world, 0), ==, cases[i].wait);
      g_assert_cmpint (world_slept (&world, 1), ==, 1000); /* from now on one request a second */
      g_assert_cmpuint (tiny_server_n_requests (world.node.server), ==, 3);
    }
}

static void
test_refused_calls_alone_are_asked_again (void)
{
  world_begin (world, { NODE_ODD, .body = "{\"code\":-32005,\"message\":\"limit exceeded\"}" }, { NODE_ECHO });
  assert_answered (&world, 6);
  assert_request_sizes (&world, 6, 3);
  g_assert_cmpint (world_slept (&world, 0), ==, 1250);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rpc/node-that-is-down", test_node_that_is_down_is_given_up);
  g_test_add_func ("/rpc/node-that-comes-back", test_node_that_comes_back_is_answer_enough);
  g_test_add_func ("/rpc/progress-makes-up-for-faults", test_progress_makes_up_for_faults);
  g_test_add_func ("/rpc/time-limit-holds", test_time_limit_holds_for_a_busy_talk);
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
  return g_test_run ();
}
