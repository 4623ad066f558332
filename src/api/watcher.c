/* The watcher's loop. Whoever asks while a step is under way waits for the next one: the step may have read already what has
 * changed since. */
#include "api/watcher.h"

#include "base/http_client.h"

#define PATIENCE_PART_US 50000 /* after which who waits looks whether it is given up */

typedef struct
{
  void (*done) (gpointer data);
  gpointer data;
} Waiter;

struct SvWatcher
{
  GThread *thread;
  gint64 interval_us;
  gint64 demand_interval_us;
  SvWatcherStep step;
  gpointer data;
  GMutex lock;
  GCond wake;
  GCond stepped;
  gboolean has_stepped;
  gint must_hurry; /* atomic */
  GArray *waiters; /* of Waiter */
  gboolean is_closing;
};

static GArray *
take_waiters (SvWatcher *watcher)
{
  GArray *waiters = watcher->waiters;
  watcher->waiters = g_array_new (FALSE, FALSE, sizeof (Waiter));
  return waiters;
}

static void
call_waiters (GArray *waiters)
{
  for (guint i = 0; i < waiters->len; i++)
  {
    const Waiter *waiter = &g_array_index (waiters, Waiter, i);
    waiter->done (waiter->data);
  }
}

/* Sleeps until the next step is due. NULL: the watcher is closing. */
static GArray *
await_step (SvWatcher *watcher, gint64 last_step, gint64 last_demand)
{
  g_mutex_lock (&watcher->lock);
  while (!watcher->is_closing)
  {
    gint64 due = last_step + watcher->interval_us;
    if (watcher->waiters->len > 0)
      due = MIN (due, last_demand + watcher->demand_interval_us);
    if (g_get_monotonic_time () >= due || !g_cond_wait_until (&watcher->wake, &watcher->lock, due))
      break;
  }
  GArray *waiters = watcher->is_closing ? NULL : take_waiters (watcher);
  g_mutex_unlock (&watcher->lock);
  return waiters;
}

static void
note_step (SvWatcher *watcher)
{
  g_mutex_lock (&watcher->lock);
  watcher->has_stepped = TRUE;
  g_cond_broadcast (&watcher->stepped);
  g_mutex_unlock (&watcher->lock);
}

static gpointer
run (gpointer data)
{
  SvWatcher *watcher = data;
  gint64 last_step = 0, last_demand = 0;
  sv_http_give_up_with (&watcher->must_hurry);
  for (;;)
  {
    g_autoptr (GArray) waiters = await_step (watcher, last_step, last_demand);
    if (waiters == NULL)
      return NULL;
    if (waiters->len > 0)
      last_demand = g_get_monotonic_time ();
    watcher->step (waiters->len > 0, watcher->data);
    last_step = g_get_monotonic_time ();
    note_step (watcher);
    call_waiters (waiters);
  }
}

SvWatcher *
sv_watcher_new (const char *name, guint interval_ms, guint demand_interval_ms, SvWatcherStep step, gpointer data)
{
  SvWatcher *watcher = g_new0 (SvWatcher, 1);
  watcher->interval_us = (gint64)interval_ms * 1000;
  watcher->demand_interval_us = (gint64)demand_interval_ms * 1000;
  watcher->step = step;
  watcher->data = data;
  g_mutex_init (&watcher->lock);
  g_cond_init (&watcher->wake);
  g_cond_init (&watcher->stepped);
  watcher->waiters = g_array_new (FALSE, FALSE, sizeof (Waiter));
  watcher->thread = g_thread_new (name, run, watcher);
  return watcher;
}

void
sv_watcher_wait (SvWatcher *watcher, void (*done) (gpointer data), gpointer data)
{
  Waiter waiter = { done, data };
  g_mutex_lock (&watcher->lock);
  gboolean is_closing = watcher->is_closing;
  if (!is_closing)
    g_array_append_val (watcher->waiters, waiter);
  g_cond_signal (&watcher->wake);
  g_mutex_unlock (&watcher->lock);
  if (is_closing)
    done (data);
}

gboolean
sv_watcher_await_first (SvWatcher *watcher, guint patience_ms)
{
  gint64 end = g_get_monotonic_time () + (gint64)patience_ms * 1000;
  g_mutex_lock (&watcher->lock);
  while (!watcher->has_stepped && g_get_monotonic_time () < end && !sv_http_is_given_up ())
    g_cond_wait_until (&watcher->stepped, &watcher->lock, MIN (end, g_get_monotonic_time () + PATIENCE_PART_US));
  gboolean has_stepped = watcher->has_stepped;
  g_mutex_unlock (&watcher->lock);
  return has_stepped;
}

void
sv_watcher_hurry (SvWatcher *watcher)
{
  if (watcher != NULL)
    g_atomic_int_set (&watcher->must_hurry, 1);
}

void
sv_watcher_free (SvWatcher *watcher)
{
  if (watcher == NULL)
    return;
  g_mutex_lock (&watcher->lock);
  watcher->is_closing = TRUE;
  g_cond_signal (&watcher->wake);
  g_mutex_unlock (&watcher->lock);
  g_thread_join (watcher->thread);
  call_waiters (watcher->waiters);
  g_array_unref (watcher->waiters);
  g_cond_clear (&watcher->wake);
  g_cond_clear (&watcher->stepped);
  g_mutex_clear (&watcher->lock);
  g_free (watcher);
}
