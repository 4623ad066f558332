/* Every few seconds each window of the index is looked at: its records that are not public yet become a file once there are
 * enough for one, or the interval is over, or the window is. What is public already is found in the store, so nothing is kept
 * here that a restart, or another instance that leads now, would lack.
 *
 * A window is over for this thread when its expiry is finalized. Then it is closed in the state first, so that no instance can
 * issue anything of it any more; then come the records that are left; then the closing line with each K. A K that was public
 * while challenges can still be had would let everybody foresee what is drawn.
 *
 * Who leads may be wrong for a moment; issue_files.c makes that harmless. */
#include "api/issue_publisher.h"

#include <string.h>

#include "api/issue_figures.h"
#include "api/issue_files.h"
#include "api/watcher.h"
#include "api/watching.h"
#include "base/error.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "base/thread_priority.h"
#include "keys/passphrase.h"

#define TASK "issue-log"
#define LOOKS_PER_INTERVAL 6
#define MIN_LOOK_MS 50
#define MAX_LOOK_MS 10000
#define FILES_AT_ONCE 8 /* of one window, then it is the others' turn */
#define MAX_TRIES 4     /* to find the end of a log that another one adds to */

typedef struct
{
  guint64 next;          /* first id that is not public; 0: to be found in the store */
  gint64 published_us;   /* when this window had a file last (monotonic) */
  gboolean is_done;      /* the closing line is public */
  guint64 public_next;   /* the first id that was not public when that was last known; 0: it never was */
  gint64 waiting_ms;     /* time of the oldest record that is not public; 0: there is none, as far as is known */
  gboolean is_measured;  /* @waiting_ms is of the last look */
  gboolean is_told;      /* in the log: by whom it is published */
  gboolean is_refused;   /* nothing can be added to its log: by its issuers, or because it is another database's */
  gboolean is_published; /* judged by @judged: whether our signature counts */
  char *judged;          /* hash of the manifest whose issuers were asked */
  SvWatchTold told;      /* in the log */
} Window;

struct SvIssuePublisher
{
  const SvConfig *config;
  SvBoard *board;
  SvChainOpener *opener;
  SvState *state;
  SvObjectStore *store;
  SvKeypair *keypair; /* NULL: nothing is published */
  SvChain *chain;     /* with @reader: opened for manifests that are not served any more */
  SvReader *reader;
  gint64 interval_us;
  GHashTable *windows; /* id -> Window */
  SvWatchTold lead_told;
  gint is_closing; /* atomic */
  SvWatcher *watcher;
  gboolean gives_way;
  gboolean has_more; /* a window whose turn is over has files left */

  GMutex lock; /* of what follows */
  SvIssueFigures figures;
};

static void
window_free (gpointer data)
{
  Window *window = data;
  g_free (window->judged);
  sv_watch_told_clear (&window->told);
  g_free (window);
}

static Window *
window_of (SvIssuePublisher *publisher, const char *window_id)
{
  Window *window = g_hash_table_lookup (publisher->windows, window_id);
  if (window != NULL)
    return window;
  window = g_new0 (Window, 1);
  g_hash_table_insert (publisher->windows, g_strdup (window_id), window);
  return window;
}

static gboolean
is_closing (SvIssuePublisher *publisher)
{
  return g_atomic_int_get (&publisher->is_closing) != 0;
}

/* What was found in the store may be another's work since. */
static void
forget_ends (SvIssuePublisher *publisher)
{
  GHashTableIter iter;
  gpointer window;
  g_hash_table_iter_init (&iter, publisher->windows);
  while (g_hash_table_iter_next (&iter, NULL, &window))
    ((Window *)window)->next = 0;
}

/* ── whose signature counts ── */

/* (transfer full) the manifest of an entry: the one that is served, else from cache or store. */
static SvManifest *
fetch_manifest (SvIssuePublisher *publisher, const SvIndexEntry *entry, GError **error)
{
  if (publisher->chain == NULL)
    publisher->chain = sv_chain_opener_open (publisher->opener, error);
  if (publisher->chain != NULL && publisher->reader == NULL)
    publisher->reader = sv_reader_new (publisher->config, publisher->chain, NULL, error);
  return publisher->reader != NULL ? sv_fetch_entry_manifest (publisher->reader, entry, error) : NULL;
}

static void
judge_issuers (const SvIssuePublisher *publisher, const SvManifest *manifest, Window *window, GError **error)
{
  const char *own = sv_keypair_address (publisher->keypair);
  g_autofree char *issuers = g_strjoinv (", ", manifest->issuers);
  window->is_published = g_strv_contains ((const char *const *)manifest->issuers, own);
  if (!window->is_published)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "the issue log of window %s is NOT published: this server runs with hotkey %s, and the manifest's issuers are "
                 "%s; run it with one of these (BITTENSOR_WALLET_COLD, _HOT), or publish a manifest with %s in `issuers`",
                 manifest->window_id, own, issuers, own);
}

/* *@window->is_published tells. The live manifest has the last word on its window. */
static gboolean
check_issuers (SvIssuePublisher *publisher, const SvCatalog *catalog, const SvIndexEntry *entry, Window *window, GError **error)
{
  if (g_strcmp0 (window->judged, entry->hash) == 0)
    return TRUE;
  g_autoptr (GError) refusal = NULL;
  g_autoptr (SvManifest) fetched = NULL;
  const SvServedManifest *served = g_hash_table_lookup (catalog->manifests, entry->hash);
  if (served == NULL && (fetched = fetch_manifest (publisher, entry, error)) == NULL)
    return FALSE;
  judge_issuers (publisher, served != NULL ? served->manifest : fetched, window, &refusal);
  sv_watch_report ("issue log", refusal, &window->told.fault);
  g_free (window->judged);
  window->judged = g_strdup (entry->hash);
  return TRUE;
}

/* ── one window ── */

typedef struct
{
  SvIssueFiles files;
  const SvIndexEntry *entry;
  Window *window;
  gboolean is_over;
  guint64 last_id; /* of a window that is over */
  GPtrArray *keys; /* likewise */
} Work;

static void
note_published (SvIssuePublisher *publisher, const GPtrArray *records)
{
  g_mutex_lock (&publisher->lock);
  publisher->figures.n_files++;
  publisher->figures.n_records += records->len;
  publisher->figures.last_id = ((const SvIssueRecord *)records->pdata[records->len - 1])->challenge_id;
  g_mutex_unlock (&publisher->lock);
}

/* @records: the first of those that are not public. */
static void
note_waiting (Window *window, const GPtrArray *records)
{
  window->waiting_ms = records->len > 0 ? ((const SvIssueRecord *)records->pdata[0])->time_ms : 0;
  window->is_measured = TRUE;
}

/* Of a window that could not be published: what waits all the same. Where that cannot be found out what was known last stays,
 * and grows older. */
static void
measure_waiting (const Work *work)
{
  Window *window = work->window;
  const char *window_id = work->entry->window_id;
  if (window->is_refused)
    (void)!sv_issue_files_public_end (work->files.store, window_id, &window->public_next, NULL);
  g_autoptr (GPtrArray) records =
      window->public_next == 0
          ? NULL
          : sv_issue_files_records (&work->files, window_id, window->public_next, SV_ISSUED_END - 1, 1, NULL);
  if (records != NULL)
    note_waiting (window, records);
}

/* Of a window that is over readers wait for the end of the log. */
static guint
rest_of (const SvIssuePublisher *publisher, const Work *work)
{
  gint64 since_ms = work->window->waiting_ms;
  gint64 waited_us = since_ms > 0 ? (sv_clock_ms () - since_ms) * 1000 : 0;
  return sv_issue_files_rest (work->is_over ? G_MAXINT64 : waited_us, publisher->interval_us);
}

/* One file. *@has_more is FALSE when nothing is left to be published now. */
static gboolean
publish_next (SvIssuePublisher *publisher, Work *work, gboolean *has_more, GError **error)
{
  Window *window = work->window;
  g_autoptr (GPtrArray) records = sv_issue_files_records (&work->files, work->entry->window_id, window->next, SV_ISSUED_END - 1,
                                                          SV_ISSUED_FILE_MAX_RECORDS, error);
  if (records == NULL)
    return FALSE;
  *has_more = FALSE;
  note_waiting (window, records);
  work->files.rest = rest_of (publisher, work);
  if (records->len == 0)
    return TRUE;
  gboolean is_due = g_get_monotonic_time () - window->published_us >= publisher->interval_us;
  if (records->len < SV_ISSUED_FILE_MAX_RECORDS && !is_due && !work->is_over)
    return TRUE;
  if (!sv_issue_files_add (&work->files, work->entry->window_id, window->next, records, error))
    return FALSE;
  const SvIssueRecord *last = records->pdata[records->len - 1];
  note_published (publisher, records);
  window->next = window->public_next = last->challenge_id + 1;
  *has_more = records->len == SV_ISSUED_FILE_MAX_RECORDS || work->is_over;
  window->waiting_ms = *has_more ? last->time_ms : 0; /* the next one's is not less */
  if (!*has_more)
    window->published_us = g_get_monotonic_time ();
  return TRUE;
}

/* Everything up to where the log is to end now, or as much as is for one turn. */
static gboolean
publish_rest (SvIssuePublisher *publisher, Work *work, GError **error)
{
  Window *window = work->window;
  const char *window_id = work->entry->window_id;
  gboolean has_more = TRUE, leads = TRUE;
  guint n_files = 0;
  if (window->next == 0 && !sv_issue_files_find_end (&work->files, window_id, work->keys, &window->next, error))
    return FALSE;
  window->public_next = window->next;
  for (; has_more && leads && n_files < FILES_AT_ONCE && window->next <= SV_ISSUED_END && !is_closing (publisher); n_files++)
    if (!publish_next (publisher, work, &has_more, error) || !sv_state_lead (publisher->state, TASK, &leads, error))
      return FALSE;
  publisher->has_more |= has_more && n_files == FILES_AT_ONCE;
  if (has_more || !work->is_over)
    return TRUE;
  if (!sv_issue_files_close (&work->files, window_id, window->next, work->last_id, work->keys, error))
    return FALSE;
  window->next = SV_ISSUED_END + 1;
  sv_log ("info", "issue log closed", "window", window_id, NULL);
  return TRUE;
}

/* Another one may be adding to the same log: then its end is looked for again. */
static gboolean
publish_all (SvIssuePublisher *publisher, Work *work, GError **error)
{
  for (guint i = 0;; i++)
  {
    g_autoptr (GError) failure = NULL;
    if (publish_rest (publisher, work, &failure))
      break;
    work->window->next = 0;
    if (i + 1 < MAX_TRIES && g_error_matches (failure, SV_ERROR, SV_ERROR_CONFLICT))
      continue;
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  work->window->is_done = work->window->next > SV_ISSUED_END;
  return TRUE;
}

/* Once for each window that goes on: so the log says whose signature readers will see, and when that was the case. */
static void
tell_published (const SvIssuePublisher *publisher, const Work *work)
{
  if (work->window->is_told || work->is_over)
    return;
  work->window->is_told = TRUE;
  sv_log ("info", "the issue log is published", "window", work->entry->window_id, "signed_by",
          sv_keypair_address (publisher->keypair), "store", sv_object_store_url (publisher->store), NULL);
}

static gboolean
publish_work (SvIssuePublisher *publisher, const SvCatalog *catalog, Work *work, GError **error)
{
  if (!check_issuers (publisher, catalog, work->entry, work->window, error))
    return FALSE;
  if (!work->window->is_published)
    return TRUE;
  if (work->is_over)
  {
    if (!sv_state_close_window (publisher->state, work->entry->window_id, &work->last_id, error))
      return FALSE;
    work->keys = sv_issue_files_keys (publisher->state, catalog->index, work->entry->window_id, error);
    if (work->keys == NULL)
      return FALSE;
  }
  if (!publish_all (publisher, work, error))
    return FALSE;
  tell_published (publisher, work);
  return TRUE;
}

static gboolean
publish_window (SvIssuePublisher *publisher, const SvSnapshot *snapshot, const SvIndexEntry *entry, GError **error)
{
  g_autoptr (GError) failure = NULL;
  const SvHead *head = sv_bindings_head (snapshot->bindings);
  Window *window = window_of (publisher, entry->window_id);
  Work work = { .files = { publisher->store, publisher->state, publisher->keypair, &snapshot->catalog->index->chain, 0 },
                .entry = entry,
                .window = window,
                .is_over = sv_entry_expired (entry, head->finalized.number) };
  work.files.rest = rest_of (publisher, &work);
  window->is_measured = window->is_done || head->best.number < entry->start_block;
  if (window->is_measured)
    return TRUE;
  gboolean done = publish_work (publisher, snapshot->catalog, &work, &failure);
  g_clear_pointer (&work.keys, g_ptr_array_unref);
  if (done || g_error_matches (failure, SV_ERROR, SV_ERROR_VERIFY))
    window->is_refused = !done || !window->is_published;
  if (!done || window->is_refused)
    measure_waiting (&work);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return done;
}

/* ── all of them ── */

static gboolean
take_lead (SvIssuePublisher *publisher)
{
  gboolean leads = FALSE;
  g_autoptr (GError) error = NULL;
  if (!sv_state_lead (publisher->state, TASK, &leads, &error))
    leads = FALSE;
  sv_watch_report_state (publisher->board, "issue log", error, &publisher->lead_told);
  if (leads != publisher->figures.is_leading)
    forget_ends (publisher);
  g_mutex_lock (&publisher->lock);
  publisher->figures.is_leading = leads;
  publisher->figures.is_known = FALSE;
  if (error == NULL && !leads)
    publisher->figures.waiting_since_ms = 0;
  publisher->figures.n_failures += error != NULL;
  g_mutex_unlock (&publisher->lock);
  return leads;
}

/* Nobody waits for this thread; what it holds that others need, it holds for moments. */
static void
give_way (SvIssuePublisher *publisher)
{
  if (!publisher->gives_way)
    sv_thread_give_way ("the issue log's publisher", SV_SHARE_QUARTER);
  publisher->gives_way = TRUE;
}

/* What is known of all windows of the index, those that were not come to included. */
static void
sum_up (SvIssuePublisher *publisher, const GPtrArray *entries)
{
  gint64 since_ms = 0;
  guint n_refused = 0;
  gboolean is_known = TRUE;
  for (guint i = 0; i < entries->len; i++)
  {
    const Window *window = window_of (publisher, ((const SvIndexEntry *)entries->pdata[i])->window_id);
    n_refused += window->is_refused ? 1 : 0;
    is_known = is_known && window->is_measured;
    if (window->waiting_ms > 0 && (since_ms == 0 || window->waiting_ms < since_ms))
      since_ms = window->waiting_ms;
  }
  g_mutex_lock (&publisher->lock);
  publisher->figures.waiting_since_ms = since_ms;
  publisher->figures.n_refused = n_refused;
  publisher->figures.is_known = is_known;
  g_mutex_unlock (&publisher->lock);
}

/* A turn for each window. A store that does not answer for one does not for the others. */
static void
publish_turns (SvIssuePublisher *publisher)
{
  publisher->has_more = FALSE;
  g_autoptr (SvSnapshot) snapshot = sv_board_get (publisher->board);
  if (snapshot->catalog == NULL || snapshot->bindings == NULL || !take_lead (publisher))
    return;
  const GPtrArray *entries = snapshot->catalog->index->entries;
  gboolean is_unreachable = FALSE;
  for (guint i = 0; i < entries->len && !is_unreachable && !is_closing (publisher); i++)
  {
    const SvIndexEntry *entry = entries->pdata[i];
    Window *window = window_of (publisher, entry->window_id);
    g_autoptr (GError) error = NULL;
    gboolean done = publish_window (publisher, snapshot, entry, &error);
    if (!done || !window->is_refused)
      sv_watch_report_state (publisher->board, "issue log", error, &window->told);
    is_unreachable = g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE);
    g_mutex_lock (&publisher->lock);
    publisher->figures.n_failures += !done;
    g_mutex_unlock (&publisher->lock);
  }
  publisher->has_more &= !is_unreachable;
  sum_up (publisher, entries);
}

/* In rounds, each by what is known then: a window that gets records as fast as they are published does not keep others from
 * being published and closed, nor their lag from being seen. */
static void
step (gboolean is_demanded, gpointer data)
{
  SvIssuePublisher *publisher = data;
  give_way (publisher);
  do
    publish_turns (publisher);
  while (publisher->has_more && !is_closing (publisher));
}

/* ── its life ── */

static void
read_key (SvIssuePublisher *publisher)
{
  g_autoptr (GError) error = NULL;
  sv_passphrase_never_ask ();
  publisher->keypair = sv_wallet_load (publisher->config, &error);
  publisher->figures.has_key = publisher->keypair != NULL;
  if (publisher->keypair == NULL)
    sv_log ("warning", "the issue log is NOT published", "reason", error->message, "remedy",
            "run the server with a hotkey that the manifest's issuers name (BITTENSOR_WALLET_PATH, _COLD, _HOT); until then "
            "nobody can check shards against what was issued, nor audit draws",
            NULL);
}

SvIssuePublisher *
sv_issue_publisher_new (const SvConfig *config, SvBoard *board, SvChainOpener *opener, GError **error)
{
  guint64 interval_s;
  if (!sv_config_get_integer (config, "SCOREVISION_ISSUE_INTERVAL", 1, SV_ISSUE_INTERVAL_MAX_S, &interval_s, error))
    return NULL;
  SvIssuePublisher *publisher = g_new0 (SvIssuePublisher, 1);
  g_mutex_init (&publisher->lock);
  publisher->config = config;
  publisher->board = board;
  publisher->opener = opener;
  publisher->interval_us = (gint64)interval_s * G_USEC_PER_SEC;
  publisher->windows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, window_free);
  publisher->state = sv_state_open (config, error);
  if (publisher->state != NULL)
    publisher->store = sv_object_store_open (sv_config_get (config, "SCOREVISION_STORE"), config, error);
  if (publisher->store == NULL)
  {
    sv_issue_publisher_free (publisher);
    return NULL;
  }
  read_key (publisher);
  guint look_ms = (guint)CLAMP (interval_s * 1000 / LOOKS_PER_INTERVAL, MIN_LOOK_MS, MAX_LOOK_MS);
  if (publisher->keypair != NULL)
    publisher->watcher = sv_watcher_new ("issue-publisher", look_ms, look_ms, step, publisher);
  return publisher;
}

void
sv_issue_publisher_hurry (SvIssuePublisher *publisher)
{
  sv_watcher_hurry (publisher->watcher);
}

void
sv_issue_publisher_free (SvIssuePublisher *publisher)
{
  if (publisher == NULL)
    return;
  g_atomic_int_set (&publisher->is_closing, 1);
  g_clear_pointer (&publisher->watcher, sv_watcher_free);
  g_clear_pointer (&publisher->reader, sv_reader_free);
  g_clear_pointer (&publisher->chain, sv_chain_free);
  g_clear_pointer (&publisher->keypair, sv_keypair_free);
  g_clear_pointer (&publisher->store, sv_object_store_free);
  g_clear_pointer (&publisher->state, sv_state_free);
  g_hash_table_unref (publisher->windows);
  sv_watch_told_clear (&publisher->lead_told);
  g_mutex_clear (&publisher->lock);
  g_free (publisher);
}

void
sv_issue_publisher_write_metrics (SvIssuePublisher *publisher, GString *out)
{
  g_mutex_lock (&publisher->lock);
  SvIssueFigures figures = publisher->figures;
  g_mutex_unlock (&publisher->lock);
  sv_issue_figures_write (&figures, out);
}
