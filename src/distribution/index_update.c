/* Reading the index in order to change it: from the one store that is written to, with every check of a reader. */
#include "base/error.h"
#include "distribution/reader_state.h"

gboolean
sv_fetch_index_for_update (SvReader *reader, SvIndex **index, char **etag, GError **error)
{
  *etag = NULL;
  GError *local = NULL;
  *index = sv_fetch_index (reader, SV_FETCH_BYPASS_CACHES, &local);
  if (*index != NULL)
  {
    *etag = g_strdup (reader->etags[0]);
    return TRUE;
  }
  if (g_error_matches (local, SV_ERROR, SV_ERROR_NOT_FOUND) && sv_mirrors_count (reader->mirrors) == 1)
  {
    g_error_free (local);
    *index = sv_index_new (&reader->id);
    return TRUE;
  }
  g_propagate_error (error, local);
  return FALSE;
}
