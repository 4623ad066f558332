/* A small world in a temporary directory: a ledger, a `file:` store, a home, an operator who is trusted, and a stranger who is
 * not. For the tests of everything that publishes or reads manifests. */
#pragma once

#include <string.h>

#include "base/error.h"
#include "chain/ledger.h"
#include "distribution/publisher.h"

typedef struct
{
  char *root;
  SvConfig *config;
  SvKeypair *operator;
  SvKeypair *stranger;
  SvKeypair *owner;
  SvChain *chain;
  SvObjectStore *store;
} World;

/* Blocks only on demand; the finalized head lies @finality below the best. The world's owner owns the subnet. */
World *world_new (guint64 finality);
void world_free (World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

/* (transfer full) a path below the root. */
char *world_path (const World *world, const char *leaf);

/* (transfer full) a configuration of the same chain and store with another home, for a second reader. */
SvConfig *world_config (const World *world, const char *home);

void world_advance (World *world, guint64 n);
void world_commit (World *world, const SvKeypair *keypair, const char *text);
SvHead world_head (World *world);

/* All (transfer full), aborting on an error. */
SvReader *world_reader (const World *world, const SvConfig *config);
SvPublisher *world_publisher (const World *world, const SvConfig *config, const SvKeypair *keypair);
json_t *world_authored (const char *window_id, guint64 start_block, guint64 expiry_block, const char *beta);

/* Puts a manifest into store and index; returns its hash (transfer full). */
char *world_publish (World *world, const char *window_id, guint64 start_block, guint64 expiry_block, const char *beta,
                     gboolean supersede);

/* The index's bytes as they lie in the store, and putting others there. */
GBytes *world_index_bytes (const World *world);
void world_set_index_bytes (const World *world, GBytes *bytes);
void world_set_object (const World *world, const char *key, GBytes *bytes);
void world_remove_object (const World *world, const char *key);

/* Signs the store's index again after @change. */
void world_resign_index (World *world, const SvKeypair *keypair, void (*change) (SvIndex *index));

/* The error is of @code and its message has @part in it; it is cleared. */
void world_assert_error (GError **error, SvErrorCode code, const char *part);
