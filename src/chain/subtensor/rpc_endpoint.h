/* The address of a node, and what of it may be shown. Keys of paid endpoints stand in the path or the query. */
#pragma once

#include <glib.h>

typedef struct
{
  char *url;      /* http or https, as it is asked */
  char *shown;    /* "wss://example.org/…" */
  char *http_url; /* how the HTTP client names it in its messages */
} SvRpcEndpoint;

/* SV_ERROR_USAGE for what is not ws(s):// or http(s)://. */
gboolean sv_rpc_endpoint_parse (const char *text, SvRpcEndpoint *endpoint, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_rpc_endpoint_clear (SvRpcEndpoint *endpoint);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvRpcEndpoint, sv_rpc_endpoint_clear)

/* @text without the endpoint's own path and query, which gateways like to repeat in what they say. Returns: (transfer full). */
char *sv_rpc_endpoint_hide (const SvRpcEndpoint *endpoint, const char *text);
