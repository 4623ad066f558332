/* The client passes over an annotation that it cannot read, and scores by the rest: a fault here would be money lost in
 * silence. So the file is checked whole before it is taken, as strictly as its strictest reader. Only the first fault is told:
 * a program that writes these files makes the same one in every annotation. */
#include "protocol/ground_truth.h"

#include <math.h>

#include "base/error.h"
#include "base/schema.h"

/* Beyond this no picture reaches, and whole numbers stay exact. */
#define COORDINATE_MAX 1e9

static void
check_numbers (const json_t *array, const char *pointer, SvFaults *faults)
{
  gsize i;
  json_t *item;
  json_array_foreach ((json_t *)array, i, item)
  {
    if (json_is_number (item) && fabs (json_number_value (item)) <= COORDINATE_MAX)
      continue;
    g_autofree char *place = sv_pointer_index (pointer, i);
    sv_faults_add (faults, place, "a number from -1e9 to 1e9 is expected");
    return;
  }
}

static void
check_bbox (const SvScope *scope)
{
  const json_t *bbox = sv_scope_array (scope, "bbox", SV_REQUIRED, 4, 4);
  g_autofree char *pointer = sv_pointer_key (scope->pointer, "bbox");
  check_numbers (bbox, pointer, scope->faults);
}

static void
check_polygon (const SvScope *scope)
{
  gsize i;
  json_t *point;
  const json_t *polygon = sv_scope_array (scope, "polygon", SV_OPTIONAL, 0, SV_JSON_MAX_CONTAINERS);
  g_autofree char *list = sv_pointer_key (scope->pointer, "polygon");
  json_array_foreach ((json_t *)polygon, i, point)
  {
    g_autofree char *pointer = sv_pointer_index (list, i);
    if (json_array_size (point) != 2)
      sv_faults_add (scope->faults, pointer, "a point is two numbers: [x, y]");
    else
      check_numbers (point, pointer, scope->faults);
    if (scope->faults->n_errors > 0)
      return;
  }
}

/* Readers take `class`, and where that is absent or empty `label`. */
static void
check_name (const SvScope *scope)
{
  const char *class = sv_scope_string (scope, "class", SV_OPTIONAL);
  const char *label = sv_scope_string (scope, "label", SV_OPTIONAL);
  if ((class == NULL || *class == '\0') && (label == NULL || *label == '\0'))
    sv_scope_fault (scope, NULL, "a class or a label is expected, such as \"class\": \"ball\"");
}

static void
check_annotation (const json_t *json, const char *pointer, SvFaults *faults)
{
  guint64 frame;
  g_auto (SvScope) scope = { 0 };
  if (!sv_scope_init (&scope, json, pointer, faults))
    return;
  check_bbox (&scope);
  check_name (&scope);
  sv_scope_integer (&scope, "frame_idx", SV_REQUIRED, &frame);
  check_polygon (&scope);
}

static gboolean
check (const json_t *json, const char *name, GError **error)
{
  gsize i;
  json_t *annotation;
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_auto (SvScope) scope = { 0 };
  const json_t *annotations = sv_scope_init (&scope, json, "", faults)
                                  ? sv_scope_array (&scope, "annotations", SV_REQUIRED, 1, SV_JSON_MAX_CONTAINERS)
                                  : NULL;
  json_array_foreach ((json_t *)annotations, i, annotation)
  {
    g_autofree char *pointer = faults->n_errors == 0 ? sv_pointer_index ("/annotations", i) : NULL;
    if (pointer != NULL)
      check_annotation (annotation, pointer, faults);
  }
  return sv_faults_check (faults, name, error);
}

char *
sv_ground_truth_parse (const char *name, const void *data, gsize length, GError **error)
{
  g_autoptr (json_t) json = sv_json_parse (name, data, length, SV_GROUND_TRUTH_MAX_SIZE, error);
  if (json == NULL || !check (json, name, error))
    return NULL;
  g_autoptr (GBytes) canonical = sv_json_canonical (json, error);
  if (canonical == NULL)
    return NULL;
  if (g_bytes_get_size (canonical) > SV_GROUND_TRUTH_MAX_SIZE)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: its canonical form is longer than %d bytes", name,
                 SV_GROUND_TRUTH_MAX_SIZE);
    return NULL;
  }
  return g_strndup (g_bytes_get_data (canonical, NULL), g_bytes_get_size (canonical));
}
