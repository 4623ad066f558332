/* How fast and in what portions an endpoint is asked: a state machine without a clock of its own.
 *
 * At first there is no pause at all between requests, and a node of one's own never sees one. The first refusal (429, a spent
 * budget) sets the interval from one request to the next to one second, which is what public endpoints allow; each refusal
 * after a success adds a half. The interval begins with the answer, so that the endpoint sees it in full whatever a request's
 * way takes. Ten answered requests take off a tenth, but not down to an interval that was refused in the last ten minutes, so
 * that a limited endpoint is not provoked over and over. Refusals in a row only lengthen the wait, not the interval: they tell
 * nothing new about the pace.
 *
 * A batch begins at 64 calls; a full one that is answered makes the next larger by an eighth, up to 256, and one that is too
 * large (or took too long) halves it. An endpoint that takes no batches gets single calls for ten minutes. */
#pragma once

#include <glib.h>

typedef struct
{
  gint64 interval;      /* milliseconds from the end of a request to the next; 0 is full speed */
  gint64 next_at;       /* no request before then */
  gint64 too_fast;      /* an interval that was refused; 0 where none was */
  gint64 too_fast_till; /* when that is forgotten */
  guint n_good;         /* answered requests since the interval last changed */
  guint n_refused;      /* in a row */
  guint batch;
  guint batch_max;
  gint64 single_till; /* batches are not taken until then */
} SvRpcPace;

void sv_rpc_pace_init (SvRpcPace *pace);

/* Milliseconds to wait at @now before the next request. */
gint64 sv_rpc_pace_wait (const SvRpcPace *pace, gint64 now);
/* How many calls it may hold. */
guint sv_rpc_pace_batch (const SvRpcPace *pace, gint64 now);

/* A request is over, whatever became of it. */
void sv_rpc_pace_asked (SvRpcPace *pace, gint64 now);
/* It was answered, all its @n_calls calls. */
void sv_rpc_pace_answered (SvRpcPace *pace, guint n_calls, gint64 now);
/* It was refused, in whole or in part. @retry_after is what the endpoint asks to wait in milliseconds, or -1; @jitter in [0, 1)
 * spreads clients that were refused together. */
void sv_rpc_pace_refused (SvRpcPace *pace, gint64 retry_after, double jitter, gint64 now);
/* @n_calls were too many for one request; @limit is how many the endpoint says it takes, 0 where it does not. */
void sv_rpc_pace_shrink (SvRpcPace *pace, guint n_calls, guint limit);
void sv_rpc_pace_no_batches (SvRpcPace *pace, gint64 now);

/* The wait before attempt @n_faults + 1 after that many faults in a row: exponential, with full jitter (@jitter in [0, 1)). */
gint64 sv_rpc_backoff (guint n_faults, double jitter);

/* What a Retry-After header (seconds or a date, RFC 9110) asks for, in milliseconds, 30 s at most; -1 for NULL and for what
 * cannot be read. Its date is compared with @date, the answer's Date header, because clocks differ, or else with @unix_ms. */
gint64 sv_rpc_retry_after (const char *value, const char *date, gint64 unix_ms);
