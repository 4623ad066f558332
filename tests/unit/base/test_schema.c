/* Cases: for each reader a field that is right, absent and null (optional and required), of each other type, and on and beyond
 * its limits; scopes inside scopes; pointers with escapes; unknown fields. One document serves all of them. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "base/schema.h"

static const char document[] =
    "{\"string\": \"x\", \"empty\": \"\", \"nul\": \"a\\u0000b\", \"number\": 0.5, \"integer\": 7, \"big\": "
    "9007199254740991, \"bigger\": 9007199254740992, \"negative\": -1, \"boolean\": true, \"off\": "
    "false, \"null\": null, \"array\": [1, 2, 3], \"object\": {\"inner\": 1}, \"a/b~c\": 1}";

typedef struct
{
  json_t *json;
  SvFaults *faults;
  SvScope scope;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  fixture->json = sv_json_parse ("document", document, strlen (document), sizeof document, NULL);
  fixture->faults = sv_faults_new ();
  g_assert_true (sv_scope_init (&fixture->scope, fixture->json, "/top", fixture->faults));
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  sv_scope_clear (&fixture->scope);
  sv_faults_free (fixture->faults);
  json_decref (fixture->json);
}

/* There is exactly this fault since the last call. */
static void
assert_fault (Fixture *fixture, const char *pointer, const char *message)
{
  const SvFault *fault;

  g_assert_cmpuint (fixture->faults->items->len, ==, 1);
  fault = fixture->faults->items->pdata[0];
  g_assert_cmpstr (fault->pointer, ==, pointer);
  g_assert_cmpstr (fault->message, ==, message);
  g_ptr_array_set_size (fixture->faults->items, 0);
}

static void
assert_no_fault (Fixture *fixture)
{
  g_assert_cmpuint (fixture->faults->items->len, ==, 0);
}

static void
test_string (Fixture *f, gconstpointer unused)
{
  g_assert_cmpstr (sv_scope_string (&f->scope, "string", SV_REQUIRED), ==, "x");
  g_assert_cmpstr (sv_scope_string (&f->scope, "empty", SV_OPTIONAL), ==, "");
  g_assert_null (sv_scope_string (&f->scope, "absent", SV_OPTIONAL));
  g_assert_null (sv_scope_string (&f->scope, "null", SV_OPTIONAL));
  assert_no_fault (f);
  g_assert_null (sv_scope_string (&f->scope, "absent", SV_REQUIRED));
  assert_fault (f, "/top/absent", "is missing");
  g_assert_null (sv_scope_string (&f->scope, "null", SV_REQUIRED));
  assert_fault (f, "/top/null", "must not be null");
  g_assert_null (sv_scope_string (&f->scope, "nul", SV_OPTIONAL));
  assert_fault (f, "/top/nul", "must not hold a NUL character");
  g_assert_null (sv_scope_string (&f->scope, "number", SV_OPTIONAL));
  assert_fault (f, "/top/number", "must be a string, not a number; put it in quotes");
  g_assert_null (sv_scope_string (&f->scope, "boolean", SV_OPTIONAL));
  assert_fault (f, "/top/boolean", "must be a string, not a boolean; put it in quotes");
  g_assert_null (sv_scope_string (&f->scope, "array", SV_OPTIONAL));
  assert_fault (f, "/top/array", "must be a string, not an array");
}

static void
test_number (Fixture *f, gconstpointer unused)
{
  double value = -7;

  g_assert_true (sv_scope_number (&f->scope, "number", SV_REQUIRED, 0.5, 0.5, &value));
  g_assert_cmpfloat (value, ==, 0.5);
  g_assert_true (sv_scope_number (&f->scope, "integer", SV_OPTIONAL, -INFINITY, INFINITY, &value));
  g_assert_cmpfloat (value, ==, 7);
  g_assert_false (sv_scope_number (&f->scope, "absent", SV_OPTIONAL, 0, 1, &value));
  assert_no_fault (f);
  g_assert_false (sv_scope_number (&f->scope, "absent", SV_REQUIRED, 0, 1, &value));
  assert_fault (f, "/top/absent", "is missing");
  g_assert_false (sv_scope_number (&f->scope, "number", SV_REQUIRED, 0.6, 1, &value));
  assert_fault (f, "/top/number", "must be at least 0.6, not 0.5");
  g_assert_false (sv_scope_number (&f->scope, "integer", SV_REQUIRED, 0, 1, &value));
  assert_fault (f, "/top/integer", "must be at most 1, not 7");
  g_assert_false (sv_scope_number (&f->scope, "string", SV_REQUIRED, 0, 1, &value));
  assert_fault (f, "/top/string", "must be a number, not a string");
  g_assert_cmpfloat (value, ==, 7);
}

static void
test_integer (Fixture *f, gconstpointer unused)
{
  static const char *const wrong[] = { "number", "negative", "bigger" };
  guint64 value = 1;

  g_assert_true (sv_scope_integer (&f->scope, "big", SV_REQUIRED, &value));
  g_assert_cmpuint (value, ==, SV_JSON_MAX_INTEGER);
  g_assert_false (sv_scope_integer (&f->scope, "null", SV_OPTIONAL, &value));
  assert_no_fault (f);
  g_assert_false (sv_scope_integer (&f->scope, "null", SV_REQUIRED, &value));
  assert_fault (f, "/top/null", "must not be null");
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
  {
    g_autofree char *pointer = g_strconcat ("/top/", wrong[i], NULL);
    g_assert_false (sv_scope_integer (&f->scope, wrong[i], SV_OPTIONAL, &value));
    assert_fault (f, pointer, "must be an integer from 0 to 9007199254740991");
  }
  g_assert_false (sv_scope_integer (&f->scope, "string", SV_OPTIONAL, &value));
  assert_fault (f, "/top/string", "must be an integer, not a string");
  g_assert_cmpuint (value, ==, SV_JSON_MAX_INTEGER);
}

static void
test_boolean (Fixture *f, gconstpointer unused)
{
  gboolean value = FALSE;

  g_assert_true (sv_scope_boolean (&f->scope, "boolean", SV_REQUIRED, &value));
  g_assert_true (value);
  g_assert_true (sv_scope_boolean (&f->scope, "off", SV_REQUIRED, &value));
  g_assert_false (value);
  g_assert_false (sv_scope_boolean (&f->scope, "absent", SV_OPTIONAL, &value));
  assert_no_fault (f);
  g_assert_false (sv_scope_boolean (&f->scope, "absent", SV_REQUIRED, &value));
  assert_fault (f, "/top/absent", "is missing");
  g_assert_false (sv_scope_boolean (&f->scope, "integer", SV_OPTIONAL, &value));
  assert_fault (f, "/top/integer", "must be true or false, not a number");
}

static void
test_array (Fixture *f, gconstpointer unused)
{
  g_assert_nonnull (sv_scope_array (&f->scope, "array", SV_REQUIRED, 3, 3));
  g_assert_null (sv_scope_array (&f->scope, "absent", SV_OPTIONAL, 1, 2));
  assert_no_fault (f);
  g_assert_null (sv_scope_array (&f->scope, "absent", SV_REQUIRED, 1, 2));
  assert_fault (f, "/top/absent", "is missing");
  g_assert_null (sv_scope_array (&f->scope, "array", SV_REQUIRED, 4, 5));
  assert_fault (f, "/top/array", "has 3 items, at least 4 are needed");
  g_assert_null (sv_scope_array (&f->scope, "array", SV_REQUIRED, 4, 4));
  assert_fault (f, "/top/array", "has 3 items, exactly 4 are needed");
  g_assert_null (sv_scope_array (&f->scope, "array", SV_REQUIRED, 0, 2));
  assert_fault (f, "/top/array", "has 3 items, at most 2 are allowed");
  g_assert_null (sv_scope_array (&f->scope, "object", SV_REQUIRED, 0, 2));
  assert_fault (f, "/top/object", "must be an array, not an object");
}

static void
test_object (Fixture *f, gconstpointer unused)
{
  g_auto (SvScope) child = { 0 };
  g_auto (SvScope) absent = { 0 };
  g_auto (SvScope) missing = { 0 };
  g_auto (SvScope) mistyped = { 0 };
  guint64 value = 0;

  g_assert_true (sv_scope_object (&f->scope, "object", SV_REQUIRED, &child));
  g_assert_true (sv_scope_integer (&child, "inner", SV_REQUIRED, &value));
  g_assert_false (sv_scope_object (&f->scope, "absent", SV_OPTIONAL, &absent));
  assert_no_fault (f);
  g_assert_false (sv_scope_integer (&child, "absent", SV_REQUIRED, &value));
  assert_fault (f, "/top/object/absent", "is missing");
  g_assert_false (sv_scope_object (&f->scope, "absent", SV_REQUIRED, &missing));
  assert_fault (f, "/top/absent", "is missing");
  g_assert_false (sv_scope_object (&f->scope, "array", SV_OPTIONAL, &mistyped));
  assert_fault (f, "/top/array", "must be an object, not an array");
}

static void
test_init_of_what_is_no_object (Fixture *f, gconstpointer unused)
{
  g_auto (SvScope) array = { 0 };
  g_auto (SvScope) nothing = { 0 };

  g_assert_false (sv_scope_init (&array, json_object_get (f->json, "array"), "", f->faults));
  assert_fault (f, "", "must be an object, not an array");
  g_assert_false (sv_scope_init (&nothing, NULL, "", f->faults));
  assert_fault (f, "", "must be an object, but there is none");
}

static void
test_fault (Fixture *f, gconstpointer unused)
{
  sv_scope_fault (&f->scope, "a/b~c", "is %d%%", 100);
  assert_fault (f, "/top/a~1b~0c", "is 100%");
  sv_scope_fault (&f->scope, NULL, "is wrong");
  assert_fault (f, "/top", "is wrong");
}

static void
test_warn_unknown (Fixture *f, gconstpointer unused)
{
  static const char *const known[] = { "string",  "empty", "nul",  "number", "integer", "big",       "bigger", "negative",
                                       "boolean", "off",   "null", "array",  "object",  "not there", NULL };

  sv_scope_warn_unknown (&f->scope, known);
  g_assert_cmpuint (f->faults->n_warnings, ==, 1);
  g_assert_cmpuint (f->faults->n_errors, ==, 0);
  assert_fault (f, "/top/a~1b~0c", "is not a known field");
}

static void
test_pointers (void)
{
  g_autofree char *key = sv_pointer_key ("/elements/2", "a/b~c");
  g_autofree char *empty = sv_pointer_key ("", "");
  g_autofree char *item = sv_pointer_index ("/elements", 12);

  g_assert_cmpstr (key, ==, "/elements/2/a~1b~0c");
  g_assert_cmpstr (empty, ==, "/");
  g_assert_cmpstr (item, ==, "/elements/12");
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/schema/string", test_string);
  ADD ("/schema/number", test_number);
  ADD ("/schema/integer", test_integer);
  ADD ("/schema/boolean", test_boolean);
  ADD ("/schema/array", test_array);
  ADD ("/schema/object", test_object);
  ADD ("/schema/init-of-what-is-no-object", test_init_of_what_is_no_object);
  ADD ("/schema/fault", test_fault);
  ADD ("/schema/warn-unknown", test_warn_unknown);
  g_test_add_func ("/schema/pointers", test_pointers);
  return g_test_run ();
}
