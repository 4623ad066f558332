/* The content of btcli's key files. */
#pragma once

#include "keys/keypair.h"

/* Judges the content of a file that is not encrypted (any more). What a file says several times must agree, else
 * SV_ERROR_VERIFY; a file without a secret is SV_ERROR_POLICY. Returns: (transfer full). */
SvKeypair *sv_keyfile_parse (const char *path, const guint8 *data, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
