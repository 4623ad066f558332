/* How often lines of one kind are logged.
 *
 * so many a second, and the next line tells the rest    what no line tells is drained when its second is over, once
 * threads together get no more, and nothing is lost      a thread whose clock is a moment behind opens no second anew */
#include "base/log_limit.h"

#define SECOND G_USEC_PER_SEC

static guint
take (SvLogLimit *limit, gint64 now_us, guint n)
{
  guint left_out, taken = 0;
  for (guint i = 0; i < n; i++)
    taken += sv_log_limit_take (limit, 5, now_us, &left_out) ? 1 : 0;
  return taken;
}

static void
test_the_next_line_tells_what_was_left_out (void)
{
  guint left_out = 7;
  SvLogLimit limit = { 0 };
  g_assert_cmpuint (take (&limit, 10 * SECOND, 12), ==, 5);
  g_assert_cmpuint (sv_log_limit_left_out (&limit), ==, 7);
  g_assert_true (sv_log_limit_take (&limit, 5, 11 * SECOND, &left_out));
  g_assert_cmpuint (left_out, ==, 7);
  g_assert_true (sv_log_limit_take (&limit, 5, 11 * SECOND, &left_out));
  g_assert_cmpuint (left_out, ==, 0);
  g_assert_cmpuint (take (&limit, 11 * SECOND + 999999, 12), ==, 3);
}

static void
test_the_rest_is_drained_once_its_second_is_over (void)
{
  SvLogLimit limit = { 0 };
  g_assert_cmpuint (sv_log_limit_drain (&limit, 10 * SECOND), ==, 0);
  take (&limit, 10 * SECOND, 12);
  g_assert_cmpuint (sv_log_limit_drain (&limit, 10 * SECOND + 999999), ==, 0);
  g_assert_cmpuint (sv_log_limit_drain (&limit, 11 * SECOND), ==, 7);
  g_assert_cmpuint (sv_log_limit_drain (&limit, 11 * SECOND), ==, 0);
}

static void
test_a_clock_that_is_behind_opens_nothing (void)
{
  SvLogLimit limit = { 0 };
  g_assert_cmpuint (take (&limit, 11 * SECOND, 5), ==, 5);
  g_assert_cmpuint (take (&limit, 10 * SECOND + 999999, 5), ==, 0);
}

/* ── threads ── */

#define N_THREADS 4
#define N_EACH 20000

typedef struct
{
  SvLogLimit *limit;
  guint taken;
  guint told;
} Taker;

static gpointer
run_taker (gpointer data)
{
  Taker *taker = data;
  for (guint i = 0; i < N_EACH; i++)
  {
    guint left_out;
    gint64 now_us = (10 + i / (N_EACH / 4)) * (gint64)SECOND; /* four seconds */
    taker->taken += sv_log_limit_take (taker->limit, 5, now_us, &left_out) ? 1 : 0;
    taker->told += left_out;
  }
  return NULL;
}

static void
test_threads_together_get_no_more (void)
{
  SvLogLimit limit = { 0 };
  Taker takers[N_THREADS] = { 0 };
  GThread *threads[N_THREADS];
  guint taken = 0, told = 0;
  for (guint i = 0; i < N_THREADS; i++)
  {
    takers[i].limit = &limit;
    threads[i] = g_thread_new ("taker", run_taker, &takers[i]);
  }
  for (guint i = 0; i < N_THREADS; i++)
  {
    g_thread_join (threads[i]);
    taken += takers[i].taken;
    told += takers[i].told;
  }
  g_assert_cmpuint (taken, ==, 4 * 5);
  g_assert_cmpuint (taken + told + sv_log_limit_drain (&limit, 99 * SECOND), ==, N_THREADS * N_EACH);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/base/log-limit/" #test, test)
  ADD (test_the_next_line_tells_what_was_left_out);
  ADD (test_the_rest_is_drained_once_its_second_is_over);
  ADD (test_a_clock_that_is_behind_opens_nothing);
  ADD (test_threads_together_get_no_more);
  return g_test_run ();
}
