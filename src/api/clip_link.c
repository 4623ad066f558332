/* Clip links. The token covers the clip and the time, so neither can be changed; a time further ahead than we ever grant is
 * refused too, which bounds the harm of a clock that once was wrong. */
#include "api/clip_link.h"

#include <sodium.h>
#include <string.h>

#include "base/hash.h"
#include "base/identifiers.h"
#include "base/sha256.h"
#include "base/text_hash.h"

#define CLIP_FOLDER "private/clips/"
#define TOKEN_SIZE SV_SHA256_SIZE
#define CLOCK_SLACK_SECONDS 60 /* between the clocks of instances that share the secret */

static void
make_token (const guint8 *key, const char *hex, guint64 expires, guint8 token[TOKEN_SIZE])
{
  char text[128];
  int length = g_snprintf (text, sizeof text, "sv1/clip:%s:%" G_GUINT64_FORMAT, hex, expires);
  SvHmacSha256 mac;
  sv_hmac_sha256_init (&mac, key, SV_CLIP_LINK_KEY_SIZE);
  sv_hmac_sha256_update (&mac, text, (gsize)length);
  sv_hmac_sha256_final (&mac, token);
}

char *
sv_clip_link_make (const char *base, const guint8 key[SV_CLIP_LINK_KEY_SIZE], const char *clip_hash, gint64 now_ms)
{
  guint8 token[TOKEN_SIZE];
  guint64 expires = (guint64)(now_ms / 1000) + SV_CLIP_LINK_SECONDS;
  const char *hex = sv_hash_hex (clip_hash);
  make_token (key, hex, expires, token);
  g_autofree char *token_hex = sv_hex_encode (token, sizeof token);
  return g_strdup_printf ("%s/clips/%s?expires=%" G_GUINT64_FORMAT "&token=%s", base, hex, expires, token_hex);
}

gboolean
sv_clip_url_check (const SvObjectStore *store, GError **error)
{
  GError *failure = NULL;
  g_free (sv_object_store_presign (store, CLIP_FOLDER "0", SV_CLIP_LINK_SECONDS, &failure));
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

/* ── those of this second ── */

struct SvClipLinks
{
  const SvObjectStore *store;
  const char *base;
  const guint8 *key;
  GMutex lock;
  gint64 second;
  GHashTable *urls; /* hash of a clip -> URL */
};

SvClipLinks *
sv_clip_links_new (const SvObjectStore *store, const char *base, const guint8 key[SV_CLIP_LINK_KEY_SIZE])
{
  SvClipLinks *links = g_new0 (SvClipLinks, 1);
  links->store = store;
  links->base = base;
  links->key = key;
  g_mutex_init (&links->lock);
  links->urls = g_hash_table_new_full (sv_text_hash, g_str_equal, g_free, g_free);
  return links;
}

void
sv_clip_links_free (SvClipLinks *links)
{
  if (links == NULL)
    return;
  g_hash_table_unref (links->urls);
  g_mutex_clear (&links->lock);
  g_free (links);
}

static char *
make_url (const SvClipLinks *links, const char *clip_hash, gint64 now_ms)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *object = g_strconcat (CLIP_FOLDER, sv_hash_hex (clip_hash), NULL);
  char *url = sv_object_store_presign (links->store, object, SV_CLIP_LINK_SECONDS, &failure);
  if (failure != NULL)
    g_error ("%s", failure->message); /* what sv_clip_url_check() has passed cannot fail later */
  return url != NULL ? url : sv_clip_link_make (links->base, links->key, clip_hash, now_ms);
}

char *
sv_clip_links_url (SvClipLinks *links, const char *clip_hash, gint64 now_ms)
{
  gint64 second = now_ms / 1000;
  g_mutex_lock (&links->lock);
  if (second != links->second)
    g_hash_table_remove_all (links->urls);
  links->second = second;
  char *url = g_hash_table_lookup (links->urls, clip_hash);
  if (url == NULL)
  {
    url = make_url (links, clip_hash, now_ms);
    g_hash_table_insert (links->urls, g_strdup (clip_hash), url);
  }
  char *copy = g_strdup (url);
  g_mutex_unlock (&links->lock);
  return copy;
}

SvClipLinkVerdict
sv_clip_link_check (const guint8 key[SV_CLIP_LINK_KEY_SIZE], const char *hex, const char *expires, const char *token,
                    gint64 now_ms)
{
  guint8 digest[SV_SHA256_SIZE], given[TOKEN_SIZE], expected[TOKEN_SIZE];
  guint64 seconds;
  guint64 now = (guint64)MAX (now_ms, 0) / 1000;
  if (hex == NULL || expires == NULL || token == NULL || !sv_hex_decode (hex, FALSE, digest, sizeof digest) ||
      !sv_integer_parse (expires, &seconds) || !sv_hex_decode (token, FALSE, given, sizeof given))
    return SV_CLIP_LINK_INVALID;
  make_token (key, hex, seconds, expected);
  if (sodium_memcmp (given, expected, sizeof given) != 0 || seconds > now + SV_CLIP_LINK_SECONDS + CLOCK_SLACK_SECONDS)
    return SV_CLIP_LINK_INVALID;
  return seconds > now ? SV_CLIP_LINK_VALID : SV_CLIP_LINK_EXPIRED;
}
