/* The watchers look at little, so that they cost those who are measured little: half a hundredth of the core, and a page
 * written each 5 ms.
 *
 * What they look at is not to depend on the measured program, or its own faults would be put down to the machine. A
 * verification's processor time does not count while others have the processor, and whoever has the highest priority is woken
 * whoever has it. A page of its own, past the system's cache, does wait for what the program has just given to the disk, some
 * megabytes at the most, so a halt is only what is longer than a disk takes for these. */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "rounds.h"

#define TENTH 0.1 /* of a second */
#define PAGE_SIZE 4096
#define PAGE_PERIOD_US 5000
#define PAGE_SECONDS_MAX 0.005
#define TICK_US 5000
#define TICKS_A_SAMPLE 2
#define LATE_SECONDS 0.003
#define SETTLE_US 20000 /* for halts that are not over yet */
#define SLOWER 1.15
#define MOST 0.75 /* of a tenth's verifications */

typedef struct
{
  double at;
  double cpu; /* seconds */
} Sample;

typedef struct
{
  double from;
  double until;
} Halt;

struct BenchWatch
{
  guint core;
  int fd;
  GMutex lock;
  GArray *samples; /* of Sample, in order */
  GArray *halts;   /* of Halt, as they were noted */
};

/* ── the watchers ── */

/* For those who may have it. Nobody else is then in the way of one who wants to be woken. */
static gboolean
take_highest_priority (void)
{
  const struct sched_param highest = { .sched_priority = sched_get_priority_max (SCHED_FIFO) };
  return pthread_setschedparam (pthread_self (), SCHED_FIFO, &highest) == 0;
}

static void
add_sample (BenchWatch *watch, const BenchSigned *one)
{
  Sample sample = { .at = bench_now (), .cpu = -bench_clock (CLOCK_THREAD_CPUTIME_ID) };
  bench_verify_one (one);
  sample.cpu += bench_clock (CLOCK_THREAD_CPUTIME_ID);
  g_mutex_lock (&watch->lock);
  g_array_append_val (watch->samples, sample);
  g_mutex_unlock (&watch->lock);
}

static gpointer
watch_core (gpointer data)
{
  BenchWatch *watch = data;
  g_autofree BenchSigned *one = bench_sign ();
  bench_pin (watch->core);
  gboolean is_first = take_highest_priority ();
  if (!is_first)
    fprintf (stderr, "bench: halts of the server's processor are not seen: no right to the highest priority\n");
  for (guint i = 0;; i++)
  {
    double slept = bench_now ();
    g_usleep (TICK_US);
    double woken = bench_now ();
    if (is_first && woken - slept > TICK_US / 1e6 + LATE_SECONDS)
      bench_watch_note_halt (watch, slept + TICK_US / 1e6, woken);
    if (i % TICKS_A_SAMPLE == 0)
      add_sample (watch, one);
  }
  return NULL;
}

static void
write_page (int fd)
{
  static const char page[PAGE_SIZE] __attribute__ ((aligned (PAGE_SIZE)));
  if (pwrite (fd, page, sizeof page, 0) != (gssize)sizeof page)
    bench_fail ("a page cannot be written: %s", g_strerror (errno));
}

static gpointer
watch_disk (gpointer data)
{
  BenchWatch *watch = data;
  for (;;)
  {
    double from = bench_now ();
    write_page (watch->fd);
    double until = bench_now ();
    if (until - from > PAGE_SECONDS_MAX)
      bench_watch_note_halt (watch, from, until);
    g_usleep (PAGE_PERIOD_US);
  }
  return NULL;
}

BenchWatch *
bench_watch_new (guint core, const char *file)
{
  BenchWatch *watch = g_new0 (BenchWatch, 1);
  watch->core = core;
  g_mutex_init (&watch->lock);
  watch->samples = g_array_new (FALSE, FALSE, sizeof (Sample));
  watch->halts = g_array_new (FALSE, FALSE, sizeof (Halt));
  g_thread_unref (g_thread_new ("core", watch_core, watch));
  watch->fd = open (file, O_WRONLY | O_CREAT | O_CLOEXEC | O_DIRECT, 0600);
  if (watch->fd < 0)
    fprintf (stderr, "bench: halts of the disk are not seen: %s: %s\n", file, g_strerror (errno));
  unlink (file);
  if (watch->fd < 0)
    return watch;
  write_page (watch->fd); /* the first makes the file longer */
  g_thread_unref (g_thread_new ("disk", watch_disk, watch));
  return watch;
}

void
bench_watch_note_halt (BenchWatch *watch, double from, double until)
{
  Halt halt = { from, until };
  g_mutex_lock (&watch->lock);
  g_array_append_val (watch->halts, halt);
  g_mutex_unlock (&watch->lock);
}

/* ── what they saw ── */

/* Under the lock. Returns: (transfer full) the times between the two. */
static GArray *
verifications (BenchWatch *watch, double from, double until)
{
  GArray *times = bench_rounds_new ();
  for (guint i = watch->samples->len; i > 0; i--)
  {
    const Sample *sample = &g_array_index (watch->samples, Sample, i - 1);
    if (sample->at < from)
      break;
    if (sample->at < until)
      bench_rounds_add (times, sample->cpu);
  }
  return times;
}

/* Under the lock. Returns: the longest that anything stood still between the two, in seconds. */
static double
longest_halt (BenchWatch *watch, double from, double until)
{
  double longest = 0;
  for (guint i = 0; i < watch->halts->len; i++)
  {
    const Halt *halt = &g_array_index (watch->halts, Halt, i);
    longest = MAX (longest, MIN (halt->until, until) - MAX (halt->from, from));
  }
  return longest;
}

double
bench_watch_pace (BenchWatch *watch, double from, double until)
{
  g_mutex_lock (&watch->lock);
  g_autoptr (GArray) times = verifications (watch, from, until);
  g_mutex_unlock (&watch->lock);
  return times->len > 0 ? bench_quantile (times, 0.5) : 0;
}

/* Returns: for how long, in seconds, what has queued up in the tenth @from that time on is still answered after it, with a
 * tenth to spare; 0 where the machine has kept its pace in it. It has not where not a single verification could run. */
static double
recovery_from (BenchWatch *watch, double from, const BenchStretch *stretch)
{
  g_mutex_lock (&watch->lock);
  g_autoptr (GArray) times = verifications (watch, from, from + TENTH);
  double halt = longest_halt (watch, from, from + TENTH);
  g_mutex_unlock (&watch->lock);
  gboolean has_pace = times->len > 0 && bench_quantile (times, MOST) <= SLOWER * stretch->pace &&
                      bench_quantile (times, 0.5) >= stretch->pace / SLOWER;
  return halt > 0 || !has_pace ? halt * stretch->load / (1 - stretch->load) + TENTH : 0;
}

/* Returns: (transfer full) of each whole tenth whether it counts. */
static GArray *
judge (BenchWatch *watch, const BenchStretch *stretch)
{
  GArray *counts = g_array_new (FALSE, FALSE, sizeof (gboolean));
  guint n = (guint)((stretch->until - stretch->from) / TENTH + 1e-6); /* three seconds are thirty, however they are rounded */
  double recovery = 0;
  for (guint i = 0; i < n; i++)
  {
    double more = recovery_from (watch, stretch->from + i * TENTH, stretch);
    gboolean is_steady = more == 0 && recovery <= 0;
    g_array_append_val (counts, is_steady);
    recovery = more > 0 ? MAX (recovery, 0) + more : recovery - TENTH;
  }
  return counts;
}

double
bench_watch_steady (BenchWatch *watch, const BenchStretch *stretch, const GArray *answers, GArray *latencies)
{
  g_usleep (SETTLE_US);
  g_autoptr (GArray) counts = judge (watch, stretch);
  guint n = 0;
  for (guint i = 0; i < counts->len; i++)
    n += g_array_index (counts, gboolean, i) ? 1 : 0;
  for (guint i = 0; i < answers->len; i++)
  {
    const BenchAnswer *answer = &g_array_index (answers, BenchAnswer, i);
    double tenth = (answer->due - stretch->from) / TENTH;
    if (tenth >= 0 && tenth < counts->len && g_array_index (counts, gboolean, (guint)tenth))
      bench_rounds_add (latencies, answer->latency);
  }
  return n * TENTH;
}
