/* What the leader of the chain shares with the other instances. One version a change, so that an unchanged picture costs one
 * small query. Ages are told by the server's clock, since the instances' may differ. */
#include "base/error.h"
#include "state/postgres_state.h"
#include "state/shared_chain.h"

/* ── sharing ── */

/* The lock of the task is taken once more, for the transaction: nobody who has lost it writes over his successor's picture. */
gboolean
sv_postgres_share_chain (SvState *base, const SvChainId *chain, const SvSharedChain *shared, GError **error)
{
  SvPostgresState *state = (SvPostgresState *)base;
  SvPostgresNumber numbers[8];
  PGresult *results[4];
  g_autofree char *text = sv_shared_chain_to_text (shared);
  g_autofree char *index = g_strdup_printf ("index/%s/%u", chain->genesis, chain->netuid);
  gboolean leads = state->connection != NULL && g_hash_table_contains (state->leads, "chain");
  const SvPostgresQuery queries[] = {
    { .sql = "BEGIN" },
    { .sql = "SELECT pg_advisory_xact_lock ($1::bigint)",
      .n = 1,
      .values = { sv_postgres_number (&numbers[0], sv_postgres_lock_key (index)) } },
    { .sql = "INSERT INTO scorevision.shared_chains AS s (genesis, netuid, version, generation, final_block, picture, read_at,"
             " answered) SELECT $1, $2::integer, 1, $3::bigint, $4::bigint, $5,"
             " clock_timestamp () - $6::bigint * interval '1 millisecond', $7::bigint"
             " WHERE pg_try_advisory_xact_lock ($8::bigint) AND ($4::bigint = 0 OR EXISTS (SELECT FROM scorevision.chains"
             " WHERE genesis = $1 AND netuid = $2::integer AND from_block <= $9::bigint AND number >= $4::bigint))"
             " ON CONFLICT (genesis, netuid) DO UPDATE SET version = s.version + (s.picture IS DISTINCT FROM excluded.picture"
             " OR s.generation <> excluded.generation OR s.final_block <> excluded.final_block)::integer,"
             " generation = excluded.generation, final_block = excluded.final_block, picture = excluded.picture,"
             " read_at = excluded.read_at, answered = excluded.answered",
      .n = 9,
      .values = { chain->genesis, sv_postgres_number (&numbers[1], chain->netuid),
                  sv_postgres_number (&numbers[2], shared->generation),
                  sv_postgres_number (&numbers[3], (gint64)shared->final_block), text,
                  sv_postgres_number (&numbers[4], shared->age_ms), sv_postgres_number (&numbers[5], (gint64)shared->answered),
                  sv_postgres_number (&numbers[6], sv_postgres_lock_key ("chain")),
                  sv_postgres_number (&numbers[7], (gint64)shared->from_block) } },
    { .sql = "COMMIT" },
  };
  if (leads && !sv_postgres_round (state, queries, G_N_ELEMENTS (queries), results, error))
    return FALSE;
  gboolean is_written = leads && g_strcmp0 (sv_pq ()->cmdTuples (results[2]), "1") == 0;
  if (leads)
    sv_postgres_clear (results, G_N_ELEMENTS (queries));
  if (!is_written)
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "database %s: another instance follows the chain now, or has changed its index; it is read anew",
                 state->base.url);
  return is_written;
}

/* ── reading ── */

#define STATUS                                                                                                                 \
  "SELECT version, wished, answered, greatest (extract (epoch FROM clock_timestamp () - read_at) * 1000, 0)::bigint,"          \
  " generation, final_block, CASE WHEN version <> $3::bigint THEN picture END FROM scorevision.shared_chains"                  \
  " WHERE genesis = $1 AND netuid = $2::integer"

static void
read_status (const PGresult *row, SvSharedStatus *status)
{
  gboolean has_row = sv_pq ()->ntuples (row) > 0;
  status->version = has_row ? (guint64)sv_postgres_integer (row, 0, 0) : 0;
  status->wished = has_row ? (guint64)sv_postgres_integer (row, 0, 1) : 0;
  status->answered = has_row ? (guint64)sv_postgres_integer (row, 0, 2) : 0;
  status->age_ms = has_row && !sv_pq ()->getisnull (row, 0, 3) ? sv_postgres_integer (row, 0, 3) : G_MAXINT64;
}

static gboolean
read_picture (const PGresult *row, const PGresult *commitments, const SvSharedStatus *status, SvSharedChain **shared,
              GError **error)
{
  const char *text = sv_pq ()->ntuples (row) > 0 ? sv_postgres_value (row, 0, 6) : NULL;
  if (text == NULL)
    return TRUE;
  *shared = sv_shared_chain_from_text (text, error);
  if (*shared == NULL)
    return FALSE;
  (*shared)->generation = sv_postgres_integer (row, 0, 4);
  (*shared)->final_block = (guint64)sv_postgres_integer (row, 0, 5);
  (*shared)->age_ms = status->age_ms;
  (*shared)->answered = status->answered;
  (*shared)->final = sv_postgres_read_commitments (commitments);
  return TRUE;
}

static gboolean
read_changed (SvPostgresState *state, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared, GError **error)
{
  SvPostgresNumber numbers[4];
  const char *netuid = sv_postgres_number (&numbers[0], chain->netuid);
  const char *version = sv_postgres_number (&numbers[1], (gint64)status->version);
  const SvPostgresQuery queries[] = {
    { .sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" },
    { .sql = STATUS, .n = 3, .values = { chain->genesis, netuid, version } },
    { .sql = "SELECT c.block, c.position, c.hash, c.signer, c.text, c.succeeded FROM scorevision.commitments c"
             " JOIN scorevision.chains n ON c.chain = n.id JOIN scorevision.shared_chains s USING (genesis, netuid)"
             " WHERE n.genesis = $1 AND n.netuid = $2::integer AND s.version <> $3::bigint AND c.block <= s.final_block"
             " AND c.block > CASE s.generation WHEN $4::bigint THEN $5::bigint ELSE -1 END AND NOT $6::boolean"
             " ORDER BY c.block, c.position",
      .n = 6,
      .values = { chain->genesis, netuid, version, sv_postgres_number (&numbers[2], status->generation),
                  sv_postgres_number (&numbers[3], (gint64)status->final_block), status->skips_index ? "true" : "false" } },
    { .sql = "COMMIT" },
  };
  PGresult *results[G_N_ELEMENTS (queries)];
  if (!sv_postgres_round (state, queries, G_N_ELEMENTS (queries), results, error))
    return FALSE;
  read_status (results[1], status);
  gboolean ok = read_picture (results[1], results[2], status, shared, error);
  sv_postgres_clear (results, G_N_ELEMENTS (queries));
  return ok;
}

gboolean
sv_postgres_shared_chain (SvState *base, const SvChainId *chain, SvSharedStatus *status, SvSharedChain **shared, GError **error)
{
  SvPostgresState *state = (SvPostgresState *)base;
  SvPostgresNumber netuid;
  guint64 known = status->version;
  if (shared != NULL)
    *shared = NULL;
  const SvPostgresQuery query = {
    .sql = "SELECT version, wished, answered, greatest (extract (epoch FROM clock_timestamp () - read_at) * 1000, 0)::bigint"
           " FROM scorevision.shared_chains WHERE genesis = $1 AND netuid = $2::integer",
    .n = 2,
    .values = { chain->genesis, sv_postgres_number (&netuid, chain->netuid) }
  };
  g_autoptr (PGresult) row = sv_postgres_ask (state, &query, error);
  if (row == NULL)
    return FALSE;
  read_status (row, status);
  if (shared == NULL || status->version == known)
    return TRUE;
  status->version = known;
  return read_changed (state, chain, status, shared, error);
}

gboolean
sv_postgres_wish_chain (SvState *base, const SvChainId *chain, guint64 *wish, GError **error)
{
  SvPostgresNumber netuid;
  const SvPostgresQuery query = { .sql = "INSERT INTO scorevision.shared_chains AS s (genesis, netuid, wished)"
                                         " VALUES ($1, $2::integer, 1) ON CONFLICT (genesis, netuid)"
                                         " DO UPDATE SET wished = s.wished + 1 RETURNING wished",
                                  .n = 2,
                                  .values = { chain->genesis, sv_postgres_number (&netuid, chain->netuid) } };
  g_autoptr (PGresult) result = sv_postgres_ask ((SvPostgresState *)base, &query, error);
  if (result == NULL)
    return FALSE;
  *wish = (guint64)sv_postgres_integer (result, 0, 0);
  return TRUE;
}
