#include "api/issue_figures.h"

#include <math.h>

#include "api/metrics.h"
#include "base/rfc3339.h"

void
sv_issue_figures_write (const SvIssueFigures *figures, GString *out)
{
  double unknown = figures->is_known ? 0 : NAN;
  double lag_s = figures->waiting_since_ms != 0 ? (double)MAX (sv_clock_ms () - figures->waiting_since_ms, 0) / 1000 : unknown;
  sv_metrics_write_sample (out, "sv_issue_publisher_has_key", "gauge",
                           "1 where a hotkey to sign the published issue log with was read.", figures->has_key);
  sv_metrics_write_sample (out, "sv_issue_publisher_leads", "gauge", "1 where this instance publishes the issue log.",
                           figures->is_leading);
  sv_metrics_write_sample (out, "sv_issue_publisher_refused_windows", "gauge",
                           "Windows to whose log this server adds nothing: their issuers do not name its hotkey, or the log is "
                           "another database's. NaN where that is not known.",
                           figures->n_refused > 0 ? figures->n_refused : unknown);
  sv_metrics_write_sample (out, "sv_issue_publisher_records_total", "counter", "Records published.",
                           (double)figures->n_records);
  sv_metrics_write_sample (out, "sv_issue_publisher_files_total", "counter", "Files of records published.",
                           (double)figures->n_files);
  sv_metrics_write_sample (out, "sv_issue_publisher_last_id", "gauge", "Last challenge id published.",
                           (double)figures->last_id);
  sv_metrics_write_sample (out, "sv_issue_publisher_lag_seconds", "gauge",
                           "Age of the oldest record that is not published. NaN where that is not known.", lag_s);
  sv_metrics_write_sample (out, "sv_issue_publisher_failures_total", "counter", "Attempts to publish that failed.",
                           (double)figures->n_failures);
}
