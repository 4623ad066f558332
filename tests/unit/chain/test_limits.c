/* What the pallet allows, looked at before anything is signed.
 *
 * registered - an account that is not is told how to become it
 * the slot   - a time-locked commitment is not replaced unless that is wanted; its round is named
 * rate       - so many blocks after the last one, by its mark; without a mark there is no waiting
 * space      - what is used in this epoch, and at least a hundred bytes for the new one; until the next epoch where that is too
 *              much; what was used in another epoch does not count; the state's own maximum; a text that no epoch has room for
 *            - runtimes that tell nothing of epochs
 * of a runtime with both limits the later block counts; refused: values that cannot be read
 */
#include <string.h>

#include "engine_world.h"
#include "refusal.h"

/* The head is block 60. */
static void
open_world (EngineWorld *world)
{
  model_grow (world->model, 60 - (guint)model_best (world->model));
  engine_world_open (world);
}

static void
assert_earliest (EngineWorld *world, gsize length, guint64 expected)
{
  g_autoptr (GError) error = NULL;
  guint64 block;
  gboolean is_known = sv_chain_earliest_commitment (world->chain, sv_keypair_address (world->alice), length, &block, &error);
  g_assert_no_error (error);
  g_assert_true (is_known);
  g_assert_cmpuint (block, ==, expected);
}

static SvPreparedExtrinsic *
prepare (EngineWorld *world, const SvKeypair *who, SvPrepareFlags flags, GError **error)
{
  return sv_chain_prepare_commitment (world->chain, who, "sv1 a", flags, error);
}

static void
assert_prepares (EngineWorld *world, SvPrepareFlags flags)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvPreparedExtrinsic) prepared = prepare (world, world->alice, flags, &error);
  g_assert_no_error (error);
  g_assert_nonnull (prepared);
}

/* ── registration and slot ── */

static void
test_not_registered (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (SvKeypair) stranger = sv_keypair_generate (SV_SCHEME_SR25519);
  open_world (&world);
  assert_fails_saying (prepare (&world, stranger, SV_PREPARE_DEFAULT, refusal), SV_ERROR_POLICY,
                       "register it with `btcli subnet register --netuid 44`");
  assert_fails_saying (prepare (&world, stranger, SV_PREPARE_REPLACE, refusal), SV_ERROR_POLICY,
                       "is not registered on subnet 44");
  assert_prepares (&world, SV_PREPARE_DEFAULT);
}

static void
set_slot (EngineWorld *world, const char *value)
{
  model_set (world->model, "Commitments", "CommitmentOf", sv_keypair_public_key (world->alice), SV_PUBLIC_KEY_SIZE, value);
  model_grow (world->model, 1);
}

static void
test_time_locked_slot (void)
{
  engine_world_begin (world, 5, 0);
  set_slot (&world, "0x0000000000000000060000000486040039300000000000"
                    "00");
  open_world (&world);
  assert_fails_saying (prepare (&world, world.alice, SV_PREPARE_DEFAULT, refusal), SV_ERROR_POLICY,
                       "will be revealed in drand round 12345 and which this one would erase");
  assert_prepares (&world, SV_PREPARE_REPLACE);
  set_slot (&world, NULL);
  assert_prepares (&world, SV_PREPARE_DEFAULT);
  model_commit (world.model, world.alice, "plain");
  assert_prepares (&world, SV_PREPARE_DEFAULT);
}

/* ── rate ── */

static void
test_rate (void)
{
  engine_world_begin (world, 5, .rate_limit = 100);
  open_world (&world);
  assert_earliest (&world, 5, 61);
  model_commit (world.model, world.bob, "another's");
  model_commit (world.model, world.alice, "first"); /* 62 */
  assert_earliest (&world, 5, 162);
  assert_fails_saying (prepare (&world, world.alice, SV_PREPARE_DEFAULT, refusal), SV_ERROR_UNREACHABLE,
                       "before block 162 (now 62): wait until then");
  model_grow (world.model, 98);
  assert_fails (prepare (&world, world.alice, SV_PREPARE_DEFAULT, refusal), SV_ERROR_UNREACHABLE);
  model_grow (world.model, 1);
  assert_prepares (&world, SV_PREPARE_DEFAULT); /* for block 162 */
  model_grow (world.model, 10);
  assert_earliest (&world, 5, 172);
}

/* ── space ── */

static void
set_used (EngineWorld *world, guint64 epoch, guint64 bytes)
{
  g_autofree char *value = g_strdup_printf ("0x%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                                            GUINT64_SWAP_LE_BE (epoch), GUINT64_SWAP_LE_BE (bytes));
  model_set (world->model, "Commitments", "UsedSpaceOf", sv_keypair_public_key (world->alice), SV_PUBLIC_KEY_SIZE, value);
  model_grow (world->model, 1);
}

/* In epoch 7, which began at block 40; the next one begins at 141. */
static void
set_epoch (EngineWorld *world)
{
  model_set_number (world->model, "SubtensorModule", "SubnetEpochIndex", 7, 8);
  model_set_number (world->model, "SubtensorModule", "Tempo", 100, 2);
  model_set_number (world->model, "SubtensorModule", "LastEpochBlock", 40, 8);
}

static void
test_space (void)
{
  engine_world_begin (world, 5, .has_space_limit = TRUE);
  set_epoch (&world);
  open_world (&world);
  assert_earliest (&world, 3100, 61);
  set_used (&world, 7, 3000); /* and block 61 is the best */
  assert_earliest (&world, 100, 62);
  assert_earliest (&world, 1, 62);
  assert_earliest (&world, 101, 141);
  set_used (&world, 7, 3001);
  assert_earliest (&world, 1, 141); /* for which a hundred bytes are counted */
  assert_fails_saying (prepare (&world, world.alice, SV_PREPARE_DEFAULT, refusal), SV_ERROR_UNREACHABLE,
                       "before block 141 (now 62)");
  set_used (&world, 6, 3100);
  assert_earliest (&world, 3100, 64);
  set_used (&world, 7, 3100);
  model_grow (world.model, 90); /* the epoch is overdue: 154 is the best */
  assert_earliest (&world, 100, 155);
}

static void
test_maximum_of_the_state (void)
{
  engine_world_begin (world, 5, .has_space_limit = TRUE);
  set_epoch (&world);
  open_world (&world);
  model_set_number (world.model, "Commitments", "MaxSpace", 500, 4);
  set_used (&world, 7, 400);
  assert_earliest (&world, 100, 62);
  assert_earliest (&world, 101, 141);
  guint64 block;
  const char *alice = sv_keypair_address (world.alice);
  assert_fails_saying (sv_chain_earliest_commitment (world.chain, alice, 501, &block, refusal), SV_ERROR_POLICY,
                       "the text needs 501 bytes on the chain, which gives a hotkey 500 an epoch: commit fewer elements");
  model_set_number (world.model, "Commitments", "MaxSpace", 99, 4);
  model_grow (world.model, 1);
  assert_fails_saying (sv_chain_earliest_commitment (world.chain, alice, 1, &block, refusal), SV_ERROR_POLICY,
                       "needs 100 bytes on the chain, which gives a hotkey 99");
  assert_fails (prepare (&world, world.alice, SV_PREPARE_DEFAULT, refusal), SV_ERROR_POLICY);
}

static void
test_runtime_without_epochs (void)
{
  engine_world_begin (world, 5, .has_space_limit = TRUE, .has_no_epochs = TRUE);
  open_world (&world);
  set_used (&world, 7, 3050);
  assert_earliest (&world, 100, 62 + 360);
  set_used (&world, 7, 1000);
  assert_earliest (&world, 100, 63);
}

static void
test_both_limits (void)
{
  engine_world_begin (world, 5, .has_space_limit = TRUE, .rate_limit = 100);
  set_epoch (&world);
  model_grow (world.model, 4);
  model_commit (world.model, world.alice, "first"); /* 10 */
  open_world (&world);
  assert_earliest (&world, 100, 110);
  set_used (&world, 7, 3100);
  assert_earliest (&world, 100, 141);
}

/* ── values that cannot be read ── */

static void
spoil (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "state_getStorage") != 0 || json_is_null (*result) || strlen (json_string_value (*result)) != node->n)
    return;
  json_decref (*result);
  *result = json_string (node->data);
}

/* Alters the values of so many digits in hex. */
static void
refuse_value (guint n_digits, const char *with, const char *words)
{
  engine_world_begin (world, 5, .has_space_limit = TRUE);
  guint64 block;
  set_epoch (&world);
  open_world (&world);
  set_used (&world, 7, 3050);
  model_set_number (world.model, "Commitments", "MaxSpace", 3100, 4);
  model_grow (world.model, 1);
  engine_world_head (&world);
  world.nodes[0].n = n_digits + 2;
  world.nodes[0].data = (gpointer)with;
  world.nodes[0].meddle = spoil;
  assert_fails_saying (sv_chain_earliest_commitment (world.chain, sv_keypair_address (world.alice), 100, &block, refusal),
                       SV_ERROR_MALFORMED, words);
}

static void
test_bad_values (void)
{
  refuse_value (32, "0x07", "Commitments.UsedSpaceOf");
  refuse_value (8, "0x07", "Commitments.MaxSpace");
  refuse_value (16, "0x07", "SubtensorModule.SubnetEpochIndex");
  refuse_value (4, "0x070000", "SubtensorModule.Tempo");
  refuse_value (4, "seven", "is not bytes in hex");
}

static void
test_no_address (void)
{
  engine_world_begin (world, 5, .has_space_limit = TRUE);
  open_world (&world);
  guint64 block;
  assert_fails (sv_chain_earliest_commitment (world.chain, "nobody", 100, &block, refusal), SV_ERROR_USAGE);
}

static void
test_node_that_fails (void)
{
  engine_world_begin (world, 5, .rate_limit = 100);
  guint64 block;
  open_world (&world);
  engine_world_head (&world);
  world.nodes[0].failing = "state_getStorage";
  world.nodes[0].code = 1234;
  world.nodes[0].words = "broken";
  assert_fails_saying (sv_chain_earliest_commitment (world.chain, sv_keypair_address (world.alice), 100, &block, refusal),
                       SV_ERROR_FAILED, "broken");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/limits/not-registered", test_not_registered);
  g_test_add_func ("/chain/limits/time-locked-slot", test_time_locked_slot);
  g_test_add_func ("/chain/limits/rate", test_rate);
  g_test_add_func ("/chain/limits/space", test_space);
  g_test_add_func ("/chain/limits/maximum-of-the-state", test_maximum_of_the_state);
  g_test_add_func ("/chain/limits/runtime-without-epochs", test_runtime_without_epochs);
  g_test_add_func ("/chain/limits/both-limits", test_both_limits);
  g_test_add_func ("/chain/limits/bad-values", test_bad_values);
  g_test_add_func ("/chain/limits/no-address", test_no_address);
  g_test_add_func ("/chain/limits/node-that-fails", test_node_that_fails);
  return g_test_run ();
}
