/* A public key with what its verifications have in common computed beforehand: some 8 KiB, and the time of one of libsodium's.
 * By it a signature is verified in a quarter of that time. The answers are those of libsodium's crypto_sign_verify_detached()
 * and of sv_sr25519_verify(), for every key, message and signature (tests/unit/keys/test_prepared_key.c, fuzz_prepared_key). */
#pragma once

#include "keys/signature.h"

typedef struct _SvPreparedKey SvPreparedKey;

/* NULL for what can be no key: an encoding of no point or not the point's only one; for Ed25519 a point of small order; for
 * sr25519 the neutral element. Returns: (transfer full). */
SvPreparedKey *sv_prepared_key_new (SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE]);
SvPreparedKey *sv_prepared_key_ref (SvPreparedKey *key);
void sv_prepared_key_unref (SvPreparedKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvPreparedKey, sv_prepared_key_unref)

gboolean sv_prepared_key_is (const SvPreparedKey *key, SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE]);

/* TRUE when @signature, of the key's scheme, is the key's over the message. Any number of threads may ask at once. */
gboolean sv_prepared_key_verify (const SvPreparedKey *key, const void *message, gsize length,
                                 const guint8 signature[SV_SIGNATURE_SIZE]) G_GNUC_WARN_UNUSED_RESULT;
