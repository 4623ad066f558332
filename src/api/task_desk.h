/* The desk for tasks: one thread with a state of its own that completes tasks and finds their ground truth, so that no HTTP
 * thread waits for a disk (docs/protocol.md section 7). */
#pragma once

#include "state/state.h"

typedef struct SvTaskDesk SvTaskDesk;

typedef enum
{
  SV_TASK_DONE,
  SV_TASK_UNKNOWN,       /* no such task was issued to the asker, or not any more */
  SV_TASK_NOT_COMPLETED, /* ground truth is told afterwards only */
  SV_TASK_NO_TRUTH,      /* there is none of the task's clip */
  SV_TASK_TOO_MUCH,      /* as much ground truth as may be is on its way to others */
  SV_TASK_FAILED,        /* the state cannot be read or written just now */
} SvTaskOutcome;

/* One question. Made by the submitter, owned by the desk until @done is called on its thread, which takes it back. */
typedef struct SvTaskJob SvTaskJob;
struct SvTaskJob
{
  guint64 id;
  char *asker;
  gint64 now_ms;
  gboolean completes; /* else it asks for the ground truth */
  void (*done) (SvTaskJob *job, gpointer data);
  gpointer data;
  /* out: */
  SvTaskOutcome outcome;
  gint64 completed_ms;
  char *ground_truth; /* a JSON text */
  /* the desk's own: */
  SvTaskDesk *desk;
  gsize held;
};

/* Gives back what its ground truth has held of the desk's room, so it is freed only when the answer has been sent. */
void sv_task_job_free (SvTaskJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvTaskJob, sv_task_job_free)

/* Takes @state and starts the thread. @room: bytes of ground truth that may be on their way at a time. */
SvTaskDesk *sv_task_desk_new (SvState *state, gsize room);

/* Takes @job. */
void sv_task_desk_submit (SvTaskDesk *desk, SvTaskJob *job);

/* Jobs that wait now. */
guint sv_task_desk_waiting (SvTaskDesk *desk);

/* Does what waits, ends the thread and closes the state. All jobs must have been freed. */
void sv_task_desk_free (SvTaskDesk *desk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvTaskDesk, sv_task_desk_free)
