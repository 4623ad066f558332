/* What S3 servers say, and what is made of it.
 *  1. each error code has its own message that says what to do, and its error code; no secret is in any
 *  2. a redirect is not followed, and names the setting
 *  3. what is no answer of S3 is said to be none, and is never "not found"
 *  4. 5xx, 429 and broken connections are tried five times, and logged once; Retry-After is heeded; other answers are not
 *     tried again
 *     what drips is cut off, and is no object that is too large
 *  5. a file that is fetched again after a broken transfer is whole
 *  6. listings: truncated, out of order, in a circle, endless
 *  7. settings: each fault names its setting
 */
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "folder_server.h"
#include "refusal.h"
#include "s3_world.h"
#include "scratch.h"

static gboolean
get (S3World *world, GError **error)
{
  SvGetOptions options = { .max_size = 1024 };
  g_autoptr (SvObject) object = sv_object_store_get (world->store, "scorevision/index.json", &options, NULL, error);
  return object != NULL;
}

static gboolean
put (S3World *world, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_autofree char *etag = sv_object_store_put (world->store, "key", bytes, &options, error);
  return etag != NULL;
}

/* One call under a script of answers, each NULL-terminated. */
static gboolean
call_under (S3World *world, gboolean (*call) (S3World *world, GError **error), const char *const *script, GError **error)
{
  world->script = script;
  gboolean ok = call (world, error);
  world->script = NULL;
  return ok;
}

static const struct
{
  guint status;
  const char *code;
  gboolean (*call) (S3World *world, GError **error);
  SvErrorCode error;
  const char *says;
} codes[] = {
  { 403, "InvalidAccessKeyId", get, SV_ERROR_USAGE, "R2_WRITE_ACCESS_KEY_ID" },
  { 401, "Unauthorized", get, SV_ERROR_USAGE, "R2_WRITE_ACCESS_KEY_ID" },
  { 403, "NotEntitled", get, SV_ERROR_POLICY, "enable it" },
  { 403, "SignatureDoesNotMatch", get, SV_ERROR_USAGE, "R2_WRITE_SECRET_ACCESS_KEY" },
  { 403, "SignatureDoesNotMatch", put, SV_ERROR_USAGE, "R2_WRITE_SECRET_ACCESS_KEY" },
  { 400, "ExpiredToken", get, SV_ERROR_USAGE, "has expired" },
  { 400, "AuthorizationHeaderMalformed", get, SV_ERROR_USAGE, "S3_REGION" },
  { 404, "NoSuchBucket", get, SV_ERROR_USAGE, "has no bucket \"bucket\"" },
  { 404, "NoSuchBucket", put, SV_ERROR_USAGE, "create it" },
  { 403, "AccessDenied", get, SV_ERROR_POLICY, "read and list" },
  { 403, "AccessDenied", put, SV_ERROR_POLICY, "permission to write" },
  { 404, "NoSuchKey", get, SV_ERROR_NOT_FOUND, "no such object" },
  { 412, "PreconditionFailed", put, SV_ERROR_CONFLICT, "read it again" },
  { 503, "SlowDown", get, SV_ERROR_UNREACHABLE, "less often" },
  { 400, "EntityTooLarge", put, SV_ERROR_POLICY, "size" },
  { 400, "InvalidPart", put, SV_ERROR_UNREACHABLE, "run the command again" },
  { 501, "NotImplemented", put, SV_ERROR_POLICY, "use a server" },
  { 400, "BadDigest", put, SV_ERROR_FAILED, "other bytes" },
  { 500, "InternalError", get, SV_ERROR_UNREACHABLE, "InternalError" },
  { 400, "SomethingNew", get, SV_ERROR_UNREACHABLE, "SomethingNew: A message & more; check the settings" },
};

static void
test_codes (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
  {
    g_autofree char *text = s3_error_text (codes[i].status, codes[i].code);
    const char *const script[] = { text, text, text, text, text, NULL };
    g_autoptr (GError) error = NULL;
    g_assert_false (call_under (world, codes[i].call, script, &error));
    g_assert_nonnull (error);
    if (error->domain != SV_ERROR || error->code != (int)codes[i].error || strstr (error->message, codes[i].says) == NULL)
      g_error ("%s: expected %d and \"%s\", got %d: %s", codes[i].code, codes[i].error, codes[i].says, error->code,
               error->message);
    g_assert_null (strstr (error->message, "4711"));
    g_assert_null (strstr (error->message, "Credential="));
  }
}

static void
test_unsigned (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  g_autofree char *denied = s3_error_text (403, "AccessDenied"), *invalid = s3_error_text (400, "InvalidArgument");
  g_autoptr (GError) error = NULL;
  sv_config_set (world->config, "R2_WRITE_ACCESS_KEY_ID", NULL);
  sv_config_set (world->config, "R2_WRITE_SECRET_ACCESS_KEY", NULL);
  sv_object_store_free (world->store);
  world->store = s3_world_open (world, &error);
  g_assert_no_error (error);
  const char *const answers[] = { denied, invalid };
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
    assert_fails_saying (call_under (world, get, (const char *const[]){ answers[i], NULL }, refusal), SV_ERROR_USAGE,
                         "does not let everybody do this; set R2_WRITE_ACCESS_KEY_ID");
  g_autofree char *request = tiny_server_last_request (world->server);
  g_assert_null (strstr (request, "Authorization"));
}

static void
test_clock (void)
{
  char date[64];
  time_t past = time (NULL) - 3600;
  struct tm parts;
  strftime (date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r (&past, &parts));
  g_autofree char *skewed = s3_answer_text (403, date, "<Error><Code>RequestTimeTooSkewed</Code><Message>x</Message></Error>");
  g_autofree char *no_date = s3_error_text (403, "RequestTimeTooSkewed");
  g_autoptr (S3World) world = s3_world_new ();
  assert_fails_saying (call_under (world, get, (const char *const[]){ skewed, NULL }, refusal), SV_ERROR_FAILED,
                       "seconds ahead of the server's");
  assert_fails_saying (call_under (world, get, (const char *const[]){ skewed, NULL }, refusal), SV_ERROR_FAILED, "is 360");
  assert_fails_saying (call_under (world, get, (const char *const[]){ no_date, NULL }, refusal), SV_ERROR_FAILED, "clock");
}

static void
test_hostile_text (void)
{
  g_autofree char *text =
      s3_answer_text (400, NULL, "<Error><Code>A&#27;[31m</Code><Message>one&#10;two&#x202e;</Message></Error>");
  g_autoptr (S3World) world = s3_world_new ();
  assert_fails_saying (call_under (world, get, (const char *const[]){ text, NULL }, refusal), SV_ERROR_UNREACHABLE,
                       "A\\u001b[31m: one\\u000atwo\\u202e");
}

static void
test_redirects (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  g_autofree char *here = tiny_server_url (world->server, "/elsewhere");
  g_autofree char *location = g_strdup_printf ("Location: %s\r\n", here);
  g_autofree char *moved = s3_answer_text (307, location, "<Error><Code>TemporaryRedirect</Code></Error>");
  g_autofree char *permanent = s3_answer_text (301, "x-amz-bucket-region: eu-west-3\r\n", "");
  assert_fails_saying (call_under (world, get, (const char *const[]){ moved, NULL }, refusal), SV_ERROR_USAGE, "S3_ENDPOINT");
  assert_fails_saying (call_under (world, put, (const char *const[]){ moved, NULL }, refusal), SV_ERROR_USAGE, "S3_ENDPOINT");
  assert_fails_saying (call_under (world, get, (const char *const[]){ permanent, NULL }, refusal), SV_ERROR_USAGE, "eu-west-3");
  g_assert_cmpuint (world->requests->len, ==, 3);
}

static gboolean
head (S3World *world, GError **error)
{
  return sv_object_store_head (world->store, "key", NULL, error);
}

static gboolean delete (S3World *world, GError **error)
{
  return sv_object_store_delete (world->store, "key", error);
}

static void
test_no_server_of_s3 (void)
{
  g_autofree char *login = s3_answer_text (200, NULL, "<html>Log in</html>"), *empty = s3_answer_text (200, NULL, "");
  g_autofree char *not_found = s3_answer_text (404, NULL, "<html>Nothing here</html>");
  g_autofree char *cut = s3_answer_text (404, NULL, "<Error><Code>NoSuchKey</Co");
  g_autofree char *doctype =
      s3_answer_text (404, NULL, "<!DOCTYPE a [<!ENTITY b \"NoSuchKey\">]><Error><Code>&b;</Code></Error>");
  static const char no_body[] = "HTTP/1.1 404 x\r\nConnection: close\r\n\r\n";
  g_autoptr (S3World) world = s3_world_new ();
  const char *part = "not one of an S3 server";
  assert_fails_saying (call_under (world, put, (const char *const[]){ login, NULL }, refusal), SV_ERROR_UNREACHABLE, part);
  assert_fails_saying (call_under (world, put, (const char *const[]){ empty, NULL }, refusal), SV_ERROR_UNREACHABLE, part);
  assert_fails_saying (call_under (world, delete, (const char *const[]){ login, NULL }, refusal), SV_ERROR_UNREACHABLE, part);
  assert_fails_saying (call_under (world, get, (const char *const[]){ not_found, NULL }, refusal), SV_ERROR_UNREACHABLE, part);
  assert_fails_saying (call_under (world, get, (const char *const[]){ cut, NULL }, refusal), SV_ERROR_UNREACHABLE, part);
  assert_fails_saying (call_under (world, get, (const char *const[]){ doctype, NULL }, refusal), SV_ERROR_UNREACHABLE, part);
  assert_fails_saying (call_under (world, head, (const char *const[]){ no_body, not_found, NULL }, refusal),
                       SV_ERROR_UNREACHABLE, part);
  assert_fails (call_under (world, head, (const char *const[]){ no_body, NULL }, refusal), SV_ERROR_NOT_FOUND);
}

/* ── again ── */

static void
test_retries (void)
{
  g_autofree char *bad = s3_error_text (500, "InternalError"), *busy = s3_error_text (429, "TooManyRequests");
  g_autofree char *denied = s3_error_text (403, "AccessDenied"), *good = s3_answer_text (200, "ETag: \"1\"\r\n", "{}");
  g_autofree char *timeout = s3_error_text (400, "RequestTimeout");
  g_autoptr (S3World) world = s3_world_new ();
  g_assert_true (call_under (world, get, (const char *const[]){ bad, busy, "", timeout, good, NULL }, NULL));
  g_assert_cmpuint (world->requests->len, ==, 5);
  g_assert_cmpuint (world->n_sleeps, ==, 4);
  assert_fails (call_under (world, get, (const char *const[]){ "", "", "", "", "", good, NULL }, refusal),
                SV_ERROR_UNREACHABLE);
  g_assert_cmpuint (world->requests->len, ==, 10);
  assert_fails (call_under (world, get, (const char *const[]){ denied, good, NULL }, refusal), SV_ERROR_POLICY);
  g_assert_cmpuint (world->requests->len, ==, 11);
}

static void
test_log (void)
{
  if (g_test_subprocess ())
  {
    g_autofree char *bad = s3_error_text (500, "InternalError");
    g_autoptr (S3World) world = s3_world_new ();
    call_under (world, get, (const char *const[]){ bad, bad, bad, bad, bad, NULL }, NULL);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*the store is asked again*InternalError*");
  g_test_trap_assert_stderr_unmatched ("*asked again*asked again*");
  g_test_trap_assert_stderr_unmatched ("*4711*");
  g_test_trap_assert_stderr_unmatched ("*Signature*");
}

static void
test_retry_after (void)
{
  g_autofree char *soon = s3_answer_text (503, "Retry-After: 7\r\n", "<Error><Code>SlowDown</Code></Error>");
  g_autofree char *late = s3_answer_text (503, "Retry-After: 3600\r\n", "<Error><Code>SlowDown</Code></Error>");
  g_autofree char *good = s3_answer_text (200, "ETag: \"1\"\r\n", "{}");
  g_autoptr (S3World) world = s3_world_new ();
  g_assert_true (call_under (world, get, (const char *const[]){ soon, good, NULL }, NULL));
  g_assert_cmpint (world->longest_sleep_ms, ==, 7000);
  assert_fails (call_under (world, get, (const char *const[]){ late, good, NULL }, refusal), SV_ERROR_UNREACHABLE);
  g_assert_cmpint (world->longest_sleep_ms, ==, 7000);
}

static void
test_broken_file (void)
{
  static const char broken[] = "HTTP/1.1 200 x\r\nConnection: close\r\nContent-Length: 30\r\n\r\nof a longer object";
  g_autofree char *whole = s3_answer_text (200, NULL, "0123456789");
  g_autoptr (S3World) world = s3_world_new ();
  g_autofree char *path = scratch_path (world->home, "target"), *found = NULL;
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  GError *error = NULL;
  g_assert_cmpint (write (fd, "before:", 7), ==, 7);
  world->script = (const char *const[]){ broken, broken, whole, NULL };
  g_assert_true (sv_object_store_get_file (world->store, "key", fd, 30, &error));
  g_assert_no_error (error);
  close (fd);
  g_assert_true (g_file_get_contents (path, &found, NULL, NULL));
  g_assert_cmpstr (found, ==, "before:0123456789");
}

/* ── listings ── */

static gboolean
note_key (const char *key, guint64 size, gpointer data)
{
  g_string_append_printf (data, "%s:%" G_GUINT64_FORMAT " ", key, size);
  return TRUE;
}

static char *
page (const char *keys, const char *continuation)
{
  g_autoptr (GString) body = g_string_new ("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                                           "<EncodingType>url</EncodingType>");
  g_auto (GStrv) words = g_strsplit (keys, " ", -1);
  g_string_append_printf (body, "<IsTruncated>%s</IsTruncated>", continuation != NULL ? "true" : "false");
  for (char **key = words; *key != NULL && **key != '\0'; key++)
    g_string_append_printf (body, "<Contents><Size>3</Size><Owner><ID>o</ID></Owner><Key>%s</Key></Contents>", *key);
  if (continuation != NULL)
    g_string_append_printf (body, "<NextContinuationToken>%s</NextContinuationToken>", continuation);
  g_string_append (body, "</ListBucketResult>");
  return s3_answer_text (200, NULL, body->str);
}

static gboolean
list (S3World *world, GError **error)
{
  g_autoptr (GString) found = g_string_new (NULL);
  return sv_object_store_list (world->store, "a", note_key, found, error);
}

static void
test_listing (void)
{
  g_autofree char *first = page ("a/b a/c%2Bd a/d%40e", "t+/="), *second = page ("a/e", NULL);
  g_autoptr (S3World) world = s3_world_new ();
  g_autoptr (GString) found = g_string_new (NULL);
  world->script = (const char *const[]){ first, second, NULL };
  GError *error = NULL;
  g_assert_true (sv_object_store_list (world->store, "a", note_key, found, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (found->str, ==, "a/b:3 a/d@e:3 a/e:3 ");
  g_assert_nonnull (strstr (world->requests->pdata[1], "continuation-token=t%2B%2F%3D"));
}

static void
test_bad_listings (void)
{
  g_autofree char *good = page ("a/b", NULL), *circle = page ("a/b", "t"), *disorder = page ("a/c a/b", NULL);
  g_autofree char *other = page ("b/c", NULL), *endless = page ("", "t"), *no_token = page ("a/b", "");
  g_autofree char *login = s3_answer_text (200, NULL, "<html></html>"), *empty = s3_answer_text (200, NULL, "");
  g_autofree char *no_size =
      s3_answer_text (200, NULL, "<ListBucketResult><Contents><Key>a/b</Key></Contents></ListBucketResult>");
  g_autofree char *negative =
      s3_answer_text (200, NULL, "<ListBucketResult><Contents><Key>a/b</Key><Size>-1</Size></Contents></ListBucketResult>");
  g_autofree char *cut = g_strndup (good, strlen (good) - 5);
  g_autofree char *text = g_strnfill (20000, 'x'), *nested = g_strnfill (20000, ' ');
  for (gsize i = 0; i + 3 <= 20000; i += 3)
    memcpy (nested + i, "<a>", 3);
  g_autofree char *long_xml = g_strconcat ("<ListBucketResult><Contents><Key>", text, NULL);
  g_autofree char *long_text = s3_answer_text (200, NULL, long_xml), *deep = s3_answer_text (200, NULL, nested);
  const char *const bad[] = { disorder, other, no_token, login, empty, no_size, negative, long_text, deep };
  g_autoptr (S3World) world = s3_world_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_fails_saying (call_under (world, list, (const char *const[]){ bad[i], NULL }, refusal), SV_ERROR_UNREACHABLE,
                         "not one of an S3 server");
  assert_fails (call_under (world, list, (const char *const[]){ cut, cut, cut, cut, cut, NULL }, refusal),
                SV_ERROR_UNREACHABLE);
  assert_fails (call_under (world, list, (const char *const[]){ circle, circle, NULL }, refusal), SV_ERROR_UNREACHABLE);
  const char *forever[64] = { NULL };
  for (gsize i = 0; i + 1 < G_N_ELEMENTS (forever); i++)
    forever[i] = endless;
  assert_fails_saying (call_under (world, list, forever, refusal), SV_ERROR_UNREACHABLE, "without end");
}

/* More than any listing has, of a server that never stops. */
static void
test_endless_answer (void)
{
  gsize length = 17 * 1024 * 1024;
  g_autofree char *spaces = g_strnfill (length, ' ');
  g_autofree char *answer = g_strconcat ("HTTP/1.1 200 x\r\nConnection: close\r\n\r\n", spaces, NULL);
  g_autoptr (S3World) world = s3_world_new ();
  assert_fails_saying (call_under (world, list, (const char *const[]){ answer, NULL }, refusal), SV_ERROR_UNREACHABLE,
                       "larger than");
}

/* ── nobody there ── */

static void
test_no_server (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  FolderServer *plain = folder_server_new (world->home);
  g_autofree char *https = g_strconcat ("https", folder_server_url (plain) + strlen ("http"), NULL);
  sv_config_set (world->config, "S3_ENDPOINT", https);
  g_autoptr (SvObjectStore) by_tls = s3_world_open (world, NULL);
  assert_fails_saying (sv_object_store_head (by_tls, "a/b", NULL, refusal), SV_ERROR_UNREACHABLE, "no TLS is spoken");
  sv_config_set (world->config, "S3_ENDPOINT", "http://127.0.0.1:1");
  folder_server_free (plain);
  g_autoptr (SvObjectStore) nowhere = s3_world_open (world, NULL);
  assert_fails_saying (sv_object_store_head (nowhere, "a/b", NULL, refusal), SV_ERROR_UNREACHABLE, "S3_ENDPOINT");
}

/* ── settings ── */

static const struct
{
  const char *url;
  const char *settings[9]; /* NULL-terminated; "" unsets */
  const char *says;        /* NULL: it is right */
} openings[] = {
  { "s3://bucket", { NULL }, NULL },
  { "s3://bucket/", { NULL }, NULL },
  { "s3://bucket/folder", { NULL }, "nothing after it" },
  { "s3://", { NULL }, "s3://BUCKET" },
  { "s3://..", { NULL }, "s3://BUCKET" },
  { "s3://bucket?x", { NULL }, "s3://BUCKET" },
  { "s3://bucket", { "S3_ENDPOINT", "", NULL }, "S3_ENDPOINT" },
  { "s3://bucket", { "S3_ENDPOINT", "", "R2_ACCOUNT_ID", "0123456789abcdef0123456789abcdef", NULL }, NULL },
  { "s3://bucket", { "S3_ENDPOINT", "", "R2_ACCOUNT_ID", "a.example.org/", NULL }, "R2_ACCOUNT_ID" },
  { "s3://bucket", { "S3_ENDPOINT", "https://host/bucket", NULL }, "no path" },
  { "s3://bucket", { "S3_ENDPOINT", "https://host?x=1", NULL }, "no path" },
  { "s3://bucket", { "S3_ENDPOINT", "https://user:pw@host", NULL }, "S3_ENDPOINT" },
  { "s3://bucket", { "S3_ENDPOINT", "host:9000", NULL }, "S3_ENDPOINT" },
  { "s3://bucket", { "S3_ENDPOINT", "host.example.org", NULL }, "does not begin with https://" },
  { "s3://bucket", { "S3_REGION", "a b", NULL }, "S3_REGION" },
  { "s3://bucket", { "R2_WRITE_ACCESS_KEY_ID", "", NULL }, "R2_WRITE_ACCESS_KEY_ID" },
  { "s3://bucket", { "R2_WRITE_SECRET_ACCESS_KEY", "", NULL }, "R2_WRITE_SECRET_ACCESS_KEY" },
  { "s3://bucket", { "R2_WRITE_ACCESS_KEY_ID", "a b", NULL }, "R2_WRITE_ACCESS_KEY_ID" },
  { "s3://bucket", { "R2_WRITE_ACCESS_KEY_ID", "", "R2_WRITE_SECRET_ACCESS_KEY", "", NULL }, NULL },
};

static void
test_settings (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (openings); i++)
  {
    g_autoptr (SvConfig) config = sv_config_new ();
    g_autoptr (GError) error = NULL;
    sv_config_set (config, "S3_ENDPOINT", "https://host");
    sv_config_set (config, "R2_WRITE_ACCESS_KEY_ID", "key");
    sv_config_set (config, "R2_WRITE_SECRET_ACCESS_KEY", "hush-4711");
    for (const char *const *setting = openings[i].settings; *setting != NULL; setting += 2)
      sv_config_set (config, setting[0], setting[1]);
    g_autoptr (SvObjectStore) store = sv_object_store_open (openings[i].url, config, &error);
    if ((store != NULL) != (openings[i].says == NULL) || (error != NULL && strstr (error->message, openings[i].says) == NULL))
      g_error ("opening %zu: expected \"%s\", got \"%s\"", i, openings[i].says != NULL ? openings[i].says : "success",
               error != NULL ? error->message : "success");
    g_assert_true (error == NULL || (error->code == SV_ERROR_USAGE && strstr (error->message, "4711") == NULL));
  }
}

static void
test_drip (void)
{
  g_autoptr (S3World) world = s3_world_new ();
  world->drips = TRUE;
  assert_fails_saying (get (world, refusal), SV_ERROR_UNREACHABLE, "slow transfer: less than 1024 bytes a second");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/s3-errors/each code says what to do", test_codes);
  g_test_add_func ("/s3-errors/a key is asked for where there is none", test_unsigned);
  g_test_add_func ("/s3-errors/a wrong clock is told by how much", test_clock);
  g_test_add_func ("/s3-errors/text of the server forges nothing", test_hostile_text);
  g_test_add_func ("/s3-errors/a redirect is not followed", test_redirects);
  g_test_add_func ("/s3-errors/a server that is not there", test_no_server);
  g_test_add_func ("/s3-errors/what is not S3 is said to be none", test_no_server_of_s3);
  g_test_add_func ("/s3-errors/what may pass is tried five times", test_retries);
  g_test_add_func ("/s3-errors/of several tries one line is logged", test_log);
  g_test_add_func ("/s3-errors/retry-after is heeded", test_retry_after);
  g_test_add_func ("/s3-errors/a file is whole after broken transfers", test_broken_file);
  g_test_add_func ("/s3-errors/a listing goes on and decodes keys", test_listing);
  g_test_add_func ("/s3-errors/bad listings are refused", test_bad_listings);
  g_test_add_func ("/s3-errors/an endless answer is cut off", test_endless_answer);
  g_test_add_func ("/s3-errors/wrong settings are named", test_settings);
  g_test_add_func ("/s3-errors/what drips is cut off", test_drip);
  return g_test_run ();
}
