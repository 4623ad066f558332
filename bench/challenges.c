/* v3 challenges per second against bare verifications per second.
 *   usage: challenges PID PORT MANIFEST_HASH ELEMENT HOTKEY=PROOF…
 * PID is a running `sv serve` that is kept on the last processor; this program drives it from the first. A round is
 * verifications, challenges with one signature, verifications, challenges with two, verifications; the rates of challenges are
 * held against the mean of the verifications before and after. Verifications run on the server's processor, while it is idle.
 *
 * Beside the rates, which another process's load can spoil, stands the server's own processor time by challenge, against that
 * of a verification: it tells what the server adds, whoever else is busy. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/file.h"
#include "connections.h"
#include "requests.h"
#include "rounds.h"

#define N_ROUNDS 7
#define N_REQUESTS 8000
#define N_CONNECTIONS 64
#define N_ALONE 200
#define VERIFY_SECONDS 0.4

/* One way of asking, and what its rounds gave. */
typedef struct
{
  const char *name;
  guint n_signatures;
  GArray *challenges; /* by bare verifications, in the same time */
  GArray *rate;       /* verifications in challenges by bare verifications, in the same time */
  GArray *cpu;        /* the same in equal processor time */
  GArray *latencies;
  GArray *latencies_alone; /* with one connection */
} Way;

typedef struct
{
  BenchQuestion question;
  guint port;
  guint client_core;
  guint server_core;
  clockid_t server_clock;
} Bench;

static void
run_way (const Bench *bench, Way *way, BenchBare *before)
{
  g_autoptr (GPtrArray) requests = bench_sign_requests (&bench->question, N_REQUESTS, way->n_signatures == 2);
  g_autoptr (GPtrArray) alone = bench_sign_requests (&bench->question, N_ALONE, way->n_signatures == 2);
  double cpu_before = bench_clock (bench->server_clock);
  double elapsed = bench_drive (bench->port, N_CONNECTIONS, requests, way->latencies);
  double cpu = bench_clock (bench->server_clock) - cpu_before;
  bench_drive (bench->port, 1, alone, way->latencies_alone);
  BenchBare after = bench_verify (bench->server_core, bench->client_core, VERIFY_SECONDS);
  double per_second = (before->per_second + after.per_second) / 2;
  double per_cpu_second = (before->per_cpu_second + after.per_cpu_second) / 2;
  bench_rounds_add (way->challenges, N_REQUESTS / elapsed / per_second);
  bench_rounds_add (way->rate, way->n_signatures * N_REQUESTS / elapsed / per_second);
  bench_rounds_add (way->cpu, way->n_signatures * N_REQUESTS / cpu / per_cpu_second);
  *before = after;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void
print_latency (const char *name, const char *which, GArray *latencies)
{
  g_array_sort (latencies, compare);
  const double *values = (const double *)(gpointer)latencies->data;
  printf ("%s-%s\t%.2f\t%.2f\n", name, which, values[latencies->len / 2] * 1000, values[latencies->len * 99 / 100] * 1000);
}

static void
print_way (const Way *way)
{
  g_autofree char *challenges = g_strconcat (way->name, "-challenges", NULL);
  g_autofree char *rate = g_strconcat (way->name, "-rate", NULL);
  g_autofree char *cpu = g_strconcat (way->name, "-cpu", NULL);
  bench_print (challenges, way->challenges);
  bench_print (rate, way->rate);
  bench_print (cpu, way->cpu);
  print_latency (way->name, "latency", way->latencies);
  print_latency (way->name, "alone", way->latencies_alone);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc < 6 || sodium_init () < 0)
    bench_fail ("usage: challenges PID PORT MANIFEST_HASH ELEMENT HOTKEY=PROOF…");
  g_autoptr (SvConfig) config = sv_config_load (&error);
  if (config == NULL)
    bench_fail ("%s", error->message);
  g_autofree char *authority = g_strconcat ("127.0.0.1:", argv[2], NULL);
  Bench bench = {
    .question = { authority, argv[3], argv[4], 44, bench_read_askers (config, argv + 5) },
    .port = (guint)atoi (argv[2]),
    .server_core = (guint)sysconf (_SC_NPROCESSORS_ONLN) - 1,
  };
  if (clock_getcpuclockid (atoi (argv[1]), &bench.server_clock) != 0)
    bench_fail ("there is no process %s", argv[1]);
  Way ways[] = { { .name = "one", .n_signatures = 1 }, { .name = "two", .n_signatures = 2 } };
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
  {
    GArray **arrays[] = { &ways[i].rate, &ways[i].cpu, &ways[i].challenges, &ways[i].latencies, &ways[i].latencies_alone };
    for (gsize j = 0; j < G_N_ELEMENTS (arrays); j++)
      *arrays[j] = bench_rounds_new ();
  }
  bench_pin (bench.client_core);
  BenchBare bare = bench_verify (bench.server_core, bench.client_core, VERIFY_SECONDS);
  for (guint round = 0; round < N_ROUNDS; round++)
    for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
      run_way (&bench, &ways[i], &bare);
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    print_way (&ways[i]);
  printf ("verify\t%.0f\n", bare.per_second);
  return 0;
}
