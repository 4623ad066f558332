/* SS58 for one network: 35 bytes (prefix 42, public key, two bytes of BLAKE2b-512 over "SS58PRE" and what precedes them) in
 * base58. With prefix 42 that is always 48 digits and never begins with "1", so each account has exactly one spelling, and
 * accounts can be compared as strings. */
#include "keys/ss58.h"

#include <sodium.h>
#include <string.h>

#include "base/text_hash.h"

#define NETWORK_PREFIX 42
#define CHECKSUM_SIZE 2
#define PAYLOAD_SIZE (1 + SV_PUBLIC_KEY_SIZE)
#define RAW_SIZE (PAYLOAD_SIZE + CHECKSUM_SIZE)
#define ADDRESS_LENGTH 48

static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

static void
checksum (const guint8 payload[PAYLOAD_SIZE], guint8 out[CHECKSUM_SIZE])
{
  static const guint8 context[] = { 'S', 'S', '5', '8', 'P', 'R', 'E' };
  guint8 hash[64];
  crypto_generichash_state state;
  crypto_generichash_init (&state, NULL, 0, sizeof hash);
  crypto_generichash_update (&state, context, sizeof context);
  crypto_generichash_update (&state, payload, PAYLOAD_SIZE);
  crypto_generichash_final (&state, hash, sizeof hash);
  memcpy (out, hash, CHECKSUM_SIZE);
}

/* A number of RAW_SIZE bytes and a little more, the lowest 32 bits first. */
#define N_WORDS 9
#define DIGITS_AT_ONCE 5 /* 58^5 fits into 32 bits */

/* number = number × factor + addend; it cannot overflow, since 58^48 < 2^288. */
static void
multiply_add (guint32 number[N_WORDS], guint32 factor, guint32 addend)
{
  guint64 carry = addend;
  for (gsize i = 0; i < N_WORDS; i++)
  {
    carry += (guint64)number[i] * factor;
    number[i] = (guint32)carry;
    carry >>= 32;
  }
}

/* FALSE for a character that is no digit. Every request has several accounts in it, so the digits are taken by fives. */
static gboolean
read_digits (const char *address, guint32 number[N_WORDS])
{
  guint32 factor = 1, several = 0;
  for (gsize i = 0; i < ADDRESS_LENGTH; i++)
  {
    const char *digit = strchr (digits, address[i]);
    if (digit == NULL)
      return FALSE;
    several = several * 58 + (guint32)(digit - digits);
    factor *= 58;
    if ((i + 1) % DIGITS_AT_ONCE != 0 && i + 1 < ADDRESS_LENGTH)
      continue;
    multiply_add (number, factor, several);
    factor = 1;
    several = 0;
  }
  return TRUE;
}

/* FALSE when it does not fit. */
static gboolean
write_bytes (const guint32 number[N_WORDS], guint8 raw[RAW_SIZE])
{
  for (gsize i = 0; i < RAW_SIZE; i++)
    raw[RAW_SIZE - 1 - i] = (guint8)(number[i / 4] >> 8 * (i % 4));
  return number[N_WORDS - 1] >> 8 * (RAW_SIZE % 4) == 0;
}

/* raw = raw / 58; returns the remainder. */
static guint
pop_digit (guint8 raw[RAW_SIZE])
{
  guint remainder = 0;
  for (gsize i = 0; i < RAW_SIZE; i++)
  {
    guint value = remainder << 8 | raw[i];
    raw[i] = (guint8)(value / 58);
    remainder = value % 58;
  }
  return remainder;
}

/* @public_key is written only where the address is right. */
static gboolean
read_address (const char address[ADDRESS_LENGTH], guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  guint32 number[N_WORDS] = { 0 };
  guint8 raw[RAW_SIZE];
  guint8 expected[CHECKSUM_SIZE];
  if (!read_digits (address, number) || !write_bytes (number, raw))
    return FALSE;
  checksum (raw, expected);
  if (raw[0] != NETWORK_PREFIX || memcmp (raw + PAYLOAD_SIZE, expected, CHECKSUM_SIZE) != 0)
    return FALSE;
  memcpy (public_key, raw + 1, SV_PUBLIC_KEY_SIZE);
  return TRUE;
}

/* A server is asked by a few hundred accounts, again and again, so each thread remembers addresses that it has read. */
#define N_REMEMBERED 1024

typedef struct
{
  char address[ADDRESS_LENGTH]; /* zeros: none */
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
} Remembered;

/* Where an address is remembered, if it is. */
static Remembered *
place_of (const char *address)
{
  static GPrivate memory = G_PRIVATE_INIT (g_free);
  Remembered *places = g_private_get (&memory);
  if (places == NULL)
  {
    places = g_new0 (Remembered, N_REMEMBERED);
    g_private_set (&memory, places);
  }
  return &places[sv_text_hash (address) % N_REMEMBERED];
}

gboolean
sv_ss58_decode (const char *address, guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  if (address == NULL || strnlen (address, ADDRESS_LENGTH + 1) != ADDRESS_LENGTH)
    return FALSE;
  Remembered *place = place_of (address);
  if (memcmp (place->address, address, ADDRESS_LENGTH) != 0)
  {
    if (!read_address (address, place->public_key))
      return FALSE;
    memcpy (place->address, address, ADDRESS_LENGTH);
  }
  memcpy (public_key, place->public_key, SV_PUBLIC_KEY_SIZE);
  return TRUE;
}

char *
sv_ss58_encode (const guint8 public_key[SV_PUBLIC_KEY_SIZE])
{
  guint8 raw[RAW_SIZE];
  raw[0] = NETWORK_PREFIX;
  memcpy (raw + 1, public_key, SV_PUBLIC_KEY_SIZE);
  checksum (raw, raw + PAYLOAD_SIZE);

  char *address = g_malloc (ADDRESS_LENGTH + 1);
  for (int i = ADDRESS_LENGTH - 1; i >= 0; i--)
    address[i] = digits[pop_digit (raw)];
  address[ADDRESS_LENGTH] = '\0';
  return address;
}

char *
sv_account_normalize (const char *text)
{
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  if (text == NULL)
    return NULL;
  if (g_str_has_prefix (text, SV_ACCOUNT_DOCUMENT_PREFIX))
    text += strlen (SV_ACCOUNT_DOCUMENT_PREFIX);
  return sv_ss58_decode (text, public_key) ? g_strdup (text) : NULL;
}

char *
sv_account_document_form (const char *address)
{
  return g_strconcat (SV_ACCOUNT_DOCUMENT_PREFIX, address, NULL);
}
