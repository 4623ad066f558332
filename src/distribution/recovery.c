/* A repair must never bring an old index back: memory and anchor decide what is the newest that is known, and nothing below
 * it is given out. */
#include "distribution/recovery.h"

#include <string.h>

#include "base/error.h"
#include "distribution/reader_state.h"

guint64
sv_known_sequence (SvReader *reader)
{
  guint64 sequence = 0;
  const char *hash;
  if (!sv_memory_highest (reader->memory, sv_reader_honours, reader, &sequence, &hash))
    sequence = 0;
  return reader->anchor != NULL ? MAX (sequence, reader->anchor->sequence) : sequence;
}

gboolean
sv_knows_anchor (const SvReader *reader)
{
  return reader->has_anchor;
}

SvIndex *
sv_recover_index (SvReader *reader, GError **error)
{
  if (!sv_reader_refresh_trust (reader, error) || !sv_memory_reload (reader->memory, error))
    return NULL;
  GError *failure = NULL;
  g_autoptr (SvIndex) index = sv_remembered_index (reader, &failure);
  guint64 known = sv_known_sequence (reader);
  if (failure != NULL)
    g_propagate_prefixed_error (error, failure, "the index that this home remembers cannot be used: ");
  else if (index == NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "this home remembers no index");
  else if (index->sequence < known)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "this home remembers the index of sequence %" G_GUINT64_FORMAT ", and %" G_GUINT64_FORMAT
                 " is the newest that is known",
                 index->sequence, known);
  else
    return g_steal_pointer (&index);
  return NULL;
}

static GBytes *
find_statement (const SvReader *reader, const char *hash)
{
  const GPtrArray *statements = sv_signers_statements (reader->signers);
  for (guint i = 0; i < statements->len; i++)
  {
    const SvSignedDocument *document = ((const SvSignersStatement *)statements->pdata[i])->document;
    if (strcmp (document->hash, hash) == 0)
      return g_bytes_ref (document->bytes);
  }
  return NULL;
}

GBytes *
sv_recover_by_hash (SvReader *reader, const char *hash, gsize max_size)
{
  GBytes *statement = find_statement (reader, hash);
  if (statement != NULL)
    return statement;
  GBytes *bytes = sv_cache_read (reader, SV_CACHE_MANIFESTS, hash, max_size);
  return bytes != NULL ? bytes : sv_cache_read (reader, SV_CACHE_ARCHIVE, hash, max_size);
}
