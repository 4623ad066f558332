/* Files: bounded reads, writes that are whole or absent after a crash, private directories, advisory locks. */
#pragma once

#include <glib.h>

/* Reads at most @max_size bytes; a larger file is SV_ERROR_MALFORMED, an absent one SV_ERROR_NOT_FOUND, a directory or device
 * SV_ERROR_MALFORMED. Returns: (transfer full). */
GBytes *sv_file_read (const char *path, gsize max_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes a temporary file beside @path, fsyncs it, renames it and fsyncs the directory, so that a reader or a crash sees the
 * old content or the new. Creates missing directories with mode 0700 for a private file (@mode without group and other
 * bits), else 0755. A crash may leave a file ".sv-tmp-XXXXXX" beside it, which nobody needs. */
gboolean sv_file_write (const char *path, const void *data, gsize length, guint mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same without the fsyncs, for what can be had again and is checked whenever it is read: readers see the old content or the
 * new, but after a power cut the file may be empty or damaged. */
gboolean sv_file_write_cached (const char *path, const void *data, gsize length, guint mode,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* sv_file_write(), but fails with SV_ERROR_CONFLICT where @path exists (link(2), so two writers cannot both succeed). */
gboolean sv_file_create (const char *path, const void *data, gsize length, guint mode,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes all of @data where the descriptor stands; FALSE and errno as write(2). */
gboolean sv_write_all (int fd, const void *data, gsize length) G_GNUC_WARN_UNUSED_RESULT;

/* Makes @path and its missing parents, all with @mode; what exists is left as it is. */
gboolean sv_directory_make (const char *path, guint mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An exclusive flock(2) on @path, created when absent; waits for it. The directory must exist. Closing the descriptor releases
 * it. Returns -1 on error.
 */
int sv_file_lock (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Expands a leading "~/" by the home directory. Returns: (transfer full). */
char *sv_path_expand (const char *path);
