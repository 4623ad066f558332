/* One request to an S3 server: signed, sent, and sent again where that helps. For the files of the s3:// engine only. */
#pragma once

#include "base/http_client.h"
#include "store/engine.h"
#include "store/http_etag.h"
#include "store/s3_answer.h"
#include "store/s3_signature.h"

/* What the server makes of conditional puts; s3_conditions.c finds it out. */
typedef enum
{
  SV_S3_MATCH_NONE, /* If-Match is ignored, or refused altogether */
  SV_S3_MATCH_QUOTED,
  SV_S3_MATCH_BARE, /* it wants the ETag without its quotes */
} SvS3MatchForm;

typedef struct
{
  gint64 probed_ms; /* 0: not known */
  gboolean keeps_absent;
  SvS3MatchForm match;
} SvS3Conditions;

/* How time passes between tries; tests have their own. */
typedef struct
{
  gint64 (*now_ms) (gpointer data);
  void (*sleep_ms) (gpointer data, gint64 ms);
  double (*jitter) (gpointer data); /* in [0, 1) */
  gpointer data;
} SvS3Clock;

typedef struct
{
  SvObjectStore base;
  SvHttpClient *client;
  char *endpoint;               /* "https://host:port", no path */
  const char *endpoint_setting; /* which says where it is, for messages */
  char *host;                   /* as the Host header has it */
  char *bucket;
  SvS3Signer *signer; /* NULL: anonymous */
  char *memory_path;  /* where the answer of the probe is kept */
  SvS3Conditions conditions;
  gboolean is_single_writer;
  SvS3Clock clock;
  guint64 part_size; /* larger files go in parts of this size */
  guint page_size;   /* keys in a page of a listing */
} SvS3Store;

/* For tests: another clock; smaller parts and pages (0 leaves a size as it is). */
void sv_s3_store_set_clock (SvObjectStore *store, const SvS3Clock *clock);
void sv_s3_store_set_sizes (SvObjectStore *store, guint64 part_size, guint page_size);

typedef struct
{
  const char *method;
  const char *key; /* NULL: the bucket itself */
  const SvS3Pair *query;
  gsize n_query;
  const SvS3Pair *headers;
  gsize n_headers;
  GBytes *body;  /* or NULL */
  int source_fd; /* > 0: the body is these bytes of a file, with this SHA-256 in hex */
  guint64 source_offset, source_length;
  const char *source_hash;
  gsize max_bytes; /* of an answer's body */
  int sink_fd;     /* > 0: where the body of a good answer goes */
  gboolean answers_in_xml;
} SvS3Request;

typedef struct
{
  SvHttpResponse *http; /* NULL where none came at all */
  SvS3Fault fault;      /* empty where the answer has no <Error> */
  gboolean is_doubtful; /* a try got no answer, or a server's failure for one, and may have been carried out all the same */
} SvS3Answer;

void sv_s3_answer_clear (SvS3Answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvS3Answer, sv_s3_answer_clear)

/* TRUE for an answer of whatever kind; FALSE (SV_ERROR_UNREACHABLE, SV_ERROR_MALFORMED where it is larger than max_bytes,
 * SV_ERROR_FAILED) where none came, even after trying again. *@answer is filled in either way. */
gboolean sv_s3_perform (SvS3Store *store, const SvS3Request *request, SvS3Answer *answer,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* HTTP 2xx without an <Error> in it. */
gboolean sv_s3_is_success (const SvS3Answer *answer);

/* The condition of a put does not hold. */
gboolean sv_s3_is_refusal (const SvS3Request *request, const SvS3Answer *answer);

/* Says what the server says, and what to do about it (s3_error.c). */
void sv_s3_set_error (const SvS3Store *store, const SvS3Request *request, const SvS3Answer *answer, GError **error);

/* SV_ERROR_UNREACHABLE: the answer is not one of S3 (@why may be NULL). */
void sv_s3_set_foreign_error (const SvS3Store *store, const char *why, GError **error);

/* The milliseconds by which this machine's clock is ahead of the answer's Date; FALSE without one. */
gboolean sv_s3_clock_offset (const SvS3Store *store, const SvHttpResponse *response, gint64 *offset_ms);

/* Finds out what the server makes of conditional puts unless that is known (or @is_doubted). A server that ignores them is no
 * error here. */
gboolean sv_s3_learn_conditions (SvS3Store *store, gboolean is_doubted, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the object carries the marker of one of our puts, or has an ETag (either may be NULL). */
typedef enum
{
  SV_S3_IS_SO,
  SV_S3_IS_NOT_SO,
  SV_S3_IS_UNKNOWN, /* with an error */
} SvS3Verdict;

SvS3Verdict sv_s3_compare (SvS3Store *store, const char *key, const char *marker, const char *etag, char **now, GError **error);

#define SV_S3_MARKER "x-amz-meta-sv-put"

/* Sends the file of @whole in parts. An If-None-Match among its headers is asked when the upload is completed, which a server
 * may ignore: SV_ERROR_CONFLICT where it does not. (s3_multipart.c) */
gboolean sv_s3_put_in_parts (SvS3Store *store, const SvS3Request *whole, const char *marker,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SHA-256 of @length bytes of a file from @offset on, in hex; SV_ERROR_FAILED where it has fewer. Returns: (transfer full). */
char *sv_s3_hash_range (int fd, guint64 offset, guint64 length, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The engine's functions of these names (s3_put.c, s3_list.c). */
char *sv_s3_store_put (SvObjectStore *store, const char *key, GBytes *bytes, const SvPutOptions *options, GError **error);
gboolean sv_s3_store_put_file (SvObjectStore *store, const char *key, const char *path, const SvPutOptions *options,
                               GError **error);
gboolean sv_s3_store_list (SvObjectStore *store, const char *prefix, SvVisitKey visit, gpointer data, GError **error);
