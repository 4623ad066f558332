/* Cases: p95 at several counts; RTF; both halves of the gate at their bounds; too few calls; failed calls; the weighted sum and
 * everything that is not exactly the element's pillars. */
#include "sample.h"

#include "protocol/latency.h"

static SvLatency
evaluate (const double *latencies, gsize n, double service_rate_fps, double latency_p95_ms)
{
  const SvElement element = { .service_rate_fps = service_rate_fps, .latency_p95_ms = latency_p95_ms };
  SvLatency latency;
  sv_latency_evaluate (latencies, n, &element, &latency);
  return latency;
}

static void
test_p95_is_the_nearest_rank (void)
{
  double values[40];
  for (guint i = 0; i < 40; i++)
    values[i] = 40 - i;

  g_assert_cmpfloat (evaluate (values + 35, 5, 1, 1).p95_ms, ==, 5); /* ceil(4.75) */
  g_assert_cmpfloat (evaluate (values + 21, 19, 1, 1).p95_ms, ==, 19);
  g_assert_cmpfloat (evaluate (values + 20, 20, 1, 1).p95_ms, ==, 19); /* exactly 19 */
  g_assert_cmpfloat (evaluate (values + 19, 21, 1, 1).p95_ms, ==, 20);
  g_assert_cmpfloat (evaluate (values, 40, 1, 1).p95_ms, ==, 38);
}

static void
test_order_of_calls_does_not_matter (void)
{
  const double a[] = { 10, 50, 30, 20, 40 }, b[] = { 50, 40, 30, 20, 10 };
  g_assert_cmpfloat (evaluate (a, 5, 25, 100).p95_ms, ==, 50);
  g_assert_cmpfloat (evaluate (b, 5, 25, 100).p95_ms, ==, 50);
}

static void
test_rtf_is_p95_in_seconds_times_a_fifth_of_the_rate (void)
{
  const double values[] = { 100, 100, 100, 100, 120 };
  g_assert_cmpfloat (evaluate (values, 5, 25, 200).rtf, ==, (120.0 / 1000.0) * (25.0 / 5.0));
}

static void
test_gate_passes_up_to_both_bounds (void)
{
  const double at[] = { 1, 1, 1, 1, 200 }, above[] = { 1, 1, 1, 1, 200.001 };

  g_assert_cmpfloat (evaluate (at, 5, 25, 200).rtf, ==, 1);
  g_assert_true (evaluate (at, 5, 25, 200).pass);
  g_assert_false (evaluate (above, 5, 25, 300).pass); /* RTF */
  g_assert_true (evaluate (at, 5, 10, 200).pass);
  g_assert_false (evaluate (at, 5, 10, 199.999).pass); /* p95 */
}

static void
test_too_few_calls_are_unknown_and_fail (void)
{
  const double values[] = { 1, 1, 1, 1 };
  const SvLatency latency = evaluate (values, 4, 1, 1000), none = evaluate (NULL, 0, 1, 1000);

  g_assert_false (latency.is_known);
  g_assert_false (latency.pass);
  g_assert_false (none.is_known);
  g_assert_false (none.pass);
}

static void
test_one_failed_call_of_five_fails_the_gate (void)
{
  const double values[] = { 1, 1, SV_LATENCY_FAILED_MS, 1, 1 };
  g_assert_cmpfloat (evaluate (values, 5, 25, 200).p95_ms, ==, 30000);
  g_assert_false (evaluate (values, 5, 25, 200).pass);
}

static void
test_weighted_sum_needs_exactly_the_pillars (void)
{
  static const struct
  {
    const char *metrics;
    gboolean valid;
    double score;
  } cases[] = {
    { "{\"iou\":0.5,\"count\":1}", TRUE, 0.3 * 1 + 0.7 * 0.5 },
    { "{\"iou\":0,\"count\":0}", TRUE, 0 },
    { "{\"iou\":1,\"count\":1}", TRUE, 0.3 + 0.7 },
    { "{}", FALSE, 0 },
    { "{\"iou\":0.5}", FALSE, 0 },
    { "{\"iou\":0.5,\"count\":1,\"more\":1}", FALSE, 0 },
    { "{\"iou\":0.5,\"other\":1}", FALSE, 0 },
    { "{\"iou\":-0.001,\"count\":1}", FALSE, 0 },
    { "{\"iou\":1.001,\"count\":1}", FALSE, 0 },
    { "{\"iou\":\"1\",\"count\":1}", FALSE, 0 },
    { "{\"iou\":null,\"count\":1}", FALSE, 0 },
    { "[1,1]", FALSE, 0 },
  };
  g_autoptr (SvManifest) manifest = sample_manifest ("2025-10-23", 100, 200, NULL);
  const SvElement *element = sv_manifest_find_element (manifest, "PlayerDetect_v1@1.0");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (json_t) metrics = sample_json (cases[i].metrics);
    double score = -1;
    if (sv_score_weighted (metrics, element, &score) != cases[i].valid)
      g_error ("%s: expected %s", cases[i].metrics, cases[i].valid ? "a score" : "none");
    if (cases[i].valid)
      g_assert_cmpfloat (score, ==, cases[i].score);
  }
}

static void
test_nothing_has_no_weighted_sum (void)
{
  const SvElement element = { 0 };
  double score;
  g_assert_false (sv_score_weighted (NULL, &element, &score));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/latency/p95 is the nearest rank", test_p95_is_the_nearest_rank);
  g_test_add_func ("/latency/order of calls does not matter", test_order_of_calls_does_not_matter);
  g_test_add_func ("/latency/RTF is p95 in seconds times a fifth of the rate",
                   test_rtf_is_p95_in_seconds_times_a_fifth_of_the_rate);
  g_test_add_func ("/latency/gate passes up to both bounds", test_gate_passes_up_to_both_bounds);
  g_test_add_func ("/latency/too few calls are unknown and fail", test_too_few_calls_are_unknown_and_fail);
  g_test_add_func ("/latency/one failed call of five fails the gate", test_one_failed_call_of_five_fails_the_gate);
  g_test_add_func ("/latency/weighted sum needs exactly the pillars", test_weighted_sum_needs_exactly_the_pillars);
  g_test_add_func ("/latency/nothing has no weighted sum", test_nothing_has_no_weighted_sum);
  return g_test_run ();
}
