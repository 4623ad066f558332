/* Cases:
 *  the vectors of RFC 8785's authors, byte for byte; order of keys by UTF-16 code units; each kind of escape
 *  bytes compared with what would be written: the vectors' outputs are canonical, their inputs and every change of one byte are
 *  not, nor what is cut short or goes on
 *  what cannot be written: NaN, infinities, integers beyond 2^53 - 1, nesting deeper than 64
 *  the five forms of Number::toString and the numbers at which they change; powers of two, where the shortest digits are
 *  not the nearest; decimals as people write them; a locale with a decimal comma
 *  comparing with a text instead of writing one: the same, longer, shorter, different early and late, unwritable
 *  pretty: order of insertion, empty containers; equal: each type; the makers */
#include <glib.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

static char *
vector_path (const char *folder, const char *name, const char *suffix)
{
  const char *shared = g_getenv ("SCOREVISION_SHARED");
  g_autofree char *file = g_strconcat (name, suffix, NULL);

  if (shared == NULL)
    return g_build_filename (SV_SOURCE_ROOT, "..", "shared", "vectors", "jcs", folder, file, NULL);
  return g_build_filename (shared, "vectors", "jcs", folder, file, NULL);
}

static GBytes *
vector_read (const char *folder, const char *name, const char *suffix)
{
  g_autofree char *path = vector_path (folder, name, suffix);
  g_autoptr (GError) error = NULL;
  char *content = NULL;
  gsize length = 0;

  g_file_get_contents (path, &content, &length, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (content, length);
}

/* "7b 22\n6c" -> "7b226c" */
static char *
without_spaces (GBytes *text)
{
  GString *out = g_string_new (NULL);
  gsize length;
  const char *p = g_bytes_get_data (text, &length);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isspace (p[i]))
      g_string_append_c (out, p[i]);
  return g_string_free (out, FALSE);
}

static void
check_vector (const char *name)
{
  g_autoptr (GBytes) input = vector_read ("input", name, ".json");
  g_autoptr (GBytes) output = vector_read ("output", name, ".json");
  g_autoptr (GBytes) outhex = vector_read ("outhex", name, ".txt");
  g_autofree char *expected_hex = without_spaces (outhex);
  g_autoptr (GError) error = NULL;
  gsize length;
  const void *data = g_bytes_get_data (input, &length);
  g_autoptr (json_t) value = sv_json_parse (name, data, length, length, &error);
  g_autoptr (GBytes) canonical = NULL;
  g_autofree char *hex = NULL;

  g_assert_no_error (error);
  canonical = sv_json_canonical (value, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (canonical, NULL), g_bytes_get_size (canonical), g_bytes_get_data (output, NULL),
                   g_bytes_get_size (output));
  hex = sv_hex_encode (g_bytes_get_data (canonical, NULL), g_bytes_get_size (canonical));
  g_assert_cmpstr (hex, ==, expected_hex);
  g_assert_true (sv_json_is_canonical (value, g_bytes_get_data (output, NULL), g_bytes_get_size (output)));
  g_assert_false (sv_json_is_canonical (value, data, length));
}

static gboolean
is_canonical (const char *text, gsize length)
{
  static const char value[] = "{\"b\":[1,-0.5,true,false,null,{}],\"a\":\"\\u0007\\n\\\\\u00e9\"}";
  g_autoptr (json_t) json = sv_json_parse ("value", value, strlen (value), 1024, NULL);

  g_assert_nonnull (json);
  return sv_json_is_canonical (json, text, length);
}

static void
test_compare (void)
{
  static const char text[] = "{\"a\":\"\\u0007\\n\\\\\u00e9\",\"b\":[1,-0.5,true,false,null,{}]}";
  gsize length = strlen (text);
  g_autofree char *longer = g_strconcat (text, "}", NULL);

  g_assert_true (is_canonical (text, length));
  g_assert_false (is_canonical (longer, length + 1));
  for (gsize i = 0; i < length; i++)
  {
    g_autofree char *changed = g_strdup (text);

    changed[i] ^= 1;
    g_assert_false (is_canonical (changed, length));
    g_assert_false (is_canonical (text, i));
  }
}

static void
test_vectors (void)
{
  g_autofree char *first = vector_path ("input", "arrays", ".json");

  if (!g_file_test (first, G_FILE_TEST_EXISTS))
  {
    g_autofree char *message = g_strdup_printf ("NOT TESTED: no RFC 8785 vectors at %s; set SCOREVISION_SHARED", first);
    g_test_skip (message);
    return;
  }
  check_vector ("arrays");
  check_vector ("french");
  check_vector ("structures");
  check_vector ("values");
}

static void
assert_canonical (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) value = sv_json_parse ("it", text, strlen (text), 4096, &error);
  g_autofree char *canonical = NULL;

  g_assert_no_error (error);
  canonical = sv_json_canonical_string (value);
  g_assert_cmpstr (canonical, ==, expected);
}

static void
test_key_order (void)
{
  assert_canonical ("{\"b\":1,\"a\":1,\"\":1,\"ab\":1,\"A\":1}", "{\"\":1,\"A\":1,\"a\":1,\"ab\":1,\"b\":1}");
  /* U+1F600 is D83D DE00, before U+E000 and U+FFFD, behind U+D7FF */
  assert_canonical ("{\"\\ufffd\":1,\"\\ud83d\\ude00\":2,\"\\ue000\":3,\"\\ud7ff\":4}",
                    "{\"\xed\x9f\xbf\":4,\"\xf0\x9f\x98\x80\":2,\"\xee\x80\x80\":3,\"\xef\xbf\xbd\":1}");
  assert_canonical ("{\"a\\ue000\":1,\"a\\ud83d\\ude01\":2,\"a\\ud83d\\ude00\":3,\"a\":4}",
                    "{\"a\":4,\"a\xf0\x9f\x98\x80\":3,\"a\xf0\x9f\x98\x81\":2,\"a\xee\x80\x80\":1}");
}

static void
test_escapes (void)
{
  assert_canonical ("\"\\b\\t\\n\\f\\r\\\"\\\\\\/\\u0000\\u001f\\u007f\\u00e9\\u2028<\"",
                    "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u0000\\u001f\x7f\xc3\xa9\xe2\x80\xa8<\"");
  assert_canonical ("{\"\\n\":\"\\u000B\"}", "{\"\\n\":\"\\u000b\"}");
}

static void
assert_unwritable (json_t *value, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) array = json_pack ("[o]", value);

  g_assert_null (sv_json_canonical (array, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_cmpstr (error->message, ==, message);
}

static json_t *
nested_array (guint depth)
{
  json_t *value = json_array ();

  for (guint i = 1; i < depth; i++)
  {
    json_t *outer = json_array ();
    json_array_append_new (outer, value);
    value = outer;
  }
  return value;
}

static void
test_what_cannot_be_written (void)
{
  assert_unwritable (json_integer (G_GINT64_CONSTANT (9007199254740992)), "cannot write JSON: an integer lies beyond 2^53 - 1");
  assert_unwritable (json_integer (G_GINT64_CONSTANT (-9007199254740992)),
                     "cannot write JSON: an integer lies beyond 2^53 - 1");
  assert_unwritable (json_integer (G_MININT64), "cannot write JSON: an integer lies beyond 2^53 - 1");
  assert_unwritable (nested_array (64), "cannot write JSON: nesting is deeper than 64");
}

static void
test_what_can_just_be_written (void)
{
  g_autoptr (json_t) integers =
      json_pack ("[I, I]", G_GINT64_CONSTANT (9007199254740991), G_GINT64_CONSTANT (-9007199254740991));
  g_autoptr (json_t) deep = nested_array (64);
  g_autofree char *text = sv_json_canonical_string (integers);
  g_autoptr (GBytes) bytes = sv_json_canonical (deep, NULL);

  g_assert_cmpstr (text, ==, "[9007199254740991,-9007199254740991]");
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 128);
}

static void
test_no_value_holds_nan (void)
{
  g_assert_null (json_real (NAN));
  g_assert_null (json_real (INFINITY));
}

static const struct
{
  double number;
  const char *text;
} forms[] = {
  { 0.0, "0" },
  { -0.0, "0" },
  { 1, "1" },
  { -1.5, "-1.5" },
  { 0.1, "0.1" },
  { 100, "100" },
  { 123456789.125, "123456789.125" },
  { 1e20, "100000000000000000000" },
  { 123456789012345680000.0, "123456789012345680000" },
  { 1e21, "1e+21" },
  { -1e21, "-1e+21" },
  { 1.25e21, "1.25e+21" },
  { 1e-6, "0.000001" },
  { 1.5e-6, "0.0000015" },
  { 1e-7, "1e-7" },
  { 1.5e-7, "1.5e-7" },
  { 9007199254740991.0, "9007199254740991" },
  { 9007199254740992.0, "9007199254740992" },
  { 9007199254740994.0, "9007199254740994" },
  { 2251799813685249.5, "2251799813685249.5" },
  { 295147905179352825856.0, "295147905179352830000" },
  { 0.30000000000000004, "0.30000000000000004" },
  { 5e-324, "5e-324" },
  { 1e-323, "1e-323" },
  { 2.225073858507201e-308, "2.225073858507201e-308" },
  { 2.2250738585072014e-308, "2.2250738585072014e-308" },
  { 1.7976931348623157e308, "1.7976931348623157e+308" },
  { 9.007199254740993e15, "9007199254740992" },
  { 0x1p-44, "5.684341886080802e-14" },
  { 0x1p89, "6.189700196426902e+26" },
  { 0x1p-1017, "7.120236347223045e-307" },
  { 9.5367431640625e-7, "9.5367431640625e-7" },
  { 4.35, "4.35" },
  { 1e23, "1e+23" },
  { 333333333.33333329, "333333333.3333333" },
};

static void
test_number_forms (void)
{
  char text[32];

  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
  {
    sv_json_format_number (forms[i].number, text);
    g_assert_cmpstr (text, ==, forms[i].text);
  }
}

static void
test_numbers_read_back (void)
{
  char text[32];

  for (guint i = 0; i < 20000; i++)
  {
    guint64 bits = (guint64)g_test_rand_int () << 32 | (guint32)g_test_rand_int ();
    double number;

    memcpy (&number, &bits, sizeof number);
    if (!isfinite (number))
      continue;
    sv_json_format_number (number, text);
    g_assert_cmpfloat (g_ascii_strtod (text, NULL), ==, number);
    g_assert_cmpuint (strlen (text), <, sizeof text);
  }
}

/* Up to fifteen digits come back as they were written, wherever the point stands. */
static void
test_written_decimals_come_back (void)
{
  for (guint i = 0; i < 20000; i++)
  {
    char written[64], text[32];
    int whole = g_test_rand_int_range (0, i % 2 == 0 ? 10 : 10000000);
    int n_decimals = g_test_rand_int_range (1, 9);
    g_autofree char *decimals = g_strdup_printf ("%08d", g_test_rand_int_range (0, 100000000));
    g_snprintf (written, sizeof written, "%d.%.*s9", whole, n_decimals - 1, decimals);
    double number = g_ascii_strtod (written, NULL);
    if (number < 1e-6)
      continue; /* written with an exponent */
    sv_json_format_number (number, text);
    g_assert_cmpstr (text, ==, written);
  }
}

static void
test_locale_does_not_matter (void)
{
  static const char *const with_comma[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR" };
  gboolean is_set = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (with_comma) && !is_set; i++)
    is_set = setlocale (LC_NUMERIC, with_comma[i]) != NULL;
  if (is_set)
  {
    assert_canonical ("[0.5,1e-7,123.456]", "[0.5,1e-7,123.456]");
    setlocale (LC_NUMERIC, "C");
  }
  else
    g_test_skip ("no locale with a decimal comma is installed");
}

static void
test_pretty (void)
{
  g_autoptr (json_t) value = json_pack ("{s:f, s:[b, n], s:{}, s:[]}", "b", 1.0, "a", TRUE, "c", "d");
  g_autofree char *text = sv_json_pretty (value);

  g_assert_cmpstr (text, ==, "{\n  \"b\": 1,\n  \"a\": [\n    true,\n    null\n  ],\n  \"c\": {},\n  \"d\": []\n}\n");
}

static gboolean
are_equal (const char *a, const char *b)
{
  g_autoptr (json_t) x = json_loads (a, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
  g_autoptr (json_t) y = json_loads (b, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

  g_assert_true (x != NULL && y != NULL);
  g_assert_cmpint (sv_json_equal (x, y), ==, sv_json_equal (y, x));
  return sv_json_equal (x, y);
}

static void
test_equal (void)
{
  g_assert_true (are_equal ("5", "5.0"));
  g_assert_true (are_equal ("0.0", "-0.0"));
  g_assert_false (are_equal ("5", "6"));
  g_assert_false (are_equal ("5", "\"5\""));
  g_assert_true (are_equal ("\"a\\u0000b\"", "\"a\\u0000b\""));
  g_assert_false (are_equal ("\"a\\u0000b\"", "\"a\\u0000c\""));
  g_assert_false (are_equal ("\"a\"", "\"ab\""));
  g_assert_true (are_equal ("[1, true, null]", "[1.0, true, null]"));
  g_assert_false (are_equal ("[1, 2]", "[2, 1]"));
  g_assert_false (are_equal ("[1]", "[1, 1]"));
  g_assert_true (are_equal ("{\"a\": 1, \"b\": {\"c\": []}}", "{\"b\": {\"c\": []}, \"a\": 1.0}"));
  g_assert_false (are_equal ("{\"a\": 1}", "{\"a\": 1, \"b\": 1}"));
  g_assert_false (are_equal ("{\"a\": 1}", "{\"b\": 1}"));
  g_assert_false (are_equal ("{\"a\": 1}", "{\"a\": 2}"));
  g_assert_false (are_equal ("true", "false"));
  g_assert_false (are_equal ("{}", "[]"));
}

static void
test_makers (void)
{
  g_autoptr (json_t) integer = sv_json_integer (SV_JSON_MAX_INTEGER);
  g_autoptr (json_t) string = sv_json_string_or_null ("a");
  g_autoptr (json_t) null = sv_json_string_or_null (NULL);

  g_assert_true (json_is_real (integer));
  g_assert_cmpfloat (json_real_value (integer), ==, 9007199254740991.0);
  g_assert_cmpstr (json_string_value (string), ==, "a");
  g_assert_true (json_is_null (null));
}

/* Some MiB of numbers in arrays, so that pieces are compared and dropped on the way. */
static json_t *
make_large (void)
{
  json_t *rows = json_array ();
  for (guint i = 0; i < 2000; i++)
  {
    json_t *row = json_array ();
    for (guint k = 0; k < 200; k++)
      json_array_append_new (row, sv_json_integer (i * k));
    json_array_append_new (rows, row);
  }
  return json_pack ("{s:o, s:s}", "rows", rows, "z", "end");
}

static void
test_is_canonical (void)
{
  g_autoptr (json_t) value = make_large ();
  g_autoptr (GBytes) bytes = sv_json_canonical (value, NULL);
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);
  g_autofree char *changed = g_strndup (text, length);
  g_assert_true (sv_json_is_canonical (value, text, length));
  g_assert_false (sv_json_is_canonical (value, text, length - 1));
  g_assert_false (sv_json_is_canonical (value, changed, length + 1));
  g_assert_false (sv_json_is_canonical (value, text, 0));
  for (gsize at = 0; at < length; at += length / 7)
  {
    changed[at] ^= 1;
    g_assert_false (sv_json_is_canonical (value, changed, length));
    changed[at] ^= 1;
  }
  g_assert_true (sv_json_is_canonical (value, changed, length));
  g_autoptr (json_t) unwritable = json_integer (G_MAXINT64);
  g_assert_false (sv_json_is_canonical (unwritable, "9223372036854775807", 19));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/canonical/vectors", test_vectors);
  g_test_add_func ("/json/canonical/compare", test_compare);
  g_test_add_func ("/json/canonical/key-order", test_key_order);
  g_test_add_func ("/json/canonical/escapes", test_escapes);
  g_test_add_func ("/json/canonical/what-cannot-be-written", test_what_cannot_be_written);
  g_test_add_func ("/json/canonical/what-can-just-be-written", test_what_can_just_be_written);
  g_test_add_func ("/json/canonical/no-value-holds-nan", test_no_value_holds_nan);
  g_test_add_func ("/json/canonical/is-it", test_is_canonical);
  g_test_add_func ("/json/number/forms", test_number_forms);
  g_test_add_func ("/json/number/reads-back", test_numbers_read_back);
  g_test_add_func ("/json/number/written-decimals-come-back", test_written_decimals_come_back);
  g_test_add_func ("/json/number/locale-does-not-matter", test_locale_does_not_matter);
  g_test_add_func ("/json/pretty", test_pretty);
  g_test_add_func ("/json/equal", test_equal);
  g_test_add_func ("/json/makers", test_makers);
  return g_test_run ();
}
