/* A histogram's count is the sum of its buckets as they were read, so that the two agree however many threads count meanwhile.
 */
#include "api/exposition.h"

#include <math.h>
#include <stdarg.h>

#include "base/json.h"

#define MS 1000
#define S 1000000

const SvScale sv_scale_times = {
  .n_bounds = 19,
  .per_unit = 1e6,
  .bounds = { 10, 25, 50, 100, 250, 500, 1 * MS, 2500, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, 1 * S,
              2500 * MS, 5 * S, 10 * S },
};

const SvScale sv_scale_sizes = { .n_bounds = 11, .per_unit = 1, .bounds = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024 } };

/* ── histograms ── */

void
sv_histogram_add (SvHistogram *histogram, const SvScale *scale, guint64 value)
{
  guint i = 0;
  while (i < scale->n_bounds && value > scale->bounds[i])
    i++;
  atomic_fetch_add_explicit (&histogram->counts[i], 1, memory_order_relaxed);
  atomic_fetch_add_explicit (&histogram->sum, value, memory_order_relaxed);
}

static void
add_to (_Atomic guint64 *into, const _Atomic guint64 *from)
{
  atomic_fetch_add_explicit (into, atomic_load_explicit (from, memory_order_relaxed), memory_order_relaxed);
}

void
sv_histogram_merge (SvHistogram *into, const SvHistogram *from)
{
  for (guint i = 0; i <= SV_BOUNDS_MAX; i++)
    add_to (&into->counts[i], &from->counts[i]);
  add_to (&into->sum, &from->sum);
}

guint64
sv_histogram_count (const SvHistogram *histogram)
{
  guint64 n = 0;
  for (guint i = 0; i <= SV_BOUNDS_MAX; i++)
    n += atomic_load_explicit (&histogram->counts[i], memory_order_relaxed);
  return n;
}

/* ── writing ── */

void
sv_metrics_write_family (GString *out, const char *name, const char *type, const char *help)
{
  g_string_append_printf (out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
append_label (GString *out, const char *label, const char *value)
{
  g_string_append_printf (out, "%s=\"", label);
  for (const char *p = value; *p != '\0'; p++)
    if (*p == '\n')
      g_string_append (out, "\\n");
    else if (*p == '"' || *p == '\\')
      g_string_append_printf (out, "\\%c", *p);
    else
      g_string_append_c (out, *p);
  g_string_append_c (out, '"');
}

static void
append_number (GString *out, double value)
{
  char text[32] = "NaN";
  if (!isnan (value))
    sv_json_format_number (value, text);
  g_string_append_printf (out, " %s\n", text);
}

void
sv_metrics_write_value (GString *out, const char *name, double value, ...)
{
  va_list pairs;
  gboolean has_labels = FALSE;
  g_string_append (out, name);
  va_start (pairs, value);
  for (const char *label = va_arg (pairs, const char *); label != NULL; label = va_arg (pairs, const char *))
  {
    g_string_append_c (out, has_labels ? ',' : '{');
    append_label (out, label, va_arg (pairs, const char *));
    has_labels = TRUE;
  }
  va_end (pairs);
  if (has_labels)
    g_string_append_c (out, '}');
  append_number (out, value);
}

static void
append_bucket (GString *out, const char *name, const char *label, const char *label_value, const char *bound, guint64 n)
{
  g_string_append_printf (out, "%s_bucket{", name);
  if (label != NULL)
  {
    append_label (out, label, label_value);
    g_string_append_c (out, ',');
  }
  g_string_append_printf (out, "le=\"%s\"} %" G_GUINT64_FORMAT "\n", bound, n);
}

void
sv_metrics_write_histogram (GString *out, const char *name, const SvHistogram *histogram, const SvScale *scale,
                            const char *label, const char *label_value)
{
  guint64 n = 0;
  double sum = (double)atomic_load_explicit (&histogram->sum, memory_order_relaxed) / scale->per_unit;
  for (guint i = 0; i < scale->n_bounds; i++)
  {
    char bound[32];
    n += atomic_load_explicit (&histogram->counts[i], memory_order_relaxed);
    sv_json_format_number ((double)scale->bounds[i] / scale->per_unit, bound);
    append_bucket (out, name, label, label_value, bound, n);
  }
  n += atomic_load_explicit (&histogram->counts[scale->n_bounds], memory_order_relaxed);
  append_bucket (out, name, label, label_value, "+Inf", n);
  g_autofree char *sum_name = g_strconcat (name, "_sum", NULL);
  g_autofree char *count_name = g_strconcat (name, "_count", NULL);
  sv_metrics_write_value (out, sum_name, sum, label, label_value, NULL);
  sv_metrics_write_value (out, count_name, (double)n, label, label_value, NULL);
}

void
sv_metrics_write_sample (GString *out, const char *name, const char *type, const char *help, double value)
{
  sv_metrics_write_family (out, name, type, help);
  sv_metrics_write_value (out, name, value, NULL);
}
