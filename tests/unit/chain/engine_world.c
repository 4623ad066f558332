#include "engine_world.h"

#include <string.h>

#include "scratch.h"

static SvKeypair *
make_keypair (guint8 letter)
{
  guint8 seed[32];
  memset (seed, letter, sizeof seed);
  return sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
}

void
engine_world_start (EngineWorld *world, const SmallRuntime *runtime, guint n_blocks)
{
  g_autofree char *netuid = g_strdup_printf ("%u", MODEL_NETUID);
  world->model = chain_model_new (runtime);
  world->home = scratch_new ();
  world->alice = make_keypair ('a');
  world->bob = make_keypair ('b');
  model_register (world->model, world->alice);
  model_register (world->model, world->bob);
  model_grow (world->model, n_blocks);
  model_node_start (&world->nodes[0], world->model);
  world->n_nodes = 1;
  world->config = sv_config_new ();
  sv_config_set (world->config, "SCOREVISION_HOME", world->home);
  sv_config_set (world->config, "SCOREVISION_NETUID", netuid);
  sv_config_set (world->config, "BITTENSOR_SUBTENSOR_ENDPOINT", world->nodes[0].url);
}

void
engine_world_stop (EngineWorld *world)
{
  g_clear_pointer (&world->chain, sv_chain_free);
  for (guint i = 0; i < world->n_nodes; i++)
    model_node_stop (&world->nodes[i]);
  g_clear_pointer (&world->model, chain_model_free);
  g_clear_pointer (&world->other, chain_model_free);
  g_clear_pointer (&world->config, sv_config_free);
  g_clear_pointer (&world->alice, sv_keypair_free);
  g_clear_pointer (&world->bob, sv_keypair_free);
  g_clear_pointer (&world->home, scratch_remove);
}

ModelNode *
engine_world_add_node (EngineWorld *world, ChainModel *other)
{
  g_assert_cmpuint (world->n_nodes, ==, 1);
  world->other = other;
  model_node_start (&world->nodes[1], other ? other : world->model);
  world->n_nodes = 2;
  sv_config_set (world->config, "BITTENSOR_SUBTENSOR_FALLBACK", world->nodes[1].url);
  return &world->nodes[1];
}

void
engine_world_open (EngineWorld *world)
{
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&world->chain, sv_chain_free);
  world->chain = sv_chain_open (world->config, &error);
  g_assert_no_error (error);
}

SvSubtensor *
engine_world_engine (const EngineWorld *world)
{
  return (SvSubtensor *)world->chain;
}

SvHead
engine_world_head (EngineWorld *world)
{
  g_autoptr (GError) error = NULL;
  SvHead head;
  gboolean is_read = sv_chain_head (world->chain, &head, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  return head;
}

void
engine_world_forgive (EngineWorld *world)
{
  SvNodes *nodes = &engine_world_engine (world)->nodes;
  for (guint i = 0; i < nodes->n; i++)
    nodes->all[i].avoided_until_us = 0;
}

/* ── what is read ── */

void
assert_contains (const char *text, const char *part)
{
  if (!strstr (text, part))
    g_error ("expected \"%s\" in \"%s\"", part, text);
}

void
assert_numbers (const GArray *numbers, guint n, const guint64 *expected)
{
  g_autoptr (GString) have = g_string_new (""), want = g_string_new ("");
  g_assert_nonnull (numbers);
  for (guint i = 0; i < numbers->len; i++)
    g_string_append_printf (have, "%" G_GUINT64_FORMAT " ", g_array_index (numbers, guint64, i));
  for (guint i = 0; i < n; i++)
    g_string_append_printf (want, "%" G_GUINT64_FORMAT " ", expected[i]);
  g_assert_cmpstr (have->str, ==, want->str);
}

static char *
write_down (const EngineWorld *world, const GPtrArray *commitments)
{
  GString *text = g_string_new ("");
  for (guint i = 0; i < commitments->len; i++)
  {
    const SvExtrinsic *extrinsic = commitments->pdata[i];
    const char *name = strcmp (extrinsic->signer, sv_keypair_address (world->alice)) == 0 ? "alice"
                       : strcmp (extrinsic->signer, sv_keypair_address (world->bob)) == 0 ? "bob"
                                                                                          : "somebody else";
    g_assert_cmpint (extrinsic->succeeded, ==, extrinsic->failure == NULL);
    g_string_append_printf (text, "%" G_GUINT64_FORMAT " %s %s%s\n", extrinsic->block, name, extrinsic->text,
                            extrinsic->succeeded ? "" : " !");
  }
  return g_string_free (text, FALSE);
}

char *
commitments_text (EngineWorld *world, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  g_autoptr (GPtrArray) commitments = sv_chain_commitments (world->chain, first, last, unreadable, error);
  return commitments ? write_down (world, commitments) : NULL;
}

char *
account_text (EngineWorld *world, const SvKeypair *who, guint64 first, guint64 last, GArray **unreadable, GError **error)
{
  g_autoptr (GPtrArray) commitments =
      sv_chain_account_commitments (world->chain, sv_keypair_address (who), first, last, unreadable, error);
  return commitments ? write_down (world, commitments) : NULL;
}

void
assert_commitments (EngineWorld *world, guint64 first, guint64 last, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) unreadable = NULL;
  g_autofree char *text = commitments_text (world, first, last, &unreadable, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
  assert_numbers (unreadable, 0, NULL);
}

void
assert_account (EngineWorld *world, const SvKeypair *who, guint64 first, guint64 last, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) unreadable = NULL;
  g_autofree char *text = account_text (world, who, first, last, &unreadable, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
  assert_numbers (unreadable, 0, NULL);
}

/* ── what several tests tell ── */

void
engine_world_ready (EngineWorld *world)
{
  engine_world_open (world);
  engine_world_head (world);
  model_node_forget (&world->nodes[0]);
}

guint
engine_world_n_bodies (const EngineWorld *world)
{
  return model_node_count (&world->nodes[0], "chain_getBlock");
}

void
engine_world_tell_accounts (EngineWorld *world)
{
  model_queue (world->model, world->alice, MODEL_NETUID, "a failed", SMALL_ERROR_RATE);
  model_queue (world->model, world->alice, MODEL_NETUID, "sv1 commit a1", MODEL_SUCCEEDS);
  model_commit (world->model, world->bob, "sv1 commit b1");
  model_commit (world->model, world->bob, "sv1 commit b2");
  model_grow (world->model, 12);
  model_commit (world->model, world->alice, "sv1 commit a2");
  model_grow (world->model, 9);
  model_commit (world->model, world->bob, "sv1 commit b3");
  model_grow (world->model, 9);
  model_commit (world->model, world->alice, "sv1 commit a3");
  model_grow (world->model, 20);
  engine_world_ready (world);
}

void
engine_world_tell_open_blocks (EngineWorld *world)
{
  world->model->finality = 1000;
  model_grow (world->model, 44);
  model_commit (world->model, world->alice, "sv1 a"); /* 50 */
  model_grow (world->model, 50);
  engine_world_ready (world);
}

gboolean
engine_world_read_all (EngineWorld *world, GError **error)
{
  g_autoptr (GArray) gone = NULL;
  g_autofree char *text = commitments_text (world, 1, 100, &gone, error);
  return text != NULL;
}
