/* The source's index is read first and written last, so what is copied in between is at least what it names. An object that
 * the source has damaged is left out and told; if the index needs it, the index is held back.
 *
 * A source over HTTP cannot be listed: there the index leads the way, and statements are asked for until one is absent. */
#include "operator/store_issued.h"
#include "operator/store_mirror_state.h"

#include "base/error.h"
#include "base/hash.h"

#define SIZE_UNKNOWN G_MAXUINT64
#define UNREACHABLE_MAX 3 /* objects in a row that cannot be read: then it is the store */

static void
mirror_clear (SvMirror *mirror)
{
  g_clear_pointer (&mirror->reader, sv_reader_free);
  g_clear_pointer (&mirror->spool, sv_spool_free);
  g_clear_pointer (&mirror->index, sv_index_free);
  g_clear_pointer (&mirror->done, g_hash_table_unref);
  g_clear_pointer (&mirror->faulty, g_hash_table_unref);
  g_clear_pointer (&mirror->issued, g_hash_table_unref);
  g_clear_pointer (&mirror->statements, g_array_unref);
  sv_index_place_clear (&mirror->there);
  g_clear_pointer (&mirror->report, sv_mirror_report_free);
  g_clear_error (&mirror->failure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvMirror, mirror_clear)

static void
fault_free (gpointer data)
{
  SvMirrorFault *fault = data;
  g_free (fault->key);
  g_free (fault->what);
  g_free (fault);
}

void
sv_mirror_report_free (SvMirrorReport *report)
{
  if (report == NULL)
    return;
  g_ptr_array_unref (report->faults);
  g_free (report);
}

guint
sv_mirror_report_n_unreachable (const SvMirrorReport *report)
{
  guint n = 0;
  for (guint i = 0; i < report->faults->len; i++)
    n += ((const SvMirrorFault *)report->faults->pdata[i])->is_unreachable != FALSE;
  return n;
}

/* ── one object ── */

void
sv_mirror_add_fault (SvMirror *mirror, const char *key, const char *what, gboolean is_unreachable)
{
  if (g_hash_table_contains (mirror->faulty, key))
    return;
  SvMirrorFault *fault = g_new0 (SvMirrorFault, 1);
  fault->key = g_strdup (key);
  fault->what = g_strdup (sv_message_without (what, key));
  fault->is_unreachable = is_unreachable;
  g_ptr_array_add (mirror->report->faults, fault);
  g_hash_table_add (mirror->faulty, fault->key);
}

static gboolean
refuse_endless (const SvMirror *mirror, const char *what, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "%s has more than %d %s; see what that is with `sv store check --store %s`",
               sv_object_store_url (mirror->from), SV_STORE_MAX_KEPT, what, sv_object_store_url (mirror->from));
  return FALSE;
}

/* An object that cannot be had is left out; a source that cannot be read ends it all. Takes @failure. */
gboolean
sv_mirror_leave_out (SvMirror *mirror, const char *key, GError *failure, GError **error)
{
  gboolean is_unreachable = g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE);
  mirror->unreachable_in_a_row = is_unreachable ? mirror->unreachable_in_a_row + 1 : 0;
  if (mirror->unreachable_in_a_row >= UNREACHABLE_MAX || g_error_matches (failure, SV_ERROR, SV_ERROR_FAILED))
  {
    g_propagate_error (error, failure);
    return FALSE;
  }
  sv_mirror_add_fault (mirror, key, failure->message, is_unreachable);
  g_error_free (failure);
  return mirror->report->faults->len <= SV_STORE_MAX_KEPT || refuse_endless (mirror, "objects that cannot be copied", error);
}

/* *@is_there tells whether the target has the object, whole as far as its size shows, or with `verify` its content. */
static gboolean
find_in_target (SvMirror *mirror, const char *key, const SvStoreName *name, guint64 size, gboolean *is_there, GError **error)
{
  guint64 there;
  g_autoptr (GError) failure = NULL;
  *is_there = FALSE;
  if (sv_object_store_head (mirror->to, key, &there, &failure))
    *is_there = there == size && (!mirror->options->verify || sv_store_verify (mirror->spool, mirror->to, key, name, &failure));
  if (failure == NULL || !g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

void
sv_mirror_tell_progress (const SvMirror *mirror, const char *key)
{
  const SvMirrorReport *report = mirror->report;
  if (mirror->options->progress != NULL)
    mirror->options->progress (report->copied + report->present, report->copied_bytes, key, mirror->options->data);
}

static gboolean
put_spooled (SvMirror *mirror, const char *key, const SvStoreName *name, guint64 size, GError **error)
{
  SvPutOptions options = sv_store_put_options (name->kind);
  if (!sv_object_store_put_file (mirror->to, key, mirror->spool->path, &options, error))
    return FALSE;
  mirror->report->copied++;
  mirror->report->copied_bytes += size;
  mirror->unreachable_in_a_row = 0;
  return TRUE;
}

/* *@is_there tells whether the target has it afterwards. */
static gboolean
copy_object (SvMirror *mirror, const char *key, const SvStoreName *name, guint64 size, gboolean *is_there, GError **error)
{
  GError *failure = NULL;
  guint64 copied;
  sv_mirror_tell_progress (mirror, key);
  if (!find_in_target (mirror, key, name, size, is_there, error))
    return FALSE;
  mirror->report->present += *is_there;
  if (*is_there || g_hash_table_contains (mirror->faulty, key))
    return TRUE;
  if (!sv_spool_fetch (mirror->spool, mirror->from, key, name, &copied, &failure))
    return sv_mirror_leave_out (mirror, key, failure, error);
  *is_there = put_spooled (mirror, key, name, copied, error);
  return *is_there;
}

/* ── what the index names ── */

/* The size of the first of @keys that the source has, or SIZE_UNKNOWN. */
static guint64
find_size (SvMirror *mirror, const char *const *keys)
{
  guint64 size;
  for (gsize i = 0; keys[i] != NULL; i++)
    if (sv_object_store_head (mirror->from, keys[i], &size, NULL))
      return size;
  return SIZE_UNKNOWN;
}

/* Into the spool, from whichever of @keys is sound. */
static gboolean
fetch_any (SvMirror *mirror, const char *const *keys, const SvStoreName *name, guint64 *size, GError **error)
{
  g_autoptr (GError) first = NULL;
  for (gsize i = 0; keys[i] != NULL; i++)
    if (sv_spool_fetch (mirror->spool, mirror->from, keys[i], name, size, first == NULL ? &first : NULL))
      return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}

/* @keys are the names of one content: what the source has under one of them, the target gets under all. */
static gboolean
copy_named (SvMirror *mirror, const char *const *keys, GError **error)
{
  SvStoreName name = sv_store_name_read (keys[0]);
  guint64 size = find_size (mirror, keys);
  for (gsize i = 0; keys[i] != NULL; i++)
  {
    GError *failure = NULL;
    gboolean is_there;
    guint64 copied;
    sv_mirror_tell_progress (mirror, keys[i]);
    g_hash_table_add (mirror->done, g_strdup (keys[i]));
    if (!find_in_target (mirror, keys[i], &name, size, &is_there, error))
      return FALSE;
    mirror->report->present += is_there;
    if (is_there)
      continue;
    if (!fetch_any (mirror, keys, &name, &copied, &failure))
    {
      mirror->is_held_back = TRUE;
      return sv_mirror_leave_out (mirror, keys[i], failure, error);
    }
    if (!put_spooled (mirror, keys[i], &name, copied, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
copy_entries (SvMirror *mirror, const GPtrArray *entries, GError **error)
{
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = entries->pdata[i];
    g_autofree char *key = sv_manifest_key (entry->hash);
    g_autofree char *prefixed = sv_manifest_key_prefixed (entry->hash);
    const char *const keys[] = { key, prefixed, NULL };
    if (!g_hash_table_contains (mirror->done, key) && !copy_named (mirror, keys, error))
      return FALSE;
  }
  return TRUE;
}

/* *@previous is the archive before this one. */
static gboolean
copy_archive (SvMirror *mirror, const char *hash, char **previous, GError **error)
{
  GError *failure = NULL;
  g_autofree char *key = sv_archive_key (hash);
  const char *const keys[] = { key, NULL };
  *previous = NULL;
  if (!copy_named (mirror, keys, error))
    return FALSE;
  g_autoptr (SvIndex) archive = sv_store_get_archive (mirror->from, hash, &failure);
  if (archive != NULL)
  {
    *previous = g_strdup (archive->archive);
    return copy_entries (mirror, archive->entries, error) && copy_entries (mirror, archive->superseded, error);
  }
  mirror->is_held_back = TRUE;
  return sv_mirror_leave_out (mirror, key, failure, error);
}

static gboolean
copy_what_index_names (SvMirror *mirror, GError **error)
{
  if (mirror->index == NULL)
    return TRUE;
  if (!copy_entries (mirror, mirror->index->entries, error) || !copy_entries (mirror, mirror->index->superseded, error))
    return FALSE;
  g_autofree char *hash = g_strdup (mirror->index->archive);
  for (guint n = 0; hash != NULL && n < SV_ARCHIVE_MAX_STEPS; n++)
  {
    char *previous;
    if (!copy_archive (mirror, hash, &previous, error))
      return FALSE;
    g_free (hash);
    hash = previous;
  }
  mirror->is_held_back = mirror->is_held_back || hash != NULL;
  return TRUE;
}

/* ── the rest ── */

static gboolean
visit_object (const char *key, guint64 size, gpointer data)
{
  SvMirror *mirror = data;
  SvStoreName name = sv_store_name_read (key);
  gboolean is_there;
  switch (name.kind)
  {
  case SV_STORE_INDEX:
    return TRUE;
  case SV_STORE_SIGNERS:
    g_array_append_val (mirror->statements, name.number);
    return mirror->statements->len <= SV_STORE_MAX_KEPT || refuse_endless (mirror, "statements on signers", &mirror->failure);
  case SV_STORE_ISSUED:
    if (g_hash_table_size (mirror->issued) < SV_STORE_MAX_KEPT)
      g_hash_table_add (mirror->issued, g_strdup (name.window_id));
    return TRUE;
  case SV_STORE_PROBE:
  case SV_STORE_OTHER:
    mirror->report->n_others++;
    return TRUE;
  case SV_STORE_CLIP:
    if (mirror->options->with_private)
      break;
    mirror->report->n_private++;
    return TRUE;
  default:
    break;
  }
  return g_hash_table_contains (mirror->done, key) || copy_object (mirror, key, &name, size, &is_there, &mirror->failure);
}

static gboolean
copy_what_is_listed (SvMirror *mirror, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvObjectStore) listing = sv_object_store_open (sv_object_store_url (mirror->from), mirror->config, error);
  if (listing == NULL)
    return FALSE;
  mirror->report->is_listed = sv_object_store_list (listing, "", visit_object, mirror, &failure);
  if (mirror->failure != NULL)
    g_propagate_error (error, g_steal_pointer (&mirror->failure));
  else if (failure == NULL || g_error_matches (failure, SV_ERROR, SV_ERROR_POLICY)) /* it cannot be listed */
    return TRUE;
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* ── issue logs ── */

/* Of a source that cannot be listed those of all windows that are known are asked for. */
static gboolean
copy_issued_of (SvMirror *mirror, const SvIndex *index, GError **error)
{
  for (guint i = 0; index != NULL && i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = index->entries->pdata[i];
    gboolean is_listed = g_hash_table_remove (mirror->issued, entry->window_id);
    if ((is_listed || !mirror->report->is_listed) && !sv_mirror_copy_issued (mirror, entry, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
copy_issued (SvMirror *mirror, GError **error)
{
  g_autoptr (SvIndex) history = NULL;
  g_autoptr (GError) ignored = NULL; /* an archive that cannot be had has been told of */
  GHashTableIter iter;
  gpointer window_id;
  if (!copy_issued_of (mirror, mirror->index, error))
    return FALSE;
  if (mirror->index != NULL && (g_hash_table_size (mirror->issued) > 0 || !mirror->report->is_listed))
    history = sv_fetch_history (mirror->reader, mirror->index, &ignored);
  if (!copy_issued_of (mirror, history, error))
    return FALSE;
  g_hash_table_iter_init (&iter, mirror->issued);
  while (g_hash_table_iter_next (&iter, &window_id, NULL))
  {
    g_autofree char *folder = g_strconcat (SV_ISSUED_PREFIX, window_id, NULL);
    sv_mirror_add_fault (mirror, folder, "no index here says whose issue log this is: it cannot be verified", FALSE);
  }
  return TRUE;
}

/* ── all of it ── */

static gboolean
check_found (const SvMirror *mirror, GError **error)
{
  const SvMirrorReport *report = mirror->report;
  if (mirror->index != NULL ||
      report->copied + report->present + report->n_private + report->n_others + report->faults->len > 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND, "there is nothing in %s to copy; see that it is the right store",
               sv_object_store_url (mirror->from));
  return FALSE;
}

SvMirrorReport *
sv_store_mirror (const SvConfig *config, SvChain *chain, SvObjectStore *from, SvObjectStore *to, const SvMirrorOptions *options,
                 GError **error)
{
  g_auto (SvMirror) mirror = { .config = config, .from = from, .to = to, .options = options };
  if (!sv_mirror_check_stores (&mirror, error))
    return NULL;
  mirror.done = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  mirror.issued = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  mirror.faulty = g_hash_table_new (g_str_hash, g_str_equal);
  mirror.statements = g_array_new (FALSE, FALSE, sizeof (guint64));
  mirror.report = g_new0 (SvMirrorReport, 1);
  mirror.report->faults = g_ptr_array_new_with_free_func (fault_free);
  mirror.spool = sv_spool_new (config, error);
  mirror.reader = mirror.spool != NULL ? sv_reader_new_for_store (config, chain, NULL, from, error) : NULL;
  if (mirror.reader == NULL || !sv_mirror_read_source_index (&mirror, error) ||
      !sv_mirror_judge_target_index (&mirror, error) || !copy_what_index_names (&mirror, error) ||
      !copy_what_is_listed (&mirror, error) || !copy_issued (&mirror, error) || !check_found (&mirror, error) ||
      !sv_mirror_copy_statements (&mirror, error) || !sv_mirror_write_index (&mirror, error))
    return NULL;
  return g_steal_pointer (&mirror.report);
}
