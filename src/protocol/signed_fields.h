/* The form of the five fields that every signed document carries (docs/protocol.md section 1). Whether they are true is for
 * sv_signed_document_open() to say; here a document that lacks one is told so in the same list as its other faults. Pure. */
#pragma once

#include "base/schema.h"

/* For lists of known field names. */
#define SV_SIGNED_FIELD_NAMES "type", "chain", "signed_by", "signed_at", "signature"

void sv_signed_fields_check (const SvScope *scope, const char *type);

/* A fault for each field that is there although only publishing may write it. */
void sv_signed_fields_refuse (const SvScope *scope);
