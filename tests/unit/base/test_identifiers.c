/* Cases: for each identifier the shortest, the longest and an ordinary one, one byte too long, and each byte and shape that
 * its expression excludes; tricks with paths, NUL, newlines and Unicode against all of them; numbers on their limits, read and
 * written */
#include <glib.h>
#include <string.h>

#include "base/identifiers.h"

typedef gboolean (*Check) (const char *text);

static void
assert_all (Check check, gboolean expected, const char *const *texts)
{
  for (; *texts != NULL; texts++)
    if (check (*texts) != expected)
      g_error ("\"%s\" should be %s", *texts, expected ? "valid" : "invalid");
}

#define VALID(check, ...) assert_all (check, TRUE, (const char *const[]){ __VA_ARGS__, NULL })
#define INVALID(check, ...) assert_all (check, FALSE, (const char *const[]){ __VA_ARGS__, NULL })

static void
assert_longest (Check check, gsize max)
{
  g_autofree char *longest = g_strnfill (max, 'a');
  g_autofree char *longer = g_strnfill (max + 1, 'a');
  g_autofree char *huge = g_strnfill (1000000, 'a');

  g_assert_true (check (longest));
  g_assert_false (check (longer));
  g_assert_false (check (huge));
}

static void
test_nothing_passes_a_trick (void)
{
  static const Check checks[] = { sv_window_id_is_valid, sv_element_id_is_valid, sv_hf_revision_is_valid,
                                  sv_chute_slug_is_valid, sv_chute_id_is_valid };

  for (gsize i = 0; i < G_N_ELEMENTS (checks); i++)
  {
    g_assert_false (checks[i](NULL));
    INVALID (checks[i], "", ".", "..", "../x", "/", "/x", "/etc/passwd", "~", "~/x", "-x", "_x", " x", "x ", "x y", "x\n",
             "x\ny", "\nx", "x\t", "x\r\n", "x\x7f", "x\x1b[0m", "x\\y", "x:y", "x?y", "x#y", "x%2e", "x%00", "x*", "x'", "x\"",
             "x;y", "x|y", "$x", "é", "x\xc3\xa9", "x\xff", "\xef\xbc\x8e\xef\xbc\x8e", "x\xe2\x80\xae", "x=y", "x,y", "x+y");
  }
}

static void
test_window_id (void)
{
  VALID (sv_window_id_is_valid, "2025-10-23", "a", "0", "A.b_c-d", "a..b", "a-", "a.");
  INVALID (sv_window_id_is_valid, "a/b", "a@1", ".a");
  assert_longest (sv_window_id_is_valid, 64);
}

static void
test_element_id (void)
{
  g_autofree char *version = g_strnfill (32, '1');
  g_autofree char *longest_version = g_strconcat ("a@", version, NULL);
  g_autofree char *longer_version = g_strconcat (longest_version, "1", NULL);

  VALID (sv_element_id_is_valid, "PlayerDetect_v1@1.0", "ns/Detect-Person", "a", "a/b/c/d@x", "a.b/0_c@..", "a@-", "a..b",
         "a.");
  INVALID (sv_element_id_is_valid, "a//b", "a/", "a/../b", "a/..", "a/.", "a/./b", "a/.b", "a/-b", "a@", "@1", "a@1@2", "a@1/b",
           "a@b/..", "a/@1", "a/b/", "a@1 ");
  g_assert_true (sv_element_id_is_valid (longest_version));
  g_assert_false (sv_element_id_is_valid (longer_version));
  assert_longest (sv_element_id_is_valid, 128);
}

static void
test_hf_revision (void)
{
  VALID (sv_hf_revision_is_valid, "player-v1", "main", "refs/pr/1", "0", "a/", "a//b", "a/../b", "a..");
  INVALID (sv_hf_revision_is_valid, "a@b", "a^", "a~1", "HEAD:x");
  assert_longest (sv_hf_revision_is_valid, 128);
}

static void
test_chute_slug (void)
{
  VALID (sv_chute_slug_is_valid, "scorevision-turbovision-hfuser-lynx", "a", "0", "a-b", "a--b", "api2", "xapi", "llms",
         "www1");
  INVALID (sv_chute_slug_is_valid, "api", "www", "llm", "A", "aB", "a-", "-", "a.b", "a_b", "a/b", "a@b");
  assert_longest (sv_chute_slug_is_valid, 63);
}

static void
test_chute_id (void)
{
  VALID (sv_chute_id_is_valid, "87f7d0c5-0000-4abc-8def-0123456789ab", "00000000-0000-0000-0000-000000000000");
  INVALID (sv_chute_id_is_valid, "87F7D0C5-0000-4abc-8def-0123456789ab", "87f7d0c5-0000-4abc-8def-0123456789a",
           "87f7d0c5-0000-4abc-8def-0123456789abc", "87f7d0c500004abc8def0123456789ab", "87f7d0c5-0000-4abc-8def-0123456789ag",
           "{87f7d0c5-0000-4abc-8def-0123456789ab}", "87f7d0c5_0000-4abc-8def-0123456789ab",
           "87f7d0c5-0000-4abc-8def-0123456789ab\n");
}

static void
assert_cap (const char *text, guint64 expected, const char *written)
{
  guint64 milli = 0;
  g_autofree char *formatted = NULL;

  g_assert_true (sv_cap_parse (text, &milli));
  g_assert_cmpuint (milli, ==, expected);
  formatted = sv_cap_format (milli);
  g_assert_cmpstr (formatted, ==, written);
}

static gboolean
cap_is_valid (const char *text)
{
  guint64 milli = 4711;
  gboolean is_valid = sv_cap_parse (text, &milli);

  g_assert_true (is_valid || milli == 4711);
  return is_valid;
}

static void
test_cap (void)
{
  assert_cap ("25", 25000, "25");
  assert_cap ("12.5", 12500, "12.5");
  assert_cap ("12.500", 12500, "12.5");
  assert_cap ("0.001", 1, "0.001");
  assert_cap ("0.25", 250, "0.25");
  assert_cap ("10", 10000, "10");
  assert_cap ("100.05", 100050, "100.05");
  assert_cap ("999999999.999", G_GUINT64_CONSTANT (999999999999), "999999999.999");
  INVALID (cap_is_valid, "", "0", "0.0", "0.000", "025", "00", "00.5", "1.", ".5", "1.2345", "1000000000", "-1", "+1", "1e3",
           " 1", "1 ", "1,5", "0x1", "inf", "nan", "1.5.5", "1.a", "1.-5", "١", "1\n");
  g_assert_false (cap_is_valid (NULL));
}

static gboolean
integer_is_valid (const char *text)
{
  guint64 value = 4711;
  gboolean is_valid = sv_integer_parse (text, &value);

  g_assert_true (is_valid || value == 4711);
  return is_valid;
}

static void
test_integer (void)
{
  guint64 value = 1;

  g_assert_true (sv_integer_parse ("0", &value));
  g_assert_cmpuint (value, ==, 0);
  g_assert_true (sv_integer_parse ("9007199254740991", &value));
  g_assert_cmpuint (value, ==, G_GUINT64_CONSTANT (9007199254740991));
  INVALID (integer_is_valid, "", "9007199254740992", "18446744073709551616", "99999999999999999999999999", "01", "00", "-1",
           "-0", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1\n", "a");
  g_assert_false (integer_is_valid (NULL));
}

static void
test_integer_is_written (void)
{
  static const guint64 values[] = { 0, 9, 10, 99, 100, 9007199254740991, G_MAXINT64, G_MAXUINT64 };
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
  {
    char text[SV_INTEGER_TEXT_SIZE];
    g_autofree char *expected = g_strdup_printf ("%" G_GUINT64_FORMAT, values[i]);
    g_assert_cmpuint (sv_integer_write (values[i], text), ==, strlen (expected));
    g_assert_cmpstr (text, ==, expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/identifiers/nothing-passes-a-trick", test_nothing_passes_a_trick);
  g_test_add_func ("/identifiers/window-id", test_window_id);
  g_test_add_func ("/identifiers/element-id", test_element_id);
  g_test_add_func ("/identifiers/hf-revision", test_hf_revision);
  g_test_add_func ("/identifiers/chute-slug", test_chute_slug);
  g_test_add_func ("/identifiers/chute-id", test_chute_id);
  g_test_add_func ("/identifiers/cap", test_cap);
  g_test_add_func ("/identifiers/integer", test_integer);
  g_test_add_func ("/identifiers/integer-is-written", test_integer_is_written);
  return g_test_run ();
}
