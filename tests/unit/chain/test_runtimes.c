/* Which runtime executed which block, seen by what is read with its metadata, and by how often a node is asked.
 *
 *  - a stretch under one runtime takes one question, and none when it is read again
 *  - a change inside a stretch is found by bisection, and both sides are read with the right metadata; so are two changes
 *  - states gone: what is known above is carried down over headers that tell of no change, header by header once only
 *  - not over one that does: exactly the blocks below are named, and those above are read
 *  - an archive as second endpoint is asked for just what is gone
 *  - a change among the open blocks; one that a reorganisation takes back
 *  - the first block; an endpoint that lacks the block, or fails to tell
 */
#include <string.h>

#include "engine_world.h"
#include "refusal.h"

#define MOVED .commitments_index = 19, .swaps_arguments = TRUE
#define MOVED_AGAIN .commitments_index = 20, .max_fields = 3

static void
upgrade (EngineWorld *world, const SmallRuntime *runtime)
{
  model_upgrade (world->model, runtime);
  model_grow (world->model, 1);
}

static guint
n_versions (const EngineWorld *world)
{
  return model_node_count (&world->nodes[0], "state_getRuntimeVersion");
}

/* ── states that are there ── */

static void
test_one_runtime (void)
{
  engine_world_begin (world, 200, 0);
  model_commit (world.model, world.alice, "sv1 a"); /* 201 */
  model_grow (world.model, 100);
  engine_world_open (&world);
  engine_world_head (&world);
  model_node_forget (&world.nodes[0]);
  assert_commitments (&world, 1, 290, "201 alice sv1 a\n");
  g_assert_cmpuint (n_versions (&world), ==, 2); /* its two ends; the final block's is known */
  assert_commitments (&world, 1, 290, "201 alice sv1 a\n");
  assert_commitments (&world, 100, 298, "201 alice sv1 a\n");
  g_assert_cmpuint (n_versions (&world), ==, 2);
}

/* Blocks 1 to 6: the first runtime, 7 … the second. */
static void
begin_with_change (EngineWorld *world)
{
  model_commit (world->model, world->alice, "sv1 a"); /* 4 */
  model_queue (world->model, world->bob, MODEL_NETUID, "sv1 b", SMALL_ERROR_SPACE);
  upgrade (world, &(SmallRuntime){ MOVED }); /* 5 */
  model_commit (world->model, world->alice, "sv1 c");
  model_commit (world->model, world->bob, "sv1 d");
  model_grow (world->model, 100);
  engine_world_open (world);
  engine_world_head (world);
  model_node_forget (&world->nodes[0]);
}

static void
test_change_inside (void)
{
  engine_world_begin (world, 3, 0);
  begin_with_change (&world);
  assert_commitments (&world, 1, 104, "4 alice sv1 a\n5 bob sv1 b !\n6 alice sv1 c\n7 bob sv1 d\n");
  g_assert_cmpuint (n_versions (&world), <=, 10); /* 103 blocks, halved again and again */
  g_assert_cmpuint (n_versions (&world), >=, 5);
}

/* Far from either end, where asking block by block would take many questions. */
static void
test_change_in_the_middle (void)
{
  engine_world_begin (world, 63, 0);
  begin_with_change (&world);
  assert_commitments (&world, 1, 164, "64 alice sv1 a\n65 bob sv1 b !\n66 alice sv1 c\n67 bob sv1 d\n");
  g_assert_cmpuint (n_versions (&world), <=, 10);
}

static void
test_change_at_either_end (void)
{
  engine_world_begin (world, 3, 0);
  begin_with_change (&world);
  assert_commitments (&world, 5, 5, "5 bob sv1 b !\n");
  assert_commitments (&world, 6, 6, "6 alice sv1 c\n");
  assert_commitments (&world, 5, 6, "5 bob sv1 b !\n6 alice sv1 c\n");
  assert_commitments (&world, 4, 7, "4 alice sv1 a\n5 bob sv1 b !\n6 alice sv1 c\n7 bob sv1 d\n");
}

static void
test_two_changes (void)
{
  engine_world_begin (world, 40, 0);
  model_commit (world.model, world.alice, "sv1 a"); /* 41 */
  upgrade (&world, &(SmallRuntime){ MOVED });
  model_commit (world.model, world.alice, "sv1 b"); /* 43 */
  model_grow (world.model, 10);
  upgrade (&world, &(SmallRuntime){ MOVED_AGAIN }); /* 54 */
  model_commit (world.model, world.alice, "sv1 c");
  model_grow (world.model, 40);
  engine_world_open (&world);
  engine_world_head (&world);
  assert_commitments (&world, 1, 95, "41 alice sv1 a\n43 alice sv1 b\n55 alice sv1 c\n");
  g_autofree char *runtime = sv_chain_runtime (world.chain);
  g_assert_cmpstr (runtime, ==, "small-runtime 102, transactions 1, metadata 14");
}

/* ── states that are gone ── */

static void
test_carried_down (void)
{
  engine_world_begin (world, 3, 0);
  model_commit (world.model, world.alice, "sv1 a"); /* 4, and it stays in its slot */
  model_grow (world.model, 200);
  world.nodes[0].state_from = 150;
  engine_world_open (&world);
  engine_world_head (&world);
  model_node_forget (&world.nodes[0]);
  assert_commitments (&world, 1, 200, "4 alice sv1 a\n");
  guint n_headers = model_node_count (&world.nodes[0], "chain_getHeader");
  g_assert_cmpuint (n_headers, >=, 199);
  g_assert_cmpuint (n_headers, <=, 201);
  assert_commitments (&world, 1, 200, "4 alice sv1 a\n");
  assert_commitments (&world, 2, 100, "4 alice sv1 a\n");
  g_assert_cmpuint (model_node_count (&world.nodes[0], "chain_getHeader"), ==, n_headers);
}

/* What was known before the states went, and what is carried down since, become one. */
static void
test_states_go_meanwhile (void)
{
  engine_world_begin (world, 3, 0);
  model_commit (world.model, world.alice, "sv1 a"); /* 4 */
  model_grow (world.model, 100);
  engine_world_open (&world);
  engine_world_head (&world);
  assert_commitments (&world, 1, 5, "4 alice sv1 a\n");
  world.nodes[0].state_from = 90;
  assert_commitments (&world, 50, 60, "");
  model_node_forget (&world.nodes[0]);
  assert_commitments (&world, 1, 100, "4 alice sv1 a\n");
  g_assert_cmpuint (model_node_count (&world.nodes[0], "chain_getHeader"), ==, 0);
  g_assert_cmpuint (n_versions (&world), ==, 0);
}

static void
test_not_carried_over_a_change (void)
{
  engine_world_begin (world, 3, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  begin_with_change (&world);
  world.nodes[0].state_from = 90;
  g_autofree char *text = commitments_text (&world, 1, 104, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "6 alice sv1 c\n7 bob sv1 d\n");
  assert_unreadable (gone, 1, 2, 3, 4, 5);
  /* Once that is known, the headers are not read again. */
  model_node_forget (&world.nodes[0]);
  g_autoptr (GArray) again = NULL;
  g_autofree char *second = commitments_text (&world, 3, 6, &again, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (second, ==, "6 alice sv1 c\n");
  assert_unreadable (again, 3, 4, 5);
  g_assert_cmpuint (model_node_count (&world.nodes[0], "chain_getHeader"), ==, 0);
}

/* What was learnt while the states were there stays known; between it and what is carried down lies what is gone. */
static void
test_gone_in_the_middle (void)
{
  engine_world_begin (world, 3, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  model_commit (world.model, world.alice, "sv1 a"); /* 4 */
  model_grow (world.model, 4);
  upgrade (&world, &(SmallRuntime){ MOVED });     /* 9 */
  model_commit (world.model, world.bob, "sv1 b"); /* 10 */
  model_grow (world.model, 100);
  engine_world_open (&world);
  engine_world_head (&world);
  assert_commitments (&world, 1, 5, "4 alice sv1 a\n");
  world.nodes[0].state_from = 90;
  g_autofree char *text = commitments_text (&world, 1, 20, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "4 alice sv1 a\n10 bob sv1 b\n");
  assert_unreadable (gone, 6, 7, 8, 9);
}

static void
test_archive_tells_what_is_gone (void)
{
  engine_world_begin (world, 3, 0);
  ModelNode *archive = engine_world_add_node (&world, NULL);
  begin_with_change (&world);
  world.nodes[0].state_from = 90;
  model_node_forget (archive);
  assert_commitments (&world, 1, 104, "4 alice sv1 a\n5 bob sv1 b !\n6 alice sv1 c\n7 bob sv1 d\n");
  /* Bodies are the first's business, states below 90 the archive's: versions, metadata, and the events of four blocks. */
  g_assert_cmpuint (model_node_count (archive, "chain_getBlock"), ==, 0);
  g_assert_cmpuint (model_node_count (archive, "chain_getHeader"), ==, 0);
  g_assert_cmpuint (model_node_count (archive, "state_getStorage"), ==, 4);
  g_assert_cmpuint (model_node_count (archive, "state_getRuntimeVersion"), >=, 4);
  g_assert_cmpuint (model_node_count (archive, "state_getRuntimeVersion"), <, n_versions (&world));
}

static void
test_archive_lacks_it_too (void)
{
  engine_world_begin (world, 3, 0);
  ModelNode *archive = engine_world_add_node (&world, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  begin_with_change (&world);
  world.nodes[0].state_from = 90;
  archive->state_from = 5;
  g_autofree char *text = commitments_text (&world, 1, 104, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "6 alice sv1 c\n7 bob sv1 d\n");
  assert_unreadable (gone, 1, 2, 3, 4, 5); /* block 5 is executed by the runtime of state 4 */
}

static void
test_archive_is_down (void)
{
  engine_world_begin (world, 3, 0);
  ModelNode *archive = engine_world_add_node (&world, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  begin_with_change (&world);
  world.nodes[0].state_from = 90;
  archive->is_down = TRUE;
  g_autofree char *text = commitments_text (&world, 1, 104, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "6 alice sv1 c\n7 bob sv1 d\n");
  assert_unreadable (gone, 1, 2, 3, 4, 5);
}

/* ── open blocks ── */

static void
test_change_among_open_blocks (void)
{
  engine_world_begin (world, 10, 0);
  world.model->finality = 20;
  model_commit (world.model, world.alice, "sv1 a"); /* 11 */
  model_queue (world.model, world.bob, MODEL_NETUID, "sv1 b", MODEL_SUCCEEDS);
  upgrade (&world, &(SmallRuntime){ MOVED });       /* 12 */
  model_commit (world.model, world.alice, "sv1 c"); /* 13 */
  engine_world_open (&world);
  engine_world_head (&world);
  assert_commitments (&world, 1, 13, "11 alice sv1 a\n12 bob sv1 b\n13 alice sv1 c\n");
  assert_commitments (&world, 12, 12, "12 bob sv1 b\n");
}

/* The best block is the one that changes it: its own state is the old runtime's, the next block is the new one's. */
static void
test_change_in_the_best_block (void)
{
  engine_world_begin (world, 10, 0);
  model_queue (world.model, world.alice, MODEL_NETUID, "sv1 a", MODEL_SUCCEEDS);
  upgrade (&world, &(SmallRuntime){ MOVED });
  engine_world_open (&world);
  engine_world_head (&world);
  const SvSubtensor *engine = engine_world_engine (&world);
  g_assert_cmpuint (engine->runtimes_of_head.after_final->spec_version, ==, 100);
  g_assert_cmpuint (engine->runtimes_of_head.of_best->spec_version, ==, 100);
  g_assert_cmpuint (engine->runtimes_of_head.next->spec_version, ==, 101);
  assert_commitments (&world, 1, 11, "11 alice sv1 a\n");
}

static void
test_change_is_reorganised_away (void)
{
  engine_world_begin (world, 10, 0);
  model_upgrade (world.model, &(SmallRuntime){ MOVED });
  model_commit (world.model, world.alice, "sv1 a"); /* 11 */
  model_commit (world.model, world.bob, "sv1 b");
  engine_world_open (&world);
  engine_world_head (&world);
  assert_commitments (&world, 1, 12, "11 alice sv1 a\n12 bob sv1 b\n");
  model_drop (world.model, 2);
  model_commit (world.model, world.bob, "sv1 c"); /* 11 */
  model_commit (world.model, world.bob, "sv1 d");
  model_grow (world.model, 1);
  engine_world_head (&world);
  assert_commitments (&world, 1, 13, "11 bob sv1 c\n12 bob sv1 d\n");
}

/* ── what an endpoint cannot tell ── */

static gboolean
read_commitments (EngineWorld *world, guint64 first, guint64 last, GError **error)
{
  g_autofree char *text = commitments_text (world, first, last, NULL, error);
  return text != NULL;
}

static void
test_failing_endpoint (void)
{
  engine_world_begin (world, 50, 0);
  engine_world_open (&world);
  engine_world_head (&world);
  world.nodes[0].failing = "state_getRuntimeVersion";
  world.nodes[0].code = 1234;
  world.nodes[0].words = "broken";
  assert_fails_saying (read_commitments (&world, 1, 40, refusal), SV_ERROR_FAILED, "broken");
  world.nodes[0].failing = NULL;
  world.nodes[0].state_from = 48;
  world.nodes[0].best = 20; /* nor can it carry anything down */
  assert_fails_saying (read_commitments (&world, 1, 40, refusal), SV_ERROR_UNREACHABLE, "has no block 39");
  world.nodes[0].best = G_MAXUINT64;
  world.nodes[0].failing = "chain_getHeader";
  assert_fails_saying (read_commitments (&world, 1, 40, refusal), SV_ERROR_FAILED, "broken");
}

/* The first list of hashes is another than those that follow: */
static gboolean
is_first_list (ModelNode *node, const char *method, const json_t *result)
{
  return strcmp (method, "chain_getBlockHash") == 0 && json_is_array (result) && json_array_size (result) > 30 &&
         node->n++ == 0;
}

/* … one of another branch … */
static void
mix_branches (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (is_first_list (node, method, *result))
    json_array_set_new (*result, 5, json_string (node->data));
}

/* … fewer blocks … */
static void
cut_hashes (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (is_first_list (node, method, *result))
    json_array_set_new (*result, 9, json_null ());
}

/* … or, where it has but one, of another number. */
static void
name_another_block (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") == 0 && json_array_size (*result) == 1 && node->n++ == 2)
    json_array_set_new (*result, 0, json_string (model_block (node->model, 30)->hash));
}

static void
refuse_while_carried_down (void (*meddle) (ModelNode *, const char *, const json_t *, json_t **), guint64 last,
                           const char *words)
{
  engine_world_begin (world, 50, 0);
  g_autofree char *old = g_strdup (model_block (world.model, 6)->hash);
  model_drop (world.model, 48);
  world.model->final = 0;
  model_grow (world.model, 48);
  world.nodes[0].state_from = 47;
  engine_world_open (&world);
  engine_world_head (&world);
  world.nodes[0].data = old;
  world.nodes[0].meddle = meddle;
  assert_fails_saying (read_commitments (&world, last == 47 ? 47 : 1, last, refusal), SV_ERROR_UNREACHABLE, words);
  world.nodes[0].meddle = NULL;
  assert_commitments (&world, 1, 47, "");
}

static void
test_reorganised_while_carried_down (void)
{
  refuse_while_carried_down (mix_branches, 46, "was reorganised at block 6");
  refuse_while_carried_down (cut_hashes, 46, "was reorganised at block 10");
  refuse_while_carried_down (name_another_block, 47, "was reorganised at block 47");
}

static void
test_open_block_is_not_told (void)
{
  engine_world_begin (world, 10, 0);
  world.model->finality = 20;
  upgrade (&world, &(SmallRuntime){ MOVED }); /* 11 */
  model_grow (world.model, 3);
  engine_world_open (&world);
  engine_world_head (&world);
  world.nodes[0].code = 1234;
  world.nodes[0].words = "broken";
  world.nodes[0].failing = "state_getRuntimeVersion";
  assert_fails_saying (read_commitments (&world, 12, 13, refusal), SV_ERROR_FAILED, "broken");
  world.nodes[0].failing = "chain_getHeader";
  assert_fails_saying (read_commitments (&world, 12, 13, refusal), SV_ERROR_FAILED, "broken");
}

/* Metadata that cannot be read are refused in the chain's name, and asked for again. */
static void
cut_metadata (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "state_getMetadata") != 0)
    return;
  json_decref (*result);
  *result = json_string ("0x6d6574610e");
}

static void
test_damaged_metadata (void)
{
  engine_world_begin (world, 5, 0);
  world.nodes[0].meddle = cut_metadata;
  assert_fails_saying (sv_chain_open (world.config, refusal), SV_ERROR_MALFORMED, "the metadata of runtime 100 cannot be read");
  world.nodes[0].meddle = NULL;
  engine_world_open (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/runtimes/one-runtime", test_one_runtime);
  g_test_add_func ("/chain/runtimes/change-inside", test_change_inside);
  g_test_add_func ("/chain/runtimes/change-in-the-middle", test_change_in_the_middle);
  g_test_add_func ("/chain/runtimes/change-at-either-end", test_change_at_either_end);
  g_test_add_func ("/chain/runtimes/two-changes", test_two_changes);
  g_test_add_func ("/chain/runtimes/carried-down", test_carried_down);
  g_test_add_func ("/chain/runtimes/not-carried-over-a-change", test_not_carried_over_a_change);
  g_test_add_func ("/chain/runtimes/gone-in-the-middle", test_gone_in_the_middle);
  g_test_add_func ("/chain/runtimes/archive-tells-what-is-gone", test_archive_tells_what_is_gone);
  g_test_add_func ("/chain/runtimes/archive-lacks-it-too", test_archive_lacks_it_too);
  g_test_add_func ("/chain/runtimes/archive-is-down", test_archive_is_down);
  g_test_add_func ("/chain/runtimes/change-among-open-blocks", test_change_among_open_blocks);
  g_test_add_func ("/chain/runtimes/change-in-the-best-block", test_change_in_the_best_block);
  g_test_add_func ("/chain/runtimes/change-is-reorganised-away", test_change_is_reorganised_away);
  g_test_add_func ("/chain/runtimes/failing-endpoint", test_failing_endpoint);
  g_test_add_func ("/chain/runtimes/damaged-metadata", test_damaged_metadata);
  g_test_add_func ("/chain/runtimes/states-go-meanwhile", test_states_go_meanwhile);
  g_test_add_func ("/chain/runtimes/reorganised-while-carried-down", test_reorganised_while_carried_down);
  g_test_add_func ("/chain/runtimes/open-block-is-not-told", test_open_block_is_not_told);
  return g_test_run ();
}
