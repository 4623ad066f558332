/* Threads that have the processor sooner or later than others.
 *
 * 1. a thread that gives way has the niceness of its share on top of the process's, and at most 19; whoever has made it keeps
 * his own
 * 2. a slice is what the system is told, where it knows of slices (Linux 6.12), and the niceness stays
 * 3. whoever pauses goes on, and no sooner than after as many times the processor time that he has used as he says */
#include <glib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/thread_priority.h"

/* The beginning of what sched_getattr(2) tells. */
typedef struct
{
  guint32 size;
  guint32 policy;
  guint64 flags;
  gint32 niceness;
  guint32 priority;
  guint64 runtime_ns;
  guint64 deadline_ns;
  guint64 period_ns;
} Attributes;

static Attributes
attributes (void)
{
  Attributes own = { 0 };
  if (syscall (SYS_sched_getattr, 0, &own, (guint)sizeof own, 0U) != 0)
    own.niceness = getpriority (PRIO_PROCESS, (id_t)gettid ());
  return own;
}

/* Systems that know of no slices tell 0. */
static void
assert_slice (const Attributes *own, guint us)
{
  if (own->runtime_ns != 0)
    g_assert_cmpuint (own->runtime_ns, ==, (guint64)us * 1000);
}

static gpointer
give_way (gpointer share)
{
  gint32 before = attributes ().niceness;
  sv_thread_give_way ("a test", (SvThreadShare)GPOINTER_TO_UINT (share));
  g_assert_cmpint (attributes ().niceness, ==, MIN (before + (gint32)GPOINTER_TO_UINT (share), 19));
  return NULL;
}

static void
test_giving_way (void)
{
  gint32 before = attributes ().niceness;
  g_thread_join (g_thread_new ("quarter", give_way, GUINT_TO_POINTER (SV_SHARE_QUARTER)));
  g_thread_join (g_thread_new ("tenth", give_way, GUINT_TO_POINTER (SV_SHARE_TENTH)));
  g_assert_cmpint (attributes ().niceness, ==, before);
}

static gpointer
take_slices (gpointer data)
{
  static const guint slices[] = { 100, 500, 3000 };
  gint32 before = attributes ().niceness;
  for (gsize i = 0; i < G_N_ELEMENTS (slices); i++)
  {
    sv_thread_set_slice (slices[i]);
    Attributes own = attributes ();
    assert_slice (&own, slices[i]);
    g_assert_cmpint (own.niceness, ==, before);
  }
  return NULL;
}

static void
test_slices (void)
{
  g_thread_join (g_thread_new ("slices", take_slices, NULL));
}

static gint64
used_us (void)
{
  struct timespec used;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used);
  return (gint64)used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

static void
test_pauses (void)
{
  sv_thread_pause (0);
  gint64 began_us = used_us ();
  while (used_us () - began_us < 2000)
    ;
  gint64 at_pause_us = g_get_monotonic_time ();
  sv_thread_pause (3);
  g_assert_cmpint (g_get_monotonic_time () - at_pause_us, >=, 6000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/thread-priority/" #test, test)
  ADD (test_giving_way);
  ADD (test_slices);
  ADD (test_pauses);
  return g_test_run ();
}
