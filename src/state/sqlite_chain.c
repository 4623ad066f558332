/* The chain follower's index: per chain a checkpoint and the finalized commitments up to it. */
#include "base/error.h"
#include "state/sqlite_state.h"

#define PICTURE_OF " WHERE (genesis, netuid) = (SELECT genesis, netuid FROM chains WHERE id = ?)"

/* *@id is 0 where this chain was never followed here. */
static gboolean
find_chain (SvSqliteState *state, const SvChainId *chain, gint64 *id, SvCheckpoint *checkpoint, GError **error)
{
  gboolean has_row;
  sqlite3_stmt *query =
      sv_sqlite_statement (state, "SELECT id, from_block, number, hash FROM chains WHERE genesis = ? AND netuid = ?", error);
  if (query == NULL)
    return FALSE;
  sv_sqlite_bind_text (query, 1, chain->genesis);
  sqlite3_bind_int64 (query, 2, chain->netuid);
  if (!sv_sqlite_step (state, query, &has_row, error))
    return FALSE;
  *id = 0;
  if (!has_row)
    return TRUE;
  *id = sqlite3_column_int64 (query, 0);
  checkpoint->from_block = (guint64)sqlite3_column_int64 (query, 1);
  checkpoint->number = (guint64)sqlite3_column_int64 (query, 2);
  g_strlcpy (checkpoint->hash, (const char *)sqlite3_column_text (query, 3), sizeof checkpoint->hash);
  sqlite3_reset (query);
  return TRUE;
}

gboolean
sv_sqlite_checkpoint (SvState *base, const SvChainId *chain, SvCheckpoint *checkpoint, gboolean *found, GError **error)
{
  gint64 id;
  if (!find_chain ((SvSqliteState *)base, chain, &id, checkpoint, error))
    return FALSE;
  *found = id != 0;
  return TRUE;
}

static gboolean
run_on_chain (SvSqliteState *state, const char *sql, gint64 id, GError **error)
{
  sqlite3_stmt *change = sv_sqlite_statement (state, sql, error);
  if (change == NULL)
    return FALSE;
  sqlite3_bind_int64 (change, 1, id);
  return sv_sqlite_run (state, change, error);
}

/* Also takes the shared picture with it, whose final part is what is removed. */
static gboolean
forget (SvSqliteState *state, gint64 id, GError **error)
{
  return run_on_chain (state, "UPDATE shared_chains SET picture = NULL, version = version + 1" PICTURE_OF, id, error) &&
         run_on_chain (state, "DELETE FROM commitments WHERE chain = ?", id, error) &&
         run_on_chain (state, "DELETE FROM chains WHERE id = ?", id, error);
}

static gboolean
insert_chain (SvSqliteState *state, const SvChainId *chain, const SvCheckpoint *checkpoint, gint64 *id, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (
      state, "INSERT INTO chains (genesis, netuid, from_block, number, hash) VALUES (?, ?, ?, ?, ?)", error);
  if (insert == NULL)
    return FALSE;
  sv_sqlite_bind_text (insert, 1, chain->genesis);
  sqlite3_bind_int64 (insert, 2, chain->netuid);
  sqlite3_bind_int64 (insert, 3, (gint64)checkpoint->from_block);
  sqlite3_bind_int64 (insert, 4, (gint64)checkpoint->number);
  sv_sqlite_bind_text (insert, 5, checkpoint->hash);
  if (!sv_sqlite_run (state, insert, error))
    return FALSE;
  *id = sqlite3_last_insert_rowid (state->db);
  return TRUE;
}

static gboolean
move_checkpoint (SvSqliteState *state, gint64 id, const SvCheckpoint *checkpoint, GError **error)
{
  sqlite3_stmt *change = sv_sqlite_statement (state, "UPDATE chains SET number = ?2, hash = ?3 WHERE id = ?1", error);
  if (change == NULL)
    return FALSE;
  sqlite3_bind_int64 (change, 1, id);
  sqlite3_bind_int64 (change, 2, (gint64)checkpoint->number);
  sv_sqlite_bind_text (change, 3, checkpoint->hash);
  return sv_sqlite_run (state, change, error);
}

/* An index has no holes: a checkpoint that begins earlier than the stored one, or beyond the block after it, begins anew. */
static gboolean
continues (const SvCheckpoint *stored, const SvCheckpoint *next)
{
  return next->from_block >= stored->from_block && next->from_block <= stored->number + 1;
}

static gboolean
set_checkpoint (SvSqliteState *state, const SvChainId *chain, const SvCheckpoint *next, gint64 *id, GError **error)
{
  SvCheckpoint stored;
  if (!find_chain (state, chain, id, &stored, error))
    return FALSE;
  if (*id != 0 && !continues (&stored, next))
  {
    if (!forget (state, *id, error))
      return FALSE;
    *id = 0;
  }
  if (*id == 0)
    return insert_chain (state, chain, next, id, error);
  if (next->number > stored.number)
    return move_checkpoint (state, *id, next, error);
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
               "database %s: the chain is already indexed up to block %" G_GUINT64_FORMAT ", not before %" G_GUINT64_FORMAT
               "; another process follows it, too",
               state->base.url, stored.number, next->number);
  return FALSE;
}

static gboolean
insert_commitment (SvSqliteState *state, gint64 id, const SvStoredCommitment *commitment, GError **error)
{
  sqlite3_stmt *insert = sv_sqlite_statement (state,
                                              "INSERT OR REPLACE INTO commitments (chain, block, position, hash, signer, text,"
                                              " succeeded) VALUES (?, ?, ?, ?, ?, ?, ?)",
                                              error);
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, id);
  sqlite3_bind_int64 (insert, 2, (gint64)commitment->block);
  sqlite3_bind_int64 (insert, 3, commitment->index);
  sv_sqlite_bind_text (insert, 4, commitment->hash);
  sv_sqlite_bind_text (insert, 5, commitment->signer);
  sv_sqlite_bind_text (insert, 6, commitment->text);
  sqlite3_bind_int64 (insert, 7, commitment->succeeded);
  return sv_sqlite_run (state, insert, error);
}

static gboolean
append (SvSqliteState *state, const SvChainId *chain, const SvCheckpoint *checkpoint, const GPtrArray *commitments,
        GError **error)
{
  gint64 id;
  if (!set_checkpoint (state, chain, checkpoint, &id, error))
    return FALSE;
  for (guint i = 0; i < commitments->len; i++)
    if (!insert_commitment (state, id, commitments->pdata[i], error))
      return FALSE;
  return TRUE;
}

gboolean
sv_sqlite_append_commitments (SvState *base, const SvChainId *chain, const SvCheckpoint *checkpoint,
                              const GPtrArray *commitments, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  return sv_sqlite_begin (state, error) && sv_sqlite_end (state, append (state, chain, checkpoint, commitments, error), error);
}

static SvStoredCommitment *
read_commitment (sqlite3_stmt *query)
{
  SvStoredCommitment *commitment = g_new0 (SvStoredCommitment, 1);
  commitment->block = (guint64)sqlite3_column_int64 (query, 0);
  commitment->index = (guint)sqlite3_column_int64 (query, 1);
  g_strlcpy (commitment->hash, (const char *)sqlite3_column_text (query, 2), sizeof commitment->hash);
  commitment->signer = sv_sqlite_column_text (query, 3);
  commitment->text = sv_sqlite_column_text (query, 4);
  commitment->succeeded = sqlite3_column_int (query, 5) != 0;
  return commitment;
}

GPtrArray *
sv_sqlite_list_commitments (SvState *base, const SvChainId *chain, guint64 from_block, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  sqlite3_stmt *query = sv_sqlite_statement (state,
                                             "SELECT block, position, hash, signer, text, succeeded FROM commitments"
                                             " WHERE chain = (SELECT id FROM chains WHERE genesis = ? AND netuid = ?)"
                                             " AND block >= ? ORDER BY block, position",
                                             error);
  if (query == NULL)
    return NULL;
  sv_sqlite_bind_text (query, 1, chain->genesis);
  sqlite3_bind_int64 (query, 2, chain->netuid);
  sqlite3_bind_int64 (query, 3, (gint64)from_block);
  g_autoptr (GPtrArray) commitments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_stored_commitment_free);
  for (;;)
  {
    gboolean has_row;
    if (!sv_sqlite_step (state, query, &has_row, error))
      return NULL;
    if (!has_row)
      return g_steal_pointer (&commitments);
    g_ptr_array_add (commitments, read_commitment (query));
  }
}

gboolean
sv_sqlite_forget_chain (SvState *base, const SvChainId *chain, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  gint64 id;
  SvCheckpoint ignored;
  if (!sv_sqlite_begin (state, error))
    return FALSE;
  gboolean ok = find_chain (state, chain, &id, &ignored, error) && (id == 0 || forget (state, id, error));
  return sv_sqlite_end (state, ok, error);
}
