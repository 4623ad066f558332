/* The rate limit as a function of counts.
 *
 *  1. below the limit and the share: admitted
 *  2. at the asker's limit: until its oldest request leaves the window, rounded up, at least a second
 *  3. at the bucket's share (the limit divided by the buckets, rounded down, but one): until the bucket's oldest leaves
 *  4. at both: until both are free
 */
#include "state/rate.h"

static const SvAdmissionRules rules = { .limit = 10, .window_ms = 60000, .remember_ms = 120000 };

static guint
retry_after (guint64 asker_count, gint64 asker_oldest_ms, guint64 bucket_count, gint64 bucket_oldest_ms, guint n_buckets)
{
  SvRateCount asker = { asker_count, asker_oldest_ms }, bucket = { bucket_count, bucket_oldest_ms };
  return sv_rate_retry_after (&rules, 100000, &asker, &bucket, n_buckets);
}

static void
test_below (void)
{
  g_assert_cmpuint (retry_after (0, 0, 0, 0, 1), ==, 0);
  g_assert_cmpuint (retry_after (9, 50000, 9, 50000, 1), ==, 0);
  g_assert_cmpuint (retry_after (9, 50000, 2, 50000, 3), ==, 0);
}

static void
test_asker (void)
{
  g_assert_cmpuint (retry_after (10, 50000, 0, 0, 2), ==, 10);
  g_assert_cmpuint (retry_after (10, 50001, 0, 0, 2), ==, 11);
  g_assert_cmpuint (retry_after (10, 40001, 0, 0, 2), ==, 1);
  g_assert_cmpuint (retry_after (10, 40000, 0, 0, 2), ==, 1);
  g_assert_cmpuint (retry_after (11, 100000, 0, 0, 2), ==, 60);
}

static void
test_share (void)
{
  g_assert_cmpuint (retry_after (5, 45000, 5, 50000, 2), ==, 10);
  g_assert_cmpuint (retry_after (5, 45000, 4, 50000, 2), ==, 0);
  g_assert_cmpuint (retry_after (5, 45000, 3, 50000, 3), ==, 10); /* 10 / 3 */
  g_assert_cmpuint (retry_after (5, 45000, 0, 0, 17), ==, 0);     /* 10 / 17, but one */
  g_assert_cmpuint (retry_after (5, 45000, 1, 50000, 17), ==, 10);
}

static void
test_both (void)
{
  g_assert_cmpuint (retry_after (10, 45000, 5, 50000, 2), ==, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rate/below the limit", test_below);
  g_test_add_func ("/rate/at the asker's limit", test_asker);
  g_test_add_func ("/rate/at the bucket's share", test_share);
  g_test_add_func ("/rate/at both", test_both);
  return g_test_run ();
}
