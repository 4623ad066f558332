/* /api/challenge/v3 through a real server: every status and reason of docs/protocol.md section 7, and for each pair of
 * neighbours in the order of checks a request in which both apply, and the first one answers.
 *
 * success: schema, draw, issue record, clip link        400: each part missing, malformed, repeated
 * 401: each reason                                      409: Retry-After; replays are not counted
 * 404, 410, 412: each reason                            503: chain_unavailable, no_challenge, overloaded
 * a window that was closed elsewhere: 410, too
 * freshness: a new window and a new commitment are found on demand */
#include <string.h>

#include "base/hash.h"
#include "protocol/manifest_index.h"
#include "world.h"

static World world;

static const char *
address_of (const SvKeypair *keypair)
{
  return sv_keypair_address (keypair);
}

/* ── success ── */

static void
test_success (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (Answer) answer = world_ask (&world, &(Ask){ .slug = "slug-one" });
  assert_answer (&answer, 200, NULL, NULL);
  g_autoptr (SvChallenge) challenge = sv_challenge_from_json (answer.json, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (challenge->window_id, ==, "now");
  g_assert_cmpstr (challenge->element_id, ==, "Serve@1");
  g_assert_cmpstr (challenge->manifest_hash, ==, world.now_manifest);
  g_assert_cmpstr (challenge->clip_hash, ==, world.clip_hash);
  g_assert_cmpstr (challenge->chute_slug, ==, "slug-one");
  g_assert_cmpuint (challenge->expiry_block, ==, 1000);
  g_assert_cmpuint (challenge->block, ==, world_head (&world));
  g_assert_true (challenge->commitment_finalized);
  g_assert_true (g_str_has_prefix (challenge->clip_url, sv_server_url (world.server)));
  g_autofree char *cache = answer_header (&answer, "Cache-Control");
  g_assert_cmpstr (cache, ==, "no-store");
}

typedef struct
{
  const char *challenge_id;
  gboolean found;
  char *nonce;
  SvIssueRecord seen;
} Search;

static gboolean
look_for (const SvIssueRecord *record, gpointer data)
{
  Search *search = data;
  g_autofree char *id = g_strdup_printf ("%" G_GUINT64_FORMAT, record->challenge_id);
  if (strcmp (id, search->challenge_id) != 0)
    return TRUE;
  search->found = TRUE;
  search->seen.seed = record->seed;
  search->seen.block = record->block;
  g_assert_cmpstr (record->asker, ==, address_of (world.miner));
  g_assert_cmpstr (record->miner, ==, address_of (world.miner));
  g_assert_cmpstr (record->manifest_hash, ==, world.now_manifest);
  g_assert_cmpstr (record->nonce, ==, search->nonce);
  return FALSE;
}

static void
test_issue_record_is_durable_and_draw_can_be_audited (void)
{
  guint8 key[32];
  gboolean found;
  g_autoptr (GError) error = NULL;
  g_autofree char *nonce = fresh_nonce ();
  g_auto (Answer) answer = world_ask (&world, &(Ask){ .nonce = nonce });
  assert_answer (&answer, 200, NULL, NULL);
  Search search = { .challenge_id = answer_string (&answer, "challenge_id"), .nonce = nonce };
  g_autoptr (SvState) state = world_open_state (&world);
  g_assert_true (sv_state_list_issued (state, "now", 0, look_for, &search, &error));
  g_assert_no_error (error);
  g_assert_true (search.found);
  g_assert_cmpuint (search.seen.block, ==, answer_integer (&answer, "block"));
  g_assert_true (sv_state_find_draw_key (state, world.now_manifest, key, &found, &error));
  g_assert_true (found);
  g_autofree char *commit = sv_draw_commit (key);
  g_assert_cmpstr (answer_string (&answer, "draw_commit"), ==, commit);
  guint64 seed = sv_draw_seed (key, world.now_manifest, "Serve@1", address_of (world.miner), address_of (world.miner), nonce);
  g_assert_cmpuint (seed, ==, answer_integer (&answer, "seed"));
  g_assert_cmpuint (seed, ==, search.seen.seed);
}

static void
test_hash_is_echoed_as_sent (void)
{
  const char *bare = sv_hash_hex (world.now_manifest);
  g_auto (Answer) answer = world_ask (&world, &(Ask){ .manifest = bare, .x_nonce = "11111111-own", .signs_x = TRUE });
  assert_answer (&answer, 200, NULL, NULL);
  g_assert_cmpstr (answer_string (&answer, "manifest_hash"), ==, bare);
}

static void
test_clip_link_works_and_a_changed_one_does_not (void)
{
  g_auto (Answer) answer = world_ask (&world, &(Ask){ 0 });
  const char *url = answer_string (&answer, "clip_url");
  g_autofree char *target = g_strdup (url + strlen (sv_server_url (world.server)));
  g_auto (Answer) clip = world_get (&world, target);
  g_assert_cmpuint (clip.status, ==, 200);
  g_autofree char *hash = sv_hash_bytes (clip.body, clip.length);
  g_assert_cmpstr (hash, ==, world.clip_hash);
  g_autofree char *type = answer_header (&clip, "Content-Type");
  g_assert_cmpstr (type, ==, "video/mp4");
  g_auto (Answer) part = world_request (&world, "GET", target, "Range: bytes=4-7\r\n");
  g_assert_cmpuint (part.status, ==, 206);
  g_assert_cmpstr (part.body, ==, "ftyp");
  char *last = target + strlen (target) - 1;
  *last = *last == '0' ? '1' : '0';
  g_auto (Answer) changed = world_get (&world, target);
  assert_answer (&changed, 403, "clip_link_invalid", NULL);
}

static void
test_validator_asks_for_a_miner (void)
{
  const char *base = sv_server_url (world.server);
  g_auto (Answer) answer = world_ask (
      &world, &(Ask){ .asker = world.validator, .miner = address_of (world.miner), .slug = "slug-one", .bind_to = base });
  assert_answer (&answer, 200, NULL, NULL);
}

/* ── 400 ── */

static void
assert_field (const Ask *ask, const char *field)
{
  g_auto (Answer) answer = world_ask (&world, ask);
  assert_answer (&answer, 400, "invalid_request", NULL);
  g_assert_cmpstr (answer_string (&answer, "field"), ==, field);
}

static void
test_bad_form_names_the_field (void)
{
  assert_field (&(Ask){ .nonce = "12" }, "nonce");
  assert_field (&(Ask){ .netuid = "45" }, "netuid");
  assert_field (&(Ask){ .netuid = "-" }, "netuid");
  assert_field (&(Ask){ .element = "-" }, "element_id");
  assert_field (&(Ask){ .element = "../x" }, "element_id");
  assert_field (&(Ask){ .miner = "5Foo" }, "miner_hotkey");
  assert_field (&(Ask){ .slug = "API" }, "chute_slug");
  assert_field (&(Ask){ .manifest = "-" }, "X-Manifest-Hash");
  assert_field (&(Ask){ .manifest = "sha256:12" }, "X-Manifest-Hash");
  assert_field (&(Ask){ .client = "a b" }, "X-Client-Id");
  assert_field (&(Ask){ .x_nonce = "short" }, "X-Nonce");
  assert_field (&(Ask){ .headers = "X-Signature: nonsense\r\n" }, "X-Signature");
}

static void
test_signature_without_nonce_is_malformed (void)
{
  g_autofree char *signature = sv_keypair_sign (world.miner, "x", 1);
  g_autofree char *header = g_strdup_printf ("X-Signature: %s\r\n", signature);
  g_auto (Answer) answer = world_ask (&world, &(Ask){ .headers = header });
  assert_answer (&answer, 400, "invalid_request", NULL);
}

static void
test_repeated_parts_are_malformed (void)
{
  assert_field (&(Ask){ .query = "&netuid=44" }, "netuid");
  assert_field (&(Ask){ .query = "&element_id=Serve@1" }, "element_id");
  assert_field (&(Ask){ .headers = "x-manifest-hash: sha256:00\r\n" }, "X-Manifest-Hash");
  assert_field (&(Ask){ .headers = "X-Commitment-Proof: 1:0x00\r\n" }, "X-Commitment-Proof");
}

/* ── 401 ── */

static void
test_bad_signatures (void)
{
  world_expect (&world, &(Ask){ .signer = world.stranger }, 401, "invalid_signature", "bad_signature");
  world_expect (&world, &(Ask){ .x_nonce = "22222222-x", .signs_x = TRUE, .spoils_x = TRUE }, 401, "invalid_signature",
                "bad_signature");
}

static void
test_stale_nonce (void)
{
  world_expect (&world, &(Ask){ .nonce = "1500000000000000000" }, 401, "invalid_signature", "stale_nonce");
  world_expect (&world, &(Ask){ .nonce = "9000000000000000000" }, 401, "invalid_signature", "stale_nonce");
}

static void
test_replayed_nonces (void)
{
  g_autofree char *nonce = fresh_nonce ();
  world_expect (&world, &(Ask){ .nonce = nonce }, 200, NULL, NULL);
  world_expect (&world, &(Ask){ .nonce = nonce }, 401, "invalid_signature", "replayed_nonce");
  world_expect (&world, &(Ask){ .x_nonce = "33333333-x" }, 200, NULL, NULL);
  world_expect (&world, &(Ask){ .x_nonce = "33333333-x" }, 401, "invalid_signature", "replayed_nonce");
}

static void
test_another_account_cannot_use_up_a_nonce (void)
{
  g_autofree char *nonce = fresh_nonce ();
  world_expect (&world, &(Ask){ .nonce = nonce, .signer = world.stranger }, 401, NULL, "bad_signature");
  world_expect (&world, &(Ask){ .nonce = nonce, .asker = world.rival, .proof = world.rival_proof }, 200, NULL, NULL);
  world_expect (&world, &(Ask){ .nonce = nonce }, 200, NULL, NULL);
}

static void
test_error_answers_use_up_the_nonce (void)
{
  g_autofree char *nonce = fresh_nonce ();
  world_expect (&world, &(Ask){ .nonce = nonce, .proof = "-" }, 412, NULL, "missing");
  world_expect (&world, &(Ask){ .nonce = nonce }, 401, NULL, "replayed_nonce");
}

static void
test_only_validators_name_another_miner (void)
{
  const char *base = sv_server_url (world.server);
  world_expect (&world, &(Ask){ .asker = world.rival, .miner = address_of (world.miner), .bind_to = base }, 401,
                "invalid_signature", "not_permitted");
  world_expect (&world, &(Ask){ .asker = world.stranger, .miner = address_of (world.miner), .bind_to = base }, 401,
                "invalid_signature", "not_permitted");
}

static void
test_naming_another_miner_needs_a_bound_nonce (void)
{
  const char *miner = address_of (world.miner);
  world_expect (&world, &(Ask){ .asker = world.validator, .miner = miner }, 401, "invalid_signature", "unbound_nonce");
  world_expect (&world, &(Ask){ .asker = world.validator, .miner = miner, .x_nonce = "44444444-x", .signs_x = TRUE }, 401,
                "invalid_signature", "unbound_nonce");
  world_expect (&world, &(Ask){ .asker = world.validator, .miner = miner, .bind_to = "https://elsewhere.example" }, 401,
                "invalid_signature", "unbound_nonce");
}

/* ── 404, 410 ── */

static void
test_no_active_window (void)
{
  g_autofree char *unknown = sv_hash_bytes ("unknown", 7);
  world_expect (&world, &(Ask){ .manifest = unknown }, 404, "no_active_window", NULL);
  world_expect (&world, &(Ask){ .manifest = unknown, .asker = world.stranger }, 404, "no_active_window", NULL);
  world_expect (&world, &(Ask){ .manifest = world.next_manifest }, 404, "no_active_window", NULL);
}

static void
test_expired_window (void)
{
  g_auto (Answer) answer = world_ask (&world, &(Ask){ .manifest = world.old_manifest, .proof = world.old_proof });
  assert_answer (&answer, 410, "window_expired", NULL);
  g_assert_cmpuint (answer_integer (&answer, "expired_at_block"), ==, world.old_expiry);
  g_assert_cmpuint (answer_integer (&answer, "current_block"), ==, world_head (&world));
}

/* ── 412 ── */

static void
expect_reason (const Ask *ask, const char *reason)
{
  g_auto (Answer) answer = world_ask (&world, ask);
  assert_answer (&answer, 412, "missing_commitment", reason);
  g_assert_cmpstr (answer_string (&answer, "window_id"), ==, "now");
  g_assert_true (g_str_has_prefix (answer_string (&answer, "hotkey"), "ss58:5"));
  g_assert_nonnull (answer_string (&answer, "message"));
}

static void
test_each_reason_of_a_missing_commitment (void)
{
  g_autofree char *nowhere = g_strdup_printf ("12:0x%064d", 7);
  const char *base = sv_server_url (world.server);
  expect_reason (&(Ask){ .proof = "-" }, "missing");
  expect_reason (&(Ask){ .proof = "1:0xABC" }, "malformed");
  expect_reason (&(Ask){ .proof = "\xff\xfe" }, "malformed");
  expect_reason (&(Ask){ .element = "Nobody@1" }, "unknown_element");
  expect_reason (&(Ask){ .proof = nowhere }, "unknown");
  expect_reason (&(Ask){ .asker = world.stranger }, "unknown");
  expect_reason (&(Ask){ .proof = world.rival_proof }, "wrong_hotkey");
  expect_reason (
      &(Ask){ .asker = world.validator, .miner = address_of (world.miner), .proof = world.rival_proof, .bind_to = base },
      "wrong_hotkey");
  expect_reason (&(Ask){ .proof = world.old_proof }, "expired");
  expect_reason (&(Ask){ .proof = world.next_proof }, "wrong_window");
  expect_reason (&(Ask){ .element = "Other@1" }, "wrong_element");
  expect_reason (&(Ask){ .element = "Gone@1", .proof = world.withdrawn_proof }, "withdrawn");
  expect_reason (&(Ask){ .element = "Moved@1", .proof = world.replaced_proof }, "not_in_force");
  expect_reason (&(Ask){ .slug = "slug-other" }, "wrong_slug");
}

static void
test_first_reason_wins (void)
{
  g_autofree char *nowhere = g_strdup_printf ("12:0x%064d", 7);
  expect_reason (&(Ask){ .proof = "-", .element = "Nobody@1", .asker = world.stranger }, "missing");
  expect_reason (&(Ask){ .proof = "x", .element = "Nobody@1" }, "malformed");
  expect_reason (&(Ask){ .proof = nowhere, .element = "Nobody@1" }, "unknown_element");
  expect_reason (&(Ask){ .proof = world.old_proof, .asker = world.rival }, "wrong_hotkey");
  expect_reason (&(Ask){ .proof = world.old_proof, .element = "Other@1" }, "expired");
  expect_reason (&(Ask){ .proof = world.next_proof, .element = "Other@1" }, "wrong_window");
  expect_reason (&(Ask){ .proof = world.proof, .element = "Other@1", .slug = "slug-other" }, "wrong_element");
  expect_reason (&(Ask){ .element = "Gone@1", .proof = world.withdrawn_proof, .slug = "slug-other" }, "withdrawn");
  expect_reason (&(Ask){ .element = "Moved@1", .proof = world.replaced_proof, .slug = "slug-other" }, "not_in_force");
}

/* ── 503 ── */

static void
test_no_challenge (void)
{
  world_expect (&world, &(Ask){ .element = "Empty@1" }, 503, "no_challenge", NULL);
  world_expect (&world, &(Ask){ .element = "Lost@1" }, 503, "no_challenge", NULL);
}

/* ── order ── */

static void
test_first_check_wins (void)
{
  g_autofree char *unknown = sv_hash_bytes ("unknown", 7);
  g_autofree char *used = fresh_nonce ();
  const char *miner = address_of (world.miner);
  world_expect (&world, &(Ask){ .nonce = used }, 200, NULL, NULL);
  world_expect (&world, &(Ask){ .element = "-", .signer = world.stranger }, 400, NULL, NULL);
  world_expect (&world, &(Ask){ .nonce = "1500000000000000000", .signer = world.stranger }, 401, NULL, "bad_signature");
  world_expect (&world, &(Ask){ .nonce = used, .miner = address_of (world.rival) }, 401, NULL, "replayed_nonce");
  world_expect (&world, &(Ask){ .asker = world.rival, .proof = world.rival_proof, .miner = miner }, 401, NULL, "not_permitted");
  world_expect (&world, &(Ask){ .asker = world.validator, .miner = miner, .manifest = unknown }, 401, NULL, "unbound_nonce");
  world_expect (&world, &(Ask){ .manifest = unknown, .proof = "-" }, 404, NULL, NULL);
  world_expect (&world, &(Ask){ .manifest = world.old_manifest, .proof = "-" }, 410, NULL, NULL);
  world_expect (&world, &(Ask){ .element = "Empty@1", .slug = "slug-other" }, 412, NULL, "wrong_slug");
}

/* ── freshness ── */

static void
test_a_commitment_made_just_now_is_found (void)
{
  g_autofree char *proof =
      world_commit (&world, world.miner, "sv1 commit now 100\nOther@1 rev slug-one 87f7d0c5-0000-4000-8000-000000000001 1");
  g_auto (Answer) answer = world_ask (&world, &(Ask){ .element = "Other@1", .proof = proof });
  assert_answer (&answer, 200, NULL, NULL);
  g_assert_false (json_boolean_value (json_object_get (answer.json, "commitment_finalized")));
}

static void
test_a_proof_from_the_future_is_unknown (void)
{
  g_autofree char *proof = g_strdup_printf ("9007199254740991:0x%064d", 7);
  world_expect (&world, &(Ask){ .proof = proof }, 412, "missing_commitment", "unknown");
}

static void
test_a_manifest_published_just_now_is_found (void)
{
  world_advance (&world, 4); /* so that the finalized head, from which it is in force, lies in the window */
  g_autofree char *hash = world_publish (&world, "now", 30, 1000, "2");
  world_expect (&world, &(Ask){ .manifest = hash }, 200, NULL, NULL);
  world_expect (&world, &(Ask){ .manifest = world.now_manifest }, 200, NULL, NULL);
  world_advance (&world, SV_DEFAULT_OVERLAP + 1);
  gint64 deadline = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;
  for (guint status = 200; status == 200;)
  {
    g_auto (Answer) answer = world_ask (&world, &(Ask){ .manifest = world.now_manifest });
    status = answer.status;
    g_assert_true (status == 200 || status == 404);
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  }
  world_expect (&world, &(Ask){ .manifest = hash }, 200, NULL, NULL);
}

/* As another instance does it that is ahead of this one; no test of that window can follow. */
static void
test_closed_window_is_expired (void)
{
  guint64 last_id;
  g_autoptr (GError) error = NULL;
  g_autoptr (SvState) state = world_open_state (&world);
  g_assert_true (sv_state_close_window (state, "now", &last_id, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (world_head (&world), <, 1000);
  g_autofree char *hash = world_publish (&world, "now", 30, 1000, "3");
  g_auto (Answer) answer = world_ask (&world, &(Ask){ .manifest = hash });
  assert_answer (&answer, 410, "window_expired", NULL);
  g_assert_cmpuint (answer_integer (&answer, "expired_at_block"), ==, 1000);
  g_assert_cmpuint (answer_integer (&answer, "current_block"), ==, 1000);
  g_assert_cmpstr (answer_string (&answer, "window_id"), ==, "now");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  world_set_up (&world, 0);
  world_start (&world);
#define ADD(test) g_test_add_func ("/api/challenge-v3/" #test, test)
  ADD (test_success);
  ADD (test_issue_record_is_durable_and_draw_can_be_audited);
  ADD (test_hash_is_echoed_as_sent);
  ADD (test_clip_link_works_and_a_changed_one_does_not);
  ADD (test_validator_asks_for_a_miner);
  ADD (test_bad_form_names_the_field);
  ADD (test_signature_without_nonce_is_malformed);
  ADD (test_repeated_parts_are_malformed);
  ADD (test_bad_signatures);
  ADD (test_stale_nonce);
  ADD (test_replayed_nonces);
  ADD (test_another_account_cannot_use_up_a_nonce);
  ADD (test_error_answers_use_up_the_nonce);
  ADD (test_only_validators_name_another_miner);
  ADD (test_naming_another_miner_needs_a_bound_nonce);
  ADD (test_no_active_window);
  ADD (test_expired_window);
  ADD (test_each_reason_of_a_missing_commitment);
  ADD (test_first_reason_wins);
  ADD (test_no_challenge);
  ADD (test_first_check_wins);
  ADD (test_a_commitment_made_just_now_is_found);
  ADD (test_a_proof_from_the_future_is_unknown);
  ADD (test_a_manifest_published_just_now_is_found);
  ADD (test_closed_window_is_expired);
  int failed = g_test_run ();
  world_tear_down (&world);
  return failed;
}
