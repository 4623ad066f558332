/* Encrypted key files: "$NACL", a nonce of 24 bytes, and a secretbox whose key is Argon2i13 of the passphrase (8 passes over
 * 512 MiB, so each costs seconds). */
#pragma once

#include "keys/secret.h"

/* TRUE for "$NACL" and for the two forms before it, which sv_keyfile_box_open() refuses. */
gboolean sv_keyfile_is_encrypted (const guint8 *data, gsize length);

/* The content, ended by NUL, and its length. The passphrase is taken as passphrase.h says; a wrong one is SV_ERROR_VERIFY, a
 * form that is not read SV_ERROR_POLICY. Returns: (transfer full). */
SvSecret *sv_keyfile_box_open (const char *path, const guint8 *data, gsize length, gsize *opened_length,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Asks for a new passphrase, or takes it from the environment. Returns: (transfer full). */
GBytes *sv_keyfile_box_seal (const char *path, const guint8 *text, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
