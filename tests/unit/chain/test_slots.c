/* What accounts have in their slots.
 *
 * slots   - every account's at the best head, by address, block and text; NULL for what is no text; more than one page of them
 *         - one that is gone between list and reading is left out; refused: a key without an account, a value that is none
 * anchors - "sv1 manifest …" and "sv1 revoke…" of the slot at a block, and no other text; by the metadata of that block
 *         - a state that is gone is unreachable, unless an archive has it
 */
#include <string.h>

#include "engine_world.h"
#include "refusal.h"

static void
set_slot (EngineWorld *world, const guint8 account[SV_PUBLIC_KEY_SIZE], const char *value)
{
  model_set (world->model, "Commitments", "CommitmentOf", account, SV_PUBLIC_KEY_SIZE, value);
}

/* ── slots ── */

static const SvSlot *
slot_of (const GPtrArray *slots, const SvKeypair *who)
{
  for (guint i = 0; i < slots->len; i++)
    if (strcmp (((const SvSlot *)slots->pdata[i])->account, sv_keypair_address (who)) == 0)
      return slots->pdata[i];
  return NULL;
}

static GPtrArray *
read_slots (EngineWorld *world)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *slots = sv_chain_slots (world->chain, &error);
  g_assert_no_error (error);
  return slots;
}

static void
test_slots (void)
{
  engine_world_begin (world, 5, 0);
  model_queue (world.model, world.bob, 43, "another subnet's", MODEL_SUCCEEDS);
  model_commit (world.model, world.alice, "first");
  model_commit (world.model, world.alice, "second"); /* 7 */
  set_slot (&world, sv_keypair_public_key (world.bob), "0x000000000000000008000000048604000900000000000000");
  model_grow (world.model, 1);
  engine_world_ready (&world);
  g_autoptr (GPtrArray) slots = read_slots (&world);
  g_assert_cmpuint (slots->len, ==, 2);
  const SvSlot *alice = slot_of (slots, world.alice), *bob = slot_of (slots, world.bob);
  g_assert_cmpuint (alice->block, ==, 7);
  g_assert_cmpstr (alice->text, ==, "second");
  g_assert_cmpuint (bob->block, ==, 8);
  g_assert_null (bob->text);
}

static void
test_no_slots (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_ready (&world);
  g_autoptr (GPtrArray) slots = read_slots (&world);
  g_assert_cmpuint (slots->len, ==, 0);
}

static void
fill_slots (EngineWorld *world, guint n)
{
  g_autofree char *value = model_slot_hex (world->model, 5, "x");
  for (guint i = 0; i < n; i++)
  {
    guint8 account[SV_PUBLIC_KEY_SIZE] = { (guint8)i, (guint8)(i >> 8), 1 };
    set_slot (world, account, value);
  }
  model_grow (world->model, 1);
}

static void
assert_n_slots (guint n, guint n_pages)
{
  engine_world_begin (world, 5, 0);
  fill_slots (&world, n);
  engine_world_ready (&world);
  g_autoptr (GPtrArray) slots = read_slots (&world);
  g_autoptr (GHashTable) accounts = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < slots->len; i++)
    g_hash_table_add (accounts, ((SvSlot *)slots->pdata[i])->account);
  g_assert_cmpuint (slots->len, ==, n);
  g_assert_cmpuint (g_hash_table_size (accounts), ==, n);
  g_assert_cmpuint (model_node_count (&world.nodes[0], "state_getKeysPaged"), ==, n_pages);
}

static void
test_pages (void)
{
  assert_n_slots (511, 1);
  assert_n_slots (512, 2);
  assert_n_slots (1300, 3);
}

/* A node that gives the same page again and again, or keys of another map, is not followed for ever. */
static void
repeat_page (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "state_getKeysPaged") != 0)
    return;
  while (json_array_size (*result) < 512)
    json_array_append_new (*result, json_string ("0x1234"));
}

static void
test_keys_of_another_map (void)
{
  engine_world_begin (world, 5, 0);
  model_commit (world.model, world.alice, "a");
  engine_world_ready (&world);
  world.nodes[0].meddle = repeat_page;
  g_autoptr (GPtrArray) slots = read_slots (&world);
  g_assert_cmpuint (slots->len, ==, 1);
}

static gboolean
try_slots (EngineWorld *world, GError **error)
{
  g_autoptr (GPtrArray) slots = sv_chain_slots (world->chain, error);
  return slots != NULL;
}

static void
lose_value (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "state_getStorage") != 0)
    return;
  json_decref (*result);
  *result = node->data ? json_string (node->data) : json_null ();
}

/* There is a value under a key that is cut short. */
static void
cut_key (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  lose_value (node, method, params, result);
  if (strcmp (method, "state_getKeysPaged") != 0)
    return;
  g_autofree char *key = g_strndup (json_string_value (json_array_get (*result, 0)), 80);
  json_array_set_new (*result, 0, json_string (key));
}

static void
test_bad_slots (void)
{
  engine_world_begin (world, 5, 0);
  g_autofree char *slot = model_slot_hex (world.model, 6, "a");
  model_commit (world.model, world.alice, "a");
  engine_world_ready (&world);
  world.nodes[0].meddle = lose_value;
  g_autoptr (GPtrArray) slots = read_slots (&world);
  g_assert_cmpuint (slots->len, ==, 0);
  world.nodes[0].data = "0x00";
  assert_fails (try_slots (&world, refusal), SV_ERROR_MALFORMED);
  world.nodes[0].data = "zz";
  assert_fails_saying (try_slots (&world, refusal), SV_ERROR_MALFORMED, "is not bytes in hex");
  world.nodes[0].data = slot;
  world.nodes[0].meddle = cut_key;
  assert_fails_saying (try_slots (&world, refusal), SV_ERROR_MALFORMED, "a key of Commitments.CommitmentOf names no account");
  world.nodes[0].meddle = NULL;
  world.nodes[0].failing = "state_getKeysPaged";
  world.nodes[0].code = -32601;
  world.nodes[0].words = "Method not found";
  assert_fails_saying (try_slots (&world, refusal), SV_ERROR_UNREACHABLE, "this endpoint does not serve it");
  world.nodes[0].failing = "state_getStorage";
  assert_fails_saying (try_slots (&world, refusal), SV_ERROR_UNREACHABLE, "this endpoint does not serve it");
}

/* ── anchors ── */

static gboolean
read_anchor (EngineWorld *world, guint64 block, char **text, GError **error)
{
  return sv_chain_anchor_text (world->chain, sv_keypair_address (world->alice), block, text, error);
}

static void
assert_anchor (EngineWorld *world, guint64 block, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean is_read = read_anchor (world, block, &text, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_anchors (void)
{
  engine_world_begin (world, 5, .has_big_raw = TRUE);           /* a field that the later runtime does not know */
  model_commit (world.model, world.alice, "sv1 manifest aa 1"); /* 6 */
  model_grow (world.model, 1);
  model_commit (world.model, world.alice, "sv1 revoke\nx"); /* 8 */
  model_commit (world.model, world.alice, "sv1 commit x");  /* 9 */
  model_upgrade (world.model, &(SmallRuntime){ .commitments_index = 19 });
  model_grow (world.model, 1);
  model_commit (world.model, world.alice, "sv1 manifest bb 2"); /* 11 */
  model_grow (world.model, 10);
  engine_world_ready (&world);
  assert_anchor (&world, 5, NULL);
  assert_anchor (&world, 6, "sv1 manifest aa 1");
  assert_anchor (&world, 7, "sv1 manifest aa 1");
  assert_anchor (&world, 8, "sv1 revoke\nx");
  assert_anchor (&world, 9, NULL);
  assert_anchor (&world, 11, "sv1 manifest bb 2");
  model_node_forget (&world.nodes[0]);
  assert_anchor (&world, 18, "sv1 manifest bb 2"); /* the finalized block, whose hash is known */
  g_assert_cmpuint (model_node_count (&world.nodes[0], "chain_getBlockHash"), ==, 0);
  assert_anchor (&world, 21, "sv1 manifest bb 2");
  char *text = NULL;
  assert_fails_saying (read_anchor (&world, 22, &text, refusal), SV_ERROR_NOT_FOUND, "has no block 22 yet");
  world.nodes[0].meddle = lose_value;
  world.nodes[0].data = "0x00";
  assert_fails_saying (read_anchor (&world, 18, &text, refusal), SV_ERROR_MALFORMED, "Commitments.CommitmentOf");
  assert_fails (sv_chain_anchor_text (world.chain, "nobody", 18, &text, refusal), SV_ERROR_USAGE);
}

static void
test_anchor_whose_state_is_gone (void)
{
  engine_world_begin (world, 5, 0);
  model_commit (world.model, world.alice, "sv1 manifest aa 1"); /* 6 */
  model_grow (world.model, 20);
  world.nodes[0].state_from = 15;
  engine_world_ready (&world);
  char *text = NULL;
  assert_fails_saying (read_anchor (&world, 10, &text, refusal), SV_ERROR_UNREACHABLE,
                       "does not have the state of block 10 any more; set BITTENSOR_SUBTENSOR_FALLBACK to an archive endpoint");
  assert_anchor (&world, 20, "sv1 manifest aa 1");
}

static void
test_anchor_whose_runtime_is_gone (void)
{
  engine_world_begin (world, 5, 0);
  model_commit (world.model, world.alice, "sv1 manifest aa 1"); /* 6 */
  model_upgrade (world.model, &(SmallRuntime){ 0 });
  model_grow (world.model, 20);
  world.nodes[0].state_from = 15;
  engine_world_ready (&world);
  char *text = NULL;
  assert_fails_saying (read_anchor (&world, 6, &text, refusal), SV_ERROR_UNREACHABLE, "the state of block 6 is gone");
}

static void
test_anchor_in_an_archive (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_add_node (&world, NULL);
  model_commit (world.model, world.alice, "sv1 manifest aa 1"); /* 6 */
  model_upgrade (world.model, &(SmallRuntime){ 0 });
  model_grow (world.model, 20);
  world.nodes[0].state_from = 15;
  engine_world_ready (&world);
  assert_anchor (&world, 6, "sv1 manifest aa 1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/slots/slots", test_slots);
  g_test_add_func ("/chain/slots/no-slots", test_no_slots);
  g_test_add_func ("/chain/slots/pages", test_pages);
  g_test_add_func ("/chain/slots/keys-of-another-map", test_keys_of_another_map);
  g_test_add_func ("/chain/slots/bad-slots", test_bad_slots);
  g_test_add_func ("/chain/slots/anchors", test_anchors);
  g_test_add_func ("/chain/slots/anchor-whose-state-is-gone", test_anchor_whose_state_is_gone);
  g_test_add_func ("/chain/slots/anchor-whose-runtime-is-gone", test_anchor_whose_runtime_is_gone);
  g_test_add_func ("/chain/slots/anchor-in-an-archive", test_anchor_in_an_archive);
  return g_test_run ();
}
