/* Whether a Challenge API server would start with a configuration: every setting that it reads, all faults at once, and
 * whether chain, store and database answer. No address is bound, since the server that runs may have it; a database is made or
 * brought to this version's form where that is due, as a start does it. */
#pragma once

#include "api/check_results.h"

/* What cannot be read of environment and file, and the form of all settings, without asking anybody. Returns: (transfer full)
 * (element-type SvCheckResult). */
GPtrArray *sv_config_check_form (const SvConfig *config);

/* config_reach.c: adds to @results whether chain, store and database answer within @timeout_ms, asked side by side; what does
 * not is a warning, what answers wrongly, or will not let us in, is wrong. One that has not answered by then is still asked in
 * the background. */
void sv_config_check_reach (const SvConfig *config, guint timeout_ms, GPtrArray *results);

/* Whether each of R2_PUBLIC_URL can be opened, which readers find out by the first reading only; SV_ERROR_USAGE. */
gboolean sv_config_check_public_urls (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
