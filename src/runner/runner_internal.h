/* Between the files of the runner. */
#pragma once

#include "runner/challenges.h"
#include "runner/rotation.h"
#include "runner/runner.h"
#include "store/object_store.h"

struct SvRunner
{
  const SvConfig *config; /* these three are borrowed */
  SvChain *chain;
  SvReader *reader;
  SvRunnerOptions options;
  SvKeypair *keypair;
  SvHttpClient *http;
  SvObjectStore *results;
  SvRotation *rotation;
  char **own_origins;
  char *base;
  SvChallengeClient client;
  SvChainId chain_id;
  const char *evaluator; /* or NULL */
};

void sv_runner_step (const SvRunner *runner, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Waits, unless the runner is cancelled meanwhile: then SV_ERROR_FAILED. */
gboolean sv_runner_wait (const SvRunner *runner, guint seconds, const char *why, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A challenge with everything it belongs to. */
typedef struct
{
  SvManifest *manifest;
  SvChallenge *challenge;
  char *miner;
  SvBinding binding;
  char *proof;
} SvWork;

void sv_work_clear (SvWork *work);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvWork, sv_work_clear)

/* Asks until there is a challenge, handling every answer that the API can give, with a bound on repetition. */
gboolean sv_runner_get_work (SvRunner *runner, SvWork *work, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A legacy task, likewise. Returns: (transfer full). */
SvTask *sv_runner_get_task (SvRunner *runner, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Calls the chute SV_LATENCY_CALLS times and fills latencies, telemetry and, where none succeeded, the shard's error. Returns:
 * (transfer full) the first success's predictions, or NULL. */
json_t *sv_runner_call_chute (SvRunner *runner, const char *slug, const char *clip_url, const json_t *meta, guint64 max_frames,
                              SvShard *shard);

/* Signs the shard and writes it to the results store. Returns: (transfer full). */
SvRun *sv_runner_store_shard (SvRunner *runner, const SvShard *shard, GError **error) G_GNUC_WARN_UNUSED_RESULT;
