/* sv config show: every setting, its value and where that came from, with secrets masked. */
#include "cli/commands.h"
#include "cli/table.h"

static json_t *
setting_to_json (const SvConfig *config, const SvSetting *setting)
{
  g_autofree char *value = sv_config_get_shown (config, setting->name);
  return json_pack ("{s:s,s:s?,s:s,s:s,s:s?,s:s}", "name", setting->name, "value", value, "origin",
                    sv_config_origin (config, setting->name), "group", setting->group, "flag", setting->flag, "summary",
                    setting->summary);
}

static void
show_as_json (const SvConfig *config)
{
  gsize n_settings;
  const SvSetting *settings = sv_settings (&n_settings);
  json_t *list = json_array ();
  for (gsize i = 0; i < n_settings; i++)
    json_array_append_new (list, setting_to_json (config, &settings[i]));
  sv_print_json (json_pack ("{s:o}", "settings", list));
}

static void
show_as_table (const SvContext *context)
{
  static const char *const headers[] = { "FOR", "SETTING", "VALUE", "FROM", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT, SV_COLUMN_LEFT, SV_COLUMN_ELASTIC, SV_COLUMN_LEFT };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  const char *group = NULL;
  gsize n_settings;
  const SvSetting *settings = sv_settings (&n_settings);
  for (gsize i = 0; i < n_settings; i++)
  {
    const char *name = settings[i].name;
    g_autofree char *value = sv_config_get_shown (context->config, name);
    sv_table_add (table, g_strcmp0 (group, settings[i].group) != 0 ? settings[i].group : "");
    sv_table_add (table, name);
    sv_table_add (table, value != NULL ? value : "-");
    sv_table_add (table, sv_config_origin (context->config, name));
    if (value == NULL)
      sv_table_style_row (table, SV_STYLE_DIM);
    group = settings[i].group;
  }
  sv_table_print (table, context->use_color);
}

static int
run_show (SvContext *context, int argc, char **argv, GError **error)
{
  if (!sv_check_arguments (argc, 0, 0, "sv config show", error))
    return 1;
  if (context->as_json)
    show_as_json (context->config);
  else
    show_as_table (context);
  return 0;
}

const SvCommand sv_config_commands[] = {
  { "config", "show", "", "show every setting and where its value came from",
    "A flag goes before the environment, and that before sv.conf ($SCOREVISION_CONFIG, ~/.config/scorevision/sv.conf or\n"
    "/etc/scorevision/sv.conf, the first that exists). Secrets are masked.",
    "  sv config show --store file:/srv/scorevision", NULL, run_show },
  { NULL },
};
