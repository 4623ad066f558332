/* What runtime metadata takes when it is parsed: memory by its encoded size, and time by that of one BLAKE2b-256 of the same
 * bytes, in rounds that alternate the two.
 *   usage: metadata FILE */
#include <malloc.h>

#include "base/hash.h"
#include "chain/subtensor/metadata.h"
#include "rounds.h"

#define N_ROUNDS 101
#define KIB 1024.0

/* Of this process, in blocks large and small. */
static double
memory_in_use (void)
{
  struct mallinfo2 use = mallinfo2 ();
  return (double)(use.uordblks + use.hblkhd);
}

static SvMetadata *
parse (const char *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  SvMetadata *metadata = sv_metadata_parse (data, length, &error);
  if (metadata == NULL)
    bench_fail ("%s", error->message);
  return metadata;
}

static void
print_one (const char *name, double value)
{
  g_autoptr (GArray) rounds = bench_rounds_new ();
  bench_rounds_add (rounds, value);
  bench_print (name, rounds);
}

static void
measure_time (const char *data, gsize length)
{
  g_autoptr (GArray) times = bench_rounds_new ();
  guint8 digest[SV_BLAKE2B_256_SIZE];
  for (guint round = 0; round <= N_ROUNDS; round++)
  {
    double start = bench_clock (CLOCK_PROCESS_CPUTIME_ID);
    sv_blake2b_256 (data, length, digest);
    double middle = bench_clock (CLOCK_PROCESS_CPUTIME_ID);
    SvMetadata *metadata = parse (data, length);
    double end = bench_clock (CLOCK_PROCESS_CPUTIME_ID);
    sv_metadata_unref (metadata);
    if (round > 0) /* the first warms the caches */
      bench_rounds_add (times, (end - middle) / (middle - start));
  }
  bench_print ("metadata-time", times);
}

int
main (int argc, char **argv)
{
  g_autofree char *data = NULL;
  gsize length;
  if (argc != 2 || !g_file_get_contents (argv[1], &data, &length, NULL))
    bench_fail ("usage: metadata FILE");
  double before = memory_in_use ();
  g_autoptr (SvMetadata) metadata = parse (data, length);
  double taken = memory_in_use () - before;
  print_one ("metadata-memory", taken / (double)length);
  print_one ("metadata-kib", taken / KIB);
  print_one ("metadata-encoded-kib", (double)length / KIB);
  measure_time (data, length);
  return 0;
}
