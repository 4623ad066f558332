/* From what a miner says to a complete commitment text.
 *
 * sources  - all from --bind; all from the file; the revision from the list
 *          - --bind goes before the list, the list before the file; an empty part of --bind leaves the question open
 *          - a JSON bindings file, and the State Layout of a receipt, are bindings files
 * missing  - everything that is missing or malformed is listed at once, in one error
 *          - no element, one not in the window, one named twice, one that is a path
 *          - --bind with too few or many parts, for another element, twice, with a cap that is none
 * file     - absent by default is fine, absent though named is not
 *          - faults stand there with file and line, all of them; elements twice; caps with four decimals, hostile numbers
 *          - elements that were not asked for are passed over
 * caps     - given ones stay; the others share the rest by service rate; what other elements hold is left out
 *          - more than the total, and nothing left to share, are refused
 * withdraw - needs the ids only
 */
#include "miner/commit_plan.h"

#include <glib/gstdio.h>

#include "../protocol/sample.h"
#include "refusal.h"
#include "scratch.h"

#define PLAYER "PlayerDetect_v1@1.0"
#define BALL "BallDetect_v1@1.0"
#define CHUTE_1 "87f7d0c5-0000-4000-8000-000000000001"
#define CHUTE_2 "63e8aa01-0000-4000-8000-000000000002"
#define BIND_PLAYER PLAYER "=player-v1,lynx," CHUTE_1
#define BIND_BALL BALL "=ball-v1,orca," CHUTE_2

typedef struct
{
  char *directory;
  char *file;
  SvManifest *manifest;
  SvFold *fold;
  const char *elements[4];
  const char *binds[4];
  SvCommitRequest request;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->directory = scratch_new ();
  fixture->file = scratch_path (fixture->directory, "bindings.yaml");
  fixture->manifest = sample_manifest ("2025-10-23", 100, 200, NULL);
  fixture->fold = sv_fold ("2025-10-23", 100, 200, NULL, 0, 50);
  fixture->elements[0] = PLAYER;
  fixture->elements[1] = BALL;
  fixture->request = (SvCommitRequest){
    .elements = fixture->elements, .binds = fixture->binds, .bindings_path = fixture->file, .service_cap = "45"
  };
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  sv_fold_free (fixture->fold);
  sv_manifest_free (fixture->manifest);
  g_free (fixture->file);
  scratch_remove (fixture->directory);
}

static void
write_file (Fixture *fixture, const char *text)
{
  g_assert_true (g_file_set_contents (fixture->file, text, -1, NULL));
}

static SvCommitmentText *
plan (Fixture *fixture, GError **error)
{
  return sv_commit_plan (&fixture->request, fixture->manifest, fixture->fold, error);
}

static void
assert_plan (Fixture *fixture, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvCommitmentText) text = plan (fixture, &error);
  g_assert_no_error (error);
  g_autofree char *written = sv_commitment_text_format (text);
  g_assert_cmpstr (written, ==, expected);
}

/* ── sources ── */

static void
bind_alone_is_enough (Fixture *fixture, gconstpointer data)
{
  fixture->binds[0] = BIND_PLAYER ",25";
  fixture->binds[1] = BIND_BALL ",12.5";
  assert_plan (fixture,
               "sv1 commit 2025-10-23 45\n" PLAYER " player-v1 lynx " CHUTE_1 " 25\n" BALL " ball-v1 orca " CHUTE_2 " 12.5");
}

static void
the_file_alone_is_enough (Fixture *fixture, gconstpointer data)
{
  write_file (fixture, "bindings:\n"
                       "  - {element_id: " PLAYER ", hf_revision: player-v1, chute_slug: lynx, chute_id: " CHUTE_1
                       ", service_cap_fps: 25}\n"
                       "  - {element_id: " BALL ", hf_revision: ball-v1, chute_slug: orca, chute_id: " CHUTE_2
                       ", service_cap_fps: 0.001}\n");
  assert_plan (fixture,
               "sv1 commit 2025-10-23 45\n" PLAYER " player-v1 lynx " CHUTE_1 " 25\n" BALL " ball-v1 orca " CHUTE_2 " 0.001");
}

static void
a_receipt_serves_as_the_file (Fixture *fixture, gconstpointer data)
{
  fixture->elements[1] = NULL;
  write_file (fixture, "{\"miner_hotkey\":\"ss58:" ALICE "\",\"window_id\":\"2025-10-22\",\"service_cap_fps\":30,\"bindings\":["
                       "{\"element_id\":\"" PLAYER "\",\"hf_revision\":\"main\",\"chute_slug\":\"lynx\",\"chute_id\":\"" CHUTE_1
                       "\",\"service_cap_fps\":12.345,\"commitment_proof\":\"1:0x00\"}]}");
  assert_plan (fixture, "sv1 commit 2025-10-23 45\n" PLAYER " main lynx " CHUTE_1 " 12.345");
}

static void
bind_goes_before_the_list_and_the_list_before_the_file (Fixture *fixture, gconstpointer data)
{
  fixture->elements[0] = PLAYER ":from-list";
  fixture->elements[1] = BALL ":from-list";
  fixture->binds[0] = PLAYER "=from-bind,lynx," CHUTE_1;
  write_file (fixture, "bindings:\n"
                       "  - {element_id: " PLAYER ", hf_revision: from-file, chute_slug: file, service_cap_fps: 5}\n"
                       "  - {element_id: " BALL ", hf_revision: from-file, chute_slug: orca, chute_id: " CHUTE_2
                       ", service_cap_fps: 6}\n");
  assert_plan (fixture,
               "sv1 commit 2025-10-23 45\n" PLAYER " from-bind lynx " CHUTE_1 " 5\n" BALL " from-list orca " CHUTE_2 " 6");
}

static void
an_empty_part_of_bind_leaves_the_question_open (Fixture *fixture, gconstpointer data)
{
  fixture->elements[0] = PLAYER ":from-list";
  fixture->elements[1] = NULL;
  fixture->binds[0] = PLAYER "=,," CHUTE_1 ",7";
  write_file (fixture, "bindings: [{element_id: " PLAYER ", chute_slug: lynx}]\n");
  assert_plan (fixture, "sv1 commit 2025-10-23 45\n" PLAYER " from-list lynx " CHUTE_1 " 7");
}

/* ── what is missing or wrong ── */

static void
all_that_is_missing_is_listed_at_once (Fixture *fixture, gconstpointer data)
{
  static const char *const expected[] = { "--service-cap-fps is missing",      PLAYER ": hf_revision `-x` is not",
                                          PLAYER ": chute_slug `Lynx` is not", PLAYER ": chute_id `87F7` is not",
                                          BALL ": hf_revision is missing",     BALL ": chute_slug is missing",
                                          BALL ": chute_id is missing" };
  g_autoptr (GError) error = NULL;
  fixture->request.service_cap = NULL;
  fixture->binds[0] = PLAYER "=-x,Lynx,87F7";
  g_assert_null (plan (fixture, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    if (strstr (error->message, expected[i]) == NULL)
      g_error ("expected \"%s\" in \"%s\"", expected[i], error->message);
}

static void
elements_are_of_the_window_and_each_once (Fixture *fixture, gconstpointer data)
{
  static const char *const foreign[] = { "Other@1.0", "../../etc/passwd", PLAYER "\nsv1", "\xff", "Player\xe2\x80\xae" };
  fixture->elements[1] = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++)
  {
    fixture->elements[0] = foreign[i];
    assert_fails_saying (plan (fixture, refusal), SV_ERROR_USAGE, "is not in window 2025-10-23");
  }
  fixture->elements[0] = PLAYER;
  fixture->elements[1] = PLAYER ":v2";
  assert_fails_saying (plan (fixture, refusal), SV_ERROR_USAGE, "named twice");
  fixture->elements[0] = "";
  fixture->elements[1] = NULL;
  assert_fails_saying (plan (fixture, refusal), SV_ERROR_USAGE, "no element is named");
}

static void
a_bind_has_its_form (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *bind, *part;
  } cases[] = { { PLAYER, "expected ELEMENT=" },
                { PLAYER "=a,b", "expected ELEMENT=" },
                { BIND_PLAYER ",25,7", "expected ELEMENT=" },
                { "Other=a,b,c", "not in --elements" },
                { BIND_PLAYER ",0", "not frames per second" },
                { BIND_PLAYER ",-1", "not frames per second" },
                { BIND_PLAYER ",1e3", "not frames per second" },
                { BIND_PLAYER ",1.2345", "not frames per second" },
                { BIND_PLAYER ",NaN", "not frames per second" } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    fixture->binds[0] = cases[i].bind;
    assert_fails_saying (plan (fixture, refusal), SV_ERROR_USAGE, cases[i].part);
  }
  fixture->binds[0] = BIND_PLAYER;
  fixture->binds[1] = PLAYER "=other,orca," CHUTE_2;
  assert_fails_saying (plan (fixture, refusal), SV_ERROR_USAGE, "twice");
}

/* ── the file ── */

static void
only_a_file_that_was_named_must_exist (Fixture *fixture, gconstpointer data)
{
  fixture->binds[0] = BIND_PLAYER;
  fixture->binds[1] = BIND_BALL;
  g_autoptr (SvCommitmentText) text = plan (fixture, NULL);
  g_assert_nonnull (text);
  fixture->request.bindings_path_given = TRUE;
  assert_fails_saying (plan (fixture, refusal), SV_ERROR_NOT_FOUND, "bindings.yaml");
}

static void
a_broken_file_is_shown_with_its_places (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *file;
    int code;
    const char *part;
  } cases[] = {
    { "bindings:\n  - {element_id: 7}\n  - {element_id: " BALL ", chute_slug: []}\n", SV_ERROR_USAGE, ":2:" },
    { "bindings:\n  - {element_id: 7}\n  - {element_id: " BALL ", chute_slug: []}\n", SV_ERROR_USAGE, ":3:" },
    { "bindings: 7\n", SV_ERROR_USAGE, "bindings" },
    { "[]\n", SV_ERROR_USAGE, "object" },
    { "bindings:\n  - {element_id: " BALL "}\n  - {element_id: " BALL "}\n", SV_ERROR_USAGE, "twice" },
    { "bindings:\n  - {element_id: " BALL ", service_cap_fps: 1.2345}\n", SV_ERROR_USAGE, "three decimals" },
    { "bindings:\n  - {element_id: " BALL ", service_cap_fps: -0}\n", SV_ERROR_USAGE, "service_cap_fps" },
    { "bindings:\n  - {element_id: " BALL ", service_cap_fps: 1e300}\n", SV_ERROR_USAGE, "service_cap_fps" },
    { "bindings:\n  - {element_id: " BALL ", service_cap_fps: .nan}\n", SV_ERROR_MALFORMED, "finite" },
    { "{\"bindings\": [{\"element_id\": \"" BALL "\", \"service_cap_fps\": 1e400}]}", SV_ERROR_MALFORMED, "" },
    { "bindings: &a [*a]\n", SV_ERROR_MALFORMED, "" },
    { "bindings: []\nbindings: []\n", SV_ERROR_MALFORMED, "" },
    { "bindings: [\n", SV_ERROR_MALFORMED, "" },
    { "\xff\xfe", SV_ERROR_MALFORMED, "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    write_file (fixture, cases[i].file);
    assert_fails_saying (plan (fixture, refusal), cases[i].code, cases[i].part);
  }
}

static void
other_elements_of_the_file_are_passed_over (Fixture *fixture, gconstpointer data)
{
  fixture->elements[1] = NULL;
  fixture->binds[0] = BIND_PLAYER ",1";
  write_file (fixture, "bindings:\n  - {element_id: " BALL ", chute_slug: NOT A SLUG}\n");
  assert_plan (fixture, "sv1 commit 2025-10-23 45\n" PLAYER " player-v1 lynx " CHUTE_1 " 1");
}

/* ── caps ── */

static void
caps_not_given_share_the_rest_by_service_rate (Fixture *fixture, gconstpointer data)
{
  fixture->binds[0] = BIND_PLAYER;
  fixture->binds[1] = BIND_BALL;
  /* 45 × 25/55 and 45 × 30/55, rounded down to thousandths */
  assert_plan (fixture, "sv1 commit 2025-10-23 45\n" PLAYER " player-v1 lynx " CHUTE_1 " 20.454\n" BALL " ball-v1 orca " CHUTE_2
                        " 24.545");
  fixture->request.service_cap = "55"; /* what comes out even is not rounded at all */
  assert_plan (fixture,
               "sv1 commit 2025-10-23 55\n" PLAYER " player-v1 lynx " CHUTE_1 " 25\n" BALL " ball-v1 orca " CHUTE_2 " 30");
  fixture->request.service_cap = "45";
  fixture->binds[0] = BIND_PLAYER ",25";
  assert_plan (fixture,
               "sv1 commit 2025-10-23 45\n" PLAYER " player-v1 lynx " CHUTE_1 " 25\n" BALL " ball-v1 orca " CHUTE_2 " 20");
}

static void
bind_ball (Fixture *fixture, const char *total, const char *cap)
{
  g_autofree char *text = g_strdup_printf ("sv1 commit 2025-10-23 %s\n" BALL " ball-v1 orca " CHUTE_2 " %s", total, cap);
  SvChainText texts[] = { { .block = 10, .text = text, .proof = "10:0x00" } };
  sv_fold_free (fixture->fold);
  fixture->fold = sv_fold ("2025-10-23", 100, 200, texts, 1, 50);
  g_assert_cmpuint (g_hash_table_size (fixture->fold->bound), ==, 1);
}

static void
what_other_elements_hold_is_not_shared (Fixture *fixture, gconstpointer data)
{
  bind_ball (fixture, "20", "20");
  fixture->elements[1] = NULL;
  fixture->binds[0] = BIND_PLAYER;
  assert_plan (fixture, "sv1 commit 2025-10-23 45\n" PLAYER " player-v1 lynx " CHUTE_1 " 25");
}

static void
an_element_bound_anew_does_not_count_twice (Fixture *fixture, gconstpointer data)
{
  bind_ball (fixture, "45", "40");
  fixture->binds[0] = BIND_PLAYER ",30";
  fixture->binds[1] = BIND_BALL;
  assert_plan (fixture,
               "sv1 commit 2025-10-23 45\n" PLAYER " player-v1 lynx " CHUTE_1 " 30\n" BALL " ball-v1 orca " CHUTE_2 " 15");
}

static void
caps_beyond_the_total_are_refused (Fixture *fixture, gconstpointer data)
{
  fixture->binds[0] = BIND_PLAYER ",25";
  fixture->binds[1] = BIND_BALL ",20.001";
  assert_fails_saying (plan (fixture, refusal), SV_ERROR_POLICY, "do not fit into --service-cap-fps 45");
  fixture->binds[0] = BIND_PLAYER ",45"; /* nothing is left for the other */
  fixture->binds[1] = BIND_BALL;
  assert_fails (plan (fixture, refusal), SV_ERROR_POLICY);
  bind_ball (fixture, "45", "44.5");
  fixture->elements[1] = NULL;
  fixture->binds[0] = BIND_PLAYER ",1";
  fixture->binds[1] = NULL;
  assert_fails_saying (plan (fixture, refusal), SV_ERROR_POLICY, "already take 44.5");
}

static void
the_total_is_frames_per_second (Fixture *fixture, gconstpointer data)
{
  static const char *const totals[] = { "", "0", "-1", "45fps", "1e2", "NaN", "045", "99999999999999999999" };
  fixture->binds[0] = BIND_PLAYER;
  fixture->binds[1] = BIND_BALL;
  for (gsize i = 0; i < G_N_ELEMENTS (totals); i++)
  {
    fixture->request.service_cap = totals[i];
    assert_fails_saying (plan (fixture, refusal), SV_ERROR_USAGE, "is not frames per second");
  }
}

/* ── withdrawing ── */

static void
a_withdrawal_needs_the_ids_only (Fixture *fixture, gconstpointer data)
{
  fixture->request.service_cap = NULL;
  g_autoptr (SvCommitmentText) text = sv_withdraw_plan (&fixture->request, fixture->manifest, NULL);
  g_autofree char *written = sv_commitment_text_format (text);
  g_assert_cmpstr (written, ==, "sv1 withdraw 2025-10-23\n" PLAYER "\n" BALL);
  fixture->elements[0] = "Other";
  assert_fails (sv_withdraw_plan (&fixture->request, fixture->manifest, refusal), SV_ERROR_USAGE);
}

#define ADD(name) g_test_add ("/commit_plan/" #name, Fixture, NULL, set_up, name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (bind_alone_is_enough);
  ADD (the_file_alone_is_enough);
  ADD (a_receipt_serves_as_the_file);
  ADD (bind_goes_before_the_list_and_the_list_before_the_file);
  ADD (an_empty_part_of_bind_leaves_the_question_open);
  ADD (all_that_is_missing_is_listed_at_once);
  ADD (elements_are_of_the_window_and_each_once);
  ADD (a_bind_has_its_form);
  ADD (only_a_file_that_was_named_must_exist);
  ADD (a_broken_file_is_shown_with_its_places);
  ADD (other_elements_of_the_file_are_passed_over);
  ADD (caps_not_given_share_the_rest_by_service_rate);
  ADD (what_other_elements_hold_is_not_shared);
  ADD (an_element_bound_anew_does_not_count_twice);
  ADD (caps_beyond_the_total_are_refused);
  ADD (the_total_is_frames_per_second);
  ADD (a_withdrawal_needs_the_ids_only);
  return g_test_run ();
}
