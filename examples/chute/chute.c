/* An example chute: what a miner serves behind his slug. It answers POST /SLUG/predict with the boxes of what moves in the clip
 * that the request names, by really fetching and decoding it:
 *
 *   request   {"url": "https://…", "frames": null, "meta": {…}}
 *   answer    {"success": true, "predictions": {"frames": [{"frame_id": 0, "boxes": [{"x1":…,"y1":…,"x2":…,"y2":…,"cls_id":…,
 *              "conf":…}]}]}, "error": null, "model": "moving-blobs", "telemetry": {…}}
 *
 * It keeps the last clip it fetched, as a runner calls five times with the same one.
 *
 *   usage: chute --port 9101 --slug my-slug      SIGTERM ends it */
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/http_client.h"
#include "base/json.h"
#include "detect.h"

#define MAX_REQUEST (64 * 1024)
#define MAX_CLIP (256 * 1024 * 1024)

static int opt_port = 9101;
static char *opt_slug;

static const GOptionEntry options[] = {
  { "port", 0, 0, G_OPTION_ARG_INT, &opt_port, "port on loopback (0: any free one, printed)", "PORT" },
  { "slug", 0, 0, G_OPTION_ARG_STRING, &opt_slug, "the chute's slug, required; other paths are 404", "SLUG" },
  G_OPTION_ENTRY_NULL,
};

/* The last clip, shared by the server's threads. */
static GMutex clip_lock;
static char *clip_url;
static char *clip_path;

/* ── answering ── */

static json_t *
failure (const char *problem)
{
  return json_pack ("{s:b,s:n,s:s,s:s}", "success", 0, "predictions", "error", problem, "model", "moving-blobs");
}

static gboolean
fetch (const char *url, const char *path, char **problem)
{
  g_autoptr (GError) error = NULL;
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
  {
    *problem = g_strdup ("no room for the clip");
    return FALSE;
  }
  g_autoptr (SvHttpClient) client = sv_http_client_new ();
  SvHttpRequest request = { .url = url, .sink_fd = fd, .limits = SV_HTTP_LIMITS_DEFAULT };
  request.limits.max_bytes = MAX_CLIP;
  request.limits.max_redirects = 3;
  g_autoptr (SvHttpResponse) response = sv_http_perform (client, &request, &error);
  close (fd);
  if (response != NULL && response->status == 200)
    return TRUE;
  *problem = response != NULL ? g_strdup_printf ("the clip's address answered with status %u", response->status)
                              : g_strdup (error->message);
  return FALSE;
}

static json_t *
predict (const char *url)
{
  g_autofree char *problem = NULL;
  gint64 began = g_get_monotonic_time ();
  g_mutex_lock (&clip_lock);
  if (g_strcmp0 (url, clip_url) != 0)
  {
    g_clear_pointer (&clip_url, g_free);
    if (fetch (url, clip_path, &problem))
      clip_url = g_strdup (url);
  }
  json_t *predictions = problem == NULL ? detect_moving_blobs (clip_path, &problem) : NULL;
  g_mutex_unlock (&clip_lock);
  if (predictions == NULL)
    return failure (problem);
  double ms = (double)(g_get_monotonic_time () - began) / 1000.0;
  int n_frames = (int)json_array_size (json_object_get (predictions, "frames"));
  return json_pack ("{s:b,s:o,s:n,s:s,s:{s:i,s:f}}", "success", 1, "predictions", predictions, "error", "model", "moving-blobs",
                    "telemetry", "frames_processed", n_frames, "inference_ms", ms);
}

static json_t *
answer (const GString *body)
{
  g_autoptr (json_t) request = sv_json_parse ("request", body->str, body->len, MAX_REQUEST, NULL);
  const char *url = json_string_value (json_object_get (request, "url"));
  return url != NULL ? predict (url) : failure ("the request has no url");
}

/* ── HTTP ── */

static enum MHD_Result
reply (struct MHD_Connection *connection, guint status, json_t *json)
{
  char *text = json_dumps (json, JSON_COMPACT);
  json_decref (json);
  struct MHD_Response *response = MHD_create_response_from_buffer (strlen (text), text, MHD_RESPMEM_MUST_FREE);
  MHD_add_response_header (response, "Content-Type", "application/json");
  enum MHD_Result queued = MHD_queue_response (connection, status, response);
  MHD_destroy_response (response);
  return queued;
}

static enum MHD_Result
on_request (void *data, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
            const char *upload, size_t *upload_size, void **state)
{
  if (*state == NULL)
  {
    *state = g_string_new (NULL);
    return MHD_YES;
  }
  GString *body = *state;
  if (*upload_size > 0)
  {
    if (body->len + *upload_size > MAX_REQUEST)
      return MHD_NO;
    g_string_append_len (body, upload, (gssize)*upload_size);
    *upload_size = 0;
    return MHD_YES;
  }
  g_autofree char *expected = g_strdup_printf ("/%s/predict", opt_slug);
  if (strcmp (path, expected) != 0)
    return reply (connection, 404, failure ("no such chute"));
  if (strcmp (method, "POST") != 0)
    return reply (connection, 405, failure ("use POST"));
  return reply (connection, 200, answer (body));
}

static void
on_completed (void *data, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
  if (*state != NULL)
    g_string_free (*state, TRUE);
}

static int
serve (void)
{
  sigset_t signals;
  sigemptyset (&signals);
  sigaddset (&signals, SIGTERM);
  sigaddset (&signals, SIGINT);
  sigprocmask (SIG_BLOCK, &signals, NULL);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16)opt_port) };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  struct MHD_Daemon *daemon =
      MHD_start_daemon (MHD_USE_EPOLL_INTERNAL_THREAD, (guint16)opt_port, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR,
                        &address, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_THREAD_POOL_SIZE, 2u,
                        MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
  if (daemon == NULL)
  {
    fprintf (stderr, "chute: port %d on loopback cannot be listened on; give another --port\n", opt_port);
    return 1;
  }
  printf ("chute %s listens on http://127.0.0.1:%d/%s/predict\n", opt_slug,
          MHD_get_daemon_info (daemon, MHD_DAEMON_INFO_BIND_PORT)->port, opt_slug);
  fflush (stdout);
  int received;
  sigwait (&signals, &received);
  MHD_stop_daemon (daemon);
  return 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("- answer predictions for the runner");
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || opt_slug == NULL)
  {
    fprintf (stderr, "chute: %s\n", error != NULL ? error->message : "--slug is missing: the slug that the commitment names");
    return 2;
  }
  g_autofree char *folder = g_dir_make_tmp ("chute-XXXXXX", &error);
  if (folder == NULL)
  {
    fprintf (stderr, "chute: %s\n", error->message);
    return 1;
  }
  clip_path = g_build_filename (folder, "clip", NULL);
  int status = serve ();
  unlink (clip_path);
  rmdir (folder);
  g_free (clip_path);
  g_free (clip_url);
  return status;
}
