/* The runner's settings, as far as they can be judged without asking anybody. */
#pragma once

#include "base/config.h"

/* The address of chutes, the key for them, the evaluator and the store of the shards. SV_ERROR_USAGE names the setting, where
 * it comes from and what it should be. */
gboolean sv_runner_check_settings (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: (transfer none) the store that shards go to, as it is configured. SV_ERROR_USAGE where none is. */
const char *sv_runner_results_store (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
