/* Key pairs, in memory. libsodium's secret key (seed and public key, 64 bytes) lies in guarded, locked memory that is wiped
 * when it is freed; nothing else here keeps a copy. */
#include "keys/keypair.h"

#include <sodium.h>
#include <string.h>

#include "keys/keypair_secret.h"

struct SvKeypair
{
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  guint8 *secret; /* crypto_sign_SECRETKEYBYTES of sodium_malloc memory */
  char *address;
};

guint8 *
sv_secret_alloc (gsize length)
{
  static gsize ready = 0;
  if (g_once_init_enter (&ready))
  {
    if (sodium_init () < 0)
      g_error ("libsodium cannot be initialised");
    g_once_init_leave (&ready, 1);
  }
  guint8 *secret = sodium_malloc (length);
  if (secret == NULL)
    g_error ("no memory for a secret of %" G_GSIZE_FORMAT " bytes", length);
  memset (secret, 0, length);
  return secret;
}

void
sv_secret_free (guint8 *secret)
{
  sodium_free (secret);
}

SvKeypair *
sv_keypair_from_seed (const guint8 seed[32])
{
  SvKeypair *keypair = g_new0 (SvKeypair, 1);
  keypair->secret = sv_secret_alloc (crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair (keypair->public_key, keypair->secret, seed);
  keypair->address = sv_ss58_encode (keypair->public_key);
  return keypair;
}

SvKeypair *
sv_keypair_generate (void)
{
  g_autoptr (SvSecret) seed = sv_secret_alloc (crypto_sign_SEEDBYTES);
  randombytes_buf (seed, crypto_sign_SEEDBYTES);
  return sv_keypair_from_seed (seed);
}

void
sv_keypair_free (SvKeypair *keypair)
{
  if (keypair == NULL)
    return;
  sodium_free (keypair->secret);
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
  return SV_SCHEME_ED25519;
}

const guint8 *
sv_keypair_seed (const SvKeypair *keypair)
{
  return keypair->secret; /* libsodium keeps the seed in front */
}

char *
sv_keypair_sign (const SvKeypair *keypair, const void *message, gsize length)
{
  guint8 signature[SV_SIGNATURE_SIZE];
  crypto_sign_detached (signature, NULL, message, length, keypair->secret);
  return sv_signature_format (signature, SV_SCHEME_ED25519);
}
