/* What every store engine must do, as object_store.h promises it. An engine enters by a row in `engines`: how to have an empty
 * store to write to, and one to read the same content through.
 *
 * For engines that write:
 *  1. what was put is read back whole, with the ETag that putting told; also an empty object
 *  2. put if absent: once
 *  3. put if it matches: with the present ETag only, never where there is nothing
 *  4. put from a file, of more than one buffer, under the same conditions
 *  5. list: below a folder, in byte order of keys, until told to stop; nothing for a folder that is not there
 *  6. delete, also of what is not there
 *  7. ten processes that compare and swap lose no update
 *  8. ten processes that put if absent: one succeeds
 *  9. put once: what is there stays
 * For every engine:
 * 10. read: content, ETag, size
 * 11. what is not there is not found
 * 12. a known ETag spares the content, until it changes
 * 13. an object of exactly the limit is read, a larger one is malformed
 * 14. a large object goes to a file, under the same limit
 * 15. what is not a key is malformed, whatever is asked
 * For engines that only read:
 * 16. changing and listing are refused by policy
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "refusal.h"
#include "scratch.h"
#include "store_fixture.h"

static S3Gateway *gateway; /* one for the whole suite */
static char *home;

typedef struct
{
  const char *name;
  gboolean writes;
  void (*set_up) (Fixture *fixture);
} Engine;

static void
set_up_file (Fixture *fixture)
{
  fixture->write_url = g_strdup_printf ("file:%s/store", fixture->folder);
  fixture->read_url = g_strdup (fixture->write_url);
}

static void
set_up_http (Fixture *fixture)
{
  g_autofree char *folder = scratch_path (fixture->folder, "store");
  fixture->server = folder_server_new (folder);
  fixture->write_url = g_strdup_printf ("file:%s", folder);
  fixture->read_url = g_strconcat (folder_server_url (fixture->server), "/", NULL);
}

/* A bucket of its own. */
static void
set_up_s3 (Fixture *fixture)
{
  static guint n_buckets;
  GError *error = NULL;
  g_autoptr (SvConfig) config = store_config ();
  g_autofree char *bucket = g_strdup_printf ("contract-%u", ++n_buckets);
  g_assert_true (s3_bucket_make (config, bucket, &error));
  g_assert_no_error (error);
  fixture->write_url = g_strconcat ("s3://", bucket, NULL);
  fixture->read_url = g_strdup (fixture->write_url);
}

static const Engine engines[] = {
  { "file", TRUE, set_up_file },
  { "http", FALSE, set_up_http },
  { "s3", TRUE, set_up_s3 },
};

SvConfig *
store_config (void)
{
  SvConfig *config = sv_config_new ();
  sv_config_set (config, "SCOREVISION_HOME", home);
  if (gateway != NULL)
    s3_gateway_configure (gateway, config);
  return config;
}

SvObjectStore *
open_store (const char *url)
{
  GError *error = NULL;
  g_autoptr (SvConfig) config = store_config ();
  SvObjectStore *store = sv_object_store_open (url, config, &error);
  g_assert_no_error (error);
  return store;
}

/* ── short forms ── */

char *
put_as (SvObjectStore *store, const char *key, const char *text, SvPutCondition condition, const char *etag, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  SvPutOptions options = { .condition = condition, .etag = etag };
  return sv_object_store_put (store, key, bytes, &options, error);
}

char *
put (SvObjectStore *store, const char *key, const char *text)
{
  GError *error = NULL;
  char *etag = put_as (store, key, text, SV_PUT_ALWAYS, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (etag);
  return etag;
}

SvObject *
get (SvObjectStore *store, const char *key)
{
  GError *error = NULL;
  SvGetOptions options = { .max_size = 1 << 20 };
  SvObject *object = sv_object_store_get (store, key, &options, NULL, &error);
  g_assert_no_error (error);
  return object;
}

void
assert_content (SvObjectStore *store, const char *key, const char *expected)
{
  g_autoptr (SvObject) object = get (store, key);
  g_assert_cmpmem (g_bytes_get_data (object->bytes, NULL), g_bytes_get_size (object->bytes), expected, strlen (expected));
}

#define LARGE_SIZE (3 * 1024 * 1024 + 17) /* more than any engine's buffer */

char *
large_content (gsize length)
{
  char *content = g_malloc (length);
  for (gsize i = 0; i < length; i++)
    content[i] = (char)(i * 31 % 251);
  return content;
}

/* ── engines that write ── */

static void
test_round_trip (Fixture *f)
{
  g_autofree char *etag = put (f->writer, "scorevision/index.json", "{}");
  g_autoptr (SvObject) object = get (f->writer, "scorevision/index.json");
  assert_content (f->writer, "scorevision/index.json", "{}");
  g_assert_cmpstr (object->etag, ==, etag);

  g_autofree char *other = put (f->writer, "scorevision/index.json", "{\"a\":1}");
  g_assert_cmpstr (other, !=, etag);
  assert_content (f->writer, "scorevision/index.json", "{\"a\":1}");

  g_free (put (f->writer, "empty", ""));
  assert_content (f->writer, "empty", "");
}

static void
test_put_if_absent (Fixture *f)
{
  GError *error = NULL;
  g_autofree char *etag = put_as (f->writer, "a/b", "first", SV_PUT_IF_ABSENT, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (etag);
  assert_fails (put_as (f->writer, "a/b", "second", SV_PUT_IF_ABSENT, NULL, refusal), SV_ERROR_CONFLICT);
  assert_content (f->writer, "a/b", "first");
}

/* An engine may say that it is there, or write the same again. */
static void
test_put_once (Fixture *f)
{
  GError *error = NULL;
  g_autofree char *first = put_as (f->writer, "scorevision/manifests/ab.json", "content", SV_PUT_ONCE, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (first);
  g_autofree char *second = put_as (f->writer, "scorevision/manifests/ab.json", "content", SV_PUT_ONCE, NULL, &error);
  if (second == NULL)
    g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  g_clear_error (&error);
  assert_content (f->writer, "scorevision/manifests/ab.json", "content");
}

static void
test_put_if_matches (Fixture *f)
{
  GError *error = NULL;
  assert_fails (put_as (f->writer, "a", "x", SV_PUT_IF_MATCHES, "0000", refusal), SV_ERROR_CONFLICT);
  assert_fails (sv_object_store_head (f->writer, "a", NULL, refusal), SV_ERROR_NOT_FOUND);

  g_autofree char *first = put (f->writer, "a", "first");
  g_autofree char *second = put_as (f->writer, "a", "second", SV_PUT_IF_MATCHES, first, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (second, !=, first);
  assert_fails (put_as (f->writer, "a", "third", SV_PUT_IF_MATCHES, first, refusal), SV_ERROR_CONFLICT);
  assert_content (f->writer, "a", "second");
}

static gboolean
put_file (Fixture *f, const char *path, SvPutCondition condition, GError **error)
{
  SvPutOptions options = { .condition = condition };
  return sv_object_store_put_file (f->writer, "private/clips/ab", path, &options, error);
}

static void
test_put_file (Fixture *f)
{
  GError *error = NULL;
  gsize length = LARGE_SIZE;
  g_autofree char *path = scratch_path (f->folder, "source");
  g_autofree char *content = large_content (length);
  g_assert_true (g_file_set_contents (path, content, (gssize)length, NULL));

  g_assert_true (put_file (f, path, SV_PUT_IF_ABSENT, &error));
  g_assert_no_error (error);
  SvGetOptions options = { .max_size = length };
  g_autoptr (SvObject) object = sv_object_store_get (f->writer, "private/clips/ab", &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (object->bytes, NULL), g_bytes_get_size (object->bytes), content, length);

  assert_fails (put_file (f, path, SV_PUT_IF_ABSENT, refusal), SV_ERROR_CONFLICT);
  g_autofree char *missing = scratch_path (f->folder, "missing");
  assert_fails (put_file (f, missing, SV_PUT_ALWAYS, refusal), SV_ERROR_NOT_FOUND);
  assert_fails (put_file (f, f->folder, SV_PUT_ALWAYS, refusal), SV_ERROR_MALFORMED);
}

typedef struct
{
  GString *keys; /* "key:size " */
  guint left;
} Visit;

static gboolean
note_key (const char *key, guint64 size, gpointer data)
{
  Visit *visit = data;
  g_string_append_printf (visit->keys, "%s:%" G_GUINT64_FORMAT " ", key, size);
  return --visit->left > 0;
}

static char *
list (SvObjectStore *store, const char *prefix, guint at_most)
{
  GError *error = NULL;
  Visit visit = { g_string_new (NULL), at_most };
  g_assert_true (sv_object_store_list (store, prefix, note_key, &visit, &error));
  g_assert_no_error (error);
  return g_string_free (visit.keys, FALSE);
}

void
assert_list (SvObjectStore *store, const char *prefix, guint at_most, const char *expected)
{
  g_autofree char *found = list (store, prefix, at_most);
  g_assert_cmpstr (found, ==, expected);
}

static void
test_list (Fixture *f)
{
  assert_list (f->writer, "", 99, "");
  static const char *const keys[] = { "a0", "a/z", "a/b/c", "a-b", "a/b-c", "b" };
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    g_free (put (f->writer, keys[i], keys[i]));
  assert_list (f->writer, "", 99, "a-b:3 a/b-c:5 a/b/c:5 a/z:3 a0:2 b:1 ");
  assert_list (f->writer, "a", 99, "a/b-c:5 a/b/c:5 a/z:3 ");
  assert_list (f->writer, "a/", 99, "a/b-c:5 a/b/c:5 a/z:3 ");
  assert_list (f->writer, "a/b", 99, "a/b/c:5 ");
  assert_list (f->writer, "missing", 99, "");
  assert_list (f->writer, "missing/folder", 99, "");
  assert_list (f->writer, "", 3, "a-b:3 a/b-c:5 a/b/c:5 ");
}

static void
test_delete (Fixture *f)
{
  GError *error = NULL;
  g_assert_true (sv_object_store_delete (f->writer, "a/b", &error));
  g_assert_no_error (error);
  g_free (put (f->writer, "a/b", "x"));
  g_assert_true (sv_object_store_delete (f->writer, "a/b", &error));
  g_assert_true (sv_object_store_delete (f->writer, "a/b", &error));
  g_assert_no_error (error);
  assert_fails (sv_object_store_head (f->writer, "a/b", NULL, refusal), SV_ERROR_NOT_FOUND);
  assert_list (f->writer, "", 99, "");
}

#define N_PROCESSES 10

/* A put over HTTP takes long enough for them to meet. */
static int
n_swaps (const char *url)
{
  return g_str_has_prefix (url, "s3:") ? 6 : 20;
}

/* Reads a number, adds one, puts it back if nobody came in between. */
static gboolean
increment (SvObjectStore *store)
{
  SvGetOptions options = { .max_size = 64 };
  g_autoptr (SvObject) object = sv_object_store_get (store, "counter", &options, NULL, NULL);
  if (object == NULL)
    return FALSE;
  g_autofree char *text = g_strndup (g_bytes_get_data (object->bytes, NULL), g_bytes_get_size (object->bytes));
  g_autofree char *next = g_strdup_printf ("%d", atoi (text) + 1);
  g_autofree char *etag = put_as (store, "counter", next, SV_PUT_IF_MATCHES, object->etag, NULL);
  return etag != NULL;
}

static int
increment_often (gpointer data)
{
  g_autoptr (SvObjectStore) store = open_store (data);
  for (int done = 0, tries = 0; done < n_swaps (data); tries++)
  {
    done += increment (store);
    if (tries > 100000)
      return 1;
  }
  return 0;
}

static guint
run_processes (ChildFunc work, gpointer data)
{
  guint n_failed = 0;
  pid_t children[N_PROCESSES];
  for (int i = 0; i < N_PROCESSES; i++)
    children[i] = child_start (work, data);
  for (int i = 0; i < N_PROCESSES; i++)
    n_failed += child_wait (children[i]) != 0;
  return n_failed;
}

static void
test_swaps_of_processes (Fixture *f)
{
  g_free (put (f->writer, "counter", "0"));
  g_assert_cmpuint (run_processes (increment_often, f->write_url), ==, 0);
  g_autofree char *expected = g_strdup_printf ("%d", N_PROCESSES * n_swaps (f->write_url));
  assert_content (f->writer, "counter", expected);
}

static int
create_once (gpointer data)
{
  g_autoptr (SvObjectStore) store = open_store (data);
  g_autofree char *etag = put_as (store, "scorevision/new/object", "mine", SV_PUT_IF_ABSENT, NULL, NULL);
  return etag == NULL;
}

static void
test_creation_by_processes (Fixture *f)
{
  g_assert_cmpuint (run_processes (create_once, f->write_url), ==, N_PROCESSES - 1);
}

/* ── every engine ── */

static void
test_read (Fixture *f)
{
  guint64 size;
  GError *error = NULL;
  g_free (put (f->writer, "scorevision/manifests/sha256:ab.json", "content"));
  g_autoptr (SvObject) object = get (f->reader, "scorevision/manifests/sha256:ab.json");
  assert_content (f->reader, "scorevision/manifests/sha256:ab.json", "content");
  g_assert_nonnull (object->etag);
  g_assert_true (sv_object_store_head (f->reader, "scorevision/manifests/sha256:ab.json", &size, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, strlen ("content"));
}

static void
test_not_found (Fixture *f)
{
  SvGetOptions options = { .max_size = 64 };
  assert_fails (sv_object_store_get (f->reader, "a/b", &options, NULL, refusal), SV_ERROR_NOT_FOUND);
  assert_fails (sv_object_store_head (f->reader, "a/b", NULL, refusal), SV_ERROR_NOT_FOUND);
  g_free (put (f->writer, "a", "an object where a folder is asked for"));
  assert_fails (sv_object_store_get (f->reader, "a/b", &options, NULL, refusal), SV_ERROR_NOT_FOUND);
  g_free (put (f->writer, "folder/b", "a folder where an object is asked for"));
  assert_fails (sv_object_store_get (f->reader, "folder", &options, NULL, refusal), SV_ERROR_NOT_FOUND);
}

static void
test_known_etag (Fixture *f)
{
  GError *error = NULL;
  g_free (put (f->writer, "a", "one"));
  g_autoptr (SvObject) first = get (f->reader, "a");
  gboolean unchanged = FALSE;
  SvGetOptions options = { .max_size = 64, .known_etag = first->etag };
  g_assert_null (sv_object_store_get (f->reader, "a", &options, &unchanged, &error));
  g_assert_no_error (error);
  g_assert_true (unchanged);

  g_free (put (f->writer, "a", "two"));
  g_autoptr (SvObject) second = sv_object_store_get (f->reader, "a", &options, &unchanged, &error);
  g_assert_no_error (error);
  g_assert_false (unchanged);
  g_assert_cmpmem (g_bytes_get_data (second->bytes, NULL), 3, "two", 3);
}

static void
test_size_limit (Fixture *f)
{
  GError *error = NULL;
  g_free (put (f->writer, "a", "12345678"));
  SvGetOptions exact = { .max_size = 8 }, less = { .max_size = 7 };
  g_autoptr (SvObject) object = sv_object_store_get (f->reader, "a", &exact, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (object);
  assert_fails (sv_object_store_get (f->reader, "a", &less, NULL, refusal), SV_ERROR_MALFORMED);
}

static int
open_target (Fixture *f, char **path)
{
  *path = scratch_path (f->folder, "target");
  int fd = open (*path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
test_get_file (Fixture *f)
{
  GError *error = NULL;
  gsize length = LARGE_SIZE;
  g_autofree char *content = large_content (length), *source = scratch_path (f->folder, "source");
  g_assert_true (g_file_set_contents (source, content, (gssize)length, NULL));
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  g_assert_true (sv_object_store_put_file (f->writer, "large", source, &options, &error));

  g_autofree char *path = NULL, *found = NULL;
  gsize found_length;
  int fd = open_target (f, &path);
  g_assert_true (sv_object_store_get_file (f->reader, "large", fd, length, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &found, &found_length, NULL));
  g_assert_cmpmem (found, found_length, content, length);
  assert_fails (sv_object_store_get_file (f->reader, "large", fd, length - 1, refusal), SV_ERROR_MALFORMED);
  assert_fails (sv_object_store_get_file (f->reader, "missing", fd, length, refusal), SV_ERROR_NOT_FOUND);
  close (fd);
  int full = open ("/dev/full", O_WRONLY | O_CLOEXEC);
  g_assert_cmpint (full, >=, 0);
  assert_fails (sv_object_store_get_file (f->reader, "large", full, length, refusal), SV_ERROR_FAILED);
  close (full);
}

static void
test_bad_keys (Fixture *f)
{
  static const char *const keys[] = { "", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/.", "a b", "a\\b", "a\nb", "~a", "é" };
  SvGetOptions options = { .max_size = 64 };
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    assert_fails (sv_object_store_get (f->reader, keys[i], &options, NULL, refusal), SV_ERROR_MALFORMED);
    assert_fails (sv_object_store_head (f->reader, keys[i], NULL, refusal), SV_ERROR_MALFORMED);
    assert_fails (sv_object_store_delete (f->reader, keys[i], refusal), SV_ERROR_MALFORMED);
    assert_fails (sv_object_store_get_file (f->reader, keys[i], STDERR_FILENO, 1, refusal), SV_ERROR_MALFORMED);
    assert_fails (put_as (f->reader, keys[i], "x", SV_PUT_ALWAYS, NULL, refusal), SV_ERROR_MALFORMED);
    g_assert_null (sv_object_store_local_path (f->reader, keys[i]));
  }
  Visit visit = { g_string_new (NULL), 99 };
  assert_fails (sv_object_store_list (f->writer, "../x", note_key, &visit, refusal), SV_ERROR_MALFORMED);
  assert_fails (sv_object_store_list (f->writer, "a//", note_key, &visit, refusal), SV_ERROR_MALFORMED);
  g_string_free (visit.keys, TRUE);
}

/* ── engines that only read ── */

static void
test_read_only (Fixture *f)
{
  Visit visit = { g_string_new (NULL), 99 };
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  assert_fails (put_as (f->reader, "a", "x", SV_PUT_ALWAYS, NULL, refusal), SV_ERROR_POLICY);
  assert_fails (sv_object_store_put_file (f->reader, "a", "/dev/null", &options, refusal), SV_ERROR_POLICY);
  assert_fails (sv_object_store_delete (f->reader, "a", refusal), SV_ERROR_POLICY);
  assert_fails (sv_object_store_list (f->reader, "", note_key, &visit, refusal), SV_ERROR_POLICY);
  g_string_free (visit.keys, TRUE);
}

/* ── running ── */

typedef struct
{
  const Engine *engine;
  void (*run) (Fixture *fixture);
} Case;

static void
run_case (gconstpointer data)
{
  const Case *test = data;
  if (test->engine->set_up == set_up_s3 && gateway == NULL)
  {
    g_test_skip ("no S3 server: Ceph is not installed here (scripts/install-deps)");
    return;
  }
  Fixture fixture = { .folder = scratch_new () };
  test->engine->set_up (&fixture);
  fixture.writer = open_store (fixture.write_url);
  fixture.reader = open_store (fixture.read_url);
  test->run (&fixture);
  sv_object_store_free (fixture.writer);
  sv_object_store_free (fixture.reader);
  if (fixture.server != NULL)
    folder_server_free (fixture.server);
  g_free (fixture.write_url);
  g_free (fixture.read_url);
  scratch_remove (fixture.folder);
}

typedef struct
{
  const char *name;
  enum
  {
    EVERY,
    WRITING,
    READING
  } of;
  void (*run) (Fixture *fixture);
} Promise;

static const Promise promises[] = {
  { "what was put is read back", WRITING, test_round_trip },
  { "put if absent succeeds once", WRITING, test_put_if_absent },
  { "put once leaves what is there", WRITING, test_put_once },
  { "put if it matches needs the present etag", WRITING, test_put_if_matches },
  { "a file is put under the same conditions", WRITING, test_put_file },
  { "list is complete and in order", WRITING, test_list },
  { "delete also what is not there", WRITING, test_delete },
  { "ten processes that swap lose no update", WRITING, test_swaps_of_processes },
  { "of ten processes one creates", WRITING, test_creation_by_processes },
  { "read content, etag and size", EVERY, test_read },
  { "what is not there is not found", EVERY, test_not_found },
  { "a known etag spares the content", EVERY, test_known_etag },
  { "a larger object is malformed", EVERY, test_size_limit },
  { "a large object goes to a file", EVERY, test_get_file },
  { "what is no key is malformed", EVERY, test_bad_keys },
  { "a read-only store refuses changes", READING, test_read_only },
};

static gboolean
is_for (const Promise *promise, const Engine *engine)
{
  return promise->of == EVERY || (promise->of == WRITING) == engine->writes;
}

static void
add_s3_promises (void)
{
  gsize n_promises;
  const S3Promise *own = s3_promises (&n_promises);
  for (gsize p = 0; p < n_promises; p++)
  {
    Case *test = g_new (Case, 1);
    *test = (Case){ &engines[G_N_ELEMENTS (engines) - 1], own[p].run };
    g_autofree char *path = g_strconcat ("/store/s3/", own[p].name, NULL);
    g_test_add_data_func_full (path, test, run_case, g_free);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize e = 0; e < G_N_ELEMENTS (engines); e++)
    for (gsize p = 0; p < G_N_ELEMENTS (promises); p++)
    {
      if (!is_for (&promises[p], &engines[e]))
        continue;
      Case *test = g_new (Case, 1);
      *test = (Case){ &engines[e], promises[p].run };
      g_autofree char *path = g_strdup_printf ("/store/%s/%s", engines[e].name, promises[p].name);
      g_test_add_data_func_full (path, test, run_case, g_free);
    }
  add_s3_promises ();

  char *server = scratch_new ();
  g_autofree char *reason = NULL;
  home = scratch_new ();
  gateway = s3_gateway_start (server, &reason);
  if (gateway == NULL)
    g_test_message ("%s", reason);
  int status = g_test_run ();
  s3_gateway_stop (gateway);
  scratch_remove (home);
  scratch_remove (server);
  return status;
}
