/* The reader's memory:
 *  - is empty at first, and what is remembered is there when it is opened again
 *  - keeps the highest sequence per signer; a lower one changes nothing
 *  - only trusted signers' sequences count
 *  - the same sequence with another hash is an equivocation
 *  - revocations only grow, whoever they are by; the first owner stays until another one may take his place; the active
 * manifest is the last one set
 *  - nothing is written that is there already
 *  - two openings of one home see each other's changes
 *  - a damaged file (cut short, not JSON, another chain's, another version's, wrong types) is an error that names it
 *  - the genesis first seen counts, per endpoint, unless one is pinned
 */
#include <glib/gstdio.h>

#include "base/file.h"
#include "base/rfc3339.h"
#include "distribution/reader_memory.h"
#include "world.h"

static gboolean
trust_all (const char *address, gpointer data)
{
  return TRUE;
}

static gboolean
trust_not (const char *address, gpointer data)
{
  return strcmp (address, data) != 0;
}

static SvMemory *
open_memory (const World *world)
{
  GError *error = NULL;
  SvMemory *memory = sv_memory_open (world->config, sv_chain_id (world->chain), &error);
  g_assert_no_error (error);
  return memory;
}

static char *
memory_file (const World *world, const char *leaf)
{
  const SvChainId *id = sv_chain_id (world->chain);
  return g_strdup_printf ("%s/home/memory/%s-%u/%s", world->root, id->genesis + 2, id->netuid, leaf);
}

/* An index as a reader has verified it. @signed_at tells indexes of one sequence apart. */
static SvIndex *
signed_index (const World *world, const SvKeypair *keypair, guint64 sequence, gint64 signed_at)
{
  GError *error = NULL;
  g_autoptr (SvIndex) index = sv_index_new (sv_chain_id (world->chain));
  index->sequence = sequence;
  index->updated_at = sv_time_format (signed_at);
  g_autoptr (SvSignedDocument) document = sv_index_sign (index, keypair, signed_at, &error);
  g_assert_no_error (error);
  SvIndex *opened = sv_index_open (document->bytes, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return opened;
}

static void
remember (SvMemory *memory, const SvIndex *index)
{
  GError *error = NULL;
  gboolean done = sv_memory_remember_index (memory, index, trust_all, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

static void
assert_highest (const SvMemory *memory, guint64 expected, const char *expected_hash)
{
  guint64 sequence = 0;
  const char *hash = NULL;
  g_assert_true (sv_memory_highest (memory, trust_all, NULL, &sequence, &hash));
  g_assert_cmpuint (sequence, ==, expected);
  g_assert_cmpstr (hash, ==, expected_hash);
}

static void
test_empty_then_remembered (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvMemory) memory = open_memory (world);
  guint64 sequence;
  const char *hash;
  GError *error = NULL;
  g_assert_false (sv_memory_highest (memory, trust_all, NULL, &sequence, &hash));
  g_assert_null (sv_memory_last_index (memory, &error));
  g_assert_no_error (error);
  g_autoptr (SvIndex) index = signed_index (world, world->operator, 5, 1000);
  remember (memory, index);
  g_autoptr (SvMemory) again = open_memory (world);
  assert_highest (again, 5, index->document->hash);
  g_autoptr (GBytes) bytes = sv_memory_last_index (again, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (bytes, index->document->bytes));
}

static void
test_highest_stays (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvMemory) memory = open_memory (world);
  g_autoptr (SvIndex) fifth = signed_index (world, world->operator, 5, 1000);
  g_autoptr (SvIndex) fourth = signed_index (world, world->operator, 4, 1000);
  g_autoptr (SvIndex) third_of_other = signed_index (world, world->stranger, 3, 1000);
  remember (memory, fifth);
  remember (memory, fourth);
  remember (memory, third_of_other);
  assert_highest (memory, 5, fifth->document->hash);
  g_autoptr (GBytes) bytes = sv_memory_last_index (memory, NULL);
  g_assert_true (g_bytes_equal (bytes, fifth->document->bytes));
}

/* Fast-forward recovery: a lost key may have signed a sequence that nobody can go beyond. */
static void
test_removed_signer_does_not_count (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvMemory) memory = open_memory (world);
  g_autoptr (SvIndex) huge = signed_index (world, world->stranger, SV_JSON_MAX_INTEGER, 1000);
  g_autoptr (SvIndex) second = signed_index (world, world->operator, 2, 1000);
  gpointer removed = (gpointer)sv_keypair_address (world->stranger);
  GError *error = NULL;
  remember (memory, huge);
  g_assert_true (sv_memory_remember_index (memory, second, trust_not, removed, &error));
  guint64 sequence;
  const char *hash;
  g_assert_true (sv_memory_highest (memory, trust_not, removed, &sequence, &hash));
  g_assert_cmpuint (sequence, ==, 2);
  g_autoptr (GBytes) bytes = sv_memory_last_index (memory, NULL);
  g_assert_true (g_bytes_equal (bytes, second->document->bytes));
}

static void
test_equivocation (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvMemory) memory = open_memory (world);
  g_autoptr (SvIndex) one = signed_index (world, world->operator, 5, 1000);
  g_autoptr (SvIndex) other = signed_index (world, world->operator, 5, 2000);
  GError *error = NULL;
  remember (memory, one);
  g_assert_false (sv_memory_remember_index (memory, other, trust_all, NULL, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "equivocation");
  assert_highest (memory, 5, one->document->hash);
}

static void
test_revocations_owner_active (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvMemory) memory = open_memory (world);
  const char *const first[] = { sv_keypair_address (world->stranger), NULL };
  const char *const second[] = { sv_keypair_address (world->owner), sv_keypair_address (world->stranger), NULL };
  const char *const none[] = { NULL };
  const char *hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  GError *error = NULL;
  const char *one = sv_keypair_address (world->operator), *another = sv_keypair_address (world->owner);
  g_autoptr (SvMemory) behind = open_memory (world);
  g_assert_true (sv_memory_remember_owner (memory, one, FALSE, &error));
  g_assert_true (sv_memory_remember_owner (behind, another, FALSE, &error)); /* does not know yet that there is one */
  g_assert_cmpstr (sv_memory_owner (behind), ==, one);
  g_assert_true (sv_memory_remember_revoked (memory, one, first, &error));
  g_assert_true (sv_memory_remember_owner (memory, another, TRUE, &error));
  g_assert_true (sv_memory_remember_revoked (memory, another, second, &error));
  g_assert_true (sv_memory_remember_revoked (memory, another, none, &error));
  g_assert_true (sv_memory_remember_active (memory, hash, &error));
  g_assert_no_error (error);
  g_autoptr (SvMemory) again = open_memory (world);
  g_assert_cmpuint (g_strv_length ((char **)sv_memory_revoked (again)), ==, 2);
  g_assert_true (g_strv_contains (sv_memory_revoked (again), first[0]));
  g_assert_true (g_strv_contains (sv_memory_revoked (again), second[0]));
  g_assert_cmpstr (sv_memory_owner (again), ==, sv_keypair_address (world->owner));
  g_assert_cmpstr (sv_memory_active (again), ==, hash);
}

/* Files once did not say by whom an account was revoked. */
static void
test_unknown_revoker (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *path = memory_file (world, "reader.json");
  g_autofree char *good = NULL;
  const char *const more[] = { sv_keypair_address (world->owner), NULL };
  GError *error = NULL;
  {
    g_autoptr (SvMemory) memory = open_memory (world);
    g_assert_true (sv_memory_remember_finalized (memory, 7, &error));
  }
  g_assert_true (g_file_get_contents (path, &good, NULL, &error));
  g_autoptr (json_t) json = json_loads (good, 0, NULL);
  json_object_del (json, "revoked_by");
  json_array_append_new (json_object_get (json, "revoked"), json_string (sv_keypair_address (world->stranger)));
  g_assert_cmpint (json_dump_file (json, path, 0), ==, 0);
  {
    g_autoptr (SvMemory) memory = open_memory (world);
    g_assert_true (sv_memory_remember_revoked (memory, sv_keypair_address (world->operator), more, &error));
  }
  g_autoptr (SvMemory) memory = open_memory (world);
  g_assert_cmpuint (g_strv_length ((char **)sv_memory_revoked (memory)), ==, 2);
  g_assert_true (g_strv_contains (sv_memory_revoked (memory), sv_keypair_address (world->stranger)));
  g_assert_cmpuint (sv_memory_finalized (memory), ==, 7);
}

/* A file that is replaced is another inode, so an unchanged one was not written. */
static guint64
inode_of (const char *path)
{
  GStatBuf status;
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  return status.st_ino;
}

static void
test_no_needless_writes (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvMemory) memory = open_memory (world);
  g_autofree char *path = memory_file (world, "reader.json");
  g_autofree char *index_path = memory_file (world, "index.json");
  g_autoptr (SvIndex) index = signed_index (world, world->operator, 5, 1000);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  remember (memory, index);
  guint64 before = inode_of (path), index_before = inode_of (index_path);
  g_autoptr (SvMemory) again = open_memory (world);
  remember (again, index);
  g_assert_cmpuint (inode_of (path), ==, before);
  g_assert_cmpuint (inode_of (index_path), ==, index_before);
}

static void
test_shared_home (void)
{
  g_autoptr (World) world = world_new (0);
  g_autoptr (SvMemory) mine = open_memory (world);
  g_autoptr (SvMemory) theirs = open_memory (world);
  g_autoptr (SvIndex) fifth = signed_index (world, world->operator, 5, 1000);
  g_autoptr (SvIndex) sixth = signed_index (world, world->operator, 6, 1000);
  const char *const revoked[] = { sv_keypair_address (world->stranger), NULL };
  GError *error = NULL;
  remember (mine, sixth);
  remember (theirs, fifth); /* does not know of the sixth yet, and must not bring the fifth back */
  g_assert_true (sv_memory_remember_revoked (theirs, sv_keypair_address (world->owner), revoked, &error));
  g_assert_true (sv_memory_reload (mine, &error));
  assert_highest (mine, 6, sixth->document->hash);
  g_assert_true (g_strv_contains (sv_memory_revoked (mine), revoked[0]));
  g_autoptr (GBytes) bytes = sv_memory_last_index (mine, NULL);
  g_assert_true (g_bytes_equal (bytes, sixth->document->bytes));
}

static void
assert_damaged (const World *world, const char *path)
{
  GError *error = NULL;
  g_assert_null (sv_memory_open (world->config, sv_chain_id (world->chain), &error));
  g_assert_nonnull (strstr (error->message, path));
  world_assert_error (&error, SV_ERROR_MALFORMED, "remove it");
}

static void
test_damaged (void)
{
  g_autoptr (World) world = world_new (0);
  g_autofree char *path = memory_file (world, "reader.json");
  g_autofree char *good = NULL;
  gsize length;
  GError *error = NULL;
  {
    g_autoptr (SvMemory) memory = open_memory (world);
    g_autoptr (SvIndex) index = signed_index (world, world->operator, 5, 1000);
    remember (memory, index);
  }
  g_assert_true (g_file_get_contents (path, &good, &length, &error));
  static const char *const replacements[][2] = {
    { "\"version\": 1", "\"version\": 2" },
    { "\"netuid\": 44", "\"netuid\": 45" },
    { "\"sequence\": 5", "\"sequence\": \"5\"" },
    { "sha256:", "sha512:" },
    { "\"revoked\": []", "\"revoked\": [\"nobody\"]" },
    { "\"revoked_by\": {}", "\"revoked_by\": {\"nobody\": []}" },
    { "\"revoked_by\": {}", "\"revoked_by\": []" },
    { "\"owner\": null", "\"owner\": \"nobody\"" },
    { "\"active\": null", "\"active\": \"nothing\"" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (replacements); i++)
  {
    g_auto (GStrv) parts = g_strsplit (good, replacements[i][0], 2);
    g_assert_cmpuint (g_strv_length (parts), ==, 2);
    g_autofree char *bad = g_strjoinv (replacements[i][1], parts);
    g_assert_true (g_file_set_contents (path, bad, -1, &error));
    assert_damaged (world, path);
  }
  for (gsize cut = 0; cut < length - 2; cut += 7)
  {
    g_assert_true (g_file_set_contents (path, good, (gssize)cut, &error));
    assert_damaged (world, path);
  }
  g_assert_true (g_file_set_contents (path, good, -1, &error));
  g_autoptr (SvMemory) memory = open_memory (world);
  g_assert_nonnull (memory);
}

static void
test_genesis (void)
{
  g_autoptr (World) world = world_new (0);
  SvChainId other = *sv_chain_id (world->chain);
  other.genesis[10] = other.genesis[10] == '0' ? '1' : '0';
  GError *error = NULL;
  g_assert_true (sv_memory_check_genesis (world->config, sv_chain_id (world->chain), &error));
  g_assert_true (sv_memory_check_genesis (world->config, sv_chain_id (world->chain), &error));
  g_assert_false (sv_memory_check_genesis (world->config, &other, &error));
  world_assert_error (&error, SV_ERROR_VERIFY, "SCOREVISION_GENESIS");
  SvChainId offline;
  g_assert_true (sv_memory_chain_id (world->config, NULL, &offline, &error));
  g_assert_true (sv_chain_id_equal (&offline, sv_chain_id (world->chain)));

  g_autoptr (SvConfig) elsewhere = world_config (world, "home");
  sv_config_set (elsewhere, "BITTENSOR_SUBTENSOR_ENDPOINT", "ledger:/elsewhere");
  g_assert_true (sv_memory_check_genesis (elsewhere, &other, &error));
  g_assert_no_error (error);

  sv_config_set (world->config, "SCOREVISION_GENESIS", other.genesis);
  g_assert_true (sv_memory_check_genesis (world->config, &other, &error));
  g_assert_no_error (error);

  g_autoptr (SvConfig) fresh = world_config (world, "fresh");
  g_assert_false (sv_memory_chain_id (fresh, NULL, &offline, &error));
  world_assert_error (&error, SV_ERROR_UNREACHABLE, "SCOREVISION_GENESIS");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/memory/is empty, then has what was remembered", test_empty_then_remembered);
  g_test_add_func ("/memory/keeps the highest sequence", test_highest_stays);
  g_test_add_func ("/memory/leaves out a removed signer", test_removed_signer_does_not_count);
  g_test_add_func ("/memory/tells an equivocation", test_equivocation);
  g_test_add_func ("/memory/remembers revocations, owner, active manifest", test_revocations_owner_active);
  g_test_add_func ("/memory/keeps revocations whose owner was not told", test_unknown_revoker);
  g_test_add_func ("/memory/writes nothing that is there", test_no_needless_writes);
  g_test_add_func ("/memory/is shared by processes", test_shared_home);
  g_test_add_func ("/memory/refuses a damaged file", test_damaged);
  g_test_add_func ("/memory/remembers the first genesis", test_genesis);
  return g_test_run ();
}
