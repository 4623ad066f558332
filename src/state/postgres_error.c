/* What went wrong at the database, for a person: what the server says, and what to do about it. Whatever passes by itself, or
 * by somebody's work at the server, is SV_ERROR_UNREACHABLE; the rest is a fault of ours. libpq's and the server's messages
 * hold no password. */
#include <string.h>

#include "base/error.h"
#include "state/postgres_state.h"

static const struct
{
  const char *state; /* SQLSTATE, or its class */
  const char *advice;
} advices[] = {
  { "URL", "correct SCOREVISION_DATABASE" },
  { "SSL", "correct sslmode and sslrootcert in SCOREVISION_DATABASE, or ssl in the server's postgresql.conf" },
  { "08", "check that PostgreSQL runs and can be reached from here" },
  { "28", "check user and password of SCOREVISION_DATABASE, and the server's pg_hba.conf" },
  { "3D", "make the database (docs/operating.md, PostgreSQL), or name another in SCOREVISION_DATABASE" },
  { "42501", "give the role its rights: it has to own the schema scorevision, or may CREATE in the database "
             "(docs/operating.md, PostgreSQL)" },
  { "53100", "free some space on the server" },
  { "53300", "raise max_connections of the server; each `sv serve` needs six" },
  { "53", "the server is short of resources" },
  { "57014", "the server took too long; look what it is busy with" },
  { "57", "the server stops or starts; it is tried again" },
  { "55P03", "another session holds a lock for too long; look for it in pg_stat_activity" },
  { "25006", "this server is a read-only standby; name the primary in SCOREVISION_DATABASE" },
  { "25P03", "the connection stood still in a transaction; it is tried again" },
  { "40", "it is tried again" },
  { "58", "look into the server's log: its disk or its files fail" },
  { "XX", "look into the server's log: its files may be damaged; restore them from a backup" },
};

/* Whom the server turns away today it turns away tomorrow. */
static gboolean
is_refusal (const char *state)
{
  static const char *const refusals[] = { "URL", "SSL", "28", "3D", "42501", "0LP", "0P" };
  for (gsize i = 0; state != NULL && i < G_N_ELEMENTS (refusals); i++)
    if (g_str_has_prefix (state, refusals[i]))
      return TRUE;
  return FALSE;
}

static const char *
advice_for (const char *state)
{
  for (gsize i = 0; state != NULL && i < G_N_ELEMENTS (advices); i++)
    if (g_str_has_prefix (state, advices[i].state))
      return advices[i].advice;
  return NULL;
}

/* One line, without the "ERROR:" that is before it. */
static char *
make_line (const char *message)
{
  g_autofree char *line = g_strdup (message != NULL ? message : "");
  g_strdelimit (line, "\n\r\t", ' ');
  g_strstrip (line);
  while (g_str_has_suffix (line, "."))
    line[strlen (line) - 1] = '\0';
  return sv_text_printable (line);
}

gboolean
sv_postgres_fail (SvPostgresState *state, const PGresult *result, GError **error)
{
  const char *code = sv_pq ()->resultErrorField (result, PG_DIAG_SQLSTATE);
  const char *primary = sv_pq ()->resultErrorField (result, PG_DIAG_MESSAGE_PRIMARY);
  const char *advice = advice_for (code);
  state->base.is_refused = is_refusal (code);
  if (code == NULL) /* libpq's own: the connection broke */
    return sv_postgres_fail_connection (state, "the connection broke", error);
  g_autofree char *line = make_line (primary);
  g_set_error (error, SV_ERROR, advice != NULL ? SV_ERROR_UNREACHABLE : SV_ERROR_FAILED, "database %s: %s (%s)%s%s",
               state->base.url, line, code, advice != NULL ? "; " : "", advice != NULL ? advice : "");
  return FALSE;
}

/* The SQLSTATE that libpq does not tell of a connection that was not made. */
static const char *
connection_state (const char *line)
{
  static const struct
  {
    const char *says;
    const char *state;
  } known[] = {
    { "invalid ", "URL" },
    { "server does not support SSL", "SSL" },
    { "no SSL", "SSL" },
    { "root certificate file", "SSL" },
    { "certificate verify failed", "SSL" },
    { "server certificate", "SSL" },
    { "could not load", "SSL" },
    { "permission denied for database", "42501" },
    { "password authentication failed", "28" },
    { "no password supplied", "28" },
    { "pg_hba.conf", "28" },
    { "role \"", "28" },
    { "database \"", "3D" },
    { "read-only", "25006" },
    { "hot standby", "25006" },
    { "too many clients", "53300" },
    { "remaining connection slots", "53300" },
    { "starting up", "57" },
    { "shutting down", "57" },
    { "recovery mode", "57" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (strstr (line, known[i].says) != NULL)
      return known[i].state;
  return "08";
}

gboolean
sv_postgres_fail_connection (SvPostgresState *state, const char *what, GError **error)
{
  g_autofree char *line = make_line (state->connection != NULL ? sv_pq ()->errorMessage (state->connection) : "");
  const char *code = connection_state (line);
  state->base.is_refused = is_refusal (code);
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "database %s: %s%s%s; %s", state->base.url, what,
               *line != '\0' ? ": " : "", line, advice_for (code));
  return FALSE;
}
