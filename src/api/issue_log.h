/* The issue log's writer: one thread that makes admissions durable, all that wait in one transaction (docs/protocol.md
 * section 7, docs/architecture.md "The way of one challenge"). */
#pragma once

#include "api/exposition.h"
#include "state/state.h"

typedef struct SvIssueLog SvIssueLog;

/* One request to write. Made by the submitter, owned by the log until @done is called, which takes it back. Where somebody
 * waits, the entry, its texts and its record may lie in what he keeps meanwhile: then it @is_borrowed, and freeing it does
 * nothing. */
typedef struct SvIssueEntry SvIssueEntry;
struct SvIssueEntry
{
  gboolean is_borrowed;
  char *asker;
  char *nonce;
  char *x_nonce;   /* or NULL */
  char *client_id; /* "" for none */
  gint64 now_ms;
  SvIssueRecord *record; /* or NULL */
  SvTaskRecord *task;    /* or NULL; with neither only nonce and rate */
  /* Called on the writer's thread when the outcome is durable or has failed; NULL: nobody waits, and the log frees it. */
  void (*done) (SvIssueEntry *entry, gpointer data);
  gpointer data;
  /* out: */
  gboolean is_durable; /* FALSE: the state could not be written, and nothing else below is set */
  SvAdmissionOutcome outcome;
  guint retry_after_s;
  gint64 taken_us; /* monotonic: when writing it began, and when that was over */
  gint64 done_us;
  SvIssueEntry *next; /* the log's own */
};

void sv_issue_entry_free (SvIssueEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIssueEntry, sv_issue_entry_free)

/* Takes @state and starts the thread. */
SvIssueLog *sv_issue_log_new (SvState *state, const SvAdmissionRules *rules);

/* Takes @entry. */
void sv_issue_log_submit (SvIssueLog *log, SvIssueEntry *entry);

/* Entries that wait now. */
guint sv_issue_log_waiting (SvIssueLog *log);

/* Whether a transaction is under way. Any thread. */
gboolean sv_issue_log_is_writing (SvIssueLog *log);

/* Why nothing can be written just now (static, for people), by what became of the last transaction, or how long the present one
 * takes already; NULL when all is well. While nobody asks for anything, the writer tries by itself. Any thread. */
const char *sv_issue_log_fault (SvIssueLog *log);

/* What the writer has done since it was started. */
typedef struct
{
  SvHistogram batches;   /* entries of each transaction (sv_scale_sizes) */
  SvHistogram durations; /* of each transaction (sv_scale_times) */
  _Atomic guint64 n_failed;
} SvIssueLogCounts;

/* (transfer none); any thread may read it. */
const SvIssueLogCounts *sv_issue_log_counts (const SvIssueLog *log);

/* Writes what waits, ends the thread and closes the state. */
void sv_issue_log_free (SvIssueLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIssueLog, sv_issue_log_free)
