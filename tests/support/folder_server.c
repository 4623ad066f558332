#include "folder_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct FolderServer
{
  char *folder;
  char *url;
  struct MHD_Daemon *daemon;
  GMutex lock;
  char *last_cache_control;
  guint last_status;
  guint n_busy; /* how often it was, since it last was not */
  char *refused;
};

typedef struct
{
  guint status;
  gboolean says_when; /* to come back */
  char *etag;         /* with its quotes */
  char *location;
  char *body;
  gsize length;
} Answer;

static gboolean
misbehave (const char *path, Answer *answer)
{
  if (g_str_has_prefix (path, "/status/"))
    answer->status = (guint)atoi (path + strlen ("/status/"));
  else if (g_str_equal (path, "/etag/weak"))
    answer->etag = g_strdup ("W/\"x\"");
  else if (g_str_equal (path, "/etag/bare"))
    answer->etag = g_strdup ("x");
  else if (g_str_equal (path, "/ignore-etag"))
    answer->etag = g_strdup ("\"same\"");
  else if (g_str_equal (path, "/redirect"))
  {
    answer->status = 302;
    answer->location = g_strdup (path);
  }
  else if (!g_str_equal (path, "/etag/none"))
    return FALSE;
  return TRUE;
}

/* Only this server's one thread comes here. */
static gboolean
is_busy (FolderServer *server, const char *path, Answer *answer)
{
  g_mutex_lock (&server->lock);
  gboolean is_refused = g_strcmp0 (path, server->refused) == 0;
  g_mutex_unlock (&server->lock);
  if (!is_refused && !g_str_has_prefix (path, "/busy/"))
    return FALSE;
  int n = is_refused ? 0 : atoi (path + strlen ("/busy/"));
  if (!is_refused && server->n_busy == (guint)abs (n))
  {
    server->n_busy = 0;
    return TRUE;
  }
  server->n_busy += !is_refused;
  answer->status = n < 0 ? 503 : 429;
  answer->says_when = n < 0;
  return TRUE;
}

static void
serve_file (FolderServer *server, const char *path, const char *if_none_match, Answer *answer)
{
  g_autofree char *file = g_strconcat (server->folder, path, NULL);
  if (!g_file_get_contents (file, &answer->body, &answer->length, NULL))
  {
    answer->status = 404;
    return;
  }
  g_autofree char *hash = sv_hash_bytes (answer->body, answer->length);
  answer->etag = g_strdup_printf ("\"%s\"", sv_hash_hex (hash));
  if (g_strcmp0 (if_none_match, answer->etag) == 0)
    answer->status = 304;
}

static enum MHD_Result
send_answer (struct MHD_Connection *connection, Answer *answer)
{
  gboolean has_body = answer->status == 200 && answer->body != NULL;
  struct MHD_Response *response = MHD_create_response_from_buffer (has_body ? answer->length : 0,
                                                                   has_body ? answer->body : (char *)"", MHD_RESPMEM_MUST_COPY);
  if (answer->etag != NULL)
    MHD_add_response_header (response, "ETag", answer->etag);
  if (answer->says_when)
    MHD_add_response_header (response, "Retry-After", "1");
  if (answer->location != NULL)
    MHD_add_response_header (response, "Location", answer->location);
  enum MHD_Result result = MHD_queue_response (connection, answer->status, response);
  MHD_destroy_response (response);
  g_free (answer->etag);
  g_free (answer->location);
  g_free (answer->body);
  return result;
}

static enum MHD_Result
on_request (void *data, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
            const char *upload, size_t *upload_size, void **state)
{
  static int seen;
  FolderServer *server = data;
  if (*state == NULL)
  {
    *state = &seen; /* the first call has the headers only */
    return MHD_YES;
  }
  Answer answer = { .status = 200 };
  if (!is_busy (server, path, &answer) && !misbehave (path, &answer))
    serve_file (server, path, MHD_lookup_connection_value (connection, MHD_HEADER_KIND, "If-None-Match"), &answer);
  const char *cache_control = MHD_lookup_connection_value (connection, MHD_HEADER_KIND, "Cache-Control");
  g_mutex_lock (&server->lock);
  g_free (server->last_cache_control);
  server->last_cache_control = g_strdup (cache_control == NULL ? "" : cache_control);
  server->last_status = answer.status;
  g_mutex_unlock (&server->lock);
  return send_answer (connection, &answer);
}

FolderServer *
folder_server_new (const char *folder)
{
  FolderServer *server = g_new0 (FolderServer, 1);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  server->folder = g_strdup (folder);
  g_mutex_init (&server->lock);
  server->daemon = MHD_start_daemon (MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR,
                                     &address, MHD_OPTION_END);
  g_assert_nonnull (server->daemon);
  guint port = MHD_get_daemon_info (server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
  server->url = g_strdup_printf ("http://127.0.0.1:%u", port);
  return server;
}

void
folder_server_free (FolderServer *server)
{
  MHD_stop_daemon (server->daemon);
  g_mutex_clear (&server->lock);
  g_free (server->last_cache_control);
  g_free (server->refused);
  g_free (server->folder);
  g_free (server->url);
  g_free (server);
}

const char *
folder_server_url (const FolderServer *server)
{
  return server->url;
}

char *
folder_server_last_cache_control (FolderServer *server)
{
  g_mutex_lock (&server->lock);
  char *value = g_strdup (server->last_cache_control);
  g_mutex_unlock (&server->lock);
  return value;
}

guint
folder_server_last_status (FolderServer *server)
{
  g_mutex_lock (&server->lock);
  guint status = server->last_status;
  g_mutex_unlock (&server->lock);
  return status;
}

void
folder_server_refuse (FolderServer *server, const char *path)
{
  g_mutex_lock (&server->lock);
  g_free (server->refused);
  server->refused = g_strdup (path);
  g_mutex_unlock (&server->lock);
}
