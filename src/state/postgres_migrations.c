/* The form of the database: tables in a schema of our own, `scorevision`, whose table `form` says which form they have. Each
 * migration brings them from one form to the next and is never changed after a release. Whoever comes first migrates, under a
 * lock: of instances that start together one does, and the others find it done. */
#include "base/error.h"
#include "state/postgres_state.h"

/* `requests` is written at one end and removed from at the other, for ever: its dead rows have to go soon, and cost little to
 * find; its file is not cut shorter, for which everybody would be locked out. `counters` is a few rows in one page that is
 * never full, so changing them makes no work for indexes; of `issued` it holds the last id, and the first and last seq of
 * `requests`. */
static const char *const form_1[] = {
  "CREATE TABLE scorevision.form (version integer NOT NULL)",
  "CREATE TABLE scorevision.counters (name text PRIMARY KEY, value bigint NOT NULL,"
  " first_request bigint NOT NULL DEFAULT 1, last_request bigint NOT NULL DEFAULT 0)"
  " WITH (fillfactor = 10)",
  "INSERT INTO scorevision.counters (name, value) VALUES ('clips', 0), ('issued', 0)",
  "CREATE TABLE scorevision.clips (hash text PRIMARY KEY, bytes bigint NOT NULL, duration_ms bigint NOT NULL,"
  " fps double precision NOT NULL, width integer NOT NULL, height integer NOT NULL, sport text NOT NULL,"
  " scenario text NOT NULL, challenge_type text NOT NULL, added_ms bigint NOT NULL)",
  "CREATE TABLE scorevision.ground_truth (clip_hash text PRIMARY KEY REFERENCES scorevision.clips ON DELETE CASCADE,"
  " json text NOT NULL)",
  "CREATE TABLE scorevision.secrets (kind text NOT NULL, name text NOT NULL, key bytea NOT NULL, PRIMARY KEY (kind, name))",
  "CREATE TABLE scorevision.requests (seq bigint PRIMARY KEY, asker text NOT NULL, nonce text, x_nonce text,"
  " client_id text NOT NULL, time_ms bigint NOT NULL)"
  " WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,"
  " vacuum_truncate = false)",
  "CREATE TABLE scorevision.issued (challenge_id bigint PRIMARY KEY, asker text NOT NULL, miner text NOT NULL,"
  " window_id text NOT NULL, manifest_hash text NOT NULL, element_id text NOT NULL, clip_hash text NOT NULL,"
  " seed bigint NOT NULL, nonce text NOT NULL, block bigint NOT NULL, time_ms bigint NOT NULL)",
  "CREATE INDEX issued_window ON scorevision.issued (window_id, challenge_id)",
  "CREATE TABLE scorevision.closed_windows (window_id text PRIMARY KEY, last_id bigint NOT NULL)",
  "CREATE TABLE scorevision.tasks (id bigint PRIMARY KEY, asker text NOT NULL, clip_hash text NOT NULL,"
  " issued_ms bigint NOT NULL, completed_ms bigint NOT NULL DEFAULT 0)",
  "CREATE TABLE scorevision.chains (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, genesis text NOT NULL,"
  " netuid integer NOT NULL, from_block bigint NOT NULL, number bigint NOT NULL, hash text NOT NULL,"
  " UNIQUE (genesis, netuid))",
  "CREATE TABLE scorevision.commitments (chain bigint NOT NULL REFERENCES scorevision.chains, block bigint NOT NULL,"
  " position bigint NOT NULL, hash text NOT NULL, signer text NOT NULL, text text NOT NULL, succeeded boolean NOT NULL,"
  " PRIMARY KEY (chain, block, position))",
  "CREATE TABLE scorevision.shared_chains (genesis text NOT NULL, netuid integer NOT NULL, version bigint NOT NULL DEFAULT 0,"
  " generation bigint NOT NULL DEFAULT 0, final_block bigint NOT NULL DEFAULT 0, picture text,"
  " read_at timestamptz, wished bigint NOT NULL DEFAULT 0, answered bigint NOT NULL DEFAULT 0,"
  " PRIMARY KEY (genesis, netuid)) WITH (fillfactor = 50)",
  "INSERT INTO scorevision.form (version) VALUES (1)",
};

typedef struct
{
  const char *const *statements;
  guint n;
} Migration;

static const Migration migrations[] = {
  { form_1, G_N_ELEMENTS (form_1) },
};

typedef struct
{
  gboolean has_schema;
  gboolean has_form;
  gboolean is_empty; /* the schema, where it is there */
} Place;

static gboolean
look_at_place (SvPostgresState *state, Place *place, GError **error)
{
  static const SvPostgresQuery query = {
    .sql = "SELECT to_regnamespace('scorevision') IS NOT NULL, to_regclass('scorevision.form') IS NOT NULL,"
           " NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('scorevision'))"
  };
  PGresult *result;
  if (!sv_postgres_round (state, &query, 1, &result, error))
    return FALSE;
  *place = (Place){ *sv_pq ()->getvalue (result, 0, 0) == 't', *sv_pq ()->getvalue (result, 0, 1) == 't',
                    *sv_pq ()->getvalue (result, 0, 2) == 't' };
  sv_pq_clear (result);
  if (place->has_form || place->is_empty)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "database %s: its schema scorevision belongs to another program; name another database in SCOREVISION_DATABASE",
               state->base.url);
  return FALSE;
}

/* *@version is 0 for a database without our tables. */
static gboolean
read_version (SvPostgresState *state, const Place *place, gint64 *version, GError **error)
{
  static const SvPostgresQuery query = { .sql = "SELECT version FROM scorevision.form" };
  PGresult *result;
  *version = 0;
  if (!place->has_form)
    return TRUE;
  if (!sv_postgres_round (state, &query, 1, &result, error))
    return FALSE;
  *version = sv_pq ()->ntuples (result) == 1 ? sv_postgres_integer (result, 0, 0) : G_MAXINT64;
  sv_pq_clear (result);
  if (*version <= (gint64)G_N_ELEMENTS (migrations))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "database %s was written by a newer sv (form %" G_GINT64_FORMAT ", this one knows %d); upgrade sv",
               state->base.url, *version, (int)G_N_ELEMENTS (migrations));
  return FALSE;
}

static gboolean
run_migration (SvPostgresState *state, const Migration *migration, GError **error)
{
  g_autofree SvPostgresQuery *queries = g_new0 (SvPostgresQuery, migration->n);
  for (guint i = 0; i < migration->n; i++)
    queries[i].sql = migration->statements[i];
  return sv_postgres_round (state, queries, migration->n, NULL, error);
}

/* A schema that was made for us is enough: then the role need not be allowed to make any. */
static gboolean
make_schema (SvPostgresState *state, const Place *place, GError **error)
{
  static const SvPostgresQuery query = { .sql = "CREATE SCHEMA scorevision" };
  return place->has_schema || sv_postgres_round (state, &query, 1, NULL, error);
}

static gboolean
migrate_locked (SvPostgresState *state, GError **error)
{
  Place place;
  gint64 version;
  if (!look_at_place (state, &place, error) || !read_version (state, &place, &version, error) ||
      !make_schema (state, &place, error))
    return FALSE;
  for (gsize i = (gsize)version; i < G_N_ELEMENTS (migrations); i++)
    if (!run_migration (state, &migrations[i], error))
      return FALSE;
  return TRUE;
}

gboolean
sv_postgres_migrate (SvPostgresState *state, GError **error)
{
  Place place;
  gint64 version;
  SvPostgresNumber key;
  static const SvPostgresQuery commit = { .sql = "COMMIT" };
  if (!look_at_place (state, &place, error) || !read_version (state, &place, &version, error))
    return FALSE;
  if (version == (gint64)G_N_ELEMENTS (migrations))
    return TRUE;
  const SvPostgresQuery begin[] = { { .sql = "BEGIN" },
                                    { .sql = "SELECT pg_advisory_xact_lock($1::bigint)",
                                      .n = 1,
                                      .values = { sv_postgres_number (&key, sv_postgres_lock_key ("migration")) } } };
  return sv_postgres_round (state, begin, G_N_ELEMENTS (begin), NULL, error) && migrate_locked (state, error) &&
         sv_postgres_round (state, &commit, 1, NULL, error);
}
