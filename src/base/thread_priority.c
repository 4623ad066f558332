/* Linux shares a processor out in slices, of some milliseconds where nobody asks for others, and lets a thread that has one
 * finish it even if it is a niced one: whoever answers in less than that waits for a thread that nobody waits for. So a slice
 * is as long as the thread's usual stretch of work. Of Linux's threads each has a niceness and a slice of its own.
 *
 * The C library has no sched_setattr() yet. */
#include "base/thread_priority.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define LONG_SLICE_US 3000
#define LEAST_PRIORITY 19 /* niceness */
#define PAUSE_US 50       /* at least; the system adds as much */
#define PAUSE_MAX_US 100000
#define KEEP_POLICY 0x08 /* SCHED_FLAG_KEEP_POLICY */

/* The system's struct sched_attr, in its first version (sched(7)). */
typedef struct
{
  guint32 size;
  guint32 policy;
  guint64 flags;
  gint32 niceness;
  guint32 priority;
  guint64 runtime_ns; /* the slice */
  guint64 deadline_ns;
  guint64 period_ns;
} Attributes;

void
sv_thread_set_slice (guint us)
{
  Attributes attributes = { .size = sizeof attributes, .flags = KEEP_POLICY, .runtime_ns = (guint64)us * 1000 };
  attributes.niceness = getpriority (PRIO_PROCESS, (id_t)gettid ());
  (void)syscall (SYS_sched_setattr, 0, &attributes, 0U); /* without it, answers come later, and as they did before */
}

void
sv_thread_give_way (const char *what, SvThreadShare share)
{
  id_t thread = (id_t)gettid ();
  int niceness = MIN (getpriority (PRIO_PROCESS, thread) + (int)share, LEAST_PRIORITY);
  if (setpriority (PRIO_PROCESS, thread, niceness) != 0)
    sv_log ("warning", "a background thread has no lower priority than requests", "thread", what, "reason", g_strerror (errno),
            NULL);
  sv_thread_set_slice (LONG_SLICE_US);
}

static gint64
thread_time_us (void)
{
  struct timespec used;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used);
  return (gint64)used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

/* A sleep and no sched_yield(), which would give the processor to those who have had less than their share, and of a niced
 * thread's share next to nothing is left. */
void
sv_thread_pause (guint times)
{
  static _Thread_local gint64 at_last_pause_us;
  gint64 worked_us = thread_time_us () - at_last_pause_us;
  g_usleep ((gulong)MIN (PAUSE_US + worked_us * times, PAUSE_MAX_US));
  at_last_pause_us = thread_time_us ();
}
