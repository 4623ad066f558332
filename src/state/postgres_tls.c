/* What goes to a database over a network without anybody asking for TLS: libpq takes it where the server offers it, and an
 * active man in between answers that it does not. Draw keys, the secret of clip links and all nonces go that way. */
#include <string.h>

#include "base/log.h"
#include "state/postgres_state.h"

static const char *
value_of (const PQconninfoOption *options, const char *keyword)
{
  for (; options->keyword != NULL; options++)
    if (strcmp (options->keyword, keyword) == 0)
      return options->val;
  return NULL;
}

static gboolean
is_local (const char *host)
{
  return *host == '\0' || *host == '/' || *host == '@' || strcmp (host, "localhost") == 0 || strcmp (host, "::1") == 0 ||
         g_str_has_prefix (host, "127.");
}

gboolean
sv_postgres_is_open_to_others (const PQconninfoOption *options)
{
  const char *mode = value_of (options, "sslmode");
  const char *address = value_of (options, "hostaddr"), *host = value_of (options, "host");
  g_auto (GStrv) hosts = g_strsplit (address != NULL ? address : host != NULL ? host : "", ",", -1);
  if (mode == NULL)
    mode = g_getenv ("PGSSLMODE");
  if (mode != NULL && strcmp (mode, "prefer") != 0 && strcmp (mode, "allow") != 0)
    return FALSE;
  for (char **each = hosts; *each != NULL; each++)
    if (!is_local (*each))
      return TRUE;
  return FALSE;
}

void
sv_postgres_warn_of_open_network (const char *conninfo, const char *shown)
{
  static gint told;
  PQconninfoOption *options = sv_pq ()->conninfoParse (conninfo, NULL);
  if (options != NULL && sv_postgres_is_open_to_others (options) && g_atomic_int_compare_and_exchange (&told, 0, 1))
    sv_log ("warning",
            "the way to the database may be without TLS: add ?sslmode=verify-full to SCOREVISION_DATABASE, or ?sslmode=disable "
            "where the network is yours alone",
            "database", shown, NULL);
  sv_pq ()->conninfoFree (options);
}
