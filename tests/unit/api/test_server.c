/* The server around the challenge endpoint.
 *
 * v2: contract, 401, who is served                       rate limit: 409 over v2 and v3 together, replays are not counted
 * restart: nonces and rate survive                       overload, chain_unavailable, nothing published yet
 * life: a second instance, draining                      HTTP: 404, 405, 413, 414, 431, malformed
 * clips that are lost and come back                     health, readiness, metrics, OpenAPI */
#include <sqlite3.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/error.h"
#include "base/hash.h"
#include "protocol/proof.h"
#include "world.h"

#define DEADLINE_US (20 * G_TIME_SPAN_SECOND)

static void
count_nonce (const char *asker, const char *nonce, const char *x_nonce, const char *client_id, gint64 time_ms, gpointer data)
{
  (*(guint64 *)data)++;
}

/* ── v2 ── */

static void
test_legacy_task (World *world, gconstpointer unused)
{
  world_start (world);
  g_auto (Answer) answer = world_ask (world, &(Ask){ .is_legacy = TRUE });
  assert_answer (&answer, 200, NULL, NULL);
  const char *keys[] = { "task_id", "video_url", "fps", "challenge_type", "seed" };
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_assert_nonnull (json_object_get (answer.json, keys[i]));
  g_assert_cmpuint (json_object_size (answer.json), ==, G_N_ELEMENTS (keys));
  const char *url = answer_string (&answer, "video_url");
  g_auto (Answer) clip = world_get (world, url + strlen (sv_server_url (world->server)));
  g_assert_cmpuint (clip.status, ==, 200);
  world_expect (world, &(Ask){ .is_legacy = TRUE, .signer = world->rival }, 401, "invalid_signature", "bad_signature");
  world_expect (world, &(Ask){ .is_legacy = TRUE, .netuid = "-" }, 400, "invalid_request", NULL);
}

static void
test_legacy_serves_known_askers_where_a_list_is_configured (World *world, gconstpointer unused)
{
  world_start (world);
  world_expect (world, &(Ask){ .is_legacy = TRUE, .asker = world->validator }, 200, NULL, NULL);
  world_expect (world, &(Ask){ .is_legacy = TRUE, .asker = world->stranger }, 401, "invalid_signature", "not_permitted");
}

static void
test_legacy_serves_whoever_signs_where_none_is (World *world, gconstpointer unused)
{
  g_autofree char *nonce = fresh_nonce ();
  sv_config_set (world->config, "SCOREVISION_VALIDATORS", "");
  world_start (world);
  world_expect (world, &(Ask){ .is_legacy = TRUE, .asker = world->stranger, .nonce = nonce }, 200, NULL, NULL);
  world_expect (world, &(Ask){ .is_legacy = TRUE, .asker = world->stranger, .nonce = nonce }, 401, NULL, "replayed_nonce");
}

static guint64
count_recorded (World *world)
{
  guint64 n = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (SvState) state = world_open_state (world);
  g_assert_true (sv_state_recent_nonces (state, 0, count_nonce, &n, &error));
  g_assert_no_error (error);
  return n;
}

static void
test_nothing_is_written_of_strangers (World *world, gconstpointer unused)
{
  sv_config_set (world->config, "SCOREVISION_VALIDATORS", "");
  world_start (world);
  world_expect (world, &(Ask){ .is_legacy = TRUE, .asker = world->stranger }, 200, NULL, NULL);
  world_expect (world, &(Ask){ .asker = world->stranger }, 412, NULL, "unknown");
  world_expect (world, &(Ask){ .is_legacy = TRUE }, 200, NULL, NULL);
  world_stop (world);
  g_assert_cmpuint (count_recorded (world), ==, 1);
}

/* ── rate and restart ── */

static void
test_rate_is_limited_over_both_endpoints (World *world, gconstpointer unused)
{
  g_autofree char *nonce = fresh_nonce ();
  sv_config_set (world->config, "SCOREVISION_RATE_LIMIT", "3/1h");
  world_start (world);
  world_expect (world, &(Ask){ .nonce = nonce }, 200, NULL, NULL);
  for (guint i = 0; i < 5; i++)
    world_expect (world, &(Ask){ .nonce = nonce }, 401, NULL, "replayed_nonce");
  world_expect (world, &(Ask){ .is_legacy = TRUE }, 200, NULL, NULL);
  world_expect (world, &(Ask){ .proof = "-" }, 412, NULL, "missing");
  g_auto (Answer) answer = world_ask (world, &(Ask){ .proof = "-" });
  assert_answer (&answer, 409, "rate_limit_exceeded", NULL);
  g_autofree char *retry_after = answer_header (&answer, "Retry-After");
  g_assert_cmpuint (g_ascii_strtoull (retry_after, NULL, 10), ==, answer_integer (&answer, "retry_after"));
  g_assert_cmpuint (answer_integer (&answer, "retry_after"), >, 3500);
  world_expect (world, &(Ask){ .is_legacy = TRUE }, 409, "rate_limit_exceeded", NULL);
  world_expect (world, &(Ask){ .nonce = nonce }, 401, NULL, "replayed_nonce"); /* replay before rate */
  g_autofree char *unknown = sv_hash_bytes ("unknown", 7);
  world_expect (world, &(Ask){ .manifest = unknown }, 409, NULL, NULL); /* rate before 404 */
  world_expect (world, &(Ask){ .asker = world->rival, .proof = world->rival_proof }, 200, NULL, NULL);
}

static void
test_nonces_and_rate_survive_a_restart (World *world, gconstpointer unused)
{
  g_autofree char *issued = fresh_nonce ();
  g_autofree char *failed = fresh_nonce ();
  sv_config_set (world->config, "SCOREVISION_RATE_LIMIT", "3/1h");
  world_start (world);
  world_expect (world, &(Ask){ .nonce = issued, .x_nonce = "12345678-x" }, 200, NULL, NULL);
  world_expect (world, &(Ask){ .nonce = failed, .proof = "-" }, 412, NULL, "missing");
  world_stop (world);
  world_start (world);
  world_expect (world, &(Ask){ .nonce = issued }, 401, NULL, "replayed_nonce");
  world_expect (world, &(Ask){ .nonce = failed }, 401, NULL, "replayed_nonce");
  world_expect (world, &(Ask){ .x_nonce = "12345678-x" }, 401, NULL, "replayed_nonce");
  world_expect (world, &(Ask){ 0 }, 200, NULL, NULL);
  world_expect (world, &(Ask){ 0 }, 409, NULL, NULL);
}

static void
test_replay_at_another_instance_is_refused (World *world, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *nonce = fresh_nonce ();
  world_start (world);
  SvServer *first = world->server;
  g_autoptr (SvServer) second = sv_server_start (world->config, &world->limits, &error);
  g_assert_no_error (error);
  world->server = second;
  world_await_ready (world);
  world_expect (world, &(Ask){ .nonce = nonce }, 200, NULL, NULL);
  world->server = first;
  world_expect (world, &(Ask){ .nonce = nonce }, 401, "invalid_signature", "replayed_nonce");
}

/* ── 503 ── */

static void
test_overloaded_comes_first (World *world, gconstpointer unused)
{
  world->limits.max_working = 0;
  world_start (world);
  g_auto (Answer) answer = world_ask (world, &(Ask){ .element = "-" });
  assert_answer (&answer, 503, "overloaded", NULL);
  g_autofree char *retry_after = answer_header (&answer, "Retry-After");
  g_assert_cmpstr (retry_after, ==, "1");
}

static void
test_an_address_that_asks_too_fast_is_told_so (World *world, gconstpointer unused)
{
  const char *headers = "X-Forwarded-For: 198.51.100.1\r\n";
  sv_config_set (world->config, "SCOREVISION_TRUSTED_PROXIES", "127.0.0.1");
  world->limits.requests_per_second = 1;
  world->limits.request_burst = 2;
  world_start (world);
  world_expect_status (world, "GET", "/api/commitments", headers, 200);
  world_expect_status (world, "POST", "/api/challenge/v3", headers, 405); /* a refusal counts, too */
  world_expect (world, &(Ask){ .headers = headers, .element = "-" }, 503, "overloaded", NULL);
  world_expect_status (world, "GET", "/api/commitments", "X-Forwarded-For: 198.51.100.2\r\n", 200);
  world_expect_status (world, "GET", "/healthz", headers, 200);
}

/* How many of 60 are answered with @status, and the rest with 503. */
static guint
flood (World *world, const char *method, const char *target, const char *headers, guint status)
{
  guint n = 0;
  for (guint i = 0; i < 60; i++)
  {
    g_auto (Answer) answer = world_request (world, method, target, headers);
    g_assert_true (answer.status == status || answer.status == 503);
    n += answer.status == status;
  }
  return n;
}

/* The buckets hold two requests to the API, twenty others, and one that costs much, and give an hour's worth of one. */
static void
test_what_is_not_the_api_is_limited_too (World *world, gconstpointer unused)
{
  sv_config_set (world->config, "SCOREVISION_TRUSTED_PROXIES", "127.0.0.1");
  world->limits.requests_per_second = 1;
  world->limits.request_burst = 2;
  world_start (world);
  world_expect_status (world, "GET", "/openapi.json", "X-Forwarded-For: 198.51.100.7\r\n", 200);
  world_expect_status (world, "GET", "/metrics", "X-Forwarded-For: 198.51.100.7\r\n", 503);
  g_assert_cmpuint (flood (world, "GET", "/nowhere", "X-Forwarded-For: 198.51.100.1\r\n", 404), <, 60);
  g_assert_cmpuint (flood (world, "PUT", "/healthz", "X-Forwarded-For: 198.51.100.2\r\n", 405), <, 60);
  g_assert_cmpuint (flood (world, "GET", "/%zz", "X-Forwarded-For: 198.51.100.3\r\n", 400), <, 60);
  g_assert_cmpuint (flood (world, "GET", "/clips/x", "X-Forwarded-For: unknown\r\n", 403), <, 60);
  g_assert_cmpuint (flood (world, "GET", "/readyz", "X-Forwarded-For: 198.51.100.1:99\r\n", 200), <, 60);
  g_assert_cmpuint (flood (world, "GET", "/healthz", NULL, 200), ==, 60); /* the proxy's own check */
  world_expect_status (world, "GET", "/nowhere", "X-Forwarded-For: 198.51.100.9\r\n", 404);
}

/* A rule of a proxy about /metrics is one about all spellings of it. */
static void
test_a_route_has_one_spelling (World *world, gconstpointer unused)
{
  world_start (world);
  world_expect_status (world, "GET", "/metrics", NULL, 200);
  world_expect_status (world, "GET", "http://test/metrics", NULL, 200);
  world_expect_status (world, "GET", "/%6detrics", NULL, 404);
  world_expect_status (world, "GET", "/metric%73", NULL, 404);
  world_expect_status (world, "GET", "http://test/%6Detrics", NULL, 404);
  world_expect_status (world, "GET", "/healthz?%6d", NULL, 200);
  world_expect_status (world, "GET", "/scorevision/index%2Ejson", NULL, 200);
}

/* The ledger's blocks are an hour apart, so its head is soon older than a second. */
static void
test_old_head_is_unavailable (World *world, gconstpointer unused)
{
  g_autofree char *unknown = sv_hash_bytes ("unknown", 7);
  sv_config_set (world->config, "SCOREVISION_CHAIN_MAX_LAG", "1");
  world_populate (world);
  world_start_server (world);
  world_await (world, "too old");
  g_auto (Answer) answer = world_ask (world, &(Ask){ .manifest = unknown });
  assert_answer (&answer, 503, "chain_unavailable", NULL); /* before 404 */
  g_autofree char *retry_after = answer_header (&answer, "Retry-After");
  g_assert_nonnull (retry_after);
  world_expect (world, &(Ask){ .asker = world->rival, .miner = sv_keypair_address (world->miner) }, 401, NULL, "not_permitted");
  world_expect (world, &(Ask){ .is_legacy = TRUE, .asker = world->validator }, 200, NULL, NULL);
}

/* What another program does to a file. */
static void
change_file (World *world, const char *leaf, const char *sql)
{
  sqlite3 *db;
  g_autofree char *path = g_build_filename (world->directory, leaf, NULL);
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static void
change_ledger (World *world, const char *sql)
{
  change_file (world, "ledger.sqlite", sql);
}

/* Of what is opened together, the one alone. */
static void
test_a_damaged_draw_key_is_no_reason_to_serve_nothing (World *world, gconstpointer unused)
{
  world_start (world);
  world_stop (world);
  g_autofree char *sql = g_strdup_printf ("UPDATE secrets SET key = x'00' WHERE name = '%s'", world->next_manifest);
  change_file (world, "state.sqlite", sql);
  world_start (world);
  world_expect (world, &(Ask){ 0 }, 200, NULL, NULL);
}

/* A proxy in front takes it out, and in again. */
static void
test_who_cannot_record_is_not_ready (World *world, gconstpointer unused)
{
  world_start (world);
  change_file (world, "state.sqlite", "ALTER TABLE issued RENAME TO gone");
  world_expect (world, &(Ask){ 0 }, 503, NULL, NULL);
  world_expect_status (world, "GET", "/readyz", NULL, 503);
  change_file (world, "state.sqlite", "ALTER TABLE gone RENAME TO issued");
  world_await_ready (world);
  world_expect (world, &(Ask){ 0 }, 200, NULL, NULL);
}

static void
test_a_proof_that_cannot_be_looked_up_is_not_refused (World *world, gconstpointer unused)
{
  g_autofree char *above = g_strdup_printf ("5000:0x%064d", 1);
  world_start (world);
  world_expect (world, &(Ask){ .proof = above }, 412, "missing_commitment", "unknown");
  change_ledger (world, "ALTER TABLE block RENAME TO gone");
  world_expect (world, &(Ask){ .proof = above }, 503, "chain_unavailable", NULL);
  world_expect (world, &(Ask){ 0 }, 200, NULL, NULL); /* what the picture holds is answered from memory */
  change_ledger (world, "ALTER TABLE gone RENAME TO block");
  world_expect (world, &(Ask){ .proof = above }, 412, "missing_commitment", "unknown");
}

/* Nobody can be told that he is not permitted, or that his window is not open, before it is known who is and which are. */
static void
test_until_the_chain_is_read_nobody_is_refused (World *world, gconstpointer unused)
{
  const char *miner = sv_keypair_address (world->miner);
  sv_config_set (world->config, "SCOREVISION_VALIDATORS", "chain:permit");
  world_populate (world);
  change_ledger (world, "ALTER TABLE block RENAME TO gone");
  world_start_server (world);
  world_expect (world, &(Ask){ .asker = world->validator, .miner = miner }, 503, "chain_unavailable", NULL);
  world_expect (world, &(Ask){ 0 }, 503, "chain_unavailable", NULL);
  world_expect (world, &(Ask){ .is_legacy = TRUE }, 503, "chain_unavailable", NULL);
  change_ledger (world, "ALTER TABLE gone RENAME TO block");
  world_await_ready (world);
  world_expect (world, &(Ask){ .asker = world->validator, .miner = miner }, 401, "invalid_signature", "not_permitted");
  world_expect (world, &(Ask){ 0 }, 200, NULL, NULL);
}

/* Waits until the body of /metrics has @part in it. */
static void
await_metric (World *world, const char *part)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;
  for (gboolean found = FALSE; !found; g_usleep (10000))
  {
    g_auto (Answer) answer = world_request (world, "GET", "/metrics", NULL);
    found = strstr (answer.body, part) != NULL;
    g_assert_true (found || g_get_monotonic_time () < deadline);
  }
}

static void
test_until_the_index_is_read_nobody_is_refused (World *world, gconstpointer unused)
{
  g_autofree char *home = g_build_filename (world->directory, "new-home", NULL);
  world_populate (world);
  sv_config_set (world->config, "SCOREVISION_HOME", home); /* which remembers no index */
  sv_config_set (world->config, "R2_PUBLIC_URL", "http://127.0.0.1:1");
  world_start_server (world);
  world_expect (world, &(Ask){ .asker = world->validator }, 503, "chain_unavailable", NULL);
  world_expect (world, &(Ask){ 0 }, 503, "chain_unavailable", NULL);
  world_expect (world, &(Ask){ .is_legacy = TRUE }, 503, "chain_unavailable", NULL);
}

static void
test_nothing_published_yet (World *world, gconstpointer unused)
{
  g_autofree char *unknown = sv_hash_bytes ("unknown", 7);
  g_autofree char *proof = g_strdup_printf ("1:0x%064d", 1);
  world_advance (world, 5);
  world_start_server (world);
  world_await_ready (world);
  world_expect (world, &(Ask){ .manifest = unknown, .proof = proof }, 404, "no_active_window", NULL);
  world_expect (world, &(Ask){ .manifest = unknown, .proof = proof, .asker = world->validator }, 404, "no_active_window", NULL);
}

/* The subnet's owner revokes the operator, whose index and manifests the server holds. */
static void
test_a_revoked_signer_is_served_no_more (World *world, gconstpointer unused)
{
  world_start (world);
  world_expect (world, &(Ask){ 0 }, 200, NULL, NULL);
  g_autofree char *text = g_strconcat ("sv1 revoke\n", sv_keypair_address (world->operator_key), NULL);
  g_free (world_commit (world, world->operator_key, text));
  world_advance (world, 3);
  world_await (world, "\"index_sequence\":0");
  world_expect (world, &(Ask){ .asker = world->validator }, 404, "no_active_window", NULL);
  world_expect (world, &(Ask){ 0 }, 404, "no_active_window", NULL);
}

/* ── life ── */

static void
test_second_instance_on_the_same_port_says_so (World *world, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  world_start (world);
  g_autofree char *listen = g_strdup_printf ("127.0.0.1:%u", sv_server_port (world->server));
  sv_config_set (world->config, "SCOREVISION_LISTEN", listen);
  g_assert_null (sv_server_start (world->config, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  g_autofree char *expected =
      g_strdup_printf ("address in use: another instance is listening on %s; stop it or set SCOREVISION_LISTEN", listen);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_absent_ledger_names_the_command (World *world, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  sv_config_set (world->config, "BITTENSOR_SUBTENSOR_ENDPOINT", "ledger:/nonexistent/ledger.sqlite");
  g_assert_null (sv_server_start (world->config, NULL, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "sv chain create"));
}

static gpointer
stop_server (gpointer data)
{
  sv_server_stop (data);
  return NULL;
}

/* A download larger than the sockets' buffers is under way while the server stops. */
static void
test_stopping_finishes_what_is_in_flight (World *world, gconstpointer unused)
{
  enum
  {
    SIZE = 64 * 1024 * 1024
  };
  world_start (world);
  g_autofree char *path = g_build_filename (world->directory, "store/scorevision/big.json", NULL);
  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
  g_assert_cmpint (truncate (path, SIZE), ==, 0);
  int fd = world_connect (world);
  const char *request = "GET /scorevision/big.json HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
  g_assert_cmpint (send (fd, request, strlen (request), 0), ==, (gssize)strlen (request));
  char chunk[65536];
  gssize n = recv (fd, chunk, 16, MSG_WAITALL);
  g_assert_cmpmem (chunk, 12, "HTTP/1.1 200", 12);
  GThread *thread = g_thread_new ("stop", stop_server, world->server);
  guint64 total = (guint64)n;
  while ((n = recv (fd, chunk, sizeof chunk, 0)) > 0)
    total += (guint64)n;
  g_assert_cmpuint (total, >, SIZE);
  close (fd);
  g_thread_join (thread);
  world->server = NULL;
}

/* ── HTTP ── */

static void
test_http_limits (World *world, gconstpointer unused)
{
  world_start (world);
  g_autofree char *many = g_strnfill (9000, 'a');
  g_autofree char *long_target = g_strconcat ("/healthz?a=", many, NULL);
  g_autofree char *long_headers = g_strdup_printf ("A: %s\r\nB: %s\r\n", many, many);
  world_expect_status (world, "GET", "/nowhere", NULL, 404);
  world_expect_status (world, "GET", "/healthz/", NULL, 404);
  world_expect_status (world, "GET", "/healthz?x=%zz", NULL, 400);
  world_expect_status (world, "GET", "/api/commitments?hotkey=a%00b", NULL, 400);
  world_expect_status (world, "GET", long_target, NULL, 414);
  world_expect_status (world, "GET", "/healthz", long_headers, 431);
  world_expect_status (world, "POST", "/healthz", "Content-Length: 0\r\n", 405);
  world_expect_status (world, "HEAD", "/api/challenge/v3", NULL, 405);
  world_expect_status (world, "GET", "/healthz", "Content-Length: 3\r\n", 413);
  g_auto (Answer) answer = world_request (world, "DELETE", "/api/challenge/v3", NULL);
  g_autofree char *allow = answer_header (&answer, "Allow");
  assert_answer (&answer, 405, "method_not_allowed", NULL);
  g_assert_cmpstr (allow, ==, "GET");
  g_autofree char *id = answer_header (&answer, "X-Request-Id");
  g_assert_nonnull (id);
}

/* ── clips ── */

/* A link to nothing would be handed out, and the miner be blamed for it. */
static void
test_a_clip_that_the_store_has_lost_is_not_handed_out (World *world, gconstpointer unused)
{
  g_autofree char *path =
      g_build_filename (world->directory, "store", "private", "clips", sv_hash_hex (world->clip_hash), NULL);
  g_autofree char *aside = g_build_filename (world->directory, "aside", NULL);
  g_assert_cmpint (g_rename (path, aside), ==, 0);
  world_start (world);
  await_metric (world, "sv_clips_lost 1\n");
  world_expect (world, &(Ask){ .element = "Serve@1" }, 503, "no_challenge", NULL);
  world_expect (world, &(Ask){ .is_legacy = TRUE }, 503, "no_challenge", NULL);
  g_assert_cmpint (g_rename (aside, path), ==, 0);
  await_metric (world, "sv_clips_lost 0\n");
  world_expect (world, &(Ask){ .element = "Serve@1" }, 200, NULL, NULL);
  world_expect (world, &(Ask){ .is_legacy = TRUE }, 200, NULL, NULL);
}

/* ── health, metrics, OpenAPI ── */

static void
test_health_and_metrics (World *world, gconstpointer unused)
{
  world_start (world);
  world_expect (world, &(Ask){ 0 }, 200, NULL, NULL);
  world_expect_status (world, "GET", "/healthz", NULL, 200);
  g_auto (Answer) metrics = world_get (world, "/metrics");
  g_assert_nonnull (
      strstr (metrics.body, "sv_requests_total{endpoint=\"challenge_v3\",outcome=\"issued\",status=\"200\"} 1\n"));
  g_assert_nonnull (strstr (metrics.body, "sv_chain_head_block 35\n"));
  g_assert_nonnull (strstr (metrics.body, "sv_issue_log_batch_entries_sum 1\n"));
}

static gboolean
enum_has (const json_t *schemas, const char *schema, const char *property, const char *value)
{
  gsize i;
  json_t *item;
  const json_t *properties = json_object_get (json_object_get (schemas, schema), "properties");
  json_array_foreach (json_object_get (json_object_get (properties, property), "enum"), i,
                      item) if (strcmp (json_string_value (item), value) == 0) return TRUE;
  return FALSE;
}

static void
test_openapi_is_true (World *world, gconstpointer unused)
{
  world_start (world);
  g_auto (Answer) answer = world_get (world, "/openapi.json");
  g_assert_cmpstr (answer_string (&answer, "openapi"), ==, "3.1.0");
  const json_t *schemas = json_object_get (json_object_get (answer.json, "components"), "schemas");
  for (SvProofVerdict verdict = SV_PROOF_MISSING; verdict < SV_PROOF_UNREADABLE; verdict++)
    g_assert_true (enum_has (schemas, "MissingCommitment", "reason", sv_proof_verdict_name (verdict)));
  g_auto (Answer) issued = world_ask (world, &(Ask){ 0 });
  const char *key;
  json_t *value;
  const json_t *described = json_object_get (json_object_get (schemas, "Challenge"), "properties");
  json_object_foreach (issued.json, key, value) g_assert_nonnull (json_object_get (described, key));
  g_assert_cmpuint (json_object_size (issued.json), ==, json_object_size (described));
  json_object_foreach (json_object_get (answer.json, "paths"), key, value)
  {
    g_autofree char *path = g_strdup (key);
    char *brace = strchr (path, '{'), *rest = brace != NULL ? strchr (brace, '}') + 1 : NULL;
    if (brace != NULL)
      memmove (brace, rest, strlen (rest) + 1);
    g_auto (Answer) there = world_request (world, "PUT", path, "Content-Length: 0\r\n");
    g_assert_cmpuint (there.status, ==, 405);
  }
}

/* ── */

static void
set_up (World *world, gconstpointer block_time_ms)
{
  world_set_up (world, GPOINTER_TO_SIZE (block_time_ms));
}

static void
tear_down (World *world, gconstpointer unused)
{
  world_tear_down (world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD_AT(block_time_ms, test)                                                                                            \
  g_test_add ("/api/server/" #test, World, GSIZE_TO_POINTER (block_time_ms), set_up, test, tear_down)
#define ADD(test) ADD_AT (0, test)
  ADD (test_legacy_task);
  ADD (test_legacy_serves_known_askers_where_a_list_is_configured);
  ADD (test_legacy_serves_whoever_signs_where_none_is);
  ADD (test_nothing_is_written_of_strangers);
  ADD (test_rate_is_limited_over_both_endpoints);
  ADD (test_nonces_and_rate_survive_a_restart);
  ADD (test_replay_at_another_instance_is_refused);
  ADD (test_overloaded_comes_first);
  ADD (test_an_address_that_asks_too_fast_is_told_so);
  ADD (test_what_is_not_the_api_is_limited_too);
  ADD (test_a_route_has_one_spelling);
  ADD (test_a_damaged_draw_key_is_no_reason_to_serve_nothing);
  ADD (test_who_cannot_record_is_not_ready);
  ADD_AT (3600000, test_old_head_is_unavailable);
  ADD (test_a_proof_that_cannot_be_looked_up_is_not_refused);
  ADD (test_until_the_chain_is_read_nobody_is_refused);
  ADD (test_until_the_index_is_read_nobody_is_refused);
  ADD (test_nothing_published_yet);
  ADD (test_a_revoked_signer_is_served_no_more);
  ADD (test_second_instance_on_the_same_port_says_so);
  ADD (test_absent_ledger_names_the_command);
  ADD (test_stopping_finishes_what_is_in_flight);
  ADD (test_http_limits);
  ADD (test_a_clip_that_the_store_has_lost_is_not_handed_out);
  ADD (test_health_and_metrics);
  ADD (test_openapi_is_true);
  return g_test_run ();
}
