/* The Subtensor engine, opened on one or two nodes of a chain model, with a home of its own. */
#pragma once

#include "base/error.h"
#include "chain/subtensor/subtensor.h"
#include "keys/keypair.h"
#include "model_node.h"

typedef struct
{
  ChainModel *model;
  ChainModel *other;  /* where the second node tells of another chain */
  ModelNode nodes[2]; /* the endpoint, and its fallback */
  guint n_nodes;
  char *home;
  SvConfig *config;
  SvChain *chain;
  SvKeypair *alice, *bob; /* both registered */
} EngineWorld;

/* A chain with @n_blocks after the first, and one node. The engine is not opened yet. */
void engine_world_start (EngineWorld *world, const SmallRuntime *runtime, guint n_blocks);
void engine_world_stop (EngineWorld *world);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EngineWorld, engine_world_stop)

#define engine_world_begin(world, n_blocks, ...)                                                                               \
  g_auto (EngineWorld) world = { 0 };                                                                                          \
  engine_world_start (&world, &(SmallRuntime){ __VA_ARGS__ }, n_blocks)

/* Before it is opened: a fallback, of the same chain or of @other (transfer full). Returns: (transfer none). */
ModelNode *engine_world_add_node (EngineWorld *world, ChainModel *other);

/* Opens the engine, or opens it anew. */
void engine_world_open (EngineWorld *world);
SvSubtensor *engine_world_engine (const EngineWorld *world);

/* The head, which is read, and which everything else stands on. */
SvHead engine_world_head (EngineWorld *world);
/* Both endpoints are asked again, whatever they did. */
void engine_world_forgive (EngineWorld *world);

void assert_contains (const char *text, const char *part);
/* The numbers are exactly these; the rest of the arguments. */
void assert_numbers (const GArray *numbers, guint n, const guint64 *expected);
#define assert_unreadable(numbers, ...)                                                                                        \
  assert_numbers (numbers, sizeof ((guint64[]){ __VA_ARGS__ }) / sizeof (guint64), (guint64[]){ __VA_ARGS__ })

/* Reads the commitments of the blocks: "7 alice text" for one that succeeded, "7 bob text !" for one that did not, a line each.
 * Fails with what the engine fails with. Returns: (transfer full). */
char *commitments_text (EngineWorld *world, guint64 first, guint64 last, GArray **unreadable, GError **error);
/* The same of one account. */
char *account_text (EngineWorld *world, const SvKeypair *who, guint64 first, guint64 last, GArray **unreadable, GError **error);
/* All can be read, and are these. */
void assert_commitments (EngineWorld *world, guint64 first, guint64 last, const char *expected);
void assert_account (EngineWorld *world, const SvKeypair *who, guint64 first, guint64 last, const char *expected);

/* Opens it, reads the head, and forgets what was asked for that. */
void engine_world_ready (EngineWorld *world);
/* How many bodies were read since. */
guint engine_world_n_bodies (const EngineWorld *world);

/* Alice in blocks 6 (where she failed before), 20 and 40, Bob in 6, 7 and 30; the head is block 60. Ready. */
void engine_world_tell_accounts (EngineWorld *world);

/* Blocks 1 to 100 with a commitment in block 50, which is open as all of them are. Ready. */
void engine_world_tell_open_blocks (EngineWorld *world);
/* Those blocks can be read. */
gboolean engine_world_read_all (EngineWorld *world, GError **error);
