/* Libraries that are loaded when their first function is needed, and not linked: most commands need none of them, and loading
 * one with all that it stands on takes several times as long as such a command. */
#pragma once

#include <glib.h>

typedef struct
{
  const char *symbol; /* its name in the library */
  void *function;     /* (out) address of the pointer to it */
} SvLibraryFunction;

/* In static memory. */
typedef struct
{
  const char *name; /* found where the dynamic linker looks for those that are linked */
  const SvLibraryFunction *functions;
  gsize n_functions;
  GMutex lock;
  gint is_loaded; /* atomic */
} SvLibrary;

/* Makes sure that the library is there, for as long as the process lives, and sets its functions. What failed is tried again by
 * the next call, so a running server takes up a library that was installed since. Any thread. SV_ERROR_FAILED with the dynamic
 * linker's words, to which the caller adds what to do. */
gboolean sv_library_load (SvLibrary *library, GError **error) G_GNUC_WARN_UNUSED_RESULT;
