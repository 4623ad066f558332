/* Signatures that no signer makes by accident, on edwards25519 and ristretto255: by keys and nonces to which a point of small
 * order was added. Made with libsodium. */
#pragma once

#include "keys/signature.h"

#define SV_N_TORSION 8

/* The points whose eightfold is the neutral element: @i times a point of order eight. 0 is the neutral element itself. */
void sv_torsion_point (guint i, guint8 encoded[SV_PUBLIC_KEY_SIZE]);

typedef struct
{
  SvScheme scheme;
  guint8 a[32], r[32];     /* what is secret of a key, and of a signature; both reduced */
  guint key_torsion;       /* of Ed25519: the key is a·B plus that many times a point of order eight */
  guint signature_torsion; /* the same of R = r·B */
  const void *message;
  gsize length;
} SvCraft;

/* Gives s = r + k·a, whatever the torsion does to the equation. */
void sv_craft_signature (const SvCraft *craft, guint8 public_key[SV_PUBLIC_KEY_SIZE], guint8 signature[SV_SIGNATURE_SIZE]);

/* What the unprepared verification says: libsodium's, and for sr25519 sv_sr25519_verify(). */
gboolean sv_verify_unprepared (SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length,
                               const guint8 signature[SV_SIGNATURE_SIZE]);
