/* Prometheus' text format, version 0.0.4: histograms that threads count into, and the writing of families. Names, labels and
 * helps are ours; a label's value is escaped all the same. */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#define SV_BOUNDS_MAX 20

/* Upper bounds of buckets in whole units, and how many of these make one of what is exposed. */
typedef struct
{
  guint n_bounds;
  double per_unit;
  guint64 bounds[SV_BOUNDS_MAX];
} SvScale;

extern const SvScale sv_scale_times; /* microseconds, from 10 µs to 10 s; exposed in seconds */
extern const SvScale sv_scale_sizes; /* powers of two up to 1024 */

/* All zero is an empty one. Any thread may add while another reads. */
typedef struct
{
  _Atomic guint64 counts[SV_BOUNDS_MAX + 1]; /* each of its own bucket alone; the last is beyond all bounds */
  _Atomic guint64 sum;
} SvHistogram;

void sv_histogram_add (SvHistogram *histogram, const SvScale *scale, guint64 value);
void sv_histogram_merge (SvHistogram *into, const SvHistogram *from);
guint64 sv_histogram_count (const SvHistogram *histogram);

/* HELP and TYPE: once, before the samples of a family. */
void sv_metrics_write_family (GString *out, const char *name, const char *type, const char *help);
/* One sample, NAN for a value that is not known; then pairs of a label and its value, up to a NULL label. */
void sv_metrics_write_value (GString *out, const char *name, double value, ...) G_GNUC_NULL_TERMINATED;
/* The samples of one histogram. @label NULL: it has none. */
void sv_metrics_write_histogram (GString *out, const char *name, const SvHistogram *histogram, const SvScale *scale,
                                 const char *label, const char *label_value);
/* A family with one sample without labels. */
void sv_metrics_write_sample (GString *out, const char *name, const char *type, const char *help, double value);
