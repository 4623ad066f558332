/* Making and comparing JSON values. Reading is in json_parse.c, writing in json_canonical.c and json_number.c. */
#include "base/json.h"

#include <string.h>

json_t *
sv_json_integer (guint64 value)
{
  g_assert (value <= SV_JSON_MAX_INTEGER);
  return json_real ((double)value);
}

gboolean
sv_json_get_integer (const json_t *json, guint64 *value)
{
  double number = json_is_number (json) ? json_number_value (json) : -1;
  if (!(number >= 0 && number <= (double)SV_JSON_MAX_INTEGER && (double)(guint64)number == number))
    return FALSE;
  *value = (guint64)number;
  return TRUE;
}

json_t *
sv_json_string_or_null (const char *text)
{
  return text != NULL ? json_string (text) : json_null ();
}

static gboolean
strings_equal (const json_t *a, const json_t *b)
{
  gsize length = json_string_length (a);

  return length == json_string_length (b) && memcmp (json_string_value (a), json_string_value (b), length) == 0;
}

static gboolean
arrays_equal (const json_t *a, const json_t *b)
{
  gsize n = json_array_size (a);

  if (n != json_array_size (b))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (!sv_json_equal (json_array_get (a, i), json_array_get (b, i)))
      return FALSE;
  return TRUE;
}

static gboolean
objects_equal (const json_t *a, const json_t *b)
{
  json_t *mutable = (json_t *)a; /* iterating changes nothing */

  if (json_object_size (a) != json_object_size (b))
    return FALSE;
  for (void *iter = json_object_iter (mutable); iter != NULL; iter = json_object_iter_next (mutable, iter))
  {
    const json_t *other = json_object_getn (b, json_object_iter_key (iter), json_object_iter_key_len (iter));

    if (other == NULL || !sv_json_equal (json_object_iter_value (iter), other))
      return FALSE;
  }
  return TRUE;
}

gboolean
sv_json_equal (const json_t *a, const json_t *b)
{
  if (json_is_number (a) && json_is_number (b))
    return json_number_value (a) == json_number_value (b);
  if (json_typeof (a) != json_typeof (b))
    return FALSE;
  if (json_is_string (a))
    return strings_equal (a, b);
  if (json_is_array (a))
    return arrays_equal (a, b);
  return json_is_object (a) ? objects_equal (a, b) : TRUE;
}
