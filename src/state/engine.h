/* What an engine behind state.h provides: one function per question, each as state.h tells it. A further engine is a file that
 * fills this table, and a line in state.c. */
#pragma once

#include "state/state.h"

typedef struct
{
  const char *scheme; /* "sqlite:" */
  SvState *(*open) (const char *url, const SvConfig *config, GError **error);
  void (*close) (SvState *state);
  gboolean (*put_clip) (SvState *state, const SvClip *clip, GError **error);
  gboolean (*remove_clip) (SvState *state, const char *hash, GError **error);
  GPtrArray *(*list_clips) (SvState *state, GError **error);
  gboolean (*clips_version) (SvState *state, guint64 *version, GError **error);
  gboolean (*put_ground_truth) (SvState *state, const char *clip_hash, const char *json, GError **error);
  gboolean (*ground_truth) (SvState *state, const char *clip_hash, char **json, GError **error);
  gboolean (*draw_keys) (SvState *state, const char *const *manifest_hashes, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE],
                         GError **error);
  gboolean (*find_draw_key) (SvState *state, const char *manifest_hash, guint8 key[SV_STATE_KEY_SIZE], gboolean *found,
                             GError **error);
  gboolean (*secret) (SvState *state, const char *name, guint8 key[SV_STATE_KEY_SIZE], GError **error);
  gboolean (*admit) (SvState *state, const SvAdmissionRules *rules, SvAdmission *batch, gsize n, GError **error);
  gboolean (*try_admission) (SvState *state, GError **error);
  gboolean (*recent_nonces) (SvState *state, gint64 since_ms, SvVisitNonce visit, gpointer data, GError **error);
  gboolean (*list_issued) (SvState *state, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                           GError **error);
  gboolean (*close_window) (SvState *state, const char *window_id, guint64 *last_id, GError **error);
  gboolean (*raise_ids) (SvState *state, guint64 last_id, GError **error);
  gboolean (*find_task) (SvState *state, guint64 id, SvTaskRecord **task, GError **error);
  gboolean (*complete_task) (SvState *state, guint64 id, const char *asker, gint64 now_ms, gboolean *found, GError **error);
  gboolean (*lead) (SvState *state, const char *task, gboolean *leads, GError **error);
  gboolean (*checkpoint) (SvState *state, const SvChainId *chain, SvCheckpoint *checkpoint, gboolean *found, GError **error);
  gboolean (*append_commitments) (SvState *state, const SvChainId *chain, const SvCheckpoint *checkpoint,
                                  const GPtrArray *commitments, GError **error);
  GPtrArray *(*list_commitments) (SvState *state, const SvChainId *chain, guint64 from_block, GError **error);
  gboolean (*forget_chain) (SvState *state, const SvChainId *chain, GError **error);
  gboolean (*share_chain) (SvState *state, const SvChainId *chain, const SvSharedChain *shared, GError **error);
  gboolean (*shared_chain) (SvState *state, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared,
                            GError **error);
  gboolean (*wish_chain) (SvState *state, const SvChainId *chain, guint64 *wish, GError **error);
} SvStateEngine;

/* The first member of every engine's own struct. */
struct SvState
{
  const SvStateEngine *engine;
  char *url;
  gboolean is_refused; /* sv_state_is_refused() */
};

/* Said by an engine with a server after each attempt to connect. */
void sv_state_count_connection (gboolean is_made);

/* Always FALSE: for a key in the database that has not the size of one. */
gboolean sv_state_fail_key (const SvState *state, const char *name, GError **error);

extern const SvStateEngine sv_sqlite_state_engine;
extern const SvStateEngine sv_postgres_state_engine;
