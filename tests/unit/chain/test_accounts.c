/* The commitments of one account, found by its marks (and kept: test_account_memory.c).
 *
 *  - followed back from one to the next: only the blocks that hold one are read; the ends of a stretch belong to it
 *  - a mark stays when the slot is emptied; where a runtime has no marks the slot alone tells; failed ones leave none
 *  - a mark of a block that holds no such commitment (it came by a proxy) is passed over
 *  - a state that is gone: what is left is read block by block, and what cannot be read is named
 *  - a state that a gateway calls empty is gone, too
 *  - refused: a mark of a block that was not there yet, one that is no number, an address that is none
 */
#include <string.h>

#include "engine_world.h"
#include "refusal.h"
#include "scratch.h"

/* Without what was kept. */
static void
forget_accounts (EngineWorld *world)
{
  g_autofree char *folder = scratch_path (world->home, "cache");
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  for (const char *name = g_dir_read_name (files); name; name = g_dir_read_name (files))
    if (g_str_has_prefix (name, "account-"))
    {
      g_autofree char *path = scratch_path (folder, name);
      g_assert_cmpint (remove (path), ==, 0);
    }
}

/* ── marks ── */

static void
test_marks (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 3);
  assert_account (&world, world.bob, 1, 60, "6 bob sv1 commit b1\n7 bob sv1 commit b2\n30 bob sv1 commit b3\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 6);
}

static void
test_ends (void)
{
  static const struct
  {
    guint64 first, last;
    const char *expected;
    guint n_bodies;
  } cases[] = {
    { 6, 40, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n", 3 },
    { 7, 39, "20 alice sv1 commit a2\n", 1 },
    { 20, 20, "20 alice sv1 commit a2\n", 1 },
    { 21, 39, "", 0 },
    { 1, 5, "", 0 },
    { 0, 6, "6 alice sv1 commit a1\n", 1 },
    { 41, 60, "", 0 },
    { 30, 20, "", 0 },
  };
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    forget_accounts (&world);
    model_node_forget (&world.nodes[0]);
    assert_account (&world, world.alice, cases[i].first, cases[i].last, cases[i].expected);
    g_assert_cmpuint (engine_world_n_bodies (&world), ==, cases[i].n_bodies);
  }
}

static void
test_slot_is_emptied (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  model_set (world.model, "Commitments", "CommitmentOf", sv_keypair_public_key (world.alice), SV_PUBLIC_KEY_SIZE, NULL);
  model_grow (world.model, 10);
  engine_world_head (&world);
  assert_account (&world, world.alice, 1, 70, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
}

static void
test_runtime_without_marks (void)
{
  engine_world_begin (world, 5, .has_no_marks = TRUE);
  engine_world_tell_accounts (&world);
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 3);
}

static void
set_mark (EngineWorld *world, const char *value)
{
  model_set (world->model, "Commitments", "LastCommitment", sv_keypair_public_key (world->alice), SV_PUBLIC_KEY_SIZE, value);
  model_grow (world->model, 10);
  engine_world_head (world);
}

static void
test_mark_without_a_commitment (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  set_mark (&world, "0x32000000"); /* 50 */
  assert_account (&world, world.alice, 1, 70, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 4);
}

/* Without state from block 1 to 19, and calling it empty. */
static void
empty_state (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  const char *at = json_string_value (json_array_get (params, 1));
  gboolean is_old = FALSE;
  for (guint64 number = 1; number < 20; number++)
    is_old = is_old || g_strcmp0 (at, model_block (node->model, number)->hash) == 0;
  if (strcmp (method, "state_getStorage") != 0 || !is_old)
    return;
  json_decref (*result);
  *result = json_null ();
}

/* The body of block 6 tells of a commitment all the same, and its slot does not any more. */
static void
test_state_is_called_empty (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  world.nodes[0].meddle = empty_state;
  g_autofree char *text = account_text (&world, world.alice, 1, 60, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  assert_unreadable (gone, 6);
}

static gboolean
read_account (EngineWorld *world, guint64 last, GError **error)
{
  g_autofree char *text = account_text (world, world->alice, 1, last, NULL, error);
  return text != NULL;
}

static void
test_mark_of_the_future (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  set_mark (&world, "0x41000000"); /* 65, set in block 61 */
  assert_fails_saying (read_account (&world, 64, refusal), SV_ERROR_VERIFY,
                       "committed in block 65 and that this was so at block 64");
  assert_account (&world, world.alice, 65, 65, "");
}

static void
test_mark_of_eight_bytes (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  set_mark (&world, "0x3200000000000000");
  assert_account (&world, world.alice, 30, 70, "40 alice sv1 commit a3\n");
}

static void
test_mark_that_is_no_number (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  set_mark (&world, "0x3200");
  assert_fails_saying (read_account (&world, 70, refusal), SV_ERROR_MALFORMED, "Commitments.LastCommitment");
}

static gboolean
read_address (EngineWorld *world, const char *address, GError **error)
{
  g_autoptr (GPtrArray) found = sv_chain_account_commitments (world->chain, address, 1, 60, NULL, error);
  return found != NULL;
}

static void
test_no_address (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  assert_fails_saying (read_address (&world, "alice", refusal), SV_ERROR_USAGE, "alice is no account of network 42");
}

/* ── states that are gone ── */

static void
test_states_are_gone (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_accounts (&world);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  world.nodes[0].state_from = 35;
  g_autofree char *text = account_text (&world, world.alice, 1, 60, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "40 alice sv1 commit a3\n"); /* 20 is replaced in the slot, and so are Bob's of 6 and 7 */
  assert_unreadable (gone, 6, 20);                        /* of Bob's nothing need be known */
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 1 + 1 + 19); /* a mark above 20 would be known */
}

static void
test_archive_has_the_states (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_add_node (&world, NULL);
  engine_world_tell_accounts (&world);
  world.nodes[0].state_from = 35;
  assert_account (&world, world.alice, 1, 60, "6 alice sv1 commit a1\n20 alice sv1 commit a2\n40 alice sv1 commit a3\n");
  g_assert_cmpuint (engine_world_n_bodies (&world), ==, 3);
}

/* Neither the state nor the runtime that wrote it: a change of runtime lies between. */
static void
test_runtime_is_gone (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) gone = NULL;
  model_commit (world.model, world.alice, "sv1 commit a1"); /* 6 */
  model_upgrade (world.model, &(SmallRuntime){ .commitments_index = 19 });
  model_grow (world.model, 1);
  model_commit (world.model, world.alice, "sv1 commit a2"); /* 8 */
  model_grow (world.model, 20);
  world.nodes[0].state_from = 20;
  engine_world_ready (&world);
  g_autofree char *text = account_text (&world, world.alice, 5, 28, &gone, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "8 alice sv1 commit a2\n");
  assert_unreadable (gone, 5, 6, 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/accounts/marks", test_marks);
  g_test_add_func ("/chain/accounts/ends", test_ends);
  g_test_add_func ("/chain/accounts/slot-is-emptied", test_slot_is_emptied);
  g_test_add_func ("/chain/accounts/runtime-without-marks", test_runtime_without_marks);
  g_test_add_func ("/chain/accounts/mark-without-a-commitment", test_mark_without_a_commitment);
  g_test_add_func ("/chain/accounts/state-is-called-empty", test_state_is_called_empty);
  g_test_add_func ("/chain/accounts/mark-of-the-future", test_mark_of_the_future);
  g_test_add_func ("/chain/accounts/mark-of-eight-bytes", test_mark_of_eight_bytes);
  g_test_add_func ("/chain/accounts/mark-that-is-no-number", test_mark_that_is_no_number);
  g_test_add_func ("/chain/accounts/no-address", test_no_address);
  g_test_add_func ("/chain/accounts/states-are-gone", test_states_are_gone);
  g_test_add_func ("/chain/accounts/archive-has-the-states", test_archive_has_the_states);
  g_test_add_func ("/chain/accounts/runtime-is-gone", test_runtime_is_gone);
  return g_test_run ();
}
