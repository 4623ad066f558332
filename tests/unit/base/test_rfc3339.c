/* Cases: times both ways, with and without milliseconds, at the ends of days, months, leap years and of what can be written;
 * each way of being malformed; durations around every unit; the clock */
#include <glib.h>

#include "base/rfc3339.h"

static const struct
{
  gint64 ms;
  const char *text;
} times[] = {
  { 0, "1970-01-01T00:00:00Z" },
  { G_GINT64_CONSTANT (1761177600000), "2025-10-23T00:00:00Z" },
  { G_GINT64_CONSTANT (1761177600123), "2025-10-23T00:00:00.123Z" },
  { G_GINT64_CONSTANT (1761177600007), "2025-10-23T00:00:00.007Z" },
  { G_GINT64_CONSTANT (1709251199000), "2024-02-29T23:59:59Z" },
  { G_GINT64_CONSTANT (951782400000), "2000-02-29T00:00:00Z" },
  { -1, "1969-12-31T23:59:59.999Z" },
  { -1000, "1969-12-31T23:59:59Z" },
  { G_GINT64_CONSTANT (-62135596800000), "0001-01-01T00:00:00Z" },
  { G_GINT64_CONSTANT (253402300799999), "9999-12-31T23:59:59.999Z" },
};

static void
test_both_ways (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
  {
    g_autofree char *text = sv_time_format (times[i].ms);
    gint64 ms = 4711;

    g_assert_cmpstr (text, ==, times[i].text);
    g_assert_true (sv_time_parse (times[i].text, &ms));
    g_assert_cmpint (ms, ==, times[i].ms);
  }
}

static void
test_times_that_cannot_be_written (void)
{
  g_autofree char *early = sv_time_format (G_MININT64);
  g_autofree char *late = sv_time_format (G_MAXINT64);

  g_assert_cmpstr (early, ==, "0001-01-01T00:00:00Z");
  g_assert_cmpstr (late, ==, "9999-12-31T23:59:59.999Z");
}

static void
test_fractions (void)
{
  gint64 ms = 0;

  g_assert_true (sv_time_parse ("1970-01-01T00:00:00.5Z", &ms));
  g_assert_cmpint (ms, ==, 500);
  g_assert_true (sv_time_parse ("1970-01-01T00:00:00.123456Z", &ms));
  g_assert_cmpint (ms, ==, 123);
  g_assert_true (sv_time_parse ("1970-01-01T00:00:00.999999999Z", &ms));
  g_assert_cmpint (ms, ==, 999);
}

static void
test_whole_times_have_their_milliseconds (void)
{
  g_autofree char *round = sv_time_format_whole (1761177600000);
  g_autofree char *fraction = sv_time_format_whole (1761177600007);
  g_assert_cmpstr (round, ==, "2025-10-23T00:00:00.000Z");
  g_assert_cmpstr (fraction, ==, "2025-10-23T00:00:00.007Z");
}

static void
test_malformed (void)
{
  static const char *const texts[] = { "",
                                       "Z",
                                       "2025-10-23",
                                       "2025-10-23T00:00:00",
                                       "2025-10-23 00:00:00Z",
                                       "2025-10-23t00:00:00Z",
                                       "2025-10-23T00:00:00z",
                                       "2025-10-23T00:00:00+00:00",
                                       "2025-10-23T00:00:00Z ",
                                       " 2025-10-23T00:00:00Z",
                                       "2025-10-23T00:00:00Z\n",
                                       "2025-10-23T00:00Z",
                                       "2025-10-23T00:00:00.Z",
                                       "2025-10-23T00:00:00.1234567890Z",
                                       "2025-10-23T00:00:00,5Z",
                                       "2025-10-23T00:00:00.5",
                                       "2025-10-23T00:00:00.-5Z",
                                       "2025-13-01T00:00:00Z",
                                       "2025-00-01T00:00:00Z",
                                       "2025-02-29T00:00:00Z",
                                       "2025-02-30T00:00:00Z",
                                       "2100-02-29T00:00:00Z",
                                       "2025-04-31T00:00:00Z",
                                       "2025-10-00T00:00:00Z",
                                       "2025-10-23T24:00:00Z",
                                       "2025-10-23T00:60:00Z",
                                       "2025-12-31T23:59:60Z",
                                       "0000-01-01T00:00:00Z",
                                       "25-10-23T00:00:00Z",
                                       "+2025-10-23T00:00:00Z",
                                       "20251023T000000Z",
                                       "2025-1-23T00:00:00Z",
                                       "yyyy-mm-ddThh:mm:ssZ" };
  gint64 ms = 4711;

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (sv_time_parse (texts[i], &ms) || ms != 4711)
      g_error ("\"%s\" should be refused", texts[i]);
  g_assert_false (sv_time_parse (NULL, &ms));
}

static void
test_durations (void)
{
  static const struct
  {
    gint64 ms;
    const char *text;
  } cases[] = {
    { G_MININT64, "0 s" },
    { -5000, "0 s" },
    { 0, "0 s" },
    { 999, "0 s" },
    { 1000, "1 s" },
    { 45999, "45 s" },
    { 60000, "1 min" },
    { 90000, "1 min 30 s" },
    { 3599999, "59 min 59 s" },
    { 3600000, "1 h" },
    { 3659999, "1 h" },
    { 11520000, "3 h 12 min" },
    { 86400000, "1 d" },
    { 86400000 + 3599999, "1 d" },
    { 183600000, "2 d 3 h" },
    { G_GINT64_CONSTANT (86400000000), "1000 d" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autofree char *text = sv_duration_format (cases[i].ms);
    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

static void
test_clock (void)
{
  gint64 before = g_get_real_time () / 1000;
  gint64 now = sv_clock_ms ();

  g_assert_cmpint (now, >=, before);
  g_assert_cmpint (now - before, <, 3600000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/time/both-ways", test_both_ways);
  g_test_add_func ("/time/times-that-cannot-be-written", test_times_that_cannot_be_written);
  g_test_add_func ("/time/fractions", test_fractions);
  g_test_add_func ("/time/whole-times-have-their-milliseconds", test_whole_times_have_their_milliseconds);
  g_test_add_func ("/time/malformed", test_malformed);
  g_test_add_func ("/time/durations", test_durations);
  g_test_add_func ("/time/clock", test_clock);
  return g_test_run ();
}
