#include "world.h"

#include <string.h>

#include <glib/gstdio.h>

#include "base/hash.h"
#include "base/rfc3339.h"
#include "distribution/publisher.h"

#define DEADLINE_US (20 * G_TIME_SPAN_SECOND)
#define CHUTE_ID "87f7d0c5-0000-4000-8000-000000000001"

static const char clip_content[] = "\0\0\0\x18"
                                   "ftypisom-not-really-a-film";

/* ── building ── */

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
  {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_tree (child);
  }
  g_remove (path);
}

static void
set_path (World *world, const char *name, const char *scheme, const char *leaf)
{
  g_autofree char *value = g_strdup_printf ("%s%s/%s", scheme, world->directory, leaf);
  sv_config_set (world->config, name, value);
}

static void
make_config (World *world)
{
  world->config = sv_config_new ();
  set_path (world, "BITTENSOR_SUBTENSOR_ENDPOINT", "ledger:", "ledger.sqlite");
  set_path (world, "SCOREVISION_STORE", "file:", "store");
  set_path (world, "SCOREVISION_DATABASE", "sqlite:", "state.sqlite");
  set_path (world, "SCOREVISION_HOME", "", "home");
  set_path (world, "BITTENSOR_WALLET_PATH", "", "wallets");
  sv_config_set (world->config, "SCOREVISION_LISTEN", "127.0.0.1:0");
  sv_config_set (world->config, "SCOREVISION_MANIFEST_SIGNERS", sv_keypair_address (world->operator_key));
  sv_config_set (world->config, "SCOREVISION_VALIDATORS", sv_keypair_address (world->validator));
  sv_config_set (world->config, "SCOREVISION_RATE_LIMIT", "100000/60s");
}

static void
make_chain (World *world, guint64 block_time_ms)
{
  g_autoptr (GError) error = NULL;
  const char *const permits[] = { NULL };
  SvLedgerParameters parameters = {
    .owner = sv_keypair_address (world->operator_key), .permits = permits, .block_time_ms = block_time_ms, .finality = 3
  };
  g_autofree char *path = g_build_filename (world->directory, "ledger.sqlite", NULL);
  gboolean made = sv_ledger_create (path, &parameters, &error);
  g_assert_no_error (error);
  g_assert_true (made);
  world->chain = sv_chain_open (world->config, &error);
  g_assert_no_error (error);
}

static void
add_clip (World *world)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvState) state = world_open_state (world);
  world->clip_hash = sv_hash_bytes (clip_content, sizeof clip_content);
  SvClip clip = { .hash = world->clip_hash,
                  .bytes = sizeof clip_content,
                  .duration_ms = 30000,
                  .fps = 25,
                  .width = 1920,
                  .height = 1080,
                  .sport = (char *)"football",
                  .scenario = (char *)"match",
                  .challenge_type = (char *)"football",
                  .added_ms = 1 };
  gboolean added = sv_state_put_clip (state, &clip, &error);
  g_assert_no_error (error);
  g_assert_true (added);
  g_autoptr (SvObjectStore) store =
      sv_object_store_open (sv_config_get (world->config, "SCOREVISION_STORE"), world->config, &error);
  g_autoptr (GBytes) bytes = g_bytes_new_static (clip_content, sizeof clip_content);
  g_autofree char *key = g_strconcat ("private/clips/", sv_hash_hex (world->clip_hash), NULL);
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_autofree char *etag = sv_object_store_put (store, key, bytes, &options, &error);
  g_assert_no_error (error);
  g_assert_nonnull (etag);
}

static char *
element_text (const char *id, const char *clip_hash, const char *beta)
{
  g_autofree char *clips = clip_hash != NULL ? g_strdup_printf ("{\"hash\":\"%s\",\"weight\":1}", clip_hash) : g_strdup ("");
  return g_strdup_printf ("{\"id\":\"%s\",\"clips\":[%s],\"preproc\":{\"fps\":5,\"resize_long\":1280,\"norm\":\"rgb-01\"},"
                          "\"metrics\":{\"pillars\":{\"iou\":1}},\"latency_p95_ms\":200,\"service_rate_fps\":25,"
                          "\"baseline_theta\":0.5,\"delta_floor\":0.01,\"beta\":%s}",
                          id, clips, beta);
}

static json_t *
authored (World *world, const char *window_id, guint64 start, guint64 expiry, const char *beta)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *lost_hash = sv_hash_bytes ("lost", 4);
  g_autoptr (GString) elements = g_string_new (NULL);
  const char *ids[] = { "Serve@1", "Other@1", "Gone@1", "Moved@1", "Empty@1", "Lost@1" };
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
  {
    const char *clip = i < 4 ? world->clip_hash : i == 4 ? NULL : lost_hash;
    g_autofree char *element = element_text (ids[i], clip, beta);
    g_string_append_printf (elements, "%s%s", i > 0 ? "," : "", element);
  }
  g_autofree char *text = g_strdup_printf ("{\"version\":\"1.3\",\"window_id\":\"%s\",\"start_block\":%" G_GUINT64_FORMAT
                                           ",\"expiry_block\":%" G_GUINT64_FORMAT ",\"elements\":[%s]}",
                                           window_id, start, expiry, elements->str);
  json_t *json = sv_json_parse ("test", text, strlen (text), 1 << 20, &error);
  g_assert_no_error (error);
  return json;
}

typedef struct
{
  const SvManifest *manifest;
  SvIndexChange change;
} Addition;

static gboolean
add_to_index (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  Addition *addition = data;
  addition->change.supersede = sv_index_find_live (index, addition->manifest->window_id) != NULL;
  *changed = sv_index_add (index, addition->manifest, &addition->change, error);
  return *changed;
}

char *
world_publish (World *world, const char *window_id, guint64 start, guint64 expiry, const char *beta)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvObjectStore) store =
      sv_object_store_open (sv_config_get (world->config, "SCOREVISION_STORE"), world->config, &error);
  g_assert_no_error (error);
  g_autoptr (SvPublisher) publisher = sv_publisher_new (world->config, world->chain, store, world->operator_key, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SvIndex) index = sv_publisher_read_index (publisher, &error);
  g_assert_no_error (error);
  g_autoptr (json_t) content = authored (world, window_id, start, expiry, beta);
  g_autoptr (SvManifest) manifest =
      sv_manifest_sign (content, start, index->newest, sv_chain_id (world->chain), world->operator_key, sv_clock_ms (), &error);
  g_assert_no_error (error);
  gboolean put = sv_publisher_put_manifest (publisher, manifest, &error);
  g_assert_no_error (error);
  g_assert_true (put);
  SvHead head;
  g_assert_true (sv_chain_head (world->chain, &head, &error));
  Addition addition = { manifest,
                        { .finalized_block = head.finalized.number,
                          .best_block = head.best.number,
                          .overlap = SV_DEFAULT_OVERLAP,
                          .is_new = TRUE,
                          .now = sv_clock_ms () } };
  g_autoptr (SvIndex) published = sv_publisher_update_index (publisher, add_to_index, &addition, &error);
  g_assert_no_error (error);
  g_assert_nonnull (published);
  return g_strdup (manifest->hash);
}

char *
world_commit (World *world, const SvKeypair *keypair, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvPreparedExtrinsic) prepared =
      sv_chain_prepare_commitment (world->chain, keypair, text, SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  gboolean submitted = sv_chain_submit (world->chain, prepared, &error);
  g_assert_no_error (error);
  g_assert_true (submitted);
  if (sv_chain_block_time_ms (world->chain) > 0)
    world_advance (world, 1);
  g_autoptr (SvExtrinsic) included = sv_chain_await_inclusion (world->chain, prepared, 5000, NULL, NULL, &error);
  g_assert_no_error (error);
  return sv_proof_format (included->block, included->hash);
}

void
world_advance (World *world, guint64 n)
{
  g_autoptr (GError) error = NULL;
  gboolean advanced = sv_ledger_advance (world->chain, n, 0, &error);
  g_assert_no_error (error);
  g_assert_true (advanced);
}

guint64
world_head (World *world)
{
  g_autoptr (GError) error = NULL;
  SvHead head = { 0 };
  g_assert_true (sv_chain_head (world->chain, &head, &error));
  g_assert_no_error (error);
  return head.best.number;
}

SvState *
world_open_state (World *world)
{
  g_autoptr (GError) error = NULL;
  SvState *state = sv_state_open (world->config, &error);
  g_assert_no_error (error);
  return state;
}

#define BIND(element, revision) "\n" element " " revision " slug-one " CHUTE_ID " 1"

static void
bind_miners (World *world)
{
  world->old_proof = world_commit (world, world->miner, "sv1 commit old 100" BIND ("Serve@1", "rev"));
  world->proof = world_commit (world, world->miner,
                               "sv1 commit now 100" BIND ("Serve@1", "rev") BIND ("Empty@1", "rev") BIND ("Lost@1", "rev"));
  world->withdrawn_proof = world_commit (world, world->miner, "sv1 commit now 100" BIND ("Gone@1", "rev"));
  g_free (world_commit (world, world->miner, "sv1 withdraw now\nGone@1"));
  world->replaced_proof = world_commit (world, world->miner, "sv1 commit now 100" BIND ("Moved@1", "rev"));
  g_free (world_commit (world, world->miner, "sv1 commit now 100" BIND ("Moved@1", "rev-2")));
  world->next_proof = world_commit (world, world->miner, "sv1 commit next 100" BIND ("Serve@1", "rev"));
  world->rival_proof = world_commit (world, world->rival, "sv1 commit now 100\nServe@1 rev slug-two " CHUTE_ID " 1");
}

void
world_set_up (World *world, guint64 block_time_ms)
{
  g_autoptr (GError) error = NULL;
  const SvServerLimits limits = SV_SERVER_LIMITS_DEFAULT;
  memset (world, 0, sizeof *world);
  world->limits = limits;
  world->directory = g_dir_make_tmp ("sv-api-XXXXXX", &error);
  g_assert_no_error (error);
  world->operator_key = sv_keypair_generate (SV_SCHEME_ED25519);
  world->miner = sv_keypair_generate (SV_SCHEME_ED25519);
  world->rival = sv_keypair_generate (SV_SCHEME_ED25519);
  world->validator = sv_keypair_generate (SV_SCHEME_ED25519);
  world->stranger = sv_keypair_generate (SV_SCHEME_ED25519);
  make_config (world);
  make_chain (world, block_time_ms);
  add_clip (world);
}

void
world_populate (World *world)
{
  world_advance (world, 10);
  world->old_expiry = 30;
  world->old_manifest = world_publish (world, "old", 0, 30, "1");
  world->now_manifest = world_publish (world, "now", 30, 1000, "1");
  world->next_manifest = world_publish (world, "next", 1000, 2000, "1");
  bind_miners (world);
  g_assert_cmpuint (world_head (world), <, 30);
  world_advance (world, 35 - world_head (world));
}

void
world_tear_down (World *world)
{
  world_stop (world);
  sv_chain_free (world->chain);
  sv_config_free (world->config);
  sv_keypair_free (world->operator_key);
  sv_keypair_free (world->miner);
  sv_keypair_free (world->rival);
  sv_keypair_free (world->validator);
  sv_keypair_free (world->stranger);
  char *strings[] = {
    world->clip_hash,  world->old_manifest, world->now_manifest,    world->next_manifest,  world->old_proof,
    world->next_proof, world->proof,        world->withdrawn_proof, world->replaced_proof, world->rival_proof
  };
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_free (strings[i]);
  remove_tree (world->directory);
  g_free (world->directory);
}

void
world_start (World *world)
{
  if (world->now_manifest == NULL)
    world_populate (world);
  world_start_server (world);
  world_await_ready (world);
}

void
world_start_server (World *world)
{
  g_autoptr (GError) error = NULL;
  world->server = sv_server_start (world->config, &world->limits, &error);
  g_assert_no_error (error);
}

void
world_stop (World *world)
{
  g_clear_pointer (&world->server, sv_server_stop);
}

void
world_await_ready (World *world)
{
  world_await (world, "\"ready\"");
}

void
world_await (World *world, const char *part)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE_US;
  for (gboolean found = FALSE; !found; g_usleep (2000))
  {
    g_auto (Answer) answer = world_get (world, "/readyz");
    found = answer.body != NULL && strstr (answer.body, part) != NULL;
    if (!found && g_get_monotonic_time () > deadline)
      g_error ("/readyz does not come to say %s: %s", part, answer.body);
  }
}
