/* Archiving while publishing, and reading what is in the archives.
 *
 * publishing - what is long expired moves with the next change of the index, not before, and by the finalized head
 *            - the archive lies in the store, with its cache headers, before the index names it: where it cannot be stored
 *              nothing changes
 *            - who loses against somebody else's change archives anew, on the winner's index
 *            - a small archive is taken in; one that cannot be had is named, and hinders no change
 * reading    - an index without archive has an empty history
 *            - history comes from the store once, then from the cache; a damaged cache is read over
 *            - an archive that is gone, another one, cut short or no archive is an error, never a shorter history
 *            - a chain of archives without end is refused
 */
#include <glib/gstdio.h>

#include "base/file.h"
#include "base/hash.h"
#include "world.h"

#define LATER (100 + SV_ARCHIVE_AFTER)

static SvIndex *
read_index (World *world, SvReader *reader)
{
  GError *error = NULL;
  SvIndex *index = sv_fetch_index (reader, SV_FETCH_BYPASS_CACHES, &error);
  g_assert_no_error (error);
  return index;
}

static SvIndex *
read_history (SvReader *reader, const SvIndex *index)
{
  GError *error = NULL;
  SvIndex *history = sv_fetch_history (reader, index, &error);
  g_assert_no_error (error);
  return history;
}

static char *
archive_key (const char *hash)
{
  return g_strdup_printf ("scorevision/archive/%s.json", sv_hash_hex (hash));
}

/* w1 [0, 100) twice, archived by the publication of w2. The hash of the archive, (transfer full). */
static char *
make_archive (World *world)
{
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  g_free (world_publish (world, "w1", 0, 100, "2", TRUE));
  world_advance (world, LATER);
  g_free (world_publish (world, "w2", 100, 2 * LATER, "1", FALSE));
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = read_index (world, reader);
  g_assert_nonnull (index->archive);
  return g_strdup (index->archive);
}

/* ── publishing ── */

static void
test_publication_archives (void)
{
  g_autoptr (World) world = world_new (3);
  g_autofree char *first = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autofree char *second = world_publish (world, "w1", 0, 100, "2", TRUE);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  world_advance (world, LATER + 2); /* the finalized head is one block short */
  g_free (world_publish (world, "w2", 100, 2 * LATER, "1", FALSE));
  g_autoptr (SvIndex) before = read_index (world, reader);
  g_assert_null (before->archive);
  g_assert_nonnull (sv_index_find_live (before, "w1"));

  world_advance (world, 1);
  g_free (world_publish (world, "w3", 2 * LATER, 3 * LATER, "1", FALSE));
  g_autoptr (SvIndex) index = read_index (world, reader);
  g_assert_nonnull (index->archive);
  g_assert_null (sv_index_find_window (index, "w1"));
  g_assert_cmpuint (index->entries->len, ==, 2);
  g_autoptr (SvIndex) history = read_history (reader, index);
  g_assert_cmpstr (sv_index_find_live (history, "w1")->hash, ==, second);
  g_assert_cmpstr (((SvIndexEntry *)history->superseded->pdata[0])->hash, ==, first);

  /* The entries still lead to their manifests. */
  GError *error = NULL;
  g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (reader, sv_index_find_hash (history, first), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (manifest->hash, ==, first);
}

static gboolean
change_nothing (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  return TRUE;
}

static void
test_no_change_archives_nothing (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  world_advance (world, LATER);
  g_autoptr (GBytes) before = world_index_bytes (world);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvIndex) index = sv_publisher_update_index (publisher, change_nothing, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (index->archive);
  g_autoptr (GBytes) after = world_index_bytes (world);
  g_assert_true (g_bytes_equal (before, after));
}

/* Just says that there is a change. */
static gboolean
touch_index (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  index->sequence++;
  *changed = TRUE;
  return TRUE;
}

static void
test_archive_lies_there_first (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  world_advance (world, LATER);
  g_autoptr (GBytes) before = world_index_bytes (world);
  g_autofree char *blocked = world_path (world, "store/scorevision/archive");
  g_assert_true (g_file_set_contents (blocked, "not a folder", -1, NULL));
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_assert_null (sv_publisher_update_index (publisher, touch_index, NULL, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_autoptr (GBytes) after = world_index_bytes (world);
  g_assert_true (g_bytes_equal (before, after));

  g_assert_cmpint (g_unlink (blocked), ==, 0);
  g_autoptr (SvIndex) index = sv_publisher_update_index (publisher, touch_index, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *key = archive_key (index->archive);
  g_assert_true (sv_object_store_head (world->store, key, NULL, NULL));
}

/* Somebody else publishes the first time, between our reading and our swap. */
typedef struct
{
  World *world;
  guint n_calls;
} Race;

static gboolean
lose_once (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  Race *race = data;
  if (race->n_calls++ == 0)
    g_free (world_publish (race->world, "w2", 100, 2 * LATER, "1", FALSE));
  return touch_index (index, changed, NULL, error);
}

static void
test_loser_archives_anew (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  world_advance (world, LATER);
  Race race = { .world = world };
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvIndex) index = sv_publisher_update_index (publisher, lose_once, &race, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (race.n_calls, ==, 2);
  g_assert_nonnull (sv_index_find_live (index, "w2"));
  g_autoptr (SvIndex) history = read_history (sv_publisher_reader (publisher), index);
  g_assert_cmpuint (history->entries->len, ==, 1);
}

static void
test_small_archive_is_taken_in (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *first = make_archive (world);
  world_advance (world, LATER + SV_ARCHIVE_AFTER);
  g_free (world_publish (world, "w3", 2 * LATER, 5 * LATER, "1", FALSE));
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = read_index (world, reader);
  g_assert_cmpstr (index->archive, !=, first);
  g_autofree char *old_key = archive_key (first);
  world_remove_object (world, old_key); /* is not needed any more */
  g_autoptr (SvIndex) history = read_history (reader, index);
  g_assert_nonnull (sv_index_find_live (history, "w1"));
  g_assert_nonnull (sv_index_find_live (history, "w2"));
}

static void
test_archive_that_is_gone_hinders_no_change (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *first = make_archive (world), *key = archive_key (first);
  world_remove_object (world, key);
  world_advance (world, LATER + SV_ARCHIVE_AFTER);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator); /* a home without it */
  g_autoptr (SvIndex) index = sv_publisher_update_index (publisher, touch_index, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (sv_index_find_window (index, "w2"));
  g_assert_null (sv_fetch_history (sv_publisher_reader (publisher), index, &error));
  world_assert_error (&error, SV_ERROR_UNREACHABLE, key);

  /* It is still named, so nothing is lost once it is back. */
  g_autofree char *kept = g_strdup_printf ("%s/publisher-home/cache/archive/%s.json", world->root, sv_hash_hex (first));
  g_autoptr (GBytes) bytes = sv_file_read (kept, SV_INDEX_MAX_SIZE, &error);
  g_assert_no_error (error);
  world_set_object (world, key, bytes);
  g_autoptr (SvIndex) history = read_history (sv_publisher_reader (publisher), index);
  g_assert_cmpuint (history->entries->len, ==, 2);
  g_assert_cmpuint (history->superseded->len, ==, 1);
}

/* ── reading ── */

static void
test_no_archive (void)
{
  g_autoptr (World) world = world_new (0);
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = read_index (world, reader);
  g_autoptr (SvIndex) history = read_history (reader, index);
  g_assert_cmpuint (history->entries->len + history->superseded->len, ==, 0);
}

static void
test_cache (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = make_archive (world), *key = archive_key (hash);
  SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE };
  g_autoptr (SvObject) object = sv_object_store_get (world->store, key, &options, NULL, NULL);
  g_autofree char *cached = g_strdup_printf ("%s/home/cache/archive/%s.json", world->root, sv_hash_hex (hash));
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = read_index (world, reader);
  g_assert_false (g_file_test (cached, G_FILE_TEST_EXISTS)); /* who does not ask does not read it */
  g_autoptr (SvIndex) first = read_history (reader, index);
  g_assert_true (g_file_test (cached, G_FILE_TEST_EXISTS));
  world_remove_object (world, key);
  g_autoptr (SvIndex) from_cache = read_history (reader, index);
  g_assert_cmpuint (from_cache->entries->len, ==, first->entries->len);
  world_set_object (world, key, object->bytes);
  g_assert_true (g_file_set_contents (cached, "{}", -1, NULL));
  g_autoptr (SvIndex) again = read_history (reader, index);
  g_assert_cmpuint (again->entries->len, ==, first->entries->len);
}

static void
assert_no_history (World *world, const char *home, SvErrorCode code, const char *part)
{
  GError *error = NULL;
  g_autoptr (SvConfig) config = world_config (world, home);
  g_autoptr (SvReader) reader = world_reader (world, config);
  g_autoptr (SvIndex) index = read_index (world, reader);
  g_assert_null (sv_fetch_history (reader, index, &error));
  world_assert_error (&error, code, part);
}

static void
test_what_is_no_archive (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = make_archive (world), *key = archive_key (hash);
  SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE };
  g_autoptr (SvObject) object = sv_object_store_get (world->store, key, &options, NULL, NULL);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (object->bytes, 0, 100);
  g_autofree char *zeros = g_malloc0 (SV_INDEX_MAX_SIZE + 1);
  g_autoptr (GBytes) large = g_bytes_new_take (g_steal_pointer (&zeros), SV_INDEX_MAX_SIZE + 1);
  world_set_object (world, key, cut);
  assert_no_history (world, "cut", SV_ERROR_VERIFY, "does not hash to its name");
  world_set_object (world, key, large);
  assert_no_history (world, "large", SV_ERROR_MALFORMED, key);
  world_remove_object (world, key);
  assert_no_history (world, "gone", SV_ERROR_UNREACHABLE, "try `sv store check --repair --store file:");
}

static char *named; /* by change_archive() */

static void
change_archive (SvIndex *index)
{
  g_free (index->archive);
  index->archive = g_strdup (named);
  index->sequence++;
}

/* Lays an archive into the store, as it comes; its hash, (transfer full). */
static char *
put_archive (World *world, const char *text)
{
  char *hash = sv_hash_bytes (text, strlen (text));
  g_autofree char *key = archive_key (hash), *folder = world_path (world, "store/scorevision/archive");
  g_autofree char *path = g_strdup_printf ("%s/store/%s", world->root, key);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL)); /* a thousand times */
  return hash;
}

static void
test_signed_but_no_archive (void)
{
  g_autoptr (World) world = world_new (0);
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  named = put_archive (world, "{\"manifests\":[]}");
  world_resign_index (world, world->operator, change_archive);
  assert_no_history (world, "home", SV_ERROR_MALFORMED, "archive: /version");
  g_clear_pointer (&named, g_free);
}

static void
test_endless (void)
{
  g_autoptr (World) world = world_new (0);
  g_free (world_publish (world, "w1", 0, 100, "1", FALSE));
  named = put_archive (world, "{\"manifests\":[],\"previous\":null,\"superseded\":[],\"version\":\"1.0\"}");
  for (guint i = 0; i < SV_ARCHIVE_MAX_STEPS; i++)
  {
    g_autofree char *text =
        g_strdup_printf ("{\"manifests\":[],\"previous\":\"%s\",\"superseded\":[],\"version\":\"1.0\"}", named);
    if (i == SV_ARCHIVE_MAX_STEPS - 1)
    {
      g_autoptr (SvReader) reader = world_reader (world, world->config);
      world_resign_index (world, world->operator, change_archive);
      g_autoptr (SvIndex) index = read_index (world, reader);
      g_autoptr (SvIndex) history = read_history (reader, index);
      g_assert_nonnull (history); /* just not too long */
    }
    g_free (named);
    named = put_archive (world, text);
  }
  world_resign_index (world, world->operator, change_archive);
  assert_no_history (world, "home", SV_ERROR_VERIFY, "more than 1024 archives");
  g_clear_pointer (&named, g_free);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/archive/a publication archives", test_publication_archives);
  g_test_add_func ("/archive/no change, no archive", test_no_change_archives_nothing);
  g_test_add_func ("/archive/lies there before it is named", test_archive_lies_there_first);
  g_test_add_func ("/archive/who loses archives anew", test_loser_archives_anew);
  g_test_add_func ("/archive/a small one is taken in", test_small_archive_is_taken_in);
  g_test_add_func ("/archive/one that is gone hinders no change", test_archive_that_is_gone_hinders_no_change);
  g_test_add_func ("/history/is empty without archive", test_no_archive);
  g_test_add_func ("/history/is cached", test_cache);
  g_test_add_func ("/history/refuses what is no archive", test_what_is_no_archive);
  g_test_add_func ("/history/refuses what is signed and no archive", test_signed_but_no_archive);
  g_test_add_func ("/history/has an end", test_endless);
  return g_test_run ();
}
