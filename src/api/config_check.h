/* Whether a Challenge API server would start with a configuration: every setting that it reads, all faults at once, and
 * whether chain, store and database answer. No address is bound, since the server that runs may have it; a database is made or
 * brought to this version's form where that is due, as a start does it. */
#pragma once

#include "base/config.h"

typedef enum
{
  SV_CHECK_OK,
  SV_CHECK_WARNING, /* the server starts, or will when what is away is back */
  SV_CHECK_WRONG,   /* it does not */
} SvCheckOutcome;

typedef struct
{
  char *setting; /* name in base/settings.c; of what cannot be read as a setting, what it calls itself or SCOREVISION_CONFIG */
  char *origin;  /* where that stands; NULL for settings that were read, whose place the configuration knows */
  SvCheckOutcome outcome;
  char *message; /* what is wrong, or what was found; NULL: nothing to say */
  int exit_status;
} SvCheckResult;

void sv_check_result_free (SvCheckResult *result);

/* (transfer none) where it stands, as sv_config_origin() says it. */
const char *sv_check_result_origin (const SvCheckResult *result, const SvConfig *config);

/* What cannot be read of environment and file, and the form of all settings, without asking anybody. Returns: (transfer full)
 * (element-type SvCheckResult). */
GPtrArray *sv_config_check_form (const SvConfig *config);

/* Adds to @results whether chain, store and database answer within @timeout_ms, asked side by side; what does not is a
 * warning, what answers wrongly, or will not let us in, is wrong. One that has not answered by then is still asked in the
 * background. */
void sv_config_check_reach (const SvConfig *config, guint timeout_ms, GPtrArray *results);

/* Whether each of R2_PUBLIC_URL can be opened, which readers find out by the first reading only; SV_ERROR_USAGE. */
gboolean sv_config_check_public_urls (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The exit status of the first that is wrong; 0 for none. */
int sv_check_results_status (const GPtrArray *results);
