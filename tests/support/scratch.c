#include "scratch.h"

#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

char *
scratch_new (void)
{
  GError *error = NULL;
  char *path = g_dir_make_tmp ("sv-test-XXXXXX", &error);
  g_assert_no_error (error);
  return path;
}

static int
remove_entry (const char *path, const struct stat *status, int type, struct FTW *walk)
{
  return remove (path);
}

void
scratch_remove (char *path)
{
  g_assert_cmpint (nftw (path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_free (path);
}

char *
scratch_path (const char *directory, const char *name)
{
  return g_build_filename (directory, name, NULL);
}

pid_t
child_start (ChildFunc work, gpointer data)
{
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    _exit (work (data));
  return child;
}

int
child_wait (pid_t child)
{
  int status;
  pid_t got;
  while ((got = waitpid (child, &status, 0)) < 0 && errno == EINTR)
    ;
  g_assert_cmpint (got, ==, child);
  return WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
}

typedef struct
{
  ChildFunc work;
  gpointer data;
} Inside;

static int
enter (gpointer data)
{
  const Inside *inside = data;
  if (unshare (CLONE_NEWNS) != 0 && unshare (CLONE_NEWUSER | CLONE_NEWNS) != 0)
    return CHILD_MAY_NOT;
  if (mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return CHILD_MAY_NOT;
  return inside->work (inside->data);
}

int
child_with_own_mounts (ChildFunc work, gpointer data)
{
  Inside inside = { work, data };
  return child_wait (child_start (enter, &inside));
}

gboolean
mount_read_only (const char *directory)
{
  return mount (directory, directory, NULL, MS_BIND, NULL) == 0 &&
         mount (NULL, directory, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0;
}

gboolean
mount_tiny (const char *directory, gsize size)
{
  g_autofree char *options = g_strdup_printf ("size=%" G_GSIZE_FORMAT, size);
  return mount ("none", directory, "tmpfs", 0, options) == 0;
}
