/* The watcher's loop.
 *  1. the first step comes by itself; who waits for it waits until it is over, or for as long as he likes
 *  2. who asks while a step is under way gets the next one
 *  3. whoever waits when it ends is called
 */
#include "api/watcher.h"

#define NEVER_MS 600000 /* longer than a test may take */

/* A step that waits until it may go on. */
typedef struct
{
  GMutex lock;
  GCond changed;
  guint n_begun, n_demanded, n_done; /* steps, steps that somebody waited for, waiters that were called */
  guint n_allowed;                   /* steps */
} Steps;

static void
step (gboolean is_demanded, gpointer data)
{
  Steps *steps = data;
  g_mutex_lock (&steps->lock);
  steps->n_begun++;
  steps->n_demanded += is_demanded ? 1 : 0;
  g_cond_broadcast (&steps->changed);
  while (steps->n_allowed < steps->n_begun)
    g_cond_wait (&steps->changed, &steps->lock);
  g_mutex_unlock (&steps->lock);
}

static void
done (gpointer data)
{
  Steps *steps = data;
  g_mutex_lock (&steps->lock);
  steps->n_done++;
  g_cond_broadcast (&steps->changed);
  g_mutex_unlock (&steps->lock);
}

static void
allow (Steps *steps, guint n)
{
  g_mutex_lock (&steps->lock);
  steps->n_allowed = n;
  g_cond_broadcast (&steps->changed);
  g_mutex_unlock (&steps->lock);
}

static void
await (Steps *steps, const guint *count, guint n)
{
  g_mutex_lock (&steps->lock);
  while (*count < n)
    g_cond_wait (&steps->changed, &steps->lock);
  g_assert_cmpuint (*count, ==, n);
  g_mutex_unlock (&steps->lock);
}

static void
test_first (void)
{
  Steps steps = { 0 };
  g_autoptr (SvWatcher) watcher = sv_watcher_new ("first", NEVER_MS, 0, step, &steps);
  g_assert_false (sv_watcher_await_first (watcher, 0));
  g_assert_false (sv_watcher_await_first (watcher, 20));
  allow (&steps, 1);
  g_assert_true (sv_watcher_await_first (watcher, NEVER_MS));
  g_assert_true (sv_watcher_await_first (watcher, 0));
  g_assert_cmpuint (steps.n_begun, ==, 1);
  g_assert_cmpuint (steps.n_demanded, ==, 0);
}

static void
test_demand (void)
{
  Steps steps = { 0 };
  SvWatcher *watcher = sv_watcher_new ("demand", NEVER_MS, 0, step, &steps);
  await (&steps, &steps.n_begun, 1);
  sv_watcher_wait (watcher, done, &steps);
  sv_watcher_wait (watcher, done, &steps);
  allow (&steps, 1);
  await (&steps, &steps.n_begun, 2);
  g_assert_cmpuint (steps.n_done, ==, 0); /* the step that was under way was none of theirs */
  allow (&steps, 2);
  await (&steps, &steps.n_done, 2);
  g_assert_cmpuint (steps.n_demanded, ==, 1);
  sv_watcher_wait (watcher, done, &steps);
  await (&steps, &steps.n_begun, 3);
  sv_watcher_wait (watcher, done, &steps); /* whether it gets another step or not */
  allow (&steps, G_MAXUINT);
  sv_watcher_free (watcher);
  g_assert_cmpuint (steps.n_done, ==, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/watcher/first", test_first);
  g_test_add_func ("/watcher/demand", test_demand);
  return g_test_run ();
}
