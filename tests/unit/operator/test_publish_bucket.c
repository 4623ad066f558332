/* Publishing to a bucket whose server is wrong: it refuses each change of the index, the first one and a later one, although
 * nobody else has changed it. The end comes soon, says so, and leaves one manifest behind at most, not one for each try. Or it
 * does not keep what it is given.
 */
#include "../store/s3_world.h"
#include "base/error.h"
#include "protocol/object_keys.h"
#include "publish_fixture.h"

#define INDEX "/bucket/" SV_INDEX_KEY

static SvPublisher *
publisher_in_bucket (World *world, S3World *bucket)
{
  GError *error = NULL;
  SvPublisher *publisher = sv_publisher_new (world->config, world->chain, bucket->store, world->operator, NULL, &error);
  g_assert_no_error (error);
  return publisher;
}

/* Each has two names. */
static guint
n_manifests (S3World *bucket)
{
  GHashTableIter iter;
  gpointer path;
  guint n = 0;
  g_hash_table_iter_init (&iter, bucket->objects);
  while (g_hash_table_iter_next (&iter, &path, NULL))
    n += g_str_has_prefix (path, "/bucket/scorevision/manifests/");
  return n / 2;
}

static void
assert_refused (World *world, S3World *bucket, const char *window_id, guint64 start_block, guint max_puts)
{
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = publisher_in_bucket (world, bucket);
  g_autoptr (json_t) authored = world_authored (window_id, start_block, start_block + 100, "1");
  guint n_before = n_manifests (bucket), puts_before = s3_world_n_requests (bucket, "PUT " INDEX);
  bucket->refuses = INDEX;
  g_autoptr (SvPublication) publication = try_publish (publisher, authored, FALSE, FALSE, &error);
  bucket->refuses = NULL;
  g_assert_null (publication);
  world_assert_error (&error, SV_ERROR_UNREACHABLE, "use another server");
  g_assert_cmpuint (s3_world_n_requests (bucket, "PUT " INDEX) - puts_before, <=, max_puts);
  g_assert_cmpuint (n_manifests (bucket) - n_before, ==, 1);
}

static void
test_wrong_refusals (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (S3World) bucket = s3_world_new ();
  assert_refused (world, bucket, "w1", 0, 4);
  g_autoptr (SvPublisher) publisher = publisher_in_bucket (world, bucket);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) publication = publish (publisher, authored, FALSE);
  g_assert_cmpuint (publication->added_sequence, ==, 1);
  assert_refused (world, bucket, "w2", 100, 2);
}

/* It says that it has stored the manifest, and shows something else. */
static void
test_lost_content (void)
{
  GError *error = NULL;
  g_autofree char *stored = s3_answer_text (200, "ETag: \"1\"\r\n", "");
  g_autofree char *other = s3_answer_text (200, "ETag: \"1\"\r\n", "something else");
  g_autoptr (World) world = world_new (0);
  g_autoptr (S3World) bucket = s3_world_new ();
  g_autoptr (SvPublisher) publisher = publisher_in_bucket (world, bucket);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) publication = publish (publisher, authored, FALSE);
  g_autoptr (SvManifest) manifest = sv_fetch_manifest (sv_publisher_reader (publisher), publication->manifest_hash, &error);
  g_assert_no_error (error);
  const char *const script[] = { other, stored, other, NULL };
  bucket->script = script;
  g_assert_false (sv_publisher_put_manifest (publisher, manifest, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "also after it was written anew");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/publish-bucket/wrong refusals", test_wrong_refusals);
  g_test_add_func ("/publish-bucket/lost content", test_lost_content);
  return g_test_run ();
}
