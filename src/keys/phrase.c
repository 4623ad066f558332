/* Words carry 11 bits each: the entropy, and behind it the first bits of its SHA-256 as a checksum, one for each 32 bits of
 * entropy. Substrate's seed is the first half of PBKDF2-HMAC-SHA512 over the entropy, with 2048 rounds. */
#include "keys/phrase.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "keys/phrase_words.h"

#define BITS_PER_WORD 11
#define MAX_WORDS 24
#define BITS_SIZE 34 /* 33 bytes and one that is never used */
#define N_ROUNDS 2048
#define SEED_SIZE 32
#define HMAC_SIZE crypto_auth_hmacsha512_BYTES

/* ---- words ---- */

/* The next word of the text between @at and @end; its length is 0 behind the last. */
static const char *
next_word (const char **at, const char *end, gsize *length)
{
  while (*at < end && g_ascii_isspace (**at))
    (*at)++;
  const char *word = *at;
  while (*at < end && !g_ascii_isspace (**at))
    (*at)++;
  *length = (gsize)(*at - word);
  return word;
}

static guint
count_words (const char *phrase, gsize size)
{
  guint n = 0;
  gsize length;
  for (const char *at = phrase; next_word (&at, phrase + size, &length), length > 0;)
    n++;
  return n;
}

static int
compare_words (const void *word, const void *entry)
{
  return strcmp (word, entry);
}

/* -1 for a word that is not in the list. */
static int
find_word (const char *word, gsize length)
{
  char text[SV_PHRASE_WORD_SIZE] = { 0 };
  if (length >= sizeof text)
    return -1;
  memcpy (text, word, length);
  const char *found = bsearch (text, sv_phrase_words, SV_PHRASE_N_WORDS, SV_PHRASE_WORD_SIZE, compare_words);
  sodium_memzero (text, sizeof text);
  return found != NULL ? (int)((found - sv_phrase_words[0]) / SV_PHRASE_WORD_SIZE) : -1;
}

static void
put_number (SvSecret *bits, guint number, guint word)
{
  for (guint i = 0; i < BITS_PER_WORD; i++)
  {
    guint bit = number * BITS_PER_WORD + i;
    bits[bit / 8] |= (guint8)((word >> (BITS_PER_WORD - 1 - i) & 1) << (7 - bit % 8));
  }
}

static gboolean
read_words (const char *what, const char *phrase, gsize size, SvSecret *bits, GError **error)
{
  const char *at = phrase, *word;
  gsize length;
  for (guint i = 0; word = next_word (&at, phrase + size, &length), length > 0; i++)
  {
    int number = find_word (word, length);
    if (number < 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: word %u of the phrase is not in BIP-39's English list", what,
                   i + 1);
      return FALSE;
    }
    put_number (bits, i, (guint)number);
  }
  return TRUE;
}

static gboolean
check_checksum (const SvSecret *bits, gsize entropy_size)
{
  guint8 hash[crypto_hash_sha256_BYTES];
  guint8 mask = (guint8)(0xff << (8 - entropy_size / 4)); /* a bit for each 32 of the entropy */
  crypto_hash_sha256 (hash, bits, entropy_size);
  gboolean same = ((hash[0] ^ bits[entropy_size]) & mask) == 0;
  sodium_memzero (hash, sizeof hash);
  return same;
}

/* ---- the seed ---- */

/* The first block of PBKDF2: the chain of HMACs added up. Each begins with the same key, whose state is made once. */
static void
stretch (const SvSecret *entropy, gsize entropy_size, const char *password, guint8 sum[HMAC_SIZE])
{
  static const char salt[] = "mnemonic";
  static const guint8 block[] = { 0, 0, 0, 1 };
  crypto_auth_hmacsha512_state keyed, state;
  guint8 mac[HMAC_SIZE];
  crypto_auth_hmacsha512_init (&keyed, entropy, entropy_size);
  state = keyed;
  crypto_auth_hmacsha512_update (&state, (const guint8 *)salt, strlen (salt));
  crypto_auth_hmacsha512_update (&state, (const guint8 *)password, strlen (password));
  crypto_auth_hmacsha512_update (&state, block, sizeof block);
  crypto_auth_hmacsha512_final (&state, mac);
  memcpy (sum, mac, sizeof mac);
  for (guint round = 1; round < N_ROUNDS; round++)
  {
    state = keyed;
    crypto_auth_hmacsha512_update (&state, mac, sizeof mac);
    crypto_auth_hmacsha512_final (&state, mac);
    for (gsize i = 0; i < sizeof mac; i++)
      sum[i] ^= mac[i];
  }
  sodium_memzero (&keyed, sizeof keyed);
  sodium_memzero (&state, sizeof state);
  sodium_memzero (mac, sizeof mac);
}

gboolean
sv_phrase_to_seed (const char *what, const char *phrase, gsize length, const char *password, guint8 seed[32], GError **error)
{
  g_autoptr (SvSecret) bits = sv_secret_alloc (BITS_SIZE);
  guint n = count_words (phrase, length);
  if (n < 12 || n > MAX_WORDS || n % 3 != 0)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: a phrase has 12, 15, 18, 21 or 24 words, not %u", what, n);
    return FALSE;
  }
  gsize entropy_size = n * 4 / 3;
  if (!read_words (what, phrase, length, bits, error))
    return FALSE;
  if (!check_checksum (bits, entropy_size))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED,
                 "%s: every word of the phrase is in the list, but not all are the right ones in the right order (its checksum "
                 "is wrong)",
                 what);
    return FALSE;
  }
  g_autoptr (SvSecret) sum = sv_secret_alloc (HMAC_SIZE);
  stretch (bits, entropy_size, password != NULL ? password : "", sum);
  memcpy (seed, sum, SEED_SIZE);
  return TRUE;
}

SvSecret *
sv_phrase_normalize (const char *phrase, gsize length)
{
  SvSecret *normal = sv_secret_alloc (length + 1);
  const char *at = phrase, *word;
  gsize word_length, size = 0;
  while (word = next_word (&at, phrase + length, &word_length), word_length > 0)
  {
    if (size > 0)
      normal[size++] = ' ';
    memcpy (normal + size, word, word_length);
    size += word_length;
  }
  return normal;
}
