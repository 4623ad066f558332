/* Latency, the real-time factor and the weighted score. The arithmetic is written in one place and one order, because an audit
 * recomputes it and compares the doubles for equality: the runner's numbers and the auditor's come out of these lines. */
#include "protocol/latency.h"

#include <math.h>
#include <string.h>

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Nearest rank: the ceil(0.95 n)-th smallest, in integers, so that no rounding of 0.95 can move the rank. */
static double
percentile_95 (const double *values, gsize n)
{
  g_autofree double *sorted = g_memdup2 (values, n * sizeof *values);
  gsize rank = (95 * n + 99) / 100;
  qsort (sorted, n, sizeof *sorted, compare_doubles);
  return sorted[rank - 1];
}

void
sv_latency_evaluate (const double *latencies_ms, gsize n, const SvElement *element, SvLatency *latency)
{
  *latency = (SvLatency){ 0 };
  if (n < SV_LATENCY_CALLS)
    return;
  latency->is_known = TRUE;
  latency->p95_ms = percentile_95 (latencies_ms, n);
  latency->rtf = (latency->p95_ms / 1000.0) * (element->service_rate_fps / 5.0);
  latency->pass = latency->rtf <= 1.0 && latency->p95_ms <= element->latency_p95_ms;
}

gboolean
sv_score_weighted (const json_t *metrics, const SvElement *element, double *score)
{
  double sum = 0;

  if (!json_is_object (metrics) || json_object_size (metrics) != element->n_pillars)
    return FALSE;
  for (gsize i = 0; i < element->n_pillars; i++)
  {
    const json_t *value = json_object_get (metrics, element->pillars[i].name);
    double number = json_number_value (value);
    if (!json_is_number (value) || !isfinite (number) || number < 0 || number > 1)
      return FALSE;
    sum += element->pillars[i].weight * number;
  }
  *score = sum;
  return TRUE;
}
