/* Measurements on a machine that does other things too. A figure is never a time, but the ratio of two times of the same
 * round, taken one right after the other; of several rounds the median is printed, with the least and the greatest. */
#include "rounds.h"

#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define N_SIGNED 64
#define MESSAGE_SIZE 19 /* a query nonce has as many digits */

void
bench_fail (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fprintf (stderr, "bench: %s\n", message);
  exit (1);
}

void
bench_pin (guint core)
{
  cpu_set_t cores;
  CPU_ZERO (&cores);
  CPU_SET (core, &cores);
  if (sched_setaffinity (0, sizeof cores, &cores) != 0)
    bench_fail ("processor %u cannot be used", core);
}

double
bench_clock (clockid_t clock)
{
  struct timespec now;
  if (clock_gettime (clock, &now) != 0)
    bench_fail ("the process that is measured has ended");
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double
bench_now (void)
{
  return bench_clock (CLOCK_MONOTONIC);
}

struct BenchSigned
{
  guint8 public_key[crypto_sign_PUBLICKEYBYTES];
  guint8 message[MESSAGE_SIZE];
  guint8 signature[crypto_sign_BYTES];
};

BenchSigned *
bench_sign (void)
{
  BenchSigned *one = g_new (BenchSigned, 1);
  guint8 secret_key[crypto_sign_SECRETKEYBYTES];
  crypto_sign_keypair (one->public_key, secret_key);
  randombytes_buf (one->message, sizeof one->message);
  crypto_sign_detached (one->signature, NULL, one->message, sizeof one->message, secret_key);
  return one;
}

void
bench_verify_one (const BenchSigned *one)
{
  if (crypto_sign_verify_detached (one->signature, one->message, MESSAGE_SIZE, one->public_key) != 0)
    bench_fail ("a signature does not verify");
}

BenchBare
bench_verify (guint core, guint home, double seconds)
{
  BenchSigned *all[N_SIGNED];
  guint64 n = 0;
  for (guint i = 0; i < N_SIGNED; i++)
    all[i] = bench_sign ();
  bench_pin (core);
  double began = bench_now (), cpu_began = bench_clock (CLOCK_THREAD_CPUTIME_ID), elapsed;
  do
  {
    for (guint i = 0; i < N_SIGNED; i++)
      bench_verify_one (all[i]);
    n += N_SIGNED;
    elapsed = bench_now () - began;
  } while (elapsed < seconds);
  double cpu = bench_clock (CLOCK_THREAD_CPUTIME_ID) - cpu_began;
  bench_pin (home);
  for (guint i = 0; i < N_SIGNED; i++)
    g_free (all[i]);
  return (BenchBare){ (double)n / elapsed, (double)n / cpu };
}

/* ── rounds ── */

GArray *
bench_rounds_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (double));
}

void
bench_rounds_add (GArray *rounds, double value)
{
  g_array_append_val (rounds, value);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

void
bench_print (const char *name, GArray *rounds)
{
  const double *values = (const double *)(gpointer)rounds->data;
  g_array_sort (rounds, compare);
  guint n = rounds->len;
  double median = (values[(n - 1) / 2] + values[n / 2]) / 2;
  printf ("%s\t%.4g\t%.4g\t%.4g\n", name, median, values[0], values[n - 1]);
}

double
bench_quantile (GArray *values, double q)
{
  g_array_sort (values, compare);
  return g_array_index (values, double, (guint)((values->len - 1) * q));
}
