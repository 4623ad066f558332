/* What the headers of an answer say, for the engines that speak HTTP. */
#pragma once

#include "base/http_client.h"

/* A quoted ETag's inside, be it weak or strong; NULL for anything else, so that nothing from a server gets into our headers.
 * Returns: (transfer full). */
char *sv_http_etag (const SvHttpResponse *response);

/* How long the server wants to be left alone, by Retry-After in seconds; 0 where it does not say. */
gint64 sv_http_retry_after_ms (const SvHttpResponse *response);
