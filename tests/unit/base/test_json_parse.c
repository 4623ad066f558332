/* Cases: every kind of value; what the grammar refuses; what a double cannot hold; nesting, number of values, NUL bytes, size,
 * nothing at all; that messages give the place and cannot be forged; finding one string without parsing, in right texts and in
 * broken ones. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

static json_t *
parse (const char *text, GError **error)
{
  return sv_json_parse ("it", text, strlen (text), 1024 * 1024, error);
}

static void
assert_parses_to (const char *text, const char *canonical)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) value = parse (text, &error);
  g_autofree char *written = NULL;

  g_assert_no_error (error);
  written = sv_json_canonical_string (value);
  g_assert_cmpstr (written, ==, canonical);
}

static void
assert_refused_bytes (const void *data, gsize length, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) value = sv_json_parse ("it", data, length, 1024 * 1024, &error);

  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_null (value);
  if (strstr (error->message, message) != error->message)
    g_error ("expected \"%s…\", got \"%s\"", message, error->message);
}

static void
assert_refused (const char *text, const char *message)
{
  assert_refused_bytes (text, strlen (text), message);
}

static void
test_values (void)
{
  assert_parses_to ("null", "null");
  assert_parses_to (" true\n", "true");
  assert_parses_to ("[false, 1, -2.5, \"a\", {}, []]", "[false,1,-2.5,\"a\",{},[]]");
  assert_parses_to ("{\"b\": 1, \"a\": {\"d\": 0, \"c\": -0}}", "{\"a\":{\"c\":0,\"d\":0},\"b\":1}");
  assert_parses_to ("\"\\u0000\\ud83d\\ude02\"", "\"\\u0000\xf0\x9f\x98\x82\"");
}

static void
test_numbers_are_reals (void)
{
  g_autoptr (json_t) value = parse ("[1, 1.0, 1e0]", NULL);

  for (gsize i = 0; i < 3; i++)
    g_assert_true (json_is_real (json_array_get (value, i)));
}

static void
test_integers_must_be_exact (void)
{
  assert_parses_to ("9007199254740992", "9007199254740992");
  assert_parses_to ("-9007199254740992", "-9007199254740992");
  assert_parses_to ("9007199254740994", "9007199254740994");
  assert_parses_to ("10000000000000000000000", "1e+22");
  assert_refused ("9007199254740993", "it:1:1: the integer is not exact");
  assert_refused ("{\"a\": [1,\n  -9007199254740993]}", "it:2:3: the integer is not exact");
  assert_refused ("100000000000000000000000", "it:1:1: the integer is not exact");
  assert_parses_to ("[9007199254740993.0]", "[9007199254740992]");
  assert_parses_to ("[\"9007199254740993\"]", "[\"9007199254740993\"]");
  assert_parses_to ("[\"\\\"9007199254740993\"]", "[\"\\\"9007199254740993\"]");
}

static void
test_integers_of_any_length (void)
{
  g_autofree char *nines = g_strnfill (309, '9');
  g_autofree char *long_one = g_strnfill (100000, '1');

  assert_refused (nines, "it:1:1: the number is too large");
  assert_refused (long_one, "it:1:1: the number is too large");
}

static void
test_overflow_and_underflow (void)
{
  assert_refused ("1e400", "it:1:5: real number overflow");
  assert_refused ("[-1e309]", "it:1:");
  assert_parses_to ("1e-400", "0");
  assert_parses_to ("5e-324", "5e-324");
  assert_parses_to ("1.7976931348623157e308", "1.7976931348623157e+308");
}

static char *
nested (guint depth, char open, char close)
{
  g_autofree char *opens = g_strnfill (depth, open);
  g_autofree char *closes = g_strnfill (depth, close);

  return g_strconcat (opens, closes, NULL);
}

static void
test_depth (void)
{
  g_autofree char *deepest = nested (64, '[', ']');
  g_autofree char *too_deep = nested (65, '[', ']');
  g_autofree char *hostile = g_strnfill (500000, '[');
  g_autofree char *flat = g_strnfill (65, '{');

  assert_parses_to (deepest, deepest);
  assert_refused (too_deep, "it:1:65: nesting is deeper than 64");
  assert_refused (hostile, "it:1:65: nesting is deeper than 64");
  assert_refused (flat, "it:1:65: nesting is deeper than 64");
  assert_parses_to ("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]",
                    "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]");
}

/* A list of @n times @item. */
static gboolean
list_parses (const char *item, guint n)
{
  g_autoptr (GString) text = g_string_new ("[");
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "," : "", item);
  g_string_append_c (text, ']');
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) value = sv_json_parse ("it", text->str, text->len, 64 * 1024 * 1024, &error);
  g_assert_true ((value == NULL) == (error != NULL));
  if (error != NULL)
    g_assert_nonnull (strstr (error->message, "there are too many values"));
  return value != NULL;
}

/* A few megabytes of text must not become a gigabyte of values. */
static void
test_number_of_values (void)
{
  g_assert_true (list_parses ("{}", SV_JSON_MAX_CONTAINERS - 1));
  g_assert_false (list_parses ("{}", SV_JSON_MAX_CONTAINERS));
  g_assert_false (list_parses ("[]", SV_JSON_MAX_CONTAINERS));
  g_assert_true (list_parses ("1", SV_JSON_MAX_VALUES));
  g_assert_false (list_parses ("1", SV_JSON_MAX_VALUES + 1));
  g_assert_true (list_parses ("\"{,{,{,[,[,[,\"", SV_JSON_MAX_CONTAINERS)); /* inside strings nothing counts */
}

static void
test_broken_texts (void)
{
  assert_refused ("", "it:1:1: it is empty");
  assert_refused (" \n\t", "it:1:1: it is empty");
  assert_refused ("{\"a\":1,\n \"a\":2}", "it:2:");
  assert_refused ("{\"a\":1,\"\\u0061\":2}", "it:1:");
  assert_refused ("[1] 2", "it:1:5: end of file expected");
  assert_refused ("[1", "it:1:2: ");
  assert_refused ("[1,]", "it:1:");
  assert_refused ("{a:1}", "it:1:");
  assert_refused ("[01]", "it:1:");
  assert_refused ("[+1]", "it:1:");
  assert_refused ("[.5]", "it:1:");
  assert_refused ("[1.]", "it:1:");
  assert_refused ("[NaN]", "it:1:");
  assert_refused ("[Infinity]", "it:1:");
  assert_refused ("'a'", "it:1:1");
  assert_refused ("[1] // why", "it:1:");
  assert_refused ("\xef\xbb\xbf{}", "it:1:1");
  assert_refused ("{\"\\u0000\":1}", "it:1:");
}

static void
test_broken_strings (void)
{
  assert_refused ("\"\\ud800\"", "it:1:");
  assert_refused ("\"\\udc00\"", "it:1:");
  assert_refused ("\"\\ud800\\u0041\"", "it:1:");
  assert_refused ("\"\xff\"", "it:1:");
  assert_refused ("\"\xc0\x80\"", "it:1:");
  assert_refused ("\"\xed\xa0\x80\"", "it:1:");
  assert_refused ("\"\xf4\x90\x80\x80\"", "it:1:");
  assert_refused ("\"\xe2\x82\"", "it:1:");
  assert_refused ("\"a\nb\"", "it:1:");
  assert_refused ("\"a", "it:1:");
  assert_refused ("\"a\\", "it:1:");
  assert_refused ("\"\\x41\"", "it:1:");
}

static void
test_nul_bytes (void)
{
  assert_refused_bytes ("[1,\n\"a\0\"]", 9, "it:2:3: a NUL byte");
  assert_refused_bytes ("[1]\0", 4, "it:1:4: a NUL byte");
  assert_refused_bytes ("\0", 1, "it:1:1: a NUL byte");
}

static void
test_columns_count_characters (void)
{
  assert_refused ("[\"\xe2\x82\xac\xf0\x9f\x98\x82\", 9007199254740993]", "it:1:8: the integer");
}

static void
test_size (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) fits = sv_json_parse ("it", "[1]", 3, 3, &error);
  g_autoptr (json_t) too_large = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (fits);
  too_large = sv_json_parse ("it", "[12]", 4, 3, &error);
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_cmpstr (error->message, ==, "it:1:1: 4 bytes are more than the 3 allowed");
}

static void
test_messages_are_printable (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) value = parse ("{\"\x7f\":1, \"\x7f\":2}", &error);

  g_assert_null (value);
  g_assert_null (strchr (error->message, '\x7f'));
}

static void
assert_found (const char *text, const char *expected)
{
  g_autofree char *found = sv_json_find_string (text, strlen (text), "key");
  if (g_strcmp0 (found, expected) != 0)
    g_error ("%s: found \"%s\" instead of \"%s\"", text, found, expected);
}

static void
test_find_string (void)
{
  assert_found ("{\"key\":\"value\"}", "value");
  assert_found ("{\"a\":{\"key\":\"inner\"},\"b\":[\"key\"],\"c\":\"key\",\"key\":\"value\",\"z\":1}", "value");
  assert_found ("{\"key\":\"\"}", "");
  assert_found ("{\"key\":\"a\\\"b\"}", "a\\\"b");
  assert_found ("{\"a\":\"\\\",\\\"key\\\":\\\"forged\\\"\",\"key\":\"value\"}", "value");
  assert_found ("{\"key2\":\"value\",\"ke\":\"value\",\"\":\"value\"}", NULL);
  assert_found ("{\"a\":[{\"key\":\"inner\"}]}", NULL);
  assert_found ("{\"key\":1}", NULL);
  assert_found ("{\"key\":{\"key\":\"inner\"}}", NULL);
  assert_found ("{\"key\":", NULL);
  assert_found ("{\"key\":\"", NULL);
  assert_found ("{\"key", NULL);
  assert_found ("{", NULL);
  assert_found ("", NULL);
  assert_found ("\"key\":\"value\"", NULL);
  assert_found ("{\"a\":99999999999999999,\"key\":\"behind a number that is no double\"}", NULL);
  g_autofree char *long_value = g_strnfill (2000, 'x');
  g_autofree char *text = g_strdup_printf ("{\"key\":\"%s\"}", long_value);
  assert_found (text, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/values", test_values);
  g_test_add_func ("/json/numbers-are-reals", test_numbers_are_reals);
  g_test_add_func ("/json/integers-must-be-exact", test_integers_must_be_exact);
  g_test_add_func ("/json/integers-of-any-length", test_integers_of_any_length);
  g_test_add_func ("/json/overflow-and-underflow", test_overflow_and_underflow);
  g_test_add_func ("/json/depth", test_depth);
  g_test_add_func ("/json/number of values", test_number_of_values);
  g_test_add_func ("/json/broken-texts", test_broken_texts);
  g_test_add_func ("/json/broken-strings", test_broken_strings);
  g_test_add_func ("/json/nul-bytes", test_nul_bytes);
  g_test_add_func ("/json/columns-count-characters", test_columns_count_characters);
  g_test_add_func ("/json/size", test_size);
  g_test_add_func ("/json/messages-are-printable", test_messages_are_printable);
  g_test_add_func ("/json/find-string", test_find_string);
  return g_test_run ();
}
