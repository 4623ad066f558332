/* What `sv serve --check-config` looks at: every setting that the server reads. A new one is in its table, or here. */
#include "api/config_check.h"

#include <string.h>

/* Of other commands. */
static gboolean
is_not_the_servers (const SvSetting *setting)
{
  return strcmp (setting->group, "runner") == 0 || strcmp (setting->group, "chutes") == 0 ||
         strcmp (setting->name, "SCOREVISION_RESULTS_STORE") == 0;
}

static guint
count (const GPtrArray *results, const char *name)
{
  guint n = 0;
  for (guint i = 0; i < results->len; i++)
    n += strcmp (((const SvCheckResult *)results->pdata[i])->setting, name) == 0;
  return n;
}

static void
test_every_setting_once (void)
{
  gsize n_settings;
  const SvSetting *settings = sv_settings (&n_settings);
  g_autoptr (SvConfig) config = sv_config_new ();
  g_autoptr (GPtrArray) results = sv_config_check_form (config);
  for (gsize i = 0; i < n_settings; i++)
  {
    guint expected = is_not_the_servers (&settings[i]) ? 0 : 1;
    if (count (results, settings[i].name) != expected)
      g_error ("%s: checked %u times, not %u", settings[i].name, count (results, settings[i].name), expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-check/every-setting-once", test_every_setting_once);
  return g_test_run ();
}
