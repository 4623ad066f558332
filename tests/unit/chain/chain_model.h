/* A Substrate chain in memory: blocks with true hashes and extrinsics roots, what became of their extrinsics, a state for each,
 * and runtimes that change. A test makes it grow, and a model_node tells of it by JSON-RPC. */
#pragma once

#include <jansson.h>

#include "chain/chain.h"
#include "small_metadata.h"

#define MODEL_NETUID 44
#define MODEL_SPEC 100           /* of the first runtime; each further one has the next number */
#define MODEL_BLOCK_TIME_MS 300  /* the small runtime's own */
#define MODEL_SUCCEEDS G_MAXUINT /* or the number of a Commitments error */

typedef struct
{
  guint32 spec_version;
  GBytes *bytes;
  SvMetadata *metadata;
} ModelRuntime;

typedef struct
{
  guint64 number;
  char hash[SV_BLOCK_HASH_TEXT];
  json_t *header;
  GPtrArray *extrinsics; /* of GBytes */
  ModelRuntime *runtime; /* in its state: the next block is executed by it */
  GHashTable *state;     /* key in hex → value in hex */
} ModelBlock;

typedef struct
{
  GPtrArray *runtimes; /* of ModelRuntime */
  GPtrArray *blocks;   /* of ModelBlock: all there ever were */
  GPtrArray *line;     /* the best chain, by number */
  guint64 finality, final;
  guint8 name; /* in every header */
  guint8 salt; /* in every header but the first */
  gint64 start_ms;
  guint64 nonce;
  /* of the block that is made next: */
  GPtrArray *extrinsics;
  GArray *outcomes; /* of guint */
  GHashTable *changes;
  ModelRuntime *upgrade;
} ChainModel;

/* A chain of the first block only, which becomes final three blocks later, as all do. */
ChainModel *chain_model_new (const SmallRuntime *runtime);
/* Another chain: its first block is another. */
ChainModel *chain_model_new_named (const SmallRuntime *runtime, guint8 name);
void chain_model_free (ChainModel *model);

guint64 model_best (const ChainModel *model);
ModelBlock *model_block (const ChainModel *model, guint64 number);
/* Of all that were there; NULL for another. */
ModelBlock *model_find (const ChainModel *model, const char *hash);

/* Makes blocks; the first of them holds what is queued. */
void model_grow (ChainModel *model, guint n);
/* Takes the last blocks off; others, with other hashes, may follow. */
void model_drop (ChainModel *model, guint n);
/* The next block has another runtime in its state, the block after that is the first that is executed by it. */
void model_upgrade (ChainModel *model, const SmallRuntime *runtime);

/* An extrinsic for the next block. Returns: (transfer none) its hash. */
const char *model_queue_bytes (ChainModel *model, GBytes *extrinsic, guint outcome);
const char *model_queue (ChainModel *model, const SvKeypair *who, guint16 netuid, const char *text, guint outcome);
/* One for this subnet that succeeds, in a block of its own. */
const char *model_commit (ChainModel *model, const SvKeypair *who, const char *text);

/* A value that is in the next block's state and those after it, under the netuid, and under @second (of @length bytes) where
 * the map has two keys. NULL takes it out. */
void model_set (ChainModel *model, const char *pallet, const char *entry, const void *second, gsize length,
                const char *value_hex);
/* The same, of a number of so many bytes, and without a second key. */
void model_set_number (ChainModel *model, const char *pallet, const char *entry, guint64 number, gsize width);
/* For Uids: so that the account may commit. */
void model_register (ChainModel *model, const SvKeypair *who);
/* What a value would be, "0x…": Commitments.CommitmentOf with a text. Returns: (transfer full). */
char *model_slot_hex (const ChainModel *model, guint32 block, const char *text);
