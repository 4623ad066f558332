/* Dispatch of state.h to an engine chosen by the scheme of SCOREVISION_DATABASE. A further engine is a line in `engines`. */
#include "state/state.h"

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "state/engine.h"

static const struct
{
  const char *scheme;
  const SvStateEngine *engine;
} engines[] = {
  { "sqlite:", &sv_sqlite_state_engine },
  { "postgresql:", &sv_postgres_state_engine },
  { "postgres:", &sv_postgres_state_engine },
};

static _Atomic guint64 n_made, n_failed;

void
sv_state_count_connection (gboolean is_made)
{
  atomic_fetch_add (is_made ? &n_made : &n_failed, 1);
}

SvStateConnections
sv_state_connections (void)
{
  return (SvStateConnections){ .n_made = n_made, .n_failed = n_failed };
}

/* All engines begin so. */
gboolean
sv_state_error_is_away (const GError *error)
{
  return g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE) && g_str_has_prefix (error->message, "database ");
}

/* Not as a database that is away: what else it holds can be had. */
gboolean
sv_state_fail_key (const SvState *state, const char *name, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "database %s: its key of %s is damaged; restore the database from a backup",
               state->url, name);
  return FALSE;
}

void
sv_clip_free (SvClip *clip)
{
  if (clip == NULL)
    return;
  g_free (clip->hash);
  g_free (clip->sport);
  g_free (clip->scenario);
  g_free (clip->challenge_type);
  g_free (clip->ground_truth);
  g_free (clip);
}

void
sv_task_record_free (SvTaskRecord *task)
{
  if (task == NULL)
    return;
  g_free (task->asker);
  g_free (task->clip_hash);
  g_free (task);
}

void
sv_stored_commitment_free (SvStoredCommitment *commitment)
{
  if (commitment == NULL)
    return;
  g_free (commitment->signer);
  g_free (commitment->text);
  g_free (commitment);
}

SvState *
sv_state_open (const SvConfig *config, GError **error)
{
  const char *url = sv_config_get (config, "SCOREVISION_DATABASE");
  for (gsize i = 0; url != NULL && i < G_N_ELEMENTS (engines); i++)
    if (g_str_has_prefix (url, engines[i].scheme))
      return engines[i].engine->open (url, config, error);
  const char *scheme_end = url == NULL ? NULL : strchr (url, ':');
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
               "SCOREVISION_DATABASE (%s): the state is kept in sqlite:PATH or postgresql://…%s%.*s%s",
               sv_config_origin (config, "SCOREVISION_DATABASE"), scheme_end == NULL ? "" : ", not in \"",
               scheme_end == NULL ? 0 : (int)MIN (scheme_end + 1 - url, 32), scheme_end == NULL ? "" : url,
               scheme_end == NULL ? "" : "…\"");
  return NULL;
}

gboolean
sv_state_is_refused (const SvState *state)
{
  return state->is_refused;
}

void
sv_state_free (SvState *state)
{
  if (state != NULL)
    state->engine->close (state);
}

gboolean
sv_state_put_clip (SvState *state, const SvClip *clip, GError **error)
{
  return state->engine->put_clip (state, clip, error);
}

gboolean
sv_state_remove_clip (SvState *state, const char *hash, GError **error)
{
  return state->engine->remove_clip (state, hash, error);
}

GPtrArray *
sv_state_list_clips (SvState *state, GError **error)
{
  return state->engine->list_clips (state, error);
}

gboolean
sv_state_clips_version (SvState *state, guint64 *version, GError **error)
{
  return state->engine->clips_version (state, version, error);
}

gboolean
sv_state_put_ground_truth (SvState *state, const char *clip_hash, const char *json, GError **error)
{
  return state->engine->put_ground_truth (state, clip_hash, json, error);
}

gboolean
sv_state_ground_truth (SvState *state, const char *clip_hash, char **json, GError **error)
{
  return state->engine->ground_truth (state, clip_hash, json, error);
}

gboolean
sv_state_draw_keys (SvState *state, const char *const *manifest_hashes, gsize n, guint8 (*keys)[SV_STATE_KEY_SIZE],
                    GError **error)
{
  if (n == 0 || state->engine->draw_keys (state, manifest_hashes, n, keys, error))
    return TRUE;
  sodium_memzero (keys, n * sizeof *keys);
  return FALSE;
}

gboolean
sv_state_find_draw_key (SvState *state, const char *manifest_hash, guint8 key[SV_STATE_KEY_SIZE], gboolean *found,
                        GError **error)
{
  return state->engine->find_draw_key (state, manifest_hash, key, found, error);
}

gboolean
sv_state_secret (SvState *state, const char *name, guint8 key[SV_STATE_KEY_SIZE], GError **error)
{
  return state->engine->secret (state, name, key, error);
}

gboolean
sv_state_admit (SvState *state, const SvAdmissionRules *rules, SvAdmission *batch, gsize n, GError **error)
{
  return state->engine->admit (state, rules, batch, n, error);
}

gboolean
sv_state_try_admission (SvState *state, GError **error)
{
  return state->engine->try_admission (state, error);
}

gboolean
sv_state_recent_nonces (SvState *state, gint64 since_ms, SvVisitNonce visit, gpointer data, GError **error)
{
  return state->engine->recent_nonces (state, since_ms, visit, data, error);
}

gboolean
sv_state_list_issued (SvState *state, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                      GError **error)
{
  return state->engine->list_issued (state, window_id, after_id, visit, data, error);
}

gboolean
sv_state_close_window (SvState *state, const char *window_id, guint64 *last_id, GError **error)
{
  return state->engine->close_window (state, window_id, last_id, error);
}

gboolean
sv_state_raise_ids (SvState *state, guint64 last_id, GError **error)
{
  return state->engine->raise_ids (state, last_id, error);
}

gboolean
sv_state_find_task (SvState *state, guint64 id, SvTaskRecord **task, GError **error)
{
  return state->engine->find_task (state, id, task, error);
}

gboolean
sv_state_complete_task (SvState *state, guint64 id, const char *asker, gint64 now_ms, gboolean *found, GError **error)
{
  return state->engine->complete_task (state, id, asker, now_ms, found, error);
}

gboolean
sv_state_lead (SvState *state, const char *task, gboolean *leads, GError **error)
{
  return state->engine->lead (state, task, leads, error);
}

gboolean
sv_state_checkpoint (SvState *state, const SvChainId *chain, SvCheckpoint *checkpoint, gboolean *found, GError **error)
{
  return state->engine->checkpoint (state, chain, checkpoint, found, error);
}

gboolean
sv_state_append_commitments (SvState *state, const SvChainId *chain, const SvCheckpoint *checkpoint,
                             const GPtrArray *commitments, GError **error)
{
  return state->engine->append_commitments (state, chain, checkpoint, commitments, error);
}

GPtrArray *
sv_state_list_commitments (SvState *state, const SvChainId *chain, guint64 from_block, GError **error)
{
  return state->engine->list_commitments (state, chain, from_block, error);
}

gboolean
sv_state_forget_chain (SvState *state, const SvChainId *chain, GError **error)
{
  return state->engine->forget_chain (state, chain, error);
}

gboolean
sv_state_share_chain (SvState *state, const SvChainId *chain, const SvSharedChain *shared, GError **error)
{
  return state->engine->share_chain (state, chain, shared, error);
}

gboolean
sv_state_shared_chain (SvState *state, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared, GError **error)
{
  return state->engine->shared_chain (state, chain, status, shared, error);
}

gboolean
sv_state_wish_chain (SvState *state, const SvChainId *chain, guint64 *wish, GError **error)
{
  return state->engine->wish_chain (state, chain, wish, error);
}
