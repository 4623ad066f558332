/* How long commands take, from start to end, against the first of them, and how much processor time.
 *   usage: startup COMMAND NAME=COMMAND…
 * A command is one argument, written as for a shell. In a round each runs once, on one processor; the first round warms the
 * caches and does not count. */
#include <string.h>
#include <unistd.h>

#include "processes.h"
#include "rounds.h"

#define N_ROUNDS 101

typedef struct
{
  char *name;
  char **words;
  GArray *elapsed;
  GArray *cpu;
} Command;

static Command
read_command (const char *argument, gboolean has_name)
{
  Command command = { .elapsed = bench_rounds_new (), .cpu = bench_rounds_new () };
  const char *equals = has_name ? strchr (argument, '=') : NULL;
  if (has_name && equals == NULL)
    bench_fail ("\"%s\" is not NAME=COMMAND", argument);
  command.name = has_name ? g_strndup (argument, (gsize)(equals - argument)) : NULL;
  if (!g_shell_parse_argv (has_name ? equals + 1 : argument, NULL, &command.words, NULL))
    bench_fail ("\"%s\" is not a command", argument);
  return command;
}

int
main (int argc, char **argv)
{
  guint n = (guint)argc - 2;
  if (argc < 3)
    bench_fail ("usage: startup COMMAND NAME=COMMAND…");
  g_autofree Command *commands = g_new (Command, n);
  Command yardstick = read_command (argv[1], FALSE);
  for (guint i = 0; i < n; i++)
    commands[i] = read_command (argv[i + 2], TRUE);
  bench_pin ((guint)sysconf (_SC_NPROCESSORS_ONLN) - 1);
  for (guint round = 0; round <= N_ROUNDS; round++)
  {
    BenchProcess one = bench_run (yardstick.words);
    for (guint i = 0; i < n; i++)
    {
      BenchProcess process = bench_run (commands[i].words);
      if (round == 0)
        continue;
      bench_rounds_add (commands[i].elapsed, process.elapsed / one.elapsed);
      bench_rounds_add (commands[i].cpu, process.cpu / one.cpu);
    }
  }
  for (guint i = 0; i < n; i++)
  {
    g_autofree char *cpu = g_strconcat (commands[i].name, "-cpu", NULL);
    bench_print (commands[i].name, commands[i].elapsed);
    bench_print (cpu, commands[i].cpu);
  }
  return 0;
}
