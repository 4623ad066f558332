/* The HTTP client: one libcurl easy handle, which keeps its connections, and redirects. These are followed here and not by
 * libcurl, because each hop is judged anew: never from https to http, never another scheme, only GET and HEAD, and at another
 * origin without the caller's headers (they may hold credentials). One deadline holds for all hops together. */
#include "base/http_client.h"

#include <string.h>

#include "base/curl_library.h"
#include "base/error.h"
#include "base/http_hop.h"

#define DEFAULT_TOTAL_MS 30000

struct SvHttpClient
{
  CURL *curl;
  const char *encodings;
};

/* ---- redirects ---- */

static gboolean
may_be_redirected (const SvHttpRequest *request)
{
  const char *method = sv_http_request_method (request);
  return strcmp (method, "GET") == 0 || strcmp (method, "HEAD") == 0;
}

/* (transfer none) where the answer leads, or NULL when it is no redirect. */
static const char *
redirect_target (const SvHttpHop *hop)
{
  guint status = sv_http_hop_status (hop);
  if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
    return NULL;
  return g_hash_table_lookup (hop->headers, "location");
}

static gboolean
refuse_redirect (const SvUrl *from, const char *why, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "%s: refused its redirect: %s", from->shown, why);
  return FALSE;
}

gboolean
sv_http_check_redirect (const SvUrl *from, const SvUrl *to, GError **error)
{
  return from->is_https && !to->is_https ? refuse_redirect (from, "it leads from https to http", error) : TRUE;
}

/* Prepares @next to ask where @hop's answer leads. */
static gboolean
follow (const SvHttpHop *hop, const char *target, guint n_followed, SvHttpHop *next, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (hop->request->limits.max_redirects == 0)
    return refuse_redirect (&hop->url, "none is allowed here", error);
  if (n_followed >= hop->request->limits.max_redirects)
    return refuse_redirect (&hop->url, "there are too many", error);
  if (!may_be_redirected (hop->request))
    return refuse_redirect (&hop->url, "only GET and HEAD are repeated elsewhere", error);
  if (!sv_url_resolve (&hop->url, target, &next->url, &local))
    return refuse_redirect (&hop->url, local->message, error);
  if (!sv_http_check_redirect (&hop->url, &next->url, error))
    return FALSE;
  if (hop->request->limits.policy == SV_HTTP_PUBLIC_ADDRESS && !hop->url.is_https && next->url.is_https)
    return refuse_redirect (&hop->url, "here redirects stay within https", error);
  next->is_redirected = TRUE;
  next->first_address = hop->is_redirected ? g_strdup (hop->first_address) : sv_http_hop_address (hop);
  next->is_foreign = hop->is_foreign || strcmp (hop->url.origin, next->url.origin) != 0;
  return TRUE;
}

static SvHttpResponse *
take_response (SvHttpHop *hop, GError **error)
{
  GBytes *body = sv_http_body_take (&hop->body, error);
  if (body == NULL)
    return NULL;
  SvHttpResponse *response = g_new0 (SvHttpResponse, 1);
  response->status = sv_http_hop_status (hop);
  response->body = body;
  response->body_length = hop->body_length;
  response->headers = g_steal_pointer (&hop->headers);
  response->final_url = g_steal_pointer (&hop->url.text);
  return response;
}

/* Headers become lines: one with a line break in it would be two. */
static gboolean
check_headers (const SvHttpRequest *request, GError **error)
{
  for (const char *const *header = request->headers; header != NULL && *header != NULL; header++)
  {
    gboolean ok = strchr (*header, ':') != NULL;
    for (const char *p = *header; *p != '\0'; p++)
      ok = ok && !g_ascii_iscntrl (*p);
    if (ok)
      continue;
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "a request header is not one line of the form `Name: value`");
    return FALSE;
  }
  return TRUE;
}

SvHttpResponse *
sv_http_perform (SvHttpClient *client, const SvHttpRequest *request, GError **error)
{
  g_auto (SvHttpHop) hop = { 0 };
  guint total_ms = request->limits.total_timeout_ms != 0 ? request->limits.total_timeout_ms : DEFAULT_TOTAL_MS;
  gint64 deadline = g_get_monotonic_time () + (gint64)total_ms * 1000;
  sv_http_hop_init (&hop, request, client->curl);
  if (!check_headers (request, error) || !sv_url_parse (request->url, &hop.url, error))
    return NULL;
  for (guint n_followed = 0;; n_followed++)
  {
    if (!sv_http_hop_run (&hop, client->encodings, deadline, error))
      return NULL;
    const char *target = request->takes_redirects ? NULL : redirect_target (&hop);
    if (target == NULL)
      return take_response (&hop, error);
    g_auto (SvHttpHop) next = { 0 };
    sv_http_hop_init (&next, request, client->curl);
    if (!follow (&hop, target, n_followed, &next, error))
      return NULL;
    sv_http_hop_clear (&hop);
    hop = next;
    memset (&next, 0, sizeof next);
  }
}

/* ---- client and response ---- */

/* What a hop takes (http_hop.c), if this libcurl can unpack it. */
static const char *
supported_encodings (void)
{
  const curl_version_info_data *info = sv_curl ()->version_info (CURLVERSION_NOW);
  return (info->features & CURL_VERSION_LIBZ) != 0 ? "gzip, deflate" : "identity";
}

SvHttpClient *
sv_http_client_new (void)
{
  SvHttpClient *client = g_new0 (SvHttpClient, 1);
  client->curl = sv_curl ()->easy_init ();
  if (client->curl == NULL)
    g_error ("libcurl cannot be initialised");
  client->encodings = supported_encodings ();
  return client;
}

void
sv_http_client_free (SvHttpClient *client)
{
  if (client == NULL)
    return;
  sv_curl ()->easy_cleanup (client->curl);
  g_free (client);
}

void
sv_http_response_free (SvHttpResponse *response)
{
  if (response == NULL)
    return;
  g_clear_pointer (&response->body, g_bytes_unref);
  g_clear_pointer (&response->headers, g_hash_table_unref);
  g_free (response->final_url);
  g_free (response);
}

const char *
sv_http_response_header (const SvHttpResponse *response, const char *name)
{
  return g_hash_table_lookup (response->headers, name);
}
