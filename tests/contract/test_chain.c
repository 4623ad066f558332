/* What every chain engine must do, as chain.h promises it. An engine enters by a row in `setups`: how to have a fresh chain
 * with an owner, a permit and two accounts that may commit, and how to make blocks.
 *
 *  1. heads: best and finalized are blocks of the chain, parents link up, above the head there is nothing
 *  2. a commitment is included once, found by its proof, and only there
 *  3. the same extrinsic submitted again (waiting or included) is a success and is there once
 *  4. commitments come in chain order, from the blocks asked for
 *  5. the anchor slot has the last such text at or below a block
 *  6. owner and permits
 *  7. a text that is too long is refused before it is signed
 *  8. an extrinsic that never comes is reported as unreachable
 *  9. a genesis that is not the pinned one is refused
 */
#include <string.h>

#include "base/error.h"
#include "ledger_fixture.h"

typedef struct
{
  const char *name;
  void (*set_up) (LedgerFixture *fixture);
  void (*tear_down) (LedgerFixture *fixture);
  void (*advance) (LedgerFixture *fixture, guint64 n);
} Setup;

static void
set_up_ledger (LedgerFixture *fixture)
{
  ledger_fixture_set_up (fixture, 0);
}

static void
advance_ledger (LedgerFixture *fixture, guint64 n)
{
  ledger_fixture_advance (fixture, n, 0);
}

static const Setup setups[] = {
  { "ledger", set_up_ledger, ledger_fixture_tear_down, advance_ledger },
};

typedef struct
{
  const Setup *setup;
  void (*run) (const Setup *setup, LedgerFixture *fixture);
} Case;

static void
run_case (gconstpointer data)
{
  const Case *test = data;
  LedgerFixture fixture = { 0 };
  test->setup->set_up (&fixture);
  test->run (test->setup, &fixture);
  test->setup->tear_down (&fixture);
}

/* ── 1 ── */

static void
blocks_link_up_to_the_head (const Setup *setup, LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  setup->advance (fixture, 6);
  SvHead head = ledger_fixture_head (fixture);
  g_assert_cmpuint (head.finalized.number, <=, head.best.number);
  SvBlock block, parent;
  g_assert_true (sv_chain_block (fixture->chain, head.finalized.number, &block, &error));
  g_assert_cmpstr (block.hash, ==, head.finalized.hash);
  for (guint64 number = head.best.number; number > 0; number--)
  {
    g_assert_true (sv_chain_block (fixture->chain, number, &block, &error));
    g_assert_true (sv_chain_block (fixture->chain, number - 1, &parent, &error));
    g_assert_cmpuint (block.number, ==, number);
    g_assert_cmpstr (block.parent, ==, parent.hash);
    g_assert_cmpint (block.time_ms, >=, parent.time_ms);
  }
  g_assert_cmpstr (parent.hash, ==, sv_chain_id (fixture->chain)->genesis);
  g_assert_false (sv_chain_block (fixture->chain, head.best.number + 100, &block, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_NOT_FOUND);
}

/* ── 2 ── */

static void
a_commitment_is_found_by_its_proof_and_only_there (const Setup *setup, LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  setup->advance (fixture, 2);
  g_autoptr (SvExtrinsic) included = ledger_fixture_commit (fixture, fixture->miner, "hello\n\"chain\" é");
  setup->advance (fixture, 1);
  g_autoptr (SvExtrinsic) found = NULL;
  gboolean unreadable = TRUE;
  g_assert_true (sv_chain_find_extrinsic (fixture->chain, included->block, included->hash, &found, &unreadable, &error));
  g_assert_nonnull (found);
  g_assert_false (unreadable);
  g_assert_true (found->succeeded);
  g_assert_cmpstr (found->hash, ==, included->hash);
  g_assert_cmpstr (found->signer, ==, sv_keypair_address (fixture->miner));
  g_assert_cmpstr (found->text, ==, "hello\n\"chain\" é");

  g_autoptr (SvExtrinsic) elsewhere = NULL, unknown = NULL;
  g_autofree char *other_hash = g_strdup_printf ("0x%064d", 7);
  g_assert_true (
      sv_chain_find_extrinsic (fixture->chain, included->block - 1, included->hash, &elsewhere, &unreadable, &error));
  g_assert_null (elsewhere);
  g_assert_true (sv_chain_find_extrinsic (fixture->chain, included->block, other_hash, &unknown, &unreadable, &error));
  g_assert_null (unknown);
}

/* ── 3 ── */

static void
submitting_twice_includes_once (const Setup *setup, LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvPreparedExtrinsic) prepared =
      sv_chain_prepare_commitment (fixture->chain, fixture->miner, "once", SV_PREPARE_DEFAULT, &error);
  g_assert_no_error (error);
  g_assert_true (sv_chain_submit (fixture->chain, prepared, &error));
  g_assert_true (sv_chain_submit (fixture->chain, prepared, &error));
  setup->advance (fixture, 2);
  g_assert_true (sv_chain_submit (fixture->chain, prepared, &error));
  setup->advance (fixture, 2);
  SvHead head = ledger_fixture_head (fixture);
  g_autoptr (GPtrArray) all = sv_chain_commitments (fixture->chain, 0, head.best.number, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (all->len, ==, 1);
}

/* ── 4 ── */

static void
commitments_come_in_chain_order_from_the_blocks_asked_for (const Setup *setup, LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  static const char *const texts[] = { "one", "two", "three", "four" };
  guint64 blocks[G_N_ELEMENTS (texts)];
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
  {
    g_autoptr (SvExtrinsic) included = ledger_fixture_commit (fixture, i % 2 ? fixture->owner : fixture->miner, texts[i]);
    blocks[i] = included->block;
    setup->advance (fixture, 1);
  }
  g_autoptr (GArray) unreadable = NULL;
  g_autoptr (GPtrArray) middle = sv_chain_commitments (fixture->chain, blocks[1], blocks[2], &unreadable, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (unreadable->len, ==, 0);
  g_assert_cmpuint (middle->len, ==, 2);
  for (guint i = 0; i < middle->len; i++)
  {
    const SvExtrinsic *extrinsic = middle->pdata[i];
    g_assert_cmpstr (extrinsic->text, ==, texts[i + 1]);
    g_assert_cmpuint (extrinsic->block, ==, blocks[i + 1]);
  }
}

/* ── 5 ── */

static void
assert_anchor (LedgerFixture *fixture, guint64 at_block, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean known = sv_chain_anchor_text (fixture->chain, sv_keypair_address (fixture->owner), at_block, &text, &error);
  g_assert_no_error (error);
  g_assert_true (known);
  g_assert_cmpstr (text, ==, expected);
}

static void
the_anchor_is_the_last_such_text_at_a_block (const Setup *setup, LedgerFixture *fixture)
{
  g_autoptr (SvExtrinsic) first = ledger_fixture_commit (fixture, fixture->owner, "sv1 manifest first");
  sv_extrinsic_free (ledger_fixture_commit (fixture, fixture->miner, "sv1 manifest theirs"));
  setup->advance (fixture, 1);
  g_autoptr (SvExtrinsic) second = ledger_fixture_commit (fixture, fixture->owner, "sv1 revoke");
  g_autoptr (SvExtrinsic) other = ledger_fixture_commit (fixture, fixture->owner, "sv1 commit 2025-10-23 45\n…");
  assert_anchor (fixture, first->block - 1, NULL);
  assert_anchor (fixture, first->block, "sv1 manifest first");
  assert_anchor (fixture, second->block - 1, "sv1 manifest first");
  assert_anchor (fixture, other->block, "sv1 revoke");
}

/* ── 6 ── */

static void
owner_and_permits_are_told (const Setup *setup, LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *owner = sv_chain_owner (fixture->chain, &error);
  g_assert_cmpstr (owner, ==, sv_keypair_address (fixture->owner));
  SvHead head = ledger_fixture_head (fixture);
  g_auto (GStrv) permits = sv_chain_permits (fixture->chain, head.best.number, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (permits), ==, 1);
  g_assert_cmpstr (permits[0], ==, sv_keypair_address (fixture->miner));
}

/* ── 7 ── */

static void
a_text_that_is_too_long_is_refused (const Setup *setup, LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *longest = g_strnfill (sv_chain_max_text (fixture->chain), 'x');
  g_autofree char *too_long = g_strconcat (longest, "x", NULL);
  g_assert_null (sv_chain_prepare_commitment (fixture->chain, fixture->miner, too_long, SV_PREPARE_DEFAULT, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_POLICY);
  g_autoptr (SvExtrinsic) included = ledger_fixture_commit (fixture, fixture->miner, longest);
  g_assert_cmpstr (included->text, ==, longest);
}

/* ── 8 ── */

static void
an_extrinsic_that_never_comes_is_reported (const Setup *setup, LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = g_strdup_printf ("0x%064d", 1);
  g_assert_null (sv_chain_await_inclusion (fixture->chain, hash, 0, 1, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
}

/* ── 9 ── */

static void
another_genesis_than_the_pinned_one_is_refused (const Setup *setup, LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *other = g_strdup_printf ("0x%064d", 1);
  sv_config_set (fixture->config, "SCOREVISION_GENESIS", other);
  g_assert_null (sv_chain_open (fixture->config, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
  g_clear_error (&error);
  sv_config_set (fixture->config, "SCOREVISION_GENESIS", sv_chain_id (fixture->chain)->genesis);
  g_autoptr (SvChain) chain = sv_chain_open (fixture->config, &error);
  g_assert_no_error (error);
  g_assert_nonnull (chain);
}

static const struct
{
  const char *name;
  void (*run) (const Setup *setup, LedgerFixture *fixture);
} cases[] = {
  { "blocks-link-up-to-the-head", blocks_link_up_to_the_head },
  { "a-commitment-is-found-by-its-proof-and-only-there", a_commitment_is_found_by_its_proof_and_only_there },
  { "submitting-twice-includes-once", submitting_twice_includes_once },
  { "commitments-come-in-chain-order", commitments_come_in_chain_order_from_the_blocks_asked_for },
  { "the-anchor-is-the-last-such-text-at-a-block", the_anchor_is_the_last_such_text_at_a_block },
  { "owner-and-permits-are-told", owner_and_permits_are_told },
  { "a-text-that-is-too-long-is-refused", a_text_that_is_too_long_is_refused },
  { "an-extrinsic-that-never-comes-is-reported", an_extrinsic_that_never_comes_is_reported },
  { "another-genesis-than-the-pinned-one-is-refused", another_genesis_than_the_pinned_one_is_refused },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize s = 0; s < G_N_ELEMENTS (setups); s++)
    for (gsize c = 0; c < G_N_ELEMENTS (cases); c++)
    {
      g_autofree char *path = g_strdup_printf ("/chain/%s/%s", setups[s].name, cases[c].name);
      Case *test = g_new0 (Case, 1);
      *test = (Case){ .setup = &setups[s], .run = cases[c].run };
      g_test_add_data_func_full (path, test, run_case, g_free);
    }
  return g_test_run ();
}
