/* The passphrases of encrypted key files. */
#pragma once

#include "keys/secret.h"

/* The variable in which btcli keeps the passphrase of the file: BT_PW_ and the path in upper case, with "/" and "." as "_".
 * Returns: (transfer full). */
char *sv_passphrase_variable (const char *path);

typedef enum
{
  SV_PASSPHRASE_OPEN, /* of a file that exists */
  SV_PASSPHRASE_NEW,  /* of one that is to be written: asked twice */
} SvPassphraseUse;

/* From the environment, where the value is base64 of the passphrase XOR the variable's name; else asked for on the terminal,
 * without echo. Without a terminal SV_ERROR_USAGE names the variable. Returns: (transfer full), ended by NUL. */
SvSecret *sv_passphrase_get (const char *path, SvPassphraseUse use, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From here on passphrases come from the environment only: a server must not wait for somebody at a terminal. */
void sv_passphrase_never_ask (void);

/* A line typed on @terminal without echo, after @question; at most 1024 bytes. Returns: (transfer full), ended by NUL; NULL
 * where there is none, or a longer one. */
SvSecret *sv_secret_ask (int terminal, const char *question) G_GNUC_WARN_UNUSED_RESULT;
