/* What publishing looks at before it does something:
 *  - a window_id that only the archive remembers, or an archive that cannot be asked
 *  - what is published is compared with the manifest that it replaces, else the active one, else none
 *  - what was agreed to is what happens: another live or active manifest, or other blocks, and nothing is done
 */
#include "base/hash.h"
#include "publish_fixture.h"

/* ── the archive ── */

/* w1 is archived by the publication of w2. */
static void
archive_w1 (World *world)
{
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  world_advance (world, 100 + SV_ARCHIVE_AFTER);
  g_free (world_publish (world, "w2", 100, 100000, "1", FALSE));
}

static void
test_archived_window (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  archive_w1 (world);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvIndex) index = sv_publisher_read_index (publisher, &error);
  g_assert_no_error (error);
  g_assert_null (sv_index_find_window (index, "w1"));
  g_autoptr (json_t) again = world_authored ("w1", 100000, 200000, "1");
  g_assert_null (try_publish (publisher, again, FALSE, FALSE, &error));
  world_assert_error (&error, SV_ERROR_CONFLICT, "window w1 was used before");

  g_autoptr (SvConfig) elsewhere = world_config (world, "elsewhere"); /* a home without a copy */
  g_autoptr (SvPublisher) other = world_publisher (world, elsewhere, world->operator);
  g_autofree char *key = g_strdup_printf ("scorevision/archive/%s.json", sv_hash_hex (index->archive));
  world_remove_object (world, key);
  g_autoptr (json_t) next = world_authored ("w3", 100000, 200000, "1");
  g_assert_null (try_publish (other, next, FALSE, FALSE, &error));
  world_assert_error (&error, SV_ERROR_UNREACHABLE, "cannot be told whether window w3 was used before");
  g_autoptr (json_t) better = world_authored ("w2", 100, 100000, "2"); /* has a live entry: nothing is to be asked */
  g_autoptr (SvPublication) superseding = publish (other, better, TRUE);
  g_assert_nonnull (superseding->replaced);
}

/* ── what is shown and agreed to ── */

static void
assert_compared (const SvPublication *publication, const char *hash)
{
  g_assert_cmpstr (publication->compared, ==, hash);
  g_assert_cmpint (publication->compared_content != NULL, ==, hash != NULL);
  g_assert_nonnull (publication->content);
}

static void
test_compared (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) today = world_authored ("w1", 0, 100, "1"), tomorrow = world_authored ("w2", 100, 200, "1");
  g_autoptr (SvPublication) first = publish (publisher, today, FALSE);
  assert_compared (first, NULL);
  g_autoptr (SvPublication) same = publish (publisher, today, FALSE);
  assert_compared (same, first->manifest_hash);
  g_autoptr (SvPublication) second = publish (publisher, tomorrow, FALSE);
  assert_compared (second, first->manifest_hash); /* the active one */
  json_object_set_new (tomorrow, "tee", json_pack ("{s:f}", "trusted_share_gamma", 0.5));
  g_autoptr (SvPublication) third = publish (publisher, tomorrow, TRUE);
  assert_compared (third, second->manifest_hash); /* the one that it replaces */
  g_autoptr (SvPublication) back = sv_rollback_manifest (publisher, second->manifest_hash, &(SvPublishOptions){ 0 }, &error);
  g_assert_no_error (error);
  assert_compared (back, third->manifest_hash);

  /* What cannot be had is named, and hinders nobody. */
  g_autoptr (SvConfig) elsewhere = world_config (world, "elsewhere");
  g_autoptr (SvPublisher) other = world_publisher (world, elsewhere, world->operator);
  g_autofree char *key = g_strdup_printf ("scorevision/manifests/%s.json", sv_hash_hex (first->manifest_hash));
  world_remove_object (world, key);
  g_autoptr (json_t) later = world_authored ("w3", 200, 300, "1");
  g_autoptr (SvPublication) fourth = publish (other, later, FALSE);
  g_assert_cmpstr (fourth->compared, ==, first->manifest_hash);
  g_assert_null (fourth->compared_content);
}

static SvPublication *
publish_agreed (SvPublisher *publisher, const json_t *authored, const SvPublication *agreed, GError **error)
{
  SvPublishOptions options = { .supersede = TRUE, .overlap = SV_DEFAULT_OVERLAP, .agreed = agreed };
  options.supersede = agreed->replaced != NULL;
  return sv_publish_manifest (publisher, authored, &options, error);
}

static void
test_agreed (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *live = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) better = world_authored ("w1", 0, 100, "2");
  g_autoptr (SvPublication) shown = try_publish (publisher, better, TRUE, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (shown->replaced, ==, live);

  /* Another manifest is live by now. */
  g_autofree char *theirs = world_publish (world, "w1", 0, 100, "3", TRUE);
  g_autoptr (GBytes) before = world_index_bytes (world);
  g_assert_null (publish_agreed (publisher, better, shown, &error));
  world_assert_error (&error, SV_ERROR_CONFLICT, theirs);
  g_autoptr (GBytes) after = world_index_bytes (world);
  g_assert_true (g_bytes_equal (before, after));

  /* A window that somebody announces does not matter; blocks that go by neither. */
  g_autoptr (SvPublication) again = try_publish (publisher, better, TRUE, TRUE, &error);
  g_assert_no_error (error);
  g_free (world_publish (world, "w2", 100, 200, "1", FALSE));
  world_advance (world, 5);
  g_autoptr (SvPublication) done = publish_agreed (publisher, better, again, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (done->replaced, ==, theirs);
  g_autoptr (SvPublication) same = publish_agreed (publisher, better, again, &error); /* nothing is left to agree to */
  g_assert_no_error (error);
  g_assert_true (same->is_unchanged);
}

static void
test_agreed_blocks (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) next = world_authored ("w9", 0, 900, "2");
  remove_start (next);
  g_autoptr (SvPublication) shown = try_publish (publisher, next, FALSE, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (shown->start_block, ==, 100);
  g_free (world_publish (world, "w2", 100, 200, "1", FALSE));
  g_assert_null (publish_agreed (publisher, next, shown, &error));
  world_assert_error (&error, SV_ERROR_CONFLICT, "window w9 would run from block 200 to 900");

  /* The active window ends while the question is open. */
  g_autoptr (SvPublication) later = try_publish (publisher, next, FALSE, TRUE, &error);
  g_assert_no_error (error);
  world_advance (world, 100);
  g_assert_null (publish_agreed (publisher, next, later, &error));
  world_assert_error (&error, SV_ERROR_CONFLICT, "the active manifest is");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/publish/uses a window once, ever", test_archived_window);
  g_test_add_func ("/publish/tells what to compare with", test_compared);
  g_test_add_func ("/publish/does what was agreed to", test_agreed);
  g_test_add_func ("/publish/keeps to the blocks agreed to", test_agreed_blocks);
  return g_test_run ();
}
