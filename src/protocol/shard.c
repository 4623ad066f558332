/* Shards: building, signing, opening. What an audit asks of an opened shard is shard_rules.c's business.
 *
 * Two forms share one struct. A manifest-aware shard (v 1) has every field of docs/protocol.md section 9. A legacy shard (v 0)
 * knows no manifest, so it has only what can be said without one: task_id (kept in challenge_id here), miner_hotkey,
 * chute_slug or null, lane, created_at, metrics, latencies_ms, telemetry and error.
 *
 * There is one reader, read_fields(): checking a shard is reading it into one that is thrown away, so the check and the values
 * cannot drift apart. sv_shard_sign() runs the same check over what it is about to sign, and takes the lane from the key, so
 * that no line leaves here that sv_shard_open() would refuse. */
#include "protocol/shard.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "base/rfc3339.h"
#include "protocol/fields.h"

#include <float.h>
#include <string.h>

#define MAX_LATENCIES 64
#define MAX_LATENCY_MS 1e9

SvShard *
sv_shard_new (void)
{
  SvShard *shard = g_new0 (SvShard, 1);
  shard->metrics = json_object ();
  shard->telemetry = json_object ();
  return shard;
}

void
sv_shard_free (SvShard *shard)
{
  if (shard == NULL)
    return;
  g_clear_pointer (&shard->document, sv_signed_document_free);
  g_free (shard->window_id);
  g_free (shard->manifest_hash);
  g_free (shard->element_id);
  g_free (shard->challenge_id);
  g_free (shard->clip_hash);
  g_free (shard->miner_hotkey);
  g_free (shard->commitment_proof);
  g_free (shard->chute_slug);
  g_free (shard->chute_id);
  g_free (shard->hf_revision);
  g_free (shard->pgt_recipe_hash);
  g_free (shard->salt_id);
  g_free (shard->draw_commit);
  json_decref (shard->metrics);
  g_free (shard->latencies_ms);
  json_decref (shard->telemetry);
  g_free (shard->error);
  g_free (shard);
}

static gboolean
is_error (const char *text)
{
  return strnlen (text, SV_SHARD_MAX_ERROR + 1) <= SV_SHARD_MAX_ERROR;
}

static const SvForm error_text = { is_error, "a text of at most " G_STRINGIFY (SV_SHARD_MAX_ERROR) " bytes" };

static gboolean
read_lane (const SvScope *scope)
{
  const char *lane = sv_scope_string (scope, "lane", SV_REQUIRED);

  if (lane != NULL && strcmp (lane, "public") != 0 && strcmp (lane, "self") != 0)
    sv_scope_fault (scope, "lane", "is neither \"public\" nor \"self\"");
  return g_strcmp0 (lane, "self") == 0;
}

static gint64
read_time (const SvScope *scope, const char *key)
{
  gint64 ms = 0;
  const char *text = sv_scope_string (scope, key, SV_REQUIRED);

  if (text != NULL && !sv_time_parse (text, &ms))
    sv_scope_fault (scope, key, "is not a time like 2025-10-23T00:00:00Z");
  return ms;
}

static void
read_latencies (const SvScope *scope, SvShard *shard)
{
  const json_t *array = sv_scope_array (scope, "latencies_ms", SV_REQUIRED, 0, MAX_LATENCIES);

  g_free (shard->latencies_ms);
  shard->n_latencies = json_array_size (array);
  shard->latencies_ms = g_new0 (double, shard->n_latencies);
  for (gsize i = 0; i < shard->n_latencies; i++)
  {
    const json_t *value = json_array_get (array, i);
    double number = json_number_value (value);
    if (json_is_number (value) && number >= 0 && number <= MAX_LATENCY_MS)
      shard->latencies_ms[i] = number;
    else
      sv_scope_fault (scope, "latencies_ms", "item %" G_GSIZE_FORMAT " is not a number from 0 to %g", i, MAX_LATENCY_MS);
  }
}

/* The object in @key, which replaces what @slot holds. */
static void
read_object (const SvScope *scope, const char *key, json_t **slot)
{
  g_auto (SvScope) child = { 0 };

  if (!sv_scope_object (scope, key, SV_REQUIRED, &child))
    return;
  json_decref (*slot);
  *slot = json_deep_copy (child.json);
}

static void
read_telemetry (const SvScope *scope, SvShard *shard)
{
  read_object (scope, "telemetry", &shard->telemetry);

  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) canonical = sv_json_canonical (shard->telemetry, &error);
  if (canonical == NULL)
    sv_scope_fault (scope, "telemetry", "%s", error->message);
  else if (g_bytes_get_size (canonical) > SV_SHARD_MAX_TELEMETRY)
    sv_scope_fault (scope, "telemetry", "has %" G_GSIZE_FORMAT " bytes; at most %d are allowed", g_bytes_get_size (canonical),
                    SV_SHARD_MAX_TELEMETRY);
}

static void
read_score (const SvScope *scope, SvShard *shard)
{
  gboolean has_rtf;

  shard->has_score = sv_scope_number (scope, "composite_score", SV_OPTIONAL, -DBL_MAX, DBL_MAX, &shard->composite_score);
  sv_scope_boolean (scope, "latency_pass", SV_REQUIRED, &shard->latency_pass);
  shard->has_p95 = sv_scope_number (scope, "p95_latency_ms", SV_OPTIONAL, 0, DBL_MAX, &shard->p95_latency_ms);
  has_rtf = sv_scope_number (scope, "rtf", SV_OPTIONAL, 0, DBL_MAX, &shard->rtf);
  if (has_rtf != shard->has_p95)
    sv_scope_fault (scope, "rtf", "rtf and p95_latency_ms are null together or not at all");
}

static void
read_manifest_fields (const SvScope *scope, SvShard *shard)
{
  shard->window_id = sv_field_text (scope, "window_id", SV_REQUIRED, &sv_form_window_id);
  shard->manifest_hash = sv_field_text (scope, "manifest_hash", SV_REQUIRED, &sv_form_hash);
  shard->element_id = sv_field_text (scope, "element_id", SV_REQUIRED, &sv_form_element_id);
  shard->challenge_id = sv_field_text (scope, "challenge_id", SV_REQUIRED, &sv_form_challenge_id);
  shard->clip_hash = sv_field_text (scope, "clip_hash", SV_REQUIRED, &sv_form_hash);
  shard->commitment_proof = sv_field_text (scope, "commitment_proof", SV_REQUIRED, &sv_form_proof);
  shard->chute_slug = sv_field_text (scope, "chute_slug", SV_REQUIRED, &sv_form_chute_slug);
  shard->chute_id = sv_field_text (scope, "chute_id", SV_REQUIRED, &sv_form_chute_id);
  shard->hf_revision = sv_field_text (scope, "hf_revision", SV_REQUIRED, &sv_form_hf_revision);
  sv_scope_integer (scope, "block", SV_REQUIRED, &shard->block);
  sv_scope_integer (scope, "seed", SV_REQUIRED, &shard->seed);
  shard->pgt_recipe_hash = sv_field_text (scope, "pgt_recipe_hash", SV_OPTIONAL, &sv_form_hash);
  shard->salt_id = sv_field_text (scope, "salt_id", SV_OPTIONAL, &sv_form_label);
  shard->draw_commit = sv_field_text (scope, "draw_commit", SV_OPTIONAL, &sv_form_hash);
  read_score (scope, shard);
}

static void
read_legacy_fields (const SvScope *scope, SvShard *shard)
{
  shard->challenge_id = sv_field_text (scope, "task_id", SV_REQUIRED, &sv_form_label);
  shard->chute_slug = sv_field_text (scope, "chute_slug", SV_OPTIONAL, &sv_form_chute_slug);
}

static void
read_fields (const SvScope *scope, SvShard *shard)
{
  guint64 version = 0;

  if (!sv_scope_integer (scope, "v", SV_REQUIRED, &version))
    return;
  if (version > 1)
  {
    sv_scope_fault (scope, "v", "is %" G_GUINT64_FORMAT "; this version reads 0 and 1", version);
    return;
  }
  shard->is_legacy = version == 0;
  shard->miner_hotkey = sv_field_account (scope, "miner_hotkey");
  shard->is_self = read_lane (scope);
  shard->created_at = read_time (scope, "created_at");
  read_object (scope, "metrics", &shard->metrics);
  read_latencies (scope, shard);
  read_telemetry (scope, shard);
  shard->error = sv_field_text (scope, "error", SV_OPTIONAL, &error_text);
  (shard->is_legacy ? read_legacy_fields : read_manifest_fields) (scope, shard);
}

/* (transfer full) what could be read; whole where @faults stays without errors. */
static SvShard *
read_shard (const json_t *json, SvFaults *faults)
{
  SvShard *shard = sv_shard_new ();
  g_auto (SvScope) scope = { 0 };

  if (sv_scope_init (&scope, json, "", faults))
    read_fields (&scope, shard);
  return shard;
}

void
sv_shard_check (const json_t *json, SvFaults *faults)
{
  sv_shard_free (read_shard (json, faults));
}

void
sv_shard_score (SvShard *shard, const SvElement *element)
{
  SvLatency latency;
  double score = 0;

  sv_latency_evaluate (shard->latencies_ms, shard->n_latencies, element, &latency);
  shard->has_p95 = latency.is_known;
  shard->p95_latency_ms = latency.p95_ms;
  shard->rtf = latency.rtf;
  shard->latency_pass = latency.pass;
  shard->has_score = sv_score_weighted (shard->metrics, element, &score);
  shard->composite_score = latency.pass ? score : 0;
}

static json_t *
latencies_to_json (const SvShard *shard)
{
  json_t *array = json_array ();

  for (gsize i = 0; i < shard->n_latencies; i++)
    json_array_append_new (array, json_real (shard->latencies_ms[i]));
  return array;
}

static json_t *
real_or_null (gboolean has_value, double value)
{
  return has_value ? json_real (value) : json_null ();
}

static void
add_manifest_fields (json_t *json, const SvShard *shard)
{
  json_object_set_new (json, "window_id", json_string (shard->window_id));
  json_object_set_new (json, "manifest_hash", json_string (shard->manifest_hash));
  json_object_set_new (json, "element_id", json_string (shard->element_id));
  json_object_set_new (json, "challenge_id", json_string (shard->challenge_id));
  json_object_set_new (json, "clip_hash", json_string (shard->clip_hash));
  json_object_set_new (json, "commitment_proof", json_string (shard->commitment_proof));
  json_object_set_new (json, "chute_slug", json_string (shard->chute_slug));
  json_object_set_new (json, "chute_id", json_string (shard->chute_id));
  json_object_set_new (json, "hf_revision", json_string (shard->hf_revision));
  json_object_set_new (json, "block", sv_json_integer (shard->block));
  json_object_set_new (json, "seed", sv_json_integer (shard->seed));
  json_object_set_new (json, "pgt_recipe_hash", sv_json_string_or_null (shard->pgt_recipe_hash));
  json_object_set_new (json, "salt_id", sv_json_string_or_null (shard->salt_id));
  if (shard->draw_commit != NULL)
    json_object_set_new (json, "draw_commit", json_string (shard->draw_commit));
  json_object_set_new (json, "composite_score", real_or_null (shard->has_score, shard->composite_score));
  json_object_set_new (json, "latency_pass", json_boolean (shard->latency_pass));
  json_object_set_new (json, "p95_latency_ms", real_or_null (shard->has_p95, shard->p95_latency_ms));
  json_object_set_new (json, "rtf", real_or_null (shard->has_p95, shard->rtf));
}

static json_t *
shard_to_json (const SvShard *shard, gboolean is_self)
{
  json_t *json = json_object ();
  g_autofree char *miner = sv_account_document_form (shard->miner_hotkey);
  g_autofree char *created_at = sv_time_format (shard->created_at);

  json_object_set_new (json, "v", sv_json_integer (shard->is_legacy ? 0 : 1));
  json_object_set_new (json, "miner_hotkey", json_string (miner));
  json_object_set_new (json, "lane", json_string (is_self ? "self" : "public"));
  json_object_set_new (json, "created_at", json_string (created_at));
  json_object_set (json, "metrics", shard->metrics);
  json_object_set_new (json, "latencies_ms", latencies_to_json (shard));
  json_object_set (json, "telemetry", shard->telemetry);
  json_object_set_new (json, "error", sv_json_string_or_null (shard->error));
  if (!shard->is_legacy)
  {
    add_manifest_fields (json, shard);
    return json;
  }
  json_object_set_new (json, "task_id", json_string (shard->challenge_id));
  json_object_set_new (json, "chute_slug", sv_json_string_or_null (shard->chute_slug));
  return json;
}

SvSignedDocument *
sv_shard_sign (const SvShard *shard, const SvChainId *chain, const SvKeypair *keypair, gint64 signed_at, GError **error)
{
  gboolean is_self = strcmp (sv_keypair_address (keypair), shard->miner_hotkey) == 0;
  g_autoptr (json_t) json = shard_to_json (shard, is_self);
  g_autoptr (SvFaults) faults = sv_faults_new ();

  sv_shard_check (json, faults);
  if (!sv_faults_check (faults, "shard", error))
    return NULL;

  g_autoptr (SvSignedDocument) document = sv_signed_document_create (json, "shard", chain, keypair, signed_at, error);
  if (document == NULL)
    return NULL;
  if (g_bytes_get_size (document->bytes) > SV_SHARD_MAX_SIZE)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "shard: has %" G_GSIZE_FORMAT " bytes; a line holds at most %d",
                 g_bytes_get_size (document->bytes), SV_SHARD_MAX_SIZE);
    return NULL;
  }
  return g_steal_pointer (&document);
}

SvShard *
sv_shard_open (GBytes *line, const SvChainId *chain, GError **error)
{
  SvDocumentRules rules = {
    .type = "shard",
    .chain = chain,
    .max_size = SV_SHARD_MAX_SIZE,
    .check_schema = sv_shard_check,
  };
  g_autoptr (SvSignedDocument) document = sv_signed_document_open ("shard", line, &rules, error);
  if (document == NULL)
    return NULL;

  g_autoptr (SvFaults) faults = sv_faults_new ();
  SvShard *shard = read_shard (document->json, faults);
  shard->document = g_steal_pointer (&document);
  return shard;
}
