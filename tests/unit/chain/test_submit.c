/* From a text to the chain.
 *
 * prepared - the bytes are the call, signed for the runtime of the next block, the era of the finalized head, the node's nonce;
 *            from when to when it may be included is told; what the runtime takes at most, in as many fields as it has
 *          - a runtime that changes between two prepares; one without the pallet; block times and what the chain says it runs
 *          - refused: a nonce that is none, a text that is too long
 * submit   - the node gets these bytes and names their hash; another hash is a lie
 *          - every refusal: what was imported or included already is a success, what will never be taken any more is a
 * conflict, a node that takes none now is unreachable, what is invalid for another reason is refused
 *          - where a block cannot be read it is not known; what tells of the endpoint only is no refusal
 */
#include <string.h>

#include "base/hash.h"
#include "chain/subtensor/extrinsic.h"
#include "engine_world.h"
#include "refusal.h"

static SvPreparedExtrinsic *
prepare (EngineWorld *world, const char *text)
{
  g_autoptr (GError) error = NULL;
  SvPreparedExtrinsic *prepared = sv_chain_prepare_commitment (world->chain, world->alice, text, SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  return prepared;
}

/* ── prepared ── */

/* What it should be, made by the codecs for this runtime at this final block. */
static void
assert_is_for (const EngineWorld *world, const SvPreparedExtrinsic *prepared, const ModelRuntime *runtime, guint64 final)
{
  g_autoptr (GError) error = NULL;
  SvExtrinsicContext context = { .spec_version = runtime->spec_version,
                                 .transaction_version = 1,
                                 .nonce = world->nodes[0].nonce,
                                 .era_period = 64,
                                 .era_block = final };
  const char *genesis = model_block (world->model, 0)->hash, *hash = model_block (world->model, final)->hash;
  g_assert_true (sv_hex_decode (genesis + 2, FALSE, context.genesis_hash, sizeof context.genesis_hash));
  g_assert_true (sv_hex_decode (hash + 2, FALSE, context.era_hash, sizeof context.era_hash));
  g_autoptr (GBytes) call = sv_commitment_call (runtime->metadata, MODEL_NETUID, "sv1 a", &error);
  g_autoptr (GBytes) expected = sv_extrinsic_sign (runtime->metadata, &context, call, world->alice, &error);
  char expected_hash[SV_BLOCK_HASH_TEXT];
  g_assert_no_error (error);
  sv_extrinsic_hash (g_bytes_get_data (expected, NULL), g_bytes_get_size (expected), expected_hash);
  g_assert_true (g_bytes_equal (prepared->bytes, expected));
  g_assert_cmpstr (prepared->hash, ==, expected_hash);
  g_assert_cmpstr (prepared->signer, ==, sv_keypair_address (world->alice));
  g_assert_cmpuint (prepared->prepared_at, ==, final + 1);
  g_assert_cmpuint (prepared->valid_until, ==, final + 63);
}

static void
test_prepared (void)
{
  engine_world_begin (world, 100, 0);
  engine_world_open (&world);
  world.nodes[0].nonce = 5;
  g_autoptr (SvPreparedExtrinsic) first = prepare (&world, "sv1 a");
  assert_is_for (&world, first, world.model->runtimes->pdata[0], 97);
  model_grow (world.model, 3);
  world.nodes[0].nonce = 70000;
  g_autoptr (SvPreparedExtrinsic) second = prepare (&world, "sv1 a");
  assert_is_for (&world, second, world.model->runtimes->pdata[0], 100);
}

static void
test_runtime_changes_meanwhile (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  g_autoptr (SvPreparedExtrinsic) first = prepare (&world, "sv1 a");
  assert_is_for (&world, first, world.model->runtimes->pdata[0], 7);
  model_upgrade (world.model, &(SmallRuntime){ .commitments_index = 19, .swaps_arguments = TRUE });
  model_grow (world.model, 1);
  g_autoptr (SvPreparedExtrinsic) second = prepare (&world, "sv1 a");
  assert_is_for (&world, second, world.model->runtimes->pdata[1], 8);
  model_queue_bytes (world.model, second->bytes, MODEL_SUCCEEDS);
  model_grow (world.model, 1);
  engine_world_head (&world);
  assert_commitments (&world, 9, 12, "12 alice sv1 a\n");
}

static void
assert_longest (const SmallRuntime *runtime, gsize longest)
{
  g_auto (EngineWorld) world = { 0 };
  engine_world_start (&world, runtime, 10);
  engine_world_open (&world);
  g_assert_cmpuint (sv_chain_max_text (world.chain), ==, longest);
  g_autofree char *text = g_strnfill (longest, 'x'), *longer = g_strnfill (longest + 1, 'x'), *line = NULL;
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (&world, text);
  model_queue_bytes (world.model, prepared->bytes, MODEL_SUCCEEDS);
  model_grow (world.model, 1);
  engine_world_head (&world);
  line = g_strdup_printf ("11 alice %s\n", text);
  assert_commitments (&world, 11, 11, line);
  g_autofree char *words = g_strdup_printf ("has %zu bytes; this chain takes at most %zu: split it", longest + 1, longest);
  assert_fails_saying (sv_chain_prepare_commitment (world.chain, world.alice, longer, SV_PREPARE_DEFAULT, refusal),
                       SV_ERROR_POLICY, words);
}

static void
test_longest_texts (void)
{
  assert_longest (&(SmallRuntime){ 0 }, 128);
  assert_longest (&(SmallRuntime){ .max_fields = 3 }, 384);
  assert_longest (&(SmallRuntime){ .max_fields = 3, .has_big_raw = TRUE }, 1536);
}

static void
test_runtime_without_the_pallet (void)
{
  engine_world_begin (world, 5, 0);
  model_upgrade (world.model, &(SmallRuntime){ .has_no_commitments = TRUE });
  model_grow (world.model, 1);
  engine_world_open (&world);
  g_assert_cmpuint (sv_chain_max_text (world.chain), ==, 0);
  assert_fails (sv_chain_prepare_commitment (world.chain, world.alice, "a", SV_PREPARE_DEFAULT, refusal), SV_ERROR_NOT_FOUND);
}

static void
give_nonce (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "system_accountNextIndex") != 0)
    return;
  json_decref (*result);
  *result = json_loads (node->data, JSON_DECODE_ANY, NULL);
}

static void
test_bad_nonces (void)
{
  static char *const nonces[] = { "-1", "1.5", "4294967296", "\"7\"", "{}" };
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  world.nodes[0].meddle = give_nonce;
  for (gsize i = 0; i < G_N_ELEMENTS (nonces); i++)
  {
    world.nodes[0].data = nonces[i];
    assert_fails_saying (sv_chain_prepare_commitment (world.chain, world.alice, "a", SV_PREPARE_DEFAULT, refusal),
                         SV_ERROR_MALFORMED, "its answer to system_accountNextIndex is no number");
  }
  world.nodes[0].data = "4294967295";
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (&world, "a");
  g_assert_nonnull (prepared);
}

static void
assert_block_time (const SmallRuntime *runtime, guint64 block_time, guint poll)
{
  g_auto (EngineWorld) world = { 0 };
  engine_world_start (&world, runtime, 3);
  engine_world_open (&world);
  g_assert_cmpuint (sv_chain_block_time_ms (world.chain), ==, block_time);
  g_assert_cmpuint (sv_chain_poll_interval_ms (world.chain), ==, poll);
}

static void
test_block_times (void)
{
  assert_block_time (&(SmallRuntime){ 0 }, 300, 250);
  assert_block_time (&(SmallRuntime){ .has_slots = TRUE }, 400, 250);
  assert_block_time (&(SmallRuntime){ .has_no_period = TRUE }, 12000, 3000);
}

/* ── submit ── */

static gboolean
submit (EngineWorld *world, const SvPreparedExtrinsic *prepared, GError **error)
{
  return sv_chain_submit (world->chain, prepared, error);
}

static void
test_taken (void)
{
  engine_world_begin (world, 10, 0);
  g_autoptr (GError) error = NULL;
  engine_world_open (&world);
  world.nodes[0].keeps_what_it_got = TRUE;
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (&world, "sv1 a");
  g_assert_true (submit (&world, prepared, &error));
  g_assert_no_error (error);
  g_autofree char *hex = sv_hex_encode (g_bytes_get_data (prepared->bytes, NULL), g_bytes_get_size (prepared->bytes));
  g_assert_cmpuint (world.nodes[0].submitted->len, ==, 1);
  g_assert_cmpstr ((const char *)world.nodes[0].submitted->pdata[0] + 2, ==, hex);
  model_grow (world.model, 1);
  engine_world_head (&world);
  assert_commitments (&world, 11, 11, "11 alice sv1 a\n");
}

static void
give_hash (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "author_submitExtrinsic") != 0)
    return;
  json_decref (*result);
  *result = node->data ? json_string (node->data) : json_null ();
}

static void
test_another_hash (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (&world, "sv1 a");
  world.nodes[0].meddle = give_hash;
  assert_fails_saying (submit (&world, prepared, refusal), SV_ERROR_VERIFY, "lies about the extrinsic it was given");
  world.nodes[0].data = model_block (world.model, 1)->hash;
  assert_fails_saying (submit (&world, prepared, refusal), SV_ERROR_VERIFY, "lies about the extrinsic it was given");
}

#define TAKEN (-1)

typedef struct
{
  int code;
  const char *words;
  int when_absent; /* what comes of it where no block holds the extrinsic, */
  const char *says;
  int when_included; /* and where one does */
} Refusal;

static void
assert_comes_of (EngineWorld *world, const SvPreparedExtrinsic *prepared, const Refusal *refused, int expected)
{
  g_autoptr (GError) error = NULL;
  world->nodes[0].failing = "author_submitExtrinsic";
  world->nodes[0].code = refused->code;
  world->nodes[0].words = refused->words;
  gboolean taken = submit (world, prepared, &error);
  if (taken != (expected == TAKEN) || (error && !g_error_matches (error, SV_ERROR, expected)))
    g_error ("%d \"%s\": %d was expected, not \"%s\"", refused->code, refused->words, expected,
             error ? error->message : "success");
  if (error)
    assert_contains (error->message, refused->says);
}

static void
test_refusals (void)
{
  static const Refusal refusals[] = {
    { 1010, "Invalid Transaction: Transaction is outdated", SV_ERROR_CONFLICT, "run the same command again", TAKEN },
    { 1010, "Invalid Transaction: Transaction has an ancient birth block", SV_ERROR_CONFLICT, "it has expired", TAKEN },
    { 1010, "Invalid Transaction: Transaction has a bad signature", SV_ERROR_CONFLICT, "another of the same hotkey", TAKEN },
    { 1010, "Invalid Transaction: Inability to pay some fees", SV_ERROR_POLICY, "refuses the extrinsic", TAKEN },
    { 1014, "Priority is too low", SV_ERROR_CONFLICT, "another of the same hotkey came first", TAKEN },
    { 1012, "Transaction is temporarily banned", SV_ERROR_UNREACHABLE, "again in a minute", TAKEN },
    { 1016, "Immediately Dropped", SV_ERROR_UNREACHABLE, "again in a minute", TAKEN },
    { 1013, "Transaction Already Imported", TAKEN, NULL, TAKEN },
    { 1002, "Verification Error", SV_ERROR_FAILED, "refuses the extrinsic", TAKEN },
    { 1999, "Something new", SV_ERROR_FAILED, "refuses the extrinsic", TAKEN },
    { 1000, "Something old", SV_ERROR_FAILED, "refuses the extrinsic", TAKEN },
    { 2000, "Of another room", SV_ERROR_FAILED, "refuses the extrinsic", TAKEN },
    { 0, "{\"invalid\":{\"stale\":null}}", SV_ERROR_CONFLICT, "run the same command again", TAKEN },
    { 0, "{\"invalid\":{\"badProof\":null}}", SV_ERROR_CONFLICT, "run the same command again", TAKEN },
    { 0, "{\"invalid\":{\"payment\":null}}", SV_ERROR_POLICY, "refuses the extrinsic", TAKEN },
    { -32601, "Method not found", SV_ERROR_UNREACHABLE, "this endpoint does not serve it", SV_ERROR_UNREACHABLE },
  };
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (&world, "sv1 a");
  model_grow (world.model, 3);
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    assert_comes_of (&world, prepared, &refusals[i], refusals[i].when_absent);
  model_queue_bytes (world.model, prepared->bytes, MODEL_SUCCEEDS);
  model_grow (world.model, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    assert_comes_of (&world, prepared, &refusals[i], refusals[i].when_included);
}

#define OUTDATED 1010, "Invalid Transaction: Transaction is outdated", SV_ERROR_CONFLICT, "run the same command again", TAKEN

/* What it was refused for says nothing of a block that held it and failed it: it is included, and waiting for it will tell. */
static void
test_included_and_failed (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (&world, "sv1 a");
  model_queue_bytes (world.model, prepared->bytes, SMALL_ERROR_SPACE);
  model_grow (world.model, 1);
  assert_comes_of (&world, prepared, &(Refusal){ OUTDATED }, TAKEN);
}

/* The first and the last block that may hold it. */
static void
test_included_at_the_ends (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (&world, "sv1 a");
  model_grow (world.model, 59);
  model_queue_bytes (world.model, prepared->bytes, MODEL_SUCCEEDS);
  model_grow (world.model, 1);
  g_assert_cmpuint (model_best (world.model), ==, prepared->valid_until);
  assert_comes_of (&world, prepared, &(Refusal){ OUTDATED }, TAKEN);
  model_grow (world.model, 50);
  assert_comes_of (&world, prepared, &(Refusal){ OUTDATED }, TAKEN);
  prepared->prepared_at = prepared->valid_until;
  assert_comes_of (&world, prepared, &(Refusal){ OUTDATED }, TAKEN);
  prepared->prepared_at = 1000; /* of a chain that has not come so far again */
  assert_comes_of (&world, prepared, &(Refusal){ OUTDATED }, SV_ERROR_CONFLICT);
}

static void
test_unreadable_blocks (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (&world, "sv1 a");
  model_queue_bytes (world.model, prepared->bytes, MODEL_SUCCEEDS);
  model_grow (world.model, 90); /* it is in block 11 */
  world.nodes[0].bodies_from = 15;
  Refusal refused = { 1010, "Transaction is outdated", SV_ERROR_UNREACHABLE,
                      "not all of the blocks 8 to 70 can be read any more, so it is not known what became of extrinsic",
                      TAKEN };
  assert_comes_of (&world, prepared, &refused, refused.when_absent);
  world.nodes[0].bodies_from = 11; /* which is enough to know */
  assert_comes_of (&world, prepared, &refused, refused.when_included);
}

static void
test_down (void)
{
  engine_world_begin (world, 10, 0);
  engine_world_open (&world);
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (&world, "sv1 a");
  world.nodes[0].is_down = TRUE;
  assert_fails (submit (&world, prepared, refusal), SV_ERROR_UNREACHABLE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/submit/prepared", test_prepared);
  g_test_add_func ("/chain/submit/runtime-changes-meanwhile", test_runtime_changes_meanwhile);
  g_test_add_func ("/chain/submit/longest-texts", test_longest_texts);
  g_test_add_func ("/chain/submit/runtime-without-the-pallet", test_runtime_without_the_pallet);
  g_test_add_func ("/chain/submit/bad-nonces", test_bad_nonces);
  g_test_add_func ("/chain/submit/block-times", test_block_times);
  g_test_add_func ("/chain/submit/taken", test_taken);
  g_test_add_func ("/chain/submit/another-hash", test_another_hash);
  g_test_add_func ("/chain/submit/refusals", test_refusals);
  g_test_add_func ("/chain/submit/included-and-failed", test_included_and_failed);
  g_test_add_func ("/chain/submit/included-at-the-ends", test_included_at_the_ends);
  g_test_add_func ("/chain/submit/unreadable-blocks", test_unreadable_blocks);
  g_test_add_func ("/chain/submit/down", test_down);
  return g_test_run ();
}
