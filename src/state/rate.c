#include "state/rate.h"

static guint
seconds_until_free (const SvAdmissionRules *rules, gint64 now_ms, const SvRateCount *counted)
{
  gint64 wait_ms = counted->oldest_ms + (gint64)rules->window_ms - now_ms;
  return (guint)CLAMP ((wait_ms + 999) / 1000, 1, (gint64)(rules->window_ms + 999) / 1000 + 1);
}

guint
sv_rate_retry_after (const SvAdmissionRules *rules, gint64 now_ms, const SvRateCount *asker, const SvRateCount *bucket,
                     guint n_buckets)
{
  guint share = MAX (rules->limit / MAX (n_buckets, 1), 1);
  guint retry_after_s = 0;
  if (asker->count >= rules->limit)
    retry_after_s = seconds_until_free (rules, now_ms, asker);
  if (bucket->count >= share)
    retry_after_s = MAX (retry_after_s, seconds_until_free (rules, now_ms, bucket));
  return retry_after_s;
}
