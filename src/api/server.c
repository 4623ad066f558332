/* The server's life. It is put together in the order in which its parts need one another, and taken apart in reverse: first no
 * more connections, then the requests in hand, then the HTTP threads, and last the watchers and the issue log, because a
 * suspended request must be resumed before the thread that holds its connection may stop. */
#include "api/server.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/clip_link.h"
#include "api/commitments_view.h"
#include "api/config_check.h"
#include "api/front.h"
#include "api/listen.h"
#include "api/watching.h"
#include "base/error.h"
#include "base/http_client.h"
#include "base/log.h"
#include "protocol/object_keys.h"

#define MAX_STRANGERS 65536
#define OWN_FILES 128          /* databases, chain, store, log */
#define PUBLIC_FACTOR 10       /* so many times as often one address may ask for what is not the API … */
#define COSTLY_SHARE 10        /* … and of a tenth of its requests the answer may cost much */
#define INDEX_INTERVAL_MS 1000 /* from a store on this machine */
#define INDEX_INTERVAL_REMOTE_MS 5000
#define INDEX_DEMAND_MS 1000
#define FIRST_READING_MS 10000 /* of index and manifests, that a start waits for */
#define CHAIN_DEMAND_MS 50
#define CLIPS_INTERVAL_MS 1000
#define GROUND_TRUTH_ROOM (256 * 1024 * 1024)
#define CHAIN_LOOK_MS 100 /* whether somebody wishes a reading, or has shared one */

struct SvServer
{
  SvService service;
  SvServerLimits limits;
  SvConfig *config; /* its own: readers and engines ask it as long as they live */
  SvFront *front;
  int listen_fd;
  char *listen; /* SCOREVISION_LISTEN */
  char *url;
  guint port;
  SvAdmissionRules rules;
  SvObjectStore *store;
  SvChainOpener *opener;
  SvManifestWatch *manifest_watch;
  SvChainWatch *chain_watch;
  SvClipWatch *clip_watch;
};

/* ── what the configuration says ── */

static gboolean
read_bases (SvServer *server, const SvConfig *config, GError **error)
{
  gboolean is_default = g_strcmp0 (sv_config_origin (config, "SCOREVISION_API"), "default") == 0 ||
                        sv_config_get (config, "SCOREVISION_API") == NULL;
  char *own[] = { server->url, NULL };
  server->service.bases = is_default ? g_strdupv (own) : sv_config_get_list (config, "SCOREVISION_API");
  g_autoptr (GPtrArray) origins = g_ptr_array_new_with_free_func (g_free);
  for (char **base = server->service.bases; *base != NULL; base++)
  {
    char *origin = sv_url_origin (*base, error);
    if (origin == NULL)
    {
      g_prefix_error (error, "SCOREVISION_API: ");
      return FALSE;
    }
    g_ptr_array_add (origins, origin);
    while (g_str_has_suffix (*base, "/"))
      (*base)[strlen (*base) - 1] = '\0';
  }
  g_ptr_array_add (origins, NULL);
  server->service.origins = (char **)g_ptr_array_steal (origins, NULL);
  return TRUE;
}

static gboolean
read_settings (SvServer *server, const SvConfig *config, GError **error)
{
  static const char *const none[] = { NULL };
  guint64 netuid, max_lag_s;
  SvService *service = &server->service;
  g_auto (GStrv) proxies = sv_config_get_list (config, "SCOREVISION_TRUSTED_PROXIES");
  g_autoptr (GError) failure = NULL;
  if (!sv_config_get_integer (config, "SCOREVISION_NETUID", 0, 65535, &netuid, error) ||
      !sv_config_get_integer (config, "SCOREVISION_CHAIN_MAX_LAG", 1, 31536000, &max_lag_s, error) ||
      !sv_admission_rules_parse ("SCOREVISION_RATE_LIMIT", sv_config_get (config, "SCOREVISION_RATE_LIMIT"), &server->rules,
                                 error))
    return FALSE;
  service->netuid = (guint)netuid;
  service->addresses = sv_address_limit_new (server->limits.requests_per_second, server->limits.request_burst,
                                             (const char *const *)proxies, error);
  if (service->addresses == NULL)
    return FALSE;
  service->public_addresses = sv_address_limit_new (PUBLIC_FACTOR * server->limits.requests_per_second,
                                                    PUBLIC_FACTOR * server->limits.request_burst, none, NULL);
  service->costly_addresses = sv_address_limit_new (MAX (server->limits.requests_per_second / COSTLY_SHARE, 1),
                                                    MAX (server->limits.request_burst / COSTLY_SHARE, 1), none, NULL);
  service->validators = sv_validators_new (config, &failure);
  if (failure != NULL)
  {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  service->board = sv_board_new (max_lag_s * 1000);
  server->opener = sv_chain_opener_new (config, NULL, error);
  if (server->opener == NULL)
    return FALSE;
  sv_board_set_chain_contact (service->board, sv_chain_opener_contact (server->opener)); /* its watcher begins later */
  return TRUE;
}

/* ── engines ── */

static gboolean
open_store (SvServer *server, const SvConfig *config, GError **error)
{
  const char *url = sv_config_get (config, "SCOREVISION_STORE");
  if (!sv_config_check_public_urls (config, error))
    return FALSE;
  server->store = sv_object_store_open (url, config, error);
  if (server->store == NULL)
    return FALSE;
  if (!sv_object_store_check_writable (server->store, NULL))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "SCOREVISION_STORE: clips are handed out from a file: or s3: store, and %s is neither; set it to file:PATH or "
                 "s3://BUCKET",
                 url);
    return FALSE;
  }
  if (!sv_clip_url_check (server->store, error))
    return FALSE;
  server->service.store = server->store;
  return TRUE;
}

/* What is in the state is read by its keeper, at once where it can be and else as soon as that is so. */
static gboolean
open_state (SvServer *server, const SvConfig *config, GError **error)
{
  SvService *service = &server->service;
  g_autoptr (SvState) state = sv_state_open (config, error);
  if (state == NULL)
    return FALSE;
  service->admission = sv_admission_new (&server->rules, MAX_STRANGERS);
  service->issue_log = sv_issue_log_new (g_steal_pointer (&state), &server->rules);
  service->clip_key = sodium_malloc (SV_CLIP_LINK_KEY_SIZE);
  g_assert (service->clip_key != NULL);
  service->clip_links = sv_clip_links_new (server->store, service->bases[0], service->clip_key);
  state = sv_state_open (config, error);
  if (state == NULL)
    return FALSE;
  service->tasks = sv_task_desk_new (g_steal_pointer (&state), GROUND_TRUTH_ROOM);
  service->keeper = sv_state_keeper_new (config, service->board, &server->rules, service->admission, service->clip_key, error);
  return service->keeper != NULL;
}

/* The chain watcher begins by what is read here. One that takes another's place is waited for by whoever made it. */
static void
await_manifests (const SvServer *server)
{
  if (!sv_watcher_await_first (server->service.manifests, FIRST_READING_MS) && !sv_http_is_given_up ())
    sv_log ("warning", "manifest index", "reason", "it has not been read yet, since what is asked for it takes long to answer",
            "meaning", "this server starts without it, and takes it up when it is there; see what follows", NULL);
}

static gboolean
start_watching (SvServer *server, const SvConfig *config, const SvServer *before, GError **error)
{
  SvService *service = &server->service;
  g_autofree char *local = sv_object_store_local_path (server->store, SV_INDEX_KEY);
  gboolean is_remote = local == NULL || sv_config_get (config, "R2_PUBLIC_URL") != NULL ||
                       sv_config_get (config, "R2_BUCKET_PUBLIC_URL") != NULL;
  server->manifest_watch = sv_manifest_watch_new (config, service->board, server->opener, error);
  if (server->manifest_watch == NULL)
    return FALSE;
  server->chain_watch = sv_chain_watch_new (config, service->board, server->opener, service->validators, error);
  if (server->chain_watch == NULL)
    return FALSE;
  server->clip_watch = sv_clip_watch_new (config, service->board, error);
  if (server->clip_watch == NULL)
    return FALSE;
  service->manifests = sv_watcher_new ("manifests", is_remote ? INDEX_INTERVAL_REMOTE_MS : INDEX_INTERVAL_MS, INDEX_DEMAND_MS,
                                       sv_manifest_watch_step, server->manifest_watch);
  if (before == NULL)
    await_manifests (server);
  service->chain = sv_watcher_new ("chain", CHAIN_LOOK_MS, CHAIN_DEMAND_MS, sv_chain_watch_step, server->chain_watch);
  service->clips = sv_watcher_new ("clips", CLIPS_INTERVAL_MS, CLIPS_INTERVAL_MS, sv_clip_watch_step, server->clip_watch);
  service->commitments = sv_commitment_desk_new ();
  service->issue_publisher = sv_issue_publisher_new (config, service->board, server->opener, error);
  return service->issue_publisher != NULL;
}

/* ── HTTP ── */

/* Each connection is a file, and so is each file that is sent; who sends many must not keep others from connecting. */
static void
afford (const SvServerLimits *limits, SvFrontLimits *front)
{
  struct rlimit files;
  gboolean is_known = getrlimit (RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY;
  guint64 left = !is_known ? G_MAXINT : files.rlim_cur > 2 * OWN_FILES ? files.rlim_cur - OWN_FILES : OWN_FILES;
  guint64 to_send = MAX (left / 4, left > limits->max_connections ? left - limits->max_connections : 0);
  front->max_files = (guint)MIN (to_send, limits->max_files);
  front->max_connections = (guint)MIN (left - to_send, limits->max_connections);
}

static gboolean
start_front (SvServer *server, GError **error)
{
  const SvServerLimits *limits = &server->limits;
  SvFrontLimits front_limits = { .per_address = limits->per_address,
                                 .head_ms = limits->head_ms,
                                 .body_ms = limits->body_ms,
                                 .idle_ms = limits->idle_ms,
                                 .send_ms = limits->send_ms,
                                 .send_bytes = limits->send_bytes,
                                 .linger_ms = limits->linger_ms };
  afford (limits, &front_limits);
  server->front = sv_front_new (&server->service, server->listen_fd, &front_limits, error);
  return server->front != NULL;
}

/* Guarded memory is to be had only after this; a server needs some before it has met its first key. */
static gboolean
prepare_sodium (GError **error)
{
  if (sodium_init () >= 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "libsodium cannot be initialised: the system has no random numbers");
  return FALSE;
}

/* A socket of one's own, or with the same setting the one of the server that goes: connections that wait in it are lost to
 * nobody. */
static gboolean
open_socket (SvServer *server, const SvConfig *config, const SvServer *before, GError **error)
{
  g_autoptr (GError) failure = NULL;
  server->listen = g_strdup (sv_config_get (config, "SCOREVISION_LISTEN"));
  if (before == NULL || g_strcmp0 (before->listen, server->listen) != 0)
  {
    server->listen_fd = sv_listen (server->listen, &server->url, &server->port, &failure);
    if (g_error_matches (failure, SV_ERROR, SV_ERROR_CONFLICT) && before != NULL &&
        (sv_listen_overlaps (server->listen, before->listen) ||
         sv_listen_overlaps (server->listen, before->url + strlen ("http://")))) /* where any port would do */
      g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT,
                   "SCOREVISION_LISTEN: this server itself listens on %s, beside which %s cannot be bound; this change needs a "
                   "restart",
                   before->url + strlen ("http://"), server->listen);
    else if (failure != NULL)
      g_propagate_error (error, g_steal_pointer (&failure));
    return server->listen_fd >= 0;
  }
  server->listen_fd = fcntl (before->listen_fd, F_DUPFD_CLOEXEC, 0);
  server->url = g_strdup (before->url);
  server->port = before->port;
  if (server->listen_fd < 0)
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "the socket of %s cannot be shared: %s", server->url, g_strerror (errno));
  return server->listen_fd >= 0;
}

static gboolean
prepare (SvServer *server, const SvConfig *config, const SvServer *before, GError **error)
{
  return prepare_sodium (error) && open_socket (server, config, before, error) && read_bases (server, config, error) &&
         read_settings (server, config, error) && open_store (server, config, error) && open_state (server, config, error) &&
         start_watching (server, config, before, error);
}

SvServer *
sv_server_prepare (const SvConfig *config, const SvServerLimits *limits, const SvServer *before, GError **error)
{
  static const SvServerLimits defaults = SV_SERVER_LIMITS_DEFAULT;
  g_autoptr (SvServer) server = g_new0 (SvServer, 1);
  server->limits = limits != NULL ? *limits : defaults;
  server->listen_fd = -1;
  server->service.max_working = server->limits.max_working;
  server->service.metrics = sv_metrics_new ();
  g_mutex_init (&server->service.flight_lock);
  g_cond_init (&server->service.flight_changed);
  server->config = sv_config_copy (config);
  return prepare (server, server->config, before, error) ? g_steal_pointer (&server) : NULL;
}

gboolean
sv_server_answer (SvServer *server, GError **error)
{
  return start_front (server, error);
}

SvServer *
sv_server_start (const SvConfig *config, const SvServerLimits *limits, GError **error)
{
  g_autoptr (SvServer) server = sv_server_prepare (config, limits, NULL, error);
  return server != NULL && sv_server_answer (server, error) ? g_steal_pointer (&server) : NULL;
}

const char *
sv_server_fault (const SvServer *server)
{
  return sv_service_fault (&server->service);
}

const char *
sv_server_url (const SvServer *server)
{
  return server->url;
}

guint
sv_server_port (const SvServer *server)
{
  return server->port;
}

char *
sv_server_windows (const SvServer *server)
{
  g_autoptr (SvSnapshot) snapshot = sv_board_get (server->service.board);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const GPtrArray *entries = snapshot->catalog != NULL ? snapshot->catalog->index->entries : NULL;
  for (guint i = 0; entries != NULL && i < entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (entries, i);
    if (g_hash_table_contains (snapshot->catalog->manifests, entry->hash))
      g_ptr_array_add (names, entry->window_id);
  }
  g_ptr_array_add (names, NULL);
  if (names->len == 1)
    return g_strdup (snapshot->catalog != NULL ? "none" : SV_WINDOWS_NOT_READ);
  return g_strjoinv (", ", (char **)names->pdata);
}

/* ── the end ── */

/* Requests in hand end by themselves, since watchers and issue log go on; downloads get a while. */
static void
drain (SvServer *server)
{
  SvService *service = &server->service;
  gint64 deadline = g_get_monotonic_time () + (gint64)server->limits.drain_ms * 1000;
  g_atomic_int_set (&service->is_draining, 1);
  sv_front_close (server->front);
  close (server->listen_fd); /* others that have the socket go on listening on it */
  server->listen_fd = -1;
  g_mutex_lock (&service->flight_lock);
  while (g_atomic_int_get (&service->n_in_flight) > 0)
    if (!g_cond_wait_until (&service->flight_changed, &service->flight_lock, deadline))
      break;
  g_atomic_int_set (&service->is_closing, 1);
  while (g_atomic_int_get (&service->n_working) > 0)
    g_cond_wait (&service->flight_changed, &service->flight_lock);
  g_mutex_unlock (&service->flight_lock);
}

static void
clear_service (SvService *service)
{
  sv_watcher_hurry (service->manifests);
  sv_watcher_hurry (service->chain);
  sv_watcher_hurry (service->clips);
  g_clear_pointer (&service->issue_publisher, sv_issue_publisher_free);
  g_clear_pointer (&service->manifests, sv_watcher_free);
  g_clear_pointer (&service->chain, sv_watcher_free);
  g_clear_pointer (&service->clips, sv_watcher_free);
  g_clear_pointer (&service->keeper, sv_state_keeper_free);
  g_clear_pointer (&service->tasks, sv_task_desk_free);
  g_clear_pointer (&service->commitments, sv_commitment_desk_free);
  g_clear_pointer (&service->issue_log, sv_issue_log_free);
  g_clear_pointer (&service->admission, sv_admission_free);
  g_clear_pointer (&service->addresses, sv_address_limit_free);
  g_clear_pointer (&service->public_addresses, sv_address_limit_free);
  g_clear_pointer (&service->costly_addresses, sv_address_limit_free);
  g_clear_pointer (&service->validators, sv_validators_free);
  g_clear_pointer (&service->metrics, sv_metrics_free);
  g_clear_pointer (&service->clip_links, sv_clip_links_free);
  g_clear_pointer (&service->clip_key, sodium_free);
  g_strfreev (service->bases);
  g_strfreev (service->origins);
  g_mutex_clear (&service->flight_lock);
  g_cond_clear (&service->flight_changed);
}

void
sv_server_retire (SvServer *server, const SvServer *successor)
{
  sv_front_quiesce (server->front);
  if (g_strcmp0 (server->listen, successor->listen) != 0)
    shutdown (server->listen_fd, SHUT_RDWR);
  g_atomic_int_set (&server->service.is_replaced, 1);
  g_atomic_int_set (&server->service.is_draining, 1);
}

guint
sv_server_connections (const SvServer *server)
{
  return sv_front_connections (server->front);
}

void
sv_server_stop (SvServer *server)
{
  if (server == NULL)
    return;
  if (server->front != NULL)
  {
    drain (server);
    sv_front_free (server->front);
  }
  else if (server->service.issue_publisher != NULL)
    sv_issue_publisher_hurry (server->service.issue_publisher);
  if (server->listen_fd >= 0)
    close (server->listen_fd);
  SvBoard *board = server->service.board;
  clear_service (&server->service);
  sv_manifest_watch_free (server->manifest_watch);
  sv_chain_watch_free (server->chain_watch);
  sv_clip_watch_free (server->clip_watch);
  sv_chain_opener_free (server->opener);
  g_clear_pointer (&server->store, sv_object_store_free);
  sv_board_free (board);
  g_clear_pointer (&server->config, sv_config_free);
  g_free (server->listen);
  g_free (server->url);
  g_free (server);
}
