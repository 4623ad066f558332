/* What changed between two manifests, for the person who is to sign the second. Elements are matched by id, and clips by hash,
 * so that order and unchanged neighbours make no noise. Objects are followed down to the field that differs; other arrays are
 * shown whole. */
#include "protocol/manifest.h"
#include "protocol/signed_fields.h"

#include <string.h>

typedef struct
{
  GPtrArray *differences;
  const char *element_id; /* NULL at the top */
} Report;

void
sv_manifest_difference_free (SvManifestDifference *difference)
{
  if (difference == NULL)
    return;
  g_free (difference->element_id);
  g_free (difference->path);
  g_free (difference->before);
  g_free (difference->after);
  g_free (difference);
}

/* Takes @before and @after. */
static void
report_add (const Report *report, int kind, const char *path, char *before, char *after)
{
  SvManifestDifference *difference = g_new0 (SvManifestDifference, 1);
  difference->kind = kind;
  difference->element_id = g_strdup (report->element_id);
  difference->path = g_strdup (path);
  difference->before = before;
  difference->after = after;
  g_ptr_array_add (report->differences, difference);
}

static void
report_change (const Report *report, const char *path, char *before, char *after)
{
  report_add (report, report->element_id == NULL ? SV_DIFF_WINDOW : SV_DIFF_CHANGED, path, before, after);
}

/* Canonical JSON, so that numbers have one spelling and no string can move a terminal's cursor. */
static char *
show (const json_t *value)
{
  return value != NULL ? sv_json_canonical_string (value) : NULL;
}

/* {"a": …} for [{KEY: "a"}, …]. Returns: (transfer full). */
static json_t *
index_by (const json_t *array, const char *key)
{
  json_t *index = json_object ();
  for (gsize i = 0; i < json_array_size (array); i++)
  {
    json_t *item = json_array_get (array, i);
    const char *name = json_string_value (json_object_get (item, key));
    if (name != NULL)
      json_object_set (index, name, item);
  }
  return index;
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* The keys of either object, sorted. Returns: (transfer full). */
static char **
union_of_keys (const json_t *before, const json_t *after)
{
  const char *key;
  json_t *value;
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  json_object_foreach ((json_t *)before, key, value) g_ptr_array_add (keys, g_strdup (key));
  json_object_foreach ((json_t *)after, key, value) if (json_object_get (before, key) == NULL)
      g_ptr_array_add (keys, g_strdup (key));
  g_ptr_array_sort (keys, compare_strings);
  g_ptr_array_add (keys, NULL);
  return (char **)g_ptr_array_steal (keys, NULL);
}

static char *
show_clip (const json_t *clip)
{
  if (clip == NULL)
    return NULL;
  g_autofree char *weight = sv_json_canonical_string (json_object_get (clip, "weight"));
  return g_strdup_printf ("clip %s weight %s", json_string_value (json_object_get (clip, "hash")), weight);
}

static void
compare_clips (const Report *report, const char *path, const json_t *before, const json_t *after)
{
  g_autoptr (json_t) old_clips = index_by (before, "hash");
  g_autoptr (json_t) new_clips = index_by (after, "hash");
  g_auto (GStrv) hashes = union_of_keys (old_clips, new_clips);
  for (gsize i = 0; hashes[i] != NULL; i++)
  {
    const json_t *old_clip = json_object_get (old_clips, hashes[i]);
    const json_t *new_clip = json_object_get (new_clips, hashes[i]);
    if (old_clip == NULL || new_clip == NULL || !sv_json_equal (old_clip, new_clip))
      report_change (report, path, show_clip (old_clip), show_clip (new_clip));
  }
}

static void compare_values (const Report *report, const char *path, const json_t *before, const json_t *after);

static void
compare_fields (const Report *report, const char *path, const json_t *before, const json_t *after)
{
  g_auto (GStrv) keys = union_of_keys (before, after);
  for (gsize i = 0; keys[i] != NULL; i++)
  {
    g_autofree char *below = path != NULL ? g_strdup_printf ("%s.%s", path, keys[i]) : g_strdup (keys[i]);
    compare_values (report, below, json_object_get (before, keys[i]), json_object_get (after, keys[i]));
  }
}

static void
compare_values (const Report *report, const char *path, const json_t *before, const json_t *after)
{
  if (before != NULL && after != NULL && sv_json_equal (before, after))
    return;
  if (json_is_object (before) && json_is_object (after))
    compare_fields (report, path, before, after);
  else if (report->element_id != NULL && strcmp (path, "clips") == 0)
    compare_clips (report, path, before, after);
  else
    report_change (report, path, show (before), show (after));
}

static void
show_number (GString *text, const char *name, const json_t *element, const char *key)
{
  char number[32];
  sv_json_format_number (json_number_value (json_object_get (element, key)), number);
  g_string_append_printf (text, "%s %s, ", name, number);
}

/* "θ 0.78, β 1, fps 25, clips 3": enough to see what comes or goes. */
static char *
show_element (const json_t *element)
{
  g_autoptr (GString) text = g_string_new (NULL);
  show_number (text, "θ", element, "baseline_theta");
  show_number (text, "β", element, "beta");
  show_number (text, "fps", element, "service_rate_fps");
  g_string_append_printf (text, "clips %" G_GSIZE_FORMAT, json_array_size (json_object_get (element, "clips")));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
compare_elements (GPtrArray *differences, const json_t *before, const json_t *after)
{
  g_autoptr (json_t) old_elements = index_by (before, "id");
  g_autoptr (json_t) new_elements = index_by (after, "id");
  g_auto (GStrv) ids = union_of_keys (old_elements, new_elements);
  for (gsize i = 0; ids[i] != NULL; i++)
  {
    const Report report = { differences, ids[i] };
    const json_t *old_element = json_object_get (old_elements, ids[i]);
    const json_t *new_element = json_object_get (new_elements, ids[i]);
    if (old_element == NULL)
      report_add (&report, SV_DIFF_ADDED, NULL, NULL, show_element (new_element));
    else if (new_element == NULL)
      report_add (&report, SV_DIFF_REMOVED, NULL, show_element (old_element), NULL);
    else
      compare_fields (&report, NULL, old_element, new_element);
  }
}

/* A shallow copy without elements and without what publishing fills in. Returns: (transfer full). */
static json_t *
window_fields (const json_t *manifest)
{
  static const char *const left_out[] = { SV_SIGNED_FIELD_NAMES, "previous", "elements", NULL };
  json_t *fields = json_copy ((json_t *)manifest);
  for (gsize i = 0; left_out[i] != NULL; i++)
    json_object_del (fields, left_out[i]);
  return fields;
}

GPtrArray *
sv_manifest_diff (const json_t *before, const json_t *after)
{
  GPtrArray *differences = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_manifest_difference_free);
  const Report window = { differences, NULL };
  g_autoptr (json_t) old_fields = window_fields (before);
  g_autoptr (json_t) new_fields = window_fields (after);
  compare_fields (&window, NULL, old_fields, new_fields);
  compare_elements (differences, json_object_get (before, "elements"), json_object_get (after, "elements"));
  return differences;
}
