/* Reading what is secret from files and standard input, into guarded memory. */
#pragma once

#include "keys/secret.h"

#define SV_SECRET_FILE_MAX_SIZE 16384

/* Of standard input: on a terminal one line, asked for and typed without echo.
 *
 * The whole content, ended by NUL, and its length. A file that group or others can read is SV_ERROR_POLICY with the chmod that
 * mends it, a larger or odd file SV_ERROR_MALFORMED, an absent one SV_ERROR_NOT_FOUND. Returns: (transfer full). */
SvSecret *sv_secret_file_read (const char *path, gsize *length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
SvSecret *sv_secret_input_read (gsize *length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
