/* Cases: the user's two texts, read and written; every rule of form, each with the line it is reported at; which texts are
 * ours; which window and which elements a text names even where its form is broken. */
#include "protocol/commitment.h"

#include "base/error.h"

#include <string.h>

#define CHUTE_A "87f7d0c5-0000-4000-8000-000000000001"
#define CHUTE_B "63e8aa01-0000-4000-8000-000000000002"
#define LINE_A "PlayerDetect_v1@1.0 player-v1 scorevision-lynx " CHUTE_A " 25"
#define LINE_B "BallDetect_v1@1.0 ball-v1 scorevision-orca " CHUTE_B " 20"
#define COMMIT "sv1 commit 2025-10-23 45\n" LINE_A "\n" LINE_B
#define WITHDRAW "sv1 withdraw 2025-10-23\nPlayerDetect_v1@1.0"

static void
test_commit_is_read (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvCommitmentText) text = sv_commitment_text_parse (COMMIT, strlen (COMMIT), &error);

  g_assert_no_error (error);
  g_assert_false (text->is_withdrawal);
  g_assert_cmpstr (text->window_id, ==, "2025-10-23");
  g_assert_cmpuint (text->total_cap_milli, ==, 45000);
  g_assert_cmpuint (text->bindings->len, ==, 2);
  const SvBinding *binding = g_ptr_array_index (text->bindings, 1);
  g_assert_cmpstr (binding->element_id, ==, "BallDetect_v1@1.0");
  g_assert_cmpstr (binding->hf_revision, ==, "ball-v1");
  g_assert_cmpstr (binding->chute_slug, ==, "scorevision-orca");
  g_assert_cmpstr (binding->chute_id, ==, CHUTE_B);
  g_assert_cmpuint (binding->cap_milli, ==, 20000);
}

static void
test_withdrawal_is_read (void)
{
  g_autoptr (SvCommitmentText) text = sv_commitment_text_parse (WITHDRAW, strlen (WITHDRAW), NULL);

  g_assert_nonnull (text);
  g_assert_true (text->is_withdrawal);
  g_assert_cmpuint (text->total_cap_milli, ==, 0);
  const SvBinding *binding = g_ptr_array_index (text->bindings, 0);
  g_assert_cmpstr (binding->element_id, ==, "PlayerDetect_v1@1.0");
  g_assert_null (binding->chute_slug);
}

static void
test_what_was_read_is_written_the_same (void)
{
  const char *const texts[] = { COMMIT, WITHDRAW, "sv1 commit w 0.125\nns/Detect-Person r s " CHUTE_A " 0.125" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
  {
    g_autoptr (SvCommitmentText) text = sv_commitment_text_parse (texts[i], strlen (texts[i]), NULL);
    g_assert_nonnull (text);
    g_autofree char *written = sv_commitment_text_format (text);
    g_assert_cmpstr (written, ==, texts[i]);
  }
}

static void
assert_malformed (const char *bytes, gsize length, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvCommitmentText) text = sv_commitment_text_parse (bytes, length, &error);

  g_assert_null (text);
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  if (strstr (error->message, expected) == NULL)
    g_error ("expected \"…%s…\", got \"%s\"", expected, error->message);
}

static void
test_form_is_kept_to_the_letter (void)
{
  static const struct
  {
    const char *text, *expected;
  } cases[] = {
    { "", "line 1: begins with neither" },
    { "sv1 manifest sha256:ab 3", "line 1: begins with neither" },
    { "sv1  commit 2025-10-23 45\n" LINE_A, "line 1: begins with neither" },
    { "sv1 commit 2025-10-23\n" LINE_A, "line 1: has 3 words" },
    { "sv1 commit 2025-10-23 45 1\n" LINE_A, "line 1: has 5 words" },
    { "sv1 commit 2025-10-23  45\n" LINE_A, "line 1: words are separated" },
    { "sv1 commit 2025-10-23 45 \n" LINE_A, "line 1: words are separated" },
    { "sv1 commit -window 45\n" LINE_A, "line 1: window_id" },
    { "sv1 commit 2025-10-23 0\n" LINE_A, "line 1: cap \"0\"" },
    { "sv1 commit 2025-10-23 45.1234\n" LINE_A, "line 1: cap" },
    { "sv1 commit 2025-10-23 045\n" LINE_A, "line 1: cap" },
    { "sv1 commit 2025-10-23 4e1\n" LINE_A, "line 1: cap" },
    { "sv1 commit 2025-10-23 45", "line 1: names no element" },
    { "sv1 withdraw 2025-10-23", "line 1: names no element" },
    { "sv1 withdraw 2025-10-23 45\nA", "line 1: has 4 words" },
    { COMMIT "\n", "line 4: is empty" },
    { "sv1 commit 2025-10-23 45\n" LINE_A " x", "line 2: has 6 words" },
    { "sv1 commit 2025-10-23 45\nPlayerDetect_v1@1.0", "line 2: has 1 words" },
    { "sv1 commit 2025-10-23 45\n " LINE_A, "line 2: words are separated" },
    { "sv1 commit 2025-10-23 45\n\n" LINE_A, "line 2: is empty" },
    { "sv1 commit 2025-10-23 45\n../x r s " CHUTE_A " 25", "line 2: element_id" },
    { "sv1 commit 2025-10-23 45\nA -r s " CHUTE_A " 25", "line 2: hf_revision" },
    { "sv1 commit 2025-10-23 45\nA r api " CHUTE_A " 25", "line 2: chute_slug" },
    { "sv1 commit 2025-10-23 45\nA r s 87F7D0C5-0000-4000-8000-000000000001 25", "line 2: chute_id" },
    { "sv1 commit 2025-10-23 45\nA r s " CHUTE_A " -1", "line 2: cap" },
    { "sv1 commit 2025-10-23 45\n" LINE_A "\n" LINE_B "\n" LINE_A, "line 4: element PlayerDetect_v1@1.0 is named twice" },
    { "sv1 withdraw 2025-10-23\nA\nA", "line 3: element A is named twice" },
    { "sv1 withdraw 2025-10-23\nA B", "line 2: has 2 words" },
    { "sv1 withdraw 2025-10-23\r\nA", "line 1: byte 0x0d" },
    { "sv1 withdraw 2025-10-23\n\xc3\xa4", "line 2: byte 0xc3" },
    { "sv1 withdraw 2025-10-23\nA\tB", "line 2: byte 0x09" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_malformed (cases[i].text, strlen (cases[i].text), cases[i].expected);
  assert_malformed (WITHDRAW "\0B", sizeof WITHDRAW + 1, "line 2: byte 0x00");
}

static void
test_size_is_bounded (void)
{
  GString *text = g_string_new ("sv1 withdraw w");
  for (guint i = 0; text->len < SV_COMMITMENT_MAX_TEXT - 8; i++)
    g_string_append_printf (text, "\nE%06u", i);

  g_autoptr (SvCommitmentText) fits = sv_commitment_text_parse (text->str, text->len, NULL);
  g_assert_nonnull (fits);
  while (text->len <= SV_COMMITMENT_MAX_TEXT)
    g_string_append_c (text, 'x');
  assert_malformed (text->str, text->len, "at most 16384 are read");
  g_string_free (text, TRUE);
}

static void
test_long_words_are_quoted_in_part (void)
{
  g_autofree char *word = g_strnfill (9000, '-');
  g_autofree char *text = g_strdup_printf ("sv1 withdraw 2025-10-23\n%s", word);
  g_autoptr (GError) error = NULL;
  g_autoptr (SvCommitmentText) parsed = sv_commitment_text_parse (text, strlen (text), &error);

  g_assert_null (parsed);
  g_assert_cmpuint (strlen (error->message), <, 200);
}

static void
test_family_is_told_by_prefix (void)
{
  g_assert_true (sv_text_is_ours (COMMIT));
  g_assert_true (sv_text_is_ours ("sv1 revoke"));
  g_assert_false (sv_text_is_ours ("sv1"));
  g_assert_false (sv_text_is_ours ("sv12 commit"));
  g_assert_false (sv_text_is_ours ("{\"model\": 1}"));
  g_assert_false (sv_text_is_ours (NULL));
}

static void
assert_window (const char *text, const char *expected)
{
  g_autofree char *window = sv_commitment_text_window (text);
  g_assert_cmpstr (window, ==, expected);
}

static void
test_window_is_known_of_broken_texts (void)
{
  assert_window (COMMIT, "2025-10-23");
  assert_window (WITHDRAW, "2025-10-23");
  assert_window ("sv1 commit 2025-10-23", "2025-10-23");
  assert_window ("sv1 commit 2025-10-23\nA", "2025-10-23");
  assert_window ("sv1 withdraw 2025-10-23 rubbish", "2025-10-23");
  assert_window ("sv1 commit  2025-10-23 45", NULL);
  assert_window ("sv1 commit ../x 45", NULL);
  assert_window ("sv1 manifest 2025-10-23 45", NULL);
  assert_window ("commit 2025-10-23 45", NULL);
  assert_window ("", NULL);
  assert_window (NULL, NULL);
  g_autofree char *longest = g_strnfill (SV_WINDOW_ID_MAX, 'w');
  g_autofree char *of_longest = g_strconcat ("sv1 commit ", longest, " 45", NULL);
  g_autofree char *of_longer = g_strconcat ("sv1 commit ", longest, "w 45", NULL);
  assert_window (of_longest, longest);
  assert_window (of_longer, NULL);
}

static void
test_elements_are_known_of_broken_texts (void)
{
  g_assert_true (sv_commitment_text_names (COMMIT, "PlayerDetect_v1@1.0"));
  g_assert_true (sv_commitment_text_names (COMMIT, "BallDetect_v1@1.0"));
  g_assert_true (sv_commitment_text_names (WITHDRAW, "PlayerDetect_v1@1.0"));
  g_assert_true (sv_commitment_text_names ("sv1 withdraw w\nA\nA", "A"));
  g_assert_false (sv_commitment_text_names (COMMIT, "BallDetect_v1"));
  g_assert_false (sv_commitment_text_names (COMMIT, "ball-v1"));
  g_assert_false (sv_commitment_text_names (WITHDRAW, "BallDetect_v1@1.0"));
  g_assert_false (sv_commitment_text_names ("A", "A"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/commitment/commit is read", test_commit_is_read);
  g_test_add_func ("/commitment/withdrawal is read", test_withdrawal_is_read);
  g_test_add_func ("/commitment/what was read is written the same", test_what_was_read_is_written_the_same);
  g_test_add_func ("/commitment/form is kept to the letter", test_form_is_kept_to_the_letter);
  g_test_add_func ("/commitment/size is bounded", test_size_is_bounded);
  g_test_add_func ("/commitment/long words are quoted in part", test_long_words_are_quoted_in_part);
  g_test_add_func ("/commitment/family is told by prefix", test_family_is_told_by_prefix);
  g_test_add_func ("/commitment/window is known of broken texts", test_window_is_known_of_broken_texts);
  g_test_add_func ("/commitment/elements are known of broken texts", test_elements_are_known_of_broken_texts);
  return g_test_run ();
}
