/* Heads and single blocks, by one endpoint (two: test_endpoints.c).
 *
 *  - best and final block with numbers, hashes and times; a single block, the first one, none above the head
 *  - one request while nothing is new, and the answer is the head from before; a new final block alone is news
 *  - a time that the state does not hold is 0; one in the future is told as it is
 *  - refused: best below final, a final block that goes back, another one at its height
 *  - refused: a header that is not the final block's, no hash for it, no version, no time, no genesis, another than the pinned
 *  - settings that name no endpoint, and what `finney` stands for
 */
#include <string.h>

#include "base/hash.h"
#include "engine_world.h"
#include "refusal.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* ── one endpoint ── */

static void
assert_is_block (const SvBlock *block, const ChainModel *model, guint64 number)
{
  const ModelBlock *expected = model_block (model, number);
  g_assert_cmpuint (block->number, ==, number);
  g_assert_cmpstr (block->hash, ==, expected->hash);
  g_assert_cmpstr (block->parent, ==, json_string_value (json_object_get (expected->header, "parentHash")));
  g_assert_cmpint (block->time_ms, ==, model->start_ms + (gint64)number * MODEL_BLOCK_TIME_MS);
}

static void
test_head (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  SvHead head = engine_world_head (&world);
  assert_is_block (&head.best, world.model, 10);
  assert_is_block (&head.finalized, world.model, 7);
  model_grow (world.model, 2);
  head = engine_world_head (&world);
  assert_is_block (&head.best, world.model, 12);
  assert_is_block (&head.finalized, world.model, 9);
}

static void
test_single_blocks (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (GError) error = NULL;
  SvBlock block;
  engine_world_open (&world);
  for (guint64 number = 0; number <= 5; number++)
  {
    gboolean found = sv_chain_block (world.chain, number, &block, &error);
    g_assert_no_error (error);
    g_assert_true (found);
    assert_is_block (&block, world.model, number);
  }
  assert_fails_saying (sv_chain_block (world.chain, 6, &block, refusal), SV_ERROR_NOT_FOUND, "has no block 6 yet");
}

static void
test_nothing_new (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_open (&world);
  SvHead first = engine_world_head (&world);
  guint before = model_node_n_requests (&world.nodes[0]);
  SvHead second = engine_world_head (&world);
  g_assert_cmpuint (model_node_n_requests (&world.nodes[0]) - before, ==, 1);
  g_assert_cmpmem (&first, sizeof first, &second, sizeof second);
  model_grow (world.model, 1);
  before = model_node_n_requests (&world.nodes[0]);
  engine_world_head (&world);
  g_assert_cmpuint (model_node_n_requests (&world.nodes[0]) - before, ==, 3);
}

/* A finalized block alone is news, too. */
static void
test_only_the_final_block_is_new (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_open (&world);
  engine_world_head (&world);
  world.model->final = 4;
  g_assert_cmpuint (engine_world_head (&world).finalized.number, ==, 4);
}

static void
refuse_head (EngineWorld *world, int code, const char *words)
{
  SvHead head;
  assert_fails_saying (sv_chain_head (world->chain, &head, refusal), code, words);
}

/* Whether a head is dated too far ahead is for the caller to judge. */
static void
test_time_in_the_future (void)
{
  engine_world_begin (world, 5, 0);
  world.model->start_ms = g_get_real_time () / 1000 + 3600000;
  model_grow (world.model, 1);
  engine_world_open (&world);
  SvHead head = engine_world_head (&world);
  g_assert_cmpint (head.best.time_ms, ==, world.model->start_ms + 6 * MODEL_BLOCK_TIME_MS);
}

static void
test_time_that_is_gone (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_open (&world);
  model_set (world.model, "Timestamp", "Now", NULL, 0, NULL);
  model_grow (world.model, 1);
  g_assert_cmpint (engine_world_head (&world).best.time_ms, ==, 0);
}

static void
tell_of_block_2 (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getHeader") != 0 || json_array_size (params) > 0)
    return;
  json_decref (*result);
  *result = json_incref (model_block (node->model, 2)->header);
}

static void
test_best_below_final (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  world.nodes[0].meddle = tell_of_block_2;
  refuse_head (&world, SV_ERROR_UNREACHABLE, "has block 7 as final and 2 as its best, which is not a chain");
}

static void
test_final_block_goes_back (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  engine_world_head (&world);
  world.nodes[0].final = 6;
  refuse_head (&world, SV_ERROR_UNREACHABLE, "its finalized block is 6, and block 7 was final already");
  world.nodes[0].final = G_MAXUINT64;
  engine_world_head (&world);
}

static void
test_final_block_is_another (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  engine_world_head (&world);
  model_drop (world.model, 5);
  model_grow (world.model, 5);
  refuse_head (&world, SV_ERROR_VERIFY, "contradicts itself: finalized block 7");
}

/* ── what is wrong with an answer ── */

typedef struct
{
  const char *method;
  guint n_params;
  const char *result; /* JSON */
} Lie;

static void
tell_lie (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  const Lie *lie = node->data;
  if (strcmp (method, lie->method) != 0 || json_array_size (params) != lie->n_params)
    return;
  json_decref (*result);
  *result = json_loads (lie->result, JSON_DECODE_ANY, NULL);
}

static void
refuse_lie (const Lie *lie, int code, const char *words)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  model_grow (world.model, 1);
  world.nodes[0].data = (gpointer)lie;
  world.nodes[0].meddle = tell_lie;
  refuse_head (&world, code, words);
  world.nodes[0].meddle = NULL;
  engine_world_head (&world);
}

static void
test_lies (void)
{
  refuse_lie (&(Lie){ "chain_getFinalizedHead", 0, "null" }, SV_ERROR_MALFORMED, "chain_getFinalizedHead is no hash");
  refuse_lie (&(Lie){ "chain_getFinalizedHead", 0, "\"0x12\"" }, SV_ERROR_MALFORMED, "chain_getFinalizedHead is no hash");
  refuse_lie (&(Lie){ "chain_getHeader", 0, "{}" }, SV_ERROR_MALFORMED, "block header");
  refuse_lie (&(Lie){ "chain_getHeader", 1, "null" }, SV_ERROR_UNREACHABLE, "and does not have it");
  refuse_lie (&(Lie){ "chain_getHeader", 1,
                      "{\"parentHash\":\"0x" ZEROS "\",\"number\":\"0x8\",\"stateRoot\":\"0x" ZEROS
                      "\",\"extrinsicsRoot\":\"0x" ZEROS "\",\"digest\":{\"logs\":[]}}" },
              SV_ERROR_VERIFY, "lies about block 8: the header it gives for");
  refuse_lie (&(Lie){ "state_getRuntimeVersion", 1, "{\"specVersion\":1}" }, SV_ERROR_MALFORMED, "has no version");
  refuse_lie (&(Lie){ "state_getRuntimeVersion", 1, "{\"specVersion\":-1,\"transactionVersion\":1}" }, SV_ERROR_MALFORMED,
              "has no version");
  refuse_lie (&(Lie){ "state_getStorage", 2, "\"0x0102\"" }, SV_ERROR_MALFORMED, "Timestamp.Now");
  refuse_lie (&(Lie){ "state_getStorage", 2, "7" }, SV_ERROR_MALFORMED, "Timestamp.Now: the node's answer is not bytes in hex");
}

static void
test_time_is_not_told (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  SvBlock block;
  world.nodes[0].failing = "state_getStorage";
  world.nodes[0].code = 1234;
  world.nodes[0].words = "broken";
  assert_fails_saying (sv_chain_block (world.chain, 5, &block, refusal), SV_ERROR_FAILED, "broken");
  world.nodes[0].failing = "chain_getHeader";
  assert_fails_saying (sv_chain_block (world.chain, 5, &block, refusal), SV_ERROR_FAILED, "broken");
  world.nodes[0].failing = NULL;
  world.nodes[0].state_from = 6;
  g_assert_true (sv_chain_block (world.chain, 5, &block, NULL));
  g_assert_cmpint (block.time_ms, ==, 0);
  g_assert_cmpstr (block.hash, ==, model_block (world.model, 5)->hash);
}

static void
refuse_to_open (EngineWorld *world, int code, const char *words)
{
  assert_fails_saying (sv_chain_open (world->config, refusal), code, words);
}

/* Wherever it is told. */
static void
shout_genesis (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") != 0)
    return;
  g_autofree char *shout = g_strdup_printf ("0x%.62sAB", ZEROS);
  if (json_is_array (*result))
  {
    json_array_set_new (*result, 0, json_string (shout));
    return;
  }
  json_decref (*result);
  *result = json_string (shout);
}

static void
test_genesis (void)
{
  engine_world_begin (world, 3, 0);
  Lie lie = { "chain_getBlockHash", 1, "null" };
  world.nodes[0].data = &lie;
  world.nodes[0].meddle = tell_lie;
  refuse_to_open (&world, SV_ERROR_UNREACHABLE, "tells no genesis");
  lie.result = "\"0x12\"";
  refuse_to_open (&world, SV_ERROR_UNREACHABLE, "tells no genesis");
  lie.result = "\"0xZZ" ZEROS "\"";
  refuse_to_open (&world, SV_ERROR_UNREACHABLE, "tells no genesis");
  world.nodes[0].meddle = shout_genesis;
  refuse_to_open (&world, SV_ERROR_MALFORMED, "not 32 bytes in lower-case hex");
  world.nodes[0].meddle = NULL;
  sv_config_set (world.config, "SCOREVISION_GENESIS", "0x" ZEROS);
  refuse_to_open (&world, SV_ERROR_VERIFY, "is another chain");
  sv_config_set (world.config, "SCOREVISION_GENESIS", model_block (world.model, 0)->hash);
  engine_world_open (&world);
  g_assert_cmpstr (sv_chain_id (world.chain)->genesis, ==, model_block (world.model, 0)->hash);
  g_assert_cmpuint (sv_chain_id (world.chain)->netuid, ==, MODEL_NETUID);
}

static void
test_endpoint_settings (void)
{
  engine_world_begin (world, 3, 0);
  sv_config_set (world.config, "BITTENSOR_SUBTENSOR_FALLBACK", "ftp://example.org");
  refuse_to_open (&world, SV_ERROR_USAGE, "is no Subtensor endpoint; it takes finney, test, wss://HOST or https://HOST");
  sv_config_set (world.config, "BITTENSOR_SUBTENSOR_FALLBACK", "https://me:secret@example.org");
  refuse_to_open (&world, SV_ERROR_USAGE, "");
  sv_config_set (world.config, "SCOREVISION_NETUID", "65536");
  refuse_to_open (&world, SV_ERROR_USAGE, "SCOREVISION_NETUID");
  g_assert_true (sv_nodes_take ("finney") && sv_nodes_take ("test") && sv_nodes_take ("wss://a") && sv_nodes_take ("ws://a"));
  g_assert_true (sv_nodes_take ("http://a") && sv_nodes_take ("https://a"));
  g_assert_false (sv_nodes_take ("ledger:/a") || sv_nodes_take ("finney2") || sv_nodes_take (""));
}

static void
test_finney_is_pinned (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  g_autoptr (GError) error = NULL;
  SvNodes nodes = { 0 };
  sv_config_set (config, "BITTENSOR_SUBTENSOR_ENDPOINT", "finney");
  g_assert_true (sv_nodes_init (&nodes, config, &error));
  g_assert_cmpstr (nodes.genesis, ==, "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03");
  sv_nodes_clear (&nodes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/heads/head", test_head);
  g_test_add_func ("/chain/heads/single-blocks", test_single_blocks);
  g_test_add_func ("/chain/heads/nothing-new", test_nothing_new);
  g_test_add_func ("/chain/heads/only-the-final-block-is-new", test_only_the_final_block_is_new);
  g_test_add_func ("/chain/heads/time-in-the-future", test_time_in_the_future);
  g_test_add_func ("/chain/heads/time-that-is-gone", test_time_that_is_gone);
  g_test_add_func ("/chain/heads/best-below-final", test_best_below_final);
  g_test_add_func ("/chain/heads/final-block-goes-back", test_final_block_goes_back);
  g_test_add_func ("/chain/heads/final-block-is-another", test_final_block_is_another);
  g_test_add_func ("/chain/heads/lies", test_lies);
  g_test_add_func ("/chain/heads/genesis", test_genesis);
  g_test_add_func ("/chain/heads/endpoint-settings", test_endpoint_settings);
  g_test_add_func ("/chain/heads/finney-is-pinned", test_finney_is_pinned);
  g_test_add_func ("/chain/heads/time-is-not-told", test_time_is_not_told);
  return g_test_run ();
}
