/* Shards audited per second against bare verifications per second, and the memory that it takes.
 *   usage: audit FEW_SHARDS MANY_SHARDS
 * The two are files of accepted shards, audited by `sv validator audit` as the environment configures it. A round is
 * verifications, an audit of few, an audit of many, verifications, all on one processor. */
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "processes.h"
#include "rounds.h"

#define N_ROUNDS 5
#define VERIFY_SECONDS 0.4

static guint64
count_lines (const char *path)
{
  guint64 n = 0;
  FILE *file = fopen (path, "r");
  if (file == NULL)
    bench_fail ("%s cannot be read", path);
  for (int c; (c = getc (file)) != EOF;)
    n += c == '\n' ? 1 : 0;
  fclose (file);
  return n;
}

static BenchProcess
audit (char *path)
{
  char *command[] = { "sv", "validator", "audit", path, NULL };
  return bench_run (command);
}

int
main (int argc, char **argv)
{
  if (argc != 3 || sodium_init () < 0)
    bench_fail ("usage: audit FEW_SHARDS MANY_SHARDS");
  guint core = (guint)sysconf (_SC_NPROCESSORS_ONLN) - 1;
  double n = (double)count_lines (argv[2]);
  GArray *rate = bench_rounds_new (), *cpu = bench_rounds_new (), *memory = bench_rounds_new ();
  GArray *few_mib = bench_rounds_new (), *many_mib = bench_rounds_new ();
  BenchBare before = bench_verify (core, core, VERIFY_SECONDS);
  for (guint round = 0; round < N_ROUNDS; round++)
  {
    BenchProcess few = audit (argv[1]), many = audit (argv[2]);
    BenchBare after = bench_verify (core, core, VERIFY_SECONDS);
    bench_rounds_add (rate, n / many.elapsed / ((before.per_second + after.per_second) / 2));
    bench_rounds_add (cpu, n / many.cpu / ((before.per_cpu_second + after.per_cpu_second) / 2));
    bench_rounds_add (memory, (double)many.max_rss_kib / (double)few.max_rss_kib);
    bench_rounds_add (few_mib, (double)few.max_rss_kib / 1024);
    bench_rounds_add (many_mib, (double)many.max_rss_kib / 1024);
    before = after;
  }
  bench_print ("audit-rate", rate);
  bench_print ("audit-cpu", cpu);
  bench_print ("audit-memory", memory);
  bench_print ("audit-few-mib", few_mib);
  bench_print ("audit-many-mib", many_mib);
  return 0;
}
