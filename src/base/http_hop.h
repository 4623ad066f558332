/* One HTTP request and its answer, under limits; http_client.c strings them together where an answer is a redirect. For the
 * files of the HTTP client only. */
#pragma once

#include <curl/curl.h>

#include "base/http_body.h"
#include "base/http_client.h"
#include "base/url.h"

typedef struct
{
  const SvHttpRequest *request;
  CURL *curl;
  SvUrl url;
  gboolean is_redirected; /* not the address that the caller gave */
  char *first_address;    /* when @is_redirected: the IP address of the server that the caller asked */
  gboolean is_foreign;    /* not the origin that the caller's headers are for */
  gint64 start;           /* monotonic */
  SvHttpBody body;
  guint64 body_length;
  GHashTable *headers;
  gsize header_bytes;
  gboolean has_all_headers; /* what follows are trailers */
  guint64 source_sent;
  GError *refusal; /* why a callback ended the transfer */
  char message[CURL_ERROR_SIZE];
} SvHttpHop;

void sv_http_hop_init (SvHttpHop *hop, const SvHttpRequest *request, CURL *curl);
void sv_http_hop_clear (SvHttpHop *hop);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvHttpHop, sv_http_hop_clear)

/* Asks for hop->url and fills in the answer. @encodings is what to accept; @deadline is monotonic time. */
gboolean sv_http_hop_run (SvHttpHop *hop, const char *encodings, gint64 deadline, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The status of the answer. */
guint sv_http_hop_status (const SvHttpHop *hop);

/* The IP address of the server that answered. Returns: (transfer full). */
char *sv_http_hop_address (const SvHttpHop *hop);

/* "GET" where the request names no method. */
const char *sv_http_request_method (const SvHttpRequest *request);

/* SV_ERROR_POLICY where a redirect would lead from https to http. */
gboolean sv_http_check_redirect (const SvUrl *from, const SvUrl *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;
