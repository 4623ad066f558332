/* Metadata on disk, so that a command need not fetch them.
 *
 *  - a second opening does not ask for them; what is read by them is the same
 *  - a day at most, and of two endpoints only what both say; where they differ, the chain is refused
 *  - another endpoint, genesis or spec version does not use them; a damaged or cut file is as none, and is written anew
 *  - the newest runtime's are kept, not those of an older one that history needs
 *  - a home that cannot be written to costs only the fetching
 *  - by the runtime's own functions where it has them: the newest version that can be read here, else state_getMetadata
 */
#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

#include "engine_world.h"
#include "refusal.h"
#include "scratch.h"

static guint
n_fetched (const EngineWorld *world)
{
  return model_node_count (&world->nodes[0], "state_getMetadata");
}

/* Opens the engine anew, which asks for metadata so many times. */
static void
assert_opening_fetches (EngineWorld *world, guint n)
{
  model_node_forget (&world->nodes[0]);
  engine_world_open (world);
  g_assert_cmpuint (n_fetched (world), ==, n);
  engine_world_head (world);
  assert_commitments (world, 1, 6, "5 alice sv1 a\n");
}

/* The one file there is. Returns: (transfer full). */
static char *
cache_file (const EngineWorld *world)
{
  g_autofree char *folder = scratch_path (world->home, "cache");
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) files = g_dir_open (folder, 0, &error);
  g_assert_no_error (error);
  const char *name = g_dir_read_name (files);
  g_assert_true (g_str_has_prefix (name, "metadata-"));
  return scratch_path (folder, name);
}

static void
begin (EngineWorld *world)
{
  model_commit (world->model, world->alice, "sv1 a"); /* 5 */
  model_grow (world->model, 10);
  assert_opening_fetches (world, 1);
}

static void
test_second_opening (void)
{
  engine_world_begin (world, 4, 0);
  begin (&world);
  assert_opening_fetches (&world, 0);
}

static void
change_byte (const EngineWorld *world, gsize place)
{
  g_autofree char *path = cache_file (world), *content = NULL;
  gsize length;
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_get_contents (path, &content, &length, &error));
  g_assert_cmpuint (place, <, length);
  content[place] ^= 1;
  g_assert_true (g_file_set_contents (path, content, (gssize)length, &error));
}

#define PLACE_OF_VERSION 0
#define PLACE_OF_GENESIS 10
#define PLACE_OF_METADATA 70 /* after four bytes and 66: "meta" */

static void
test_damaged_file (void)
{
  static const gsize places[] = { PLACE_OF_VERSION, PLACE_OF_GENESIS, PLACE_OF_METADATA };
  engine_world_begin (world, 4, 0);
  begin (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
  {
    change_byte (&world, places[i]);
    assert_opening_fetches (&world, 1);
    assert_opening_fetches (&world, 0);
  }
}

static void
test_cut_file (void)
{
  static const gssize lengths[] = { 0, 3, 69, 70, 500 };
  engine_world_begin (world, 4, 0);
  begin (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
  {
    g_autofree char *path = cache_file (&world), *content = NULL;
    g_autoptr (GError) error = NULL;
    g_assert_true (g_file_get_contents (path, &content, NULL, &error));
    g_assert_true (g_file_set_contents (path, content, lengths[i], &error));
    assert_opening_fetches (&world, 1);
  }
}

static void
test_another_endpoint (void)
{
  engine_world_begin (world, 4, 0);
  begin (&world);
  g_autofree char *other = g_strconcat (world.nodes[0].url, "/", NULL);
  sv_config_set (world.config, "BITTENSOR_SUBTENSOR_ENDPOINT", other);
  assert_opening_fetches (&world, 1);
}

static void
test_another_genesis (void)
{
  engine_world_begin (world, 4, 0);
  begin (&world);
  g_clear_pointer (&world.chain, sv_chain_free);
  world.other = chain_model_new_named (&(SmallRuntime){ .commitments_index = 19 }, 1);
  model_grow (world.other, 4);
  model_commit (world.other, world.alice, "sv1 a");
  model_grow (world.other, 10);
  world.nodes[0].model = world.other;
  assert_opening_fetches (&world, 1);
}

static void
test_another_runtime (void)
{
  engine_world_begin (world, 4, 0);
  begin (&world);
  model_upgrade (world.model, &(SmallRuntime){ .commitments_index = 19 });
  model_grow (world.model, 10);
  model_node_forget (&world.nodes[0]);
  engine_world_open (&world);
  g_assert_cmpuint (n_fetched (&world), ==, 1);
  engine_world_head (&world);
  assert_commitments (&world, 1, 20, "5 alice sv1 a\n"); /* takes the older one's, which are not kept in its place */
  g_assert_cmpuint (n_fetched (&world), ==, 2);
  model_node_forget (&world.nodes[0]);
  engine_world_open (&world);
  g_assert_cmpuint (n_fetched (&world), ==, 0);
}

static void
test_home_that_cannot_be_written (void)
{
  engine_world_begin (world, 4, 0);
  g_autofree char *folder = scratch_path (world.home, "cache");
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (folder, "a file where the folder belongs", -1, &error));
  begin (&world);
  assert_opening_fetches (&world, 1);
}

/* What one endpoint has said is believed for a day at most. */
static void
test_old_file (void)
{
  static const struct
  {
    gint64 age_s;
    guint n_fetched;
  } cases[] = { { 23 * 3600, 0 }, { 25 * 3600, 1 }, { -3600, 1 } };
  engine_world_begin (world, 4, 0);
  begin (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autofree char *path = cache_file (&world);
    time_t then = (time_t)(g_get_real_time () / G_USEC_PER_SEC - cases[i].age_s);
    struct utimbuf times = { .actime = then, .modtime = then };
    g_assert_cmpint (g_utime (path, &times), ==, 0);
    assert_opening_fetches (&world, cases[i].n_fetched);
  }
}

/* ── two endpoints ── */

static void
give_other_metadata (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  g_autofree char *text = g_strdup (json_string_value (*result));
  if (strcmp (method, "state_getMetadata") != 0)
    return;
  text[strlen (text) - 1] ^= 1;
  json_decref (*result);
  *result = json_string (text);
}

static void
test_endpoints_that_disagree (void)
{
  engine_world_begin (world, 15, 0);
  engine_world_add_node (&world, NULL)->meddle = give_other_metadata;
  assert_fails_saying (sv_chain_open (world.config, refusal), SV_ERROR_VERIFY, "have different metadata for the same runtime");
  world.nodes[1].meddle = NULL;
  engine_world_open (&world);
  g_assert_cmpuint (n_fetched (&world), ==, 2); /* what was refused was not kept, */
  engine_world_open (&world);
  g_assert_cmpuint (n_fetched (&world), ==, 2); /* and what both say is */
}

static void
test_second_does_not_tell (void)
{
  engine_world_begin (world, 15, 0);
  engine_world_add_node (&world, NULL)->is_down = TRUE;
  engine_world_open (&world);
  engine_world_open (&world);
  g_assert_cmpuint (n_fetched (&world), ==, 2);
}

/* ── versions ── */

static void
assert_by_functions (const char *versions, guint by_functions, guint at_once)
{
  engine_world_begin (world, 4, 0);
  world.nodes[0].versions = versions;
  engine_world_open (&world);
  g_assert_cmpuint (model_node_count (&world.nodes[0], "state_call"), ==, by_functions);
  g_assert_cmpuint (n_fetched (&world), ==, at_once);
}

/* The function that tells the versions, and the one that gives one, or else state_getMetadata. */
static void
test_versions (void)
{
  assert_by_functions ("0x080e0000000f000000", 2, 0);
  assert_by_functions ("0x0c0e000000ffffffff10000000", 2, 0);
  assert_by_functions ("0x040d000000", 1, 1);
  assert_by_functions ("0x0411000000", 1, 1);
  assert_by_functions ("0x00", 1, 1);
  assert_by_functions ("0x080e000000", 1, 1); /* cut */
  assert_by_functions ("none", 1, 1);
}

static void
note_version (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  const char *argument = json_string_value (json_array_get (params, 1));
  if (strcmp (method, "state_call") == 0 && strlen (argument) > 2)
    node->data = g_strdup (argument);
}

static void
test_newest_version (void)
{
  engine_world_begin (world, 4, 0);
  world.nodes[0].versions = "0x0c0e000000100000000f000000";
  world.nodes[0].meddle = note_version;
  engine_world_open (&world);
  g_assert_cmpstr (world.nodes[0].data, ==, "0x10000000");
  g_free (world.nodes[0].data);
}

/* The runtime names a version, and then has none of it. */
static void
withhold_version (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "state_call") != 0 || strlen (json_string_value (json_array_get (params, 1))) <= 2)
    return;
  json_decref (*result);
  *result = json_string ("0x00");
}

static void
test_version_that_is_withheld (void)
{
  engine_world_begin (world, 4, 0);
  world.nodes[0].versions = "0x040e000000";
  world.nodes[0].meddle = withhold_version;
  assert_fails_saying (sv_chain_open (world.config, refusal), SV_ERROR_MALFORMED,
                       "gives no metadata of a version that it names");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/metadata_cache/second-opening", test_second_opening);
  g_test_add_func ("/chain/metadata_cache/damaged-file", test_damaged_file);
  g_test_add_func ("/chain/metadata_cache/cut-file", test_cut_file);
  g_test_add_func ("/chain/metadata_cache/another-endpoint", test_another_endpoint);
  g_test_add_func ("/chain/metadata_cache/another-genesis", test_another_genesis);
  g_test_add_func ("/chain/metadata_cache/another-runtime", test_another_runtime);
  g_test_add_func ("/chain/metadata_cache/home-that-cannot-be-written", test_home_that_cannot_be_written);
  g_test_add_func ("/chain/metadata_cache/versions", test_versions);
  g_test_add_func ("/chain/metadata_cache/newest-version", test_newest_version);
  g_test_add_func ("/chain/metadata_cache/version-that-is-withheld", test_version_that_is_withheld);
  g_test_add_func ("/chain/metadata_cache/old-file", test_old_file);
  g_test_add_func ("/chain/metadata_cache/endpoints-that-disagree", test_endpoints_that_disagree);
  g_test_add_func ("/chain/metadata_cache/second-does-not-tell", test_second_does_not_tell);
  return g_test_run ();
}
