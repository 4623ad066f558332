/* sr25519: Schnorr signatures on ristretto255, as the chain's accounts make them (schnorrkel, signing context "substrate"). A
 * seed is expanded as for Ed25519. A secret is 64 bytes: the scalar, little-endian and below the group's order, and 32 bytes
 * that only go into the nonces of signatures. Whoever calls keeps secrets in guarded memory. */
#pragma once

#include "keys/signature.h"

#define SV_SR25519_SECRET_SIZE 64
#define SV_SR25519_SCALAR_SIZE 32
#define SV_SR25519_CHAIN_CODE_SIZE 32

void sv_sr25519_expand (const guint8 seed[32], guint8 secret[SV_SR25519_SECRET_SIZE]);

/* FALSE for the scalar 0, whose public key is everybody's, and for a scalar that is not below the group's order. */
gboolean sv_sr25519_public_key (const guint8 secret[SV_SR25519_SECRET_SIZE],
                                guint8 public_key[SV_PUBLIC_KEY_SIZE]) G_GNUC_WARN_UNUSED_RESULT;

/* The secret whose scalar is multiplied by the cofactor 8, as programs in JavaScript write it. FALSE where it cannot be one. */
gboolean sv_sr25519_from_ed25519_form (const guint8 form[SV_SR25519_SECRET_SIZE],
                                       guint8 secret[SV_SR25519_SECRET_SIZE]) G_GNUC_WARN_UNUSED_RESULT;

/* Two signatures of one message differ: fresh random bytes go into each, beside the secret and the message. */
void sv_sr25519_sign (const guint8 secret[SV_SR25519_SECRET_SIZE], const guint8 public_key[SV_PUBLIC_KEY_SIZE],
                      const void *message, gsize length, guint8 signature[SV_SIGNATURE_SIZE]);

/* Refuses signatures without the mark (bit 7 of the last byte), unreduced scalars, what encodes no point, and the neutral
 * element as a key. */
gboolean sv_sr25519_verify (const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length,
                            const guint8 signature[SV_SIGNATURE_SIZE]) G_GNUC_WARN_UNUSED_RESULT;

/* What remains to be seen of a signature: it holds when s·B - k·A, with A the key, encodes to its first 32 bytes. FALSE where
 * its form alone refuses it. For whoever has a faster way than sv_sr25519_verify() to see that. */
gboolean sv_sr25519_equation (const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length,
                              const guint8 signature[SV_SIGNATURE_SIZE], guint8 s[SV_SR25519_SCALAR_SIZE],
                              guint8 k[SV_SR25519_SCALAR_SIZE]) G_GNUC_WARN_UNUSED_RESULT;

/* A hard step of a derivation path gives a seed, a soft one a secret without a seed. */
void sv_sr25519_derive_hard (const guint8 secret[SV_SR25519_SECRET_SIZE], const guint8 code[SV_SR25519_CHAIN_CODE_SIZE],
                             guint8 seed[32]);
void sv_sr25519_derive_soft (const guint8 secret[SV_SR25519_SECRET_SIZE], const guint8 public_key[SV_PUBLIC_KEY_SIZE],
                             const guint8 code[SV_SR25519_CHAIN_CODE_SIZE], guint8 derived[SV_SR25519_SECRET_SIZE]);
