/* Log lines. A line is built in memory and leaves by one write(2), so that lines of several threads and processes do not mix;
 * who has many writes them together, in portions that a pipe takes whole.
 * Whatever could end a line or move a terminal's cursor is escaped: a log is read by people who trust its line breaks. Values
 * come from outside, so each is cut at MAX_VALUE bytes. */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/program_name.h"
#include "base/rfc3339.h"
#include "base/string_append.h"
#include "base/words.h"

#define MAX_VALUE 1024

static gint chosen_format = SV_LOG_LOGFMT;

void
sv_log_set_format (SvLogFormat format)
{
  g_atomic_int_set (&chosen_format, (gint)format);
}

SvLogFormat
sv_log_format (void)
{
  return (SvLogFormat)g_atomic_int_get (&chosen_format);
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

typedef struct
{
  const char *text;
  gsize length;
  gboolean is_bare; /* written without quotes in logfmt */
} Value;

/* Letters, digits, and what identifiers, numbers, times and paths are written with. */
static const guint8 is_bare_byte[256] = {
  ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['.'] = 1, ['_'] = 1, [':'] = 1, ['/'] = 1,
  ['@'] = 1,         ['+'] = 1,         ['-'] = 1,         [','] = 1, ['%'] = 1, ['~'] = 1,
};

/* Most of them lie in three ranges without gaps. */
static gboolean
is_bare_word (guint64 word)
{
  return (sv_word_in_range (word, '+', ':') | sv_word_in_range (word, '@', 'Z') | sv_word_in_range (word, 'a', 'z')) ==
         SV_WORD_TOPS;
}

static Value
value_of (const char *text)
{
  gsize length = strlen (text), n = 0;
  while (n + SV_WORD_SIZE <= length && is_bare_word (sv_word_read (text + n)))
    n += SV_WORD_SIZE;
  while (is_bare_byte[(guint8)text[n]])
    n++;
  return (Value){ text, length, n == length && length > 0 && length <= MAX_VALUE };
}

/* Printable ASCII that is quoted as it is. */
static gboolean
is_plain (const Value *value)
{
  const char *p = value->text;
  while (*p >= ' ' && *p <= '~' && *p != '"' && *p != '\\')
    p++;
  return *p == '\0' && value->length <= MAX_VALUE;
}

static void
append_quoted (GString *line, const Value *value, SvLogFormat format)
{
  if (value->is_bare || is_plain (value))
  {
    sv_string_append_literal (line, "\"");
    sv_string_append (line, value->text, value->length);
    sv_string_append_literal (line, "\"");
    return;
  }
  gboolean is_cut = value->length > MAX_VALUE;
  g_autofree char *bounded = g_strndup (value->text, MAX_VALUE);
  g_autofree char *valid = g_utf8_make_valid (bounded, -1);
  g_string_append_c (line, '"');
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    append_code (line, g_utf8_get_char (p), format);
  g_string_append (line, is_cut ? "…\"" : "\"");
}

/* Fields that are numbers whatever their event is; in JSON they are written as such. */
static gboolean
is_number (const char *key, const char *value)
{
  static const char *const names[] = { "status",   "ms", "left_out",  "block",     "head",
                                       "sequence", "n",  "manifests", "challenge", NULL };
  gsize digits = strspn (value, "0123456789");
  if (digits == 0 || digits > 15 || (value[0] == '0' && digits > 1))
    return FALSE;
  const char *rest = value + digits;
  if (*rest == '.' && g_ascii_isdigit (rest[1]))
    rest += 1 + strspn (rest + 1, "0123456789");
  return *rest == '\0' && g_strv_contains (names, key);
}

static void
append_pair (GString *line, gsize begin, const char *key, const Value *value, SvLogFormat format)
{
  gboolean is_json = format == SV_LOG_JSON;
  if (line->len > begin + 1)
    sv_string_append (line, is_json ? "," : " ", 1);
  if (is_json)
    sv_string_append_literal (line, "\"");
  sv_string_append (line, key, strlen (key));
  if (is_json)
    sv_string_append_literal (line, "\":");
  else
    sv_string_append_literal (line, "=");
  if (is_json ? is_number (key, value->text) : value->is_bare)
    sv_string_append (line, value->text, value->length);
  else
    append_quoted (line, value, format);
}

/* Many lines are of the same second. */
static const char *
format_now (void)
{
  static _Thread_local gint64 formatted_s = -1;
  static _Thread_local char text[32];
  gint64 now_ms = sv_clock_ms ();
  guint ms = (guint)(now_ms % 1000);
  if (now_ms / 1000 != formatted_s)
  {
    g_autofree char *now = sv_time_format_whole (now_ms);
    g_strlcpy (text, now, sizeof text);
    formatted_s = now_ms / 1000;
  }
  char *point = text + strlen ("YYYY-MM-DDTHH:MM:SS");
  point[1] = (char)('0' + ms / 100);
  point[2] = (char)('0' + ms / 10 % 10);
  point[3] = (char)('0' + ms % 10);
  return text;
}

static void
append_line (GString *line, gboolean is_terminal, const char *level, const char *event, va_list pairs)
{
  SvLogFormat format = sv_log_format ();
  const Value first[] = { value_of (format_now ()), value_of (level), value_of (event) };
  if (is_terminal) /* where a command may have left a line about its progress */
    g_string_append (line, "\r\033[K");
  gsize begin = line->len;
  if (format == SV_LOG_JSON)
    sv_string_append_literal (line, "{");
  append_pair (line, begin, "time", &first[0], format);
  append_pair (line, begin, "level", &first[1], format);
  append_pair (line, begin, "event", &first[2], format);
  for (const char *key = va_arg (pairs, const char *); key != NULL; key = va_arg (pairs, const char *))
  {
    const char *text = va_arg (pairs, const char *);
    if (text == NULL)
      continue;
    Value value = value_of (text);
    g_autofree char *named = !value.is_bare && strstr (text, "sv ") != NULL ? sv_program_text (text) : NULL;
    if (named != NULL)
      value = value_of (named);
    append_pair (line, begin, key, &value, format);
  }
  if (format == SV_LOG_JSON)
    sv_string_append_literal (line, "}");
  sv_string_append_literal (line, "\n");
}

void
sv_log_append (GString *lines, const char *level, const char *event, ...)
{
  static gsize is_terminal; /* 1: no, 2: yes */
  va_list pairs;
  if (g_once_init_enter (&is_terminal))
    g_once_init_leave (&is_terminal, isatty (STDERR_FILENO) ? 2 : 1);
  va_start (pairs, event);
  append_line (lines, is_terminal == 2, level, event, pairs);
  va_end (pairs);
}

void
sv_log_write (const char *lines, gsize length)
{
  gssize written = write (STDERR_FILENO, lines, length);
  (void)written; /* where standard error is gone there is nobody to tell */
}

void
sv_log (const char *level, const char *event, ...)
{
  g_autoptr (GString) line = g_string_new (NULL);
  va_list pairs;
  va_start (pairs, event);
  append_line (line, isatty (STDERR_FILENO), level, event, pairs);
  va_end (pairs);
  sv_log_write (line->str, line->len);
}
