/* Cases: an answer written and read back is the same; written straight it is the same as by way of Jansson, whatever its texts
 * and numbers are; each field absent, mistyped and out of range, with the place; extra fields; agreement with what was asked,
 * and each field that differs. */
#include "sample.h"

#include "protocol/challenge.h"

#include <string.h>

#include "base/error.h"

static const char answer[] =
    "{\"block\":150,\"challenge_id\":\"17\",\"chute_id\":\"87f7d0c5-0000-4000-8000-000000000001\",\"chute_slug\":\"lynx\","
    "\"clip_bytes\":1048576,\"clip_hash\":\"" HASH_A "\",\"clip_url\":\"https://cdn.example/clip?token=1\","
    "\"commitment_finalized\":true,\"draw_commit\":\"" HASH_C "\",\"element_id\":\"PlayerDetect_v1@1.0\",\"expiry_block\":200,"
    "\"hf_revision\":\"player-v1\",\"manifest_hash\":\"" HEX_A "\",\"meta\":{\"challenge_type\":\"football\","
    "\"duration_ms\":30000,\"fps\":29.97,\"resolution\":{\"height\":1080,\"width\":1920},\"scenario\":\"match\","
    "\"sport\":\"football\"},\"seed\":9007199254740991,\"window_id\":\"2025-10-23\"}";

static SvChallenge *
read_answer (const json_t *json)
{
  g_autoptr (GError) error = NULL;
  SvChallenge *challenge = sv_challenge_from_json (json, &error);
  g_assert_no_error (error);
  return challenge;
}

static void
test_what_was_written_is_read_back (void)
{
  g_autoptr (json_t) json = sample_json (answer);
  g_autoptr (SvChallenge) challenge = read_answer (json);
  g_autoptr (json_t) again = sv_challenge_to_json (challenge);
  g_autofree char *written = sv_json_canonical_string (again);

  g_assert_cmpstr (written, ==, answer);
  g_assert_cmpuint (challenge->seed, ==, SV_JSON_MAX_INTEGER);
  g_assert_cmpuint (challenge->width, ==, 1920);
  g_assert_cmpfloat (challenge->fps, ==, 29.97);
  g_assert_true (challenge->commitment_finalized);
}

/* One of the characters that matter to a writer. */
static char *
random_text (void)
{
  static const char *const pieces[] = { "a",          "Z9",       "\"",           "\\",
                                        "/",          "\b",       "\t",           "\n",
                                        "\f",         "\r",       "\x01",         "\x1f",
                                        "\x7f",       "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xbe",
                                        "scorevision" };
  GString *text = g_string_new (NULL);
  for (gint n = g_test_rand_int_range (0, 12); n > 0; n--)
    g_string_append (text, pieces[g_test_rand_int_range (0, G_N_ELEMENTS (pieces))]);
  return g_string_free (text, FALSE);
}

static guint64
random_integer (void)
{
  guint64 random = (guint64)(guint32)g_test_rand_int () << 32 | (guint32)g_test_rand_int ();
  return (random & SV_JSON_MAX_INTEGER) >> g_test_rand_int_range (0, 53);
}

static SvChallenge *
random_challenge (void)
{
  SvChallenge *challenge = g_new0 (SvChallenge, 1);
  char **texts[] = { &challenge->clip_url,      &challenge->element_id, &challenge->window_id,   &challenge->sport,
                     &challenge->scenario,      &challenge->chute_id,   &challenge->chute_slug,  &challenge->challenge_type,
                     &challenge->manifest_hash, &challenge->clip_hash,  &challenge->hf_revision, &challenge->draw_commit };
  guint64 *integers[] = { &challenge->duration_ms, &challenge->expiry_block, &challenge->block, &challenge->clip_bytes,
                          &challenge->seed };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    *texts[i] = random_text ();
  for (gsize i = 0; i < G_N_ELEMENTS (integers); i++)
    *integers[i] = random_integer ();
  challenge->fps = g_test_rand_bit () ? g_test_rand_double_range (0, 1000) : (double)g_test_rand_int_range (1, 240) / 8;
  challenge->width = (guint)g_test_rand_int_range (1, 65537);
  challenge->height = (guint)g_test_rand_int_range (1, 65537);
  challenge->commitment_finalized = g_test_rand_bit ();
  return challenge;
}

static void
test_written_straight_is_the_same (void)
{
  for (guint i = 0; i < 2000; i++)
  {
    gsize length;
    SvChallengeText text;
    char buffer[SV_CHALLENGE_TEXT_USUAL_SIZE];
    guint64 id = i % 100 == 0 ? G_MAXUINT64 : random_integer ();
    g_autoptr (SvChallenge) challenge = random_challenge ();
    challenge->challenge_id = g_strdup_printf ("%" G_GUINT64_FORMAT, id);
    g_autoptr (json_t) json = sv_challenge_to_json (challenge);
    g_autofree char *expected = sv_json_canonical_string (json);
    sv_challenge_write (challenge, buffer, i % 3 == 0 ? 100 : sizeof buffer, &text);
    const char *written = sv_challenge_text_finish (&text, id, &length);
    g_assert_cmpmem (written, length, expected, strlen (expected));
    sv_challenge_text_clear (&text);
    g_assert_null (text.text);
  }
}

static void
test_further_fields_are_no_fault (void)
{
  g_autoptr (json_t) json = sample_json (answer);
  sample_set (json, "/note", "\"later versions may say more\"");
  g_autoptr (SvChallenge) challenge = read_answer (json);
  g_assert_nonnull (challenge);
}

static void
assert_refused (const char *pointer, const char *value)
{
  g_autoptr (json_t) json = sample_json (answer);
  g_autoptr (GError) error = NULL;
  g_autofree char *place = g_strdup_printf ("challenge: %s: ", pointer);

  sample_set (json, pointer, value);
  g_autoptr (SvChallenge) challenge = sv_challenge_from_json (json, &error);
  if (challenge != NULL || !g_error_matches (error, SV_ERROR, SV_ERROR_MALFORMED) || !g_str_has_prefix (error->message, place))
    g_error ("%s as %s: expected a fault there, got: %s", pointer, value, error != NULL ? error->message : "none");
}

static const char *const fields[] = {
  "/clip_url",        "/element_id",   "/window_id",     "/meta",
  "/meta/sport",      "/meta/fps",     "/meta/scenario", "/meta/duration_ms",
  "/manifest_hash",   "/expiry_block", "/challenge_id",  "/meta/challenge_type",
  "/block",           "/clip_hash",    "/clip_bytes",    "/commitment_finalized",
  "/chute_slug",      "/chute_id",     "/hf_revision",   "/meta/resolution/width",
  "/meta/resolution", "/draw_commit",  "/seed",          "/meta/resolution/height",
};

static void
test_every_field_must_be_there (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
  {
    assert_refused (fields[i], NULL);
    assert_refused (fields[i], "null");
    assert_refused (fields[i], "[]");
  }
}

static void
test_values_have_bounds (void)
{
  static const struct
  {
    const char *pointer, *value;
  } cases[] = {
    { "/clip_url", "\"\"" },
    { "/clip_url", "\"https://cdn.example/a b\"" },
    { "/clip_url", "\"https://cdn.example/\\n\"" },
    { "/element_id", "\"../x\"" },
    { "/window_id", "\"a/b\"" },
    { "/meta/fps", "0" },
    { "/meta/fps", "-25" },
    { "/meta/fps", "1001" },
    { "/meta/fps", "\"25\"" },
    { "/meta/duration_ms", "-1" },
    { "/meta/duration_ms", "1.5" },
    { "/meta/resolution/width", "0" },
    { "/meta/resolution/height", "65537" },
    { "/meta/sport", "\"\"" },
    { "/meta/sport", "\"foot\\u001bball\"" },
    { "/manifest_hash", "\"sha256:aa\"" },
    { "/expiry_block", "-1" },
    { "/challenge_id", "17" },
    { "/challenge_id", "\"017\"" },
    { "/challenge_id", "\"x\"" },
    { "/block", "1.5" },
    { "/commitment_finalized", "1" },
    { "/clip_hash", "\"" HEX_A "\"" },
    { "/clip_bytes", "\"1\"" },
    { "/chute_slug", "\"Lynx\"" },
    { "/chute_id", "\"1\"" },
    { "/hf_revision", "\"-v1\"" },
    { "/seed", "-1" },
    { "/draw_commit", "\"\"" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (cases[i].pointer, cases[i].value);
}

static void
test_long_strings_are_refused (void)
{
  g_autofree char *letters = g_strnfill (5000, 'a');
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", letters);
  assert_refused ("/clip_url", quoted);
  assert_refused ("/meta/scenario", quoted);
}

static void
test_what_is_no_object_is_refused (void)
{
  g_autoptr (json_t) json = sample_json ("[]");
  g_autoptr (GError) error = NULL;
  g_autoptr (SvChallenge) challenge = sv_challenge_from_json (json, &error);
  g_assert_null (challenge);
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
}

/* @expected NULL: they agree. */
static void
assert_agreement (const char *pointer, const char *value, const char *expected)
{
  g_autoptr (SvManifest) manifest = sample_manifest ("2025-10-23", 100, 200, NULL);
  g_autoptr (json_t) json = sample_json (answer);
  g_autoptr (GError) error = NULL;
  char element_id[] = "PlayerDetect_v1@1.0", revision[] = "player-v1", slug[] = "lynx";
  char chute_id[] = "87f7d0c5-0000-4000-8000-000000000001";
  const SvBinding binding = { .element_id = element_id, .hf_revision = revision, .chute_slug = slug, .chute_id = chute_id };

  if (pointer != NULL)
    sample_set (json, pointer, value);
  g_autoptr (SvChallenge) challenge = read_answer (json);
  const gboolean agrees = sv_challenge_agrees (challenge, manifest, HEX_A, "PlayerDetect_v1@1.0", &binding, &error);
  g_assert_true (agrees == (error == NULL));
  if (expected == NULL)
    g_assert_no_error (error);
  else if (!g_error_matches (error, SV_ERROR, SV_ERROR_VERIFY) || strstr (error->message, expected) == NULL)
    g_error ("expected \"…%s…\", got \"%s\"", expected, error != NULL ? error->message : "agreement");
}

static void
test_answer_must_agree_with_what_was_asked (void)
{
  assert_agreement (NULL, NULL, NULL);
  assert_agreement ("/clip_hash", "\"" HASH_B "\"", NULL);
  assert_agreement ("/manifest_hash", "\"" HASH_A "\"", "manifest_hash is sha256:");
  assert_agreement ("/window_id", "\"2025-10-24\"", "window_id is 2025-10-24; expected 2025-10-23");
  assert_agreement ("/expiry_block", "201", "expiry_block is 201; expected 200");
  assert_agreement ("/element_id", "\"BallDetect_v1@1.0\"", "element_id is BallDetect_v1@1.0; expected PlayerDetect_v1@1.0");
  assert_agreement ("/chute_slug", "\"orca\"", "chute_slug is orca; expected lynx");
  assert_agreement ("/chute_id", "\"87f7d0c5-0000-4000-8000-000000000002\"", "chute_id is 87f7d0c5");
  assert_agreement ("/hf_revision", "\"player-v2\"", "hf_revision is player-v2; expected player-v1");
  assert_agreement ("/clip_hash", "\"" HASH_C "\"", "is not among the clips of element PlayerDetect_v1@1.0");
}

static void
test_block_must_lie_in_the_window (void)
{
  assert_agreement ("/block", "100", NULL);
  assert_agreement ("/block", "99", "block 99 lies outside window 2025-10-23");
  assert_agreement ("/block", "199", NULL);
  assert_agreement ("/block", "200", "block 200 lies outside window 2025-10-23");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/challenge/what was written is read back", test_what_was_written_is_read_back);
  g_test_add_func ("/challenge/written straight is the same", test_written_straight_is_the_same);
  g_test_add_func ("/challenge/further fields are no fault", test_further_fields_are_no_fault);
  g_test_add_func ("/challenge/every field must be there", test_every_field_must_be_there);
  g_test_add_func ("/challenge/values have bounds", test_values_have_bounds);
  g_test_add_func ("/challenge/long strings are refused", test_long_strings_are_refused);
  g_test_add_func ("/challenge/what is no object is refused", test_what_is_no_object_is_refused);
  g_test_add_func ("/challenge/answer must agree with what was asked", test_answer_must_agree_with_what_was_asked);
  g_test_add_func ("/challenge/block must lie in the window", test_block_must_lie_in_the_window);
  return g_test_run ();
}
