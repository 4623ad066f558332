/* One run: work → clip → five calls → score → signed shard. Each step hands values to the next; what fails on the miner's side
 * ends as the shard's `error`, what fails on ours as a GError. */
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "runner/chute.h"
#include "runner/clip.h"
#include "runner/evaluator.h"
#include "runner/runner_internal.h"
#include "runner/settings.h"

#define MAX_LEGACY_FRAMES 100000 /* a legacy task does not say how long its clip is */

/* ── life ── */

static gboolean
set_client (SvRunner *runner, GError **error)
{
  guint64 netuid;
  g_auto (GStrv) bases = sv_config_get_list (runner->config, "SCOREVISION_API");
  if (bases[0] == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "SCOREVISION_API is not set; give the Challenge API's address with --api URL");
    return FALSE;
  }
  runner->base = sv_url_origin (bases[0], error);
  if (runner->base == NULL || !sv_config_get_integer (runner->config, "SCOREVISION_NETUID", 0, 65535, &netuid, error))
    return FALSE;
  runner->client =
      (SvChallengeClient){ .http = runner->http, .base = runner->base, .netuid = (guint)netuid, .keypair = runner->keypair };
  return TRUE;
}

SvRunner *
sv_runner_new (const SvConfig *config, SvChain *chain, SvReader *reader, const SvRunnerOptions *options, GError **error)
{
  g_autoptr (SvRunner) runner = g_new0 (SvRunner, 1);
  runner->config = config;
  runner->chain = chain;
  runner->reader = reader;
  runner->options = *options;
  runner->http = sv_http_client_new ();
  runner->own_origins = sv_own_origins (config);
  runner->evaluator = sv_config_get (config, "SCOREVISION_EVALUATOR");
  runner->keypair = sv_wallet_load (config, error);
  const char *store = runner->keypair != NULL ? sv_runner_results_store (config, error) : NULL;
  runner->results = store != NULL ? sv_object_store_open (store, config, error) : NULL;
  if (runner->results == NULL || !set_client (runner, error))
    return NULL;
  runner->chain_id = *sv_chain_id (chain);
  runner->rotation =
      sv_rotation_new (config, options->miners, sv_keypair_address (runner->keypair), options->element, options->slug);
  return g_steal_pointer (&runner);
}

void
sv_runner_free (SvRunner *runner)
{
  if (runner == NULL)
    return;
  g_clear_pointer (&runner->keypair, sv_keypair_free);
  g_clear_pointer (&runner->http, sv_http_client_free);
  g_clear_pointer (&runner->results, sv_object_store_free);
  g_clear_pointer (&runner->rotation, sv_rotation_free);
  g_strfreev (runner->own_origins);
  g_free (runner->base);
  g_free (runner);
}

void
sv_run_free (SvRun *run)
{
  if (run == NULL)
    return;
  sv_shard_free (run->shard);
  g_free (run->key);
  g_free (run->store);
  g_free (run);
}

void
sv_runner_step (const SvRunner *runner, const char *format, ...)
{
  if (runner->options.on_step == NULL)
    return;
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  runner->options.on_step (text, runner->options.data);
}

static gboolean
is_cancelled (const SvRunner *runner)
{
  return runner->options.is_cancelled != NULL && runner->options.is_cancelled ();
}

gboolean
sv_runner_wait (const SvRunner *runner, guint seconds, const char *why, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + (gint64)seconds * G_USEC_PER_SEC;
  sv_runner_step (runner, "waiting %u s: %s", seconds, why);
  while (g_get_monotonic_time () < deadline)
  {
    if (is_cancelled (runner))
    {
      g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "ended while waiting: %s", why);
      return FALSE;
    }
    g_usleep (50000);
  }
  return TRUE;
}

/* A shard's error is bounded, and UTF-8 like every string of a signed document, whatever a message quotes. */
static void
set_shard_error (SvShard *shard, const GError *failure)
{
  g_autofree char *valid = g_utf8_make_valid (failure->message, -1);
  gsize length = strlen (valid);
  if (length > SV_SHARD_MAX_ERROR)
    length = (gsize)(g_utf8_find_prev_char (valid, valid + SV_SHARD_MAX_ERROR + 1) - valid);
  g_free (shard->error);
  shard->error = g_strndup (valid, length);
}

/* ── the chute ── */

/* The first success is the one that is scored. */
static void
take_prediction (const SvPrediction *prediction, json_t **predictions, SvShard *shard)
{
  *predictions = json_incref (prediction->predictions);
  json_decref (shard->telemetry);
  shard->telemetry = json_incref (prediction->telemetry);
}

json_t *
sv_runner_call_chute (SvRunner *runner, const char *slug, const char *clip_url, const json_t *meta, guint64 max_frames,
                      SvShard *shard)
{
  SvChuteCall call = { .slug = slug, .clip_url = clip_url, .meta = meta, .max_frames = max_frames };
  g_autoptr (json_t) predictions = NULL;
  g_autoptr (GError) failure = NULL;
  shard->latencies_ms = g_new0 (double, SV_LATENCY_CALLS);
  shard->n_latencies = SV_LATENCY_CALLS;
  for (guint i = 0; i < shard->n_latencies; i++)
  {
    g_auto (SvPrediction) prediction = { 0 };
    sv_runner_step (runner, "calling chute %s: %u of %u", slug, i + 1, SV_LATENCY_CALLS);
    g_clear_error (&failure);
    if (!sv_call_miner_model_on_chutes (runner->http, runner->config, (const char *const *)runner->own_origins, &call,
                                        &prediction, &failure))
    {
      shard->latencies_ms[i] = SV_LATENCY_FAILED_MS;
      if (predictions == NULL && is_cancelled (runner))
        shard->n_latencies = i + 1; /* a dead chute shall not hold up the end; a living one gets its five calls */
      continue;
    }
    shard->latencies_ms[i] = MIN (prediction.latency_ms, SV_LATENCY_FAILED_MS);
    if (predictions == NULL)
      take_prediction (&prediction, &predictions, shard);
  }
  if (predictions == NULL)
    set_shard_error (shard, failure);
  return g_steal_pointer (&predictions);
}

/* ── the shard ── */

static char *
shard_key (const SvRunner *runner, const SvShard *shard, const SvSignedDocument *document, guint64 block)
{
  return g_strdup_printf ("scorevision/shards/%s/%s/%" G_GUINT64_FORMAT "-%s.jsonl",
                          shard->is_legacy ? "_legacy" : shard->window_id, sv_keypair_address (runner->keypair), block,
                          sv_hash_hex (document->hash));
}

/* The key is this shard's alone: what is there under it already is the shard. */
static gboolean
put_shard (SvObjectStore *store, const char *key, GBytes *object, GError **error)
{
  SvPutOptions options = { .condition = SV_PUT_ONCE,
                           .content_type = "application/x-ndjson",
                           .cache_control = SV_CACHE_IMMUTABLE };
  guint64 size;
  GError *failure = NULL;
  g_autofree char *etag = sv_object_store_put (store, key, object, &options, &failure);
  if (etag != NULL)
    return TRUE;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_CONFLICT) && sv_object_store_head (store, key, &size, NULL) &&
      size == g_bytes_get_size (object))
  {
    g_error_free (failure);
    return TRUE;
  }
  g_propagate_error (error, failure);
  return FALSE;
}

SvRun *
sv_runner_store_shard (SvRunner *runner, const SvShard *shard, GError **error)
{
  g_autoptr (SvSignedDocument) document = sv_shard_sign (shard, &runner->chain_id, runner->keypair, sv_clock_ms (), error);
  if (document == NULL)
    return NULL;
  gsize length;
  const guint8 *data = g_bytes_get_data (document->bytes, &length);
  g_autoptr (GByteArray) line = g_byte_array_sized_new ((guint)length + 1);
  g_byte_array_append (line, data, (guint)length);
  g_byte_array_append (line, (const guint8 *)"\n", 1);
  g_autoptr (GBytes) object = g_byte_array_free_to_bytes (g_steal_pointer (&line));
  g_autofree char *key = shard_key (runner, shard, document, shard->block);
  if (!put_shard (runner->results, key, object, error))
    return NULL;
  g_autoptr (SvRun) run = g_new0 (SvRun, 1);
  run->shard = sv_shard_open (document->bytes, &runner->chain_id, error);
  run->key = g_steal_pointer (&key);
  run->store = g_strdup (sv_object_store_url (runner->results));
  return run->shard != NULL ? g_steal_pointer (&run) : NULL;
}

/* ── v3 ── */

static SvShard *
start_shard (const SvRunner *runner, const SvWork *work, const SvElement *element)
{
  const SvChallenge *challenge = work->challenge;
  SvShard *shard = sv_shard_new ();
  shard->window_id = g_strdup (challenge->window_id);
  shard->manifest_hash = g_strdup (work->manifest->hash);
  shard->element_id = g_strdup (challenge->element_id);
  shard->challenge_id = g_strdup (challenge->challenge_id);
  shard->clip_hash = g_strdup (challenge->clip_hash);
  shard->miner_hotkey = g_strdup (work->miner);
  shard->commitment_proof = g_strdup (work->proof);
  shard->chute_slug = g_strdup (work->binding.chute_slug);
  shard->chute_id = g_strdup (work->binding.chute_id);
  shard->hf_revision = g_strdup (work->binding.hf_revision);
  shard->is_self = strcmp (work->miner, sv_keypair_address (runner->keypair)) == 0;
  shard->block = challenge->block;
  shard->created_at = sv_clock_ms ();
  shard->seed = challenge->seed;
  shard->draw_commit = g_strdup (challenge->draw_commit);
  shard->pgt_recipe_hash = g_strdup (element->pgt_recipe_hash);
  return shard;
}

static void
evaluate (SvRunner *runner, const json_t *challenge, const SvElement *element, const json_t *predictions, SvShard *shard)
{
  if (runner->evaluator == NULL || predictions == NULL)
    return;
  sv_runner_step (runner, "evaluating");
  SvEvaluator evaluator = SV_EVALUATOR_DEFAULTS (runner->evaluator);
  g_autoptr (GError) failure = NULL;
  g_autoptr (json_t) input = json_object ();
  json_object_set (input, "challenge", (json_t *)challenge);
  json_object_set (input, "element", (json_t *)element->json);
  json_object_set (input, "predictions", (json_t *)predictions);
  json_t *metrics = sv_evaluate (&evaluator, input, element, &failure);
  if (metrics == NULL)
  {
    set_shard_error (shard, failure);
    return;
  }
  json_decref (shard->metrics);
  shard->metrics = metrics;
}

static guint64
frames_of (guint64 duration_ms, double fps)
{
  return (guint64)((double)duration_ms * fps / 1000.0 + 1.5);
}

static SvRun *
run_v3 (SvRunner *runner, GError **error)
{
  g_auto (SvWork) work = { 0 };
  if (!sv_runner_get_work (runner, &work, error))
    return NULL;
  const SvChallenge *challenge = work.challenge;
  const SvElement *element = sv_manifest_find_element (work.manifest, challenge->element_id);
  sv_runner_step (runner, "challenge %s at block %" G_GUINT64_FORMAT ": fetching its clip", challenge->challenge_id,
                  challenge->block);
  g_autoptr (SvFetchedClip) clip = sv_fetch_clip (runner->http, (const char *const *)runner->own_origins, challenge->clip_url,
                                                  challenge->clip_hash, challenge->clip_bytes, error);
  if (clip == NULL)
    return NULL;
  g_autoptr (SvShard) shard = start_shard (runner, &work, element);
  g_autoptr (json_t) answer = sv_challenge_to_json (challenge);
  g_autoptr (json_t) predictions =
      sv_runner_call_chute (runner, work.binding.chute_slug, challenge->clip_url, json_object_get (answer, "meta"),
                            frames_of (challenge->duration_ms, challenge->fps), shard);
  evaluate (runner, answer, element, predictions, shard);
  sv_shard_score (shard, element);
  return sv_runner_store_shard (runner, shard, error);
}

/* ── legacy ── */

/* The slug named, else one of the newest receipts: so that a runner started for v3 goes on when only the setting changes. */
static char *
legacy_slug (const SvRunner *runner, GError **error)
{
  if (runner->options.slug != NULL)
    return g_strdup (runner->options.slug);
  g_auto (GStrv) windows = sv_receipts_windows (runner->config);
  for (guint i = g_strv_length (windows); i > 0; i--)
  {
    g_autoptr (SvReceipts) receipts =
        sv_receipts_read (runner->config, windows[i - 1], sv_keypair_address (runner->keypair), NULL);
    if (receipts != NULL && receipts->bound->len > 0)
      return g_strdup (((const SvBoundElement *)g_ptr_array_index (receipts->bound, 0))->binding.chute_slug);
  }
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "the legacy endpoint names no chute; give --slug SLUG");
  return NULL;
}

static guint64
now_block (const SvRunner *runner)
{
  SvHead head;
  return sv_chain_head (runner->chain, &head, NULL) ? head.best.number : 0;
}

static SvRun *
run_legacy (SvRunner *runner, GError **error)
{
  g_autofree char *slug = legacy_slug (runner, error);
  g_autoptr (SvTask) task = slug != NULL ? sv_runner_get_task (runner, error) : NULL;
  if (task == NULL)
    return NULL;
  sv_runner_step (runner, "task %s: fetching its clip", task->task_id);
  g_autoptr (SvFetchedClip) clip =
      sv_fetch_clip (runner->http, (const char *const *)runner->own_origins, task->video_url, NULL, 0, error);
  if (clip == NULL)
    return NULL;
  g_autoptr (SvShard) shard = sv_shard_new ();
  shard->is_legacy = TRUE;
  shard->challenge_id = g_strdup (task->task_id);
  shard->miner_hotkey =
      g_strdup (runner->options.miners[0] != NULL ? runner->options.miners[0] : sv_keypair_address (runner->keypair));
  shard->chute_slug = g_strdup (slug);
  shard->is_self = strcmp (shard->miner_hotkey, sv_keypair_address (runner->keypair)) == 0;
  shard->block = now_block (runner);
  shard->created_at = sv_clock_ms ();
  g_autoptr (json_t) meta = json_pack ("{s:f,s:s?}", "fps", task->fps, "challenge_type", task->challenge_type);
  json_t *predictions = sv_runner_call_chute (runner, slug, task->video_url, meta, MAX_LEGACY_FRAMES, shard);
  json_decref (predictions);
  return sv_runner_store_shard (runner, shard, error);
}

SvRun *
sv_runner_once (SvRunner *runner, GError **error)
{
  return sv_config_get_boolean (runner->config, "SCOREVISION_USE_CHALLENGE_V3") ? run_v3 (runner, error)
                                                                                : run_legacy (runner, error);
}
