/* The rules for one element of a manifest (docs/protocol.md section 2), told to a list of faults. Pure. */
#pragma once

#include "base/schema.h"

typedef enum
{
  SV_CONTENT_AUTHORED, /* by a person: hashes may be bare hex, the version may be the number 1.3 */
  SV_CONTENT_STORED,   /* signed: every value in its one stored form */
} SvContentForm;

void sv_element_check (const json_t *json, const char *pointer, SvContentForm form, SvFaults *faults);

/* The hash in field @key, if any, has the form that @form asks for. */
void sv_content_check_hash (const SvScope *scope, const char *key, SvPresence presence, SvContentForm form);
