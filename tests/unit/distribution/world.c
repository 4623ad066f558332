#include "world.h"

#include <ftw.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rfc3339.h"

#include "../protocol/sample.h"

static void
set_url (SvConfig *config, const char *name, const char *scheme, const World *world, const char *leaf)
{
  g_autofree char *url = g_strdup_printf ("%s%s/%s", scheme, world->root, leaf);
  sv_config_set (config, name, url);
}

SvConfig *
world_config (const World *world, const char *home)
{
  SvConfig *config = sv_config_new ();
  set_url (config, "SCOREVISION_HOME", "", world, home);
  set_url (config, "SCOREVISION_STORE", "file:", world, "store");
  set_url (config, "BITTENSOR_SUBTENSOR_ENDPOINT", "ledger:", world, "ledger");
  sv_config_set (config, "SCOREVISION_MANIFEST_SIGNERS", sv_keypair_address (world->operator));
  return config;
}

World *
world_new (guint64 finality)
{
  GError *error = NULL;
  World *world = g_new0 (World, 1);
  world->root = g_dir_make_tmp ("sv-world-XXXXXX", &error);
  g_assert_no_error (error);
  world->operator= sv_keypair_generate (SV_SCHEME_ED25519);
  world->stranger = sv_keypair_generate (SV_SCHEME_ED25519);
  world->owner = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autofree char *ledger = world_path (world, "ledger");
  SvLedgerParameters parameters = { .owner = sv_keypair_address (world->owner), .finality = finality };
  gboolean made = sv_ledger_create (ledger, &parameters, &error);
  g_assert_no_error (error);
  g_assert_true (made);
  world->config = world_config (world, "home");
  world->chain = sv_chain_open (world->config, &error);
  g_assert_no_error (error);
  world->store = sv_object_store_open (sv_config_get (world->config, "SCOREVISION_STORE"), world->config, &error);
  g_assert_no_error (error);
  return world;
}

static int
remove_entry (const char *path, const struct stat *status, int type, struct FTW *position)
{
  return remove (path);
}

void
world_free (World *world)
{
  sv_object_store_free (world->store);
  sv_chain_free (world->chain);
  sv_keypair_free (world->operator);
  sv_keypair_free (world->stranger);
  sv_keypair_free (world->owner);
  sv_config_free (world->config);
  nftw (world->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  g_free (world->root);
  g_free (world);
}

char *
world_path (const World *world, const char *leaf)
{
  return g_build_filename (world->root, leaf, NULL);
}

/* ── chain ── */

void
world_advance (World *world, guint64 n)
{
  GError *error = NULL;
  gboolean done = sv_ledger_advance (world->chain, n, 0, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

void
world_commit (World *world, const SvKeypair *keypair, const char *text)
{
  GError *error = NULL;
  g_autoptr (SvPreparedExtrinsic) prepared =
      sv_chain_prepare_commitment (world->chain, keypair, text, SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  gboolean done = sv_chain_submit (world->chain, prepared, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

SvHead
world_head (World *world)
{
  GError *error = NULL;
  SvHead head;
  gboolean done = sv_chain_head (world->chain, &head, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  return head;
}

/* ── reading and publishing ── */

SvReader *
world_reader (const World *world, const SvConfig *config)
{
  GError *error = NULL;
  SvReader *reader = sv_reader_new (config, world->chain, NULL, &error);
  g_assert_no_error (error);
  return reader;
}

SvPublisher *
world_publisher (const World *world, const SvConfig *config, const SvKeypair *keypair)
{
  GError *error = NULL;
  SvPublisher *publisher = sv_publisher_new (config, world->chain, world->store, keypair, NULL, &error);
  g_assert_no_error (error);
  return publisher;
}

json_t *
world_authored (const char *window_id, guint64 start_block, guint64 expiry_block, const char *beta)
{
  json_t *authored = sample_authored (window_id, start_block, expiry_block);
  sample_set (authored, "/elements/0/beta", beta);
  return authored;
}

typedef struct
{
  World *world;
  SvPublisher *publisher;
  json_t *authored;
  gboolean supersede;
  char *hash;
} Addition;

static gboolean
add_manifest (SvIndex *index, gboolean *changed, gpointer data, GError **error)
{
  Addition *addition = data;
  SvHead head = world_head (addition->world);
  SvIndexChange change = { .finalized_block = head.finalized.number,
                           .best_block = head.best.number,
                           .overlap = SV_DEFAULT_OVERLAP,
                           .supersede = addition->supersede,
                           .is_new = TRUE,
                           .now = sv_clock_ms () };
  g_autoptr (SvManifest) manifest = sv_manifest_sign (
      addition->authored, 0, index->newest, sv_chain_id (addition->world->chain), addition->world->operator, change.now, error);
  if (manifest == NULL || !sv_index_add (index, manifest, &change, error) ||
      !sv_publisher_put_manifest (addition->publisher, manifest, error))
    return FALSE;
  g_free (addition->hash);
  addition->hash = g_strdup (manifest->hash);
  *changed = TRUE;
  return TRUE;
}

char *
world_publish (World *world, const char *window_id, guint64 start_block, guint64 expiry_block, const char *beta,
               gboolean supersede)
{
  GError *error = NULL;
  g_autoptr (SvConfig) config = world_config (world, "publisher-home");
  g_autoptr (SvPublisher) publisher = world_publisher (world, config, world->operator);
  g_autoptr (json_t) authored = world_authored (window_id, start_block, expiry_block, beta);
  Addition addition = { world, publisher, authored, supersede, NULL };
  g_autoptr (SvIndex) index = sv_publisher_update_index (publisher, add_manifest, &addition, &error);
  g_assert_no_error (error);
  g_assert_nonnull (index);
  return addition.hash;
}

/* ── the store, as an attacker has it ── */

#define INDEX_KEY "scorevision/index.json"

GBytes *
world_index_bytes (const World *world)
{
  GError *error = NULL;
  gboolean unchanged;
  SvGetOptions options = { .max_size = SV_INDEX_MAX_SIZE };
  g_autoptr (SvObject) object = sv_object_store_get (world->store, INDEX_KEY, &options, &unchanged, &error);
  g_assert_no_error (error);
  return g_bytes_ref (object->bytes);
}

void
world_set_object (const World *world, const char *key, GBytes *bytes)
{
  GError *error = NULL;
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_autofree char *etag = sv_object_store_put (world->store, key, bytes, &options, &error);
  g_assert_no_error (error);
  g_assert_nonnull (etag);
}

void
world_set_index_bytes (const World *world, GBytes *bytes)
{
  world_set_object (world, INDEX_KEY, bytes);
}

void
world_remove_object (const World *world, const char *key)
{
  GError *error = NULL;
  gboolean done = sv_object_store_delete (world->store, key, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

void
world_resign_index (World *world, const SvKeypair *keypair, void (*change) (SvIndex *index))
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = world_index_bytes (world);
  g_autoptr (SvIndex) index = sv_index_open (bytes, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  if (change != NULL)
    change (index);
  g_autoptr (SvSignedDocument) document = sv_index_sign (index, keypair, sv_clock_ms (), &error);
  g_assert_no_error (error);
  world_set_index_bytes (world, document->bytes);
}

void
world_assert_error (GError **error, SvErrorCode code, const char *part)
{
  g_assert_error (*error, SV_ERROR, (gint)code);
  if (strstr ((*error)->message, part) == NULL)
    g_error ("expected a message with \"%s\", got \"%s\"", part, (*error)->message);
  g_clear_error (error);
}
