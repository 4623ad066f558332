/* Verifications of sr25519 signatures per second against bare Ed25519 verifications per second. A round is the one, the other
 * and the one again, on one processor. */
#include <sodium.h>
#include <unistd.h>

#include "keys/keypair.h"
#include "keys/sr25519.h"
#include "rounds.h"

#define N_ROUNDS 11
#define N_SIGNED 64
#define MESSAGE_SIZE 19 /* as in bench_verify() */
#define SECONDS 0.3

typedef struct
{
  SvKeypair *keypair;
  guint8 message[MESSAGE_SIZE];
  guint8 signature[SV_SIGNATURE_SIZE];
} Signed;

static void
make_signed (Signed all[N_SIGNED])
{
  for (guint i = 0; i < N_SIGNED; i++)
  {
    all[i].keypair = sv_keypair_generate (SV_SCHEME_SR25519);
    randombytes_buf (all[i].message, MESSAGE_SIZE);
    sv_keypair_sign_raw (all[i].keypair, all[i].message, MESSAGE_SIZE, all[i].signature);
  }
}

/* A second of the processor's time verifies so many. */
static double
verify (const Signed all[N_SIGNED])
{
  double began = bench_clock (CLOCK_THREAD_CPUTIME_ID), elapsed;
  guint64 n = 0;
  do
  {
    for (guint i = 0; i < N_SIGNED; i++)
      if (!sv_sr25519_verify (sv_keypair_public_key (all[i].keypair), all[i].message, MESSAGE_SIZE, all[i].signature))
        bench_fail ("a signature does not verify");
    n += N_SIGNED;
    elapsed = bench_clock (CLOCK_THREAD_CPUTIME_ID) - began;
  } while (elapsed < SECONDS);
  return (double)n / elapsed;
}

int
main (void)
{
  static Signed all[N_SIGNED];
  guint core = (guint)sysconf (_SC_NPROCESSORS_ONLN) - 1;
  GArray *ratio = bench_rounds_new ();
  if (sodium_init () < 0)
    bench_fail ("libsodium cannot be initialised");
  make_signed (all);
  BenchBare before = bench_verify (core, core, SECONDS);
  for (guint round = 0; round < N_ROUNDS; round++)
  {
    double rate = verify (all);
    BenchBare after = bench_verify (core, core, SECONDS);
    bench_rounds_add (ratio, rate / ((before.per_cpu_second + after.per_cpu_second) / 2));
    before = after;
  }
  bench_print ("sr25519", ratio);
  for (guint i = 0; i < N_SIGNED; i++)
    sv_keypair_free (all[i].keypair);
  return 0;
}
