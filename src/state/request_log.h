/* What was asked lately, as one handle remembers it: the rows of the log of requests that several handles write, in the order
 * of its commits. Who has read all rows judges the next request here, without asking the database again; so judging costs the
 * same whatever the limit, and the log needs no index but its own order. docs/protocol.md section 7; the limits themselves are
 * rate.h's. */
#pragma once

#include "state/state.h"

typedef struct SvRequestLog SvRequestLog;

/* A row of the log. */
typedef struct
{
  gint64 seq;
  const char *asker;
  const char *nonce;   /* NULL: it was refused for its rate, but it was seen */
  const char *x_nonce; /* or NULL */
  const char *bucket;
  gint64 time_ms;
} SvRequestRow;

SvRequestLog *sv_request_log_new (void);
void sv_request_log_free (SvRequestLog *memory);

/* The last row that is known, 0 before the first. */
gint64 sv_request_log_last (const SvRequestLog *memory);

/* Rows up to @seq were read, whether they are still there or not. */
void sv_request_log_skip_to (SvRequestLog *memory, gint64 seq);

/* Takes in a row that follows on the last one. */
void sv_request_log_add (SvRequestLog *memory, const SvRequestRow *row);

/* Judges @admission: fills in outcome and retry_after_s. Where TRUE is returned it takes in the next row of the log and tells
 * it in *@row (strings of @admission or static), which the caller has to write; else nothing is to be written. */
gboolean sv_request_log_judge (SvRequestLog *memory, const SvAdmissionRules *rules, gboolean is_window_closed,
                                  SvAdmission *admission, SvRequestRow *row);

/* Forgets at most @n rows from the old end that are no longer remembered at @now_ms. TRUE: those from *@first to *@last, which
 * the caller has to remove. */
gboolean sv_request_log_forget_old (SvRequestLog *memory, const SvAdmissionRules *rules, gint64 now_ms, guint n,
                                       gint64 *first, gint64 *last);
