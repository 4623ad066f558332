/* A valid manifest as tests like to start from, and a way to spoil one field of it. Values of fields are written as JSON. */
#pragma once

#include "protocol/manifest.h"

#include <stdlib.h>
#include <string.h>

#define HASH_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HASH_C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ALICE "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define BOB "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"

static inline json_t *
sample_json (const char *text)
{
  GError *error = NULL;
  json_t *json = sv_json_parse ("sample", text, strlen (text), 16 * 1024 * 1024, &error);
  g_assert_no_error (error);
  return json;
}

static inline json_t *
sample_authored (const char *window_id, guint64 start_block, guint64 expiry_block)
{
  g_autofree char *text = g_strdup_printf (
      "{\"version\":\"1.3\",\"window_id\":\"%s\",\"start_block\":%" G_GUINT64_FORMAT ",\"expiry_block\":%" G_GUINT64_FORMAT
      ",\"issuers\":[\"ss58:" ALICE "\"],\"pgt_recipe_hash\":\"" HASH_C "\",\"tee\":{\"trusted_share_gamma\":0.2},"
      "\"elements\":["
      "{\"id\":\"PlayerDetect_v1@1.0\",\"clips\":[{\"hash\":\"" HASH_B "\",\"weight\":1},{\"hash\":\"" HASH_A
      "\",\"weight\":2.5}],"
      "\"preproc\":{\"fps\":5,\"resize_long\":1280,\"norm\":\"rgb-01\"},"
      "\"metrics\":{\"pillars\":{\"iou\":0.7,\"count\":0.3}},"
      "\"latency_p95_ms\":200,\"service_rate_fps\":25,\"pgt_recipe_hash\":\"" HASH_B "\",\"baseline_theta\":0.78,"
      "\"delta_floor\":0.01,\"beta\":1.0,\"salt\":{\"offsets\":[0,1],\"strides\":[1,2]},\"telemetry\":[\"inference_ms\"],"
      "\"challenge_type\":\"football\",\"weight\":0,\"window_block\":7,\"track\":\"open\",\"objects\":[\"player\"]},"
      "{\"id\":\"BallDetect_v1@1.0\",\"clips\":[],"
      "\"preproc\":{\"fps\":5,\"resize_long\":1920,\"norm\":\"none\"},\"metrics\":{\"pillars\":{\"iou\":1}},"
      "\"latency_p95_ms\":160,\"service_rate_fps\":30,\"baseline_theta\":0.7,\"delta_floor\":0,\"beta\":1.4}]}",
      window_id, start_block, expiry_block);
  return sample_json (text);
}

/* Sets the field at @pointer (no escapes) to @value, or removes it for NULL. One past the end of an array appends. */
static inline void
sample_set (json_t *json, const char *pointer, const char *value)
{
  g_auto (GStrv) parts = g_strsplit (pointer + 1, "/", -1);
  const guint last = g_strv_length (parts) - 1;
  json_t *at = json;
  for (guint i = 0; i < last; i++)
    at = json_is_array (at) ? json_array_get (at, (gsize)atoi (parts[i])) : json_object_get (at, parts[i]);
  g_assert_nonnull (at);
  const gsize index = (gsize)atoi (parts[last]);
  if (json_is_array (at) && index == json_array_size (at))
    json_array_append_new (at, sample_json (value));
  else if (json_is_array (at))
    g_assert_cmpint (value != NULL ? json_array_set_new (at, index, sample_json (value)) : json_array_remove (at, index), ==,
                     0);
  else if (value != NULL)
    json_object_set_new (at, parts[last], sample_json (value));
  else
    g_assert_cmpint (json_object_del (at, parts[last]), ==, 0);
}

static inline SvChainId
sample_chain (void)
{
  SvChainId chain = { .netuid = 44 };
  g_strlcpy (chain.genesis, "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03", sizeof chain.genesis);
  return chain;
}

static inline SvKeypair *
sample_keypair (void)
{
  static const guint8 seed[32] = { 1 };
  return sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
}

static inline SvManifest *
sample_sign (const json_t *authored, const char *previous)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  SvManifest *manifest = sv_manifest_sign (authored, 0, previous, &chain, keypair, 1761177600000, &error);
  g_assert_no_error (error);
  return manifest;
}

static inline SvManifest *
sample_manifest (const char *window_id, guint64 start_block, guint64 expiry_block, const char *previous)
{
  g_autoptr (json_t) authored = sample_authored (window_id, start_block, expiry_block);
  return sample_sign (authored, previous);
}

/* Exactly one error, at @pointer, whose message has @part in it. */
static inline void
sample_assert_fault (const SvFaults *faults, const char *pointer, const char *part)
{
  const SvFault *found = NULL;
  for (guint i = 0; i < faults->items->len; i++)
  {
    const SvFault *fault = g_ptr_array_index (faults->items, i);
    if (!fault->is_warning)
      found = fault;
  }
  if (faults->n_errors != 1 || !g_str_equal (found->pointer, pointer) || strstr (found->message, part) == NULL)
    g_error ("expected the one fault \"%s: …%s…\", got %u, the last of them \"%s: %s\"", pointer, part, faults->n_errors,
             found != NULL ? found->pointer : "", found != NULL ? found->message : "");
}
