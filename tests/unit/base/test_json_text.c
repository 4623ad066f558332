/* JSON that is written straight, against the general writer.
 *
 * strings: of each length; each character of ASCII at each place, so that words of eight bytes, their borders and the rest are
 * all met; text that is no ASCII, at each place; what is no UTF-8 is told, wherever it stands
 * integers: on the limits */
#include <glib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_text.h"

#define LENGTH 19 /* two words and a rest */

static void
assert_written (const char *text)
{
  char buffer[16];
  gsize length;
  g_auto (SvJsonText) json = { 0 };
  g_autoptr (json_t) value = json_string (text);
  g_autoptr (GBytes) expected = sv_json_canonical (value, NULL);
  g_assert_nonnull (expected);
  const char *bytes = g_bytes_get_data (expected, &length);
  sv_json_text_init (&json, buffer, sizeof buffer);
  sv_json_text_string (&json, text);
  g_assert_true (json.is_valid);
  g_assert_cmpmem (json.text, json.length, bytes, length);
}

static void
test_strings_of_each_length (void)
{
  for (gsize n = 0; n <= 2 * LENGTH; n++)
  {
    g_autofree char *text = g_strnfill (n, 'a');
    for (gsize i = 0; i < n; i++)
      text[i] = (char)('A' + i);
    assert_written (text);
  }
}

static void
test_each_character_at_each_place (void)
{
  for (gsize at = 0; at < LENGTH; at++)
    for (char c = 1; c != 0x7f; c++)
    {
      char text[LENGTH + 1];
      memset (text, 'a', LENGTH);
      text[LENGTH] = '\0';
      text[at] = c;
      assert_written (text);
      memset (text, ' ', LENGTH); /* next to which a borrow may be mistaken */
      text[at] = c;
      assert_written (text);
    }
}

static void
test_other_text_at_each_place (void)
{
  static const char *const others[] = { "\x7f", "é", "€", "😀", "é\"", "\\é" };
  for (gsize at = 0; at < LENGTH; at++)
    for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autofree char *before = g_strnfill (at, 'a');
      g_autofree char *after = g_strnfill (LENGTH - at, 'a');
      g_autofree char *text = g_strconcat (before, others[i], after, NULL);
      assert_written (text);
    }
}

static void
test_what_is_no_utf8_is_told (void)
{
  static const char *const wrong[] = { "\x80", "\xff", "\xc3", "\xed\xa0\x80" };
  for (gsize at = 0; at < LENGTH; at++)
    for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      char buffer[256];
      SvJsonText json;
      g_autofree char *before = g_strnfill (at, 'a');
      g_autofree char *text = g_strconcat (before, wrong[i], "aaaaaaaa", NULL);
      sv_json_text_init (&json, buffer, sizeof buffer);
      sv_json_text_string (&json, text);
      g_assert_false (json.is_valid);
    }
}

static void
test_integers (void)
{
  static const guint64 values[] = { 0, 7, 10, SV_JSON_MAX_INTEGER };
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
  {
    char buffer[32];
    SvJsonText json;
    g_autofree char *expected = g_strdup_printf ("%" G_GUINT64_FORMAT, values[i]);
    sv_json_text_init (&json, buffer, sizeof buffer);
    sv_json_text_integer (&json, values[i]);
    g_assert_cmpmem (json.text, json.length, expected, strlen (expected));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/json-text/" #test, test)
  ADD (test_strings_of_each_length);
  ADD (test_each_character_at_each_place);
  ADD (test_other_text_at_each_place);
  ADD (test_what_is_no_utf8_is_told);
  ADD (test_integers);
  return g_test_run ();
}
