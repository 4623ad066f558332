/* Manifests by hash, entry and block:
 *  - fetched, verified, kept in the cache, read from there when the store has lost it; a damaged cache file is fetched again
 *  - not found, not a hash, another content under the name, an untrusted signer
 *  - an entry that does not agree with its manifest is refused (mix and match)
 *  - of several mirrors the first right answer wins
 *  - current: the active one, by block; none active names the next; the last verified one outlives the store, a rollback and a
 *    revoked index until its expiry, but not its signer's revocation
 *  - anchored, pending, unanchored
 * The element catalog: current, upcoming, all upcoming, one window by id, JSON; also from the remembered index.
 */
#include <glib/gstdio.h>

#include "base/file.h"
#include "distribution/element_catalog.h"
#include "world.h"

static char *
publish (World *world, const char *window_id, guint64 start_block)
{
  return world_publish (world, window_id, start_block, start_block + 100, "1", FALSE);
}

static char *
object_key (const char *hash)
{
  return g_strdup_printf ("scorevision/manifests/%s.json", hash + strlen ("sha256:"));
}

static char *
cache_file (const World *world, const char *hash)
{
  return g_strdup_printf ("%s/home/cache/manifests/%s.json", world->root, hash + strlen ("sha256:"));
}

static void
assert_fetched (SvReader *reader, const char *hash)
{
  GError *error = NULL;
  g_autoptr (SvManifest) manifest = sv_fetch_manifest (reader, hash, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (manifest->hash, ==, hash);
}

static void
assert_not_fetched (SvReader *reader, const char *hash, SvErrorCode code, const char *part)
{
  GError *error = NULL;
  g_assert_null (sv_fetch_manifest (reader, hash, &error));
  world_assert_error (&error, code, part);
}

/* ── by hash ── */

static void
test_cache (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world, "w1", 0);
  g_autofree char *key = object_key (hash);
  g_autofree char *cached = cache_file (world, hash);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_fetched (reader, hash);
  g_assert_true (g_file_test (cached, G_FILE_TEST_EXISTS));
  GError *error = NULL;
  g_assert_true (g_file_set_contents (cached, "{", 1, &error));
  assert_fetched (reader, hash);
  world_remove_object (world, key);
  assert_fetched (reader, hash);
  g_remove (cached);
  assert_not_fetched (reader, hash, SV_ERROR_NOT_FOUND, hash);
}

static void
test_wrong_content (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world, "w1", 0);
  g_autofree char *key = object_key (hash);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (GBytes) other = world_index_bytes (world);
  assert_not_fetched (reader, "w1", SV_ERROR_USAGE, "w1");
  world_set_object (world, key, other);
  assert_not_fetched (reader, hash, SV_ERROR_VERIFY, "does not hash to its name");
}

static void
test_untrusted_signer (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_fetched (reader, hash);
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", sv_keypair_address (world->stranger));
  g_autoptr (SvReader) later = world_reader (world, world->config);
  assert_not_fetched (later, hash, SV_ERROR_VERIFY, sv_keypair_address (world->operator));
}

static void
test_mirrors (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world, "w1", 0);
  g_autofree char *wrong = g_strdup_printf ("%s/one/scorevision/manifests/%s.json", world->root, hash + strlen ("sha256:"));
  GError *error = NULL;
  g_assert_true (sv_file_write (wrong, "{}", 2, 0644, &error));
  g_autofree char *list = g_strdup_printf ("file:%s/one,file:%s/two,file:%s/store", world->root, world->root, world->root);
  sv_config_set (world->config, "R2_PUBLIC_URL", list);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_fetched (reader, hash);
}

/* ── by entry ── */

static void
lie_about_beta (SvIndex *index)
{
  SvIndexEntry *entry = index->entries->pdata[0];
  json_t *summary = json_array_get (entry->elements_summary, 0);
  json_object_set_new (summary, "beta", json_real (77));
}

static void
test_mix_and_match (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = publish (world, "w1", 0);
  GError *error = NULL;
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) good = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (reader, good->entries->pdata[0], &error);
  g_assert_no_error (error);
  g_assert_cmpstr (manifest->hash, ==, hash);

  world_resign_index (world, world->operator, lie_about_beta);
  g_autoptr (SvConfig) fresh_home = world_config (world, "fresh");
  g_autoptr (SvReader) fresh = world_reader (world, fresh_home);
  g_autoptr (SvIndex) bad = sv_fetch_index (fresh, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_null (sv_fetch_entry_manifest (fresh, bad->entries->pdata[0], &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "");
}

/* ── current ── */

static void
assert_current (SvReader *reader, guint64 block, const char *hash)
{
  GError *error = NULL;
  g_autoptr (SvManifest) manifest = sv_get_current_manifest (reader, block, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (manifest->hash, ==, hash);
}

static void
assert_none_current (SvReader *reader, guint64 block, SvErrorCode code, const char *part)
{
  GError *error = NULL;
  g_assert_null (sv_get_current_manifest (reader, block, &error));
  world_assert_error (&error, code, part);
}

static void
test_current (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *first = publish (world, "w1", 10);
  g_autofree char *second = publish (world, "w2", 110);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_none_current (reader, 9, SV_ERROR_NOT_FOUND, "w1, starts at block 10");
  assert_current (reader, 10, first);
  assert_current (reader, 109, first);
  assert_current (reader, 110, second);
  assert_none_current (reader, 210, SV_ERROR_NOT_FOUND, "none is announced");
}

static void
test_current_outlives_store (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *first = publish (world, "w1", 0);
  g_autoptr (GBytes) old = world_index_bytes (world);
  g_autofree char *second = publish (world, "w2", 100);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_current (reader, 5, first);
  world_set_index_bytes (world, old); /* a rollback */
  assert_current (reader, 99, first);
  assert_current (reader, 100, second); /* known from the remembered index, and its object is there */
  world_remove_object (world, "scorevision/index.json");
  assert_current (reader, 99, first);
  assert_none_current (reader, 200, SV_ERROR_VERIFY, "freeze: the index is gone");
}

/* The new index verifies, its manifest does not: the one before stays usable. */
static void
test_current_outlives_missing_manifest (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *first = publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_current (reader, 5, first);
  g_autofree char *second = world_publish (world, "w1", 0, 100, "2", TRUE);
  g_autofree char *key = object_key (second);
  world_remove_object (world, key);
  assert_current (reader, 20, first);
  assert_none_current (reader, 100, SV_ERROR_NOT_FOUND, "none is announced");
}

static void
test_current_dies_with_its_signer (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *both = g_strdup_printf ("%s,%s", sv_keypair_address (world->operator), sv_keypair_address (world->stranger));
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", both);
  g_autofree char *hash = publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_current (reader, 5, hash);
  g_autofree char *revocation = g_strdup_printf ("sv1 revoke\n%s", sv_keypair_address (world->operator));
  world_commit (world, world->owner, revocation);
  assert_none_current (reader, 5, SV_ERROR_VERIFY, "trusted");
}

/* With its last signer a reader loses the list that it would trust instead. */
static void
test_current_after_the_only_signers_revocation (void)
{
  g_autoptr (World) world = world_new (0);
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", sv_keypair_address (world->operator));
  g_autofree char *hash = publish (world, "w1", 0);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_current (reader, 5, hash);
  g_autofree char *revocation = g_strdup_printf ("sv1 revoke\n%s", sv_keypair_address (world->operator));
  world_commit (world, world->owner, revocation);
  assert_none_current (reader, 5, SV_ERROR_VERIFY, "revoked");
}

/* ── anchors ── */

static void
anchor (World *world, const char *hash, guint64 sequence)
{
  g_autofree char *text = g_strdup_printf ("sv1 manifest %s %" G_GUINT64_FORMAT, hash, sequence);
  world_commit (world, world->operator, text);
}

static void
assert_anchor_state (SvReader *reader, const char *hash, SvAnchorState expected)
{
  GError *error = NULL;
  SvAnchorState state;
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  gboolean done = sv_anchor_state (reader, index, sv_index_find_hash (index, hash), &state, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_cmpstr (sv_anchor_state_name (state), ==, sv_anchor_state_name (expected));
}

static void
test_anchor_states (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *first = publish (world, "w1", 0);
  g_autofree char *second = publish (world, "w2", 100);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  assert_anchor_state (reader, first, SV_ANCHOR_PENDING);
  anchor (world, first, 1);
  assert_anchor_state (reader, first, SV_ANCHORED);
  assert_anchor_state (reader, second, SV_ANCHOR_PENDING);
  anchor (world, second, 2);
  assert_anchor_state (reader, first, SV_ANCHORED); /* along `previous` */
  assert_anchor_state (reader, second, SV_ANCHORED);
  anchor (world, first, 2); /* says nothing of the second, which the index of sequence 2 has */
  assert_anchor_state (reader, second, SV_UNANCHORED);
}

/* ── catalog ── */

static GPtrArray *
list (SvReader *reader, World *world, SvWindowScope scope, guint64 block)
{
  GError *error = NULL;
  GPtrArray *summaries = sv_list_elements (reader, world->chain, scope, block, &error);
  g_assert_no_error (error);
  return summaries;
}

static void
assert_window (GPtrArray *summaries, guint at, const char *window_id, SvWindowState state, guint64 blocks_left)
{
  const SvWindowSummary *summary = summaries->pdata[at];
  g_assert_cmpstr (summary->manifest->window_id, ==, window_id);
  g_assert_cmpint (summary->state, ==, state);
  g_assert_cmpuint (summary->blocks_left, ==, blocks_left);
  g_assert_cmpuint (summary->ms_left, ==, 0); /* this chain has no block time */
}

static void
check_catalog (World *world, SvReader *reader)
{
  g_autoptr (GPtrArray) current = list (reader, world, SV_SCOPE_CURRENT, 30);
  g_autoptr (GPtrArray) upcoming = list (reader, world, SV_SCOPE_UPCOMING, 30);
  g_autoptr (GPtrArray) all = list (reader, world, SV_SCOPE_ALL_UPCOMING, 30);
  g_autoptr (GPtrArray) none = list (reader, world, SV_SCOPE_CURRENT, 300);
  g_assert_cmpuint (current->len, ==, 1);
  assert_window (current, 0, "w1", SV_WINDOW_ACTIVE, 70);
  g_assert_cmpuint (upcoming->len, ==, 1);
  assert_window (upcoming, 0, "w2", SV_WINDOW_UPCOMING, 70);
  g_assert_cmpuint (all->len, ==, 2);
  assert_window (all, 1, "w3", SV_WINDOW_UPCOMING, 170);
  g_assert_cmpuint (none->len, ==, 0);
}

static void
test_catalog (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *first = publish (world, "w1", 0);
  g_assert_nonnull (first);
  g_autofree char *second = publish (world, "w2", 100);
  g_assert_nonnull (second);
  g_autofree char *third = publish (world, "w3", 200);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  check_catalog (world, reader);
  GError *error = NULL;
  g_autoptr (SvWindowSummary) summary = sv_summarize_window (reader, world->chain, "w3", 30, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (summary->manifest->hash, ==, third);
  g_assert_null (sv_summarize_window (reader, world->chain, "w4", 30, &error));
  world_assert_error (&error, SV_ERROR_NOT_FOUND, "w1, w2, w3");
  g_autoptr (json_t) json = sv_window_summary_to_json (summary);
  g_autofree char *text = sv_json_canonical_string (json);
  g_assert_nonnull (strstr (text, "\"clip_count\":2"));
  g_assert_nonnull (strstr (text, "\"telemetry\":[\"inference_ms\"]"));
  world_remove_object (world, "scorevision/index.json");
  check_catalog (world, reader);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/manifest/is cached", test_cache);
  g_test_add_func ("/manifest/has the content of its name", test_wrong_content);
  g_test_add_func ("/manifest/has a trusted signer", test_untrusted_signer);
  g_test_add_func ("/manifest/comes from the first mirror that is right", test_mirrors);
  g_test_add_func ("/manifest/agrees with its entry", test_mix_and_match);
  g_test_add_func ("/current/is the active one", test_current);
  g_test_add_func ("/current/outlives the store", test_current_outlives_store);
  g_test_add_func ("/current/outlives a missing successor", test_current_outlives_missing_manifest);
  g_test_add_func ("/current/dies with its signer", test_current_dies_with_its_signer);
  g_test_add_func ("/current/dies with its only signer", test_current_after_the_only_signers_revocation);
  g_test_add_func ("/anchor/states", test_anchor_states);
  g_test_add_func ("/catalog/lists windows", test_catalog);
  return g_test_run ();
}
