/* v3 challenges per second against bare verifications per second, and how long they take at a load that is below that.
 *   usage: challenges PID:PORT PEER_PID:PORT|- FILE MANIFEST_HASH ELEMENT HOTKEY=PROOF…
 * PID is a running `sv serve` that is kept on the last processor, PEER_PID another program with the same endpoint, kept there
 * too; this program drives them from the first, one at a time. A round is verifications, challenges with one signature by the
 * one and the other, verifications, challenges with two by both, verifications; the rates of challenges are held against the
 * mean of the verifications before and after. Verifications run on the servers' processor, while they are idle.
 *
 * Beside the rates, which another process's load can spoil, stands the server's own processor time by challenge, against that
 * of a verification: it tells what the server adds, whoever else is busy.
 *
 * Afterwards requests come by a clock. A round is what ours can sustain for seconds, and then three, five and seven tenths of
 * that. A machine of which others have a part is now slow, now fast, and seven tenths of what it did a moment ago may be more
 * than all that it does now. So what it can sustain and the quantiles are of the time in which it kept one pace, and beside
 * them stands p99 of all the time. FILE is one that may be made on the disk of the server's database. At last both are asked at
 * seven tenths of the peer's rate. */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connections.h"
#include "requests.h"
#include "rounds.h"

#define N_ROUNDS 7
#define N_REQUESTS 8000
#define N_PEER_REQUESTS 3000
#define N_WARM 4000
#define N_CONNECTIONS 256
#define N_ALONE 200
#define VERIFY_SECONDS 0.4
#define N_LOAD_ROUNDS 7
#define SUSTAINED_SECONDS 1.5
#define SUSTAINED_STEADY_SECONDS_MIN 0.5
#define SUSTAINED_ATTEMPTS 3
#define STEADY_SECONDS_MIN 2 /* of all rounds together; fewer tell nothing */
#define PEER_LOAD 0.7        /* of what the peer can do */
#define PEER_LOAD_SECONDS 4
#define N_PEER_LOADS 3 /* of so many seconds each, by each */
#define NETUID 44

static const struct
{
  guint percent; /* of what ours can sustain */
  guint seconds;
} loads[] = { { 30, 1 }, { 50, 1 }, { 70, 3 } };

typedef struct
{
  const char *name; /* before its figures' names */
  guint port;
  guint n_requests;
  clockid_t clock;
  BenchQuestion question;
  BenchWatch *watch;
  pid_t pid;
  pid_t aside; /* the other one's, which has no part of the processor while this one is driven; 0: there is none */
} Server;

/* One way of asking one server, and what its rounds gave. */
typedef struct
{
  const Server *server;
  char *name;
  gboolean signs_twice;
  GArray *per_second;  /* challenges */
  GArray *challenges;  /* by bare verifications, in the same time */
  GArray *rate;        /* verifications in challenges by bare verifications, in the same time */
  GArray *cpu;         /* the same in equal processor time */
  GArray *by_peer;     /* challenges by the peer's, in the same round */
  GArray *by_peer_cpu; /* the same in equal processor time */
  GArray *alone;       /* latencies with one connection, BenchAnswer */
  double pace;         /* of the machine, while all this was measured: bench_watch_pace() */
} Way;

typedef struct
{
  guint client_core;
  guint server_core;
  Server servers[2];
  guint n_servers;
  GArray *had; /* share of the servers' processor that verifications got: below 1 where others are busy */
} Bench;

static GArray *
new_answers (void)
{
  return g_array_new (FALSE, FALSE, sizeof (BenchAnswer));
}

static Way
make_way (const Server *server, gboolean signs_twice)
{
  return (Way){ .server = server,
                .name = g_strconcat (server->name, signs_twice ? "two" : "one", NULL),
                .signs_twice = signs_twice,
                .per_second = bench_rounds_new (),
                .challenges = bench_rounds_new (),
                .rate = bench_rounds_new (),
                .cpu = bench_rounds_new (),
                .by_peer = bench_rounds_new (),
                .by_peer_cpu = bench_rounds_new (),
                .alone = new_answers () };
}

static double
last_of (const GArray *rounds)
{
  return g_array_index (rounds, double, rounds->len - 1);
}

/* A peer that nobody asks was seen to take the processor for 4 to 7 ms, twice a second. */
static void
put_aside (const Server *server, int signal)
{
  if (server->aside != 0 && kill (server->aside, signal) != 0)
    bench_fail ("a server has ended");
}

static BenchBare
verify (const Bench *bench)
{
  for (guint i = 0; i < bench->n_servers; i++)
    put_aside (&bench->servers[i], SIGSTOP);
  BenchBare bare = bench_verify (bench->server_core, bench->client_core, VERIFY_SECONDS);
  for (guint i = 0; i < bench->n_servers; i++)
    put_aside (&bench->servers[i], SIGCONT);
  return bare;
}

/* ── as fast as it goes ── */

typedef struct
{
  double elapsed;
  double cpu;
} Driven;

static Driven
drive (const Way *way, guint n, GArray *answers)
{
  g_autoptr (GPtrArray) requests = bench_sign_requests (&way->server->question, n, way->signs_twice);
  put_aside (way->server, SIGSTOP);
  double cpu_before = bench_clock (way->server->clock);
  double elapsed = bench_drive (way->server->port, N_CONNECTIONS, requests, answers, NULL);
  double cpu = bench_clock (way->server->clock) - cpu_before;
  put_aside (way->server, SIGCONT);
  return (Driven){ elapsed, cpu };
}

static void
drive_alone (const Way *way)
{
  g_autoptr (GPtrArray) requests = bench_sign_requests (&way->server->question, N_ALONE, way->signs_twice);
  put_aside (way->server, SIGSTOP);
  bench_drive (way->server->port, 1, requests, way->alone, NULL);
  put_aside (way->server, SIGCONT);
}

static void
add_round (const Way *way, const Driven *driven, double per_second, double per_cpu_second)
{
  guint n = way->server->n_requests, n_verified = n * (way->signs_twice ? 2 : 1);
  bench_rounds_add (way->per_second, n / driven->elapsed);
  bench_rounds_add (way->challenges, n / driven->elapsed / per_second);
  bench_rounds_add (way->rate, n_verified / driven->elapsed / per_second);
  bench_rounds_add (way->cpu, n_verified / driven->cpu / per_cpu_second);
}

/* @ways: ours and, if there is one, the peer's. */
static void
run_round (const Bench *bench, const Way *ways, BenchBare *before)
{
  Driven driven[2];
  for (guint i = 0; i < bench->n_servers; i++)
  {
    g_autoptr (GArray) answers = new_answers ();
    driven[i] = drive (&ways[i], ways[i].server->n_requests, answers);
    drive_alone (&ways[i]);
  }
  BenchBare after = verify (bench);
  bench_rounds_add (bench->had, after.per_second / after.per_cpu_second);
  for (guint i = 0; i < bench->n_servers; i++)
    add_round (&ways[i], &driven[i], (before->per_second + after.per_second) / 2,
               (before->per_cpu_second + after.per_cpu_second) / 2);
  if (bench->n_servers == 2)
  {
    bench_rounds_add (ways[0].by_peer, last_of (ways[0].per_second) / last_of (ways[1].per_second));
    bench_rounds_add (ways[0].by_peer_cpu, last_of (ways[0].cpu) / last_of (ways[1].cpu));
  }
  *before = after;
}

/* ── by the clock ── */

/* What requests at one load had to wait, of all rounds. */
typedef struct
{
  GArray *p99s;   /* of each round, in seconds, whatever the machine did */
  GArray *steady; /* latencies while the machine kept its pace */
  double seconds;
  double steady_seconds;
} Waits;

static Waits
make_waits (void)
{
  return (Waits){ .p99s = bench_rounds_new (), .steady = bench_rounds_new () };
}

static void
clear_waits (Waits *waits)
{
  g_array_unref (waits->p99s);
  g_array_unref (waits->steady);
}

static void
load (const Way *way, double per_second, guint seconds, double pace, double share, Waits *waits)
{
  g_autoptr (GPtrArray) requests =
      bench_sign_requests (&way->server->question, (guint)(per_second * seconds), way->signs_twice);
  g_autoptr (GArray) answers = new_answers ();
  put_aside (way->server, SIGSTOP);
  double began = bench_drive_at (way->server->port, N_CONNECTIONS, requests, per_second, answers, NULL, way->server->watch);
  put_aside (way->server, SIGCONT);
  const BenchStretch stretch = { .from = began, .until = began + seconds, .pace = pace, .load = share };
  g_autoptr (GArray) latencies = bench_latencies (answers);
  bench_rounds_add (waits->p99s, bench_quantile (latencies, 0.99));
  waits->seconds += seconds;
  waits->steady_seconds += bench_watch_steady (way->server->watch, &stretch, answers, waits->steady);
}

/* What it can do for seconds on end: in a shorter round, carrying SQLite's log over may wait until the round is over. Where the
 * machine faltered in between, what was done in the rest; where it hardly did anything else, once more.
 *
 * @pace gets the machine's. Returns: requests a second. */
static double
measure_sustained (const Way *way, double *pace)
{
  double seconds = 0, sustained = 0;
  for (guint i = 0; i < SUSTAINED_ATTEMPTS && seconds < SUSTAINED_STEADY_SECONDS_MIN; i++)
  {
    guint n = (guint)(bench_quantile (way->per_second, 0.5) * SUSTAINED_SECONDS);
    g_autoptr (GArray) answers = new_answers ();
    g_autoptr (GArray) latencies = bench_rounds_new ();
    double elapsed = drive (way, n, answers).elapsed, now = bench_now ();
    *pace = bench_watch_pace (way->server->watch, now - elapsed, now);
    const BenchStretch stretch = { .from = now - elapsed, .until = now, .pace = *pace };
    seconds = bench_watch_steady (way->server->watch, &stretch, answers, latencies);
    sustained = seconds > 0 ? latencies->len / seconds : n / elapsed;
  }
  return sustained;
}

/* Milliseconds, or "-" where the machine has not kept its pace for long enough. */
static const char *
steady_ms (const Waits *waits, double q, char text[16])
{
  if (waits->steady_seconds < STEADY_SECONDS_MIN || waits->steady->len == 0)
    return "-";
  g_snprintf (text, 16, "%.2f", bench_quantile (waits->steady, q) * 1000);
  return text;
}

/* The rest of a line: p50 and p99 of what counts, how much of the time, of a hundred, does not; and of the p99s of whole rounds
 * the median, the least and the greatest. */
static void
print_waits (const Waits *waits)
{
  char p50[16], p99[16];
  printf ("\t%s\t%s\t%.0f\t%.2f\t%.2f\t%.2f\n", steady_ms (waits, 0.5, p50), steady_ms (waits, 0.99, p99),
          100 - 100 * waits->steady_seconds / waits->seconds, bench_quantile (waits->p99s, 0.5) * 1000,
          bench_quantile (waits->p99s, 0) * 1000, bench_quantile (waits->p99s, 1) * 1000);
}

static void
run_own_load (const Way *way)
{
  g_autoptr (GArray) rates = bench_rounds_new ();
  Waits waits[G_N_ELEMENTS (loads)];
  for (guint i = 0; i < G_N_ELEMENTS (loads); i++)
    waits[i] = make_waits ();
  for (guint round = 0; round < N_LOAD_ROUNDS; round++)
  {
    double pace, sustained = measure_sustained (way, &pace);
    bench_rounds_add (rates, sustained);
    for (guint i = 0; i < G_N_ELEMENTS (loads); i++)
      load (way, loads[i].percent / 100.0 * sustained, loads[i].seconds, pace, loads[i].percent / 100.0, &waits[i]);
  }
  double sustained = bench_quantile (rates, 0.5);
  printf ("%s-sustained\t%.0f\t%.2f\n", way->name, sustained, sustained / bench_quantile (way->per_second, 0.5));
  for (guint i = 0; i < G_N_ELEMENTS (loads); i++)
  {
    printf ("%s-load-%u\t%.0f", way->name, loads[i].percent, loads[i].percent / 100.0 * sustained);
    print_waits (&waits[i]);
    clear_waits (&waits[i]);
  }
}

/* Both at the same load, in turn. */
static void
run_same_load (const Way *ways)
{
  Waits waits[2] = { make_waits (), make_waits () };
  double per_second = PEER_LOAD * bench_quantile (ways[1].per_second, 0.5);
  for (guint i = 0; i < 2 * N_PEER_LOADS; i++)
    load (&ways[i % 2], per_second, PEER_LOAD_SECONDS, ways[i % 2].pace,
          per_second / bench_quantile (ways[i % 2].per_second, 0.5), &waits[i % 2]);
  printf ("%s-same-load-per-second\t%.0f\n", ways[0].name, per_second);
  for (guint i = 0; i < 2; i++)
  {
    printf ("%s-same-load", ways[i].name);
    print_waits (&waits[i]);
  }
  printf ("%s-same-load-p99\t%.3g\n", ways[0].name, bench_quantile (waits[1].p99s, 0.5) / bench_quantile (waits[0].p99s, 0.5));
  for (guint i = 0; i < 2; i++)
    clear_waits (&waits[i]);
}

/* ── what is printed ── */

static void
print_figure (const Way *way, const char *which, GArray *rounds)
{
  g_autofree char *name = g_strconcat (way->name, "-", which, NULL);
  if (rounds->len > 0)
    bench_print (name, rounds);
}

static void
print_way (const Way *way)
{
  print_figure (way, "per-second", way->per_second);
  print_figure (way, "challenges", way->challenges);
  print_figure (way, "rate", way->rate);
  print_figure (way, "cpu", way->cpu);
  print_figure (way, "by-peer", way->by_peer);
  print_figure (way, "by-peer-cpu", way->by_peer_cpu);
  g_autoptr (GArray) alone = bench_latencies (way->alone);
  printf ("%s-alone\t%.2f\t%.2f\n", way->name, bench_quantile (alone, 0.5) * 1000, bench_quantile (alone, 0.99) * 1000);
}

/* ── the run ── */

static void
read_server (Server *server, const char *word, const char *name, guint n_requests, const BenchQuestion *question,
             BenchWatch *watch)
{
  g_auto (GStrv) parts = g_strsplit (word, ":", 2);
  if (g_strv_length (parts) != 2 || clock_getcpuclockid (atoi (parts[0]), &server->clock) != 0)
    bench_fail ("\"%s\" is not PID:PORT of a process", word);
  server->pid = atoi (parts[0]);
  server->name = name;
  server->watch = watch;
  server->n_requests = n_requests;
  server->port = (guint)atoi (parts[1]);
  server->question = *question;
  server->question.authority = g_strconcat ("127.0.0.1:", parts[1], NULL);
}

static void
run (const Bench *bench)
{
  Way ways[2][2];
  for (guint i = 0; i < 2; i++)
    for (guint j = 0; j < bench->n_servers; j++)
    {
      ways[i][j] = make_way (&bench->servers[j], i == 1);
      g_autoptr (GArray) answers = new_answers ();
      drive (&ways[i][j], N_WARM, answers);
    }
  BenchBare bare = verify (bench);
  double began = bench_now ();
  for (guint round = 0; round < N_ROUNDS; round++)
    for (guint i = 0; i < 2; i++)
      run_round (bench, ways[i], &bare);
  double pace = bench_watch_pace (bench->servers[0].watch, began, bench_now ());
  for (guint i = 0; i < 2; i++)
  {
    ways[i][0].pace = ways[i][1].pace = pace;
    for (guint j = 0; j < bench->n_servers; j++)
      print_way (&ways[i][j]);
    run_own_load (&ways[i][0]);
    if (bench->n_servers == 2)
      run_same_load (ways[i]);
  }
  printf ("verify\t%.0f\n", bare.per_second);
  bench_print ("had", bench->had);
  printf ("connections\t%d\n", N_CONNECTIONS);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc < 7 || sodium_init () < 0)
    bench_fail ("usage: challenges PID:PORT PEER_PID:PORT|- FILE MANIFEST_HASH ELEMENT HOTKEY=PROOF…");
  g_autoptr (SvConfig) config = sv_config_load (&error);
  if (config == NULL)
    bench_fail ("%s", error->message);
  const BenchQuestion question = {
    .manifest_hash = argv[4], .element_id = argv[5], .netuid = NETUID, .askers = bench_read_askers (config, argv + 6)
  };
  Bench bench = { .server_core = (guint)sysconf (_SC_NPROCESSORS_ONLN) - 1, .n_servers = 1, .had = bench_rounds_new () };
  bench_pin (bench.client_core);
  BenchWatch *watch = bench_watch_new (bench.server_core, argv[3]);
  read_server (&bench.servers[0], argv[1], "", N_REQUESTS, &question, watch);
  if (strcmp (argv[2], "-") != 0)
  {
    read_server (&bench.servers[bench.n_servers++], argv[2], "peer-", N_PEER_REQUESTS, &question, watch);
    bench.servers[0].aside = bench.servers[1].pid;
    bench.servers[1].aside = bench.servers[0].pid;
  }
  run (&bench);
  return 0;
}
