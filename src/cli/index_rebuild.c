/* A person who rebuilds an index has to see what is lost by it, before and afterwards. */
#include "cli/index_rebuild.h"

#include <stdio.h>

#include "base/json.h"
#include "cli/table.h"

static void
print_lines (FILE *stream, const char *label, const GPtrArray *lines)
{
  for (guint i = 0; i < lines->len; i++)
  {
    g_autofree char *shown = sv_printable (lines->pdata[i]);
    fprintf (stream, "%-11s %s\n", label, shown);
  }
}

void
sv_index_rebuild_print_preview (const SvIndexRebuild *rebuild, FILE *stream)
{
  if (rebuild == NULL)
    return;
  g_autofree char *reason = sv_printable (rebuild->reason);
  fprintf (stream, "the index in the store is not built on, and replaced: %s\n", reason);
  print_lines (stream, "kept", rebuild->kept);
  print_lines (stream, "dropped", rebuild->dropped);
}

void
sv_index_rebuild_print (const SvIndexRebuild *rebuild)
{
  if (rebuild == NULL)
    return;
  printf ("rebuilt     the index anew above sequence %" G_GUINT64_FORMAT ": %u entries kept, %u dropped\n",
          rebuild->above_sequence, rebuild->kept->len, rebuild->dropped->len);
  print_lines (stdout, "kept", rebuild->kept);
  print_lines (stdout, "dropped", rebuild->dropped);
}

static json_t *
lines_to_json (const GPtrArray *lines)
{
  json_t *json = json_array ();
  for (guint i = 0; i < lines->len; i++)
    json_array_append_new (json, json_string (lines->pdata[i]));
  return json;
}

json_t *
sv_index_rebuild_to_json (const SvIndexRebuild *rebuild)
{
  if (rebuild == NULL)
    return json_null ();
  json_t *json = json_object ();
  json_object_set_new (json, "reason", json_string (rebuild->reason));
  json_object_set_new (json, "above_sequence", sv_json_integer (rebuild->above_sequence));
  json_object_set_new (json, "kept", lines_to_json (rebuild->kept));
  json_object_set_new (json, "dropped", lines_to_json (rebuild->dropped));
  return json;
}
