/* The front of the reader of authored documents: what holds for any text is checked here, and who reads it is decided. A name
 * that ends in ".json" is JSON; any other is JSON if it begins like it and reads as such, because the JSON reader knows escapes
 * that YAML has not, and else YAML. Values and messages have the same form either way. */
#include "base/authored.h"

#include <string.h>

#include "base/authored_reader.h"
#include "base/error.h"
#include "base/json_scan.h"

gboolean
sv_authored_fail (GError **error, const char *name, guint line, guint column, const char *format, ...)
{
  g_autofree char *message = NULL;
  g_autofree char *printable = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  printable = sv_text_printable (message);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s:%u:%u: %s", name, line, column, printable);
  return FALSE;
}

static gboolean
fail_at (GError **error, const char *name, const char *text, gsize length, gsize at, const char *reason)
{
  SvJsonScan scan = SV_JSON_SCAN_INIT (text, length);

  sv_json_scan_to (&scan, at);
  return sv_authored_fail (error, name, scan.line, scan.column, "%s", reason);
}

static gboolean
check_size (const char *name, gsize length, gsize max_size, GError **error)
{
  if (length <= max_size)
    return TRUE;
  return sv_authored_fail (error, name, 1, 1, "%" G_GSIZE_FORMAT " bytes are more than the %" G_GSIZE_FORMAT " allowed", length,
                           max_size);
}

static gboolean
check_encoding (const char *name, const char *text, gsize length, GError **error)
{
  const char *end = text;

  if (g_utf8_validate_len (text, length, &end))
    return TRUE;
  return fail_at (error, name, text, length, (gsize)(end - text), *end == '\0' ? "a NUL byte" : "not valid UTF-8");
}

static gboolean
check_characters (const char *name, const char *text, gsize length, GError **error)
{
  for (gsize i = 0; i < length; i++)
  {
    char c = text[i];
    if (g_ascii_iscntrl (c) && c != '\t' && c != '\n' && c != '\r')
      return fail_at (error, name, text, length, i, "a control character; write it as an escape in double quotes");
  }
  return TRUE;
}

static gboolean
begins_like_json (const char *text, gsize length)
{
  gsize i = 0;

  while (i < length && g_ascii_isspace (text[i]))
    i++;
  return i < length && (text[i] == '{' || text[i] == '[');
}

static json_t *
read_value (const char *name, const char *text, gsize length, SvPlace **place, GError **error)
{
  gboolean is_json = g_str_has_suffix (name, ".json");
  json_t *value = NULL;

  if (is_json || begins_like_json (text, length))
    value = sv_json_parse (name, text, length, length, is_json ? error : NULL);
  if (value != NULL)
    *place = sv_authored_json_places (text, length);
  else if (!is_json)
    value = sv_authored_yaml_parse (name, text, length, place, error);
  return value;
}

json_t *
sv_authored_parse (const char *name, const void *data, gsize length, gsize max_size, SvPlaces **places, GError **error)
{
  g_autoptr (SvPlace) place = NULL;
  json_t *value;

  if (!check_size (name, length, max_size, error) || !check_encoding (name, data, length, error) ||
      !check_characters (name, data, length, error))
    return NULL;
  value = read_value (name, data, length, &place, error);
  if (value != NULL && places != NULL)
    *places = sv_places_new (name, g_steal_pointer (&place));
  return value;
}
