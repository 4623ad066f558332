/* Cases: an accepted and a self shard; legacy and not final before everything else; each rule broken alone, in each way; each
 * adjacent pair of reasons, where both hold and the first wins; unreadable state; the issue log's three answers; the proof's
 * verdicts; that no question is asked twice, nor after a rule has failed. */
#include "shard_sample.h"

/* What the world answers, and how often it was asked. */
typedef struct
{
  gboolean is_validator;
  gboolean validators_unreadable;
  const SvManifest *manifest;
  gboolean in_force;
  gboolean manifest_unreadable;
  SvProofVerdict verdict;
  const char *slug;
  SvIssueStatus issue;
  guint asked[4];
} World;

static gboolean
is_validator (gpointer data, const char *address, guint64 block, gboolean *unreadable)
{
  World *world = data;
  world->asked[0]++;
  *unreadable = world->validators_unreadable;
  return world->is_validator && block == SAMPLE_SHARD_BLOCK;
}

static const SvManifest *
find_manifest (gpointer data, const char *hash, guint64 block, gboolean *in_force, gboolean *unreadable)
{
  World *world = data;
  world->asked[1]++;
  *in_force = world->in_force && block == SAMPLE_SHARD_BLOCK;
  *unreadable = world->manifest_unreadable;
  return world->manifest;
}

static SvProofVerdict
judge_proof (gpointer data, const SvShard *shard, const SvManifest *manifest, SvBinding *binding_copy)
{
  World *world = data;
  world->asked[2]++;
  g_assert_true (manifest == world->manifest);
  binding_copy->element_id = g_strdup (shard->element_id);
  binding_copy->chute_slug = g_strdup (world->slug);
  binding_copy->chute_id = g_strdup (SAMPLE_CHUTE_ID);
  binding_copy->hf_revision = g_strdup ("player-v1");
  return world->verdict;
}

static SvIssueStatus
find_issue (gpointer data, const SvShard *shard)
{
  World *world = data;
  world->asked[3]++;
  return world->issue;
}

typedef struct
{
  SvManifest *manifest;
  SvShard *shard;
  World world;
  guint64 finalized_block;
} Case;

static void
case_clear (Case *c)
{
  sv_shard_free (c->shard);
  sv_manifest_free (c->manifest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

/* A shard that every rule accepts, signed by its validator or, with @is_self, by its miner. */
static void
case_init (Case *c, gboolean is_self)
{
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) signer = sample_keypair ();

  *c = (Case){ .manifest = sample_window (), .finalized_block = SAMPLE_SHARD_BLOCK };
  g_autoptr (SvShard) shard = sample_shard (c->manifest);
  if (is_self)
  {
    g_free (shard->miner_hotkey);
    shard->miner_hotkey = g_strdup (sv_keypair_address (signer));
  }
  g_autoptr (SvSignedDocument) document = sv_shard_sign (shard, &chain, signer, 1761177601000, NULL);
  g_assert_nonnull (document);
  c->shard = sv_shard_open (document->bytes, &chain, NULL);
  g_assert_nonnull (c->shard);
  c->world = (World){ .is_validator = TRUE, .manifest = c->manifest, .in_force = TRUE, .slug = "lynx" };
}

static void
judge (Case *c, SvShardJudgement *judgement)
{
  const SvShardContext context = {
    .data = &c->world,
    .finalized_block = c->finalized_block,
    .is_validator = is_validator,
    .find_manifest = find_manifest,
    .judge_proof = judge_proof,
    .find_issue = find_issue,
  };
  sv_shard_judge (c->shard, &context, judgement);
}

static void
assert_judged (Case *c, const char *verdict, guint rule, const char *reason)
{
  g_auto (SvShardJudgement) judgement = { 0 };

  judge (c, &judgement);
  if (g_strcmp0 (sv_shard_verdict_name (judgement.verdict), verdict) != 0 || judgement.rule != rule ||
      g_strcmp0 (judgement.reason, reason) != 0)
    g_error ("expected %s, rule %u, %s; got %s, rule %u, %s (%s)", verdict, rule, reason,
             sv_shard_verdict_name (judgement.verdict), judgement.rule, judgement.reason, judgement.detail);
  g_assert_true ((judgement.detail != NULL) == (reason != NULL));
}

static void
test_accepted (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  assert_judged (&c, "accepted", 0, NULL);
}

static void
test_self_does_not_need_the_validator_list (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, TRUE);
  c.world.is_validator = FALSE;
  assert_judged (&c, "self", 0, NULL);
  g_assert_cmpuint (c.world.asked[0], ==, 0);
}

static void
test_legacy_is_only_counted (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  c.shard->is_legacy = TRUE;
  c.shard->block = c.finalized_block + 1;
  assert_judged (&c, "legacy", 0, NULL);
}

static void
test_not_final_comes_before_the_rules (void)
{
  g_auto (Case) c = { 0 };
  case_init (&c, FALSE);
  c.world.is_validator = FALSE;
  c.finalized_block = SAMPLE_SHARD_BLOCK - 1;
  assert_judged (&c, "undecided", 0, "not_final");
  c.finalized_block = SAMPLE_SHARD_BLOCK;
  assert_judged (&c, "rejected", 2, "not_a_validator");
}

/* One way to break each reason, that leaves the others alone. */
static void
break_lane (Case *c)
{
  c->shard->is_self = !c->shard->is_self;
}

static void
break_validator (Case *c)
{
  c->world.is_validator = FALSE;
}

static void
break_manifest (Case *c)
{
  c->world.in_force = FALSE;
}

static void
break_element (Case *c)
{
  g_free (c->shard->element_id);
  c->shard->element_id = g_strdup ("Referee_v1");
}

static void
break_clip (Case *c)
{
  g_free (c->shard->clip_hash);
  c->shard->clip_hash = g_strdup (HASH_C);
}

static void
break_proof (Case *c)
{
  c->world.verdict = SV_PROOF_WITHDRAWN;
}

static void
break_binding (Case *c)
{
  c->world.slug = "orca";
}

static void
break_issue (Case *c)
{
  c->world.issue = SV_ISSUE_CONTRADICTED;
}

static void
break_metrics (Case *c)
{
  json_object_set_new (c->shard->metrics, "more", json_real (1));
}

static void
break_latency (Case *c)
{
  c->shard->rtf += 1e-12;
}

static void
break_telemetry (Case *c)
{
  json_object_del (c->shard->telemetry, "inference_ms");
}

static void
break_recipe (Case *c)
{
  g_clear_pointer (&c->shard->pgt_recipe_hash, g_free);
}

static void
break_score (Case *c)
{
  c->shard->composite_score += 1e-8;
}

static const struct
{
  guint rule;
  const char *reason;
  void (*break_it) (Case *c);
} reasons[] = {
  { 2, "lane", break_lane },
  { 2, "not_a_validator", break_validator },
  { 3, "manifest", break_manifest },
  { 4, "unknown_element", break_element },
  { 4, "unknown_clip", break_clip },
  { 5, "proof_withdrawn", break_proof },
  { 6, "binding_mismatch", break_binding },
  { 7, "not_issued", break_issue },
  { 8, "metrics", break_metrics },
  { 9, "latency", break_latency },
  { 10, "telemetry", break_telemetry },
  { 11, "pgt_recipe_hash", break_recipe },
  { 12, "composite_score", break_score },
};

static void
test_each_rule_alone (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
  {
    g_auto (Case) c = { 0 };
    case_init (&c, FALSE);
    reasons[i].break_it (&c);
    assert_judged (&c, "rejected", reasons[i].rule, reasons[i].reason);
  }
}

static void
test_first_of_two_adjacent_reasons_wins (void)
{
  for (gsize i = 0; i + 1 < G_N_ELEMENTS (reasons); i++)
  {
    g_auto (Case) c = { 0 };
    case_init (&c, FALSE);
    reasons[i + 1].break_it (&c);
    reasons[i].break_it (&c);
    assert_judged (&c, "rejected", reasons[i].rule, reasons[i].reason);
  }
}

static void
test_self_shards_are_held_to_all_other_rules (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
  {
    g_auto (Case) c = { 0 };
    case_init (&c, TRUE);
    reasons[i].break_it (&c);
    if (reasons[i].break_it == break_validator)
      assert_judged (&c, "self", 0, NULL);
    else
      assert_judged (&c, "rejected", reasons[i].rule, reasons[i].reason);
  }
}

static void
test_manifest_must_be_known_and_of_the_window (void)
{
  g_auto (Case) unknown = { 0 }, other = { 0 };

  case_init (&unknown, FALSE);
  unknown.world.manifest = NULL;
  assert_judged (&unknown, "rejected", 3, "manifest");

  case_init (&other, FALSE);
  g_free (other.shard->window_id);
  other.shard->window_id = g_strdup ("2025-10-24");
  assert_judged (&other, "rejected", 3, "manifest");
}

static void
test_every_part_of_the_binding_counts (void)
{
  g_auto (Case) chute = { 0 }, revision = { 0 };

  case_init (&chute, FALSE);
  g_free (chute.shard->chute_id);
  chute.shard->chute_id = g_strdup ("87f7d0c5-0000-4000-8000-000000000002");
  assert_judged (&chute, "rejected", 6, "binding_mismatch");

  case_init (&revision, FALSE);
  g_free (revision.shard->hf_revision);
  revision.shard->hf_revision = g_strdup ("player-v2");
  assert_judged (&revision, "rejected", 6, "binding_mismatch");
}

static void
test_unreadable_state_leaves_undecided (void)
{
  g_auto (Case) validators = { 0 }, manifest = { 0 }, proof = { 0 };

  case_init (&validators, FALSE);
  validators.world.validators_unreadable = TRUE;
  assert_judged (&validators, "undecided", 0, "unreadable");

  case_init (&manifest, FALSE);
  manifest.world.manifest_unreadable = TRUE;
  manifest.world.manifest = NULL;
  assert_judged (&manifest, "undecided", 0, "unreadable");

  case_init (&proof, FALSE);
  proof.world.verdict = SV_PROOF_UNREADABLE;
  break_binding (&proof);
  assert_judged (&proof, "undecided", 0, "unreadable");
}

static void
test_unreadable_names_the_block (void)
{
  g_auto (Case) c = { 0 };
  g_auto (SvShardJudgement) judgement = { 0 };

  case_init (&c, FALSE);
  c.world.verdict = SV_PROOF_UNREADABLE;
  judge (&c, &judgement);
  g_assert_nonnull (strstr (judgement.detail, "block 90,"));
}

static void
test_every_verdict_on_a_proof_has_its_reason (void)
{
  for (SvProofVerdict verdict = SV_PROOF_MISSING; verdict < SV_PROOF_UNREADABLE; verdict++)
  {
    g_autofree char *expected = g_strconcat ("proof_", sv_proof_verdict_name (verdict), NULL);
    g_auto (Case) c = { 0 };
    case_init (&c, FALSE);
    c.world.verdict = verdict;
    assert_judged (&c, "rejected", 5, expected);
  }
}

static void
assert_issue (SvIssueStatus issue, gboolean broken_before)
{
  g_auto (Case) c = { 0 };
  g_auto (SvShardJudgement) judgement = { 0 };

  case_init (&c, FALSE);
  c.world.issue = issue;
  if (broken_before)
    break_proof (&c);
  judge (&c, &judgement);
  g_assert_cmpint (judgement.issue, ==, broken_before ? SV_ISSUE_UNCHECKED : issue);
  g_assert_true ((judgement.verdict == SV_SHARD_ACCEPTED) == (!broken_before && issue != SV_ISSUE_CONTRADICTED));
}

static void
test_issue_status_is_told (void)
{
  assert_issue (SV_ISSUE_UNCHECKED, FALSE);
  assert_issue (SV_ISSUE_CONFIRMED, FALSE);
  assert_issue (SV_ISSUE_CONTRADICTED, FALSE);
  assert_issue (SV_ISSUE_CONFIRMED, TRUE);
}

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

static void
test_questions_are_asked_once_and_not_in_vain (void)
{
  static const struct
  {
    void (*break_it) (Case *c);
    guint asked[4];
  } cases[] = {
    { break_score, { 1, 1, 1, 1 } },    { break_lane, { 0, 0, 0, 0 } },  { break_validator, { 1, 0, 0, 0 } },
    { break_manifest, { 1, 1, 0, 0 } }, { break_clip, { 1, 1, 0, 0 } },  { break_proof, { 1, 1, 1, 0 } },
    { break_binding, { 1, 1, 1, 0 } },  { break_issue, { 1, 1, 1, 1 } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_auto (Case) c = { 0 };
    g_auto (SvShardJudgement) judgement = { 0 };
    case_init (&c, FALSE);
    cases[i].break_it (&c);
    judge (&c, &judgement);
    for (guint q = 0; q < 4; q++)
      g_assert_cmpuint (c.world.asked[q], ==, cases[i].asked[q]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shard rules/accepted", test_accepted);
  g_test_add_func ("/shard rules/self does not need the validator list", test_self_does_not_need_the_validator_list);
  g_test_add_func ("/shard rules/legacy is only counted", test_legacy_is_only_counted);
  g_test_add_func ("/shard rules/not final comes before the rules", test_not_final_comes_before_the_rules);
  g_test_add_func ("/shard rules/each rule alone", test_each_rule_alone);
  g_test_add_func ("/shard rules/first of two adjacent reasons wins", test_first_of_two_adjacent_reasons_wins);
  g_test_add_func ("/shard rules/self shards are held to all other rules", test_self_shards_are_held_to_all_other_rules);
  g_test_add_func ("/shard rules/manifest must be known and of the window", test_manifest_must_be_known_and_of_the_window);
  g_test_add_func ("/shard rules/every part of the binding counts", test_every_part_of_the_binding_counts);
  g_test_add_func ("/shard rules/unreadable state leaves undecided", test_unreadable_state_leaves_undecided);
  g_test_add_func ("/shard rules/unreadable names the block", test_unreadable_names_the_block);
  g_test_add_func ("/shard rules/every verdict on a proof has its reason", test_every_verdict_on_a_proof_has_its_reason);
  g_test_add_func ("/shard rules/issue status is told", test_issue_status_is_told);
  g_test_add_func ("/shard rules/metrics may be empty, then the score is null",
                   test_metrics_may_be_empty_then_the_score_is_null);
  g_test_add_func ("/shard rules/score must be there for metrics", test_score_must_be_there_for_metrics);
  g_test_add_func ("/shard rules/score may differ by rounding", test_score_may_differ_by_rounding);
  g_test_add_func ("/shard rules/failed gate scores exactly zero", test_failed_gate_scores_exactly_zero);
  g_test_add_func ("/shard rules/each number of latency is recomputed", test_each_number_of_latency_is_recomputed);
  g_test_add_func ("/shard rules/too few calls have neither p95 nor pass", test_too_few_calls_have_neither_p95_nor_pass);
  g_test_add_func ("/shard rules/null telemetry is not there", test_null_telemetry_is_not_there);
  g_test_add_func ("/shard rules/another recipe is not the manifest's", test_another_recipe_is_not_the_manifests);
  g_test_add_func ("/shard rules/questions are asked once and not in vain", test_questions_are_asked_once_and_not_in_vain);
  return g_test_run ();
}
