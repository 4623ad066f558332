/* Matchers written out by hand: they run on every request, on bytes from outside, so they read each byte at most twice and
 * need no locale. Bytes above 0x7f match nothing. */
#include "base/identifiers.h"

#include <string.h>

#include "base/json.h"

#define ELEMENT_ID_MAX 128
#define ELEMENT_VERSION_MAX 32
#define HF_REVISION_MAX 128
#define CHUTE_SLUG_MAX 63
#define CAP_WHOLE_DIGITS 9
#define CAP_DECIMALS 3

static gboolean
is_word (char c)
{
  return g_ascii_isalnum (c) || c == '.' || c == '_' || c == '-';
}

static gboolean
is_revision_byte (char c)
{
  return is_word (c) || c == '/';
}

static gboolean
is_slug_byte (char c)
{
  return g_ascii_islower (c) || g_ascii_isdigit (c) || c == '-';
}

static gsize
span (const char *text, gboolean (*is_wanted) (char))
{
  gsize n = 0;

  while (is_wanted (text[n]))
    n++;
  return n;
}

/* [A-Za-z0-9] and then bytes that @is_wanted takes, @max in all. */
static gboolean
matches (const char *text, gboolean (*is_wanted) (char), gsize max)
{
  gsize n;

  if (text == NULL || !g_ascii_isalnum (text[0]))
    return FALSE;
  n = span (text, is_wanted);
  return n <= max && text[n] == '\0';
}

gboolean
sv_window_id_is_valid (const char *text)
{
  return matches (text, is_word, SV_WINDOW_ID_MAX);
}

gboolean
sv_hf_revision_is_valid (const char *text)
{
  return matches (text, is_revision_byte, HF_REVISION_MAX);
}

/* What follows "@". */
static gboolean
is_element_version (const char *text)
{
  gsize n = span (text, is_word);

  return n >= 1 && n <= ELEMENT_VERSION_MAX && text[n] == '\0';
}

gboolean
sv_element_id_is_valid (const char *text)
{
  const char *part = text;

  if (text == NULL || strnlen (text, ELEMENT_ID_MAX + 1) > ELEMENT_ID_MAX)
    return FALSE;
  for (;;)
  {
    if (!g_ascii_isalnum (*part))
      return FALSE;
    part += span (part, is_word);
    if (*part == '\0')
      return TRUE;
    if (*part == '@')
      return is_element_version (part + 1);
    if (*part != '/')
      return FALSE;
    part++;
  }
}

gboolean
sv_chute_slug_is_valid (const char *text)
{
  static const char *const reserved[] = { "api", "www", "llm", NULL };
  gsize n;

  if (text == NULL)
    return FALSE;
  n = span (text, is_slug_byte);
  if (n == 0 || n > CHUTE_SLUG_MAX || text[n] != '\0')
    return FALSE;
  return text[0] != '-' && text[n - 1] != '-' && !g_strv_contains (reserved, text);
}

gboolean
sv_chute_id_is_valid (const char *text)
{
  static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

  if (text == NULL)
    return FALSE;
  for (gsize i = 0; i < sizeof pattern - 1; i++)
  {
    gboolean is_hex = g_ascii_isdigit (text[i]) || (text[i] >= 'a' && text[i] <= 'f');

    if (pattern[i] == 'x' ? !is_hex : text[i] != '-')
      return FALSE;
  }
  return text[sizeof pattern - 1] == '\0';
}

static gboolean
is_digit (char c)
{
  return g_ascii_isdigit (c);
}

/* The digits at @text as thousandths; FALSE unless there are 1 to 3. */
static gboolean
parse_decimals (const char *text, guint64 *milli)
{
  gsize n = span (text, is_digit);
  guint64 value = 0;

  if (n == 0 || n > CAP_DECIMALS || text[n] != '\0')
    return FALSE;
  for (gsize i = 0; i < CAP_DECIMALS; i++)
    value = value * 10 + (i < n ? (guint64)(text[i] - '0') : 0);
  *milli = value;
  return TRUE;
}

gboolean
sv_cap_parse (const char *text, guint64 *milli)
{
  guint64 whole = 0;
  guint64 decimals = 0;
  gsize n;

  if (text == NULL)
    return FALSE;
  n = span (text, is_digit);
  if (n == 0 || n > CAP_WHOLE_DIGITS || (text[0] == '0' && n > 1))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    whole = whole * 10 + (guint64)(text[i] - '0');
  if (text[n] != '\0' && (text[n] != '.' || !parse_decimals (text + n + 1, &decimals)))
    return FALSE;
  if (whole == 0 && decimals == 0)
    return FALSE;
  *milli = whole * 1000 + decimals;
  return TRUE;
}

char *
sv_cap_format (guint64 milli)
{
  guint64 decimals = milli % 1000;
  char *text;

  if (decimals == 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT, milli / 1000);
  text = g_strdup_printf ("%" G_GUINT64_FORMAT ".%03" G_GUINT64_FORMAT, milli / 1000, decimals);
  for (gsize end = strlen (text); text[end - 1] == '0'; end--)
    text[end - 1] = '\0';
  return text;
}

gboolean
sv_integer_parse (const char *text, guint64 *value)
{
  guint64 result = 0;

  if (text == NULL || !g_ascii_isdigit (text[0]) || (text[0] == '0' && text[1] != '\0'))
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
  {
    if (!g_ascii_isdigit (*p))
      return FALSE;
    result = result * 10 + (guint64)(*p - '0');
    if (result > SV_JSON_MAX_INTEGER)
      return FALSE;
  }
  *value = result;
  return TRUE;
}

gsize
sv_integer_write (guint64 value, char text[SV_INTEGER_TEXT_SIZE])
{
  char digits[SV_INTEGER_TEXT_SIZE];
  gsize first = sizeof digits - 1;
  digits[first] = '\0';
  do
    digits[--first] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  memcpy (text, digits + first, sizeof digits - first);
  return sizeof digits - 1 - first;
}
