/* Writes N shards, signed and right in every respect, for an audit to read.
 *   usage: shards MANIFEST_FILE MINER ELEMENT N >FILE
 * The configured wallet signs; the binding is read from the receipts in $SCOREVISION_HOME, the block from the configured chain.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rfc3339.h"
#include "bindings/receipts.h"
#include "protocol/shard.h"
#include "rounds.h"

typedef struct
{
  SvKeypair *keypair;
  SvChain *chain;
  SvManifest *manifest;
  const SvElement *element;
  const char *miner;
  SvReceipts *receipts;
  guint64 block;
} World;

static gboolean
trust_anybody (const char *address, gpointer data)
{
  return TRUE;
}

static gboolean
read_world (World *world, const SvConfig *config, char **arguments, GError **error)
{
  SvHead head;
  gsize length;
  g_autofree char *stored = NULL;
  world->keypair = sv_wallet_load (config, error);
  world->chain = world->keypair != NULL ? sv_chain_open (config, error) : NULL;
  if (world->chain == NULL || !sv_chain_head (world->chain, &head, error) ||
      !g_file_get_contents (arguments[0], &stored, &length, error))
    return FALSE;
  g_autoptr (GBytes) bytes = g_bytes_new (stored, length);
  world->manifest = sv_manifest_open (bytes, NULL, sv_chain_id (world->chain), trust_anybody, NULL, error);
  if (world->manifest == NULL)
    return FALSE;
  world->block = head.finalized.number;
  world->miner = arguments[1];
  world->element = sv_manifest_find_element (world->manifest, arguments[2]);
  world->receipts = sv_receipts_read (config, world->manifest->window_id, world->miner, error);
  return world->receipts != NULL;
}

/* What the evaluator and the chute would say. */
static void
measure (const World *world, SvShard *shard)
{
  for (gsize i = 0; i < world->element->n_pillars; i++)
    json_object_set_new (shard->metrics, world->element->pillars[i].name, json_real (g_random_int_range (0, 1000) / 1000.0));
  for (char **key = world->element->telemetry; *key != NULL; key++)
    json_object_set_new (shard->telemetry, *key, json_real (100));
  shard->n_latencies = SV_LATENCY_CALLS;
  shard->latencies_ms = g_new (double, SV_LATENCY_CALLS);
  for (gsize i = 0; i < SV_LATENCY_CALLS; i++)
    shard->latencies_ms[i] = g_random_int_range (80000, 160000) / 1000.0;
  sv_shard_score (shard, world->element);
}

static SvShard *
make_shard (const World *world, guint64 challenge_id)
{
  const SvBoundElement *bound = sv_receipts_find (world->receipts, world->element->id);
  SvShard *shard = sv_shard_new ();
  shard->window_id = g_strdup (world->manifest->window_id);
  shard->manifest_hash = g_strdup (world->manifest->hash);
  shard->element_id = g_strdup (world->element->id);
  shard->challenge_id = g_strdup_printf ("%" G_GUINT64_FORMAT, challenge_id);
  shard->clip_hash = g_strdup (world->element->clips[0].hash);
  shard->miner_hotkey = g_strdup (world->miner);
  shard->commitment_proof = g_strdup (bound->proof);
  shard->chute_slug = g_strdup (bound->binding.chute_slug);
  shard->chute_id = g_strdup (bound->binding.chute_id);
  shard->hf_revision = g_strdup (bound->binding.hf_revision);
  shard->block = world->block;
  shard->created_at = sv_clock_ms ();
  shard->seed = (guint64)g_random_int () << 21;
  shard->pgt_recipe_hash = g_strdup (world->element->pgt_recipe_hash);
  measure (world, shard);
  return shard;
}

int
main (int argc, char **argv)
{
  World world = { 0 };
  g_autoptr (GError) error = NULL;
  if (argc != 5 || sodium_init () < 0)
    bench_fail ("usage: shards MANIFEST_FILE MINER ELEMENT N");
  g_autoptr (SvConfig) config = sv_config_load (&error);
  if (config == NULL || !read_world (&world, config, argv + 1, &error))
    bench_fail ("%s", error->message);
  for (guint64 id = 1; id <= strtoull (argv[4], NULL, 10); id++)
  {
    g_autoptr (SvShard) shard = make_shard (&world, id);
    g_autoptr (SvSignedDocument) line =
        sv_shard_sign (shard, sv_chain_id (world.chain), world.keypair, shard->created_at, &error);
    if (line == NULL)
      bench_fail ("%s", error->message);
    fwrite (g_bytes_get_data (line->bytes, NULL), 1, g_bytes_get_size (line->bytes), stdout);
    putchar ('\n');
  }
  return fflush (stdout) == 0 ? 0 : 1;
}
