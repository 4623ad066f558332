/* The follower, on a chain that does what the test says.
 *
 * pictures    - the first picture has the commitments from `from` to the head, failed ones too
 *             - a step without new commitments reads the new blocks only and shares the old picture's records
 *             - an old picture stays as it was
 *             - nothing to follow yet: `from` above the head
 * reorg       - dropped commitments vanish, new ones come; also when a branch is shorter
 *             - a reorganisation between two reads never mixes branches
 *             - one after the other without end: an error, and the last picture stays
 * failures    - the last picture stays; the next step goes on where this one was, without reading twice
 * from        - forward drops what lies below, back reads only what is missing
 */
#include "bindings/follower.h"

#include <string.h>

#include "base/error.h"
#include "bindings/record_set.h"
#include "fake_chain.h"

/* ── pictures ── */

static void
the_first_picture_has_all_from_the_beginning_on (void)
{
  FakeChain *chain = fake_chain_new (3);
  const SvExtrinsic *before = fake_chain_include (chain, ALICE, "before", TRUE);
  fake_chain_grow (chain, 2500);
  const SvExtrinsic *final = fake_chain_include (chain, ALICE, "final", TRUE);
  fake_chain_grow (chain, 5);
  const SvExtrinsic *failed = fake_chain_include (chain, BOB, "failed", FALSE);
  g_autoptr (SvFollower) follower = sv_follower_new (&chain->base, NULL);
  g_assert_null (sv_follower_bindings (follower));
  sv_follower_set_from (follower, 2);
  g_autoptr (SvBindings) picture = step (follower);
  g_assert_cmpuint (sv_bindings_from_block (picture), ==, 2);
  g_assert_cmpuint (sv_bindings_head (picture)->best.number, ==, fake_chain_head (chain));
  g_assert_false (knows (picture, before));
  g_assert_true (knows (picture, final));
  g_assert_true (knows (picture, failed));
  g_assert_cmpuint (chain->n_blocks_read, ==, fake_chain_head (chain) - 1);
  sv_chain_free (&chain->base);
}

static void
a_step_without_commitments_shares_the_records (void)
{
  FakeChain *chain = fake_chain_new (3);
  fake_chain_include (chain, ALICE, "one", TRUE);
  fake_chain_grow (chain, 10);
  g_autoptr (SvFollower) follower = sv_follower_new (&chain->base, NULL);
  g_autoptr (SvBindings) first = step (follower);
  guint64 read = chain->n_blocks_read;
  fake_chain_grow (chain, 2);
  g_autoptr (SvBindings) second = step (follower);
  g_assert_cmpuint (chain->n_blocks_read, ==, read + 2);
  g_assert_true (sv_bindings_record_set (first) == sv_bindings_record_set (second));
  g_assert_cmpuint (sv_bindings_head (second)->best.number, ==, sv_bindings_head (first)->best.number + 2);
  chain->n_calls = 0;
  sv_bindings_unref (step (follower));
  g_assert_cmpuint (chain->n_calls, ==, 1);
  sv_chain_free (&chain->base);
}

static void
an_old_picture_stays_as_it_was (void)
{
  FakeChain *chain = fake_chain_new (3);
  fake_chain_grow (chain, 10);
  g_autoptr (SvFollower) follower = sv_follower_new (&chain->base, NULL);
  g_autoptr (SvBindings) old = step (follower);
  const SvExtrinsic *later = fake_chain_include (chain, ALICE, "later", TRUE);
  g_autoptr (SvBindings) fresh = step (follower);
  g_assert_true (knows (fresh, later));
  g_assert_false (knows (old, later));
  g_clear_pointer (&follower, sv_follower_free);
  g_assert_true (knows (fresh, later));
  sv_chain_free (&chain->base);
}

static void
a_beginning_above_the_head_waits_for_it (void)
{
  FakeChain *chain = fake_chain_new (3);
  g_autoptr (SvFollower) follower = sv_follower_new (&chain->base, NULL);
  sv_follower_set_from (follower, 8);
  sv_bindings_unref (step (follower));
  g_assert_cmpuint (chain->n_blocks_read, ==, 0);
  fake_chain_grow (chain, 6);
  const SvExtrinsic *before = fake_chain_include (chain, ALICE, "before", TRUE);
  const SvExtrinsic *first = fake_chain_include (chain, ALICE, "first", TRUE);
  g_assert_cmpuint (first->block, ==, 8);
  g_autoptr (SvBindings) picture = step (follower);
  g_assert_true (knows (picture, first));
  g_assert_false (knows (picture, before));
  sv_follower_set_from (follower, 7);
  g_autoptr (SvBindings) wider = step (follower);
  g_assert_true (knows (wider, first));
  g_assert_true (knows (wider, before));
  sv_chain_free (&chain->base);
}

/* ── reorganisations ── */

static void
a_reorganisation_replaces_the_open_commitments (void)
{
  FakeChain *chain = fake_chain_new (3);
  fake_chain_grow (chain, 10);
  const SvExtrinsic *kept = fake_chain_include (chain, ALICE, "kept", TRUE);
  SvExtrinsic dropped = *fake_chain_include (chain, ALICE, "dropped", TRUE);
  dropped.signer = ALICE;
  dropped.text = "dropped";
  g_autoptr (SvFollower) follower = sv_follower_new (&chain->base, NULL);
  g_autoptr (SvBindings) before = step (follower);
  g_assert_true (knows (before, &dropped));

  fake_chain_drop (chain, 1);
  g_autoptr (SvBindings) shorter = step (follower);
  g_assert_true (knows (shorter, kept));
  g_assert_false (knows (shorter, &dropped));

  fake_chain_drop (chain, 1);
  const SvExtrinsic *fresh = fake_chain_include (chain, BOB, "fresh", TRUE);
  fake_chain_grow (chain, 1);
  g_autoptr (SvBindings) after = step (follower);
  g_assert_true (knows (after, fresh));
  g_assert_true (knows (before, &dropped)); /* the old picture is of the old branch */
  sv_chain_free (&chain->base);
}

typedef struct
{
  FakeChain *chain;
  guint left; /* so many times */
} Trouble;

static void
reorganise_now (gpointer data)
{
  Trouble *trouble = data;
  if (trouble->left == 0)
    return;
  trouble->left--;
  fake_chain_drop (trouble->chain, 2);
  fake_chain_include (trouble->chain, BOB, "new branch", TRUE);
  fake_chain_grow (trouble->chain, 2);
}

static void
a_reorganisation_between_two_reads_mixes_nothing (void)
{
  FakeChain *chain = fake_chain_new (3);
  Trouble trouble = { chain, 2 };
  fake_chain_grow (chain, 10);
  fake_chain_include (chain, ALICE, "old branch", TRUE);
  fake_chain_include (chain, ALICE, "old branch", TRUE);
  chain->before_read = reorganise_now;
  chain->before_read_data = &trouble;
  g_autoptr (SvFollower) follower = sv_follower_new (&chain->base, NULL);
  g_autoptr (SvBindings) picture = step (follower);
  g_assert_cmpuint (trouble.left, ==, 0);
  SvHead head;
  g_assert_true (sv_chain_head (&chain->base, &head, NULL));
  g_assert_cmpstr (sv_bindings_head (picture)->best.hash, ==, head.best.hash);
  for (guint i = 0; i < chain->extrinsics->len; i++)
    g_assert_true (knows (picture, chain->extrinsics->pdata[i]));
  sv_chain_free (&chain->base);
}

static void
endless_reorganising_is_an_error_and_the_last_picture_stays (void)
{
  g_autoptr (GError) error = NULL;
  FakeChain *chain = fake_chain_new (3);
  Trouble trouble = { chain, G_MAXUINT };
  fake_chain_grow (chain, 10);
  g_autoptr (SvFollower) follower = sv_follower_new (&chain->base, NULL);
  g_autoptr (SvBindings) before = step (follower);
  fake_chain_grow (chain, 2);
  chain->before_read = reorganise_now;
  chain->before_read_data = &trouble;
  g_assert_false (sv_follower_step (follower, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_autoptr (SvBindings) after = sv_follower_bindings (follower);
  g_assert_true (before == after);
  sv_chain_free (&chain->base);
}

/* ── failures ── */

static void
after_a_failure_the_next_step_goes_on (void)
{
  g_autoptr (GError) error = NULL;
  FakeChain *chain = fake_chain_new (3);
  fake_chain_grow (chain, 10);
  g_autoptr (SvFollower) follower = sv_follower_new (&chain->base, NULL);
  g_autoptr (SvBindings) before = step (follower);
  const SvExtrinsic *early = fake_chain_include (chain, ALICE, "early", TRUE);
  fake_chain_grow (chain, 3000);
  chain->fail_from = 2500;
  g_assert_false (sv_follower_step (follower, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_autoptr (SvBindings) during = sv_follower_bindings (follower);
  g_assert_true (before == during);
  chain->fail_from = G_MAXUINT64;
  g_autoptr (SvBindings) after = step (follower);
  g_assert_true (knows (after, early));
  g_assert_cmpuint (chain->n_blocks_read, ==, fake_chain_head (chain) + 1);
  sv_chain_free (&chain->base);
}

/* ── moving the beginning ── */

static void
moving_the_beginning_reads_only_what_is_missing (void)
{
  FakeChain *chain = fake_chain_new (3);
  fake_chain_grow (chain, 9);
  const SvExtrinsic *early = fake_chain_include (chain, ALICE, "early", TRUE);
  fake_chain_grow (chain, 9);
  const SvExtrinsic *late = fake_chain_include (chain, ALICE, "late", TRUE);
  fake_chain_grow (chain, 1);
  g_autoptr (SvFollower) follower = sv_follower_new (&chain->base, NULL);
  sv_follower_set_from (follower, 5);
  g_autoptr (SvBindings) wide = step (follower);
  guint64 read = chain->n_blocks_read;
  sv_follower_set_from (follower, 15);
  g_autoptr (SvBindings) narrow = step (follower);
  g_assert_cmpuint (sv_bindings_from_block (narrow), ==, 15);
  g_assert_false (knows (narrow, early));
  g_assert_true (knows (narrow, late));
  g_assert_true (knows (wide, early));
  g_assert_cmpuint (chain->n_blocks_read, ==, read);
  sv_follower_set_from (follower, 3);
  g_autoptr (SvBindings) wider = step (follower);
  g_assert_cmpuint (chain->n_blocks_read, ==, read + 12);
  g_assert_true (knows (wider, early));
  g_assert_true (knows (wider, late));
  sv_follower_set_from (follower, fake_chain_head (chain) + 50);
  g_autoptr (SvBindings) none = step (follower);
  g_assert_false (knows (none, late));
  sv_chain_free (&chain->base);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/follower/the-first-picture-has-all", the_first_picture_has_all_from_the_beginning_on);
  g_test_add_func ("/follower/a-step-without-commitments-shares-the-records", a_step_without_commitments_shares_the_records);
  g_test_add_func ("/follower/an-old-picture-stays-as-it-was", an_old_picture_stays_as_it_was);
  g_test_add_func ("/follower/a-beginning-above-the-head-waits-for-it", a_beginning_above_the_head_waits_for_it);
  g_test_add_func ("/follower/reorg/replaces-the-open-commitments", a_reorganisation_replaces_the_open_commitments);
  g_test_add_func ("/follower/reorg/between-two-reads-mixes-nothing", a_reorganisation_between_two_reads_mixes_nothing);
  g_test_add_func ("/follower/reorg/without-end-is-an-error", endless_reorganising_is_an_error_and_the_last_picture_stays);
  g_test_add_func ("/follower/after-a-failure-the-next-step-goes-on", after_a_failure_the_next_step_goes_on);
  g_test_add_func ("/follower/moving-the-beginning", moving_the_beginning_reads_only_what_is_missing);
  return g_test_run ();
}
