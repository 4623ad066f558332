/* What /metrics says of the publisher of the issue log. */
#pragma once

#include <glib.h>

typedef struct
{
  gboolean has_key;
  gboolean is_leading;
  guint64 n_records;
  guint64 n_files;
  guint64 n_failures;
  guint64 last_id;
  gint64 waiting_since_ms; /* time of the oldest record that is not public; 0: there is none, or it is not known */
  gboolean is_known;       /* all windows were measured when they were looked at last */
  guint n_refused;         /* windows to whose log nothing can be added */
} SvIssueFigures;

void sv_issue_figures_write (const SvIssueFigures *figures, GString *out);
