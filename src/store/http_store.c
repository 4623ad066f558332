/* A store read over HTTP: the public side of an operator's store, or any mirror of it. An object is at {URL}/{key}. It cannot
 * list, and nothing is written through it.
 *
 * The address comes from our own configuration, so any address is allowed; what it answers is not trusted: size, time,
 * progress and redirects are bounded here, and content is verified by those who asked for it. */
#include <string.h>

#include "base/error.h"
#include "base/http_client.h"
#include "store/engine.h"
#include "store/http_etag.h"

#define TOTAL_TIMEOUT_MS 60000
#define FILE_TIMEOUT_MS (60 * 60 * 1000) /* files have no size that fits a minute; what stalls is cut off before */
#define STALL_TIMEOUT_MS 10000
#define MIN_RATE 1024 /* bytes a second: a telephone modem had five times as much */
#define MAX_REDIRECTS 3

/* A server that is asked too fast (429, or 503 with Retry-After) is asked again: after some 0.3, 0.6 and 1.2 seconds, or as
 * long as it says. One that says more than this is believed, and given up. */
#define MAX_TRIES 4
#define FIRST_DELAY_MS 300
#define MAX_DELAY_MS 10000

typedef struct
{
  SvObjectStore base; /* its url has no trailing slash */
  SvHttpClient *client;
} HttpStore;

static SvObjectStore *
open_as (const SvStoreEngine *engine, const char *url, GError **error)
{
  g_autofree char *origin = sv_url_origin (url, error);
  if (origin == NULL)
    return NULL;
  if (strpbrk (url, "?#") != NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "store %s…: a public URL has neither \"?\" nor \"#\"", origin);
    return NULL;
  }
  HttpStore *store = g_new0 (HttpStore, 1);
  store->base.engine = engine;
  store->base.url = g_strdup (url);
  for (gsize length = strlen (url); length > 0 && url[length - 1] == '/'; length--)
    store->base.url[length - 1] = '\0';
  store->client = sv_http_client_new ();
  return &store->base;
}

static SvObjectStore *
http_open (const char *url, const SvConfig *config, GError **error)
{
  return open_as (&sv_http_store_engine, url, error);
}

static SvObjectStore *
https_open (const char *url, const SvConfig *config, GError **error)
{
  return open_as (&sv_https_store_engine, url, error);
}

static void
http_close (SvObjectStore *base)
{
  HttpStore *store = (HttpStore *)base;
  sv_http_client_free (store->client);
  g_free (store->base.url);
  g_free (store);
}

/* For the client an answer beyond its limits (size, time, redirects) is refused by policy; for who reads a store such an object
 * is malformed, as it is in any other store. Takes @failure. */
static void
report_transfer (GError *failure, GError **error)
{
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_POLICY))
    failure->code = SV_ERROR_MALFORMED;
  g_propagate_error (error, failure);
}

static gboolean
is_busy (const SvHttpResponse *response)
{
  return response->status == 429 || (response->status == 503 && sv_http_response_header (response, "retry-after") != NULL);
}

/* FALSE when it is time to give up. */
static gboolean
wait_for_next_try (const SvHttpResponse *response, guint n_tries)
{
  gint64 delay_ms = (gint64)(g_random_double_range (0.5, 1) * (FIRST_DELAY_MS << (n_tries - 1)));
  delay_ms = MAX (delay_ms, sv_http_retry_after_ms (response));
  if (n_tries >= MAX_TRIES || delay_ms > MAX_DELAY_MS)
    return FALSE;
  sv_http_pause ((guint)delay_ms);
  return !sv_http_is_given_up ();
}

static SvHttpResponse *
perform_once (HttpStore *store, const SvHttpRequest *request, GError **error)
{
  g_autoptr (GError) failure = NULL;
  SvHttpResponse *response = sv_http_perform (store->client, request, &failure);
  if (response == NULL)
    report_transfer (g_steal_pointer (&failure), error);
  return response;
}

static SvHttpResponse *
perform (HttpStore *store, const char *method, const char *key, const SvGetOptions *options, int sink, GError **error)
{
  g_autofree char *url = g_strconcat (store->base.url, "/", key, NULL);
  g_autofree char *if_none_match =
      options->known_etag == NULL ? NULL : g_strdup_printf ("If-None-Match: \"%s\"", options->known_etag);
  const char *headers[3] = { NULL };
  gsize n = 0;
  if (if_none_match != NULL)
    headers[n++] = if_none_match;
  if (options->bypass_caches)
    headers[n++] = "Cache-Control: no-cache";
  SvHttpRequest request = { .method = method, .url = url, .headers = headers, .sink_fd = sink };
  request.limits = (SvHttpLimits)SV_HTTP_LIMITS_DEFAULT;
  request.limits.max_bytes = options->max_size;
  request.limits.total_timeout_ms = sink > 0 ? FILE_TIMEOUT_MS : TOTAL_TIMEOUT_MS;
  request.limits.stall_timeout_ms = STALL_TIMEOUT_MS;
  request.limits.min_rate = MIN_RATE;
  request.limits.distrusts_server = TRUE;
  request.limits.max_redirects = MAX_REDIRECTS;
  SvHttpResponse *response = perform_once (store, &request, error);
  for (guint tries = 1; response != NULL && is_busy (response) && !options->is_raced && wait_for_next_try (response, tries);
       tries++)
  {
    sv_http_response_free (response);
    response = perform_once (store, &request, error);
  }
  return response;
}

/* TRUE for 200. A bucket that not everybody may list says 403 where there is nothing. Other successes, 304 to who did not ask
 * for changes, and redirects to nowhere answer no question of ours. */
static gboolean
check_status (const HttpStore *store, const char *key, const SvHttpResponse *response, GError **error)
{
  guint status = response->status;
  if (status == 200)
    return TRUE;
  if (status == 404)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "%s: no such object in store %s", key, store->base.url);
  else if (status == 403)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "%s: no such object in store %s, or not for everybody (HTTP 403)", key,
                 store->base.url);
  else if (status >= 201 && status <= 399)
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "broken answer: store %s answered HTTP %u for %s, not the object",
                 store->base.url, status, key);
  else if (is_busy (response))
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "store %s is asked too fast: it answered HTTP %u for %s; try again later, or read from another mirror",
                 store->base.url, status, key);
  else
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "store %s answered HTTP %u for %s; try again, or check the URL",
                 store->base.url, status, key);
  return FALSE;
}

static SvObject *
http_get (SvObjectStore *base, const char *key, const SvGetOptions *options, gboolean *unchanged, GError **error)
{
  HttpStore *store = (HttpStore *)base;
  g_autoptr (SvHttpResponse) response = perform (store, NULL, key, options, 0, error);
  if (response == NULL)
    return NULL;
  if (response->status == 304 && options->known_etag != NULL)
  {
    *unchanged = TRUE;
    return NULL;
  }
  if (!check_status (store, key, response, error))
    return NULL;
  g_autofree char *etag = sv_http_etag (response);
  *unchanged = etag != NULL && g_strcmp0 (etag, options->known_etag) == 0;
  if (*unchanged)
    return NULL;
  SvObject *object = g_new0 (SvObject, 1);
  object->bytes = g_bytes_ref (response->body);
  object->etag = g_steal_pointer (&etag);
  return object;
}

static gboolean
http_get_file (SvObjectStore *base, const char *key, int fd, guint64 max_size, GError **error)
{
  HttpStore *store = (HttpStore *)base;
  SvGetOptions options = { .max_size = (gsize)MIN (max_size, G_MAXSIZE) };
  g_autoptr (SvHttpResponse) response = perform (store, NULL, key, &options, fd, error);
  return response != NULL && check_status (store, key, response, error);
}

static gboolean
http_head (SvObjectStore *base, const char *key, guint64 *size, GError **error)
{
  HttpStore *store = (HttpStore *)base;
  SvGetOptions options = { .max_size = 1 };
  g_autoptr (SvHttpResponse) response = perform (store, "HEAD", key, &options, 0, error);
  if (response == NULL || !check_status (store, key, response, error))
    return FALSE;
  const char *length = sv_http_response_header (response, "content-length");
  if (length != NULL && g_ascii_string_to_unsigned (length, 10, 0, G_MAXINT64, size, NULL))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "store %s does not tell the size of %s", store->base.url, key);
  return FALSE;
}

static gboolean
http_list (SvObjectStore *base, const char *prefix, SvVisitKey visit, gpointer data, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "store %s is read over HTTP and cannot be listed; name the objects, or a file: store", base->url);
  return FALSE;
}

#define READ_ONLY_ENGINE                                                                                                       \
  .is_read_only = TRUE, .close = http_close, .get = http_get, .get_file = http_get_file, .head = http_head, .list = http_list

const SvStoreEngine sv_http_store_engine = { .scheme = "http://", .open = http_open, READ_ONLY_ENGINE };
const SvStoreEngine sv_https_store_engine = { .scheme = "https://", .open = https_open, READ_ONLY_ENGINE };
