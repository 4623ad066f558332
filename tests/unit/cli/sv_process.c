#include "sv_process.h"

#include <string.h>

#include <gio/gio.h>

void
result_clear (Result *result)
{
  g_free (result->out);
  g_free (result->err);
}

Result
run_sv (const char *home, const char *const *settings, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *line = g_strconcat ("sv ", words, NULL);
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) environment = g_ptr_array_new ();
  g_autofree char *home_setting = g_strconcat ("HOME=", home, NULL);
  Result result = { 0 };
  g_ptr_array_add (environment, home_setting);
  for (; settings && *settings; settings++)
    g_ptr_array_add (environment, (gpointer)*settings);
  g_ptr_array_add (environment, NULL);
  g_assert_true (g_shell_parse_argv (line, NULL, &argv, NULL));
  g_free (argv[0]);
  argv[0] = g_strdup (g_getenv ("SV"));
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_set_environ (launcher, (char **)environment->pdata);
  g_subprocess_launcher_set_cwd (launcher, home);
  g_autoptr (GSubprocess) process = g_subprocess_launcher_spawnv (launcher, (const char *const *)argv, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_communicate_utf8 (process, NULL, NULL, &result.out, &result.err, &error));
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  result.status = g_subprocess_get_exit_status (process);
  g_test_message ("%s", line);
  return result;
}

char *
expect_out (Result result, int status)
{
  if (result.status != status)
    g_error ("expected exit status %d, not %d; it printed: %s%s", status, result.status, result.out, result.err);
  g_free (result.err);
  return result.out;
}

void
expect_failure (Result result, int status, const char *message)
{
  if (!strstr (result.err, message))
    g_error ("expected \"%s\" in \"%s\"", message, result.err);
  g_assert_cmpint (result.status, ==, status);
  g_assert_cmpstr (result.out, ==, "");
  result_clear (&result);
}

json_t *
expect_json (Result result)
{
  g_autofree char *out = expect_out (result, 0);
  json_t *json = json_loads (out, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (json);
  return json;
}

void
remove_tree (const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileEnumerator) children =
      g_file_enumerate_children (file, G_FILE_ATTRIBUTE_STANDARD_NAME, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, NULL);
  GFile *child;
  while (children && g_file_enumerator_iterate (children, NULL, &child, NULL, NULL) && child)
  {
    g_autofree char *child_path = g_file_get_path (child);
    remove_tree (child_path);
  }
  g_file_delete (file, NULL, NULL);
}
