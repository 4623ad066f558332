/* `sv validator audit --draws`. */
#pragma once

#include "cli/command.h"

/* Audits the draws of @window_id, or with NULL of every window of the index that is over. Returns: the exit status. */
int sv_audit_draws (SvContext *context, const char *window_id, GError **error);

/* Shows on a terminal how far an issue log has been read; an SvIssueProgress, with the context as data. */
void sv_show_issue_progress (const char *window_id, guint64 n_records, gpointer context);
