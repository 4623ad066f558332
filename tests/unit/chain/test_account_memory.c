/* What an account has committed, kept on disk.
 *
 *  - of final blocks only: asked again, nothing is read again
 *  - later ones are added, also right after what is known; earlier ones are read from there on; a gap does not become known
 *  - not kept where something could not be read; a month of blocks, and no more
 *  - what is another account's, or damaged in any way, is as none
 */
#include <string.h>

#include "chain/subtensor/account_memory.h"
#include "chain/subtensor/extrinsic.h"
#include "engine_world.h"

static void
test_memory (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  engine_world_ready (&world);
  world.nodes[0].state_from = 55; /* of no matter now */
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  assert_account (&world, world.alice, 7, 39, "20 alice sv1 commit a2\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 0);
}

static void
test_memory_goes_on (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  assert_account (&world, world.alice, 15, 60, "20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  model_commit (world.model, world.alice, "sv1 commit a4"); /* 61 */
  model_grow (world.model, 9);
  world.nodes[0].state_from = 58;
  engine_world_ready (&world);
  assert_account (&world, world.alice, 20, 70, "20 alice sv1 commit a2\n40 alice sv1 commit a3\n61 alice sv1 commit a4\n");
  assert_account (&world, world.alice, 20, 70, "20 alice sv1 commit a2\n40 alice sv1 commit a3\n61 alice sv1 commit a4\n");
  assert_account (&world, world.alice, 15, 70, "20 alice sv1 commit a2\n40 alice sv1 commit a3\n61 alice sv1 commit a4\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 1);
}

/* A stretch that begins right after what is known is added to it. */
static void
test_memory_is_put_together (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  assert_account (&world, world.alice, 1, 10, "6 alice sv1 commit a1\n");
  assert_account (&world, world.alice, 11, 60, "20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  model_node_forget (&world.nodes[0]);
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 0);
}

static void
test_memory_does_not_reach_back (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  assert_account (&world, world.alice, 15, 60, "20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  assert_account (&world, world.alice, 14, 60, "20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  model_node_forget (&world.nodes[0]);
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 0);
}

/* A stretch that begins after what is known does not make the gap between known. */
static void
test_memory_with_a_gap (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  assert_account (&world, world.alice, 1, 10, "6 alice sv1 commit a1\n");
  assert_account (&world, world.alice, 11, 15, "");
  model_node_forget (&world.nodes[0]);
  assert_account (&world, world.alice, 30, 60, "40 alice sv1 commit a3\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 1); /* nor is it read for nothing */
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
}

static void
test_open_blocks_are_not_kept (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  model_grow (world.model, 1);
  model_commit (world.model, world.alice, "open"); /* 62 */
  model_grow (world.model, 1);
  engine_world_head (&world);
  assert_account (&world, world.alice, 1, 63,
                  "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n62 alice open\n");
  model_node_forget (&world.nodes[0]);
  assert_account (&world, world.alice, 1, 63,
                  "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n62 alice open\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 1);
  model_drop (world.model, 2);
  model_grow (world.model, 1);
  model_commit (world.model, world.alice, "other"); /* 63 */
  model_grow (world.model, 1);
  engine_world_ready (&world);
  assert_account (&world, world.alice, 1, 64,
                  "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n63 alice other\n");
}

static void
test_unreadable_is_not_kept (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  world.nodes[0].state_from = 35;
  g_autofree char *text = account_text (&world, world.alice, 1, 60, NULL, NULL);
  g_assert_nonnull (text);
  world.nodes[0].state_from = 0;
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
}

/* ── the file ── */

/* Returns: (transfer full) where the account's file is. */
static char *
memory_path (EngineWorld *world)
{
  g_auto (SvAccountMemory) memory = { 0 };
  sv_account_memory_load (&memory, engine_world_engine (world)->cache, sv_chain_id (world->chain),
                          sv_keypair_address (world->alice));
  return g_strdup (memory.path);
}

static void
edit_memory (EngineWorld *world, const char *from, const char *to)
{
  g_autofree char *path = memory_path (world), *content = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_get_contents (path, &content, NULL, &error));
  g_autoptr (GString) text = g_string_new (content);
  g_assert_cmpuint (g_string_replace (text, from, to, 1), ==, 1);
  g_assert_true (g_file_set_contents (path, text->str, -1, &error));
}

/* A node that lied is not believed for ever: where the state names another last commitment than it did, all is read again. */
static void
test_memory_of_a_lie (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  assert_account (&world, world.alice, 1, 57, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  edit_memory (&world, "\"mark\":40", "\"mark\":39");
  model_grow (world.model, 10);
  engine_world_head (&world);
  model_node_forget (&world.nodes[0]);
  assert_account (&world, world.alice, 1, 67, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 3);
}

static void
test_damaged_memory (void)
{
  static const char *const edits[][2] = {
    { "{", "" },
    { "\"netuid\":44", "\"netuid\":43" },
    { "\"account\":\"5", "\"account\":\"6" },
    { "\"from\":1", "\"from\":-1" },
    { "\"from\":1", "\"from\":1.5" },
    { "\"to\":57", "\"to\":\"57\"" },
    { "\"to\":57", "\"to\":39" },      /* with a commitment in block 40 */
    { "\"from\":1", "\"from\":7" },    /* and one in block 6 */
    { "\"block\":20", "\"block\":5" }, /* out of order */
    { "\"block\":20", "\"block\":null" },
    { "\"index\":1", "\"index\":4294967296" },
    { "\"hash\":\"0x", "\"hash\":\"0" },
    { "\"text\":\"sv1 commit a2\"", "\"text\":2" },
    { "\"extrinsics\":[", "\"extrinsics\":[7," },
    { "\"extrinsics\"", "\"extrinsic\"" },
  };
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (edits); i++)
  {
    assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
    edit_memory (&world, edits[i][0], edits[i][1]);
    g_auto (SvAccountMemory) memory = { 0 };
    sv_account_memory_load (&memory, engine_world_engine (&world)->cache, sv_chain_id (world.chain),
                            sv_keypair_address (world.alice));
    g_assert_false (memory.is_there);
    g_assert_cmpuint (memory.extrinsics->len, ==, 0);
    model_node_forget (&world.nodes[0]);
    assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
    if (engine_world_n_bodies (&world) != 3)
      g_error ("\"%s\" for \"%s\": %u bodies were read", edits[i][1], edits[i][0], engine_world_n_bodies (&world));
  }
}

/* What it says is taken as it is: it is the machine's own. */
static void
test_what_is_kept (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  g_autoptr (GError) error = NULL;
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  g_autoptr (GPtrArray) found =
      sv_chain_account_commitments (world.chain, sv_keypair_address (world.alice), 1, 60, NULL, &error);
  g_assert_no_error (error);
  const SvExtrinsic *second = found->pdata[1];
  GBytes *bytes = model_block (world.model, 20)->extrinsics->pdata[1];
  char hash[SV_BLOCK_HASH_TEXT];
  sv_extrinsic_hash (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), hash);
  g_assert_cmpstr (second->hash, ==, hash);
  g_assert_cmpuint (second->index, ==, 1);
  g_assert_cmpstr (second->signer, ==, sv_keypair_address (world.alice));
}

/* A month of blocks is kept, and a year is not. */
static void
test_old_blocks_are_dropped (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_ready (&world);
  g_auto (SvAccountMemory) memory = { 0 }, again = { 0 };
  const SvChainId *id = sv_chain_id (world.chain);
  const char *cache = engine_world_engine (&world)->cache, *address = sv_keypair_address (world.alice);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  sv_account_memory_load (&memory, cache, id, address);
  g_assert_false (memory.is_there);
  memory.from = 5;
  memory.to = 1000000;
  sv_account_memory_save (&memory, id, address, none);
  sv_account_memory_load (&again, cache, id, address);
  g_assert_true (again.is_there);
  g_assert_cmpuint (again.from, ==, 800000);
  g_assert_cmpuint (again.to, ==, 1000000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/account_memory/memory", test_memory);
  g_test_add_func ("/chain/account_memory/memory-goes-on", test_memory_goes_on);
  g_test_add_func ("/chain/account_memory/memory-is-put-together", test_memory_is_put_together);
  g_test_add_func ("/chain/account_memory/memory-does-not-reach-back", test_memory_does_not_reach_back);
  g_test_add_func ("/chain/account_memory/memory-with-a-gap", test_memory_with_a_gap);
  g_test_add_func ("/chain/account_memory/open-blocks-are-not-kept", test_open_blocks_are_not_kept);
  g_test_add_func ("/chain/account_memory/unreadable-is-not-kept", test_unreadable_is_not_kept);
  g_test_add_func ("/chain/account_memory/damaged-memory", test_damaged_memory);
  g_test_add_func ("/chain/account_memory/what-is-kept", test_what_is_kept);
  g_test_add_func ("/chain/account_memory/old-blocks-are-dropped", test_old_blocks_are_dropped);
  g_test_add_func ("/chain/account_memory/memory-of-a-lie", test_memory_of_a_lie);
  return g_test_run ();
}
