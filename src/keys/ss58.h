/* Accounts: SS58 addresses of network prefix 42 (docs/protocol.md section 1). In memory an account is its bare address as a
 * string; the 32-byte public key is decoded where a signature is checked. JSON documents write "ss58:" before it. */
#pragma once

#include <glib.h>

#define SV_PUBLIC_KEY_SIZE 32
#define SV_ACCOUNT_DOCUMENT_PREFIX "ss58:"

/* Decodes an address without prefix "ss58:". FALSE for a wrong checksum, length or network. */
gboolean sv_ss58_decode (const char *address, guint8 public_key[SV_PUBLIC_KEY_SIZE]) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: (transfer full). */
char *sv_ss58_encode (const guint8 public_key[SV_PUBLIC_KEY_SIZE]);

/* Takes "5F…" or "ss58:5F…" and returns the bare address; NULL when it is not a valid account. Returns: (transfer full). */
char *sv_account_normalize (const char *text);

/* The form of JSON documents. Returns: (transfer full) "ss58:5F…". */
char *sv_account_document_form (const char *address);
