/* Manual pages in man(7): one of the program, one for each group of commands, one of sv.conf. Text is written as it is for
 * --help, so what means something to roff is escaped; characters outside ASCII go by their numbers, because not every formatter
 * reads UTF-8. */
#include <stdio.h>
#include <string.h>

#include "base/program_name.h"
#include "cli/commands.h"
#include "cli/generate.h"

static const struct
{
  int status;
  const char *meaning;
} statuses[] = {
  { 0, "done" },
  { 1, "failed: a fault of the machine or of the program" },
  { 2, "wrong usage or configuration" },
  { 3, "a verification failed" },
  { 4, "not found" },
  { 5, "network, store, chain or database unreachable" },
  { 6, "conflict, or refused by policy" },
};

/* ── roff ── */

static void
print_character (gunichar c, gboolean is_line_start)
{
  if (is_line_start && (c == '.' || c == '\''))
    fputs ("\\&", stdout);
  if (c == '\\')
    fputs ("\\e", stdout);
  else if (c == '-')
    fputs ("\\-", stdout);
  else if (c == '\'' || c == '`' || c == '^' || c == '~')
    fputs (c == '\'' ? "\\(aq" : c == '`' ? "\\(ga" : c == '^' ? "\\(ha" : "\\(ti", stdout);
  else if (c < 128)
    putchar ((int)c);
  else
    printf ("\\[u%04X]", c);
}

static void
print_text (const char *text)
{
  g_autofree char *named = sv_program_text (text);
  gboolean is_line_start = TRUE;
  for (const char *p = named; *p != '\0'; p = g_utf8_next_char (p))
  {
    print_character (g_utf8_get_char (p), is_line_start);
    is_line_start = *p == '\n';
  }
}

/* A macro's argument, which stands in quotes. */
static void
print_argument (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "\"", -1);
  g_autofree char *joined = g_strjoinv ("”", parts);
  putchar ('"');
  print_text (joined);
  putchar ('"');
}

static void
print_as_it_is (const char *text)
{
  printf (".PP\n.RS 2\n.nf\n");
  print_text (text);
  printf ("\n.fi\n.RE\n");
}

/* As sv_print_paragraphs() reads it: paragraphs are divided by empty lines, and one that begins with a space is as it is. */
static void
print_paragraphs (const char *text)
{
  g_auto (GStrv) paragraphs = g_strsplit (text, "\n\n", -1);
  for (gsize i = 0; paragraphs[i] != NULL; i++)
  {
    if (*paragraphs[i] == '\0')
      continue;
    if (*paragraphs[i] == ' ')
    {
      print_as_it_is (paragraphs[i]);
      continue;
    }
    printf (".PP\n");
    print_text (g_strchomp (paragraphs[i]));
    putchar ('\n');
  }
}

static void
print_heading (const char *name, const char *section, const char *summary)
{
  g_autofree char *title = g_ascii_strup (name, -1);
  printf (".\\\" Made from the program's own tables; changes here are lost.\n.TH ");
  print_argument (title);
  printf (" %s \"" SV_RELEASE_DATE "\" \"scorevision " SV_VERSION "\" \"ScoreVision\"\n.SH NAME\n", section);
  print_text (name);
  fputs (" \\- ", stdout);
  print_text (summary);
  putchar ('\n');
}

/* ── parts ── */

static void
print_option (const GOptionEntry *entry)
{
  if (entry->flags & G_OPTION_FLAG_HIDDEN)
    return;
  printf (".TP\n\\fB");
  if (entry->short_name != 0)
    printf ("\\-%c\\fR, \\fB", entry->short_name);
  fputs ("\\-\\-", stdout);
  print_text (entry->long_name);
  fputs ("\\fR", stdout);
  if (entry->arg_description != NULL)
  {
    fputs (" \\fI", stdout);
    print_text (entry->arg_description);
    fputs ("\\fR", stdout);
  }
  putchar ('\n');
  print_text (entry->description != NULL ? entry->description : "");
  putchar ('\n');
}

static void
print_options (const GOptionEntry *entries)
{
  for (; entries != NULL && entries->long_name != NULL; entries++)
    print_option (entries);
}

static void
print_common_end (void)
{
  printf (".SH OPTIONS OF EVERY COMMAND\n");
  print_options (sv_shared_options);
  printf (".PP\nSettings are options, too: see\n.BR sv.conf (5).\n.SH EXIT STATUS\n");
  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    printf (".TP\n.B %d\n%s\n", statuses[i].status, statuses[i].meaning);
}

static char *
full_name (const SvCommand *command)
{
  return g_strdup_printf ("%s %s%s%s", sv_program_name (), command->group, command->name != NULL ? " " : "",
                          command->name != NULL ? command->name : "");
}

/* ── the pages of groups ── */

static void
print_usage (const SvCommand *command, gpointer data)
{
  gboolean *is_first = data;
  g_autofree char *name = full_name (command);
  printf ("%s.B ", *is_first ? "" : ".PP\n");
  *is_first = FALSE;
  print_text (name);
  putchar ('\n');
  if (command->usage == NULL || *command->usage == '\0')
    return;
  print_text (command->usage);
  putchar ('\n');
}

static void
print_command (const SvCommand *command, gpointer data)
{
  g_autofree char *name = full_name (command);
  printf (".SS ");
  print_argument (name);
  putchar ('\n');
  print_text (command->summary);
  printf (".\n");
  if (command->details != NULL)
    print_paragraphs (command->details);
  print_options (command->options);
  if (command->example == NULL)
    return;
  printf (".PP\nExample:\n");
  print_as_it_is (command->example);
}

void
sv_manual_print_group (const char *group)
{
  g_autofree char *name = g_strdup_printf ("%s-%s", sv_program_name (), group);
  g_autofree char *summary = sv_group_summary (group);
  print_heading (name, "1", summary);
  printf (".SH SYNOPSIS\n");
  gboolean is_first = TRUE;
  sv_visit_commands (group, print_usage, &is_first);
  printf (".SH COMMANDS\n");
  sv_visit_commands (group, print_command, NULL);
  print_common_end ();
  printf (".SH SEE ALSO\n.BR ");
  print_text (sv_program_name ());
  printf (" (1),\n.BR sv.conf (5)\n");
}

/* ── the page of the program ── */

static void
print_command_line (const SvCommand *command, gpointer data)
{
  g_autofree char *name = full_name (command);
  printf (".TP\n.B ");
  print_text (name);
  putchar ('\n');
  print_text (command->summary);
  printf (".\n");
}

static void
print_group_lines (const char *group, gpointer data)
{
  sv_visit_commands (group, print_command_line, NULL);
}

static void
print_reference (const char *group, gpointer data)
{
  printf (".BR ");
  print_text (sv_program_name ());
  fputs ("\\-", stdout);
  print_text (group);
  printf (" (1),\n");
}

void
sv_manual_print_program (void)
{
  print_heading (sv_program_name (), "1", "manifests, commitments and challenges of the Score Vision subnet");
  printf (".SH SYNOPSIS\n.B ");
  print_text (sv_program_name ());
  printf ("\n.I GROUP COMMAND\n[\\fIOPTION\\fR...]\n.SH DESCRIPTION\n");
  print_text (
      "Distributes the signed rules of each evaluation window (manifests), binds miners on the chain to what they serve,\n"
      "hands out challenges under those bindings, and lets anybody verify all of it afterwards.\n");
  printf (".SH COMMANDS\n");
  sv_visit_groups (print_group_lines, NULL);
  print_common_end ();
  printf (".SH FILES\n.TP\n.I /etc/scorevision/sv.conf\nsettings; see\n.BR sv.conf (5)\n.TP\n.I \\(ti/.score\n"
          "what is kept on this machine\n.SH SEE ALSO\n");
  sv_visit_groups (print_reference, NULL);
  printf (".BR sv.conf (5)\n");
}

/* ── the page of sv.conf ── */

static void
print_setting (const SvSetting *setting)
{
  printf (".TP\n.B ");
  print_text (setting->name);
  putchar ('\n');
  print_text (setting->summary);
  printf (".\n");
  if (setting->fallback != NULL)
  {
    printf ("Default:\n.IR ");
    print_argument (setting->fallback);
    printf (" .\n");
  }
  if (setting->flag != NULL)
  {
    printf ("Option:\n.BR ");
    g_autofree char *flag = g_strconcat ("--", setting->flag, NULL);
    print_argument (flag);
    printf (" .\n");
  }
  if (setting->is_secret)
    printf ("A secret: it is never shown, and there is no option for it.\n");
}

void
sv_manual_print_settings (void)
{
  gsize n_settings;
  const SvSetting *settings = sv_settings (&n_settings);
  const char *group = NULL;
  print_heading ("sv.conf", "5", "settings of ScoreVision");
  printf (".SH DESCRIPTION\n");
  print_text (
      "Lines of the form KEY = value; [headings] and lines that begin with # or ; are for people. The first of these files\n"
      "that exists is read: the one that SCOREVISION_CONFIG names, ~/.config/scorevision/sv.conf,\n"
      "/etc/scorevision/sv.conf. An option goes before the environment variable of the same name as the key, and that\n"
      "before the file. An unknown key, or one given twice, is an error. `sv config show` tells what is in force.\n");
  printf (".SH SETTINGS\n");
  for (gsize i = 0; i < n_settings; i++)
  {
    if (g_strcmp0 (group, settings[i].group) != 0)
      printf (".SS %s\n", settings[i].group);
    group = settings[i].group;
    print_setting (&settings[i]);
  }
  printf (".SH SEE ALSO\n.BR ");
  print_text (sv_program_name ());
  printf (" (1)\n");
}
