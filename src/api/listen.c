/* An address in use is told as what it is. The socket has no SO_REUSEPORT: two instances on one port would share its requests
 * in silence. */
#include "api/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/identifiers.h"

#define BACKLOG 1024

static gboolean
split (const char *setting, char **host, char **port, GError **error)
{
  guint64 number;
  const char *colon = strrchr (setting, ':');
  gboolean is_bracketed = colon != NULL && setting[0] == '[' && colon > setting && colon[-1] == ']';
  gsize length = colon != NULL ? (gsize)(colon - setting) : 0;
  g_autofree char *name = is_bracketed ? g_strndup (setting + 1, length - 2) : g_strndup (setting, length);
  if (colon == NULL || (!is_bracketed && strchr (name, ':') != NULL) || !sv_integer_parse (colon + 1, &number) ||
      number > 65535)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "SCOREVISION_LISTEN: \"%s\" is not an address and port; write 127.0.0.1:8080, [::1]:8080 or :8080", setting);
    return FALSE;
  }
  *host = *name != '\0' ? g_steal_pointer (&name) : NULL;
  *port = g_strdup (colon + 1);
  return TRUE;
}

gboolean
sv_listen_check (const char *setting, GError **error)
{
  g_autofree char *host = NULL;
  g_autofree char *port = NULL;
  return split (setting, &host, &port, error);
}

static int
bind_address (const struct addrinfo *address)
{
  int one = 1, off = 0;
  int fd = socket (address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* of the connections, which inherit it */
  if (address->ai_family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind (fd, address->ai_addr, address->ai_addrlen) == 0 && listen (fd, BACKLOG) == 0)
    return fd;
  int errnum = errno;
  close (fd);
  errno = errnum;
  return -1;
}

static int
bind_first (const struct addrinfo *addresses)
{
  int first_errno = 0;
  for (; addresses != NULL; addresses = addresses->ai_next)
  {
    int fd = bind_address (addresses);
    if (fd >= 0)
      return fd;
    first_errno = first_errno != 0 ? first_errno : errno;
  }
  errno = first_errno;
  return -1;
}

static guint
bound_port (int fd)
{
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (getsockname (fd, (struct sockaddr *)&address, &length) != 0)
    return 0;
  return ntohs (address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&address)->sin6_port
                                              : ((struct sockaddr_in *)(void *)&address)->sin_port);
}

static void
set_bind_error (const char *setting, int errnum, GError **error)
{
  if (errnum == EADDRINUSE)
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                 "address in use: another instance is listening on %s; stop it or set SCOREVISION_LISTEN", setting);
  else
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "cannot listen on %s: %s; set SCOREVISION_LISTEN", setting,
                 g_strerror (errnum));
}

int
sv_listen (const char *setting, char **url, guint *port, GError **error)
{
  g_autofree char *host = NULL;
  g_autofree char *service = NULL;
  if (!split (setting, &host, &service, error))
    return -1;
  struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
  struct addrinfo *addresses = NULL;
  int failure = getaddrinfo (host, service, &hints, &addresses);
  if (failure != 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "SCOREVISION_LISTEN: %s: %s", setting, gai_strerror (failure));
    return -1;
  }
  int fd = bind_first (addresses);
  int errnum = errno;
  freeaddrinfo (addresses);
  if (fd < 0)
  {
    set_bind_error (setting, errnum, error);
    return -1;
  }
  *port = bound_port (fd);
  gboolean is_v6 = host != NULL && strchr (host, ':') != NULL;
  *url = g_strdup_printf ("http://%s%s%s:%u", is_v6 ? "[" : "", host != NULL ? host : "127.0.0.1", is_v6 ? "]" : "", *port);
  return fd;
}
