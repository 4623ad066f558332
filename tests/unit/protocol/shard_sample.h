/* A shard of the sample manifest that passes every rule, signed by its validator. */
#pragma once

#include "sample.h"

#include "protocol/shard.h"

#define SAMPLE_SHARD_BLOCK 150
#define SAMPLE_CHUTE_ID "87f7d0c5-0000-4000-8000-000000000001"
#define SAMPLE_PROOF "90:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static inline SvManifest *
sample_window (void)
{
  return sample_manifest ("2025-10-23", 100, 200, NULL);
}

static inline SvShard *
sample_shard (const SvManifest *manifest)
{
  const double latencies[] = { 100, 110, 120, 90, 95.5 };
  SvShard *shard = sv_shard_new ();
  shard->window_id = g_strdup (manifest->window_id);
  shard->manifest_hash = g_strdup (manifest->hash);
  shard->element_id = g_strdup ("PlayerDetect_v1@1.0");
  shard->challenge_id = g_strdup ("17");
  shard->clip_hash = g_strdup (HASH_A);
  shard->miner_hotkey = g_strdup (BOB);
  shard->commitment_proof = g_strdup (SAMPLE_PROOF);
  shard->chute_slug = g_strdup ("lynx");
  shard->chute_id = g_strdup (SAMPLE_CHUTE_ID);
  shard->hf_revision = g_strdup ("player-v1");
  shard->block = SAMPLE_SHARD_BLOCK;
  shard->created_at = 1761177600123;
  shard->seed = SV_JSON_MAX_INTEGER;
  shard->pgt_recipe_hash = g_strdup (HASH_B);
  json_object_set_new (shard->metrics, "iou", json_real (0.1));
  json_object_set_new (shard->metrics, "count", json_real (0.7));
  json_object_set_new (shard->telemetry, "inference_ms", json_real (80));
  shard->latencies_ms = g_memdup2 (latencies, sizeof latencies);
  shard->n_latencies = G_N_ELEMENTS (latencies);
  sv_shard_score (shard, sv_manifest_find_element (manifest, shard->element_id));
  return shard;
}

/* The content of the sample shard as JSON, with the signed-document fields. */
static inline json_t *
sample_shard_json (const SvManifest *manifest)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) validator = sample_keypair ();
  g_autoptr (SvShard) shard = sample_shard (manifest);
  g_autoptr (SvSignedDocument) document = sv_shard_sign (shard, &chain, validator, 1761177601000, &error);
  g_assert_no_error (error);
  return json_incref (document->json);
}

/* Signs @content, whatever it says, as a shard. Returns: (transfer full) the line. */
static inline GBytes *
sample_sign_shard (const json_t *content)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) validator = sample_keypair ();
  g_autoptr (SvSignedDocument) document =
      sv_signed_document_create (content, "shard", &chain, validator, 1761177601000, &error);
  g_assert_no_error (error);
  return g_bytes_ref (document->bytes);
}
