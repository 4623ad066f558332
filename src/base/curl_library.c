/* libcurl stands on twenty other libraries (TLS, Kerberos, LDAP, …), and loading them takes several times as long as a command
 * that asks nobody anything. So it is loaded on first use, which no command notices that then waits for a network. Where it
 * cannot be loaded the program ends, as it would if it were linked. */
#include "base/curl_library.h"

#include <dlfcn.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"

static void
find (void *library, const char *name, void *function, gsize size)
{
  void *symbol = library != NULL ? dlsym (library, name) : NULL;
  if (symbol == NULL)
  {
    fprintf (stderr, "sv: libcurl cannot be loaded: %s; install it anew\n", dlerror ());
    exit (1);
  }
  memcpy (function, &symbol, size);
}

const SvCurl *
sv_curl (void)
{
  static gsize once;
  static SvCurl curl;
  if (g_once_init_enter (&once))
  {
    void *library = dlopen (LIBRARY, RTLD_NOW | RTLD_LOCAL);
#define FIND(name) find (library, "curl_" #name, &curl.name, sizeof curl.name);
    SV_CURL_FUNCTIONS (FIND)
#undef FIND
    curl.global_init (CURL_GLOBAL_DEFAULT);
    g_once_init_leave (&once, 1);
  }
  return &curl;
}
