#include "keys/keyfile_box.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "keys/passphrase.h"

#define MARK "$NACL"
#define MARK_SIZE (sizeof MARK - 1)
#define HEADER_SIZE (MARK_SIZE + crypto_secretbox_NONCEBYTES)
#define N_PASSES 8
#define MEMORY 536870912 /* bytes */

/* The same for all files of all users: it is part of the format. */
static const guint8 salt[crypto_pwhash_SALTBYTES] = { 0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc,
                                                      0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1 };

static gboolean
begins_with (const guint8 *data, gsize length, const char *mark)
{
  return length >= strlen (mark) && memcmp (data, mark, strlen (mark)) == 0;
}

static gboolean
is_of_old_form (const guint8 *data, gsize length)
{
  return begins_with (data, length, "$ANSIBLE_VAULT") || begins_with (data, length, "gAAAAA");
}

gboolean
sv_keyfile_is_encrypted (const guint8 *data, gsize length)
{
  return begins_with (data, length, MARK) || is_of_old_form (data, length);
}

static SvSecret *
derive_key (const char *path, const SvSecret *passphrase, GError **error)
{
  g_autoptr (SvSecret) key = sv_secret_alloc (crypto_secretbox_KEYBYTES);
  const char *text = (const char *)passphrase;
  if (crypto_pwhash (key, crypto_secretbox_KEYBYTES, text, strlen (text), salt, N_PASSES, MEMORY,
                     crypto_pwhash_ALG_ARGON2I13) == 0)
    return g_steal_pointer (&key);
  g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "%s: the passphrase of a key file takes %d MiB of memory, which is not there",
               path, MEMORY >> 20);
  return NULL;
}

static gboolean
check_form (const char *path, const guint8 *data, gsize length, GError **error)
{
  if (is_of_old_form (data, length))
    g_set_error (error, SV_ERROR, SV_ERROR_POLICY,
                 "%s: this key file is encrypted in an old form, which is not read here; encrypt it anew with `btcli w update`",
                 path);
  else if (length < HEADER_SIZE + crypto_secretbox_MACBYTES)
    g_set_error (error, SV_ERROR, SV_ERROR_MALFORMED, "%s: this encrypted key file is cut short", path);
  else
    return TRUE;
  return FALSE;
}

SvSecret *
sv_keyfile_box_open (const char *path, const guint8 *data, gsize length, gsize *opened_length, GError **error)
{
  if (!check_form (path, data, length, error))
    return NULL;
  g_autoptr (SvSecret) passphrase = sv_passphrase_get (path, SV_PASSPHRASE_OPEN, error);
  g_autoptr (SvSecret) key = passphrase != NULL ? derive_key (path, passphrase, error) : NULL;
  if (key == NULL)
    return NULL;
  *opened_length = length - HEADER_SIZE - crypto_secretbox_MACBYTES;
  g_autoptr (SvSecret) text = sv_secret_alloc (*opened_length + 1);
  if (crypto_secretbox_open_easy (text, data + HEADER_SIZE, length - HEADER_SIZE, data + MARK_SIZE, key) == 0)
    return g_steal_pointer (&text);
  g_set_error (error, SV_ERROR, SV_ERROR_VERIFY, "%s: the passphrase is wrong, or the file was changed", path);
  return NULL;
}

GBytes *
sv_keyfile_box_seal (const char *path, const guint8 *text, gsize length, GError **error)
{
  g_autoptr (SvSecret) passphrase = sv_passphrase_get (path, SV_PASSPHRASE_NEW, error);
  g_autoptr (SvSecret) key = passphrase != NULL ? derive_key (path, passphrase, error) : NULL;
  if (key == NULL)
    return NULL;
  gsize size = HEADER_SIZE + crypto_secretbox_MACBYTES + length;
  guint8 *box = g_malloc (size);
  memcpy (box, MARK, MARK_SIZE);
  randombytes_buf (box + MARK_SIZE, crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy (box + HEADER_SIZE, text, length, box + MARK_SIZE, key);
  return g_bytes_new_take (box, size);
}
