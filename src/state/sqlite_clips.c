/* The registered clips and their ground truth. Every change also raises counters.clips, in the same transaction, so that a
 * server sees by one cheap query whether it must read them again. */
#include "base/error.h"
#include "state/sqlite_state.h"

static gboolean
raise_version (SvSqliteState *state, GError **error)
{
  sqlite3_stmt *change = sv_sqlite_statement (state,
                                              "INSERT INTO counters (name, value) VALUES ('clips', 1)"
                                              " ON CONFLICT (name) DO UPDATE SET value = value + 1",
                                              error);
  return change != NULL && sv_sqlite_run (state, change, error);
}

static gboolean
insert_clip (SvSqliteState *state, const SvClip *clip, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state,
                                              "INSERT OR REPLACE INTO clips (hash, bytes, duration_ms, fps, width, height,"
                                              " sport, scenario, challenge_type, added_ms) VALUES (?,?,?,?,?,?,?,?,?,?)",
                                              error);
  if (insert == NULL)
    return FALSE;
  sv_sqlite_bind_text (insert, 1, clip->hash);
  sqlite3_bind_int64 (insert, 2, (gint64)clip->bytes);
  sqlite3_bind_int64 (insert, 3, (gint64)clip->duration_ms);
  sqlite3_bind_double (insert, 4, clip->fps);
  sqlite3_bind_int64 (insert, 5, clip->width);
  sqlite3_bind_int64 (insert, 6, clip->height);
  sv_sqlite_bind_text (insert, 7, clip->sport);
  sv_sqlite_bind_text (insert, 8, clip->scenario);
  sv_sqlite_bind_text (insert, 9, clip->challenge_type);
  sqlite3_bind_int64 (insert, 10, clip->added_ms);
  return sv_sqlite_run (state, insert, error);
}

static gboolean
insert_ground_truth (SvSqliteState *state, const char *clip_hash, const char *json, GError **error)
{
  sqlite3_stmt *insert =
      sv_sqlite_statement (state, "INSERT OR REPLACE INTO ground_truths (clip_hash, json) VALUES (?, ?)", error);
  if (insert == NULL)
    return FALSE;
  sv_sqlite_bind_text (insert, 1, clip_hash);
  sv_sqlite_bind_text (insert, 2, json);
  return sv_sqlite_run (state, insert, error);
}

static gboolean
delete_ground_truth (SvSqliteState *state, const char *clip_hash, GError **error)
{
  sqlite3_stmt *change = sv_sqlite_statement (state, "DELETE FROM ground_truths WHERE clip_hash = ?", error);
  if (change == NULL)
    return FALSE;
  sv_sqlite_bind_text (change, 1, clip_hash);
  return sv_sqlite_run (state, change, error);
}

static gboolean
put_clip (SvSqliteState *state, const SvClip *clip, GError **error)
{
  return insert_clip (state, clip, error) &&
         (clip->ground_truth == NULL || insert_ground_truth (state, clip->hash, clip->ground_truth, error)) &&
         raise_version (state, error);
}

gboolean
sv_sqlite_put_clip (SvState *base, const SvClip *clip, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  return sv_sqlite_begin (state, error) && sv_sqlite_end (state, put_clip (state, clip, error), error);
}

static gboolean
fail_not_registered (const char *hash, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "clip %s is not registered; `sv clip list` shows those that are", hash);
  return FALSE;
}

static gboolean
delete_clip (SvSqliteState *state, const char *hash, GError **error)
{
  sqlite3_stmt *change = sv_sqlite_statement (state, "DELETE FROM clips WHERE hash = ?", error);
  if (change == NULL)
    return FALSE;
  sv_sqlite_bind_text (change, 1, hash);
  if (!sv_sqlite_run (state, change, error))
    return FALSE;
  return sqlite3_changes (state->db) > 0 || fail_not_registered (hash, error);
}

static gboolean
remove_clip (SvSqliteState *state, const char *hash, GError **error)
{
  return delete_clip (state, hash, error) && delete_ground_truth (state, hash, error) && raise_version (state, error);
}

gboolean
sv_sqlite_remove_clip (SvState *base, const char *hash, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  return sv_sqlite_begin (state, error) && sv_sqlite_end (state, remove_clip (state, hash, error), error);
}

static SvClip *
read_clip (sqlite3_stmt *query)
{
  SvClip *clip = g_new0 (SvClip, 1);
  clip->hash = sv_sqlite_column_text (query, 0);
  clip->bytes = (guint64)sqlite3_column_int64 (query, 1);
  clip->duration_ms = (guint64)sqlite3_column_int64 (query, 2);
  clip->fps = sqlite3_column_double (query, 3);
  clip->width = (guint)sqlite3_column_int64 (query, 4);
  clip->height = (guint)sqlite3_column_int64 (query, 5);
  clip->sport = sv_sqlite_column_text (query, 6);
  clip->scenario = sv_sqlite_column_text (query, 7);
  clip->challenge_type = sv_sqlite_column_text (query, 8);
  clip->added_ms = sqlite3_column_int64 (query, 9);
  clip->has_ground_truth = sqlite3_column_int (query, 10) != 0;
  return clip;
}

GPtrArray *
sv_sqlite_list_clips (SvState *base, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  sqlite3_stmt *query = sv_sqlite_statement (state,
                                             "SELECT hash, bytes, duration_ms, fps, width, height, sport, scenario,"
                                             " challenge_type, added_ms, EXISTS (SELECT 1 FROM ground_truths"
                                             " WHERE clip_hash = hash) FROM clips ORDER BY hash",
                                             error);
  if (query == NULL)
    return NULL;
  g_autoptr (GPtrArray) clips = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_clip_free);
  for (;;)
  {
    gboolean has_row;
    if (!sv_sqlite_step (state, query, &has_row, error))
      return NULL;
    if (!has_row)
      return g_steal_pointer (&clips);
    g_ptr_array_add (clips, read_clip (query));
  }
}

gboolean
sv_sqlite_clips_version (SvState *base, guint64 *version, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  gboolean has_row;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT value FROM counters WHERE name = 'clips'", error);
  if (query == NULL || !sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  *version = has_row ? (guint64)sqlite3_column_int64 (query, 0) : 0;
  sqlite3_reset (query);
  return TRUE;
}

/* ── ground truth ── */

static gboolean
check_registered (SvSqliteState *state, const char *hash, GError **error)
{
  gboolean has_row;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT 1 FROM clips WHERE hash = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, hash);
  if (!sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  sqlite3_reset (query);
  return has_row || fail_not_registered (hash, error);
}

static gboolean
replace_ground_truth (SvSqliteState *state, const char *clip_hash, const char *json, GError **error)
{
  return check_registered (state, clip_hash, error) &&
         (json != NULL ? insert_ground_truth (state, clip_hash, json, error) : delete_ground_truth (state, clip_hash, error)) &&
         raise_version (state, error);
}

gboolean
sv_sqlite_put_ground_truth (SvState *base, const char *clip_hash, const char *json, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  return sv_sqlite_begin (state, error) && sv_sqlite_end (state, replace_ground_truth (state, clip_hash, json, error), error);
}

gboolean
sv_sqlite_ground_truth (SvState *base, const char *clip_hash, char **json, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  gboolean has_row;
  *json = NULL;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT json FROM ground_truths WHERE clip_hash = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, clip_hash);
  if (!sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  if (has_row)
    *json = sv_sqlite_column_text (query, 0);
  sqlite3_reset (query);
  return TRUE;
}
