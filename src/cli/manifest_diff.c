/* sv manifest diff: what changed between two manifests, element by element, as a person would review it. */
#include <stdio.h>

#include "cli/manifest_show.h"
#include "cli/table.h"

static const char *const diff_kinds[] = {
  [SV_DIFF_WINDOW] = "window", [SV_DIFF_ADDED] = "added", [SV_DIFF_REMOVED] = "removed", [SV_DIFF_CHANGED] = "changed"
};

#define LONGEST_LINE 160 /* characters, where not all is shown */

/* ── as JSON ── */

json_t *
sv_differences_to_json (const GPtrArray *differences)
{
  json_t *list = json_array ();
  for (guint i = 0; i < differences->len; i++)
  {
    const SvManifestDifference *difference = differences->pdata[i];
    json_t *json = json_object ();
    json_object_set_new (json, "kind", json_string (diff_kinds[difference->kind]));
    json_object_set_new (json, "element_id", sv_json_string_or_null (difference->element_id));
    json_object_set_new (json, "path", sv_json_string_or_null (difference->path));
    json_object_set_new (json, "before", sv_json_string_or_null (difference->before));
    json_object_set_new (json, "after", sv_json_string_or_null (difference->after));
    json_array_append_new (list, json);
  }
  return list;
}

static void
print_diff_json (const SvManifestSource *before, const SvManifestSource *after, GPtrArray *differences)
{
  json_t *json = json_object ();
  json_object_set_new (json, "before", json_string (before->title));
  json_object_set_new (json, "after", json_string (after->title));
  json_object_set_new (json, "differences", sv_differences_to_json (differences));
  sv_print_json (json);
}

/* ── for people ── */

typedef struct
{
  FILE *stream;
  gboolean use_color;
  gboolean is_short;
  const char *heading; /* the element whose fields are being printed */
} Printer;

/* The text, or its beginning where that is enough. Returns: (transfer full). */
static char *
shorten (const Printer *printer, const char *text)
{
  if (!printer->is_short || g_utf8_strlen (text, -1) <= LONGEST_LINE)
    return g_strdup (text);
  g_autofree char *start = g_utf8_substring (text, 0, LONGEST_LINE);
  return g_strconcat (start, "…", NULL);
}

static void
print_styled (const Printer *printer, SvStyle style, const char *text)
{
  g_autofree char *printable = sv_printable (text);
  g_autofree char *line = shorten (printer, printable);
  g_autofree char *styled = sv_styled (line, style, printer->use_color);
  fprintf (printer->stream, "%s\n", styled);
}

/* "  ~ beta: 1 -> 1.4", "  + clips: clip sha256:… weight 1". */
static void
print_field (const Printer *printer, const SvManifestDifference *difference)
{
  g_autofree char *line = NULL;
  SvStyle style = SV_STYLE_YELLOW;
  if (difference->before != NULL && difference->after != NULL)
    line = g_strdup_printf ("  ~ %s: %s -> %s", difference->path, difference->before, difference->after);
  else if (difference->after != NULL)
  {
    line = g_strdup_printf ("  + %s: %s", difference->path, difference->after);
    style = SV_STYLE_GREEN;
  }
  else
  {
    line = g_strdup_printf ("  - %s: %s", difference->path, difference->before);
    style = SV_STYLE_RED;
  }
  print_styled (printer, style, line);
}

static void
print_difference (Printer *printer, const SvManifestDifference *difference)
{
  const char *title = difference->element_id != NULL ? difference->element_id : "window";
  if (difference->kind == SV_DIFF_ADDED || difference->kind == SV_DIFF_REMOVED)
  {
    gboolean is_added = difference->kind == SV_DIFF_ADDED;
    const char *content = is_added ? difference->after : difference->before;
    g_autofree char *line =
        g_strdup_printf ("%c %s%s%s", is_added ? '+' : '-', title, content != NULL ? ": " : "", content != NULL ? content : "");
    print_styled (printer, is_added ? SV_STYLE_GREEN : SV_STYLE_RED, line);
    printer->heading = NULL;
    return;
  }
  if (g_strcmp0 (printer->heading, title) != 0)
    print_styled (printer, SV_STYLE_BOLD, title);
  printer->heading = title;
  print_field (printer, difference);
}

void
sv_print_differences (const GPtrArray *differences, guint max, FILE *stream, gboolean use_color)
{
  Printer printer = { .stream = stream, .use_color = use_color, .is_short = max > 0 };
  guint n = max > 0 ? MIN (max, differences->len) : differences->len;
  for (guint i = 0; i < n; i++)
    print_difference (&printer, differences->pdata[i]);
  if (n < differences->len)
    sv_say (stream, "… and %u more differences; `sv manifest diff` shows them all\n", differences->len - n);
  if (differences->len == 0)
    fputs ("no difference\n", stream);
}

int
sv_manifest_run_diff (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 2, 2, "sv manifest diff A B, each HASH, WINDOW, FILE or active", error))
    return 1;
  g_autoptr (SvManifestSource) before = sv_manifest_load_source (context, argv[0], error);
  g_autoptr (SvManifestSource) after = before != NULL ? sv_manifest_load_source (context, argv[1], error) : NULL;
  if (after == NULL)
    return 1;
  g_autoptr (GPtrArray) differences = sv_manifest_diff (before->json, after->json);
  if (context->as_json)
    print_diff_json (before, after, differences);
  else
  {
    printf ("before  %s\nafter   %s\n\n", before->title, after->title);
    sv_print_differences (differences, 0, stdout, context->use_color);
  }
  return 0;
}
