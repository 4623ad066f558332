/* A manifest from authored content to the stored document and back (docs/protocol.md section 2).
 *
 * Cases:
 *  - normalizing: version, order of elements, forms of hashes and accounts, a null start_block; the source is untouched
 *  - what breaks a rule is not normalized, and the error names the place
 *  - signing fills in start_block and previous, keeps an authored start_block, refuses an empty window and what is too large
 *  - what was signed opens again, with all its values; not with another hash, chain or signer, nor when altered
 *  - issuers: the manifest's own, else the signer
 *  - pgt_recipe_hash: the element's own, else the manifest's
 *  - elements, clips and pillars are found by name, and only those
 *  - the same authored content is recognized in a stored manifest, changed content is not */
#include "sample.h"

#include "base/error.h"
#include "base/hash.h"

static const SvElement *
find (const SvManifest *manifest, const char *id)
{
  const SvElement *element = sv_manifest_find_element (manifest, id);
  g_assert_nonnull (element);
  return element;
}

static const char *
string_at (const json_t *json, const char *key)
{
  return json_string_value (json_object_get (json, key));
}

static void
normalizing_brings_content_into_stored_form (void)
{
  GError *error = NULL;
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  sample_set (authored, "/version", "1.3");
  sample_set (authored, "/start_block", "null");
  sample_set (authored, "/issuers/0", "\"" ALICE "\"");
  sample_set (authored, "/pgt_recipe_hash", "\"" HEX_A "\"");
  sample_set (authored, "/elements/0/pgt_recipe_hash", "\"" HEX_A "\"");
  sample_set (authored, "/elements/0/clips/1/hash", "\"" HEX_A "\"");
  g_autoptr (json_t) before = json_deep_copy (authored);

  g_autoptr (json_t) json = sv_manifest_normalize (authored, &error);
  g_assert_no_error (error);
  const json_t *first = json_array_get (json_object_get (json, "elements"), 0);
  const json_t *second = json_array_get (json_object_get (json, "elements"), 1);
  const json_t *clips = json_object_get (second, "clips");
  g_assert_cmpstr (string_at (json, "version"), ==, "1.3");
  g_assert_null (json_object_get (json, "start_block"));
  g_assert_cmpstr (json_string_value (json_array_get (json_object_get (json, "issuers"), 0)), ==, "ss58:" ALICE);
  g_assert_cmpstr (string_at (json, "pgt_recipe_hash"), ==, HASH_A);
  g_assert_cmpstr (string_at (first, "id"), ==, "BallDetect_v1@1.0");
  g_assert_cmpstr (string_at (second, "id"), ==, "PlayerDetect_v1@1.0");
  g_assert_cmpstr (string_at (second, "pgt_recipe_hash"), ==, HASH_A);
  g_assert_cmpstr (string_at (json_array_get (clips, 0), "hash"), ==, HASH_B); /* as authored */
  g_assert_cmpstr (string_at (json_array_get (clips, 1), "hash"), ==, HASH_A);
  g_assert_true (sv_json_equal (before, authored));
}

static void
faulty_content_is_not_normalized (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  sample_set (authored, "/elements/0/beta", "-1");
  g_assert_null (sv_manifest_normalize (authored, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_nonnull (strstr (error->message, "/elements/0/beta"));
}

static void
authored_manifest_has_no_hash (void)
{
  GError *error = NULL;
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  sample_set (authored, "/start_block", NULL);
  sample_set (authored, "/issuers", NULL);
  g_autoptr (SvManifest) manifest = sv_manifest_from_authored (authored, &error);
  g_assert_no_error (error);
  g_assert_null (manifest->hash);
  g_assert_null (manifest->document);
  g_assert_false (manifest->has_start_block);
  g_assert_null (manifest->issuers[0]);
  g_assert_false (sv_verify_manifest_signature (manifest));
}

static void
signing_fills_in_what_is_missing (void)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  g_autoptr (SvManifest) kept = sv_manifest_sign (authored, 150, NULL, &chain, keypair, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (kept->start_block, ==, 100);
  g_assert_null (kept->previous);
  g_assert_true (json_is_null (json_object_get (kept->json, "previous")));

  sample_set (authored, "/start_block", NULL);
  g_autoptr (SvManifest) filled = sv_manifest_sign (authored, 150, kept->hash, &chain, keypair, 0, &error);
  g_assert_no_error (error);
  g_assert_true (filled->has_start_block);
  g_assert_cmpuint (filled->start_block, ==, 150);
  g_assert_cmpstr (filled->previous, ==, kept->hash);
}

static void
signing_refuses_an_empty_window (void)
{
  g_autoptr (GError) error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  sample_set (authored, "/start_block", NULL);
  g_assert_null (sv_manifest_sign (authored, 200, NULL, &chain, keypair, 0, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_nonnull (strstr (error->message, "200 is not after start_block 200"));
}

static void
signing_refuses_what_readers_would_not_read (void)
{
  g_autoptr (GError) error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvKeypair) keypair = sample_keypair ();
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  g_autofree char *filling = g_strnfill (SV_MANIFEST_MAX_SIZE, 'x');
  json_object_set_new (authored, "foo", json_string (filling));
  g_assert_null (sv_manifest_sign (authored, 100, NULL, &chain, keypair, 0, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_nonnull (strstr (error->message, "readers accept at most"));
}

static void
signed_manifest_opens_with_all_its_values (void)
{
  GError *error = NULL;
  const SvChainId chain = sample_chain ();
  g_autoptr (SvManifest) made = sample_manifest ("2025-10-23", 100, 200, HASH_C);
  g_autoptr (SvManifest) manifest = sv_manifest_open (made->document->bytes, made->hash, &chain, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *hash = sv_hash_gbytes (manifest->document->bytes);
  g_assert_cmpstr (manifest->hash, ==, hash);
  g_assert_true (sv_verify_manifest_signature (manifest));
  g_assert_cmpstr (manifest->window_id, ==, "2025-10-23");
  g_assert_cmpuint (manifest->start_block, ==, 100);
  g_assert_cmpuint (manifest->expiry_block, ==, 200);
  g_assert_cmpstr (manifest->previous, ==, HASH_C);
  g_assert_cmpuint (manifest->n_elements, ==, 2);

  const SvElement *player = find (manifest, "PlayerDetect_v1@1.0");
  g_assert_cmpuint (player->n_clips, ==, 2);
  g_assert_cmpstr (player->clips[0].hash, ==, HASH_A); /* sorted */
  g_assert_cmpfloat (player->clips[0].weight, ==, 2.5);
  g_assert_cmpstr (player->clips[1].hash, ==, HASH_B);
  g_assert_cmpfloat (player->clips[1].weight, ==, 1);
  g_assert_cmpuint (player->n_pillars, ==, 2);
  g_assert_cmpstr (player->pillars[0].name, ==, "count");
  g_assert_cmpfloat (player->pillars[0].weight, ==, 0.3);
  g_assert_cmpstr (player->pillars[1].name, ==, "iou");
  g_assert_cmpfloat (player->latency_p95_ms, ==, 200);
  g_assert_cmpfloat (player->service_rate_fps, ==, 25);
  g_assert_cmpfloat (player->baseline_theta, ==, 0.78);
  g_assert_cmpfloat (player->delta_floor, ==, 0.01);
  g_assert_cmpfloat (player->beta, ==, 1);
  g_assert_cmpstr (player->telemetry[0], ==, "inference_ms");
  g_assert_null (player->telemetry[1]);
  g_assert_cmpstr (string_at (player->json, "track"), ==, "open");
  g_assert_null (find (manifest, "BallDetect_v1@1.0")->telemetry[0]);
}

static gboolean
trust_nobody (const char *address, gpointer data)
{
  return FALSE;
}

static void
altered_or_foreign_manifests_do_not_open (void)
{
  const SvChainId chain = sample_chain ();
  SvChainId other_chain = sample_chain ();
  other_chain.netuid = 45;
  g_autoptr (SvManifest) made = sample_manifest ("w", 100, 200, NULL);
  GBytes *bytes = made->document->bytes;
  g_autoptr (GError) wrong_hash = NULL;
  g_assert_null (sv_manifest_open (bytes, HASH_A, &chain, NULL, NULL, &wrong_hash));
  g_assert_error (wrong_hash, SV_ERROR, SV_ERROR_VERIFY);
  g_autoptr (GError) wrong_chain = NULL;
  g_assert_null (sv_manifest_open (bytes, made->hash, &other_chain, NULL, NULL, &wrong_chain));
  g_assert_error (wrong_chain, SV_ERROR, SV_ERROR_VERIFY);
  g_autoptr (GError) untrusted = NULL;
  g_assert_null (sv_manifest_open (bytes, made->hash, &chain, trust_nobody, NULL, &untrusted));
  g_assert_error (untrusted, SV_ERROR, SV_ERROR_VERIFY);

  g_autoptr (json_t) json = json_deep_copy (made->json);
  sample_set (json, "/expiry_block", "300");
  g_autoptr (GBytes) altered = sv_json_canonical (json, NULL);
  g_autoptr (GError) bad_signature = NULL;
  g_assert_null (sv_manifest_open (altered, NULL, &chain, NULL, NULL, &bad_signature));
  g_assert_error (bad_signature, SV_ERROR, SV_ERROR_VERIFY);

  sample_set (json, "/elements/0/beta", "-1");
  g_autoptr (GBytes) invalid = sv_json_canonical (json, NULL);
  g_autoptr (GError) malformed = NULL;
  g_assert_null (sv_manifest_open (invalid, NULL, &chain, NULL, NULL, &malformed));
  g_assert_error (malformed, SV_ERROR, SV_ERROR_MALFORMED);
}

static void
issuers_are_the_manifests_own_or_its_signer (void)
{
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  g_autoptr (SvManifest) named = sample_sign (authored, NULL);
  g_assert_cmpstr (named->issuers[0], ==, ALICE);
  g_assert_null (named->issuers[1]);

  sample_set (authored, "/issuers", NULL);
  g_autoptr (SvManifest) unnamed = sample_sign (authored, NULL);
  g_assert_cmpstr (unnamed->issuers[0], ==, unnamed->document->signed_by);
  g_assert_null (unnamed->issuers[1]);
}

static void
recipe_is_the_elements_own_or_the_default (void)
{
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  g_autoptr (SvManifest) both = sample_sign (authored, NULL);
  g_assert_cmpstr (find (both, "PlayerDetect_v1@1.0")->pgt_recipe_hash, ==, HASH_B);
  g_assert_cmpstr (find (both, "BallDetect_v1@1.0")->pgt_recipe_hash, ==, HASH_C);

  sample_set (authored, "/pgt_recipe_hash", NULL);
  g_autoptr (SvManifest) none = sample_sign (authored, NULL);
  g_assert_null (find (none, "BallDetect_v1@1.0")->pgt_recipe_hash);
}

static void
parts_are_found_by_name (void)
{
  g_autoptr (SvManifest) manifest = sample_manifest ("w", 100, 200, NULL);
  const SvElement *player = find (manifest, "PlayerDetect_v1@1.0");
  const SvElement *ball = find (manifest, "BallDetect_v1@1.0");
  g_assert_null (sv_manifest_find_element (manifest, "PlayerDetect_v1"));
  g_assert_true (sv_element_has_clip (player, HASH_A));
  g_assert_true (sv_element_has_clip (player, HASH_B));
  g_assert_false (sv_element_has_clip (player, HASH_C));
  g_assert_false (sv_element_has_clip (ball, HASH_A));
  g_assert_cmpuint (player->n_pillars, ==, 2);
  g_assert_cmpstr (player->pillars[1].name, ==, "iou");
  g_assert_cmpfloat (player->pillars[1].weight, ==, 0.7);
}

static void
same_content_is_recognized (void)
{
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  g_autoptr (SvManifest) stored = sample_sign (authored, HASH_A);
  g_assert_true (sv_manifest_same_content (stored, authored));
  sample_set (authored, "/version", "1.3"); /* other spellings of the same */
  sample_set (authored, "/issuers/0", "\"" ALICE "\"");
  g_assert_true (sv_manifest_same_content (stored, authored));
  sample_set (authored, "/start_block", NULL);
  g_assert_true (sv_manifest_same_content (stored, authored));
}

static void
changed_content_is_not_the_same (void)
{
  static const char *const changes[][2] = {
    { "/start_block", "101" },
    { "/expiry_block", "201" },
    { "/window_id", "\"v\"" },
    { "/elements/0/beta", "1.1" },
    { "/elements/0/foo", "1" },
    { "/foo", "1" },
    { "/elements/0/clips/0/weight", "2" },
    { "/elements/0/beta", "-1" },
    { "/issuers/0", "\"" BOB "\"" },
  };
  g_autoptr (json_t) authored = sample_authored ("w", 100, 200);
  g_autoptr (SvManifest) stored = sample_sign (authored, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
  {
    g_autoptr (json_t) changed = json_deep_copy (authored);
    sample_set (changed, changes[i][0], changes[i][1]);
    g_test_message ("%s = %s", changes[i][0], changes[i][1]);
    g_assert_false (sv_manifest_same_content (stored, changed));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/manifest/normalizing-brings-content-into-stored-form", normalizing_brings_content_into_stored_form);
  g_test_add_func ("/manifest/faulty-content-is-not-normalized", faulty_content_is_not_normalized);
  g_test_add_func ("/manifest/authored-manifest-has-no-hash", authored_manifest_has_no_hash);
  g_test_add_func ("/manifest/signing-fills-in-what-is-missing", signing_fills_in_what_is_missing);
  g_test_add_func ("/manifest/signing-refuses-an-empty-window", signing_refuses_an_empty_window);
  g_test_add_func ("/manifest/signing-refuses-what-readers-would-not-read", signing_refuses_what_readers_would_not_read);
  g_test_add_func ("/manifest/signed-manifest-opens-with-all-its-values", signed_manifest_opens_with_all_its_values);
  g_test_add_func ("/manifest/altered-or-foreign-manifests-do-not-open", altered_or_foreign_manifests_do_not_open);
  g_test_add_func ("/manifest/issuers-are-the-manifests-own-or-its-signer", issuers_are_the_manifests_own_or_its_signer);
  g_test_add_func ("/manifest/recipe-is-the-elements-own-or-the-default", recipe_is_the_elements_own_or_the_default);
  g_test_add_func ("/manifest/parts-are-found-by-name", parts_are_found_by_name);
  g_test_add_func ("/manifest/same-content-is-recognized", same_content_is_recognized);
  g_test_add_func ("/manifest/changed-content-is-not-the-same", changed_content_is_not_the_same);
  return g_test_run ();
}
