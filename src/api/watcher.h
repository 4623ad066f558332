/* A background thread that takes a step at an interval, and sooner when somebody waits for one. All who wait share it. */
#pragma once

#include <glib.h>

typedef struct SvWatcher SvWatcher;

/* @is_demanded: somebody waits for what this step reads. */
typedef void (*SvWatcherStep) (gboolean is_demanded, gpointer data);

/* Demanded steps begin at least @demand_interval_ms after one another. */
SvWatcher *sv_watcher_new (const char *name, guint interval_ms, guint demand_interval_ms, SvWatcherStep step, gpointer data);

/* Calls @done, on the watcher's thread, after a step that began after this call. */
void sv_watcher_wait (SvWatcher *watcher, void (*done) (gpointer data), gpointer data);

/* Waits until the first step is over, @patience_ms at the most. FALSE: it is not. */
gboolean sv_watcher_await_first (SvWatcher *watcher, guint patience_ms);

/* Ends the step that it is in, and all others, as soon as that waits for somebody over HTTP: what it is asked for is not wanted
 * any more. To be followed by sv_watcher_free(). NULL is nothing. */
void sv_watcher_hurry (SvWatcher *watcher);

/* Ends the thread after the step it is in; whoever still waits is called. */
void sv_watcher_free (SvWatcher *watcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvWatcher, sv_watcher_free)
