/* The door to the module that reads clips. FFmpeg's libraries and what they need are more than a hundred shared objects, and
 * loading them takes longer than all else that a command does; so they are linked to a module, and only a command that looks
 * into a clip loads it. Where it lies is in the program's RUNPATH. It is never unloaded, since error domains keep strings of
 * it. */
#include "operator/clip_module.h"

#include <dlfcn.h>
#include <string.h>

#include "base/error.h"

typedef gboolean (*ProbeFunc) (const char *path, SvClipFacts *facts, GError **error);

/* (transfer none) the module's function, or NULL with *@why. */
static ProbeFunc
load (const char **why)
{
  static gsize once;
  static ProbeFunc probe;
  static const char *failure;
  if (g_once_init_enter (&once))
  {
    void *module = dlopen (SV_CLIP_MODULE, RTLD_NOW | RTLD_LOCAL);
    void *symbol = module != NULL ? dlsym (module, G_STRINGIFY (SV_CLIP_MODULE_PROBE)) : NULL;
    if (symbol == NULL)
      failure = g_strdup (dlerror ());
    else
      memcpy (&probe, &symbol, sizeof probe);
    g_once_init_leave (&once, 1);
  }
  *why = failure;
  return probe;
}

gboolean
sv_clip_probe (const char *path, SvClipFacts *facts, GError **error)
{
  const char *why;
  ProbeFunc probe = load (&why);
  if (probe != NULL)
    return probe (path, facts, error);
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED,
               "clips cannot be read: %s; install ScoreVision anew, and FFmpeg's libraries with scripts/install-deps", why);
  return FALSE;
}
