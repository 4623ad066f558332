/* Conditional puts to S3 servers that lose answers, ignore conditions, or know none.
 *  1. a put whose answer was lost is known for ours; also when every answer was lost
 *     and when libcurl sent it a second time by itself
 *  2. a put that was lost before it arrived, and somebody else came first: a conflict, even with the same bytes
 *  3. where nothing can be found out, the message says that it may have been written
 *  4. a server that ignores a condition is found out before anything is written; --single-publisher is named, and helps
 *     one bad answer, or a probe's object that somebody removes, is not taken for that; and no bad answer is kept on disk
 *  5. both forms of If-Match are found; the answer is remembered for a day
 *  6. put once asks nothing beforehand
 *  7. a conflict of two puts at the same moment is tried again
 *  8. uploads in parts: a lost completion, an error with HTTP 200, an abort
 */
#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"
#include "refusal.h"
#include "s3_world.h"
#include "scratch.h"

static char *
put (S3World *world, const char *text, SvPutCondition condition, const char *etag, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  SvPutOptions options = { .condition = condition, .etag = etag };
  return sv_object_store_put (world->store, "key", bytes, &options, error);
}

static char *
put_well (S3World *world, const char *text, SvPutCondition condition, const char *etag)
{
  GError *error = NULL;
  char *now = put (world, text, condition, etag, &error);
  g_assert_no_error (error);
  g_assert_nonnull (now);
  return now;
}

/* The server's form is known before, so that faults meet the put and not the probe. */
static S3World *
world_that_knows (void)
{
  S3World *world = s3_world_new ();
  GError *error = NULL;
  g_assert_true (sv_s3_learn_conditions ((SvS3Store *)world->store, FALSE, &error));
  g_assert_no_error (error);
  return world;
}

static void
test_lost_answer (void)
{
  g_autoptr (S3World) world = world_that_knows ();
  world->n_lost_answers = 1;
  g_autofree char *first = put_well (world, "one", SV_PUT_IF_ABSENT, NULL);
  assert_fails (put (world, "two", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_CONFLICT);
  g_assert_cmpstr (s3_world_content (world, "key"), ==, "one");

  world->n_lost_answers = 1;
  g_autofree char *second = put_well (world, "two", SV_PUT_IF_MATCHES, first);
  g_assert_cmpstr (s3_world_content (world, "key"), ==, "two");
  world->n_lost_answers = 99;
  g_autofree char *third = put_well (world, "three", SV_PUT_IF_MATCHES, second);
  world->n_lost_answers = 0;
  g_free (put_well (world, "four", SV_PUT_IF_MATCHES, third));
  assert_fails (put (world, "five", SV_PUT_IF_MATCHES, third, refusal), SV_ERROR_CONFLICT);
}

/* libcurl sends it again by itself, and nobody is told. */
static void
test_lost_connection (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  world->keeps_connections = TRUE;
  GError *error = NULL;
  g_assert_true (sv_s3_learn_conditions ((SvS3Store *)world->store, FALSE, &error));
  guint n_connections = tiny_server_n_connections (world->server);
  world->n_lost_answers = 1;
  g_free (put_well (world, "one", SV_PUT_IF_ABSENT, NULL));
  g_assert_cmpuint (tiny_server_n_connections (world->server), ==, n_connections + 1);
  g_assert_cmpuint (s3_world_n_requests (world, "PUT /bucket/key"), ==, 2);
  g_assert_cmpuint (world->n_sleeps, ==, 0);

  ((SvS3Store *)world->store)->conditions.probed_ms = 0;
  remove (((SvS3Store *)world->store)->memory_path);
  world->n_lost_answers = 1; /* of the probe, which is made again */
  assert_fails (put (world, "two", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_CONFLICT);
  g_assert_cmpuint (s3_world_n_requests (world, "DELETE /bucket/private/probe/"), ==, 3);
}

static void
test_somebody_else (void)
{
  g_autoptr (S3World) world = world_that_knows ();
  world->n_lost_requests = 1;
  world->intruder = "one";
  assert_fails (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_CONFLICT);

  g_autofree char *mine = put_well (world, "mine", SV_PUT_ALWAYS, NULL);
  world->n_lost_requests = 1;
  world->intruder = "theirs";
  assert_fails (put (world, "mine too", SV_PUT_IF_MATCHES, mine, refusal), SV_ERROR_CONFLICT);
  g_assert_cmpstr (s3_world_content (world, "key"), ==, "theirs");
}

static void
test_nothing_found_out (void)
{
  static const char *const silence[] = { "", "", "", "", "", "", "", "", "", "", NULL };
  g_autoptr (S3World) world = world_that_knows ();
  world->script = silence;
  assert_fails (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_UNREACHABLE);
  g_assert_cmpuint (s3_world_n_requests (world, "PUT /bucket/key"), ==, 5);

  g_autofree char *refused = s3_error_text (412, "PreconditionFailed");
  const char *const unclear[] = { "", refused, "", "", "", "", "", NULL };
  world->script = unclear;
  assert_fails_saying (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_UNREACHABLE, "may have been written");
}

static void
test_ignored_conditions (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  world->ignores_absent = world->ignores_match = TRUE;
  assert_fails_saying (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_POLICY, "--single-publisher");
  assert_fails_saying (put (world, "one", SV_PUT_IF_MATCHES, "0", refusal), SV_ERROR_POLICY, "--single-publisher");
  g_assert_null (s3_world_content (world, "key"));
  g_assert_cmpuint (s3_world_n_requests (world, "PUT /bucket/key"), ==, 0);
  g_assert_cmpuint (g_hash_table_size (world->objects), ==, 0);
  g_assert_false (g_file_test (((SvS3Store *)world->store)->memory_path, G_FILE_TEST_EXISTS));

  sv_object_store_assume_single_writer (world->store);
  g_autofree char *first = put_well (world, "one", SV_PUT_IF_ABSENT, NULL);
  assert_fails (put (world, "two", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_CONFLICT);
  g_free (put_well (world, "two", SV_PUT_IF_MATCHES, first));
  assert_fails (put (world, "three", SV_PUT_IF_MATCHES, first, refusal), SV_ERROR_CONFLICT);
  g_assert_cmpstr (s3_world_content (world, "key"), ==, "two");
}

static void
test_half_ignored_conditions (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  world->ignores_match = TRUE;
  g_autofree char *first = put_well (world, "one", SV_PUT_IF_ABSENT, NULL);
  assert_fails_saying (put (world, "two", SV_PUT_IF_MATCHES, first, refusal), SV_ERROR_POLICY, "If-Match");
  g_assert_cmpstr (s3_world_content (world, "key"), ==, "one");
}

static void
test_no_conditions (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  world->knows_no_conditions = TRUE;
  assert_fails_saying (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_POLICY, "--single-publisher");
  g_free (put_well (world, "one", SV_PUT_ONCE, NULL));
  g_assert_cmpstr (s3_world_content (world, "key"), ==, "one");
}

/* In turn: of the first probe's two puts that pass, somebody removes the object; a proxy answers one of its four for the
 * server. */
static void
test_disturbed_probe (void)
{
  for (guint i = 0; i < 2 + 4; i++)
  {
    g_autoptr (S3World) world = s3_world_new ();
    world->n_puts_until_removed = i < 2 ? i + 1 : 0;
    world->n_puts_until_unknown = i < 2 ? 0 : i - 1;
    g_autofree char *first = put_well (world, "one", SV_PUT_IF_ABSENT, NULL);
    assert_fails (put (world, "two", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_CONFLICT);
    g_free (put_well (world, "two", SV_PUT_IF_MATCHES, first));
    assert_fails (put (world, "three", SV_PUT_IF_MATCHES, first, refusal), SV_ERROR_CONFLICT);
    g_assert_cmpuint (g_hash_table_size (world->objects), ==, 1);
  }
}

/* Nor does an answer of a proxy make a server keep what it ignores. */
static void
test_unknown_is_not_kept (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  world->ignores_absent = TRUE;
  world->n_puts_until_unknown = 2;
  assert_fails_saying (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_POLICY, "ignores conditional puts");
}

/* Whoever removes it each time is told of, and nothing else is said. */
static void
test_removed_probes (void)
{
  g_autofree char *made = s3_answer_text (200, "ETag: \"1\"\r\n", "");
  g_autofree char *gone = s3_answer_text (404, NULL, ""), *removed = s3_answer_text (204, NULL, "");
  const char *const script[] = { made, gone, removed, made, gone, removed, NULL };
  g_autoptr (S3World) world = s3_world_new ();
  world->script = script;
  assert_fails_saying (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_UNREACHABLE, "nobody cleans up below");
  g_assert_null (s3_world_content (world, "key"));
}

static void
test_forms (void)
{
  for (guint i = 0; i < 2; i++)
  {
    g_autoptr (S3World) world = s3_world_new ();
    world->wants_bare = i == 1;
    g_autofree char *first = put_well (world, "one", SV_PUT_IF_ABSENT, NULL);
    g_free (put_well (world, "two", SV_PUT_IF_MATCHES, first));
    assert_fails (put (world, "three", SV_PUT_IF_MATCHES, first, refusal), SV_ERROR_CONFLICT);
    g_assert_cmpint (((SvS3Store *)world->store)->conditions.match, ==, i == 1 ? SV_S3_MATCH_BARE : SV_S3_MATCH_QUOTED);
  }
}

/* The server that was tried out knew conditions, and this one does not. */
static void
test_forgotten_conditions (void)
{
  g_autofree char *unknown = s3_error_text (501, "NotImplemented");
  const char *const always[] = { unknown, unknown, unknown, unknown, unknown, unknown, NULL };
  g_autoptr (S3World) world = world_that_knows ();
  world->knows_no_conditions = TRUE;
  assert_fails_saying (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_POLICY, "--single-publisher");
  g_assert_null (s3_world_content (world, "key"));
  world->script = always;
  assert_fails_saying (put (world, "one", SV_PUT_ONCE, NULL, refusal), SV_ERROR_POLICY, "cannot do what was asked");
}

/* Opens the store anew, as the next process does. */
static guint
n_probes_of_next_process (S3World *world)
{
  GError *error = NULL;
  guint before = s3_world_n_requests (world, "DELETE /bucket/private/probe/");
  sv_object_store_free (world->store);
  world->store = s3_world_open (world, &error);
  g_assert_no_error (error);
  g_free (put (world, "x", SV_PUT_IF_ABSENT, NULL, NULL));
  return s3_world_n_requests (world, "DELETE /bucket/private/probe/") - before;
}

static void
remember (S3World *world, const char *form, gint64 probed_ms)
{
  g_autofree char *text =
      g_strdup_printf ("{\"if_match\":\"%s\",\"if_none_match\":true,\"probed_ms\":%" G_GINT64_FORMAT "}\n", form, probed_ms);
  g_assert_true (g_file_set_contents (((SvS3Store *)world->store)->memory_path, text, -1, NULL));
}

static void
test_memory (void)
{
  gint64 day_ms = 24 * 60 * 60 * 1000;
  g_autoptr (S3World) world = s3_world_new ();
  g_assert_cmpuint (n_probes_of_next_process (world), ==, 1);
  g_assert_cmpuint (n_probes_of_next_process (world), ==, 0);
  remember (world, "quoted", sv_clock_ms () - day_ms - 1000);
  g_assert_cmpuint (n_probes_of_next_process (world), ==, 1);
  remember (world, "quoted", sv_clock_ms () + 60000);
  g_assert_cmpuint (n_probes_of_next_process (world), ==, 1);
  remember (world, "otherwise", sv_clock_ms ());
  g_assert_cmpuint (n_probes_of_next_process (world), ==, 1);
  remember (world, "none", sv_clock_ms ());
  g_assert_cmpuint (n_probes_of_next_process (world), ==, 1);
  g_assert_true (g_file_set_contents (((SvS3Store *)world->store)->memory_path, "{", -1, NULL));
  g_assert_cmpuint (n_probes_of_next_process (world), ==, 1);
  g_assert_cmpuint (n_probes_of_next_process (world), ==, 0);
}

/* What fails says nothing of conditions, and is not remembered. */
static void
test_failing_probe (void)
{
  g_autofree char *broken = s3_error_text (500, "InternalError");
  const char *const once[] = { broken, NULL };
  g_autoptr (S3World) world = s3_world_new ();
  world->script = once;
  assert_fails_saying (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_UNREACHABLE, "run the command again");
  g_assert_null (s3_world_content (world, "key"));
  g_free (put_well (world, "one", SV_PUT_IF_ABSENT, NULL));
}

static void
test_once (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  g_free (put_well (world, "one", SV_PUT_ONCE, NULL));
  g_assert_cmpuint (world->requests->len, ==, 1);
  assert_fails (put (world, "one", SV_PUT_ONCE, NULL, refusal), SV_ERROR_CONFLICT);
  g_hash_table_remove_all (world->objects);
  world->n_lost_answers = 1;
  g_free (put_well (world, "one", SV_PUT_ONCE, NULL));
}

static void
test_same_moment (void)
{
  g_autofree char *conflict = s3_error_text (409, "ConditionalRequestConflict");
  const char *const twice[] = { conflict, conflict, NULL };
  const char *const always[] = { conflict, conflict, conflict, conflict, conflict, NULL };
  g_autoptr (S3World) world = world_that_knows ();
  world->script = twice;
  g_free (put_well (world, "one", SV_PUT_IF_ABSENT, NULL));
  g_hash_table_remove_all (world->objects);
  world->script = always;
  assert_fails (put (world, "one", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_CONFLICT);
  g_assert_null (s3_world_content (world, "key"));
}

/* ── in parts ── */

static gboolean
put_parts (S3World *world, SvPutCondition condition, GError **error)
{
  g_autofree char *path = scratch_path (world->home, "source");
  g_assert_true (g_file_set_contents (path, "0123456789", -1, NULL));
  sv_s3_store_set_sizes (world->store, 4, 0);
  SvPutOptions options = { .condition = condition };
  return sv_object_store_put_file (world->store, "key", path, &options, error);
}

static void
test_parts (void)
{
  GError *error = NULL;
  g_autoptr (S3World) world = s3_world_new ();
  g_assert_true (put_parts (world, SV_PUT_ALWAYS, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (s3_world_n_requests (world, "PUT /bucket/key?partNumber="), ==, 3);
  g_assert_nonnull (strstr (s3_world_content (world, "key"), "<PartNumber>3</PartNumber><ETag>\"part\"</ETag>"));
  world->n_lost_completions = 1;
  g_assert_true (put_parts (world, SV_PUT_ALWAYS, &error));
  g_assert_no_error (error);
}

/* The answers to beginning, three parts and completing. */
static gboolean
put_scripted (S3World *world, const char *part, const char *completion, GError **error)
{
  g_autofree char *begun =
      s3_answer_text (200, NULL, "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>");
  const char *const script[] = { begun, part, part, part, completion, NULL };
  world->script = script;
  gboolean ok = put_parts (world, SV_PUT_ALWAYS, error);
  world->script = NULL;
  return ok;
}

static void
test_broken_parts (void)
{
  g_autofree char *part = s3_answer_text (200, "ETag: \"1\"\r\n", ""), *no_etag = s3_answer_text (200, NULL, "");
  g_autofree char *bad = s3_error_text (200, "InvalidPart"), *login = s3_answer_text (200, NULL, "<html>Welcome</html>");
  g_autofree char *too_large = s3_error_text (400, "EntityTooLarge");
  g_autoptr (S3World) world = s3_world_new ();
  assert_fails_saying (put_scripted (world, part, bad, refusal), SV_ERROR_UNREACHABLE, "run the command again");
  g_assert_cmpuint (s3_world_n_requests (world, "DELETE /bucket/key?uploadId=1"), ==, 1);
  assert_fails_saying (put_scripted (world, part, login, refusal), SV_ERROR_UNREACHABLE, "not one of an S3 server");
  assert_fails_saying (put_scripted (world, no_etag, login, refusal), SV_ERROR_UNREACHABLE, "not one of an S3 server");
  assert_fails_saying (put_scripted (world, too_large, login, refusal), SV_ERROR_POLICY, "size");
  g_assert_cmpuint (s3_world_n_requests (world, "DELETE /bucket/key?uploadId=1"), ==, 4);
}

/* HTTP 200, and an error that is worth another try in it. */
static void
test_error_with_200 (void)
{
  GError *error = NULL;
  g_autofree char *part = s3_answer_text (200, "ETag: \"1\"\r\n", ""), *busy = s3_error_text (200, "InternalError");
  g_autofree char *good = s3_answer_text (200, NULL, "<CompleteMultipartUploadResult/>");
  g_autofree char *begun =
      s3_answer_text (200, NULL, "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>");
  const char *const script[] = { begun, part, part, part, busy, good, NULL };
  g_autoptr (S3World) world = s3_world_new ();
  world->script = script;
  g_assert_true (put_parts (world, SV_PUT_ALWAYS, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (s3_world_n_requests (world, "POST /bucket/key?uploadId=1"), ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/s3-conditions/a lost answer does not lose the put", test_lost_answer);
  g_test_add_func ("/s3-conditions/a lost connection does not lose the put", test_lost_connection);
  g_test_add_func ("/s3-conditions/somebody else's put is not taken for ours", test_somebody_else);
  g_test_add_func ("/s3-conditions/what cannot be found out is said", test_nothing_found_out);
  g_test_add_func ("/s3-conditions/a server that ignores conditions is found out", test_ignored_conditions);
  g_test_add_func ("/s3-conditions/one condition can be kept without the other", test_half_ignored_conditions);
  g_test_add_func ("/s3-conditions/a server that knows no conditions is found out", test_no_conditions);
  g_test_add_func ("/s3-conditions/one bad answer and one lost object say nothing of a server", test_disturbed_probe);
  g_test_add_func ("/s3-conditions/one bad answer does not hide that conditions are ignored", test_unknown_is_not_kept);
  g_test_add_func ("/s3-conditions/who removes the probe each time is told", test_removed_probes);
  g_test_add_func ("/s3-conditions/both forms of if-match are found", test_forms);
  g_test_add_func ("/s3-conditions/a server that has forgotten conditions is found out", test_forgotten_conditions);
  g_test_add_func ("/s3-conditions/the answer is remembered for a day", test_memory);
  g_test_add_func ("/s3-conditions/a probe that fails says nothing", test_failing_probe);
  g_test_add_func ("/s3-conditions/put once asks nothing beforehand", test_once);
  g_test_add_func ("/s3-conditions/puts at the same moment are tried again", test_same_moment);
  g_test_add_func ("/s3-conditions/parts make a whole", test_parts);
  g_test_add_func ("/s3-conditions/an upload that fails is aborted", test_broken_parts);
  g_test_add_func ("/s3-conditions/an error with 200 is one", test_error_with_200);
  return g_test_run ();
}
