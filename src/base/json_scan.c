/* A walk over a JSON text that needs no grammar, only to know what is inside a string: it counts lines and columns, and refuses
 * what Jansson lets through, that is nesting deeper than ours, more values than ours, and integer literals that a double cannot
 * hold, which Jansson would round in silence. Where the text is broken it says nothing and leaves the fault to Jansson. */
#include "base/json_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* The greatest double has 309 digits before the point. */
#define INTEGER_MAX_DIGITS 309
#define ALWAYS_EXACT_DIGITS 15

void
sv_json_scan_step (SvJsonScan *scan)
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

void
sv_json_scan_to (SvJsonScan *scan, gsize at)
{
  while (scan->at < at)
    sv_json_scan_step (scan);
}

void
sv_json_scan_string (SvJsonScan *scan)
{
  sv_json_scan_step (scan);
  while (scan->at < scan->length)
  {
    char c = scan->text[scan->at];

    sv_json_scan_step (scan);
    if (c == '"')
      return;
    if (c == '\\' && scan->at < scan->length)
      sv_json_scan_step (scan);
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
scan_number (SvJsonScan *scan)
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
    sv_json_scan_step (scan);
  return NULL;
}

/* Each value takes a container's opening or a comma, so the two together bound what the parsed text will take of memory. */
static gboolean
is_too_much (SvJsonScan *scan, char c)
{
  scan->n_containers += c == '[' || c == '{';
  scan->n_commas += c == ',';
  return scan->n_containers > SV_JSON_MAX_CONTAINERS || scan->n_containers + scan->n_commas > SV_JSON_MAX_VALUES;
}

const char *
sv_json_scan_next (SvJsonScan *scan)
{
  char c = scan->text[scan->at];

  if (c == '"')
  {
    sv_json_scan_string (scan);
    return NULL;
  }
  if (c == '-' || g_ascii_isdigit (c))
    return scan_number (scan);
  if ((c == '[' || c == '{') && ++scan->depth > SV_JSON_MAX_DEPTH)
    return "nesting is deeper than " G_STRINGIFY (SV_JSON_MAX_DEPTH);
  if ((c == ']' || c == '}') && scan->depth > 0)
    scan->depth--;
  if (is_too_much (scan, c))
    return "there are too many values";
  sv_json_scan_step (scan);
  return NULL;
}
