/* A file is copied before its signpost, so that the copy leads to nothing that it lacks, and only with every line verified.
 * What the target has is never replaced: of two files of one name, each with an issuer's signature, somebody has to say which
 * is right. */
#include "operator/store_issued.h"

#include <string.h>

#include "base/error.h"

typedef struct
{
  SvMirror *mirror;
  const SvManifest *manifest;
  guint64 first;
  guint64 last;
} Copy;

static gboolean
ignore_line (const SvIssuedLine *line, gpointer data, GError **error)
{
  return TRUE;
}

static GBytes *
get (SvObjectStore *store, const char *key, gsize max_size, GError **error)
{
  SvGetOptions options = { .max_size = max_size, .bypass_caches = max_size == SV_ISSUED_SIGNPOST_MAX_SIZE };
  g_autoptr (SvObject) object = sv_object_store_get (store, key, &options, NULL, error);
  return object != NULL ? g_bytes_ref (object->bytes) : NULL;
}

/* NULL without an error where the target has none. */
static gboolean
get_target (const Copy *copy, const char *key, gsize max_size, GBytes **bytes, GError **error)
{
  g_autoptr (GError) failure = NULL;
  *bytes = get (copy->mirror->to, key, max_size, &failure);
  if (*bytes != NULL || g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return TRUE;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_MALFORMED)) /* too large: so it is another */
  {
    *bytes = g_bytes_new_static ("", 0);
    return TRUE;
  }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
put (const Copy *copy, const char *key, GBytes *bytes, const char *content_type, GError **error)
{
  SvPutOptions options = sv_store_put_options (SV_STORE_ISSUED);
  options.condition = SV_PUT_ONCE;
  options.content_type = content_type;
  g_autofree char *etag = sv_object_store_put (copy->mirror->to, key, bytes, &options, error);
  copy->mirror->report->copied += etag != NULL;
  copy->mirror->report->copied_bytes += etag != NULL ? g_bytes_get_size (bytes) : 0;
  return etag != NULL;
}

/* *@is_there: the target has it afterwards. */
static gboolean
give (const Copy *copy, const char *key, GBytes *bytes, const char *content_type, gboolean *is_there, GError **error)
{
  g_autoptr (GBytes) there = NULL;
  if (!get_target (copy, key, SV_ISSUED_FILE_MAX_SIZE, &there, error))
    return FALSE;
  *is_there = there == NULL || g_bytes_equal (there, bytes);
  copy->mirror->report->present += there != NULL && *is_there;
  copy->mirror->unreachable_in_a_row = 0;
  if (there == NULL)
    return put (copy, key, bytes, content_type, error);
  if (!*is_there)
    sv_mirror_add_fault (copy->mirror, key,
                         "the copy has something else under this name, which is not replaced; see which of the two is the "
                         "operator's, and remove the wrong one by hand",
                         FALSE);
  return TRUE;
}

static gboolean
copy_file (const Copy *copy, gboolean *is_there, GError **error)
{
  GError *failure = NULL;
  g_autofree char *key = sv_issued_key (copy->manifest->window_id, copy->first, copy->last);
  sv_mirror_tell_progress (copy->mirror, key);
  *is_there = FALSE;
  g_autoptr (GBytes) bytes = get (copy->mirror->from, key, SV_ISSUED_FILE_MAX_SIZE, &failure);
  if (bytes == NULL || !sv_issued_file_read (bytes, copy->manifest, sv_reader_chain_id (copy->mirror->reader), copy->first,
                                             copy->last, ignore_line, NULL, &failure))
    return sv_mirror_leave_out (copy->mirror, key, failure, error);
  return give (copy, key, bytes, "application/x-ndjson", is_there, error);
}

/* Whether the target has signpost and file already, as far as the file's size shows: not asked where all is to be read. */
static gboolean
is_copied (const Copy *copy, GBytes *signpost, gboolean *is_there, GError **error)
{
  guint64 ours = 0, theirs = 0;
  g_autofree char *key = sv_issued_signpost_key (copy->manifest->window_id, copy->first);
  g_autofree char *file = sv_issued_key (copy->manifest->window_id, copy->first, copy->last);
  g_autoptr (GBytes) there = NULL;
  *is_there = FALSE;
  if (copy->mirror->options->verify)
    return TRUE;
  if (!get_target (copy, key, SV_ISSUED_SIGNPOST_MAX_SIZE, &there, error))
    return FALSE;
  *is_there = there != NULL && g_bytes_equal (there, signpost) && sv_object_store_head (copy->mirror->to, file, &ours, NULL) &&
              sv_object_store_head (copy->mirror->from, file, &theirs, NULL) && ours == theirs;
  copy->mirror->report->present += *is_there ? 2 : 0;
  return TRUE;
}

/* *@goes_on is FALSE at the end of the log, and where the copy of it has to end. */
static gboolean
copy_step (Copy *copy, gboolean *goes_on, GError **error)
{
  GError *failure = NULL;
  gboolean is_there;
  g_autofree char *key = sv_issued_signpost_key (copy->manifest->window_id, copy->first);
  *goes_on = FALSE;
  g_autoptr (GBytes) signpost = get (copy->mirror->from, key, SV_ISSUED_SIGNPOST_MAX_SIZE, &failure);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_error_free (failure);
    return TRUE;
  }
  if (signpost == NULL || !sv_issued_signpost_read (signpost, copy->first, &copy->last, &failure))
    return sv_mirror_leave_out (copy->mirror, key, failure, error);
  if (!is_copied (copy, signpost, &is_there, error))
    return FALSE;
  if (!is_there &&
      (!copy_file (copy, &is_there, error) || (is_there && !give (copy, key, signpost, "application/json", &is_there, error))))
    return FALSE;
  copy->first = copy->last + 1;
  *goes_on = is_there && copy->first <= SV_ISSUED_END;
  return TRUE;
}

gboolean
sv_mirror_copy_issued (SvMirror *mirror, const SvIndexEntry *entry, GError **error)
{
  GError *failure = NULL;
  gboolean goes_on = TRUE;
  g_autofree char *folder = g_strconcat (SV_ISSUED_PREFIX, entry->window_id, NULL);
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (mirror->reader, entry, &failure);
  if (manifest == NULL)
    return sv_mirror_leave_out (mirror, folder, failure, error);
  Copy copy = { .mirror = mirror, .manifest = manifest, .first = 1 };
  while (goes_on)
    if (!copy_step (&copy, &goes_on, error))
      return FALSE;
  return TRUE;
}
