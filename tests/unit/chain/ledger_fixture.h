/* A ledger in a temporary directory, for the tests of everything that stands on a chain. */
#pragma once

#include "chain/ledger.h"

typedef struct
{
  char *directory;
  char *path;
  SvConfig *config;
  SvChain *chain;
  SvKeypair *miner;
  SvKeypair *owner;
} LedgerFixture;

#define FIXTURE_FINALITY 3

/* Blocks only on demand, unless @block_time_ms is given; the owner's account set; one permit, the miner's. */
void ledger_fixture_set_up (LedgerFixture *fixture, guint64 block_time_ms);
void ledger_fixture_tear_down (LedgerFixture *fixture);

/* Removes a directory of plain files. */
void remove_test_directory (const char *directory);

/* Another connection to the same ledger, for @netuid. */
SvChain *ledger_fixture_open (const LedgerFixture *fixture, const char *netuid);

/* Submits and waits; aborts on failure. The result is (transfer full). */
SvExtrinsic *ledger_fixture_commit (LedgerFixture *fixture, const SvKeypair *keypair, const char *text);

void ledger_fixture_advance (LedgerFixture *fixture, guint64 n, guint64 reorg);
SvHead ledger_fixture_head (LedgerFixture *fixture);
