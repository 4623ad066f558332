/* What is particular to the `file:` store; what every store does is in tests/contract/test_store.c.
 *
 *  1. URLs: a directory, relative ones made absolute; an empty path, a host, an unknown scheme are usage errors
 *  2. keys: what is one and what is not
 *  3. an object lies at its key below the directory; its ETag is the hex SHA-256 of its content; private ones are the owner's
 *  4. a symbolic link is followed nowhere: not as an object, not as a folder, not when writing, not when listing or streaming
 *  5. a device, a pipe, a foreign name are not objects
 *  6. a folder where an object should be, and the reverse, is a conflict
 *  7. what a killed writer left is not listed, and is removed when it is old, not before
 *  8. a writer killed at any point leaves the old object or the new one, and the next one gets the lock
 *  9. read-only, full, and with a limit on file sizes: unreachable with what to do; the old object stays, nothing is left over
 * 10. a file in the store's place is unreachable
 * 11. folders deeper than any key do not keep the rest from being listed
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "refusal.h"
#include "scratch.h"
#include "store/object_store.h"

typedef struct
{
  char *folder;
  char *root;
  char *url;
  SvObjectStore *store;
} Fixture;

static SvObjectStore *
try_open (const char *url, GError **error)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  return sv_object_store_open (url, config, error);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  f->folder = scratch_new ();
  f->root = scratch_path (f->folder, "store");
  f->url = g_strconcat ("file:", f->root, NULL);
  f->store = try_open (f->url, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  sv_object_store_free (f->store);
  g_free (f->root);
  g_free (f->url);
  scratch_remove (f->folder);
}

static char *
put_bytes (SvObjectStore *store, const char *key, const void *data, gsize length, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  SvPutOptions options = { .condition = SV_PUT_ALWAYS };
  return sv_object_store_put (store, key, bytes, &options, error);
}

static char *
put (SvObjectStore *store, const char *key, const char *text, GError **error)
{
  return put_bytes (store, key, text, strlen (text), error);
}

static void
must_put (Fixture *f, const char *key, const char *text)
{
  GError *error = NULL;
  g_free (put (f->store, key, text, &error));
  g_assert_no_error (error);
}

static SvObject *
get (SvObjectStore *store, const char *key, GError **error)
{
  SvGetOptions options = { .max_size = 4 << 20 };
  return sv_object_store_get (store, key, &options, NULL, error);
}

static void
assert_content (SvObjectStore *store, const char *key, const char *expected)
{
  GError *error = NULL;
  g_autoptr (SvObject) object = get (store, key, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (object->bytes, NULL), g_bytes_get_size (object->bytes), expected, strlen (expected));
}

static gboolean
append_key (const char *key, guint64 size, gpointer keys)
{
  g_string_append_printf (keys, "%s ", key);
  return TRUE;
}

static void
assert_list (SvObjectStore *store, const char *expected)
{
  GError *error = NULL;
  g_autoptr (GString) keys = g_string_new (NULL);
  g_assert_true (sv_object_store_list (store, "", append_key, keys, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (keys->str, ==, expected);
}

/* ── 1, 2 ── */

static void
test_urls (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  g_autoptr (SvObjectStore) relative = try_open ("file:some/store", &error);
  g_autofree char *folder = g_get_current_dir ();
  g_autofree char *expected = g_strdup_printf ("file:%s/some/store", folder);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_object_store_url (relative), ==, expected);
  g_autoptr (SvObjectStore) slashes = try_open ("file:///srv/store", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_object_store_url (slashes), ==, "file:/srv/store");

  static const char *const bad[] = { "",         "file:",           "file://host/path", "/srv/store", "ftp://host/",
                                     "https://", "http://u:p@host/" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_fails (try_open (bad[i], refusal), SV_ERROR_USAGE);
  assert_fails_saying (try_open ("ftp://bucket", refusal), SV_ERROR_USAGE,
                       "file:PATH and s3://BUCKET are written and read, http(s):");
  assert_fails (try_open ("https://host/path?x=1", refusal), SV_ERROR_USAGE);
}

static void
test_keys (Fixture *f, gconstpointer data)
{
  static const char *const good[] = { "a", "scorevision/index.json", "a/...", ".a", "manifests/sha256:ab.json", "A_b-c@1.0/x" };
  static const char *const bad[] = { "",       "/",   ".",   "..",   "/a",   "a/",   "a//b", "./a",     "a/..",
                                     "a/../b", "a b", "a?b", "a%2e", "a\\b", "a\tb", "a~",   "\xc3\xa9" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (sv_object_key_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (sv_object_key_is_valid (bad[i]));
  g_assert_false (sv_object_key_is_valid (NULL));

  g_autofree char *part = g_strnfill (255, 'a'), *long_part = g_strnfill (256, 'a');
  g_assert_true (sv_object_key_is_valid (part));
  g_assert_false (sv_object_key_is_valid (long_part));
  g_autofree char *key = g_strjoin ("/", part, part, part, part, NULL); /* 1023 bytes */
  g_autofree char *longer = g_strconcat (key, "/b", NULL);
  g_assert_true (sv_object_key_is_valid (key));
  g_assert_false (sv_object_key_is_valid (longer));
}

/* ── 3 ── */

static guint
mode_of (Fixture *f, const char *key)
{
  struct stat status;
  g_autofree char *path = scratch_path (f->root, key);
  g_assert_cmpint (stat (path, &status), ==, 0);
  return status.st_mode & 0777;
}

static void
test_layout (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  mode_t umask_before = umask (022);
  g_autofree char *etag = put (f->store, "scorevision/index.json", "{}", &error);
  must_put (f, "private/clips/ab", "clip");
  umask (umask_before);
  g_autofree char *hash = sv_hash_bytes ("{}", 2);
  g_assert_cmpstr (etag, ==, sv_hash_hex (hash));

  g_autofree char *path = scratch_path (f->root, "scorevision/index.json");
  g_autofree char *local = sv_object_store_local_path (f->store, "scorevision/index.json");
  g_assert_cmpstr (local, ==, path);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  g_assert_cmpuint (mode_of (f, "scorevision/index.json"), ==, 0644);
  g_assert_cmpuint (mode_of (f, "private/clips"), ==, 0700);
  g_assert_cmpuint (mode_of (f, "private/clips/ab"), ==, 0600);
}

/* ── 4, 5, 6 ── */

static void
make_link (Fixture *f, const char *target, const char *key)
{
  g_autofree char *path = scratch_path (f->root, key);
  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
test_links (Fixture *f, gconstpointer data)
{
  g_autofree char *outside = scratch_path (f->folder, "outside");
  g_autofree char *secret = scratch_path (outside, "secret");
  g_assert_cmpint (mkdir (outside, 0755), ==, 0);
  g_assert_true (g_file_set_contents (secret, "secret", -1, NULL));
  must_put (f, "a/plain", "plain");
  make_link (f, secret, "a/object");
  make_link (f, outside, "folder");
  make_link (f, "plain", "a/inside");

  static const char *const keys[] = { "a/object", "folder/secret", "a/inside" };
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
  {
    assert_fails_saying (get (f->store, keys[i], refusal), SV_ERROR_POLICY, "symbolic link");
    assert_fails (sv_object_store_head (f->store, keys[i], NULL, refusal), SV_ERROR_POLICY);
    g_assert_null (sv_object_store_local_path (f->store, keys[i]));
  }
  assert_fails (put (f->store, "folder/new", "x", refusal), SV_ERROR_POLICY);
  assert_fails (sv_object_store_delete (f->store, "folder/secret", refusal), SV_ERROR_POLICY);
  assert_list (f->store, "a/plain ");

  must_put (f, "a/object", "replaces the link, not what it leads to");
  assert_content (f->store, "a/object", "replaces the link, not what it leads to");
  g_autofree char *content = NULL;
  g_assert_true (g_file_get_contents (secret, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "secret");
}

static void
test_other_files (Fixture *f, gconstpointer data)
{
  must_put (f, "a", "object");
  g_autofree char *pipe_path = scratch_path (f->root, "pipe");
  g_autofree char *foreign = scratch_path (f->root, "not a key");
  g_assert_cmpint (mkfifo (pipe_path, 0644), ==, 0);
  g_assert_true (g_file_set_contents (foreign, "x", -1, NULL));
  assert_list (f->store, "a ");
  assert_fails (get (f->store, "pipe", refusal), SV_ERROR_POLICY);
}

static void
test_names_in_the_way (Fixture *f, gconstpointer data)
{
  must_put (f, "a", "object");
  must_put (f, "folder/b", "object");
  assert_fails (put (f->store, "a/b", "x", refusal), SV_ERROR_CONFLICT);
  assert_fails (put (f->store, "folder", "x", refusal), SV_ERROR_CONFLICT);
  assert_list (f->store, "a folder/b ");
}

/* ── 7, 8 ── */

static guint
count_incoming (Fixture *f)
{
  guint n = 0;
  g_autofree char *path = scratch_path (f->root, ".~incoming");
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  g_assert_nonnull (folder);
  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}

static void
leave_behind (Fixture *f, const char *name, time_t age_s)
{
  g_autofree char *folder = scratch_path (f->root, ".~incoming");
  g_autofree char *path = scratch_path (folder, name);
  g_assert_true (g_file_set_contents (path, "half", -1, NULL));
  struct timespec times[2] = { { time (NULL) - age_s, 0 }, { time (NULL) - age_s, 0 } };
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
}

static void
test_leftovers (Fixture *f, gconstpointer data)
{
  must_put (f, "a", "object");
  g_assert_cmpuint (count_incoming (f), ==, 0);
  leave_behind (f, "old", 2 * 3600);
  leave_behind (f, "young", 60);
  assert_list (f->store, "a ");
  must_put (f, "a", "object");
  g_assert_cmpuint (count_incoming (f), ==, 1);
  assert_list (f->store, "a ");
}

#define OBJECT_SIZE (200 * 1024)

typedef struct
{
  Fixture *fixture;
  int ready; /* a pipe: closed by the child's death at the latest */
} Writer;

/* Puts objects of one repeated byte each, for ever. */
static int
put_for_ever (gpointer data)
{
  const Writer *writer = data;
  g_autofree char *content = g_malloc (OBJECT_SIZE);
  for (int i = 0;; i++)
  {
    memset (content, 'a' + i % 26, OBJECT_SIZE);
    g_autoptr (GError) error = NULL;
    g_autofree char *etag = put_bytes (writer->fixture->store, "x/object", content, OBJECT_SIZE, &error);
    if (etag == NULL)
    {
      g_printerr ("# %s\n", error->message);
      return 1;
    }
    if (i == 0 && write (writer->ready, "r", 1) != 1)
      return 1;
  }
}

static void
kill_a_writer (Fixture *f, guint after_us)
{
  int ends[2];
  char byte;
  g_assert_cmpint (pipe (ends), ==, 0);
  Writer writer = { f, ends[1] };
  pid_t child = child_start (put_for_ever, &writer);
  close (ends[1]);
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 1);
  close (ends[0]);
  g_usleep (after_us);
  kill (child, SIGKILL);
  g_assert_cmpint (child_wait (child), ==, 128 + SIGKILL);
}

static void
assert_uniform (Fixture *f)
{
  GError *error = NULL;
  g_autoptr (SvObject) object = get (f->store, "x/object", &error);
  g_assert_no_error (error);
  gsize length;
  const char *bytes = g_bytes_get_data (object->bytes, &length);
  g_assert_cmpuint (length, ==, OBJECT_SIZE);
  g_assert_cmpint (memcmp (bytes, bytes + 1, length - 1), ==, 0);
}

static void
test_killed_writers (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 25; i++)
  {
    kill_a_writer (f, (guint)g_test_rand_int_range (0, 4000));
    assert_uniform (f);
    assert_list (f->store, "x/object ");
  }
  must_put (f, "x/object", "the lock is free");
  assert_content (f->store, "x/object", "the lock is free");
}

/* ── 9, 10: each runs in a child that has its own mounts or limits, and exits with the number of the check that failed ── */

static gboolean
is_refused (SvObjectStore *store, gsize size, const char *advice)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *content = g_malloc0 (size);
  g_autofree char *etag = put_bytes (store, "a", content, size, &error);
  if (etag == NULL && g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE) && strstr (error->message, advice) != NULL)
    return TRUE;
  g_printerr ("# etag %s, error %s\n", etag, error == NULL ? "none" : error->message);
  return FALSE;
}

static gboolean
is_read (SvObjectStore *store, const char *key, const char *expected)
{
  g_autoptr (SvObject) object = get (store, key, NULL);
  return object != NULL && g_bytes_get_size (object->bytes) == strlen (expected) &&
         memcmp (g_bytes_get_data (object->bytes, NULL), expected, strlen (expected)) == 0;
}

static int
use_read_only (gpointer data)
{
  Fixture *f = data;
  if (!mount_read_only (f->root))
    return CHILD_MAY_NOT;
  if (!is_refused (f->store, 10, "mount its file system writable"))
    return 1;
  g_autoptr (GError) error = NULL;
  if (sv_object_store_delete (f->store, "a", &error) || !g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE))
    return 2;
  return is_read (f->store, "a", "before") ? 0 : 3;
}

static int
use_full (gpointer data)
{
  Fixture *f = data;
  if (!mount_tiny (f->root, 256 * 1024))
    return CHILD_MAY_NOT;
  must_put (f, "a", "small");
  if (!is_refused (f->store, 1 << 20, "free some space and run the same command again"))
    return 1;
  if (!is_read (f->store, "a", "small"))
    return 2;
  return count_incoming (f) == 0 ? 0 : 3;
}

static int
use_limited (gpointer data)
{
  Fixture *f = data;
  struct rlimit limit = { 64 * 1024, 64 * 1024 };
  signal (SIGXFSZ, SIG_IGN);
  if (setrlimit (RLIMIT_FSIZE, &limit) != 0)
    return CHILD_MAY_NOT;
  if (!is_refused (f->store, 1 << 20, "ulimit -f"))
    return 1;
  if (!is_read (f->store, "a", "before"))
    return 2;
  return count_incoming (f) == 0 ? 0 : 3;
}

static void
assert_child (int status)
{
  if (status == CHILD_MAY_NOT)
    g_test_skip ("NOT TESTED: this machine lets no test mount a file system");
  else
    g_assert_cmpint (status, ==, 0);
}

static void
test_read_only (Fixture *f, gconstpointer data)
{
  must_put (f, "a", "before");
  assert_child (child_with_own_mounts (use_read_only, f));
}

static void
test_full (Fixture *f, gconstpointer data)
{
  must_put (f, "a", "before");
  assert_child (child_with_own_mounts (use_full, f));
}

static void
test_limited (Fixture *f, gconstpointer data)
{
  must_put (f, "a", "before");
  assert_child (child_wait (child_start (use_limited, f)));
}

static void
test_file_in_its_place (Fixture *f, gconstpointer data)
{
  g_assert_true (g_file_set_contents (f->root, "a file", -1, NULL));
  assert_fails (get (f->store, "a", refusal), SV_ERROR_UNREACHABLE);
  assert_fails (put (f->store, "a", "x", refusal), SV_ERROR_UNREACHABLE);
}

/* A folder in a folder in a folder, deeper than any key and than there are descriptors. */
static void
test_depth (Fixture *f, gconstpointer data)
{
  struct rlimit before;
  must_put (f, "b", "content");
  g_autoptr (GString) deep = g_string_new (f->root);
  for (guint i = 0; i < 700; i++)
    g_string_append (deep, "/a");
  g_assert_cmpint (g_mkdir_with_parents (deep->str, 0755), ==, 0);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  struct rlimit few = { .rlim_cur = 600, .rlim_max = before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &few), ==, 0);
  assert_list (f->store, "b ");
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const struct
  {
    const char *path;
    void (*run) (Fixture *fixture, gconstpointer data);
  } cases[] = {
    { "/file-store/urls", test_urls },
    { "/file-store/keys", test_keys },
    { "/file-store/objects lie at their keys", test_layout },
    { "/file-store/symbolic links are not followed", test_links },
    { "/file-store/pipes and foreign names are not objects", test_other_files },
    { "/file-store/a folder in an object's place is a conflict", test_names_in_the_way },
    { "/file-store/what lies too deep for a key is not listed", test_depth },
    { "/file-store/leftovers are not listed and go when old", test_leftovers },
    { "/file-store/a killed writer leaves a whole object", test_killed_writers },
    { "/file-store/read-only", test_read_only },
    { "/file-store/full", test_full },
    { "/file-store/limited file size", test_limited },
    { "/file-store/a file in the store's place", test_file_in_its_place },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add (cases[i].path, Fixture, NULL, set_up, cases[i].run, tear_down);
  return g_test_run ();
}
