/* What the S3 engine promises beyond the interface, on a real server:
 *  1. a listing goes on from page to page, and passes over keys that are none of ours
 *  2. a file goes in parts, and comes back whole; put once it is left alone
 *  3. Content-Type and Cache-Control arrive
 *  4. a presigned URL works for its key and method and for its time
 *  5. without an access key: what is public is read, nothing else is read or written
 *  6. conditional puts are tried out once, the answer is kept, and nothing is left behind
 *  7. an answer that is no longer true is found out
 *  8. wrong keys, a wrong secret, a missing bucket: each says what to do
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/http_client.h"
#include "refusal.h"
#include "scratch.h"
#include "store/s3_request.h"
#include "store_fixture.h"

#define MEBIBYTE (1024 * 1024)

/* A request beside the engine's own checks. */
static guint
put_raw (Fixture *f, const char *key)
{
  GError *error = NULL;
  g_autoptr (GBytes) body = g_bytes_new_static ("x", 1);
  SvS3Request request = { .method = "PUT", .key = key, .body = body, .max_bytes = 65536, .answers_in_xml = TRUE };
  g_auto (SvS3Answer) answer = { 0 };
  g_assert_true (sv_s3_perform ((SvS3Store *)f->writer, &request, &answer, &error));
  g_assert_no_error (error);
  return answer.http->status;
}

static void
test_pages (Fixture *f)
{
  static const char *const strange[] = { "d/a b", "d/+", "d/~", "d//x", "d/é", "d/%20" };
  g_autoptr (GString) expected = g_string_new (NULL);
  sv_s3_store_set_sizes (f->writer, 0, 3);
  for (guint i = 0; i < 20; i++)
  {
    g_autofree char *key = g_strdup_printf ("d/%02u:@", i);
    g_free (put (f->writer, key, "x"));
    g_string_append_printf (expected, "%s:1 ", key);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (strange); i++)
    g_assert_cmpuint (put_raw (f, strange[i]), ==, 200);
  assert_list (f->writer, "d", 99, expected->str);
  assert_list (f->writer, "", 2, "d/00:@:1 d/01:@:1 ");
}

static gboolean
put_large (Fixture *f, const char *path, SvPutCondition condition, GError **error)
{
  SvPutOptions options = { .condition = condition, .content_type = "video/mp4" };
  return sv_object_store_put_file (f->writer, "private/clips/ab", path, &options, error);
}

static void
test_parts (Fixture *f)
{
  GError *error = NULL;
  gsize length = 11 * MEBIBYTE + 17, found_length;
  g_autofree char *source = scratch_path (f->folder, "source"), *target = scratch_path (f->folder, "target");
  g_autofree char *content = large_content (length), *found = NULL;
  g_assert_true (g_file_set_contents (source, content, (gssize)length, NULL));
  sv_s3_store_set_sizes (f->writer, 5 * MEBIBYTE, 0);
  g_assert_true (put_large (f, source, SV_PUT_ALWAYS, &error));
  g_assert_no_error (error);
  int fd = open (target, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_true (sv_object_store_get_file (f->writer, "private/clips/ab", fd, length, &error));
  g_assert_no_error (error);
  close (fd);
  g_assert_true (g_file_get_contents (target, &found, &found_length, NULL));
  g_assert_cmpmem (found, found_length, content, length);

  if (!put_large (f, source, SV_PUT_ONCE, &error))
    g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  g_clear_error (&error);
  assert_fails (put_large (f, source, SV_PUT_IF_ABSENT, refusal), SV_ERROR_CONFLICT);
}

static SvHttpResponse *
ask (const char *method, const char *url)
{
  GError *error = NULL;
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  SvHttpRequest request = { .method = method, .url = url, .limits = SV_HTTP_LIMITS_DEFAULT };
  SvHttpResponse *response = sv_http_perform (client, &request, &error);
  g_assert_no_error (error);
  return response;
}

static guint
status_of (const char *method, const char *url)
{
  g_autoptr (SvHttpResponse) response = ask (method, url);
  return response->status;
}

static char *
presign (Fixture *f, const char *key, guint seconds)
{
  GError *error = NULL;
  char *url = sv_object_store_presign (f->writer, key, seconds, &error);
  g_assert_no_error (error);
  g_assert_nonnull (url);
  return url;
}

static void
test_headers (Fixture *f)
{
  GError *error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("{}", 2);
  SvPutOptions options = { .condition = SV_PUT_ALWAYS, .content_type = "application/json", .cache_control = SV_CACHE_INDEX };
  g_free (sv_object_store_put (f->writer, "scorevision/index.json", bytes, &options, &error));
  g_assert_no_error (error);
  g_autofree char *url = presign (f, "scorevision/index.json", 60);
  g_autoptr (SvHttpResponse) response = ask ("GET", url);
  g_assert_cmpuint (response->status, ==, 200);
  g_assert_cmpstr (sv_http_response_header (response, "content-type"), ==, "application/json");
  g_assert_cmpstr (sv_http_response_header (response, "cache-control"), ==, SV_CACHE_INDEX);
}

static void
test_presigned (Fixture *f)
{
  g_free (put (f->writer, "private/clips/ab", "content"));
  g_free (put (f->writer, "private/clips/ac", "other"));
  g_autofree char *url = presign (f, "private/clips/ab", 900);
  g_autoptr (SvHttpResponse) response = ask ("GET", url);
  g_assert_cmpuint (response->status, ==, 200);
  g_assert_cmpmem (g_bytes_get_data (response->body, NULL), response->body_length, "content", 7);
  g_assert_cmpuint (status_of ("PUT", url), ==, 403);
  g_assert_cmpuint (status_of ("DELETE", url), ==, 403);
  g_autofree char *other = g_strdup (url);
  strstr (other, "/ab?")[2] = 'c';
  g_assert_cmpuint (status_of ("GET", other), ==, 403);
  strstr (other, "/ac?")[4] = '\0';
  g_assert_cmpuint (status_of ("GET", other), ==, 403);

  g_autofree char *brief = presign (f, "private/clips/ab", 1);
  gint64 deadline = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;
  while (status_of ("GET", brief) == 200 && g_get_monotonic_time () < deadline)
    g_usleep (50000);
  g_assert_cmpuint (status_of ("GET", brief), ==, 403);
  assert_fails (sv_object_store_presign (f->writer, "private/clips/ab", 604801, refusal), SV_ERROR_USAGE);
  assert_fails (sv_object_store_presign (f->writer, "../ab", 60, refusal), SV_ERROR_MALFORMED);
}

/* The fixture's store with other settings; (NULL-terminated) pairs of name and value. */
static SvObjectStore *
open_with (const Fixture *f, const char *const *settings)
{
  GError *error = NULL;
  g_autoptr (SvConfig) config = store_config ();
  for (; *settings != NULL; settings += 2)
    sv_config_set (config, settings[0], *settings[1] != '\0' ? settings[1] : NULL);
  SvObjectStore *store = sv_object_store_open (f->write_url, config, &error);
  g_assert_no_error (error);
  return store;
}

static gboolean
try_get (SvObjectStore *store, const char *key, GError **error)
{
  SvGetOptions options = { .max_size = 1024 };
  g_autoptr (SvObject) object = sv_object_store_get (store, key, &options, NULL, error);
  return object != NULL;
}

static gboolean
try_put (SvObjectStore *store, const char *key, SvPutCondition condition, GError **error)
{
  g_autofree char *etag = put_as (store, key, "x", condition, NULL, error);
  return etag != NULL;
}

static gboolean
ignore_key (const char *key, guint64 size, gpointer data)
{
  return TRUE;
}

static void
test_anonymous (Fixture *f)
{
  static const char *const settings[] = { "R2_WRITE_ACCESS_KEY_ID", "", "R2_WRITE_SECRET_ACCESS_KEY", "", NULL };
  g_free (put (f->writer, "scorevision/index.json", "{}"));
  g_free (put (f->writer, "private/clips/ab", "clip"));
  g_autoptr (SvObjectStore) store = open_with (f, settings);
  assert_content (store, "scorevision/index.json", "{}");
  assert_fails_saying (try_get (store, "private/clips/ab", refusal), SV_ERROR_USAGE, "R2_WRITE_ACCESS_KEY_ID");
  assert_fails_saying (try_put (store, "scorevision/a", SV_PUT_ALWAYS, refusal), SV_ERROR_USAGE, "R2_WRITE_ACCESS_KEY_ID");
  assert_fails_saying (try_put (store, "scorevision/a", SV_PUT_IF_ABSENT, refusal), SV_ERROR_USAGE, "R2_WRITE_ACCESS_KEY_ID");
  assert_fails_saying (sv_object_store_delete (store, "scorevision/index.json", refusal), SV_ERROR_USAGE,
                       "R2_WRITE_ACCESS_KEY_ID");
  assert_fails_saying (sv_object_store_presign (store, "private/clips/ab", 60, refusal), SV_ERROR_USAGE,
                       "R2_WRITE_ACCESS_KEY_ID");
  assert_fails (sv_object_store_list (store, "", ignore_key, NULL, refusal), SV_ERROR_USAGE);
  assert_content (f->writer, "scorevision/index.json", "{}");
}

static char *
memory_of (SvObjectStore *store)
{
  char *text = NULL;
  g_file_get_contents (((SvS3Store *)store)->memory_path, &text, NULL, NULL);
  return text;
}

static void
assert_memory_says (SvObjectStore *store, const char *part)
{
  g_autofree char *memory = memory_of (store);
  g_assert_nonnull (memory);
  g_assert_nonnull (strstr (memory, part));
}

static void
test_probe (Fixture *f)
{
  g_free (put (f->writer, "a", "one"));
  g_assert_null (memory_of (f->writer));
  g_assert_true (try_put (f->writer, "b", SV_PUT_IF_ABSENT, NULL));
  assert_memory_says (f->writer, "\"if_none_match\":true");
  assert_list (f->writer, "private", 99, "");

  g_autofree char *before = memory_of (f->writer);
  g_autoptr (SvObjectStore) second = open_store (f->write_url);
  g_assert_true (try_put (second, "c", SV_PUT_IF_ABSENT, NULL));
  g_autofree char *after = memory_of (second);
  g_assert_cmpstr (before, ==, after);
}

/* As if the server had been replaced by one that wants the other form. */
static void
test_replaced_server (Fixture *f)
{
  GError *error = NULL;
  g_assert_true (try_put (f->writer, "b", SV_PUT_IF_ABSENT, NULL));
  SvS3Store *store = (SvS3Store *)f->writer;
  SvS3MatchForm right = store->conditions.match;
  g_assert_cmpint (right, !=, SV_S3_MATCH_NONE);
  store->conditions.match = right == SV_S3_MATCH_BARE ? SV_S3_MATCH_QUOTED : SV_S3_MATCH_BARE;
  g_autofree char *first = put (f->writer, "a", "one");
  g_autofree char *second = put_as (f->writer, "a", "two", SV_PUT_IF_MATCHES, first, &error);
  g_assert_no_error (error);
  g_assert_nonnull (second);
  g_assert_cmpint (store->conditions.match, ==, right);
  assert_content (f->writer, "a", "two");
  assert_fails (put_as (f->writer, "a", "three", SV_PUT_IF_MATCHES, first, refusal), SV_ERROR_CONFLICT);
}

static void
test_wrong_settings (Fixture *f)
{
  static const char *const wrong_id[] = { "R2_WRITE_ACCESS_KEY_ID", "nobody", NULL };
  static const char *const wrong_secret[] = { "R2_WRITE_SECRET_ACCESS_KEY", "not-this-one-4711", NULL };
  g_autoptr (SvObjectStore) nobody = open_with (f, wrong_id);
  g_autoptr (SvObjectStore) liar = open_with (f, wrong_secret);
  g_autoptr (SvObjectStore) nowhere = open_store ("s3://no-such-bucket");
  assert_fails_saying (try_get (nobody, "a", refusal), SV_ERROR_USAGE, "R2_WRITE_ACCESS_KEY_ID");
  assert_fails_saying (sv_object_store_head (nobody, "a", NULL, refusal), SV_ERROR_USAGE, "R2_WRITE_ACCESS_KEY_ID");
  assert_fails_saying (try_put (liar, "a", SV_PUT_IF_ABSENT, refusal), SV_ERROR_USAGE, "R2_WRITE_SECRET_ACCESS_KEY");
  assert_fails_saying (sv_object_store_head (liar, "a", NULL, refusal), SV_ERROR_USAGE, "R2_WRITE_SECRET_ACCESS_KEY");
  assert_fails_saying (try_get (nowhere, "a", refusal), SV_ERROR_USAGE, "no-such-bucket");
  assert_fails_saying (sv_object_store_head (nowhere, "a", NULL, refusal), SV_ERROR_USAGE, "create it");
  assert_fails_saying (try_put (nowhere, "a", SV_PUT_ALWAYS, refusal), SV_ERROR_USAGE, "create it");
  assert_fails_saying (try_put (nowhere, "a", SV_PUT_IF_ABSENT, refusal), SV_ERROR_USAGE, "create it");
  assert_fails_saying (sv_object_store_list (nowhere, "", ignore_key, NULL, refusal), SV_ERROR_USAGE, "create it");
  g_autoptr (GError) error = NULL;
  g_assert_false (try_get (liar, "a", &error));
  g_assert_null (strstr (error->message, "4711"));
}

static const S3Promise promises[] = {
  { "a listing goes on from page to page", test_pages },
  { "a large file goes in parts", test_parts },
  { "type and cache headers arrive", test_headers },
  { "a presigned url works for its object and time", test_presigned },
  { "without a key what is public is read", test_anonymous },
  { "conditional puts are tried out once", test_probe },
  { "a server that was replaced is found out", test_replaced_server },
  { "wrong settings are named", test_wrong_settings },
};

const S3Promise *
s3_promises (gsize *n_promises)
{
  *n_promises = G_N_ELEMENTS (promises);
  return promises;
}
