#include "base/json_text.h"

#include <string.h>

#include "base/identifiers.h"
#include "base/json.h"
#include "base/words.h"

void
sv_json_text_init (SvJsonText *json, char *buffer, gsize size)
{
  *json = (SvJsonText){ .text = buffer, .size = size, .is_valid = TRUE };
}

void
sv_json_text_clear (SvJsonText *json)
{
  if (json->is_owned)
    g_free (json->text);
  *json = (SvJsonText){ 0 };
}

void
sv_json_text_reserve (SvJsonText *json, gsize length)
{
  if (length <= json->size - json->length)
    return;
  json->size = 2 * (json->length + length);
  char *larger = g_realloc (json->is_owned ? json->text : NULL, json->size);
  if (!json->is_owned && json->length > 0)
    memcpy (larger, json->text, json->length);
  json->text = larger;
  json->is_owned = TRUE;
}

static gsize
write_escape (char *out, guint8 c)
{
  static const char short_forms[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
  static const char hex[] = "0123456789abcdef";
  char short_form = c < sizeof short_forms ? short_forms[c] : '\0';
  if (c == '"' || c == '\\')
    short_form = (char)c;
  *out++ = '\\';
  if (short_form != '\0')
  {
    *out = short_form;
    return 2;
  }
  const char code[] = { 'u', '0', '0', hex[c >> 4], hex[c & 15] };
  memcpy (out, code, sizeof code);
  return 1 + sizeof code;
}

#define ESCAPE_MAX 6

/* Whether one of the word's bytes may be a control character, a quote, a backslash or no ASCII. A borrow from the byte below
 * may say so of one that is none of these, but hides none. */
static gboolean
has_special (guint64 word)
{
  guint64 quote = word ^ SV_WORD_ONES * '"', backslash = word ^ SV_WORD_ONES * '\\';
  guint64 borrows = (word - SV_WORD_ONES * 0x20) | (quote - SV_WORD_ONES) | (backslash - SV_WORD_ONES);
  return ((borrows | word) & SV_WORD_TOPS) != 0;
}

static gboolean
copy_plain_word (char *out, const char *text)
{
  guint64 word = sv_word_read (text);
  if (has_special (word))
    return FALSE;
  memcpy (out, &word, sizeof word);
  return TRUE;
}

/* Copies words without anything special from @text, as far as there are such; a rest is copied with what precedes it. Returns
 * how many bytes. */
static gsize
copy_plain (char *out, const char *text, gsize length)
{
  gsize n = 0, last = length - SV_WORD_SIZE;
  if (length < SV_WORD_SIZE)
    return 0;
  while (n <= last && copy_plain_word (out + n, text + n))
    n += SV_WORD_SIZE;
  return n > last && n < length && copy_plain_word (out + last, text + last) ? length : n;
}

void
sv_json_text_string (SvJsonText *json, const char *text)
{
  gsize length = strlen (text);
  gboolean is_ascii = TRUE;
  sv_json_text_reserve (json, ESCAPE_MAX * length + 2);
  char *out = json->text + json->length;
  *out++ = '"';
  gsize plain = copy_plain (out, text, length);
  out += plain;
  for (gsize i = plain; i < length; i++)
  {
    guint8 c = (guint8)text[i];
    is_ascii = is_ascii && c < 0x80;
    if (c >= 0x20 && c != '"' && c != '\\')
      *out++ = (char)c;
    else
      out += write_escape (out, c);
  }
  *out++ = '"';
  json->length = (gsize)(out - json->text);
  if (!is_ascii && !g_utf8_validate (text, (gssize)length, NULL))
    json->is_valid = FALSE;
}

void
sv_json_text_integer (SvJsonText *json, guint64 value)
{
  char digits[SV_INTEGER_TEXT_SIZE];
  gsize length = sv_integer_write (value, digits);
  sv_json_text_raw (json, digits, length);
}

void
sv_json_text_number (SvJsonText *json, double value)
{
  char digits[32];
  sv_json_format_number (value, digits);
  sv_json_text_raw (json, digits, strlen (digits));
}

void
sv_json_text_strings (SvJsonText *json, const char *const *strings, gsize n)
{
  sv_json_text_literal (json, "[");
  for (gsize i = 0; i < n; i++)
  {
    if (i > 0)
      sv_json_text_literal (json, ",");
    sv_json_text_string (json, strings[i]);
  }
  sv_json_text_literal (json, "]");
}
