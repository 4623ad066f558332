/* The Challenge API server: its life from configuration to the last answer. docs/protocol.md section 7. */
#pragma once

#include "base/config.h"

typedef struct SvServer SvServer;

/* Limits that are no settings. All have defaults; tests choose others. */
typedef struct
{
  guint max_working;         /* API requests in hand; default 2048 */
  guint max_connections;     /* default 16384, less where the process may not open as many files */
  guint max_files;           /* that are sent at once; default 16384, less likewise, a quarter of those files at least */
  guint per_address;         /* connections of one address; loopback and trusted proxies are exempt; default 1024 */
  guint head_ms;             /* for a request's headers, from its first byte; default 10,000 */
  guint body_ms;             /* for its body, or so many KiB of it as that are seconds; default 10,000 */
  guint idle_ms;             /* between requests; default 60,000 */
  guint send_ms;             /* for a client to take an answer, or each send_bytes of it; default 20,000 */
  guint send_bytes;          /* default 20 KiB */
  guint linger_ms;           /* for a client to read the last answer, when it is still sending; default 2000 */
  guint requests_per_second; /* of one address; loopback is exempt; default 100 */
  guint request_burst;       /* default 400 */
  guint drain_ms;            /* how long sv_server_stop() lets downloads go on; default 30,000 */
} SvServerLimits;

#define SV_SERVER_LIMITS_DEFAULT                                                                                               \
  {                                                                                                                            \
    .max_working = 2048, .max_connections = 16384, .max_files = 16384, .per_address = 1024, .head_ms = 10000,                  \
    .body_ms = 10000, .idle_ms = 60000, .send_ms = 20000, .send_bytes = 20480, .linger_ms = 2000, .requests_per_second = 100,  \
    .request_burst = 400, .drain_ms = 30000                                                                                    \
  }

/* Binds SCOREVISION_LISTEN (SV_ERROR_CONFLICT when another instance has it), opens the engines, warms the memory of nonces and
 * begins to read, waiting a few seconds for each of them; what cannot be reached is taken up later, and answered by 503 until
 * then. @limits may be NULL. Returns: (transfer full) a server
 * that answers. */
SvServer *sv_server_start (const SvConfig *config, const SvServerLimits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same in two steps, for a server that takes another's place (api/succession.h). The first does all but answering: with
 * the same SCOREVISION_LISTEN as @before (NULL: nobody) it shares that server's socket, else it binds its own. */
SvServer *sv_server_prepare (const SvConfig *config, const SvServerLimits *limits, const SvServer *before,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_server_answer (SvServer *server, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) why it cannot hand out challenges, in words; NULL where it can. */
const char *sv_server_fault (const SvServer *server);

/* Takes no more connections, and ends the ones it has with their next answer; a socket that @successor shares goes on. To be
 * followed by sv_server_stop(). */
void sv_server_retire (SvServer *server, const SvServer *successor);
/* Open connections. */
guint sv_server_connections (const SvServer *server);

/* (transfer none) where it listens: "http://127.0.0.1:8080", with the port that was really bound. */
const char *sv_server_url (const SvServer *server);
guint sv_server_port (const SvServer *server);

/* The windows that are served or will be, as "2025-10-23, 2025-10-24"; "none" before the first publication,
 * SV_WINDOWS_NOT_READ before the index was read. Returns: (transfer
 * full). */
#define SV_WINDOWS_NOT_READ "not read yet"
char *sv_server_windows (const SvServer *server);

/* Stops accepting, finishes what is in flight, writes what waits, closes the engines. Takes @server; NULL is nothing. */
void sv_server_stop (SvServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvServer, sv_server_stop)
