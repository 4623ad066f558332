/* Shard lines from outside. As no mutated line has a valid signature, what parses is also signed here; a shard that opens is
 * judged by a world that agrees with it, and must survive being signed and opened again. */
#include "protocol/shard.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

#define HASH "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const SvChainId chain = { .genesis = "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03",
                                 .netuid = 44 };

static gboolean
is_validator (gpointer data, const char *address, guint64 block, gboolean *unreadable)
{
  return TRUE;
}

static const SvManifest *
find_manifest (gpointer data, const char *hash, guint64 block, gboolean *in_force, gboolean *unreadable)
{
  *in_force = TRUE;
  return data;
}

static SvProofVerdict
judge_proof (gpointer data, const SvShard *shard, const SvManifest *manifest, SvBinding *binding_copy)
{
  binding_copy->chute_slug = g_strdup (shard->chute_slug);
  binding_copy->chute_id = g_strdup (shard->chute_id);
  binding_copy->hf_revision = g_strdup (shard->hf_revision);
  return SV_PROOF_VALID;
}

static SvIssueStatus
find_issue (gpointer data, const SvShard *shard)
{
  return SV_ISSUE_UNCHECKED;
}

/* A manifest with just the shard's element and clip. */
static void
judge (const SvShard *shard)
{
  static char hash[] = HASH, *telemetry[] = { NULL }, pillar_name[] = "iou";
  SvManifestClip clip = { .hash = shard->is_legacy ? hash : shard->clip_hash, .weight = 1 };
  SvPillar pillar = { .name = pillar_name, .weight = 1 };
  SvElement element = { .id = shard->element_id,
                        .clips = &clip,
                        .n_clips = 1,
                        .pillars = &pillar,
                        .n_pillars = 1,
                        .latency_p95_ms = 200,
                        .service_rate_fps = 25,
                        .pgt_recipe_hash = shard->pgt_recipe_hash,
                        .telemetry = telemetry };
  SvManifest manifest = { .window_id = shard->window_id, .elements = &element, .n_elements = 1 };
  const SvShardContext context = { &manifest, G_MAXUINT64, is_validator, find_manifest, judge_proof, find_issue };
  g_auto (SvShardJudgement) judgement = { 0 };

  sv_shard_judge (shard, &context, &judgement);
  g_assert_nonnull (sv_shard_verdict_name (judgement.verdict));
  g_assert_true ((judgement.verdict == SV_SHARD_REJECTED) == (judgement.rule != 0));
}

static void
sign_and_open_again (const SvShard *shard, const SvKeypair *keypair)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvSignedDocument) document = sv_shard_sign (shard, &chain, keypair, 0, &error);
  g_assert_no_error (error);
  g_autoptr (SvShard) again = sv_shard_open (document->bytes, &chain, &error);
  g_assert_no_error (error);
  g_assert_true (sv_json_equal (again->metrics, shard->metrics));
  g_assert_true (sv_json_equal (again->telemetry, shard->telemetry));
  g_assert_cmpuint (again->n_latencies, ==, shard->n_latencies);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const guint8 seed[32] = { 1 };
  g_autoptr (GBytes) line = g_bytes_new_static (data, size);
  sv_shard_free (sv_shard_open (line, &chain, NULL));
  g_autoptr (json_t) json = sv_json_parse ("fuzz", data, size, SV_SHARD_MAX_SIZE, NULL);
  if (!json_is_object (json))
    return 0;

  g_autoptr (SvFaults) faults = sv_faults_new ();
  sv_shard_check (json, faults);
  if (faults->n_errors > 0)
    return 0;
  g_autoptr (SvKeypair) keypair = sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
  g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, "shard", &chain, keypair, 0, NULL);
  g_autoptr (SvShard) shard = document != NULL ? sv_shard_open (document->bytes, &chain, NULL) : NULL;
  if (shard == NULL)
    return 0;
  judge (shard);
  sign_and_open_again (shard, keypair);
  return 0;
}
