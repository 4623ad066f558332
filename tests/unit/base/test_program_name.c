/* Cases: under its own name texts stay as they are; under another one commands in them carry that, and nothing else does. */
#include "base/program_name.h"

static const char *const groups[] = { "manifest", "chain", NULL };

static void
assert_text (const char *text, const char *expected)
{
  g_autofree char *shown = sv_program_text (text);
  g_assert_cmpstr (shown, ==, expected);
}

static void
test_own_name (void)
{
  sv_program_set_name ("sv", groups);
  g_assert_cmpstr (sv_program_name (), ==, "sv");
  assert_text ("run `sv chain status`", "run `sv chain status`");
}

static void
test_another_name (void)
{
  sv_program_set_name ("scorevision", groups);
  g_assert_cmpstr (sv_program_name (), ==, "scorevision");
  assert_text ("run `sv chain status`, then sv manifest list",
               "run `scorevision chain status`, then scorevision manifest list");
  assert_text ("A=1 sv chain status\nsv --help", "A=1 scorevision chain status\nscorevision --help");
  assert_text ("see `sv GROUP COMMAND --help`", "see `scorevision GROUP COMMAND --help`");
  assert_text ("usage: (`sv\nchain status`)", "usage: (`scorevision\nchain status`)");
  sv_program_set_name ("sv", groups);
}

static void
test_what_is_no_command (void)
{
  sv_program_set_name ("scorevision", groups);
  static const char *const texts[] = {
    "",
    "sv",
    "the file sv is there",
    "/usr/bin/sv chain",
    "my-sv manifest",
    "sv manifests",
    "sv1 ...",
    "file: sv.conf",
    "svchain status",
    "sv \xff chain",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    assert_text (texts[i], texts[i]);
  assert_text ("\xff sv chain", "\xff sv chain");
  sv_program_set_name ("sv", groups);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/program-name/own-name", test_own_name);
  g_test_add_func ("/program-name/another-name", test_another_name);
  g_test_add_func ("/program-name/what-is-no-command", test_what_is_no_command);
  return g_test_run ();
}
