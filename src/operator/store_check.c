/* The check goes over the store once: every object is listed and held against its name; then the index is opened as a reader
 * opens it and held against what it names; then statements against each other, and the public side against the store. The
 * index is read after the objects, so what a publisher adds meanwhile is at most an object too many, never one too few.
 *
 * What was found sound is remembered by name for manifests, archives and statements, of which there are few; shards and clips
 * are judged as they come and forgotten, so memory does not grow with them. Nor does it grow with a listing that has no end: of
 * everything so many are kept, the others counted, and what is not remembered is read again where it is asked for. */
#include "operator/store_check.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "distribution/recovery.h"
#include "operator/store_check_state.h"
#include "operator/store_issued.h"

#define OTHERS_SHOWN 10
#define UNREACHABLE_MAX 3 /* objects in a row that cannot be read: then it is the store */

static void
fault_free (gpointer data)
{
  SvStoreFault *fault = data;
  g_free (fault->key);
  g_free (fault->what);
  g_free (fault->advice);
  g_free (fault->hash);
  g_free (fault->repaired_from);
  g_free (fault);
}

SvStoreCheck *
sv_store_check_new (const SvConfig *config, SvChain *chain, SvObjectStore *store, const SvStoreCheckOptions *options,
                    GError **error)
{
  g_autoptr (SvStoreCheck) check = g_new0 (SvStoreCheck, 1);
  check->config = config;
  check->chain = chain;
  check->store = store;
  check->options = *options;
  if (check->options.max_kept == 0)
    check->options.max_kept = SV_STORE_MAX_KEPT;
  check->states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  check->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  check->named = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  check->wanted_clips = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  check->issued = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  check->statements = g_array_new (FALSE, FALSE, sizeof (guint64));
  check->probes = g_ptr_array_new_with_free_func (g_free);
  check->others = g_ptr_array_new_with_free_func (g_free);
  check->seen_outside = g_ptr_array_new_with_free_func (g_free);
  check->report.faults = g_ptr_array_new_with_free_func (fault_free);
  check->report.notes = g_ptr_array_new_with_free_func (g_free);
  check->reader = sv_reader_new_for_store (config, chain, NULL, store, error);
  if (check->reader == NULL || (check->spool = sv_spool_new (config, error)) == NULL)
    return NULL;
  check->listing = sv_object_store_open (sv_object_store_url (store), config, error);
  return check->listing != NULL ? g_steal_pointer (&check) : NULL;
}

void
sv_store_check_free (SvStoreCheck *check)
{
  if (check == NULL)
    return;
  g_clear_pointer (&check->reader, sv_reader_free);
  g_clear_pointer (&check->spool, sv_spool_free);
  g_clear_pointer (&check->listing, sv_object_store_free);
  g_clear_pointer (&check->index, sv_index_free);
  g_clear_error (&check->failure);
  g_clear_pointer (&check->untold, fault_free);
  g_hash_table_unref (check->states);
  g_hash_table_unref (check->by_key);
  g_hash_table_unref (check->named);
  g_hash_table_unref (check->wanted_clips);
  g_hash_table_unref (check->issued);
  g_array_unref (check->statements);
  g_ptr_array_unref (check->probes);
  g_ptr_array_unref (check->others);
  g_ptr_array_unref (check->seen_outside);
  g_ptr_array_unref (check->report.faults);
  g_ptr_array_unref (check->report.notes);
  g_free (check->clip_key);
  g_free (check);
}

const SvStoreReport *
sv_store_check_report (const SvStoreCheck *check)
{
  return &check->report;
}

guint
sv_store_report_left (const SvStoreReport *report, guint *n_unreachable)
{
  guint left = (guint)MIN (report->untold, G_MAXUINT / 2);
  *n_unreachable = 0;
  for (guint i = 0; i < report->faults->len; i++)
  {
    const SvStoreFault *fault = report->faults->pdata[i];
    left += fault->repaired_from == NULL;
    *n_unreachable += fault->repaired_from == NULL && fault->is_unreachable;
  }
  return left;
}

guint
sv_store_check_n_remedies (const SvStoreCheck *check)
{
  guint n = check->probes->len;
  for (guint i = 0; i < check->report.faults->len; i++)
  {
    const SvStoreFault *fault = check->report.faults->pdata[i];
    n += fault->remedy != SV_REMEDY_NONE && fault->repaired_from == NULL;
  }
  return n;
}

/* ── faults ── */

static const char *
default_advice (SvStoreKind kind)
{
  switch (kind)
  {
  case SV_STORE_MANIFEST:
  case SV_STORE_ARCHIVE:
  case SV_STORE_INDEX:
    return SV_ADVICE_REPAIR;
  case SV_STORE_CLIP:
    return "delete it with `sv clip remove HASH --delete-object`, then store it again with `sv clip add FILE`";
  case SV_STORE_SHARD:
    return "an audit counts it as nothing; whoever wrote it can copy it here again";
  default:
    return "look at it, and bring it back from a mirror or a backup";
  }
}

/* Takes @fault, which can be completed until the next one comes. What is listed is seen once, and counted; what is asked for by
 * name may have been counted already, and only tells that there is more. */
static void
keep_fault (SvStoreCheck *check, SvStoreFault *fault)
{
  gboolean is_kept = check->report.faults->len < check->options.max_kept;
  check->report.tallies[fault->kind].faults += is_kept || check->is_listing;
  if (is_kept)
  {
    g_ptr_array_add (check->report.faults, fault);
    g_hash_table_insert (check->by_key, fault->key, fault);
    return;
  }
  check->report.untold = check->is_listing ? check->report.untold + 1 : MAX (check->report.untold, 1);
  g_clear_pointer (&check->untold, fault_free);
  check->untold = fault;
}

SvStoreFault *
sv_store_add_fault (SvStoreCheck *check, SvStoreKind kind, const char *key, const char *what, const char *advice)
{
  SvStoreFault *known = g_hash_table_lookup (check->by_key, key);
  if (known != NULL)
    return known;
  SvStoreFault *fault = g_new0 (SvStoreFault, 1);
  fault->kind = kind;
  fault->key = g_strdup (key);
  fault->what = g_strdup (sv_message_without (what, key));
  fault->advice = g_strdup (advice != NULL ? advice : default_advice (kind));
  keep_fault (check, fault);
  return fault;
}

static SvStoreFault *
add_object_fault (SvStoreCheck *check, const char *key, const SvStoreName *name, const char *what)
{
  SvStoreFault *fault = sv_store_add_fault (check, name->kind, key, what, NULL);
  if (name->kind != SV_STORE_MANIFEST && name->kind != SV_STORE_ARCHIVE)
    return fault;
  fault->remedy = SV_REMEDY_CONTENT;
  g_free (fault->hash);
  fault->hash = g_strdup (name->hash);
  return fault;
}

/* ── one object ── */

static gboolean
is_remembered (const SvStoreName *name)
{
  return name->kind == SV_STORE_MANIFEST || name->kind == SV_STORE_ARCHIVE || name->kind == SV_STORE_SIGNERS;
}

static SvObjectState
state_of (const GError *failure)
{
  if (failure == NULL)
    return SV_OBJECT_SOUND;
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_NOT_FOUND))
    return SV_OBJECT_ABSENT;
  return g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE) || g_error_matches (failure, SV_ERROR, SV_ERROR_FAILED)
             ? SV_OBJECT_UNREADABLE
             : SV_OBJECT_DAMAGED;
}

static void
note_state (SvStoreCheck *check, const char *key, const SvStoreName *name, SvObjectState state, const GError *failure)
{
  gboolean has_room = g_hash_table_size (check->states) < check->options.max_kept;
  if (is_remembered (name) && (has_room || g_hash_table_contains (check->states, key)))
    g_hash_table_replace (check->states, g_strdup (key), GINT_TO_POINTER (state));
  if (state != SV_OBJECT_DAMAGED && state != SV_OBJECT_UNREADABLE)
    return;
  g_autofree char *what = g_strconcat (state == SV_OBJECT_DAMAGED ? "damaged: " : "cannot be read: ", failure->message, NULL);
  add_object_fault (check, key, name, what)->is_unreachable = state == SV_OBJECT_UNREADABLE;
}

gboolean
sv_store_look_at (SvStoreCheck *check, const char *key, SvObjectState *state, GError **error)
{
  SvStoreName name = sv_store_name_read (key);
  *state = GPOINTER_TO_INT (g_hash_table_lookup (check->states, key));
  if (*state != SV_OBJECT_UNKNOWN)
    return TRUE;
  g_autoptr (GError) failure = NULL;
  *state = sv_store_verify (check->spool, check->store, key, &name, &failure) ? SV_OBJECT_SOUND : state_of (failure);
  check->unreachable_in_a_row = *state == SV_OBJECT_UNREADABLE ? check->unreachable_in_a_row + 1 : 0;
  if (check->unreachable_in_a_row >= UNREACHABLE_MAX)
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  note_state (check, key, &name, *state, failure);
  return TRUE;
}

/* ── every object ── */

static void
keep_name (SvStoreCheck *check, const char *key, guint64 size, const SvStoreName *name)
{
  guint max = check->options.max_kept;
  if (name->kind == SV_STORE_SIGNERS && check->statements->len < max)
    g_array_append_val (check->statements, name->number);
  else if (name->kind == SV_STORE_ISSUED)
    sv_store_note_issued (check, name);
  else if (name->kind == SV_STORE_PROBE && check->probes->len < max)
    g_ptr_array_add (check->probes, g_strdup (key));
  else if (name->kind == SV_STORE_OTHER && check->others->len < OTHERS_SHOWN)
    g_ptr_array_add (check->others, g_strdup (key));
  else if (name->kind == SV_STORE_CLIP && check->clip_key == NULL)
  {
    check->clip_key = g_strdup (key);
    check->clip_size = size;
  }
}

static gboolean
visit_object (const char *key, guint64 size, gpointer data)
{
  SvStoreCheck *check = data;
  SvStoreName name = sv_store_name_read (key);
  SvObjectState state;
  if (check->options.progress != NULL)
    check->options.progress (check->objects, check->bytes, key, check->options.data);
  check->objects++;
  check->bytes += size;
  check->report.tallies[name.kind].objects++;
  check->report.tallies[name.kind].bytes += size;
  keep_name (check, key, size, &name);
  if (name.kind == SV_STORE_INDEX || name.kind == SV_STORE_PROBE || name.kind == SV_STORE_OTHER || name.kind == SV_STORE_ISSUED)
    return TRUE;
  return sv_store_look_at (check, key, &state, &check->failure);
}

static gboolean
check_objects (SvStoreCheck *check, GError **error)
{
  check->is_listing = TRUE;
  gboolean is_listed = sv_object_store_list (check->listing, "", visit_object, check, error);
  check->is_listing = FALSE;
  if (!is_listed)
    return FALSE;
  check->probes_at_us = g_get_monotonic_time ();
  if (check->failure != NULL)
  {
    g_propagate_error (error, g_steal_pointer (&check->failure));
    return FALSE;
  }
  if (check->objects > 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_NOT_FOUND,
               "there is nothing in store %s; if it should hold something, check SCOREVISION_STORE, or bring everything back "
               "from another store with `sv store mirror FROM TO`",
               sv_object_store_url (check->store));
  return FALSE;
}

/* ── the index ── */

gboolean
sv_store_is_operators (const SvStoreCheck *check)
{
  static const SvStoreKind kinds[] = { SV_STORE_MANIFEST, SV_STORE_ARCHIVE, SV_STORE_SIGNERS, SV_STORE_ISSUED, SV_STORE_CLIP };
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (check->report.tallies[kinds[i]].objects > 0)
      return TRUE;
  return FALSE;
}

static void
judge_index (SvStoreCheck *check, const GError *failure)
{
  gboolean is_absent = sv_store_is_absent (check->store, SV_INDEX_KEY);
  guint64 known = sv_known_sequence (check->reader);
  if (is_absent && (known == 0 || !sv_store_is_operators (check)))
    return;
  g_autofree char *what =
      is_absent
          ? g_strdup_printf ("missing: the index of sequence %" G_GUINT64_FORMAT " is known to have been published", known)
          : g_strdup (sv_message_without (failure->message, sv_object_store_url (check->store)));
  sv_store_add_fault (check, SV_STORE_INDEX, SV_INDEX_KEY, what, NULL)->remedy = SV_REMEDY_INDEX;
}

gboolean
sv_store_check_index (SvStoreCheck *check, GError **error)
{
  GError *failure = NULL;
  g_clear_pointer (&check->index, sv_index_free);
  check->index = sv_fetch_index (check->reader, SV_FETCH_BYPASS_CACHES, &failure);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, failure);
    return FALSE;
  }
  if (failure != NULL)
    judge_index (check, failure);
  else
    check->report.sequence = check->index->sequence;
  g_clear_error (&failure);
  return TRUE;
}

/* ── all of it ── */

gboolean
sv_store_check_run (SvStoreCheck *check, GError **error)
{
  if (!check_objects (check, error) || !sv_store_check_index (check, error) || !sv_store_check_named (check, error) ||
      !sv_store_check_statements (check, error) || !sv_store_check_issued (check, error))
    return FALSE;
  sv_store_check_public (check);
  sv_store_write_notes (check);
  return TRUE;
}
