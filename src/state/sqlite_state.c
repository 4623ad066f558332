/* The SQLite engine: its table, and opening by URL. The connection is in sqlite_database.c, each subject of state.h in a file
 * of its own. */
#include "state/sqlite_state.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"

static void
finalize (gpointer statement)
{
  sqlite3_finalize (statement);
}

static void
sqlite_close (SvState *base)
{
  SvSqliteState *state = (SvSqliteState *)base;
  sv_sqlite_close (state);
  g_hash_table_unref (state->names);
  g_hash_table_unref (state->names_by_id);
  sv_request_memory_free (state->memory);
  g_hash_table_unref (state->gaps);
  g_hash_table_unref (state->leads);
  g_free (state->path);
  g_free (state->base.url);
  g_free (state);
}

static SvState *
sqlite_open (const char *url, const SvConfig *config, GError **error)
{
  const char *path = url + strlen (sv_sqlite_state_engine.scheme);
  if (*path == '\0')
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "SCOREVISION_DATABASE: sqlite:PATH is expected, such as sqlite:~/.score/state.db");
    return NULL;
  }
  SvSqliteState *state = g_new0 (SvSqliteState, 1);
  g_autofree char *expanded = sv_path_expand (path);
  state->base.engine = &sv_sqlite_state_engine;
  state->path = g_canonicalize_filename (expanded, NULL);
  state->base.url = g_strconcat (sv_sqlite_state_engine.scheme, state->path, NULL);
  state->statements = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, finalize);
  state->names = g_hash_table_new (g_str_hash, g_str_equal);
  state->names_by_id = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, g_free);
  state->gaps = sv_sqlite_gaps_new ();
  state->leads = sv_sqlite_leads_new ();
  if (sv_sqlite_open (state, error))
    return &state->base;
  sqlite_close (&state->base);
  return NULL;
}

const SvStateEngine sv_sqlite_state_engine = {
  .scheme = "sqlite:",
  .open = sqlite_open,
  .close = sqlite_close,
  .put_clip = sv_sqlite_put_clip,
  .remove_clip = sv_sqlite_remove_clip,
  .list_clips = sv_sqlite_list_clips,
  .clips_version = sv_sqlite_clips_version,
  .put_ground_truth = sv_sqlite_put_ground_truth,
  .ground_truth = sv_sqlite_ground_truth,
  .draw_keys = sv_sqlite_draw_keys,
  .find_draw_key = sv_sqlite_find_draw_key,
  .secret = sv_sqlite_secret,
  .admit = sv_sqlite_admit,
  .try_admission = sv_sqlite_try_admission,
  .recent_nonces = sv_sqlite_recent_nonces,
  .list_issued = sv_sqlite_list_issued,
  .close_window = sv_sqlite_close_window,
  .raise_ids = sv_sqlite_raise_ids,
  .find_task = sv_sqlite_find_task,
  .complete_task = sv_sqlite_complete_task,
  .lead = sv_sqlite_lead,
  .checkpoint = sv_sqlite_checkpoint,
  .append_commitments = sv_sqlite_append_commitments,
  .list_commitments = sv_sqlite_list_commitments,
  .forget_chain = sv_sqlite_forget_chain,
  .share_chain = sv_sqlite_share_chain,
  .shared_chain = sv_sqlite_shared_chain,
  .wish_chain = sv_sqlite_wish_chain,
};
