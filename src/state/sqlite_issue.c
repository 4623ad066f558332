/* The issue log: a row for the challenges that a transaction has handed out, at the end of a table without indexes
 * (issue_row.c has its form; a row for each took two fifths of a batch's instructions). Its key is the id of its last record:
 * ids come from the counter in the log of requests, in the order of transactions, so all of a row's are above those of the row
 * before, and what has an id above another one lies in the rows with such a key. Of the ids in a row only those are missing
 * that tasks have. What is said in many records is written as a number (sqlite_names.c). Where a window begins is in `windows`,
 * written with its first record: its records lie from there on. */
#include "state/sqlite_state.h"

#include <string.h>

#define ROW_MAX 256 /* records: so few are read in vain where the middle of a row is asked for */

/* ── writing ── */

void
sv_sqlite_issues_init (SvSqliteIssues *issues)
{
  *issues = (SvSqliteIssues){ .row = { .bytes = g_string_new (NULL) } };
}

void
sv_sqlite_issues_clear (SvSqliteIssues *issues)
{
  g_string_free (issues->row.bytes, TRUE);
}

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

/* Of most kinds the name is that of the record before. */
static gboolean
name_ids (SvSqliteState *state, SvSqliteIssues *issues, const SvIssueRecord *record, gint64 *ids, GError **error)
{
  const char *const names[SV_ISSUE_ROW_NAMES] = { record->asker,         record->miner,      record->window_id,
                                                  record->manifest_hash, record->element_id, record->clip_hash };
  for (gsize i = 0; i < SV_ISSUE_ROW_NAMES; i++)
  {
    SvSqliteRecentName *last = &issues->names[i];
    if (last->name == NULL || strcmp (last->name, names[i]) != 0)
    {
      last->name = NULL;
      if (!sv_sqlite_name_id (state, names[i], &last->id, error))
        return FALSE;
      last->name = names[i];
    }
    ids[i] = last->id;
  }
  return TRUE;
}

static gboolean
write_row (SvSqliteState *state, SvSqliteIssues *issues, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state, "INSERT INTO issued (last_id, records) VALUES (?, ?)", error);
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, issues->row.last[SV_ISSUE_ROW_ID]);
  sqlite3_bind_blob64 (insert, 2, issues->row.bytes->str, issues->row.bytes->len, SQLITE_STATIC);
  gboolean ok = sv_sqlite_run (state, insert, error);
  sv_issue_row_empty (&issues->row);
  return ok;
}

gboolean
sv_sqlite_append_issue (SvSqliteState *state, SvSqliteIssues *issues, gint64 *numbers, const char *nonce, GError **error)
{
  sv_issue_row_append (&issues->row, numbers, nonce);
  return issues->row.n_records < ROW_MAX || write_row (state, issues, error);
}

gboolean
sv_sqlite_write_issues (SvSqliteState *state, SvSqliteIssues *issues, GError **error)
{
  return issues->row.n_records == 0 || write_row (state, issues, error);
}

gboolean
sv_sqlite_insert_issued (SvSqliteState *state, SvSqliteIssues *issues, SvIssueRecord *record, GError **error)
{
  guint64 id = state->last_id + 1;
  gint64 numbers[SV_ISSUE_ROW_NUMBERS] = { [SV_ISSUE_ROW_ID] = (gint64)id,
                                           [SV_ISSUE_ROW_SEED] = (gint64)record->seed,
                                           [SV_ISSUE_ROW_BLOCK] = (gint64)record->block,
                                           [SV_ISSUE_ROW_TIME] = record->time_ms };
  if (!name_ids (state, issues, record, &numbers[SV_ISSUE_ROW_ASKER], error) ||
      !begin_window (state, numbers[SV_ISSUE_ROW_WINDOW], id, error) ||
      !sv_sqlite_append_issue (state, issues, numbers, record->nonce, error))
    return FALSE;
  record->challenge_id = state->last_id = id;
  return TRUE;
}

/* ── reading rows ── */

/* Returns: the row's key. */
static gint64
begin_row (sqlite3_stmt *query, SvIssueRowRest *row)
{
  const void *bytes = sqlite3_column_blob (query, 1);
  sv_issue_row_read (row, bytes, (gsize)sqlite3_column_bytes (query, 1));
  return sqlite3_column_int64 (query, 0);
}

/* A row has a record at least, and ends with the one that is its key. */
static gboolean
next_record (SvSqliteState *state, gint64 key, SvIssueRowRest *row, GError **error)
{
  return (sv_issue_row_next (row) && (row->at < row->end || row->numbers[SV_ISSUE_ROW_ID] == key)) ||
         sv_sqlite_fail (state, SQLITE_CORRUPT, error);
}

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

/* Nothing was found above @after_id, up to @last. */
static void
note_gap (SvSqliteState *state, gint64 window, guint64 after_id, guint64 last)
{
  Gap *gap = g_new (Gap, 1);
  *gap = (Gap){ after_id, last };
  g_hash_table_replace (state->gaps, GSIZE_TO_POINTER (window), gap);
}

/* ── listing ── */

typedef struct
{
  SvSqliteState *state;
  gint64 window;    /* 0: all */
  guint64 after_id; /* records up to here are not asked for */
  SvVisitIssue visit;
  gpointer data;
  GString *nonce;                 /* of the record that was visited last */
  SvIssueRecord record;           /* with names of the dictionary, … */
  gint64 ids[SV_ISSUE_ROW_NAMES]; /* … which these are */
  gint64 last_id;                 /* of the record that was read last */
  gboolean has_any;
  gboolean is_over; /* no more are wanted */
} Listing;

/* Most are those of the record before. */
static gboolean
find_names (Listing *listing, const gint64 *ids, GError **error)
{
  SvIssueRecord *record = &listing->record;
  char **const names[SV_ISSUE_ROW_NAMES] = { &record->asker,         &record->miner,      &record->window_id,
                                             &record->manifest_hash, &record->element_id, &record->clip_hash };
  for (gsize i = 0; i < SV_ISSUE_ROW_NAMES; i++)
    if (*names[i] == NULL || listing->ids[i] != ids[i])
    {
      *names[i] = (char *)sv_sqlite_name (listing->state, ids[i], error);
      if (*names[i] == NULL)
        return FALSE;
      listing->ids[i] = ids[i];
    }
  return TRUE;
}

static gboolean
visit_record (Listing *listing, const SvIssueRowRest *row, GError **error)
{
  SvIssueRecord *record = &listing->record;
  if (!find_names (listing, &row->numbers[SV_ISSUE_ROW_ASKER], error))
    return FALSE;
  record->challenge_id = (guint64)row->numbers[SV_ISSUE_ROW_ID];
  record->seed = (guint64)row->numbers[SV_ISSUE_ROW_SEED];
  record->nonce = (char *)sv_issue_row_nonce (row, listing->nonce);
  record->block = (guint64)row->numbers[SV_ISSUE_ROW_BLOCK];
  record->time_ms = row->numbers[SV_ISSUE_ROW_TIME];
  listing->has_any = TRUE;
  listing->is_over = !listing->visit (record, listing->data);
  return TRUE;
}

static gboolean
is_asked_for (const Listing *listing, const SvIssueRowRest *row)
{
  return (guint64)row->numbers[SV_ISSUE_ROW_ID] > listing->after_id &&
         (listing->window == 0 || row->numbers[SV_ISSUE_ROW_WINDOW] == listing->window);
}

static gboolean
visit_row (Listing *listing, sqlite3_stmt *query, GError **error)
{
  SvIssueRowRest row;
  gint64 key = begin_row (query, &row);
  do
  {
    if (!next_record (listing->state, key, &row, error))
      return FALSE;
    if (row.numbers[SV_ISSUE_ROW_ID] <= listing->last_id) /* two rows that have the same */
      return sv_sqlite_fail (listing->state, SQLITE_CORRUPT, error);
    listing->last_id = row.numbers[SV_ISSUE_ROW_ID];
    if (is_asked_for (listing, &row) && !visit_record (listing, &row, error))
      return FALSE;
  } while (!listing->is_over && row.at < row.end);
  return TRUE;
}

static sqlite3_stmt *
ask (const Listing *listing, GError **error)
{
  const char *sql = listing->window == 0 ? "SELECT last_id, records FROM issued WHERE last_id > ?1 ORDER BY last_id"
                                         : "SELECT last_id, records FROM issued WHERE last_id > ?1 AND last_id >="
                                           " (SELECT first_id FROM windows WHERE window = ?2) ORDER BY last_id";
  sqlite3_stmt *query = sv_sqlite_statement (listing->state, sql, error);
  if (query == NULL)
    return NULL;
  sqlite3_bind_int64 (query, 1, (gint64)listing->after_id);
  if (listing->window != 0)
    sqlite3_bind_int64 (query, 2, listing->window);
  return query;
}

static gboolean
visit_rows (Listing *listing, GError **error)
{
  gboolean has_row = TRUE, ok = TRUE;
  g_autoptr (GString) nonce = g_string_new (NULL);
  sqlite3_stmt *query = ask (listing, error);
  if (query == NULL)
    return FALSE;
  listing->nonce = nonce;
  while (ok && has_row && !listing->is_over)
    ok = sv_sqlite_step (listing->state, query, &has_row, error) && (!has_row || visit_row (listing, query, error));
  sqlite3_reset (query);
  return ok;
}

gboolean
sv_sqlite_list_issued (SvState *base, const char *window_id, guint64 after_id, SvVisitIssue visit, gpointer data,
                       GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  Listing listing = { .state = state, .after_id = after_id, .visit = visit, .data = data };
  if (window_id == NULL)
    return visit_rows (&listing, error);
  if (!sv_sqlite_find_name (state, window_id, &listing.window, error))
    return FALSE;
  if (listing.window == 0)
    return TRUE;
  listing.after_id = skip_gap (state, listing.window, after_id);
  if (!visit_rows (&listing, error))
    return FALSE;
  if (!listing.has_any)
    note_gap (state, listing.window, after_id, MAX (listing.after_id, (guint64)listing.last_id));
  return TRUE;
}

/* ── the last one of a window ── */

/* 0 in *@last_id where the row has none of it. */
static gboolean
find_last_in_row (SvSqliteState *state, sqlite3_stmt *query, gint64 window, guint64 *last_id, GError **error)
{
  SvIssueRowRest row;
  gint64 key = begin_row (query, &row);
  *last_id = 0;
  do
  {
    if (!next_record (state, key, &row, error))
      return FALSE;
    if (row.numbers[SV_ISSUE_ROW_WINDOW] == window)
      *last_id = (guint64)row.numbers[SV_ISSUE_ROW_ID];
  } while (row.at < row.end);
  return TRUE;
}

/* From the end backwards, where the window that has just ended has its records. */
gboolean
sv_sqlite_last_issued (SvSqliteState *state, gint64 window, guint64 *last_id, GError **error)
{
  gboolean has_row = TRUE, ok = TRUE;
  sqlite3_stmt *query = sv_sqlite_statement (state,
                                             "SELECT last_id, records FROM issued WHERE last_id >="
                                             " (SELECT first_id FROM windows WHERE window = ?) ORDER BY last_id DESC",
                                             error);
  if (query == NULL)
    return FALSE;
  sqlite3_bind_int64 (query, 1, window);
  *last_id = 0;
  while (ok && has_row && *last_id == 0)
    ok =
        sv_sqlite_step (state, query, &has_row, error) && (!has_row || find_last_in_row (state, query, window, last_id, error));
  sqlite3_reset (query);
  return ok;
}
