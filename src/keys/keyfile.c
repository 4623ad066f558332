/* btcli's key files (docs/protocol.md section 10), so that one wallet serves both programs. The file says the same thing
 * several times (phrase, seed, private key, public key, account, address); what is there must agree, because a file that was
 * edited or mixed up would otherwise sign for an account that its owner does not expect.
 *
 * The file's bytes are read into guarded memory. Jansson copies the strings out of it, so its memory is wiped whenever it is
 * freed. Messages name the file and the field, never what is in it; that is also why a JSON error is not passed on. */
#include "keys/keyfile.h"

#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "keys/keyfile_box.h"
#include "keys/secret_file.h"
#include "keys/secret_uri.h"

#define SEED_SIZE 32

/* ---- what a file holds ---- */

typedef struct
{
  const char *path; /* for messages */
  const json_t *json;
} KeyFile;

static gboolean
fail (const KeyFile *file, SvErrorCode code, const char *problem, GError **error)
{
  g_set_error (error, SV_ERROR, (int)code, "%s: %s", file->path, problem);
  return FALSE;
}

/* (transfer none) NULL for a field that is absent or null. */
static const json_t *
get (const KeyFile *file, const char *key)
{
  const json_t *value = json_object_get (file->json, key);
  return json_is_null (value) ? NULL : value;
}

/* cryptoType: 0 is ed25519, 1 or nothing sr25519. */
static gboolean
read_scheme (const KeyFile *file, SvScheme *scheme, GError **error)
{
  const json_t *type = get (file, "cryptoType");
  if (type != NULL && !json_is_number (type))
    return fail (file, SV_ERROR_MALFORMED, "cryptoType is not a number", error);
  double number = type == NULL ? 1 : json_number_value (type);
  if (number != 0 && number != 1)
    return fail (file, SV_ERROR_MALFORMED, "unknown cryptoType (0 is ed25519, 1 sr25519)", error);
  *scheme = number == 0 ? SV_SCHEME_ED25519 : SV_SCHEME_SR25519;
  return TRUE;
}

/* Reads "0x" hex of exactly @length bytes into @out; an absent or null field leaves @is_present FALSE. */
static gboolean
read_hex (const KeyFile *file, const char *key, guint8 *out, gsize length, gboolean *is_present, GError **error)
{
  const json_t *value = get (file, key);
  *is_present = value != NULL;
  if (!*is_present)
    return TRUE;
  const char *text = json_string_value (value);
  if (text != NULL && g_str_has_prefix (text, "0x"))
    text += 2;
  if (text != NULL && sv_hex_decode (text, TRUE, out, length))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: %s is not the hex of %" G_GSIZE_FORMAT " bytes", file->path, key,
               length);
  return FALSE;
}

/* ---- secrets ---- */

/* The key pair of one field; NULL without an error when the field is absent or null. */
typedef SvKeypair *(*ReadSecret) (const KeyFile *file, SvScheme scheme, const SvKeypair *known, GError **error);

static SvKeypair *
read_phrase (const KeyFile *file, SvScheme scheme, const SvKeypair *known, GError **error)
{
  const json_t *phrase = get (file, "secretPhrase");
  if (phrase == NULL)
    return NULL;
  g_autofree char *what = g_strconcat (file->path, ": secretPhrase", NULL);
  if (json_is_string (phrase))
    return sv_keypair_from_uri (what, json_string_value (phrase), scheme, error);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s is not a text", what);
  return NULL;
}

static SvKeypair *
read_seed (const KeyFile *file, SvScheme scheme, const SvKeypair *known, GError **error)
{
  g_autoptr (SvSecret) seed = sv_secret_alloc (SEED_SIZE);
  gboolean is_present = FALSE;
  if (!read_hex (file, "secretSeed", seed, SEED_SIZE, &is_present, error) || !is_present)
    return NULL;
  return sv_keypair_from_seed (seed, scheme);
}

/* The public key that the file names beside its secrets. */
static gboolean
read_public_key (const KeyFile *file, guint8 public_key[SV_PUBLIC_KEY_SIZE], gboolean *is_present, GError **error)
{
  if (!read_hex (file, "publicKey", public_key, SV_PUBLIC_KEY_SIZE, is_present, error))
    return FALSE;
  if (!*is_present && !read_hex (file, "accountId", public_key, SV_PUBLIC_KEY_SIZE, is_present, error))
    return FALSE;
  const char *address = json_string_value (get (file, "ss58Address"));
  if (!*is_present && address != NULL)
    *is_present = sv_ss58_decode (address, public_key);
  return TRUE;
}

static SvKeypair *
read_private_key (const KeyFile *file, SvScheme scheme, const SvKeypair *known, GError **error)
{
  g_autoptr (SvSecret) key = sv_secret_alloc (SV_SR25519_SECRET_SIZE);
  guint8 named[SV_PUBLIC_KEY_SIZE];
  gboolean is_present = FALSE, is_named = FALSE;
  gsize length = scheme == SV_SCHEME_SR25519 ? SV_SR25519_SECRET_SIZE : SEED_SIZE;
  if (!read_hex (file, "privateKey", key, length, &is_present, error) || !is_present)
    return NULL;
  if (scheme == SV_SCHEME_ED25519)
    return sv_keypair_from_seed (key, scheme);
  if (!read_public_key (file, named, &is_named, error))
    return NULL;
  g_autofree char *what = g_strconcat (file->path, ": privateKey", NULL);
  const guint8 *public_key = known != NULL ? sv_keypair_public_key (known) : is_named ? named : NULL;
  return sv_keypair_from_private_key (what, key, public_key, error);
}

static gboolean
is_same (const KeyFile *file, const char *first, const SvKeypair *keypair, const char *second, const SvKeypair *other,
         GError **error)
{
  if (memcmp (sv_keypair_public_key (keypair), sv_keypair_public_key (other), SV_PUBLIC_KEY_SIZE) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: %s and %s are different keys", file->path, first, second);
  return FALSE;
}

/* The first of the secrets that are there; the others must be of the same key. */
static SvKeypair *
read_secrets (const KeyFile *file, SvScheme scheme, GError **error)
{
  static const char *const names[] = { "secretPhrase", "secretSeed", "privateKey" };
  static const ReadSecret readers[] = { read_phrase, read_seed, read_private_key };
  g_autoptr (SvKeypair) keypair = NULL;
  const char *first = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (readers); i++)
  {
    g_autoptr (GError) local = NULL;
    g_autoptr (SvKeypair) other = readers[i](file, scheme, keypair, &local);
    if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
    if (keypair == NULL)
    {
      keypair = g_steal_pointer (&other);
      first = names[i];
    }
    else if (other != NULL && !is_same (file, first, keypair, names[i], other, error))
      return NULL;
  }
  if (keypair == NULL)
    fail (file, SV_ERROR_POLICY,
          "holds neither secretPhrase nor secretSeed nor privateKey, so nothing can be signed with it; it is only the public "
          "half of a key",
          error);
  return g_steal_pointer (&keypair);
}

/* ---- what is public ---- */

static gboolean
check_public_field (const KeyFile *file, const char *key, const SvKeypair *keypair, GError **error)
{
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  gboolean is_present = FALSE;
  if (!read_hex (file, key, public_key, sizeof public_key, &is_present, error))
    return FALSE;
  if (!is_present || memcmp (public_key, sv_keypair_public_key (keypair), sizeof public_key) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: %s is not the public key of the secret in this file", file->path, key);
  return FALSE;
}

static gboolean
check_address (const KeyFile *file, const SvKeypair *keypair, GError **error)
{
  const json_t *value = get (file, "ss58Address");
  if (value == NULL || g_strcmp0 (json_string_value (value), sv_keypair_address (keypair)) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: ss58Address is not the account of the secret in this file, which is %s",
               file->path, sv_keypair_address (keypair));
  return FALSE;
}

static SvKeypair *
keypair_from_json (const KeyFile *file, GError **error)
{
  SvScheme scheme;
  if (!json_is_object (file->json) && !fail (file, SV_ERROR_MALFORMED, "not a key file (a JSON object is expected)", error))
    return NULL;
  if (!read_scheme (file, &scheme, error))
    return NULL;
  g_autoptr (SvKeypair) keypair = read_secrets (file, scheme, error);
  if (keypair == NULL || !check_public_field (file, "publicKey", keypair, error) ||
      !check_public_field (file, "accountId", keypair, error) || !check_address (file, keypair, error))
    return NULL;
  return g_steal_pointer (&keypair);
}

/* ---- Jansson's memory ---- */

static void
free_wiped (void *block)
{
  if (block != NULL)
    sodium_memzero (block, malloc_usable_size (block));
  free (block);
}

/* From the first key file on. Blocks that Jansson has from before are malloc()'s too. */
static void
let_jansson_wipe (void)
{
  static gsize done = 0;
  if (!g_once_init_enter (&done))
    return;
  json_set_alloc_funcs (malloc, free_wiped);
  g_once_init_leave (&done, 1);
}

SvKeypair *
sv_keyfile_parse (const char *path, const guint8 *data, gsize length, GError **error)
{
  let_jansson_wipe ();
  g_autoptr (json_t) json = sv_json_parse ("key file", data, length, SV_SECRET_FILE_MAX_SIZE, NULL);
  const KeyFile file = { path, json };
  if (json != NULL)
    return keypair_from_json (&file, error);
  fail (&file, SV_ERROR_MALFORMED, "not a key file (its content is not valid JSON)", error);
  return NULL;
}

SvKeypair *
sv_keyfile_read (const char *path, GError **error)
{
  gsize length = 0;
  g_autoptr (SvSecret) data = sv_secret_file_read (path, &length, error);
  if (data == NULL)
    return NULL;
  if (!sv_keyfile_is_encrypted (data, length))
    return sv_keyfile_parse (path, data, length, error);
  gsize opened_length = 0;
  g_autoptr (SvSecret) opened = sv_keyfile_box_open (path, data, length, &opened_length, error);
  return opened != NULL ? sv_keyfile_parse (path, opened, opened_length, error) : NULL;
}
