/* The head of an HTTP/1.1 request: request line and header fields, taken apart where they lie. A pure function of bytes: it
 * keeps nothing, copies nothing and knows no connection, so that a fuzzer, a peer test and the server read the same. RFC 9112.
 */
#pragma once

#include <glib.h>

#define SV_TARGET_MAX 8192   /* bytes of the request's target */
#define SV_HEADERS_MAX 16384 /* bytes of all its header lines */
#define SV_FIELDS_MAX 64     /* header lines */
#define SV_HEAD_MAX (SV_TARGET_MAX + SV_HEADERS_MAX + 64)

/* A stretch of the bytes that were given. */
typedef struct
{
  guint32 at;
  guint32 length;
} SvSpan;

typedef struct
{
  SvSpan name;
  SvSpan value; /* without the white space around it */
} SvField;

typedef struct
{
  SvSpan method;
  SvSpan target;      /* as a path: of the absolute form ("http://host/path") what follows the host */
  guint minor;        /* of the version: 0 or 1 */
  guint32 length;     /* of the head, with the empty line that ends it and those before it */
  guint64 body_bytes; /* Content-Length; 0 without */
  gboolean is_keep_alive;
  gboolean is_expecting; /* the client waits for "100 Continue" before it sends the body */
  guint n_fields;
  SvField fields[SV_FIELDS_MAX];
  /* of a refused one: */
  guint status;      /* 400, 411, 414, 417, 431, 501 or 505 */
  const char *fault; /* static */
} SvRequestHead;

typedef enum
{
  SV_HEAD_INCOMPLETE, /* so far there is nothing wrong with it */
  SV_HEAD_COMPLETE,
  SV_HEAD_REFUSED, /* status and fault are set; where the next request would begin is unknown */
} SvHeadVerdict;

/* Reads the head at the beginning of @bytes. Only the fields that belong to the verdict are set in @head. */
SvHeadVerdict sv_request_head_parse (const char *bytes, gsize length, SvRequestHead *head) G_GNUC_WARN_UNUSED_RESULT;
