/* Cases: the form of a proof; a valid one; each verdict alone; each adjacent pair of verdicts, where both hold and the first
 * wins; what counts as unknown, withdrawn and not in force in detail; that every verdict has a name and a sentence. */
#include "protocol/proof.h"

#include <string.h>

#define WINDOW "2025-10-23"
#define START G_GUINT64_CONSTANT (20000)
#define EXPIRY G_GUINT64_CONSTANT (27200)
#define CHUTE "87f7d0c5-0000-4000-8000-000000000001"
#define LINE(id, slug) "\n" id " rev " slug " " CHUTE " 5"
#define COMMIT "sv1 commit " WINDOW " 45"
#define HEX62 "00000000000000000000000000000000000000000000000000000000000000"
#define PROOF_1 "19000:0x" HEX62 "01"
#define PROOF_2 "19001:0x" HEX62 "02"
#define PROOF_3 "19001:0x" HEX62 "03"
#define MINER "miner"

static void
test_form (void)
{
  static const char *const malformed[] = {
    "",
    ":",
    "19000",
    "19000:",
    ":0x" HEX62 "01",
    "019000:0x" HEX62 "01",
    "+1:0x" HEX62 "01",
    " 1:0x" HEX62 "01",
    "-1:0x" HEX62 "01",
    "1e3:0x" HEX62 "01",
    "9007199254740992:0x" HEX62 "01",
    "99999999999999999999:0x" HEX62 "01",
    "19000:" HEX62 "0001",
    "19000:0X" HEX62 "01",
    "19000:0x" HEX62 "0",
    "19000:0x" HEX62 "012",
    "19000:0x" HEX62 "0A",
    "19000:0x" HEX62 "0g",
    "19000:0x" HEX62 "01 ",
    "19000::0x" HEX62 "01",
  };
  SvProof proof;

  for (gsize i = 0; i < G_N_ELEMENTS (malformed); i++)
    g_assert_false (sv_proof_parse (malformed[i], &proof));
  g_assert_false (sv_proof_parse (NULL, &proof));
  g_assert_true (sv_proof_parse ("0:0x" HEX62 "ff", &proof));
  g_assert_true (sv_proof_parse ("9007199254740991:0x" HEX62 "ff", &proof));
  g_assert_true (sv_proof_parse (PROOF_1, &proof));
  g_assert_cmpuint (proof.block, ==, 19000);
  g_assert_cmpstr (proof.hash, ==, "0x" HEX62 "01");
  g_autofree char *written = sv_proof_format (proof.block, proof.hash);
  g_assert_cmpstr (written, ==, PROOF_1);
}

/* A question about element A, which the miner's first text binds. Tests change what they are about. */
typedef struct
{
  SvChainText texts[3];
  gsize n_texts;
  SvProofExtrinsic extrinsic;
  SvProofQuestion question;
} Case;

static Case
valid_case (void)
{
  return (Case){
    .texts = { { .block = 19000, .text = COMMIT LINE ("A", "slug"), .proof = PROOF_1 } },
    .n_texts = 1,
    .extrinsic = { .found = TRUE, .succeeded = TRUE, .signer = MINER },
    .question = { .proof = PROOF_1,
                  .hotkey = MINER,
                  .window_id = WINDOW,
                  .element_id = "A",
                  .chute_slug = "slug",
                  .element_in_manifest = TRUE,
                  .asker_known = TRUE },
  };
}

/* Another text of the miner's at block 19001. */
static void
add_text (Case *c, const char *text, const char *proof)
{
  c->texts[c->n_texts++] = (SvChainText){ .block = 19001, .index = (guint)c->n_texts, .text = text, .proof = proof };
}

static const char *
judge_with_sentence (Case *c, char **sentence)
{
  const SvBoundElement *bound = NULL;
  g_autoptr (SvFold) fold = sv_fold (WINDOW, START, EXPIRY, c->texts, c->n_texts, 30000);

  if (c->extrinsic.text == NULL)
    c->extrinsic.text = c->texts[0].text;
  c->question.extrinsic = &c->extrinsic;
  c->question.fold = fold;
  SvProofVerdict verdict = sv_proof_judge (&c->question, &bound);
  g_assert_true ((bound != NULL) == (verdict == SV_PROOF_VALID));
  if (bound != NULL)
    g_assert_cmpstr (bound->proof, ==, c->question.proof);
  *sentence = sv_proof_explain (&c->question, verdict);
  return sv_proof_verdict_name (verdict);
}

static void
assert_judged (Case c, const char *expected)
{
  g_autofree char *sentence = NULL;
  g_assert_cmpstr (judge_with_sentence (&c, &sentence), ==, expected);
  g_assert_nonnull (strstr (sentence, "element A in window 2025-10-23: "));
}

static void
test_valid (void)
{
  Case c = valid_case ();
  assert_judged (c, "valid");
  c.question.chute_slug = NULL;
  assert_judged (c, "valid");
}

/* One change per verdict. Each leaves the others alone, so that two of them make a case in which both hold. */
static void
make_missing (Case *c)
{
  c->question.proof = "";
}

static void
make_malformed (Case *c)
{
  if (*c->question.proof != '\0')
    c->question.proof = "019000:0x" HEX62 "01";
}

static void
make_unknown_element (Case *c)
{
  c->question.element_in_manifest = FALSE;
}

static void
make_unknown (Case *c)
{
  c->extrinsic.succeeded = FALSE;
}

static void
make_wrong_hotkey (Case *c)
{
  c->extrinsic.signer = "somebody";
}

static void
make_expired (Case *c)
{
  c->question.proof_window_over = TRUE;
}

static void
make_wrong_window (Case *c)
{
  c->extrinsic.text = "sv1 commit 2025-10-22 45" LINE ("A", "slug");
}

static void
make_wrong_element (Case *c)
{
  gboolean other_window = c->extrinsic.text != NULL && strstr (c->extrinsic.text, "2025-10-22") != NULL;
  c->extrinsic.text = other_window ? "sv1 commit 2025-10-22 45" LINE ("B", "slug") : COMMIT LINE ("B", "slug");
}

static void
make_withdrawn (Case *c)
{
  add_text (c, "sv1 withdraw " WINDOW "\nA", PROOF_2);
}

/* The proof's text is void: its caps exceed its total. The element is bound by another text. */
static void
make_not_in_force (Case *c)
{
  c->texts[0].text = "sv1 commit " WINDOW " 1" LINE ("A", "slug");
  add_text (c, COMMIT LINE ("A", "slug"), PROOF_3);
}

static void
make_wrong_slug (Case *c)
{
  c->question.chute_slug = "other";
}

static const struct
{
  const char *name;
  void (*make) (Case *c);
} verdicts[] = {
  { "missing", make_missing },           { "malformed", make_malformed },         { "unknown_element", make_unknown_element },
  { "unknown", make_unknown },           { "wrong_hotkey", make_wrong_hotkey },   { "expired", make_expired },
  { "wrong_window", make_wrong_window }, { "wrong_element", make_wrong_element }, { "withdrawn", make_withdrawn },
  { "not_in_force", make_not_in_force }, { "wrong_slug", make_wrong_slug },
};

static void
test_each_verdict_alone (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verdicts); i++)
  {
    Case c = valid_case ();
    verdicts[i].make (&c);
    assert_judged (c, verdicts[i].name);
  }
}

static void
test_first_of_two_adjacent_verdicts_wins (void)
{
  for (gsize i = 0; i + 1 < G_N_ELEMENTS (verdicts); i++)
  {
    Case c = valid_case ();
    /* not_in_force comes before withdrawn on the chain: a void text, a binding, its withdrawal */
    gboolean later_first = verdicts[i].make == make_withdrawn;
    verdicts[later_first ? i + 1 : i].make (&c);
    verdicts[later_first ? i : i + 1].make (&c);
    assert_judged (c, verdicts[i].name);
  }
}

static void
test_no_proof_at_all_is_missing (void)
{
  Case c = valid_case ();
  c.question.proof = NULL;
  assert_judged (c, "missing");
}

static void
test_what_is_unknown (void)
{
  static const char *const foreign[] = { "sv1 manifest sha256:00 1", "sv1 revoke", "{\"model\":1}", "",
                                         "sv1 commit  2025-10-23" };

  Case asker = valid_case ();
  asker.question.asker_known = FALSE;
  assert_judged (asker, "unknown");

  Case absent = valid_case ();
  absent.extrinsic.found = FALSE;
  absent.extrinsic.signer = NULL;
  assert_judged (absent, "unknown");

  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++)
  {
    Case c = valid_case ();
    c.extrinsic.text = foreign[i];
    c.extrinsic.signer = "somebody";
    assert_judged (c, "unknown");
  }
}

static void
test_without_an_extrinsic_the_proof_is_unknown (void)
{
  Case c = valid_case ();
  const SvBoundElement *bound = NULL;
  c.question.extrinsic = NULL;
  g_assert_cmpint (sv_proof_judge (&c.question, &bound), ==, SV_PROOF_UNKNOWN);
}

/* What the extrinsic itself says stays said; what the fold would say is open. */
static void
test_an_open_fold_is_unreadable (void)
{
  Case c = valid_case ();
  c.question.fold_is_open = TRUE;
  assert_judged (c, "unreadable");
  c.extrinsic.signer = "other";
  assert_judged (c, "wrong_hotkey");
  c = valid_case ();
  c.question.fold_is_open = TRUE;
  add_text (&c, "sv1 withdraw " WINDOW "\nA", PROOF_2);
  assert_judged (c, "unreadable");
}

static void
test_unreadable_stands_where_unknown_does (void)
{
  Case c = valid_case ();
  c.extrinsic = (SvProofExtrinsic){ .unreadable = TRUE };
  assert_judged (c, "unreadable");
  c.question.asker_known = FALSE;
  assert_judged (c, "unknown");
  c.question.asker_known = TRUE;
  c.question.element_in_manifest = FALSE;
  assert_judged (c, "unknown_element");
}

static void
test_a_withdrawal_binds_nothing (void)
{
  Case own = valid_case ();
  make_withdrawn (&own);
  own.question.proof = PROOF_2;
  own.extrinsic.text = own.texts[1].text;
  assert_judged (own, "withdrawn");

  Case other = own;
  other.texts[0].text = COMMIT LINE ("A", "slug") LINE ("B", "slug");
  other.texts[1].text = "sv1 withdraw " WINDOW "\nB";
  other.extrinsic.text = other.texts[1].text;
  assert_judged (other, "wrong_element");

  Case bound_again = own;
  add_text (&bound_again, COMMIT LINE ("A", "slug"), PROOF_3);
  assert_judged (bound_again, "withdrawn");
}

static void
test_a_void_withdrawal_withdraws_nothing (void)
{
  Case c = valid_case ();
  add_text (&c, "sv1 withdraw " WINDOW "\nA\nB", PROOF_2);
  assert_judged (c, "valid");
  c.question.proof = PROOF_2;
  c.extrinsic.text = c.texts[1].text;
  assert_judged (c, "not_in_force");
}

/* Withdrawn before the proof's own text, which is void: the text is what is wrong. Both lie in one block. */
static void
test_an_earlier_withdrawal_is_not_this_proofs (void)
{
  Case c = valid_case ();
  make_withdrawn (&c);
  add_text (&c, "sv1 commit " WINDOW " 1" LINE ("A", "slug"), PROOF_3);
  c.question.proof = PROOF_3;
  c.extrinsic.text = c.texts[2].text;
  assert_judged (c, "not_in_force");
}

static void
test_withdrawn_and_bound_again_is_replaced (void)
{
  Case c = valid_case ();
  make_withdrawn (&c);
  add_text (&c, COMMIT LINE ("A", "slug"), PROOF_3);
  assert_judged (c, "not_in_force");
  c.question.proof = PROOF_3;
  c.extrinsic.text = c.texts[2].text;
  assert_judged (c, "valid");
}

static void
assert_explained (Case c, const char *expected)
{
  g_autofree char *sentence = NULL;
  (void)judge_with_sentence (&c, &sentence);
  if (strstr (sentence, expected) == NULL)
    g_error ("expected \"…%s…\", got \"%s\"", expected, sentence);
}

static void
test_not_in_force_says_why (void)
{
  Case is_void = valid_case ();
  make_not_in_force (&is_void);
  assert_judged (is_void, "not_in_force");
  assert_explained (is_void, "is void: the caps of all elements bound after it sum to 5 fps, above its total of 1 fps");

  Case replaced = valid_case ();
  add_text (&replaced, COMMIT LINE ("A", "slug"), PROOF_2);
  assert_judged (replaced, "not_in_force");
  assert_explained (replaced, "another commitment has replaced " PROOF_1);

  Case later = valid_case ();
  later.texts[0].block = 30001;
  assert_judged (later, "not_in_force");
  assert_explained (later, "had not been made yet");

  Case broken = valid_case ();
  broken.texts[0].text = COMMIT LINE ("A", "slug") LINE ("A", "slug");
  assert_judged (broken, "not_in_force");
  assert_explained (broken, "line 3: element A is named twice");
}

static void
test_sentences_are_the_users (void)
{
  Case c = valid_case ();
  c.question.proof = NULL;
  assert_explained (c, "Miner has no commitment for element A in window 2025-10-23: no commitment proof was given");
  c = valid_case ();
  make_expired (&c);
  assert_explained (c, "is for window 2025-10-23, which is over");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/proof/form", test_form);
  g_test_add_func ("/proof/valid", test_valid);
  g_test_add_func ("/proof/each verdict alone", test_each_verdict_alone);
  g_test_add_func ("/proof/first of two adjacent verdicts wins", test_first_of_two_adjacent_verdicts_wins);
  g_test_add_func ("/proof/no proof at all is missing", test_no_proof_at_all_is_missing);
  g_test_add_func ("/proof/what is unknown", test_what_is_unknown);
  g_test_add_func ("/proof/without an extrinsic the proof is unknown", test_without_an_extrinsic_the_proof_is_unknown);
  g_test_add_func ("/proof/an open fold is unreadable", test_an_open_fold_is_unreadable);
  g_test_add_func ("/proof/unreadable stands where unknown does", test_unreadable_stands_where_unknown_does);
  g_test_add_func ("/proof/a withdrawal binds nothing", test_a_withdrawal_binds_nothing);
  g_test_add_func ("/proof/a void withdrawal withdraws nothing", test_a_void_withdrawal_withdraws_nothing);
  g_test_add_func ("/proof/an earlier withdrawal is not this proof's", test_an_earlier_withdrawal_is_not_this_proofs);
  g_test_add_func ("/proof/withdrawn and bound again is replaced", test_withdrawn_and_bound_again_is_replaced);
  g_test_add_func ("/proof/not in force says why", test_not_in_force_says_why);
  g_test_add_func ("/proof/sentences are the user's", test_sentences_are_the_users);
  return g_test_run ();
}
