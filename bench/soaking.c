/* `sv serve` under load for long: does its memory stay, do its descriptors, and its latencies?
 *   usage: soaking PID:PORT DATABASE_FILE MINUTES SHARE|RATE/s MANIFEST_HASH ELEMENT HOTKEY=PROOF…
 * PID is a running `sv serve` that is kept on the last processor. Requests are mixed as on a public server. How many it can
 * take is measured first; SHARE of that (0.5), or RATE/s, comes by the clock from then on, but for the moments in which the
 * next requests are signed. A line a minute tells how it went; at the end stands whether memory and descriptors grew, by the
 * straight line that fits the minutes after the first quarter best: nonces are remembered for two minutes, and caches fill up.
 * Status 1 where they did. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connections.h"
#include "requests.h"
#include "rounds.h"
#include "server.h"

#define N_CONNECTIONS 64
#define N_REQUESTS 20000
#define N_ROUNDS 5
#define STRETCH_SECONDS 5
#define MIN_MINUTES 8 /* to tell growth from filling up */
#define MIB (1024.0 * 1024.0)
#define NETUID 44

typedef struct
{
  pid_t pid;
  guint port;
  const char *database;
  double minutes;
  double per_second;
  BenchQuestion question;
} Soak;

typedef struct
{
  guint n;
  guint n_unexpected;
  GArray *answers;
} Minute;

/* Of the same mixture, as many requests a second as come through. */
static double
measure_capacity (const Soak *soak)
{
  g_autoptr (GArray) rates = bench_rounds_new ();
  for (guint i = 0; i < N_ROUNDS; i++)
  {
    guint statuses[BENCH_STATUS_MAX + 1] = { 0 };
    g_autoptr (GArray) answers = g_array_new (FALSE, FALSE, sizeof (BenchAnswer));
    g_autoptr (GPtrArray) requests = bench_sign_mixed (&soak->question, N_REQUESTS);
    double elapsed = bench_drive (soak->port, N_CONNECTIONS, requests, answers, statuses);
    bench_rounds_add (rates, N_REQUESTS / elapsed);
  }
  return bench_quantile (rates, 0.5);
}

static guint
distance (guint a, guint b)
{
  return a > b ? a - b : b - a;
}

static void
run_stretch (const Soak *soak, Minute *minute)
{
  guint statuses[BENCH_STATUS_MAX + 1] = { 0 };
  guint n = (guint)(soak->per_second * STRETCH_SECONDS) / BENCH_MIXED * BENCH_MIXED;
  guint n_refused = n / BENCH_MIXED * BENCH_MIXED_REFUSED;
  g_autoptr (GPtrArray) requests = bench_sign_mixed (&soak->question, n);
  bench_drive_at (soak->port, N_CONNECTIONS, requests, soak->per_second, minute->answers, statuses, NULL);
  minute->n += n;
  minute->n_unexpected += distance (statuses[401], n_refused) + distance (statuses[200], n - n_refused);
}

/* ── what is seen of the server ── */

static double
size_mib (const char *path)
{
  struct stat file;
  return stat (path, &file) == 0 ? (double)file.st_size / MIB : 0;
}

static guint
count_descriptors (pid_t pid)
{
  guint n = 0;
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd", (int)pid);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  if (folder == NULL)
    bench_fail ("the server has ended");
  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}

/* Those of our connections are closed as soon as the server has seen that we are gone. */
static guint
wait_for_descriptors (pid_t pid)
{
  double deadline = bench_now () + 5;
  guint n = count_descriptors (pid), last;
  do
  {
    last = n;
    g_usleep (100000);
    n = count_descriptors (pid);
  } while (n != last && bench_now () < deadline);
  return n;
}

static void
show_minute (const Soak *soak, double began, Minute *minute, GArray *memory, GArray *descriptors)
{
  g_autofree char *wal = g_strconcat (soak->database, "-wal", NULL);
  double rss_mib = bench_server_memory (soak->pid).rss_mib;
  guint n_descriptors = wait_for_descriptors (soak->pid);
  g_autoptr (GArray) latencies = bench_latencies (minute->answers);
  bench_rounds_add (memory, rss_mib);
  bench_rounds_add (descriptors, n_descriptors);
  printf ("%6.1f %9u %10u %8.2f %8.2f %8.2f %9.1f %6u %12.1f %8.1f\n", (bench_now () - began) / 60, minute->n,
          minute->n_unexpected, bench_quantile (latencies, 0.5) * 1000, bench_quantile (latencies, 0.99) * 1000,
          bench_quantile (latencies, 1) * 1000, rss_mib, n_descriptors, size_mib (soak->database), size_mib (wal));
  fflush (stdout);
}

/* ── is it flat ── */

/* Growth by sample of the line that fits those from @first on best. */
static double
slope_of (const GArray *samples, guint first)
{
  double n = samples->len - first, sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
  for (guint i = first; i < samples->len; i++)
  {
    double x = i, y = g_array_index (samples, double, i);
    sum_x += x;
    sum_y += y;
    sum_xx += x * x;
    sum_xy += x * y;
  }
  double spread = n * sum_xx - sum_x * sum_x;
  return spread > 0 ? (n * sum_xy - sum_x * sum_y) / spread : 0;
}

/* Growth over all these samples of less than a twentieth, or of less than two, is none. */
static gboolean
show_growth (const char *what, const GArray *samples)
{
  if (samples->len < MIN_MINUTES)
  {
    printf ("%s: %u minutes are too few to tell whether it grows\n", what, samples->len);
    return TRUE;
  }
  guint first = samples->len / 4, n = samples->len - first;
  double growth = slope_of (samples, first) * n, start = g_array_index (samples, double, first);
  gboolean is_flat = growth < MAX (start / 20, 2);
  printf ("%s: %+.1f in %u minutes, from %.1f: %s\n", what, growth, n, start, is_flat ? "flat" : "IT GROWS");
  return is_flat;
}

static int
run (const Soak *soak)
{
  g_autoptr (GArray) memory = bench_rounds_new ();
  g_autoptr (GArray) descriptors = bench_rounds_new ();
  guint64 n = 0, n_unexpected = 0;
  double began = bench_now ();
  printf ("%6s %9s %10s %8s %8s %8s %9s %6s %12s %8s\n", "minute", "requests", "unexpected", "p50 ms", "p99 ms", "max ms",
          "RSS MiB", "files", "database MiB", "WAL MiB");
  for (guint i = 1; i <= (guint)soak->minutes; i++)
  {
    Minute minute = { .answers = g_array_new (FALSE, FALSE, sizeof (BenchAnswer)) };
    while (bench_now () < began + i * 60.0 - STRETCH_SECONDS / 2.0)
      run_stretch (soak, &minute);
    show_minute (soak, began, &minute, memory, descriptors);
    n += minute.n;
    n_unexpected += minute.n_unexpected;
    g_array_unref (minute.answers);
  }
  printf ("%" G_GUINT64_FORMAT " requests, %" G_GUINT64_FORMAT " answered otherwise than they should\n", n, n_unexpected);
  gboolean is_flat = show_growth ("memory, MiB", memory);
  is_flat = show_growth ("descriptors", descriptors) && is_flat;
  return is_flat && n_unexpected == 0 ? 0 : 1;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc < 8 || sodium_init () < 0 || g_ascii_strtod (argv[3], NULL) < 1 || g_ascii_strtod (argv[4], NULL) <= 0)
    bench_fail ("usage: soaking PID:PORT DATABASE_FILE MINUTES SHARE|RATE/s MANIFEST_HASH ELEMENT HOTKEY=PROOF…");
  g_autoptr (SvConfig) config = sv_config_load (&error);
  g_auto (GStrv) parts = g_strsplit (argv[1], ":", 2);
  if (config == NULL || g_strv_length (parts) != 2)
    bench_fail ("%s", error != NULL ? error->message : "PID:PORT is wrong");
  g_autofree char *authority = g_strconcat ("127.0.0.1:", parts[1], NULL);
  Soak soak = { .pid = atoi (parts[0]),
                .port = (guint)atoi (parts[1]),
                .database = argv[2],
                .minutes = g_ascii_strtod (argv[3], NULL),
                .question = { authority, argv[5], argv[6], NETUID, bench_read_askers (config, argv + 7) } };
  bench_pin (0);
  double capacity = measure_capacity (&soak);
  soak.per_second = g_ascii_strtod (argv[4], NULL) * (g_str_has_suffix (argv[4], "/s") ? 1 : capacity);
  printf ("%.0f requests a second are possible here; %.0f a second for %.0f minutes\n", capacity, soak.per_second,
          soak.minutes);
  return run (&soak);
}
