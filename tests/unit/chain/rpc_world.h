/* An SvRpc with the test's own clock, and the fake node that it asks. */
#pragma once

#include "base/json.h"
#include "chain/subtensor/rpc.h"
#include "fake_node.h"

typedef struct
{
  FakeNode node;
  SvRpc *rpc;
  gint64 now;     /* milliseconds; moved on by sleeping */
  gint64 tick;    /* and by so much with each look at the clock; 0 unless set */
  GArray *sleeps; /* (gint64) milliseconds */
} World;

void world_start (World *world, const NodeStep *steps, gsize n_steps);
void world_stop (World *world);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (World, world_stop)

/* A world whose node answers with these steps. */
#define world_begin(world, ...)                                                                                                \
  static const NodeStep steps[] = { __VA_ARGS__ };                                                                             \
  g_auto (World) world = { 0 };                                                                                                \
  world_start (&world, steps, G_N_ELEMENTS (steps))

/* The same world asks at another address. */
void world_use (World *world, const char *url);
/* Milliseconds of its sleep number @i. */
gint64 world_slept (const World *world, guint i);

#define MAX_CALLS 200

/* Calls that ask a node for their own number back. */
gboolean ask (World *world, SvRpcCall *calls, gsize n_calls, GError **error);
void clear_calls (SvRpcCall *calls, gsize n_calls);

/* Asks for @n_calls numbers and gets each of them. */
void assert_answered (World *world, gsize n_calls);
/* Asks for @n_calls numbers, and the endpoint is given up with @in_message after @n_requests requests (0: not counted). */
void assert_given_up (World *world, gsize n_calls, const char *in_message, guint n_requests);
void assert_contains (const char *text, const char *part);

/* The requests so far held so many calls each. */
void assert_sizes (World *world, gsize n, const guint *expected);
#define assert_request_sizes(world, ...)                                                                                       \
  assert_sizes (world, sizeof ((guint[]){ __VA_ARGS__ }) / sizeof (guint), (guint[]){ __VA_ARGS__ })
