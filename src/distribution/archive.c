/* Archives of the index, as readers see them: one after the other from the newest, each vouched for by the hash that the one
 * after it has of it, and the newest by the signed index. */
#include "base/error.h"
#include "distribution/reader_state.h"

/* Not "not found": that would be what is looked for in it. */
static void
explain_absence (const SvReader *reader, const char *key, GError **error)
{
  if (!g_error_matches (*error, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_prefix_error (error, "an archive of the index: ");
    return;
  }
  g_clear_error (error);
  if (sv_mirrors_are_own (reader->mirrors))
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "%s, which the index names, is not in %s: %s", key,
                 sv_mirrors_name (reader->mirrors), sv_mirrors_remedy (reader->mirrors));
  else
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "%s, which the index names, is not in %s; the operator has to bring it back, from a mirror or from "
                 "$SCOREVISION_HOME/cache/archive of anybody who has read it",
                 key, sv_mirrors_name (reader->mirrors));
}

SvIndex *
sv_fetch_archive (SvReader *reader, const char *hash, GError **error)
{
  g_autoptr (GBytes) cached = sv_cache_read (reader, SV_CACHE_ARCHIVE, hash, SV_INDEX_MAX_SIZE);
  if (cached != NULL)
    return sv_archive_open (cached, hash, error);
  GError *local = NULL;
  g_autofree char *key = sv_archive_key (hash);
  g_autoptr (GBytes) bytes = sv_mirrors_get_by_hash (reader->mirrors, key, hash, SV_INDEX_MAX_SIZE, &local);
  if (bytes == NULL)
  {
    explain_absence (reader, key, &local);
    g_propagate_error (error, local);
    return NULL;
  }
  SvIndex *archive = sv_archive_open (bytes, hash, error);
  if (archive != NULL)
    sv_cache_write (reader, SV_CACHE_ARCHIVE, hash, bytes);
  return archive;
}

SvIndex *
sv_fetch_history (SvReader *reader, const SvIndex *index, GError **error)
{
  g_autoptr (SvIndex) history = sv_index_new (&index->chain);
  g_autofree char *hash = g_strdup (index->archive);
  for (guint step = 0; hash != NULL; step++)
  {
    if (step == SV_ARCHIVE_MAX_STEPS)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "the index has more than %d archives, which no publisher makes",
                   SV_ARCHIVE_MAX_STEPS);
      return NULL;
    }
    SvIndex *archive = sv_fetch_archive (reader, hash, error);
    if (archive == NULL)
      return NULL;
    g_free (hash);
    hash = g_strdup (archive->archive);
    sv_archive_append (history, archive);
  }
  return g_steal_pointer (&history);
}
