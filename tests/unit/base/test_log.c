/* Cases: a plain line in both forms; each byte at each place of a value; values that need quotes; values that try to forge a
 * line or move the cursor; absent, too long and invalid values; numbers in JSON; lines of many threads, and gathered ones; what
 * libraries print. Standard error is a file while a line is written. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/log_library.h"

static char *log_path;

typedef void (*WriteLines) (gconstpointer data);

/* What @write_lines writes to standard error. Returns: (transfer full). */
static char *
capture (WriteLines write_lines, gconstpointer data)
{
  char *text = NULL;
  int saved = dup (STDERR_FILENO);
  int fd = open (log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  dup2 (fd, STDERR_FILENO);
  write_lines (data);
  dup2 (saved, STDERR_FILENO);
  close (fd);
  close (saved);
  g_assert_true (g_file_get_contents (log_path, &text, NULL, NULL));
  return text;
}

static void
write_value (gconstpointer data)
{
  sv_log ("info", "seen", "value", data, NULL);
}

/* The line without its time. */
static char *
logfmt_of (const char *value)
{
  g_autofree char *line = capture (write_value, value);
  const char *rest = strchr (line, ' ');
  g_assert_true (g_str_has_prefix (line, "time=20"));
  return g_strdup (rest + 1);
}

static void
assert_logfmt (const char *value, const char *expected)
{
  g_autofree char *line = logfmt_of (value);
  g_autofree char *whole = g_strconcat ("level=info event=seen", expected, "\n", NULL);
  g_assert_cmpstr (line, ==, whole);
}

static void
test_logfmt (void)
{
  assert_logfmt ("2025-10-23", " value=2025-10-23");
  assert_logfmt ("two words", " value=\"two words\"");
  assert_logfmt ("", " value=\"\"");
  assert_logfmt ("a=b", " value=\"a=b\"");
  assert_logfmt ("say \"x\\y\"", " value=\"say \\\"x\\\\y\\\"\"");
  assert_logfmt ("\xc3\xa9", " value=\"\xc3\xa9\"");
  assert_logfmt (NULL, "");
}

#define LENGTH 19 /* two words and a rest */

static void
test_each_byte_at_each_place (void)
{
  for (gsize at = 0; at < LENGTH; at++)
    for (char byte = ' '; byte <= '~'; byte++)
    {
      g_autofree char *value = g_strnfill (LENGTH, 'a');
      value[at] = byte;
      gboolean is_bare = g_ascii_isalnum (byte) || strchr ("._:/@+-,%~", byte) != NULL;
      g_autofree char *escaped = g_strescape (value, NULL);
      g_autofree char *expected = g_strdup_printf (is_bare ? " value=%s" : " value=\"%s\"", escaped);
      assert_logfmt (value, expected);
    }
}

static void
test_lines_cannot_be_forged (void)
{
  assert_logfmt ("x\nlevel=info event=paid", " value=\"x\\nlevel=info event=paid\"");
  assert_logfmt ("x\ry", " value=\"x\\u000dy\"");
  assert_logfmt ("\x1b[2J", " value=\"\\u001b[2J\"");
  assert_logfmt ("\xe2\x80\xa8", " value=\"\\u2028\"");
  assert_logfmt ("\xe2\x80\xae", " value=\"\\u202e\"");
}

static void
test_values_are_bounded_and_valid (void)
{
  g_autofree char *long_value = g_strnfill (100000, 'a');
  g_autofree char *line = logfmt_of (long_value);
  g_assert_cmpuint (strlen (line), <, 1200);
  g_assert_true (g_str_has_suffix (line, "a\xe2\x80\xa6\"\n"));
  g_autofree char *invalid = logfmt_of ("\xff\xfe");
  g_assert_true (g_utf8_validate (invalid, -1, NULL));
}

static void
test_json (void)
{
  const char *value = "q\"\\\n\x1b\xf0\x9f\x98\x82\xf3\xa0\x81\x81";
  sv_log_set_format (SV_LOG_JSON);
  g_autofree char *line = capture (write_value, value);
  sv_log_set_format (SV_LOG_LOGFMT);
  g_assert_true (g_str_has_suffix (line, "}\n"));
  g_assert_true (strchr (line, '\n') == line + strlen (line) - 1);
  json_t *json = json_loads (line, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (json);
  g_assert_cmpstr (json_string_value (json_object_get (json, "level")), ==, "info");
  g_assert_cmpstr (json_string_value (json_object_get (json, "event")), ==, "seen");
  g_assert_cmpstr (json_string_value (json_object_get (json, "value")), ==, value);
  g_assert_true (json_is_string (json_object_get (json, "time")));
  json_decref (json);
}

static void
write_numbers (gconstpointer data)
{
  sv_log ("info", "request", "status", "200", "ms", "0.512", "block", "18446744073709551615", "n", "007", "sequence", "1.",
          "value", "12", "left_out", "", "head", "0", NULL);
}

/* Only what is a number for every reader is written as one, and only where the field always is one. */
static void
test_json_numbers (void)
{
  const char *pairs = "\"event\":\"request\",\"status\":200,\"ms\":0.512,\"block\":\"18446744073709551615\",\"n\":\"007\","
                      "\"sequence\":\"1.\",\"value\":\"12\",\"left_out\":\"\",\"head\":0}\n";
  sv_log_set_format (SV_LOG_JSON);
  g_autofree char *line = capture (write_numbers, NULL);
  sv_log_set_format (SV_LOG_LOGFMT);
  g_assert_true (g_str_has_suffix (line, pairs));
  json_t *json = json_loads (line, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (json);
  json_decref (json);
  g_autofree char *text = capture (write_numbers, NULL);
  g_assert_nonnull (strstr (text, " status=200 ms=0.512 "));
}

/* What is gathered is what would have been written. */
static void
test_lines_are_gathered (void)
{
  const SvLogFormat formats[] = { SV_LOG_LOGFMT, SV_LOG_JSON };
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
  {
    g_autoptr (GString) lines = g_string_new (NULL);
    sv_log_set_format (formats[i]);
    sv_log_append (lines, "info", "seen", "value", "plain", "none", NULL, "more", "a \"b\"", NULL);
    gsize first = lines->len;
    sv_log_append (lines, "info", "seen", "value", "plain", "more", "a \"b\"", NULL);
    sv_log_set_format (SV_LOG_LOGFMT);
    g_assert_cmpstr (strstr (lines->str + first, "seen"), ==,
                     i == 0 ? "seen value=plain more=\"a \\\"b\\\"\"\n"
                            : "seen\",\"value\":\"plain\",\"more\":\"a \\\"b\\\"\"}\n");
    g_assert_true (g_str_has_prefix (lines->str + first, i == 0 ? "time=20" : "{\"time\":\"20"));
    g_assert_cmpint (strncmp (strstr (lines->str, "seen"), strstr (lines->str + first, "seen"),
                              first - (gsize)(strstr (lines->str, "seen") - lines->str)),
                     ==, 0);
  }
}

static gpointer
write_many (gpointer data)
{
  for (guint i = 0; i < 200; i++)
    sv_log ("info", "many", "text", data, NULL);
  return NULL;
}

static void
write_from_threads (gconstpointer data)
{
  GThread *threads[4];
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("log", write_many, (gpointer)data);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
test_lines_of_threads_do_not_mix (void)
{
  g_autofree char *text = g_strnfill (500, 'x');
  g_autofree char *end = g_strconcat (" level=info event=many text=", text, NULL);
  g_autofree char *all = capture (write_from_threads, text);
  g_auto (GStrv) lines = g_strsplit (all, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 801);
  for (guint i = 0; i < 800; i++)
    g_assert_true (g_str_has_prefix (lines[i], "time=") && g_str_has_suffix (lines[i], end));
}

static void
let_library_speak (gconstpointer data)
{
  g_message ("one\ntwo \"three\"");
  g_debug ("nobody asked");
  g_printerr ("Bail out!\n\n");
}

static void
test_libraries_speak_in_events (void)
{
  sv_log_take_library_messages ();
  g_autofree char *all = capture (let_library_speak, NULL);
  g_set_printerr_handler (NULL);
  g_auto (GStrv) lines = g_strsplit (all, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_true (g_str_has_suffix (lines[0], " level=info event=library domain=sv reason=\"one\\ntwo \\\"three\\\"\""));
  g_assert_true (g_str_has_suffix (lines[1], " level=error event=library reason=\"Bail out!\""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  int fd = g_file_open_tmp ("sv-log-XXXXXX", &log_path, NULL);
  close (fd);
  g_test_add_func ("/log/logfmt", test_logfmt);
  g_test_add_func ("/log/each-byte-at-each-place", test_each_byte_at_each_place);
  g_test_add_func ("/log/lines-cannot-be-forged", test_lines_cannot_be_forged);
  g_test_add_func ("/log/values-are-bounded-and-valid", test_values_are_bounded_and_valid);
  g_test_add_func ("/log/json", test_json);
  g_test_add_func ("/log/json-numbers", test_json_numbers);
  g_test_add_func ("/log/lines-are-gathered", test_lines_are_gathered);
  g_test_add_func ("/log/lines-of-threads-do-not-mix", test_lines_of_threads_do_not_mix);
  g_test_add_func ("/log/libraries-speak-in-events", test_libraries_speak_in_events); /* the last: it cannot be undone */
  int status = g_test_run ();
  g_unlink (log_path);
  g_free (log_path);
  return status;
}
