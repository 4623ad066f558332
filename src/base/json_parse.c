/* Strict reading. Jansson does the grammar, the strings and the duplicate keys; what it lets through and we refuse is looked
 * for beforehand: size, NUL bytes, nesting and integers (json_scan.c). */
#include "base/json.h"

#include <string.h>

#include "base/error.h"
#include "base/json_scan.h"

static gboolean
fail (GError **error, const char *what, guint line, guint column, const char *reason)
{
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s:%u:%u: %s", what, line, column, reason);
  return FALSE;
}

static gboolean
check_nul (const char *what, const char *text, gsize length, GError **error)
{
  SvJsonScan scan = SV_JSON_SCAN_INIT (text, length);
  const char *nul = memchr (text, '\0', length);

  if (nul == NULL)
    return TRUE;
  sv_json_scan_to (&scan, (gsize)(nul - text));
  return fail (error, what, scan.line, scan.column, "a NUL byte");
}

static gboolean
check_text (const char *what, const char *text, gsize length, GError **error)
{
  SvJsonScan scan = SV_JSON_SCAN_INIT (text, length);

  while (scan.at < scan.length)
  {
    const char *problem = sv_json_scan_next (&scan);

    if (problem != NULL)
      return fail (error, what, scan.line, scan.column, problem);
  }
  return TRUE;
}

static gboolean
check_size (const char *what, const char *text, gsize length, gsize max_size, GError **error)
{
  if (length > max_size)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
                 "%s:1:1: %" G_GSIZE_FORMAT " bytes are more than the %" G_GSIZE_FORMAT " allowed", what, length, max_size);
    return FALSE;
  }
  for (gsize i = 0; i < length; i++)
    if (strchr (" \t\r\n", text[i]) == NULL || text[i] == '\0')
      return TRUE;
  return fail (error, what, 1, 1, "it is empty");
}

json_t *
sv_json_parse (const char *what, const void *data, gsize length, gsize max_size, GError **error)
{
  g_autofree char *reason = NULL;
  json_error_t problem;
  json_t *value;

  if (!check_size (what, data, length, max_size, error) || !check_nul (what, data, length, error) ||
      !check_text (what, data, length, error))
    return NULL;
  value =
      json_loadb (data, length, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL | JSON_DECODE_ANY, &problem);
  if (value != NULL)
    return value;
  reason = sv_text_printable (problem.text);
  fail (error, what, (guint)MAX (problem.line, 1), (guint)MAX (problem.column, 1), reason);
  return NULL;
}
