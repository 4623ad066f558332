/* Commitments in blocks, and a proof's extrinsic.
 *
 *  - in chain order with place, hash, signer and text, succeeded and failed ones in one block; what a failure means is said
 *  - those of other netuids are left out; those that hold no text are found by their proof only
 *  - a proof: found in its block and in no other; not in the first block, nor above the head
 *  - an event is asked for only in blocks that hold one
 *  - events gone: the slot tells of the commitment that lies in it, unless two of one block have its text; of another nobody
 *    can tell, and the block is unreadable where that might bind somebody, but for an archive
 *  - bodies gone: unreadable, but for an archive; the blocks around them are read; a recent one is not gone, but not there yet
 *  - across batches; a stretch that is empty, or one that begins with the first block
 */
#include <string.h>

#include "chain/subtensor/extrinsic.h"
#include "engine_world.h"
#include "refusal.h"

/* ── what is in them ── */

static void
test_all_there_is (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (GError) error = NULL;
  const char *first = model_queue (world.model, world.alice, MODEL_NETUID, "sv1 one", MODEL_SUCCEEDS);
  const char *second = model_queue (world.model, world.bob, MODEL_NETUID, "two\n\"é\"", MODEL_SUCCEEDS);
  model_grow (world.model, 5);
  engine_world_ready (&world);
  g_autoptr (GPtrArray) found = sv_chain_commitments (world.chain, 1, 10, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (found->len, ==, 2);
  const SvExtrinsic *one = found->pdata[0], *two = found->pdata[1];
  g_assert_cmpuint (one->block, ==, 6);
  g_assert_cmpuint (one->index, ==, 1);
  g_assert_cmpstr (one->hash, ==, first);
  g_assert_cmpstr (one->signer, ==, sv_keypair_address (world.alice));
  g_assert_cmpstr (one->text, ==, "sv1 one");
  g_assert_true (one->succeeded);
  g_assert_cmpuint (two->index, ==, 2);
  g_assert_cmpstr (two->hash, ==, second);
  g_assert_cmpstr (two->signer, ==, sv_keypair_address (world.bob));
  g_assert_cmpstr (two->text, ==, "two\n\"é\"");
}

static void
test_failed_and_succeeded (void)
{
  engine_world_begin (world, 5, 0);
  model_queue (world.model, world.alice, MODEL_NETUID, "a", SMALL_ERROR_SPACE);
  model_queue (world.model, world.alice, MODEL_NETUID, "b", MODEL_SUCCEEDS);
  model_queue (world.model, world.bob, MODEL_NETUID, "c", SMALL_ERROR_ACCOUNT);
  model_grow (world.model, 1);
  model_queue (world.model, world.bob, MODEL_NETUID, "d", SMALL_ERROR_ACCOUNT);
  model_grow (world.model, 1);
  model_commit (world.model, world.bob, "e");
  engine_world_ready (&world);
  assert_commitments (&world, 1, 8, "6 alice a !\n6 alice b\n6 bob c !\n7 bob d !\n8 bob e\n");
}

static void
test_failures_are_explained (void)
{
  static const struct
  {
    guint outcome;
    const char *name, *advice;
  } cases[] = {
    { SMALL_ERROR_ACCOUNT, "Commitments.AccountNotAllowedCommit: ", "register it with `btcli subnet register`" },
    { SMALL_ERROR_SPACE, "Commitments.SpaceLimitExceeded: ", "has used up its space of this epoch" },
    { SMALL_ERROR_RATE, "Commitments.CommitmentSetRateLimitExceeded: ", "has committed a short while ago" },
    { SMALL_ERROR_FIELDS, "Commitments.TooManyFieldsInCommitmentInfo: ", "is too long; split it" },
  };
  engine_world_begin (world, 5, 0);
  g_autoptr (GError) error = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    model_queue (world.model, world.alice, MODEL_NETUID, "a", cases[i].outcome);
  model_queue (world.model, world.alice, MODEL_NETUID, "a", SMALL_ERROR_UNEXPLAINED);
  model_grow (world.model, 1);
  engine_world_ready (&world);
  g_autoptr (GPtrArray) found = sv_chain_commitments (world.chain, 6, 6, NULL, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    const SvExtrinsic *extrinsic = found->pdata[i];
    g_assert_true (g_str_has_prefix (extrinsic->failure, cases[i].name));
    assert_contains (extrinsic->failure, cases[i].advice);
    assert_contains (extrinsic->failure, sv_keypair_address (world.alice));
  }
  const SvExtrinsic *last = found->pdata[G_N_ELEMENTS (cases)];
  g_assert_cmpstr (last->failure, ==, "Commitments.UnexpectedUnreserveLeftover");
}

static void
test_other_netuids (void)
{
  engine_world_begin (world, 5, 0);
  model_queue (world.model, world.alice, 43, "another subnet's", MODEL_SUCCEEDS);
  model_queue (world.model, world.alice, MODEL_NETUID, "ours", MODEL_SUCCEEDS);
  model_grow (world.model, 1);
  model_queue (world.model, world.alice, 300, "another subnet's", MODEL_SUCCEEDS); /* 44 + 256 */
  model_grow (world.model, 1);
  engine_world_ready (&world);
  assert_commitments (&world, 1, 7, "6 alice ours\n");
  g_assert_cmpuint (model_node_count (&world.nodes[0], "state_getStorage"), ==, 1); /* events of one block */
}

/* ── proofs ── */

static void
assert_proof (EngineWorld *world, guint64 block, const char *hash, const char *text, gboolean expected_unreadable)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvExtrinsic) found = NULL;
  gboolean unreadable = !expected_unreadable;
  gboolean done = sv_chain_find_extrinsic (world->chain, block, hash, &found, &unreadable, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_cmpstr (found ? found->text : NULL, ==, text);
  g_assert_cmpint (unreadable, ==, expected_unreadable);
}

static void
test_proofs (void)
{
  engine_world_begin (world, 5, 0);
  model_queue (world.model, world.bob, MODEL_NETUID, "another", MODEL_SUCCEEDS);
  const char *hash = model_commit (world.model, world.alice, "proven"); /* 6 */
  model_grow (world.model, 5);
  engine_world_ready (&world);
  assert_proof (&world, 6, hash, "proven", FALSE);
  assert_proof (&world, 5, hash, NULL, FALSE);
  assert_proof (&world, 7, hash, NULL, FALSE);
  assert_proof (&world, 0, hash, NULL, FALSE);
  assert_proof (&world, 11, hash, NULL, FALSE);
  assert_proof (&world, 12, hash, NULL, FALSE);
  assert_proof (&world, G_MAXUINT64, hash, NULL, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (SvExtrinsic) found = NULL;
  g_assert_true (sv_chain_find_extrinsic (world.chain, 6, hash, &found, NULL, &error));
  g_assert_nonnull (found);
}

/* ── what is gone ── */

static GBytes *
timelocked_extrinsic (EngineWorld *world)
{
  static const guint8 call_bytes[] = {
    SMALL_COMMITMENTS, 0, MODEL_NETUID, 0, 4, SMALL_TIMELOCK, 4, 0xff, 9, 0, 0, 0, 0, 0, 0, 0
  };
  const ModelRuntime *runtime = world->model->runtimes->pdata[0];
  SvExtrinsicContext context = { .spec_version = runtime->spec_version };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) call = g_bytes_new (call_bytes, sizeof call_bytes);
  GBytes *extrinsic = sv_extrinsic_sign (runtime->metadata, &context, call, world->bob, &error);
  g_assert_no_error (error);
  return extrinsic;
}

static void
test_without_a_text (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (GBytes) extrinsic = timelocked_extrinsic (&world);
  const char *hash = model_queue_bytes (world.model, extrinsic, MODEL_SUCCEEDS);
  model_commit (world.model, world.alice, "with"); /* 6 */
  engine_world_ready (&world);
  assert_commitments (&world, 1, 6, "6 alice with\n");
  assert_proof (&world, 6, hash, "", FALSE);
}

/* Reads the stretch: these commitments are known, and of so many blocks not all is known. */
static void
assert_known (EngineWorld *world, guint64 last, const char *expected, guint n, const guint64 *unreadable)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  g_autofree char *text = commitments_text (world, 1, last, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
  assert_numbers (gone, n, unreadable);
}

/* Events are state. Alice's second commitment has taken the first's place in her slot, Bob's lies there still. */
static void
test_events_are_gone (void)
{
  engine_world_begin (world, 5, 0);
  const char *first = model_commit (world.model, world.alice, "sv1 commit first"); /* 6 */
  const char *bobs = model_commit (world.model, world.bob, "sv1 commit bob");      /* 7 */
  model_queue (world.model, world.alice, MODEL_NETUID, "sv1 commit failed", SMALL_ERROR_RATE);
  model_grow (world.model, 1);
  model_commit (world.model, world.alice, "sv1 withdraw second"); /* 9 */
  model_queue (world.model, world.bob, MODEL_NETUID, "sv1 commit bob",
               SMALL_ERROR_RATE); /* as in his slot, but not its block */
  model_grow (world.model, 20);
  world.nodes[0].state_from = 20;
  engine_world_ready (&world);
  assert_known (&world, 25, "7 bob sv1 commit bob\n9 alice sv1 withdraw second\n", 3, (guint64[]){ 6, 8, 10 });
  assert_proof (&world, 6, first, NULL, TRUE);
  assert_proof (&world, 7, bobs, "sv1 commit bob", FALSE);
}

static void
test_events_of_one_of_two_are_told (void)
{
  engine_world_begin (world, 5, 0);
  const char *bobs = model_queue (world.model, world.bob, MODEL_NETUID, "sv1 commit stays", MODEL_SUCCEEDS);
  const char *first = model_commit (world.model, world.alice, "sv1 commit first"); /* 6, both */
  model_commit (world.model, world.alice, "sv1 commit second");
  model_grow (world.model, 20);
  world.nodes[0].state_from = 20;
  engine_world_ready (&world);
  assert_known (&world, 20, "6 bob sv1 commit stays\n7 alice sv1 commit second\n", 1, (guint64[]){ 6 });
  assert_proof (&world, 6, bobs, "sv1 commit stays", FALSE);
  assert_proof (&world, 6, first, NULL, TRUE);
  assert_proof (&world, 6, model_block (world.model, 1)->hash, NULL, FALSE); /* of which the body tells that it is not there */
}

/* The slot holds the block's second one, so of the first nobody can tell. */
static void
test_events_of_two_of_one_account (void)
{
  engine_world_begin (world, 5, 0);
  model_queue (world.model, world.alice, MODEL_NETUID, "sv1 commit a", MODEL_SUCCEEDS);
  model_queue (world.model, world.alice, MODEL_NETUID, "sv1 commit b", MODEL_SUCCEEDS);
  model_grow (world.model, 20); /* 6, both */
  world.nodes[0].state_from = 20;
  engine_world_ready (&world);
  assert_known (&world, 20, "6 alice sv1 commit b\n", 1, (guint64[]){ 6 });
}

#define SYSTEM_PREFIX "0x26aa394eea5630e07c48ae0c9558cef7" /* twox128 of the pallet's name */

static void
empty_events (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  const char *key = json_string_value (json_array_get (params, 0));
  if (strcmp (method, "state_getStorage") != 0 || !g_str_has_prefix (key, SYSTEM_PREFIX))
    return;
  json_decref (*result);
  *result = json_null ();
}

/* As some gateways answer for a state that they do not have. */
static void
test_events_are_empty (void)
{
  engine_world_begin (world, 5, 0);
  model_commit (world.model, world.alice, "sv1 commit first"); /* 6 */
  model_commit (world.model, world.alice, "sv1 commit second");
  world.nodes[0].meddle = empty_events;
  engine_world_ready (&world);
  assert_known (&world, 7, "7 alice sv1 commit second\n", 1, (guint64[]){ 6 });
}

static void
test_archive_has_events (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_add_node (&world, NULL);
  model_commit (world.model, world.alice, "sv1 commit first"); /* 6 */
  model_commit (world.model, world.alice, "sv1 commit second");
  model_grow (world.model, 20);
  world.nodes[0].meddle = empty_events;
  engine_world_ready (&world);
  assert_known (&world, 7, "6 alice sv1 commit first\n7 alice sv1 commit second\n", 0, NULL);
  world.nodes[0].meddle = NULL;
  world.nodes[0].state_from = 20;
  assert_known (&world, 7, "6 alice sv1 commit first\n7 alice sv1 commit second\n", 0, NULL);
}

/* One of them may have failed. */
static void
test_events_of_two_with_one_text (void)
{
  engine_world_begin (world, 5, 0);
  model_queue (world.model, world.alice, MODEL_NETUID, "sv1 commit a", MODEL_SUCCEEDS);
  model_queue (world.model, world.alice, MODEL_NETUID, "sv1 commit a", SMALL_ERROR_RATE);
  model_queue (world.model, world.bob, MODEL_NETUID, "sv1 commit a", MODEL_SUCCEEDS);
  model_grow (world.model, 20); /* 6, all */
  world.nodes[0].state_from = 20;
  engine_world_ready (&world);
  assert_known (&world, 20, "6 bob sv1 commit a\n", 1, (guint64[]){ 6 });
}

static void
test_events_of_what_binds_nobody (void)
{
  engine_world_begin (world, 5, 0);
  const char *hash = model_commit (world.model, world.alice, "{\"model\":1}"); /* 6 */
  model_commit (world.model, world.alice, "sv1 manifest aa 1");
  model_commit (world.model, world.alice, "sv1 commit last"); /* 8 */
  model_grow (world.model, 20);
  world.nodes[0].state_from = 20;
  engine_world_ready (&world);
  assert_known (&world, 20, "8 alice sv1 commit last\n", 0, NULL);
  assert_proof (&world, 6, hash, NULL, TRUE);
}

static void
test_events_of_what_has_no_text (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (GBytes) extrinsic = timelocked_extrinsic (&world);
  model_queue_bytes (world.model, extrinsic, MODEL_SUCCEEDS);
  model_commit (world.model, world.alice, "stays"); /* 6, both */
  model_grow (world.model, 20);
  world.nodes[0].state_from = 20;
  engine_world_ready (&world);
  assert_commitments (&world, 1, 20, "6 alice stays\n");
}

static void
test_bodies_are_gone (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  const char *hash = model_commit (world.model, world.alice, "first"); /* 6 */
  model_commit (world.model, world.alice, "second");
  model_grow (world.model, 80);
  world.nodes[0].bodies_from = 7;
  engine_world_ready (&world);
  g_autofree char *text = commitments_text (&world, 3, 10, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "7 alice second\n");
  assert_unreadable (gone, 3, 4, 5, 6);
  assert_proof (&world, 6, hash, NULL, TRUE);
  g_autofree char *without_asking = commitments_text (&world, 3, 10, NULL, &error);
  g_assert_cmpstr (without_asking, ==, "7 alice second\n");
}

/* The node that names it may not be the one that is asked for it: a recent one will be there. */
static void
test_body_is_not_there_yet (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (SvExtrinsic) found = NULL;
  model_commit (world.model, world.alice, "a"); /* 6 */
  model_grow (world.model, 63);
  world.nodes[0].bodies_from = 7;
  engine_world_ready (&world);
  assert_fails_saying (sv_chain_find_extrinsic (world.chain, 6, "0x", &found, NULL, refusal), SV_ERROR_UNREACHABLE,
                       "names block 6 and does not have it");
  model_grow (world.model, 1);
  engine_world_head (&world);
  assert_proof (&world, 6, "0x", NULL, TRUE);
}

static void
lose_body_of_10 (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlock") != 0 ||
      strcmp (json_string_value (json_array_get (params, 0)), model_block (node->model, 10)->hash) != 0)
    return;
  json_decref (*result);
  *result = json_null ();
}

static void
test_unreadable_blocks_are_in_order (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  model_commit (world.model, world.alice, "sv1 commit first");  /* 6 */
  model_commit (world.model, world.alice, "sv1 commit second"); /* 7 */
  model_grow (world.model, 80);
  world.nodes[0].state_from = 20;
  world.nodes[0].meddle = lose_body_of_10;
  engine_world_ready (&world);
  g_autofree char *text = commitments_text (&world, 1, 20, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "7 alice sv1 commit second\n");
  assert_unreadable (gone, 6, 10);
}

static void
test_archive_has_bodies (void)
{
  engine_world_begin (world, 5, 0);
  ModelNode *archive = engine_world_add_node (&world, NULL);
  model_commit (world.model, world.alice, "first"); /* 6 */
  model_grow (world.model, 5);
  world.nodes[0].bodies_from = 7;
  engine_world_ready (&world);
  model_node_forget (archive);
  assert_commitments (&world, 5, 10, "6 alice first\n");
  g_assert_cmpuint (model_node_count (archive, "chain_getBlock"), ==, 2);
  g_assert_cmpuint (model_node_count (archive, NULL), ==, 3); /* and whether it has the same blocks there */
}

/* ── stretches ── */

static void
test_many_batches (void)
{
  engine_world_begin (world, 1, 0);
  g_autoptr (GString) expected = g_string_new ("");
  for (guint i = 0; i < 300; i++)
    if (i % 7 == 0)
    {
      g_autofree char *text = g_strdup_printf ("text %u", i);
      model_commit (world.model, world.alice, text);
      g_string_append_printf (expected, "%u alice %s\n", i + 2, text);
    }
    else
      model_grow (world.model, 1);
  engine_world_ready (&world);
  assert_commitments (&world, 1, 301, expected->str);
  g_assert_cmpuint (model_node_count (&world.nodes[0], "chain_getBlock"), ==, 301);
  g_assert_cmpuint (model_node_count (&world.nodes[0], "state_getStorage"), ==, 43);
}

static void
test_ends (void)
{
  engine_world_begin (world, 5, 0);
  model_commit (world.model, world.alice, "a"); /* 6 */
  engine_world_ready (&world);
  assert_commitments (&world, 0, 6, "6 alice a\n");
  assert_commitments (&world, 0, 0, "");
  assert_commitments (&world, 6, 6, "6 alice a\n");
  assert_commitments (&world, 6, 5, "");
}

/* A test chain that was forked from another one has a first block whose header does not hash to its name. */
static void
give_another_first_block (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  const char *hash = json_string_value (json_array_get (params, 0));
  gboolean is_header = strcmp (method, "chain_getHeader") == 0;
  if ((!is_header && strcmp (method, "chain_getBlock") != 0) || g_strcmp0 (hash, model_block (node->model, 0)->hash) != 0)
    return;
  json_t *header = json_deep_copy (model_block (node->model, 0)->header);
  json_object_set_new (header, "stateRoot", json_string (hash));
  json_decref (*result);
  *result = is_header ? header : json_pack ("{s:{s:o, s:[]}}", "block", "header", header, "extrinsics");
}

static void
test_first_block_of_a_fork (void)
{
  engine_world_begin (world, 5, 0);
  SvBlock block;
  model_commit (world.model, world.alice, "a"); /* 6 */
  world.nodes[0].meddle = give_another_first_block;
  engine_world_ready (&world);
  assert_commitments (&world, 0, 6, "6 alice a\n");
  g_assert_true (sv_chain_block (world.chain, 0, &block, NULL));
  g_assert_cmpuint (block.number, ==, 0);
  g_assert_cmpstr (block.hash, ==, sv_chain_id (world.chain)->genesis);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/blocks/all-there-is", test_all_there_is);
  g_test_add_func ("/chain/blocks/failed-and-succeeded", test_failed_and_succeeded);
  g_test_add_func ("/chain/blocks/failures-are-explained", test_failures_are_explained);
  g_test_add_func ("/chain/blocks/other-netuids", test_other_netuids);
  g_test_add_func ("/chain/blocks/proofs", test_proofs);
  g_test_add_func ("/chain/blocks/without-a-text", test_without_a_text);
  g_test_add_func ("/chain/blocks/events-are-gone", test_events_are_gone);
  g_test_add_func ("/chain/blocks/events-of-one-of-two-are-told", test_events_of_one_of_two_are_told);
  g_test_add_func ("/chain/blocks/events-of-two-of-one-account", test_events_of_two_of_one_account);
  g_test_add_func ("/chain/blocks/events-are-empty", test_events_are_empty);
  g_test_add_func ("/chain/blocks/events-of-two-with-one-text", test_events_of_two_with_one_text);
  g_test_add_func ("/chain/blocks/events-of-what-binds-nobody", test_events_of_what_binds_nobody);
  g_test_add_func ("/chain/blocks/events-of-what-has-no-text", test_events_of_what_has_no_text);
  g_test_add_func ("/chain/blocks/bodies-are-gone", test_bodies_are_gone);
  g_test_add_func ("/chain/blocks/unreadable-blocks-are-in-order", test_unreadable_blocks_are_in_order);
  g_test_add_func ("/chain/blocks/body-is-not-there-yet", test_body_is_not_there_yet);
  g_test_add_func ("/chain/blocks/archive-has-events", test_archive_has_events);
  g_test_add_func ("/chain/blocks/archive-has-bodies", test_archive_has_bodies);
  g_test_add_func ("/chain/blocks/many-batches", test_many_batches);
  g_test_add_func ("/chain/blocks/ends", test_ends);
  g_test_add_func ("/chain/blocks/first-block-of-a-fork", test_first_block_of_a_fork);
  return g_test_run ();
}
