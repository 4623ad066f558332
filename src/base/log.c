/* Log lines. A line is built in memory and leaves by one write(2), so that lines of several threads and processes do not mix.
 * Whatever could end a line or move a terminal's cursor is escaped: a log is read by people who trust its line breaks. Values
 * come from outside, so each is cut at MAX_VALUE bytes. */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/program_name.h"
#include "base/rfc3339.h"

#define MAX_VALUE 1024

static gint log_format = SV_LOG_LOGFMT;

void
sv_log_set_format (SvLogFormat format)
{
  g_atomic_int_set (&log_format, (gint)format);
}

static void
append_code (GString *line, gunichar code, SvLogFormat format)
{
  if (code == '"' || code == '\\')
    g_string_append_printf (line, "\\%c", (char)code);
  else if (code == '\n')
    g_string_append (line, "\\n");
  else if (code == ' ' || (g_unichar_isprint (code) && !g_unichar_isspace (code))) /* U+2028 is a line break, too */
    g_string_append_unichar (line, code);
  else if (code < 0x10000)
    g_string_append_printf (line, "\\u%04x", code);
  else if (format == SV_LOG_JSON)
    g_string_append_printf (line, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
  else
    g_string_append_printf (line, "\\U%08x", code);
}

static void
append_quoted (GString *line, const char *value, SvLogFormat format)
{
  gboolean is_cut = strlen (value) > MAX_VALUE;
  g_autofree char *bounded = g_strndup (value, MAX_VALUE);
  g_autofree char *valid = g_utf8_make_valid (bounded, -1);
  g_string_append_c (line, '"');
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    append_code (line, g_utf8_get_char (p), format);
  g_string_append (line, is_cut ? "…\"" : "\"");
}

static gboolean
is_bare (const char *value)
{
  if (*value == '\0' || strlen (value) > MAX_VALUE)
    return FALSE;
  for (const char *p = value; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("._:/@+-,%~", *p) == NULL)
      return FALSE;
  return TRUE;
}

static void
append_pair (GString *line, const char *key, const char *value, SvLogFormat format)
{
  const char *separator = format == SV_LOG_JSON ? "," : " ";
  if (line->len > 1)
    g_string_append (line, separator);
  if (format == SV_LOG_JSON)
    append_quoted (line, key, format);
  else
    g_string_append (line, key);
  g_string_append_c (line, format == SV_LOG_JSON ? ':' : '=');
  if (format == SV_LOG_LOGFMT && is_bare (value))
    g_string_append (line, value);
  else
    append_quoted (line, value, format);
}

void
sv_log (const char *level, const char *event, ...)
{
  SvLogFormat format = (SvLogFormat)g_atomic_int_get (&log_format);
  g_autofree char *now = sv_time_format (sv_clock_ms ());
  g_autoptr (GString) line = g_string_new (format == SV_LOG_JSON ? "{" : "");
  append_pair (line, "time", now, format);
  append_pair (line, "level", level, format);
  append_pair (line, "event", event, format);

  va_list pairs;
  va_start (pairs, event);
  for (const char *key = va_arg (pairs, const char *); key != NULL; key = va_arg (pairs, const char *))
  {
    const char *value = va_arg (pairs, const char *);
    g_autofree char *named = value != NULL && strstr (value, "sv ") != NULL ? sv_program_text (value) : NULL;
    if (value != NULL)
      append_pair (line, key, named != NULL ? named : value, format);
  }
  va_end (pairs);

  g_string_append (line, format == SV_LOG_JSON ? "}\n" : "\n");
  if (isatty (STDERR_FILENO)) /* where a command may have left a line about its progress */
    g_string_prepend (line, "\r\033[K");
  gssize written = write (STDERR_FILENO, line->str, line->len);
  (void)written; /* where standard error is gone there is nobody to tell */
}
