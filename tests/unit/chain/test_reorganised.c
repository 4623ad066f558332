/* A chain that is reorganised while its blocks are read: nothing is made up of two branches.
 *
 *  - while a batch is read, between two batches, to a shorter chain; afterwards it can be read
 *  - the final block, and the one above it, told by a node that is on another branch
 */
#include <string.h>

#include "engine_world.h"
#include "refusal.h"

static void
reorganise_in_second_batch (ModelNode *node, const char *method, const json_t *params)
{
  const json_t *first = json_array_get (json_array_get (params, 0), 0);
  if (strcmp (method, "chain_getBlockHash") != 0 || json_number_value (first) < 60)
    return;
  model_drop (node->model, 60);
  model_grow (node->model, 61);
}

static void
test_between_batches (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_open_blocks (&world);
  world.nodes[0].before = reorganise_in_second_batch;
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_UNREACHABLE, "the chain was reorganised at block 65");
  world.nodes[0].before = NULL;
  engine_world_head (&world);
  assert_commitments (&world, 1, 101, "");
}

/* The node takes the hashes of one list from two branches. */
static void
mix_branches (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") == 0 && json_array_size (*result) > 40)
    json_array_set_new (*result, 30, json_string (node->data));
}

static void
test_within_a_batch (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_open_blocks (&world);
  char old[SV_BLOCK_HASH_TEXT];
  g_strlcpy (old, model_block (world.model, 31)->hash, sizeof old);
  model_drop (world.model, 75);
  model_grow (world.model, 76);
  engine_world_head (&world);
  world.nodes[0].data = old;
  world.nodes[0].meddle = mix_branches;
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_UNREACHABLE, "the chain was reorganised at block 31");
}

static void
shorten (ModelNode *node, const char *method, const json_t *params)
{
  if (strcmp (method, "chain_getBlockHash") == 0)
    node->best = 40;
}

static void
test_shorter_chain (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_open_blocks (&world);
  world.nodes[0].before = shorten;
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_UNREACHABLE, "the chain was reorganised at block 41");
}

/* The hash is told by a node that is on another branch than the one that told of the final block. */
static void
name_old_branch (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") == 0 && json_array_size (*result) == 1)
    json_array_set_new (*result, 0, json_string (node->data));
}

static void
test_beside_the_final_block (void)
{
  engine_world_begin (world, 20, 0);
  g_autofree char *at = g_strdup (model_block (world.model, 17)->hash), *above = g_strdup (model_block (world.model, 18)->hash);
  g_autoptr (SvExtrinsic) found = NULL;
  model_drop (world.model, 5);
  model_grow (world.model, 5);
  engine_world_open (&world);
  g_assert_cmpuint (engine_world_head (&world).finalized.number, ==, 17);
  world.nodes[0].meddle = name_old_branch;
  world.nodes[0].data = at;
  assert_fails_saying (sv_chain_find_extrinsic (world.chain, 17, "0x", &found, NULL, refusal), SV_ERROR_UNREACHABLE,
                       "was reorganised at block 17");
  world.nodes[0].data = above;
  assert_fails_saying (sv_chain_find_extrinsic (world.chain, 18, "0x", &found, NULL, refusal), SV_ERROR_UNREACHABLE,
                       "was reorganised at block 18");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/reorganised/between-batches", test_between_batches);
  g_test_add_func ("/chain/reorganised/within-a-batch", test_within_a_batch);
  g_test_add_func ("/chain/reorganised/shorter-chain", test_shorter_chain);
  g_test_add_func ("/chain/reorganised/beside-the-final-block", test_beside_the_final_block);
  return g_test_run ();
}
