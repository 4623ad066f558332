/* Writing btcli's key files. Its versions 4.0 cannot read a file with cryptoType, so only ed25519 files, which they could not
 * use anyway, have it. */
#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "keys/keyfile_box.h"
#include "keys/keypair_secret.h"

#define SEED_SIZE 32
#define HEX_SIZE(length) (2 * (length) + 1)
#define MAX_SIZE 4096

/* Strings of JSON; words and hex need no escapes. */
static SvSecret *
quote (const char *before, const char *text)
{
  gsize size = strlen (before) + strlen (text) + 3;
  SvSecret *quoted = sv_secret_alloc (size);
  g_snprintf ((char *)quoted, size, "\"%s%s\"", before, text);
  return quoted;
}

static SvSecret *
quote_hex (const guint8 *bytes, gsize length)
{
  g_autoptr (SvSecret) hex = sv_secret_alloc (HEX_SIZE (length));
  sodium_bin2hex ((char *)hex, HEX_SIZE (length), bytes, length);
  return quote ("0x", (char *)hex);
}

static SvSecret *
null (void)
{
  return sv_secret_copy_string ("null", 4);
}

/* Returns: (transfer full), ended by NUL. */
static SvSecret *
keyfile_text (const SvKeypair *keypair)
{
  gboolean is_ed25519 = sv_keypair_scheme (keypair) == SV_SCHEME_ED25519;
  const guint8 *seed = sv_keypair_seed (keypair);
  const char *words = sv_keypair_phrase (keypair);
  g_autofree char *public_key = sv_hex_encode (sv_keypair_public_key (keypair), SV_PUBLIC_KEY_SIZE);
  g_autoptr (SvSecret) private_key = quote_hex (sv_keypair_secret (keypair), is_ed25519 ? SEED_SIZE : SV_SR25519_SECRET_SIZE);
  g_autoptr (SvSecret) secret_seed = seed != NULL ? quote_hex (seed, SEED_SIZE) : null ();
  g_autoptr (SvSecret) phrase = words != NULL ? quote ("", words) : null ();
  SvSecret *text = sv_secret_alloc (MAX_SIZE);
  g_snprintf ((char *)text, MAX_SIZE,
              "{\"accountId\": \"0x%s\", \"publicKey\": \"0x%s\", \"privateKey\": %s, \"secretPhrase\": %s, "
              "\"secretSeed\": %s, \"ss58Address\": \"%s\"%s}",
              public_key, public_key, (const char *)private_key, (const char *)phrase, (const char *)secret_seed,
              sv_keypair_address (keypair), is_ed25519 ? ", \"cryptoType\": 0" : "");
  return text;
}

gboolean
sv_keyfile_create (const char *path, const SvKeypair *keypair, GError **error)
{
  g_autoptr (SvSecret) text = keyfile_text (keypair);
  return sv_file_create (path, text, strlen ((char *)text), 0600, error);
}

gboolean
sv_keyfile_create_encrypted (const char *path, const SvKeypair *keypair, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_EXISTS)) /* said before anybody is asked for a passphrase */
  {
    g_set_error (error, SV_ERROR, SV_ERROR_CONFLICT, "%s exists already", path);
    return FALSE;
  }
  g_autoptr (SvSecret) text = keyfile_text (keypair);
  g_autoptr (GBytes) box = sv_keyfile_box_seal (path, text, strlen ((char *)text), error);
  return box != NULL && sv_file_create (path, g_bytes_get_data (box, NULL), g_bytes_get_size (box), 0600, error);
}
