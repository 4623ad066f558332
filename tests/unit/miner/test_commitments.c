/* Committing on a ledger, as a miner who may be interrupted anywhere.
 *
 * opening   - a window that the index does not have, and one that is over
 * commit    - the text is on the chain once, the receipts hold its proof, nothing is pending
 *           - the same again commits nothing; so does the same withdrawal
 * checks    - what folding would make void, and a hotkey that holds the anchor
 * splitting - a text longer than the chain takes goes as several, by elements; one binding too long is refused
 * resuming  - an extrinsic left before submitting, after submitting, after inclusion: taken up, never made twice
 *           - one that was overtaken, one of another text, one of another hotkey, garbage: passed over
 *           - one that has become void is not reported as committed, and does not come back
 *           - one about which the node talks nonsense may be waiting all the same: nothing is signed beside it
 * two runs  - the second one, which read the state before the first had committed, commits nothing
 * rivals    - another hotkey's chute in the same window is named
 */
#include "bindings/receipts.h"
#include "miner/commitments.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/engine.h"
#include "refusal.h"
#include "world.h"

#define WINDOW "2025-10-23"
#define PLAYER "PlayerDetect_v1@1.0"
#define BALL "BallDetect_v1@1.0"
#define CHUTE_1 "87f7d0c5-0000-4000-8000-000000000001"
#define CHUTE_2 "63e8aa01-0000-4000-8000-000000000002"

typedef struct
{
  World *world;
  SvReader *reader;
  SvKeypair *miner;
  SvMinerWindow *window;
  SvCommitmentText *text; /* both elements */
} Fixture;

static void
open_window (Fixture *fixture)
{
  GError *error = NULL;
  g_clear_pointer (&fixture->window, sv_miner_window_free);
  fixture->window =
      sv_miner_window_open (fixture->world->config, fixture->world->chain, fixture->reader, fixture->miner, WINDOW, &error);
  g_assert_no_error (error);
}

static SvCommitmentText *
parse (const char *text)
{
  return sv_commitment_text_parse (text, strlen (text), NULL);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->world = world_new (0);
  world_advance (fixture->world, 10);
  g_free (world_publish (fixture->world, WINDOW, 100, 200, "1", FALSE));
  fixture->reader = world_reader (fixture->world, fixture->world->config);
  fixture->miner = sv_keypair_generate (SV_SCHEME_ED25519);
  fixture->text =
      parse ("sv1 commit " WINDOW " 45\n" PLAYER " player-v1 lynx " CHUTE_1 " 25\n" BALL " ball-v1 orca " CHUTE_2 " 20");
  open_window (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  sv_miner_window_free (fixture->window);
  sv_commitment_text_free (fixture->text);
  sv_keypair_free (fixture->miner);
  sv_reader_free (fixture->reader);
  world_free (fixture->world);
}

static gboolean
commit (Fixture *fixture, const SvCommitmentText *text, char ***proofs, GError **error)
{
  SvCommitWait wait = { .timeout_ms = 5000 };
  return sv_commit_element_set (fixture->window, text, &wait, proofs, error);
}

/* The proof of a commitment that goes on the chain as one text. */
static char *
commit_one (Fixture *fixture, const SvCommitmentText *text)
{
  GError *error = NULL;
  g_auto (GStrv) proofs = NULL;
  gboolean done = commit (fixture, text, &proofs, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_cmpuint (g_strv_length (proofs), ==, 1);
  return g_strdup (proofs[0]);
}

static guint
texts_on_chain (Fixture *fixture)
{
  g_autoptr (GPtrArray) all =
      sv_chain_commitments (fixture->world->chain, 0, world_head (fixture->world).best.number, NULL, NULL);
  guint n = 0;
  for (guint i = 0; i < all->len; i++)
    n += strcmp (((SvExtrinsic *)g_ptr_array_index (all, i))->signer, sv_keypair_address (fixture->miner)) == 0;
  return n;
}

static char *
pending_path (Fixture *fixture)
{
  return world_path (fixture->world, "home/commitments/" WINDOW ".pending");
}

static gboolean
is_pending (Fixture *fixture)
{
  g_autofree char *path = pending_path (fixture);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static SvReceipts *
receipts (Fixture *fixture)
{
  return sv_receipts_read (fixture->world->config, WINDOW, sv_keypair_address (fixture->miner), NULL);
}

/* ── opening ── */

static void
only_windows_of_the_index_that_are_not_over_are_opened (Fixture *fixture, gconstpointer data)
{
  World *world = fixture->world;
  assert_fails_saying (
      sv_miner_window_open (world->config, world->chain, fixture->reader, fixture->miner, "2025-10-24", refusal),
      SV_ERROR_NOT_FOUND, "it has " WINDOW);
  world_advance (world, 190);
  assert_fails_saying (sv_miner_window_open (world->config, world->chain, fixture->reader, fixture->miner, WINDOW, refusal),
                       SV_ERROR_POLICY, "was over at block 200");
}

/* ── committing ── */

static void
a_commitment_is_on_the_chain_once_with_its_receipts (Fixture *fixture, gconstpointer data)
{
  g_autofree char *proof = commit_one (fixture, fixture->text);
  g_autofree char *again = commit_one (fixture, fixture->text);
  g_assert_cmpstr (proof, ==, again);
  g_assert_cmpuint (texts_on_chain (fixture), ==, 1);
  g_assert_false (is_pending (fixture));
  g_autoptr (SvReceipts) kept = receipts (fixture);
  g_assert_cmpuint (kept->bound->len, ==, 2);
  g_assert_cmpuint (kept->total_cap_milli, ==, 45000);
  g_assert_cmpstr (sv_receipts_find (kept, PLAYER)->proof, ==, proof);
  g_assert_cmpstr (sv_receipts_find (kept, BALL)->binding.chute_slug, ==, "orca");
}

static void
a_withdrawal_takes_away_and_comes_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SvCommitmentText) one = parse ("sv1 withdraw " WINDOW "\n" PLAYER);
  g_autoptr (SvCommitmentText) other = parse ("sv1 withdraw " WINDOW "\n" BALL);
  g_free (commit_one (fixture, fixture->text));
  g_autofree char *proof = commit_one (fixture, one);
  g_autofree char *again = commit_one (fixture, one);
  g_assert_cmpstr (proof, ==, again);
  g_assert_cmpuint (texts_on_chain (fixture), ==, 2);
  g_autoptr (SvReceipts) kept = receipts (fixture);
  g_assert_null (sv_receipts_find (kept, PLAYER));
  g_assert_nonnull (sv_receipts_find (kept, BALL));
  g_free (commit_one (fixture, other));
  g_autoptr (SvReceipts) nothing = receipts (fixture);
  g_assert_null (nothing);
}

static void
the_same_elements_with_another_total_are_committed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SvCommitmentText) more =
      parse ("sv1 commit " WINDOW " 50\n" PLAYER " player-v1 lynx " CHUTE_1 " 25\n" BALL " ball-v1 orca " CHUTE_2 " 20");
  g_free (commit_one (fixture, fixture->text));
  g_assert_false (sv_commit_is_in_force (fixture->window, more));
  g_free (commit_one (fixture, more));
  g_assert_true (sv_commit_is_in_force (fixture->window, more));
  g_assert_cmpuint (texts_on_chain (fixture), ==, 2);
}

/* ── checks ── */

static void
assert_void (Fixture *fixture, const char *text, const char *reason)
{
  g_autoptr (SvCommitmentText) parsed = parse (text);
  g_auto (GStrv) proofs = NULL;
  assert_fails_saying (sv_commit_check (fixture->window, parsed, refusal), SV_ERROR_POLICY, reason);
  assert_fails_saying (commit (fixture, parsed, &proofs, refusal), SV_ERROR_POLICY, reason);
}

static void
what_would_be_void_is_refused (Fixture *fixture, gconstpointer data)
{
  assert_void (fixture, "sv1 withdraw " WINDOW "\n" PLAYER, "not bound");
  assert_void (fixture, "sv1 commit " WINDOW " 24\n" PLAYER " player-v1 lynx " CHUTE_1 " 25", "void on the chain");
  g_assert_cmpuint (texts_on_chain (fixture), ==, 0);
  g_free (commit_one (fixture, fixture->text));
  world_advance (fixture->world, 100);
  open_window (fixture);
  assert_void (fixture, "sv1 withdraw " WINDOW "\n" PLAYER, "void on the chain");
  assert_void (fixture, "sv1 commit " WINDOW " 45\n" PLAYER " player-v2 lynx " CHUTE_1 " 25", "void on the chain");
  g_assert_cmpuint (texts_on_chain (fixture), ==, 1);
}

static void
the_anchor_is_never_overwritten (Fixture *fixture, gconstpointer data)
{
  g_auto (GStrv) proofs = NULL;
  g_autofree char *text = g_strdup_printf ("sv1 manifest %s 1", fixture->window->manifest->hash);
  world_commit (fixture->world, fixture->miner, text);
  open_window (fixture);
  assert_fails_saying (commit (fixture, fixture->text, &proofs, refusal), SV_ERROR_POLICY, "anchor");
  g_assert_cmpuint (texts_on_chain (fixture), ==, 1);
}

/* ── splitting ── */

static void
a_long_text_is_split_by_elements (void)
{
  g_autoptr (SvCommitmentText) text = sv_commitment_text_new (FALSE, WINDOW, 45000);
  sv_commitment_text_add (text, "A", "r", "slug", CHUTE_1, 1000);
  sv_commitment_text_add (text, "B", "r", "slug", CHUTE_1, 1000);
  sv_commitment_text_add (text, "C", "r", "slug", CHUTE_1, 1000);
  g_autofree char *whole = sv_commitment_text_format (text);
  g_auto (GStrv) one = sv_commit_texts (text, strlen (whole), NULL);
  g_assert_cmpuint (g_strv_length (one), ==, 1);
  g_assert_cmpstr (one[0], ==, whole);
  g_auto (GStrv) two = sv_commit_texts (text, strlen (whole) - 1, NULL);
  g_assert_cmpuint (g_strv_length (two), ==, 2);
  g_assert_cmpstr (two[0], ==, "sv1 commit " WINDOW " 45\nA r slug " CHUTE_1 " 1\nB r slug " CHUTE_1 " 1");
  g_assert_cmpstr (two[1], ==, "sv1 commit " WINDOW " 45\nC r slug " CHUTE_1 " 1");
  g_auto (GStrv) three = sv_commit_texts (text, strlen (two[1]), NULL);
  g_assert_cmpuint (g_strv_length (three), ==, 3);
  assert_fails_saying (sv_commit_texts (text, strlen (two[1]) - 1, refusal), SV_ERROR_POLICY, "the binding of A takes");
}

static void
a_long_withdrawal_is_split_too (void)
{
  g_autoptr (SvCommitmentText) text = sv_commitment_text_new (TRUE, WINDOW, 0);
  sv_commitment_text_add (text, "First", NULL, NULL, NULL, 0);
  sv_commitment_text_add (text, "Second", NULL, NULL, NULL, 0);
  g_auto (GStrv) parts = sv_commit_texts (text, strlen ("sv1 withdraw " WINDOW "\nSecond"), NULL);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  g_assert_cmpstr (parts[1], ==, "sv1 withdraw " WINDOW "\nSecond");
}

/* ── resuming ── */

/* What a run leaves that is killed after writing the pending file. */
static SvPreparedExtrinsic *
leave_pending (Fixture *fixture, const SvKeypair *keypair, const char *text)
{
  g_autofree char *path = pending_path (fixture);
  g_autofree char *folder = g_path_get_dirname (path);
  SvPreparedExtrinsic *prepared = sv_chain_prepare_commitment (fixture->world->chain, keypair, text, SV_PREPARE_DEFAULT, NULL);
  gsize length;
  const void *data = g_bytes_get_data (prepared->bytes, &length);
  g_autofree char *hex = sv_hex_encode (data, length);
  g_autoptr (json_t) json = json_pack ("{s:s,s:s,s:s,s:s,s:f}", "hash", prepared->hash, "signer", prepared->signer, "text",
                                       text, "extrinsic", hex, "prepared_at", (double)prepared->prepared_at);
  g_mkdir_with_parents (folder, 0700);
  g_assert_cmpint (json_dump_file (json, path, 0), ==, 0);
  return prepared;
}

static void
assert_completes_once (Fixture *fixture)
{
  g_free (commit_one (fixture, fixture->text));
  g_assert_cmpuint (texts_on_chain (fixture), ==, 1);
  g_assert_false (is_pending (fixture));
  g_autoptr (SvReceipts) kept = receipts (fixture);
  g_assert_cmpuint (kept->bound->len, ==, 2);
}

static void
what_was_left_before_submitting_is_submitted (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = sv_commitment_text_format (fixture->text);
  g_autoptr (SvPreparedExtrinsic) left = leave_pending (fixture, fixture->miner, text);
  assert_completes_once (fixture);
  g_autoptr (SvReceipts) kept = receipts (fixture);
  g_assert_true (g_str_has_suffix (sv_receipts_find (kept, BALL)->proof, left->hash));
}

static void
what_was_left_after_inclusion_is_found (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = sv_commitment_text_format (fixture->text);
  g_autoptr (SvPreparedExtrinsic) left = leave_pending (fixture, fixture->miner, text);
  g_assert_true (sv_chain_submit (fixture->world->chain, left, NULL));
  assert_completes_once (fixture); /* with the picture from before the inclusion */
  sv_prepared_extrinsic_free (leave_pending (fixture, fixture->miner, text));
  open_window (fixture);
  assert_completes_once (fixture); /* and from after it */
}

static void
what_was_overtaken_is_made_anew (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = sv_commitment_text_format (fixture->text);
  sv_prepared_extrinsic_free (leave_pending (fixture, fixture->miner, text));
  world_commit (fixture->world, fixture->miner, "sv1 commit 2025-10-22 1\nX r lynx " CHUTE_1 " 1"); /* takes its nonce */
  g_free (commit_one (fixture, fixture->text));
  g_assert_cmpuint (texts_on_chain (fixture), ==, 2);
  g_assert_false (is_pending (fixture));
}

static void
what_is_not_ours_is_passed_over (Fixture *fixture, gconstpointer data)
{
  static const char *const garbage[] = { "", "{", "[]", "{\"hash\":7}", "\xff" };
  g_autofree char *text = sv_commitment_text_format (fixture->text);
  g_autofree char *path = pending_path (fixture);
  sv_prepared_extrinsic_free (leave_pending (fixture, fixture->world->stranger, text));
  assert_completes_once (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (garbage); i++)
  {
    g_assert_true (g_file_set_contents (path, garbage[i], -1, NULL));
    assert_completes_once (fixture);
  }
}

static void
a_pending_file_of_another_text_is_not_sent (Fixture *fixture, gconstpointer data)
{
  sv_prepared_extrinsic_free (
      leave_pending (fixture, fixture->miner, "sv1 commit " WINDOW " 45\n" PLAYER " evil lynx " CHUTE_1 " 25"));
  assert_completes_once (fixture);
}

static void
what_became_void_is_not_reported_as_committed (Fixture *fixture, gconstpointer data)
{
  g_auto (GStrv) proofs = NULL;
  g_autoptr (SvCommitmentText) withdrawal = parse ("sv1 withdraw " WINDOW "\n" PLAYER);
  g_autofree char *text = sv_commitment_text_format (withdrawal);
  g_free (commit_one (fixture, fixture->text));
  sv_prepared_extrinsic_free (leave_pending (fixture, fixture->miner, text));
  world_advance (fixture->world, 100); /* the window starts, and bindings freeze */
  open_window (fixture);
  assert_fails_saying (commit (fixture, withdrawal, &proofs, refusal), SV_ERROR_POLICY, "without effect");
  g_assert_false (is_pending (fixture));
  g_clear_pointer (&proofs, g_strfreev);
  assert_fails_saying (commit (fixture, withdrawal, &proofs, refusal), SV_ERROR_POLICY, "would be void");
  g_autoptr (SvReceipts) kept = receipts (fixture);
  g_assert_nonnull (sv_receipts_find (kept, PLAYER));
}

/* A node that takes the extrinsic and says something else. */
static gboolean
take_and_lie (SvChain *chain, const SvPreparedExtrinsic *prepared, GError **error)
{
  g_assert_true (sv_ledger_engine.submit (chain, prepared, NULL));
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "it lies");
  return FALSE;
}

static void
nothing_is_signed_beside_what_may_be_waiting (Fixture *fixture, gconstpointer data)
{
  g_auto (GStrv) proofs = NULL;
  SvChainEngine lying = sv_ledger_engine;
  lying.submit = take_and_lie;
  g_autofree char *text = sv_commitment_text_format (fixture->text);
  sv_prepared_extrinsic_free (leave_pending (fixture, fixture->miner, text));
  fixture->world->chain->engine = &lying;
  assert_fails_saying (commit (fixture, fixture->text, &proofs, refusal), SV_ERROR_VERIFY, "it lies");
  fixture->world->chain->engine = &sv_ledger_engine;
  assert_completes_once (fixture);
}

/* ── two runs ── */

static void
a_second_run_with_an_old_picture_commits_nothing (Fixture *fixture, gconstpointer data)
{
  SvMinerWindow *first = g_steal_pointer (&fixture->window);
  open_window (fixture);
  g_free (commit_one (fixture, fixture->text));
  sv_miner_window_free (fixture->window);
  fixture->window = first;
  assert_completes_once (fixture);
}

/* ── rivals ── */

static void
another_hotkey_on_the_chute_is_named (Fixture *fixture, gconstpointer data)
{
  GError *error = NULL;
  g_auto (GStrv) none = sv_commit_rivals (fixture->window, fixture->text, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  world_commit (fixture->world, fixture->world->stranger, "sv1 commit " WINDOW " 9\n" PLAYER " r lynx " CHUTE_1 " 9");
  g_auto (GStrv) rivals = sv_commit_rivals (fixture->window, fixture->text, &error);
  g_autofree char *expected = g_strdup_printf (CHUTE_1 ": %s", sv_keypair_address (fixture->world->stranger));
  g_assert_cmpuint (g_strv_length (rivals), ==, 1);
  g_assert_cmpstr (rivals[0], ==, expected);

  sv_commitment_text_add (fixture->text, "BallDetect_v1@1.0", "r", "lynx", CHUTE_1, 1000);
  g_auto (GStrv) of_both = sv_commit_rivals (fixture->window, fixture->text, &error);
  g_assert_cmpuint (g_strv_length (of_both), ==, 1);
}

#define ADD(name) g_test_add ("/commitments/" #name, Fixture, NULL, set_up, name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (only_windows_of_the_index_that_are_not_over_are_opened);
  ADD (a_commitment_is_on_the_chain_once_with_its_receipts);
  ADD (a_withdrawal_takes_away_and_comes_once);
  ADD (the_same_elements_with_another_total_are_committed);
  ADD (what_would_be_void_is_refused);
  ADD (the_anchor_is_never_overwritten);
  g_test_add_func ("/commitments/a_long_text_is_split_by_elements", a_long_text_is_split_by_elements);
  g_test_add_func ("/commitments/a_long_withdrawal_is_split_too", a_long_withdrawal_is_split_too);
  ADD (what_was_left_before_submitting_is_submitted);
  ADD (what_was_left_after_inclusion_is_found);
  ADD (what_was_overtaken_is_made_anew);
  ADD (what_is_not_ours_is_passed_over);
  ADD (a_pending_file_of_another_text_is_not_sent);
  ADD (what_became_void_is_not_reported_as_committed);
  ADD (nothing_is_signed_beside_what_may_be_waiting);
  ADD (a_second_run_with_an_old_picture_commits_nothing);
  ADD (another_hotkey_on_the_chute_is_named);
  return g_test_run ();
}
