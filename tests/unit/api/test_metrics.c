/* Counting and exposing.
 *
 * threads lose no count                     equal texts are one kind, wherever they lie
 * more kinds than there is room for         a bound belongs to its own bucket, what is beyond to the last
 * labels are escaped                        no negative time */
#include "api/metrics.h"

#include <string.h>

static char *
written (SvMetrics *metrics)
{
  GString *out = g_string_new (NULL);
  sv_metrics_write (metrics, out);
  return g_string_free (out, FALSE);
}

static void
assert_has (const char *text, const char *line)
{
  if (strstr (text, line) == NULL)
    g_error ("there is no `%s` in\n%s", line, text);
}

/* ── */

#define N_THREADS 8
#define N_EACH 20000

static gpointer
count (gpointer metrics)
{
  for (guint i = 0; i < N_EACH; i++)
  {
    sv_metrics_count (metrics, i % 2 ? "odd" : "even", 200, "ok", 30);
    sv_metrics_count_step (metrics, SV_STEP_JUDGING, 7);
    sv_metrics_count_waiting (metrics, SV_WAIT_CHAIN, i % 2 ? 1 : -1);
  }
  sv_metrics_count_waiting (metrics, SV_WAIT_CHAIN, 1);
  return NULL;
}

static void
test_threads_lose_no_count (void)
{
  g_autoptr (SvMetrics) metrics = sv_metrics_new ();
  GThread *threads[N_THREADS];
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("counter", count, metrics);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_autofree char *text = written (metrics);
  assert_has (text, "\nsv_requests_total{endpoint=\"odd\",outcome=\"ok\",status=\"200\"} 80000\n");
  assert_has (text, "\nsv_requests_total{endpoint=\"even\",outcome=\"ok\",status=\"200\"} 80000\n");
  assert_has (text, "\nsv_request_duration_seconds_sum{endpoint=\"odd\"} 2.4\n");
  assert_has (text, "\nsv_challenge_step_duration_seconds_bucket{step=\"judging\",le=\"0.00001\"} 160000\n");
  assert_has (text, "\nsv_requests_suspended{for=\"chain\"} 8\n");
}

static void
test_equal_texts_are_one_kind (void)
{
  static const char endpoint[] = "e", outcome[] = "o", same_outcome[] = "o";
  g_autoptr (SvMetrics) metrics = sv_metrics_new ();
  SvAnswerKind *kind = sv_metrics_count (metrics, endpoint, 200, outcome, 1);
  g_assert_true (sv_metrics_count (metrics, endpoint, 200, same_outcome, 1) == kind);
  g_assert_true (sv_metrics_count (metrics, endpoint, 200, same_outcome, 1) == kind);
  g_assert_true (sv_metrics_count (metrics, endpoint, 404, outcome, 1) != kind);
  g_autofree char *text = written (metrics);
  assert_has (text, "\nsv_requests_total{endpoint=\"e\",outcome=\"o\",status=\"200\"} 3\n");
  assert_has (text, "\nsv_request_duration_seconds_count{endpoint=\"e\"} 4\n");
}

static void
test_kinds_without_room_are_counted_together (void)
{
  g_autoptr (SvMetrics) metrics = sv_metrics_new ();
  for (guint round = 0; round < 2; round++)
    for (guint status = 1; status <= 1000; status++)
      sv_metrics_count (metrics, "e", status, "o", 1);
  g_autofree char *text = written (metrics);
  assert_has (text, "outcome=\"o\",status=\"255\"} 2\n");
  assert_has (text, "\nsv_requests_total{endpoint=\"other\",outcome=\"other\",status=\"0\"} 1490\n");
}

static void
test_bounds_belong_to_their_bucket (void)
{
  SvHistogram histogram = { 0 };
  g_autoptr (GString) out = g_string_new (NULL);
  static const guint64 values[] = { 0, 10, 11, 10000000, 10000001 };
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    sv_histogram_add (&histogram, &sv_scale_times, values[i]);
  sv_metrics_write_histogram (out, "h", &histogram, &sv_scale_times, NULL, NULL);
  assert_has (out->str, "h_bucket{le=\"0.00001\"} 2\n");
  assert_has (out->str, "h_bucket{le=\"0.000025\"} 3\n");
  assert_has (out->str, "h_bucket{le=\"5\"} 3\n");
  assert_has (out->str, "h_bucket{le=\"10\"} 4\n");
  assert_has (out->str, "h_bucket{le=\"+Inf\"} 5\n");
  assert_has (out->str, "h_sum 20.000022\n");
  assert_has (out->str, "h_count 5\n");
}

static void
test_clocks_that_go_back_count_as_nothing (void)
{
  g_autoptr (SvMetrics) metrics = sv_metrics_new ();
  sv_metrics_count_step (metrics, SV_STEP_HEAD, -5);
  g_autofree char *text = written (metrics);
  assert_has (text, "\nsv_challenge_step_duration_seconds_sum{step=\"head\"} 0\n");
  assert_has (text, "\nsv_challenge_step_duration_seconds_count{step=\"head\"} 1\n");
}

static void
test_labels_are_escaped (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  sv_metrics_write_value (out, "a_total", 3, "x", "a\"b\\c\nd", "y", "", NULL);
  g_assert_cmpstr (out->str, ==, "a_total{x=\"a\\\"b\\\\c\\nd\",y=\"\"} 3\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/api/metrics/" #test, test)
  ADD (test_threads_lose_no_count);
  ADD (test_equal_texts_are_one_kind);
  ADD (test_kinds_without_room_are_counted_together);
  ADD (test_bounds_belong_to_their_bucket);
  ADD (test_clocks_that_go_back_count_as_nothing);
  ADD (test_labels_are_escaped);
  return g_test_run ();
}
