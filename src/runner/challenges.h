/* The challenge client (the user's `challenges` module): asks the Challenge API for work, v3 and legacy, and believes nothing
 * of the answer that it cannot check (docs/protocol.md sections 7 and 8). */
#pragma once

#include "base/http_client.h"
#include "chain/chain.h"
#include "protocol/challenge.h"

/* The API's base URL and who asks. All borrowed. */
typedef struct
{
  SvHttpClient *http;
  const char *base; /* origin of SCOREVISION_API */
  guint netuid;
  const SvKeypair *keypair;
} SvChallengeClient;

/* An answer other than 200. */
typedef struct
{
  guint status;        /* 0: no answer was had, and the GError says why */
  char *error;         /* "rate_limit_exceeded" */
  char *reason;        /* "stale_nonce", "wrong_slug"; or NULL */
  char *message;       /* for people */
  guint retry_after_s; /* 0 where the answer names none */
} SvRefusal;

void sv_refusal_clear (SvRefusal *refusal);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvRefusal, sv_refusal_clear)

/* The query of every request: validator_hotkey, signature, nonce, netuid (the user's `build_validator_query_params`).
 * *@nonce receives the nonce. Returns: (transfer full) without "?". */
char *sv_build_validator_query_params (const SvChallengeClient *client, char **nonce);

typedef struct
{
  const SvManifest *manifest;
  const SvBoundElement *bound; /* binding and proof that are quoted */
  const char *miner;           /* whose; NULL: the asker's own */
} SvChallengeAsk;

/* Asks for a v3 challenge, with a bound nonce, and checks the answer against what was asked. NULL with @error when there is no
 * answer or it is not what was asked for (SV_ERROR_VERIFY); NULL with @refusal->status for any status but 200. Returns:
 * (transfer full). */
SvChallenge *sv_get_next_challenge_v3 (const SvChallengeClient *client, const SvChallengeAsk *ask, SvRefusal *refusal,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A legacy task. */
typedef struct
{
  char *task_id;
  char *video_url;
  double fps;
  char *challenge_type;
  guint64 seed;
} SvTask;

void sv_task_free (SvTask *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvTask, sv_task_free)

/* The same for GET /api/tasks/next/v2. Returns: (transfer full). */
SvTask *sv_get_next_challenge (const SvChallengeClient *client, SvRefusal *refusal, GError **error) G_GNUC_WARN_UNUSED_RESULT;
