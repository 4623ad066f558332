/* Whose bindings, and which next; and the client that asks for a challenge with them.
 *
 * rotation   - each element in turn, by miner and element, over runs; a place that is gone or garbage starts over
 *            - the element or slug that was named; none of that name: an error with the command that helps
 *            - elements that the manifest does not have are passed over, also when it was superseded meanwhile
 * receipts   - missing, expired, broken, without the element that was named: one refresh from the API's list; another hotkey's:
 * an error, and no refresh
 *            - the miners named with --miner are read from list and chain
 * challenges - the request has all parameters and a bound nonce, signed; the miner only when it is another
 *            - a refusal is told with status, error, reason and Retry-After, made printable
 */
#include "runner/rotation.h"

#include <string.h>

#include "../protocol/sample.h"
#include "ledger_fixture.h"
#include "refusal.h"
#include "runner/challenges.h"
#include "scratch.h"
#include "tiny_server.h"

#define PLAYER "PlayerDetect_v1@1.0"
#define BALL "BallDetect_v1@1.0"
#define CHUTE "87f7d0c5-0000-4000-8000-000000000001"
#define BOTH "sv1 commit 2025-10-23 40\n" PLAYER " r lynx " CHUTE " 20\n" BALL " r orca " CHUTE " 20"

typedef struct
{
  LedgerFixture ledger;
  char *home;
  const char *own;
  SvManifest *manifest;
  TinyServer *api;
  char *answer; /* whole; under answer_lock, since the server's thread may still be sending one when the next is set */
} Fixture;

static GMutex answer_lock;

static gboolean
play_api (TinyServer *server, int fd, const char *request, gpointer data)
{
  g_mutex_lock (&answer_lock);
  g_autofree char *answer = g_strdup (((Fixture *)data)->answer);
  g_mutex_unlock (&answer_lock);
  tiny_send_text (fd, answer);
  return FALSE;
}

static void
set_answer (Fixture *fixture, guint status, const char *headers, const char *body)
{
  g_mutex_lock (&answer_lock);
  g_free (fixture->answer);
  fixture->answer = g_strdup_printf ("HTTP/1.1 %u x\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status, headers,
                                     strlen (body), body);
  g_mutex_unlock (&answer_lock);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  ledger_fixture_set_up (&fixture->ledger, 0);
  fixture->home = scratch_new ();
  fixture->own = sv_keypair_address (fixture->ledger.miner);
  fixture->manifest = sample_manifest ("2025-10-23", 100, 200, NULL);
  set_answer (fixture, 200, "", "{\"commitments\":[]}");
  fixture->api = tiny_server_new (play_api, fixture);
  g_autofree char *url = tiny_server_url (fixture->api, "");
  sv_config_set (fixture->ledger.config, "SCOREVISION_HOME", fixture->home);
  sv_config_set (fixture->ledger.config, "SCOREVISION_API", url);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  tiny_server_free (fixture->api);
  g_free (fixture->answer);
  sv_manifest_free (fixture->manifest);
  scratch_remove (fixture->home);
  ledger_fixture_tear_down (&fixture->ledger);
}

/* Puts the text on the chain, and into the API's list with all its elements. */
static char *
commit (Fixture *fixture, const SvKeypair *keypair, const char *text)
{
  g_autoptr (SvExtrinsic) included = ledger_fixture_commit (&fixture->ledger, keypair, text);
  char *proof = sv_proof_format (included->block, included->hash);
  g_autofree char *body =
      g_strdup_printf ("{\"commitments\":[{\"bindings\":[{\"element_id\":\"" PLAYER "\",\"commitment_proof\":\"%s\"},"
                       "{\"element_id\":\"" BALL "\",\"commitment_proof\":\"%s\"}],\"proofs\":[\"%s\"]}]}",
                       proof, proof, proof);
  set_answer (fixture, 200, "", body);
  return proof;
}

static SvRotation *
rotate (Fixture *fixture, const char *const *miners, const char *element, const char *slug)
{
  static const char *const none[] = { NULL };
  return sv_rotation_new (fixture->ledger.config, miners != NULL ? miners : none, fixture->own, element, slug);
}

static void
load (Fixture *fixture, SvRotation *rotation, const SvManifest *manifest, gboolean refresh)
{
  g_autoptr (GError) error = NULL;
  gboolean done = sv_get_commitment_proofs (rotation, fixture->ledger.chain, manifest, 50, refresh, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

static void
assert_next (SvRotation *rotation, const char *element_id)
{
  const char *miner = NULL;
  const SvBoundElement *bound = sv_select_element_from_commitments (rotation, &miner, NULL);
  g_assert_nonnull (bound);
  g_assert_cmpstr (bound->binding.element_id, ==, element_id);
  sv_rotation_done (rotation, miner, bound);
}

/* ── rotation ── */

static void
each_element_has_its_turn_over_runs (Fixture *fixture, gconstpointer data)
{
  static const char *const turns[] = { BALL, PLAYER, BALL };
  g_free (commit (fixture, fixture->ledger.miner, BOTH));
  for (gsize run = 0; run < G_N_ELEMENTS (turns); run++)
  {
    g_autoptr (SvRotation) rotation = rotate (fixture, NULL, NULL, NULL);
    load (fixture, rotation, fixture->manifest, FALSE);
    assert_next (rotation, turns[run]);
  }
  g_autofree char *place = scratch_path (fixture->home, "runner/rotation");
  g_assert_true (g_file_set_contents (place, "\xff\n", -1, NULL));
  g_autoptr (SvRotation) rotation = rotate (fixture, NULL, NULL, NULL);
  load (fixture, rotation, fixture->manifest, FALSE);
  assert_next (rotation, BALL);
  assert_next (rotation, PLAYER);
  assert_next (rotation, BALL);
}

static void
what_was_named_is_chosen (Fixture *fixture, gconstpointer data)
{
  g_free (commit (fixture, fixture->ledger.miner, BOTH));
  g_autoptr (SvRotation) by_element = rotate (fixture, NULL, PLAYER, NULL), by_slug = rotate (fixture, NULL, NULL, "orca");
  g_autoptr (SvRotation) neither = rotate (fixture, NULL, PLAYER, "orca");
  load (fixture, by_element, fixture->manifest, FALSE);
  load (fixture, by_slug, fixture->manifest, FALSE);
  load (fixture, neither, fixture->manifest, FALSE);
  assert_next (by_element, PLAYER);
  assert_next (by_element, PLAYER);
  assert_next (by_slug, BALL);
  const char *miner = NULL;
  assert_fails_saying (sv_select_element_from_commitments (neither, &miner, refusal), SV_ERROR_NOT_FOUND, "sv miner commit");
}

static void
what_the_manifest_does_not_have_is_passed_over (Fixture *fixture, gconstpointer data)
{
  g_autoptr (json_t) authored = sample_authored ("2025-10-23", 100, 200);
  json_array_remove (json_object_get (authored, "elements"), 1); /* the ball */
  g_autoptr (SvManifest) superseding = sample_sign (authored, NULL);
  g_free (commit (fixture, fixture->ledger.miner, BOTH));
  g_autoptr (SvRotation) rotation = rotate (fixture, NULL, NULL, NULL);
  load (fixture, rotation, fixture->manifest, FALSE);
  assert_next (rotation, BALL);
  load (fixture, rotation, superseding, FALSE);
  assert_next (rotation, PLAYER);
  assert_next (rotation, PLAYER);
}

/* ── where bindings come from ── */

static void
receipts_are_refreshed_once_when_they_are_no_use (Fixture *fixture, gconstpointer data)
{
  g_free (commit (fixture, fixture->ledger.miner, BOTH));
  g_autofree char *path = sv_receipts_path (fixture->ledger.config, "2025-10-23"), *good = NULL;
  g_autoptr (SvRotation) first = rotate (fixture, NULL, NULL, NULL);
  load (fixture, first, fixture->manifest, FALSE);
  g_assert_cmpuint (tiny_server_n_requests (fixture->api), ==, 1); /* missing */
  g_assert_true (g_file_get_contents (path, &good, NULL, NULL));
  load (fixture, first, fixture->manifest, FALSE);
  g_autoptr (SvRotation) second = rotate (fixture, NULL, NULL, NULL);
  load (fixture, second, fixture->manifest, FALSE);
  g_assert_cmpuint (tiny_server_n_requests (fixture->api), ==, 1); /* good */
  load (fixture, second, fixture->manifest, TRUE);
  g_assert_cmpuint (tiny_server_n_requests (fixture->api), ==, 2); /* asked for */
  g_assert_true (g_file_set_contents (path, "{", -1, NULL));
  g_autoptr (SvRotation) third = rotate (fixture, NULL, NULL, NULL);
  load (fixture, third, fixture->manifest, FALSE);
  g_assert_cmpuint (tiny_server_n_requests (fixture->api), ==, 3); /* broken */
  g_autoptr (SvRotation) fourth = rotate (fixture, NULL, NULL, NULL);
  g_assert_true (sv_get_commitment_proofs (fourth, fixture->ledger.chain, fixture->manifest, 200, FALSE, NULL));
  g_assert_cmpuint (tiny_server_n_requests (fixture->api), ==, 4); /* expired */
}

/* Committed from another machine, say. */
static void
an_element_that_the_receipts_lack_is_looked_for_once (Fixture *fixture, gconstpointer data)
{
  g_free (commit (fixture, fixture->ledger.miner, "sv1 commit 2025-10-23 40\n" BALL " r orca " CHUTE " 20"));
  g_autoptr (SvRotation) first = rotate (fixture, NULL, NULL, NULL);
  load (fixture, first, fixture->manifest, FALSE);
  g_free (commit (fixture, fixture->ledger.miner, BOTH));
  g_autoptr (SvRotation) second = rotate (fixture, NULL, PLAYER, NULL);
  load (fixture, second, fixture->manifest, FALSE);
  g_assert_cmpuint (tiny_server_n_requests (fixture->api), ==, 2);
  assert_next (second, PLAYER);
}

static void
nothing_bound_names_the_commands (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SvRotation) rotation = rotate (fixture, NULL, NULL, NULL);
  assert_fails_saying (sv_get_commitment_proofs (rotation, fixture->ledger.chain, fixture->manifest, 50, FALSE, refusal),
                       SV_ERROR_NOT_FOUND, "sv miner commit");
}

static void
receipts_of_another_hotkey_are_no_reason_to_refresh (Fixture *fixture, gconstpointer data)
{
  g_free (commit (fixture, fixture->ledger.miner, BOTH));
  g_autoptr (SvRotation) rotation = rotate (fixture, NULL, NULL, NULL);
  load (fixture, rotation, fixture->manifest, FALSE);
  static const char *const none[] = { NULL };
  g_autoptr (SvRotation) other =
      sv_rotation_new (fixture->ledger.config, none, sv_keypair_address (fixture->ledger.owner), NULL, NULL);
  assert_fails (sv_get_commitment_proofs (other, fixture->ledger.chain, fixture->manifest, 50, FALSE, refusal),
                SV_ERROR_CONFLICT);
  g_assert_cmpuint (tiny_server_n_requests (fixture->api), ==, 1);
}

static void
miners_that_were_named_are_read_from_list_and_chain (Fixture *fixture, gconstpointer data)
{
  const char *const miners[] = { sv_keypair_address (fixture->ledger.owner), NULL };
  g_autofree char *proof = commit (fixture, fixture->ledger.owner, BOTH);
  g_autoptr (SvRotation) rotation = rotate (fixture, miners, PLAYER, NULL);
  const char *miner = NULL;
  load (fixture, rotation, fixture->manifest, FALSE);
  const SvBoundElement *bound = sv_select_element_from_commitments (rotation, &miner, NULL);
  g_assert_cmpstr (miner, ==, miners[0]);
  g_assert_cmpstr (bound->proof, ==, proof);
  g_autofree char *path = sv_receipts_path (fixture->ledger.config, "2025-10-23");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS)); /* receipts are the wallet's own only */
}

/* ── challenges ── */

static void
ask (Fixture *fixture, const char *miner, SvRefusal *refused)
{
  g_autoptr (SvHttpClient) http = sv_http_client_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *base = tiny_server_url (fixture->api, "");
  SvBoundElement bound = { .binding = { .element_id = (char *)"ns/A@1", .chute_slug = (char *)"lynx" },
                           .proof = (char *)"7:0x00" };
  SvChallengeClient client = { .http = http, .base = base, .netuid = 44, .keypair = fixture->ledger.miner };
  SvChallengeAsk question = { .manifest = fixture->manifest, .bound = &bound, .miner = miner };
  g_assert_null (sv_get_next_challenge_v3 (&client, &question, refused, &error));
  g_assert_no_error (error);
}

static void
the_request_is_whole_and_bound (Fixture *fixture, gconstpointer data)
{
  g_auto (SvRefusal) refused = { 0 }, again = { 0 };
  set_answer (fixture, 404, "", "{}");
  ask (fixture, NULL, &refused);
  g_autofree char *own = tiny_server_last_request (fixture->api);
  ask (fixture, BOB, &again);
  g_autofree char *others = tiny_server_last_request (fixture->api);
  g_autofree char *start = g_strdup_printf ("GET /api/challenge/v3?validator_hotkey=%s&signature=0x", fixture->own);
  g_autofree char *manifest = g_strdup_printf ("\r\nX-Manifest-Hash: %s\r\n", fixture->manifest->hash);
  g_assert_true (g_str_has_prefix (own, start));
  const char *const parts[] = { "&netuid=44&element_id=ns%2FA%401&chute_slug=lynx", manifest,
                                "\r\nX-Commitment-Proof: 7:0x00\r\n", "\r\nX-Nonce: ", "\r\nX-Signature: ed25519:" };
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    g_assert_nonnull (strstr (own, parts[i]));
  g_assert_null (strstr (own, "miner_hotkey="));
  g_assert_nonnull (strstr (others, "&miner_hotkey=" BOB " "));
}

static void
a_refusal_is_told_whole_and_printable (Fixture *fixture, gconstpointer data)
{
  g_auto (SvRefusal) limited = { 0 }, odd = { 0 };
  set_answer (fixture, 409, "Retry-After: 17\r\n",
              "{\"error\":\"rate_limit_exceeded\",\"reason\":\"x\\u001b[31m\",\"message\":\"a\\nb\"}");
  ask (fixture, NULL, &limited);
  g_assert_cmpuint (limited.status, ==, 409);
  g_assert_cmpuint (limited.retry_after_s, ==, 17);
  g_assert_cmpstr (limited.error, ==, "rate_limit_exceeded");
  g_assert_cmpstr (limited.reason, ==, "x\\u001b[31m");
  g_assert_cmpstr (limited.message, ==, "a\\u000ab");
  set_answer (fixture, 502, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", "<html>");
  ask (fixture, NULL, &odd);
  g_assert_cmpuint (odd.retry_after_s, ==, 0);
  g_assert_null (odd.error);
  g_assert_cmpstr (odd.message, ==, "status 502");
}

#define ADD(name) g_test_add ("/rotation/" #name, Fixture, NULL, set_up, name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (each_element_has_its_turn_over_runs);
  ADD (what_was_named_is_chosen);
  ADD (what_the_manifest_does_not_have_is_passed_over);
  ADD (receipts_are_refreshed_once_when_they_are_no_use);
  ADD (an_element_that_the_receipts_lack_is_looked_for_once);
  ADD (nothing_bound_names_the_commands);
  ADD (receipts_of_another_hotkey_are_no_reason_to_refresh);
  ADD (miners_that_were_named_are_read_from_list_and_chain);
  ADD (the_request_is_whole_and_bound);
  ADD (a_refusal_is_told_whole_and_printable);
  return g_test_run ();
}
