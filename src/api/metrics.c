/* Metrics: one counter per route, status and outcome, one histogram of times per route. Names and labels are static strings of
 * ours, so nobody outside can make a new series. */
#include "api/metrics.h"

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

struct SvMetrics
{
  GMutex lock;
  GArray *answers; /* of Answers; some dozens at most */
  GArray *times;   /* of Times */
};

SvMetrics *
sv_metrics_new (void)
{
  SvMetrics *metrics = g_new0 (SvMetrics, 1);
  g_mutex_init (&metrics->lock);
  metrics->answers = g_array_new (FALSE, TRUE, sizeof (Answers));
  metrics->times = g_array_new (FALSE, TRUE, sizeof (Times));
  return metrics;
}

void
sv_metrics_free (SvMetrics *metrics)
{
  if (metrics == NULL)
    return;
  g_array_unref (metrics->answers);
  g_array_unref (metrics->times);
  g_mutex_clear (&metrics->lock);
  g_free (metrics);
}

static Answers *
find_answers (SvMetrics *metrics, const char *route, guint status, const char *label)
{
  for (guint i = 0; i < metrics->answers->len; i++)
  {
    Answers *answers = &g_array_index (metrics->answers, Answers, i);
    if (answers->status == status && g_str_equal (answers->route, route) && g_str_equal (answers->label, label))
      return answers;
  }
  Answers answers = { route, status, label, 0 };
  g_array_append_val (metrics->answers, answers);
  return &g_array_index (metrics->answers, Answers, metrics->answers->len - 1);
}

static Times *
find_times (SvMetrics *metrics, const char *route)
{
  for (guint i = 0; i < metrics->times->len; i++)
    if (g_str_equal (g_array_index (metrics->times, Times, i).route, route))
      return &g_array_index (metrics->times, Times, i);
  Times times = { .route = route };
  g_array_append_val (metrics->times, times);
  return &g_array_index (metrics->times, Times, metrics->times->len - 1);
}

void
sv_metrics_count (SvMetrics *metrics, const char *route, guint status, const char *label, gint64 duration_us)
{
  double ms = (double)duration_us / 1000;
  g_mutex_lock (&metrics->lock);
  find_answers (metrics, route, status, label)->n++;
  Times *times = find_times (metrics, route);
  for (gsize i = 0; i < G_N_ELEMENTS (bounds_ms); i++)
    times->buckets[i] += ms <= bounds_ms[i] ? 1 : 0;
  times->n++;
  times->sum_s += ms / 1000;
  g_mutex_unlock (&metrics->lock);
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
  g_mutex_lock (&metrics->lock);
  g_string_append (out, "# HELP sv_http_requests_total Answers by route, status and outcome.\n"
                        "# TYPE sv_http_requests_total counter\n");
  for (guint i = 0; i < metrics->answers->len; i++)
  {
    const Answers *answers = &g_array_index (metrics->answers, Answers, i);
    g_string_append_printf (out, "sv_http_requests_total{route=\"%s\",status=\"%u\",outcome=\"%s\"} %" G_GUINT64_FORMAT "\n",
                            answers->route, answers->status, answers->label, answers->n);
  }
  g_string_append (out, "# HELP sv_http_request_seconds Time from the request's headers to its answer.\n"
                        "# TYPE sv_http_request_seconds histogram\n");
  for (guint i = 0; i < metrics->times->len; i++)
    write_times (&g_array_index (metrics->times, Times, i), out);
  g_mutex_unlock (&metrics->lock);
}

void
sv_metrics_write_sample (GString *out, const char *name, const char *type, const char *help, double value)
{
  g_string_append_printf (out, "# HELP %s %s\n# TYPE %s %s\n%s", name, help, name, type, name);
  write_number (out, value);
}
