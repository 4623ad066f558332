/* What every chain engine must do, as chain.h promises it; the engines are the rows of chain_fixture.c.
 *
 *  1. heads: best and finalized are blocks of the chain, parents link up, above the head there is nothing
 *  2. a commitment is included once, found by its proof, and only there
 *  3. the same extrinsic submitted again (waiting or included) is a success and is there once
 *  4. commitments come in chain order, from the blocks asked for
 *  5. the anchor is what the slot held at a block; a later text of another kind takes it away where an account has but one slot
 *  6. owner and permits
 *  7. a text that is too long is refused before it is signed
 *  8. an extrinsic that never comes is reported as unreachable
 *  9. a genesis that is not the pinned one is refused
 * 10. the commitments of one account are its own, in chain order, from the blocks asked for
 * 11. every account's slot shows what it committed last
 * 12. an extrinsic is final once enough blocks lie above it, and not before
 */
#include <string.h>

#include "base/error.h"
#include "chain_fixture.h"

/* ── 1 ── */

static void
blocks_link_up_to_the_head (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  chain_fixture_advance (fixture, 6);
  SvHead head = chain_fixture_head (fixture);
  g_assert_cmpuint (head.finalized.number, <=, head.best.number);
  SvBlock block, parent;
  g_assert_true (sv_chain_block (fixture->chain, head.finalized.number, &block, &error));
  g_assert_cmpstr (block.hash, ==, head.finalized.hash);
  for (guint64 number = head.best.number; number > fixture->baseline; number--)
  {
    g_assert_true (sv_chain_block (fixture->chain, number, &block, &error));
    g_assert_true (sv_chain_block (fixture->chain, number - 1, &parent, &error));
    g_assert_cmpuint (block.number, ==, number);
    g_assert_cmpstr (block.parent, ==, parent.hash);
    g_assert_cmpint (block.time_ms, >=, parent.time_ms);
  }
  g_assert_true (sv_chain_block (fixture->chain, 0, &block, &error));
  g_assert_cmpstr (block.hash, ==, sv_chain_id (fixture->chain)->genesis);
  g_assert_false (sv_chain_block (fixture->chain, head.best.number + 100, &block, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_NOT_FOUND);
}

/* ── 2 ── */

static void
a_commitment_is_found_by_its_proof_and_only_there (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  chain_fixture_advance (fixture, 2);
  g_autoptr (SvExtrinsic) included = chain_fixture_commit (fixture, fixture->miner, "hello\n\"chain\" é");
  chain_fixture_advance (fixture, 1);
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
submitting_twice_includes_once (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvPreparedExtrinsic) prepared = chain_fixture_prepare (fixture, fixture->miner, "once");
  g_assert_true (sv_chain_submit (fixture->chain, prepared, &error));
  g_assert_true (sv_chain_submit (fixture->chain, prepared, &error));
  chain_fixture_advance (fixture, 2);
  g_assert_true (sv_chain_submit (fixture->chain, prepared, &error));
  chain_fixture_advance (fixture, 2);
  SvHead head = chain_fixture_head (fixture);
  g_autoptr (GPtrArray) all = sv_chain_commitments (fixture->chain, fixture->baseline, head.best.number, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (all->len, ==, 1);
}

/* ── 4 ── */

static void
commitments_come_in_chain_order_from_the_blocks_asked_for (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  static const char *const texts[] = { "one", "two", "three", "four" };
  guint64 blocks[G_N_ELEMENTS (texts)];
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
  {
    g_autoptr (SvExtrinsic) included = chain_fixture_commit (fixture, i % 2 ? fixture->owner : fixture->miner, texts[i]);
    blocks[i] = included->block;
    chain_fixture_advance (fixture, 1);
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
assert_anchor (ChainFixture *fixture, guint64 at_block, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean known = sv_chain_anchor_text (fixture->chain, sv_keypair_address (fixture->owner), at_block, &text, &error);
  g_assert_no_error (error);
  g_assert_true (known);
  g_assert_cmpstr (text, ==, expected);
}

static void
the_anchor_is_read_from_the_slot_at_a_block (ChainFixture *fixture)
{
  g_autoptr (SvExtrinsic) first = chain_fixture_commit (fixture, fixture->owner, "sv1 manifest first");
  sv_extrinsic_free (chain_fixture_commit (fixture, fixture->miner, "sv1 manifest theirs"));
  chain_fixture_advance (fixture, 1);
  g_autoptr (SvExtrinsic) second = chain_fixture_commit (fixture, fixture->owner, "sv1 revoke");
  g_autoptr (SvExtrinsic) other = chain_fixture_commit (fixture, fixture->owner, "of another program");
  assert_anchor (fixture, first->block - 1, NULL);
  assert_anchor (fixture, first->block, "sv1 manifest first");
  assert_anchor (fixture, second->block - 1, "sv1 manifest first");
  assert_anchor (fixture, other->block - 1, "sv1 revoke");
  assert_anchor (fixture, other->block, fixture->row->slot_keeps_anchor ? "sv1 revoke" : NULL);
}

/* ── 6 ── */

static void
owner_and_permits_are_told (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *owner = sv_chain_owner (fixture->chain, &error);
  g_assert_cmpstr (owner, ==, sv_keypair_address (fixture->owner));
  SvHead head = chain_fixture_head (fixture);
  g_auto (GStrv) permits = sv_chain_permits (fixture->chain, head.best.number, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (permits), ==, 1);
  g_assert_cmpstr (permits[0], ==, sv_keypair_address (fixture->miner));
}

/* ── 7 ── */

static void
a_text_that_is_too_long_is_refused (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *longest = g_strnfill (sv_chain_max_text (fixture->chain), 'x');
  g_autofree char *too_long = g_strconcat (longest, "x", NULL);
  g_assert_null (sv_chain_prepare_commitment (fixture->chain, fixture->miner, too_long, SV_PREPARE_DEFAULT, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_POLICY);
  g_autoptr (SvExtrinsic) included = chain_fixture_commit (fixture, fixture->miner, longest);
  g_assert_cmpstr (included->text, ==, longest);
}

/* ── 8 ── */

static void
an_extrinsic_that_never_comes_is_reported (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  SvPreparedExtrinsic prepared = { .prepared_at = fixture->baseline, .valid_until = G_MAXUINT64 };
  g_snprintf (prepared.hash, sizeof prepared.hash, "0x%064d", 1);
  g_assert_null (sv_chain_await_inclusion (fixture->chain, &prepared, 1, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_clear_error (&error);

  /* One that no block may hold any more need not be waited for. */
  chain_fixture_advance (fixture, 6);
  g_assert_cmpuint (chain_fixture_head (fixture).finalized.number, >, fixture->baseline);
  prepared.valid_until = fixture->baseline;
  g_assert_null (sv_chain_await_inclusion (fixture->chain, &prepared, 60000, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
}

/* ── 9 ── */

static void
another_genesis_than_the_pinned_one_is_refused (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *other = g_strdup_printf ("0x%064d", 1);
  sv_config_set (fixture->config, "SCOREVISION_GENESIS", other);
  g_assert_null (sv_chain_open (fixture->config, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
  g_clear_error (&error);
  other[strlen (other) - 1] = '\0'; /* a typing error */
  sv_config_set (fixture->config, "SCOREVISION_GENESIS", other);
  g_assert_null (sv_chain_open (fixture->config, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  g_clear_error (&error);
  sv_config_set (fixture->config, "SCOREVISION_GENESIS", sv_chain_id (fixture->chain)->genesis);
  g_autoptr (SvChain) chain = sv_chain_open (fixture->config, &error);
  g_assert_no_error (error);
  g_assert_nonnull (chain);
}

/* ── 10 ── */

static void
commitments_of_an_account_are_its_own (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvExtrinsic) first = chain_fixture_commit (fixture, fixture->miner, "first");
  sv_extrinsic_free (chain_fixture_commit (fixture, fixture->owner, "theirs"));
  g_autoptr (SvExtrinsic) second = chain_fixture_commit (fixture, fixture->miner, "second");
  g_autoptr (SvExtrinsic) third = chain_fixture_commit (fixture, fixture->miner, "third");
  chain_fixture_advance (fixture, 2);
  SvHead head = chain_fixture_head (fixture);
  const char *miner = sv_keypair_address (fixture->miner);
  g_autoptr (GArray) unreadable = NULL;
  g_autoptr (GPtrArray) all =
      sv_chain_account_commitments (fixture->chain, miner, fixture->baseline, head.best.number, &unreadable, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (unreadable->len, ==, 0);
  static const char *const texts[] = { "first", "second", "third" };
  g_assert_cmpuint (all->len, ==, G_N_ELEMENTS (texts));
  for (guint i = 0; i < all->len; i++)
  {
    const SvExtrinsic *extrinsic = all->pdata[i];
    g_assert_cmpstr (extrinsic->text, ==, texts[i]);
    g_assert_cmpstr (extrinsic->signer, ==, miner);
    g_assert_true (extrinsic->succeeded);
    g_assert_null (extrinsic->failure);
  }
  g_autoptr (GPtrArray) between =
      sv_chain_account_commitments (fixture->chain, miner, first->block + 1, third->block - 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (between->len, ==, 1);
  g_assert_cmpstr (((const SvExtrinsic *)between->pdata[0])->hash, ==, second->hash);
}

/* ── 11 ── */

static const SvSlot *
slot_of (const GPtrArray *slots, const SvKeypair *keypair)
{
  const SvSlot *found = NULL;
  for (guint i = 0; i < slots->len; i++)
  {
    const SvSlot *slot = slots->pdata[i];
    if (strcmp (slot->account, sv_keypair_address (keypair)) != 0)
      continue;
    g_assert_null (found);
    found = slot;
  }
  g_assert_nonnull (found);
  return found;
}

static void
slots_show_what_was_committed_last (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  sv_extrinsic_free (chain_fixture_commit (fixture, fixture->miner, "earlier"));
  g_autoptr (SvExtrinsic) theirs = chain_fixture_commit (fixture, fixture->owner, "theirs");
  g_autoptr (SvExtrinsic) later = chain_fixture_commit (fixture, fixture->miner, "later");
  g_autoptr (GPtrArray) slots = sv_chain_slots (fixture->chain, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (slot_of (slots, fixture->miner)->text, ==, "later");
  g_assert_cmpuint (slot_of (slots, fixture->miner)->block, ==, later->block);
  g_assert_cmpstr (slot_of (slots, fixture->owner)->text, ==, "theirs");
  g_assert_cmpuint (slot_of (slots, fixture->owner)->block, ==, theirs->block);
}

/* ── 12 ── */

static void
an_extrinsic_becomes_final (ChainFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvExtrinsic) included = chain_fixture_commit (fixture, fixture->miner, "to stay");
  g_autofree char *hash = g_strdup (included->hash);
  guint64 block = included->block;
  g_assert_false (sv_chain_await_finality (fixture->chain, &included, 1, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_clear_error (&error);
  chain_fixture_advance (fixture, 3);
  g_assert_true (sv_chain_await_finality (fixture->chain, &included, 20000, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (included->hash, ==, hash);
  g_assert_cmpuint (included->block, ==, block);
  g_assert_cmpuint (chain_fixture_head (fixture).finalized.number, >=, block);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  chain_promise_add ("blocks-link-up-to-the-head", blocks_link_up_to_the_head);
  chain_promise_add ("a-commitment-is-found-by-its-proof-and-only-there", a_commitment_is_found_by_its_proof_and_only_there);
  chain_promise_add ("submitting-twice-includes-once", submitting_twice_includes_once);
  chain_promise_add ("commitments-come-in-chain-order", commitments_come_in_chain_order_from_the_blocks_asked_for);
  chain_promise_add ("the-anchor-is-read-from-the-slot-at-a-block", the_anchor_is_read_from_the_slot_at_a_block);
  chain_promise_add ("owner-and-permits-are-told", owner_and_permits_are_told);
  chain_promise_add ("a-text-that-is-too-long-is-refused", a_text_that_is_too_long_is_refused);
  chain_promise_add ("an-extrinsic-that-never-comes-is-reported", an_extrinsic_that_never_comes_is_reported);
  chain_promise_add ("another-genesis-than-the-pinned-one-is-refused", another_genesis_than_the_pinned_one_is_refused);
  chain_promise_add ("commitments-of-an-account-are-its-own", commitments_of_an_account_are_its_own);
  chain_promise_add ("slots-show-what-was-committed-last", slots_show_what_was_committed_last);
  chain_promise_add ("an-extrinsic-becomes-final", an_extrinsic_becomes_final);
  return g_test_run ();
}
