/* The two indexes of a copy. The source's must be one that a reader takes; the target's may be replaced where it is older or
 * none at all, and never where it is newer or somebody else's. */
#include <string.h>

#include "base/error.h"
#include "operator/store_mirror_state.h"

gboolean
sv_mirror_read_source_index (SvMirror *mirror, GError **error)
{
  g_autoptr (GError) failure = NULL;
  const char *from = sv_object_store_url (mirror->from);
  gboolean is_public = g_str_has_prefix (from, "http://") || g_str_has_prefix (from, "https://");
  mirror->index = sv_fetch_index (mirror->reader, SV_FETCH_BYPASS_CACHES, &failure);
  if (mirror->index != NULL)
    mirror->report->sequence = mirror->index->sequence;
  if (failure == NULL || (!is_public && sv_store_is_absent (mirror->from, SV_INDEX_KEY)))
    return TRUE;
  if (is_public)
    g_set_error (error, SV_ERROR, failure->code, "nothing was copied: %s", failure->message);
  else
    g_set_error (error, SV_ERROR, failure->code, "nothing was copied: %s; `sv store check --store %s` tells more of that store",
                 failure->message, from);
  return FALSE;
}

static gboolean
refuse (const SvMirror *mirror, const SvIndex *there, gboolean is_trusted, GError **error)
{
  const char *to = sv_object_store_url (mirror->to);
  if (!sv_chain_id_equal (&there->chain, &mirror->index->chain))
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "nothing was copied: %s has the index of another chain or subnet (genesis %s, netuid %u)", to,
                 there->chain.genesis, there->chain.netuid);
  else if (!is_trusted)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "nothing was copied: %s has an index signed by %s, who is not trusted here; if it is the operator's, add the "
                 "account to SCOREVISION_MANIFEST_SIGNERS, else copy to another store",
                 to, there->document->signed_by);
  else if (there->sequence > mirror->index->sequence)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "nothing was copied: %s has the index of sequence %" G_GUINT64_FORMAT ", which is newer than that of %s, "
                 "%" G_GUINT64_FORMAT "; a newer index is never replaced (copy the other way round if that is the old store)",
                 to, there->sequence, sv_object_store_url (mirror->from), mirror->index->sequence);
  else if (there->sequence == mirror->index->sequence)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "nothing was copied: equivocation: %s and %s have different indexes of sequence %" G_GUINT64_FORMAT
                 "; the operator has to explain it",
                 sv_object_store_url (mirror->from), to, there->sequence);
  else
    return TRUE;
  return FALSE;
}

/* What is no index at all may be replaced. */
gboolean
sv_mirror_judge_target_index (SvMirror *mirror, GError **error)
{
  SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE, .bypass_caches = TRUE };
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvObject) present = sv_object_store_get (mirror->to, SV_INDEX_KEY, &options, NULL, &failure);
  mirror->replaces = sv_store_put_options (SV_STORE_INDEX);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    mirror->replaces.condition = SV_PUT_IF_ABSENT;
  if (present == NULL || mirror->index == NULL)
    return TRUE;
  mirror->etag = g_strdup (present->etag);
  mirror->replaces.etag = mirror->etag;
  mirror->replaces.condition = mirror->etag != NULL ? SV_PUT_IF_MATCHES : SV_PUT_ALWAYS;
  mirror->has_index = g_bytes_equal (present->bytes, mirror->index->document->bytes);
  g_autoptr (SvIndex) there = mirror->has_index ? NULL : sv_index_open (present->bytes, NULL, NULL, NULL, NULL);
  return there == NULL || refuse (mirror, there, sv_reader_trusts (there->document->signed_by, mirror->reader), error);
}

gboolean
sv_mirror_write_index (SvMirror *mirror, GError **error)
{
  GBytes *bytes = mirror->index != NULL ? mirror->index->document->bytes : NULL;
  SvMirrorReport *report = mirror->report;
  if (bytes == NULL)
    report->index = SV_MIRRORED_NO_INDEX;
  else if (mirror->has_index)
  {
    report->index = SV_MIRRORED_SAME;
    report->present++;
  }
  else if (mirror->is_held_back)
    report->index = SV_MIRRORED_HELD_BACK;
  else
  {
    g_autofree char *etag = sv_object_store_put (mirror->to, SV_INDEX_KEY, bytes, &mirror->replaces, error);
    report->index = SV_MIRRORED_WRITTEN;
    report->copied++;
    report->copied_bytes += g_bytes_get_size (bytes);
    return etag != NULL;
  }
  return TRUE;
}
