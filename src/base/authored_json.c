/* The places of a JSON text. It has been read already, so the walk below meets nothing but valid JSON, nested no deeper than
 * SV_JSON_MAX_DEPTH. */
#include <string.h>

#include "base/authored_reader.h"
#include "base/json_scan.h"

static void walk_value (SvJsonScan *scan, SvPlace *place);

static char
skip_space (SvJsonScan *scan)
{
  while (scan->at < scan->length && g_ascii_isspace (scan->text[scan->at]))
    sv_json_scan_step (scan);
  return scan->at < scan->length ? scan->text[scan->at] : '\0';
}

/* Returns: (transfer full) the key that the scan stands at. */
static char *
take_key (SvJsonScan *scan)
{
  const char *start = scan->text + scan->at;
  g_autoptr (json_t) key = NULL;
  gsize length;

  sv_json_scan_string (scan);
  length = (gsize)(scan->text + scan->at - start);
  key = sv_json_parse ("key", start, length, length, NULL);
  return g_strdup (json_string_value (key));
}

static void
walk_object (SvJsonScan *scan, SvPlace *object)
{
  sv_json_scan_step (scan);
  for (char c = skip_space (scan); c != '}'; c = skip_space (scan))
  {
    g_autofree char *key = NULL;

    if (c == ',')
    {
      sv_json_scan_step (scan);
      skip_space (scan);
    }
    key = take_key (scan);
    skip_space (scan);
    sv_json_scan_step (scan); /* the colon */
    skip_space (scan);
    walk_value (scan, sv_place_new (object, key, scan->line, scan->column));
  }
  sv_json_scan_step (scan);
}

static void
walk_array (SvJsonScan *scan, SvPlace *array)
{
  sv_json_scan_step (scan);
  for (char c = skip_space (scan); c != ']'; c = skip_space (scan))
  {
    if (c == ',')
    {
      sv_json_scan_step (scan);
      skip_space (scan);
    }
    walk_value (scan, sv_place_new (array, NULL, scan->line, scan->column));
  }
  sv_json_scan_step (scan);
}

/* @place is that of the value that the scan stands at. */
static void
walk_value (SvJsonScan *scan, SvPlace *place)
{
  char c = scan->text[scan->at];

  if (c == '{')
    walk_object (scan, place);
  else if (c == '[')
    walk_array (scan, place);
  else if (c == '"')
    sv_json_scan_string (scan);
  else
    while (scan->at < scan->length && strchr (",]} \t\r\n", scan->text[scan->at]) == NULL)
      sv_json_scan_step (scan);
}

SvPlace *
sv_authored_json_places (const char *text, gsize length)
{
  SvJsonScan scan = SV_JSON_SCAN_INIT (text, length);
  SvPlace *root;

  skip_space (&scan);
  root = sv_place_new (NULL, NULL, scan.line, scan.column);
  walk_value (&scan, root);
  return root;
}
