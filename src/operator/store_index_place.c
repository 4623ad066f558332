/* An index is replaced under the condition that it is still the one that was read, or that there is still none; never without
 * a condition, and never after any failure but "there is none": a refusal says nothing of what is there.
 *
 * Of what this version cannot read it asks only whether it could be a signed document. Garbage is none, nor is an index of this
 * very version whose signature does not hold. A large one is not parsed for that: parsed it takes many times its size. */
#include "operator/store_index_place.h"

#include <string.h>

#include "base/error.h"

#define MAX_PARSED (256 * 1024)

void
sv_index_place_clear (SvIndexPlace *place)
{
  g_clear_pointer (&place->bytes, g_bytes_unref);
  g_clear_pointer (&place->etag, g_free);
  g_clear_pointer (&place->index, sv_index_free);
}

static gboolean
is_our_version (const char *version)
{
  return g_strcmp0 (version, SV_INDEX_VERSION) == 0;
}

/* @failure is why it is no index: SV_ERROR_VERIFY where signer and signature were found and do not belong together. */
static gboolean
large_may_be_signed (const char *data, gsize length, const GError *failure)
{
  g_autofree char *signature = sv_json_find_string (data, length, "signature");
  g_autofree char *version = sv_json_find_string (data, length, "version");
  gboolean is_damaged = is_our_version (version) && g_error_matches (failure, SV_ERROR, SV_ERROR_VERIFY);
  return signature != NULL && !is_damaged;
}

/* Read as loosely as can be: what a later version allows is not known. */
static gboolean
may_be_signed (GBytes *bytes, const GError *failure)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  if (length > MAX_PARSED)
    return large_may_be_signed (data, length, failure);
  g_autoptr (json_t) json = length > 0 ? json_loadb (data, length, JSON_ALLOW_NUL, NULL) : NULL;
  if (json_object_get (json, "signature") == NULL)
    return FALSE;
  return !is_our_version (json_string_value (json_object_get (json, "version"))) || sv_signed_document_verify_signature (json);
}

/* FALSE. */
static gboolean
leave_alone (const SvObjectStore *store, const GError *failure, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               SV_INDEX_KEY
               " in %s is no index that this version of sv reads (%s), and may be one that somebody has signed, so "
               "it is not replaced; see whether it is of a newer version, and use that, else look at the object "
               "and remove it by hand",
               sv_object_store_url (store), failure->message);
  return FALSE;
}

static gboolean
take_failure (const SvObjectStore *store, GError *failure, GError **error)
{
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return TRUE;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_MALFORMED)) /* it is too large */
    return leave_alone (store, failure, error);
  g_propagate_prefixed_error (error, g_error_copy (failure),
                              "it cannot be told which index %s has, so it is not replaced: ", sv_object_store_url (store));
  return FALSE;
}

gboolean
sv_index_place_read (SvObjectStore *store, SvIndexPlace *place, GError **error)
{
  const SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE, .bypass_caches = TRUE };
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvObject) present = sv_object_store_get (store, SV_INDEX_KEY, &options, NULL, &failure);
  if (present == NULL)
    return take_failure (store, failure, error);
  if (present->etag == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
                 "%s names no ETag of " SV_INDEX_KEY ", so it cannot be replaced without losing what somebody else publishes "
                 "meanwhile; check for a proxy in between",
                 sv_object_store_url (store));
    return FALSE;
  }
  place->bytes = g_bytes_ref (present->bytes);
  place->etag = g_steal_pointer (&present->etag);
  place->index = sv_index_open (place->bytes, NULL, NULL, NULL, &failure);
  return place->index != NULL || !may_be_signed (place->bytes, failure) || leave_alone (store, failure, error);
}

SvPutOptions
sv_index_place_put_options (const SvIndexPlace *place)
{
  SvPutOptions options = sv_store_put_options (SV_STORE_INDEX);
  options.condition = place->bytes != NULL ? SV_PUT_IF_MATCHES : SV_PUT_IF_ABSENT;
  options.etag = place->etag;
  return options;
}
