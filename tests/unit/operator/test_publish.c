/* Publishing:
 *  - object, index and anchor are there afterwards; the same again signs nothing
 *  - what is missing is done again: the second object name, the anchor; what is damaged under a manifest's names is put right
 *  - a filled-in start, first and after other windows; a supersede keeps the live one's
 *  - another content needs --supersede; the replaced one stays for the overlap; `previous` follows
 *  - a live manifest that cannot be verified any more can be superseded, and only that
 *  - dry run: says the same and writes nothing
 *  - content that breaks a rule, a window that is over
 * Rolling back:
 *  - an earlier manifest is live again, `newest` stays; the same again does nothing; unknown hashes, one in the archive
 * Anchoring:
 *  - one anchor covers what was published meanwhile; a higher one of the signer is left alone
 *  - the owner's texts repeat every revoked account, and none is written while the owner is not known
 *  - a text that is too long is refused
 *  - a chain that fails: public, not anchored
 * Killed at any moment, and run again: complete, and never half-visible.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "chain/engine.h"
#include "operator/anchoring.h"
#include "protocol/object_keys.h"
#include "publish_fixture.h"

static SvAnchoring *
anchor (SvPublisher *publisher, const SvPublication *publication)
{
  GError *error = NULL;
  SvAnchoring *anchoring = sv_anchor_publication (publisher, publication, SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  return anchoring;
}

static char *
anchor_text (World *world, const SvKeypair *keypair)
{
  GError *error = NULL;
  char *text = NULL;
  SvHead head = world_head (world);
  gboolean done = sv_chain_anchor_text (world->chain, sv_keypair_address (keypair), head.best.number, &text, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  return text;
}

static void
test_publish (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) first = publish (publisher, authored, FALSE);
  g_autoptr (SvAnchoring) anchored = anchor (publisher, first);
  g_assert_false (first->is_unchanged);
  g_assert_null (first->previous);
  g_assert_false (anchored->was_there);
  g_autofree char *expected = g_strdup_printf ("sv1 manifest %s 1", first->manifest_hash);
  g_autofree char *text = anchor_text (world, world->operator);
  g_assert_cmpstr (text, ==, expected);

  g_autoptr (GBytes) before = world_index_bytes (world);
  g_autoptr (SvPublication) again = publish (publisher, authored, FALSE);
  g_autoptr (SvAnchoring) anchored_again = anchor (publisher, again);
  g_autoptr (GBytes) after = world_index_bytes (world);
  g_assert_true (again->is_unchanged);
  g_assert_cmpstr (again->manifest_hash, ==, first->manifest_hash);
  g_assert_true (anchored_again->was_there);
  g_assert_true (g_bytes_equal (before, after));
}

static gboolean
has_object (World *world, const char *name)
{
  g_autofree char *key = g_strdup_printf ("scorevision/manifests/%s.json", name);
  return sv_object_store_head (world->store, key, NULL, NULL);
}

static void
test_missing_steps (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) first = publish (publisher, authored, FALSE); /* no anchor yet */
  g_autofree char *prefixed = g_strdup_printf ("scorevision/manifests/%s.json", first->manifest_hash);
  g_assert_true (has_object (world, first->manifest_hash));
  world_remove_object (world, prefixed);
  g_autoptr (SvPublication) again = publish (publisher, authored, FALSE);
  g_autoptr (SvAnchoring) anchored = anchor (publisher, again);
  g_assert_true (again->is_unchanged);
  g_assert_true (has_object (world, first->manifest_hash));
  g_assert_false (anchored->was_there);
}

/* Under either name, as long as before and longer: only reading tells. This home has read the manifest before. */
static void
test_damaged_objects (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) first = publish (publisher, authored, FALSE);
  g_autofree char *key = sv_manifest_key (first->manifest_hash);
  g_autofree char *prefixed = sv_manifest_key_prefixed (first->manifest_hash);
  const char *const keys[] = { key, prefixed };
  g_autoptr (SvManifest) read = sv_fetch_manifest (sv_publisher_reader (publisher), first->manifest_hash, NULL);
  g_assert_nonnull (read);
  SvGetOptions options = { .max_size = SV_MANIFEST_MAX_SIZE };
  g_autoptr (SvObject) right = sv_object_store_get (world->store, key, &options, NULL, NULL);
  for (gsize i = 0; i < 4; i++)
  {
    g_autofree char *filling = g_strnfill (g_bytes_get_size (right->bytes) + i / 2, 'x');
    g_autoptr (GBytes) garbage = g_bytes_new (filling, strlen (filling));
    world_set_object (world, keys[i % 2], garbage);
    g_autoptr (SvPublication) again = publish (publisher, authored, FALSE);
    g_assert_true (again->is_unchanged);
    g_autoptr (SvObject) now = sv_object_store_get (world->store, keys[i % 2], &options, NULL, NULL);
    g_assert_true (now != NULL && g_bytes_equal (now->bytes, right->bytes));
  }
}

static void
test_filled_in_start (void)
{
  g_autoptr (World) world = world_new (0);
  world_advance (world, 7);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  remove_start (authored);
  g_autoptr (SvPublication) first = publish (publisher, authored, FALSE);
  g_assert_cmpuint (first->start_block, ==, 7);
  world_advance (world, 5);
  g_autoptr (SvPublication) same = publish (publisher, authored, FALSE);
  g_assert_true (same->is_unchanged);
  g_autoptr (json_t) next = world_authored ("w2", 0, 200, "1");
  remove_start (next);
  g_autoptr (SvPublication) second = publish (publisher, next, FALSE);
  g_assert_cmpuint (second->start_block, ==, 100);
  g_autoptr (json_t) better = world_authored ("w1", 0, 100, "2");
  remove_start (better);
  g_autoptr (SvPublication) superseding = publish (publisher, better, TRUE);
  g_assert_cmpuint (superseding->start_block, ==, 7);
  g_assert_cmpstr (superseding->previous, ==, second->manifest_hash);
}

static void
test_supersede (void)
{
  g_autoptr (World) world = world_new (0);
  world_advance (world, 20);
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (json_t) better = world_authored ("w1", 0, 100, "2");
  g_autoptr (SvPublication) first = publish (publisher, authored, FALSE);
  g_assert_null (try_publish (publisher, better, FALSE, FALSE, &error));
  world_assert_error (&error, SV_ERROR_CONFLICT, "--supersede");
  g_autoptr (SvPublication) second = publish (publisher, better, TRUE);
  g_assert_cmpstr (second->replaced, ==, first->manifest_hash);
  g_assert_cmpuint (second->replaced_until, ==, 30);
  g_assert_cmpuint (second->added_sequence, ==, 2);
  g_autoptr (SvPublication) same = publish (publisher, better, TRUE);
  g_assert_true (same->is_unchanged);
  g_autoptr (json_t) longer = world_authored ("w1", 0, 101, "3");
  g_assert_null (try_publish (publisher, longer, TRUE, FALSE, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "keeps start_block and expiry_block");
}

static void
test_supersede_what_cannot_be_verified (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *hash = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autofree char *bare = g_strdup_printf ("scorevision/manifests/%s.json", sv_hash_hex (hash));
  world_remove_object (world, bare);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) better = world_authored ("w1", 0, 100, "2");
  g_assert_null (try_publish (publisher, better, FALSE, FALSE, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "cannot be compared");
  g_autoptr (SvPublication) second = publish (publisher, better, TRUE);
  g_assert_cmpstr (second->replaced, ==, hash);
}

static void
test_dry_run (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autofree char *store = world_path (world, "store");
  g_autoptr (SvPublication) first = try_publish (publisher, authored, FALSE, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (first->added_sequence, ==, 1);
  g_assert_false (g_file_test (store, G_FILE_TEST_EXISTS));
  g_autoptr (SvPublication) real = publish (publisher, authored, FALSE);
  g_autoptr (GBytes) before = world_index_bytes (world);
  g_autoptr (json_t) better = world_authored ("w1", 0, 100, "2");
  g_autoptr (SvPublication) second = try_publish (publisher, better, TRUE, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (second->replaced, ==, real->manifest_hash);
  g_assert_false (has_object (world, second->manifest_hash));
  g_autoptr (GBytes) after = world_index_bytes (world);
  g_assert_true (g_bytes_equal (before, after));
}

static void
test_refusals (void)
{
  g_autoptr (World) world = world_new (0);
  world_advance (world, 50);
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) broken = world_authored ("w1", 0, 100, "-1");
  g_assert_null (try_publish (publisher, broken, FALSE, FALSE, &error));
  world_assert_error (&error, SV_ERROR_MALFORMED, "beta");
  g_autoptr (json_t) over = world_authored ("w1", 0, 50, "1");
  g_assert_null (try_publish (publisher, over, FALSE, FALSE, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "is over");
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) first = publish (publisher, authored, FALSE);
  g_assert_nonnull (first);
  g_autoptr (json_t) overlapping = world_authored ("w2", 99, 200, "1");
  g_assert_null (try_publish (publisher, overlapping, FALSE, FALSE, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "overlaps");
}

/* ── rollback ── */

static SvPublication *
roll_back (SvPublisher *publisher, const char *hash, GError **error)
{
  SvPublishOptions options = { .overlap = 3 };
  return sv_rollback_manifest (publisher, hash, &options, error);
}

static void
test_rollback (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autofree char *first = world_publish (world, "w1", 0, 100, "1", FALSE);
  g_autofree char *second = world_publish (world, "w1", 0, 100, "2", TRUE);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvPublication) back = roll_back (publisher, first, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (back->replaced, ==, second);
  g_assert_cmpuint (back->replaced_until, ==, 3);
  g_assert_cmpstr (back->newest, ==, second); /* what is anchored with the change */
  g_autoptr (SvIndex) index = sv_publisher_read_index (publisher, &error);
  g_assert_cmpuint (index->sequence, ==, 3);
  g_assert_cmpstr (index->newest, ==, second);
  g_assert_cmpstr (sv_index_find_live (index, "w1")->hash, ==, first);
  g_assert_cmpstr (sv_window_active (index, 1)->hash, ==, first);
  g_autoptr (SvPublication) again = roll_back (publisher, first, &error);
  g_assert_no_error (error);
  g_assert_true (again->is_unchanged);
  g_assert_null (roll_back (publisher, "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &error));
  world_assert_error (&error, SV_ERROR_NOT_FOUND, "never had");
  world_advance (world, 100);
  g_assert_null (roll_back (publisher, second, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "is over");
  world_advance (world, SV_ARCHIVE_AFTER);
  g_free (world_publish (world, "w2", 100, 100000, "1", FALSE));
  g_assert_null (roll_back (publisher, second, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "is in the archive: its window w1 ended at block 100");
}

/* ── anchors ── */

static void
test_one_anchor_covers_all (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) one = world_authored ("w1", 0, 100, "1");
  g_autoptr (json_t) two = world_authored ("w2", 100, 200, "1");
  g_autoptr (SvPublication) first = publish (publisher, one, FALSE);
  g_autoptr (SvPublication) second = publish (publisher, two, FALSE);
  g_autoptr (SvAnchoring) anchored = anchor (publisher, first);
  g_assert_cmpuint (anchored->sequence, ==, 2);
  g_assert_cmpstr (anchored->hash, ==, second->manifest_hash);
  g_autoptr (SvAnchoring) covered = anchor (publisher, second);
  g_assert_true (covered->was_there);
}

static void
use_owner_as_signer (World *world)
{
  g_autofree char *both = g_strdup_printf ("%s,%s", sv_keypair_address (world->operator), sv_keypair_address (world->owner));
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", both);
}

static void
test_owner_repeats_revocations (void)
{
  g_autoptr (World) world = world_new (0);
  use_owner_as_signer (world);
  g_autofree char *first_text = g_strdup_printf ("sv1 revoke\n%s", sv_keypair_address (world->stranger));
  world_commit (world, world->owner, first_text);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->owner);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) publication = publish (publisher, authored, FALSE);
  g_autoptr (SvAnchoring) anchored = anchor (publisher, publication);
  g_assert_nonnull (anchored);
  g_autofree char *expected =
      g_strdup_printf ("sv1 manifest %s 1\n%s", publication->manifest_hash, sv_keypair_address (world->stranger));
  g_autofree char *text = anchor_text (world, world->owner);
  g_assert_cmpstr (text, ==, expected);
}

static gboolean
cannot_tell_the_owner (SvChain *chain, char **owner, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "it does not answer");
  return FALSE;
}

static void
test_unknown_owner (void)
{
  g_autoptr (World) world = world_new (0);
  use_owner_as_signer (world);
  GError *error = NULL;
  g_autofree char *revoked = g_strdup_printf ("sv1 revoke\n%s", sv_keypair_address (world->stranger));
  world_commit (world, world->owner, revoked);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->owner);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) publication = publish (publisher, authored, FALSE);
  SvChainEngine silent = sv_ledger_engine;
  silent.owner = cannot_tell_the_owner;
  sv_publisher_chain (publisher)->engine = &silent;
  g_assert_null (sv_anchor_publication (publisher, publication, SV_PREPARE_DEFAULT, &error));
  world_assert_error (&error, SV_ERROR_UNREACHABLE, "it does not answer");
  sv_publisher_chain (publisher)->engine = &sv_ledger_engine;
  g_autofree char *text = anchor_text (world, world->owner);
  g_assert_cmpstr (text, ==, revoked);
}

static void
test_too_many_revocations (void)
{
  g_autoptr (World) world = world_new (0);
  use_owner_as_signer (world);
  GError *error = NULL;
  g_autoptr (GString) text = g_string_new ("sv1 revoke");
  while (text->len + 50 <= sv_chain_max_text (world->chain))
  {
    g_autoptr (SvKeypair) lost = sv_keypair_generate (SV_SCHEME_ED25519);
    g_string_append_printf (text, "\n%s", sv_keypair_address (lost));
  }
  world_commit (world, world->owner, text->str);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->owner);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) publication = publish (publisher, authored, FALSE);
  g_assert_null (sv_anchor_publication (publisher, publication, SV_PREPARE_DEFAULT, &error));
  world_assert_error (&error, SV_ERROR_POLICY, "is public, not anchored");
}

/* The ledger's file is damaged under the open connection. */
static void
test_chain_fails (void)
{
  g_autoptr (World) world = world_new (0);
  GError *error = NULL;
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  g_autoptr (SvPublication) publication = publish (publisher, authored, FALSE);
  g_autofree char *lock = g_strdup_printf ("%s/home/memory/anchor-%s.lock", world->root, sv_keypair_address (world->operator));
  g_assert_true (sv_directory_make (lock, 0700, &error)); /* a folder cannot be locked as a file */
  g_assert_null (sv_anchor_publication (publisher, publication, SV_PREPARE_DEFAULT, &error));
  world_assert_error (&error, SV_ERROR_UNREACHABLE, "is public, not anchored; run the same command again after block 0");
}

/* ── killed ── */

static void
publish_in_child (World *world, const json_t *authored)
{
  g_autoptr (GError) error = NULL;
  world->chain = sv_chain_open (world->config, &error);
  g_assert_no_error (error);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvPublication) publication = publish (publisher, authored, FALSE);
  g_autoptr (SvAnchoring) anchored = anchor (publisher, publication);
  g_assert_nonnull (anchored);
  _exit (0);
}

/* TRUE when the child was through before it was killed. */
static gboolean
kill_after (World *world, const json_t *authored, guint microseconds)
{
  int status;
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    publish_in_child (world, authored);
  g_usleep (microseconds);
  kill (child, SIGKILL);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status) || (WIFEXITED (status) && WEXITSTATUS (status) == 0));
  return WIFEXITED (status);
}

/* What is visible is whole: each entry of the index has its manifest. */
static void
assert_whole (World *world)
{
  GError *error = NULL;
  g_autoptr (SvConfig) config = world_config (world, "bystander");
  g_autoptr (SvReader) reader = world_reader (world, config);
  g_autoptr (SvIndex) index = sv_fetch_index (reader, SV_FETCH_NORMAL, &error);
  if (g_error_matches (error, SV_ERROR, SV_ERROR_NOT_FOUND))
  {
    g_error_free (error);
    return;
  }
  g_assert_no_error (error);
  for (guint i = 0; i < index->entries->len; i++)
  {
    g_autoptr (SvManifest) manifest = sv_fetch_entry_manifest (reader, index->entries->pdata[i], &error);
    g_assert_no_error (error);
    g_assert_nonnull (manifest);
  }
}

static void
test_killed (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (json_t) authored = world_authored ("w1", 0, 100, "1");
  gboolean is_through = FALSE;
  g_clear_pointer (&world->chain, sv_chain_free); /* connections must not cross a fork */
  for (guint delay = 0; !is_through; delay += delay < 60000 ? 1500 : 100000)
  {
    is_through = kill_after (world, authored, delay);
    world->chain = sv_chain_open (world->config, NULL);
    assert_whole (world);
    g_clear_pointer (&world->chain, sv_chain_free);
  }
  GError *error = NULL;
  world->chain = sv_chain_open (world->config, &error);
  g_autoptr (SvPublisher) publisher = world_publisher (world, world->config, world->operator);
  g_autoptr (SvPublication) publication = publish (publisher, authored, FALSE);
  g_autoptr (SvAnchoring) anchored = anchor (publisher, publication);
  g_assert_true (publication->is_unchanged);
  g_assert_cmpuint (publication->added_sequence, ==, 1);
  g_assert_true (anchored->was_there);
  g_assert_true (has_object (world, publication->manifest_hash));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/publish/is complete and idempotent", test_publish);
  g_test_add_func ("/publish/does the missing steps", test_missing_steps);
  g_test_add_func ("/publish/writes damaged objects anew", test_damaged_objects);
  g_test_add_func ("/publish/fills in the start", test_filled_in_start);
  g_test_add_func ("/publish/supersedes", test_supersede);
  g_test_add_func ("/publish/supersedes what cannot be verified", test_supersede_what_cannot_be_verified);
  g_test_add_func ("/publish/writes nothing in a dry run", test_dry_run);
  g_test_add_func ("/publish/refuses", test_refusals);
  g_test_add_func ("/rollback/brings an earlier manifest back", test_rollback);
  g_test_add_func ("/anchor/covers what was published meanwhile", test_one_anchor_covers_all);
  g_test_add_func ("/anchor/repeats the owner's revocations", test_owner_repeats_revocations);
  g_test_add_func ("/anchor/waits until the owner is known", test_unknown_owner);
  g_test_add_func ("/anchor/refuses what does not fit", test_too_many_revocations);
  g_test_add_func ("/anchor/says that the manifest is public", test_chain_fails);
  g_test_add_func ("/publish/survives kills", test_killed);
  return g_test_run ();
}
