/* Who owns the subnet and who may validate.
 *
 * owner   - at the finalized head; nobody where it is unset or the zero key; refused: what is no account
 * permits - of those uids that have one, without places that nobody holds; none without the vector; refused: what is no vector
 * two endpoints must agree: a different or missing value is refused; one that does not have the state, or is down, is left out
 */
#include <string.h>

#include "engine_world.h"
#include "refusal.h"

static void
change_value (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "state_getStorage") != 0)
    return;
  json_decref (*result);
  *result = node->data ? json_string (node->data) : json_null ();
}

/* ── owner ── */

static void
set_owner (EngineWorld *world, const char *value)
{
  model_set (world->model, "SubtensorModule", "SubnetOwnerHotkey", NULL, 0, value);
  model_grow (world->model, 4);
  engine_world_head (world);
}

static char *
hex_of_account (const SvKeypair *who)
{
  GString *hex = g_string_new ("0x");
  for (gsize i = 0; i < SV_PUBLIC_KEY_SIZE; i++)
    g_string_append_printf (hex, "%02x", sv_keypair_public_key (who)[i]);
  return g_string_free (hex, FALSE);
}

static void
assert_owner (EngineWorld *world, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *owner = NULL;
  gboolean is_read = sv_chain_find_owner (world->chain, &owner, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  g_assert_cmpstr (owner, ==, expected);
}

#define ZERO_KEY "0x0000000000000000000000000000000000000000000000000000000000000000"

static void
test_owner (void)
{
  engine_world_begin (world, 5, 0);
  g_autofree char *alice = hex_of_account (world.alice), *bob = hex_of_account (world.bob), *owner = NULL;
  engine_world_ready (&world);
  assert_owner (&world, NULL);
  assert_fails_saying (sv_chain_owner (world.chain, refusal), SV_ERROR_VERIFY, "has no owner");
  set_owner (&world, alice);
  assert_owner (&world, sv_keypair_address (world.alice));
  model_set (world.model, "SubtensorModule", "SubnetOwnerHotkey", NULL, 0, bob);
  model_grow (world.model, 1); /* not yet final */
  engine_world_head (&world);
  assert_owner (&world, sv_keypair_address (world.alice));
  set_owner (&world, ZERO_KEY);
  assert_owner (&world, NULL);
  set_owner (&world, "0x1234");
  assert_fails_saying (sv_chain_find_owner (world.chain, &owner, refusal), SV_ERROR_MALFORMED, "is no account");
}

/* ── permits ── */

static void
set_key (EngineWorld *world, guint8 uid, const char *account)
{
  const guint8 second[] = { uid, 0 };
  model_set (world->model, "SubtensorModule", "Keys", second, sizeof second, account);
}

/* Uids 0 and 3 are Alice's and Bob's, and a place has gone free. */
static void
set_permits (EngineWorld *world, const char *permits)
{
  g_autofree char *alice = hex_of_account (world->alice), *bob = hex_of_account (world->bob);
  set_key (world, 0, alice);
  set_key (world, 1, ZERO_KEY);
  set_key (world, 3, bob);
  model_set (world->model, "SubtensorModule", "ValidatorPermit", NULL, 0, permits);
  model_grow (world->model, 4);
  engine_world_head (world);
}

static void
assert_permits (EngineWorld *world, guint64 block, const char *first, const char *second)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) permits = sv_chain_permits (world->chain, block, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (permits), ==, (first ? 1 : 0) + (second ? 1 : 0));
  g_assert_cmpstr (permits[0], ==, first);
  g_assert_cmpstr (first ? permits[1] : NULL, ==, second);
}

static void
test_permits (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_ready (&world);
  const char *alice = sv_keypair_address (world.alice), *bob = sv_keypair_address (world.bob);
  assert_permits (&world, 2, NULL, NULL);
  set_permits (&world, "0x1001010001"); /* 0, 1 and 3 of four */
  assert_permits (&world, 6, alice, bob);
  set_permits (&world, "0x1401000101"
                       "01"); /* 0, 2, 3 and 4 of five: 2 and 4 are not there */
  assert_permits (&world, 10, alice, bob);
  assert_permits (&world, 9, alice, bob);
  set_permits (&world, "0x1000000001");
  assert_permits (&world, 14, bob, NULL);
  assert_permits (&world, 5, NULL, NULL);
}

static void
test_bad_permits (void)
{
  static const char *const values[] = { "0x1001010002", "0x10010100", "0x040101", "0x", "0x0802" };
  engine_world_begin (world, 5, 0);
  engine_world_ready (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
  {
    set_permits (&world, values[i]);
    guint64 final = engine_world_head (&world).finalized.number;
    assert_fails_saying (sv_chain_permits (world.chain, final, refusal), SV_ERROR_MALFORMED, "SubtensorModule.ValidatorPermit");
  }
}

/* ── two endpoints ── */

static void
begin_with_two (EngineWorld *world)
{
  g_autofree char *alice = hex_of_account (world->alice);
  engine_world_add_node (world, NULL);
  engine_world_ready (world);
  set_owner (world, alice);
  set_permits (world, "0x1001010001");
  model_node_forget (&world->nodes[1]);
}

static void
test_endpoints_that_disagree (void)
{
  static const char *const values[] = { NULL, ZERO_KEY };
  engine_world_begin (world, 5, 0);
  begin_with_two (&world);
  world.nodes[1].meddle = change_value;
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
  {
    char *owner = NULL;
    world.nodes[1].data = (gpointer)values[i];
    assert_fails_saying (sv_chain_find_owner (world.chain, &owner, refusal), SV_ERROR_VERIFY,
                         "have different values for SubnetOwnerHotkey at final block 10");
    assert_fails_saying (sv_chain_permits (world.chain, 10, refusal), SV_ERROR_VERIFY, "different values for ValidatorPermit");
  }
  g_autofree char *words = g_strdup_printf ("%s: state_getStorage: the node's answer is not", world.nodes[1].url);
  world.nodes[1].data = "no hex";
  assert_fails_saying (sv_chain_permits (world.chain, 10, refusal), SV_ERROR_MALFORMED, words);
  world.nodes[1].meddle = NULL;
  world.nodes[0].meddle = change_value; /* and the other way round */
  world.nodes[0].data = NULL;
  assert_fails_saying (sv_chain_permits (world.chain, 10, refusal), SV_ERROR_VERIFY, "different values for ValidatorPermit");
}

static void
test_second_does_not_tell (void)
{
  engine_world_begin (world, 5, 0);
  begin_with_two (&world);
  const char *alice = sv_keypair_address (world.alice);
  assert_owner (&world, alice);
  g_assert_cmpuint (model_node_count (&world.nodes[1], NULL), ==, 1);
  world.nodes[1].state_from = 100;
  assert_owner (&world, alice);
  g_assert_cmpuint (model_node_count (&world.nodes[1], NULL), ==, 2);
  world.nodes[1].is_down = TRUE;
  assert_owner (&world, alice);
  assert_permits (&world, 10, alice, sv_keypair_address (world.bob));
  world.nodes[1].is_down = FALSE;
  assert_owner (&world, alice); /* within the minute */
  g_assert_cmpuint (model_node_count (&world.nodes[1], NULL), ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/subnet/owner", test_owner);
  g_test_add_func ("/chain/subnet/permits", test_permits);
  g_test_add_func ("/chain/subnet/bad-permits", test_bad_permits);
  g_test_add_func ("/chain/subnet/endpoints-that-disagree", test_endpoints_that_disagree);
  g_test_add_func ("/chain/subnet/second-does-not-tell", test_second_does_not_tell);
  return g_test_run ();
}
