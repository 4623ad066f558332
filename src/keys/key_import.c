/* Making a key of a secret that somebody has written down. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "keys/secret_file.h"
#include "keys/secret_uri.h"

#define PRIVATE_KEY_DIGITS (2 * SV_SR25519_SECRET_SIZE)

static gboolean
is_hex (const char *text)
{
  return g_str_has_prefix (text, "0x");
}

/* "0x" and as many digits as a private key has, and nothing else. */
static gboolean
is_private_key (const char *text)
{
  return is_hex (text) && strlen (text + 2) == PRIVATE_KEY_DIGITS && strchr (text, '/') == NULL;
}

/* What is usual: btcli makes sr25519 keys of phrases, and this program ed25519 keys of seeds. */
static SvScheme
usual_scheme (const char *text)
{
  return is_hex (text) && !is_private_key (text) ? SV_SCHEME_ED25519 : SV_SCHEME_SR25519;
}

static SvKeypair *
import_private_key (const char *what, const char *text, const SvKeyImport *import, GError **error)
{
  g_autoptr (SvSecret) key = sv_secret_alloc (SV_SR25519_SECRET_SIZE);
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  if (import->has_scheme && import->scheme != SV_SCHEME_SR25519)
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "%s: 0x and 128 hex digits are the private key of sr25519; ed25519 keys come from a seed or a phrase", what);
  else if (!sv_hex_decode (text + 2, TRUE, key, SV_SR25519_SECRET_SIZE))
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: the private key is not 0x and 128 hex digits", what);
  else
  {
    gboolean is_known = import->account != NULL && sv_ss58_decode (import->account, public_key);
    return sv_keypair_from_private_key (what, key, is_known ? public_key : NULL, error);
  }
  return NULL;
}

static SvKeypair *
import_text (const char *what, const char *text, const SvKeyImport *import, GError **error)
{
  if (is_private_key (text))
    return import_private_key (what, text, import, error);
  return sv_keypair_from_uri (what, text, import->has_scheme ? import->scheme : usual_scheme (text), error);
}

/* Drops the line's end, which is no part of a password or a path, as spaces may be. FALSE for what is no text, or empty. */
static gboolean
trim (SvSecret *text, gsize length)
{
  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
    text[--length] = '\0';
  return length > 0 && strlen ((char *)text) == length;
}

SvKeypair *
sv_key_import (const char *path, const SvKeyImport *import, GError **error)
{
  gsize length = 0;
  const char *what = path != NULL ? path : "standard input";
  g_autoptr (SvSecret) text = path != NULL ? sv_secret_file_read (path, &length, error) : sv_secret_input_read (&length, error);
  if (text == NULL)
    return NULL;
  if (!trim (text, length))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: neither a seed (0x and 64 hex digits) nor a phrase", what);
    return NULL;
  }

  g_autoptr (SvKeypair) keypair = import_text (what, (char *)text, import, error);
  if (keypair == NULL || import->account == NULL || strcmp (import->account, sv_keypair_address (keypair)) == 0)
    return g_steal_pointer (&keypair);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY,
               "%s: this secret does not give the account %s but, as an %s key, %s; is it another scheme or path?", what,
               import->account, sv_scheme_name (sv_keypair_scheme (keypair)), sv_keypair_address (keypair));
  return NULL;
}
