/* The HTTP front of the server: the threads that own its connections. docs/architecture.md "The front". */
#pragma once

#include "api/service.h"

typedef struct SvFront SvFront;

/* Times are whole: what arrives meanwhile does not prolong them. */
typedef struct
{
  guint max_connections;
  guint max_files;   /* that are sent at once, beside small ones */
  guint per_address; /* connections of one; loopback and trusted proxies are exempt */
  guint head_ms;     /* from a request's first byte to the end of its headers */
  guint body_ms;     /* for its body, or so much of it as a client has to send in that time: a KiB each second */
  guint idle_ms;     /* between requests */
  guint send_ms;     /* for an answer, or for each send_bytes of it */
  guint send_bytes;
  guint linger_ms; /* for a client to read the answer after which its connection is closed */
} SvFrontLimits;

/* Starts to answer on @listen_fd, which stays the caller's; it may be shared with another process. Returns: (transfer full);
 * NULL with SV_ERROR_FAILED where the system has no more threads or files. */
SvFront *sv_front_new (SvService *service, int listen_fd, const SvFrontLimits *limits,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets nobody in any more; afterwards nothing here uses the listening socket. Who is in stays; where service->is_draining is
 * set, each further answer is its connection's last. */
void sv_front_quiesce (SvFront *front);

/* The same, and closes the connections that are idle; a request that is here already is answered. */
void sv_front_close (SvFront *front);

/* Appends what /metrics tells of connections and threads. */
void sv_front_write_metrics (const SvFront *front, GString *out);

/* A file up to here goes out with its headers, if the system has it in memory, and does not count. */
#define SV_FILE_INLINE (32 * 1024)

/* FALSE while as many files are being sent as may be. */
gboolean sv_front_has_room_for_file (const SvFront *front);

/* Open connections. */
guint sv_front_connections (const SvFront *front);

/* Cuts off what is left and ends the threads; no exchange may be suspended any more. NULL is nothing. */
void sv_front_free (SvFront *front);
