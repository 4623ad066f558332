/* Completion for shells. Groups, commands and options are the tables'; values only where there are few, which never change. */
#include <stdio.h>
#include <string.h>

#include "base/program_name.h"
#include "cli/commands.h"
#include "cli/generate.h"
#include "operator/templates.h"

static const struct
{
  const char *option; /* without its dashes */
  const char *values;
} known_values[] = {
  { "chain", "finney test" },
  { "log", "logfmt json" },
  { "scheme", "ed25519 sr25519" },
  { "window", "current upcoming" },
};

/* ── words ── */

static void
append_options (GString *words, const GOptionEntry *entries)
{
  for (; entries != NULL && entries->long_name != NULL; entries++)
    if (!(entries->flags & G_OPTION_FLAG_HIDDEN))
      g_string_append_printf (words, " --%s", entries->long_name);
}

static void
append_settings (GString *words)
{
  gsize n_settings;
  const SvSetting *settings = sv_settings (&n_settings);
  for (gsize i = 0; i < n_settings; i++)
    if (settings[i].flag != NULL)
      g_string_append_printf (words, " --%s", settings[i].flag);
}

static void
append_group (const char *group, gpointer data)
{
  g_string_append_printf (data, " %s", group);
}

static void
append_command (const SvCommand *command, gpointer data)
{
  if (command->name != NULL)
    g_string_append_printf (data, " %s", command->name);
}

static char *
template_names (void)
{
  g_autoptr (GString) names = g_string_new (NULL);
  for (gsize i = 0; sv_templates[i].name != NULL; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? " " : "", sv_templates[i].name);
  return g_string_free (g_steal_pointer (&names), FALSE);
}

/* ── bash ── */

static void
print_bash_commands (const char *group, gpointer data)
{
  g_autoptr (GString) names = g_string_new (NULL);
  sv_visit_commands (group, append_command, names);
  if (names->len > 0)
    printf ("      %s) words=\"%s --help\" ;;\n", group, names->str + 1);
}

static void
print_bash_options (const SvCommand *command, gpointer data)
{
  g_autoptr (GString) options = g_string_new (NULL);
  append_options (options, command->options);
  if (options->len > 0)
    printf ("      \"%s%s%s\") words=\"%s $words\" ;;\n", command->group, command->name != NULL ? " " : "",
            command->name != NULL ? command->name : "", options->str + 1);
}

static void
print_bash_group_options (const char *group, gpointer data)
{
  sv_visit_commands (group, print_bash_options, NULL);
}

static void
append_alone (const char *group, gpointer data)
{
  GString *groups = data;
  if (sv_group_alone (group) != NULL)
    g_string_append_printf (groups, "%s%s", groups->len > 0 ? "|" : "", group);
}

static void
print_bash_values (void)
{
  g_autofree char *templates = template_names ();
  printf ("  case $previous in\n");
  for (gsize i = 0; i < G_N_ELEMENTS (known_values); i++)
    printf ("    --%s) COMPREPLY=($(compgen -W \"%s\" -- \"$current\")); return ;;\n", known_values[i].option,
            known_values[i].values);
  printf ("    --template) COMPREPLY=($(compgen -W \"%s\" -- \"$current\")); return ;;\n  esac\n", templates);
}

/* The function's name has to be one of bash's. */
static char *
function_name (void)
{
  g_autofree char *name = g_strconcat ("_", sv_program_name (), "_complete", NULL);
  return g_strcanon (g_steal_pointer (&name), G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_", '_');
}

void
sv_completion_print_bash (void)
{
  g_autofree char *function = function_name ();
  g_autoptr (GString) groups = g_string_new (NULL);
  g_autoptr (GString) alone = g_string_new (NULL);
  g_autoptr (GString) shared = g_string_new (NULL);
  sv_visit_groups (append_group, groups);
  sv_visit_groups (append_alone, alone);
  append_options (shared, sv_shared_options);
  append_settings (shared);
  printf ("# bash completion for %s; made from the program's own tables.\n"
          "%s() {\n"
          "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words command\n"
          "  COMPREPLY=()\n"
          "  if [ \"$COMP_CWORD\" -le 1 ]; then\n"
          "    COMPREPLY=($(compgen -W \"%s --help --help-settings --version\" -- \"$current\"))\n"
          "    return\n"
          "  fi\n",
          sv_program_name (), function, groups->str + 1);
  print_bash_values ();
  printf ("  command=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\"\n"
          "  case ${COMP_WORDS[1]} in %s) command=${COMP_WORDS[1]} ;; esac\n"
          "  if [ \"$COMP_CWORD\" = 2 ] && [ \"$command\" != \"${COMP_WORDS[1]}\" ]; then\n"
          "    case ${COMP_WORDS[1]} in\n",
          alone->str);
  sv_visit_groups (print_bash_commands, NULL);
  printf ("    esac\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "    return\n"
          "  fi\n"
          "  if [[ $current == -* ]]; then\n"
          "    words=\"%s\"\n"
          "    case $command in\n",
          shared->str + 1);
  sv_visit_groups (print_bash_group_options, NULL);
  printf ("    esac\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "    return\n"
          "  fi\n"
          "  COMPREPLY=($(compgen -f -- \"$current\"))\n"
          "}\n"
          "complete -o filenames -F %s %s\n",
          function, sv_program_name ());
}

/* ── fish and zsh ── */

/* In single quotes of a shell. */
static char *
quoted (const char *text)
{
  g_autofree char *named = sv_program_text (text);
  g_auto (GStrv) parts = g_strsplit (named, "'", -1);
  g_autofree char *joined = g_strjoinv ("’", parts);
  return g_strdup_printf ("'%s'", joined);
}

static void
print_fish_option (const char *condition, const char *name, const char *description, gboolean takes_value)
{
  g_autofree char *text = quoted (description);
  printf ("complete -c %s%s%s%s -l %s%s -d %s\n", sv_program_name (), condition != NULL ? " -n '" : "",
          condition != NULL ? condition : "", condition != NULL ? "'" : "", name, takes_value ? " -r" : "", text);
}

static void
print_fish_options (const char *condition, const GOptionEntry *entries)
{
  for (; entries != NULL && entries->long_name != NULL; entries++)
    if (!(entries->flags & G_OPTION_FLAG_HIDDEN))
      print_fish_option (condition, entries->long_name, entries->description != NULL ? entries->description : "",
                         entries->arg != G_OPTION_ARG_NONE);
}

static void
print_fish_command (const SvCommand *command, gpointer data)
{
  g_autofree char *summary = quoted (command->summary);
  if (command->name == NULL)
  {
    g_autofree char *condition = g_strdup_printf ("__fish_seen_subcommand_from %s", command->group);
    print_fish_options (condition, command->options);
    return;
  }
  const char *others = data;
  printf ("complete -c %s -f -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from %s' -a %s -d %s\n",
          sv_program_name (), command->group, others, command->name, summary);
  g_autofree char *condition =
      g_strdup_printf ("__fish_seen_subcommand_from %s; and __fish_seen_subcommand_from %s", command->group, command->name);
  print_fish_options (condition, command->options);
}

static void
print_fish_group (const char *group, gpointer data)
{
  g_autofree char *summary = sv_group_summary (group);
  g_autofree char *text = quoted (summary);
  g_autoptr (GString) names = g_string_new (NULL);
  sv_visit_commands (group, append_command, names);
  printf ("complete -c %s -f -n __fish_use_subcommand -a %s -d %s\n", sv_program_name (), group, text);
  sv_visit_commands (group, print_fish_command, names->len > 0 ? names->str + 1 : names->str);
}

void
sv_completion_print_fish (void)
{
  gsize n_settings;
  const SvSetting *settings = sv_settings (&n_settings);
  printf ("# fish completion for %s; made from the program's own tables.\n", sv_program_name ());
  sv_visit_groups (print_fish_group, NULL);
  print_fish_options (NULL, sv_shared_options);
  for (gsize i = 0; i < n_settings; i++)
    if (settings[i].flag != NULL)
      print_fish_option (NULL, settings[i].flag, settings[i].summary, TRUE);
}

/* zsh has no trouble with bash's completions. */
void
sv_completion_print_zsh (void)
{
  printf ("#compdef %s\nautoload -U +X bashcompinit && bashcompinit\n", sv_program_name ());
  sv_completion_print_bash ();
}
