/* What S3's answers mean for whoever runs a command, each with what to do about it.
 *
 * Which code a fault has: what our own settings cause (keys, or none; region, endpoint, a bucket that is not there) is
 * SV_ERROR_USAGE, as wrong configuration is everywhere; a bucket that is not there is never SV_ERROR_NOT_FOUND, which readers
 * take for an object that nobody has published yet. What the server could do and will not (a permission, a size, a function it
 * lacks) is SV_ERROR_POLICY. A condition that does not hold is SV_ERROR_CONFLICT. This machine's clock is SV_ERROR_FAILED.
 * Everything that may be better the next time, and whatever is no answer of an S3 server, is SV_ERROR_UNREACHABLE. */
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/rfc3339.h"
#include "store/s3_request.h"

#define KEY_ID "R2_WRITE_ACCESS_KEY_ID"
#define SECRET "R2_WRITE_SECRET_ACCESS_KEY"

typedef struct
{
  const char *code;
  SvErrorCode error;
  const char *text;
} Meaning;

#define UNKNOWN_KEY                                                                                                            \
  "does not know this access key; check " KEY_ID ", and that S3_ENDPOINT or R2_ACCOUNT_ID is where it was made"

static const Meaning meanings[] = {
  { "InvalidAccessKeyId", SV_ERROR_USAGE, UNKNOWN_KEY },
  { "Unauthorized", SV_ERROR_USAGE, UNKNOWN_KEY }, /* R2's word for it */
  { "NotEntitled", SV_ERROR_POLICY, "says that R2 is not enabled for this account; enable it in Cloudflare's dashboard" },
  { "SignatureDoesNotMatch", SV_ERROR_USAGE, "refuses the signature; check " SECRET ", then S3_REGION" },
  { "ExpiredToken", SV_ERROR_USAGE, "says that the access key has expired; make another and set " KEY_ID " and " SECRET },
  { "InvalidToken", SV_ERROR_USAGE, "says that the access key is not valid; make another and set " KEY_ID " and " SECRET },
  { "InvalidBucketName", SV_ERROR_USAGE, "does not take this bucket's name; check SCOREVISION_STORE or R2_BUCKET" },
  { "SlowDown", SV_ERROR_UNREACHABLE, "asks to be asked less often; try again later" },
  { "EntityTooLarge", SV_ERROR_POLICY, "takes no object of this size" },
  { "QuotaExceeded", SV_ERROR_POLICY, "takes no more: its quota is used up; delete something, or have it raised" },
  { "InvalidPart", SV_ERROR_UNREACHABLE, "has lost a part of what was sent; run the command again" },
  { "InvalidPartOrder", SV_ERROR_UNREACHABLE, "has mixed up the parts of what was sent; run the command again" },
  { "NoSuchUpload", SV_ERROR_UNREACHABLE, "has dropped what was sent before it was complete; run the command again" },
  { "NotImplemented", SV_ERROR_POLICY, "cannot do what was asked; use a server with the whole of S3's object functions" },
  { "XAmzContentSHA256Mismatch", SV_ERROR_FAILED,
    "got other bytes than were sent; a file must not change meanwhile; run the command again" },
  { "BadDigest", SV_ERROR_FAILED, "got other bytes than were sent; a file must not change meanwhile; run the command again" },
};

/* "store s3://b at https://h: scorevision/index.json" and @text. */
static void
set_error (const SvS3Store *store, const SvS3Request *request, SvErrorCode code, const char *text, GError **error)
{
  g_set_error (error, SV_ERROR, code, "store %s at %s %s%s%s%s", store->base.url, store->endpoint, text,
               request->key != NULL ? " (" : "", request->key != NULL ? request->key : "", request->key != NULL ? ")" : "");
}

void
sv_s3_set_foreign_error (const SvS3Store *store, const char *why, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "store %s: the answer of %s is not one of an S3 server%s%s; check S3_ENDPOINT, and for a proxy or a login page "
               "in between",
               store->base.url, store->endpoint, why != NULL ? ": " : "", why != NULL ? why : "");
}

gboolean
sv_s3_clock_offset (const SvS3Store *store, const SvHttpResponse *response, gint64 *offset_ms)
{
  const char *text = sv_http_response_header (response, "date");
  struct tm time = { 0 };
  const char *end = text != NULL ? strptime (text, "%a, %d %b %Y %H:%M:%S GMT", &time) : NULL;
  if (end == NULL || *end != '\0')
    return FALSE;
  *offset_ms = sv_clock_ms () - (gint64)timegm (&time) * 1000;
  return TRUE;
}

static void
set_clock_error (const SvS3Store *store, const SvS3Request *request, const SvS3Answer *answer, GError **error)
{
  gint64 offset_ms;
  if (!sv_s3_clock_offset (store, answer->http, &offset_ms))
  {
    set_error (store, request, SV_ERROR_FAILED, "says that this machine's clock is wrong; set it (timedatectl set-ntp true)",
               error);
    return;
  }
  g_autofree char *text = g_strdup_printf ("says that this machine's clock is wrong: it is %" G_GINT64_FORMAT
                                           " seconds %s the server's; set it (timedatectl set-ntp true)",
                                           ABS (offset_ms) / 1000, offset_ms >= 0 ? "ahead of" : "behind");
  set_error (store, request, SV_ERROR_FAILED, text, error);
}

static void
set_no_bucket (const SvS3Store *store, const SvS3Request *request, GError **error)
{
  g_autofree char *text =
      g_strdup_printf ("has no bucket \"%s\"; create it there, or correct SCOREVISION_STORE or R2_BUCKET", store->bucket);
  set_error (store, request, SV_ERROR_USAGE, text, error);
}

static const char *
permission (const SvS3Request *request)
{
  if (request->key == NULL)
    return "list";
  if (strcmp (request->method, "GET") == 0 || strcmp (request->method, "HEAD") == 0)
    return "read and list";
  return strcmp (request->method, "DELETE") == 0 ? "delete" : "write";
}

static void
set_denied (const SvS3Store *store, const SvS3Request *request, GError **error)
{
  g_autofree char *text =
      store->signer != NULL
          ? g_strdup_printf (
                "denies access: the access key needs permission to %s objects of this bucket (R2: \"Object Read & Write\")",
                permission (request))
          : g_strdup ("does not let everybody do this; set " KEY_ID " and " SECRET);
  set_error (store, request, store->signer != NULL ? SV_ERROR_POLICY : SV_ERROR_USAGE, text, error);
}

static void
set_elsewhere (const SvS3Store *store, const SvS3Request *request, const char *region, GError **error)
{
  g_autofree char *text =
      region != NULL
          ? g_strdup_printf ("wants requests signed for another region; set S3_REGION to %s, or correct S3_ENDPOINT", region)
          : g_strdup ("says that this bucket is elsewhere, and is not followed there; set S3_REGION and S3_ENDPOINT to "
                      "where the bucket is");
  set_error (store, request, SV_ERROR_USAGE, text, error);
}

static void
set_conflict (const SvS3Store *store, const SvS3Request *request, const SvS3Answer *answer, GError **error)
{
  if (answer->http->status == 409)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "%s in store %s is being written by somebody else at this moment; run the command again", request->key,
                 store->base.url);
    return;
  }
  for (gsize i = 0; i < request->n_headers; i++)
    if (strcmp (request->headers[i].name, "If-None-Match") == 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "%s in store %s exists already", request->key, store->base.url);
      return;
    }
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "%s in store %s has changed since it was read; read it again", request->key,
               store->base.url);
}

/* By code, for those that need more than a text. */
static gboolean
set_special (const SvS3Store *store, const SvS3Request *request, const SvS3Answer *answer, GError **error)
{
  const char *code = answer->fault.code;
  if (strcmp (code, "RequestTimeTooSkewed") == 0)
    set_clock_error (store, request, answer, error);
  else if (strcmp (code, "NoSuchBucket") == 0)
    set_no_bucket (store, request, error);
  else if (strcmp (code, "AccessDenied") == 0)
    set_denied (store, request, error);
  else if (strcmp (code, "NoSuchKey") == 0)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "%s: no such object in store %s",
                 request->key != NULL ? request->key : "", store->base.url);
  else if (strcmp (code, "AuthorizationHeaderMalformed") == 0 || strcmp (code, "PermanentRedirect") == 0)
    set_elsewhere (store, request, answer->fault.region, error);
  else
    return FALSE;
  return TRUE;
}

static void
set_by_code (const SvS3Store *store, const SvS3Request *request, const SvS3Answer *answer, GError **error)
{
  const SvS3Fault *fault = &answer->fault;
  if (set_special (store, request, answer, error))
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (meanings); i++)
    if (strcmp (meanings[i].code, fault->code) == 0)
    {
      set_error (store, request, meanings[i].error, meanings[i].text, error);
      return;
    }
  const char *advice = answer->http->status < 500 ? "check the settings S3_… and R2_… of this store" : "try again later";
  g_autofree char *text = g_strdup_printf ("answered HTTP %u %s: %s; %s", answer->http->status, fault->code,
                                           fault->message != NULL ? fault->message : "no reason given", advice);
  set_error (store, request, SV_ERROR_UNREACHABLE, text, error);
}

static void
set_by_status (const SvS3Store *store, const SvS3Request *request, const SvS3Answer *answer, GError **error)
{
  guint status = answer->http->status;
  gboolean is_empty = g_bytes_get_size (answer->http->body) == 0;
  g_autofree char *text = g_strdup_printf ("answered HTTP %u; try again later", status);
  gboolean may_pass = status >= 500 || status == 429;
  if (status == 403 && is_empty)
    set_denied (store, request, error);
  else if (!may_pass && (!is_empty || status < 400))
    sv_s3_set_foreign_error (store, NULL, error);
  else
    set_error (store, request, SV_ERROR_UNREACHABLE, text, error);
}

gboolean
sv_s3_is_refusal (const SvS3Request *request, const SvS3Answer *answer)
{
  static const char *const codes[] = { "PreconditionFailed", "ConditionalRequestConflict", "OperationAborted" };
  if (answer->http == NULL)
    return FALSE;
  const char *code = answer->fault.code;
  for (gsize i = 0; code != NULL && i < G_N_ELEMENTS (codes); i++)
    if (strcmp (code, codes[i]) == 0)
      return TRUE;
  gboolean is_gone = strcmp (request->method, "PUT") == 0 && g_strcmp0 (code, "NoSuchKey") == 0;
  return is_gone || (code == NULL && answer->http->status == 412);
}

void
sv_s3_set_error (const SvS3Store *store, const SvS3Request *request, const SvS3Answer *answer, GError **error)
{
  guint status = answer->http->status;
  gboolean is_redirect = status >= 300 && status <= 399;
  const char *region = sv_http_response_header (answer->http, "x-amz-bucket-region");
  g_autofree char *printable = region != NULL ? sv_text_printable (region) : g_strdup (answer->fault.region);
  /* Some call an unsigned request an invalid one. */
  gboolean wants_key = store->signer == NULL && (status == 400 || status == 401 || status == 403);
  if (wants_key && answer->fault.code != NULL)
    set_denied (store, request, error);
  else if (is_redirect)
    set_elsewhere (store, request, printable, error);
  else if (sv_s3_is_refusal (request, answer))
    set_conflict (store, request, answer, error);
  else if (answer->fault.code != NULL)
    set_by_code (store, request, answer, error);
  else
    set_by_status (store, request, answer, error);
}
