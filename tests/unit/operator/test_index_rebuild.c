/* Going on without an index that does not count any more:
 *  - after a stolen key's fast forward: a new index of what verifies by itself, above the sequence of those who count
 *  - nothing is rebuilt where the index verifies; without being asked to, the index is refused
 *  - a gone index is rebuilt from what this home remembers; archives are those that a verified index names
 *  - what only the refused index lists is kept where it is over and was alone, and shown for that
 *  - what was agreed to is what is kept and dropped, live and superseded as it was shown, else nothing is done
 */
#include "base/error.h"
#include "base/hash.h"
#include "operator/publish.h"
#include "signers_fixture.h"

static void
far_ahead (SvIndex *index)
{
  index->sequence = SV_JSON_MAX_INTEGER;
  SvIndexEntry *entry = index->entries->pdata[0];
  entry->active_from = 1000000;
}

static SvPublication *
publish (SvPublisher *publisher, const char *window_id, guint64 start_block, const char *beta, GError **error)
{
  const SvPublishOptions options = { .overlap = SV_DEFAULT_OVERLAP };
  g_autoptr (json_t) authored = world_authored (window_id, start_block, start_block + 100, beta);
  return sv_publish_manifest (publisher, authored, &options, error);
}

static void
test_stolen_key (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *kept = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvIndex) known = read_index (world, world->config);
  g_assert_cmpuint (known->sequence, ==, 1);
  g_autoptr (SvPublisher) old = world_publisher (world, world->config, world->operator);
  say (old, "add", world->stranger);
  g_autoptr (SvConfig) stolen_home = world_config (world, "thief");
  g_autoptr (SvPublisher) thief = world_publisher (world, stolen_home, world->stranger);
  g_autoptr (SvPublication) forged = publish (thief, "w2", 100, "9", &error);
  g_assert_no_error (error);
  world_resign_index (world, world->stranger, far_ahead);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) believed = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (believed->sequence, ==, SV_JSON_MAX_INTEGER);

  g_autoptr (SvRevocation) revocation = revoke_one (world, reader, world->owner, world->stranger, FALSE, &error);
  g_assert_no_error (error);
  g_autofree char *expected = g_strdup_printf ("sv1 manifest %s 1\n%s", kept, sv_keypair_address (world->stranger));
  g_assert_cmpstr (revocation->text, ==, expected); /* the last index before the thief's */
  g_assert_null (publish (old, "w2", 100, "2", &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "--rebuild-index");
  sv_publisher_allow_rebuild (old);
  g_autoptr (SvPublication) mended = publish (old, "w2", 100, "2", &error);
  g_assert_no_error (error);
  const SvIndexRebuild *rebuild = sv_publisher_rebuild (old);
  g_assert_nonnull (rebuild);
  g_assert_cmpuint (rebuild->above_sequence, ==, 1);
  g_assert_cmpuint (rebuild->kept->len, ==, 1);
  g_assert_cmpuint (rebuild->dropped->len, ==, 1);
  g_assert_nonnull (strstr (rebuild->dropped->pdata[0], forged->manifest_hash));

  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (index->sequence, ==, 3);
  g_assert_nonnull (sv_index_find_live (index, "w1"));
  g_assert_cmpstr (sv_index_find_live (index, "w1")->hash, ==, kept);
  g_assert_cmpuint (sv_index_find_live (index, "w1")->active_from, <, 1000);
  g_assert_cmpstr (sv_index_find_live (index, "w2")->hash, ==, mended->manifest_hash);
  g_autoptr (SvManifest) manifest = sv_get_current_manifest (reader, 50, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (manifest->hash, ==, kept);

  g_autoptr (SvPublication) next = publish (old, "w3", 200, "1", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (next->added_sequence, ==, 4);
  g_assert_null (sv_publisher_rebuild (old));
}

/* Both had used the same machine: the home remembers the thief's index as the last, and the window is the thief's. */
static void
test_window_of_stolen_key (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *lost = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autofree char *both = g_strdup_printf ("%s,%s", sv_keypair_address (world->operator), sv_keypair_address (world->stranger));
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", both);
  g_autoptr (SvIndex) seen = read_index (world, world->config);
  g_assert_nonnull (sv_index_find_hash (seen, lost));
  revoke_on_chain (world, world->operator);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->stranger);
  sv_publisher_allow_rebuild (publisher);
  g_autoptr (SvPublication) again = publish (publisher, "w1", 0, "1", &error);
  g_assert_no_error (error);
  g_assert_false (again->is_unchanged);
  g_assert_cmpuint (sv_publisher_rebuild (publisher)->dropped->len, ==, 1);
  g_autoptr (SvConfig) fresh = world_config (world, "fresh");
  sv_config_set (fresh, "SCOREVISION_MANIFEST_SIGNERS", both);
  g_autoptr (SvIndex) index = read_index (world, fresh);
  g_assert_cmpstr (sv_index_find_live (index, "w1")->hash, ==, again->manifest_hash);
  g_assert_null (sv_index_find_hash (index, lost));
}

/* A home that has seen nothing goes on above what stands on the chain. */
static void
test_above_the_anchor (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autofree char *text = g_strdup_printf ("sv1 manifest %s 40", hash);
  world_commit (world, world->operator, text);
  world_resign_index (world, world->stranger, far_ahead);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  sv_publisher_allow_rebuild (publisher);
  g_autoptr (SvPublication) next = publish (publisher, "w2", 100, "1", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sv_publisher_rebuild (publisher)->above_sequence, ==, 40);
  g_assert_cmpuint (next->added_sequence, ==, 41);
}

/* A thief cannot bring an older manifest of a trusted signer back where this home knows the newer one. */
static void
test_home_goes_first (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *first = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (GBytes) old = world_index_bytes (world);
  g_autofree char *second = world_publish (world, "w1", 0, 100, "2", TRUE);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvIndex) seen = sv_publisher_read_index (publisher, &error);
  g_assert_no_error (error);
  world_set_index_bytes (world, old);
  world_resign_index (world, world->stranger, NULL);
  sv_publisher_allow_rebuild (publisher);
  g_autoptr (SvPublication) next = publish (publisher, "w2", 100, "1", &error);
  g_assert_no_error (error);
  g_autoptr (SvIndex) index = sv_publisher_read_index (publisher, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_index_find_live (index, "w1")->hash, ==, second);
  g_assert_true (sv_index_find_hash (index, first)->is_superseded);
  g_assert_cmpuint (index->sequence, >, seen->sequence);
  g_assert_cmpstr (next->previous, ==, second);
}

static void
test_unchanged_is_written (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvIndex) seen = read_index (world, world->config);
  g_assert_nonnull (sv_index_find_live (seen, "w1"));
  world_resign_index (world, world->stranger, NULL);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  sv_publisher_allow_rebuild (publisher);
  g_autoptr (SvPublication) same = publish (publisher, "w1", 0, "1", &error);
  g_assert_no_error (error);
  g_assert_true (same->is_unchanged);
  g_autoptr (SvIndex) index = read_index (world, world->config);
  g_assert_cmpstr (index->document->signed_by, ==, sv_keypair_address (world->operator));
  g_assert_cmpstr (sv_index_find_live (index, "w1")->hash, ==, hash);
}

static char *
publish_long_ago (World *world)
{
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  world_advance (world, 100 + SV_ARCHIVE_AFTER);
  g_free (world_publish (world, "w2", 100, 100000, "1", FALSE));
  return g_steal_pointer (&hash);
}

/* The thief's archive, and his word about what is long over. */
static void
list_old_again (SvIndex *index)
{
  SvIndexEntry *old = g_new0 (SvIndexEntry, 1);
  const SvIndexEntry *entry = index->entries->pdata[0];
  *old = *entry;
  old->hash = g_strdup ("sha256:"
                        "0123456789012345678901234567890123456789012345678901234567890123");
  old->window_id = g_strdup ("w0");
  old->published_at = g_strdup (entry->published_at);
  old->published_by = g_strdup (entry->published_by);
  old->elements_summary = json_incref (entry->elements_summary);
  old->start_block = 0;
  old->expiry_block = 50;
  old->added_sequence = 1;
  index->sequence++;
  g_ptr_array_insert (index->entries, 0, old);
  g_free (index->archive);
  index->archive = g_strdup (old->hash);
}

static void
test_archives (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *old = publish_long_ago (world);
  g_autoptr (SvIndex) seen = read_index (world, world->config);
  g_assert_nonnull (seen->archive);
  world_resign_index (world, world->stranger, list_old_again);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  sv_publisher_allow_rebuild (publisher);
  g_autoptr (SvPublication) next = publish (publisher, "w3", 100000, "1", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (next->rebuild->kept->len, ==, 1);
  g_assert_cmpuint (next->rebuild->dropped->len, ==, 2);
  g_assert_nonnull (strstr (next->rebuild->dropped->pdata[0], "it is long over"));
  g_assert_nonnull (strstr (next->rebuild->dropped->pdata[1], "archive sha256:"));
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (index->archive, ==, seen->archive);
  g_autoptr (SvIndex) history = sv_fetch_history (reader, index, &error);
  g_assert_no_error (error);
  g_assert_nonnull (sv_index_find_hash (history, old));
  g_autoptr (SvPublication) again = publish (publisher, "w1", 200000, "1", &error);
  g_assert_null (again);
  world_assert_error (&error, SV_ERROR_CONFLICT, "window w1 was used before");
}

static void
test_gone (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvIndex) seen = read_index (world, world->config);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  world_remove_object (world, "scorevision/index.json");
  g_assert_null (publish (publisher, "w2", 100, "1", &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "freeze: the index is gone");
  sv_publisher_allow_rebuild (publisher);
  g_autoptr (SvPublication) next = publish (publisher, "w2", 100, "1", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (next->added_sequence, >, seen->sequence);
  g_autoptr (SvIndex) index = read_index (world, world->config);
  g_assert_cmpstr (sv_index_find_live (index, "w1")->hash, ==, hash);
}

static void
assert_has (const GPtrArray *lines, const char *part)
{
  for (guint i = 0; i < lines->len; i++)
    if (strstr (lines->pdata[i], part) != NULL)
      return;
  g_error ("no line has `%s`", part);
}

/* Of a window that is over, one manifest says nothing about now; of two, which counted when is the thief's word. */
static void
test_only_listed (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *single = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_free (world_publish (world, "w2", 100, 200, "1", FALSE));
  g_free (world_publish (world, "w2", 100, 200, "2", TRUE));
  g_free (world_publish (world, "w3", 200, 300, "1", FALSE));
  g_free (world_publish (world, "w4", 300, 400, "1", FALSE));
  world_advance (world, 250);
  world_resign_index (world, world->stranger, NULL);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  sv_publisher_allow_rebuild (publisher);
  g_autoptr (SvPublication) next = publish (publisher, "w5", 400, "1", &error);
  g_assert_no_error (error);
  g_autofree char *line = g_strdup_printf ("window w1, manifest %s (live, blocks 0 to 100, active from block 0): only the "
                                           "refused index lists it",
                                           single);
  g_assert_cmpuint (next->rebuild->kept->len, ==, 1);
  g_assert_cmpstr (next->rebuild->kept->pdata[0], ==, line);
  g_assert_cmpuint (next->rebuild->dropped->len, ==, 4);
  assert_has (next->rebuild->dropped, "blocks 100 to 200, active from block 0): its window is over and had other manifests");
  assert_has (next->rebuild->dropped, "(live, blocks 200 to 300, active from block 0): its window is not over");
  assert_has (next->rebuild->dropped, "(live, blocks 300 to 400, active from block 0): its window is not over");
  g_autoptr (SvIndex) index = read_index (world, world->config);
  g_assert_cmpuint (index->entries->len, ==, 2);
  g_assert_cmpuint (index->superseded->len, ==, 0);
}

/* One that this home knows otherwise: nothing of its window is taken from elsewhere. */
static void
test_listed_beside_known (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *known = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvIndex) seen = read_index (world, world->config);
  g_assert_nonnull (sv_index_find_hash (seen, known));
  g_autofree char *later = world_publish (world, "w1", 0, 100, "2", TRUE);
  world_advance (world, 150);
  world_resign_index (world, world->stranger, NULL);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  sv_publisher_allow_rebuild (publisher);
  g_autoptr (SvPublication) next = publish (publisher, "w2", 200, "1", &error);
  g_assert_no_error (error);
  assert_has (next->rebuild->kept, known);
  assert_has (next->rebuild->dropped, later);
  assert_has (next->rebuild->dropped, "in the verified index of this home it has other manifests");
}

/* A thief's older manifest for the newer one, with nothing else changed. */
static void
swap_live (SvIndex *index)
{
  SvIndexEntry *live = g_ptr_array_steal_index (index->entries, 0), *old = g_ptr_array_steal_index (index->superseded, 0);
  live->is_superseded = TRUE;
  live->superseded_by = g_strdup (old->hash);
  g_clear_pointer (&old->superseded_by, g_free);
  old->is_superseded = FALSE;
  g_ptr_array_add (index->entries, old);
  g_ptr_array_add (index->superseded, live);
}

static void
activate_later (SvIndex *index)
{
  SvIndexEntry *entry = index->entries->pdata[0];
  entry->active_from++;
}

static void
check_agreed (void (*change_meanwhile) (SvIndex *index))
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  g_free (world_publish (world, "w1", 0, 100, "2", TRUE));
  world_resign_index (world, world->stranger, NULL);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  sv_publisher_allow_rebuild (publisher);
  g_autoptr (json_t) authored = world_authored ("w2", 100, 200, "1");
  SvPublishOptions options = { .overlap = SV_DEFAULT_OVERLAP, .dry_run = TRUE };
  g_autoptr (SvPublication) shown = sv_publish_manifest (publisher, authored, &options, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (shown->rebuild->dropped->len, ==, 2);

  options = (SvPublishOptions){ .overlap = SV_DEFAULT_OVERLAP, .agreed = shown };
  g_autoptr (GBytes) listed = world_index_bytes (world);
  world_resign_index (world, world->stranger, change_meanwhile);
  g_autoptr (GBytes) before = world_index_bytes (world);
  g_assert_null (sv_publish_manifest (publisher, authored, &options, &error));
  world_assert_error (&error, SV_ERROR_CONFLICT, "what would be kept and dropped of it");
  g_autoptr (GBytes) after = world_index_bytes (world);
  g_assert_true (g_bytes_equal (before, after));
  world_set_index_bytes (world, listed);
  g_autoptr (SvPublication) done = sv_publish_manifest (publisher, authored, &options, &error);
  g_assert_no_error (error);
  g_assert_nonnull (done->rebuild);
  g_autoptr (SvIndex) index = read_index (world, world->config);
  g_assert_cmpstr (index->document->signed_by, ==, sv_keypair_address (world->operator));
  g_assert_cmpuint (index->entries->len, ==, 1);
}

static void
drop_all (SvIndex *index)
{
  g_ptr_array_set_size (index->entries, 0);
  g_ptr_array_set_size (index->superseded, 0);
}

static void
test_agreed (void)
{
  check_agreed (drop_all);
  check_agreed (swap_live);
  check_agreed (activate_later);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/index_rebuild/goes on after a stolen key", test_stolen_key);
  g_test_add_func ("/index_rebuild/publishes a stolen key's window anew", test_window_of_stolen_key);
  g_test_add_func ("/index_rebuild/goes on above the anchor", test_above_the_anchor);
  g_test_add_func ("/index_rebuild/believes this home first", test_home_goes_first);
  g_test_add_func ("/index_rebuild/writes a rebuilt index though nothing is new", test_unchanged_is_written);
  g_test_add_func ("/index_rebuild/keeps the archives that were verified", test_archives);
  g_test_add_func ("/index_rebuild/brings a gone index back", test_gone);
  g_test_add_func ("/index_rebuild/takes no thief's word about what is not over", test_only_listed);
  g_test_add_func ("/index_rebuild/keeps to the manifests that it knows of a window", test_listed_beside_known);
  g_test_add_func ("/index_rebuild/does what was agreed to", test_agreed);
  return g_test_run ();
}
