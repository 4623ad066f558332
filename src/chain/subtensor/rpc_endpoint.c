#include "chain/subtensor/rpc_endpoint.h"

#include <string.h>

#include "base/error.h"
#include "base/url.h"

#define SHORTEST_SECRET 8 /* of a part of the path or query: "rpc" and "v1" are no keys */

static const struct
{
  const char *scheme;
  const char *http;
} schemes[] = { { "wss://", "https://" }, { "ws://", "http://" }, { "https://", "https://" }, { "http://", "http://" } };

void
sv_rpc_endpoint_clear (SvRpcEndpoint *endpoint)
{
  g_clear_pointer (&endpoint->url, g_free);
  g_clear_pointer (&endpoint->shown, g_free);
  g_clear_pointer (&endpoint->http_url, g_free);
}

/* "https://example.org" as "wss://example.org", with "/…" where there is more. */
static char *
show (const SvUrl *url, const char *scheme)
{
  const char *host = strstr (url->origin, "://") + strlen ("://");
  const char *rest = url->text + strcspn (url->text, ":") + strlen ("://");
  rest += strcspn (rest, "/?");
  return g_strconcat (scheme, host, strlen (rest) > 1 ? "/…" : "", NULL);
}

gboolean
sv_rpc_endpoint_parse (const char *text, SvRpcEndpoint *endpoint, GError **error)
{
  g_auto (SvUrl) url = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
  {
    gsize length = strlen (schemes[i].scheme);
    if (g_ascii_strncasecmp (text, schemes[i].scheme, length) != 0)
      continue;
    g_autofree char *http = g_strconcat (schemes[i].http, text + length, NULL);
    if (!sv_url_parse (http, &url, error))
      return FALSE;
    endpoint->shown = show (&url, schemes[i].scheme);
    endpoint->url = g_steal_pointer (&url.text);
    endpoint->http_url = g_steal_pointer (&url.shown);
    return TRUE;
  }
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "the endpoint of the chain must begin with wss://, ws://, https:// or http://");
  return FALSE;
}

static void
replace (char **text, const char *part, const char *by)
{
  g_auto (GStrv) pieces = g_strsplit (*text, part, -1);
  g_free (*text);
  *text = g_strjoinv (by, pieces);
}

char *
sv_rpc_endpoint_hide (const SvRpcEndpoint *endpoint, const char *text)
{
  char *hidden = g_strdup (text);
  const char *path = endpoint->url + strcspn (endpoint->url, ":") + strlen ("://");
  path += strcspn (path, "/?");
  g_auto (GStrv) parts = g_strsplit_set (path, "/?&=;", -1);
  for (gsize i = 0; parts[i] != NULL; i++)
    if (strlen (parts[i]) >= SHORTEST_SECRET)
      replace (&hidden, parts[i], "…");
  return hidden;
}
