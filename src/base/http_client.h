/* A hardened HTTP client on libcurl: every transfer has a limit on size (after decompression), total time, time without
 * progress and redirects, and an address policy that is applied to the address actually connected to, after resolution. */
#pragma once

#include <glib.h>

typedef struct SvHttpClient SvHttpClient; /* keeps connections; one thread at a time */

typedef enum
{
  SV_HTTP_ANY_ADDRESS,    /* endpoints of our own configuration; a redirect leads to the same address or a public one */
  SV_HTTP_PUBLIC_ADDRESS, /* addresses that came from outside: private, loopback and link-local ones are refused, unless host
                             and port are those of one of @own_origins, and never after a redirect */
} SvHttpAddressPolicy;

typedef struct
{
  gsize max_bytes;                /* of the body, after decompression */
  guint total_timeout_ms;         /* default 30,000 */
  guint connect_timeout_ms;       /* default 10,000 */
  guint stall_timeout_ms;         /* less than one byte a second for so long ends the transfer; default 15,000 */
  guint min_rate;                 /* after @stall_timeout_ms: bytes a second, on average since the request; default 0: any. Less
                                     is SV_ERROR_UNREACHABLE, or SV_ERROR_POLICY of a server that is distrusted */
  gboolean distrusts_server;      /* an answer that begins and then breaks off, is no HTTP or takes too long is SV_ERROR_POLICY,
                                     as one that is too large: whoever sends it may mean to */
  guint max_redirects;            /* default 0: a redirect is then an error; never from https to http, nor to another scheme */
  SvHttpAddressPolicy policy;     /* https, or http on loopback, is required under SV_HTTP_PUBLIC_ADDRESS */
  const char *const *own_origins; /* NULL-terminated "https://host:port"; see SV_HTTP_PUBLIC_ADDRESS */
} SvHttpLimits;

#define SV_HTTP_LIMITS_DEFAULT                                                                                                 \
  {                                                                                                                            \
    .max_bytes = 16 * 1024 * 1024, .total_timeout_ms = 30000, .connect_timeout_ms = 10000, .stall_timeout_ms = 15000           \
  }

typedef struct
{
  const char *method; /* NULL: GET */
  const char *url;
  const char *const *headers; /* NULL-terminated "Name: value" */
  GBytes *body;               /* or NULL */
  int source_fd;              /* > 0: the body is these bytes of a file instead; where the descriptor stands does not matter */
  guint64 source_offset, source_length;
  SvHttpLimits limits;
  gboolean takes_redirects; /* a redirect is handed out like any other answer, and led nowhere */
  int sink_fd; /* > 0: the body of a 2xx answer is written there instead of memory (a partial one on failure, too) */
} SvHttpRequest;

typedef struct
{
  guint status;
  GBytes *body; /* empty when it went to the sink; a large one is a mapped file, which takes memory as it is read */
  guint64 body_length;
  GHashTable *headers; /* lower-case name -> value, of the last answer; a repeated one is joined by ", " */
  char *final_url;
} SvHttpResponse;

SvHttpClient *sv_http_client_new (void);
void sv_http_client_free (SvHttpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvHttpClient, sv_http_client_free)

/* For a process that is about to end: @after_ms from now every request fails with SV_ERROR_UNREACHABLE, those that have been
 * under way for long and those yet to come, within a second. Said again it may become sooner, never later. */
void sv_http_give_up_after (guint after_ms);

/* The same for the requests of the calling thread, from when *@flag is set (atomic); it has to outlive them. NULL: never. */
void sv_http_give_up_with (const gint *flag);

/* TRUE from then on: what fails now says nothing about the other side, and is not worth telling, nor trying again. */
gboolean sv_http_is_given_up (void);

/* Sleeps between two tries, no longer than until requests are given up. */
void sv_http_pause (guint ms);

void sv_http_response_free (SvHttpResponse *response);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvHttpResponse, sv_http_response_free)

/* Any HTTP status is a response. No answer, a broken one or a passed time limit is SV_ERROR_UNREACHABLE (but see
 * @distrusts_server); a body over the limit, one compressed otherwise than by gzip or deflate, a refused redirect or address is
 * SV_ERROR_POLICY. Messages name scheme, host and path, never the query or the headers. */
SvHttpResponse *sv_http_perform (SvHttpClient *client, const SvHttpRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) or NULL. @name in lower case. */
const char *sv_http_response_header (const SvHttpResponse *response, const char *name);

/* "HTTPS://Example.org:443/x?y" -> "https://example.org": scheme and host in lower case, default port dropped, no path. NULL
 * (SV_ERROR_USAGE) for what is not an absolute http or https URL, or has user information in it. Returns: (transfer full). */
char *sv_url_origin (const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Percent-encodes everything but RFC 3986's unreserved characters. Returns: (transfer full). */
char *sv_url_escape (const char *text);
