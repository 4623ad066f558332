/* Cases of rules 8 to 12: empty metrics and the null score; the tolerance of the weighted sum, and none for the 0 of a failed
 * gate; each number of latency; too few calls; telemetry that is null; the recipe of the element before the manifest's. */
#include "shard_case.h"

static void
test_metrics_may_be_empty_then_the_score_is_null (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  json_object_clear (c.shard->metrics);
  assert_judged (&c, "rejected", 12, "composite_score");
  c.shard->has_score = FALSE;
  assert_judged (&c, "accepted", 0, NULL);
}

static void
test_score_must_be_there_for_metrics (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  c.shard->has_score = FALSE;
  assert_judged (&c, "rejected", 12, "composite_score");
}

static void
test_score_may_differ_by_rounding (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  c.shard->composite_score += 9e-10;
  assert_judged (&c, "accepted", 0, NULL);
  c.shard->composite_score -= 2 * 9e-10;
  assert_judged (&c, "accepted", 0, NULL);
  c.shard->composite_score -= 1e-9;
  assert_judged (&c, "rejected", 12, "composite_score");
}

static void
test_failed_gate_scores_exactly_zero (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  c.shard->latencies_ms[0] = SV_LATENCY_FAILED_MS;
  sv_shard_score (c.shard, sv_manifest_find_element (c.manifest, c.shard->element_id));
  assert_judged (&c, "accepted", 0, NULL);
  c.shard->composite_score = 1e-12;
  assert_judged (&c, "rejected", 12, "composite_score");
}

static void
test_each_number_of_latency_is_recomputed (void)
{
  for (guint which = 0; which < 4; which++)
  {
    g_auto (Case) c = { 0 };
    case_init (&c, FALSE);
    if (which == 0)
      c.shard->p95_latency_ms -= 1e-9;
    else if (which == 1)
      c.shard->latency_pass = FALSE;
    else if (which == 2)
      c.shard->has_p95 = FALSE;
    else
      c.shard->n_latencies = 4; /* p95 must be null now */
    assert_judged (&c, "rejected", 9, "latency");
  }
}

static void
test_too_few_calls_have_neither_p95_nor_pass (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  c.shard->n_latencies = 4;
  c.shard->has_p95 = FALSE;
  c.shard->latency_pass = FALSE;
  c.shard->composite_score = 0;
  assert_judged (&c, "accepted", 0, NULL);
  c.shard->latency_pass = TRUE;
  assert_judged (&c, "rejected", 9, "latency");
}

static void
test_null_telemetry_is_not_there (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  json_object_set_new (c.shard->telemetry, "inference_ms", json_null ());
  assert_judged (&c, "rejected", 10, "telemetry");
}

static void
test_another_recipe_is_not_the_manifests (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  g_free (c.shard->pgt_recipe_hash);
  c.shard->pgt_recipe_hash = g_strdup (HASH_C); /* the manifest's default, which the element overrides */
  assert_judged (&c, "rejected", 11, "pgt_recipe_hash");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shard numbers/metrics may be empty, then the score is null",
                   test_metrics_may_be_empty_then_the_score_is_null);
  g_test_add_func ("/shard numbers/score must be there for metrics", test_score_must_be_there_for_metrics);
  g_test_add_func ("/shard numbers/score may differ by rounding", test_score_may_differ_by_rounding);
  g_test_add_func ("/shard numbers/failed gate scores exactly zero", test_failed_gate_scores_exactly_zero);
  g_test_add_func ("/shard numbers/each number of latency is recomputed", test_each_number_of_latency_is_recomputed);
  g_test_add_func ("/shard numbers/too few calls have neither p95 nor pass", test_too_few_calls_have_neither_p95_nor_pass);
  g_test_add_func ("/shard numbers/null telemetry is not there", test_null_telemetry_is_not_there);
  g_test_add_func ("/shard numbers/another recipe is not the manifest's", test_another_recipe_is_not_the_manifests);
  return g_test_run ();
}
