/* What a check of the configuration finds, setting by setting. */
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

/* (transfer none) where it stands, as sv_config_origin() says it. */
const char *sv_check_result_origin (const SvCheckResult *result, const SvConfig *config);

/* Returns: (transfer full) (element-type SvCheckResult). */
GPtrArray *sv_check_results_new (void);

/* (transfer none) what was found of a setting that was read; NULL where nothing was. */
SvCheckResult *sv_check_results_find (const GPtrArray *results, const char *setting);

/* There is one for each setting: what is found later is said in place of what was right before. @message may be NULL. */
void sv_check_results_set (GPtrArray *results, const char *setting, SvCheckOutcome outcome, int exit_status,
                           const char *message);

/* @error NULL: it is as it should be, and @found (may be NULL) says what that is. What is only away is a warning. */
void sv_check_results_judge (GPtrArray *results, const char *setting, const GError *error, const char *found);

/* The exit status of the first that is wrong; 0 for none. */
int sv_check_results_status (const GPtrArray *results);
