#include "keys/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "keys/passphrase.h"

#define GROUP_AND_OTHERS 077

static gboolean
check_file (const char *path, int fd, GError **error)
{
  struct stat status;
  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: not a regular file", path);
    return FALSE;
  }
  if ((status.st_mode & GROUP_AND_OTHERS) == 0)
    return TRUE;
  g_autofree char *quoted = g_shell_quote (path);
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "%s: this key is open to other users (mode %04o); close it with `chmod 600 %s`", path,
               (guint)status.st_mode & 07777, quoted);
  return FALSE;
}

static int
open_file (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0)
    return fd;
  int code = errno == ENOENT || errno == ENOTDIR ? SV_ERROR_NOT_FOUND : SV_ERROR_FAILED;
  g_set_error (error, SV_ERROR, code, "%s: %s", path, g_strerror (errno));
  return -1;
}

/* Fills @buffer with the whole file, at most SV_SECRET_FILE_MAX_SIZE bytes. */
static gboolean
read_all (const char *path, int fd, guint8 *buffer, gsize *length, GError **error)
{
  for (*length = 0;;)
  {
    gssize n = read (fd, buffer + *length, SV_SECRET_FILE_MAX_SIZE + 1 - *length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "%s: %s", path, g_strerror (errno));
      return FALSE;
    }
    if (n == 0)
      return TRUE;
    *length += (gsize)n;
    if (*length > SV_SECRET_FILE_MAX_SIZE)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: larger than %d bytes, so no key file", path,
                   SV_SECRET_FILE_MAX_SIZE);
      return FALSE;
    }
  }
}

SvSecret *
sv_secret_file_read (const char *path, gsize *length, GError **error)
{
  int fd = open_file (path, error);
  if (fd < 0)
    return NULL;
  g_autoptr (SvSecret) buffer = sv_secret_alloc (SV_SECRET_FILE_MAX_SIZE + 1);
  gboolean ok = check_file (path, fd, error) && read_all (path, fd, buffer, length, error);
  close (fd);
  return ok ? g_steal_pointer (&buffer) : NULL;
}

/* What is typed must not stay on the screen. */
static SvSecret *
ask_for_secret (gsize *length, GError **error)
{
  g_autoptr (SvSecret) line = sv_secret_ask (STDIN_FILENO, "Seed, phrase or private key (it will not be shown): ");
  if (line == NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "standard input: no secret was given, or too long a line");
  else
    *length = strlen ((char *)line);
  return g_steal_pointer (&line);
}

SvSecret *
sv_secret_input_read (gsize *length, GError **error)
{
  if (isatty (STDIN_FILENO))
    return ask_for_secret (length, error);
  g_autoptr (SvSecret) buffer = sv_secret_alloc (SV_SECRET_FILE_MAX_SIZE + 1);
  return read_all ("standard input", STDIN_FILENO, buffer, length, error) ? g_steal_pointer (&buffer) : NULL;
}
