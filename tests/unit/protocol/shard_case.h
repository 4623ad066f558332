/* A shard that every rule accepts, and a world that answers as the rules want it; tests spoil either. */
#pragma once

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

static inline gboolean
is_validator (gpointer data, const char *address, guint64 block, gboolean *unreadable)
{
  World *world = data;
  world->asked[0]++;
  *unreadable = world->validators_unreadable;
  return world->is_validator && block == SAMPLE_SHARD_BLOCK;
}

static inline const SvManifest *
find_manifest (gpointer data, const char *hash, guint64 block, gboolean *in_force, gboolean *unreadable)
{
  World *world = data;
  world->asked[1]++;
  *in_force = world->in_force && block == SAMPLE_SHARD_BLOCK;
  *unreadable = world->manifest_unreadable;
  return world->manifest;
}

static inline SvProofVerdict
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

static inline SvIssueStatus
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

static inline void
case_clear (Case *c)
{
  sv_shard_free (c->shard);
  sv_manifest_free (c->manifest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

/* A shard that every rule accepts, signed by its validator or, with @is_self, by its miner. */
static inline void
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

static inline void
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

static inline void
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
