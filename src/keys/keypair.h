/* Key pairs and btcli's key files (docs/protocol.md section 10). The secret half lies in sodium_malloc memory, and in no log,
 * message or command line. */
#pragma once

#include "base/config.h"
#include "keys/signature.h"

typedef struct SvKeypair SvKeypair;

SvKeypair *sv_keypair_generate (void);
SvKeypair *sv_keypair_from_seed (const guint8 seed[32]);
void sv_keypair_free (SvKeypair *keypair);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvKeypair, sv_keypair_free)

/* (transfer none) the bare SS58 address. */
const char *sv_keypair_address (const SvKeypair *keypair);
const guint8 *sv_keypair_public_key (const SvKeypair *keypair);
SvScheme sv_keypair_scheme (const SvKeypair *keypair);

/* Returns: (transfer full) the signature in document form. */
char *sv_keypair_sign (const SvKeypair *keypair, const void *message, gsize length);

/* Reads a key file. A mode that lets group or others read it is SV_ERROR_POLICY with the chmod that mends it; an encrypted or
 * sr25519 file is SV_ERROR_POLICY saying what this build supports; a file whose fields disagree is SV_ERROR_VERIFY. */
SvKeypair *sv_keyfile_read (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes btcli's JSON form with mode 0600; SV_ERROR_CONFLICT where the file exists. */
gboolean sv_keyfile_create (const char *path, const SvKeypair *keypair, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a seed, "0x" and 64 hex digits, from the file, or from standard input when @path is NULL. A file that others can read
 * is SV_ERROR_POLICY. */
SvKeypair *sv_seed_read (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SV_ERROR_USAGE when the configured wallet or hotkey is not a plain name but a path. */
gboolean sv_wallet_check_names (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* $BITTENSOR_WALLET_PATH/$BITTENSOR_WALLET_COLD/hotkeys/$BITTENSOR_WALLET_HOT. Returns: (transfer full). */
char *sv_wallet_hotkey_path (const SvConfig *config);

/* The configured wallet's hotkey; when the file is absent the error names `sv key new`. */
SvKeypair *sv_wallet_load (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
