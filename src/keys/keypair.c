/* Key pairs, in memory. The secret lies in guarded, locked memory that is wiped when it is freed; nothing else here keeps a
 * copy. For ed25519 it is libsodium's secret key (seed and public key), for sr25519 scalar and nonce half, and the seed behind
 * them where there is one. */
#include "keys/keypair.h"

#include <sodium.h>
#include <string.h>

#include "keys/keypair_secret.h"

#define SEED_SIZE 32

G_STATIC_ASSERT (crypto_sign_SECRETKEYBYTES == SV_SR25519_SECRET_SIZE);

struct SvKeypair
{
  SvScheme scheme;
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  SvSecret *secret; /* 64 bytes, and the seed of an sr25519 key */
  SvSecret *phrase; /* or NULL */
  const guint8 *seed;
  char *address;
};

static SvKeypair *
keypair_new (SvScheme scheme)
{
  SvKeypair *keypair = g_new0 (SvKeypair, 1);
  keypair->scheme = scheme;
  keypair->secret = sv_secret_alloc (SV_SR25519_SECRET_SIZE + SEED_SIZE);
  return keypair;
}

static SvKeypair *
ed25519_from_seed (const guint8 seed[SEED_SIZE])
{
  SvKeypair *keypair = keypair_new (SV_SCHEME_ED25519);
  crypto_sign_seed_keypair (keypair->public_key, keypair->secret, seed);
  keypair->seed = keypair->secret; /* libsodium keeps the seed in front */
  keypair->address = sv_ss58_encode (keypair->public_key);
  return keypair;
}

SvKeypair *
sv_keypair_from_sr25519_secret (const guint8 secret[SV_SR25519_SECRET_SIZE])
{
  g_autoptr (SvKeypair) keypair = keypair_new (SV_SCHEME_SR25519);
  memcpy (keypair->secret, secret, SV_SR25519_SECRET_SIZE);
  if (!sv_sr25519_public_key (secret, keypair->public_key))
    return NULL;
  keypair->address = sv_ss58_encode (keypair->public_key);
  return g_steal_pointer (&keypair);
}

static SvKeypair *
sr25519_from_seed (const guint8 seed[SEED_SIZE])
{
  g_autoptr (SvSecret) secret = sv_secret_alloc (SV_SR25519_SECRET_SIZE);
  sv_sr25519_expand (seed, secret);
  SvKeypair *keypair = sv_keypair_from_sr25519_secret (secret);
  g_assert (keypair != NULL); /* bit 251 of an expanded scalar is set and no higher one, so it is reduced and not 0 */
  memcpy (keypair->secret + SV_SR25519_SECRET_SIZE, seed, SEED_SIZE);
  keypair->seed = keypair->secret + SV_SR25519_SECRET_SIZE;
  return keypair;
}

SvKeypair *
sv_keypair_from_seed (const guint8 seed[32], SvScheme scheme)
{
  return scheme == SV_SCHEME_SR25519 ? sr25519_from_seed (seed) : ed25519_from_seed (seed);
}

SvKeypair *
sv_keypair_generate (SvScheme scheme)
{
  g_autoptr (SvSecret) seed = sv_secret_alloc (SEED_SIZE);
  randombytes_buf (seed, SEED_SIZE);
  return sv_keypair_from_seed (seed, scheme);
}

void
sv_keypair_free (SvKeypair *keypair)
{
  if (keypair == NULL)
    return;
  sv_secret_free (keypair->secret);
  sv_secret_free (keypair->phrase);
  g_free (keypair->address);
  g_free (keypair);
}

const char *
sv_keypair_address (const SvKeypair *keypair)
{
  return keypair->address;
}

const guint8 *
sv_keypair_public_key (const SvKeypair *keypair)
{
  return keypair->public_key;
}

SvScheme
sv_keypair_scheme (const SvKeypair *keypair)
{
  return keypair->scheme;
}

const guint8 *
sv_keypair_seed (const SvKeypair *keypair)
{
  return keypair->seed;
}

const guint8 *
sv_keypair_secret (const SvKeypair *keypair)
{
  return keypair->secret;
}

const char *
sv_keypair_phrase (const SvKeypair *keypair)
{
  return (const char *)keypair->phrase;
}

void
sv_keypair_set_phrase (SvKeypair *keypair, const char *phrase)
{
  sv_secret_free (keypair->phrase);
  keypair->phrase = sv_secret_copy_string (phrase, strlen (phrase));
}

void
sv_keypair_sign_raw (const SvKeypair *keypair, const void *message, gsize length, guint8 signature[SV_SIGNATURE_SIZE])
{
  if (keypair->scheme == SV_SCHEME_SR25519)
    sv_sr25519_sign (keypair->secret, keypair->public_key, message, length, signature);
  else
    crypto_sign_detached (signature, NULL, message, length, keypair->secret);
}

char *
sv_keypair_sign (const SvKeypair *keypair, const void *message, gsize length)
{
  guint8 signature[SV_SIGNATURE_SIZE];
  sv_keypair_sign_raw (keypair, message, length, signature);
  return sv_signature_format (signature, keypair->scheme);
}
