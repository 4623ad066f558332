/* Cases: a library's functions can be called; one that is not there and one that lacks a function are told of by name, and
 * tried again by the next call.
 */
#include "base/shared_library.h"

#include <string.h>

#include "base/error.h"

static double (*cosine) (double x);
static double (*other) (double x);

static void
assert_refused (SvLibrary *library, const char *what)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (sv_library_load (library, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, what));
}

static void
test_loaded (void)
{
  static const SvLibraryFunction functions[] = { { "cos", &cosine } };
  static SvLibrary library = { .name = "libm.so.6", .functions = functions, .n_functions = 1 };
  GError *error = NULL;
  for (int i = 0; i < 2; i++)
  {
    g_assert_true (sv_library_load (&library, &error));
    g_assert_no_error (error);
    g_assert_cmpfloat (cosine (0), ==, 1);
  }
}

static void
test_refused (void)
{
  static const SvLibraryFunction functions[] = { { "cos", &cosine }, { "sv_no_such_function", &other } };
  static SvLibrary absent = { .name = "libsv-no-such.so.1", .functions = functions, .n_functions = 1 };
  static SvLibrary old = { .name = "libm.so.6", .functions = functions, .n_functions = 2 };
  for (int i = 0; i < 2; i++)
  {
    assert_refused (&absent, "libsv-no-such.so.1");
    assert_refused (&old, "sv_no_such_function");
  }
  absent.name = "libm.so.6"; /* it was installed */
  GError *error = NULL;
  g_assert_true (sv_library_load (&absent, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shared-library/loaded", test_loaded);
  g_test_add_func ("/shared-library/refused", test_refused);
  return g_test_run ();
}
