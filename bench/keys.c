/* Verifications of signatures per second against bare Ed25519 verifications per second: of sr25519, and of both schemes by
 * prepared keys. A round is bare ones, one of these, and bare ones again, on one processor. */
#include <sodium.h>
#include <unistd.h>

#include "keys/keypair.h"
#include "keys/sr25519.h"
#include "rounds.h"
#ifdef SV_PREPARED_KEYS
#include "keys/prepared_key.h"
#endif

#define N_ROUNDS 11
#define N_SIGNED 64
#define MESSAGE_SIZE 19 /* as in bench_verify() */
#define SECONDS 0.3

typedef struct
{
  SvKeypair *keypair;
#ifdef SV_PREPARED_KEYS
  SvPreparedKey *prepared;
#endif
  guint8 message[MESSAGE_SIZE];
  guint8 signature[SV_SIGNATURE_SIZE];
} Signed;

static void
make_signed (Signed all[N_SIGNED], SvScheme scheme)
{
  for (guint i = 0; i < N_SIGNED; i++)
  {
    all[i].keypair = sv_keypair_generate (scheme);
    randombytes_buf (all[i].message, MESSAGE_SIZE);
    sv_keypair_sign_raw (all[i].keypair, all[i].message, MESSAGE_SIZE, all[i].signature);
#ifdef SV_PREPARED_KEYS
    all[i].prepared = sv_prepared_key_new (scheme, sv_keypair_public_key (all[i].keypair));
#endif
  }
}

static void
free_signed (Signed all[N_SIGNED])
{
  for (guint i = 0; i < N_SIGNED; i++)
  {
    sv_keypair_free (all[i].keypair);
#ifdef SV_PREPARED_KEYS
    sv_prepared_key_unref (all[i].prepared);
#endif
  }
}

static gboolean
by_key (const Signed *one)
{
  return sv_sr25519_verify (sv_keypair_public_key (one->keypair), one->message, MESSAGE_SIZE, one->signature);
}

#ifdef SV_PREPARED_KEYS
static gboolean
by_prepared_key (const Signed *one)
{
  return sv_prepared_key_verify (one->prepared, one->message, MESSAGE_SIZE, one->signature);
}
#endif

/* A second of the processor's time verifies so many. */
static double
verify (const Signed all[N_SIGNED], gboolean (*is_valid) (const Signed *))
{
  double began = bench_clock (CLOCK_THREAD_CPUTIME_ID), elapsed;
  guint64 n = 0;
  do
  {
    for (guint i = 0; i < N_SIGNED; i++)
      if (!is_valid (&all[i]))
        bench_fail ("a signature does not verify");
    n += N_SIGNED;
    elapsed = bench_clock (CLOCK_THREAD_CPUTIME_ID) - began;
  } while (elapsed < SECONDS);
  return (double)n / elapsed;
}

static const struct
{
  const char *name;
  SvScheme scheme;
  gboolean (*is_valid) (const Signed *);
} measured[] = {
  { "sr25519", SV_SCHEME_SR25519, by_key },
#ifdef SV_PREPARED_KEYS
  { "ed25519-prepared", SV_SCHEME_ED25519, by_prepared_key },
  { "sr25519-prepared", SV_SCHEME_SR25519, by_prepared_key },
#endif
};

int
main (void)
{
  static Signed all[G_N_ELEMENTS (measured)][N_SIGNED];
  GArray *ratios[G_N_ELEMENTS (measured)];
  guint core = (guint)sysconf (_SC_NPROCESSORS_ONLN) - 1;
  if (sodium_init () < 0)
    bench_fail ("libsodium cannot be initialised");
  for (guint i = 0; i < G_N_ELEMENTS (measured); i++)
  {
    ratios[i] = bench_rounds_new ();
    make_signed (all[i], measured[i].scheme);
  }
  BenchBare before = bench_verify (core, core, SECONDS);
  for (guint round = 0; round < N_ROUNDS; round++)
    for (guint i = 0; i < G_N_ELEMENTS (measured); i++)
    {
      double rate = verify (all[i], measured[i].is_valid);
      BenchBare after = bench_verify (core, core, SECONDS);
      bench_rounds_add (ratios[i], rate / ((before.per_cpu_second + after.per_cpu_second) / 2));
      before = after;
    }
  for (guint i = 0; i < G_N_ELEMENTS (measured); i++)
  {
    bench_print (measured[i].name, ratios[i]);
    free_signed (all[i]);
  }
  return 0;
}
