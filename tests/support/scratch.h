/* Temporary directories, and children to run what a test must survive. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A fresh directory; give it back with scratch_remove(), which removes all that is in it. */
char *scratch_new (void);
void scratch_remove (char *path);

/* "{directory}/{name}". Returns: (transfer full). */
char *scratch_path (const char *directory, const char *name);

typedef int (*ChildFunc) (gpointer data);

/* Forks; the child exits with what @work returns. */
pid_t child_start (ChildFunc work, gpointer data);

/* The exit status, or 128 + the signal that ended it. */
int child_wait (pid_t child);

#define CHILD_MAY_NOT 77

/* Runs @work in a child that has its own mounts; CHILD_MAY_NOT where this machine forbids that. */
int child_with_own_mounts (ChildFunc work, gpointer data);

/* For such a child: makes @directory read-only, or a file system of @size bytes. FALSE where it is forbidden. */
gboolean mount_read_only (const char *directory);
gboolean mount_tiny (const char *directory, gsize size);
