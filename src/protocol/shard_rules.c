/* The audit: rules 2 to 12 of docs/protocol.md section 9 (rule 1 is sv_shard_open()), one function each, in a table in their
 * order. A rule that holds returns TRUE; one that does not has written its verdict into the judgement and ends the audit, so
 * the first rule that fails is the one named, and the world is asked nothing that an earlier rule has made pointless.
 *
 * Before the rules: a legacy shard is only counted, and a shard whose block is not final yet is undecided whatever else may be
 * wrong with it, for its block's world may still change.
 *
 * Rule 9 compares doubles for equality. The shard holds them in canonical JSON, which keeps every bit, and latency.c is the
 * only place that computes them, so an honest runner's numbers are the auditor's. Only the weighted sum of rule 12 has a
 * tolerance, since a runner may sum the pillars in another order. */
#include "protocol/shard.h"

#include <math.h>
#include <string.h>

#define SCORE_TOLERANCE 1e-9

typedef struct
{
  const SvShard *shard;
  const SvShardContext *context;
  SvShardJudgement *judgement;
  const SvManifest *manifest; /* from rule 3 on */
  const SvElement *element;   /* from rule 4 on */
  SvBinding binding;          /* from rule 5 on */
} Audit;

static const char *const verdict_names[] = {
  [SV_SHARD_ACCEPTED] = "accepted",   [SV_SHARD_REJECTED] = "rejected", [SV_SHARD_SELF] = "self",
  [SV_SHARD_UNDECIDED] = "undecided", [SV_SHARD_LEGACY] = "legacy",
};

const char *
sv_shard_verdict_name (SvShardVerdict verdict)
{
  g_return_val_if_fail ((gsize)verdict < G_N_ELEMENTS (verdict_names), "undecided");
  return verdict_names[verdict];
}

void
sv_shard_judgement_clear (SvShardJudgement *judgement)
{
  g_free (judgement->detail);
  *judgement = (SvShardJudgement){ 0 };
}

static gboolean G_GNUC_PRINTF (3, 4) reject (Audit *audit, const char *reason, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  audit->judgement->detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  audit->judgement->verdict = SV_SHARD_REJECTED;
  audit->judgement->reason = reason;
  return FALSE;
}

static gboolean
undecided (Audit *audit, const char *reason, char *detail)
{
  audit->judgement->verdict = SV_SHARD_UNDECIDED;
  audit->judgement->reason = reason;
  audit->judgement->detail = detail;
  return FALSE;
}

static gboolean
unreadable (Audit *audit, const char *what, guint64 block)
{
  return undecided (
      audit, "unreadable",
      g_strdup_printf ("the chain's state of block %" G_GUINT64_FORMAT ", needed for %s, cannot be read", block, what));
}

/* Rule 2. */
static gboolean
check_signer (Audit *audit)
{
  const SvShard *shard = audit->shard;
  const char *signer = shard->document->signed_by;
  gboolean is_self = strcmp (signer, shard->miner_hotkey) == 0, is_unreadable = FALSE;

  if (is_self != shard->is_self)
    return reject (audit, "lane", "lane is %s, but the shard is signed by %s for miner %s", shard->is_self ? "self" : "public",
                   signer, shard->miner_hotkey);
  if (is_self)
    return TRUE;
  gboolean is_validator = audit->context->is_validator (audit->context->data, signer, shard->block, &is_unreadable);
  if (is_unreadable)
    return unreadable (audit, "the validator list", shard->block);
  return is_validator ||
         reject (audit, "not_a_validator", "%s is not on the validator list at block %" G_GUINT64_FORMAT, signer, shard->block);
}

/* Rule 3. */
static gboolean
check_manifest (Audit *audit)
{
  const SvShard *shard = audit->shard;
  gboolean in_force = FALSE, is_unreadable = FALSE;

  audit->manifest =
      audit->context->find_manifest (audit->context->data, shard->manifest_hash, shard->block, &in_force, &is_unreadable);
  if (is_unreadable)
    return undecided (audit, "unreadable", g_strdup_printf ("manifest %s cannot be read", shard->manifest_hash));
  if (audit->manifest == NULL)
    return reject (audit, "manifest", "no verified manifest %s is known", shard->manifest_hash);
  if (strcmp (audit->manifest->window_id, shard->window_id) != 0)
    return reject (audit, "manifest", "manifest %s is of window %s, not %s", shard->manifest_hash, audit->manifest->window_id,
                   shard->window_id);
  return in_force || reject (audit, "manifest", "manifest %s is not in force at block %" G_GUINT64_FORMAT, shard->manifest_hash,
                             shard->block);
}

/* Rule 4. */
static gboolean
check_element (Audit *audit)
{
  const SvShard *shard = audit->shard;

  audit->element = sv_manifest_find_element (audit->manifest, shard->element_id);
  if (audit->element == NULL)
    return reject (audit, "unknown_element", "element %s is not in the manifest", shard->element_id);
  return sv_element_has_clip (audit->element, shard->clip_hash) ||
         reject (audit, "unknown_clip", "clip %s is not among those of element %s", shard->clip_hash, shard->element_id);
}

/* Rule 5. A verdict's reason is its name after "proof_", as a string that outlives the audit. */
static const char *const proof_reasons[] = {
  [SV_PROOF_MISSING] = "proof_missing",
  [SV_PROOF_MALFORMED] = "proof_malformed",
  [SV_PROOF_UNKNOWN_ELEMENT] = "proof_unknown_element",
  [SV_PROOF_UNKNOWN] = "proof_unknown",
  [SV_PROOF_WRONG_HOTKEY] = "proof_wrong_hotkey",
  [SV_PROOF_EXPIRED] = "proof_expired",
  [SV_PROOF_WRONG_WINDOW] = "proof_wrong_window",
  [SV_PROOF_WRONG_ELEMENT] = "proof_wrong_element",
  [SV_PROOF_WITHDRAWN] = "proof_withdrawn",
  [SV_PROOF_NOT_IN_FORCE] = "proof_not_in_force",
  [SV_PROOF_WRONG_SLUG] = "proof_wrong_slug",
};

static gboolean
check_proof (Audit *audit)
{
  const SvShard *shard = audit->shard;
  SvProof proof = { 0 };
  SvProofVerdict verdict = audit->context->judge_proof (audit->context->data, shard, audit->manifest, &audit->binding);

  if (verdict == SV_PROOF_VALID)
    return TRUE;
  if (verdict == SV_PROOF_UNREADABLE)
    return unreadable (audit, "the commitment", sv_proof_parse (shard->commitment_proof, &proof) ? proof.block : shard->block);
  return reject (audit, proof_reasons[verdict],
                 "commitment %s does not bind miner %s to element %s at block %" G_GUINT64_FORMAT, shard->commitment_proof,
                 shard->miner_hotkey, shard->element_id, shard->block);
}

/* Rule 6. */
static gboolean
check_binding (Audit *audit)
{
  const SvShard *shard = audit->shard;
  const struct
  {
    const char *name, *in_shard, *bound;
  } fields[] = {
    { "chute_slug", shard->chute_slug, audit->binding.chute_slug },
    { "chute_id", shard->chute_id, audit->binding.chute_id },
    { "hf_revision", shard->hf_revision, audit->binding.hf_revision },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
  {
    if (g_strcmp0 (fields[i].in_shard, fields[i].bound) != 0)
      return reject (audit, "binding_mismatch", "%s is %s; the commitment binds %s", fields[i].name, fields[i].in_shard,
                     fields[i].bound);
  }
  return TRUE;
}

/* Rule 7. */
static gboolean
check_issued (Audit *audit)
{
  audit->judgement->issue = audit->context->find_issue (audit->context->data, audit->shard);
  if (audit->judgement->issue == SV_ISSUE_DISPUTED)
    return undecided (audit, "contradicted",
                      g_strdup_printf ("the issue log of window %s contradicts itself", audit->shard->window_id));
  return audit->judgement->issue != SV_ISSUE_CONTRADICTED ||
         reject (audit, "not_issued", "the issue log has no challenge %s with this validator, miner, element, clip and seed",
                 audit->shard->challenge_id);
}

static gboolean
is_scored (const SvShard *shard)
{
  return json_object_size (shard->metrics) > 0;
}

/* Rule 8. */
static gboolean
check_metrics (Audit *audit)
{
  double score;
  return !is_scored (audit->shard) || sv_score_weighted (audit->shard->metrics, audit->element, &score) ||
         reject (audit, "metrics", "metrics are not exactly the pillars of element %s, each from 0 to 1", audit->element->id);
}

/* Rule 9. */
static gboolean
check_latency (Audit *audit)
{
  const SvShard *shard = audit->shard;
  SvLatency latency;

  sv_latency_evaluate (shard->latencies_ms, shard->n_latencies, audit->element, &latency);
  gboolean same_numbers = shard->has_p95 == latency.is_known &&
                          (!latency.is_known || (shard->p95_latency_ms == latency.p95_ms && shard->rtf == latency.rtf));
  return (same_numbers && shard->latency_pass == latency.pass) ||
         reject (audit, "latency", "p95_latency_ms, rtf or latency_pass is not what latencies_ms give");
}

/* Telemetry comes with a chute's answer. Where no call was answered there is none, and a shard that says so is honest: its
 * latencies and its missing score already tell against the miner. */
static gboolean
no_call_answered (const SvShard *shard)
{
  for (gsize i = 0; i < shard->n_latencies; i++)
    if (shard->latencies_ms[i] != SV_LATENCY_FAILED_MS)
      return FALSE;
  return json_object_size (shard->metrics) == 0;
}

/* Rule 10. */
static gboolean
check_telemetry (Audit *audit)
{
  if (no_call_answered (audit->shard))
    return TRUE;
  for (char **key = audit->element->telemetry; *key != NULL; key++)
  {
    const json_t *value = json_object_get (audit->shard->telemetry, *key);
    if (value == NULL || json_is_null (value))
      return reject (audit, "telemetry", "telemetry lacks %s, which element %s requires", *key, audit->element->id);
  }
  return TRUE;
}

/* Rule 11. */
static gboolean
check_recipe (Audit *audit)
{
  const char *in_shard = audit->shard->pgt_recipe_hash, *in_manifest = audit->element->pgt_recipe_hash;
  return g_strcmp0 (in_shard, in_manifest) == 0 ||
         reject (audit, "pgt_recipe_hash", "pgt_recipe_hash is %s; the manifest has %s", in_shard != NULL ? in_shard : "null",
                 in_manifest != NULL ? in_manifest : "none");
}

/* Rule 12. */
static gboolean
check_score (Audit *audit)
{
  const SvShard *shard = audit->shard;
  double expected = 0;

  if (!is_scored (shard))
    return !shard->has_score ||
           reject (audit, "composite_score", "composite_score is %.17g; without metrics it is null", shard->composite_score);
  if (!shard->has_score)
    return reject (audit, "composite_score", "composite_score is null although there are metrics");
  if (shard->latency_pass && !sv_score_weighted (shard->metrics, audit->element, &expected))
    return reject (audit, "composite_score", "the metrics have no weighted sum");
  /* Tolerance belongs to the sum; the 0 of a failed gate is exact. */
  double tolerance = shard->latency_pass ? SCORE_TOLERANCE : 0;
  return fabs (shard->composite_score - expected) <= tolerance ||
         reject (audit, "composite_score", "composite_score is %.17g; it must be %.17g", shard->composite_score, expected);
}

static const struct
{
  guint number;
  gboolean (*holds) (Audit *audit);
} rules[] = {
  { 2, check_signer },     { 3, check_manifest }, { 4, check_element }, { 5, check_proof },
  { 6, check_binding },    { 7, check_issued },   { 8, check_metrics }, { 9, check_latency },
  { 10, check_telemetry }, { 11, check_recipe },  { 12, check_score },
};

static void
run_rules (Audit *audit)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
  {
    if (rules[i].holds (audit))
      continue;
    audit->judgement->rule = audit->judgement->verdict == SV_SHARD_REJECTED ? rules[i].number : 0;
    return;
  }
  audit->judgement->verdict = audit->shard->is_self ? SV_SHARD_SELF : SV_SHARD_ACCEPTED;
}

void
sv_shard_judge (const SvShard *shard, const SvShardContext *context, SvShardJudgement *judgement)
{
  Audit audit = { .shard = shard, .context = context, .judgement = judgement };

  *judgement = (SvShardJudgement){ 0 };
  if (shard->is_legacy)
  {
    judgement->verdict = SV_SHARD_LEGACY;
    return;
  }
  if (shard->block > context->finalized_block)
  {
    undecided (&audit, "not_final",
               g_strdup_printf ("block %" G_GUINT64_FORMAT " is above the finalized head %" G_GUINT64_FORMAT, shard->block,
                                context->finalized_block));
    return;
  }
  run_rules (&audit);
  sv_binding_clear (&audit.binding);
}
