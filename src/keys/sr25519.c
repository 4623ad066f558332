/* sr25519 on libsodium's ristretto255 and a Merlin transcript.
 *
 * A signature is R and s = r + k·secret, where k is a challenge over public key, message and R; it holds when s·B - k·A encodes
 * to R. libsodium's scalar multiplications answer -1 when the result is the neutral element. For a public key that is the
 * wanted refusal: anybody could sign for it. For s·B it is no error, the encoding of the neutral element (zeros) is in the
 * result and the comparison goes on.
 *
 * What depends on a secret runs in constant time: libsodium's functions do, and there are no branches on secrets here. */
#include "keys/sr25519.h"

#include <sodium.h>
#include <string.h>

#include "keys/merlin.h"

#define SCALAR_SIZE SV_SR25519_SCALAR_SIZE
#define WIDE_SIZE 64 /* of a number that is reduced to a scalar */
#define MARK 0x80

G_STATIC_ASSERT (crypto_core_ristretto255_BYTES == SV_PUBLIC_KEY_SIZE);
G_STATIC_ASSERT (crypto_core_ristretto255_SCALARBYTES == SCALAR_SIZE);

/* ---- scalars ---- */

static void
divide_by_cofactor (guint8 scalar[SCALAR_SIZE])
{
  for (gsize i = 0; i < SCALAR_SIZE; i++)
    scalar[i] = (guint8)(scalar[i] >> 3 | (i + 1 < SCALAR_SIZE ? scalar[i + 1] << 5 : 0));
}

static gboolean
is_reduced (const guint8 scalar[SCALAR_SIZE])
{
  guint8 wide[WIDE_SIZE] = { 0 }, reduced[SCALAR_SIZE];
  memcpy (wide, scalar, SCALAR_SIZE);
  crypto_core_ristretto255_scalar_reduce (reduced, wide);
  gboolean same = sodium_memcmp (reduced, scalar, SCALAR_SIZE) == 0;
  sodium_memzero (wide, sizeof wide);
  sodium_memzero (reduced, sizeof reduced);
  return same;
}

static void
challenge_scalar (SvMerlin *transcript, const char *label, guint8 scalar[SCALAR_SIZE])
{
  guint8 wide[WIDE_SIZE];
  sv_merlin_challenge (transcript, label, wide, sizeof wide);
  crypto_core_ristretto255_scalar_reduce (scalar, wide);
  sodium_memzero (wide, sizeof wide);
}

/* ---- keys ---- */

void
sv_sr25519_expand (const guint8 seed[32], guint8 secret[SV_SR25519_SECRET_SIZE])
{
  crypto_hash_sha512 (secret, seed, 32);
  secret[0] &= 0xf8;
  secret[SCALAR_SIZE - 1] = (secret[SCALAR_SIZE - 1] & 0x3f) | 0x40;
  divide_by_cofactor (secret);
}

gboolean
sv_sr25519_public_key (const guint8 secret[SV_SR25519_SECRET_SIZE], guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  return is_reduced (secret) && crypto_scalarmult_ristretto255_base (public_key, secret) == 0;
}

gboolean
sv_sr25519_from_ed25519_form (const guint8 form[SV_SR25519_SECRET_SIZE], guint8 secret[SV_SR25519_SECRET_SIZE])
{
  memcpy (secret, form, SV_SR25519_SECRET_SIZE);
  divide_by_cofactor (secret);
  return (form[0] & 7) == 0 && is_reduced (secret);
}

/* ---- signatures ---- */

/* What signer and verifier both know before there is a signature. */
static void
begin_signature (SvMerlin *transcript, const void *message, gsize length, const guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  static const char name[] = "Schnorr-sig", context[] = "substrate";
  sv_merlin_init (transcript, "SigningContext");
  sv_merlin_append (transcript, "", context, strlen (context));
  sv_merlin_append (transcript, "sign-bytes", message, length);
  sv_merlin_append (transcript, "proto-name", name, strlen (name));
  sv_merlin_append (transcript, "sign:pk", public_key, SV_PUBLIC_KEY_SIZE);
}

void
sv_sr25519_sign (const guint8 secret[SV_SR25519_SECRET_SIZE], const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message,
                 gsize length, guint8 signature[SV_SIGNATURE_SIZE])
{
  g_auto (SvMerlin) transcript;
  guint8 wide[WIDE_SIZE], r[SCALAR_SIZE], k[SCALAR_SIZE], *s = signature + SV_PUBLIC_KEY_SIZE;
  begin_signature (&transcript, message, length, public_key);
  sv_merlin_witness (&transcript, "signing", secret + SCALAR_SIZE, SV_SR25519_SECRET_SIZE - SCALAR_SIZE, wide, sizeof wide);
  crypto_core_ristretto255_scalar_reduce (r, wide);
  if (crypto_scalarmult_ristretto255_base (signature, r) != 0)
    g_error ("the machine's random numbers are broken"); /* r is 0 by chance once in 2^252 */
  sv_merlin_append (&transcript, "sign:R", signature, SV_PUBLIC_KEY_SIZE);
  challenge_scalar (&transcript, "sign:c", k);
  crypto_core_ristretto255_scalar_mul (s, k, secret);
  crypto_core_ristretto255_scalar_add (s, s, r);
  s[SCALAR_SIZE - 1] |= MARK;
  sodium_memzero (wide, sizeof wide);
  sodium_memzero (r, sizeof r);
}

/* libsodium 1.0.18 reads over the highest bit of an encoding, which is never set (RFC 9496, section 4.3.1): such a key would be
 * a second account of its secret, which the chain does not know. */
static gboolean
is_key_spelled_right (const guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  return (public_key[SV_PUBLIC_KEY_SIZE - 1] & 0x80) == 0;
}

/* FALSE where the mark is missing or the number is not the only spelling of the scalar. */
static gboolean
read_marked_scalar (const guint8 marked[SCALAR_SIZE], guint8 scalar[SCALAR_SIZE])
{
  memcpy (scalar, marked, SCALAR_SIZE);
  scalar[SCALAR_SIZE - 1] &= (guint8)~MARK;
  return (marked[SCALAR_SIZE - 1] & MARK) != 0 && is_reduced (scalar);
}

gboolean
sv_sr25519_equation (const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length,
                     const guint8 signature[SV_SIGNATURE_SIZE], guint8 s[SV_SR25519_SCALAR_SIZE],
                     guint8 k[SV_SR25519_SCALAR_SIZE])
{
  if (!read_marked_scalar (signature + SV_PUBLIC_KEY_SIZE, s) || !is_key_spelled_right (public_key))
    return FALSE;
  g_auto (SvMerlin) transcript;
  begin_signature (&transcript, message, length, public_key);
  sv_merlin_append (&transcript, "sign:R", signature, SV_PUBLIC_KEY_SIZE);
  challenge_scalar (&transcript, "sign:c", k);
  return !sodium_is_zero (k, SCALAR_SIZE); /* by chance once in 2^252; libsodium's product by it says no, too */
}

gboolean
sv_sr25519_verify (const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length,
                   const guint8 signature[SV_SIGNATURE_SIZE])
{
  guint8 k[SCALAR_SIZE], s[SCALAR_SIZE], left[SV_PUBLIC_KEY_SIZE], right[SV_PUBLIC_KEY_SIZE], expected[SV_PUBLIC_KEY_SIZE];
  if (!sv_sr25519_equation (public_key, message, length, signature, s, k) ||
      crypto_scalarmult_ristretto255 (right, k, public_key) != 0)
    return FALSE;
  (void)crypto_scalarmult_ristretto255_base (left, s);
  return crypto_core_ristretto255_sub (expected, left, right) == 0 && memcmp (expected, signature, sizeof expected) == 0;
}

/* ---- derivation ---- */

static void
begin_derivation (SvMerlin *transcript, const guint8 code[SV_SR25519_CHAIN_CODE_SIZE])
{
  sv_merlin_init (transcript, "SchnorrRistrettoHDKD");
  sv_merlin_append (transcript, "sign-bytes", "", 0);
  sv_merlin_append (transcript, "chain-code", code, SV_SR25519_CHAIN_CODE_SIZE);
}

void
sv_sr25519_derive_hard (const guint8 secret[SV_SR25519_SECRET_SIZE], const guint8 code[SV_SR25519_CHAIN_CODE_SIZE],
                        guint8 seed[32])
{
  g_auto (SvMerlin) transcript;
  begin_derivation (&transcript, code);
  sv_merlin_append (&transcript, "secret-key", secret, SCALAR_SIZE);
  sv_merlin_challenge (&transcript, "HDKD-hard", seed, 32);
}

void
sv_sr25519_derive_soft (const guint8 secret[SV_SR25519_SECRET_SIZE], const guint8 public_key[SV_PUBLIC_KEY_SIZE],
                        const guint8 code[SV_SR25519_CHAIN_CODE_SIZE], guint8 derived[SV_SR25519_SECRET_SIZE])
{
  g_auto (SvMerlin) transcript;
  guint8 shift[SCALAR_SIZE], next_code[SV_SR25519_CHAIN_CODE_SIZE];
  begin_derivation (&transcript, code);
  sv_merlin_append (&transcript, "public-key", public_key, SV_PUBLIC_KEY_SIZE);
  challenge_scalar (&transcript, "HDKD-scalar", shift);
  sv_merlin_challenge (&transcript, "HDKD-chaincode", next_code, sizeof next_code);
  /* The second half is free to choose: it only has to be a secret. */
  sv_merlin_witness (&transcript, "HDKD-nonce", secret, SV_SR25519_SECRET_SIZE, derived + SCALAR_SIZE, SCALAR_SIZE);
  crypto_core_ristretto255_scalar_add (derived, secret, shift);
}
