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

#include <math.h>
#include <sodium.h>

#define SEED_BITS 53

G_STATIC_ASSERT (crypto_auth_hmacsha256_KEYBYTES == 32);

/* (transfer full) the canonical JSON of an array of the strings, NULL when one is not UTF-8. */
static GBytes *
canonical_strings (const char *const *strings, gsize n)
{
  g_autoptr (json_t) array = json_array ();

  for (gsize i = 0; i < n; i++)
  {
    if (json_array_append_new (array, json_string (strings[i])) != 0)
      return NULL;
  }
  return sv_json_canonical (array, NULL);
}

static char *
format_uuid (const guint8 bytes[16])
{
  g_autofree char *hex = sv_hex_encode (bytes, 16);
  return g_strdup_printf ("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

char *
sv_bound_nonce (const char *base, guint netuid, const char *asker, const char *nonce, const char *element_id, const char *miner,
                const char *slug, const char *proof)
{
  guint8 digest[SV_SHA256_SIZE];
  g_autofree char *subnet = g_strdup_printf ("%u", netuid);
  const char *strings[] = {
    "sv1/challenge", base, subnet, asker, nonce, element_id, miner, slug != NULL ? slug : "", proof != NULL ? proof : "",
  };
  g_autoptr (GBytes) canonical = canonical_strings (strings, G_N_ELEMENTS (strings));
  if (canonical == NULL)
    return g_strdup ("");

  sv_sha256 (g_bytes_get_data (canonical, NULL), g_bytes_get_size (canonical), digest);
  digest[6] = (guint8)((digest[6] & 0x0f) | 0x40);
  digest[8] = (guint8)((digest[8] & 0x3f) | 0x80);
  return format_uuid (digest);
}

guint64
sv_draw_seed (const guint8 key[32], const char *manifest_hash, const char *element_id, const char *asker,
              const char *miner_hotkey, const char *nonce)
{
  guint8 tag[crypto_auth_hmacsha256_BYTES];
  guint64 first = 0;
  g_autofree char *stored_hash = sv_hash_normalize (manifest_hash);
  const char *strings[] = { "sv1/draw", stored_hash, element_id, asker, miner_hotkey, nonce };
  g_autoptr (GBytes) canonical = canonical_strings (strings, G_N_ELEMENTS (strings));
  g_return_val_if_fail (canonical != NULL, 0);

  crypto_auth_hmacsha256 (tag, g_bytes_get_data (canonical, NULL), g_bytes_get_size (canonical), key);
  for (guint i = 0; i < 8; i++)
    first = first << 8 | tag[i];
  return first >> (64 - SEED_BITS);
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
