/* The issue log: one row per challenge handed out, at the end of a table without indexes. Ids come from the counter in the log
 * of requests, in the order of transactions and without gaps. What is said in many rows is written as a number
 * (sqlite_names.c), and so is a nonce that is one. Where a window begins is in `windows`, written with its first record: its
 * records lie from there on. */
#include "state/sqlite_state.h"

/* ── writing ── */

static gboolean
begin_window (SvSqliteState *state, gint64 window, guint64 id, GError **error)
{
  if (window == state->last_window)
    return TRUE;
  sqlite3_stmt *insert = sv_sqlite_statement (state, "INSERT OR IGNORE INTO windows (window, first_id) VALUES (?, ?)", error);
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, window);
  sqlite3_bind_int64 (insert, 2, (gint64)id);
  if (!sv_sqlite_run (state, insert, error))
    return FALSE;
  state->last_window = window;
  return TRUE;
}

/* As a number where that reads back as the same text. */
static void
bind_nonce (sqlite3_stmt *insert, int index, const char *nonce)
{
  guint64 number;
  if (nonce[0] != '0' && g_ascii_string_to_unsigned (nonce, 10, 0, G_MAXINT64, &number, NULL))
    sqlite3_bind_int64 (insert, index, (gint64)number);
  else
    sv_sqlite_bind_text (insert, index, nonce);
}

gboolean
sv_sqlite_insert_issued (SvSqliteState *state, SvIssueRecord *record, GError **error)
{
  const char *const names[] = { record->asker,         record->miner,      record->window_id,
                                record->manifest_hash, record->element_id, record->clip_hash };
  gint64 ids[G_N_ELEMENTS (names)];
  guint64 id = state->last_id + 1;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (!sv_sqlite_name_id (state, names[i], &ids[i], error))
      return FALSE;
  sqlite3_stmt *insert = begin_window (state, ids[2], id, error)
                             ? sv_sqlite_statement (state,
                                                    "INSERT INTO issued (id, asker, miner, window, manifest, element, clip,"
                                                    " seed, nonce, block, time_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                                                    error)
                             : NULL;
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, (gint64)id);
  for (int i = 0; i < (int)G_N_ELEMENTS (ids); i++)
    sqlite3_bind_int64 (insert, i + 2, ids[i]);
  sqlite3_bind_int64 (insert, 8, (gint64)record->seed);
  bind_nonce (insert, 9, record->nonce);
  sqlite3_bind_int64 (insert, 10, (gint64)record->block);
  sqlite3_bind_int64 (insert, 11, record->time_ms);
  if (!sv_sqlite_run (state, insert, error))
    return FALSE;
  record->challenge_id = state->last_id = id;
  return TRUE;
}

/* ── reading ── */

/* The record's texts are borrowed: from the dictionary, and from the row. */
static gboolean
read_record (SvSqliteState *state, sqlite3_stmt *query, SvIssueRecord *record, GError **error)
{
  char **const names[] = { &record->asker,         &record->miner,      &record->window_id,
                           &record->manifest_hash, &record->element_id, &record->clip_hash };
  record->challenge_id = (guint64)sqlite3_column_int64 (query, 0);
  for (int i = 0; i < (int)G_N_ELEMENTS (names); i++)
  {
    *names[i] = (char *)sv_sqlite_name (state, sqlite3_column_int64 (query, i + 1), error);
    if (*names[i] == NULL)
      return FALSE;
  }
  record->seed = (guint64)sqlite3_column_int64 (query, 7);
  record->nonce = (char *)sqlite3_column_text (query, 8);
  record->block = (guint64)sqlite3_column_int64 (query, 9);
  record->time_ms = sqlite3_column_int64 (query, 10);
  return record->nonce != NULL || sv_sqlite_fail (state, SQLITE_CORRUPT, error);
}

#define COLUMNS "id, asker, miner, window, manifest, element, clip, seed, nonce, block, time_ms"

/* (transfer none) the query for what is asked; NULL with *@is_empty TRUE where no record of the window was ever written. */
static sqlite3_stmt *
ask (SvSqliteState *state, const char *window_id, guint64 after_id, gboolean *is_empty, GError **error)
{
  gint64 window = 0;
  *is_empty = FALSE;
  if (window_id != NULL && !sv_sqlite_find_name (state, window_id, &window, error))
    return NULL;
  *is_empty = window_id != NULL && window == 0;
  if (*is_empty)
    return NULL;
  const char *sql = window_id == NULL ? "SELECT " COLUMNS " FROM issued WHERE id > ?1 ORDER BY id"
                                      : "SELECT " COLUMNS " FROM issued WHERE id > ?1 AND id >="
                                        " (SELECT first_id FROM windows WHERE window = ?2) AND window = ?2 ORDER BY id";
  sqlite3_stmt *query = sv_sqlite_statement (state, sql, error);
  if (query == NULL)
    return NULL;
  sqlite3_bind_int64 (query, 1, (gint64)after_id);
  if (window_id != NULL)
    sqlite3_bind_int64 (query, 2, window);
  return query;
}

gboolean
sv_sqlite_list_issued (SvState *base, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                       GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  gboolean is_empty, has_row = TRUE, ok = TRUE;
  sqlite3_stmt *query = ask (state, window_id, after_id, &is_empty, error);
  if (query == NULL)
    return is_empty;
  while (ok && has_row)
  {
    SvIssueRecord record = { 0 };
    ok = sv_sqlite_step (state, query, &has_row, error) && (!has_row || read_record (state, query, &record, error));
    if (ok && has_row && !visit (&record, data))
      break;
  }
  sqlite3_reset (query);
  return ok;
}
