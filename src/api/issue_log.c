/* Group commit. The thread takes whatever has gathered while the last transaction was being written, at most BATCH_MAX, and
 * writes it as the next one: under load many share the cost of one fsync, and alone nobody waits for company. Order is kept.
 * While it writes, nobody has to wake it.
 *
 * A commit costs the processor time of some ten requests, whatever it holds, and on a fast disk it is over before a handful of
 * them has come. So when the last one had company, this one waits for more: until the one that came first has waited for
 * 1.5 ms, and no longer than requests keep coming. Where a commit takes so long, the next one begins at once. */
#include "api/issue_log.h"

#include <stdatomic.h>

#include "base/log.h"
#include "base/log_limit.h"
#include "base/thread_priority.h"

#define BATCH_MAX 1024
#define COMPANY 4          /* in the last batch, from which the next one waits for more */
#define GATHER_MAX 64      /* that are enough */
#define GATHER_US 1500     /* at most, of the one that waits for longest */
#define GATHER_STEP_US 500 /* in which at least one more must come */
#define TRY_AGAIN_US G_USEC_PER_SEC
#define SLICE_US 100                 /* of the processor; a batch takes little more, and all of it wait for that */
#define SLOW_US (3 * G_USEC_PER_SEC) /* a transaction that takes longer is one that does not come to its end */

struct SvIssueLog
{
  SvState *state;
  SvAdmissionRules rules;
  GThread *thread;
  GMutex lock;
  GCond wake;
  SvIssueEntry *first; /* those that wait, in order */
  SvIssueEntry **end;  /* where the next one is put */
  gint64 first_us;     /* when it came, monotonic */
  gint n_waiting;      /* atomic */
  gboolean is_sleeping;
  guint last_size; /* of the last batch */
  gboolean is_closing;
  SvIssueLogCounts counts;
  gint is_failing;                /* atomic: the last transaction failed */
  _Atomic gint64 writes_since_us; /* 0: it writes nothing */
  SvLogLimit fault_limit;
};

void
sv_issue_entry_free (SvIssueEntry *entry)
{
  if (entry == NULL || entry->is_borrowed)
    return;
  g_free (entry->asker);
  g_free (entry->nonce);
  g_free (entry->x_nonce);
  g_free (entry->client_id);
  sv_issue_record_free (entry->record);
  sv_task_record_free (entry->task);
  g_free (entry);
}

/* Under the lock. */
static void
gather (SvIssueLog *log)
{
  gint64 end_us = log->first_us + GATHER_US;
  gint n_before = 0;
  for (gint n = log->n_waiting; n > n_before && n < GATHER_MAX && !log->is_closing; n = log->n_waiting)
  {
    gint64 now_us = g_get_monotonic_time (), until_us = MIN (now_us + GATHER_STEP_US, end_us);
    if (now_us >= end_us)
      return;
    n_before = n;
    while (g_cond_wait_until (&log->wake, &log->lock, until_us))
      ;
  }
}

/* Under the lock. FALSE: nothing came while it was time to try again. */
static gboolean
await_entries (SvIssueLog *log)
{
  gint64 until_us = g_get_monotonic_time () + TRY_AGAIN_US;
  while (log->first == NULL && !log->is_closing)
  {
    gboolean is_in_time = TRUE;
    log->is_sleeping = TRUE;
    if (g_atomic_int_get (&log->is_failing))
      is_in_time = g_cond_wait_until (&log->wake, &log->lock, until_us);
    else
      g_cond_wait (&log->wake, &log->lock);
    log->is_sleeping = FALSE;
    if (!is_in_time)
      return log->first != NULL;
  }
  return TRUE;
}

/* Empty when it is time to try whether anything can be written again, or the log is closing and all has been. */
static void
take_batch (SvIssueLog *log, GPtrArray *batch)
{
  g_mutex_lock (&log->lock);
  if (!await_entries (log))
  {
    g_mutex_unlock (&log->lock);
    return;
  }
  if (log->last_size >= COMPANY)
    gather (log);
  for (; batch->len < BATCH_MAX && log->first != NULL; log->first = log->first->next)
    g_ptr_array_add (batch, log->first);
  if (log->first == NULL)
    log->end = &log->first;
  g_atomic_int_add (&log->n_waiting, -(gint)batch->len);
  log->last_size = batch->len;
  g_mutex_unlock (&log->lock);
}

/* With a database that fails at once there would be a line for each of thousands of transactions. */
static void
report_fault (SvIssueLog *log, const GError *error)
{
  guint left_out;
  char n[16];
  if (!sv_log_limit_take (&log->fault_limit, 1, g_get_monotonic_time (), &left_out))
    return;
  g_snprintf (n, sizeof n, "%u", left_out);
  sv_log ("error", "issue log cannot be written", "reason", error->message, "left_out", left_out > 0 ? n : NULL, NULL);
}

static gboolean
write_batch (SvIssueLog *log, GPtrArray *batch)
{
  g_autofree SvAdmission *admissions = g_new0 (SvAdmission, batch->len);
  for (guint i = 0; i < batch->len; i++)
  {
    const SvIssueEntry *entry = g_ptr_array_index (batch, i);
    admissions[i] = (SvAdmission){ .asker = entry->asker,
                                   .nonce = entry->nonce,
                                   .x_nonce = entry->x_nonce,
                                   .client_id = entry->client_id,
                                   .now_ms = entry->now_ms,
                                   .record = entry->record,
                                   .task = entry->task };
  }
  g_autoptr (GError) error = NULL;
  if (!sv_state_admit (log->state, &log->rules, admissions, batch->len, &error))
  {
    report_fault (log, error);
    return FALSE;
  }
  for (guint i = 0; i < batch->len; i++)
  {
    SvIssueEntry *entry = g_ptr_array_index (batch, i);
    entry->is_durable = TRUE;
    entry->outcome = admissions[i].outcome;
    entry->retry_after_s = admissions[i].retry_after_s;
  }
  return TRUE;
}

static void
note_outcome (SvIssueLog *log, gboolean is_written)
{
  if (is_written && g_atomic_int_get (&log->is_failing))
    sv_log ("info", "issue log can be written again", NULL);
  g_atomic_int_set (&log->is_failing, !is_written);
  log->writes_since_us = 0;
}

static gboolean
try_to_write (SvIssueLog *log)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = sv_state_try_admission (log->state, &error);
  if (!ok)
    report_fault (log, error);
  return ok;
}

static gboolean
is_over (SvIssueLog *log)
{
  g_mutex_lock (&log->lock);
  gboolean is_over = log->is_closing && log->first == NULL;
  g_mutex_unlock (&log->lock);
  return is_over;
}

static void
hand_back (SvIssueEntry *entry)
{
  if (entry->done != NULL)
    entry->done (entry, entry->data);
  else
    sv_issue_entry_free (entry);
}

static gpointer
run (gpointer data)
{
  SvIssueLog *log = data;
  sv_thread_set_slice (SLICE_US);
  for (;;)
  {
    g_autoptr (GPtrArray) batch = g_ptr_array_new ();
    take_batch (log, batch);
    if (batch->len == 0 && is_over (log))
      return NULL;
    gint64 taken_us = g_get_monotonic_time ();
    log->writes_since_us = taken_us;
    gboolean written = batch->len > 0 ? write_batch (log, batch) : try_to_write (log);
    note_outcome (log, written);
    if (batch->len == 0)
      continue;
    gint64 done_us = g_get_monotonic_time ();
    sv_histogram_add (&log->counts.batches, &sv_scale_sizes, batch->len);
    sv_histogram_add (&log->counts.durations, &sv_scale_times, (guint64)(done_us - taken_us));
    if (!written)
      log->counts.n_failed += batch->len;
    for (guint i = 0; i < batch->len; i++)
    {
      SvIssueEntry *entry = g_ptr_array_index (batch, i);
      entry->taken_us = taken_us;
      entry->done_us = done_us;
      hand_back (entry);
    }
  }
}

SvIssueLog *
sv_issue_log_new (SvState *state, const SvAdmissionRules *rules)
{
  SvIssueLog *log = g_new0 (SvIssueLog, 1);
  log->state = state;
  log->rules = *rules;
  g_mutex_init (&log->lock);
  g_cond_init (&log->wake);
  log->end = &log->first;
  log->thread = g_thread_new ("issue-log", run, log);
  return log;
}

void
sv_issue_log_submit (SvIssueLog *log, SvIssueEntry *entry)
{
  entry->next = NULL;
  g_mutex_lock (&log->lock);
  if (log->first == NULL)
    log->first_us = g_get_monotonic_time ();
  *log->end = entry;
  log->end = &entry->next;
  g_atomic_int_inc (&log->n_waiting);
  gboolean wakes = log->is_sleeping;
  log->is_sleeping = FALSE;
  g_mutex_unlock (&log->lock);
  if (wakes)
    g_cond_signal (&log->wake);
}

guint
sv_issue_log_waiting (SvIssueLog *log)
{
  return (guint)g_atomic_int_get (&log->n_waiting);
}

gboolean
sv_issue_log_is_writing (SvIssueLog *log)
{
  return atomic_load_explicit (&log->writes_since_us, memory_order_relaxed) != 0;
}

const char *
sv_issue_log_fault (SvIssueLog *log)
{
  gint64 since_us = log->writes_since_us;
  if (g_atomic_int_get (&log->is_failing))
    return "the issue log cannot be written: the last attempt failed, see this server's log";
  if (since_us != 0 && g_get_monotonic_time () - since_us > SLOW_US)
    return "the issue log cannot be written: the database does not come to an end with it";
  return NULL;
}

const SvIssueLogCounts *
sv_issue_log_counts (const SvIssueLog *log)
{
  return &log->counts;
}

void
sv_issue_log_free (SvIssueLog *log)
{
  if (log == NULL)
    return;
  g_mutex_lock (&log->lock);
  log->is_closing = TRUE;
  g_cond_signal (&log->wake);
  g_mutex_unlock (&log->lock);
  g_thread_join (log->thread);
  sv_state_free (log->state);
  g_cond_clear (&log->wake);
  g_mutex_clear (&log->lock);
  g_free (log);
}
