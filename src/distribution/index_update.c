/* Reading the index in order to change it: from the one store that is written to, with every check of a reader. */
#include "base/error.h"
#include "distribution/reader_state.h"

/* A store without an index is a new one, unless something was published before. */
static gboolean
check_never_published (SvReader *reader, GError **error)
{
  guint64 sequence = 0;
  const char *hash;
  const char *where = NULL;
  if (sv_memory_highest (reader->memory, sv_reader_honours, reader, &sequence, &hash))
    where = "was seen by this home";
  else if (reader->anchor != NULL)
  {
    sequence = reader->anchor->sequence;
    where = "is anchored on the chain";
  }
  if (where == NULL)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s has no index, but the index of sequence %" G_GUINT64_FORMAT
               " %s: the store was emptied or is another one; bring scorevision/index.json back before publishing",
               sv_mirrors_name (reader->mirrors), sequence, where);
  return FALSE;
}

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
    if (!check_never_published (reader, error))
      return FALSE;
    *index = sv_index_new (&reader->id);
    return TRUE;
  }
  g_propagate_error (error, local);
  return FALSE;
}
