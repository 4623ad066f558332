/* Cases: what commits and withdrawals do; each rule that makes a text void, at both sides of its bound; all or nothing; what
 * the fold passes over; the block asked about; preview; the JSON of the state. */
#include "protocol/commitment.h"

#include "base/json.h"

#include <string.h>

#define WINDOW "2025-10-23"
#define START G_GUINT64_CONSTANT (20000)
#define EXPIRY G_GUINT64_CONSTANT (27200)
#define EARLIEST (START - SV_COMMIT_EARLIEST)
#define CHUTE "87f7d0c5-0000-4000-8000-000000000001"
#define LINE(id, cap) "\n" id " rev slug " CHUTE " " cap
#define COMMIT(total) "sv1 commit " WINDOW " " total
#define WITHDRAW "sv1 withdraw " WINDOW

typedef struct
{
  guint64 block;
  const char *text;
} Entry;

/* Proofs are "p0", "p1", … by place. */
static SvFold *
fold_at (const Entry *entries, gsize n, guint64 at_block)
{
  static const char *const proofs[] = { "p0", "p1", "p2", "p3", "p4", "p5" };
  SvChainText texts[G_N_ELEMENTS (proofs)] = { 0 };

  for (gsize i = 0; i < n; i++)
    texts[i] = (SvChainText){ .block = entries[i].block, .index = (guint)i, .text = entries[i].text, .proof = proofs[i] };
  return sv_fold (WINDOW, START, EXPIRY, texts, n, at_block);
}

#define FOLD(...)                                                                                                              \
  fold_at ((const Entry[]){ __VA_ARGS__ }, sizeof ((const Entry[]){ __VA_ARGS__ }) / sizeof (Entry), SV_JSON_MAX_INTEGER)

static const SvBoundElement *
bound (const SvFold *fold, const char *id)
{
  return g_hash_table_lookup (fold->bound, id);
}

static void
assert_bound_by (const SvFold *fold, const char *id, const char *proof)
{
  const SvBoundElement *element = bound (fold, id);
  g_assert_cmpstr (element != NULL ? element->proof : NULL, ==, proof);
}

/* @expected NULL: the text at @place took effect. */
static void
assert_verdict (const SvFold *fold, guint place, const char *expected)
{
  const SvTextVerdict *verdict = g_ptr_array_index (fold->verdicts, place);
  if (expected == NULL)
    g_assert_cmpstr (verdict->void_reason, ==, NULL);
  else if (verdict->void_reason == NULL || strstr (verdict->void_reason, expected) == NULL)
    g_error ("expected \"…%s…\", got \"%s\"", expected, verdict->void_reason);
}

static void
test_commit_binds (void)
{
  g_autoptr (SvFold) fold = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") LINE ("B", "20") });

  assert_verdict (fold, 0, NULL);
  g_assert_cmpuint (fold->total_cap_milli, ==, 45000);
  assert_bound_by (fold, "A", "p0");
  const SvBoundElement *b = bound (fold, "B");
  g_assert_cmpuint (b->binding.cap_milli, ==, 20000);
  g_assert_cmpstr (b->binding.chute_slug, ==, "slug");
  g_assert_cmpuint (b->committed_at_block, ==, START - 5);
}

static void
test_commit_before_the_start_adds_and_replaces (void)
{
  g_autoptr (SvFold) fold =
      FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START - 1, COMMIT ("50") LINE ("A", "30") LINE ("B", "20") });

  assert_verdict (fold, 1, NULL);
  g_assert_cmpuint (fold->total_cap_milli, ==, 50000);
  assert_bound_by (fold, "A", "p1");
  g_assert_cmpuint (bound (fold, "A")->binding.cap_milli, ==, 30000);
  assert_bound_by (fold, "B", "p1");
}

static void
test_withdrawal_unbinds_and_is_remembered (void)
{
  g_autoptr (SvFold) fold =
      FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") LINE ("B", "20") }, { START - 1, WITHDRAW "\nA" });

  assert_verdict (fold, 1, NULL);
  assert_bound_by (fold, "A", NULL);
  assert_bound_by (fold, "B", "p0");
  g_assert_cmpstr (g_hash_table_lookup (fold->withdrawn, "A"), ==, "p1");
  g_assert_cmpuint (fold->total_cap_milli, ==, 45000);
}

static void
test_bound_again_is_no_longer_withdrawn (void)
{
  g_autoptr (SvFold) fold = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START - 4, WITHDRAW "\nA" },
                                  { START + 3, COMMIT ("9") LINE ("A", "9") });

  assert_verdict (fold, 2, NULL);
  assert_bound_by (fold, "A", "p2");
  g_assert_cmpuint (g_hash_table_size (fold->withdrawn), ==, 0);
}

static void
test_form_makes_void (void)
{
  g_autoptr (SvFold) fold =
      FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") LINE ("A", "20") }, { START - 4, COMMIT ("45") "\nA rev" });

  g_assert_cmpuint (fold->verdicts->len, ==, 2);
  assert_verdict (fold, 0, "line 3: element A is named twice");
  assert_verdict (fold, 1, "line 2: has 2 words");
  g_assert_cmpuint (g_hash_table_size (fold->bound), ==, 0);
  g_assert_cmpuint (fold->total_cap_milli, ==, 0);
}

static void
test_withdrawing_what_is_not_bound_is_void_as_a_whole (void)
{
  g_autoptr (SvFold) fold = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START - 4, WITHDRAW "\nA\nB" });

  assert_verdict (fold, 1, "withdraws element B, which is not bound");
  assert_bound_by (fold, "A", "p0");
  g_assert_cmpuint (g_hash_table_size (fold->withdrawn), ==, 0);
}

static void
test_texts_count_from_14400_blocks_before_the_start (void)
{
  g_autoptr (SvFold) early = FOLD ({ EARLIEST - 1, COMMIT ("45") LINE ("A", "25") });
  g_autoptr (SvFold) in_time = FOLD ({ EARLIEST, COMMIT ("45") LINE ("A", "25") });
  const SvChainText genesis = { .block = 0, .text = COMMIT ("45") LINE ("A", "25"), .proof = "p0" };
  g_autoptr (SvFold) low_start = sv_fold (WINDOW, 100, EXPIRY, &genesis, 1, 100);

  assert_verdict (early, 0, "before commitments for the window count (block 5600)");
  g_assert_cmpuint (g_hash_table_size (early->bound), ==, 0);
  assert_verdict (in_time, 0, NULL);
  assert_verdict (low_start, 0, NULL);
}

static void
test_texts_count_until_the_expiry (void)
{
  g_autoptr (SvFold) last = FOLD ({ EXPIRY - 1, COMMIT ("45") LINE ("A", "25") });
  g_autoptr (SvFold) late = FOLD ({ EXPIRY, COMMIT ("45") LINE ("A", "25") });

  assert_verdict (last, 0, NULL);
  assert_verdict (late, 0, "when the window had expired (block 27200)");
  g_assert_cmpuint (g_hash_table_size (late->bound), ==, 0);
}

static void
test_withdrawal_freezes_at_the_start (void)
{
  g_autoptr (SvFold) before = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START - 1, WITHDRAW "\nA" });
  g_autoptr (SvFold) at = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START, WITHDRAW "\nA" });

  assert_verdict (before, 1, NULL);
  assert_verdict (at, 1, "withdraws at block 20000, after the window's start");
  assert_bound_by (at, "A", "p0");
}

static void
test_bindings_freeze_at_the_start (void)
{
  g_autoptr (SvFold) before =
      FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START - 1, COMMIT ("45") LINE ("A", "1") });
  g_autoptr (SvFold) at =
      FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START, COMMIT ("45") LINE ("B", "1") LINE ("A", "1") });
  g_autoptr (SvFold) inside =
      FOLD ({ START + 5, COMMIT ("45") LINE ("A", "25") }, { START + 6, COMMIT ("45") LINE ("A", "1") });

  assert_verdict (before, 1, NULL);
  assert_verdict (at, 1, "names element A, which is bound already, at block 20000");
  assert_bound_by (at, "B", NULL);
  assert_verdict (inside, 0, NULL);
  assert_verdict (inside, 1, "names element A, which is bound already");
}

static void
test_new_elements_may_be_added_after_the_start (void)
{
  g_autoptr (SvFold) fold = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START + 7, COMMIT ("45") LINE ("B", "20") });

  assert_verdict (fold, 1, NULL);
  assert_bound_by (fold, "A", "p0");
  assert_bound_by (fold, "B", "p1");
}

static void
test_caps_may_reach_but_not_exceed_the_total (void)
{
  g_autoptr (SvFold) equal = FOLD ({ START - 5, COMMIT ("0.3") LINE ("A", "0.1") LINE ("B", "0.2") });
  g_autoptr (SvFold) above = FOLD ({ START - 5, COMMIT ("0.3") LINE ("A", "0.1") LINE ("B", "0.201") });

  assert_verdict (equal, 0, NULL);
  assert_verdict (above, 0, "sum to 0.301 fps, above its total of 0.3 fps");
}

static void
test_caps_of_earlier_texts_count_against_the_total (void)
{
  g_autoptr (SvFold) fold = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START - 4, COMMIT ("40") LINE ("B", "16") },
                                  { START - 3, COMMIT ("40") LINE ("B", "15") });

  assert_verdict (fold, 1, "sum to 41 fps, above its total of 40 fps");
  assert_verdict (fold, 2, NULL);
  g_assert_cmpuint (fold->total_cap_milli, ==, 40000);
}

static void
test_cap_of_a_replaced_binding_does_not_count (void)
{
  g_autoptr (SvFold) fold = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "45") }, { START - 4, COMMIT ("40") LINE ("A", "40") });

  assert_verdict (fold, 1, NULL);
  g_assert_cmpuint (fold->total_cap_milli, ==, 40000);
}

static void
test_a_void_commit_leaves_the_total_alone (void)
{
  g_autoptr (SvFold) fold = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") }, { START - 4, COMMIT ("10") LINE ("A", "11") });

  assert_verdict (fold, 1, "above its total");
  g_assert_cmpuint (fold->total_cap_milli, ==, 45000);
  assert_bound_by (fold, "A", "p0");
}

static void
test_other_texts_are_passed_over (void)
{
  g_autoptr (SvFold) fold =
      FOLD ({ START - 5, "{\"model\":1}" }, { START - 5, "sv1 revoke" }, { START - 4, "sv1 commit rubbish!" },
            { START - 3, "sv1 commit 2025-10-24 45" LINE ("A", "25") }, { START - 2, COMMIT ("45") LINE ("B", "25") });

  g_assert_cmpuint (fold->verdicts->len, ==, 1);
  assert_verdict (fold, 0, NULL);
  assert_bound_by (fold, "A", NULL);
  assert_bound_by (fold, "B", "p4");
}

static void
test_texts_after_the_block_asked_about_do_not_count (void)
{
  const Entry entries[] = { { START + 5, COMMIT ("45") LINE ("A", "25") }, { START + 6, COMMIT ("45") LINE ("B", "20") } };
  g_autoptr (SvFold) before = fold_at (entries, 2, START + 4);
  g_autoptr (SvFold) at = fold_at (entries, 2, START + 5);

  g_assert_cmpuint (g_hash_table_size (before->bound), ==, 0);
  g_assert_cmpuint (before->verdicts->len, ==, 0);
  assert_bound_by (at, "A", "p0");
  g_assert_cmpuint (at->verdicts->len, ==, 1);
}

static void
assert_preview (const SvFold *fold, const char *text, guint64 block, const char *expected)
{
  g_autofree char *reason = sv_fold_preview (fold, START, EXPIRY, text, block);
  if (expected == NULL)
    g_assert_cmpstr (reason, ==, NULL);
  else if (reason == NULL || strstr (reason, expected) == NULL)
    g_error ("expected \"…%s…\", got \"%s\"", expected, reason);
}

static void
test_preview_says_what_folding_will (void)
{
  g_autoptr (SvFold) fold = FOLD ({ START - 5, COMMIT ("45") LINE ("A", "25") });

  assert_preview (fold, COMMIT ("45") LINE ("B", "20"), START, NULL);
  assert_preview (fold, COMMIT ("45") LINE ("B", "21"), START, "above its total");
  assert_preview (fold, COMMIT ("45") LINE ("A", "20"), START, "bound already");
  assert_preview (fold, WITHDRAW "\nA", START, "after the window's start");
  assert_preview (fold, WITHDRAW "\nB", START - 1, "not bound");
  assert_preview (fold, COMMIT ("45") LINE ("B", "20"), EXPIRY, "expired");
  assert_preview (fold, "sv1 withdraw 2025-10-24\nA", START - 1, "is for window 2025-10-24, not 2025-10-23");
  assert_preview (fold, "hello", START, "line 1");
  g_assert_cmpuint (g_hash_table_size (fold->bound), ==, 1);
}

static void
test_state_is_shown_as_the_users_layout (void)
{
  static const char hotkey[] = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
  g_autoptr (SvFold) fold =
      FOLD ({ START - 5, COMMIT ("45") LINE ("B", "19.5") }, { START + 5, COMMIT ("45") LINE ("A", "25") });
  g_autoptr (SvFold) nothing = FOLD ({ EXPIRY, "" });
  g_autoptr (json_t) json = sv_fold_to_json (fold, hotkey, EXPIRY);
  g_autoptr (json_t) empty = sv_fold_to_json (nothing, hotkey, EXPIRY);
  g_autofree char *written = sv_json_canonical_string (json);

  g_assert_cmpstr (written, ==,
                   "{\"bindings\":[{\"chute_id\":\"" CHUTE "\",\"chute_slug\":\"slug\",\"commitment_proof\":\"p1\","
                   "\"element_id\":\"A\",\"hf_revision\":\"rev\",\"service_cap_fps\":25},{\"chute_id\":\"" CHUTE
                   "\",\"chute_slug\":\"slug\",\"commitment_proof\":\"p0\",\"element_id\":\"B\",\"hf_revision\":\"rev\","
                   "\"service_cap_fps\":19.5}],\"committed_at_block\":20005,\"element_ids\":[\"A\",\"B\"],"
                   "\"expires_at_block\":27200,\"miner_hotkey\":\"ss58:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\","
                   "\"service_cap_fps\":45,\"window_id\":\"2025-10-23\"}");
  g_assert_true (json_is_null (json_object_get (empty, "committed_at_block")));
  g_assert_cmpuint (json_array_size (json_object_get (empty, "bindings")), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fold/commit binds", test_commit_binds);
  g_test_add_func ("/fold/commit before the start adds and replaces", test_commit_before_the_start_adds_and_replaces);
  g_test_add_func ("/fold/withdrawal unbinds and is remembered", test_withdrawal_unbinds_and_is_remembered);
  g_test_add_func ("/fold/bound again is no longer withdrawn", test_bound_again_is_no_longer_withdrawn);
  g_test_add_func ("/fold/form makes void", test_form_makes_void);
  g_test_add_func ("/fold/withdrawing what is not bound is void as a whole",
                   test_withdrawing_what_is_not_bound_is_void_as_a_whole);
  g_test_add_func ("/fold/texts count from 14400 blocks before the start", test_texts_count_from_14400_blocks_before_the_start);
  g_test_add_func ("/fold/texts count until the expiry", test_texts_count_until_the_expiry);
  g_test_add_func ("/fold/withdrawal freezes at the start", test_withdrawal_freezes_at_the_start);
  g_test_add_func ("/fold/bindings freeze at the start", test_bindings_freeze_at_the_start);
  g_test_add_func ("/fold/new elements may be added after the start", test_new_elements_may_be_added_after_the_start);
  g_test_add_func ("/fold/caps may reach but not exceed the total", test_caps_may_reach_but_not_exceed_the_total);
  g_test_add_func ("/fold/caps of earlier texts count against the total", test_caps_of_earlier_texts_count_against_the_total);
  g_test_add_func ("/fold/cap of a replaced binding does not count", test_cap_of_a_replaced_binding_does_not_count);
  g_test_add_func ("/fold/a void commit leaves the total alone", test_a_void_commit_leaves_the_total_alone);
  g_test_add_func ("/fold/other texts are passed over", test_other_texts_are_passed_over);
  g_test_add_func ("/fold/texts after the block asked about do not count", test_texts_after_the_block_asked_about_do_not_count);
  g_test_add_func ("/fold/preview says what folding will", test_preview_says_what_folding_will);
  g_test_add_func ("/fold/state is shown as the user's layout", test_state_is_shown_as_the_users_layout);
  return g_test_run ();
}
