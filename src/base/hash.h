/* Hashes and hex. A hash is written "sha256:" + 64 lower-case hex digits (docs/protocol.md section 1). */
#pragma once

#include <glib.h>

#define SV_SHA256_SIZE 32
#define SV_BLAKE2B_256_SIZE 32
#define SV_HASH_PREFIX "sha256:"

/* "sha256:…" of the bytes. Returns: (transfer full). */
char *sv_hash_bytes (const void *data, gsize length);
char *sv_hash_gbytes (GBytes *bytes);

void sv_sha256 (const void *data, gsize length, guint8 digest[SV_SHA256_SIZE]);
void sv_blake2b_256 (const void *data, gsize length, guint8 digest[SV_BLAKE2B_256_SIZE]);

/* SHA-256 of a file's content, read in pieces. Returns: (transfer full) "sha256:…", or NULL: SV_ERROR_NOT_FOUND,
 * SV_ERROR_MALFORMED for what is no regular file, SV_ERROR_FAILED on a read error. */
char *sv_hash_file (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE for the stored form only: prefix and lower-case hex. */
gboolean sv_hash_is_valid (const char *text);

/* TRUE for the 64 digits alone. */
gboolean sv_hash_is_bare (const char *text);

/* Takes the stored form or bare lower-case hex as input and returns the stored form; NULL if it is neither. */
char *sv_hash_normalize (const char *text);

/* The same without an allocation; FALSE if it is neither. */
#define SV_HASH_TEXT_SIZE (sizeof SV_HASH_PREFIX + 2 * SV_SHA256_SIZE)
gboolean sv_hash_normalize_into (const char *text, char hash[SV_HASH_TEXT_SIZE]) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) the 64 digits of a stored form. */
const char *sv_hash_hex (const char *hash);

/* Lower-case hex, no prefix. Returns: (transfer full). */
char *sv_hex_encode (const void *data, gsize length);

/* Decodes exactly 2 × @length lower-case (or, with @any_case, any) hex digits; FALSE for anything else. */
gboolean sv_hex_decode (const char *text, gboolean any_case, guint8 *out, gsize length) G_GNUC_WARN_UNUSED_RESULT;
