/* State of the Challenge API: registered clips with their ground truth, keys, admission with its nonces and rates, the issue
 * log, tasks, who leads, the chain follower's index of finalized commitments, and the chain as its leader sees it. One
 * interface with two engines, chosen by one URL: sqlite:PATH for the processes of one machine, postgresql://… for any number of
 * instances. Whatever a caller can see is the same in both. Callers may rely on:
 *
 * - what a call that returned TRUE has written survives a crash; what one that failed has written is known by reading only
 * - a batch is written whole or not at all
 * - uniqueness, limits and ids hold across all handles of a database, in whatever process
 * - a call that fails with SV_ERROR_UNREACHABLE may be made again, and needs nothing to be opened anew
 *
 * An SvState is used by one thread at a time; any number may be open on one database. */
#pragma once

#include "base/config.h"
#include "keys/signed_document.h"
#include "protocol/challenge.h"

typedef struct SvState SvState;

/* Opens (and makes or migrates) the database of SCOREVISION_DATABASE. A corrupt or foreign file is SV_ERROR_UNREACHABLE with
 * its path and what to do. A server (postgresql:) is connected to by the first call that needs it, which fails with
 * SV_ERROR_UNREACHABLE where it is not there, as each one does that comes while the connection is broken; they try again.
 * Returns: (transfer full). */
SvState *sv_state_open (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_state_free (SvState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvState, sv_state_free)

/* Whether @error, of any function here and unchanged but for what stands behind it, says that the database cannot be used just
 * now; NULL does not. */
gboolean sv_state_error_is_away (const GError *error);
/* TRUE where the last call failed by what only somebody's work mends: a server that is there, and does not know the role, the
 * password or the database, or has not given the rights. */
gboolean sv_state_is_refused (const SvState *state);

/* Connections to a database server that this process has made, and attempts that failed; a file has none. Any thread. */
typedef struct
{
  guint64 n_made;
  guint64 n_failed;
} SvStateConnections;

SvStateConnections sv_state_connections (void);

/* ── clips and their ground truth ── */

typedef struct
{
  char *hash;
  guint64 bytes;
  guint64 duration_ms;
  double fps;
  guint width;
  guint height;
  char *sport;
  char *scenario;
  char *challenge_type;
  gint64 added_ms;
  char *ground_truth;        /* for sv_state_put_clip(): put with it, NULL leaves what there is; a list leaves it NULL */
  gboolean has_ground_truth; /* told by a list */
} SvClip;

void sv_clip_free (SvClip *clip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvClip, sv_clip_free)

/* Adds or replaces the registration of @clip->hash, with its ground truth in the same step. */
gboolean sv_state_put_clip (SvState *state, const SvClip *clip, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* SV_ERROR_NOT_FOUND when it is not registered. */
gboolean sv_state_remove_clip (SvState *state, const char *hash, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* By hash. Returns: (transfer full) (element-type SvClip). */
GPtrArray *sv_state_list_clips (SvState *state, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Grows with every change of the clips and of their ground truth, so that a server reloads only when it must. */
gboolean sv_state_clips_version (SvState *state, guint64 *version, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The ground truth of a registered clip, a JSON text; NULL removes it. It goes with the clip's registration.
 * SV_ERROR_NOT_FOUND when the clip is not registered. */
gboolean sv_state_put_ground_truth (SvState *state, const char *clip_hash, const char *json,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* *@json: (transfer full), NULL where there is none. */
gboolean sv_state_ground_truth (SvState *state, const char *clip_hash, char **json, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── keys ── */

#define SV_STATE_KEY_SIZE 32

/* K of each of @n manifests, in their order; a hash may come more than once. Each is made at random by whoever asks first, and
 * those that nobody has asked for before are made in one transaction, before any is told. @keys is zeros on failure:
 * SV_ERROR_MALFORMED, which names it, where one of them is damaged. */
gboolean sv_state_draw_keys (SvState *state, const char *const *manifest_hashes, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE],
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The K of one, but none is made: *@found is FALSE where nobody has asked for it yet, so nothing was drawn by it. */
gboolean sv_state_find_draw_key (SvState *state, const char *manifest_hash, guint8 key[SV_STATE_KEY_SIZE], gboolean *found,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A secret of this deployment (32 random bytes, made on first use), by name: "clip-token". */
gboolean sv_state_secret (SvState *state, const char *name, guint8 key[SV_STATE_KEY_SIZE],
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── admission ── */

typedef struct SvTaskRecord SvTaskRecord;

typedef enum
{
  SV_ADMITTED,
  SV_REPLAYED_NONCE,
  SV_RATE_LIMITED,
  SV_WINDOW_CLOSED, /* the record's window was closed: nothing was recorded, and the nonce is free */
} SvAdmissionOutcome;

/* One request of a known asker. */
typedef struct
{
  const char *asker;
  const char *nonce;     /* the query nonce */
  const char *x_nonce;   /* or NULL */
  const char *client_id; /* rate bucket inside the asker's own, or "" */
  gint64 now_ms;
  SvIssueRecord *record; /* what is issued; challenge_id is filled in on admission, or NULL */
  SvTaskRecord *task;    /* likewise; its id is filled in, or NULL. With neither only nonce and rate are recorded */
  /* out: */
  SvAdmissionOutcome outcome;
  guint retry_after_s; /* for SV_RATE_LIMITED */
} SvAdmission;

typedef struct
{
  guint limit;         /* requests … */
  guint64 window_ms;   /* … in a sliding window of so long, per asker */
  guint64 remember_ms; /* how long a nonce is remembered, at least 2 × SV_NONCE_WINDOW_MS and @window_ms */
} SvAdmissionRules;

/* Judges and writes @n requests in one transaction, in order: a nonce (or X-Nonce) of the asker seen before is a replay and
 * costs nothing, nor does a record of a closed window; more than @limit in the window is rate limited, and counts as seen; the
 * rest is recorded, with the next ids. Inside an asker time never goes back, but for a clock that was far ahead. @rules hold
 * for what was asked before, too. Durable on return; old nonces and tasks are removed as it goes. */
gboolean sv_state_admit (SvState *state, const SvAdmissionRules *rules, SvAdmission *batch, gsize n,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether requests can be recorded: writes what an admission writes, and takes it back in the same transaction, which is
 * committed. Nothing is left of it. */
gboolean sv_state_try_admission (SvState *state, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Nonces that are still remembered, in the order of admission, with the times that they were asked at: for warming a server's
 * memory after a restart. */
typedef void (*SvVisitNonce) (const char *asker, const char *nonce, const char *x_nonce, const char *client_id, gint64 time_ms,
                              gpointer data);
gboolean sv_state_recent_nonces (SvState *state, gint64 since_ms, SvVisitNonce visit, gpointer data,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── the issue log ── */

/* Visits the issue records of a window (NULL: all) with ids above @after_id, ascending, until @visit, which does
 * nothing with @state, returns FALSE. Ids are given in the order of commits: once one was seen, no lower one can appear any
 * more. */
typedef gboolean (*SvVisitIssue) (const SvIssueRecord *record, gpointer data);
gboolean sv_state_list_issued (SvState *state, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From now on no record of the window is admitted by anybody. *@last_id: the last one of it, 0 where there is none. Idempotent.
 */
gboolean sv_state_close_window (SvState *state, const char *window_id, guint64 *last_id,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From now on no id up to @last_id is given to a challenge or a task, by anybody; nothing happens where they are beyond it. */
gboolean sv_state_raise_ids (SvState *state, guint64 last_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── tasks ── */

#define SV_TASK_KEPT_MS (G_GINT64_CONSTANT (7) * 24 * 3600 * 1000) /* then tasks go, bit by bit, as new ones come */

/* A task of the endpoints without manifest (docs/protocol.md section 7). */
struct SvTaskRecord
{
  guint64 id; /* of the one sequence that challenge ids are from, too */
  char *asker;
  char *clip_hash;
  gint64 issued_ms;
  gint64 completed_ms; /* 0: not yet */
};

void sv_task_record_free (SvTaskRecord *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvTaskRecord, sv_task_record_free)

/* The task, (transfer full) in *@task; NULL where there is none of that id. */
gboolean sv_state_find_task (SvState *state, guint64 id, SvTaskRecord **task, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Notes that @asker has completed his task; the first time counts. *@found is FALSE, and nothing happens, where no such task
 * was issued to him. */
gboolean sv_state_complete_task (SvState *state, guint64 id, const char *asker, gint64 now_ms, gboolean *found,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── leadership ── */

/* Asks for @task ("chain", "issue-log") to be this handle's. *@leads is TRUE for one handle of a database at a time: until it
 * is freed, its process ends, or its connection to a server breaks, after which it has to be asked for anew. Cheap when it
 * leads already; asked before each step, and by one who leads at least once in five minutes, as a server ends what is silent.
 */
gboolean sv_state_lead (SvState *state, const char *task, gboolean *leads, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── the chain follower ── */

typedef struct
{
  guint64 from_block; /* first block that was indexed */
  guint64 number;     /* last one: finalized */
  char hash[67];
} SvCheckpoint;

typedef struct
{
  guint64 block;
  guint index;
  char hash[67];
  char *signer;
  char *text;
  gboolean succeeded;
} SvStoredCommitment;

void sv_stored_commitment_free (SvStoredCommitment *commitment);

/* FALSE in *@found where this chain was never followed here. */
gboolean sv_state_checkpoint (SvState *state, const SvChainId *chain, SvCheckpoint *checkpoint, gboolean *found,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds @commitments (element-type SvStoredCommitment) and moves the checkpoint, in one transaction. The checkpoint only moves
 * forward: SV_ERROR_CONFLICT otherwise. A @checkpoint whose from_block is below the stored one, or beyond a gap, starts the
 * index anew. */
gboolean sv_state_append_commitments (SvState *state, const SvChainId *chain, const SvCheckpoint *checkpoint,
                                      const GPtrArray *commitments, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* In chain order. Returns: (transfer full) (element-type SvStoredCommitment). */
GPtrArray *sv_state_list_commitments (SvState *state, const SvChainId *chain, guint64 from_block,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets the chain's index (checkpoint and commitments), and with it what is shared; following begins anew. */
gboolean sv_state_forget_chain (SvState *state, const SvChainId *chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── the chain, as its leader sees it ── */

typedef struct
{
  guint64 number;
  char hash[67];
  gint64 time_ms;
} SvSharedBlock;

/* All that a follower needs to answer by the leader's head without reading the chain. */
typedef struct
{
  gint64 generation; /* another one: the final commitments have been read anew */
  guint64 content;   /* within a generation: grows with each change of the commitments */
  SvSharedBlock best;
  SvSharedBlock finalized;
  guint64 from_block;  /* commitments from here on are known */
  guint64 final_block; /* those up to here are in the stored index; 0: none is */
  GPtrArray *final;    /* of SvStoredCommitment: those of the index; only when it is read */
  GPtrArray *open;     /* of SvStoredCommitment: those after @final_block, up to the best block */
  GArray *unreadable;  /* of guint64, ascending */
  char **permits;      /* accounts of `chain:permit`, or NULL */
  guint64 permits_block;
  gint64 age_ms;    /* how long ago the leader began to read this */
  guint64 answered; /* the wishes up to this one were there before */
} SvSharedChain;

SvSharedChain *sv_shared_chain_new (void);
void sv_shared_chain_free (SvSharedChain *shared);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSharedChain, sv_shared_chain_free)

typedef struct
{
  guint64 version;      /* in and out: of the picture; 0: none */
  gint64 generation;    /* in: of what is known of the index … */
  guint64 final_block;  /* in: … up to which block */
  gboolean skips_index; /* in: nothing of the index is wanted */
  guint64 wished;       /* out: the last wish */
  guint64 answered;     /* out */
  gint64 age_ms;        /* out: G_MAXINT64 where nothing was shared yet */
} SvSharedStatus;

/* Shares what the leader of the task "chain" has read. SV_ERROR_CONFLICT, and nothing is written, where this handle does not
 * lead any more, or the stored index is not what @shared says: then all is to be read anew. */
gboolean sv_state_share_chain (SvState *state, const SvChainId *chain, const SvSharedChain *shared,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is shared: *@shared (transfer full) with the commitments of the index that are not known yet; NULL where its version is
 * the one that is known, or nothing is shared. Reads all in one snapshot. Where @shared is NULL only the status is told. */
gboolean sv_state_shared_chain (SvState *state, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wishes that the leader reads the chain again; *@wish is this wish's number, and it is met once so much is `answered`. */
gboolean sv_state_wish_chain (SvState *state, const SvChainId *chain, guint64 *wish, GError **error) G_GNUC_WARN_UNUSED_RESULT;
