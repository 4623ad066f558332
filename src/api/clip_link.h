/* How clips are handed out: by presigned URLs of an S3 store, else by links of a `file:` store:
 * /clips/{hex}?expires=SECONDS&token=HEX, the token an HMAC-SHA256 over both under a secret that the instances of a deployment
 * share (docs/protocol.md section 3). A link says nothing of who asked for it: the chute that fetches the clip is not the
 * asker. */
#pragma once

#include "store/object_store.h"

#define SV_CLIP_LINK_SECONDS 900
#define SV_CLIP_LINK_KEY_SIZE 32

/* The URLs that hand out clips: presigned where the store has such URLs, else links of ours. They are made once for each clip
 * and second. */
typedef struct SvClipLinks SvClipLinks;

/* @base is a public base URL of the server. All three are borrowed until the links are freed. */
SvClipLinks *sv_clip_links_new (const SvObjectStore *store, const char *base, const guint8 key[SV_CLIP_LINK_KEY_SIZE]);
void sv_clip_links_free (SvClipLinks *links);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvClipLinks, sv_clip_links_free)

/* Any thread. Returns: (transfer full). */
char *sv_clip_links_url (SvClipLinks *links, const char *clip_hash, gint64 now_ms);

/* SV_ERROR_USAGE where the store has private objects that it could not hand out. */
gboolean sv_clip_url_check (const SvObjectStore *store, GError **error);

/* @base is a public base URL of the server. Returns: (transfer full). */
char *sv_clip_link_make (const char *base, const guint8 key[SV_CLIP_LINK_KEY_SIZE], const char *clip_hash, gint64 now_ms);

typedef enum
{
  SV_CLIP_LINK_VALID,
  SV_CLIP_LINK_INVALID, /* a part is missing or malformed, or the token is not ours */
  SV_CLIP_LINK_EXPIRED,
} SvClipLinkVerdict;

/* @hex, @expires and @token as received; NULL where absent. */
SvClipLinkVerdict sv_clip_link_check (const guint8 key[SV_CLIP_LINK_KEY_SIZE], const char *hex, const char *expires,
                                      const char *token, gint64 now_ms);
