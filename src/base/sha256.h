/* SHA-256 in pieces, and HMAC-SHA-256. By Nettle, which uses the processor's instructions for it where there are any, and is
 * then four times as fast as libsodium's portable C: a challenge takes some twenty blocks, a clip a million. */
#pragma once

#include <glib.h>
#include <nettle/hmac.h>

typedef struct
{
  struct sha256_ctx context;
} SvSha256;

void sv_sha256_init (SvSha256 *hash);
void sv_sha256_update (SvSha256 *hash, const void *data, gsize length);
void sv_sha256_final (SvSha256 *hash, guint8 digest[SHA256_DIGEST_SIZE]);

/* As secret as its key: whoever holds one beyond a call wipes it. A plain value; a copy of one just made ready computes as it
 * would, without the key's two blocks. */
typedef struct
{
  struct hmac_sha256_ctx context;
} SvHmacSha256;

void sv_hmac_sha256_init (SvHmacSha256 *mac, const void *key, gsize key_length);
void sv_hmac_sha256_update (SvHmacSha256 *mac, const void *data, gsize length);
void sv_hmac_sha256_final (SvHmacSha256 *mac, guint8 tag[SHA256_DIGEST_SIZE]);
