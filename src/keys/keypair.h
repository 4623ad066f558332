/* Key pairs and btcli's key files (docs/protocol.md section 10). The secret half lies in sodium_malloc memory, and in no log,
 * message or command line. */
#pragma once

#include "base/config.h"
#include "keys/signature.h"

typedef struct SvKeypair SvKeypair;

SvKeypair *sv_keypair_generate (SvScheme scheme);
SvKeypair *sv_keypair_from_seed (const guint8 seed[32], SvScheme scheme);
void sv_keypair_free (SvKeypair *keypair);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvKeypair, sv_keypair_free)

/* (transfer none) the bare SS58 address. */
const char *sv_keypair_address (const SvKeypair *keypair);
const guint8 *sv_keypair_public_key (const SvKeypair *keypair);
SvScheme sv_keypair_scheme (const SvKeypair *keypair);

/* Returns: (transfer full) the signature in document form. */
char *sv_keypair_sign (const SvKeypair *keypair, const void *message, gsize length);

/* The signature's bytes, for what does not write it as text. */
void sv_keypair_sign_raw (const SvKeypair *keypair, const void *message, gsize length, guint8 signature[SV_SIGNATURE_SIZE]);

/* Reads a key file, plain or encrypted; passphrases come from the environment (BT_PW_…) or the terminal. A mode that lets group
 * or others read it is SV_ERROR_POLICY with the chmod that mends it; a wrong passphrase, and a file whose fields disagree, are
 * SV_ERROR_VERIFY. */
SvKeypair *sv_keyfile_read (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes btcli's JSON form with mode 0600; SV_ERROR_CONFLICT where the file exists. The encrypted form needs a passphrase, from
 * the environment or asked twice on the terminal. */
gboolean sv_keyfile_create (const char *path, const SvKeypair *keypair, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_keyfile_create_encrypted (const char *path, const SvKeypair *keypair, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How a secret that is written down is to be read. */
typedef struct
{
  gboolean has_scheme; /* else a phrase and a private key are sr25519, a seed is ed25519 */
  SvScheme scheme;
  const char *account; /* the address that must come out, or NULL */
} SvKeyImport;

/* Makes a key of the one line in the file, or on standard input when @path is NULL: a seed ("0x" and 64 hex digits) or a
 * phrase, each with a derivation path or without, or an sr25519 private key ("0x" and 128 hex digits). A file that others can
 * read is SV_ERROR_POLICY, another account than @import names SV_ERROR_VERIFY. */
SvKeypair *sv_key_import (const char *path, const SvKeyImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SV_ERROR_USAGE when the configured wallet or hotkey is not a plain name but a path. */
gboolean sv_wallet_check_names (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* $BITTENSOR_WALLET_PATH/$BITTENSOR_WALLET_COLD/hotkeys/$BITTENSOR_WALLET_HOT. Returns: (transfer full). */
char *sv_wallet_hotkey_path (const SvConfig *config);

/* The configured wallet's hotkey; when the file is absent the error names `sv key new`. */
SvKeypair *sv_wallet_load (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
