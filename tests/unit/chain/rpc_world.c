#include "rpc_world.h"

#include <string.h>

#include "base/error.h"
#include "chain/subtensor/rpc_clock.h"

static gint64
world_now (gpointer data)
{
  World *world = data;
  world->now += world->tick;
  return world->now;
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

void
world_use (World *world, const char *url)
{
  g_autoptr (GError) error = NULL;
  SvRpcClock clock = { .now_ms = world_now, .sleep_ms = world_sleep, .jitter = world_jitter, .data = world };
  world->rpc = sv_rpc_new (url, &error);
  g_assert_no_error (error);
  sv_rpc_set_clock (world->rpc, &clock);
}

void
world_start (World *world, const NodeStep *steps, gsize n_steps)
{
  *world = (World){ .now = 1000000, .sleeps = g_array_new (FALSE, FALSE, sizeof (gint64)) };
  fake_node_start (&world->node, steps, n_steps);
  world_use (world, world->node.url);
}

void
world_stop (World *world)
{
  g_clear_pointer (&world->rpc, sv_rpc_free);
  g_clear_pointer (&world->sleeps, g_array_unref);
  fake_node_stop (&world->node);
}
/* ---- asking ---- */

gboolean
ask (World *world, SvRpcCall *calls, gsize n_calls, GError **error)
{
  memset (calls, 0, n_calls * sizeof *calls);
  for (gsize i = 0; i < n_calls; i++)
    calls[i] = (SvRpcCall){ .method = "echo", .params = json_pack ("[o]", sv_json_integer (i)) };
  return sv_rpc_perform (world->rpc, calls, n_calls, error);
}

void
clear_calls (SvRpcCall *calls, gsize n_calls)
{
  for (gsize i = 0; i < n_calls; i++)
    sv_rpc_call_clear (&calls[i]);
}

void
assert_contains (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("expected \"%s\" in \"%s\"", part, text);
}

void
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

void
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

void
assert_sizes (World *world, gsize n, const guint *expected)
{
  const GArray *sizes = world->node.sizes;
  for (guint i = 0; i < MIN (n, sizes->len); i++)
    g_assert_cmpuint (g_array_index (sizes, guint, i), ==, expected[i]);
  g_assert_cmpuint (sizes->len, ==, n);
}

gint64
world_slept (const World *world, guint i)
{
  g_assert_cmpuint (i, <, world->sleeps->len);
  return g_array_index (world->sleeps, gint64, i);
}
