/* Answers as bytes: status line, headers and, where it lies in memory, the body. docs/protocol.md section 7. */
#pragma once

#include "api/reply.h"

typedef struct
{
  const char *request_id; /* or NULL */
  gint64 now_s;           /* unix time, for Date */
  gboolean is_head;       /* the request's method was HEAD: no body follows, whatever its length */
  gboolean is_last;       /* the connection is closed after it */
  gboolean is_apart;      /* the caller sends the body */
  gboolean is_old;        /* to an HTTP/1.0 client, which has to be told when the connection stays */
} SvResponseContext;

/* Appends @reply to @out. A body in a file is announced here and sent by the caller. */
void sv_response_write (GString *out, const SvReply *reply, const SvResponseContext *context);
