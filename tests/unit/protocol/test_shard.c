/* Cases: a shard signed, opened and the same; the legacy form; each field absent and out of bounds; sizes of line, telemetry
 * and error; what signing refuses; lane by signer; everything of rule 1 that opening refuses. */
#include "shard_sample.h"

#include "base/error.h"

static SvShard *
open_shard (GBytes *line, GError **error)
{
  const SvChainId chain = sample_chain ();
  return sv_shard_open (line, &chain, error);
}

static SvShard *
sign_and_open (const SvShard *shard)
{
  const SvChainId chain = sample_chain ();
  GError *error = NULL;
  g_autoptr (SvKeypair) validator = sample_keypair ();
  g_autoptr (SvSignedDocument) document = sv_shard_sign (shard, &chain, validator, 1761177601000, &error);
  g_assert_no_error (error);
  SvShard *opened = open_shard (document->bytes, &error);
  g_assert_no_error (error);
  return opened;
}

static void
test_what_was_signed_is_opened (void)
{
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (SvShard) shard = sample_shard (manifest);
  g_autoptr (SvKeypair) validator = sample_keypair ();
  shard->salt_id = g_strdup ("offset-1");
  shard->draw_commit = g_strdup (HASH_B);
  shard->error = g_strdup ("the evaluator said \"no\"");
  g_autoptr (SvShard) opened = sign_and_open (shard);

  g_assert_false (opened->is_legacy);
  g_assert_false (opened->is_self);
  g_assert_cmpstr (opened->window_id, ==, "2025-10-23");
  g_assert_cmpstr (opened->manifest_hash, ==, manifest->hash);
  g_assert_cmpstr (opened->element_id, ==, "PlayerDetect_v1@1.0");
  g_assert_cmpstr (opened->challenge_id, ==, "17");
  g_assert_cmpstr (opened->clip_hash, ==, HASH_A);
  g_assert_cmpstr (opened->miner_hotkey, ==, BOB);
  g_assert_cmpstr (opened->commitment_proof, ==, SAMPLE_PROOF);
  g_assert_cmpstr (opened->chute_slug, ==, "lynx");
  g_assert_cmpstr (opened->chute_id, ==, SAMPLE_CHUTE_ID);
  g_assert_cmpstr (opened->hf_revision, ==, "player-v1");
  g_assert_cmpuint (opened->block, ==, SAMPLE_SHARD_BLOCK);
  g_assert_cmpint (opened->created_at, ==, 1761177600123);
  g_assert_cmpuint (opened->seed, ==, SV_JSON_MAX_INTEGER);
  g_assert_cmpstr (opened->pgt_recipe_hash, ==, HASH_B);
  g_assert_cmpstr (opened->salt_id, ==, "offset-1");
  g_assert_cmpstr (opened->draw_commit, ==, HASH_B);
  g_assert_cmpstr (opened->error, ==, "the evaluator said \"no\"");
  g_assert_true (sv_json_equal (opened->metrics, shard->metrics));
  g_assert_true (sv_json_equal (opened->telemetry, shard->telemetry));
  g_assert_cmpstr (opened->document->signed_by, ==, sv_keypair_address (validator));
}

static void
test_numbers_survive_to_the_bit (void)
{
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (SvShard) shard = sample_shard (manifest);
  g_autoptr (SvShard) opened = sign_and_open (shard);

  g_assert_cmpuint (opened->n_latencies, ==, 5);
  g_assert_cmpfloat (opened->latencies_ms[4], ==, 95.5);
  g_assert_true (opened->has_score && opened->has_p95 && opened->latency_pass);
  g_assert_cmpfloat (opened->composite_score, ==, 0.3 * 0.7 + 0.7 * 0.1);
  g_assert_cmpfloat (opened->p95_latency_ms, ==, 120);
  g_assert_cmpfloat (opened->rtf, ==, shard->rtf);
}

static void
test_nulls_are_nulls (void)
{
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (SvShard) shard = sample_shard (manifest);
  shard->n_latencies = 4;
  json_object_clear (shard->metrics);
  g_clear_pointer (&shard->pgt_recipe_hash, g_free);
  sv_shard_score (shard, sv_manifest_find_element (manifest, shard->element_id));
  g_autoptr (SvShard) opened = sign_and_open (shard);

  g_assert_false (opened->has_score);
  g_assert_false (opened->has_p95);
  g_assert_false (opened->latency_pass);
  g_assert_null (opened->pgt_recipe_hash);
  g_assert_null (opened->salt_id);
  g_assert_null (opened->draw_commit);
  g_assert_null (opened->error);
  g_assert_true (json_is_null (json_object_get (opened->document->json, "rtf")));
  g_assert_true (json_is_null (json_object_get (opened->document->json, "composite_score")));
}

static void
test_a_failed_gate_scores_zero (void)
{
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (SvShard) shard = sample_shard (manifest);
  shard->latencies_ms[0] = SV_LATENCY_FAILED_MS;
  sv_shard_score (shard, sv_manifest_find_element (manifest, shard->element_id));

  g_assert_true (shard->has_score);
  g_assert_false (shard->latency_pass);
  g_assert_cmpfloat (shard->composite_score, ==, 0);
  g_assert_cmpfloat (shard->p95_latency_ms, ==, SV_LATENCY_FAILED_MS);
}

static void
test_legacy_shard_has_no_manifest_fields (void)
{
  g_autoptr (SvShard) shard = sv_shard_new ();
  shard->is_legacy = TRUE;
  shard->challenge_id = g_strdup ("task-1");
  shard->miner_hotkey = g_strdup (BOB);
  g_autoptr (SvShard) opened = sign_and_open (shard);
  g_autofree char *written = sv_json_canonical_string (opened->document->json);

  g_assert_true (opened->is_legacy);
  g_assert_cmpstr (opened->challenge_id, ==, "task-1");
  g_assert_null (opened->chute_slug);
  g_assert_null (opened->manifest_hash);
  g_assert_nonnull (strstr (written, "\"task_id\":\"task-1\""));
  g_assert_nonnull (strstr (written, "\"v\":0"));
  g_assert_null (strstr (written, "window_id"));
  g_assert_null (strstr (written, "composite_score"));
}

static void
test_lane_is_self_when_the_miner_signs (void)
{
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (SvShard) shard = sample_shard (manifest);
  g_autoptr (SvKeypair) validator = sample_keypair ();
  g_free (shard->miner_hotkey);
  shard->miner_hotkey = g_strdup (sv_keypair_address (validator));
  g_autoptr (SvShard) opened = sign_and_open (shard);

  g_assert_true (opened->is_self);
  g_assert_cmpstr (json_string_value (json_object_get (opened->document->json, "lane")), ==, "self");
}

/* Sets or removes a field; the schema must name @place. */
static void
assert_refused_at (const char *pointer, const char *value, const char *place)
{
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (json_t) json = sample_shard_json (manifest);
  g_autoptr (GError) error = NULL;
  g_autofree char *named = g_strdup_printf (": %s: ", place);

  sample_set (json, pointer, value);
  g_autoptr (GBytes) line = sample_sign_shard (json);
  g_autoptr (SvShard) shard = open_shard (line, &error);
  if (shard != NULL || !g_error_matches (error, SV_ERROR, SV_ERROR_MALFORMED) || strstr (error->message, named) == NULL)
    g_error ("%s as %s: expected a fault at %s, got: %s", pointer, value, place, error != NULL ? error->message : "none");
}

static void
assert_refused (const char *pointer, const char *value)
{
  assert_refused_at (pointer, value, pointer);
}

static void
test_required_fields_must_be_there (void)
{
  static const char *const fields[] = { "/v",         "/window_id",    "/manifest_hash", "/element_id",       "/challenge_id",
                                        "/clip_hash", "/miner_hotkey", "/chute_slug",    "/commitment_proof", "/chute_id",
                                        "/lane",      "/block",        "/hf_revision",   "/created_at",       "/seed",
                                        "/metrics",   "/telemetry",    "/latency_pass",  "/latencies_ms" };

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
  {
    assert_refused (fields[i], NULL);
    assert_refused (fields[i], "null");
    assert_refused (fields[i], "[{}]");
  }
}

static void
test_values_have_bounds (void)
{
  static const struct
  {
    const char *pointer, *value;
  } cases[] = {
    { "/v", "2" },
    { "/v", "-1" },
    { "/v", "\"1\"" },
    { "/window_id", "\"../x\"" },
    { "/manifest_hash", "\"" HEX_A "\"" },
    { "/element_id", "\"a//b\"" },
    { "/challenge_id", "17" },
    { "/challenge_id", "\"1.5\"" },
    { "/clip_hash", "\"sha256:\"" },
    { "/miner_hotkey", "\"5F\"" },
    { "/commitment_proof", "\"90:0x00\"" },
    { "/chute_slug", "\"api\"" },
    { "/chute_id", "\"1\"" },
    { "/hf_revision", "\"\"" },
    { "/lane", "\"private\"" },
    { "/block", "1.5" },
    { "/created_at", "\"2025-10-23\"" },
    { "/seed", "-1" },
    { "/pgt_recipe_hash", "\"none\"" },
    { "/salt_id", "\"\"" },
    { "/draw_commit", "\"none\"" },
    { "/salt_id", "\"a\\u0007\"" },
    { "/metrics", "1" },
    { "/composite_score", "\"0.5\"" },
    { "/latency_pass", "1" },
    { "/p95_latency_ms", "-1" },
    { "/p95_latency_ms", "\"120\"" },
    { "/rtf", "-0.1" },
    { "/rtf", "null" },
    { "/latencies_ms", "[-1]" },
    { "/latencies_ms", "[1,2,1000000000.5]" },
    { "/latencies_ms", "[null]" },
    { "/latencies_ms", "[\"1\"]" },
    { "/error", "5" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (cases[i].pointer, cases[i].value);
}

static void
test_p95_alone_is_refused (void)
{
  assert_refused_at ("/p95_latency_ms", "null", "/rtf");
}

/* An array of @n ones. */
static char *
ones (guint n)
{
  GString *text = g_string_new ("[1");
  for (guint i = 1; i < n; i++)
    g_string_append (text, ",1");
  return g_string_free (g_string_append_c (text, ']'), FALSE);
}

static void
assert_taken (const char *pointer, const char *value)
{
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (json_t) json = sample_shard_json (manifest);
  g_autoptr (GError) error = NULL;

  sample_set (json, pointer, value);
  g_autoptr (GBytes) line = sample_sign_shard (json);
  g_autoptr (SvShard) shard = open_shard (line, &error);
  g_assert_no_error (error);
  g_assert_nonnull (shard);
}

static void
test_lists_and_texts_have_a_greatest_size (void)
{
  g_autofree char *fits = ones (64), *long_list = ones (65);
  g_autofree char *letters = g_strnfill (SV_SHARD_MAX_TELEMETRY, 'a');
  g_autofree char *error = g_strdup_printf ("\"%.*s\"", SV_SHARD_MAX_ERROR, letters);
  g_autofree char *long_error = g_strdup_printf ("\"%.*s\"", SV_SHARD_MAX_ERROR + 1, letters);
  /* {"a":"…"} has eight bytes besides the letters */
  g_autofree char *telemetry = g_strdup_printf ("{\"a\":\"%.*s\"}", SV_SHARD_MAX_TELEMETRY - 8, letters);
  g_autofree char *long_telemetry = g_strdup_printf ("{\"a\":\"%.*s\"}", SV_SHARD_MAX_TELEMETRY - 7, letters);
  g_autofree char *salt = g_strdup_printf ("\"%.128s\"", letters), *long_salt = g_strdup_printf ("\"%.129s\"", letters);

  assert_taken ("/latencies_ms", fits);
  assert_refused ("/latencies_ms", long_list);
  assert_taken ("/error", error);
  assert_refused ("/error", long_error);
  assert_taken ("/telemetry", telemetry);
  assert_refused ("/telemetry", long_telemetry);
  assert_taken ("/salt_id", salt);
  assert_refused ("/salt_id", long_salt);
}

static void
test_absent_means_null_where_null_is_allowed (void)
{
  assert_taken ("/pgt_recipe_hash", NULL);
  assert_taken ("/composite_score", NULL);
  assert_taken ("/error", NULL);
}

static void
test_legacy_fields_have_bounds (void)
{
  static const char legacy[] = "{\"v\":0,\"task_id\":\"t\",\"miner_hotkey\":\"ss58:" BOB
                               "\",\"chute_slug\":null,\"lane\":\"public\",\"created_at\":\"2025-10-23T00:00:00Z\","
                               "\"metrics\":{},\"latencies_ms\":[],\"telemetry\":{},\"error\":null}";
  g_autoptr (json_t) json = sample_json (legacy);
  g_autoptr (SvFaults) faults = sv_faults_new ();

  sv_shard_check (json, faults);
  g_assert_cmpuint (faults->n_errors, ==, 0);
  sample_set (json, "/task_id", "\"\"");
  sv_shard_check (json, faults);
  sample_assert_fault (faults, "/task_id", "is not a label");
}

static void
test_signing_refuses_what_opening_would (void)
{
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) validator = sample_keypair ();
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (SvShard) shard = sample_shard (manifest);
  g_autoptr (GError) error = NULL;

  shard->error = g_strnfill (SV_SHARD_MAX_ERROR + 1, 'x');
  g_autoptr (SvSignedDocument) document = sv_shard_sign (shard, &chain, validator, 1761177601000, &error);
  g_assert_null (document);
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_nonnull (strstr (error->message, "/error"));
}

static void
test_signing_refuses_a_line_too_long (void)
{
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) validator = sample_keypair ();
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (SvShard) shard = sample_shard (manifest);
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strnfill (SV_SHARD_MAX_SIZE, 'm');

  json_object_set_new (shard->metrics, name, json_real (1));
  g_autoptr (SvSignedDocument) document = sv_shard_sign (shard, &chain, validator, 1761177601000, &error);
  g_assert_null (document);
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
}

static void
assert_line_refused (GBytes *line, const SvChainId *chain, SvErrorCode code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvShard) shard = sv_shard_open (line, chain, &error);
  g_assert_null (shard);
  g_assert_error (error, SV_ERROR, (gint)code);
}

/* @line with the first @from replaced by @to. */
static GBytes *
replace (GBytes *line, const char *from, const char *to)
{
  g_autofree char *text = g_strndup (g_bytes_get_data (line, NULL), g_bytes_get_size (line));
  const char *at = strstr (text, from);
  g_assert_nonnull (at);
  char *changed = g_strdup_printf ("%.*s%s%s", (int)(at - text), text, to, at + strlen (from));
  return g_bytes_new_take (changed, strlen (changed));
}

static void
test_opening_is_rule_1 (void)
{
  const SvChainId chain = sample_chain ();
  SvChainId other_subnet = chain;
  g_autoptr (SvManifest) manifest = sample_window ();
  g_autoptr (json_t) json = sample_shard_json (manifest);
  g_autoptr (GBytes) line = sample_sign_shard (json);
  g_autoptr (GBytes) tampered = replace (line, "\"seed\":9007199254740991", "\"seed\":9007199254740990");
  g_autoptr (GBytes) spaced = replace (line, "\"seed\":", "\"seed\": ");
  g_autoptr (GBytes) of_type = replace (line, "\"type\":\"shard\"", "\"type\":\"issued\"");
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (line, 0, g_bytes_get_size (line) - 1);
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (GBytes) large = g_bytes_new_take (g_strnfill (SV_SHARD_MAX_SIZE + 1, ' '), SV_SHARD_MAX_SIZE + 1);

  assert_line_refused (tampered, &chain, SV_ERROR_VERIFY);
  assert_line_refused (spaced, &chain, SV_ERROR_MALFORMED);
  assert_line_refused (of_type, &chain, SV_ERROR_MALFORMED);
  assert_line_refused (cut, &chain, SV_ERROR_MALFORMED);
  assert_line_refused (nothing, &chain, SV_ERROR_MALFORMED);
  assert_line_refused (large, &chain, SV_ERROR_MALFORMED);
  other_subnet.netuid = 45;
  assert_line_refused (line, &other_subnet, SV_ERROR_VERIFY);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shard/what was signed is opened", test_what_was_signed_is_opened);
  g_test_add_func ("/shard/numbers survive to the bit", test_numbers_survive_to_the_bit);
  g_test_add_func ("/shard/nulls are nulls", test_nulls_are_nulls);
  g_test_add_func ("/shard/a failed gate scores zero", test_a_failed_gate_scores_zero);
  g_test_add_func ("/shard/legacy shard has no manifest fields", test_legacy_shard_has_no_manifest_fields);
  g_test_add_func ("/shard/lane is self when the miner signs", test_lane_is_self_when_the_miner_signs);
  g_test_add_func ("/shard/required fields must be there", test_required_fields_must_be_there);
  g_test_add_func ("/shard/values have bounds", test_values_have_bounds);
  g_test_add_func ("/shard/p95 alone is refused", test_p95_alone_is_refused);
  g_test_add_func ("/shard/lists and texts have a greatest size", test_lists_and_texts_have_a_greatest_size);
  g_test_add_func ("/shard/absent means null where null is allowed", test_absent_means_null_where_null_is_allowed);
  g_test_add_func ("/shard/legacy fields have bounds", test_legacy_fields_have_bounds);
  g_test_add_func ("/shard/signing refuses what opening would", test_signing_refuses_what_opening_would);
  g_test_add_func ("/shard/signing refuses a line too long", test_signing_refuses_a_line_too_long);
  g_test_add_func ("/shard/opening is rule 1", test_opening_is_rule_1);
  return g_test_run ();
}
