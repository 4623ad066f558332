/* The SQLite engine: its table, opening by URL, and the keys. The connection is in sqlite_database.c, each other subject of
 * state.h in a file of its own. */
#include "state/sqlite_state.h"

#include <sodium.h>
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
  state->leads = sv_sqlite_leads_new ();
  if (sv_sqlite_open (state, error))
    return &state->base;
  sqlite_close (&state->base);
  return NULL;
}

/* *@found is FALSE where there is none yet. */
static gboolean
read_key (SvSqliteState *state, const char *kind, const char *name, guint8 key[32], gboolean *found, GError **error)
{
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT key FROM secrets WHERE kind = ? AND name = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, kind);
  sv_sqlite_bind_text (query, 2, name);
  if (!sv_sqlite_step (state, query, found, error))
    return FALSE;
  gboolean ok = !*found || sqlite3_column_bytes (query, 0) == 32;
  if (ok && *found)
    memcpy (key, sqlite3_column_blob (query, 0), 32);
  sqlite3_reset (query);
  return ok || sv_sqlite_fail (state, SQLITE_CORRUPT, error);
}

static gboolean
insert_key (SvSqliteState *state, const char *kind, const char *name, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state, "INSERT OR IGNORE INTO secrets (kind, name, key) VALUES (?, ?, ?)", error);
  if (insert == NULL)
    return FALSE;
  guint8 fresh[32];
  randombytes_buf (fresh, sizeof fresh);
  sv_sqlite_bind_text (insert, 1, kind);
  sv_sqlite_bind_text (insert, 2, name);
  sqlite3_bind_blob (insert, 3, fresh, sizeof fresh, SQLITE_TRANSIENT);
  gboolean ok = sv_sqlite_run (state, insert, error);
  sqlite3_clear_bindings (insert);
  sodium_memzero (fresh, sizeof fresh);
  return ok;
}

/* Whoever inserts first decides; then everybody reads the same. */
static gboolean
key_of (SvState *base, const char *kind, const char *name, guint8 key[32], GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  gboolean found;
  if (!read_key (state, kind, name, key, &found, error))
    return FALSE;
  if (found)
    return TRUE;
  return insert_key (state, kind, name, error) && read_key (state, kind, name, key, &found, error) &&
         (found || sv_sqlite_fail (state, SQLITE_CORRUPT, error));
}

static gboolean
sqlite_draw_key (SvState *state, const char *manifest_hash, guint8 key[32], GError **error)
{
  return key_of (state, "draw", manifest_hash, key, error);
}

static gboolean
sqlite_find_draw_key (SvState *base, const char *manifest_hash, guint8 key[32], gboolean *found, GError **error)
{
  return read_key ((SvSqliteState *)base, "draw", manifest_hash, key, found, error);
}

static gboolean
sqlite_secret (SvState *state, const char *name, guint8 key[32], GError **error)
{
  return key_of (state, "secret", name, key, error);
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
  .draw_key = sqlite_draw_key,
  .find_draw_key = sqlite_find_draw_key,
  .secret = sqlite_secret,
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
