/* sv: the front door. The whole dispatch is one list of tables and one loop; help, manual pages and completion are made from
 * the same tables, so what runs and what is documented cannot differ. Every setting that has a flag (base/config.h) becomes an
 * option of every command. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/program_name.h"
#include "cli/commands.h"
#include "cli/generate.h"
#include "cli/table.h"

#define SUMMARY_COLUMN 27
#define DESCRIPTION_COLUMN 33

static const char *const global_help =
    "Every command takes --json (one document on standard output), --yes (no questions) and settings as options, for example "
    "--store, --chain, --hotkey; --help-settings lists them.";

static gboolean opt_json, opt_yes, opt_help, opt_help_settings;
static gboolean wants_json; /* --json stands on the command line, which may go wrong before it is parsed */

const GOptionEntry sv_shared_options[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &opt_json, "one JSON document on standard output", NULL },
  { "yes", 'y', 0, G_OPTION_ARG_NONE, &opt_yes, "answer yes to questions", NULL },
  { "help", 'h', 0, G_OPTION_ARG_NONE, &opt_help, "this page", NULL },
  { "help-settings", 0, 0, G_OPTION_ARG_NONE, &opt_help_settings, "settings that are options, too: --chain, --hotkey…", NULL },
  G_OPTION_ENTRY_NULL,
};

static int print_help (const char *group);

/* ── finding the command ── */

static gboolean
group_exists (const char *group)
{
  for (gsize t = 0; sv_command_tables[t] != NULL; t++)
    for (const SvCommand *command = sv_command_tables[t]; command->group != NULL; command++)
      if (strcmp (command->group, group) == 0)
        return TRUE;
  return FALSE;
}

static const SvCommand *
find_command (const char *group, const char *name)
{
  for (gsize t = 0; sv_command_tables[t] != NULL; t++)
    for (const SvCommand *command = sv_command_tables[t]; command->group != NULL; command++)
      if (strcmp (command->group, group) == 0 && g_strcmp0 (command->name, name) == 0)
        return command;
  return NULL;
}

/* Names to suggest from: the groups, or with @group the commands in it. */
static GPtrArray *
candidate_names (const char *group)
{
  GPtrArray *names = g_ptr_array_new ();
  for (gsize t = 0; sv_command_tables[t] != NULL; t++)
    for (const SvCommand *command = sv_command_tables[t]; command->group != NULL; command++)
      if (group == NULL)
        g_ptr_array_add (names, (gpointer)command->group);
      else if (strcmp (command->group, group) == 0 && command->name != NULL)
        g_ptr_array_add (names, (gpointer)command->name);
  g_ptr_array_add (names, NULL);
  return names;
}

/* ── help ── */

static void
print_command_line (const SvCommand *command)
{
  g_autofree char *name = g_strdup_printf ("%s %s%s%s", sv_program_name (), command->group, command->name != NULL ? " " : "",
                                           command->name != NULL ? command->name : "");
  printf ("  %-24s ", name);
  sv_print_wrapped (command->summary, SUMMARY_COLUMN, SUMMARY_COLUMN);
}

static int
print_help (const char *group)
{
  if (group == NULL)
    printf ("%s " SV_VERSION ": manifests, commitments and challenges of the Score Vision subnet\n\n"
            "Usage: %s GROUP COMMAND [OPTION…]\n\n",
            sv_program_name (), sv_program_name ());
  else
    printf ("Usage: %s %s COMMAND [OPTION…]\n\n", sv_program_name (), group);
  const char *last = NULL;
  for (gsize t = 0; sv_command_tables[t] != NULL; t++)
    for (const SvCommand *command = sv_command_tables[t]; command->group != NULL; command++)
    {
      if (group != NULL && strcmp (group, command->group) != 0)
        continue;
      if (last != NULL && strcmp (last, command->group) != 0)
        putchar ('\n');
      last = command->group;
      print_command_line (command);
    }
  putchar ('\n');
  sv_print_wrapped (global_help, 0, 0);
  sv_say (stdout, "`sv %s COMMAND --help` explains a command and shows an example.\n", group != NULL ? group : "GROUP");
  return 0;
}

/* An option too long for its column has its description on the next line. */
static void
print_described (const char *option, const char *description)
{
  g_autofree char *shown = g_strdup_printf ("  %s", option);
  guint width = (guint)g_utf8_strlen (shown, -1);
  gboolean fits = width + 2 <= DESCRIPTION_COLUMN;
  printf ("%s%s%*s", shown, fits ? "" : "\n", (int)(fits ? DESCRIPTION_COLUMN - width : DESCRIPTION_COLUMN), "");
  sv_print_wrapped (description, DESCRIPTION_COLUMN, DESCRIPTION_COLUMN);
}

static void
print_option (const GOptionEntry *entry)
{
  if (entry->flags & G_OPTION_FLAG_HIDDEN)
    return;
  g_autofree char *option =
      g_strdup_printf ("%s%c%s--%s%s%s", entry->short_name ? "-" : "", entry->short_name ? entry->short_name : ' ',
                       entry->short_name ? ", " : "   ", entry->long_name, entry->arg_description != NULL ? " " : "",
                       entry->arg_description != NULL ? entry->arg_description : "");
  print_described (option, entry->description != NULL ? entry->description : "");
}

static int
print_settings_help (void)
{
  gsize n_settings;
  const SvSetting *settings = sv_settings (&n_settings);
  printf ("\nSettings, also read from the environment and sv.conf:\n");
  for (gsize i = 0; i < n_settings; i++)
    if (settings[i].flag != NULL)
    {
      g_autofree char *option = g_strdup_printf ("    --%s VALUE", settings[i].flag);
      g_autofree char *description = g_strdup_printf ("%s (%s)", settings[i].summary, settings[i].name);
      print_described (option, description);
    }
  return 0;
}

static int
print_command_help (const SvCommand *command)
{
  printf ("%s %s%s%s: %s\n\n", sv_program_name (), command->group, command->name != NULL ? " " : "",
          command->name != NULL ? command->name : "", command->summary);
  printf ("Usage: %s %s%s%s%s%s\n", sv_program_name (), command->group, command->name != NULL ? " " : "",
          command->name != NULL ? command->name : "", command->usage != NULL && *command->usage ? " " : "",
          command->usage != NULL ? command->usage : "");
  if (command->details != NULL)
  {
    putchar ('\n');
    sv_print_paragraphs (command->details);
  }
  printf ("\nOptions:\n");
  for (const GOptionEntry *entry = command->options; entry != NULL && entry->long_name != NULL; entry++)
    print_option (entry);
  for (const GOptionEntry *entry = sv_shared_options; entry->long_name != NULL; entry++)
    print_option (entry);
  if (command->example != NULL)
    sv_say (stdout, "\nExample:\n%s\n", command->example);
  return 0;
}

/* ── options ── */

static gboolean
set_flag (const char *option, const char *value, gpointer data, GError **error)
{
  SvConfig *config = data;
  gsize n_settings;
  const SvSetting *settings = sv_settings (&n_settings);
  for (gsize i = 0; i < n_settings; i++)
    if (settings[i].flag != NULL && strcmp (option + 2, settings[i].flag) == 0)
    {
      sv_config_set (config, settings[i].name, value);
      return TRUE;
    }
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "unknown option %s", option);
  return FALSE;
}

static void
add_setting_options (GOptionContext *options, SvConfig *config)
{
  gsize n_settings;
  const SvSetting *settings = sv_settings (&n_settings);
  g_autoptr (GArray) entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  for (gsize i = 0; i < n_settings; i++)
    if (settings[i].flag != NULL)
    {
      GOptionEntry entry = { .long_name = settings[i].flag,
                             .arg = G_OPTION_ARG_CALLBACK,
                             .arg_data = (gpointer)set_flag,
                             .description = settings[i].summary,
                             .arg_description = "VALUE" };
      g_array_append_val (entries, entry);
    }
  GOptionGroup *group = g_option_group_new ("settings", "Settings:", "Show the settings", config, NULL);
  g_option_group_add_entries (group, (const GOptionEntry *)(gpointer)entries->data);
  g_option_context_add_group (options, group);
}

static gboolean
parse_options (const SvCommand *command, SvConfig *config, int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_option_context_set_help_enabled (options, FALSE);
  g_option_context_add_main_entries (options, sv_shared_options, NULL);
  if (command->options != NULL)
    g_option_context_add_main_entries (options, command->options, NULL);
  add_setting_options (options, config);
  GError *local = NULL;
  if (g_option_context_parse (options, argc, argv, &local))
    return TRUE;
  local->message[0] = g_ascii_tolower (local->message[0]);
  g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "%s; see `sv %s%s%s --help`", local->message, command->group,
               command->name != NULL ? " " : "", command->name != NULL ? command->name : "");
  g_error_free (local);
  return FALSE;
}

/* ── running ── */

/* Messages quote arguments and documents, in which anything may stand that would steer a terminal. Lines stay lines. */
static char *
printable_lines (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
  {
    char *shown = sv_printable (lines[i]);
    g_free (lines[i]);
    lines[i] = shown;
  }
  return g_strjoinv ("\n", lines);
}

static int
report (const GError *error, gboolean as_json)
{
  g_autofree char *utf8 = g_utf8_make_valid (error->message, -1); /* file names need not be UTF-8, JSON must be */
  g_autofree char *valid = sv_program_text (utf8);
  if (as_json && !sv_json_was_printed ())
    sv_print_json (json_pack ("{s:{s:i,s:s}}", "error", "exit_status", sv_error_exit_status (error), "message", valid));
  gboolean color = isatty (STDERR_FILENO) && g_getenv ("NO_COLOR") == NULL;
  g_autofree char *name = g_strconcat (sv_program_name (), ":", NULL);
  g_autofree char *label = sv_styled (name, SV_STYLE_RED, color);
  g_autofree char *message = printable_lines (valid);
  fprintf (stderr, "%s %s\n", label, message);
  return sv_error_exit_status (error);
}

static int
unknown_word (const char *group, const char *word)
{
  g_autoptr (GPtrArray) names = candidate_names (group);
  const char *nearest = sv_nearest_word (word, (const char *const *)names->pdata);
  g_autofree char *shown = sv_printable (word);
  g_autofree char *place = group != NULL ? g_strconcat (group, " ", NULL) : g_strdup ("");
  g_autofree char *hint = nearest != NULL ? g_strdup_printf ("; did you mean `sv %s%s`?", place, nearest) : g_strdup ("");
  g_autoptr (GError) error =
      g_error_new (SV_ERROR, SV_ERROR_USAGE, "there is no command `%s%s`%s\nSee `sv %s--help`.", place, shown, hint, place);
  return report (error, wants_json);
}

static void
context_clear (SvContext *context)
{
  g_clear_pointer (&context->reader, sv_reader_free);
  g_clear_pointer (&context->store, sv_object_store_free);
  g_clear_pointer (&context->chain, sv_chain_free);
}

static int
run_command (const SvCommand *command, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvConfig) config = sv_config_read ();
  if (!parse_options (command, config, &argc, &argv, &error))
    return report (error, wants_json);
  if (opt_help)
    return print_command_help (command);
  if (opt_help_settings)
    return print_settings_help ();
  if (!command->is_judge && (!sv_config_check (config, &error) || !sv_set_log_format (config, &error)))
    return report (error, opt_json);
  SvContext context = { .config = config,
                        .as_json = opt_json,
                        .yes = opt_yes,
                        .use_color = !opt_json && isatty (STDOUT_FILENO) && g_getenv ("NO_COLOR") == NULL,
                        .is_terminal = isatty (STDERR_FILENO) };
  int status = command->run (&context, argc - 1, argv + 1, &error);
  context_clear (&context);
  if (error != NULL)
    return report (error, opt_json);
  if (fflush (stdout) != 0)
  {
    if (errno == EPIPE)
      return 1; /* whoever reads has had enough, as `head` does */
    fprintf (stderr, "%s: standard output cannot be written: %s\n", sv_program_name (), g_strerror (errno));
    return 1;
  }
  return status;
}

/* A group with a NULL-named command is itself a command: `sv serve --json`. */
static int
dispatch (int argc, char **argv)
{
  const char *group = argv[1];
  if (!group_exists (group))
    return unknown_word (NULL, group);
  const SvCommand *alone = find_command (group, NULL);
  if (alone != NULL)
    return run_command (alone, argc - 1, argv + 1);
  if (argc < 3)
  {
    print_help (group);
    return 2;
  }
  if (strcmp (argv[2], "--help") == 0 || strcmp (argv[2], "-h") == 0)
    return print_help (group);
  if (strcmp (argv[2], "--help-settings") == 0)
    return print_settings_help ();
  const SvCommand *command = find_command (group, argv[2]);
  return command != NULL ? run_command (command, argc - 2, argv + 2) : unknown_word (group, argv[2]);
}

/* Under the name that it was called by; a path to it is no part of that. */
static void
take_name (const char *called)
{
  static char *name; /* as long as the program runs */
  g_autoptr (GPtrArray) groups = candidate_names (NULL);
  name = g_path_get_basename (called != NULL ? called : "sv");
  sv_program_set_name (name, (const char *const *)groups->pdata);
}

int
main (int argc, char **argv)
{
  setlocale (LC_CTYPE, "");
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN); /* a file size limit is then an error of the write, with a message */
  umask (022);
  if (sodium_init () < 0)
  {
    fputs ("sv: libsodium cannot be initialised on this machine\n", stderr);
    return 1;
  }
  take_name (argv[0]);
  if (argc < 2)
  {
    print_help (NULL);
    return 2;
  }
  wants_json = g_strv_contains ((const char *const *)argv, "--json");
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 || strcmp (argv[1], "help") == 0)
    return print_help (NULL);
  if (strcmp (argv[1], "--help-settings") == 0)
    return print_settings_help ();
  if (strcmp (argv[1], "--version") == 0)
  {
    printf ("%s %s\n", sv_program_name (), SV_VERSION);
    return 0;
  }
  if (strcmp (argv[1], "--generate") == 0 && argc == 3)
    return sv_generate (argv[2]);
  return dispatch (argc, argv);
}
