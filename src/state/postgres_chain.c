/* The chain follower's index: per chain a checkpoint and the finalized commitments up to it. The chain's row is locked first,
 * so that what is decided by it stays true. */
#include "base/error.h"
#include "state/postgres_state.h"

#define FIND_CHAIN "SELECT id, from_block, number, hash FROM scorevision.chains WHERE genesis = $1 AND netuid = $2::integer"

typedef struct
{
  SvPostgresNumber netuid;
  SvPostgresNumber numbers[5];
} Numbers;

static SvPostgresQuery
about_chain (const char *sql, const SvChainId *chain, Numbers *numbers)
{
  return (SvPostgresQuery){ .sql = sql,
                            .n = 2,
                            .values = { chain->genesis, sv_postgres_number (&numbers->netuid, chain->netuid) } };
}

/* *@id is 0 where this chain was never followed here. */
static void
read_chain (const PGresult *result, gint64 *id, SvCheckpoint *checkpoint)
{
  *id = 0;
  if (sv_pq ()->ntuples (result) == 0)
    return;
  *id = sv_postgres_integer (result, 0, 0);
  checkpoint->from_block = (guint64)sv_postgres_integer (result, 0, 1);
  checkpoint->number = (guint64)sv_postgres_integer (result, 0, 2);
  g_strlcpy (checkpoint->hash, sv_pq ()->getvalue (result, 0, 3), sizeof checkpoint->hash);
}

gboolean
sv_postgres_checkpoint (SvState *base, const SvChainId *chain, SvCheckpoint *checkpoint, gboolean *found, GError **error)
{
  gint64 id;
  Numbers numbers;
  const SvPostgresQuery query = about_chain (FIND_CHAIN, chain, &numbers);
  g_autoptr (PGresult) result = sv_postgres_ask ((SvPostgresState *)base, &query, error);
  if (result == NULL)
    return FALSE;
  read_chain (result, &id, checkpoint);
  *found = id != 0;
  return TRUE;
}

/* ── appending ── */

/* An index has no holes: a checkpoint that begins earlier than the stored one, or beyond the block after it, begins anew. */
static gboolean
continues (const SvCheckpoint *stored, const SvCheckpoint *next)
{
  return next->from_block >= stored->from_block && next->from_block <= stored->number + 1;
}

static gboolean
begin (SvPostgresState *state, const SvChainId *chain, gint64 *id, SvCheckpoint *stored, GError **error)
{
  Numbers numbers;
  SvPostgresNumber key;
  PGresult *results[3];
  g_autofree char *name = g_strdup_printf ("index/%s/%u", chain->genesis, chain->netuid);
  const SvPostgresQuery queries[] = {
    { .sql = "BEGIN" },
    { .sql = "SELECT pg_advisory_xact_lock ($1::bigint)",
      .n = 1,
      .values = { sv_postgres_number (&key, sv_postgres_lock_key (name)) } },
    about_chain (FIND_CHAIN " FOR UPDATE", chain, &numbers),
  };
  if (!sv_postgres_ready (state, error) || !sv_postgres_round (state, queries, G_N_ELEMENTS (queries), results, error))
    return FALSE;
  read_chain (results[2], id, stored);
  sv_postgres_clear (results, G_N_ELEMENTS (queries));
  return TRUE;
}

/* Also takes the shared picture with it, whose final part is what is removed. */
static gboolean
forget (SvPostgresState *state, const SvChainId *chain, gint64 id, GError **error)
{
  Numbers numbers;
  SvPostgresNumber number;
  const char *text = sv_postgres_number (&number, id);
  const SvPostgresQuery queries[] = {
    { .sql = "DELETE FROM scorevision.commitments WHERE chain = $1::bigint", .n = 1, .values = { text } },
    { .sql = "DELETE FROM scorevision.chains WHERE id = $1::bigint", .n = 1, .values = { text } },
    about_chain ("UPDATE scorevision.shared_chains SET picture = NULL, version = version + 1 WHERE genesis = $1"
                 " AND netuid = $2::integer",
                 chain, &numbers),
  };
  return sv_postgres_round (state, queries, G_N_ELEMENTS (queries), NULL, error);
}

static gboolean
end (SvPostgresState *state, gboolean ok, GError **error)
{
  static const SvPostgresQuery commit = { .sql = "COMMIT" };
  if (ok && sv_postgres_round (state, &commit, 1, NULL, error))
    return TRUE;
  static const SvPostgresQuery roll_back = { .sql = "ROLLBACK" };
  if (state->connection != NULL)
    sv_postgres_round (state, &roll_back, 1, NULL, NULL);
  return FALSE;
}

static gboolean
set_checkpoint (SvPostgresState *state, const SvChainId *chain, const SvCheckpoint *next, gint64 *id, GError **error)
{
  Numbers numbers;
  PGresult *result;
  const char *from = sv_postgres_number (&numbers.numbers[0], (gint64)next->from_block);
  const char *number = sv_postgres_number (&numbers.numbers[1], (gint64)next->number);
  const SvPostgresQuery insert = { .sql = "INSERT INTO scorevision.chains (genesis, netuid, from_block, number, hash)"
                                          " VALUES ($1, $2::integer, $3::bigint, $4::bigint, $5) RETURNING id",
                                   .n = 5,
                                   .values = { chain->genesis, sv_postgres_number (&numbers.netuid, chain->netuid), from,
                                               number, next->hash } };
  const SvPostgresQuery move = {
    .sql = "UPDATE scorevision.chains SET number = $2::bigint, hash = $3 WHERE id = $1::bigint RETURNING id",
    .n = 3,
    .values = { sv_postgres_number (&numbers.numbers[2], *id), number, next->hash }
  };
  if (!sv_postgres_round (state, *id == 0 ? &insert : &move, 1, &result, error))
    return FALSE;
  *id = sv_postgres_integer (result, 0, 0);
  sv_pq_clear (result);
  return TRUE;
}

static gboolean
insert_commitments (SvPostgresState *state, gint64 id, const GPtrArray *commitments, GError **error)
{
  SvPostgresNumber chain;
  GString *columns[6];
  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    columns[i] = g_string_new (NULL);
  for (guint i = 0; i < commitments->len; i++)
  {
    const SvStoredCommitment *commitment = commitments->pdata[i];
    sv_postgres_array_add_integer (columns[0], (gint64)commitment->block);
    sv_postgres_array_add_integer (columns[1], commitment->index);
    sv_postgres_array_add (columns[2], commitment->hash);
    sv_postgres_array_add (columns[3], commitment->signer);
    sv_postgres_array_add (columns[4], commitment->text);
    sv_postgres_array_add (columns[5], commitment->succeeded ? "t" : "f");
  }
  SvPostgresQuery query = { .sql = "INSERT INTO scorevision.commitments (chain, block, position, hash, signer, text, succeeded)"
                                   " SELECT $1::bigint, * FROM unnest ($2::bigint[], $3::bigint[], $4::text[], $5::text[],"
                                   " $6::text[], $7::boolean[]) ON CONFLICT (chain, block, position) DO UPDATE SET"
                                   " hash = excluded.hash, signer = excluded.signer, text = excluded.text,"
                                   " succeeded = excluded.succeeded",
                            .n = 7,
                            .values = { sv_postgres_number (&chain, id) } };
  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    query.values[1 + i] = sv_postgres_array_end (columns[i]);
  gboolean ok = sv_postgres_round (state, &query, 1, NULL, error);
  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    g_string_free (columns[i], TRUE);
  return ok;
}

static gboolean
append (SvPostgresState *state, const SvChainId *chain, const SvCheckpoint *next, gint64 id, const SvCheckpoint *stored,
        const GPtrArray *commitments, GError **error)
{
  gboolean begins_anew = id != 0 && !continues (stored, next);
  if (begins_anew && !forget (state, chain, id, error))
    return FALSE;
  if (begins_anew)
    id = 0;
  if (id != 0 && next->number <= stored->number)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "database %s: the chain is already indexed up to block %" G_GUINT64_FORMAT ", not before %" G_GUINT64_FORMAT
                 "; another process follows it, too",
                 state->base.url, stored->number, next->number);
    return FALSE;
  }
  return set_checkpoint (state, chain, next, &id, error) && insert_commitments (state, id, commitments, error);
}

gboolean
sv_postgres_append_commitments (SvState *base, const SvChainId *chain, const SvCheckpoint *checkpoint,
                                const GPtrArray *commitments, GError **error)
{
  gint64 id;
  SvCheckpoint stored;
  SvPostgresState *state = (SvPostgresState *)base;
  return begin (state, chain, &id, &stored, error) &&
         end (state, append (state, chain, checkpoint, id, &stored, commitments, error), error);
}

gboolean
sv_postgres_forget_chain (SvState *base, const SvChainId *chain, GError **error)
{
  gint64 id;
  SvCheckpoint stored;
  SvPostgresState *state = (SvPostgresState *)base;
  return begin (state, chain, &id, &stored, error) && end (state, id == 0 || forget (state, chain, id, error), error);
}

/* ── listing ── */

GPtrArray *
sv_postgres_read_commitments (const PGresult *result)
{
  GPtrArray *commitments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_stored_commitment_free);
  for (int row = 0; row < sv_pq ()->ntuples (result); row++)
  {
    SvStoredCommitment *commitment = g_new0 (SvStoredCommitment, 1);
    commitment->block = (guint64)sv_postgres_integer (result, row, 0);
    commitment->index = (guint)sv_postgres_integer (result, row, 1);
    g_strlcpy (commitment->hash, sv_pq ()->getvalue (result, row, 2), sizeof commitment->hash);
    commitment->signer = sv_postgres_text (result, row, 3);
    commitment->text = sv_postgres_text (result, row, 4);
    commitment->succeeded = *sv_pq ()->getvalue (result, row, 5) == 't';
    g_ptr_array_add (commitments, commitment);
  }
  return commitments;
}

GPtrArray *
sv_postgres_list_commitments (SvState *base, const SvChainId *chain, guint64 from_block, GError **error)
{
  Numbers numbers;
  SvPostgresQuery query = about_chain ("SELECT block, position, hash, signer, text, succeeded FROM scorevision.commitments"
                                       " WHERE chain = (SELECT id FROM scorevision.chains WHERE genesis = $1"
                                       " AND netuid = $2::integer) AND block >= $3::bigint ORDER BY block, position",
                                       chain, &numbers);
  query.values[query.n++] = sv_postgres_number (&numbers.numbers[0], (gint64)from_block);
  g_autoptr (PGresult) result = sv_postgres_ask ((SvPostgresState *)base, &query, error);
  return result != NULL ? sv_postgres_read_commitments (result) : NULL;
}
