/* Blocks of a Subtensor chain decoded per second, as a follower decodes them, against BLAKE2b-256 of the same bytes.
 *   usage: blocks METADATA_FILE
 * A block is 60 signed extrinsics, four of them commitments, and 300 events, made for the runtime of the metadata. Decoding is
 * finding the commitments, hashing those, and reading the outcomes. A round is hashing, decoding, hashing, on one processor. */
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "chain/subtensor/events.h"
#include "chain/subtensor/extrinsic.h"
#include "chain/subtensor/scale.h"
#include "rounds.h"

#define N_ROUNDS 15
#define SECONDS 0.2
#define N_EXTRINSICS 60
#define N_COMMITMENTS 4
#define N_EVENTS 300
#define TEXT_SIZE 300

typedef struct
{
  SvMetadata *metadata;
  SvKeypair *keypair;
  GPtrArray *extrinsics; /* of GBytes */
  GByteArray *events;
} Block;

/* ── making a block ── */

static void
put_call (const SvMetadata *metadata, const char *pallet, const char *name, GByteArray *out)
{
  SvCallInfo call;
  g_autoptr (GError) error = NULL;
  if (!sv_metadata_call (metadata, pallet, name, &call, &error))
    bench_fail ("%s", error->message);
  sv_scale_put_u8 (out, call.pallet);
  sv_scale_put_u8 (out, call.call->index);
}

/* A commitment, or a transfer that is as long as the usual call. */
static GBytes *
make_call (const Block *block, guint number)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strnfill (TEXT_SIZE, 'a');
  g_autoptr (GByteArray) out = g_byte_array_new ();
  if (number % (N_EXTRINSICS / N_COMMITMENTS) == 0)
  {
    GBytes *call = sv_commitment_call (block->metadata, 44, text, &error);
    if (call == NULL)
      bench_fail ("%s", error->message);
    return call;
  }
  put_call (block->metadata, "System", "remark", out);
  sv_scale_put_bytes (out, text, 60);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

static void
add_extrinsic (Block *block, guint number)
{
  g_autoptr (GError) error = NULL;
  const SvExtrinsicContext context = { .nonce = number, .era_period = 64, .era_block = number };
  g_autoptr (GBytes) call = make_call (block, number);
  GBytes *extrinsic = sv_extrinsic_sign (block->metadata, &context, call, block->keypair, &error);
  if (extrinsic == NULL)
    bench_fail ("%s", error->message);
  g_ptr_array_add (block->extrinsics, extrinsic);
}

/* The two indexes of an event by its name. */
static void
put_event (const SvMetadata *metadata, const char *pallet, const char *name, GByteArray *out)
{
  for (guint p = 0; p <= G_MAXUINT8; p++)
    for (guint e = 0; g_strcmp0 (sv_metadata_pallet_name (metadata, (guint8)p), pallet) == 0 && e <= G_MAXUINT8; e++)
    {
      const SvVariant *event = sv_metadata_event_at (metadata, (guint8)p, (guint8)e);
      if (event == NULL || strcmp (event->name, name) != 0)
        continue;
      sv_scale_put_u8 (out, (guint8)p);
      sv_scale_put_u8 (out, (guint8)e);
      return;
    }
  bench_fail ("the runtime has no event %s.%s", pallet, name);
}

static void
add_event (Block *block, guint number)
{
  GByteArray *out = block->events;
  const guint8 *account = sv_keypair_public_key (block->keypair);
  guint per_extrinsic = N_EVENTS / N_EXTRINSICS;
  sv_scale_put_u8 (out, 0); /* of an extrinsic */
  sv_scale_put_u32 (out, number / per_extrinsic);
  if (number % per_extrinsic == 0)
  {
    put_event (block->metadata, "System", "ExtrinsicSuccess", out);
    sv_scale_put_compact (out, 200000000); /* its weight, class and fee */
    sv_scale_put_compact (out, 4000);
    sv_scale_put_u16 (out, 0);
  }
  else
  {
    put_event (block->metadata, "Balances", "Transfer", out);
    sv_scale_put_raw (out, account, SV_PUBLIC_KEY_SIZE);
    sv_scale_put_raw (out, account, SV_PUBLIC_KEY_SIZE);
    sv_scale_put_u64 (out, number);
  }
  sv_scale_put_compact (out, 0); /* topics */
}

static void
make_block (Block *block)
{
  block->keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  block->extrinsics = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  block->events = g_byte_array_new ();
  for (guint i = 0; i < N_EXTRINSICS; i++)
    add_extrinsic (block, i);
  sv_scale_put_compact (block->events, N_EVENTS);
  for (guint i = 0; i < N_EVENTS; i++)
    add_event (block, i);
}

/* ── what is measured ── */

static void
decode (const Block *block)
{
  g_autoptr (GError) error = NULL;
  g_auto (SvBlockOutcomes) outcomes = { 0 };
  guint n_found = 0;
  char hash[67];
  for (guint i = 0; i < block->extrinsics->len; i++)
  {
    g_auto (SvCommitmentCall) call = { 0 };
    gboolean is_one;
    gsize length;
    const void *data = g_bytes_get_data (block->extrinsics->pdata[i], &length);
    if (!sv_extrinsic_read_commitment (block->metadata, data, length, &is_one, &call, &error))
      bench_fail ("%s", error->message);
    if (!is_one)
      continue;
    sv_extrinsic_hash (data, length, hash);
    n_found++;
  }
  if (!sv_events_read_outcomes (block->metadata, block->events->data, block->events->len, N_EXTRINSICS, &outcomes, &error))
    bench_fail ("%s", error->message);
  if (n_found != N_COMMITMENTS || outcomes.outcomes[N_EXTRINSICS - 1] != SV_OUTCOME_SUCCESS)
    bench_fail ("the block was not read as it was made");
}

static void
hash_bytes (const Block *block)
{
  guint8 digest[SV_BLAKE2B_256_SIZE];
  for (guint i = 0; i < block->extrinsics->len; i++)
  {
    gsize length;
    const void *data = g_bytes_get_data (block->extrinsics->pdata[i], &length);
    sv_blake2b_256 (data, length, digest);
  }
  sv_blake2b_256 (block->events->data, block->events->len, digest);
}

/* By the processor's time: nothing here waits, so whoever else is busy need not count. */
static double
per_second (void (*work) (const Block *block), const Block *block)
{
  guint64 n = 0;
  double began = bench_clock (CLOCK_THREAD_CPUTIME_ID), elapsed;
  do
  {
    work (block);
    n++;
    elapsed = bench_clock (CLOCK_THREAD_CPUTIME_ID) - began;
  } while (elapsed < SECONDS);
  return (double)n / elapsed;
}

int
main (int argc, char **argv)
{
  Block block = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *content = NULL;
  gsize length;
  if (argc != 2 || sodium_init () < 0)
    bench_fail ("usage: blocks METADATA_FILE");
  if (!g_file_get_contents (argv[1], &content, &length, &error))
    bench_fail ("%s", error->message);
  block.metadata = sv_metadata_parse (content, length, &error);
  if (block.metadata == NULL)
    bench_fail ("%s: %s", argv[1], error->message);
  make_block (&block);
  bench_pin ((guint)sysconf (_SC_NPROCESSORS_ONLN) - 1);
  GArray *ratio = bench_rounds_new (), *thousands = bench_rounds_new ();
  double before = per_second (hash_bytes, &block);
  for (guint round = 0; round < N_ROUNDS; round++)
  {
    double decoded = per_second (decode, &block), after = per_second (hash_bytes, &block);
    bench_rounds_add (ratio, decoded / ((before + after) / 2));
    bench_rounds_add (thousands, decoded / 1000);
    before = after;
  }
  bench_print ("blocks-rate", ratio);
  bench_print ("blocks-thousands", thousands);
  return 0;
}
