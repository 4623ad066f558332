/* The index update:
 *  - an untrusted signer is refused, naming the setting
 *  - the first publication needs no index; a store whose index vanished does, by memory and by anchor
 *  - an index that cannot be verified is never built on
 *  - an edit that changes nothing writes nothing; an edit that fails changes nothing
 *  - both names of a manifest hold its bytes
 *  - ten publishers at once, each ten windows: all land, the sequence counts each change, `previous` reaches every manifest
 */
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

static void
test_untrusted (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_assert_null (sv_publisher_new (world->config, world->chain, world->store, world->stranger, NULL, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "SCOREVISION_MANIFEST_SIGNERS");
}

static void
assert_no_index (World *world, const SvConfig *config, const char *part)
{
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = world_publisher (world, config, world->operator);
  g_assert_null (sv_publisher_read_index (publisher, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, part);
}

static void
test_vanished_index (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvIndex) empty = sv_publisher_read_index (publisher, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (empty->sequence, ==, 0);
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (SvIndex) first = sv_publisher_read_index (publisher, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (first->sequence, ==, 1);
  world_remove_object (world, "scorevision/index.json");
  assert_no_index (world, world->config, "seen here before");

  g_autoptr (SvConfig) fresh = world_config (world, "fresh");
  g_autofree char *text = g_strdup_printf ("sv1 manifest %s 1", hash);
  world_commit (world, world->operator, text);
  assert_no_index (world, fresh, "anchored on the chain");
}

static void
test_unverified_index (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_assert_nonnull (hash);
  world_resign_index (world, world->stranger, NULL);
  assert_no_index (world, world->config, sv_keypair_address (world->stranger));
}

static void
test_frozen_index (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autofree char *text = g_strdup_printf ("sv1 manifest %s 2", hash);
  world_commit (world, world->operator, text);
  assert_no_index (world, world->config, "freeze");
}

static gboolean
change_nothing (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  return TRUE;
}

static gboolean
fail (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  index->sequence++;
  *changed = TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY, "not today");
  return FALSE;
}

static void
test_no_change (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_assert_nonnull (hash);
  g_autoptr (GBytes) before = world_index_bytes (world);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvIndex) same = sv_publisher_update_index (publisher, change_nothing, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (same->sequence, ==, 1);
  g_assert_null (sv_publisher_update_index (publisher, fail, NULL, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "not today");
  g_autoptr (GBytes) after = world_index_bytes (world);
  g_assert_true (g_bytes_equal (before, after));
}

static GBytes *
object (World *world, const char *name)
{
  GError *error = NULL;
  gboolean unchanged;
  SvGetOptions options = { .max_size = SV_MANIFEST_MAX_SIZE };
  g_autofree char *key = g_strdup_printf ("scorevision/manifests/%s.json", name);
  g_autoptr (SvObject) found = sv_object_store_get (world->store, key, &options, &unchanged, &error);
  g_assert_no_error (error);
  return g_bytes_ref (found->bytes);
}

static void
test_two_names (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autoptr (GBytes) prefixed = object (world, hash);
  g_autoptr (GBytes) bare = object (world, hash + strlen ("sha256:"));
  g_assert_true (g_bytes_equal (prefixed, bare));
}

/* ── ten at once ── */

#define N_PUBLISHERS 10
#define N_WINDOWS 10

/* Runs in a process of its own, with connections of its own. */
static void
publish_ten (World *world, guint number)
{
  for (guint i = 0; i < N_WINDOWS; i++)
  {
    guint64 start_block = (number * N_WINDOWS + i) * 10;
    g_autofree char *window_id = g_strdup_printf ("w%u-%u", number, i);
    g_autofree char *hash = world_publish (world, window_id, start_block, start_block + 10, "1", FALSE);
    g_assert_nonnull (hash);
  }
}

static pid_t
start_publisher (World *world, guint number)
{
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child > 0)
    return child;
  g_autoptr (GError) error = NULL;
  world->chain = sv_chain_open (world->config, &error);
  g_assert_no_error (error);
  publish_ten (world, number);
  _exit (0);
}

static void
assert_reaches_all (World *world, const SvIndex *index)
{
  g_autoptr (GHashTable) live = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < index->entries->len; i++)
    g_hash_table_add (live, ((SvIndexEntry *)index->entries->pdata[i])->hash);
  GError *error = NULL;
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autofree char *hash = g_strdup (index->newest);
  guint n = 0;
  while (hash != NULL)
  {
    g_autoptr (SvManifest) manifest = sv_fetch_manifest (reader, hash, &error);
    g_assert_no_error (error);
    g_assert_true (g_hash_table_remove (live, hash));
    g_free (hash);
    hash = g_strdup (manifest->previous);
    n++;
  }
  g_assert_cmpuint (n, ==, N_PUBLISHERS * N_WINDOWS);
}

static void
test_ten_at_once (void)
{
  g_autoptr (World) world = world_new (0);
  pid_t children[N_PUBLISHERS];
  g_clear_pointer (&world->chain, sv_chain_free); /* connections must not cross a fork */
  for (guint i = 0; i < N_PUBLISHERS; i++)
    children[i] = start_publisher (world, i);
  for (guint i = 0; i < N_PUBLISHERS; i++)
  {
    int status;
    g_assert_cmpint (waitpid (children[i], &status, 0), ==, children[i]);
    g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  }
  GError *error = NULL;
  world->chain = sv_chain_open (world->config, &error);
  g_assert_no_error (error);
  g_autoptr (SvReader) reader = world_reader (world, world->config);
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (index->sequence, ==, N_PUBLISHERS * N_WINDOWS);
  g_assert_cmpuint (index->entries->len, ==, N_PUBLISHERS * N_WINDOWS);
  assert_reaches_all (world, index);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/publisher/is a trusted signer", test_untrusted);
  g_test_add_func ("/publisher/notices that the index vanished", test_vanished_index);
  g_test_add_func ("/publisher/does not build on what it cannot verify", test_unverified_index);
  g_test_add_func ("/publisher/does not build on a frozen index", test_frozen_index);
  g_test_add_func ("/publisher/writes nothing where nothing changes", test_no_change);
  g_test_add_func ("/publisher/stores a manifest under both names", test_two_names);
  g_test_add_func ("/publisher/loses nothing of ten at once", test_ten_at_once);
  return g_test_run ();
}
