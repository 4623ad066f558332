/* Fetching a clip: bounded, from where it may come from, and only what hashes to what was drawn (docs/protocol.md section 8).
 */
#pragma once

#include "base/config.h"
#include "base/http_client.h"
#include "protocol/challenge.h"

/* Origins of our own configuration, which alone may lie on a private address: SCOREVISION_API, S3_ENDPOINT, R2_PUBLIC_URL,
 * CHUTES_API_URL, and CHUTES_MINER_BASE_URL_TEMPLATE where the slug is not part of its host. Returns: (transfer full)
 * NULL-terminated. */
char **sv_own_origins (const SvConfig *config);

/* A verified clip in a file of $TMPDIR without a name there, so that a runner that is killed leaves nothing of up to 2 GiB
 * behind. @path is where this process can read it. */
typedef struct
{
  int fd;
  char *path;
  guint64 bytes;
  char *hash;
} SvFetchedClip;

void sv_fetched_clip_free (SvFetchedClip *clip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvFetchedClip, sv_fetched_clip_free)

/* @hash NULL and @max_bytes 0: not known beforehand (legacy tasks). SV_ERROR_VERIFY when size or hash differ; otherwise as
 * sv_http_perform(). Returns: (transfer full). */
SvFetchedClip *sv_fetch_clip (SvHttpClient *http, const char *const *own_origins, const char *url, const char *hash,
                              guint64 max_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
