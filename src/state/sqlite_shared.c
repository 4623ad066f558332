/* What the leader of the chain shares with other processes on the same file. One version a change, so that an unchanged picture
 * costs one small query. */
#include "base/error.h"
#include "base/rfc3339.h"
#include "state/shared_chain.h"
#include "state/sqlite_state.h"

#define OF_CHAIN " WHERE genesis = ? AND netuid = ?"

static sqlite3_stmt *
about_chain (SvSqliteState *state, const char *sql, const SvChainId *chain, GError **error)
{
  sqlite3_stmt *statement = sv_sqlite_statement (state, sql, error);
  if (statement == NULL)
    return NULL;
  sv_sqlite_bind_text (statement, 1, chain->genesis);
  sqlite3_bind_int64 (statement, 2, chain->netuid);
  return statement;
}

static gboolean
add_row (SvSqliteState *state, const SvChainId *chain, GError **error)
{
  sqlite3_stmt *insert =
      about_chain (state, "INSERT OR IGNORE INTO shared_chains (genesis, netuid) VALUES (?, ?)", chain, error);
  return insert != NULL && sv_sqlite_run (state, insert, error);
}

/* ── sharing ── */

static gboolean
check_index (SvSqliteState *state, const SvChainId *chain, const SvSharedChain *shared, GError **error)
{
  SvCheckpoint checkpoint;
  gboolean found;
  if (!sv_sqlite_checkpoint (&state->base, chain, &checkpoint, &found, error))
    return FALSE;
  if (shared->final_block == 0 ||
      (found && checkpoint.from_block <= shared->from_block && checkpoint.number >= shared->final_block))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
               "database %s: the index of the chain was changed by another process; the chain is read anew", state->base.url);
  return FALSE;
}

static gboolean
write_picture (SvSqliteState *state, const SvChainId *chain, const SvSharedChain *shared, GError **error)
{
  g_autofree char *text = sv_shared_chain_to_text (shared);
  sqlite3_stmt *change =
      about_chain (state,
                   "UPDATE shared_chains SET version = version + (picture IS NOT ?3 OR generation <> ?4 OR final_block <> ?5),"
                   " picture = ?3, generation = ?4, final_block = ?5, read_ms = ?6, answered = ?7 WHERE genesis = ?1"
                   " AND netuid = ?2",
                   chain, error);
  if (change == NULL)
    return FALSE;
  sv_sqlite_bind_text (change, 3, text);
  sqlite3_bind_int64 (change, 4, shared->generation);
  sqlite3_bind_int64 (change, 5, (gint64)shared->final_block);
  sqlite3_bind_int64 (change, 6, sv_clock_ms () - shared->age_ms);
  sqlite3_bind_int64 (change, 7, (gint64)shared->answered);
  return sv_sqlite_run (state, change, error);
}

gboolean
sv_sqlite_share_chain (SvState *base, const SvChainId *chain, const SvSharedChain *shared, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  if (!g_hash_table_contains (state->leads, "chain"))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "database %s: this process does not lead the chain", state->base.url);
    return FALSE;
  }
  if (!sv_sqlite_begin (state, error))
    return FALSE;
  gboolean ok =
      check_index (state, chain, shared, error) && add_row (state, chain, error) && write_picture (state, chain, shared, error);
  return sv_sqlite_end (state, ok, error);
}

/* ── reading ── */

/* *@shared is NULL where the version is the known one. */
static gboolean
read_row (SvSqliteState *state, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared, GError **error)
{
  gboolean has_row;
  guint64 known = status->version;
  sqlite3_stmt *query = about_chain (
      state, "SELECT version, wished, answered, read_ms, generation, final_block, picture FROM shared_chains" OF_CHAIN, chain,
      error);
  if (query == NULL || !sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  status->version = has_row ? (guint64)sqlite3_column_int64 (query, 0) : 0;
  status->wished = has_row ? (guint64)sqlite3_column_int64 (query, 1) : 0;
  status->answered = has_row ? (guint64)sqlite3_column_int64 (query, 2) : 0;
  status->age_ms = G_MAXINT64;
  if (has_row && sqlite3_column_type (query, 3) != SQLITE_NULL)
    status->age_ms = MAX (sv_clock_ms () - sqlite3_column_int64 (query, 3), 0);
  g_autofree char *text = has_row && shared != NULL && status->version != known ? sv_sqlite_column_text (query, 6) : NULL;
  gint64 generation = has_row ? sqlite3_column_int64 (query, 4) : 0,
         final_block = has_row ? sqlite3_column_int64 (query, 5) : 0;
  sqlite3_reset (query);
  if (text == NULL)
    return TRUE;
  *shared = sv_shared_chain_from_text (text, error);
  if (*shared == NULL)
    return FALSE;
  (*shared)->generation = generation;
  (*shared)->final_block = (guint64)final_block;
  (*shared)->age_ms = status->age_ms;
  (*shared)->answered = status->answered;
  return TRUE;
}

static gboolean
read_final (SvSqliteState *state, const SvChainId *chain, const SvSharedStatus *known, SvSharedChain *shared, GError **error)
{
  guint64 first = known->generation == shared->generation ? known->final_block + 1 : 0;
  if (known->skips_index)
  {
    shared->final = g_ptr_array_new ();
    return TRUE;
  }
  shared->final = sv_sqlite_list_commitments (&state->base, chain, first, error);
  for (guint i = shared->final != NULL ? shared->final->len : 0; i > 0; i--)
    if (((const SvStoredCommitment *)shared->final->pdata[i - 1])->block > shared->final_block)
      g_ptr_array_remove_index (shared->final, i - 1);
  return shared->final != NULL;
}

static gboolean
read_shared (SvSqliteState *state, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared, GError **error)
{
  return read_row (state, chain, status, shared, error) &&
         (*shared == NULL || read_final (state, chain, status, *shared, error));
}

gboolean
sv_sqlite_shared_chain (SvState *base, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  if (shared == NULL)
    return read_row (state, chain, status, NULL, error);
  *shared = NULL;
  sqlite3_stmt *begin = sv_sqlite_statement (state, "BEGIN", error);
  if (begin == NULL || !sv_sqlite_run (state, begin, error))
    return FALSE;
  if (sv_sqlite_end (state, read_shared (state, chain, status, shared, error), error))
    return TRUE;
  g_clear_pointer (shared, sv_shared_chain_free);
  return FALSE;
}

gboolean
sv_sqlite_wish_chain (SvState *base, const SvChainId *chain, guint64 *wish, GError **error)
{
  gboolean has_row = FALSE;
  SvSqliteState *state = (SvSqliteState *)base;
  if (!sv_sqlite_begin (state, error))
    return FALSE;
  gboolean ok = add_row (state, chain, error);
  sqlite3_stmt *change =
      ok ? about_chain (state, "UPDATE shared_chains SET wished = wished + 1" OF_CHAIN " RETURNING wished", chain, error)
         : NULL;
  ok = change != NULL && sv_sqlite_step (state, change, &has_row, error);
  *wish = has_row ? (guint64)sqlite3_column_int64 (change, 0) : 0;
  if (change != NULL)
    sqlite3_reset (change);
  return sv_sqlite_end (state, ok, error);
}
