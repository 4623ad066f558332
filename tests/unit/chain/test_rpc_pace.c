/* Cases: full speed until the first refusal; then one request a second; slower after the next; faster again step by step, but
 * not as fast as what was refused; the wait that refusals in a row, Retry-After and jitter give; the size of batches; the
 * back-off after faults; and what Retry-After says. */
#include "chain/subtensor/rpc_pace.h"

#define MINUTE (60 * 1000)

typedef struct
{
  SvRpcPace pace;
  gint64 now;
} World;

static World
begin (void)
{
  World world = { .now = 5000 };
  sv_rpc_pace_init (&world.pace);
  return world;
}

/* Waits as long as it must, and asks. Returns the wait. */
static gint64
ask (World *world)
{
  gint64 wait = sv_rpc_pace_wait (&world->pace, world->now);
  world->now += wait;
  sv_rpc_pace_asked (&world->pace, world->now);
  return wait;
}

static gint64
ask_and_be_answered (World *world)
{
  gint64 wait = ask (world);
  sv_rpc_pace_answered (&world->pace, 1, world->now);
  return wait;
}

static gint64
ask_and_be_refused (World *world, gint64 retry_after, double jitter)
{
  ask (world);
  sv_rpc_pace_refused (&world->pace, retry_after, jitter, world->now);
  return sv_rpc_pace_wait (&world->pace, world->now);
}

static void
be_answered (World *world, guint n)
{
  for (guint i = 0; i < n; i++)
    ask_and_be_answered (world);
}

static void
test_full_speed_at_first (void)
{
  World world = begin ();
  for (guint i = 0; i < 1000; i++)
    g_assert_cmpint (ask_and_be_answered (&world), ==, 0);
}

static void
test_a_refusal_sets_one_request_a_second (void)
{
  World world = begin ();
  be_answered (&world, 3);
  g_assert_cmpint (ask_and_be_refused (&world, -1, 0), ==, 1000);
  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (ask_and_be_answered (&world), ==, 1000);
  world.now += 400;
  g_assert_cmpint (ask (&world), ==, 600); /* counted from the end of the last request */
}

static void
test_pace_recovers_to_full_speed (void)
{
  World world = begin ();
  guint n = 0;
  ask_and_be_refused (&world, -1, 0);
  while (world.pace.interval > 0 && n++ < 1000)
    ask_and_be_answered (&world);
  g_assert_cmpuint (n, ==, 300); /* thirty tenths off */
}

static void
test_pace_that_was_refused_is_not_tried_again_soon (void)
{
  World world = begin ();
  ask_and_be_refused (&world, -1, 0); /* 1000 from here on */
  be_answered (&world, 10);           /* 900 */
  ask_and_be_refused (&world, -1, 0);
  g_assert_cmpint (world.pace.interval, ==, 1350);
  be_answered (&world, 200);
  g_assert_cmpint (world.pace.interval, ==, 990);
  world.now += 10 * MINUTE;
  be_answered (&world, 20);
  g_assert_cmpint (world.pace.interval, <, 900);
}

static void
test_refusals_in_a_row_lengthen_the_wait_only (void)
{
  static const gint64 waits[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000 };
  World world = begin ();
  for (gsize i = 0; i < G_N_ELEMENTS (waits); i++)
  {
    g_assert_cmpint (ask_and_be_refused (&world, -1, 0), ==, waits[i]);
    g_assert_cmpint (world.pace.interval, ==, 1000);
  }
  be_answered (&world, 1);
  g_assert_cmpint (ask_and_be_refused (&world, -1, 0), ==, 1500);
}

static void
test_interval_has_an_end (void)
{
  World world = begin ();
  for (guint i = 0; i < 100; i++)
  {
    ask_and_be_refused (&world, -1, 0.99);
    be_answered (&world, 1);
  }
  g_assert_cmpint (world.pace.interval, ==, 10000);
}

static void
test_retry_after_goes_before (void)
{
  World world = begin ();
  g_assert_cmpint (ask_and_be_refused (&world, 7000, 0.5), ==, 7000);
  g_assert_cmpint (ask_and_be_refused (&world, 0, 0.5), ==, 1000); /* but not below the pace */
}

static void
test_jitter_spreads (void)
{
  World world = begin ();
  g_assert_cmpint (ask_and_be_refused (&world, -1, 0.5), ==, 1250);
}

static void
test_batches (void)
{
  World world = begin ();
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, 0), ==, 64);
  sv_rpc_pace_answered (&world.pace, 63, 0); /* was not full: says nothing */
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, 0), ==, 64);
  for (guint i = 0; i < 100; i++)
    sv_rpc_pace_answered (&world.pace, sv_rpc_pace_batch (&world.pace, 0), 0);
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, 0), ==, 256);
  sv_rpc_pace_shrink (&world.pace, 256, 0);
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, 0), ==, 128);
  sv_rpc_pace_shrink (&world.pace, 128, 500); /* a limit that it did not break is none */
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, 0), ==, 64);
  sv_rpc_pace_shrink (&world.pace, 64, 20);
  for (guint i = 0; i < 9; i++)
    sv_rpc_pace_answered (&world.pace, 20, 0);
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, 0), ==, 20);
  sv_rpc_pace_shrink (&world.pace, 1, 0);
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, 0), ==, 1);
  sv_rpc_pace_answered (&world.pace, 1, 0);
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, 0), ==, 2);
}

static void
test_batches_that_are_not_taken_are_tried_later (void)
{
  World world = begin ();
  sv_rpc_pace_no_batches (&world.pace, world.now);
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, world.now), ==, 1);
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, world.now + 10 * MINUTE - 1), ==, 1);
  g_assert_cmpuint (sv_rpc_pace_batch (&world.pace, world.now + 10 * MINUTE), ==, 64);
}

static void
test_back_off_is_exponential_with_full_jitter (void)
{
  g_assert_cmpint (sv_rpc_backoff (0, 0.5), ==, 0);
  g_assert_cmpint (sv_rpc_backoff (1, 0), ==, 0);
  g_assert_cmpint (sv_rpc_backoff (1, 0.5), ==, 125);
  g_assert_cmpint (sv_rpc_backoff (3, 0.5), ==, 500);
  g_assert_cmpint (sv_rpc_backoff (6, 0.5), ==, 4000);
  g_assert_cmpint (sv_rpc_backoff (G_MAXUINT, 0.5), ==, 4000);
}

static void
test_retry_after (void)
{
  static const char now[] = "Wed, 21 Oct 2026 07:28:00 GMT";
  static const struct
  {
    const char *value;
    gint64 expected;
  } cases[] = {
    { NULL, -1 },
    { "", -1 },
    { "0", 0 },
    { "12", 12000 },
    { "31", 30000 },
    { "99999999999999999999999999", 30000 },
    { "-1", -1 },
    { "1.5", -1 },
    { "soon", -1 },
    { "Wed, 21 Oct 2026 07:28:05 GMT", 5000 },
    { "Wed, 21 Oct 2026 07:27:00 GMT", 0 },
    { "Thu, 22 Oct 2026 07:28:00 GMT", 30000 },
    { "Wed, 21 Ebr 2026 07:28:05 GMT", -1 },
    { "Wed, 99 Oct 2026 07:28:05 GMT", -1 },
    { "Wed, 21 Oct 2026 07:28:05 CET", -1 },
    { "Wed, 21 Oct 2026", -1 },
    { ",", -1 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_test_message ("%s", cases[i].value);
    g_assert_cmpint (sv_rpc_retry_after (cases[i].value, now, 0), ==, cases[i].expected);
  }
  /* without a Date header the clock here must do: 1792567680 is 07:28:00 */
  g_assert_cmpint (sv_rpc_retry_after ("Wed, 21 Oct 2026 07:28:05 GMT", NULL, G_GINT64_CONSTANT (1792567680000)), ==, 5000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rpc-pace/full-speed-at-first", test_full_speed_at_first);
  g_test_add_func ("/rpc-pace/a-refusal-sets-one-a-second", test_a_refusal_sets_one_request_a_second);
  g_test_add_func ("/rpc-pace/recovers", test_pace_recovers_to_full_speed);
  g_test_add_func ("/rpc-pace/refused-pace-is-remembered", test_pace_that_was_refused_is_not_tried_again_soon);
  g_test_add_func ("/rpc-pace/refusals-in-a-row", test_refusals_in_a_row_lengthen_the_wait_only);
  g_test_add_func ("/rpc-pace/interval-has-an-end", test_interval_has_an_end);
  g_test_add_func ("/rpc-pace/retry-after-goes-before", test_retry_after_goes_before);
  g_test_add_func ("/rpc-pace/jitter-spreads", test_jitter_spreads);
  g_test_add_func ("/rpc-pace/batches", test_batches);
  g_test_add_func ("/rpc-pace/batches-not-taken", test_batches_that_are_not_taken_are_tried_later);
  g_test_add_func ("/rpc-pace/back-off", test_back_off_is_exponential_with_full_jitter);
  g_test_add_func ("/rpc-pace/retry-after", test_retry_after);
  return g_test_run ();
}
