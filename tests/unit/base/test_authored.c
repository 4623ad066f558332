/* Cases:
 *  the same document in block YAML, flow YAML and JSON; each kind of plain scalar of the core schema, and what only looks
 *  like one; strings in each style
 *  refused: aliases, anchors, tags, merge keys, duplicate keys, a second document, other versions, keys that are no strings,
 *  broken syntax, quotes in a row, nesting, hostile numbers, bytes that are no text, size, nothing at all; each with its place
 *  JSON: by name and by look, with places; its faults under a .json name
 *  places: of values, items, missing fields (nearest parent), escaped pointers; descriptions and paths */
#include <glib.h>
#include <string.h>

#include "base/authored.h"
#include "base/error.h"

#define MAX_SIZE (1024 * 1024)

static void
assert_reads_as (const char *name, const char *text, const char *canonical)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvPlaces) places = NULL;
  g_autoptr (json_t) value = sv_authored_parse (name, text, strlen (text), MAX_SIZE, &places, &error);
  g_autofree char *written = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (places);
  written = sv_json_canonical_string (value);
  g_assert_cmpstr (written, ==, canonical);
}

static void
assert_refused_bytes (const char *name, const void *data, gsize length, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvPlaces) places = NULL;
  g_autoptr (json_t) value = sv_authored_parse (name, data, length, MAX_SIZE, &places, &error);

  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_null (value);
  g_assert_null (places);
  if (!g_str_has_prefix (error->message, message))
    g_error ("expected \"%s…\", got \"%s\"", message, error->message);
}

static void
assert_refused (const char *text, const char *message)
{
  assert_refused_bytes ("m.yaml", text, strlen (text), message);
}

static void
assert_scalar (const char *plain, const char *canonical)
{
  g_autofree char *text = g_strdup_printf ("a: %s\n", plain);
  g_autofree char *expected = g_strdup_printf ("{\"a\":%s}", canonical);

  assert_reads_as ("m.yaml", text, expected);
}

static void
test_forms_of_a_document (void)
{
  const char *expected =
      "{\"elements\":[{\"id\":\"PlayerDetect_v1@1.0\",\"theta\":0.78},{\"id\":\"b\"}],\"window_id\":\"2025-10-23\"}";

  assert_reads_as ("m.yaml",
                   "# a comment\n---\nwindow_id: 2025-10-23 # today\nelements:\n- id: PlayerDetect_v1@1.0\n  theta: 0.78\n-\n"
                   "  id: b\n...\n",
                   expected);
  assert_reads_as ("m.yaml", "{window_id: 2025-10-23, elements: [{id: PlayerDetect_v1@1.0, theta: .78}, {\"id\": 'b',}]}",
                   expected);
  assert_reads_as ("m.yaml",
                   "{\"window_id\": \"2025-10-23\",\n\t\"elements\": [{\"id\": \"PlayerDetect_v1@1.0\", \"theta\": 7.8e-1}, "
                   "{\"id\": \"\\u0062\"}]}",
                   expected);
  assert_reads_as ("m.yaml",
                   "\xef\xbb\xbf"
                   "a: 1\r\nb: 2\r\n",
                   "{\"a\":1,\"b\":2}");
  assert_reads_as ("m.yaml", "%YAML 1.2\n---\na: 1\n", "{\"a\":1}");
}

static void
test_core_schema (void)
{
  static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
  static const char *const trues[] = { "true", "True", "TRUE" };
  static const char *const falses[] = { "false", "False", "FALSE" };
  static const char *const strings[] = {
    "yes",  "no",    "on",      "off",   "y",   "n",   "nULL", "tRUE",       "1_000",
    "1:30", "0b11",  "0x",      "0xg",   "0o8", "0o",  "-0x1", "1e",         "1e+",
    ".",    "+",     ".e1",     "1.2.3", "e5",  "inf", "nan",  "2025-10-23", "2025-10-23T00:00:00Z",
    "1.0@", "0x1p3", "infinity"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (nulls); i++)
    assert_scalar (nulls[i], "null");
  for (gsize i = 0; i < G_N_ELEMENTS (trues); i++)
    assert_scalar (trues[i], "true");
  for (gsize i = 0; i < G_N_ELEMENTS (falses); i++)
    assert_scalar (falses[i], "false");
  for (gsize i = 0; i < G_N_ELEMENTS (strings); i++)
  {
    g_autofree char *quoted = g_strdup_printf ("\"%s\"", strings[i]);
    assert_scalar (strings[i], quoted);
  }
}

/* Quotes that follow on each other in single quotes the library misreads, so they are not read at all. */
static void
test_quotes_in_a_row (void)
{
  static const char *const misread[] = { "a: ''''''", "a: 'b''''c'", "a: 'b c''''d e''f'" };
  static const char message[] = "a text that cannot be read; put one with several quotes in a row into double quotes";
  g_autofree char *of_value = g_strconcat ("m.yaml:1:4: ", message, NULL),
                  *of_key = g_strconcat ("m.yaml:1:2: ", message, NULL);
  assert_scalar ("''''", "\"'\"");
  assert_scalar ("'b''c''d'", "\"b'c'd\"");
  assert_scalar ("\"b''c\"", "\"b''c\"");
  for (gsize i = 0; i < G_N_ELEMENTS (misread); i++)
    assert_refused (misread[i], of_value);
  assert_refused ("{'b''''c': 1}", of_key);
}

static void
test_numbers (void)
{
  assert_scalar ("0", "0");
  assert_scalar ("-0", "0");
  assert_scalar ("007", "7");
  assert_scalar ("+12", "12");
  assert_scalar ("-12", "-12");
  assert_scalar ("1.3", "1.3");
  assert_scalar ("1.", "1");
  assert_scalar (".5", "0.5");
  assert_scalar ("-.5e-1", "-0.05");
  assert_scalar ("1E3", "1000");
  assert_scalar ("0x1F", "31");
  assert_scalar ("0o17", "15");
  assert_scalar ("0x1fffffffffffff", "9007199254740991");
  assert_scalar ("9007199254740992", "9007199254740992");
  assert_scalar ("000000000000000000000000000000001", "1");
  assert_scalar ("1e-400", "0");
  assert_scalar ("\"1\"", "\"1\"");
  assert_refused ("a: 9007199254740993", "m.yaml:1:4: the integer is not exact as a double");
  assert_refused ("a: -9007199254740993", "m.yaml:1:4: the integer is not exact as a double");
  assert_refused ("a: 0x20000000000001", "m.yaml:1:4: the integer is not exact as a double");
  assert_refused ("a: 0xffffffffffffffffffffffff", "m.yaml:1:4: the integer is not exact as a double");
  assert_refused ("a: 1e400", "m.yaml:1:4: the number is too large");
  assert_refused ("- a: [1, -1.5e999]", "m.yaml:1:10: the number is too large");
  assert_refused ("a: .inf", "m.yaml:1:4: a number must be finite");
  assert_refused ("a: -.INF", "m.yaml:1:4: a number must be finite");
  assert_refused ("a: .nan", "m.yaml:1:4: a number must be finite");
}

static void
test_integers_of_any_length (void)
{
  g_autofree char *ones = g_strnfill (100000, '1');
  g_autofree char *text = g_strconcat ("a: ", ones, NULL);

  assert_refused (text, "m.yaml:1:4: the number is too large");
}

static void
test_strings (void)
{
  assert_scalar ("'it''s'", "\"it's\"");
  assert_scalar ("\"\\x41\\u00e9\\U0001F600\\n\\/\"", "\"A\xc3\xa9\xf0\x9f\x98\x80\\n/\"");
  assert_scalar ("\"\\0\"", "\"\\u0000\"");
  assert_scalar ("|\n  x\n  y", "\"x\\ny\\n\"");
  assert_scalar (">-\n  x\n  y", "\"x y\"");
  assert_scalar ("''", "\"\"");
  assert_scalar ("'null'", "\"null\"");
}

static void
test_keys (void)
{
  assert_reads_as ("m.yaml", "1: a\ntrue: b\n'': c\n\"<<\": d\n", "{\"\":\"c\",\"1\":\"a\",\"<<\":\"d\",\"true\":\"b\"}");
  assert_refused ("a: 1\nb: 2\n\"a\": 3\n", "m.yaml:3:1: the key \"a\" is there twice");
  assert_refused ("a: {b: 1, b: 2}", "m.yaml:1:11: the key \"b\" is there twice");
  assert_refused ("? [a]\n: 1\n", "m.yaml:1:3: a key must be a string");
  assert_refused ("? {a: 1}\n: 1\n", "m.yaml:1:");
  assert_refused (": 1\n", "m.yaml:1:1: a key is missing");
  assert_refused ("\"a\\0b\": 1\n", "m.yaml:1:1: a key must not hold a NUL");
  assert_refused ("<<: {a: 1}\n", "m.yaml:1:1: merge keys are not allowed");
}

static void
test_what_yaml_has_and_we_do_not (void)
{
  assert_refused ("a: &x 1\nb: *x\n", "m.yaml:1:4: anchors are not allowed");
  assert_refused ("a: 1\nb: *x\n", "m.yaml:2:4: aliases are not allowed");
  assert_refused ("a:\n  - !!str 1\n", "m.yaml:2:5: tags are not allowed");
  assert_refused ("a: !x {b: 1}\n", "m.yaml:1:4: tags are not allowed");
  assert_refused ("! a", "m.yaml:1:1: tags are not allowed");
  assert_refused ("%TAG ! !foo\n---\na: 1\n", "m.yaml:2:1: tags are not allowed");
  assert_refused ("%YAML 1.1\n---\na: yes\n", "m.yaml:2:1: only YAML 1.2 is read");
  assert_refused ("a: 1\n---\nb: 1\n", "m.yaml:2:1: a second document begins");
}

static void
test_broken_syntax (void)
{
  assert_refused ("a:\n  b: 1\n c: 2\n", "m.yaml:3:2: ");
  assert_refused ("a: [1, 2\n", "m.yaml:2:1: ");
  assert_refused ("a: 'x\n", "m.yaml:");
  assert_refused ("a:\n\tb: 1\n", "m.yaml:2:1: ");
  assert_refused ("a: b: c\n", "m.yaml:1:");
  assert_refused ("a: @x\n", "m.yaml:1:4: ");
  assert_refused ("a: \"\\q\"\n", "m.yaml:1:");
  assert_refused ("a: \"\\ud800\"\n", "m.yaml:1:");
  assert_refused ("}", "m.yaml:1:1: ");
}

static void
test_nothing_at_all (void)
{
  assert_refused ("", "m.yaml:1:1: it is empty");
  assert_refused (" \n\n", "m.yaml:1:1: it is empty");
  assert_refused ("# only a comment\n", "m.yaml:1:1: it is empty");
}

static void
test_nesting (void)
{
  g_autofree char *opens = g_strnfill (64, '[');
  g_autofree char *closes = g_strnfill (64, ']');
  g_autofree char *deepest = g_strconcat (opens, closes, NULL);
  g_autofree char *flow = g_strconcat ("a: ", deepest, NULL);
  g_autofree char *hostile = g_strnfill (200000, '[');
  g_autoptr (GString) dashes = g_string_new (NULL);

  for (guint i = 0; i < 100000; i++)
    g_string_append (dashes, "- ");
  assert_reads_as ("m.yaml", deepest, deepest);
  assert_refused (flow, "m.yaml:1:67: nesting is deeper than 64");
  assert_refused (hostile, "m.yaml:1:65: nesting is deeper than 64");
  assert_refused (dashes->str, "m.yaml:1:129: nesting is deeper than 64");
  assert_refused_bytes ("m.json", hostile, strlen (hostile), "m.json:1:65: nesting is deeper than 64");
}

static void
test_bytes_that_are_no_text (void)
{
  assert_refused ("a: 1\nb: \xff\n", "m.yaml:2:4: not valid UTF-8");
  assert_refused ("a: \xed\xa0\x80", "m.yaml:1:4: not valid UTF-8");
  assert_refused ("\xff\xfe"
                  "a",
                  "m.yaml:1:1: not valid UTF-8");
  assert_refused ("a: \x1b[2J", "m.yaml:1:4: a control character");
  assert_refused ("a: \x7f", "m.yaml:1:4: a control character");
  assert_refused_bytes ("m.yaml", "a: \0", 4, "m.yaml:1:4: a NUL byte");
  assert_refused_bytes ("m.json", "{\"a\":\0}", 7, "m.json:1:6: a NUL byte");
}

static void
test_size (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) fits = sv_authored_parse ("m.yaml", "a: 1", 4, 4, NULL, &error);
  g_autoptr (json_t) too_large = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (fits);
  too_large = sv_authored_parse ("m.yaml", "a: 12", 5, 4, NULL, &error);
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_cmpstr (error->message, ==, "m.yaml:1:1: 5 bytes are more than the 4 allowed");
}

static void
test_json (void)
{
  assert_reads_as ("m.json", "[\"\\ud83d\\ude00\\/\"]", "[\"\xf0\x9f\x98\x80/\"]");
  assert_reads_as ("m.json", " 7 ", "7");
  assert_reads_as ("m.yaml", "{\"a\":\n\t[1]}", "{\"a\":[1]}");
  assert_refused_bytes ("m.json", "{a: 1}", 6, "m.json:1:");
  assert_refused_bytes ("m.json", "{\"a\":1,\n\"a\":2}", 14, "m.json:2:");
  assert_refused_bytes ("m.json", "", 0, "m.json:1:1: it is empty");
  assert_refused_bytes ("m.json", "[1.5,\n 9007199254740993]", 24, "m.json:2:2: the integer is not exact");
}

static void
test_messages_cannot_be_forged (void)
{
  assert_refused ("\"a\\x1b\\n\": 1\n\"a\\x1b\\n\": 2\n", "m.yaml:2:1: the key \"a\\u001b\\u000a\" is there twice");
}

static void
assert_place (const SvPlaces *places, const char *pointer, guint line, guint column)
{
  guint found_line = 0;
  guint found_column = 0;

  sv_places_find (places, pointer, &found_line, &found_column);
  if (found_line != line || found_column != column)
    g_error ("%s: expected %u:%u, got %u:%u", pointer, line, column, found_line, found_column);
}

static const char yaml_with_places[] = "version: '1.3'\n"
                                       "elements:\n"
                                       "  - id: a\n"
                                       "    metrics:\n"
                                       "      pillars:\n"
                                       "        iou: 0.5\n"
                                       "  - {id: \"b\", é: x, \"a/~b\": [1, 22]}\n"
                                       "empty:\n"
                                       "2: two\n";

static SvPlaces *
places_of (const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  SvPlaces *places = NULL;
  g_autoptr (json_t) value = sv_authored_parse (name, text, strlen (text), MAX_SIZE, &places, &error);

  g_assert_no_error (error);
  g_assert_nonnull (value);
  return places;
}

static void
test_places_in_yaml (void)
{
  g_autoptr (SvPlaces) places = places_of ("m.yaml", yaml_with_places);

  assert_place (places, "", 1, 1);
  assert_place (places, "/version", 1, 10);
  assert_place (places, "/elements", 3, 3);
  assert_place (places, "/elements/0", 3, 5);
  assert_place (places, "/elements/0/id", 3, 9);
  assert_place (places, "/elements/0/metrics/pillars", 6, 9);
  assert_place (places, "/elements/0/metrics/pillars/iou", 6, 14);
  assert_place (places, "/elements/1/id", 7, 10);
  assert_place (places, "/elements/1/é", 7, 18);
  assert_place (places, "/elements/1/a~1~0b", 7, 29);
  assert_place (places, "/elements/1/a~1~0b/1", 7, 33);
  assert_place (places, "/2", 9, 4);
}

static void
test_places_of_what_is_missing (void)
{
  g_autoptr (SvPlaces) places = places_of ("m.yaml", yaml_with_places);

  assert_place (places, "/window_id", 1, 1);
  assert_place (places, "/elements/0/metrics/pillars/count", 6, 9);
  assert_place (places, "/elements/0/metrics/beta/gamma", 5, 7);
  assert_place (places, "/elements/2", 3, 3);
  assert_place (places, "/elements/00", 3, 3);
  assert_place (places, "/version/deeper", 1, 10);
  assert_place (places, "/0", 1, 1);
}

static void
test_places_in_json (void)
{
  g_autoptr (SvPlaces) places =
      places_of ("m.json", "\n {\"a\": [true,\n  {\"b\\n\":-1.5e3 , \"é\":{}},[]],\n\t\"c\" : \"x\\\"y\",\"d\":[\n]}\n");

  assert_place (places, "", 2, 2);
  assert_place (places, "/a", 2, 8);
  assert_place (places, "/a/0", 2, 9);
  assert_place (places, "/a/1", 3, 3);
  assert_place (places, "/a/1/b\n", 3, 10);
  assert_place (places, "/a/1/é", 3, 23);
  assert_place (places, "/a/2", 3, 27);
  assert_place (places, "/c", 4, 8);
  assert_place (places, "/d", 4, 19);
}

static void
assert_path (const char *pointer, const char *path)
{
  g_autofree char *found = sv_pointer_to_path (pointer);

  g_assert_cmpstr (found, ==, path);
}

static void
test_paths (void)
{
  assert_path ("", "");
  assert_path ("/elements/2/metrics", "elements[2].metrics");
  assert_path ("/0/1", "[0][1]");
  assert_path ("/a/", "a[\"\"]");
  assert_path ("/a~1b/~01", "[\"a/b\"][\"~1\"]");
  assert_path ("/a b/c.d/e", "[\"a b\"][\"c.d\"].e");
  assert_path ("/a\x1b", "[\"a\\u001b\"]");
}

static void
test_descriptions (void)
{
  g_autoptr (SvPlaces) places = places_of ("m.yaml", yaml_with_places);
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_autofree char *inner = NULL;
  g_autofree char *whole = NULL;

  sv_faults_add (faults, "/elements/0/metrics/pillars", "weights sum to %s, not 1", "0.95");
  sv_faults_add (faults, "", "must be signed");
  inner = sv_places_describe (places, faults->items->pdata[0]);
  whole = sv_places_describe (places, faults->items->pdata[1]);
  g_assert_cmpstr (inner, ==, "m.yaml:6:9: elements[0].metrics.pillars: weights sum to 0.95, not 1");
  g_assert_cmpstr (whole, ==, "m.yaml:1:1: must be signed");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/authored/forms-of-a-document", test_forms_of_a_document);
  g_test_add_func ("/authored/core-schema", test_core_schema);
  g_test_add_func ("/authored/quotes-in-a-row", test_quotes_in_a_row);
  g_test_add_func ("/authored/numbers", test_numbers);
  g_test_add_func ("/authored/integers-of-any-length", test_integers_of_any_length);
  g_test_add_func ("/authored/strings", test_strings);
  g_test_add_func ("/authored/keys", test_keys);
  g_test_add_func ("/authored/what-yaml-has-and-we-do-not", test_what_yaml_has_and_we_do_not);
  g_test_add_func ("/authored/broken-syntax", test_broken_syntax);
  g_test_add_func ("/authored/nothing-at-all", test_nothing_at_all);
  g_test_add_func ("/authored/nesting", test_nesting);
  g_test_add_func ("/authored/bytes-that-are-no-text", test_bytes_that_are_no_text);
  g_test_add_func ("/authored/size", test_size);
  g_test_add_func ("/authored/json", test_json);
  g_test_add_func ("/authored/messages-cannot-be-forged", test_messages_cannot_be_forged);
  g_test_add_func ("/places/yaml", test_places_in_yaml);
  g_test_add_func ("/places/missing", test_places_of_what_is_missing);
  g_test_add_func ("/places/json", test_places_in_json);
  g_test_add_func ("/places/paths", test_paths);
  g_test_add_func ("/places/descriptions", test_descriptions);
  return g_test_run ();
}
