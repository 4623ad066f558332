/* Leadership: a lock on a file beside the database, `PATH-leader-TASK`, that belongs to its open descriptor. The kernel gives
 * it back when that is closed, however its process ends. The file stays; it is empty. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "state/sqlite_state.h"

static void
close_file (gpointer fd)
{
  close (GPOINTER_TO_INT (fd));
}

GHashTable *
sv_sqlite_leads_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, close_file);
}

static gboolean
fail (const char *path, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE,
               "%s cannot be locked: %s; check that this user may write beside the database, on a file system with locks", path,
               g_strerror (errno));
  return FALSE;
}

gboolean
sv_sqlite_lead (SvState *base, const char *task, gboolean *leads, GError **error)
{
  SvSqliteState *state = (SvSqliteState *)base;
  *leads = g_hash_table_contains (state->leads, task);
  if (*leads)
    return TRUE;
  g_autofree char *path = g_strdup_printf ("%s-leader-%s", state->path, task);
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail (path, error);
  *leads = fcntl (fd, F_OFD_SETLK, &lock) == 0;
  if (*leads)
  {
    g_hash_table_insert (state->leads, g_strdup (task), GINT_TO_POINTER (fd));
    return TRUE;
  }
  gboolean is_taken = errno == EAGAIN || errno == EACCES;
  gboolean ok = is_taken || fail (path, error);
  close (fd);
  return ok;
}
