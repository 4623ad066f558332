/* One job at a time: a completion is a transaction of a row, a ground truth one read by key. Ground truth may have 16 MiB and
 * its reader may be slow, so what is on its way is counted until it has been sent; beyond the room there is, askers are told
 * to come back. A first one always finds room. */
#include "api/task_desk.h"

#include <string.h>

#include "base/log.h"

struct SvTaskDesk
{
  SvState *state;
  gsize room;
  GThread *thread;
  GMutex lock;
  GCond wake;
  GQueue waiting; /* of SvTaskJob */
  gsize held;
  gboolean is_closing;
};

void
sv_task_job_free (SvTaskJob *job)
{
  if (job == NULL)
    return;
  if (job->held > 0)
  {
    g_mutex_lock (&job->desk->lock);
    job->desk->held -= job->held;
    g_mutex_unlock (&job->desk->lock);
  }
  g_free (job->asker);
  g_free (job->ground_truth);
  g_free (job);
}

/* ── the jobs ── */

/* The task as its asker may see it; another's is as unknown as none. */
static gboolean
find_own (SvTaskDesk *desk, const SvTaskJob *job, SvTaskRecord **task, GError **error)
{
  if (!sv_state_find_task (desk->state, job->id, task, error))
    return FALSE;
  if (*task != NULL && strcmp ((*task)->asker, job->asker) != 0)
    g_clear_pointer (task, sv_task_record_free);
  return TRUE;
}

static gboolean
complete (SvTaskDesk *desk, SvTaskJob *job, GError **error)
{
  gboolean found;
  g_autoptr (SvTaskRecord) task = NULL;
  if (!sv_state_complete_task (desk->state, job->id, job->asker, job->now_ms, &found, error) ||
      (found && !find_own (desk, job, &task, error)))
    return FALSE;
  job->outcome = task != NULL ? SV_TASK_DONE : SV_TASK_UNKNOWN;
  job->completed_ms = task != NULL ? task->completed_ms : 0;
  return TRUE;
}

static gboolean
take_room (SvTaskDesk *desk, SvTaskJob *job)
{
  gsize size = strlen (job->ground_truth);
  g_mutex_lock (&desk->lock);
  gboolean fits = desk->held == 0 || (desk->held <= desk->room && size <= desk->room - desk->held);
  if (fits)
  {
    desk->held += size;
    job->held = size;
  }
  g_mutex_unlock (&desk->lock);
  return fits;
}

static gboolean
find_ground_truth (SvTaskDesk *desk, SvTaskJob *job, GError **error)
{
  g_autoptr (SvTaskRecord) task = NULL;
  if (!find_own (desk, job, &task, error))
    return FALSE;
  job->outcome = task == NULL ? SV_TASK_UNKNOWN : task->completed_ms == 0 ? SV_TASK_NOT_COMPLETED : SV_TASK_NO_TRUTH;
  if (job->outcome != SV_TASK_NO_TRUTH)
    return TRUE;
  if (!sv_state_ground_truth (desk->state, task->clip_hash, &job->ground_truth, error))
    return FALSE;
  if (job->ground_truth != NULL)
    job->outcome = take_room (desk, job) ? SV_TASK_DONE : SV_TASK_TOO_MUCH;
  return TRUE;
}

static void
do_job (SvTaskDesk *desk, SvTaskJob *job)
{
  g_autoptr (GError) error = NULL;
  job->desk = desk;
  if (!(job->completes ? complete (desk, job, &error) : find_ground_truth (desk, job, &error)))
  {
    job->outcome = SV_TASK_FAILED;
    sv_log ("error", "task cannot be looked up", "reason", error->message, NULL);
  }
  job->done (job, job->data);
}

/* ── the thread ── */

/* NULL when the desk is closing and all has been done. */
static SvTaskJob *
take_job (SvTaskDesk *desk)
{
  g_mutex_lock (&desk->lock);
  while (desk->waiting.length == 0 && !desk->is_closing)
    g_cond_wait (&desk->wake, &desk->lock);
  SvTaskJob *job = g_queue_pop_head (&desk->waiting);
  g_mutex_unlock (&desk->lock);
  return job;
}

static gpointer
run (gpointer data)
{
  for (SvTaskJob *job; (job = take_job (data)) != NULL;)
    do_job (data, job);
  return NULL;
}

SvTaskDesk *
sv_task_desk_new (SvState *state, gsize room)
{
  SvTaskDesk *desk = g_new0 (SvTaskDesk, 1);
  desk->state = state;
  desk->room = room;
  g_mutex_init (&desk->lock);
  g_cond_init (&desk->wake);
  g_queue_init (&desk->waiting);
  desk->thread = g_thread_new ("task-desk", run, desk);
  return desk;
}

void
sv_task_desk_submit (SvTaskDesk *desk, SvTaskJob *job)
{
  g_mutex_lock (&desk->lock);
  g_queue_push_tail (&desk->waiting, job);
  g_cond_signal (&desk->wake);
  g_mutex_unlock (&desk->lock);
}

guint
sv_task_desk_waiting (SvTaskDesk *desk)
{
  g_mutex_lock (&desk->lock);
  guint n = desk->waiting.length;
  g_mutex_unlock (&desk->lock);
  return n;
}

void
sv_task_desk_free (SvTaskDesk *desk)
{
  if (desk == NULL)
    return;
  g_mutex_lock (&desk->lock);
  desk->is_closing = TRUE;
  g_cond_signal (&desk->wake);
  g_mutex_unlock (&desk->lock);
  g_thread_join (desk->thread);
  sv_state_free (desk->state);
  g_cond_clear (&desk->wake);
  g_mutex_clear (&desk->lock);
  g_free (desk);
}
