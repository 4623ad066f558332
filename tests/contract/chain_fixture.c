#include "chain_fixture.h"

#include "ledger_fixture.h"
#include "subtensor_node.h"

#define INCLUSION_DEADLINE_MS 20000

/* ── the ledger: a file per case; a commitment makes its block ── */

static gboolean
set_up_ledger (ChainFixture *fixture, char **absent)
{
  LedgerFixture *ledger = g_new0 (LedgerFixture, 1);
  ledger_fixture_set_up (ledger, 0);
  fixture->config = ledger->config;
  fixture->chain = ledger->chain;
  fixture->miner = ledger->miner;
  fixture->owner = ledger->owner;
  fixture->own = ledger;
  return TRUE;
}

static void
tear_down_ledger (ChainFixture *fixture)
{
  ledger_fixture_tear_down (fixture->own);
  g_free (fixture->own);
}

static void
advance_ledger (ChainFixture *fixture, guint64 n)
{
  ledger_fixture_advance (fixture->own, n, 0);
}

static void
nothing_more_is_needed_for_a_commitment (ChainFixture *fixture, const SvKeypair *keypair)
{
}

static void
nothing_more_is_needed_for_inclusion (ChainFixture *fixture)
{
}

/* ── Subtensor: one node for all cases, fresh accounts for each ── */

#define NETUID 1

static SubtensorNode *node;
static char *no_node;

static SubtensorNode *
the_node (char **absent)
{
  if (!node && !no_node)
    node = subtensor_node_start (&no_node);
  *absent = g_strdup (no_node);
  return node;
}

static void
advance_subtensor (ChainFixture *fixture, guint64 n)
{
  if (n > 0)
    subtensor_node_do (node, "dev_newBlock", "[{s:I}]", "count", (json_int_t)n);
}

/* Owner and permits are read where the chain is final, which takes a block. */
static gboolean
set_up_subtensor (ChainFixture *fixture, char **absent)
{
  g_autoptr (GError) error = NULL;
  if (!the_node (absent))
    return FALSE;
  fixture->miner = sv_keypair_generate (SV_SCHEME_SR25519);
  fixture->owner = sv_keypair_generate (SV_SCHEME_ED25519);
  const char *miner = sv_keypair_address (fixture->miner), *owner = sv_keypair_address (fixture->owner);
  subtensor_node_do (node, "dev_register", "[i, s]", NETUID, owner);
  subtensor_node_do (node, "dev_setPermits", "[i, [s]]", NETUID, miner);
  subtensor_node_do (node, "dev_setOwner", "[i, s]", NETUID, owner);
  advance_subtensor (fixture, 1);
  fixture->config = sv_config_new ();
  sv_config_set (fixture->config, "BITTENSOR_SUBTENSOR_ENDPOINT", subtensor_node_endpoint (node));
  sv_config_set (fixture->config, "SCOREVISION_NETUID", G_STRINGIFY (NETUID));
  fixture->chain = sv_chain_open (fixture->config, &error);
  g_assert_no_error (error);
  return TRUE;
}

static void
tear_down_subtensor (ChainFixture *fixture)
{
  sv_chain_free (fixture->chain);
  sv_config_free (fixture->config);
  sv_keypair_free (fixture->miner);
  sv_keypair_free (fixture->owner);
}

/* This runtime takes one commitment per account and 100 blocks. */
static void
outwait_rate_limit (ChainFixture *fixture, const SvKeypair *keypair)
{
  subtensor_node_do (node, "dev_outwaitRateLimit", "[i, s]", NETUID, sv_keypair_address (keypair));
}

static void
include_in_next_block (ChainFixture *fixture)
{
  advance_subtensor (fixture, 1);
}

/* ── the contract ── */

static const ChainEngineRow rows[] = {
  { .name = "ledger",
    .set_up = set_up_ledger,
    .tear_down = tear_down_ledger,
    .advance = advance_ledger,
    .make_ready = nothing_more_is_needed_for_a_commitment,
    .include = nothing_more_is_needed_for_inclusion,
    .slot_keeps_anchor = TRUE },
  { .name = "subtensor",
    .set_up = set_up_subtensor,
    .tear_down = tear_down_subtensor,
    .advance = advance_subtensor,
    .make_ready = outwait_rate_limit,
    .include = include_in_next_block,
    .slot_keeps_anchor = FALSE },
};

typedef struct
{
  const ChainEngineRow *row;
  ChainPromise run;
} Case;

static void
run_case (gconstpointer data)
{
  const Case *test = data;
  ChainFixture fixture = { .row = test->row };
  g_autofree char *absent = NULL;
  if (!test->row->set_up (&fixture, &absent))
  {
    g_test_skip (absent);
    return;
  }
  fixture.baseline = chain_fixture_head (&fixture).best.number;
  test->run (&fixture);
  test->row->tear_down (&fixture);
}

void
chain_promise_add (const char *name, ChainPromise run)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
  {
    Case *test = g_new (Case, 1);
    *test = (Case){ &rows[i], run };
    g_autofree char *path = g_strdup_printf ("/chain/%s/%s", rows[i].name, name);
    g_test_add_data_func_full (path, test, run_case, g_free);
  }
}

SvPreparedExtrinsic *
chain_fixture_prepare (ChainFixture *fixture, const SvKeypair *keypair, const char *text)
{
  g_autoptr (GError) error = NULL;
  fixture->row->make_ready (fixture, keypair);
  SvPreparedExtrinsic *prepared = sv_chain_prepare_commitment (fixture->chain, keypair, text, SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  g_assert_nonnull (prepared);
  return prepared;
}

SvExtrinsic *
chain_fixture_commit (ChainFixture *fixture, const SvKeypair *keypair, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvPreparedExtrinsic) prepared = chain_fixture_prepare (fixture, keypair, text);
  gboolean submitted = sv_chain_submit (fixture->chain, prepared, &error);
  g_assert_no_error (error);
  g_assert_true (submitted);
  fixture->row->include (fixture);
  SvExtrinsic *included = sv_chain_await_inclusion (fixture->chain, prepared, INCLUSION_DEADLINE_MS, NULL, NULL, &error);
  g_assert_no_error (error);
  return included;
}

void
chain_fixture_advance (ChainFixture *fixture, guint64 n)
{
  fixture->row->advance (fixture, n);
}

SvHead
chain_fixture_head (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  SvHead head = { 0 };
  gboolean known = sv_chain_head (fixture->chain, &head, &error);
  g_assert_no_error (error);
  g_assert_true (known);
  return head;
}
