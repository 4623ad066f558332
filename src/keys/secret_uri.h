/* Keys as people write them down, in Substrate's form: a phrase or a seed, a derivation path, and a password of the phrase.
 *
 *   word word … word//hard/soft///password          0x and 64 hex digits//hard */
#pragma once

#include "keys/keypair_secret.h"

/* Makes the key. A key of a phrase without path and password keeps the phrase. @what names the input in messages, which hold
 * nothing of it. SV_ERROR_MALFORMED; SV_ERROR_POLICY for a soft step of an ed25519 key. Returns: (transfer full). */
SvKeypair *sv_keypair_from_uri (const char *what, const char *uri, SvScheme scheme, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* @key in either form that is in use (see sr25519.h): scalar and nonce half, as btcli has it, or the scalar multiplied by 8, as
 * programs in JavaScript have it. The one is taken that belongs to @public_key; where that is NULL, the only one that is
 * possible, and SV_ERROR_POLICY when both are. @what names the input. Returns: (transfer full). */
SvKeypair *sv_keypair_from_private_key (const char *what, const guint8 key[SV_SR25519_SECRET_SIZE], const guint8 *public_key,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
