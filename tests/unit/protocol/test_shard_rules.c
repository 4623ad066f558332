/* Cases: an accepted and a self shard; legacy and not final before everything else; each rule broken alone, in each way; each
 * adjacent pair of reasons, where both hold and the first wins; unreadable state; the issue log's four answers; the proof's
 * verdicts; that no question is asked twice, nor after a rule has failed. The numbers of rules 8 to 12 in detail stand in
 * test_shard_numbers.c. */
#include "shard_case.h"

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
let_calls_fail (Case *c, gsize n)
{
  for (gsize i = 0; i < n; i++)
    c->shard->latencies_ms[i] = SV_LATENCY_FAILED_MS;
  json_object_clear (c->shard->telemetry);
  json_object_clear (c->shard->metrics);
  sv_shard_score (c->shard, sv_manifest_find_element (c->world.manifest, c->shard->element_id));
}

static void
test_a_dead_chute_has_no_telemetry (void)
{
  g_auto (Case) dead = { 0 }, nearly = { 0 }, slow = { 0 }, scored = { 0 };

  case_init (&dead, FALSE);
  let_calls_fail (&dead, dead.shard->n_latencies);
  assert_judged (&dead, "accepted", 0, NULL);

  case_init (&nearly, FALSE);
  let_calls_fail (&nearly, nearly.shard->n_latencies - 1);
  assert_judged (&nearly, "rejected", 10, "telemetry");

  case_init (&slow, FALSE); /* an odd number is no failed call */
  let_calls_fail (&slow, slow.shard->n_latencies);
  slow.shard->latencies_ms[0] = SV_LATENCY_FAILED_MS + 1;
  sv_shard_score (slow.shard, sv_manifest_find_element (slow.world.manifest, slow.shard->element_id));
  assert_judged (&slow, "rejected", 10, "telemetry");

  case_init (&scored, FALSE);
  json_t *metrics = json_deep_copy (scored.shard->metrics);
  let_calls_fail (&scored, scored.shard->n_latencies);
  json_object_update (scored.shard->metrics, metrics);
  json_decref (metrics);
  sv_shard_score (scored.shard, sv_manifest_find_element (scored.world.manifest, scored.shard->element_id));
  assert_judged (&scored, "rejected", 10, "telemetry");
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
  g_assert_true ((judgement.verdict == SV_SHARD_ACCEPTED) ==
                 (!broken_before && issue != SV_ISSUE_CONTRADICTED && issue != SV_ISSUE_DISPUTED));
  g_assert_true (issue != SV_ISSUE_DISPUTED || judgement.verdict == SV_SHARD_UNDECIDED);
}

static void
test_issue_status_is_told (void)
{
  assert_issue (SV_ISSUE_UNCHECKED, FALSE);
  assert_issue (SV_ISSUE_CONFIRMED, FALSE);
  assert_issue (SV_ISSUE_CONTRADICTED, FALSE);
  assert_issue (SV_ISSUE_DISPUTED, FALSE);
  assert_issue (SV_ISSUE_CONFIRMED, TRUE);
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
  g_test_add_func ("/shard rules/a dead chute has no telemetry", test_a_dead_chute_has_no_telemetry);
  g_test_add_func ("/shard rules/first of two adjacent reasons wins", test_first_of_two_adjacent_reasons_wins);
  g_test_add_func ("/shard rules/self shards are held to all other rules", test_self_shards_are_held_to_all_other_rules);
  g_test_add_func ("/shard rules/manifest must be known and of the window", test_manifest_must_be_known_and_of_the_window);
  g_test_add_func ("/shard rules/every part of the binding counts", test_every_part_of_the_binding_counts);
  g_test_add_func ("/shard rules/unreadable state leaves undecided", test_unreadable_state_leaves_undecided);
  g_test_add_func ("/shard rules/unreadable names the block", test_unreadable_names_the_block);
  g_test_add_func ("/shard rules/every verdict on a proof has its reason", test_every_verdict_on_a_proof_has_its_reason);
  g_test_add_func ("/shard rules/issue status is told", test_issue_status_is_told);
  g_test_add_func ("/shard rules/questions are asked once and not in vain", test_questions_are_asked_once_and_not_in_vain);
  return g_test_run ();
}
