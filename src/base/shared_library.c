/* Nothing is unloaded: error domains keep strings of a library, and one may have left handlers that run at the end. */
#include "base/shared_library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/error.h"

static gboolean
load (const SvLibrary *library)
{
  void *handle = dlopen (library->name, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL)
    return FALSE;
  for (gsize i = 0; i < library->n_functions; i++)
  {
    void *symbol = dlsym (handle, library->functions[i].symbol);
    if (symbol == NULL)
      return FALSE;
    memcpy (library->functions[i].function, &symbol, sizeof symbol);
  }
  return TRUE;
}

gboolean
sv_library_load (SvLibrary *library, GError **error)
{
  if (g_atomic_int_get (&library->is_loaded))
    return TRUE;
  g_mutex_lock (&library->lock);
  gboolean is_loaded = library->is_loaded || load (library);
  if (!is_loaded)
    g_set_error_literal (error, SV_ERROR, SV_ERROR_FAILED, dlerror ());
  g_atomic_int_set (&library->is_loaded, is_loaded);
  g_mutex_unlock (&library->lock);
  return is_loaded;
}
