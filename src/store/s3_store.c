/* The object store of S3's protocol, for R2, AWS and Ceph: an object is at {ENDPOINT}/{bucket}/{key}. Files of the engine:
 *
 *   s3_store.c       its settings; get, head, delete, presigned URLs
 *   s3_put.c         puts and their conditions       s3_conditions.c  what a server makes of conditions
 *   s3_multipart.c   large files                     s3_list.c        listings
 *   s3_request.c     one request, and again          s3_error.c       what its answer means, and which error code that is
 *   s3_answer.c      XML                             s3_signature.c   Signature Version 4
 *
 * Without an access key the store is read like a public URL: requests are not signed, and succeed where the server lets
 * everybody. An ETag is the server's, without its quotes. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rfc3339.h"
#include "base/url.h"
#include "store/s3_request.h"

#define MAX_ANSWER (1024 * 1024)
#define PART_SIZE (G_GUINT64_CONSTANT (64) << 20)
#define PAGE_SIZE 1000
#define KEY_ID "R2_WRITE_ACCESS_KEY_ID"
#define SECRET "R2_WRITE_SECRET_ACCESS_KEY"

/* ---- settings ---- */

static gboolean
refuse (const SvConfig *config, const char *setting, const char *what, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s (%s): %s", setting, sv_config_origin (config, setting), what);
  return FALSE;
}

static gboolean
is_made_of (const char *text, const char *others, gsize min, gsize max)
{
  gsize length = 0;
  while (g_ascii_isalnum (text[length]) || (text[length] != '\0' && strchr (others, text[length]) != NULL))
    length++;
  return text[length] == '\0' && length >= min && length <= max;
}

static gboolean
read_bucket (SvS3Store *store, const char *url, GError **error)
{
  store->bucket = g_strdup (url + strlen (sv_s3_store_engine.scheme));
  if (g_str_has_suffix (store->bucket, "/"))
    store->bucket[strlen (store->bucket) - 1] = '\0';
  if (is_made_of (store->bucket, "._-", 3, 63) && strspn (store->bucket, ".") != strlen (store->bucket))
    return TRUE;
  g_autofree char *shown = sv_text_printable (url);
  g_set_error (
      error, SV_ERROR, SV_ERROR_USAGE,
      "store \"%s\": s3://BUCKET is expected, a bucket's name of 3 to 63 characters [A-Za-z0-9._-] and nothing after it",
      shown);
  return FALSE;
}

/* Returns: (transfer full) the endpoint as it is configured; *@setting names where. */
static char *
configured_endpoint (const SvConfig *config, const char **setting, GError **error)
{
  const char *endpoint = sv_config_get (config, "S3_ENDPOINT");
  const char *account = sv_config_get (config, "R2_ACCOUNT_ID");
  *setting = endpoint != NULL ? "S3_ENDPOINT" : "R2_ACCOUNT_ID";
  if (endpoint != NULL)
    return g_strdup (endpoint);
  if (account == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "a store s3://BUCKET needs S3_ENDPOINT (https://HOST), or R2_ACCOUNT_ID for Cloudflare R2; set one of them");
    return NULL;
  }
  if (!is_made_of (account, "-", 1, 63))
  {
    refuse (config, "R2_ACCOUNT_ID", "the account's id is expected, 32 hex digits, as Cloudflare's dashboard shows it", error);
    return NULL;
  }
  return g_strdup_printf ("https://%s.r2.cloudflarestorage.com", account);
}

static gboolean
read_endpoint (SvS3Store *store, const SvConfig *config, GError **error)
{
  const char *setting;
  g_autofree char *text = configured_endpoint (config, &setting, error);
  g_auto (SvUrl) url = { 0 };
  g_autoptr (GError) failure = NULL;
  if (text == NULL)
    return FALSE;
  if (!sv_url_parse (text, &url, &failure))
    return refuse (config, setting, failure->message, error);
  const char *after = strstr (url.text, "://") + 3;
  after += strcspn (after, "/?#");
  if (strcmp (after, "") != 0 && strcmp (after, "/") != 0)
    return refuse (config, setting, "the server's address has no path and no query; the bucket is named by s3://BUCKET", error);
  store->endpoint = g_strdup (url.origin);
  store->endpoint_setting = setting;
  store->host = g_strdup (strstr (url.origin, "://") + 3);
  return TRUE;
}

static gboolean
is_printable_word (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isgraph (*p))
      return FALSE;
  return TRUE;
}

static gboolean
read_credentials (SvS3Store *store, const SvConfig *config, GError **error)
{
  const char *id = sv_config_get (config, KEY_ID);
  const char *secret = sv_config_get (config, SECRET);
  const char *region = sv_config_get (config, "S3_REGION");
  if (id == NULL && secret == NULL)
    return TRUE;
  if (id == NULL || secret == NULL)
    return refuse (config, id == NULL ? KEY_ID : SECRET,
                   id == NULL ? "it is not set, but " SECRET " is; set both, or neither to read what is public"
                              : "it is not set, but " KEY_ID " is; set both, or neither to read what is public",
                   error);
  if (!is_printable_word (id))
    return refuse (config, KEY_ID, "an access key's id has no spaces or characters beyond ASCII", error);
  if (!is_printable_word (secret))
    return refuse (config, SECRET, "a secret access key has no spaces or characters beyond ASCII", error);
  if (!is_made_of (region, "-_", 1, 63))
    return refuse (config, "S3_REGION", "a region is expected, such as auto or eu-central-1", error);
  store->signer = sv_s3_signer_new (id, secret, region);
  return TRUE;
}

static char *
memory_path (const SvS3Store *store, const SvConfig *config)
{
  g_autofree char *place = g_strconcat (store->endpoint, "/", store->bucket, NULL);
  g_autofree char *hash = sv_hash_bytes (place, strlen (place));
  g_autofree char *leaf = g_strdup_printf ("cache/s3-%.32s.json", sv_hash_hex (hash));
  return sv_config_home_path (config, leaf);
}

static void
s3_close (SvObjectStore *base)
{
  SvS3Store *store = (SvS3Store *)base;
  g_clear_pointer (&store->client, sv_http_client_free);
  sv_s3_signer_free (store->signer);
  g_free (store->endpoint);
  g_free (store->host);
  g_free (store->bucket);
  g_free (store->memory_path);
  g_free (store->base.url);
  g_free (store);
}

static SvObjectStore *
s3_open (const char *url, const SvConfig *config, GError **error)
{
  g_autoptr (SvObjectStore) base = NULL;
  SvS3Store *store = g_new0 (SvS3Store, 1);
  base = &store->base;
  store->base.engine = &sv_s3_store_engine;
  store->part_size = PART_SIZE;
  store->page_size = PAGE_SIZE;
  sv_s3_store_set_clock (base, NULL);
  if (!read_bucket (store, url, error) || !read_endpoint (store, config, error) || !read_credentials (store, config, error))
    return NULL;
  store->base.url = g_strconcat (sv_s3_store_engine.scheme, store->bucket, NULL);
  store->memory_path = memory_path (store, config);
  store->client = sv_http_client_new ();
  return g_steal_pointer (&base);
}

void
sv_s3_store_set_sizes (SvObjectStore *base, guint64 part_size, guint page_size)
{
  SvS3Store *store = (SvS3Store *)base;
  store->part_size = part_size != 0 ? part_size : store->part_size;
  store->page_size = page_size != 0 ? page_size : store->page_size;
}

static void
s3_assume_single_writer (SvObjectStore *base)
{
  ((SvS3Store *)base)->is_single_writer = TRUE;
}

/* ---- reading ---- */

/* TRUE for a good answer; else the error is set. */
static gboolean
ask (SvS3Store *store, const SvS3Request *request, SvS3Answer *answer, GError **error)
{
  if (!sv_s3_perform (store, request, answer, error))
    return FALSE;
  if (sv_s3_is_success (answer))
    return TRUE;
  sv_s3_set_error (store, request, answer, error);
  return FALSE;
}

static SvObject *
s3_get (SvObjectStore *base, const char *key, const SvGetOptions *options, gboolean *unchanged, GError **error)
{
  SvS3Store *store = (SvS3Store *)base;
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", options->known_etag != NULL ? options->known_etag : "");
  SvS3Pair headers[2];
  SvS3Request request = { .method = "GET", .key = key, .headers = headers, .max_bytes = options->max_size };
  if (options->known_etag != NULL)
    headers[request.n_headers++] = (SvS3Pair){ "If-None-Match", quoted };
  if (options->bypass_caches)
    headers[request.n_headers++] = (SvS3Pair){ "Cache-Control", "no-cache" };
  g_auto (SvS3Answer) answer = { 0 };
  if (!sv_s3_perform (store, &request, &answer, error))
    return NULL;
  *unchanged = answer.http->status == 304 && options->known_etag != NULL;
  if (*unchanged)
    return NULL;
  if (!sv_s3_is_success (&answer))
  {
    sv_s3_set_error (store, &request, &answer, error);
    return NULL;
  }
  g_autofree char *etag = sv_http_etag (answer.http);
  *unchanged = etag != NULL && g_strcmp0 (etag, options->known_etag) == 0;
  if (*unchanged)
    return NULL;
  SvObject *object = g_new0 (SvObject, 1);
  object->bytes = g_bytes_ref (answer.http->body);
  object->etag = g_steal_pointer (&etag);
  return object;
}

static gboolean
s3_get_file (SvObjectStore *base, const char *key, int fd, guint64 max_size, GError **error)
{
  SvS3Request request = { .method = "GET", .key = key, .max_bytes = (gsize)MIN (max_size, G_MAXSIZE), .sink_fd = fd };
  g_auto (SvS3Answer) answer = { 0 };
  return ask ((SvS3Store *)base, &request, &answer, error);
}

/* The answer to a HEAD has no body, so it cannot say what it is that is not there, or why not. */
static gboolean
explain_head (SvS3Store *store, const char *key, GError **error)
{
  static const SvS3Pair range = { "Range", "bytes=0-0" };
  SvS3Request request = { .method = "GET", .key = key, .headers = &range, .n_headers = 1, .max_bytes = MAX_ANSWER };
  g_auto (SvS3Answer) answer = { 0 };
  if (!ask (store, &request, &answer, error))
    return FALSE;
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "store %s: %s has changed while it was asked for; run the command again",
               store->base.url, key);
  return FALSE;
}

static gboolean
s3_head (SvObjectStore *base, const char *key, guint64 *size, GError **error)
{
  SvS3Store *store = (SvS3Store *)base;
  SvS3Request request = { .method = "HEAD", .key = key, .max_bytes = 1 };
  g_auto (SvS3Answer) answer = { 0 };
  if (!sv_s3_perform (store, &request, &answer, error))
    return FALSE;
  guint status = answer.http->status;
  if (status >= 400 && status <= 499)
    return explain_head (store, key, error);
  if (!sv_s3_is_success (&answer))
  {
    sv_s3_set_error (store, &request, &answer, error);
    return FALSE;
  }
  const char *length = sv_http_response_header (answer.http, "content-length");
  if (length != NULL && g_ascii_string_to_unsigned (length, 10, 0, G_MAXINT64, size, NULL))
    return TRUE;
  sv_s3_set_foreign_error (store, "it does not tell the object's size", error);
  return FALSE;
}

/* ---- the rest ---- */

static gboolean
s3_remove (SvObjectStore *base, const char *key, GError **error)
{
  SvS3Store *store = (SvS3Store *)base;
  SvS3Request request = { .method = "DELETE", .key = key, .max_bytes = MAX_ANSWER, .answers_in_xml = TRUE };
  g_auto (SvS3Answer) answer = { 0 };
  if (store->signer == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "store %s is written with an access key only; set " KEY_ID " and " SECRET,
                 store->base.url);
    return FALSE;
  }
  if (!sv_s3_perform (store, &request, &answer, error))
    return FALSE;
  if (sv_s3_is_success (&answer) && g_bytes_get_size (answer.http->body) == 0)
    return TRUE;
  if (g_strcmp0 (answer.fault.code, "NoSuchKey") == 0)
    return TRUE;
  if (sv_s3_is_success (&answer))
    sv_s3_set_foreign_error (store, NULL, error);
  else
    sv_s3_set_error (store, &request, &answer, error);
  return FALSE;
}

static char *
s3_presign (const SvObjectStore *base, const char *key, guint seconds, GError **error)
{
  const SvS3Store *store = (const SvS3Store *)base;
  if (store->signer == NULL || seconds < 1 || seconds > SV_S3_MAX_SECONDS)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 store->signer == NULL ? "links to private objects of store %s need an access key; set " KEY_ID " and " SECRET
                                       : "links to objects of store %s work for 1 to 604800 seconds",
                 store->base.url);
    return NULL;
  }
  g_autofree char *path = g_strconcat ("/", store->bucket, "/", key, NULL);
  SvS3Message message = {
    .method = "GET", .host = store->host, .path = path, .payload_hash = SV_S3_UNSIGNED_PAYLOAD, .time_ms = sv_clock_ms ()
  };
  g_autofree char *target = sv_s3_presigned_target (store->signer, &message, seconds);
  return g_strconcat (store->endpoint, target, NULL);
}

const SvStoreEngine sv_s3_store_engine = {
  .scheme = "s3://",
  .is_read_only = FALSE,
  .open = s3_open,
  .close = s3_close,
  .get = s3_get,
  .head = s3_head,
  .get_file = s3_get_file,
  .put = sv_s3_store_put,
  .put_file = sv_s3_store_put_file,
  .remove = s3_remove,
  .list = sv_s3_store_list,
  .presign = s3_presign,
  .assume_single_writer = s3_assume_single_writer,
};
