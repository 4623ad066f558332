/* A server that answers with exactly the bytes a test wants, right or wrong: a thread on a loopback port, one connection after
 * the other, one request a connection unless the answer says otherwise. */
#pragma once

#include <glib.h>

typedef struct TinyServer TinyServer;

/* Writes an answer to @request (its whole head) on @fd. Returns TRUE when the connection may carry another request. */
typedef gboolean (*TinyAnswer) (TinyServer *server, int fd, const char *request, gpointer data);

TinyServer *tiny_server_new (TinyAnswer answer, gpointer data);
void tiny_server_free (TinyServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TinyServer, tiny_server_free)

guint tiny_server_port (const TinyServer *server);

/* Returns: (transfer full) "http://127.0.0.1:PORT" + @path. */
char *tiny_server_url (const TinyServer *server, const char *path);

guint tiny_server_n_connections (TinyServer *server);
guint tiny_server_n_requests (TinyServer *server);

/* Returns: (transfer full) the last request's head. */
char *tiny_server_last_request (TinyServer *server);

/* FALSE when the client has gone. */
gboolean tiny_send (int fd, const void *data, gsize length);
gboolean tiny_send_text (int fd, const char *text);

/* TRUE until the client closes the connection, waiting at most @ms for that. */
gboolean tiny_is_connected (int fd, int ms);
