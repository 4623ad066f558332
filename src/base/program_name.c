/* The name is put in where text leaves the program: for most people it is `sv`, and nothing is to be done. A command is "sv" as
 * a word of its own with a command group after it; anything else that looks like it is not ours. */
#include "base/program_name.h"

#include <string.h>

#define WRITTEN_NAME "sv"

static const char *program_name = WRITTEN_NAME;
static GRegex *commands; /* NULL: texts are right as they are written */

void
sv_program_set_name (const char *name, const char *const *groups)
{
  g_clear_pointer (&commands, g_regex_unref);
  program_name = name;
  if (strcmp (name, WRITTEN_NAME) == 0)
    return;
  g_autofree char *words = g_strjoinv ("|", (char **)groups);
  g_autofree char *pattern = g_strdup_printf ("(?<![\\w./-])" WRITTEN_NAME "(?=\\s+(?:%s|GROUP|--help|--version)\\b)", words);
  commands = g_regex_new (pattern, G_REGEX_OPTIMIZE, 0, NULL);
}

const char *
sv_program_name (void)
{
  return program_name;
}

char *
sv_program_text (const char *text)
{
  gboolean is_readable = commands != NULL && g_utf8_validate (text, -1, NULL); /* GRegex takes nothing else */
  char *named = is_readable ? g_regex_replace_literal (commands, text, -1, 0, program_name, 0, NULL) : NULL;
  return named != NULL ? named : g_strdup (text);
}
