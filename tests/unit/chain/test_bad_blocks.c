/* Blocks that are not what they should be.
 *
 * lies           - another block's number, header, parent; an extrinsic left out, added, changed, moved
 *                - of an archive: it is the one that is named
 * no answers     - hashes that are none or too few, a body without extrinsics, with too many, with one that is not hex
 * extrinsics     - one that cannot be read
 * events         - that cannot be read, that do not tell of a commitment
 * errors         - what a node answers to a question for bodies or events, and a node that goes down meanwhile
 */
#include <string.h>

#include "engine_world.h"
#include "refusal.h"

static void
replace (json_t **result, json_t *with)
{
  json_decref (*result);
  *result = with;
}

/* ── lies ── */

typedef void (*Change) (ModelNode *node, json_t **result);

static void
change_body (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  const char *hash = json_string_value (json_array_get (params, 0));
  if (strcmp (method, "chain_getBlock") != 0 || strcmp (hash, model_block (node->model, 50)->hash) != 0)
    return;
  replace (result, json_deep_copy (*result));
  ((Change)node->data) (node, result);
}

static void
refuse_body (Change change, int code, const char *words)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_open_blocks (&world);
  world.nodes[0].data = change;
  world.nodes[0].meddle = change_body;
  assert_fails_saying (engine_world_read_all (&world, refusal), code, words);
  world.nodes[0].meddle = NULL;
  assert_commitments (&world, 1, 100, "50 alice sv1 a\n");
}

static json_t *
part (json_t *result, const char *key)
{
  return json_object_get (json_object_get (result, "block"), key);
}

static void
leave_out (ModelNode *node, json_t **result)
{
  json_array_remove (part (*result, "extrinsics"), 1);
}

static void
add_one (ModelNode *node, json_t **result)
{
  json_array_append (part (*result, "extrinsics"), json_array_get (part (*result, "extrinsics"), 1));
}

static void
swap (ModelNode *node, json_t **result)
{
  json_t *list = part (*result, "extrinsics");
  json_array_append (list, json_array_get (list, 0));
  json_array_remove (list, 0);
}

static void
change_one (ModelNode *node, json_t **result)
{
  json_t *list = part (*result, "extrinsics");
  g_autofree char *text = g_strdup (json_string_value (json_array_get (list, 1)));
  text[strlen (text) - 1] ^= 1;
  json_array_set_new (list, 1, json_string (text));
}

static void
leave_out_all (ModelNode *node, json_t **result)
{
  json_array_clear (part (*result, "extrinsics"));
}

static void
give_another_block (ModelNode *node, json_t **result)
{
  json_object_set (json_object_get (*result, "block"), "header", model_block (node->model, 49)->header);
}

static void
change_parent (ModelNode *node, json_t **result)
{
  json_object_set_new (part (*result, "header"), "parentHash", json_string (model_block (node->model, 48)->hash));
}

static void
test_changed_bodies (void)
{
  static const char root[] = "lies about block 50: the extrinsics it gives are not those that the block's header commits to";
  refuse_body (leave_out, SV_ERROR_VERIFY, root);
  refuse_body (add_one, SV_ERROR_VERIFY, root);
  refuse_body (swap, SV_ERROR_VERIFY, root);
  refuse_body (change_one, SV_ERROR_VERIFY, root);
  refuse_body (leave_out_all, SV_ERROR_VERIFY, root);
}

static void
test_changed_headers (void)
{
  refuse_body (give_another_block, SV_ERROR_VERIFY, "lies about block 49: the header it gives for");
  refuse_body (change_parent, SV_ERROR_VERIFY, "lies about block 50: the header it gives for");
}

static void
name_another_block (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") == 0 && json_array_size (*result) > 40)
    json_array_set (*result, 30, json_array_get (*result, 31));
}

static void
test_another_number (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_open_blocks (&world);
  world.nodes[0].meddle = name_another_block;
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_VERIFY,
                       "lies about block 31: the block it names there is number 32");
}

/* What only the archive has, the archive is to blame for. */
static void
test_archive_lies (void)
{
  engine_world_begin (world, 5, 0);
  ModelNode *archive = engine_world_add_node (&world, NULL);
  engine_world_tell_open_blocks (&world);
  world.nodes[0].bodies_from = 60;
  archive->data = leave_out;
  archive->meddle = change_body;
  g_autofree char *words = g_strdup_printf ("%s lies about block 50", archive->url);
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_VERIFY, words);
  archive->data = change_parent;
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_VERIFY, words);
}

/* ── no answers ── */

static void
no_extrinsics (ModelNode *node, json_t **result)
{
  json_object_del (json_object_get (*result, "block"), "extrinsics");
}

static void
too_many_extrinsics (ModelNode *node, json_t **result)
{
  json_t *list = part (*result, "extrinsics");
  while (json_array_size (list) <= 100000)
    json_array_append_new (list, json_string ("0x"));
}

static void
no_hex (ModelNode *node, json_t **result)
{
  json_array_set_new (part (*result, "extrinsics"), 1, json_string ("0x123"));
}

static void
no_block (ModelNode *node, json_t **result)
{
  json_object_del (*result, "block");
}

static void
no_header (ModelNode *node, json_t **result)
{
  json_object_set_new (json_object_get (*result, "block"), "header", json_null ());
}

static void
cut_header (ModelNode *node, json_t **result)
{
  json_object_del (part (*result, "header"), "digest");
}

static void
test_no_bodies (void)
{
  refuse_body (no_extrinsics, SV_ERROR_MALFORMED, "its answer to chain_getBlock holds no extrinsics");
  refuse_body (too_many_extrinsics, SV_ERROR_MALFORMED, "its answer to chain_getBlock holds no extrinsics");
  refuse_body (no_hex, SV_ERROR_MALFORMED, "block 50, extrinsic 1: an extrinsic: the node's answer is not bytes in hex");
  refuse_body (no_block, SV_ERROR_MALFORMED, "its answer to chain_getBlock holds no extrinsics");
  refuse_body (cut_header, SV_ERROR_MALFORMED, "block header: digest.logs");
  refuse_body (no_header, SV_ERROR_UNREACHABLE, "and does not have it");
}

static void
give_other_hashes (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") == 0)
    replace (result, json_loads (node->data, JSON_DECODE_ANY, NULL));
}

static void
add_hash (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") == 0 && json_is_array (*result))
    json_array_append (*result, json_array_get (*result, 0));
}

static void
test_no_hashes (void)
{
  static char *const answers[] = { "null", "[]", "\"0x\"", "{}", "[1]" };
  engine_world_begin (world, 5, 0);
  engine_world_tell_open_blocks (&world);
  world.nodes[0].meddle = give_other_hashes;
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
  {
    world.nodes[0].data = answers[i];
    assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_MALFORMED,
                         "its answer to chain_getBlockHash is no list of hashes");
  }
  world.nodes[0].meddle = add_hash;
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_MALFORMED, "is no list of hashes");
}

static void
spoil_a_hash (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getBlockHash") == 0 && json_is_array (*result))
    json_array_set_new (*result, 30, json_string (node->data));
}

static void
test_hash_that_is_none (void)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_open_blocks (&world);
  g_autofree char *upper = g_ascii_strup (model_block (world.model, 31)->hash + 2, -1);
  g_autofree char *not_lower = g_strconcat ("0x", upper, NULL), *longer = g_strconcat ("0x0", upper, NULL);
  char *answers[] = { "", "0x12", not_lower, longer };
  world.nodes[0].meddle = spoil_a_hash;
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
  {
    world.nodes[0].data = answers[i];
    assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_MALFORMED, "is no list of hashes");
  }
}

/* ── events ── */

static void
change_events (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "state_getStorage") == 0)
    replace (result, json_string (node->data));
}

static void
refuse_events (const char *events, const char *words)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_open_blocks (&world);
  world.nodes[0].data = (gpointer)events;
  world.nodes[0].meddle = change_events;
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_MALFORMED, words);
}

static void
test_events (void)
{
  refuse_events ("0x00", "block 50: its events do not say what became of extrinsic 1");
  refuse_events ("0x04", "block 50: ");
  refuse_events ("none", "block 50: System.Events: the node's answer is not bytes in hex");
  refuse_events ("0x04000100000000000400000000", "block 50: "); /* bytes too many */
  refuse_events ("0x0400020000000000040000", "block 50: ");     /* of an extrinsic that is not there */
}

/* A chain lets no such extrinsic in, so the metadata is not the block's: what the block holds is not known. */
static void
test_extrinsic_that_is_none (void)
{
  engine_world_begin (world, 5, 0);
  g_autoptr (GBytes) garbage = g_bytes_new_static ("\x08\x84\x00", 3);
  model_queue_bytes (world.model, garbage, SMALL_ERROR_ACCOUNT);
  engine_world_tell_open_blocks (&world); /* it is in block 6 */
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_MALFORMED, "block 6, extrinsic 1: ");
}

/* Nor is it, where the runtime keeps its slots otherwise than is known here, told what became of an old commitment. */
static void
test_slots_under_other_keys (void)
{
  engine_world_begin (world, 5, .has_one_slot = TRUE);
  world.nodes[0].state_from = 90;
  world.model->final = 95;
  engine_world_tell_open_blocks (&world);
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_UNREACHABLE,
                       "keeps Commitments.CommitmentOf under other keys than this version of sv knows");
}

/* ── errors ── */

static void
refuse_errors (const char *method)
{
  engine_world_begin (world, 5, 0);
  engine_world_tell_open_blocks (&world);
  world.nodes[0].failing = method;
  world.nodes[0].code = 1234;
  world.nodes[0].words = "broken";
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_FAILED, "broken");
  world.nodes[0].code = -32601;
  world.nodes[0].words = "Method not found";
  assert_fails_saying (engine_world_read_all (&world, refusal), SV_ERROR_UNREACHABLE, "this endpoint does not serve it");
}

static void
test_errors (void)
{
  refuse_errors ("chain_getBlockHash");
  refuse_errors ("chain_getBlock");
  refuse_errors ("state_getStorage");
}

static void
go_down_at_bodies (ModelNode *node, const char *method, const json_t *params)
{
  node->is_down = node->is_down || strcmp (method, node->data) == 0;
}

static void
test_goes_down (void)
{
  static char *const methods[] = { "chain_getBlockHash", "chain_getBlock", "state_getStorage" };
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
  {
    engine_world_begin (world, 5, 0);
    engine_world_tell_open_blocks (&world);
    world.nodes[0].data = methods[i];
    world.nodes[0].before = go_down_at_bodies;
    assert_fails (engine_world_read_all (&world, refusal), SV_ERROR_UNREACHABLE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/bad_blocks/changed-bodies", test_changed_bodies);
  g_test_add_func ("/chain/bad_blocks/changed-headers", test_changed_headers);
  g_test_add_func ("/chain/bad_blocks/another-number", test_another_number);
  g_test_add_func ("/chain/bad_blocks/archive-lies", test_archive_lies);
  g_test_add_func ("/chain/bad_blocks/no-bodies", test_no_bodies);
  g_test_add_func ("/chain/bad_blocks/no-hashes", test_no_hashes);
  g_test_add_func ("/chain/bad_blocks/hash-that-is-none", test_hash_that_is_none);
  g_test_add_func ("/chain/bad_blocks/events", test_events);
  g_test_add_func ("/chain/bad_blocks/errors", test_errors);
  g_test_add_func ("/chain/bad_blocks/goes-down", test_goes_down);
  g_test_add_func ("/chain/bad_blocks/extrinsic-that-is-none", test_extrinsic_that_is_none);
  g_test_add_func ("/chain/bad_blocks/slots-under-other-keys", test_slots_under_other_keys);
  return g_test_run ();
}
