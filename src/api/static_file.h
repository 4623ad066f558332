/* Files as HTTP knows them: ETag, If-None-Match, Range, If-Range. */
#pragma once

#include "api/reply.h"

typedef struct
{
  const char *content_type; /* NULL: told from the first bytes (video containers) */
  const char *cache_control;
  const char *if_none_match; /* the request's headers, or NULL */
  const char *if_range;
  const char *range;
} SvFileRequest;

/* 200, 206, 304 or 416; NULL where there is no such regular file. */
SvReply *sv_static_file_reply (const char *path, const SvFileRequest *request);

/* A single "bytes=…" range of a body of @size bytes. FALSE for what is to be ignored (other units, several ranges, nonsense);
 * otherwise *@satisfiable tells whether *@first … *@last lie in the body. */
gboolean sv_range_parse (const char *text, guint64 size, gboolean *satisfiable, guint64 *first, guint64 *last);
