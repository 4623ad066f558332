/* Two endpoints: what they must agree on, and who answers when one does not.
 *
 *  - one further back: the final block is the one it has; one further ahead: the first's; what lies between is read as open
 *  - refused: another block at the first's height or at its own, another chain, an own final block that is none; who lies is
 *    named
 *  - refused: another hash of an older block; under an open engine, another chain or another past
 *  - one that is down, or behind its own word, is left out, and for a minute not asked again
 *  - the first is down: the second answers, and the first is used again when it is back; both down: both are named
 *  - an error that a node answers is no reason to ask the other, but for a block or state that is gone
 */
#include <string.h>

#include "engine_world.h"
#include "refusal.h"

/* ── agreement ── */

static void
test_second_is_behind (void)
{
  engine_world_begin (world, 20, 0);
  ModelNode *second = engine_world_add_node (&world, NULL);
  second->final = 9;
  second->best = 12;
  engine_world_open (&world);
  SvHead head = engine_world_head (&world);
  g_assert_cmpuint (head.best.number, ==, 20);
  g_assert_cmpuint (head.finalized.number, ==, 9);
  g_assert_cmpstr (head.finalized.hash, ==, model_block (world.model, 9)->hash);
  second->final = second->best = G_MAXUINT64;
  model_grow (world.model, 1);
  g_assert_cmpuint (engine_world_head (&world).finalized.number, ==, 18);
}

/* A lag of this length is also told to whoever reads the log. */
static void
test_second_is_far_behind (void)
{
  engine_world_begin (world, 80, 0);
  ModelNode *second = engine_world_add_node (&world, NULL);
  second->final = 9;
  engine_world_open (&world);
  g_assert_cmpuint (engine_world_head (&world).finalized.number, ==, 9);
}

static void
test_second_is_ahead (void)
{
  engine_world_begin (world, 20, 0);
  engine_world_add_node (&world, NULL);
  world.nodes[0].final = 5;
  engine_world_open (&world);
  g_assert_cmpuint (engine_world_head (&world).finalized.number, ==, 5);
}

/* Above the lower final block the runtime is told block by block, by each one's parent. */
static void
test_runtime_changes_above_the_lower_final_block (void)
{
  engine_world_begin (world, 5, 0);
  ModelNode *second = engine_world_add_node (&world, NULL);
  second->final = 4;
  model_commit (world.model, world.alice, "before"); /* 6 */
  model_upgrade (world.model, &(SmallRuntime){ .commitments_index = 19, .swaps_arguments = TRUE });
  model_commit (world.model, world.alice, "at"); /* 7, by the old one still */
  model_commit (world.model, world.bob, "after");
  model_grow (world.model, 10);
  engine_world_open (&world);
  g_assert_cmpuint (engine_world_head (&world).finalized.number, ==, 4);
  assert_commitments (&world, 1, 18, "6 alice before\n7 alice at\n8 bob after\n");
}

static ChainModel *
another_branch (guint n_blocks)
{
  ChainModel *other = chain_model_new (&(SmallRuntime){ 0 });
  other->salt = 9;
  model_grow (other, n_blocks);
  return other;
}

/* Its first block is the same, the others are not. */
static ChainModel *
same_genesis (const EngineWorld *world, guint n_blocks)
{
  ChainModel *other = another_branch (n_blocks);
  g_assert_cmpstr (model_block (other, 0)->hash, ==, model_block (world->model, 0)->hash);
  return other;
}

static void
refuse_to_open (EngineWorld *world, int code, const char *words)
{
  assert_fails_saying (sv_chain_open (world->config, refusal), code, words);
}

static void
test_another_final_block (void)
{
  static const guint lengths[] = { 20, 15, 25 };
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
  {
    engine_world_begin (world, 20, 0);
    engine_world_add_node (&world, same_genesis (&world, lengths[i]));
    refuse_to_open (&world, SV_ERROR_VERIFY, "the chain endpoints do not agree: finalized block 1");
  }
}

/* It says that it is ahead, and has no block at the first's height. */
static void
hide_hashes (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") != 0 || json_number_value (json_array_get (params, 0)) <= 0)
    return;
  json_decref (*result);
  *result = json_null ();
}

static void
test_missing_final_block (void)
{
  engine_world_begin (world, 20, 0);
  engine_world_add_node (&world, NULL)->meddle = hide_hashes;
  refuse_to_open (&world, SV_ERROR_VERIFY, "and missing on");
}

static void
forge_genesis (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") != 0)
    return;
  json_decref (*result);
  *result = json_incref (json_object_get (model_block (node->model, 2)->header, "parentHash"));
}

static void
test_another_chain (void)
{
  engine_world_begin (world, 20, 0);
  engine_world_add_node (&world, NULL)->meddle = forge_genesis;
  refuse_to_open (&world, SV_ERROR_VERIFY, "is of another chain: its genesis is");
  world.nodes[1].meddle = NULL;
  engine_world_open (&world);
}

/* What it says of its own final block is its own affair, as long as it does not lie. */
static void
lose_final_header (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getHeader") != 0)
    return;
  json_decref (*result);
  *result = json_null ();
}

static void
test_second_lacks_its_own_final_block (void)
{
  engine_world_begin (world, 20, 0);
  engine_world_add_node (&world, NULL)->meddle = lose_final_header;
  engine_world_open (&world);
  g_assert_cmpuint (engine_world_head (&world).finalized.number, ==, 17);
}

static void
give_another_header (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getHeader") != 0)
    return;
  json_decref (*result);
  *result = json_incref (model_block (node->model, 3)->header);
}

static void
test_second_lies_about_its_own_final_block (void)
{
  engine_world_begin (world, 20, 0);
  ModelNode *second = engine_world_add_node (&world, NULL);
  second->meddle = give_another_header;
  g_autofree char *words = g_strdup_printf ("%s lies about block 3", second->url);
  refuse_to_open (&world, SV_ERROR_VERIFY, words);
}

/* ── the past ── */

static gboolean
read_commitments (EngineWorld *world, GError **error)
{
  g_autofree char *text = commitments_text (world, 1, 18, NULL, error);
  return text != NULL;
}

static void
give_another_past (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") == 0 && json_array_size (*result) > 10)
    json_array_set (*result, 5, json_array_get (*result, 6));
}

/* Final blocks have one hash, so the second endpoint must not have another. What it lacks it does not contradict. */
static void
test_another_past (void)
{
  engine_world_begin (world, 20, 0);
  ModelNode *second = engine_world_add_node (&world, NULL);
  engine_world_open (&world);
  engine_world_head (&world);
  second->meddle = give_another_past;
  assert_fails_saying (read_commitments (&world, refusal), SV_ERROR_VERIFY, "block 6, which is final, is");
  second->meddle = NULL;
  second->best = 3;
  assert_commitments (&world, 1, 18, "");
  second->is_down = TRUE;
  assert_commitments (&world, 1, 18, "");
}

/* Under an engine that is open, a node is replaced by one of another chain, or of one with another past. */
static void
test_chain_is_replaced (void)
{
  engine_world_begin (world, 20, 0);
  engine_world_open (&world);
  SvHead head;
  world.other = chain_model_new_named (&(SmallRuntime){ 0 }, 1);
  model_grow (world.other, 30);
  world.nodes[0].model = world.other;
  assert_fails_saying (sv_chain_head (world.chain, &head, refusal), SV_ERROR_VERIFY, "is of another chain now");
  world.nodes[0].model = world.model;
  engine_world_head (&world);
  model_drop (world.model, 10);
  model_grow (world.model, 20);
  assert_fails_saying (sv_chain_head (world.chain, &head, refusal), SV_ERROR_VERIFY, "contradicts itself: finalized block 17");
}

/* ── who answers ── */

static void
test_second_is_down (void)
{
  engine_world_begin (world, 20, 0);
  ModelNode *second = engine_world_add_node (&world, NULL);
  second->is_down = TRUE;
  engine_world_open (&world);
  g_assert_cmpuint (engine_world_head (&world).finalized.number, ==, 17);
  guint asked = model_node_n_requests (second);
  g_assert_cmpuint (asked, ==, 1);
  model_grow (world.model, 1);
  engine_world_head (&world);
  g_assert_cmpuint (model_node_n_requests (second), ==, asked); /* within the minute */
  second->is_down = FALSE;
  second->final = 18;
  engine_world_forgive (&world);
  model_grow (world.model, 2);
  g_assert_cmpuint (engine_world_head (&world).finalized.number, ==, 18);
}

static void
test_first_is_down (void)
{
  engine_world_begin (world, 20, 0);
  engine_world_add_node (&world, NULL);
  engine_world_open (&world);
  world.nodes[0].is_down = TRUE;
  model_grow (world.model, 1);
  g_assert_cmpuint (engine_world_head (&world).best.number, ==, 21);
  assert_contains (sv_nodes_shown (&engine_world_engine (&world)->nodes), world.nodes[1].url);
  guint asked = model_node_n_requests (&world.nodes[0]);
  model_grow (world.model, 1);
  engine_world_head (&world);
  g_assert_cmpuint (model_node_n_requests (&world.nodes[0]), ==, asked);
  world.nodes[0].is_down = FALSE;
  engine_world_forgive (&world);
  engine_world_head (&world);
  assert_contains (sv_nodes_shown (&engine_world_engine (&world)->nodes), world.nodes[0].url);
}

static void
test_both_are_down (void)
{
  engine_world_begin (world, 20, 0);
  engine_world_add_node (&world, NULL);
  engine_world_open (&world);
  world.nodes[0].is_down = world.nodes[1].is_down = TRUE;
  SvHead head;
  assert_fails_saying (sv_chain_head (world.chain, &head, refusal), SV_ERROR_UNREACHABLE, world.nodes[0].url);
  engine_world_forgive (&world);
  assert_fails_saying (sv_chain_head (world.chain, &head, refusal), SV_ERROR_UNREACHABLE, "; and the other endpoint: ");
  engine_world_forgive (&world);
  assert_fails_saying (sv_chain_head (world.chain, &head, refusal), SV_ERROR_UNREACHABLE, world.nodes[1].url);
  /* While both are avoided, the one used last is asked. */
  guint before = model_node_n_requests (&world.nodes[0]);
  assert_fails (sv_chain_head (world.chain, &head, refusal), SV_ERROR_UNREACHABLE);
  g_assert_cmpuint (model_node_n_requests (&world.nodes[0]), ==, before + 1);
  /* Once it has answered, it is the first again, whatever becomes of the other. */
  SvNodes *nodes = &engine_world_engine (&world)->nodes;
  world.nodes[0].is_down = FALSE;
  engine_world_head (&world);
  nodes->all[1].avoided_until_us = 0;
  world.nodes[1].is_down = FALSE;
  engine_world_head (&world);
  assert_contains (sv_nodes_shown (nodes), world.nodes[0].url);
}

static void
test_only_endpoint_is_down (void)
{
  engine_world_begin (world, 20, 0);
  engine_world_open (&world);
  world.nodes[0].is_down = TRUE;
  SvHead head;
  assert_fails_saying (sv_chain_head (world.chain, &head, refusal), SV_ERROR_UNREACHABLE, "404");
}

/* The node's own error is an answer, which the other endpoint is not asked to better. */
static void
test_error_of_a_node (void)
{
  engine_world_begin (world, 20, 0);
  engine_world_add_node (&world, NULL);
  engine_world_open (&world);
  world.nodes[0].failing = "chain_getHeader";
  world.nodes[0].code = 1234;
  world.nodes[0].words = "something else";
  SvHead head;
  assert_fails_saying (sv_chain_head (world.chain, &head, refusal), SV_ERROR_FAILED, "something else");
  world.nodes[0].code = -32601;
  world.nodes[0].words = "Method not found";
  assert_fails_saying (sv_chain_head (world.chain, &head, refusal), SV_ERROR_UNREACHABLE, "this endpoint does not serve it");
  world.nodes[0].code = 4003;
  world.nodes[0].words = "UnknownBlock: no such block";
  assert_fails_saying (sv_chain_head (world.chain, &head, refusal), SV_ERROR_UNREACHABLE, "trying again helps");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/endpoints/second-is-behind", test_second_is_behind);
  g_test_add_func ("/chain/endpoints/second-is-far-behind", test_second_is_far_behind);
  g_test_add_func ("/chain/endpoints/second-is-ahead", test_second_is_ahead);
  g_test_add_func ("/chain/endpoints/runtime-changes-above-the-lower-final-block",
                   test_runtime_changes_above_the_lower_final_block);
  g_test_add_func ("/chain/endpoints/another-final-block", test_another_final_block);
  g_test_add_func ("/chain/endpoints/missing-final-block", test_missing_final_block);
  g_test_add_func ("/chain/endpoints/another-chain", test_another_chain);
  g_test_add_func ("/chain/endpoints/second-lacks-its-own-final-block", test_second_lacks_its_own_final_block);
  g_test_add_func ("/chain/endpoints/second-lies-about-its-own-final-block", test_second_lies_about_its_own_final_block);
  g_test_add_func ("/chain/endpoints/second-is-down", test_second_is_down);
  g_test_add_func ("/chain/endpoints/first-is-down", test_first_is_down);
  g_test_add_func ("/chain/endpoints/both-are-down", test_both_are_down);
  g_test_add_func ("/chain/endpoints/only-endpoint-is-down", test_only_endpoint_is_down);
  g_test_add_func ("/chain/endpoints/error-of-a-node", test_error_of_a_node);
  g_test_add_func ("/chain/endpoints/another-past", test_another_past);
  g_test_add_func ("/chain/endpoints/chain-is-replaced", test_chain_is_replaced);
  return g_test_run ();
}
