/* Putting to an s3:// store.
 *
 * A condition is a header, whose form the server decides (s3_conditions.c). When the answer to a conditional put was lost, the
 * object may be there, and the next try is refused because of our own success; libcurl, too, sends again without a word where a
 * connection that it had kept turns out to be closed. So every put carries a random marker in its metadata, and after a refusal
 * or a doubtful put the object is asked for it: with our marker it is ours, whatever the last answer said.
 * Comparing the bytes instead would take a put of the same bytes by somebody else for our own, and two would have won. What the
 * marker cannot tell is that we had won and somebody has since replaced it: that ends as a conflict, and whoever reads again
 * sees both changes.
 *
 * A file goes in one request up to the part size, in parts above; under a condition that must be kept it always goes in one,
 * because few servers look at conditions when an upload in parts is completed. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "store/s3_request.h"

#define MAX_ANSWER (1024 * 1024)
#define MAX_SINGLE_PUT (G_GUINT64_CONSTANT (5) << 30)
#define PIECE_SIZE (256 * 1024)
#define MARKER_BYTES 16
#define MAX_HEADERS 5

typedef struct
{
  SvS3Store *store;
  const char *key;
  const SvPutOptions *options;
  GBytes *bytes; /* or the file: */
  int fd;
  guint64 length;
  char *hash;   /* of the file; made when it is first sent whole */
  char *marker; /* hex */
} Upload;

static void
upload_clear (Upload *upload)
{
  g_free (upload->hash);
  g_free (upload->marker);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Upload, upload_clear)

typedef enum
{
  STORED,
  REFUSED,     /* by the condition; without an error */
  UNSUPPORTED, /* the server knows no such condition; without an error */
  FAILED,
} Outcome;

char *
sv_s3_hash_range (int fd, guint64 offset, guint64 length, GError **error)
{
  g_autofree guint8 *piece = g_malloc (PIECE_SIZE);
  SvSha256 hash;
  sv_sha256_init (&hash);
  while (length > 0)
  {
    gssize got = pread (fd, piece, (gsize)MIN (length, PIECE_SIZE), (off_t)offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "the file to be stored cannot be read: %s",
                   got < 0 ? g_strerror (errno) : "it has become shorter");
      return NULL;
    }
    sv_sha256_update (&hash, piece, (gsize)got);
    offset += (guint64)got;
    length -= (guint64)got;
  }
  guint8 digest[SV_SHA256_SIZE];
  sv_sha256_final (&hash, digest);
  return sv_hex_encode (digest, sizeof digest);
}

static void
make_marker (Upload *upload)
{
  guint8 marker[MARKER_BYTES];
  randombytes_buf (marker, sizeof marker);
  g_free (upload->marker);
  upload->marker = sv_hex_encode (marker, sizeof marker);
}

/* ---- one put ---- */

/* After a refusal or a doubtful put: whether what is there is ours. */
static Outcome
look_for_own (const Upload *upload, char **etag, GError **error)
{
  g_autofree char *now = NULL;
  switch (sv_s3_compare (upload->store, upload->key, upload->marker, NULL, &now, error))
  {
  case SV_S3_IS_SO:
    *etag = g_steal_pointer (&now);
    return STORED;
  case SV_S3_IS_NOT_SO:
    return REFUSED;
  case SV_S3_IS_UNKNOWN:
    break;
  }
  g_prefix_error (error, "%s may have been written, or not; run the command again: ", upload->key);
  return FAILED;
}

static gboolean
is_conditional (const SvS3Request *request)
{
  for (gsize i = 0; i < request->n_headers; i++)
    if (g_str_has_prefix (request->headers[i].name, "If-"))
      return TRUE;
  return FALSE;
}

/* What an answer to a put means. Takes @failure, which is set where there was no answer. */
static Outcome
judge (const Upload *upload, const SvS3Request *request, const SvS3Answer *answer, GError *failure, char **etag, GError **error)
{
  if (failure == NULL && sv_s3_is_success (answer))
  {
    *etag = sv_http_etag (answer->http);
    if (*etag != NULL)
      return STORED;
    sv_s3_set_foreign_error (upload->store, "it names no ETag", error);
    return FAILED;
  }
  gboolean is_refused = failure == NULL && sv_s3_is_refusal (request, answer);
  if (is_refused || answer->is_doubtful)
  {
    g_autoptr (GError) unknown = NULL;
    Outcome found = look_for_own (upload, etag, &unknown);
    if (found == STORED || (is_refused && found == REFUSED))
    {
      g_clear_error (&failure);
      return found;
    }
    if (is_refused) /* the same, but who it was is not known */
      failure = g_steal_pointer (&unknown);
  }
  else if (failure == NULL && answer->http->status == 501 && is_conditional (request))
    return UNSUPPORTED;
  if (failure != NULL)
    g_propagate_error (error, failure);
  else
    sv_s3_set_error (upload->store, request, answer, error);
  return FAILED;
}

static Outcome
send_put (Upload *upload, const SvS3Pair *condition, char **etag, GError **error)
{
  SvS3Pair headers[MAX_HEADERS] = { { SV_S3_MARKER, upload->marker } };
  SvS3Request request = { .method = "PUT",
                          .key = upload->key,
                          .headers = headers,
                          .n_headers = 1,
                          .body = upload->bytes,
                          .max_bytes = MAX_ANSWER,
                          .answers_in_xml = TRUE };
  if (condition != NULL)
    headers[request.n_headers++] = *condition;
  if (upload->options->content_type != NULL)
    headers[request.n_headers++] = (SvS3Pair){ "Content-Type", upload->options->content_type };
  if (upload->options->cache_control != NULL)
    headers[request.n_headers++] = (SvS3Pair){ "Cache-Control", upload->options->cache_control };
  gboolean is_once = upload->options->condition == SV_PUT_ONCE;
  if (upload->bytes == NULL && upload->length > upload->store->part_size && (condition == NULL || is_once))
  {
    request.source_fd = upload->fd;
    request.source_length = upload->length;
    return sv_s3_put_in_parts (upload->store, &request, upload->marker, error) ? STORED : FAILED;
  }
  if (upload->bytes == NULL && upload->hash == NULL)
    upload->hash = sv_s3_hash_range (upload->fd, 0, upload->length, error);
  if (upload->bytes == NULL && upload->hash == NULL)
    return FAILED;
  request.source_fd = upload->bytes == NULL ? upload->fd : 0;
  request.source_length = upload->length;
  request.source_hash = upload->hash;
  g_auto (SvS3Answer) answer = { 0 };
  GError *failure = NULL;
  gboolean is_answered = sv_s3_perform (upload->store, &request, &answer, &failure);
  return judge (upload, &request, &answer, is_answered ? NULL : failure, etag, error);
}

/* ---- conditions ---- */

static gboolean
conflict (const Upload *upload, const char *what, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "%s in store %s %s", upload->key, upload->store->base.url, what);
  return FALSE;
}

static gboolean
report_refusal (const Upload *upload, GError **error)
{
  return conflict (upload,
                   upload->options->condition == SV_PUT_IF_MATCHES ? "has changed since it was read; read it again"
                                                                   : "exists already",
                   error);
}

static gboolean
is_kept (const Upload *upload)
{
  const SvS3Conditions *conditions = &upload->store->conditions;
  return upload->options->condition == SV_PUT_IF_MATCHES ? conditions->match != SV_S3_MATCH_NONE : conditions->keeps_absent;
}

/* Where the server keeps no conditions: they are looked at before, which is enough if nobody else writes. */
static gboolean
put_alone (Upload *upload, char **etag, GError **error)
{
  gboolean must_match = upload->options->condition == SV_PUT_IF_MATCHES;
  if (!upload->store->is_single_writer)
  {
    g_set_error (
        error, SV_ERROR, SV_ERROR_POLICY,
        "store %s: the server %s ignores conditional puts (%s), so publishers at the same time could overwrite each other; "
        "use another server, or, if nobody else ever writes to this store, --single-publisher",
        upload->store->base.url, upload->store->endpoint, must_match ? "If-Match" : "If-None-Match");
    return FALSE;
  }
  g_autofree char *now = NULL;
  SvS3Verdict verdict = sv_s3_compare (upload->store, upload->key, NULL, upload->options->etag, &now, error);
  if (verdict == SV_S3_IS_UNKNOWN)
    return FALSE;
  if (must_match ? verdict != SV_S3_IS_SO : now != NULL)
    return report_refusal (upload, error);
  return send_put (upload, NULL, etag, error) == STORED;
}

/* A refusal although the ETag is still the one that we gave means that the server reads our form otherwise than when it was
 * probed: another server stands there now. */
static gboolean
is_wrong_form (Upload *upload)
{
  if (upload->options->condition != SV_PUT_IF_MATCHES)
    return FALSE;
  g_autofree char *now = NULL;
  return sv_s3_compare (upload->store, upload->key, NULL, upload->options->etag, &now, NULL) == SV_S3_IS_SO;
}

/* What follows the probe has been tried out the moment before, so it is not the form: whoever reads again and tries again would
 * do that for ever. */
static gboolean
report_wrong_refusal (const Upload *upload, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "store %s: the server %s refuses to replace %s because it had changed, and shows that it has not; nothing was "
               "written; try again later, check for a proxy in between, and if it stays so, use another server",
               upload->store->base.url, upload->store->endpoint, upload->key);
  return FALSE;
}

static Outcome
send_conditionally (Upload *upload, char **etag, GError **error)
{
  const char *given = upload->options->etag != NULL ? upload->options->etag : "";
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", given);
  SvS3Pair condition = { "If-None-Match", "*" };
  if (upload->options->condition == SV_PUT_IF_MATCHES)
    condition = (SvS3Pair){ "If-Match", upload->store->conditions.match == SV_S3_MATCH_QUOTED ? quoted : given };
  return send_put (upload, &condition, etag, error);
}

static gboolean
put_under_condition (Upload *upload, char **etag, GError **error)
{
  if (upload->bytes == NULL && upload->length > MAX_SINGLE_PUT)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "%s: a file above 5 GiB cannot be put under a condition to store %s",
                 upload->key, upload->store->base.url);
    return FALSE;
  }
  for (gboolean is_doubted = FALSE;; is_doubted = TRUE)
  {
    if (!sv_s3_learn_conditions (upload->store, is_doubted, error))
      return FALSE;
    if (!is_kept (upload))
      return put_alone (upload, etag, error);
    Outcome outcome = send_conditionally (upload, etag, error);
    if (outcome == STORED || outcome == FAILED)
      return outcome == STORED;
    if (outcome == UNSUPPORTED && is_doubted)
      return put_alone (upload, etag, error);
    if (outcome == REFUSED && !is_wrong_form (upload))
      return report_refusal (upload, error);
    if (outcome == REFUSED && is_doubted)
      return report_wrong_refusal (upload, error);
  }
}

/* A header that the server does not know is left out: nothing is lost by writing the same again. */
static gboolean
put_once (Upload *upload, char **etag, GError **error)
{
  static const SvS3Pair condition = { "If-None-Match", "*" };
  Outcome outcome = send_put (upload, &condition, etag, error);
  if (outcome == UNSUPPORTED)
    outcome = send_put (upload, NULL, etag, error);
  if (outcome == REFUSED)
    return report_refusal (upload, error);
  return outcome == STORED;
}

static gboolean
put (Upload *upload, char **etag, GError **error)
{
  if (upload->store->signer == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "store %s is written with an access key only; set R2_WRITE_ACCESS_KEY_ID and R2_WRITE_SECRET_ACCESS_KEY",
                 upload->store->base.url);
    return FALSE;
  }
  make_marker (upload);
  switch (upload->options->condition)
  {
  case SV_PUT_ALWAYS:
    return send_put (upload, NULL, etag, error) == STORED;
  case SV_PUT_ONCE:
    return put_once (upload, etag, error);
  case SV_PUT_IF_ABSENT:
  case SV_PUT_IF_MATCHES:
    return put_under_condition (upload, etag, error);
  }
  g_assert_not_reached ();
}

char *
sv_s3_store_put (SvObjectStore *store, const char *key, GBytes *bytes, const SvPutOptions *options, GError **error)
{
  g_auto (Upload) upload = { .store = (SvS3Store *)store, .key = key, .options = options, .bytes = bytes };
  char *etag = NULL;
  return put (&upload, &etag, error) ? etag : NULL;
}

gboolean
sv_s3_store_put_file (SvObjectStore *store, const char *key, const char *path, const SvPutOptions *options, GError **error)
{
  g_auto (Upload) upload = { .store = (SvS3Store *)store, .key = key, .options = options };
  g_autofree char *etag = NULL;
  upload.fd = sv_store_open_source (path, &upload.length, error);
  if (upload.fd < 0)
    return FALSE;
  gboolean ok = put (&upload, &etag, error);
  close (upload.fd);
  return ok;
}
