/* The endpoints of today's public client.
 *
 * a task: all the fields the client reads, consistent     its element: drawn under the window, past windows, unknown ones
 * next, complete, ground truth; before completion 403     completing again keeps the first time
 * another's task, an unknown one: 404                     no ground truth: 404
 * who is served: the list only; without a list nobody     nonces once over the endpoints, over a restart too; rate shared
 * methods, bodies and ids that are malformed              a restart keeps tasks
 * ground truth beyond the room there is                   what the document says of a task
 * a state that fails: 503, and all is well afterwards
 */
#include <sqlite3.h>
#include <string.h>

#include "api/task_desk.h"
#include "base/rfc3339.h"
#include "world.h"

#define TRUTH "{\"annotations\":[{\"bbox\":[1,2,3,4],\"class\":\"ball\",\"frame_idx\":0}],\"source\":\"hand\"}"

typedef struct
{
  const SvKeypair *asker;  /* the validator */
  const SvKeypair *signer; /* the asker */
  const char *nonce;       /* the present time */
  const char *query;       /* appended */
  const char *body;        /* POST with it; NULL: GET */
} TaskAsk;

static Answer
ask_path (World *world, const char *path, const TaskAsk *ask)
{
  g_autofree char *own_nonce = fresh_nonce ();
  const char *nonce = ask->nonce != NULL ? ask->nonce : own_nonce;
  const SvKeypair *asker = ask->asker != NULL ? ask->asker : world->validator;
  g_autofree char *signature = sv_keypair_sign (ask->signer != NULL ? ask->signer : asker, nonce, strlen (nonce));
  g_autofree char *target =
      g_strdup_printf ("%s?validator_hotkey=%s&signature=0x%s&nonce=%s&netuid=44%s", path, sv_keypair_address (asker),
                       strchr (signature, ':') + 1, nonce, ask->query != NULL ? ask->query : "");
  if (ask->body == NULL)
    return world_get (world, target);
  g_autofree char *text = g_strdup_printf ("POST %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
                                           "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                           target, strlen (ask->body), ask->body);
  return world_send (world, text);
}

static void
expect (World *world, const char *path, const TaskAsk *ask, guint status, const char *error, const char *reason)
{
  g_auto (Answer) answer = ask_path (world, path, ask);
  assert_answer (&answer, status, error, reason);
}

static guint64
next_task (World *world)
{
  g_auto (Answer) answer = ask_path (world, "/api/tasks/next", &(TaskAsk){ 0 });
  assert_answer (&answer, 200, NULL, NULL);
  return answer_integer (&answer, "id");
}

static Answer
complete (World *world, guint64 id, const SvKeypair *asker)
{
  g_autofree char *body = g_strdup_printf ("{\"challenge_id\": %" G_GUINT64_FORMAT "}", id);
  return ask_path (world, "/api/tasks/complete", &(TaskAsk){ .asker = asker, .body = body });
}

static Answer
ground_truth (World *world, guint64 id, const SvKeypair *asker)
{
  g_autofree char *path = g_strdup_printf ("/api/tasks/%" G_GUINT64_FORMAT "/ground-truth", id);
  return ask_path (world, path, &(TaskAsk){ .asker = asker });
}

static void
expect_complete (World *world, guint64 id, const SvKeypair *asker, guint status, const char *error)
{
  g_auto (Answer) answer = complete (world, id, asker);
  assert_answer (&answer, status, error, NULL);
}

static void
expect_truth (World *world, guint64 id, const SvKeypair *asker, guint status, const char *error)
{
  g_auto (Answer) answer = ground_truth (world, id, asker);
  assert_answer (&answer, status, error, NULL);
}

static void
put_truth (World *world, const char *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvState) state = world_open_state (world);
  g_assert_true (sv_state_put_ground_truth (state, world->clip_hash, json, &error));
  g_assert_no_error (error);
}

/* ── the task ── */

static void
test_a_task_has_what_the_client_reads (World *world, gconstpointer unused)
{
  world_start (world);
  g_auto (Answer) answer = ask_path (world, "/api/tasks/next", &(TaskAsk){ .query = "&challenge_type_version=2" });
  assert_answer (&answer, 200, NULL, NULL);
  guint64 id = answer_integer (&answer, "id");
  g_assert_cmpuint (id, >, 0);
  g_assert_cmpuint (answer_integer (&answer, "task_id"), ==, id);
  g_assert_cmpuint (answer_integer (&answer, "fps"), ==, 25);
  g_assert_cmpstr (answer_string (&answer, "challenge_type"), ==, "football");
  g_assert_cmpuint (answer_integer (&answer, "challenge_type_id"), ==, 0);
  answer_integer (&answer, "seed");
  const char *url = answer_string (&answer, "video_url");
  g_assert_nonnull (strstr (url, "/clips/"));
  g_assert_cmpstr (answer_string (&answer, "asset_url"), ==, url);
  const json_t *payload = json_object_get (answer.json, "payload");
  g_assert_cmpstr (json_string_value (json_object_get (payload, "clip_url")), ==, url);
  g_assert_cmpstr (json_string_value (json_object_get (payload, "video_url")), ==, url);
  g_assert_cmpfloat (json_number_value (json_object_get (payload, "fps")), ==, 25);
  g_assert_null (json_object_get (answer.json, "window_id"));
  world_expect_status (world, "GET", strstr (url, "/clips/"), NULL, 200);
  g_assert_cmpuint (next_task (world), >, id);
}

static void
test_an_element_is_drawn_under_its_window (World *world, gconstpointer unused)
{
  world_start (world);
  g_auto (Answer) answer = ask_path (world, "/api/tasks/next", &(TaskAsk){ .query = "&element_id=Serve%401" });
  assert_answer (&answer, 200, NULL, NULL);
  g_assert_cmpstr (answer_string (&answer, "element_id"), ==, "Serve@1");
  g_assert_cmpstr (answer_string (&answer, "window_id"), ==, "now");
  g_assert_cmpstr (answer_string (&answer, "manifest_hash"), ==, world->now_manifest);
  expect (world, "/api/tasks/next", &(TaskAsk){ .query = "&element_id=Empty%401" }, 503, "no_challenge", NULL);
  expect (world, "/api/tasks/next", &(TaskAsk){ .query = "&element_id=Lost%401" }, 503, "no_challenge", NULL);

  g_auto (Answer) other = ask_path (world, "/api/tasks/next", &(TaskAsk){ .query = "&element_id=manak0/Detect-unknown" });
  assert_answer (&other, 200, NULL, NULL);
  g_assert_null (json_object_get (other.json, "element_id"));

  world_advance (world, 2000 - world_head (world));
  world_await (world, "\"block\":2000");
  expect (world, "/api/tasks/next", &(TaskAsk){ .query = "&element_id=Serve%401" }, 404, "no_active_window", NULL);
}

/* ── its way ── */

static void
test_ground_truth_is_told_after_completion (World *world, gconstpointer unused)
{
  put_truth (world, TRUTH);
  world_start (world);
  guint64 id = next_task (world);
  expect_truth (world, id, NULL, 403, "not_completed");
  g_auto (Answer) completed = complete (world, id, NULL);
  assert_answer (&completed, 200, NULL, NULL);
  g_assert_cmpuint (answer_integer (&completed, "challenge_id"), ==, id);
  g_assert_cmpstr (answer_string (&completed, "status"), ==, "completed");
  g_auto (Answer) again = complete (world, id, NULL);
  g_assert_cmpstr (again.body, ==, completed.body);

  g_autofree char *expected = g_strdup_printf ("{\"challenge_id\":%" G_GUINT64_FORMAT ",\"ground_truth\":" TRUTH "}", id);
  g_auto (Answer) truth = ground_truth (world, id, NULL);
  assert_answer (&truth, 200, NULL, NULL);
  g_assert_cmpstr (truth.body, ==, expected);
  g_autofree char *type = answer_header (&truth, "Content-Type");
  g_autofree char *cached = answer_header (&truth, "Cache-Control");
  g_assert_cmpstr (type, ==, "application/json");
  g_assert_cmpstr (cached, ==, "no-store");
  put_truth (world, NULL);
  expect_truth (world, id, NULL, 404, "no_ground_truth");
}

static void
test_a_task_is_its_askers_alone (World *world, gconstpointer unused)
{
  g_autofree char *list = g_strdup_printf ("%s,%s", sv_keypair_address (world->validator), sv_keypair_address (world->rival));
  sv_config_set (world->config, "SCOREVISION_VALIDATORS", list);
  put_truth (world, TRUTH);
  world_start (world);
  guint64 id = next_task (world);
  expect_complete (world, id, world->rival, 404, "not_found");
  expect_truth (world, id, NULL, 403, "not_completed"); /* the rival has not completed it */
  expect_complete (world, id, NULL, 200, NULL);
  expect_truth (world, id, world->rival, 404, "not_found");
  expect_complete (world, id + 1, NULL, 404, "not_found");
  expect_truth (world, id + 1, NULL, 404, "not_found");
}

static void
test_a_challenge_is_no_task (World *world, gconstpointer unused)
{
  world_start (world);
  g_auto (Answer) challenge = world_ask (world, &(Ask){ 0 });
  guint64 id = g_ascii_strtoull (answer_string (&challenge, "challenge_id"), NULL, 10);
  g_assert_cmpuint (next_task (world), ==, id + 1);
  expect_complete (world, id, NULL, 404, "not_found");
  expect_complete (world, id, world->miner, 401, "invalid_signature");
}

static void
test_a_restart_keeps_tasks_and_nonces (World *world, gconstpointer unused)
{
  put_truth (world, TRUTH);
  world_start (world);
  g_autofree char *nonce = fresh_nonce ();
  guint64 open = next_task (world), completed = next_task (world);
  expect_complete (world, completed, NULL, 200, NULL);
  expect (world, "/api/tasks/7/ground-truth", &(TaskAsk){ .nonce = nonce }, 404, "not_found", NULL);
  world_stop (world);
  world_start (world);
  expect (world, "/api/tasks/7/ground-truth", &(TaskAsk){ .nonce = nonce }, 401, "invalid_signature", "replayed_nonce");
  expect_truth (world, open, NULL, 403, "not_completed");
  expect_truth (world, completed, NULL, 200, NULL);
  g_assert_cmpuint (next_task (world), ==, completed + 1);
}

/* ── who is served ── */

static void
test_only_validators_are_served (World *world, gconstpointer unused)
{
  static const char *const paths[] = { "/api/tasks/next", "/api/tasks/1/ground-truth", "/api/tasks/complete" };
  world_start (world);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
  {
    const char *body = i == 2 ? "{\"challenge_id\":1}" : NULL;
    const SvKeypair *refused[] = { world->stranger, world->miner };
    for (gsize k = 0; k < G_N_ELEMENTS (refused); k++)
      expect (world, paths[i], &(TaskAsk){ .asker = refused[k], .body = body }, 401, "invalid_signature", "not_permitted");
    expect (world, paths[i], &(TaskAsk){ .signer = world->rival, .body = body }, 401, "invalid_signature", "bad_signature");
    expect (world, paths[i], &(TaskAsk){ .nonce = "1761177600000000000", .body = body }, 401, NULL, "stale_nonce");
  }
}

static void
test_without_a_list_nobody_is_served (World *world, gconstpointer unused)
{
  sv_config_set (world->config, "SCOREVISION_VALIDATORS", "");
  world_start (world);
  g_auto (Answer) answer = ask_path (world, "/api/tasks/next", &(TaskAsk){ 0 });
  assert_answer (&answer, 401, "invalid_signature", "not_permitted");
  g_assert_nonnull (strstr (answer_string (&answer, "message"), "SCOREVISION_VALIDATORS"));
}

static void
test_a_nonce_is_used_up_once_over_the_endpoints (World *world, gconstpointer unused)
{
  world_start (world);
  g_autofree char *nonce = fresh_nonce ();
  expect (world, "/api/tasks/next", &(TaskAsk){ .nonce = nonce }, 200, NULL, NULL);
  expect (world, "/api/tasks/next", &(TaskAsk){ .nonce = nonce }, 401, NULL, "replayed_nonce");
  expect (world, "/api/tasks/1/ground-truth", &(TaskAsk){ .nonce = nonce }, 401, NULL, "replayed_nonce");
  world_expect (world, &(Ask){ .is_legacy = TRUE, .asker = world->validator, .nonce = nonce }, 401, NULL, "replayed_nonce");
}

static void
test_the_rate_is_shared_with_v2 (World *world, gconstpointer unused)
{
  sv_config_set (world->config, "SCOREVISION_RATE_LIMIT", "3/3600s");
  world_start (world);
  guint64 id = next_task (world);
  expect_complete (world, id, NULL, 200, NULL);
  world_expect (world, &(Ask){ .is_legacy = TRUE, .asker = world->validator }, 200, NULL, NULL);
  expect_truth (world, id, NULL, 409, "rate_limit_exceeded");
  expect (world, "/api/tasks/next", &(TaskAsk){ 0 }, 409, "rate_limit_exceeded", NULL);
}

/* ── malformed ── */

static void
expect_body (World *world, const char *body, const char *field)
{
  g_auto (Answer) answer = ask_path (world, "/api/tasks/complete", &(TaskAsk){ .body = body });
  assert_answer (&answer, 400, "invalid_request", NULL);
  g_assert_cmpstr (answer_string (&answer, "field"), ==, field);
}

static void
test_malformed_bodies_are_refused (World *world, gconstpointer unused)
{
  world_start (world);
  g_autofree char *deep = g_strnfill (200, '[');
  g_autofree char *deeper = g_strdup_printf ("{\"challenge_id\":1,\"x\":%s", deep);
  expect_body (world, "", "body");
  expect_body (world, "challenge_id=1", "body");
  expect_body (world, "{\"challenge_id\":1", "body");
  expect_body (world, "{\"challenge_id\":1,\"challenge_id\":2}", "body");
  expect_body (world, deeper, "body");
  static const char *const wrong[] = {
    "[1]", "{}", "{\"challenge_id\":null}", "{\"challenge_id\":\"1\"}", "{\"challenge_id\":-1}", "{\"challenge_id\":1.5}"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    expect_body (world, wrong[i], "challenge_id");

  guint64 id = next_task (world);
  g_autofree char *more = g_strdup_printf (" {\"x\":[{}], \"challenge_id\": %" G_GUINT64_FORMAT ".0}\n", id);
  expect (world, "/api/tasks/complete", &(TaskAsk){ .body = more, .query = "&element_id=any" }, 200, NULL, NULL);
}

static void
test_bodies_are_bounded (World *world, gconstpointer unused)
{
  world_start (world);
  g_autofree char *spaces = g_strnfill (16384, ' ');
  g_autofree char *body = g_strdup_printf ("{\"challenge_id\":1}%s", spaces);
  expect (world, "/api/tasks/complete", &(TaskAsk){ .body = body }, 413, "invalid_request", NULL);
  body[16384] = '\0';
  expect (world, "/api/tasks/complete", &(TaskAsk){ .body = body }, 404, "not_found", NULL);
  expect (world, "/api/tasks/next", &(TaskAsk){ .body = "{}" }, 405, "method_not_allowed", NULL);
  world_expect_status (world, "GET", "/api/tasks/next", "Content-Length: 1\r\n", 413);
}

static void
test_malformed_ids_and_methods_are_refused (World *world, gconstpointer unused)
{
  world_start (world);
  static const char *const ids[] = { "", "0", "01", "-1", "1.0", "x", "0x1", "9007199254740992", "99999999999999999999" };
  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++)
  {
    g_autofree char *path = g_strdup_printf ("/api/tasks/%s/ground-truth", ids[i]);
    expect (world, path, &(TaskAsk){ 0 }, 400, "invalid_request", NULL);
  }
  static const char *const absent[] = { "/api/tasks/",    "/api/tasks/1",     "/api/tasks/1/ground-truth/",
                                        "/api/tasks/1/2", "/api/tasks/next/", "/api/tasks/complete/ground" };
  for (gsize i = 0; i < G_N_ELEMENTS (absent); i++)
    expect (world, absent[i], &(TaskAsk){ 0 }, 404, "not_found", NULL);
  g_auto (Answer) answer = world_get (world, "/api/tasks/complete");
  assert_answer (&answer, 405, "method_not_allowed", NULL);
  g_autofree char *allow = answer_header (&answer, "Allow");
  g_assert_cmpstr (allow, ==, "POST");
  world_expect_status (world, "POST", "/api/tasks/1/ground-truth", "Content-Length: 0\r\n", 405);
}

/* ── the document ── */

static void
test_the_document_describes_a_task (World *world, gconstpointer unused)
{
  world_start (world);
  g_auto (Answer) document = world_get (world, "/openapi.json");
  g_auto (Answer) task = ask_path (world, "/api/tasks/next", &(TaskAsk){ .query = "&element_id=Serve%401" });
  const json_t *schemas = json_object_get (json_object_get (document.json, "components"), "schemas");
  const json_t *described = json_object_get (json_object_get (schemas, "ClientTask"), "properties");
  const char *key;
  json_t *value;
  json_object_foreach (task.json, key, value) g_assert_nonnull (json_object_get (described, key));
  g_assert_cmpuint (json_object_size (task.json), ==, json_object_size (described));
}

/* ── the desk ── */

static void
take (SvTaskJob *job, gpointer data)
{
  g_async_queue_push (data, job);
}

static SvTaskJob *
ask_desk (SvTaskDesk *desk, GAsyncQueue *answers, guint64 id)
{
  SvTaskJob *job = g_new0 (SvTaskJob, 1);
  job->id = id;
  job->asker = g_strdup ("5A");
  job->done = take;
  job->data = answers;
  sv_task_desk_submit (desk, job);
  return g_async_queue_pop (answers);
}

static void
test_ground_truth_on_its_way_is_bounded (World *world, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  put_truth (world, TRUTH);
  SvState *state = world_open_state (world);
  SvAdmissionRules rules = { .limit = 10, .window_ms = 60000, .remember_ms = 120000 };
  SvTaskRecord task = { .asker = (char *)"5A", .clip_hash = world->clip_hash, .issued_ms = 1 };
  SvAdmission admission = { .asker = "5A", .nonce = "n", .client_id = "", .now_ms = 1, .task = &task };
  gboolean found;
  g_assert_true (sv_state_admit (state, &rules, &admission, 1, &error));
  g_assert_true (sv_state_complete_task (state, task.id, "5A", 2, &found, &error));

  g_autoptr (GAsyncQueue) answers = g_async_queue_new ();
  g_autoptr (SvTaskDesk) desk = sv_task_desk_new (state, 10);
  g_autoptr (SvTaskJob) first = ask_desk (desk, answers, task.id);
  g_assert_cmpint (first->outcome, ==, SV_TASK_DONE); /* it is larger than the room, and alone */
  g_assert_cmpstr (first->ground_truth, ==, TRUTH);
  g_autoptr (SvTaskJob) second = ask_desk (desk, answers, task.id);
  g_assert_cmpint (second->outcome, ==, SV_TASK_TOO_MUCH);
  g_clear_pointer (&first, sv_task_job_free);
  g_autoptr (SvTaskJob) third = ask_desk (desk, answers, task.id);
  g_assert_cmpint (third->outcome, ==, SV_TASK_DONE);
}

/* ── a state that fails ── */

static void
run_sql (World *world, const char *sql)
{
  sqlite3 *database;
  g_autofree char *path = g_build_filename (world->directory, "state.sqlite", NULL);
  g_assert_cmpint (sqlite3_open (path, &database), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (database, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (database);
}

static void
test_a_state_that_fails_is_no_verdict (World *world, gconstpointer unused)
{
  put_truth (world, TRUTH);
  world_start (world);
  guint64 id = next_task (world);
  run_sql (world, "ALTER TABLE tasks RENAME TO lost");
  expect_complete (world, id, NULL, 503, "overloaded");
  expect_truth (world, id, NULL, 503, "overloaded");
  expect (world, "/api/tasks/next", &(TaskAsk){ 0 }, 503, "overloaded", NULL);
  run_sql (world, "ALTER TABLE lost RENAME TO tasks");
  expect_complete (world, id, NULL, 200, NULL);
  expect_truth (world, id, NULL, 200, NULL);
}

/* ── */

static void
set_up (World *world, gconstpointer unused)
{
  world_set_up (world, 0);
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
#define ADD(test) g_test_add ("/api/tasks/" #test, World, NULL, set_up, test, tear_down)
  ADD (test_a_task_has_what_the_client_reads);
  ADD (test_an_element_is_drawn_under_its_window);
  ADD (test_ground_truth_is_told_after_completion);
  ADD (test_a_task_is_its_askers_alone);
  ADD (test_a_challenge_is_no_task);
  ADD (test_a_restart_keeps_tasks_and_nonces);
  ADD (test_only_validators_are_served);
  ADD (test_without_a_list_nobody_is_served);
  ADD (test_a_nonce_is_used_up_once_over_the_endpoints);
  ADD (test_the_rate_is_shared_with_v2);
  ADD (test_malformed_bodies_are_refused);
  ADD (test_bodies_are_bounded);
  ADD (test_malformed_ids_and_methods_are_refused);
  ADD (test_the_document_describes_a_task);
  ADD (test_ground_truth_on_its_way_is_bounded);
  ADD (test_a_state_that_fails_is_no_verdict);
  return g_test_run ();
}
