#include "tiny_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct TinyServer
{
  TinyAnswer answer;
  gpointer data;
  int listener;
  guint port;
  GThread *thread;
  GMutex lock;
  guint n_connections;
  guint n_requests;
  char *last_request;
};

gboolean
tiny_send (int fd, const void *data, gsize length)
{
  const char *p = data;
  while (length > 0)
  {
    gssize n = send (fd, p, length, MSG_NOSIGNAL);
    if (n <= 0)
      return FALSE;
    p += n;
    length -= (gsize)n;
  }
  return TRUE;
}

gboolean
tiny_send_text (int fd, const char *text)
{
  return tiny_send (fd, text, strlen (text));
}

gboolean
tiny_is_connected (int fd, int ms)
{
  struct pollfd wait = { .fd = fd, .events = POLLIN };
  char byte;
  if (poll (&wait, 1, ms) == 0)
    return TRUE;
  return recv (fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Reads a request's head and the body that its Content-Length announces. */
static gboolean
read_request (int fd, GString *request)
{
  char piece[4096];
  g_string_truncate (request, 0);
  for (;;)
  {
    const char *end = strstr (request->str, "\r\n\r\n");
    const char *length = strstr (request->str, "Content-Length: ");
    gsize body = end != NULL && length != NULL ? (gsize)g_ascii_strtoull (length + 16, NULL, 10) : 0;
    if (end != NULL && request->len >= (gsize)(end - request->str) + 4 + body)
      return TRUE;
    gssize n = recv (fd, piece, sizeof piece, 0);
    if (n <= 0)
      return FALSE;
    g_string_append_len (request, piece, n);
  }
}

static void
serve_connection (TinyServer *server, int fd)
{
  g_autoptr (GString) request = g_string_new (NULL);
  gboolean goes_on = TRUE;
  while (goes_on && read_request (fd, request))
  {
    g_mutex_lock (&server->lock);
    server->n_requests++;
    g_free (server->last_request);
    server->last_request = g_strdup (request->str);
    g_mutex_unlock (&server->lock);
    goes_on = server->answer (server, fd, request->str, server->data);
  }
  close (fd);
}

static gpointer
run (gpointer data)
{
  TinyServer *server = data;
  int fd;
  while ((fd = accept (server->listener, NULL, NULL)) >= 0)
  {
    g_mutex_lock (&server->lock);
    server->n_connections++;
    g_mutex_unlock (&server->lock);
    serve_connection (server, fd);
  }
  return NULL;
}

TinyServer *
tiny_server_new (TinyAnswer answer, gpointer data)
{
  TinyServer *server = g_new0 (TinyServer, 1);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  g_mutex_init (&server->lock);
  server->answer = answer;
  server->data = data;
  server->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (server->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint (listen (server->listener, 16), ==, 0);
  g_assert_cmpint (getsockname (server->listener, (struct sockaddr *)&address, &length), ==, 0);
  server->port = ntohs (address.sin_port);
  server->thread = g_thread_new ("tiny-server", run, server);
  return server;
}

void
tiny_server_free (TinyServer *server)
{
  shutdown (server->listener, SHUT_RDWR);
  g_thread_join (server->thread);
  close (server->listener);
  g_mutex_clear (&server->lock);
  g_free (server->last_request);
  g_free (server);
}

guint
tiny_server_port (const TinyServer *server)
{
  return server->port;
}

char *
tiny_server_url (const TinyServer *server, const char *path)
{
  return g_strdup_printf ("http://127.0.0.1:%u%s", server->port, path);
}

guint
tiny_server_n_connections (TinyServer *server)
{
  g_mutex_lock (&server->lock);
  guint n = server->n_connections;
  g_mutex_unlock (&server->lock);
  return n;
}

guint
tiny_server_n_requests (TinyServer *server)
{
  g_mutex_lock (&server->lock);
  guint n = server->n_requests;
  g_mutex_unlock (&server->lock);
  return n;
}

char *
tiny_server_last_request (TinyServer *server)
{
  g_mutex_lock (&server->lock);
  char *request = g_strdup (server->last_request);
  g_mutex_unlock (&server->lock);
  return request;
}
