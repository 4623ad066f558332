/* Signatures: "ed25519:" or "sr25519:" + 128 lower-case hex digits. Bit 7 of the last byte tells the scheme; there is one
 * verification per signature, never two (docs/protocol.md section 1). */
#pragma once

#include "keys/ss58.h"

#define SV_SIGNATURE_SIZE 64

typedef enum
{
  SV_SCHEME_ED25519,
  SV_SCHEME_SR25519,
} SvScheme;

const char *sv_scheme_name (SvScheme scheme);

typedef enum
{
  SV_SIGNATURE_DOCUMENT, /* the prefix is required, and must agree with the bit */
  SV_SIGNATURE_REQUEST,  /* the prefix is advisory, and may be absent or "0x" */
} SvSignatureForm;

/* FALSE for anything that does not have the form. */
gboolean sv_signature_parse (const char *text, SvSignatureForm form, guint8 signature[SV_SIGNATURE_SIZE],
                             SvScheme *scheme) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: (transfer full) the document form. */
char *sv_signature_format (const guint8 signature[SV_SIGNATURE_SIZE], SvScheme scheme);

/* A signature that was parsed. */
typedef struct
{
  guint8 bytes[SV_SIGNATURE_SIZE];
  SvScheme scheme;
} SvSignature;

/* TRUE when @signature is the key's over the message. */
gboolean sv_signature_verify_by_key (const guint8 public_key[SV_PUBLIC_KEY_SIZE], const void *message, gsize length,
                                     const SvSignature *signature) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when @signature_text is @address's over the message. */
gboolean sv_signature_verify (const char *address, const void *message, gsize length, const char *signature_text,
                              SvSignatureForm form) G_GNUC_WARN_UNUSED_RESULT;
