/* `sv --generate WHAT`, which the build calls; it is in no help, because nobody else needs it. */
#include "cli/generate.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

void
sv_visit_groups (SvVisitGroup visit, gpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (gsize t = 0; sv_command_tables[t] != NULL; t++)
    for (const SvCommand *command = sv_command_tables[t]; command->group != NULL; command++)
      if (g_hash_table_add (seen, (gpointer)command->group))
        visit (command->group, data);
}

void
sv_visit_commands (const char *group, SvVisitCommand visit, gpointer data)
{
  for (gsize t = 0; sv_command_tables[t] != NULL; t++)
    for (const SvCommand *command = sv_command_tables[t]; command->group != NULL; command++)
      if (strcmp (command->group, group) == 0)
        visit (command, data);
}

static void
take_alone (const SvCommand *command, gpointer data)
{
  const SvCommand **found = data;
  if (command->name == NULL)
    *found = command;
}

const SvCommand *
sv_group_alone (const char *group)
{
  const SvCommand *found = NULL;
  sv_visit_commands (group, take_alone, &found);
  return found;
}

static void
append_name (const SvCommand *command, gpointer data)
{
  GString *names = data;
  if (command->name != NULL)
    g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", command->name);
}

char *
sv_group_summary (const char *group)
{
  const SvCommand *alone = sv_group_alone (group);
  if (alone != NULL)
    return g_strdup (alone->summary);
  g_autoptr (GString) names = g_string_new (NULL);
  sv_visit_commands (group, append_name, names);
  return g_strdup_printf ("%s: %s", group, names->str);
}

static void
note_group (const char *group, gpointer data)
{
  const char **wanted = data;
  if (g_strcmp0 (group, *wanted) == 0)
    *wanted = NULL;
}

static gboolean
is_group (const char *word)
{
  sv_visit_groups (note_group, &word);
  return word == NULL;
}

int
sv_generate (const char *what)
{
  static const struct
  {
    const char *what;
    void (*print) (void);
  } generators[] = {
    { "man", sv_manual_print_program }, { "conf", sv_manual_print_settings }, { "bash", sv_completion_print_bash },
    { "zsh", sv_completion_print_zsh }, { "fish", sv_completion_print_fish },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (generators); i++)
    if (strcmp (what, generators[i].what) == 0)
    {
      generators[i].print ();
      return fflush (stdout) == 0 ? 0 : 1;
    }
  if (g_str_has_prefix (what, "man:") && is_group (what + 4))
  {
    sv_manual_print_group (what + 4);
    return fflush (stdout) == 0 ? 0 : 1;
  }
  fputs ("sv: --generate takes man, man:GROUP, conf, bash, zsh or fish\n", stderr);
  return 2;
}
