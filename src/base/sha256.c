/* Nettle behind one door, so that nobody else names it. */
#include "base/sha256.h"

#include "base/hash.h"

G_STATIC_ASSERT (SV_SHA256_SIZE == SHA256_DIGEST_SIZE);

void
sv_sha256_init (SvSha256 *hash)
{
  sha256_init (&hash->context);
}

void
sv_sha256_update (SvSha256 *hash, const void *data, gsize length)
{
  if (length > 0)
    sha256_update (&hash->context, length, data);
}

void
sv_sha256_final (SvSha256 *hash, guint8 digest[SHA256_DIGEST_SIZE])
{
  sha256_digest (&hash->context, SHA256_DIGEST_SIZE, digest);
}

void
sv_hmac_sha256_init (SvHmacSha256 *mac, const void *key, gsize key_length)
{
  hmac_sha256_set_key (&mac->context, key_length, key);
}

void
sv_hmac_sha256_update (SvHmacSha256 *mac, const void *data, gsize length)
{
  if (length > 0)
    hmac_sha256_update (&mac->context, length, data);
}

void
sv_hmac_sha256_final (SvHmacSha256 *mac, guint8 tag[SHA256_DIGEST_SIZE])
{
  hmac_sha256_digest (&mac->context, SHA256_DIGEST_SIZE, tag);
}
