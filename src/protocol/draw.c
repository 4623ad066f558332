/* What is computed over a request so that others can compute it again: the bound X-Nonce and the draw.
 *
 * Both hash a canonical JSON array of strings. An array of strings has one canonical form and quotes its members, so no part
 * can run into the next, and any JSON library can rebuild it.
 *
 * The draw is exact on every machine. seed/2^53 is exact, because the seed has 53 bits and the divisor is a power of two; its
 * product with the total and each partial sum are single IEEE operations in a fixed order (clips sorted by hash), rounded to
 * nearest. So whoever has K, the manifest and the issue record finds the same clip. The product stays below the total for any
 * seed, and the last partial sum is the total; should weights so small that doubles lose digits, or so large that they
 * overflow, break that, the last clip is drawn. */
#include "protocol/challenge.h"

#include "base/hash.h"
#include "base/json_text.h"

#include <math.h>
#include <sodium.h>

#define SEED_BITS 53
#define UUID_SIZE 37

#define USUAL_SIZE 2048 /* of a text that is hashed, with room for escapes while it is written */

static void
format_uuid (const guint8 bytes[16], char text[UUID_SIZE])
{
  static const char digits[] = "0123456789abcdef";
  char *out = text;
  for (guint i = 0; i < 16; i++)
  {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      *out++ = '-';
    *out++ = digits[bytes[i] >> 4];
    *out++ = digits[bytes[i] & 15];
  }
  *out = '\0';
}

char *
sv_bound_nonce (const char *base, guint netuid, const char *asker, const char *nonce, const char *element_id, const char *miner,
                const char *slug, const char *proof)
{
  guint8 digest[SV_SHA256_SIZE];
  char subnet[16], buffer[USUAL_SIZE], uuid[UUID_SIZE];
  g_snprintf (subnet, sizeof subnet, "%u", netuid);
  const char *strings[] = {
    "sv1/challenge", base, subnet, asker, nonce, element_id, miner, slug != NULL ? slug : "", proof != NULL ? proof : "",
  };
  g_auto (SvJsonText) canonical;
  sv_json_text_init (&canonical, buffer, sizeof buffer);
  sv_json_text_strings (&canonical, strings, G_N_ELEMENTS (strings));
  if (!canonical.is_valid)
    return g_strdup ("");

  sv_sha256 (canonical.text, canonical.length, digest);
  digest[6] = (guint8)((digest[6] & 0x0f) | 0x40);
  digest[8] = (guint8)((digest[8] & 0x3f) | 0x80);
  format_uuid (digest, uuid);
  return g_strdup (uuid);
}

void
sv_draw_key_prepare (const guint8 key[32], SvDrawKey *prepared)
{
  sv_hmac_sha256_init (&prepared->mac, key, 32);
}

guint64
sv_draw_seed_by (const SvDrawKey *key, const char *manifest_hash, const char *element_id, const char *asker,
                 const char *miner_hotkey, const char *nonce)
{
  guint8 tag[SV_SHA256_SIZE];
  guint64 first = 0;
  char stored_hash[SV_HASH_TEXT_SIZE], buffer[USUAL_SIZE];
  g_return_val_if_fail (sv_hash_normalize_into (manifest_hash, stored_hash), 0);
  const char *strings[] = { "sv1/draw", stored_hash, element_id, asker, miner_hotkey, nonce };
  g_auto (SvJsonText) canonical;
  sv_json_text_init (&canonical, buffer, sizeof buffer);
  sv_json_text_strings (&canonical, strings, G_N_ELEMENTS (strings));
  g_return_val_if_fail (canonical.is_valid, 0);

  SvHmacSha256 mac = key->mac;
  sv_hmac_sha256_update (&mac, canonical.text, canonical.length);
  sv_hmac_sha256_final (&mac, tag);
  for (guint i = 0; i < 8; i++)
    first = first << 8 | tag[i];
  sodium_memzero (&mac, sizeof mac);
  return first >> (64 - SEED_BITS);
}

guint64
sv_draw_seed (const guint8 key[32], const char *manifest_hash, const char *element_id, const char *asker,
              const char *miner_hotkey, const char *nonce)
{
  SvDrawKey prepared;
  sv_draw_key_prepare (key, &prepared);
  guint64 seed = sv_draw_seed_by (&prepared, manifest_hash, element_id, asker, miner_hotkey, nonce);
  sodium_memzero (&prepared, sizeof prepared);
  return seed;
}

const SvManifestClip *
sv_draw_clip (const SvElement *element, guint64 seed)
{
  double total = 0, cumulative = 0;

  if (element->n_clips == 0)
    return NULL;
  for (gsize i = 0; i < element->n_clips; i++)
    total += element->clips[i].weight;
  double threshold = ldexp ((double)seed, -SEED_BITS) * total;
  for (gsize i = 0; i < element->n_clips; i++)
  {
    cumulative += element->clips[i].weight;
    if (cumulative > threshold)
      return &element->clips[i];
  }
  return &element->clips[element->n_clips - 1];
}

char *
sv_draw_commit (const guint8 key[32])
{
  return sv_hash_bytes (key, 32);
}
