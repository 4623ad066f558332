/* btcli's key files (docs/protocol.md section 10), so that one wallet serves both programs. The file says the same thing
 * several times (seed, public key, account, address); what is there must agree, because a file that was edited or mixed up
 * would otherwise sign for an account that its owner does not expect.
 *
 * The file's bytes are read into guarded memory. Jansson copies the strings out of it, so these are wiped before the value is
 * freed. Messages name the file and the field, never what is in it; that is also why a JSON error is not passed on. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "keys/keypair_secret.h"

#define MAX_FILE_SIZE 16384
#define SEED_SIZE 32
#define GROUP_AND_OTHERS 077

/* ---- reading the bytes ---- */

static gboolean
check_file (const char *path, int fd, GError **error)
{
  struct stat status;
  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: not a regular file", path);
    return FALSE;
  }
  if ((status.st_mode & GROUP_AND_OTHERS) == 0)
    return TRUE;
  g_autofree char *quoted = g_shell_quote (path);
  g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
               "%s: this key is open to other users (mode %04o); close it with `chmod 600 %s`", path,
               (guint)status.st_mode & 07777, quoted);
  return FALSE;
}

static int
open_file (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0)
    return fd;
  int code = errno == ENOENT || errno == ENOTDIR ? SV_ERROR_NOT_FOUND : SV_ERROR_FAILED;
  g_set_error (error, SV_ERROR, code, "%s: %s", path, g_strerror (errno));
  return -1;
}

/* Fills @buffer with the whole file, at most MAX_FILE_SIZE bytes. */
static gboolean
read_all (const char *path, int fd, guint8 *buffer, gsize *length, GError **error)
{
  for (*length = 0;;)
  {
    gssize n = read (fd, buffer + *length, MAX_FILE_SIZE + 1 - *length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "%s: %s", path, g_strerror (errno));
      return FALSE;
    }
    if (n == 0)
      return TRUE;
    *length += (gsize)n;
    if (*length > MAX_FILE_SIZE)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: larger than %d bytes, so no key file", path, MAX_FILE_SIZE);
      return FALSE;
    }
  }
}

static SvSecret *
read_secret_file (const char *path, gsize *length, GError **error)
{
  int fd = open_file (path, error);
  if (fd < 0)
    return NULL;
  g_autoptr (SvSecret) buffer = sv_secret_alloc (MAX_FILE_SIZE + 1);
  gboolean ok = check_file (path, fd, error) && read_all (path, fd, buffer, length, error);
  close (fd);
  return ok ? g_steal_pointer (&buffer) : NULL;
}

/* ---- judging the content ---- */

static gboolean
check_not_encrypted (const char *path, const guint8 *data, gsize length, GError **error)
{
  static const char *const marks[] = { "$NACL", "$ANSIBLE_VAULT", "gAAAAA" };
  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    if (length >= strlen (marks[i]) && memcmp (data, marks[i], strlen (marks[i])) == 0)
    {
      g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                   "%s: this key file is encrypted, which this version cannot open; use an unencrypted hotkey", path);
      return FALSE;
    }
  return TRUE;
}

/* cryptoType: 0 is ed25519, 1 or nothing sr25519. */
static gboolean
check_scheme (const char *path, const json_t *json, GError **error)
{
  const json_t *type = json_object_get (json, "cryptoType");
  gboolean is_absent = type == NULL || json_is_null (type);
  if (!is_absent && !json_is_number (type))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: cryptoType is not a number", path);
    return FALSE;
  }
  double number = is_absent ? 1 : json_number_value (type);
  if (number == 0)
    return TRUE;
  if (number == 1)
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "%s: this is an sr25519 key, and this version signs with ed25519 only; make one with `sv key new`", path);
  else
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: unknown cryptoType", path);
  return FALSE;
}

/* Reads "0x" hex of exactly @length bytes into @out; an absent or null field leaves @is_present FALSE. */
static gboolean
read_hex (const char *path, const json_t *json, const char *key, guint8 *out, gsize length, gboolean *is_present,
          GError **error)
{
  const json_t *value = json_object_get (json, key);
  *is_present = value != NULL && !json_is_null (value);
  if (!*is_present)
    return TRUE;
  const char *text = json_string_value (value);
  if (text != NULL && g_str_has_prefix (text, "0x"))
    text += 2;
  if (text != NULL && sv_hex_decode (text, TRUE, out, length))
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: %s is not the hex of %" G_GSIZE_FORMAT " bytes", path, key, length);
  return FALSE;
}

/* The seed from `secretSeed` or `privateKey`, which must agree where both are there. */
static gboolean
read_seed (const char *path, const json_t *json, SvSecret *seed, GError **error)
{
  gboolean has_seed = FALSE, has_private = FALSE;
  g_autoptr (SvSecret) private_key = sv_secret_alloc (SEED_SIZE);
  if (!read_hex (path, json, "secretSeed", seed, SEED_SIZE, &has_seed, error) ||
      !read_hex (path, json, "privateKey", private_key, SEED_SIZE, &has_private, error))
    return FALSE;
  if (!has_seed && !has_private)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "%s: holds neither secretSeed nor privateKey, so nothing can be signed with it", path);
    return FALSE;
  }
  if (!has_seed)
    memcpy (seed, private_key, SEED_SIZE);
  if (!has_private || sodium_memcmp (seed, private_key, SEED_SIZE) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: secretSeed and privateKey are different keys", path);
  return FALSE;
}

static gboolean
check_public_field (const char *path, const json_t *json, const char *key, const SvKeypair *keypair, GError **error)
{
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  gboolean is_present = FALSE;
  if (!read_hex (path, json, key, public_key, sizeof public_key, &is_present, error))
    return FALSE;
  if (!is_present || memcmp (public_key, sv_keypair_public_key (keypair), sizeof public_key) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: %s is not the public key of the secret in this file", path, key);
  return FALSE;
}

static gboolean
check_address (const char *path, const json_t *json, const SvKeypair *keypair, GError **error)
{
  const json_t *value = json_object_get (json, "ss58Address");
  if (value == NULL || json_is_null (value) || g_strcmp0 (json_string_value (value), sv_keypair_address (keypair)) == 0)
    return TRUE;
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: ss58Address is not the account of the secret in this file, which is %s",
               path, sv_keypair_address (keypair));
  return FALSE;
}

static SvKeypair *
keypair_from_json (const char *path, const json_t *json, GError **error)
{
  if (!json_is_object (json))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: not a key file (a JSON object is expected)", path);
    return NULL;
  }
  g_autoptr (SvSecret) seed = sv_secret_alloc (SEED_SIZE);
  if (!check_scheme (path, json, error) || !read_seed (path, json, seed, error))
    return NULL;
  g_autoptr (SvKeypair) keypair = sv_keypair_from_seed (seed);
  if (!check_public_field (path, json, "publicKey", keypair, error) ||
      !check_public_field (path, json, "accountId", keypair, error) || !check_address (path, json, keypair, error))
    return NULL;
  return g_steal_pointer (&keypair);
}

static void
wipe_strings (json_t *value)
{
  if (json_is_string (value))
    sodium_memzero ((char *)json_string_value (value), json_string_length (value));
  const char *key;
  json_t *member;
  json_object_foreach (value, key, member) wipe_strings (member);
  gsize i;
  json_array_foreach (value, i, member) wipe_strings (member);
}

SvKeypair *
sv_keyfile_read (const char *path, GError **error)
{
  gsize length = 0;
  g_autoptr (SvSecret) data = read_secret_file (path, &length, error);
  if (data == NULL || !check_not_encrypted (path, data, length, error))
    return NULL;
  g_autoptr (json_t) json = sv_json_parse ("key file", data, length, MAX_FILE_SIZE, NULL);
  if (json == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: not a key file (its content is not valid JSON)", path);
    return NULL;
  }
  SvKeypair *keypair = keypair_from_json (path, json, error);
  wipe_strings (json);
  return keypair;
}

/* ---- seeds ---- */

static SvSecret *
read_standard_input (gsize *length, GError **error)
{
  g_autoptr (SvSecret) buffer = sv_secret_alloc (MAX_FILE_SIZE + 1);
  return read_all ("standard input", STDIN_FILENO, buffer, length, error) ? g_steal_pointer (&buffer) : NULL;
}

SvKeypair *
sv_seed_read (const char *path, GError **error)
{
  gsize length = 0;
  g_autoptr (SvSecret) text = path != NULL ? read_secret_file (path, &length, error) : read_standard_input (&length, error);
  if (text == NULL)
    return NULL;
  while (length > 0 && g_ascii_isspace (text[length - 1]))
    length--;
  text[length] = '\0';

  g_autoptr (SvSecret) seed = sv_secret_alloc (SEED_SIZE);
  if (length == strlen ((char *)text) && g_str_has_prefix ((char *)text, "0x") &&
      sv_hex_decode ((char *)text + 2, TRUE, seed, SEED_SIZE))
    return sv_keypair_from_seed (seed);
  g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: not a seed (expected 0x and 64 hex digits, and nothing else)",
               path != NULL ? path : "standard input");
  return NULL;
}

/* ---- writing ---- */

gboolean
sv_keyfile_create (const char *path, const SvKeypair *keypair, GError **error)
{
  g_autofree char *public_key = sv_hex_encode (sv_keypair_public_key (keypair), SV_PUBLIC_KEY_SIZE);
  g_autoptr (SvSecret) seed = sv_secret_alloc (2 * SEED_SIZE + 1);
  g_autoptr (SvSecret) text = sv_secret_alloc (MAX_FILE_SIZE);
  sodium_bin2hex ((char *)seed, 2 * SEED_SIZE + 1, sv_keypair_seed (keypair), SEED_SIZE);
  int length = g_snprintf ((char *)text, MAX_FILE_SIZE,
                           "{\"accountId\": \"0x%s\", \"publicKey\": \"0x%s\", \"privateKey\": \"0x%s\", "
                           "\"secretPhrase\": null, \"secretSeed\": \"0x%s\", \"ss58Address\": \"%s\", \"cryptoType\": 0}",
                           public_key, public_key, (const char *)seed, (const char *)seed, sv_keypair_address (keypair));
  return sv_file_create (path, text, (gsize)length, 0600, error);
}
