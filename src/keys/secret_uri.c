/* Each step of a path is a number or a text, made into a chain code of 32 bytes: a number as 8 bytes little-endian, a text in
 * SCALE (its length before it), both filled up with zeros; what is longer than 32 bytes is hashed. Messages tell a step by its
 * position, since a path may be chosen to be secret. */
#include "keys/secret_uri.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "keys/phrase.h"

#define SEED_SIZE 32
#define CODE_SIZE SV_SR25519_CHAIN_CODE_SIZE
#define MAX_STEP_LENGTH 16383 /* what two bytes of SCALE's compact length can say */

typedef struct
{
  const char *what; /* names the input in messages */
  const char *base; /* phrase or seed */
  gsize base_length;
  const char *path; /* from the first slash */
  gsize path_length;
  const char *password; /* or NULL */
} Uri;

static void
split (const char *what, const char *text, Uri *uri)
{
  gsize length = strlen (text);
  uri->what = what;
  uri->base = text;
  uri->base_length = strcspn (text, "/");
  uri->path = text + uri->base_length;
  const char *password = strstr (uri->path, "///");
  uri->path_length = password != NULL ? (gsize)(password - uri->path) : length - uri->base_length;
  uri->password = password != NULL ? password + 3 : NULL;
}

/* ---- steps ---- */

static gboolean
fail_step (GError **error, const Uri *uri, guint step, const char *problem)
{
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: step %u of the derivation path %s", uri->what, step, problem);
  return FALSE;
}

static void
text_code (const char *text, gsize length, SvSecret *code)
{
  gsize prefix = length < 64 ? 1 : 2;
  g_autoptr (SvSecret) scale = sv_secret_alloc (prefix + length);
  guint compact = (guint)length << 2 | (prefix == 1 ? 0 : 1);
  scale[0] = (guint8)compact;
  if (prefix == 2)
    scale[1] = (guint8)(compact >> 8);
  memcpy (scale + prefix, text, length);
  memset (code, 0, CODE_SIZE);
  if (prefix + length > CODE_SIZE)
    sv_blake2b_256 (scale, prefix + length, code);
  else
    memcpy (code, scale, prefix + length);
}

/* FALSE when it does not fit into 64 bits. */
static gboolean
number_code (const char *digits, gsize length, SvSecret *code)
{
  guint64 number = 0;
  for (gsize i = 0; i < length; i++)
    if (!g_uint64_checked_mul (&number, number, 10) || !g_uint64_checked_add (&number, number, (guint64)(digits[i] - '0')))
      return FALSE;
  memset (code, 0, CODE_SIZE);
  for (guint i = 0; i < sizeof number; i++)
    code[i] = (guint8)(number >> 8 * i);
  return TRUE;
}

/* Programs differ on numbers beyond 64 bits, and on numbers with a sign: such a path would be another account elsewhere. */
static gboolean
read_code (const Uri *uri, guint step, const char *text, gsize length, SvSecret *code, GError **error)
{
  gsize sign = text[0] == '+' && length > 1 ? 1 : 0, digits = sign;
  while (digits < length && g_ascii_isdigit (text[digits]))
    digits++;
  if (length == 0)
    return fail_step (error, uri, step, "is empty");
  if (length > MAX_STEP_LENGTH)
    return fail_step (error, uri, step, "is too long");
  if (digits < length)
    text_code (text, length, code);
  else if (sign > 0)
    return fail_step (error, uri, step, "is a number with a sign; leave the sign out");
  else if (!number_code (text, length, code))
    return fail_step (error, uri, step, "is a number that does not fit into 64 bits");
  return TRUE;
}

/* ---- deriving ---- */

static SvKeypair *
derive_ed25519 (const SvKeypair *parent, const SvSecret *code)
{
  static const char name[] = "\x2c"
                             "Ed25519HDKD"; /* in SCALE */
  const gsize name_size = sizeof name - 1;
  g_autoptr (SvSecret) input = sv_secret_alloc (name_size + SEED_SIZE + CODE_SIZE);
  g_autoptr (SvSecret) seed = sv_secret_alloc (SEED_SIZE);
  memcpy (input, name, name_size);
  memcpy (input + name_size, sv_keypair_seed (parent), SEED_SIZE);
  memcpy (input + name_size + SEED_SIZE, code, CODE_SIZE);
  sv_blake2b_256 (input, name_size + SEED_SIZE + CODE_SIZE, seed);
  return sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
}

static SvKeypair *
derive_sr25519 (const SvKeypair *parent, const SvSecret *code, gboolean is_hard)
{
  g_autoptr (SvSecret) derived = sv_secret_alloc (SV_SR25519_SECRET_SIZE);
  if (is_hard)
  {
    sv_sr25519_derive_hard (sv_keypair_secret (parent), code, derived);
    return sv_keypair_from_seed (derived, SV_SCHEME_SR25519);
  }
  sv_sr25519_derive_soft (sv_keypair_secret (parent), sv_keypair_public_key (parent), code, derived);
  return sv_keypair_from_sr25519_secret (derived);
}

static SvKeypair *
derive (const Uri *uri, guint step, const SvKeypair *parent, const SvSecret *code, gboolean is_hard, GError **error)
{
  gboolean is_ed25519 = sv_keypair_scheme (parent) == SV_SCHEME_ED25519;
  if (is_ed25519 && !is_hard)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "%s: step %u of the derivation path is soft (one slash), which ed25519 does not have; sr25519 does (--scheme)",
                 uri->what, step);
    return NULL;
  }
  SvKeypair *child = is_ed25519 ? derive_ed25519 (parent, code) : derive_sr25519 (parent, code, is_hard);
  if (child == NULL)
    fail_step (error, uri, step, "leads to no key"); /* by chance once in 2^252 */
  return child;
}

static SvKeypair *
follow_path (const Uri *uri, SvKeypair *root, GError **error)
{
  g_autoptr (SvKeypair) keypair = root;
  g_autoptr (SvSecret) code = sv_secret_alloc (CODE_SIZE);
  const char *at = uri->path, *end = uri->path + uri->path_length;
  for (guint step = 1; at < end; step++)
  {
    gboolean is_hard = end - at > 1 && at[1] == '/';
    at += is_hard ? 2 : 1;
    const char *next = memchr (at, '/', (gsize)(end - at));
    gsize length = (gsize)((next != NULL ? next : end) - at);
    if (!read_code (uri, step, at, length, code, error))
      return NULL;
    SvKeypair *child = derive (uri, step, keypair, code, is_hard, error);
    if (child == NULL)
      return NULL;
    sv_keypair_free (keypair);
    keypair = child;
    at += length;
  }
  return g_steal_pointer (&keypair);
}

/* ---- where a path begins ---- */

static gboolean
is_hex (const Uri *uri)
{
  return uri->base_length >= 2 && memcmp (uri->base, "0x", 2) == 0;
}

static gboolean
read_hex_seed (const Uri *uri, SvSecret *seed, GError **error)
{
  gsize length = uri->base_length;
  while (uri->path_length == 0 && length > 2 && g_ascii_isspace (uri->base[length - 1]))
    length--;
  g_autoptr (SvSecret) digits = sv_secret_copy_string (uri->base + 2, length - 2);
  if (!sv_hex_decode ((char *)digits, TRUE, seed, SEED_SIZE))
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: not a seed (expected 0x and 64 hex digits, and nothing else)",
                 uri->what);
  else if (uri->password != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: a password (behind ///) belongs to a phrase, and this is a seed",
                 uri->what);
  else
    return TRUE;
  return FALSE;
}

static SvKeypair *
read_base (const Uri *uri, SvScheme scheme, GError **error)
{
  g_autoptr (SvSecret) seed = sv_secret_alloc (SEED_SIZE);
  gboolean ok = is_hex (uri) ? read_hex_seed (uri, seed, error)
                             : sv_phrase_to_seed (uri->what, uri->base, uri->base_length, uri->password, seed, error);
  return ok ? sv_keypair_from_seed (seed, scheme) : NULL;
}

SvKeypair *
sv_keypair_from_uri (const char *what, const char *text, SvScheme scheme, GError **error)
{
  Uri uri;
  split (what, text, &uri);
  if (!g_utf8_validate (text, -1, NULL))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: not valid UTF-8", what);
    return NULL;
  }
  g_autoptr (SvKeypair) root = read_base (&uri, scheme, error);
  if (root == NULL)
    return NULL;
  if (!is_hex (&uri) && uri.path_length == 0 && uri.password == NULL)
  {
    g_autoptr (SvSecret) phrase = sv_phrase_normalize (uri.base, uri.base_length);
    sv_keypair_set_phrase (root, (char *)phrase);
  }
  return follow_path (&uri, g_steal_pointer (&root), error);
}

/* ---- private keys ---- */

static gboolean
belongs_to (const SvKeypair *keypair, const guint8 *public_key)
{
  return keypair != NULL && memcmp (sv_keypair_public_key (keypair), public_key, SV_PUBLIC_KEY_SIZE) == 0;
}

SvKeypair *
sv_keypair_from_private_key (const char *what, const guint8 key[SV_SR25519_SECRET_SIZE], const guint8 *public_key,
                             GError **error)
{
  g_autoptr (SvSecret) divided = sv_secret_alloc (SV_SR25519_SECRET_SIZE);
  g_autoptr (SvKeypair) plain = sv_keypair_from_sr25519_secret (key), multiplied = NULL;
  if (sv_sr25519_from_ed25519_form (key, divided))
    multiplied = sv_keypair_from_sr25519_secret (divided);
  if (public_key != NULL && belongs_to (plain, public_key))
    return g_steal_pointer (&plain);
  if (public_key != NULL && belongs_to (multiplied, public_key))
    return g_steal_pointer (&multiplied);
  if (plain == NULL && multiplied == NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: not an sr25519 private key", what);
  else if (public_key != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: this private key is another account's", what);
  else if (plain != NULL && multiplied != NULL)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "%s: this private key can be read in btcli's form or in JavaScript programs', as different accounts; name the "
                 "account that it must give (--account)",
                 what);
  else
    return plain != NULL ? g_steal_pointer (&plain) : g_steal_pointer (&multiplied);
  return NULL;
}
