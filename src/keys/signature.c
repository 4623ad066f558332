/* Signatures. The scheme is in the signature itself (schnorrkel sets the highest bit of every sr25519 signature, and no valid
 * ed25519 signature has it), so a signature is verified once, by the scheme that it shows: trying one scheme and then the
 * other would double the price of every forged request. libsodium refuses keys of small order and unreduced scalars.
 *
 * libsodium verifies what a key signs first; keys that come again are prepared, and verify in a quarter of the time or less,
 * with the same answers (keys/prepared_key.h). Where the compiler has no numbers of 128 bits, or libsodium is a later one than
 * those whose answers are known (src/keys/meson.build), libsodium verifies everything. */
#include "keys/signature.h"

#include <sodium.h>
#include <string.h>

#include "base/hash.h"
#include "keys/key_memory.h"
#include "keys/sr25519.h"

#define SCHEME_BIT 0x80
#define N_PREPARED_KEYS 512 /* a subnet has at most 256 accounts; 15 MiB if so many come */

const char *
sv_scheme_name (SvScheme scheme)
{
  return scheme == SV_SCHEME_ED25519 ? "ed25519" : "sr25519";
}

static SvScheme
shown_scheme (const guint8 signature[SV_SIGNATURE_SIZE])
{
  return (signature[SV_SIGNATURE_SIZE - 1] & SCHEME_BIT) != 0 ? SV_SCHEME_SR25519 : SV_SCHEME_ED25519;
}

/* Returns the digits behind "SCHEME:", or NULL where @text begins otherwise. */
static const char *
skip_scheme (const char *text, SvScheme scheme)
{
  const char *name = sv_scheme_name (scheme);
  gsize length = strlen (name);
  return strncmp (text, name, length) == 0 && text[length] == ':' ? text + length + 1 : NULL;
}

static const char *
skip_advisory_prefix (const char *text)
{
  const char *hex = skip_scheme (text, SV_SCHEME_ED25519);
  if (hex == NULL)
    hex = skip_scheme (text, SV_SCHEME_SR25519);
  if (hex == NULL)
    hex = g_str_has_prefix (text, "0x") ? text + 2 : text;
  return hex;
}

gboolean
sv_signature_parse (const char *text, SvSignatureForm form, guint8 signature[SV_SIGNATURE_SIZE], SvScheme *scheme)
{
  if (text == NULL)
    return FALSE;
  if (form == SV_SIGNATURE_REQUEST)
  {
    if (!sv_hex_decode (skip_advisory_prefix (text), FALSE, signature, SV_SIGNATURE_SIZE))
      return FALSE;
    *scheme = shown_scheme (signature);
    return TRUE;
  }
  const char *ed25519 = skip_scheme (text, SV_SCHEME_ED25519);
  const char *hex = ed25519 != NULL ? ed25519 : skip_scheme (text, SV_SCHEME_SR25519);
  if (hex == NULL || !sv_hex_decode (hex, FALSE, signature, SV_SIGNATURE_SIZE))
    return FALSE;
  *scheme = shown_scheme (signature);
  return *scheme == (ed25519 != NULL ? SV_SCHEME_ED25519 : SV_SCHEME_SR25519);
}

char *
sv_signature_format (const guint8 signature[SV_SIGNATURE_SIZE], SvScheme scheme)
{
  g_autofree char *hex = sv_hex_encode (signature, SV_SIGNATURE_SIZE);
  return g_strconcat (sv_scheme_name (scheme), ":", hex, NULL);
}

static gboolean
verify_unprepared (const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length, const SvSignature *signature)
{
  if (signature->scheme == SV_SCHEME_SR25519)
    return sv_sr25519_verify (public_key, message, length, signature->bytes);
  return crypto_sign_verify_detached (signature->bytes, message, length, public_key) == 0;
}

#ifdef SV_PREPARED_KEYS
static SvKeyMemory *
key_memory (void)
{
  static SvKeyMemory *memory;
  if (g_once_init_enter (&memory))
    g_once_init_leave (&memory, sv_key_memory_new (N_PREPARED_KEYS));
  return memory;
}

gboolean
sv_signature_verify_by_key (const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length,
                            const SvSignature *signature)
{
  SvKeyMemory *memory = key_memory ();
  g_autoptr (SvPreparedKey) key = sv_key_memory_find (memory, signature->scheme, public_key);
  if (key != NULL)
    return sv_prepared_key_verify (key, message, length, signature->bytes);
  gboolean is_valid = verify_unprepared (public_key, message, length, signature);
  if (is_valid)
    sv_key_memory_accepted (memory, signature->scheme, public_key);
  return is_valid;
}
#else
gboolean
sv_signature_verify_by_key (const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length,
                            const SvSignature *signature)
{
  return verify_unprepared (public_key, message, length, signature);
}
#endif

gboolean
sv_signature_verify (const char *address, const void *message, gsize length, const char *signature_text, SvSignatureForm form)
{
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  SvSignature signature;
  return sv_ss58_decode (address, public_key) &&
         sv_signature_parse (signature_text, form, signature.bytes, &signature.scheme) &&
         sv_signature_verify_by_key (public_key, message, length, &signature);
}
