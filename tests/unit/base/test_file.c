/* Cases:
 *  read: a file, an empty one, on and over the limit, absent, below a file, a directory, a device, a pipe (which must not hang)
 *  write: new, over an old one, modes whatever the umask, missing directories, a symbolic link, a failing disk (limit on file
 *         size), no place for it; nothing is left behind by a failure; the same for what is only kept to be at hand
 *  a reader beside a writer sees whole files, also when the writer is killed
 *  create: refuses what exists; of many at once exactly one succeeds
 *  lock: keeps processes apart; ends with the descriptor; paths */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

typedef struct
{
  char *directory;
  char *path; /* in it, not there yet */
} Fixture;

static void
set_up (Fixture *f, gconstpointer unused)
{
  f->directory = g_dir_make_tmp ("sv-file-XXXXXX", NULL);
  f->path = g_build_filename (f->directory, "file", NULL);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) directory = NULL;
  const char *name;

  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    directory = g_dir_open (path, 0, NULL);
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
  {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_tree (child);
  }
  g_remove (path);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  remove_tree (f->directory);
  g_free (f->path);
  g_free (f->directory);
}

static guint
count_entries (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (directory) != NULL)
    n++;
  return n;
}

static guint
mode_of (const char *path)
{
  struct stat st;

  g_assert_cmpint (lstat (path, &st), ==, 0);
  return st.st_mode & 07777;
}

static void
assert_content (const char *path, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = sv_file_read (path, 1024, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected, strlen (expected));
}

static void
assert_unreadable (const char *path, gsize max_size, int code, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (sv_file_read (path, max_size, &error));
  g_assert_error (error, SV_ERROR, code);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, message));
}

static void
test_read (Fixture *f, gconstpointer unused)
{
  g_autofree char *large = g_strnfill (100000, 'x');
  g_autoptr (GBytes) bytes = NULL;

  g_assert_true (g_file_set_contents (f->path, "", 0, NULL));
  assert_content (f->path, "");
  g_assert_true (g_file_set_contents (f->path, large, 100000, NULL));
  bytes = sv_file_read (f->path, 100000, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), large, 100000);
  assert_unreadable (f->path, 99999, SV_ERROR_MALFORMED, "has 100000 bytes, more than the 99999 allowed");
  assert_unreadable (f->path, 0, SV_ERROR_MALFORMED, "more than the 0 allowed");
}

static void
test_read_what_is_no_file (Fixture *f, gconstpointer unused)
{
  g_autofree char *below_file = g_build_filename (f->path, "below", NULL);

  assert_unreadable (f->path, 10, SV_ERROR_NOT_FOUND, "No such file");
  assert_unreadable (f->directory, 10, SV_ERROR_MALFORMED, "not a regular file");
  assert_unreadable ("/dev/zero", 10, SV_ERROR_MALFORMED, "not a regular file");
  g_assert_true (g_file_set_contents (f->path, "", 0, NULL));
  assert_unreadable (below_file, 10, SV_ERROR_NOT_FOUND, "Not a directory");
  g_unlink (f->path);
  g_assert_cmpint (mkfifo (f->path, 0600), ==, 0);
  assert_unreadable (f->path, 10, SV_ERROR_MALFORMED, "not a regular file");
}

static void
assert_writes (const char *path, const char *content, guint mode)
{
  g_autoptr (GError) error = NULL;
  gboolean is_written = sv_file_write (path, content, strlen (content), mode, &error);

  g_assert_no_error (error);
  g_assert_true (is_written);
  assert_content (path, content);
}

static void
test_write (Fixture *f, gconstpointer unused)
{
  mode_t old_umask = umask (077);

  assert_writes (f->path, "one", 0644);
  g_assert_cmpuint (mode_of (f->path), ==, 0644);
  assert_writes (f->path, "", 0600);
  g_assert_cmpuint (mode_of (f->path), ==, 0600);
  g_assert_cmpuint (count_entries (f->directory), ==, 1);
  umask (old_umask);
}

static void
test_write_cached (Fixture *f, gconstpointer unused)
{
  g_autofree char *leaf = g_build_filename (f->directory, "cache", "file", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (sv_file_write_cached (leaf, "longer", 6, 0644, &error));
  g_assert_no_error (error);
  g_assert_true (sv_file_write_cached (leaf, "one", 3, 0644, &error));
  g_assert_no_error (error);
  assert_content (leaf, "one");
  g_assert_cmpuint (mode_of (leaf), ==, 0644);
  g_assert_cmpuint (count_entries (f->directory), ==, 1);
  g_assert_false (sv_file_write_cached (f->directory, "x", 1, 0644, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_FAILED);
}

static void
test_write_makes_directories (Fixture *f, gconstpointer unused)
{
  g_autofree char *public_top = g_build_filename (f->directory, "a", NULL);
  g_autofree char *public_leaf = g_build_filename (public_top, "b", "file", NULL);
  g_autofree char *private_top = g_build_filename (f->directory, "p", NULL);
  g_autofree char *private_leaf = g_build_filename (private_top, "key", NULL);
  mode_t old_umask = umask (022);

  assert_writes (public_leaf, "x", 0644);
  g_assert_cmpuint (mode_of (public_top), ==, 0755);
  assert_writes (private_leaf, "x", 0600);
  g_assert_cmpuint (mode_of (private_top), ==, 0700);
  umask (old_umask);
}

static void
test_write_in_the_working_directory (Fixture *f, gconstpointer unused)
{
  g_autofree char *before = g_get_current_dir ();

  g_assert_cmpint (g_chdir (f->directory), ==, 0);
  assert_writes ("file", "x", 0644);
  g_assert_cmpint (g_chdir (before), ==, 0);
  assert_content (f->path, "x");
}

static void
test_write_replaces_a_link_not_its_target (Fixture *f, gconstpointer unused)
{
  g_autofree char *target = g_build_filename (f->directory, "target", NULL);

  assert_writes (target, "kept", 0644);
  g_assert_cmpint (symlink (target, f->path), ==, 0);
  assert_writes (f->path, "new", 0644);
  assert_content (target, "kept");
}

static void
assert_unwritable (const char *path, int code, const char *message)
{
  g_autofree char *content = g_strnfill (8192, 'x');
  g_autoptr (GError) error = NULL;

  g_assert_false (sv_file_write (path, content, 8192, 0644, &error));
  g_assert_error (error, SV_ERROR, code);
  if (strstr (error->message, message) == NULL)
    g_error ("expected \"…%s…\", got \"%s\"", message, error->message);
}

static void
test_write_where_there_is_no_place (Fixture *f, gconstpointer unused)
{
  g_autofree char *below_file = g_build_filename (f->path, "below", "file", NULL);
  g_autofree char *occupied = g_build_filename (f->directory, "occupied", NULL);

  assert_writes (f->path, "x", 0644);
  assert_unwritable (below_file, SV_ERROR_FAILED, "Not a directory");
  g_assert_cmpint (g_mkdir (occupied, 0755), ==, 0);
  assert_unwritable (occupied, SV_ERROR_FAILED, occupied);
  assert_unwritable ("/proc/scorevision/file", SV_ERROR_FAILED,
                     "cannot make directory /proc/scorevision: No such file or directory; make that place writable");
  g_assert_cmpuint (count_entries (f->directory), ==, 2);
}

static void
test_write_without_permission (Fixture *f, gconstpointer unused)
{
  if (geteuid () == 0)
  {
    g_test_skip ("root may write everywhere");
    return;
  }
  g_assert_cmpint (g_chmod (f->directory, 0500), ==, 0);
  assert_unwritable (f->path, SV_ERROR_FAILED, "Permission denied");
  g_assert_cmpint (g_chmod (f->directory, 0700), ==, 0);
}

/* A limit on the size of files stands for a full disk: write(2) fails in the middle. */
static void
test_write_to_a_full_disk (Fixture *f, gconstpointer unused)
{
  struct rlimit before;
  struct rlimit small;

  assert_writes (f->path, "old", 0644);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  signal (SIGXFSZ, SIG_IGN);
  small = (struct rlimit){ 4096, before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  assert_unwritable (f->path, SV_ERROR_FAILED, "File too large");
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  signal (SIGXFSZ, SIG_DFL);
  assert_content (f->path, "old");
  g_assert_cmpuint (count_entries (f->directory), ==, 1);
}

#define WHOLE_SIZE (256 * 1024)

/* In a child: writes files full of 'a' and of 'b' in turn until it is killed. */
static void
write_for_ever (const char *path)
{
  g_autofree char *content = g_malloc (WHOLE_SIZE);

  for (guint i = 0;; i++)
  {
    memset (content, i % 2 == 0 ? 'a' : 'b', WHOLE_SIZE);
    if (!sv_file_write (path, content, WHOLE_SIZE, 0644, NULL))
      _exit (1);
  }
}

/* Returns the letter that the file is full of. */
static char
assert_whole (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = sv_file_read (path, WHOLE_SIZE, &error);
  const char *content;

  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, WHOLE_SIZE);
  content = g_bytes_get_data (bytes, NULL);
  for (gsize i = 1; i < WHOLE_SIZE; i++)
    if (content[i] != content[0])
      g_error ("the file is half '%c' and half '%c'", content[0], content[i]);
  return content[0];
}

static void
test_readers_see_whole_files (Fixture *f, gconstpointer unused)
{
  g_autofree char *first = g_strnfill (WHOLE_SIZE, 'b');
  gint64 deadline = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  guint n_changes = 0;
  char last = 'b';
  pid_t writer;

  g_assert_true (sv_file_write (f->path, first, WHOLE_SIZE, 0644, NULL));
  writer = fork ();
  if (writer == 0)
    write_for_ever (f->path);
  while (n_changes < 10 && g_get_monotonic_time () < deadline)
  {
    char now = assert_whole (f->path);
    n_changes += now != last;
    last = now;
  }
  kill (writer, SIGKILL);
  g_assert_cmpint (waitpid (writer, NULL, 0), ==, writer);
  g_assert_cmpuint (n_changes, ==, 10);
  assert_whole (f->path);
}

static void
test_create (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (sv_file_create (f->path, "one", 3, 0600, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mode_of (f->path), ==, 0600);
  g_assert_false (sv_file_create (f->path, "two", 3, 0600, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  g_assert_nonnull (strstr (error->message, f->path));
  assert_content (f->path, "one");
  g_assert_cmpuint (count_entries (f->directory), ==, 1);
}

static gpointer
create_in_thread (gpointer path)
{
  g_autoptr (GError) error = NULL;
  gboolean is_created = sv_file_create (path, "x", 1, 0644, &error);

  g_assert_true (is_created || g_error_matches (error, SV_ERROR, SV_ERROR_CONFLICT));
  return GINT_TO_POINTER (is_created);
}

static void
test_one_of_many_creates (Fixture *f, gconstpointer unused)
{
  GThread *threads[8];
  guint n_created = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, create_in_thread, f->path);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    n_created += (guint)GPOINTER_TO_INT (g_thread_join (threads[i]));
  g_assert_cmpuint (n_created, ==, 1);
  g_assert_cmpuint (count_entries (f->directory), ==, 1);
}

static void
test_directory_make (Fixture *f, gconstpointer unused)
{
  g_autofree char *deep = g_build_filename (f->directory, "a", "b", "c", NULL);
  g_autofree char *below_file = g_build_filename (f->path, "below", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (sv_directory_make (deep, 0700, &error));
  g_assert_true (sv_directory_make (deep, 0755, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mode_of (deep), ==, 0700);
  assert_writes (f->path, "x", 0644);
  g_assert_false (sv_directory_make (f->path, 0700, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_false (sv_directory_make (below_file, 0700, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_FAILED);
}

#define N_COUNTERS 4
#define N_COUNTS 25

static void
count_under_lock (const char *lock, const char *path)
{
  int fd = sv_file_lock (lock, NULL);
  g_autoptr (GBytes) bytes = sv_file_read (path, 32, NULL);
  g_autofree char *number = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autofree char *next = g_strdup_printf ("%d", atoi (number) + 1);

  if (fd < 0 || !sv_file_write (path, next, strlen (next), 0644, NULL))
    _exit (1);
  close (fd);
}

static void
test_lock_keeps_processes_apart (Fixture *f, gconstpointer unused)
{
  g_autofree char *lock = g_build_filename (f->directory, "lock", NULL);
  pid_t children[N_COUNTERS];

  assert_writes (f->path, "0", 0644);
  for (guint i = 0; i < N_COUNTERS; i++)
  {
    children[i] = fork ();
    if (children[i] != 0)
      continue;
    for (guint n = 0; n < N_COUNTS; n++)
      count_under_lock (lock, f->path);
    _exit (0);
  }
  for (guint i = 0; i < N_COUNTERS; i++)
  {
    int status = -1;
    g_assert_cmpint (waitpid (children[i], &status, 0), ==, children[i]);
    g_assert_cmpint (status, ==, 0);
  }
  assert_content (f->path, G_STRINGIFY (100));
}

static void
test_lock_ends_with_its_descriptor (Fixture *f, gconstpointer unused)
{
  int first = sv_file_lock (f->path, NULL);
  int other = open (f->path, O_RDWR | O_CLOEXEC);

  g_assert_cmpint (first, >=, 0);
  g_assert_cmpint (fcntl (first, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  g_assert_cmpint (flock (other, LOCK_EX | LOCK_NB), ==, -1);
  close (first);
  g_assert_cmpint (flock (other, LOCK_EX | LOCK_NB), ==, 0);
  close (other);
}

static void
test_lock_without_a_directory (Fixture *f, gconstpointer unused)
{
  g_autofree char *path = g_build_filename (f->path, "lock", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (sv_file_lock (path, &error), ==, -1);
  g_assert_error (error, SV_ERROR, SV_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, path));
}

static void
test_expand (void)
{
  g_autofree char *home = sv_path_expand ("~");
  g_autofree char *below = sv_path_expand ("~/a");
  g_autofree char *expected = g_build_filename (g_get_home_dir (), "a", NULL);
  g_autofree char *user = sv_path_expand ("~other/a");
  g_autofree char *inside = sv_path_expand ("/a/~/b");
  g_autofree char *empty = sv_path_expand ("");

  g_assert_true (g_str_has_prefix (home, g_get_home_dir ()));
  g_assert_cmpstr (below, ==, expected);
  g_assert_cmpstr (user, ==, "~other/a");
  g_assert_cmpstr (inside, ==, "/a/~/b");
  g_assert_cmpstr (empty, ==, "");
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/file/read", test_read);
  ADD ("/file/read-what-is-no-file", test_read_what_is_no_file);
  ADD ("/file/write", test_write);
  ADD ("/file/write-cached", test_write_cached);
  ADD ("/file/write-makes-directories", test_write_makes_directories);
  ADD ("/file/write-in-the-working-directory", test_write_in_the_working_directory);
  ADD ("/file/write-replaces-a-link-not-its-target", test_write_replaces_a_link_not_its_target);
  ADD ("/file/write-where-there-is-no-place", test_write_where_there_is_no_place);
  ADD ("/file/write-without-permission", test_write_without_permission);
  ADD ("/file/write-to-a-full-disk", test_write_to_a_full_disk);
  ADD ("/file/readers-see-whole-files", test_readers_see_whole_files);
  ADD ("/file/create", test_create);
  ADD ("/file/one-of-many-creates", test_one_of_many_creates);
  ADD ("/file/directory-make", test_directory_make);
  ADD ("/file/lock-keeps-processes-apart", test_lock_keeps_processes_apart);
  ADD ("/file/lock-ends-with-its-descriptor", test_lock_ends_with_its_descriptor);
  ADD ("/file/lock-without-a-directory", test_lock_without_a_directory);
  g_test_add_func ("/file/expand", test_expand);
  return g_test_run ();
}
