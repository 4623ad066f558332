/* Counters in Prometheus' text form. Any thread may call these. */
#pragma once

#include <glib.h>

typedef struct SvMetrics SvMetrics;

SvMetrics *sv_metrics_new (void);
void sv_metrics_free (SvMetrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvMetrics, sv_metrics_free)

/* One answer. @route and @label are static strings: their number bounds the series. */
void sv_metrics_count (SvMetrics *metrics, const char *route, guint status, const char *label, gint64 duration_us);

/* Appends the answers' counters and times. */
void sv_metrics_write (SvMetrics *metrics, GString *out);

/* Appends one sample with its HELP and TYPE lines. */
void sv_metrics_write_sample (GString *out, const char *name, const char *type, const char *help, double value);
