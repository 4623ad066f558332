/* The connection of the PostgreSQL engine. It is made by the first call that needs it, so that a server can start before its
 * database, and again by the call after it broke. What a session has (prepared statements, locks, the memory of requests) is
 * gone with it.
 *
 * Nothing waits for ever: connecting has a limit; a lost peer is noticed by TCP (keepalives while nothing is under way,
 * tcp_user_timeout while something is); the server ends statements, waits for locks and idle transactions that take too long.
 * The URL may set the first of these otherwise. */
#include <poll.h>
#include <string.h>

#include "base/error.h"
#include "state/postgres_state.h"

#define PAUSE_US (G_USEC_PER_SEC / 2) /* between attempts; longer after one that took longer */
#define OLDEST_SERVER 120000

/* What the URL does not say. Of several hosts the one that can be written to is taken. */
static const char *const keywords[] = { "connect_timeout",      "keepalives_idle",
                                        "keepalives_interval",  "keepalives_count",
                                        "tcp_user_timeout",     "fallback_application_name",
                                        "target_session_attrs", "dbname",
                                        "client_encoding",      NULL };

static PGconn *
connect_to (const char *conninfo)
{
  const char *const values[] = { "5", "10", "5", "3", "15000", "sv", "read-write", conninfo, "UTF8", NULL };
  G_STATIC_ASSERT (G_N_ELEMENTS (values) == G_N_ELEMENTS (keywords));
  return sv_pq ()->connectdbParams (keywords, values, TRUE);
}

/* What it says in passing ("there is a transaction already") is nothing for people. */
static void
ignore_notice (void *data, const PGresult *result)
{
}

void
sv_postgres_disconnect (SvPostgresState *state)
{
  g_clear_pointer (&state->connection, sv_pq ()->finish);
  sv_postgres_forget_requests (state);
  g_hash_table_remove_all (state->statements);
  g_hash_table_remove_all (state->leads);
}

/* TRUE unless the server has closed it already: after a restart the next call need not fail first. */
static gboolean
is_alive (SvPostgresState *state)
{
  for (int i = 0; i < 4; i++) /* its last words, then the end */
  {
    struct pollfd socket = { .fd = sv_pq ()->socket (state->connection), .events = POLLIN };
    if (poll (&socket, 1, 0) == 0)
      return TRUE;
    if (!sv_pq ()->consumeInput (state->connection))
      return FALSE;
    sv_pq ()->isBusy (state->connection);
  }
  return FALSE;
}

/* ── what the session needs, and what the server must be ── */

static gboolean
check_server (SvPostgresState *state, const PGresult *facts, GError **error)
{
  const char *fault = NULL;
  if (sv_pq ()->serverVersion (state->connection) < OLDEST_SERVER)
    fault = "PostgreSQL 12 or newer is needed";
  else if (*sv_pq ()->getvalue (facts, 0, 0) != 't')
    fault = "it runs with fsync=off, so what it has acknowledged is lost when its machine fails; set fsync=on";
  else if (*sv_pq ()->getvalue (facts, 0, 1) == 't')
    fault = "this server is a read-only standby; name the primary in SCOREVISION_DATABASE";
  else if (strcmp (sv_pq ()->getvalue (facts, 0, 2), "UTF8") != 0)
    fault = "its encoding is not UTF8; make the database with ENCODING 'UTF8' TEMPLATE template0";
  if (fault != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "database %s: %s", state->base.url, fault);
  return fault == NULL;
}

/* The server, too, has to notice that this machine is gone, or a dead leader would lead for hours. A commit is on the server's
 * disk when it returns, whatever the role's or the database's setting; one that waits for a standby (remote_apply) stays so.
 * Plans are kept from when a table was small, and all that is asked has an index: without that setting a batch could read the
 * whole log. */
static gboolean
prepare_session (SvPostgresState *state, GError **error)
{
  static const SvPostgresQuery queries[] = {
    { .sql =
          "SELECT set_config('statement_timeout', '15000', false), set_config('lock_timeout', '10000', false),"
          " set_config('idle_in_transaction_session_timeout', '5000', false),"
          " set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '3', false),"
          " set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '15000', false),"
          " set_config('default_transaction_isolation', 'read committed', false), set_config('enable_seqscan', 'off', false),"
          " set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'"
          " ELSE current_setting('synchronous_commit') END, false)" },
    { .sql = "SELECT current_setting('fsync')::boolean, pg_is_in_recovery(), current_setting('server_encoding')" },
  };
  PGresult *results[G_N_ELEMENTS (queries)];
  if (!sv_postgres_round (state, queries, G_N_ELEMENTS (queries), results, error))
    return FALSE;
  gboolean ok = check_server (state, results[1], error);
  sv_postgres_clear (results, G_N_ELEMENTS (queries));
  return ok && sv_postgres_migrate (state, error);
}

static gboolean
connect_now (SvPostgresState *state, GError **error)
{
  state->connection = connect_to (state->conninfo);
  if (sv_pq ()->status (state->connection) != CONNECTION_OK)
    return sv_postgres_fail_connection (state, "it cannot be connected to", error);
  sv_pq ()->setNoticeReceiver (state->connection, ignore_notice, NULL);
  if (sv_pq ()->setnonblocking (state->connection, 1) != 0 || !sv_pq ()->enterPipelineMode (state->connection))
    return sv_postgres_fail_connection (state, "libpq refuses", error);
  return prepare_session (state, error);
}

gboolean
sv_postgres_ready (SvPostgresState *state, GError **error)
{
  if (state->connection != NULL && is_alive (state))
    return TRUE;
  sv_postgres_disconnect (state);
  if (state->fault != NULL && g_get_monotonic_time () < state->next_attempt_us)
  {
    g_propagate_error (error, g_error_copy (state->fault));
    return FALSE;
  }
  gint64 began = g_get_monotonic_time ();
  g_clear_error (&state->fault);
  gboolean is_made = connect_now (state, &state->fault);
  sv_state_count_connection (is_made);
  if (is_made)
    return TRUE;
  sv_postgres_disconnect (state);
  gint64 now = g_get_monotonic_time ();
  state->next_attempt_us = now + MAX (PAUSE_US, now - began);
  g_propagate_error (error, g_error_copy (state->fault));
  return FALSE;
}
