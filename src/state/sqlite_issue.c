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

/* ── where a window has no records ── */

/* A window that waits beside a busy one is asked for what is new again and again, and behind its last record lie all of the
 * other one's. Ids are given in the order of transactions: where it was found to have none, it will have none. */
typedef struct
{
  guint64 after; /* no record has an id above it … */
  guint64 last;  /* … and up to here */
} Gap;

GHashTable *
sv_sqlite_gaps_new (void)
{
  return g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, g_free);
}

static guint64
skip_gap (SvSqliteState *state, gint64 window, guint64 after_id)
{
  const Gap *gap = g_hash_table_lookup (state->gaps, GSIZE_TO_POINTER (window));
  return gap != NULL && after_id >= gap->after ? MAX (after_id, gap->last) : after_id;
}

/* Nothing was found above @after_id when @last was the last id, or the last but later ones. */
static void
note_gap (SvSqliteState *state, gint64 window, guint64 after_id, guint64 last)
{
  Gap *gap = g_new (Gap, 1);
  *gap = (Gap){ after_id, MAX (after_id, last) };
  g_hash_table_replace (state->gaps, GSIZE_TO_POINTER (window), gap);
}

static gboolean
read_last_issued (SvSqliteState *state, guint64 *last, GError **error)
{
  gboolean has_row;
  sqlite3_stmt *query = sv_sqlite_statement (state, "SELECT ifnull (max (id), 0) FROM issued", error);
  if (query == NULL || !sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  *last = (guint64)sqlite3_column_int64 (query, 0);
  sqlite3_reset (query);
  return TRUE;
}

/* ── listing ── */

/* @window: 0 for all. */
static sqlite3_stmt *
ask (SvSqliteState *state, gint64 window, guint64 after_id, GError **error)
{
  const char *sql = window == 0 ? "SELECT " COLUMNS " FROM issued WHERE id > ?1 ORDER BY id"
                                : "SELECT " COLUMNS " FROM issued WHERE id > ?1 AND id >="
                                  " (SELECT first_id FROM windows WHERE window = ?2) AND window = ?2 ORDER BY id";
  sqlite3_stmt *query = sv_sqlite_statement (state, sql, error);
  if (query == NULL)
    return NULL;
  sqlite3_bind_int64 (query, 1, (gint64)after_id);
  if (window != 0)
    sqlite3_bind_int64 (query, 2, window);
  return query;
}

/* *@has_any: whether there was one. */
static gboolean
visit_all (SvSqliteState *state, sqlite3_stmt *query, SvVisitIssue visit, gpointer data, gboolean *has_any, GError **error)
{
  gboolean has_row = TRUE, ok = TRUE;
  *has_any = FALSE;
  while (ok && has_row)
  {
    SvIssueRecord record = { 0 };
    ok = sv_sqlite_step (state, query, &has_row, error) && (!has_row || read_record (state, query, &record, error));
    *has_any = *has_any || (ok && has_row);
    if (ok && has_row && !visit (&record, data))
      break;
  }
  sqlite3_reset (query);
  return ok;
}

static gboolean
list_all (SvSqliteState *state, guint64 after_id, SvVisitIssue visit, gpointer data, GError **error)
{
  gboolean has_any;
  sqlite3_stmt *query = ask (state, 0, after_id, error);
  return query != NULL && visit_all (state, query, visit, data, &has_any, error);
}

static gboolean
list_window (SvSqliteState *state, gint64 window, guint64 after_id, SvVisitIssue visit, gpointer data, GError **error)
{
  guint64 last;
  gboolean has_any;
  if (!read_last_issued (state, &last, error))
    return FALSE;
  sqlite3_stmt *query = ask (state, window, skip_gap (state, window, after_id), error);
  if (query == NULL || !visit_all (state, query, visit, data, &has_any, error))
    return FALSE;
  if (!has_any)
    note_gap (state, window, after_id, last);
  return TRUE;
}

gboolean
sv_sqlite_list_issued (SvState *base, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                       GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  gint64 window;
  if (window_id == NULL)
    return list_all (state, after_id, visit, data, error);
  if (!sv_sqlite_find_name (state, window_id, &window, error))
    return FALSE;
  return window == 0 || list_window (state, window, after_id, visit, data, error);
}
