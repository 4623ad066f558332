/* Publishes into a folder what nobody has yet: N windows, the first of which, the active one, has a manifest of many elements
 * with four clips each, the others one of two. Only the first manifest is written, because nobody asks for the others; unless
 * clips are named: then they are the elements' clips, four at a time, and every manifest is there to be served.
 *   usage: publish STORE_FOLDER N_WINDOWS N_ELEMENTS [CLIP…]
 * The configured wallet signs for the configured chain; prints the first manifest's hash. */
#include <sodium.h>
#include <stdio.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/identifiers.h"
#include "base/rfc3339.h"
#include "distribution/reader.h"
#include "rounds.h"

#define N_CLIPS 4
#define N_USUAL_ELEMENTS 2
#define FIRST_WINDOW_BLOCKS 1000000 /* long enough to be active in every run */
#define WINDOW_BLOCKS 7200
#define FILE_MODE 0644

typedef struct
{
  SvKeypair *keypair;
  SvChain *chain;
  const char *store;
  SvIndex *index;
  char *first_hash;
  char **clips; /* hashes; none: made up */
  guint n_clips;
} World;

static char *
choose_clip (const World *world, guint64 number)
{
  guint8 content[32];
  if (world->n_clips > 0)
    return g_strdup (world->clips[number % world->n_clips]);
  randombytes_buf (content, sizeof content);
  return sv_hash_bytes (content, sizeof content);
}

static json_t *
make_clips (const World *world, guint64 element)
{
  json_t *clips = json_array ();
  for (guint i = 0; i < N_CLIPS; i++)
  {
    g_autofree char *hash = choose_clip (world, element * N_CLIPS + i);
    json_array_append_new (clips, json_pack ("{s:s, s:f}", "hash", hash, "weight", 1.0));
  }
  return clips;
}

static json_t *
make_element (const World *world, guint64 number)
{
  g_autofree char *id = g_strdup_printf ("PlayerDetect_v%" G_GUINT64_FORMAT "@1.0", number);
  return json_pack ("{s:s, s:o, s:{s:f, s:f, s:s}, s:{s:{s:f, s:f}}, s:f, s:f, s:f, s:f, s:f, s:[s], s:s}", "id", id, "clips",
                    make_clips (world, number), "preproc", "fps", 5.0, "resize_long", 1280.0, "norm", "rgb-01", "metrics",
                    "pillars", "iou", 0.6, "count", 0.4, "latency_p95_ms", 200.0, "service_rate_fps", 25.0, "baseline_theta",
                    0.78, "delta_floor", 0.01, "beta", 1.4, "telemetry", "inference_ms", "challenge_type", "football");
}

static json_t *
make_authored (const World *world, guint64 window, guint64 n_elements)
{
  const guint64 end = FIRST_WINDOW_BLOCKS + window * WINDOW_BLOCKS;
  g_autofree char *id = g_strdup_printf ("window-%" G_GUINT64_FORMAT, window);
  json_t *elements = json_array ();
  for (guint64 i = 0; i < n_elements; i++)
    json_array_append_new (elements, make_element (world, i));
  return json_pack ("{s:s, s:s, s:o, s:o, s:o}", "version", SV_MANIFEST_VERSION, "window_id", id, "start_block",
                    sv_json_integer (window == 0 ? 0 : end - WINDOW_BLOCKS), "expiry_block", sv_json_integer (end), "elements",
                    elements);
}

static gboolean
write_document (const World *world, const char *leaf, GBytes *bytes, GError **error)
{
  g_autofree char *path = g_build_filename (world->store, "scorevision", leaf, NULL);
  return sv_file_write (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), FILE_MODE, error);
}

static gboolean
add_window (World *world, guint64 window, guint64 n_elements, GError **error)
{
  const SvIndexChange change = { .is_new = TRUE, .now = sv_clock_ms () };
  g_autoptr (json_t) authored = make_authored (world, window, n_elements);
  g_autoptr (SvManifest) manifest =
      sv_manifest_sign (authored, 0, world->index->newest, sv_chain_id (world->chain), world->keypair, change.now, error);
  if (manifest == NULL || !sv_index_add (world->index, manifest, &change, error))
    return FALSE;
  if (window > 0 && world->n_clips == 0)
    return TRUE;
  g_autofree char *leaf = g_strdup_printf ("manifests/%s.json", sv_hash_hex (manifest->hash));
  if (window == 0)
    world->first_hash = g_strdup (manifest->hash);
  return write_document (world, leaf, manifest->document->bytes, error);
}

static gboolean
publish (World *world, guint64 n_windows, guint64 n_elements, GError **error)
{
  for (guint64 window = 0; window < n_windows; window++)
    if (!add_window (world, window, window == 0 ? n_elements : N_USUAL_ELEMENTS, error))
      return FALSE;
  g_autoptr (SvSignedDocument) document = sv_index_sign (world->index, world->keypair, sv_clock_ms (), error);
  return document != NULL && write_document (world, "index.json", document->bytes, error);
}

int
main (int argc, char **argv)
{
  World world = { 0 };
  guint64 n_windows, n_elements;
  g_autoptr (GError) error = NULL;
  if (argc < 4 || !sv_integer_parse (argv[2], &n_windows) || !sv_integer_parse (argv[3], &n_elements) || sodium_init () < 0)
    bench_fail ("usage: publish STORE_FOLDER N_WINDOWS N_ELEMENTS [CLIP…]");
  g_autoptr (SvConfig) config = sv_config_load (&error);
  world.store = argv[1];
  world.clips = argv + 4;
  world.n_clips = (guint)argc - 4;
  if (world.n_clips > 0 && world.n_clips < N_CLIPS)
    bench_fail ("an element has %d clips, each another", N_CLIPS);
  world.keypair = config != NULL ? sv_wallet_load (config, &error) : NULL;
  world.chain = world.keypair != NULL ? sv_chain_open (config, &error) : NULL;
  if (world.chain == NULL)
    bench_fail ("%s", error->message);
  world.index = sv_index_new (sv_chain_id (world.chain));
  if (!publish (&world, n_windows, n_elements, &error))
    bench_fail ("%s", error->message);
  printf ("%s\n", world.first_hash);
  return 0;
}
