/* From an admitted v3 request to its outcome, on one snapshot: window, element, binding, draw (docs/protocol.md section 7, from
 * 503 `chain_unavailable` on). Touches memory only. */
#pragma once

#include "api/service.h"
#include "base/hash.h"
#include "base/identifiers.h"

/* What the request asks; strings are borrowed. */
typedef struct
{
  const SvChallengeRequest *request;
  const char *manifest_hash; /* stored form */
  const char *miner;
  gboolean is_known;
  gboolean index_was_read; /* again, for this request */
  gboolean chain_was_read;
  gint64 now_ms;
} SvChallengeCase;

typedef enum
{
  SV_OUTCOME_REPLY,      /* @reply */
  SV_OUTCOME_READ_INDEX, /* the hash is unknown: read the index once more, then judge again */
  SV_OUTCOME_READ_CHAIN, /* the proof's block is above our head: read the chain once more, then judge again */
  SV_OUTCOME_ISSUE,      /* @record is to be made durable, then @answer is the answer, with its id */
} SvOutcomeKind;

typedef struct
{
  SvOutcomeKind kind;
  SvReply *reply;
  SvChallengeText answer;
  SvIssueRecord record; /* its texts are the request's, and these: */
  char window_id[SV_WINDOW_ID_MAX + 1];
  char clip_hash[SV_HASH_TEXT_SIZE];
  guint64 expiry_block; /* of the window */
  char *buffer;         /* for the answer's text, of SV_CHALLENGE_TEXT_USUAL_SIZE bytes; the caller's */
} SvOutcome;

/* (out) @outcome: what its kind says, reply (transfer full) or answer's text, which the caller clears; its buffer is there
 * before. */
void sv_challenge_judge (const SvService *service, const SvSnapshot *snapshot, const SvChallengeCase *asked,
                         SvOutcome *outcome);

/* 410. The window may have been closed by an instance that is ahead of this one, which is at @block: then the chain is at its
 * expiry at least. Returns: (transfer full). */
SvReply *sv_challenge_expired (const char *window_id, guint64 expiry_block, guint64 block);
