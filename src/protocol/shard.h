/* Shards (docs/protocol.md section 9): one signed document per line, and the rules of an audit in their order. Pure: what a
 * rule needs from outside comes in through SvShardContext. */
#pragma once

#include "protocol/challenge.h"
#include "protocol/latency.h"

#define SV_SHARD_MAX_SIZE (256 * 1024)
#define SV_SHARD_MAX_TELEMETRY (16 * 1024)
#define SV_SHARD_MAX_ERROR 1024

typedef struct
{
  SvSignedDocument *document; /* NULL for one being built */
  gboolean is_legacy;         /* v 0: none of the manifest fields */
  char *window_id;
  char *manifest_hash;
  char *element_id;
  char *challenge_id;
  char *clip_hash;
  char *miner_hotkey;
  char *commitment_proof;
  char *chute_slug;
  char *chute_id;
  char *hf_revision;
  gboolean is_self; /* lane `self` */
  guint64 block;
  gint64 created_at;
  guint64 seed;
  char *pgt_recipe_hash; /* or NULL */
  char *salt_id;         /* or NULL */
  char *draw_commit;     /* of the answer, or NULL: older runners did not note it */
  json_t *metrics;       /* an object, {} without an evaluator */
  gboolean has_score;
  double composite_score;
  gboolean latency_pass;
  double *latencies_ms;
  gsize n_latencies;
  gboolean has_p95; /* p95_latency_ms and rtf are null together */
  double p95_latency_ms;
  double rtf;
  json_t *telemetry; /* an object */
  char *error;       /* or NULL */
} SvShard;

SvShard *sv_shard_new (void);
void sv_shard_free (SvShard *shard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvShard, sv_shard_free)

void sv_shard_check (const json_t *json, SvFaults *faults);

/* Fills p95, RTF, latency_pass and composite_score from the latencies, the metrics and the element. */
void sv_shard_score (SvShard *shard, const SvElement *element);

/* Returns: (transfer full), the line to store without its newline. */
SvSignedDocument *sv_shard_sign (const SvShard *shard, const SvChainId *chain, const SvKeypair *keypair, gint64 signed_at,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Rule 1 of section 9: size, JSON, canonical, type, chain, schema, signature of `signed_by`. Returns: (transfer full). */
SvShard *sv_shard_open (GBytes *line, const SvChainId *chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum
{
  SV_SHARD_ACCEPTED,
  SV_SHARD_REJECTED,
  SV_SHARD_SELF,
  SV_SHARD_UNDECIDED,
  SV_SHARD_LEGACY, /* counted, never accepted */
} SvShardVerdict;

const char *sv_shard_verdict_name (SvShardVerdict verdict);

typedef enum
{
  SV_ISSUE_UNCHECKED, /* no log, or an id outside every published range */
  SV_ISSUE_CONFIRMED,
  SV_ISSUE_CONTRADICTED, /* the log has other values, or lacks an id that it must have */
  SV_ISSUE_DISPUTED,     /* its issuer has signed two different logs: it proves nothing */
} SvIssueStatus;

/* What rules 2 to 7 ask of the world about one shard. Each question is asked at most once, and only when its rule is reached.
 */
typedef struct
{
  gpointer data;
  guint64 finalized_block;
  gboolean (*is_validator) (gpointer data, const char *address, guint64 block, gboolean *unreadable);
  /* (transfer none) the verified manifest, NULL when there is none; @in_force: an entry of it is at @block */
  const SvManifest *(*find_manifest) (gpointer data, const char *hash, guint64 block, gboolean *in_force, gboolean *unreadable);
  SvProofVerdict (*judge_proof) (gpointer data, const SvShard *shard, const SvManifest *manifest, SvBinding *binding_copy);
  SvIssueStatus (*find_issue) (gpointer data, const SvShard *shard);
} SvShardContext;

typedef struct
{
  SvShardVerdict verdict;
  guint rule;         /* 1…12 of section 9; 0 where no rule failed */
  const char *reason; /* static: "signature", "not_a_validator", "not_final", …; NULL for accepted */
  char *detail;       /* for people, or NULL */
  SvIssueStatus issue;
} SvShardJudgement;

void sv_shard_judgement_clear (SvShardJudgement *judgement);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvShardJudgement, sv_shard_judgement_clear)

/* Rules 2 to 12 in their order, for a shard that sv_shard_open() returned. */
void sv_shard_judge (const SvShard *shard, const SvShardContext *context, SvShardJudgement *judgement);
