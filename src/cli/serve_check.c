/* One line for each setting that the server reads, and for what it needs to reach. */
#include "cli/serve_check.h"

#include <stdio.h>
#include <string.h>

#include "api/config_check.h"
#include "cli/table.h"

#define TIMEOUT_MS 10000

static const char *const outcomes[] = {
  [SV_CHECK_OK] = "ok",
  [SV_CHECK_WARNING] = "warning",
  [SV_CHECK_WRONG] = "wrong",
};

/* (transfer full) or NULL. What could not be read has no value to be shown, and may be no setting at all. */
static char *
value_of (const SvConfig *config, const SvCheckResult *result)
{
  return result->origin == NULL ? sv_config_get_shown (config, result->setting) : NULL;
}

static json_t *
result_to_json (const SvConfig *config, const SvCheckResult *result)
{
  g_autofree char *value = value_of (config, result);
  g_autofree char *message = result->message != NULL ? g_utf8_make_valid (result->message, -1) : NULL;
  return json_pack ("{s:s,s:s,s:s?,s:s,s:s?}", "setting", result->setting, "outcome", outcomes[result->outcome], "value", value,
                    "origin", sv_check_result_origin (result, config), "message", message);
}

static void
show_as_json (const SvConfig *config, const GPtrArray *results)
{
  json_t *list = json_array ();
  for (guint i = 0; i < results->len; i++)
    json_array_append_new (list, result_to_json (config, results->pdata[i]));
  sv_print_json (json_pack ("{s:b,s:o}", "starts", sv_check_results_status (results) == 0, "checks", list));
}

static void
show_as_table (const SvContext *context, const GPtrArray *results)
{
  static const char *const headers[] = { "", "SETTING", "VALUE", "FROM", NULL };
  static const SvColumn columns[] = { SV_COLUMN_LEFT, SV_COLUMN_LEFT, SV_COLUMN_ELASTIC, SV_COLUMN_LEFT };
  static const SvStyle styles[] = { SV_STYLE_PLAIN, SV_STYLE_YELLOW, SV_STYLE_RED };
  g_autoptr (SvTable) table = sv_table_new (headers, columns);
  for (guint i = 0; i < results->len; i++)
  {
    const SvCheckResult *result = results->pdata[i];
    g_autofree char *value = value_of (context->config, result);
    sv_table_add (table, outcomes[result->outcome]);
    sv_table_add (table, result->setting);
    sv_table_add (table, value != NULL ? value : "-");
    sv_table_add (table, sv_check_result_origin (result, context->config));
    sv_table_style_row (table, styles[result->outcome]);
  }
  sv_table_print (table, context->use_color);
  putchar ('\n');
}

static void
show_messages (const SvConfig *config, const GPtrArray *results)
{
  for (guint i = 0; i < results->len; i++)
  {
    const SvCheckResult *result = results->pdata[i];
    if (result->message == NULL)
      continue;
    g_autofree char *shown = sv_printable (result->message);
    gboolean names_itself = result->origin != NULL || g_str_has_prefix (shown, result->setting);
    const char *origin = sv_check_result_origin (result, config);
    gboolean names_place = strchr (origin, ':') == NULL || strstr (shown, origin) != NULL || result->outcome == SV_CHECK_OK;
    g_autofree char *line =
        g_strdup_printf ("%s: %s%s%s%s%s", outcomes[result->outcome], names_place ? "" : origin, names_place ? "" : ": ",
                         names_itself ? "" : result->setting, names_itself ? "" : ": ", shown);
    sv_print_wrapped (line, 0, 2);
  }
  sv_say (stdout, "`sv serve` %s.\n", sv_check_results_status (results) == 0 ? "can be started" : "would not start");
}

int
sv_check_serve (const SvContext *context)
{
  g_autoptr (GPtrArray) results = sv_config_check_form (context->config);
  sv_config_check_reach (context->config, TIMEOUT_MS, results);
  if (context->as_json)
    show_as_json (context->config, results);
  else
  {
    show_as_table (context, results);
    show_messages (context->config, results);
  }
  return sv_check_results_status (results);
}
