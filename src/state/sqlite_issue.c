/* The issue log: one row per challenge handed out. AUTOINCREMENT, so that an id is never given twice, and ids come in the
 * order of their transactions. */
#include "state/sqlite_state.h"

gboolean
sv_sqlite_insert_issued (SvSqliteState *state, SvIssueRecord *record, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state,
                                              "INSERT INTO issued (asker, miner, window_id, manifest_hash, element_id,"
                                              " clip_hash, seed, nonce, block, time_ms) VALUES (?,?,?,?,?,?,?,?,?,?)",
                                              error);
  if (insert == NULL)
    return FALSE;
  const char *const texts[] = { record->asker,         record->miner,      record->window_id,
                                record->manifest_hash, record->element_id, record->clip_hash };
  for (int i = 0; i < (int)G_N_ELEMENTS (texts); i++)
    sv_sqlite_bind_text (insert, i + 1, texts[i]);
  sqlite3_bind_int64 (insert, 7, (gint64)record->seed);
  sv_sqlite_bind_text (insert, 8, record->nonce);
  sqlite3_bind_int64 (insert, 9, (gint64)record->block);
  sqlite3_bind_int64 (insert, 10, record->time_ms);
  if (!sv_sqlite_run (state, insert, error))
    return FALSE;
  record->challenge_id = (guint64)sqlite3_last_insert_rowid (state->db);
  return TRUE;
}

static SvIssueRecord *
read_record (sqlite3_stmt *query)
{
  SvIssueRecord *record = g_new0 (SvIssueRecord, 1);
  record->challenge_id = (guint64)sqlite3_column_int64 (query, 0);
  record->asker = sv_sqlite_column_text (query, 1);
  record->miner = sv_sqlite_column_text (query, 2);
  record->window_id = sv_sqlite_column_text (query, 3);
  record->manifest_hash = sv_sqlite_column_text (query, 4);
  record->element_id = sv_sqlite_column_text (query, 5);
  record->clip_hash = sv_sqlite_column_text (query, 6);
  record->seed = (guint64)sqlite3_column_int64 (query, 7);
  record->nonce = sv_sqlite_column_text (query, 8);
  record->block = (guint64)sqlite3_column_int64 (query, 9);
  record->time_ms = sqlite3_column_int64 (query, 10);
  return record;
}

#define COLUMNS "challenge_id, asker, miner, window_id, manifest_hash, element_id, clip_hash, seed, nonce, block, time_ms"

gboolean
sv_sqlite_list_issued (SvState *base, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                       GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  const char *sql = window_id == NULL ? "SELECT " COLUMNS " FROM issued WHERE challenge_id > ? ORDER BY challenge_id"
                                      : "SELECT " COLUMNS
                                        " FROM issued WHERE challenge_id > ? AND window_id = ? ORDER BY challenge_id";
  sqlite3_stmt *query = sv_sqlite_statement (state, sql, error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, (gint64)after_id);
  if (window_id != NULL)
    sv_sqlite_bind_text (query, 2, window_id);
  for (;;)
  {
    gboolean has_row;
    if (!sv_sqlite_step (state, query, &has_row, error))
      return FALSE;
    if (!has_row)
      return TRUE;
    g_autoptr (SvIssueRecord) record = read_record (query);
    if (!visit (record, data))
      break;
  }
  sqlite3_reset (query);
  return TRUE;
}
