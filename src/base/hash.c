/* SHA-256 by base/sha256.h, BLAKE2b by libsodium. Nothing here is secret, so hashes may be compared elsewhere by strcmp(). */
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/words.h"

#define HEX_DIGITS (2 * SV_SHA256_SIZE)
#define PREFIX_LENGTH (sizeof SV_HASH_PREFIX - 1)
#define PIECE_SIZE (256 * 1024)

static gpointer
start_sodium (gpointer unused)
{
  if (sodium_init () < 0)
    g_error ("libsodium does not start: no source of randomness");
  return NULL;
}

static void
need_sodium (void)
{
  static GOnce once = G_ONCE_INIT;

  g_once (&once, start_sodium, NULL);
}

void
sv_sha256 (const void *data, gsize length, guint8 digest[SV_SHA256_SIZE])
{
  SvSha256 hash;
  sv_sha256_init (&hash);
  sv_sha256_update (&hash, data, length);
  sv_sha256_final (&hash, digest);
}

void
sv_blake2b_256 (const void *data, gsize length, guint8 digest[SV_BLAKE2B_256_SIZE])
{
  need_sodium ();
  crypto_generichash_blake2b (digest, SV_BLAKE2B_256_SIZE, data, length, NULL, 0);
}

static char *
hash_of_digest (const guint8 digest[SV_SHA256_SIZE])
{
  g_autofree char *hex = sv_hex_encode (digest, SV_SHA256_SIZE);

  return g_strconcat (SV_HASH_PREFIX, hex, NULL);
}

char *
sv_hash_bytes (const void *data, gsize length)
{
  guint8 digest[SV_SHA256_SIZE];

  sv_sha256 (data, length, digest);
  return hash_of_digest (digest);
}

char *
sv_hash_gbytes (GBytes *bytes)
{
  gsize length = 0;
  const void *data = g_bytes_get_data (bytes, &length);

  return sv_hash_bytes (data, length);
}

static gboolean
hash_descriptor (int fd, SvSha256 *hash)
{
  g_autofree guint8 *piece = g_malloc (PIECE_SIZE);

  for (;;)
  {
    ssize_t n = read (fd, piece, PIECE_SIZE);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    if (n == 0)
      return TRUE;
    sv_sha256_update (hash, piece, (gsize)n);
  }
}

/* Opens a regular file: a device has no end, and a pipe may have no writer. Returns the descriptor or -1. */
static int
open_regular (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int problem = errno;
  struct stat st;

  if (fd >= 0 && fstat (fd, &st) == 0 && S_ISREG (st.st_mode))
    return fd;
  if (fd >= 0)
  {
    close (fd);
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s is not a regular file", path);
    return -1;
  }
  g_set_error (error, SV_ERROR, problem == ENOENT || problem == ENOTDIR ? SV_ERROR_NOT_FOUND : SV_ERROR_FAILED,
               "cannot open %s: %s", path, g_strerror (problem));
  return -1;
}

char *
sv_hash_file (const char *path, GError **error)
{
  guint8 digest[SV_SHA256_SIZE];
  SvSha256 hash;
  int fd = open_regular (path, error);
  gboolean is_read;
  int problem;

  if (fd < 0)
    return NULL;
  sv_sha256_init (&hash);
  is_read = hash_descriptor (fd, &hash);
  problem = errno;
  close (fd);
  if (!is_read)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "cannot read %s: %s", path, g_strerror (problem));
    return NULL;
  }
  sv_sha256_final (&hash, digest);
  return hash_of_digest (digest);
}

G_STATIC_ASSERT (HEX_DIGITS % SV_WORD_SIZE == 0);

gboolean
sv_hash_is_bare (const char *text)
{
  guint64 hex = SV_WORD_TOPS;
  if (strnlen (text, HEX_DIGITS + 1) != HEX_DIGITS)
    return FALSE;
  for (gsize i = 0; i < HEX_DIGITS; i += SV_WORD_SIZE)
  {
    guint64 word = sv_word_read (text + i);
    hex &= sv_word_in_range (word, '0', '9') | sv_word_in_range (word, 'a', 'f');
  }
  return hex == SV_WORD_TOPS;
}

gboolean
sv_hash_is_valid (const char *text)
{
  return text != NULL && g_str_has_prefix (text, SV_HASH_PREFIX) && sv_hash_is_bare (text + PREFIX_LENGTH);
}

gboolean
sv_hash_normalize_into (const char *text, char hash[SV_HASH_TEXT_SIZE])
{
  const char *digits = text != NULL && g_str_has_prefix (text, SV_HASH_PREFIX) ? text + PREFIX_LENGTH : text;
  if (digits == NULL || !sv_hash_is_bare (digits))
    return FALSE;
  memcpy (hash, SV_HASH_PREFIX, PREFIX_LENGTH);
  memcpy (hash + PREFIX_LENGTH, digits, SV_HASH_TEXT_SIZE - PREFIX_LENGTH);
  return TRUE;
}

char *
sv_hash_normalize (const char *text)
{
  char hash[SV_HASH_TEXT_SIZE];
  return sv_hash_normalize_into (text, hash) ? g_strdup (hash) : NULL;
}

const char *
sv_hash_hex (const char *hash)
{
  g_assert (sv_hash_is_valid (hash));
  return hash + PREFIX_LENGTH;
}

char *
sv_hex_encode (const void *data, gsize length)
{
  static const char digits[] = "0123456789abcdef";
  const guint8 *bytes = data;
  char *text = g_malloc (2 * length + 1);

  for (gsize i = 0; i < length; i++)
  {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  text[2 * length] = '\0';
  return text;
}

#define DIGIT 0x10
#define CAPITAL 0x20 /* a digit where any case is allowed */

static const guint8 digit_values[256] = {
  ['0'] = DIGIT | 0,    ['1'] = DIGIT | 1,    ['2'] = DIGIT | 2,    ['3'] = DIGIT | 3,    ['4'] = DIGIT | 4,
  ['5'] = DIGIT | 5,    ['6'] = DIGIT | 6,    ['7'] = DIGIT | 7,    ['8'] = DIGIT | 8,    ['9'] = DIGIT | 9,
  ['a'] = DIGIT | 10,   ['b'] = DIGIT | 11,   ['c'] = DIGIT | 12,   ['d'] = DIGIT | 13,   ['e'] = DIGIT | 14,
  ['f'] = DIGIT | 15,   ['A'] = CAPITAL | 10, ['B'] = CAPITAL | 11, ['C'] = CAPITAL | 12, ['D'] = CAPITAL | 13,
  ['E'] = CAPITAL | 14, ['F'] = CAPITAL | 15,
};

/* Eight digits as four bytes; FALSE where one is none. A signature is 128 digits of which nobody can foresee the next, so a
 * branch for each would be taken wrongly half the time. */
static gboolean
decode_word (const char *text, gboolean any_case, guint8 *out)
{
  guint64 word = GUINT64_FROM_LE (sv_word_read (text));
  guint64 letters = sv_word_in_range (word, 'a', 'f') | (any_case ? sv_word_in_range (word, 'A', 'F') : 0);
  guint64 values = (word & SV_WORD_ONES * 15) + (letters >> 7) * 9;
  guint64 bytes = (values << 4 | values >> 8) & 0x00ff00ff00ff00ff; /* in every other one */
  bytes = (bytes | bytes >> 8) & 0x0000ffff0000ffff;
  guint32 four = GUINT32_TO_LE ((guint32)(bytes | bytes >> 16));
  memcpy (out, &four, sizeof four);
  return (sv_word_in_range (word, '0', '9') | letters) == SV_WORD_TOPS;
}

gboolean
sv_hex_decode (const char *text, gboolean any_case, guint8 *out, gsize length)
{
  const guint8 wanted = any_case ? DIGIT | CAPITAL : DIGIT;
  gboolean is_hex = TRUE;
  if (text == NULL || strnlen (text, 2 * length + 1) != 2 * length)
    return FALSE;
  gsize i = 0;
  for (; i + 4 <= length; i += 4)
    is_hex &= decode_word (text + 2 * i, any_case, out + i);
  for (; i < length; i++)
  {
    guint8 high = digit_values[(guint8)text[2 * i]], low = digit_values[(guint8)text[2 * i + 1]];
    is_hex &= ((high & wanted) != 0) & ((low & wanted) != 0);
    out[i] = (guint8)(high << 4 | (low & 15));
  }
  return is_hex;
}
