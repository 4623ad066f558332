/* A chain in memory whose blocks, reorganisations, gaps and failures a test decides. */
#pragma once

#include "bindings/follower.h"
#include "chain/engine.h"

typedef struct
{
  SvChain base;
  GArray *branches;      /* of guint: the salt of each block's hash, by number */
  GPtrArray *extrinsics; /* of SvExtrinsic, in chain order */
  guint64 finality;
  guint64 final; /* the finalized block: shown once, it stays */
  guint salt;
  GArray *unreadable;                  /* of guint64 */
  void (*before_read) (gpointer data); /* called before commitments are returned … */
  gpointer before_read_data;           /* … with this */
  guint64 fail_from;                   /* reading this block or a later one fails; G_MAXUINT64: never */
  guint64 n_blocks_read, n_calls;      /* by sv_chain_commitments(); of anything */
} FakeChain;

FakeChain *fake_chain_new (guint64 finality);

/* Appends @n empty blocks. */
void fake_chain_grow (FakeChain *chain, guint64 n);
/* Appends a block with one extrinsic, and returns its (borrowed) record. */
const SvExtrinsic *fake_chain_include (FakeChain *chain, const char *signer, const char *text, gboolean succeeded);
/* Drops the last @n blocks with what is in them; below the finalized one, what follows is seen as a new process sees it. */
void fake_chain_drop (FakeChain *chain, guint64 n);
guint64 fake_chain_head (const FakeChain *chain);

#define ALICE "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define BOB "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"

/* One step of the follower, which must not fail, and the picture after it (transfer full). */
SvBindings *step (SvFollower *follower);
/* The picture has exactly this extrinsic. */
gboolean knows (const SvBindings *bindings, const SvExtrinsic *extrinsic);
