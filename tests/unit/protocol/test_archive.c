/* Archives of the index (docs/protocol.md section 4).
 *
 * Cases:
 *  - what expired long ago moves, live and superseded entries of a window together, and at its block, not before
 *  - an archive opens by its hash and has the entries as they were; it names the one before it
 *  - a small archive is taken into the next; two that are not small together stay apart, as does one that is not at hand
 *  - history over many windows: nothing is lost, and the chain of archives is short
 *  - what is no archive is refused: other bytes, not canonical, every field in turn, an index */
#include "sample_index.h"

#include "base/error.h"
#include "base/hash.h"
#include "protocol/manifest_archive.h"
#include "protocol/window.h"

static SvIndex *
open_archive (GBytes *bytes, const char *hash)
{
  GError *error = NULL;
  SvIndex *archive = sv_archive_open (bytes, hash, &error);
  g_assert_no_error (error);
  return archive;
}

static GBytes *
take (SvIndex *index, guint64 block, const SvIndex *newest)
{
  GError *error = NULL;
  GBytes *bytes = sv_index_take_archivable (index, block, newest, &error);
  g_assert_no_error (error);
  return bytes;
}

static void
entries_expired_long_ago_are_archived (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  index->archive = g_strdup (HASH_A);
  g_assert_false (sv_index_has_archivable (index, 200 + SV_ARCHIVE_AFTER - 1));
  g_assert_null (take (index, 200 + SV_ARCHIVE_AFTER - 1, NULL));
  g_assert_cmpuint (index->entries->len, ==, 2);
  g_assert_cmpstr (index->archive, ==, HASH_A);
  g_autofree char *live_hash = g_strdup (sv_index_find_live (index, "w1")->hash);

  g_assert_true (sv_index_has_archivable (index, 200 + SV_ARCHIVE_AFTER));
  g_autoptr (GBytes) bytes = take (index, 200 + SV_ARCHIVE_AFTER, NULL);
  g_assert_cmpuint (index->entries->len, ==, 1);
  g_assert_cmpuint (index->superseded->len, ==, 0);
  g_assert_null (sv_index_find_live (index, "w1"));
  g_autoptr (SvIndex) archive = open_archive (bytes, index->archive);
  g_assert_cmpuint (archive->entries->len, ==, 1);
  g_assert_cmpuint (archive->superseded->len, ==, 1);
  g_assert_cmpstr (archive->archive, ==, HASH_A);
  g_assert_null (take (index, 200 + SV_ARCHIVE_AFTER, archive));

  const SvIndexEntry *live = sv_index_find_window (archive, "w1"), *found;
  g_assert_cmpstr (live->hash, ==, live_hash);
  g_assert_null (sv_index_find_window (archive, "w2"));
  const SvIndexEntry *old = entry_at (archive->superseded, 0);
  g_assert_cmpuint (old->superseded_at_block, ==, 130);
  g_assert_cmpint (sv_window_judge (archive, old->hash, 129, &found), ==, SV_WINDOW_SERVES);
  g_assert_cmpint (sv_window_judge (archive, old->hash, 130, &found), ==, SV_WINDOW_UNKNOWN);
  g_assert_cmpint (sv_window_judge (archive, live->hash, 130, &found), ==, SV_WINDOW_SERVES);
}

/* ── the chain of archives ── */

/* A window of ten blocks, the @number-th, that is over. */
static void
add_window (SvIndex *index, guint number)
{
  g_autofree char *window = g_strdup_printf ("w%u", number);
  guint64 start = 10 * (guint64)number;
  g_autoptr (SvManifest) manifest = next_manifest (index, window, start, start + 10, "1");
  const SvIndexChange change = change_at (start, start);
  add (index, manifest, &change);
}

static void
small_archives_are_taken_in (void)
{
  g_autoptr (SvIndex) index = empty_index ();
  add_window (index, 0);
  g_autoptr (GBytes) first_bytes = take (index, 10 + SV_ARCHIVE_AFTER, NULL);
  g_autofree char *first_hash = g_strdup (index->archive);
  g_autoptr (SvIndex) first = open_archive (first_bytes, first_hash);
  add_window (index, 1);
  g_autoptr (GBytes) second_bytes = take (index, 20 + SV_ARCHIVE_AFTER, first);
  g_autoptr (SvIndex) second = open_archive (second_bytes, index->archive);
  g_assert_cmpuint (second->entries->len, ==, 2);
  g_assert_null (second->archive);
  g_assert_cmpstr (entry_at (second->entries, 0)->window_id, ==, "w0");

  /* Not at hand: it is named. */
  g_autofree char *second_hash = g_strdup (index->archive);
  add_window (index, 2);
  g_autoptr (GBytes) third_bytes = take (index, 30 + SV_ARCHIVE_AFTER, NULL);
  g_autoptr (SvIndex) third = open_archive (third_bytes, index->archive);
  g_assert_cmpuint (third->entries->len, ==, 1);
  g_assert_cmpstr (third->archive, ==, second_hash);
}

static void
history_is_kept_in_few_archives (void)
{
  const guint n_windows = SV_ARCHIVE_SMALL + 10;
  g_autoptr (GHashTable) store = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  g_autoptr (SvIndex) index = empty_index ();
  for (guint i = 0; i < n_windows; i++)
  {
    GBytes *known = index->archive != NULL ? g_hash_table_lookup (store, index->archive) : NULL;
    g_autoptr (SvIndex) newest = known != NULL ? open_archive (known, index->archive) : NULL;
    add_window (index, i);
    GBytes *bytes = take (index, 10 * (guint64)i + 10 + SV_ARCHIVE_AFTER, newest);
    g_hash_table_insert (store, g_strdup (index->archive), bytes);
  }
  g_autoptr (SvIndex) history = empty_index ();
  guint n_archives = 0;
  for (g_autofree char *hash = g_strdup (index->archive); hash != NULL; n_archives++)
  {
    SvIndex *archive = open_archive (g_hash_table_lookup (store, hash), hash);
    g_free (hash);
    hash = g_strdup (archive->archive);
    sv_archive_append (history, archive);
  }
  g_assert_cmpuint (index->entries->len, ==, 0);
  g_assert_cmpuint (history->entries->len, ==, n_windows);
  g_assert_cmpuint (n_archives, ==, 2); /* 255 entries, and what is left */
  for (guint i = 0; i < n_windows; i++)
  {
    g_autofree char *window = g_strdup_printf ("w%u", i);
    g_assert_nonnull (sv_index_find_window (history, window));
  }
}

/* ── what is no archive ── */

static json_t *
sample_archive (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  g_autoptr (GBytes) bytes = take (index, 300 + SV_ARCHIVE_AFTER, NULL);
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  return sv_json_parse ("sample", data, length, SV_INDEX_MAX_SIZE, NULL);
}

static void
assert_no_archive (GBytes *bytes, const char *hash, int code, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *own = sv_hash_gbytes (bytes);
  g_assert_null (sv_archive_open (bytes, hash != NULL ? hash : own, &error));
  g_assert_error (error, SV_ERROR, code);
  if (strstr (error->message, part) == NULL)
    g_error ("expected \"%s\" in \"%s\"", part, error->message);
}

static void
other_bytes_are_refused (void)
{
  g_autoptr (json_t) json = sample_archive ();
  g_autoptr (GBytes) bytes = sv_json_canonical (json, NULL);
  g_autofree char *pretty = sv_json_pretty (json);
  g_autoptr (GBytes) loose = g_bytes_new (pretty, strlen (pretty));
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (bytes, 0, g_bytes_get_size (bytes) - 1);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_autofree char *zeros = g_malloc0 (SV_INDEX_MAX_SIZE + 1);
  g_autoptr (GBytes) large = g_bytes_new (zeros, SV_INDEX_MAX_SIZE + 1);
  assert_no_archive (bytes, HASH_A, SV_ERROR_VERIFY, HASH_A);
  assert_no_archive (loose, NULL, SV_ERROR_MALFORMED, "canonical");
  assert_no_archive (cut, NULL, SV_ERROR_MALFORMED, "archive");
  assert_no_archive (nothing, NULL, SV_ERROR_MALFORMED, "archive");
  assert_no_archive (large, NULL, SV_ERROR_MALFORMED, "larger than");
}

static void
every_field_is_checked (void)
{
  static const struct
  {
    const char *pointer, *value, *at, *part;
  } cases[] = {
    { "/version", "\"2\"", "/version", "version" },
    { "/version", NULL, "/version", "missing" },
    { "/manifests", NULL, "/manifests", "missing" },
    { "/superseded", "{}", "/superseded", "array" },
    { "/previous", "\"x\"", "/previous", "not a hash" },
    { "/sequence", "3", "/sequence", "not into an archive" },
    { "/manifests/0/hash", "\"" HEX_A "\"", "/manifests/0/hash", "lacks the prefix" },
    { "/manifests/0/window_id", "\"/\"", "/manifests/0/window_id", "not a window id" },
    { "/manifests/0/expiry_block", "1", "/manifests/0/expiry_block", "not after start_block" },
    { "/manifests/0/added_sequence", "0", "/manifests/0/added_sequence", "0" },
    { "/manifests/1/added_sequence", "1", "/superseded/0/added_sequence", "another entry" },
    { "/manifests/1/window_id", "\"w1\"", "/manifests/1", "second live entry" },
    { "/manifests/0/superseded_by", "\"" HASH_A "\"", "/manifests/0", "superseded" },
    { "/superseded/0/superseded_at_block", NULL, "/superseded/0/superseded_at_block", "missing" },
    { "/superseded/0/elements_summary", "[]", "/superseded/0/elements_summary", "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (json_t) json = sample_archive ();
    g_autoptr (SvFaults) faults = sv_faults_new ();
    sample_set (json, cases[i].pointer, cases[i].value);
    sv_archive_check (json, faults);
    sample_assert_fault (faults, cases[i].at, cases[i].part);
    g_autoptr (GBytes) bytes = sv_json_canonical (json, NULL);
    assert_no_archive (bytes, NULL, SV_ERROR_MALFORMED, cases[i].at);
  }
}

/* One that was published when the other was in the archive already. */
static void
windows_may_overlap_in_an_archive (void)
{
  g_autoptr (json_t) json = sample_archive ();
  g_autoptr (SvFaults) faults = sv_faults_new ();
  sample_set (json, "/manifests/1/start_block", "0");
  sv_archive_check (json, faults);
  g_assert_cmpuint (faults->n_errors, ==, 0);
}

static void
an_index_is_no_archive (void)
{
  g_autoptr (SvIndex) index = sample_index ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (SvSignedDocument) document = sv_index_sign (index, keypair, NOW, NULL);
  assert_no_archive (document->bytes, NULL, SV_ERROR_MALFORMED, "/sequence");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/archive/entries-expired-long-ago-are-archived", entries_expired_long_ago_are_archived);
  g_test_add_func ("/archive/small-ones-are-taken-in", small_archives_are_taken_in);
  g_test_add_func ("/archive/history-is-kept-in-few", history_is_kept_in_few_archives);
  g_test_add_func ("/archive/other-bytes-are-refused", other_bytes_are_refused);
  g_test_add_func ("/archive/every-field-is-checked", every_field_is_checked);
  g_test_add_func ("/archive/windows-may-overlap", windows_may_overlap_in_an_archive);
  g_test_add_func ("/archive/an-index-is-none", an_index_is_no_archive);
  return g_test_run ();
}
