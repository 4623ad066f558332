/* Answers: status, headers, and a body in memory or in a file. Handlers make them, the server sends them. */
#pragma once

#include "base/json.h"

#define SV_REPLY_HEADERS_MAX 10

typedef struct
{
  const char *name; /* static */
  const char *value;
  gboolean is_owned; /* the value is */
} SvReplyHeader;

typedef struct
{
  guint status;
  guint n_headers;
  SvReplyHeader headers[SV_REPLY_HEADERS_MAX]; /* Content-Type among them */
  char *body;                                  /* with @length, or NULL: the file's part below */
  gsize length;
  GBytes *shared;   /* which @body lies in, or NULL */
  gboolean is_lent; /* the body belongs to somebody else */
  int fd;           /* -1, or open for reading and owned */
  guint64 offset;
  guint64 size;
  gboolean is_last;  /* the connection ends with it */
  const char *label; /* static: the outcome for logs and metrics ("issued", "rate_limit_exceeded", "wrong_slug") */
} SvReply;

void sv_reply_free (SvReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvReply, sv_reply_free)

/* A JSON body; takes @json. @label is static. `Cache-Control: no-store` unless another is set afterwards. */
SvReply *sv_reply_json (guint status, const char *label, json_t *json);

/* The same with a text that is written already; takes @body, which g_free() frees. */
SvReply *sv_reply_take_json (guint status, const char *label, char *body, gsize length);

/* The same with a text that others have, too; takes a reference of its own. */
SvReply *sv_reply_share_json (guint status, const char *label, GBytes *body);

/* The same with a text that outlives the answer: @body stays its owner's. */
SvReply *sv_reply_lend_json (guint status, const char *label, const char *body, gsize length);

/* A text of the given (static) type, copied. */
SvReply *sv_reply_text (guint status, const char *label, const char *content_type, const char *text);

/* An answer without body. */
SvReply *sv_reply_empty (guint status, const char *label);

/* The user's error body: {"error", "message"}. Further fields are added to the object before sv_reply_json(). @error is static.
 * Returns: (transfer full). */
json_t *sv_error_body (const char *error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The whole answer where there are no further fields. */
SvReply *sv_reply_error (guint status, const char *error, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Sets a header, in place of one of that name. @name is static, @value is copied. */
void sv_reply_set (SvReply *reply, const char *name, const char *value);
/* The same with a value that is static. */
void sv_reply_set_static (SvReply *reply, const char *name, const char *value);
void sv_reply_set_retry_after (SvReply *reply, guint seconds);
