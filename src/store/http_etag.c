#include "store/http_etag.h"

#include <string.h>

char *
sv_http_etag (const SvHttpResponse *response)
{
  const char *value = sv_http_response_header (response, "etag");
  if (value == NULL)
    return NULL;
  if (g_str_has_prefix (value, "W/"))
    value += 2;
  gsize length = strlen (value);
  if (length < 3 || value[0] != '"' || value[length - 1] != '"')
    return NULL;
  g_autofree char *inside = g_strndup (value + 1, length - 2);
  for (const char *c = inside; *c != '\0'; c++)
    if (!g_ascii_isgraph (*c) || *c == '"')
      return NULL;
  return g_steal_pointer (&inside);
}

gint64
sv_http_retry_after_ms (const SvHttpResponse *response)
{
  const char *text = sv_http_response_header (response, "retry-after");
  guint64 seconds = 0;
  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 0, 1000000, &seconds, NULL))
    return 0;
  return (gint64)seconds * 1000;
}
