/* Rounds: any number of prepared statements sent at once, then all their results (libpq's pipeline mode). So a transaction that
 * needs nothing from here in between costs one way to the server and back.
 *
 * The socket is never waited for without a deadline. The server ends what takes too long by its own timeouts, which are
 * shorter; ours is for one that does not answer at all. After it the connection is closed, and what became of an open
 * transaction is unknown: the caller says so to whoever waits. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/error.h"
#include "state/postgres_state.h"

#define ROUND_US (20 * G_USEC_PER_SEC) /* longer than the server's own timeouts, see postgres_connection.c */

/* ── waiting ── */

typedef enum
{
  WAITED,
  TOO_LONG,
  BROKEN,
} Wait;

static Wait
wait_for_socket (SvPostgresState *state, gboolean has_more_to_send, gint64 deadline)
{
  struct pollfd socket = { .fd = sv_pq ()->socket (state->connection),
                           .events = (short)(POLLIN | (has_more_to_send ? POLLOUT : 0)) };
  gint64 left_us = deadline - g_get_monotonic_time ();
  if (left_us <= 0)
    return TOO_LONG;
  int n = poll (&socket, 1, (int)(left_us / 1000 + 1));
  if (n < 0 && errno != EINTR)
    return BROKEN;
  return n == 0 ? TOO_LONG : WAITED;
}

/* (transfer full) in *@result, which is NULL after the last result of a statement. */
static gboolean
receive (SvPostgresState *state, gint64 deadline, PGresult **result, GError **error)
{
  while (sv_pq ()->isBusy (state->connection))
  {
    int unsent = sv_pq ()->flush (state->connection);
    Wait waited = unsent < 0 ? BROKEN : wait_for_socket (state, unsent > 0, deadline);
    if (waited == TOO_LONG)
      return sv_postgres_fail_connection (state, "the server does not answer any more", error);
    if (waited == BROKEN || !sv_pq ()->consumeInput (state->connection))
      return sv_postgres_fail_connection (state, "the connection broke", error);
  }
  *result = sv_pq ()->getResult (state->connection);
  return TRUE;
}

/* ── one round ── */

typedef struct
{
  SvPostgresState *state;
  const SvPostgresQuery *queries;
  guint n;
  gboolean *is_new; /* of each query: it is prepared in this round */
  gint64 deadline;
  GError *fault; /* the first error of the server's */
} Round;

static const char *
name_of (SvPostgresState *state, const char *sql)
{
  return g_hash_table_lookup (state->statements, sql);
}

static gboolean
send_one (Round *round, guint i)
{
  PGconn *connection = round->state->connection;
  const SvPostgresQuery *query = &round->queries[i];
  if (name_of (round->state, query->sql) == NULL)
  {
    char *name = g_strdup_printf ("sv%u", g_hash_table_size (round->state->statements));
    g_hash_table_insert (round->state->statements, (gpointer)query->sql, name);
    round->is_new[i] = TRUE;
    if (!sv_pq ()->sendPrepare (connection, name, query->sql, 0, NULL))
      return FALSE;
  }
  return sv_pq ()->sendQueryPrepared (connection, name_of (round->state, query->sql), query->n, query->values, NULL, NULL, 0) !=
         0;
}

/* All results of one message, of which the last is kept. */
static gboolean
receive_statement (Round *round, PGresult **kept, GError **error)
{
  for (;;)
  {
    PGresult *result;
    if (!receive (round->state, round->deadline, &result, error))
      return FALSE;
    if (result == NULL)
      return sv_pq ()->status (round->state->connection) == CONNECTION_OK ||
             sv_postgres_fail_connection (round->state, "the connection broke", error);
    ExecStatusType status = sv_pq ()->resultStatus (result);
    if (status == PGRES_FATAL_ERROR && round->fault == NULL)
      sv_postgres_fail (round->state, result, &round->fault);
    sv_pq_clear (*kept);
    *kept = result;
  }
}

static gboolean
receive_query (Round *round, guint i, PGresult **kept, GError **error)
{
  g_autoptr (PGresult) prepared = NULL;
  if (round->is_new[i] && !receive_statement (round, &prepared, error))
    return FALSE;
  return receive_statement (round, kept, error);
}

static gboolean
receive_sync (Round *round, GError **error)
{
  for (gboolean is_synchronised = FALSE; !is_synchronised;)
  {
    g_autoptr (PGresult) result = NULL;
    if (!receive (round->state, round->deadline, &result, error))
      return FALSE;
    if (result == NULL && sv_pq ()->status (round->state->connection) != CONNECTION_OK)
      return sv_postgres_fail_connection (round->state, "the connection broke", error);
    is_synchronised = sv_pq ()->resultStatus (result) == PGRES_PIPELINE_SYNC;
    if (sv_pq ()->resultStatus (result) == PGRES_FATAL_ERROR && round->fault == NULL)
      sv_postgres_fail (round->state, result, &round->fault);
  }
  return TRUE;
}

static gboolean
exchange (Round *round, PGresult **results, GError **error)
{
  for (guint i = 0; i < round->n; i++)
    if (!send_one (round, i))
      return sv_postgres_fail_connection (round->state, "the connection broke", error);
  if (!sv_pq ()->pipelineSync (round->state->connection))
    return sv_postgres_fail_connection (round->state, "the connection broke", error);
  for (guint i = 0; i < round->n; i++)
    if (!receive_query (round, i, &results[i], error))
      return FALSE;
  return receive_sync (round, error);
}

gboolean
sv_postgres_round (SvPostgresState *state, const SvPostgresQuery *queries, guint n, PGresult **results, GError **error)
{
  g_autofree gboolean *is_new = g_new0 (gboolean, n);
  g_autofree PGresult **own = g_new0 (PGresult *, n);
  PGresult **kept = results != NULL ? results : own;
  Round round = { state, queries, n, is_new, g_get_monotonic_time () + ROUND_US, NULL };
  memset (kept, 0, n * sizeof *kept);
  gboolean ok = exchange (&round, kept, error);
  if (ok && round.fault != NULL)
  {
    g_propagate_error (error, g_steal_pointer (&round.fault));
    ok = FALSE;
  }
  if (!ok && round.fault != NULL) /* the server said more than that the connection is gone */
  {
    g_clear_error (error);
    g_propagate_error (error, g_steal_pointer (&round.fault));
  }
  if (!ok)
    sv_postgres_disconnect (state); /* nothing may be left open, nor a statement be thought prepared that is not */
  if (!ok || results == NULL)
    sv_postgres_clear (kept, n);
  return ok;
}

PGresult *
sv_postgres_ask (SvPostgresState *state, const SvPostgresQuery *query, GError **error)
{
  PGresult *result = NULL;
  return sv_postgres_ready (state, error) && sv_postgres_round (state, query, 1, &result, error) ? result : NULL;
}

gboolean
sv_postgres_change (SvPostgresState *state, const SvPostgresQuery *query, guint64 *n_rows, GError **error)
{
  g_autoptr (PGresult) result = sv_postgres_ask (state, query, error);
  if (result == NULL)
    return FALSE;
  if (n_rows != NULL)
    *n_rows = g_ascii_strtoull (sv_pq ()->cmdTuples (result), NULL, 10);
  return TRUE;
}

/* ── values ── */

const char *
sv_postgres_number (SvPostgresNumber *buffer, gint64 value)
{
  g_snprintf (buffer->text, sizeof buffer->text, "%" G_GINT64_FORMAT, value);
  return buffer->text;
}

const char *
sv_postgres_value (const PGresult *result, int row, int column)
{
  return sv_pq ()->getisnull (result, row, column) ? NULL : sv_pq ()->getvalue (result, row, column);
}

char *
sv_postgres_text (const PGresult *result, int row, int column)
{
  return g_strdup (sv_postgres_value (result, row, column));
}

gint64
sv_postgres_integer (const PGresult *result, int row, int column)
{
  const char *text = sv_postgres_value (result, row, column);
  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;
}

static void
begin_element (GString *array)
{
  g_string_append_c (array, array->len == 0 ? '{' : ',');
}

void
sv_postgres_array_add (GString *array, const char *value)
{
  begin_element (array);
  if (value == NULL)
  {
    g_string_append (array, "NULL");
    return;
  }
  g_string_append_c (array, '"');
  for (const char *c = value; *c != '\0'; c++)
  {
    if (*c == '"' || *c == '\\')
      g_string_append_c (array, '\\');
    g_string_append_c (array, *c);
  }
  g_string_append_c (array, '"');
}

void
sv_postgres_array_add_integer (GString *array, gint64 value)
{
  begin_element (array);
  g_string_append_printf (array, "%" G_GINT64_FORMAT, value);
}

const char *
sv_postgres_array_end (GString *array)
{
  g_string_append (array, array->len == 0 ? "{}" : "}");
  return array->str;
}

void
sv_postgres_clear (PGresult **results, guint n)
{
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&results[i], sv_pq_clear);
}
