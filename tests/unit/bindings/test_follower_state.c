/* The follower with a state that it keeps its progress in.
 *
 * unreadable  - the block is told, and the checkpoint stays below it
 * state       - a restart reads only what is new, and finds what was stored
 *             - a checkpoint of another branch is forgotten, one above the head makes the chain wait
 *             - back below the stored beginning, and forward beyond its end, leave an index without holes
 *             - two followers on one state do not disturb each other
 * model       - random growth, reorganisations, moves of `from` and restarts: always what a naive reading of the chain says
 */
#include "bindings/follower.h"

#include <string.h>

#include <glib/gstdio.h>

#include "base/error.h"
#include "fake_chain.h"

/* ── a state to keep things in ── */

typedef struct
{
  char *directory;
  SvConfig *config;
  SvState *state;
  FakeChain *chain;
  SvFollower *follower;
} Kept;

static void
kept_open (Kept *kept)
{
  g_autoptr (GError) error = NULL;
  kept->state = sv_state_open (kept->config, &error);
  g_assert_no_error (error);
  kept->follower = sv_follower_new (&kept->chain->base, kept->state);
}

static void
kept_set_up (Kept *kept)
{
  kept->directory = g_dir_make_tmp ("sv-follower-XXXXXX", NULL);
  g_autofree char *url = g_strdup_printf ("sqlite:%s/state.sqlite", kept->directory);
  kept->config = sv_config_new ();
  sv_config_set (kept->config, "SCOREVISION_DATABASE", url);
  kept->chain = fake_chain_new (3);
  kept_open (kept);
}

static void
kept_close (Kept *kept)
{
  g_clear_pointer (&kept->follower, sv_follower_free);
  g_clear_pointer (&kept->state, sv_state_free);
}

/* A new process, as it were. */
static void
kept_restart (Kept *kept)
{
  kept_close (kept);
  kept_open (kept);
  kept->chain->n_blocks_read = 0;
}

static void
kept_tear_down (Kept *kept)
{
  kept_close (kept);
  g_autoptr (GDir) entries = g_dir_open (kept->directory, 0, NULL);
  const char *name;
  while (entries && (name = g_dir_read_name (entries)))
  {
    g_autofree char *path = g_build_filename (kept->directory, name, NULL);
    g_remove (path);
  }
  g_rmdir (kept->directory);
  g_free (kept->directory);
  sv_config_free (kept->config);
  sv_chain_free (&kept->chain->base);
}

static SvCheckpoint
read_checkpoint (Kept *kept)
{
  g_autoptr (GError) error = NULL;
  SvCheckpoint checkpoint = { 0 };
  gboolean found = FALSE;
  g_assert_true (sv_state_checkpoint (kept->state, &kept->chain->base.id, &checkpoint, &found, &error));
  g_assert_no_error (error);
  g_assert_true (found);
  return checkpoint;
}

static void
assert_checkpoint (Kept *kept, guint64 from, guint64 number)
{
  SvCheckpoint checkpoint = read_checkpoint (kept);
  g_assert_cmpuint (checkpoint.from_block, ==, from);
  g_assert_cmpuint (checkpoint.number, ==, number);
}

/* The stored index holds exactly the chain's commitments of its range. */
static void
assert_index_is_whole (Kept *kept)
{
  g_autoptr (GError) error = NULL;
  SvCheckpoint checkpoint = read_checkpoint (kept);
  g_autoptr (GPtrArray) stored = sv_state_list_commitments (kept->state, &kept->chain->base.id, 0, &error);
  g_assert_no_error (error);
  guint n = 0;
  for (guint i = 0; i < kept->chain->extrinsics->len; i++)
  {
    const SvExtrinsic *extrinsic = kept->chain->extrinsics->pdata[i];
    if (extrinsic->block < checkpoint.from_block || extrinsic->block > checkpoint.number)
      continue;
    g_assert_cmpuint (n, <, stored->len);
    const SvStoredCommitment *row = stored->pdata[n++];
    g_assert_cmpuint (row->block, ==, extrinsic->block);
    g_assert_cmpstr (row->hash, ==, extrinsic->hash);
    g_assert_cmpstr (row->text, ==, extrinsic->text);
  }
  g_assert_cmpuint (stored->len, ==, n);
}

/* ── unreadable blocks ── */

static void
an_unreadable_block_is_told_and_tried_again_after_a_restart (void)
{
  Kept kept = { 0 };
  kept_set_up (&kept);
  guint64 gone = 5;
  fake_chain_grow (kept.chain, 4);
  const SvExtrinsic *inside = fake_chain_include (kept.chain, ALICE, "inside", TRUE);
  g_assert_cmpuint (inside->block, ==, gone);
  fake_chain_grow (kept.chain, 10);
  g_array_append_val (kept.chain->unreadable, gone);
  g_autoptr (SvBindings) picture = step (kept.follower);
  SvProof proof = { .block = gone };
  SvProofExtrinsic found;
  g_strlcpy (proof.hash, inside->hash, sizeof proof.hash);
  g_assert_true (sv_bindings_find (picture, &proof, &found));
  g_assert_true (found.unreadable);
  g_assert_false (found.found);
  g_assert_true (sv_bindings_is_unreadable (picture, gone));
  g_assert_false (sv_bindings_is_unreadable (picture, gone + 1));
  g_assert_cmpuint (sv_bindings_first_unreadable (picture, 0, 15), ==, gone);
  g_assert_cmpuint (sv_bindings_first_unreadable (picture, gone + 1, 15), ==, G_MAXUINT64);
  assert_checkpoint (&kept, 0, gone - 1);

  g_array_set_size (kept.chain->unreadable, 0);
  kept_restart (&kept);
  g_autoptr (SvBindings) again = step (kept.follower);
  g_assert_true (knows (again, inside));
  g_assert_false (sv_bindings_is_unreadable (again, gone));
  assert_checkpoint (&kept, 0, 12);
  assert_index_is_whole (&kept);
  kept_tear_down (&kept);
}

/* ── restarts ── */

static void
a_restart_reads_only_what_is_new (void)
{
  Kept kept = { 0 };
  kept_set_up (&kept);
  fake_chain_grow (kept.chain, 20);
  const SvExtrinsic *old = fake_chain_include (kept.chain, ALICE, "old", TRUE);
  const SvExtrinsic *failed = fake_chain_include (kept.chain, ALICE, "failed", FALSE);
  fake_chain_grow (kept.chain, 8);
  sv_follower_set_from (kept.follower, 4);
  sv_bindings_unref (step (kept.follower));
  assert_checkpoint (&kept, 4, 27);
  fake_chain_grow (kept.chain, 5);
  kept_restart (&kept);
  sv_follower_set_from (kept.follower, 10);
  g_autoptr (SvBindings) after = step (kept.follower);
  g_assert_cmpuint (kept.chain->n_blocks_read, ==, 8);
  g_assert_true (knows (after, old));
  g_assert_true (knows (after, failed));
  assert_checkpoint (&kept, 4, 32);
  assert_index_is_whole (&kept);
  sv_follower_set_from (kept.follower, 4); /* stored, though not in memory */
  g_autoptr (SvBindings) wider = step (kept.follower);
  g_assert_cmpuint (kept.chain->n_blocks_read, ==, 8);
  g_assert_cmpuint (sv_bindings_from_block (wider), ==, 4);
  kept_tear_down (&kept);
}

static void
a_checkpoint_that_is_not_on_the_chain_is_forgotten (void)
{
  Kept kept = { 0 };
  kept_set_up (&kept);
  fake_chain_grow (kept.chain, 10);
  fake_chain_include (kept.chain, ALICE, "of the other branch", TRUE);
  fake_chain_grow (kept.chain, 10);
  sv_bindings_unref (step (kept.follower));
  fake_chain_drop (kept.chain, 15); /* deeper than finality: somebody put back an old copy of the chain */
  const SvExtrinsic *other = fake_chain_include (kept.chain, BOB, "of this branch", TRUE);
  fake_chain_grow (kept.chain, 30);
  kept_restart (&kept);
  g_autoptr (SvBindings) other_branch = step (kept.follower);
  g_assert_true (knows (other_branch, other));
  g_assert_cmpuint (kept.chain->n_blocks_read, ==, fake_chain_head (kept.chain) + 1);
  assert_index_is_whole (&kept);
  kept_tear_down (&kept);
}

/* The endpoint has not come as far as the one before it: nothing is answered by its head, and nothing is forgotten. */
static void
a_chain_that_ends_below_the_checkpoint_is_behind (void)
{
  g_autoptr (GError) error = NULL;
  Kept kept = { 0 };
  kept_set_up (&kept);
  const SvExtrinsic *early = fake_chain_include (kept.chain, ALICE, "early", TRUE);
  fake_chain_grow (kept.chain, 30);
  sv_bindings_unref (step (kept.follower));
  fake_chain_drop (kept.chain, 20);
  kept_restart (&kept);
  g_assert_false (sv_follower_step (kept.follower, NULL, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  g_assert_nonnull (strstr (error->message, "is behind"));
  fake_chain_grow (kept.chain, 40);
  kept_restart (&kept);
  g_autoptr (SvBindings) caught_up = step (kept.follower);
  g_assert_true (knows (caught_up, early));
  assert_index_is_whole (&kept);
  kept_tear_down (&kept);
}

static void
the_stored_index_never_has_holes (void)
{
  Kept kept = { 0 };
  kept_set_up (&kept);
  for (int i = 0; i < 30; i++)
    fake_chain_include (kept.chain, i % 2 ? ALICE : BOB, "text", TRUE);
  sv_follower_set_from (kept.follower, 12);
  sv_bindings_unref (step (kept.follower));
  assert_checkpoint (&kept, 12, 27);
  sv_follower_set_from (kept.follower, 6);
  sv_bindings_unref (step (kept.follower));
  assert_checkpoint (&kept, 6, 27);
  assert_index_is_whole (&kept);
  for (int i = 0; i < 30; i++)
    fake_chain_include (kept.chain, ALICE, "more", TRUE);
  kept_restart (&kept);
  sv_follower_set_from (kept.follower, 40);
  sv_bindings_unref (step (kept.follower));
  assert_checkpoint (&kept, 40, 57);
  assert_index_is_whole (&kept);
  kept_tear_down (&kept);
}

static void
two_followers_share_a_state (void)
{
  g_autoptr (GError) error = NULL;
  Kept kept = { 0 };
  kept_set_up (&kept);
  g_autoptr (SvState) other_state = sv_state_open (kept.config, &error);
  g_assert_no_error (error);
  g_autoptr (SvFollower) other = sv_follower_new (&kept.chain->base, other_state);
  for (int i = 0; i < 40; i++)
  {
    fake_chain_include (kept.chain, ALICE, "text", TRUE);
    g_autoptr (SvBindings) picture = step (i % 3 ? kept.follower : other);
    g_assert_true (knows (picture, kept.chain->extrinsics->pdata[i]));
    assert_index_is_whole (&kept);
  }
  g_assert_true (sv_state_forget_chain (other_state, &kept.chain->base.id, &error));
  fake_chain_include (kept.chain, ALICE, "text", TRUE);
  sv_bindings_unref (step (kept.follower));
  assert_index_is_whole (&kept);
  kept_tear_down (&kept);
}

/* ── model ── */

static void
assert_like_the_chain (FakeChain *chain, const SvBindings *picture, guint64 from)
{
  guint64 head = fake_chain_head (chain);
  g_assert_cmpuint (sv_bindings_head (picture)->best.number, ==, head);
  guint of_alice = 0, of_bob = 0;
  for (guint i = 0; i < chain->extrinsics->len; i++)
  {
    const SvExtrinsic *extrinsic = chain->extrinsics->pdata[i];
    g_assert_cmpint (knows (picture, extrinsic), ==, extrinsic->block >= from);
    of_alice += extrinsic->block >= from && strcmp (extrinsic->signer, ALICE) == 0;
    of_bob += extrinsic->block >= from && strcmp (extrinsic->signer, BOB) == 0;
  }
  g_autoptr (SvFold) alice = sv_bindings_fold (picture, ALICE, "w", 0, G_MAXUINT64, head);
  g_autoptr (SvFold) bob = sv_bindings_fold (picture, BOB, "w", 0, G_MAXUINT64, head);
  g_assert_cmpuint (alice->verdicts->len, ==, of_alice);
  g_assert_cmpuint (bob->verdicts->len, ==, of_bob);
  for (guint i = 1; i < alice->verdicts->len; i++)
  {
    SvProof a, b;
    g_assert_true (sv_proof_parse (((SvTextVerdict *)alice->verdicts->pdata[i - 1])->proof, &a));
    g_assert_true (sv_proof_parse (((SvTextVerdict *)alice->verdicts->pdata[i])->proof, &b));
    g_assert_cmpuint (a.block, <, b.block);
  }
}

static void
it_always_says_what_the_chain_says (void)
{
  static const char text[] = "sv1 withdraw w\nElement@1.0"; /* concerns the window, whatever folding makes of it */
  Kept kept = { 0 };
  kept_set_up (&kept);
  guint64 from = 0, n_dropped;
  for (int round = 0; round < 400; round++)
  {
    switch (g_test_rand_int_range (0, 6))
    {
    case 0:
      fake_chain_grow (kept.chain, (guint64)g_test_rand_int_range (1, 6));
      break;
    case 1:
    case 2:
      for (int n = g_test_rand_int_range (1, 4); n > 0; n--)
        fake_chain_include (kept.chain, g_test_rand_bit () ? ALICE : BOB, text, TRUE);
      break;
    case 3:
      n_dropped = (guint64)g_test_rand_int_range (1, 4); /* not inside MIN(), which would draw it twice */
      fake_chain_drop (kept.chain, MIN (n_dropped, fake_chain_head (kept.chain)));
      fake_chain_grow (kept.chain, 4);
      break;
    case 4:
      from = (guint64)g_test_rand_int_range (0, (gint32)fake_chain_head (kept.chain) + 5);
      sv_follower_set_from (kept.follower, from);
      break;
    default:
      kept_restart (&kept);
      sv_follower_set_from (kept.follower, from);
    }
    g_autoptr (SvBindings) picture = step (kept.follower);
    assert_like_the_chain (kept.chain, picture, from);
  }
  kept_tear_down (&kept);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/follower-state/an-unreadable-block", an_unreadable_block_is_told_and_tried_again_after_a_restart);
  g_test_add_func ("/follower-state/a-restart-reads-only-what-is-new", a_restart_reads_only_what_is_new);
  g_test_add_func ("/follower-state/a-foreign-checkpoint-is-forgotten", a_checkpoint_that_is_not_on_the_chain_is_forgotten);
  g_test_add_func ("/follower-state/a-chain-that-ends-below-the-checkpoint-is-behind",
                   a_chain_that_ends_below_the_checkpoint_is_behind);
  g_test_add_func ("/follower-state/never-has-holes", the_stored_index_never_has_holes);
  g_test_add_func ("/follower-state/two-followers-share-it", two_followers_share_a_state);
  g_test_add_func ("/follower-state/it-always-says-what-the-chain-says", it_always_says_what_the_chain_says);
  return g_test_run ();
}
