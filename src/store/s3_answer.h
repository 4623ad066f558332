/* What an S3 server says in XML: errors, listings, uploads. Read with GLib's GMarkup, which knows no entities but XML's own and
 * never looks anything up; bounded in depth, in the length of a text and in the number of keys. Pure: bytes to values. */
#pragma once

#include <glib.h>

/* An <Error> document. All may be NULL but the code. */
typedef struct
{
  char *code;    /* "NoSuchBucket"; printable */
  char *message; /* printable and bounded */
  char *region;  /* that the server wants requests to be signed for; printable */
} SvS3Fault;

void sv_s3_fault_clear (SvS3Fault *fault);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvS3Fault, sv_s3_fault_clear)

/* FALSE, and *@fault empty, for anything that is not an <Error> with a code. */
gboolean sv_s3_read_fault (const char *data, gsize length, SvS3Fault *fault);

typedef struct
{
  char *key; /* decoded; not necessarily a key of ours */
  guint64 size;
} SvS3Entry;

typedef struct
{
  GArray *entries;    /* of SvS3Entry, in the server's order */
  char *continuation; /* NULL: this was the last page */
} SvS3Page;

void sv_s3_page_clear (SvS3Page *page);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvS3Page, sv_s3_page_clear)

/* SV_ERROR_UNREACHABLE for what is no ListBucketResult, and for a page that is said not to be the last and leads nowhere. */
gboolean sv_s3_read_page (const char *data, gsize length, SvS3Page *page, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of the answer that begins an upload in parts. SV_ERROR_UNREACHABLE. Returns: (transfer full). */
char *sv_s3_read_upload_id (const char *data, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE for the answer that ends one well; an <Error> may come with HTTP 200, too. */
gboolean sv_s3_is_completion (const char *data, gsize length);
