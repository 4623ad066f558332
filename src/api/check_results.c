/* What a check of the configuration has found: a list that has one result for each setting, and one for each line that is no
 * setting. */
#include "api/check_results.h"

#include <string.h>

#include "base/error.h"

static void
free_result (gpointer data)
{
  SvCheckResult *result = data;
  g_free (result->setting);
  g_free (result->origin);
  g_free (result->message);
  g_free (result);
}

const char *
sv_check_result_origin (const SvCheckResult *result, const SvConfig *config)
{
  return result->origin != NULL ? result->origin : sv_config_origin (config, result->setting);
}

GPtrArray *
sv_check_results_new (void)
{
  return g_ptr_array_new_with_free_func (free_result);
}

SvCheckResult *
sv_check_results_find (const GPtrArray *results, const char *setting)
{
  for (guint i = 0; i < results->len; i++)
  {
    SvCheckResult *result = results->pdata[i];
    if (result->origin == NULL && strcmp (result->setting, setting) == 0)
      return result;
  }
  return NULL;
}

void
sv_check_results_set (GPtrArray *results, const char *setting, SvCheckOutcome outcome, int exit_status, const char *message)
{
  SvCheckResult *result = sv_check_results_find (results, setting);
  if (result == NULL)
  {
    result = g_new0 (SvCheckResult, 1);
    result->setting = g_strdup (setting);
    g_ptr_array_add (results, result);
  }
  g_free (result->message);
  result->message = g_strdup (message);
  result->outcome = outcome;
  result->exit_status = exit_status;
}

void
sv_check_results_judge (GPtrArray *results, const char *setting, const GError *error, const char *found)
{
  if (error == NULL)
    sv_check_results_set (results, setting, SV_CHECK_OK, 0, found);
  else if (g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE))
    sv_check_results_set (results, setting, SV_CHECK_WARNING, 0, error->message);
  else
    sv_check_results_set (results, setting, SV_CHECK_WRONG, sv_error_exit_status (error), error->message);
}

int
sv_check_results_status (const GPtrArray *results)
{
  for (guint i = 0; i < results->len; i++)
  {
    const SvCheckResult *result = results->pdata[i];
    if (result->outcome == SV_CHECK_WRONG)
      return result->exit_status;
  }
  return 0;
}
