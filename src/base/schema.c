/* Every reader below asks find() for its field, which settles presence, and then has one question left about type and range. */
#include "base/schema.h"

#include <math.h>
#include <string.h>

static const char *
type_name (const json_t *json)
{
  switch (json_typeof (json))
  {
  case JSON_OBJECT:
    return "an object";
  case JSON_ARRAY:
    return "an array";
  case JSON_STRING:
    return "a string";
  case JSON_INTEGER:
  case JSON_REAL:
    return "a number";
  case JSON_TRUE:
  case JSON_FALSE:
    return "a boolean";
  case JSON_NULL:
    return "null";
  }
  g_assert_not_reached ();
}

char *
sv_pointer_key (const char *pointer, const char *key)
{
  GString *out = g_string_new (pointer);

  g_string_append_c (out, '/');
  for (; *key != '\0'; key++)
  {
    if (*key == '~')
      g_string_append (out, "~0");
    else if (*key == '/')
      g_string_append (out, "~1");
    else
      g_string_append_c (out, *key);
  }
  return g_string_free (out, FALSE);
}

char *
sv_pointer_index (const char *pointer, gsize index)
{
  return g_strdup_printf ("%s/%" G_GSIZE_FORMAT, pointer, index);
}

gboolean
sv_scope_init (SvScope *scope, const json_t *json, const char *pointer, SvFaults *faults)
{
  scope->json = json;
  scope->pointer = g_strdup (pointer);
  scope->faults = faults;
  if (json_is_object (json))
    return TRUE;
  if (json == NULL)
    sv_faults_add (faults, pointer, "must be an object, but there is none");
  else
    sv_faults_add (faults, pointer, "must be an object, not %s", type_name (json));
  return FALSE;
}

void
sv_scope_clear (SvScope *scope)
{
  g_clear_pointer (&scope->pointer, g_free);
  scope->json = NULL;
  scope->faults = NULL;
}

void
sv_scope_fault (const SvScope *scope, const char *key, const char *format, ...)
{
  g_autofree char *pointer = key != NULL ? sv_pointer_key (scope->pointer, key) : g_strdup (scope->pointer);
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  sv_faults_add (scope->faults, pointer, "%s", message);
}

/* NULL for absent and null, which is a fault where the field is required. */
static const json_t *
find (const SvScope *scope, const char *key, SvPresence presence)
{
  const json_t *value = json_object_get (scope->json, key);

  if (value != NULL && !json_is_null (value))
    return value;
  if (presence == SV_REQUIRED)
    sv_scope_fault (scope, key, value == NULL ? "is missing" : "must not be null");
  return NULL;
}

static void
fault_type (const SvScope *scope, const char *key, const char *wanted, const json_t *value)
{
  sv_scope_fault (scope, key, "must be %s, not %s", wanted, type_name (value));
}

/* In YAML, a version or a revision that looks like a number is one. */
static void
fault_no_string (const SvScope *scope, const char *key, const json_t *value)
{
  gboolean could_be_quoted = json_is_number (value) || json_is_boolean (value);

  sv_scope_fault (scope, key, "must be a string, not %s%s", type_name (value), could_be_quoted ? "; put it in quotes" : "");
}

gboolean
sv_scope_object (const SvScope *scope, const char *key, SvPresence presence, SvScope *child)
{
  g_autofree char *pointer = NULL;
  const json_t *value;

  *child = (SvScope){ 0 };
  value = find (scope, key, presence);
  if (value == NULL)
    return FALSE;
  pointer = sv_pointer_key (scope->pointer, key);
  return sv_scope_init (child, value, pointer, scope->faults);
}

const char *
sv_scope_string (const SvScope *scope, const char *key, SvPresence presence)
{
  const json_t *value = find (scope, key, presence);

  if (value == NULL)
    return NULL;
  if (!json_is_string (value))
  {
    fault_no_string (scope, key, value);
    return NULL;
  }
  if (strlen (json_string_value (value)) != json_string_length (value))
  {
    sv_scope_fault (scope, key, "must not hold a NUL character");
    return NULL;
  }
  return json_string_value (value);
}

/* @bound is finite. */
static void
fault_range (const SvScope *scope, const char *key, const char *relation, double bound, double number)
{
  char bound_text[32];
  char number_text[32];

  sv_json_format_number (bound, bound_text);
  sv_json_format_number (number, number_text);
  sv_scope_fault (scope, key, "must be %s %s, not %s", relation, bound_text, number_text);
}

gboolean
sv_scope_number (const SvScope *scope, const char *key, SvPresence presence, double min, double max, double *value)
{
  const json_t *json = find (scope, key, presence);
  double number;

  if (json == NULL)
    return FALSE;
  if (!json_is_number (json))
  {
    fault_type (scope, key, "a number", json);
    return FALSE;
  }
  number = json_number_value (json);
  if (!isfinite (number))
    sv_scope_fault (scope, key, "must be a finite number");
  else if (number < min)
    fault_range (scope, key, "at least", min, number);
  else if (number > max)
    fault_range (scope, key, "at most", max, number);
  else
  {
    *value = number;
    return TRUE;
  }
  return FALSE;
}

gboolean
sv_scope_integer (const SvScope *scope, const char *key, SvPresence presence, guint64 *value)
{
  const json_t *json = find (scope, key, presence);

  if (json == NULL)
    return FALSE;
  if (sv_json_get_integer (json, value))
    return TRUE;
  if (json_is_number (json))
    sv_scope_fault (scope, key, "must be an integer from 0 to %" G_GUINT64_FORMAT, SV_JSON_MAX_INTEGER);
  else
    fault_type (scope, key, "an integer", json);
  return FALSE;
}

gboolean
sv_scope_boolean (const SvScope *scope, const char *key, SvPresence presence, gboolean *value)
{
  const json_t *json = find (scope, key, presence);

  if (json == NULL)
    return FALSE;
  if (!json_is_boolean (json))
  {
    fault_type (scope, key, "true or false", json);
    return FALSE;
  }
  *value = json_is_true (json);
  return TRUE;
}

const json_t *
sv_scope_array (const SvScope *scope, const char *key, SvPresence presence, gsize min, gsize max)
{
  const json_t *json = find (scope, key, presence);
  gsize n;

  if (json == NULL)
    return NULL;
  if (!json_is_array (json))
  {
    fault_type (scope, key, "an array", json);
    return NULL;
  }
  n = json_array_size (json);
  if (n != min && min == max)
    sv_scope_fault (scope, key, "has %" G_GSIZE_FORMAT " item%s, exactly %" G_GSIZE_FORMAT " are needed", n, n == 1 ? "" : "s",
                    min);
  else if (n < min)
    sv_scope_fault (scope, key, "has %" G_GSIZE_FORMAT " items, at least %" G_GSIZE_FORMAT " are needed", n, min);
  else if (n > max)
    sv_scope_fault (scope, key, "has %" G_GSIZE_FORMAT " items, at most %" G_GSIZE_FORMAT " are allowed", n, max);
  else
    return json;
  return NULL;
}

void
sv_scope_warn_unknown (const SvScope *scope, const char *const *known)
{
  json_t *mutable = (json_t *)scope->json; /* iterating changes nothing */

  for (void *iter = json_object_iter (mutable); iter != NULL; iter = json_object_iter_next (mutable, iter))
  {
    const char *key = json_object_iter_key (iter);
    g_autofree char *pointer = NULL;

    if (g_strv_contains (known, key))
      continue;
    pointer = sv_pointer_key (scope->pointer, key);
    sv_faults_warn (scope->faults, pointer, "is not a known field");
  }
}
