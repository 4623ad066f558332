/* libcurl stands on twenty other libraries (TLS, Kerberos, LDAP, …). That it is loaded on first use no command notices that
 * then waits for a network. Where it cannot be loaded the program ends, as it would if it were linked. */
#include "base/curl_library.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/shared_library.h"

static SvCurl curl;

#define FUNCTION(name) { "curl_" #name, &curl.name },
static const SvLibraryFunction functions[] = { SV_CURL_FUNCTIONS (FUNCTION) };
#undef FUNCTION

static SvLibrary library = { .name = "libcurl.so.4", .functions = functions, .n_functions = G_N_ELEMENTS (functions) };

const SvCurl *
sv_curl (void)
{
  static gsize once;
  if (g_once_init_enter (&once))
  {
    g_autoptr (GError) error = NULL;
    if (!sv_library_load (&library, &error))
    {
      fprintf (stderr, "sv: libcurl cannot be loaded: %s; install it (Debian's package is libcurl4)\n", error->message);
      exit (1);
    }
    curl.global_init (CURL_GLOBAL_DEFAULT);
    g_once_init_leave (&once, 1);
  }
  return &curl;
}
