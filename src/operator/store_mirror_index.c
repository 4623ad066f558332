/* The two indexes of a copy. The source's must be one that a reader takes; the target's may be replaced where it is older or
 * none at all, and never where it is newer or somebody else's, or cannot be read. */
#include <string.h>

#include "base/error.h"
#include "operator/store_mirror_state.h"

static void
set_newer (const SvMirror *mirror, guint64 there, guint64 here, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "nothing was copied: %s has the index of sequence %" G_GUINT64_FORMAT ", which is newer than that of %s, "
               "%" G_GUINT64_FORMAT "; a newer index is never replaced (copy the other way round if that is the old store)",
               sv_object_store_url (mirror->to), there, sv_object_store_url (mirror->from), here);
}

/* (transfer full) the index that lies in @store, however old, if it is one for this chain of a trusted account; or NULL. */
static SvIndex *
read_of_any_age (const SvMirror *mirror, SvObjectStore *store)
{
  const SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE, .bypass_caches = TRUE };
  g_autoptr (SvObject) object = sv_object_store_get (store, SV_INDEX_KEY, &options, NULL, NULL);
  if (object == NULL)
    return NULL;
  return sv_index_open (object->bytes, sv_reader_chain_id (mirror->reader), sv_reader_trusts, mirror->reader, NULL);
}

/* Where the source is refused, most often as old, and the target has a newer index, the two were exchanged. */
static gboolean
is_wrong_way (const SvMirror *mirror, GError **error)
{
  g_autoptr (SvIndex) here = read_of_any_age (mirror, mirror->from);
  g_autoptr (SvIndex) there = here != NULL ? read_of_any_age (mirror, mirror->to) : NULL;
  if (there == NULL || there->sequence <= here->sequence)
    return FALSE;
  set_newer (mirror, there->sequence, here->sequence, error);
  return TRUE;
}

gboolean
sv_mirror_read_source_index (SvMirror *mirror, GError **error)
{
  g_autoptr (GError) failure = NULL;
  const char *from = sv_object_store_url (mirror->from);
  gboolean is_public = !sv_object_store_check_writable (mirror->from, NULL);
  mirror->index = sv_fetch_index (mirror->reader, SV_FETCH_BYPASS_CACHES, &failure);
  if (mirror->index != NULL)
    mirror->report->sequence = mirror->index->sequence;
  if (failure == NULL || (!is_public && sv_store_is_absent (mirror->from, SV_INDEX_KEY)))
    return TRUE;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_VERIFY) && is_wrong_way (mirror, error))
    return FALSE;
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
    g_set_error (
        error, SV_ERROR, SV_ERROR_POLICY,
        "nothing was copied: %s has the index of another chain or subnet (genesis %s, netuid %u); check --netuid, --chain "
        "(BITTENSOR_SUBTENSOR_ENDPOINT), or copy to another store",
        to, there->chain.genesis, there->chain.netuid);
  else if (!is_trusted)
    g_set_error (
        error, SV_ERROR, SV_ERROR_POLICY,
        "nothing was copied: %s has an index signed by %s, who is not trusted here; if it is the operator's, add the "
        "account to SCOREVISION_MANIFEST_SIGNERS; if that account was revoked, remove scorevision/index.json there; else "
        "copy to another store",
        to, there->document->signed_by);
  else if (there->sequence > mirror->index->sequence)
    set_newer (mirror, there->sequence, mirror->index->sequence, error);
  else if (there->sequence == mirror->index->sequence)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
                 "nothing was copied: equivocation: %s and %s have different indexes of sequence %" G_GUINT64_FORMAT
                 "; the operator has to explain it",
                 sv_object_store_url (mirror->from), to, there->sequence);
  else
    return TRUE;
  return FALSE;
}

/* What is no index at all may be replaced, and an older one by a signer who has retired since. */
gboolean
sv_mirror_judge_target_index (SvMirror *mirror, GError **error)
{
  const SvIndexPlace *there = &mirror->there;
  if (mirror->index == NULL)
    return TRUE;
  if (!sv_index_place_read (mirror->to, &mirror->there, error))
  {
    g_prefix_error (error, "nothing was copied: ");
    return FALSE;
  }
  mirror->has_index = there->bytes != NULL && g_bytes_equal (there->bytes, mirror->index->document->bytes);
  return there->index == NULL || mirror->has_index ||
         refuse (mirror, there->index, sv_reader_honours (there->index->document->signed_by, mirror->reader), error);
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
    const SvPutOptions options = sv_index_place_put_options (&mirror->there);
    g_autofree char *etag = sv_object_store_put (mirror->to, SV_INDEX_KEY, bytes, &options, error);
    report->index = SV_MIRRORED_WRITTEN;
    report->copied++;
    report->copied_bytes += g_bytes_get_size (bytes);
    return etag != NULL;
  }
  return TRUE;
}
