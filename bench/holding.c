/* What `sv serve` takes to hold a large world: how long from its start until it is ready, and how much memory.
 *   usage: holding PORT LOG MANIFEST_HASH ELEMENT HOTKEY=PROOF…
 * The configured home must not exist yet: the first start is cold (nothing verified before, no draw keys, the chain unread),
 * all others are restarts. The last one is asked for challenges, and then keeps idle connections, each of which has had one. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "connections.h"
#include "requests.h"
#include "rounds.h"
#include "server.h"

#define N_RESTARTS 7
#define N_REQUESTS 16000
#define N_CONNECTIONS 256
#define N_IDLE 10000
#define SETTLE_US (2 * G_USEC_PER_SEC) /* until the watchers have gone round once */

/* Where the system does not allow as many, the server holds fewer connections, which the figures tell. */
static void
raise_file_limit (guint needed)
{
  struct rlimit allowed, wanted;
  getrlimit (RLIMIT_NOFILE, &allowed);
  wanted.rlim_cur = wanted.rlim_max = MAX (allowed.rlim_max, needed);
  allowed.rlim_cur = allowed.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &wanted) != 0 && setrlimit (RLIMIT_NOFILE, &allowed) != 0)
    bench_fail ("the limit of open files cannot be raised to %u", needed);
}

static void
print_memory (const char *name, pid_t pid)
{
  BenchMemory memory = bench_server_memory (pid);
  printf ("%s\t%.1f\t%.1f\n", name, memory.rss_mib, memory.pss_mib);
}

static BenchServer
measure_starts (char **command, guint core, guint port, const char *log)
{
  clockid_t clock;
  g_autoptr (GArray) restarts = bench_rounds_new ();
  g_autoptr (GArray) cpu = bench_rounds_new ();
  BenchServer server = bench_server_start (command, core, port, log);
  printf ("start-cold\t%.0f\n", server.ready * 1000);
  for (guint i = 0; i < N_RESTARTS; i++)
  {
    bench_server_stop (&server);
    server = bench_server_start (command, core, port, log);
    bench_rounds_add (restarts, server.ready * 1000);
    if (clock_getcpuclockid (server.pid, &clock) == 0)
      bench_rounds_add (cpu, bench_clock (clock) * 1000);
  }
  bench_print ("start-warm", restarts);
  bench_print ("start-warm-cpu", cpu);
  return server;
}

static void
measure_load (const BenchServer *server, const BenchQuestion *question)
{
  g_autoptr (GPtrArray) requests = bench_sign_requests (question, N_REQUESTS, TRUE);
  g_autoptr (GArray) answers = g_array_new (FALSE, FALSE, sizeof (BenchAnswer));
  bench_drive (server->port, N_CONNECTIONS, requests, answers, NULL);
  print_memory ("memory-load", server->pid);
}

static void
measure_idle (const BenchServer *server, const BenchQuestion *question)
{
  g_autoptr (GPtrArray) requests = bench_sign_requests (question, N_IDLE, FALSE);
  GArray *idle = bench_open_idle (server->port, requests);
  g_usleep (SETTLE_US);
  print_memory ("idle-memory", server->pid);
  printf ("idle\t%u\n", bench_close_idle (idle));
}

int
main (int argc, char **argv)
{
  static char *command[] = { (char *)"sv", (char *)"serve", NULL };
  g_autoptr (GError) error = NULL;
  if (argc < 6 || sodium_init () < 0)
    bench_fail ("usage: holding PORT LOG MANIFEST_HASH ELEMENT HOTKEY=PROOF…");
  g_autoptr (SvConfig) config = sv_config_load (&error);
  if (config == NULL)
    bench_fail ("%s", error->message);
  guint port = (guint)atoi (argv[1]), server_core = (guint)sysconf (_SC_NPROCESSORS_ONLN) - 1;
  g_autofree char *authority = g_strconcat ("127.0.0.1:", argv[1], NULL);
  const BenchQuestion question = { authority, argv[3], argv[4], 44, bench_read_askers (config, argv + 5) };
  raise_file_limit (2 * N_IDLE + 1024); /* the server counts two for a connection */
  bench_pin (0);
  BenchServer server = measure_starts (command, server_core, port, argv[2]);
  g_usleep (SETTLE_US);
  print_memory ("memory-rest", server.pid);
  measure_load (&server, &question);
  measure_idle (&server, &question);
  bench_server_stop (&server);
  return 0;
}
