/* The runner's settings, checked before it asks for anything. A mistake in one of them would else use up challenges, and be
 * signed as a failure of the miner's, which nobody can take back. */
#include "runner/settings.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "runner/chute.h"
#include "store/object_store.h"

#define RESULTS "SCOREVISION_RESULTS_STORE"
#define FILE_SCHEME "file:"

const char *
sv_runner_results_store (const SvConfig *config, GError **error)
{
  const char *results = sv_config_get (config, RESULTS);
  const char *store = sv_config_get (config, "SCOREVISION_STORE");
  if (results != NULL)
    return results;
  if (store != NULL && g_str_has_prefix (store, FILE_SCHEME))
    return store;
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "set " RESULTS ": the store that this runner's shards go to");
  return NULL;
}

static gboolean
refuse (const SvConfig *config, const char *setting, const char *what, GError **error)
{
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s (%s): %s", setting, sv_config_origin (config, setting), what);
  return FALSE;
}

/* ── where shards go ── */

/* Folders are made by the first put; here something has to be there that lets it. */
static gboolean
check_folder (const SvConfig *config, const char *path, GError **error)
{
  g_autofree char *at = g_strdup (path);
  while (!g_file_test (at, G_FILE_TEST_EXISTS))
  {
    char *parent = g_path_get_dirname (at);
    g_free (at);
    at = parent;
  }
  if (g_file_test (at, G_FILE_TEST_IS_DIR) && access (at, W_OK | X_OK) == 0)
    return TRUE;
  g_autofree char *shown = sv_text_printable (at);
  g_autofree char *what = g_strdup_printf ("shards are to be kept below %s, which is no folder that can be written to", shown);
  return refuse (config, RESULTS, what, error);
}

static gboolean
check_results (const SvConfig *config, GError **error)
{
  const char *url = sv_runner_results_store (config, error);
  g_autoptr (SvObjectStore) store = url != NULL ? sv_object_store_open (url, config, error) : NULL;
  if (store == NULL)
    return FALSE;
  if (g_str_has_prefix (url, FILE_SCHEME))
    return check_folder (config, sv_object_store_url (store) + strlen (FILE_SCHEME), error);
  if (!sv_object_store_check_writable (store, NULL))
    return refuse (config, RESULTS, "can only be read; name a store that shards are written to, file:PATH or s3://BUCKET",
                   error);
  if (sv_config_get (config, "R2_WRITE_ACCESS_KEY_ID") == NULL)
    return refuse (config, RESULTS,
                   "is written with an access key only; set R2_WRITE_ACCESS_KEY_ID and R2_WRITE_SECRET_ACCESS_KEY", error);
  return TRUE;
}

/* ── what is called ── */

static gboolean
check_key (const SvConfig *config, GError **error)
{
  const char *key = sv_config_get (config, "CHUTES_API_KEY");
  for (const char *p = key != NULL ? key : ""; *p != '\0'; p++)
    if (!g_ascii_isgraph (*p))
      return refuse (config, "CHUTES_API_KEY", "has spaces or other characters in it that no key has", error);
  return TRUE;
}

static gboolean
check_evaluator (const SvConfig *config, GError **error)
{
  const char *command = sv_config_get (config, "SCOREVISION_EVALUATOR");
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) fault = NULL;
  if (command == NULL)
    return TRUE;
  if (!g_shell_parse_argv (command, NULL, &argv, &fault))
  {
    g_autofree char *what = g_strdup_printf ("cannot be read as a command: %s", fault->message);
    return refuse (config, "SCOREVISION_EVALUATOR", what, error);
  }
  g_autofree char *program = g_find_program_in_path (argv[0]);
  if (program != NULL)
    return TRUE;
  g_autofree char *shown = sv_text_printable (argv[0]);
  g_autofree char *what = g_strdup_printf ("%s is not there, or cannot be executed", shown);
  return refuse (config, "SCOREVISION_EVALUATOR", what, error);
}

gboolean
sv_runner_check_settings (const SvConfig *config, GError **error)
{
  return sv_chute_check_settings (config, error) && check_key (config, error) && check_evaluator (config, error) &&
         check_results (config, error);
}
