/* The door to the module that reads clips. FFmpeg's libraries and what they need are more than a hundred shared objects, and
 * their functions are many; so it is a module of ours that is linked to them, and only a command that looks into a clip loads
 * it. Where it lies is in the program's RPATH. */
#include "operator/clip_module.h"

#include "base/error.h"
#include "base/shared_library.h"

static gboolean (*probe) (const char *path, SvClipFacts *facts, GError **error);

static const SvLibraryFunction functions[] = { { G_STRINGIFY (SV_CLIP_MODULE_PROBE), &probe } };

static SvLibrary module = { .name = SV_CLIP_MODULE, .functions = functions, .n_functions = G_N_ELEMENTS (functions) };

gboolean
sv_clip_probe (const char *path, SvClipFacts *facts, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (sv_library_load (&module, &failure))
    return probe (path, facts, error);
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED,
               "clips cannot be read: %s; install ScoreVision anew, and FFmpeg's libraries with scripts/install-deps",
               failure->message);
  return FALSE;
}
