/* The secret half of a key pair, for the files of this room that read and write it; no other room includes this. */
#pragma once

#include "keys/keypair.h"
#include "keys/secret.h"
#include "keys/sr25519.h"

/* From a secret in the form of sr25519.h; NULL when it has no public key. Returns: (transfer full). */
SvKeypair *sv_keypair_from_sr25519_secret (const guint8 secret[SV_SR25519_SECRET_SIZE]);

/* (transfer none) 32 bytes; NULL for an sr25519 key that was not made of a seed. */
const guint8 *sv_keypair_seed (const SvKeypair *keypair);

/* (transfer none) for sr25519 SV_SR25519_SECRET_SIZE bytes, for ed25519 the seed and the public key. */
const guint8 *sv_keypair_secret (const SvKeypair *keypair);

/* (transfer none) the phrase of which nothing but this key was made, or NULL. */
const char *sv_keypair_phrase (const SvKeypair *keypair);
void sv_keypair_set_phrase (SvKeypair *keypair, const char *phrase);
