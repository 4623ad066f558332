/* Leadership: a session's advisory lock, which PostgreSQL gives back when the session ends, however it ends. Advisory locks are
 * a database's own, so the task is all that the key has to tell. */
#include <sodium.h>

#include "state/postgres_state.h"

gint64
sv_postgres_lock_key (const char *task)
{
  guint8 digest[crypto_generichash_BYTES_MIN];
  guint64 key = 0;
  g_autofree char *name = g_strconcat ("scorevision/", task, NULL);
  crypto_generichash (digest, sizeof digest, (const guint8 *)name, strlen (name), NULL, 0);
  for (int i = 0; i < 8; i++)
    key = key << 8 | digest[i];
  return (gint64)key;
}

/* A process that has stopped without ending, with its machine perhaps, is no leader for longer than this (PostgreSQL 14). */
#define LIMIT_IDLE_SESSION                                                                                                     \
  "CASE WHEN current_setting('server_version_num')::integer >= 140000 THEN set_config('idle_session_timeout', '300000', "      \
  "false) END"

/* One that leads asks the server for nothing but an answer: a session that is still there has its locks. */
gboolean
sv_postgres_lead (SvState *base, const char *task, gboolean *leads, GError **error)
{
  SvPostgresState *state = (SvPostgresState *)base;
  SvPostgresNumber key;
  if (!sv_postgres_ready (state, error))
    return FALSE;
  const SvPostgresQuery take = { .sql = "SELECT pg_try_advisory_lock($1::bigint), " LIMIT_IDLE_SESSION,
                                 .n = 1,
                                 .values = { sv_postgres_number (&key, sv_postgres_lock_key (task)) } };
  static const SvPostgresQuery ping = { .sql = "SELECT true" };
  gboolean has_lock = g_hash_table_contains (state->leads, task);
  g_autoptr (PGresult) result = sv_postgres_ask (state, has_lock ? &ping : &take, error);
  if (result == NULL)
    return FALSE;
  *leads = *sv_pq ()->getvalue (result, 0, 0) == 't' && (!has_lock || g_hash_table_contains (state->leads, task));
  if (*leads)
    g_hash_table_add (state->leads, g_strdup (task));
  return TRUE;
}
