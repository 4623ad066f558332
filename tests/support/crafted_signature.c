#include "crafted_signature.h"

#include <sodium.h>
#include <string.h>

#include "keys/sr25519.h"

void
sv_torsion_point (guint i, guint8 encoded[SV_PUBLIC_KEY_SIZE])
{
  static const guint8 of_order_eight[SV_PUBLIC_KEY_SIZE] = { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                                                             0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                                                             0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 };
  memset (encoded, 0, SV_PUBLIC_KEY_SIZE);
  encoded[0] = 1;
  for (guint n = 0; n < i % SV_N_TORSION; n++)
    if (crypto_core_ed25519_add (encoded, encoded, of_order_eight) != 0)
      g_error ("libsodium adds no point of order eight");
}

/* @scalar·B plus a point of small order. */
static void
multiply_base (SvScheme scheme, const guint8 scalar[32], guint torsion, guint8 encoded[32])
{
  guint8 small[32];
  if (scheme == SV_SCHEME_SR25519)
  {
    (void)crypto_scalarmult_ristretto255_base (encoded, scalar);
    return;
  }
  sv_torsion_point (torsion, small);
  (void)crypto_scalarmult_ed25519_base_noclamp (encoded, scalar);
  if (crypto_core_ed25519_add (encoded, encoded, small) != 0)
    g_error ("libsodium adds no point of small order");
}

static void
challenge (const SvCraft *craft, const guint8 public_key[32], const guint8 signature[64], guint8 k[32])
{
  guint8 wide[64], s[32];
  crypto_hash_sha512_state state;
  if (craft->scheme == SV_SCHEME_SR25519)
  {
    (void)!sv_sr25519_equation (public_key, craft->message, craft->length, signature, s, k);
    return;
  }
  crypto_hash_sha512_init (&state);
  crypto_hash_sha512_update (&state, signature, 32);
  crypto_hash_sha512_update (&state, public_key, 32);
  crypto_hash_sha512_update (&state, craft->message, craft->length);
  crypto_hash_sha512_final (&state, wide);
  crypto_core_ed25519_scalar_reduce (k, wide);
}

void
sv_craft_signature (const SvCraft *craft, guint8 public_key[SV_PUBLIC_KEY_SIZE], guint8 signature[SV_SIGNATURE_SIZE])
{
  guint8 k[32], *s = signature + 32, mark = craft->scheme == SV_SCHEME_SR25519 ? 0x80 : 0;
  multiply_base (craft->scheme, craft->a, craft->key_torsion, public_key);
  multiply_base (craft->scheme, craft->r, craft->signature_torsion, signature);
  memset (s, 0, 32);
  s[31] = mark; /* without which there is no challenge */
  challenge (craft, public_key, signature, k);
  crypto_core_ed25519_scalar_mul (s, k, craft->a);
  crypto_core_ed25519_scalar_add (s, s, craft->r);
  s[31] |= mark;
}

gboolean
sv_verify_unprepared (SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length,
                      const guint8 signature[SV_SIGNATURE_SIZE])
{
  if (scheme == SV_SCHEME_SR25519)
    return sv_sr25519_verify (public_key, message, length, signature);
  return crypto_sign_verify_detached (signature, message, length, public_key) == 0;
}
