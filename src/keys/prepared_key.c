/* Both schemes ask whether s·B - k·A encodes to R, the first half of the signature. So of the key -A is kept. Hashes, scalars
 * and all that is secret elsewhere are libsodium's; here everything is public.
 *
 * Of Ed25519 there are kinds that differ about signatures which their own signer has made crooked. This is libsodium's (as
 * of 1.0.18): s below L, neither A nor R of small order, A in its only encoding, no multiplication by the cofactor, and R
 * compared as bytes. */
#include "keys/prepared_key.h"

#include <sodium.h>
#include <string.h>

#include "keys/edwards25519.h"
#include "keys/sr25519.h"

#define WIDE_SIZE 64

G_STATIC_ASSERT (SV_PUBLIC_KEY_SIZE == SV_EDWARDS_POINT_SIZE);
G_STATIC_ASSERT (SV_SIGNATURE_SIZE == SV_EDWARDS_POINT_SIZE + SV_EDWARDS_SCALAR_SIZE);

struct _SvPreparedKey
{
  SvScheme scheme;
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  SvEdwardsComb comb; /* of -A */
};

static gboolean
decode_key (SvEdwardsPoint *point, SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  if (scheme == SV_SCHEME_SR25519)
    return sv_ristretto_decode (point, public_key) && !sodium_is_zero (public_key, SV_PUBLIC_KEY_SIZE);
  return sv_edwards_decode (point, public_key) && !sv_edwards_has_small_order (point);
}

SvPreparedKey *
sv_prepared_key_new (SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  SvEdwardsPoint point;
  if (!decode_key (&point, scheme, public_key))
    return NULL;
  SvPreparedKey *key = g_atomic_rc_box_new (SvPreparedKey);
  key->scheme = scheme;
  memcpy (key->public_key, public_key, SV_PUBLIC_KEY_SIZE);
  sv_edwards_negate (&point, &point);
  sv_edwards_comb_init (&key->comb, &point);
  return key;
}

SvPreparedKey *
sv_prepared_key_ref (SvPreparedKey *key)
{
  return g_atomic_rc_box_acquire (key);
}

void
sv_prepared_key_unref (SvPreparedKey *key)
{
  g_atomic_rc_box_release (key);
}

gboolean
sv_prepared_key_is (const SvPreparedKey *key, SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  return key->scheme == scheme && memcmp (key->public_key, public_key, SV_PUBLIC_KEY_SIZE) == 0;
}

/* ---- Ed25519 ---- */

/* Below L = 2^252 + 27742317777372353535851937790883648493. */
static gboolean
is_reduced (const guint8 scalar[SV_EDWARDS_SCALAR_SIZE])
{
  static const guint8 order[SV_EDWARDS_SCALAR_SIZE] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                                        0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
  guint i = SV_EDWARDS_SCALAR_SIZE - 1;
  while (i > 0 && scalar[i] == order[i])
    i--;
  return scalar[i] < order[i];
}

static void
hash_to_scalar (guint8 k[SV_EDWARDS_SCALAR_SIZE], const SvPreparedKey *key, const void *message, gsize length,
                const guint8 signature[SV_SIGNATURE_SIZE])
{
  crypto_hash_sha512_state state;
  guint8 wide[WIDE_SIZE];
  crypto_hash_sha512_init (&state);
  crypto_hash_sha512_update (&state, signature, SV_EDWARDS_POINT_SIZE);
  crypto_hash_sha512_update (&state, key->public_key, SV_PUBLIC_KEY_SIZE);
  crypto_hash_sha512_update (&state, message, length);
  crypto_hash_sha512_final (&state, wide);
  crypto_core_ed25519_scalar_reduce (k, wide);
}

/* That R is of small order is seen on the point that equals it. */
static gboolean
verify_ed25519 (const SvPreparedKey *key, const void *message, gsize length, const guint8 signature[SV_SIGNATURE_SIZE])
{
  const guint8 *s = signature + SV_EDWARDS_POINT_SIZE;
  guint8 k[SV_EDWARDS_SCALAR_SIZE], expected[SV_EDWARDS_POINT_SIZE];
  SvEdwardsPoint point;
  if (!is_reduced (s))
    return FALSE;
  hash_to_scalar (k, key, message, length, signature);
  sv_edwards_multiply (&point, k, &key->comb, s);
  sv_edwards_encode (expected, &point);
  return memcmp (expected, signature, sizeof expected) == 0 && !sv_edwards_has_small_order (&point);
}

/* ---- sr25519 ---- */

static gboolean
verify_sr25519 (const SvPreparedKey *key, const void *message, gsize length, const guint8 signature[SV_SIGNATURE_SIZE])
{
  guint8 s[SV_SR25519_SCALAR_SIZE], k[SV_SR25519_SCALAR_SIZE];
  SvEdwardsPoint point;
  if (!sv_sr25519_equation (key->public_key, message, length, signature, s, k))
    return FALSE;
  sv_edwards_multiply (&point, k, &key->comb, s);
  return sv_ristretto_is_encoding (signature, &point);
}

gboolean
sv_prepared_key_verify (const SvPreparedKey *key, const void *message, gsize length, const guint8 signature[SV_SIGNATURE_SIZE])
{
  return key->scheme == SV_SCHEME_SR25519 ? verify_sr25519 (key, message, length, signature)
                                          : verify_ed25519 (key, message, length, signature);
}
