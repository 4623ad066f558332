/* Up to form 5 the issue log had a row for each record. They are read one after the other and written as rows of many, so that
 * memory does not grow with their number; a million takes some seconds. */
#include "state/sqlite_state.h"

/* In the order of the columns. */
static const SvIssueRowNumber columns[] = {
  SV_ISSUE_ROW_ID,      SV_ISSUE_ROW_ASKER, SV_ISSUE_ROW_MINER, SV_ISSUE_ROW_WINDOW, SV_ISSUE_ROW_MANIFEST,
  SV_ISSUE_ROW_ELEMENT, SV_ISSUE_ROW_CLIP,  SV_ISSUE_ROW_SEED,  SV_ISSUE_ROW_BLOCK,  SV_ISSUE_ROW_TIME,
};

static gboolean
gather_record (SvSqliteState *state, sqlite3_stmt *query, SvSqliteIssues *issues, GError **error)
{
  gint64 numbers[SV_ISSUE_ROW_NUMBERS];
  for (int i = 0; i < (int)G_N_ELEMENTS (columns); i++)
    numbers[columns[i]] = sqlite3_column_int64 (query, i);
  const char *nonce = (const char *)sqlite3_column_text (query, (int)G_N_ELEMENTS (columns));
  if (nonce == NULL)
    return sv_sqlite_fail (state, SQLITE_CORRUPT, error);
  return sv_sqlite_append_issue (state, issues, numbers, nonce, error);
}

static gboolean
gather_records (SvSqliteState *state, sqlite3_stmt *query, SvSqliteIssues *issues, GError **error)
{
  gboolean has_row = TRUE, ok = TRUE;
  while (ok && has_row)
    ok = sv_sqlite_step (state, query, &has_row, error) && (!has_row || gather_record (state, query, issues, error));
  sqlite3_reset (query);
  return ok && sv_sqlite_write_issues (state, issues, error);
}

static gboolean
drop_single (SvSqliteState *state, GError **error)
{
  sqlite3_stmt *drop = sv_sqlite_statement (state, "DROP TABLE single_issued", error);
  return drop != NULL && sv_sqlite_run (state, drop, error);
}

gboolean
sv_sqlite_gather_issued (SvSqliteState *state, GError **error)
{
  SvSqliteIssues issues;
  sqlite3_stmt *query = sv_sqlite_statement (state,
                                             "SELECT id, asker, miner, window, manifest, element, clip, seed, block, time_ms,"
                                             " nonce FROM single_issued WHERE id > 0 ORDER BY id",
                                             error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_issues_init (&issues);
  gboolean ok = gather_records (state, query, &issues, error);
  sv_sqlite_issues_clear (&issues);
  return ok && drop_single (state, error);
}
