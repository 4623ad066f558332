/* How the manifest index changes (docs/protocol.md section 4).
 *
 * Cases:
 *  - adding: the first manifest, several windows in order, current_manifest_hash, newest
 *  - adding is refused, and changes nothing: live already, used before, overlap, expired, not following newest
 *  - superseding: the replaced entry moves; refused without a live entry, with other blocks, with the same manifest
 *  - rolling back: the old hash is live again and in history too; newest stays
 *  - the start that is filled in
 *  - entries taken over from an index that is not relied on: numbered anew, no block of the future; conflicts are refused */
#include "sample_index.h"

#include "base/error.h"

static void
assert_refused (SvIndex *index, const SvManifest *manifest, const SvIndexChange *change, int code, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *before = print_index (index);
  g_assert_false (sv_index_add (index, manifest, change, &error));
  g_assert_error (error, SV_ERROR, code);
  if (strstr (error->message, part) == NULL)
    g_error ("expected \"%s\" in \"%s\"", part, error->message);
  g_autofree char *after = print_index (index);
  g_assert_cmpstr (before, ==, after);
}

static void
first_manifest_is_added (void)
{
  g_autoptr (SvIndex) index = empty_index ();
  g_autoptr (SvManifest) manifest = next_manifest (index, "w1", 100, 200, "1");
  const SvIndexChange change = change_at (110, 112);
  add (index, manifest, &change);
  const SvIndexEntry *entry = sv_index_find_live (index, "w1");
  g_assert_nonnull (entry);
  g_assert_cmpuint (index->sequence, ==, 1);
  g_assert_cmpstr (index->newest, ==, manifest->hash);
  g_assert_cmpstr (index->current_manifest_hash, ==, manifest->hash);
  g_assert_cmpstr (index->updated_at, ==, "2025-10-23T00:00:00Z");
  g_assert_cmpuint (entry->active_from, ==, 110);
  g_assert_cmpuint (entry->added_sequence, ==, 1);
  g_assert_cmpuint (entry->start_block, ==, 100);
  g_assert_cmpuint (entry->expiry_block, ==, 200);
  g_assert_true (sv_index_entry_agrees (entry, manifest, NULL));
}

static void
upcoming_window_is_not_current (void)
{
  g_autoptr (SvIndex) index = empty_index ();
  g_autoptr (SvManifest) manifest = next_manifest (index, "w1", 100, 200, "1");
  const SvIndexChange change = change_at (90, 99);
  add (index, manifest, &change);
  g_assert_null (index->current_manifest_hash);
  g_assert_cmpstr (index->newest, ==, manifest->hash);
}

static void
live_entries_stand_by_expiry (void)
{
  static const guint64 starts[] = { 300, 100, 200 };
  g_autoptr (SvIndex) index = empty_index ();
  const SvIndexChange change = change_at (50, 50);
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
  {
    g_autofree char *window = g_strdup_printf ("w%" G_GUINT64_FORMAT, starts[i]);
    g_autoptr (SvManifest) manifest = next_manifest (index, window, starts[i], starts[i] + 100, "1"); /* half-open: touching */
    add (index, manifest, &change);
  }
  g_assert_cmpuint (entry_at (index->entries, 0)->expiry_block, ==, 200);
  g_assert_cmpuint (entry_at (index->entries, 1)->expiry_block, ==, 300);
  g_assert_cmpuint (entry_at (index->entries, 2)->expiry_block, ==, 400);
  g_assert_cmpuint (index->sequence, ==, 3);
}

static void
second_live_manifest_of_a_window_needs_supersede (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  g_autoptr (SvManifest) manifest = next_manifest (index, "w1", 100, 200, "3");
  const SvIndexChange change = change_at (130, 130);
  assert_refused (index, manifest, &change, SV_ERROR_CONFLICT, "--supersede");
}

static void
window_id_is_used_once (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  g_ptr_array_remove_index (index->entries, 0); /* only history remembers w1 */
  g_autoptr (SvManifest) manifest = next_manifest (index, "w1", 300, 400, "1");
  const SvIndexChange change = change_at (130, 130);
  assert_refused (index, manifest, &change, SV_ERROR_CONFLICT, "used before");
  g_autoptr (SvManifest) archived = next_manifest (index, "w0", 300, 400, "1");
  SvIndexChange with_archive = change;
  with_archive.is_archived = TRUE; /* only an archive remembers w0 */
  assert_refused (index, archived, &with_archive, SV_ERROR_CONFLICT, "used before");
  add (index, archived, &change);
}

static void
windows_may_not_overlap (void)
{
  static const struct
  {
    guint64 start, expiry;
    gboolean overlaps;
  } windows[] = {
    { 301, 400, FALSE }, { 300, 400, FALSE }, { 299, 400, TRUE }, { 150, 350, TRUE }, { 210, 220, TRUE },
    { 250, 300, TRUE },  { 140, 150, TRUE },  { 50, 301, TRUE },  { 90, 100, FALSE }, { 90, 101, TRUE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (windows); i++)
  {
    g_autoptr (SvIndex) index = sample_index ();
    g_autoptr (SvManifest) manifest = next_manifest (index, "w9", windows[i].start, windows[i].expiry, "1");
    const SvIndexChange change = change_at (80, 80);
    if (windows[i].overlaps)
      assert_refused (index, manifest, &change, SV_ERROR_POLICY, "overlaps window");
    else
      add (index, manifest, &change);
  }
}

static void
window_that_is_over_cannot_change (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  g_autoptr (SvManifest) fresh = next_manifest (index, "w3", 300, 400, "1");
  g_autoptr (SvManifest) replacement = next_manifest (index, "w1", 100, 200, "3");
  SvIndexChange change = change_at (390, 400);
  assert_refused (index, fresh, &change, SV_ERROR_POLICY, "is over");
  change = change_at (190, 200);
  change.supersede = TRUE;
  assert_refused (index, replacement, &change, SV_ERROR_POLICY, "is over");
  change.best_block = 199;
  add (index, replacement, &change);
}

static void
new_manifest_follows_the_newest (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  g_autoptr (SvManifest) orphan = sample_manifest ("w3", 300, 400, NULL);
  const SvIndexChange change = change_at (130, 130);
  assert_refused (index, orphan, &change, SV_ERROR_CONFLICT, "publish again");
}

static void
superseded_entry_moves_to_history (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  const SvIndexEntry *live = sv_index_find_live (index, "w1");
  const SvIndexEntry *old = entry_at (index->superseded, 0);
  g_assert_cmpuint (index->entries->len, ==, 2);
  g_assert_cmpuint (index->superseded->len, ==, 1);
  g_assert_cmpuint (live->added_sequence, ==, 3);
  g_assert_cmpuint (live->active_from, ==, 120);
  g_assert_cmpstr (index->newest, ==, live->hash);
  g_assert_cmpstr (index->current_manifest_hash, ==, live->hash);
  g_assert_true (old->is_superseded);
  g_assert_cmpstr (old->superseded_by, ==, live->hash);
  g_assert_cmpuint (old->superseded_at_block, ==, 130); /* finalized head + overlap */
  g_assert_cmpuint (old->added_sequence, ==, 1);
  g_assert_cmpuint (old->active_from, ==, 110);
}

static void
supersede_is_refused (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  SvIndexChange change = change_at (130, 130);
  change.supersede = TRUE;
  g_autoptr (SvManifest) unknown = next_manifest (index, "w3", 300, 400, "1");
  assert_refused (index, unknown, &change, SV_ERROR_NOT_FOUND, "no live manifest");
  g_autoptr (SvManifest) earlier = next_manifest (index, "w1", 99, 200, "3");
  assert_refused (index, earlier, &change, SV_ERROR_POLICY, "keeps start_block and expiry_block");
  g_autoptr (SvManifest) shorter = next_manifest (index, "w1", 100, 199, "3");
  assert_refused (index, shorter, &change, SV_ERROR_POLICY, "keeps start_block and expiry_block");
}

static void
rollback_makes_the_old_manifest_live_again (void)
{
  g_autoptr (SvIndex) index = empty_index ();
  SvIndexChange change = change_at (110, 112);
  g_autoptr (SvManifest) first = next_manifest (index, "w1", 100, 200, "1");
  add (index, first, &change);
  change = change_at (120, 122);
  change.supersede = TRUE;
  g_autoptr (SvManifest) second = next_manifest (index, "w1", 100, 200, "2");
  add (index, second, &change);
  g_assert_true (sv_index_find_hash (index, first->hash)->is_superseded);

  change = change_at (150, 152);
  change.supersede = TRUE;
  change.is_new = FALSE;
  add (index, first, &change);
  const SvIndexEntry *live = sv_index_find_live (index, "w1");
  g_assert_cmpstr (live->hash, ==, first->hash);
  g_assert_cmpuint (live->active_from, ==, 150);
  g_assert_cmpuint (live->added_sequence, ==, 3);
  g_assert_cmpstr (index->newest, ==, second->hash);
  g_assert_cmpstr (index->current_manifest_hash, ==, first->hash);
  g_assert_cmpuint (index->superseded->len, ==, 2);
  g_assert_cmpuint (entry_at (index->superseded, 0)->superseded_at_block, ==, 130); /* untouched */
  g_assert_cmpuint (entry_at (index->superseded, 1)->superseded_at_block, ==, 160);
  g_assert_true (sv_index_find_hash (index, first->hash) == live); /* live before superseded */
  assert_refused (index, first, &change, SV_ERROR_CONFLICT, "already");

  add (index, second, &change);
  add (index, first, &change);
  add (index, second, &change);
  g_assert_cmpuint (sv_index_find_hash (index, first->hash)->added_sequence, ==,
                    5); /* live as 1, 3, 5; the latest of history */
  g_assert_null (sv_index_find_hash (index, HASH_A));
}

static void
start_is_filled_in_from_the_window_before (void)
{
  g_autoptr (SvIndex) empty = empty_index ();
  g_assert_cmpuint (sv_index_default_start (empty, "w1", 500, 42), ==, 42);
  g_autoptr (SvIndex) index = sample_index ();                               /* w1 [100, 200), w2 [200, 300) */
  g_assert_cmpuint (sv_index_default_start (index, "w3", 500, 42), ==, 300); /* the greatest below */
  g_assert_cmpuint (sv_index_default_start (index, "w3", 300, 42), ==, 200); /* below, not at */
  g_assert_cmpuint (sv_index_default_start (index, "w3", 150, 42), ==, 42);
  g_assert_cmpuint (sv_index_default_start (index, "w2", 500, 42), ==, 200); /* other windows' only */
}

static void
entries_are_taken_over (void)
{
  GError *error = NULL;
  g_autoptr (SvIndex) from = sample_index ();
  g_autoptr (SvIndex) index = empty_index ();
  index->sequence = 10;
  index->updated_at = g_strdup ("2025-10-23T00:00:00Z");
  const SvIndexEntry *replaced = entry_at (from->superseded, 0), *live = entry_at (from->entries, 0);
  g_assert_true (sv_index_adopt (index, replaced, 115, &error));
  g_assert_true (sv_index_adopt (index, entry_at (from->entries, 1), 115, &error));
  g_assert_true (sv_index_adopt (index, live, 115, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (index->sequence, ==, 13);
  g_assert_cmpuint (entry_at (index->superseded, 0)->added_sequence, ==, 11);
  g_assert_cmpuint (entry_at (index->superseded, 0)->active_from, ==, 110);
  g_assert_cmpuint (entry_at (index->superseded, 0)->superseded_at_block, ==, 115); /* was 130 */
  g_assert_cmpstr (entry_at (index->entries, 0)->hash, ==, live->hash);
  g_assert_cmpuint (entry_at (index->entries, 0)->added_sequence, ==, 13);
  g_assert_cmpuint (entry_at (index->entries, 0)->active_from, ==, 115); /* was 120 */
  g_autofree char *before = print_index (index);

  g_assert_false (sv_index_adopt (index, live, 115, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  g_clear_error (&error);
  g_autoptr (SvIndex) other = empty_index ();
  const SvIndexChange change = change_at (110, 112);
  g_autoptr (SvManifest) overlapping = next_manifest (other, "w3", 150, 250, "1");
  add (other, overlapping, &change);
  g_assert_false (sv_index_adopt (index, entry_at (other->entries, 0), 115, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_POLICY);
  g_clear_error (&error);
  g_autofree char *after = print_index (index);
  g_assert_cmpstr (before, ==, after);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/index/first-manifest-is-added", first_manifest_is_added);
  g_test_add_func ("/index/upcoming-window-is-not-current", upcoming_window_is_not_current);
  g_test_add_func ("/index/live-entries-stand-by-expiry", live_entries_stand_by_expiry);
  g_test_add_func ("/index/second-live-manifest-of-a-window-needs-supersede", second_live_manifest_of_a_window_needs_supersede);
  g_test_add_func ("/index/window-id-is-used-once", window_id_is_used_once);
  g_test_add_func ("/index/windows-may-not-overlap", windows_may_not_overlap);
  g_test_add_func ("/index/window-that-is-over-cannot-change", window_that_is_over_cannot_change);
  g_test_add_func ("/index/new-manifest-follows-the-newest", new_manifest_follows_the_newest);
  g_test_add_func ("/index/superseded-entry-moves-to-history", superseded_entry_moves_to_history);
  g_test_add_func ("/index/supersede-is-refused", supersede_is_refused);
  g_test_add_func ("/index/rollback-makes-the-old-manifest-live-again", rollback_makes_the_old_manifest_live_again);
  g_test_add_func ("/index/start-is-filled-in-from-the-window-before", start_is_filled_in_from_the_window_before);
  g_test_add_func ("/index/entries-are-taken-over", entries_are_taken_over);
  return g_test_run ();
}
