/* A record of the issue log as a line has it (docs/protocol.md section 7): an array, whose order stands here and nowhere else.
 * Texts that come again in many records are names: each stands once in the line, and a record has its number. */
#pragma once

#include "base/schema.h"
#include "protocol/issued.h"

typedef enum
{
  SV_ISSUED_INTEGER, /* from 0 to 2^53-1 */
  SV_ISSUED_NONCE,   /* a text of 19 digits */
  SV_ISSUED_ACCOUNT, /* this and what follows are names */
  SV_ISSUED_HASH,
  SV_ISSUED_ELEMENT,
} SvIssuedForm;

typedef struct
{
  const char *field;
  SvIssuedForm form;
  gsize offset; /* of its value in an SvIssueRecord: a guint64 (or a gint64 from 0 on), or a char * */
} SvIssuedColumn;

#define SV_ISSUED_N_COLUMNS 10
#define SV_ISSUED_NAMES_IN_RECORD 5
#define SV_ISSUED_LINE_MAX_NAMES (SV_ISSUED_LINE_MAX_RECORDS * SV_ISSUED_NAMES_IN_RECORD)
#define SV_ISSUED_NONCE_DIGITS 19

extern const SvIssuedColumn sv_issued_columns[SV_ISSUED_N_COLUMNS];

/* Whether a record may have @text, an account without "ss58:", as a name of this form. FALSE for NULL. */
gboolean sv_issued_is_name (const char *text, SvIssuedForm form);

/* Reads `names` and `records` of the line's @scope into @line, whose window and range are read already. */
void sv_issued_read_records (const SvScope *scope, SvIssuedLine *line);
