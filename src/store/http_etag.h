/* The ETag of an answer, for the engines that speak HTTP. */
#pragma once

#include "base/http_client.h"

/* A quoted ETag's inside, be it weak or strong; NULL for anything else, so that nothing from a server gets into our headers.
 * Returns: (transfer full). */
char *sv_http_etag (const SvHttpResponse *response);
