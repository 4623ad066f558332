/* One member of a text, without building the text's values: a parsed text takes many times its size in memory, and what it
 * takes is up to who wrote it. */
#include "base/json.h"

#include <string.h>

#include "base/json_scan.h"

#define MAX_STRING 1024

static gboolean
is_key (const SvJsonScan *scan, gsize start, const char *key)
{
  gsize length = strlen (key);
  return scan->at - start == length + 2 && memcmp (scan->text + start + 1, key, length) == 0 && scan->at < scan->length &&
         scan->text[scan->at] == ':';
}

char *
sv_json_find_string (const void *data, gsize length, const char *key)
{
  SvJsonScan scan = SV_JSON_SCAN_INIT (data, length);
  while (scan.at < length)
  {
    gsize start = scan.at;
    if (sv_json_scan_next (&scan) != NULL)
      return NULL;
    if (scan.depth != 1 || scan.text[start] != '"' || !is_key (&scan, start, key))
      continue;
    start = scan.at + 1;
    if (start >= length || scan.text[start] != '"')
      return NULL;
    sv_json_scan_to (&scan, start);
    sv_json_scan_string (&scan);
    gsize quoted = scan.at - start;
    return quoted >= 2 && quoted <= MAX_STRING ? g_strndup (scan.text + start + 1, quoted - 2) : NULL;
  }
  return NULL;
}
