/* The front as a whole: one worker for each processor that the process may use, and one more that sends files, because reading
 * a file may wait for a disk, and those who wait for challenges shall not.
 *
 * Why it is written here: of the servers in Debian none answers from another thread without several system calls for each
 * request, nor bounds a request's whole time (docs/architecture.md, "Libraries"). */
#include "api/front.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/front_internal.h"
#include "base/error.h"

static guint
count_processors (void)
{
  cpu_set_t set;
  if (sched_getaffinity (0, sizeof set, &set) == 0)
    return (guint)MAX (CPU_COUNT (&set), 1);
  return g_get_num_processors ();
}

static gboolean
open_worker (SvFront *front, SvWorker *worker)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = worker };
  worker->front = front;
  worker->ready = g_ptr_array_new ();
  worker->dead = g_ptr_array_new ();
  worker->spare = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_exchange_free);
  worker->buffer = g_malloc (SV_READ_SIZE);
  worker->out = g_string_sized_new (4096);
  worker->log = g_string_sized_new (8192);
  worker->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  worker->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  return worker->epoll_fd >= 0 && worker->event_fd >= 0 &&
         epoll_ctl (worker->epoll_fd, EPOLL_CTL_ADD, worker->event_fd, &event) == 0;
}

static gboolean
start_workers (SvFront *front, GError **error)
{
  gboolean ok = TRUE;
  for (guint i = 0; ok && i <= front->n_workers; i++)
    ok = open_worker (front, &front->workers[i]);
  if (!ok)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "the HTTP server cannot be started: %s; allow the process more files",
                 g_strerror (errno));
    return FALSE;
  }
  for (guint i = 0; i <= front->n_workers; i++)
  {
    g_autofree char *name = i < front->n_workers ? g_strdup_printf ("http-%u", i) : g_strdup ("http-files");
    front->workers[i].thread = g_thread_try_new (name, sv_worker_run, &front->workers[i], error);
    if (front->workers[i].thread == NULL)
      return FALSE;
  }
  return TRUE;
}

SvFront *
sv_front_new (SvService *service, int listen_fd, const SvFrontLimits *limits, GError **error)
{
  SvFront *front = g_new0 (SvFront, 1);
  front->service = service;
  service->front = front; /* before any thread asks */
  front->limits = *limits;
  front->listen_fd = listen_fd;
  front->n_workers = count_processors ();
  front->workers = g_new0 (SvWorker, front->n_workers + 1);
  for (guint i = 0; i <= front->n_workers; i++)
    front->workers[i].epoll_fd = front->workers[i].event_fd = -1;
  g_mutex_init (&front->lock);
  g_cond_init (&front->reached);
  if (start_workers (front, error))
    return front;
  sv_front_free (front);
  return NULL;
}

static gboolean
have_come_to (const SvFront *front, SvFrontStage stage)
{
  for (guint i = 0; i <= front->n_workers; i++)
    if (front->workers[i].stage < stage)
      return FALSE;
  return TRUE;
}

static void
go_to_stage (SvFront *front, SvFrontStage stage)
{
  g_atomic_int_set (&front->stage, (gint)stage);
  for (guint i = 0; i <= front->n_workers; i++)
    sv_worker_wake (&front->workers[i]);
  g_mutex_lock (&front->lock);
  while (!have_come_to (front, stage))
    g_cond_wait (&front->reached, &front->lock);
  g_mutex_unlock (&front->lock);
}

void
sv_front_quiesce (SvFront *front)
{
  go_to_stage (front, SV_FRONT_QUIET);
}

void
sv_front_close (SvFront *front)
{
  go_to_stage (front, SV_FRONT_CLOSED);
}

gboolean
sv_front_has_room_for_file (const SvFront *front)
{
  return (guint)g_atomic_int_get (&front->n_files) < front->limits.max_files;
}

guint
sv_front_connections (const SvFront *front)
{
  return (guint)g_atomic_int_get (&front->n_connections);
}

static void
clear_worker (SvWorker *worker)
{
  if (worker->epoll_fd >= 0)
    close (worker->epoll_fd);
  if (worker->event_fd >= 0)
    close (worker->event_fd);
  if (worker->front == NULL)
    return;
  g_ptr_array_unref (worker->ready);
  g_ptr_array_unref (worker->dead);
  g_ptr_array_unref (worker->spare);
  g_free (worker->buffer);
  g_string_free (worker->out, TRUE);
  g_string_free (worker->log, TRUE);
}

void
sv_front_free (SvFront *front)
{
  if (front == NULL)
    return;
  g_atomic_int_set (&front->is_stopping, 1);
  for (guint i = 0; i <= front->n_workers; i++)
    if (front->workers[i].thread != NULL)
      sv_worker_wake (&front->workers[i]);
  for (guint i = 0; i <= front->n_workers; i++)
    if (front->workers[i].thread != NULL)
      g_thread_join (front->workers[i].thread);
  for (guint i = 0; i <= front->n_workers; i++) /* those that were handed to one that had ended */
    if (front->workers[i].thread != NULL)
      sv_worker_close_all (&front->workers[i]);
  for (guint i = 0; i <= front->n_workers; i++)
    clear_worker (&front->workers[i]);
  g_mutex_clear (&front->lock);
  g_cond_clear (&front->reached);
  g_free (front->workers);
  g_free (front);
}
