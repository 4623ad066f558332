/* AWS Signature Version 4 for S3, in a header or in a URL: pure, without I/O or a clock. It takes any path and any query,
 * because a signature that is right for our keys alone could not be compared with others'. */
#pragma once

#include <glib.h>

#define SV_S3_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define SV_S3_MAX_SECONDS 604800

/* Who signs. Secrets lie in guarded memory. Any thread may sign with it. */
typedef struct
{
  char *access_key_id;
  char *region;
  guint8 *key; /* "AWS4" and the secret */
  gsize key_length;
  GMutex lock;     /* guards what follows */
  char day[9];     /* "20251027": of @day_key; "" at first */
  guint8 *day_key; /* what the day's signatures are made with: each clip that is handed out has one */
} SvS3Signer;

SvS3Signer *sv_s3_signer_new (const char *access_key_id, const char *secret, const char *region);
void sv_s3_signer_free (SvS3Signer *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvS3Signer, sv_s3_signer_free)

typedef struct
{
  const char *name;
  const char *value;
} SvS3Pair;

/* What is signed. Path and query are as they are meant, not percent-encoded; UTF-8. */
typedef struct
{
  const char *method;
  const char *host; /* as the Host header has it: without a default port */
  const char *path; /* begins with "/" */
  const SvS3Pair *query;
  gsize n_query;
  const SvS3Pair *headers; /* to be signed besides host, x-amz-date and x-amz-content-sha256; each name once */
  gsize n_headers;
  const char *payload_hash; /* lower-case hex, or SV_S3_UNSIGNED_PAYLOAD */
  gint64 time_ms;
} SvS3Message;

/* Path and query in the one form in which they are signed and must be sent. Returns: (transfer full). */
char *sv_s3_target (const SvS3Message *message);

/* "20251023T000000Z", the value of x-amz-date. Returns: (transfer full). */
char *sv_s3_date (gint64 time_ms);

/* The value of the Authorization header; the request must carry x-amz-date and x-amz-content-sha256 as well. Returns: (transfer
 * full). */
char *sv_s3_authorization (SvS3Signer *signer, const SvS3Message *message);

/* Path and query with a signature that holds for @seconds (1…SV_S3_MAX_SECONDS) from message->time_ms. Only the host is signed
 * with it, and message->headers. Returns: (transfer full). */
char *sv_s3_presigned_target (SvS3Signer *signer, const SvS3Message *message, guint seconds);
