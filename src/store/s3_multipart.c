/* A large file in parts: begin, send each part with its own hash, complete; what cannot be completed is aborted, so that nobody
 * pays for parts that belong to nothing. Memory holds one ETag a part, of which there are at most 10,000. */
#include <string.h>

#include "base/error.h"
#include "store/s3_request.h"

#define MAX_PARTS 10000
#define MAX_ANSWER (1024 * 1024)
#define MAX_OBJECT (G_GUINT64_CONSTANT (5) << 40)

typedef struct
{
  SvS3Store *store;
  const SvS3Request *whole;
  char *id;
  GString *parts; /* the XML that completes the upload */
} Parts;

static void
parts_clear (Parts *parts)
{
  g_free (parts->id);
  g_string_free (parts->parts, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Parts, parts_clear)

static gboolean
is_condition (const SvS3Pair *header)
{
  return strcmp (header->name, "If-None-Match") == 0;
}

/* TRUE for success; else the error is set. */
static gboolean
ask (Parts *parts, const SvS3Request *request, SvS3Answer *answer, GError **error)
{
  if (!sv_s3_perform (parts->store, request, answer, error))
    return FALSE;
  if (sv_s3_is_success (answer))
    return TRUE;
  sv_s3_set_error (parts->store, request, answer, error);
  return FALSE;
}

static SvS3Request
request_of (const Parts *parts, const char *method)
{
  return (SvS3Request){ .method = method, .key = parts->whole->key, .max_bytes = MAX_ANSWER, .answers_in_xml = TRUE };
}

static gboolean
begin (Parts *parts, GError **error)
{
  static const SvS3Pair query = { "uploads", "" };
  g_autofree SvS3Pair *headers = g_new0 (SvS3Pair, parts->whole->n_headers);
  SvS3Request request = request_of (parts, "POST");
  request.query = &query;
  request.n_query = 1;
  request.headers = headers;
  for (gsize i = 0; i < parts->whole->n_headers; i++)
    if (!is_condition (&parts->whole->headers[i]))
      headers[request.n_headers++] = parts->whole->headers[i];
  g_auto (SvS3Answer) answer = { 0 };
  g_autoptr (GError) foreign = NULL;
  if (!ask (parts, &request, &answer, error))
    return FALSE;
  gsize length;
  const char *data = g_bytes_get_data (answer.http->body, &length);
  parts->id = sv_s3_read_upload_id (data, length, &foreign);
  if (parts->id == NULL)
    sv_s3_set_foreign_error (parts->store, foreign->message, error);
  return parts->id != NULL;
}

static gboolean
send_part (Parts *parts, guint number, guint64 offset, guint64 length, GError **error)
{
  g_autofree char *hash = sv_s3_hash_range (parts->whole->source_fd, offset, length, error);
  if (hash == NULL)
    return FALSE;
  g_autofree char *number_text = g_strdup_printf ("%u", number);
  const SvS3Pair query[] = { { "partNumber", number_text }, { "uploadId", parts->id } };
  SvS3Request request = request_of (parts, "PUT");
  request.query = query;
  request.n_query = G_N_ELEMENTS (query);
  request.source_fd = parts->whole->source_fd;
  request.source_offset = offset;
  request.source_length = length;
  request.source_hash = hash;
  g_auto (SvS3Answer) answer = { 0 };
  if (!ask (parts, &request, &answer, error))
    return FALSE;
  g_autofree char *etag = sv_http_etag (answer.http);
  g_autofree char *escaped = etag != NULL ? g_markup_escape_text (etag, -1) : NULL;
  if (escaped == NULL)
  {
    sv_s3_set_foreign_error (parts->store, "it names no ETag of a part", error);
    return FALSE;
  }
  g_string_append_printf (parts->parts, "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag></Part>", number, escaped);
  return TRUE;
}

static gboolean
send_parts (Parts *parts, GError **error)
{
  guint64 total = parts->whole->source_length;
  guint64 part_size = MAX (parts->store->part_size, (total + MAX_PARTS - 1) / MAX_PARTS);
  g_string_append (parts->parts, "<CompleteMultipartUpload>");
  guint number = 1;
  for (guint64 offset = 0; offset < total; offset += part_size)
    if (!send_part (parts, number++, offset, MIN (part_size, total - offset), error))
      return FALSE;
  g_string_append (parts->parts, "</CompleteMultipartUpload>");
  return TRUE;
}

/* A lost answer may have been the good one; then the upload is gone, and the object carries our marker. Takes @failure. */
static gboolean
settle (Parts *parts, const char *marker, GError *failure, GError **error)
{
  g_autofree char *now = NULL;
  if (sv_s3_compare (parts->store, parts->whole->key, marker, NULL, &now, NULL) == SV_S3_IS_SO)
  {
    g_error_free (failure);
    return TRUE;
  }
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
complete (Parts *parts, const char *marker, GError **error)
{
  const SvS3Pair query = { "uploadId", parts->id };
  SvS3Request request = request_of (parts, "POST");
  request.query = &query;
  request.n_query = 1;
  for (gsize i = 0; i < parts->whole->n_headers; i++)
    if (is_condition (&parts->whole->headers[i]))
    {
      request.headers = &parts->whole->headers[i];
      request.n_headers = 1;
    }
  g_autoptr (GBytes) body = g_bytes_new (parts->parts->str, parts->parts->len);
  request.body = body;
  g_auto (SvS3Answer) answer = { 0 };
  GError *failure = NULL;
  if (ask (parts, &request, &answer, &failure))
  {
    gsize length;
    const char *data = g_bytes_get_data (answer.http->body, &length);
    if (sv_s3_is_completion (data, length))
      return TRUE;
    sv_s3_set_foreign_error (parts->store, "it does not say that the upload is complete", &failure);
    return settle (parts, marker, failure, error);
  }
  return settle (parts, marker, failure, error);
}

/* Whether it succeeds changes nothing for the caller. */
static void
abort_upload (Parts *parts)
{
  const SvS3Pair query = { "uploadId", parts->id };
  SvS3Request request = request_of (parts, "DELETE");
  request.query = &query;
  request.n_query = 1;
  g_auto (SvS3Answer) answer = { 0 };
  g_autoptr (GError) ignored = NULL;
  if (!sv_s3_perform (parts->store, &request, &answer, &ignored))
    return;
}

gboolean
sv_s3_put_in_parts (SvS3Store *store, const SvS3Request *whole, const char *marker, GError **error)
{
  g_auto (Parts) parts = { store, whole, NULL, g_string_new (NULL) };
  if (whole->source_length > MAX_OBJECT)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "%s: S3 has no objects above 5 TiB", whole->key);
    return FALSE;
  }
  if (!begin (&parts, error))
    return FALSE;
  if (send_parts (&parts, error) && complete (&parts, marker, error))
    return TRUE;
  abort_upload (&parts);
  return FALSE;
}
