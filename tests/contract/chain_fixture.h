/* A chain of each engine, for promises that all of them keep. An engine enters the contract by a row in chain_fixture.c: how
 * to have a chain with an owner, a permit and two accounts that may commit, and how to make blocks. The chain need not be fresh
 * (one node serves all cases): what lies up to `baseline` is not the case's. */
#pragma once

#include "chain/chain.h"

typedef struct ChainFixture ChainFixture;

typedef struct
{
  const char *name;
  gboolean (*set_up) (ChainFixture *fixture, char **absent); /* FALSE: this engine cannot be had here, and why */
  void (*tear_down) (ChainFixture *fixture);
  void (*advance) (ChainFixture *fixture, guint64 n);
  void (*make_ready) (ChainFixture *fixture, const SvKeypair *keypair); /* may commit again, whatever it committed before */
  void (*include) (ChainFixture *fixture);                              /* puts what was submitted into a block */
  gboolean slot_keeps_anchor; /* an account's later text of another kind leaves its anchor where it is */
} ChainEngineRow;

struct ChainFixture
{
  const ChainEngineRow *row;
  SvConfig *config;
  SvChain *chain;
  SvKeypair *miner; /* has the only permit */
  SvKeypair *owner;
  guint64 baseline;
  gpointer own; /* the row's */
};

typedef void (*ChainPromise) (ChainFixture *fixture);

/* Adds one test per engine. */
void chain_promise_add (const char *name, ChainPromise run);

/* Submits and waits; aborts on failure. Returns: (transfer full). */
SvExtrinsic *chain_fixture_commit (ChainFixture *fixture, const SvKeypair *keypair, const char *text);

SvPreparedExtrinsic *chain_fixture_prepare (ChainFixture *fixture, const SvKeypair *keypair, const char *text);

void chain_fixture_advance (ChainFixture *fixture, guint64 n);
SvHead chain_fixture_head (ChainFixture *fixture);
