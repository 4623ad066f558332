/* One server after another in one process, so that a new configuration takes effect without refusing or losing a request: the
 * new one is made ready beside the old one, shares its socket, and answers; the old one takes no more connections, answers what
 * it is asked on those it has, and goes when they are gone. They share nothing in memory. What must hold for both together
 * (nonces, rate limits, the chain's checkpoint) is in the state, as between two processes. */
#pragma once

#include "api/server.h"

typedef struct SvSuccession SvSuccession;

/* Errors of sv_server_start(). @limits may be NULL. Returns: (transfer full). */
SvSuccession *sv_succession_start (const SvConfig *config, const SvServerLimits *limits,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) the server that answers, until it is replaced. */
const SvServer *sv_succession_server (const SvSuccession *succession);

/* Asked every @SV_SUCCESSION_POLL_MS while a server becomes ready. */
typedef gboolean (*SvIsCancelled) (gpointer data);
#define SV_SUCCESSION_POLL_MS 20

/* Puts a server with @config in the present one's place, once it is as ready as that: SV_ERROR_UNREACHABLE where it is not
 * within five minutes, or @is_cancelled says so (may be NULL), and errors of sv_server_start(). On an error the present one
 * goes on as if nothing had been asked. */
gboolean sv_succession_replace (SvSuccession *succession, const SvConfig *config, SvIsCancelled is_cancelled, gpointer data,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Servers that were replaced and still have connections. */
guint sv_succession_count_retired (SvSuccession *succession);

/* Stops them all, as sv_server_stop() does. Takes @succession; NULL is nothing. */
void sv_succession_stop (SvSuccession *succession);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSuccession, sv_succession_stop)
