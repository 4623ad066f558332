/* Metrics: one counter per route, status and outcome, one histogram of times per route. Names and labels are static strings of
 * ours, so nobody outside can make a new series. */
#include "api/metrics.h"

#include <string.h>

#include "base/json.h"

static const double bounds_ms[] = { 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000 };

typedef struct
{
  const char *route;
  guint status;
  const char *label;
  guint64 n;
} Answers;

typedef struct
{
  const char *route;
  guint64 buckets[G_N_ELEMENTS (bounds_ms)]; /* each counts the answers up to its bound */
  guint64 n;
  double sum_s;
} Times;

/* Each thread counts in one of these, so that threads do not wait for one another; what is written is their sum. */
#define N_SHARDS 16

typedef struct
{
  GMutex lock;
  GArray *answers; /* of Answers; some dozens at most */
  GArray *times;   /* of Times */
} Shard;

struct SvMetrics
{
  Shard shards[N_SHARDS];
};

static void
init_shard (Shard *shard)
{
  g_mutex_init (&shard->lock);
  shard->answers = g_array_new (FALSE, TRUE, sizeof (Answers));
  shard->times = g_array_new (FALSE, TRUE, sizeof (Times));
}

static void
clear_shard (Shard *shard)
{
  g_array_unref (shard->answers);
  g_array_unref (shard->times);
  g_mutex_clear (&shard->lock);
}

SvMetrics *
sv_metrics_new (void)
{
  SvMetrics *metrics = g_new0 (SvMetrics, 1);
  for (guint i = 0; i < N_SHARDS; i++)
    init_shard (&metrics->shards[i]);
  return metrics;
}

void
sv_metrics_free (SvMetrics *metrics)
{
  if (metrics == NULL)
    return;
  for (guint i = 0; i < N_SHARDS; i++)
    clear_shard (&metrics->shards[i]);
  g_free (metrics);
}

static Shard *
own_shard (SvMetrics *metrics)
{
  static gint n_threads;
  static _Thread_local gint number = -1;
  if (number < 0)
    number = g_atomic_int_add (&n_threads, 1);
  return &metrics->shards[(guint)number % N_SHARDS];
}

static gboolean
is_same (const char *a, const char *b)
{
  return a == b || strcmp (a, b) == 0; /* they are static, and mostly the same one */
}

static Answers *
find_answers (Shard *shard, const char *route, guint status, const char *label)
{
  for (guint i = 0; i < shard->answers->len; i++)
  {
    Answers *answers = &g_array_index (shard->answers, Answers, i);
    if (answers->status == status && is_same (answers->route, route) && is_same (answers->label, label))
      return answers;
  }
  Answers answers = { route, status, label, 0 };
  g_array_append_val (shard->answers, answers);
  return &g_array_index (shard->answers, Answers, shard->answers->len - 1);
}

static Times *
find_times (Shard *shard, const char *route)
{
  for (guint i = 0; i < shard->times->len; i++)
    if (is_same (g_array_index (shard->times, Times, i).route, route))
      return &g_array_index (shard->times, Times, i);
  Times times = { .route = route };
  g_array_append_val (shard->times, times);
  return &g_array_index (shard->times, Times, shard->times->len - 1);
}

void
sv_metrics_count (SvMetrics *metrics, const char *route, guint status, const char *label, gint64 duration_us)
{
  double ms = (double)duration_us / 1000;
  Shard *shard = own_shard (metrics);
  g_mutex_lock (&shard->lock);
  find_answers (shard, route, status, label)->n++;
  Times *times = find_times (shard, route);
  for (gsize i = 0; i < G_N_ELEMENTS (bounds_ms); i++)
    times->buckets[i] += ms <= bounds_ms[i] ? 1 : 0;
  times->n++;
  times->sum_s += ms / 1000;
  g_mutex_unlock (&shard->lock);
}

/* Adds what @shard has counted to @sum, which nobody else has. */
static void
add_shard (Shard *shard, Shard *sum)
{
  g_mutex_lock (&shard->lock);
  for (guint i = 0; i < shard->answers->len; i++)
  {
    const Answers *answers = &g_array_index (shard->answers, Answers, i);
    find_answers (sum, answers->route, answers->status, answers->label)->n += answers->n;
  }
  for (guint i = 0; i < shard->times->len; i++)
  {
    const Times *times = &g_array_index (shard->times, Times, i);
    Times *total = find_times (sum, times->route);
    for (gsize j = 0; j < G_N_ELEMENTS (bounds_ms); j++)
      total->buckets[j] += times->buckets[j];
    total->n += times->n;
    total->sum_s += times->sum_s;
  }
  g_mutex_unlock (&shard->lock);
}

static void
write_number (GString *out, double value)
{
  char text[32];
  sv_json_format_number (value, text);
  g_string_append_printf (out, " %s\n", text);
}

static void
write_times (const Times *times, GString *out)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bounds_ms); i++)
  {
    char bound[32];
    sv_json_format_number (bounds_ms[i] / 1000, bound);
    g_string_append_printf (out, "sv_http_request_seconds_bucket{route=\"%s\",le=\"%s\"} %" G_GUINT64_FORMAT "\n", times->route,
                            bound, times->buckets[i]);
  }
  g_string_append_printf (out, "sv_http_request_seconds_bucket{route=\"%s\",le=\"+Inf\"} %" G_GUINT64_FORMAT "\n", times->route,
                          times->n);
  g_string_append_printf (out, "sv_http_request_seconds_sum{route=\"%s\"}", times->route);
  write_number (out, times->sum_s);
  g_string_append_printf (out, "sv_http_request_seconds_count{route=\"%s\"} %" G_GUINT64_FORMAT "\n", times->route, times->n);
}

void
sv_metrics_write (SvMetrics *metrics, GString *out)
{
  Shard sum;
  init_shard (&sum);
  for (guint i = 0; i < N_SHARDS; i++)
    add_shard (&metrics->shards[i], &sum);
  g_string_append (out, "# HELP sv_http_requests_total Answers by route, status and outcome.\n"
                        "# TYPE sv_http_requests_total counter\n");
  for (guint i = 0; i < sum.answers->len; i++)
  {
    const Answers *answers = &g_array_index (sum.answers, Answers, i);
    g_string_append_printf (out, "sv_http_requests_total{route=\"%s\",status=\"%u\",outcome=\"%s\"} %" G_GUINT64_FORMAT "\n",
                            answers->route, answers->status, answers->label, answers->n);
  }
  g_string_append (out, "# HELP sv_http_request_seconds Time from the request's headers to its answer.\n"
                        "# TYPE sv_http_request_seconds histogram\n");
  for (guint i = 0; i < sum.times->len; i++)
    write_times (&g_array_index (sum.times, Times, i), out);
  clear_shard (&sum);
}

void
sv_metrics_write_sample (GString *out, const char *name, const char *type, const char *help, double value)
{
  g_string_append_printf (out, "# HELP %s %s\n# TYPE %s %s\n%s", name, help, name, type, name);
  write_number (out, value);
}
