/* Files that survive a crash. A write goes to ".sv-tmp-XXXXXX" in the same directory, is fsynced there and then given its name
 * by rename(2) or link(2), and the directory is fsynced: whoever looks sees the old content or the new, also after a power
 * cut. A crash may leave such a temporary file behind, never a half-written one under the real name; names that begin with
 * ".sv-tmp-" are never part of a store. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define TEMPORARY_NAME ".sv-tmp-XXXXXX"

/* What to do where a place cannot be written, "" where something else is the matter. */
static const char *
advice (int problem)
{
  gboolean is_place = problem == EACCES || problem == EPERM || problem == EROFS || problem == ENOTDIR || problem == ENOENT;
  return is_place ? "; make that place writable, or name another one: SCOREVISION_HOME is where everything of a user's own lies"
                  : "";
}

/* Sets @error from errno, which says what failed for @path while trying to @verb. Returns FALSE. */
static gboolean
fail (GError **error, const char *verb, const char *path)
{
  int problem = errno;
  gboolean is_absent = problem == ENOENT || problem == ENOTDIR;

  gboolean is_reading = strcmp (verb, "read") == 0 || strcmp (verb, "open") == 0;
  g_set_error (error, SV_ERROR, is_absent ? SV_ERROR_NOT_FOUND : SV_ERROR_FAILED, "cannot %s %s: %s%s", verb, path,
               g_strerror (problem), is_reading ? "" : advice (problem));
  return FALSE;
}

static gboolean
check_readable (int fd, const char *path, gsize max_size, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return fail (error, "read", path);
  if (!S_ISREG (st.st_mode))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s is not a regular file", path);
    return FALSE;
  }
  if ((guint64)st.st_size > max_size)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
                 "%s has %" G_GUINT64_FORMAT " bytes, more than the %" G_GSIZE_FORMAT " allowed", path, (guint64)st.st_size,
                 max_size);
    return FALSE;
  }
  return TRUE;
}

/* Reads to the end, which may be elsewhere than fstat() said: somebody may be writing. */
static gboolean
read_all (int fd, const char *path, gsize max_size, GByteArray *out, GError **error)
{
  guint8 piece[16 * 1024];

  for (;;)
  {
    ssize_t n = read (fd, piece, sizeof piece);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail (error, "read", path);
    if (n == 0)
      return TRUE;
    if ((gsize)n > max_size - out->len)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s grew past the %" G_GSIZE_FORMAT " bytes allowed", path, max_size);
      return FALSE;
    }
    g_byte_array_append (out, piece, (guint)n);
  }
}

GBytes *
sv_file_read (const char *path, gsize max_size, GError **error)
{
  g_autoptr (GByteArray) content = g_byte_array_new ();
  gboolean is_read;
  int fd;

  /* O_NONBLOCK: opening a pipe without a writer must not hang. GByteArray counts in guint. */
  max_size = MIN (max_size, G_MAXUINT / 4);
  fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
  {
    fail (error, "open", path);
    return NULL;
  }
  is_read = check_readable (fd, path, max_size, error) && read_all (fd, path, max_size, content, error);
  close (fd);
  return is_read ? g_byte_array_free_to_bytes (g_steal_pointer (&content)) : NULL;
}

static gboolean
sync_directory (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean is_synced;

  if (fd < 0)
    return fail (error, "open", path);
  /* EINVAL: a file system that has no such thing */
  is_synced = fsync (fd) == 0 || errno == EINVAL;
  if (!is_synced)
    fail (error, "sync", path);
  close (fd);
  return is_synced;
}

static gboolean
is_directory (const char *path)
{
  struct stat st;

  return stat (path, &st) == 0 && S_ISDIR (st.st_mode);
}

gboolean
sv_directory_make (const char *path, guint mode, GError **error)
{
  g_autofree char *parent = NULL;

  if (is_directory (path))
    return TRUE;
  parent = g_path_get_dirname (path);
  if (strcmp (parent, path) != 0 && !sv_directory_make (parent, mode, error))
    return FALSE;
  if (mkdir (path, mode) != 0)
  {
    int problem = errno;

    /* Somebody else may have been quicker. */
    if (problem == EEXIST && is_directory (path))
      return TRUE;
    problem = problem == EEXIST ? ENOTDIR : problem;
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "cannot make directory %s: %s%s", path, g_strerror (problem),
                 advice (problem));
    return FALSE;
  }
  return sync_directory (parent, error);
}

gboolean
sv_write_all (int fd, const void *data, gsize length)
{
  const guint8 *rest = data;
  while (length > 0)
  {
    ssize_t n = write (fd, rest, length);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    rest += n;
    length -= (gsize)n;
  }
  return TRUE;
}

/* A temporary file in @directory that holds the data, safely where it is synced. Returns: (transfer full) its path. */
static char *
write_temporary (const char *directory, const char *path, const void *data, gsize length, guint mode, gboolean sync,
                 GError **error)
{
  g_autofree char *temporary = g_build_filename (directory, TEMPORARY_NAME, NULL);
  int fd = mkostemp (temporary, O_CLOEXEC);
  gboolean is_written;

  if (fd < 0)
  {
    fail (error, "write", path);
    return NULL;
  }
  is_written = sv_write_all (fd, data, length) && fchmod (fd, mode) == 0 && (!sync || fsync (fd) == 0);
  if (!is_written)
    fail (error, "write", path);
  if (close (fd) != 0 && is_written)
    is_written = fail (error, "write", path);
  if (is_written)
    return g_steal_pointer (&temporary);
  unlink (temporary);
  return NULL;
}

static gboolean
put_replacing (const char *temporary, const char *path, GError **error)
{
  if (rename (temporary, path) == 0)
    return TRUE;
  fail (error, "write", path);
  unlink (temporary);
  return FALSE;
}

static gboolean
put_new (const char *temporary, const char *path, GError **error)
{
  gboolean is_new = link (temporary, path) == 0;

  if (!is_new && errno == EEXIST)
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "%s exists already", path);
  else if (!is_new)
    fail (error, "write", path);
  unlink (temporary);
  return is_new;
}

typedef gboolean (*Put) (const char *temporary, const char *path, GError **error);

static gboolean
write_with (Put put, const char *path, const void *data, gsize length, guint mode, gboolean sync, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *temporary = NULL;

  if (!sv_directory_make (directory, (mode & 077) == 0 ? 0700 : 0755, error))
    return FALSE;
  temporary = write_temporary (directory, path, data, length, mode, sync, error);
  return temporary != NULL && put (temporary, path, error) && (!sync || sync_directory (directory, error));
}

gboolean
sv_file_write (const char *path, const void *data, gsize length, guint mode, GError **error)
{
  return write_with (put_replacing, path, data, length, mode, TRUE, error);
}

gboolean
sv_file_write_cached (const char *path, const void *data, gsize length, guint mode, GError **error)
{
  return write_with (put_replacing, path, data, length, mode, FALSE, error);
}

gboolean
sv_file_create (const char *path, const void *data, gsize length, guint mode, GError **error)
{
  return write_with (put_new, path, data, length, mode, TRUE, error);
}

int
sv_file_lock (const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int result;

  if (fd < 0)
  {
    fail (error, "lock", path);
    return -1;
  }
  do
    result = flock (fd, LOCK_EX);
  while (result != 0 && errno == EINTR);
  if (result == 0)
    return fd;
  fail (error, "lock", path);
  close (fd);
  return -1;
}

char *
sv_path_expand (const char *path)
{
  if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
    return g_build_filename (g_get_home_dir (), path + 1, NULL);
  return g_strdup (path);
}
