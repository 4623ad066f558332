/* Pictures, on a real ledger.
 *
 *  - a fold at the head is the fold of the hotkey's successful texts, and kept: the same one is returned again
 *  - at an earlier block later texts do not count
 *  - failed extrinsics are found and not folded
 *  - hotkeys without records share one empty fold
 *  - a window's hotkeys are those with a well-formed commit text for it
 *  - rivals for a chute are the other hotkeys that have it in force
 *  - threads that fold while the follower steps see their own picture
 *
 * And the validator list: none, accounts, the permits of the chain, and what is no list.
 */
#include "bindings/bindings.h"

#include <string.h>

#include "base/error.h"
#include "bindings/follower.h"
#include "bindings/record_set.h"
#include "bindings/validators.h"
#include "ledger_fixture.h"

#define WINDOW "2025-10-23"
#define EXPIRY 100000
#define CHUTE_A "87f7d0c5-0000-4000-8000-000000000001"
#define CHUTE_B "87f7d0c5-0000-4000-8000-000000000002"
#define COMMIT_A "sv1 commit " WINDOW " 45\nPlayerDetect_v1@1.0 player-v1 slug-a " CHUTE_A " 25"
#define COMMIT_B "sv1 commit " WINDOW " 45\nBallDetect_v1@1.0 ball-v1 slug-b " CHUTE_B " 20"

typedef struct
{
  LedgerFixture ledger;
  SvFollower *follower;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  ledger_fixture_set_up (&fixture->ledger, 0);
  fixture->follower = sv_follower_new (fixture->ledger.chain, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  sv_follower_free (fixture->follower);
  ledger_fixture_tear_down (&fixture->ledger);
}

static guint64
commit (Fixture *fixture, const SvKeypair *keypair, const char *text)
{
  g_autoptr (SvExtrinsic) included = ledger_fixture_commit (&fixture->ledger, keypair, text);
  return included->block;
}

static SvBindings *
step (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  gboolean done = sv_follower_step (fixture->follower, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  return sv_follower_bindings (fixture->follower);
}

static const SvFold *
fold_at_head (SvBindings *bindings, const SvKeypair *keypair)
{
  return sv_bindings_fold_at_head (bindings, sv_keypair_address (keypair), WINDOW, 50, EXPIRY);
}

/* ── folds ── */

static void
a_fold_at_the_head_is_computed_once (Fixture *fixture, gconstpointer data)
{
  commit (fixture, fixture->ledger.miner, COMMIT_A);
  commit (fixture, fixture->ledger.owner, "somebody else's business");
  guint64 second = commit (fixture, fixture->ledger.miner, COMMIT_B);
  g_autoptr (SvBindings) bindings = step (fixture);
  const SvFold *fold = fold_at_head (bindings, fixture->ledger.miner);
  g_assert_cmpuint (g_hash_table_size (fold->bound), ==, 2);
  const SvBoundElement *ball = g_hash_table_lookup (fold->bound, "BallDetect_v1@1.0");
  g_assert_cmpstr (ball->binding.chute_slug, ==, "slug-b");
  g_assert_cmpuint (ball->committed_at_block, ==, second);
  g_assert_true (fold_at_head (bindings, fixture->ledger.miner) == fold);
  g_assert_cmpuint (g_hash_table_size (fold_at_head (bindings, fixture->ledger.owner)->bound), ==, 0);

  g_autoptr (SvFold) earlier =
      sv_bindings_fold (bindings, sv_keypair_address (fixture->ledger.miner), WINDOW, 50, EXPIRY, second - 1);
  g_assert_cmpuint (g_hash_table_size (earlier->bound), ==, 1);
}

/* Asked twice each, all before the second time: none takes another's place. */
static void
folds_of_different_windows_are_told_apart (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *window_id;
    guint64 start_block, expiry_block;
  } cases[] = { { WINDOW, 50, EXPIRY }, { "another", 50, EXPIRY }, { WINDOW, 51, EXPIRY }, { WINDOW, 50, EXPIRY + 1 } };
  const SvFold *folds[G_N_ELEMENTS (cases)];
  commit (fixture, fixture->ledger.miner, COMMIT_A);
  g_autoptr (SvBindings) bindings = step (fixture);
  const char *miner = sv_keypair_address (fixture->ledger.miner);
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
  {
    gsize which = i % G_N_ELEMENTS (cases);
    const SvFold *fold =
        sv_bindings_fold_at_head (bindings, miner, cases[which].window_id, cases[which].start_block, cases[which].expiry_block);
    for (gsize j = 0; j < MIN (i, G_N_ELEMENTS (cases)); j++)
      g_assert_cmpint (fold == folds[j], ==, j == which);
    folds[which] = fold;
  }
}

static void
hotkeys_without_records_share_one_fold (Fixture *fixture, gconstpointer data)
{
  commit (fixture, fixture->ledger.miner, COMMIT_A);
  g_autoptr (SvBindings) bindings = step (fixture);
  g_autoptr (SvKeypair) stranger = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (SvKeypair) other = sv_keypair_generate (SV_SCHEME_ED25519);
  const SvFold *fold = fold_at_head (bindings, stranger);
  g_assert_cmpuint (g_hash_table_size (fold->bound), ==, 0);
  g_assert_true (fold_at_head (bindings, other) == fold);
}

static void
failed_extrinsics_are_found_and_not_folded (void)
{
  SvHead head = { .best = { .number = 9 }, .finalized = { .number = 6 } };
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_record_unref);
  g_autoptr (GPtrArray) segments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_segment_unref);
  g_autoptr (GArray) unreadable = g_array_new (FALSE, FALSE, sizeof (guint64));
  SvProof proof = { .block = 3 };
  SvProofExtrinsic found;
  g_snprintf (proof.hash, sizeof proof.hash, "0x%064d", 5);
  g_ptr_array_add (records, sv_record_new (3, 0, proof.hash, "miner", COMMIT_A, FALSE));
  g_ptr_array_add (segments, sv_segment_new (records, 0, 1));
  SvRecordSet *set = sv_record_set_new (2, segments, unreadable);
  g_autoptr (SvBindings) bindings = sv_bindings_new (&head, set);
  sv_record_set_unref (set);
  g_assert_true (sv_bindings_find (bindings, &proof, &found));
  g_assert_true (found.found);
  g_assert_false (found.succeeded);
  g_assert_cmpuint (g_hash_table_size (sv_bindings_fold_at_head (bindings, "miner", WINDOW, 50, EXPIRY)->bound), ==, 0);
  g_autoptr (GPtrArray) hotkeys = sv_bindings_hotkeys (bindings, WINDOW);
  g_assert_cmpuint (hotkeys->len, ==, 0);
  proof.block = 4;
  g_assert_true (sv_bindings_find (bindings, &proof, &found));
  g_assert_false (found.found);
  proof.block = 10;
  g_assert_false (sv_bindings_find (bindings, &proof, &found));
  proof.block = 1;
  g_assert_false (sv_bindings_find (bindings, &proof, &found));
}

/* ── windows ── */

static void
a_windows_hotkeys_have_committed_for_it (Fixture *fixture, gconstpointer data)
{
  commit (fixture, fixture->ledger.owner, "sv1 withdraw " WINDOW "\nPlayerDetect_v1@1.0");
  commit (fixture, fixture->ledger.owner, "sv1 commit " WINDOW " 45");
  commit (fixture, fixture->ledger.miner, COMMIT_A);
  commit (fixture, fixture->ledger.miner, COMMIT_B);
  g_autoptr (SvBindings) bindings = step (fixture);
  g_autoptr (GPtrArray) hotkeys = sv_bindings_hotkeys (bindings, WINDOW);
  g_assert_cmpuint (hotkeys->len, ==, 1);
  g_assert_cmpstr (hotkeys->pdata[0], ==, sv_keypair_address (fixture->ledger.miner));
  g_autoptr (GPtrArray) none = sv_bindings_hotkeys (bindings, "2025-10-24");
  g_assert_cmpuint (none->len, ==, 0);
}

static void
rivals_have_the_chute_in_force (Fixture *fixture, gconstpointer data)
{
  const char *miner = sv_keypair_address (fixture->ledger.miner), *owner = sv_keypair_address (fixture->ledger.owner);
  commit (fixture, fixture->ledger.miner, COMMIT_A);
  commit (fixture, fixture->ledger.owner, COMMIT_A);
  commit (fixture, fixture->ledger.owner, COMMIT_B);
  g_autoptr (SvBindings) bindings = step (fixture);
  g_auto (GStrv) of_a = sv_bindings_chute_rivals (bindings, miner, CHUTE_A, WINDOW, 50, EXPIRY);
  g_auto (GStrv) of_b = sv_bindings_chute_rivals (bindings, owner, CHUTE_B, WINDOW, 50, EXPIRY);
  g_assert_cmpuint (g_strv_length (of_a), ==, 1);
  g_assert_cmpstr (of_a[0], ==, owner);
  g_assert_cmpuint (g_strv_length (of_b), ==, 0);
  commit (fixture, fixture->ledger.owner, "sv1 withdraw " WINDOW "\nPlayerDetect_v1@1.0");
  g_autoptr (SvBindings) later = step (fixture);
  g_auto (GStrv) withdrawn = sv_bindings_chute_rivals (later, miner, CHUTE_A, WINDOW, 50, EXPIRY);
  g_assert_cmpuint (g_strv_length (withdrawn), ==, 0);
}

/* ── threads ── */

typedef struct
{
  SvFollower *follower;
  const char *hotkey;
  gint stop; /* atomic */
  gint n;    /* atomic: pictures looked at */
} Reader;

static gpointer
read_pictures (gpointer data)
{
  Reader *reader = data;
  while (!g_atomic_int_get (&reader->stop))
  {
    g_autoptr (SvBindings) bindings = sv_follower_bindings (reader->follower);
    guint64 blocks = sv_bindings_head (bindings)->best.number;
    const SvFold *fold = sv_bindings_fold_at_head (bindings, reader->hotkey, WINDOW, EXPIRY - 1, EXPIRY);
    g_assert_cmpuint (fold->verdicts->len, ==, blocks);
    g_atomic_int_inc (&reader->n);
  }
  return NULL;
}

static void
threads_see_their_own_picture (Fixture *fixture, gconstpointer data)
{
  GThread *threads[3];
  Reader reader = { .follower = fixture->follower, .hotkey = sv_keypair_address (fixture->ledger.miner) };
  sv_bindings_unref (step (fixture));
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_pictures, &reader);
  for (int i = 0; i < 50; i++)
  {
    commit (fixture, fixture->ledger.miner, COMMIT_A); /* one block each */
    sv_bindings_unref (step (fixture));
  }
  while (g_atomic_int_get (&reader.n) < 50)
    g_thread_yield ();
  g_atomic_int_set (&reader.stop, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* ── validators ── */

static void
the_validator_list_is_what_the_setting_says (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *miner = sv_keypair_address (fixture->ledger.miner), *owner = sv_keypair_address (fixture->ledger.owner);
  g_autoptr (SvConfig) config = sv_config_new ();
  g_assert_null (sv_validators_new (config, &error));
  g_assert_no_error (error);

  g_autofree char *accounts = g_strdup_printf ("ss58:%s, %s", owner, owner);
  sv_config_set (config, "SCOREVISION_VALIDATORS", accounts);
  g_autoptr (SvValidators) fixed = sv_validators_new (config, &error);
  g_assert_no_error (error);
  g_assert_true (sv_validators_refresh (fixed, fixture->ledger.chain, 0, &error));
  g_assert_true (sv_validators_contain (fixed, owner));
  g_assert_false (sv_validators_contain (fixed, miner));

  sv_config_set (config, "SCOREVISION_VALIDATORS", "chain:permit");
  g_autoptr (SvValidators) permits = sv_validators_new (config, &error);
  g_assert_no_error (error);
  g_assert_false (sv_validators_contain (permits, miner));
  g_assert_true (sv_validators_refresh (permits, fixture->ledger.chain, 0, &error));
  g_assert_true (sv_validators_contain (permits, miner));
  g_assert_false (sv_validators_contain (permits, owner));

  guint64 block = 99;
  g_auto (GStrv) read = sv_validators_permits (permits, &block);
  g_assert_cmpuint (block, ==, 0);
  g_assert_true (g_strv_contains ((const char *const *)read, miner));
  g_assert_null (sv_validators_permits (fixed, &block));
  g_autoptr (SvValidators) taken_over = sv_validators_new (config, &error);
  g_assert_false (sv_validators_are_read (taken_over));
  sv_validators_set (taken_over, read, 0);
  g_assert_true (sv_validators_are_read (taken_over));
  g_assert_true (sv_validators_contain (taken_over, miner));
  sv_validators_set (fixed, read, 0); /* a list of the operator's own stays */
  g_assert_false (sv_validators_contain (fixed, miner));

  g_autofree char *mixed = g_strdup_printf ("chain:permit,%s", owner);
  sv_config_set (config, "SCOREVISION_VALIDATORS", mixed);
  g_assert_null (sv_validators_new (config, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
}

#define ADD(name, function) g_test_add ("/bindings/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-fold-at-the-head-is-computed-once", a_fold_at_the_head_is_computed_once);
  ADD ("folds-of-different-windows-are-told-apart", folds_of_different_windows_are_told_apart);
  ADD ("hotkeys-without-records-share-one-fold", hotkeys_without_records_share_one_fold);
  g_test_add_func ("/bindings/failed-extrinsics-are-found-and-not-folded", failed_extrinsics_are_found_and_not_folded);
  ADD ("a-windows-hotkeys-have-committed-for-it", a_windows_hotkeys_have_committed_for_it);
  ADD ("rivals-have-the-chute-in-force", rivals_have_the_chute_in_force);
  ADD ("threads-see-their-own-picture", threads_see_their_own_picture);
  ADD ("the-validator-list-is-what-the-setting-says", the_validator_list_is_what_the_setting_says);
  return g_test_run ();
}
