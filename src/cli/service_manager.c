/* The protocol (sd_notify(3)) is one datagram of text to the socket that the environment names, so libsystemd is no dependency
 * for it. A name that begins with "@" is one of the abstract namespace. */
#include "cli/service_manager.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

static gboolean
send_to (const char *name, const char *state)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  gsize length = strlen (name);
  if ((name[0] != '/' && name[0] != '@') || length >= sizeof address.sun_path)
  {
    errno = EINVAL;
    return FALSE;
  }
  memcpy (address.sun_path, name, length + 1);
  if (name[0] == '@')
    address.sun_path[0] = '\0';
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return FALSE;
  socklen_t size = (socklen_t)(offsetof (struct sockaddr_un, sun_path) + length + (name[0] == '/' ? 1 : 0));
  gssize sent = sendto (fd, state, strlen (state), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
  int errnum = errno;
  close (fd);
  errno = errnum;
  return sent >= 0;
}

void
sv_tell_service_manager (const char *state)
{
  const char *name = g_getenv ("NOTIFY_SOCKET");
  if (name != NULL && *name != '\0' && !send_to (name, state))
    sv_log ("warning", "the service manager is not told", "socket", name, "reason", g_strerror (errno), NULL);
}
