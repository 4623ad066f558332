/* The rate limit of docs/protocol.md section 7, as a function of counts, for every engine. An asker has @limit requests in a
 * sliding window. Inside it, each client id seen in the window (refused requests count as seen, else a busy client would keep
 * a quiet one out for ever) is a bucket with an equal share, at most 16 of them; further ones share one more. */
#pragma once

#include "state/state.h"

#define SV_RATE_BUCKETS_MAX 16
#define SV_RATE_SHARED_BUCKET "+" /* in no client id's alphabet */

/* Requests in the window, and when the oldest of them was made. */
typedef struct
{
  guint64 count;
  gint64 oldest_ms;
} SvRateCount;

/* 0 when one more request is admitted, else in how many seconds the oldest request counted leaves the window. @n_buckets
 * counts the active ones, the request's own included. */
guint sv_rate_retry_after (const SvAdmissionRules *rules, gint64 now_ms, const SvRateCount *asker, const SvRateCount *bucket,
                           guint n_buckets);
