/* Strict reading. Jansson does the grammar, the strings and the duplicate keys; a scan over the text before it refuses what
 * Jansson lets through: nesting deeper than ours, NUL bytes, and integer literals that a double cannot hold, which Jansson
 * would round in silence. The scan needs no grammar, only to know what is inside a string; where the text is broken it says
 * nothing and leaves the fault to Jansson. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_literal.h"

/* The greatest double has 309 digits before the point. */
#define INTEGER_MAX_DIGITS 309
#define ALWAYS_EXACT_DIGITS 15

typedef struct
{
  const char *text;
  gsize length;
  gsize at;
  guint line;   /* from 1 */
  guint column; /* of the character at @at, from 1, in characters */
  guint depth;
} Scan;

static void
scan_step (Scan *scan)
{
  guint8 c = (guint8)scan->text[scan->at++];

  if (c == '\n')
  {
    scan->line++;
    scan->column = 1;
  }
  else if (scan->at == scan->length || ((guint8)scan->text[scan->at] & 0xc0) != 0x80)
    scan->column++;
}

static void
scan_string (Scan *scan)
{
  scan_step (scan);
  while (scan->at < scan->length)
  {
    char c = scan->text[scan->at];

    scan_step (scan);
    if (c == '"')
      return;
    if (c == '\\' && scan->at < scan->length)
      scan_step (scan);
  }
}

/* The literal says what the double it becomes is, or is what that double is written as: canonical JSON writes 2^68 as
 * 295147905179352830000, which is not its exact value but the same number to everybody who reads it. */
static gboolean
is_kept (const char *literal, double number)
{
  char exact[INTEGER_MAX_DIGITS + 2];
  char written[32];

  snprintf (exact, sizeof exact, "%.0f", number);
  if (strcmp (literal, exact) == 0)
    return TRUE;
  sv_json_format_number (number, written);
  return strcmp (literal, written) == 0;
}

const char *
sv_integer_literal_problem (const char *digits, gsize length)
{
  char literal[INTEGER_MAX_DIGITS + 1];
  double number;

  if (length <= ALWAYS_EXACT_DIGITS)
    return NULL;
  if (length > INTEGER_MAX_DIGITS)
    return "the number is too large";
  memcpy (literal, digits, length);
  literal[length] = '\0';
  number = strtod (literal, NULL);
  if (!isfinite (number))
    return "the number is too large";
  return is_kept (literal, number) ? NULL : "the integer is not exact as a double; write it as a string";
}

static gboolean
is_number_byte (char c)
{
  return g_ascii_isdigit (c) || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E';
}

/* Leaves the scan at the number when there is a problem with it, else behind it. */
static const char *
scan_number (Scan *scan)
{
  gsize start = scan->at + (scan->text[scan->at] == '-');
  gsize end = start;
  const char *problem;

  while (end < scan->length && g_ascii_isdigit (scan->text[end]))
    end++;
  if (end == scan->length || !is_number_byte (scan->text[end]))
  {
    problem = sv_integer_literal_problem (scan->text + start, end - start);
    if (problem != NULL)
      return problem;
  }
  while (scan->at < scan->length && is_number_byte (scan->text[scan->at]))
    scan_step (scan);
  return NULL;
}

/* Takes one token's worth. Returns what is wrong with it, or NULL. */
static const char *
scan_next (Scan *scan)
{
  char c = scan->text[scan->at];

  if (c == '"')
  {
    scan_string (scan);
    return NULL;
  }
  if (c == '-' || g_ascii_isdigit (c))
    return scan_number (scan);
  if ((c == '[' || c == '{') && ++scan->depth > SV_JSON_MAX_DEPTH)
    return "nesting is deeper than 64";
  if ((c == ']' || c == '}') && scan->depth > 0)
    scan->depth--;
  scan_step (scan);
  return NULL;
}

static gboolean
fail (GError **error, const char *what, guint line, guint column, const char *reason)
{
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s:%u:%u: %s", what, line, column, reason);
  return FALSE;
}

static gboolean
check_nul (const char *what, const char *text, gsize length, GError **error)
{
  Scan scan = { text, length, 0, 1, 1, 0 };
  const char *nul = memchr (text, '\0', length);

  if (nul == NULL)
    return TRUE;
  while (text + scan.at < nul)
    scan_step (&scan);
  return fail (error, what, scan.line, scan.column, "a NUL byte");
}

static gboolean
check_text (const char *what, const char *text, gsize length, GError **error)
{
  Scan scan = { text, length, 0, 1, 1, 0 };

  while (scan.at < scan.length)
  {
    const char *problem = scan_next (&scan);

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
