/* What the readers of JSON and of authored text share; for base/ only. */
#pragma once

#include <glib.h>

/* A place in a text. */
typedef struct
{
  const char *text;
  gsize length;
  gsize at;
  guint line;         /* from 1 */
  guint column;       /* of the character at @at, from 1, in characters */
  guint depth;        /* of open brackets */
  guint n_containers; /* opened so far */
  guint n_commas;
} SvJsonScan;

#define SV_JSON_SCAN_INIT(text, length)                                                                                        \
  {                                                                                                                            \
    text, length, 0, 1, 1, 0, 0, 0                                                                                             \
  }

/* Goes on by one byte. */
void sv_json_scan_step (SvJsonScan *scan);

/* Goes on to the byte @at. */
void sv_json_scan_to (SvJsonScan *scan, gsize at);

/* Goes from an opening quotation mark to behind the closing one, or to the end of the text. */
void sv_json_scan_string (SvJsonScan *scan);

/* Takes one string, number or other byte. Returns what is wrong with it that Jansson would let through, with the scan left in
 * front of it, or NULL. */
const char *sv_json_scan_next (SvJsonScan *scan);

/* NULL when a double holds the integer with these decimal digits (no sign), else what is wrong with it. */
const char *sv_integer_literal_problem (const char *digits, gsize length);
