/* Waiting for an extrinsic on a Subtensor chain. What happens while it is waited for happens when the node is asked for its
 * head: each look takes the next step of a test's story.
 *
 * inclusion - in a block made meanwhile, or before; each new best block is told; a reorganisation does not hide it
 *           - failed there; not included in time; expired, also where the last block that may hold it is the one that does
 *           - a block that cannot be read may be the one that holds it
 * finality  - once its block is final, and not before; each new finalized block is told; not in time
 *           - moved to a later block, moved to an earlier one, dropped, dropped where a block cannot be read
 * both      - an endpoint that is away for a while, or whose chain is reorganised while it is read, is waited for; a lie is not
 */
#include <string.h>

#include "chain/subtensor/extrinsic.h"
#include "engine_world.h"
#include "refusal.h"

#define LONG_ENOUGH 60000
#define MAX_STEPS 8

typedef struct Story Story;
typedef void (*Step) (Story *story);

struct Story
{
  EngineWorld *world;
  Step steps[MAX_STEPS];
  guint n_looks;
  GString *told; /* numbers of blocks */
};

static void
look (ModelNode *node, const char *method, const json_t *params)
{
  Story *story = node->data;
  if (strcmp (method, "chain_getHeader") != 0 || json_array_size (params) > 0)
    return;
  if (story->n_looks < MAX_STEPS && story->steps[story->n_looks])
    story->steps[story->n_looks](story);
  story->n_looks++;
}

static void
tell (guint64 block, gpointer data)
{
  Story *story = data;
  g_string_append_printf (story->told, "%" G_GUINT64_FORMAT " ", block);
}

/* Blocks up to 5, of which the second is final. */
static void
begin (Story *story, EngineWorld *world)
{
  story->world = world;
  story->told = g_string_new ("");
  engine_world_open (world);
  engine_world_head (world);
  world->nodes[0].data = story;
  world->nodes[0].before = look;
}

static void
end (Story *story)
{
  story->world->nodes[0].before = NULL;
  g_string_free (story->told, TRUE);
}

/* ── steps ── */

static void
include (Story *story)
{
  model_commit (story->world->model, story->world->alice, "sv1 a");
}

static void
fail (Story *story)
{
  model_queue (story->world->model, story->world->alice, MODEL_NETUID, "sv1 a", SMALL_ERROR_SPACE);
  model_grow (story->world->model, 1);
}

static void
grow (Story *story)
{
  model_grow (story->world->model, 1);
}

static void
grow_much (Story *story)
{
  model_grow (story->world->model, 10);
}

static void
reorganise (Story *story)
{
  model_drop (story->world->model, 2);
  model_grow (story->world->model, 3);
}

/* From the head at block 9, whose block 6 is final. */
static void
reorganise_around_it (Story *story)
{
  model_drop (story->world->model, 3);
  include (story);
  model_grow (story->world->model, 3);
}

static void
go_down (Story *story)
{
  story->world->nodes[0].failing = "chain_getHeader";
  story->world->nodes[0].code = 4003;
  story->world->nodes[0].words = "UnknownBlock: it restarts";
}

static void
come_back (Story *story)
{
  story->world->nodes[0].failing = NULL;
}

static void
fail_on_bodies (Story *story)
{
  go_down (story);
  story->world->nodes[0].failing = "chain_getBlock";
  story->world->nodes[0].code = -32601;
  story->world->nodes[0].words = "Method not found";
}

static void
find_bodies (Story *story)
{
  story->world->nodes[0].bodies_from = 0;
}

/* All of them, from so far ahead that they are old. */
static void
lose_bodies (Story *story)
{
  model_grow (story->world->model, 100);
  story->world->nodes[0].bodies_from = G_MAXUINT64;
}

static void
lose_old_bodies (Story *story)
{
  lose_bodies (story);
  story->world->nodes[0].bodies_from = 20;
}

static void
forge (ModelNode *node, const char *method, const json_t *params, json_t **result)
{
  if (strcmp (method, "chain_getHeader") != 0 || json_array_size (params) == 0)
    return;
  json_decref (*result);
  *result = json_incref (model_block (node->model, 1)->header);
}

static void
lie (Story *story)
{
  grow (story);
  story->world->nodes[0].meddle = forge;
}

/* ── inclusion ── */

/* What model_commit() makes is the same each time it is the first of its chain. */
static SvPreparedExtrinsic
prepared_as (EngineWorld *world, guint64 valid_until)
{
  SvExtrinsicContext context = { .spec_version = MODEL_SPEC };
  const ModelRuntime *runtime = world->model->runtimes->pdata[0];
  SvPreparedExtrinsic prepared = { .prepared_at = 3, .valid_until = valid_until };
  g_autoptr (GBytes) call = sv_commitment_call (runtime->metadata, MODEL_NETUID, "sv1 a", NULL);
  g_autoptr (GBytes) bytes = sv_extrinsic_sign (runtime->metadata, &context, call, world->alice, NULL);
  sv_extrinsic_hash (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), prepared.hash);
  return prepared;
}

static void
assert_included (const Story *told_of, guint64 valid_until, guint64 block, const char *told)
{
  engine_world_begin (world, 5, 0);
  Story story = *told_of;
  g_autoptr (GError) error = NULL;
  SvPreparedExtrinsic prepared = prepared_as (&world, valid_until);
  begin (&story, &world);
  g_autoptr (SvExtrinsic) found = sv_chain_await_inclusion (world.chain, &prepared, LONG_ENOUGH, tell, &story, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (found->block, ==, block);
  g_assert_cmpstr (found->hash, ==, prepared.hash);
  g_assert_true (found->succeeded);
  g_assert_cmpstr (story.told->str, ==, told);
  end (&story);
}

static void
refuse_inclusion (const Story *told_of, guint64 valid_until, guint timeout_ms, int code, const char *words)
{
  engine_world_begin (world, 5, 0);
  Story story = *told_of;
  SvPreparedExtrinsic prepared = prepared_as (&world, valid_until);
  begin (&story, &world);
  assert_fails_saying (sv_chain_await_inclusion (world.chain, &prepared, timeout_ms, NULL, NULL, refusal), code, words);
  end (&story);
}

static void
test_included_later (void)
{
  assert_included (&(Story){ .steps = { NULL, NULL, grow, NULL, grow, include } }, 66, 8, "5 6 7 ");
  assert_included (&(Story){ .steps = { include } }, 66, 6, "");
}

static void
test_included_after_reorganisation (void)
{
  assert_included (&(Story){ .steps = { NULL, reorganise, include } }, 66, 7, "5 6 ");
}

static void
test_included_in_the_last_block (void)
{
  assert_included (&(Story){ .steps = { grow, include, grow_much } }, 7, 7, "6 ");
  /* Block 7 is the last; while it is not final, another one may take its place. */
  assert_included (&(Story){ .steps = { grow, grow, grow, grow, reorganise_around_it } }, 7, 7, "6 7 8 9 ");
  refuse_inclusion (&(Story){ .steps = { grow, grow, include, grow_much } }, 7, LONG_ENOUGH, SV_ERROR_CONFLICT,
                    "was not included up to block 7, the last that may hold it: nothing was committed");
}

static void
test_failed_there (void)
{
  refuse_inclusion (&(Story){ .steps = { NULL, fail } }, 66, LONG_ENOUGH, SV_ERROR_FAILED,
                    "was included in block 6 but failed there: Commitments.SpaceLimitExceeded");
}

static void
test_not_in_time (void)
{
  refuse_inclusion (&(Story){ 0 }, 66, 0, SV_ERROR_UNREACHABLE, "was not included within 0 s; it may still be");
}

static void
test_unreadable_block (void)
{
  refuse_inclusion (&(Story){ .steps = { lose_bodies } }, 7, 0, SV_ERROR_UNREACHABLE,
                    "cannot be read, so it is not known whether it holds extrinsic");
  assert_included (&(Story){ .steps = { lose_bodies, include, NULL, find_bodies } }, 200, 106, "");
}

static void
test_endpoint_is_away (void)
{
  assert_included (&(Story){ .steps = { go_down, NULL, come_back, include } }, 66, 6, "5 ");
  assert_included (&(Story){ .steps = { fail_on_bodies, include, NULL, come_back } }, 66, 6, "");
  refuse_inclusion (&(Story){ .steps = { go_down } }, 66, 0, SV_ERROR_UNREACHABLE, "it restarts");
  refuse_inclusion (&(Story){ .steps = { fail_on_bodies } }, 66, 0, SV_ERROR_UNREACHABLE, "Method not found");
  refuse_inclusion (&(Story){ .steps = { NULL, lie } }, 66, LONG_ENOUGH, SV_ERROR_VERIFY, "lies about block 1");
}

/* ── finality ── */

static SvExtrinsic *
included_in (EngineWorld *world, guint64 block)
{
  SvExtrinsic *extrinsic = g_new0 (SvExtrinsic, 1);
  SvPreparedExtrinsic prepared = prepared_as (world, 66);
  extrinsic->block = block;
  g_strlcpy (extrinsic->hash, prepared.hash, sizeof extrinsic->hash);
  return extrinsic;
}

/* It was seen in block @seen. */
static void
assert_final (const Story *told_of, guint64 seen, guint64 block, const char *told)
{
  engine_world_begin (world, 5, 0);
  Story story = *told_of;
  g_autoptr (GError) error = NULL;
  g_autoptr (SvExtrinsic) extrinsic = included_in (&world, seen);
  begin (&story, &world);
  gboolean is_final = sv_chain_await_finality (world.chain, &extrinsic, LONG_ENOUGH, tell, &story, &error);
  g_assert_no_error (error);
  g_assert_true (is_final);
  g_assert_cmpuint (extrinsic->block, ==, block);
  g_assert_cmpstr (extrinsic->text, ==, "sv1 a");
  g_assert_cmpstr (story.told->str, ==, told);
  end (&story);
}

static void
refuse_final (const Story *told_of, guint64 seen, guint timeout_ms, int code, const char *words)
{
  engine_world_begin (world, 5, 0);
  Story story = *told_of;
  g_autoptr (SvExtrinsic) extrinsic = included_in (&world, seen);
  begin (&story, &world);
  assert_fails_saying (sv_chain_await_finality (world.chain, &extrinsic, timeout_ms, NULL, NULL, refusal), code, words);
  g_assert_cmpuint (extrinsic->block, ==, seen);
  end (&story);
}

static void
test_final (void)
{
  assert_final (&(Story){ .steps = { include, NULL, grow, grow, NULL, grow } }, 6, 6, "3 4 5 ");
}

static void
test_moved (void)
{
  assert_final (&(Story){ .steps = { NULL, grow, include, grow_much } }, 6, 7, "2 3 4 ");
  assert_final (&(Story){ .steps = { NULL, include, grow_much } }, 8, 6, "2 3 "); /* to an earlier block */
  /* To one that is open, when the block that held it has become final. */
  assert_final (&(Story){ .steps = { NULL, grow, grow, include, grow, NULL, grow_much } }, 6, 8, "2 3 4 5 6 ");
}

static void
test_dropped (void)
{
  refuse_final (&(Story){ .steps = { grow_much } }, 6, LONG_ENOUGH, SV_ERROR_CONFLICT,
                "was in block 6, but the chain was reorganised and does not hold it now");
}

static void
test_not_final_in_time (void)
{
  refuse_final (&(Story){ .steps = { include } }, 6, 0, SV_ERROR_UNREACHABLE, "was not finalized within 0 s; look again later");
  refuse_final (&(Story){ .steps = { lose_bodies } }, 6, 0, SV_ERROR_UNREACHABLE, "does not have it");
  refuse_final (&(Story){ .steps = { lose_old_bodies } }, 30, 0, SV_ERROR_UNREACHABLE, "so it is not known whether it holds");
}

static void
test_endpoint_is_away_before_finality (void)
{
  assert_final (&(Story){ .steps = { include, go_down, NULL, come_back, grow_much } }, 6, 6, "3 ");
  assert_final (&(Story){ .steps = { include, fail_on_bodies, grow_much, come_back } }, 6, 6, "3 13 ");
  refuse_final (&(Story){ .steps = { go_down } }, 6, 0, SV_ERROR_UNREACHABLE, "it restarts");
  refuse_final (&(Story){ .steps = { NULL, lie } }, 6, LONG_ENOUGH, SV_ERROR_VERIFY, "lies about block 1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chain/waiting/included-later", test_included_later);
  g_test_add_func ("/chain/waiting/included-after-reorganisation", test_included_after_reorganisation);
  g_test_add_func ("/chain/waiting/included-in-the-last-block", test_included_in_the_last_block);
  g_test_add_func ("/chain/waiting/failed-there", test_failed_there);
  g_test_add_func ("/chain/waiting/not-in-time", test_not_in_time);
  g_test_add_func ("/chain/waiting/unreadable-block", test_unreadable_block);
  g_test_add_func ("/chain/waiting/endpoint-is-away", test_endpoint_is_away);
  g_test_add_func ("/chain/waiting/final", test_final);
  g_test_add_func ("/chain/waiting/moved", test_moved);
  g_test_add_func ("/chain/waiting/dropped", test_dropped);
  g_test_add_func ("/chain/waiting/not-final-in-time", test_not_final_in_time);
  g_test_add_func ("/chain/waiting/endpoint-is-away-before-finality", test_endpoint_is_away_before_finality);
  return g_test_run ();
}
