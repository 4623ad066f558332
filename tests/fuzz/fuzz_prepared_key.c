/* A prepared key says what libsodium says (for sr25519: what sv_sr25519_verify() says, which is on libsodium). The first byte's
 * bits tell the scheme (1) and whether key and signature come as they are (2): then 32 and 64 bytes, and the message. Otherwise
 * they are crafted, since no mutation finds a valid one: a byte of torsions, of the key and of R; 32 bytes that give the
 * secrets; a byte for how many changes follow, each a position in key and signature and what is added to the byte there, bit by
 * bit; and the message. */
#include <sodium.h>
#include <string.h>

#include "crafted_signature.h"
#include "keys/prepared_key.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

enum
{
  FLAG_SR25519 = 1,
  FLAG_RAW = 2,
};

#define SEED_SIZE 32
#define MAX_CHANGES 15

typedef struct
{
  const guint8 *data;
  gsize size;
} Input;

/* Zeros where the input has ended. */
static void
take (Input *input, guint8 *out, gsize size)
{
  gsize n = MIN (size, input->size);
  memset (out, 0, size);
  if (n > 0)
    memcpy (out, input->data, n);
  input->data += n;
  input->size -= n;
}

static guint8
take_byte (Input *input)
{
  guint8 byte;
  take (input, &byte, 1);
  return byte;
}

static void
derive_scalar (guint8 scalar[32], const guint8 seed[SEED_SIZE], guint8 which)
{
  guint8 wide[64], input[SEED_SIZE + 1];
  memcpy (input, seed, SEED_SIZE);
  input[SEED_SIZE] = which;
  crypto_hash_sha512 (wide, input, sizeof input);
  crypto_core_ed25519_scalar_reduce (scalar, wide);
}

/* Key and signature lie one after the other in @both. */
static void
craft (Input *input, SvScheme scheme, guint8 both[SV_PUBLIC_KEY_SIZE + SV_SIGNATURE_SIZE])
{
  guint8 torsion = take_byte (input), seed[SEED_SIZE], changes[2 * MAX_CHANGES];
  take (input, seed, sizeof seed);
  gsize n_changes = take_byte (input) % (MAX_CHANGES + 1);
  take (input, changes, 2 * n_changes);
  SvCraft one = { .scheme = scheme,
                  .key_torsion = torsion & 7,
                  .signature_torsion = torsion >> 3 & 7,
                  .message = input->data,
                  .length = input->size };
  derive_scalar (one.a, seed, 0);
  derive_scalar (one.r, seed, 1);
  sv_craft_signature (&one, both, both + SV_PUBLIC_KEY_SIZE);
  for (gsize i = 0; i < n_changes; i++)
    both[changes[2 * i] % (SV_PUBLIC_KEY_SIZE + SV_SIGNATURE_SIZE)] ^= changes[2 * i + 1];
  g_assert_true (n_changes > 0 || torsion != 0 || sv_verify_unprepared (scheme, both, one.message, one.length, both + 32));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  Input input = { data, size };
  guint8 flags = take_byte (&input), both[SV_PUBLIC_KEY_SIZE + SV_SIGNATURE_SIZE];
  const guint8 *signature = both + SV_PUBLIC_KEY_SIZE;
  SvScheme scheme = (flags & FLAG_SR25519) != 0 ? SV_SCHEME_SR25519 : SV_SCHEME_ED25519;
  if ((flags & FLAG_RAW) != 0)
    take (&input, both, sizeof both);
  else
    craft (&input, scheme, both);
  g_autoptr (SvPreparedKey) key = sv_prepared_key_new (scheme, both);
  gboolean prepared = key != NULL && sv_prepared_key_verify (key, input.data, input.size, signature);
  g_assert_true (prepared == sv_verify_unprepared (scheme, both, input.data, input.size, signature));
  return 0;
}
