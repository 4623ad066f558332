/* A retired server lingers while it has connections, because whoever sends a request on a kept one in the moment in which it is
 * closed loses it. Each ends with its next answer or by its own time limit; so none lasts much longer than that, and a download
 * no longer than the drain of a stop. Many reloads in a row would keep as many servers: beyond MAX_RETIRED the oldest has to
 * hurry, which closes connections that are not in use. */
#include "api/succession.h"

#include "base/error.h"

#define MAX_RETIRED 4
#define READY_WITHIN_US (300 * G_USEC_PER_SEC)
#define LINGER_MORE_MS 5000 /* than a connection may be idle */

typedef struct
{
  SvServer *server;
  GThread *thread;
  gint64 until_us;
  gint must_hurry; /* atomic */
  gint is_gone;    /* atomic: the thread has nothing more to do */
} Retired;

struct SvSuccession
{
  SvServerLimits limits;
  SvServer *server;
  GQueue retired; /* of Retired, oldest first */
};

SvSuccession *
sv_succession_start (const SvConfig *config, const SvServerLimits *limits, GError **error)
{
  static const SvServerLimits defaults = SV_SERVER_LIMITS_DEFAULT;
  SvServer *server = sv_server_start (config, limits, error);
  if (server == NULL)
    return NULL;
  SvSuccession *succession = g_new0 (SvSuccession, 1);
  succession->limits = limits != NULL ? *limits : defaults;
  succession->server = server;
  g_queue_init (&succession->retired);
  return succession;
}

const SvServer *
sv_succession_server (const SvSuccession *succession)
{
  return succession->server;
}

/* ── the old ones ── */

static gpointer
linger (gpointer data)
{
  Retired *retired = data;
  while (!g_atomic_int_get (&retired->must_hurry) && sv_server_connections (retired->server) > 0 &&
         g_get_monotonic_time () < retired->until_us)
    g_usleep (SV_SUCCESSION_POLL_MS * 1000);
  sv_server_stop (retired->server);
  g_atomic_int_set (&retired->is_gone, 1);
  return NULL;
}

static void
retire (SvSuccession *succession, SvServer *server)
{
  Retired *retired = g_new0 (Retired, 1);
  sv_server_retire (server, succession->server);
  retired->server = server;
  retired->until_us = g_get_monotonic_time () + (gint64)(succession->limits.idle_ms + LINGER_MORE_MS) * 1000;
  retired->thread = g_thread_new ("retired", linger, retired);
  g_queue_push_tail (&succession->retired, retired);
}

/* Waits for the oldest, which is made to hurry. */
static void
end_oldest (SvSuccession *succession)
{
  Retired *retired = g_queue_pop_head (&succession->retired);
  g_atomic_int_set (&retired->must_hurry, 1);
  g_thread_join (retired->thread);
  g_free (retired);
}

static void
forget_gone (SvSuccession *succession)
{
  for (GList *link = succession->retired.head, *next; link != NULL; link = next)
  {
    Retired *retired = link->data;
    next = link->next;
    if (!g_atomic_int_get (&retired->is_gone))
      continue;
    g_thread_join (retired->thread);
    g_free (retired);
    g_queue_delete_link (&succession->retired, link);
  }
}

guint
sv_succession_count_retired (SvSuccession *succession)
{
  forget_gone (succession);
  return g_queue_get_length (&succession->retired);
}

/* ── the new one ── */

/* A server just made has not read the chain yet, and its endpoint may be away; then it answers by what the present one has
 * shared. Where that cannot serve either, nothing is lost by going on. */
static gboolean
await_ready (const SvSuccession *succession, const SvServer *server, SvIsCancelled is_cancelled, gpointer data, GError **error)
{
  gint64 end = g_get_monotonic_time () + READY_WITHIN_US;
  const char *fault;
  while ((fault = sv_server_fault (server)) != NULL && sv_server_fault (succession->server) == NULL)
  {
    if (is_cancelled != NULL && is_cancelled (data))
    {
      g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "given up before it was ready: %s", fault);
      return FALSE;
    }
    if (g_get_monotonic_time () >= end)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "with it the server could not hand out challenges: %s", fault);
      return FALSE;
    }
    g_usleep (SV_SUCCESSION_POLL_MS * 1000);
  }
  return TRUE;
}

gboolean
sv_succession_replace (SvSuccession *succession, const SvConfig *config, SvIsCancelled is_cancelled, gpointer data,
                       GError **error)
{
  forget_gone (succession);
  if (g_queue_get_length (&succession->retired) >= MAX_RETIRED)
    end_oldest (succession);
  SvServer *server = sv_server_prepare (config, &succession->limits, succession->server, error);
  if (server == NULL)
    return FALSE;
  if (!await_ready (succession, server, is_cancelled, data, error) || !sv_server_answer (server, error))
  {
    sv_server_stop (server);
    return FALSE;
  }
  SvServer *before = succession->server;
  succession->server = server;
  retire (succession, before);
  return TRUE;
}

void
sv_succession_stop (SvSuccession *succession)
{
  if (succession == NULL)
    return;
  sv_server_stop (succession->server);
  while (!g_queue_is_empty (&succession->retired))
    end_oldest (succession);
  g_free (succession);
}
