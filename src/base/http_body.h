/* The body of an answer as it comes in. For the files of the HTTP client only. */
#pragma once

#include <glib.h>

typedef struct
{
  GByteArray *bytes;
  gboolean is_in_file;
  int file; /* when @is_in_file: without a name, so it is gone with the process */
} SvHttpBody;

void sv_http_body_init (SvHttpBody *body);
void sv_http_body_clear (SvHttpBody *body);

/* SV_ERROR_FAILED where the temporary file cannot be written; the message names its folder. */
gboolean sv_http_body_append (SvHttpBody *body, const char *data, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: (transfer full) what was appended, which is empty from now on; NULL and SV_ERROR_FAILED as above. */
GBytes *sv_http_body_take (SvHttpBody *body, GError **error) G_GNUC_WARN_UNUSED_RESULT;
