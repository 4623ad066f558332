#include "chain/subtensor/rpc_pace.h"

#include <stdio.h>
#include <string.h>

#define FIRST_INTERVAL 1000
#define MAX_INTERVAL 10000
#define NO_INTERVAL 50 /* less than that is as good as none */
#define GOOD_BEFORE_FASTER 10
#define MEMORY (10 * 60 * 1000) /* for what an endpoint did not take */
#define MAX_WAIT 30000
#define FIRST_BATCH 64
#define MAX_BATCH 256
#define BATCH_PART 8 /* of a batch is what the next may have more */
#define FIRST_BACKOFF 250
#define MAX_BACKOFF 8000

void
sv_rpc_pace_init (SvRpcPace *pace)
{
  *pace = (SvRpcPace){ .batch = FIRST_BATCH, .batch_max = MAX_BATCH };
}

gint64
sv_rpc_pace_wait (const SvRpcPace *pace, gint64 now)
{
  return MAX (pace->next_at - now, 0);
}

guint
sv_rpc_pace_batch (const SvRpcPace *pace, gint64 now)
{
  return now < pace->single_till ? 1 : pace->batch;
}

void
sv_rpc_pace_asked (SvRpcPace *pace, gint64 now)
{
  pace->next_at = MAX (pace->next_at, now + pace->interval);
}

/* A tenth faster, but slower still than what was refused a short time ago. */
static void
recover (SvRpcPace *pace, gint64 now)
{
  gint64 faster = pace->interval - pace->interval / 10;
  if (faster < NO_INTERVAL)
    faster = 0;
  if (pace->too_fast > 0 && now < pace->too_fast_till)
    faster = MAX (faster, pace->too_fast + pace->too_fast / 10);
  pace->interval = MIN (pace->interval, faster);
  pace->n_good = 0;
}

void
sv_rpc_pace_answered (SvRpcPace *pace, guint n_calls, gint64 now)
{
  pace->n_refused = 0;
  if (pace->interval > 0 && ++pace->n_good >= GOOD_BEFORE_FASTER)
    recover (pace, now);
  if (n_calls >= pace->batch)
    pace->batch = MIN (pace->batch + MAX (pace->batch / BATCH_PART, 1), pace->batch_max);
}

void
sv_rpc_pace_refused (SvRpcPace *pace, gint64 retry_after, double jitter, gint64 now)
{
  if (pace->n_refused == 0)
  {
    pace->too_fast = pace->interval;
    pace->too_fast_till = now + MEMORY;
    pace->interval = CLAMP (pace->interval + pace->interval / 2, FIRST_INTERVAL, MAX_INTERVAL);
  }
  pace->n_good = 0;
  gint64 wait = MIN (pace->interval << MIN (pace->n_refused, 5), MAX_WAIT);
  if (pace->n_refused < G_MAXUINT)
    pace->n_refused++;
  wait += (gint64)((double)pace->interval * jitter / 2);
  if (retry_after >= 0)
    wait = MAX (retry_after, pace->interval);
  pace->next_at = MAX (pace->next_at, now + wait);
}

void
sv_rpc_pace_shrink (SvRpcPace *pace, guint n_calls, guint limit)
{
  gboolean is_told = limit > 0 && limit < n_calls;
  pace->batch = MAX (MIN (pace->batch, is_told ? limit : n_calls / 2), 1);
  if (is_told)
    pace->batch_max = limit;
}

void
sv_rpc_pace_no_batches (SvRpcPace *pace, gint64 now)
{
  pace->single_till = now + MEMORY;
}

gint64
sv_rpc_backoff (guint n_faults, double jitter)
{
  gint64 longest = n_faults == 0 ? 0 : MIN ((gint64)FIRST_BACKOFF << MIN (n_faults - 1, 10), MAX_BACKOFF);
  return (gint64)((double)longest * jitter);
}

/* "Wed, 21 Oct 2026 07:28:00 GMT", the one form that is still sent. */
static gboolean
read_http_date (const char *text, gint64 *unix_s)
{
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  char name[4] = "";
  int day, year, hour, minute, second;
  int end = 0;
  const char *comma = text != NULL ? strchr (text, ',') : NULL;
  if (comma == NULL ||
      sscanf (comma + 1, " %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, name, &year, &hour, &minute, &second, &end) != 6 ||
      end == 0 || strlen (name) != 3)
    return FALSE;
  const char *month = strstr (months, name);
  if (month == NULL || (month - months) % 3 != 0 || year < 1 || second < 0)
    return FALSE;
  g_autoptr (GDateTime) time =
      g_date_time_new_utc (year, (int)(month - months) / 3 + 1, day, hour, minute, MIN (second, 59)); /* a leap second */
  if (time == NULL)
    return FALSE;
  *unix_s = g_date_time_to_unix (time);
  return TRUE;
}

gint64
sv_rpc_retry_after (const char *value, const char *date, gint64 unix_ms)
{
  gint64 at;
  gint64 from;
  guint64 seconds;
  if (value == NULL)
    return -1;
  if (g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT64, &seconds, NULL))
    return (gint64)MIN (seconds, MAX_WAIT / 1000) * 1000;
  if (*value != '\0' && strspn (value, "0123456789") == strlen (value))
    return MAX_WAIT; /* too many digits for a number */
  if (!read_http_date (value, &at))
    return -1;
  if (!read_http_date (date, &from))
    from = unix_ms / 1000;
  return CLAMP (at - from, 0, MAX_WAIT / 1000) * 1000;
}
