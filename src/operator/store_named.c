/* What an index names, held against what is there: manifests under both names, archives one by one, statements in their order;
 * and the notes that follow from it. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "operator/store_check_state.h"
#include "protocol/anchor.h"

/* ── manifests ── */

static void
add_missing (SvStoreCheck *check, SvStoreKind kind, const char *key, const char *hash, const char *why)
{
  SvStoreFault *fault = sv_store_add_fault (check, kind, key, why, NULL);
  if (hash == NULL)
    return;
  fault->remedy = SV_REMEDY_CONTENT;
  g_free (fault->hash);
  fault->hash = g_strdup (hash);
}

/* *@sound_key is the name under which the manifest can be read, or NULL. */
static gboolean
check_names (SvStoreCheck *check, const SvIndexEntry *entry, char **sound_key, GError **error)
{
  char *keys[] = { sv_manifest_key (entry->hash), sv_manifest_key_prefixed (entry->hash) };
  g_autofree char *why = g_strdup_printf ("missing: the index names it for window %s", entry->window_id);
  gboolean ok = TRUE;
  *sound_key = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    SvObjectState state = SV_OBJECT_UNKNOWN;
    ok = ok && sv_store_look_at (check, keys[i], &state, error);
    if (ok && state == SV_OBJECT_ABSENT)
      add_missing (check, SV_STORE_MANIFEST, keys[i], entry->hash, why);
    if (ok && state == SV_OBJECT_SOUND && *sound_key == NULL)
      *sound_key = g_strdup (keys[i]);
    g_free (keys[i]);
  }
  return ok;
}

/* A live manifest must be one that readers take; one of the past only what its entry says, whoever is trusted today. */
static void
check_content (SvStoreCheck *check, const SvIndexEntry *entry, const char *key, gboolean is_live)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvManifest) manifest = NULL;
  g_autoptr (GBytes) bytes = sv_store_get (check->store, key, entry->hash, SV_MANIFEST_MAX_SIZE, &failure);
  if (bytes != NULL)
    manifest = sv_manifest_open (bytes, entry->hash, &check->index->chain, NULL, NULL, &failure);
  gboolean agrees = manifest != NULL && sv_index_entry_agrees (entry, manifest, &failure);
  if (agrees && is_live)
  {
    g_clear_pointer (&manifest, sv_manifest_free);
    manifest = sv_fetch_entry_manifest (check->reader, entry, &failure);
    if (manifest != NULL)
      sv_store_note_clips (check, entry, manifest);
  }
  if (failure == NULL)
    return;
  SvStoreFault *fault = sv_store_add_fault (check, SV_STORE_MANIFEST, key, failure->message,
                                            is_live ? "publish the window anew with `sv manifest publish FILE --supersede`"
                                                    : "ask whoever signed the index");
  fault->is_unreachable = g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE);
}

static gboolean
check_entries (SvStoreCheck *check, const GPtrArray *entries, gboolean are_live, GError **error)
{
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = entries->pdata[i];
    g_autofree char *key = NULL;
    g_hash_table_add (check->named, g_strdup (entry->hash));
    if (!check_names (check, entry, &key, error))
      return FALSE;
    if (key != NULL)
      check_content (check, entry, key, are_live);
  }
  return TRUE;
}

/* ── archives ── */

/* *@previous is the archive before this one, or NULL. */
static gboolean
check_archive (SvStoreCheck *check, const char *hash, char **previous, GError **error)
{
  g_autofree char *key = sv_archive_key (hash);
  SvObjectState state;
  *previous = NULL;
  if (!sv_store_look_at (check, key, &state, error))
    return FALSE;
  if (state == SV_OBJECT_ABSENT)
    add_missing (check, SV_STORE_ARCHIVE, key, hash, "missing: it holds entries of the index that are long over");
  if (state != SV_OBJECT_SOUND)
    return TRUE;
  g_autoptr (GError) failure = NULL;
  g_autoptr (SvIndex) archive = sv_store_get_archive (check->store, hash, &failure);
  if (archive != NULL)
  {
    *previous = g_strdup (archive->archive);
    return check_entries (check, archive->entries, FALSE, error) && check_entries (check, archive->superseded, FALSE, error);
  }
  sv_store_add_fault (check, SV_STORE_ARCHIVE, key, failure->message, "ask whoever signed the index");
  return TRUE;
}

static gboolean
check_archives (SvStoreCheck *check, GError **error)
{
  g_autofree char *hash = g_strdup (check->index->archive);
  for (guint n = 0; hash != NULL && n < SV_ARCHIVE_MAX_STEPS; n++)
  {
    char *previous;
    g_hash_table_add (check->named, g_strdup (hash));
    if (!check_archive (check, hash, &previous, error))
      return FALSE;
    g_free (hash);
    hash = previous;
  }
  if (hash != NULL)
    sv_store_add_fault (check, SV_STORE_INDEX, SV_INDEX_KEY, "leads to more archives than readers follow",
                        "ask whoever signed the index");
  return TRUE;
}

gboolean
sv_store_check_named (SvStoreCheck *check, GError **error)
{
  g_hash_table_remove_all (check->named);
  g_hash_table_remove_all (check->wanted_clips);
  if (check->index == NULL)
    return TRUE;
  return check_entries (check, check->index->entries, TRUE, error) &&
         check_entries (check, check->index->superseded, FALSE, error) && check_archives (check, error) &&
         sv_store_check_clips (check, error);
}

/* ── statements ── */

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
  return x < y ? -1 : x > y;
}

/* (transfer none) the statement with that number that counts for this home, or NULL. */
static const SvSignersStatement *
find_known (const SvStoreCheck *check, guint64 number)
{
  const SvSigners *signers = sv_reader_signers (check->reader);
  if (number > sv_signers_fold_last_effective (sv_signers_fold (signers)))
    return NULL;
  return sv_signers_statements (signers)->pdata[number - 1];
}

static void
add_statement_fault (SvStoreCheck *check, guint64 number, const char *hash, const char *what)
{
  g_autofree char *key = sv_signers_key (number);
  SvStoreFault *fault = sv_store_add_fault (check, SV_STORE_SIGNERS, key, what, NULL);
  if (hash != NULL && fault->remedy == SV_REMEDY_NONE)
  {
    fault->remedy = SV_REMEDY_CONTENT;
    fault->hash = g_strdup (hash);
    g_free (fault->advice);
    fault->advice = g_strdup (SV_ADVICE_REPAIR);
  }
}

/* Both are signed, and nothing here tells which of them is the right one: neither is touched. */
static void
add_two_histories (SvStoreCheck *check, guint64 number)
{
  g_autofree char *key = sv_signers_key (number);
  sv_store_add_fault (check, SV_STORE_SIGNERS, key, "is not the one that the next statement follows",
                      "compare both with a mirror or a backup, and bring back the one that is another there");
}

static void
add_another (SvStoreCheck *check, guint64 number)
{
  g_autofree char *key = sv_signers_key (number);
  sv_store_add_fault (check, SV_STORE_SIGNERS, key, "is another statement than the one that this home knows and follows",
                      "somebody has exchanged it: remove it, and `sv store check --repair` brings the right one back");
}

/* What lies between the two in the store; @later is NULL where it is damaged, or the end. */
static void
check_gap (SvStoreCheck *check, guint64 before, guint64 after, const SvSignersStatement *later)
{
  if (after <= before + 1)
    return;
  const SvSignersStatement *known = find_known (check, after - 1);
  const char *hash = known != NULL ? known->document->hash : later != NULL ? later->previous : NULL;
  const char *who = known != NULL ? "this home knows them" : "a later one is";
  g_autofree char *what =
      g_strdup_printf ("missing: the statements from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " are not there, and %s",
                       before + 1, after - 1, who);
  add_statement_fault (check, after - 1, hash, what);
}

/* @later says which hash the one with the number below its own has. Either is NULL where it is damaged. */
static void
check_neighbours (SvStoreCheck *check, guint64 before, const SvSignersStatement *earlier, const SvSignersStatement *later)
{
  if (before == 0 || later == NULL || later->number != before + 1)
    return;
  if (earlier == NULL)
    add_statement_fault (check, before, later->previous, "damaged");
  else if (strcmp (later->previous, earlier->document->hash) != 0)
    add_two_histories (check, before);
}

/* *@statement is NULL where it is damaged. */
static gboolean
check_statement (SvStoreCheck *check, guint64 number, SvSignersStatement **statement, GError **error)
{
  g_autoptr (GError) failure = NULL;
  const SvSignersStatement *known = find_known (check, number);
  *statement = sv_store_get_statement (check->store, sv_reader_chain_id (check->reader), number, &failure);
  if (g_error_matches (failure, SV_ERROR, SV_ERROR_UNREACHABLE))
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (failure != NULL)
    add_statement_fault (check, number, known != NULL ? known->document->hash : NULL, failure->message);
  else if (known != NULL && strcmp (known->document->hash, (*statement)->document->hash) != 0)
    add_another (check, number);
  return TRUE;
}

gboolean
sv_store_check_statements (SvStoreCheck *check, GError **error)
{
  g_autoptr (SvSignersStatement) earlier = NULL;
  guint64 before = 0, n_known = sv_signers_fold_last_effective (sv_signers_fold (sv_reader_signers (check->reader)));
  if (check->report.tallies[SV_STORE_SIGNERS].objects > check->options.max_kept)
  {
    sv_store_add_fault (
        check, SV_STORE_SIGNERS, SV_SIGNERS_PREFIX, "there are more statements on signers than can be true",
        "somebody fills this store: remove those that are behind the last one that `sv manifest signers` shows");
    return TRUE;
  }
  g_array_sort (check->statements, compare_numbers);
  for (guint i = 0; i < check->statements->len; i++)
  {
    guint64 number = g_array_index (check->statements, guint64, i);
    SvSignersStatement *later;
    if (!check_statement (check, number, &later, error))
      return FALSE;
    check_gap (check, before, number, later);
    check_neighbours (check, before, earlier, later);
    g_clear_pointer (&earlier, sv_signers_statement_free);
    earlier = later;
    before = number;
  }
  if (sv_store_is_operators (check))
    check_gap (check, before, n_known + 1, NULL);
  return TRUE;
}

/* ── notes ── */

static void G_GNUC_PRINTF (2, 3) add_note (SvStoreCheck *check, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_ptr_array_add (check->report.notes, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static void
count_orphans (SvStoreCheck *check)
{
  g_autoptr (GHashTable) orphans = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer key, state;
  g_hash_table_iter_init (&iter, check->states);
  while (g_hash_table_iter_next (&iter, &key, &state))
  {
    SvStoreName name = sv_store_name_read (key);
    if (name.kind != SV_STORE_SIGNERS && GPOINTER_TO_INT (state) != SV_OBJECT_ABSENT &&
        !g_hash_table_contains (check->named, name.hash))
      g_hash_table_add (orphans, g_strdup (name.hash));
  }
  check->report.orphans = g_hash_table_size (orphans);
}

static void
note_index (SvStoreCheck *check)
{
  if (check->index != NULL || g_hash_table_contains (check->by_key, SV_INDEX_KEY))
    return;
  if (check->report.tallies[SV_STORE_SHARD].objects > 0)
    add_note (check, "there is no index here, as in a store that runners write to");
  else
    add_note (check, "there is no index here yet: nothing has been published with `sv manifest publish`");
}

/* Readers count anchors of final blocks only; one that was just made is in a slot of the best head. *@block is 0 where none is.
 */
static gboolean
find_anchor_of_newest (const SvStoreCheck *check, guint64 *block, GError **error)
{
  *block = 0;
  g_autoptr (GPtrArray) slots = sv_chain_slots (check->chain, error);
  for (guint i = 0; slots != NULL && i < slots->len; i++)
  {
    const SvSlot *slot = slots->pdata[i];
    g_autoptr (SvAnchor) anchor =
        slot->text != NULL && sv_reader_trusts (slot->account, check->reader) ? sv_anchor_parse (slot->text, NULL) : NULL;
    if (anchor != NULL && g_strcmp0 (anchor->hash, check->index->newest) == 0)
      *block = slot->block;
  }
  return slots != NULL;
}

static void
note_pending_anchor (SvStoreCheck *check, const SvIndexEntry *entry, SvAnchorState state)
{
  g_autoptr (GError) failure = NULL;
  guint64 block;
  if (!find_anchor_of_newest (check, &block, &failure))
    add_note (check, "whether an anchor of the newest manifest is on its way cannot be told: %s", failure->message);
  else if (block > 0)
    add_note (check,
              "the newest manifest, of window %s, is not anchored yet: its anchor is in block %" G_GUINT64_FORMAT
              ", not final yet",
              entry->window_id, block);
  else
    add_note (check,
              "the newest manifest, of window %s, is not anchored on the chain (%s): publish it again, or wait for who does",
              entry->window_id, sv_anchor_state_name (state));
}

static void
note_anchor (SvStoreCheck *check)
{
  const char *newest = check->index != NULL ? check->index->newest : NULL;
  const SvIndexEntry *entry = newest != NULL ? sv_index_find_hash (check->index, newest) : NULL;
  g_autoptr (GError) failure = NULL;
  SvAnchorState state;
  if (entry == NULL || check->chain == NULL)
    return;
  if (!sv_anchor_state (check->reader, check->index, entry, &state, &failure))
    add_note (check, "whether the newest manifest is anchored cannot be told: %s", failure->message);
  else if (state != SV_ANCHORED)
    note_pending_anchor (check, entry, state);
}

/* What a thief, or nobody at all, has put behind the statements that count. */
static void
note_pending (SvStoreCheck *check)
{
  guint64 n_known = sv_signers_fold_last_effective (sv_signers_fold (sv_reader_signers (check->reader)));
  guint n = 0;
  for (guint i = 0; i < check->statements->len; i++)
    n += g_array_index (check->statements, guint64, i) > n_known;
  if (n > 0)
    add_note (check,
              "%u %s without effect after number %" G_GUINT64_FORMAT
              ": whoever signed them may not (`sv manifest signers` says who may)",
              n, n == 1 ? "statement on signers is" : "statements on signers are", n_known);
}

static void
note_leftovers (SvStoreCheck *check)
{
  guint64 n_others = check->report.tallies[SV_STORE_OTHER].objects;
  const SvStoreTally *probes = &check->report.tallies[SV_STORE_PROBE];
  if (check->report.orphans > 0 && check->index != NULL)
    add_note (check, "%" G_GUINT64_FORMAT " %s that no index names: harmless, a publication that was interrupted leaves them",
              check->report.orphans, check->report.orphans == 1 ? "object" : "objects");
  if (probes->objects > probes->repaired)
    add_note (check,
              "%" G_GUINT64_FORMAT
              " left behind by a probe of the server, below private/probe/; `sv store check --repair` removes "
              "them, %u at a time",
              probes->objects - probes->repaired, check->options.max_kept);
  if (check->report.untold > 0)
    add_note (check, "%" G_GUINT64_FORMAT " faults or more are not listed: mend those that are, then run this check again",
              check->report.untold);
  for (guint i = 0; i < check->others->len; i++)
    add_note (check, "nobody's name, left alone: %s", (const char *)check->others->pdata[i]);
  if (n_others > check->others->len)
    add_note (check, "and %" G_GUINT64_FORMAT " more such names", n_others - check->others->len);
}

void
sv_store_write_notes (SvStoreCheck *check)
{
  g_ptr_array_set_size (check->report.notes, 0);
  count_orphans (check);
  note_index (check);
  note_anchor (check);
  note_pending (check);
  for (guint i = 0; i < check->seen_outside->len; i++)
    add_note (check, "%s", (const char *)check->seen_outside->pdata[i]);
  note_leftovers (check);
}
