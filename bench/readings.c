/* How long `sv manifest current` takes, from start to end, against `curl` fetching the two objects that it reads from the same
 * server: cold, with an empty home, and warm, with what the run before it has left there. Then the most memory that it had.
 *   usage: readings NAME URL MANIFEST_HASH FOLDER_FOR_HOMES
 * A round runs each once, on one processor; the first warms the caches and does not count. */
#include <unistd.h>

#include "base/hash.h"
#include "processes.h"
#include "rounds.h"

#define N_ROUNDS 21

typedef struct
{
  GArray *elapsed;
  GArray *cpu;
  GArray *mib;
} Figures;

static Figures
figures_new (void)
{
  return (Figures){ bench_rounds_new (), bench_rounds_new (), bench_rounds_new () };
}

static void
figures_add (Figures *figures, const BenchProcess *process, const BenchProcess *yardstick)
{
  bench_rounds_add (figures->elapsed, process->elapsed / yardstick->elapsed);
  bench_rounds_add (figures->cpu, process->cpu / yardstick->cpu);
  bench_rounds_add (figures->mib, (double)process->max_rss_kib / 1024);
}

static void
figures_print (const Figures *figures, const char *name, const char *which)
{
  g_autofree char *elapsed = g_strdup_printf ("%s-%s", name, which);
  g_autofree char *cpu = g_strdup_printf ("%s-%s-cpu", name, which);
  g_autofree char *mib = g_strdup_printf ("%s-%s-mib", name, which);
  bench_print (elapsed, figures->elapsed);
  bench_print (cpu, figures->cpu);
  bench_print (mib, figures->mib);
}

static BenchProcess
run_sv (const char *home)
{
  char *command[] = { "sv", "manifest", "current", "--json", NULL };
  g_setenv ("SCOREVISION_HOME", home, TRUE);
  return bench_run (command);
}

static BenchProcess
run_curl (char *index, char *manifest)
{
  char *command[] = { "curl", "--silent", "--show-error", "--fail", "--output", "/dev/null",
                      index,  "--output", "/dev/null",    manifest, NULL };
  return bench_run (command);
}

int
main (int argc, char **argv)
{
  if (argc != 5 || !sv_hash_is_valid (argv[3]))
    bench_fail ("usage: readings NAME URL MANIFEST_HASH FOLDER_FOR_HOMES");
  g_autofree char *index = g_strconcat (argv[2], "/scorevision/index.json", NULL);
  g_autofree char *manifest = g_strconcat (argv[2], "/scorevision/manifests/", sv_hash_hex (argv[3]), ".json", NULL);
  Figures cold = figures_new (), warm = figures_new ();
  bench_pin ((guint)sysconf (_SC_NPROCESSORS_ONLN) - 1);
  g_setenv ("R2_PUBLIC_URL", argv[2], TRUE);
  for (guint round = 0; round <= N_ROUNDS; round++)
  {
    g_autofree char *home = g_strdup_printf ("%s/home-%u", argv[4], round);
    BenchProcess curl = run_curl (index, manifest), first = run_sv (home), second = run_sv (home);
    if (round == 0)
      continue;
    figures_add (&cold, &first, &curl);
    figures_add (&warm, &second, &curl);
  }
  figures_print (&cold, argv[1], "cold");
  figures_print (&warm, argv[1], "warm");
  return 0;
}
