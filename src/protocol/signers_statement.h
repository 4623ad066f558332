/* A statement on signers (docs/protocol.md section 2, "Rotation"): scorevision/signers/{n}.json, by which a trusted account
 * adds and retires others. Statements form a hash chain from 1; what they come to is folded in signers_fold.h. Pure. */
#pragma once

#include "keys/signed_document.h"

#define SV_SIGNERS_MAX_SIZE (8 * 1024) /* bytes of one statement */
#define SV_SIGNERS_MAX_CHANGES 32      /* accounts in `add`, and in `retire` */

/* A history ends for every reader, whoever signed it, with the last statement that is within both: so a stolen key costs no
 * more memory and time than this, and a revocation cannot make a history too long that was not so before. An operator needs
 * some 600 bytes for a change. */
#define SV_SIGNERS_MAX_STATEMENTS 500
#define SV_SIGNERS_HISTORY_MAX_SIZE (512 * 1024) /* bytes of all statements together */

typedef struct
{
  char *account;      /* bare address */
  guint64 from_block; /* first block at which the change counts for manifests and indexes */
} SvSignerChange;

typedef struct
{
  SvSignedDocument *document; /* without its `json`, whose values stand here */
  guint64 number;             /* from 1 */
  char *previous;             /* hash of the statement before, NULL for the first */
  GPtrArray *add;             /* (element-type SvSignerChange) */
  GPtrArray *retire;          /* (element-type SvSignerChange) */
} SvSignersStatement;

void sv_signers_statement_free (SvSignersStatement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSignersStatement, sv_signers_statement_free)

void sv_signers_statement_check (const json_t *json, SvFaults *faults);

/* Opens a statement through sv_signed_document_open(), with every check but that of trust, which depends on the statements
 * before it. Returns: (transfer full). */
SvSignersStatement *sv_signers_statement_open (GBytes *bytes, const SvChainId *chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE where @statement is the one after @last (NULL: the first of all); else SV_ERROR_VERIFY. */
gboolean sv_signers_statement_follows (const SvSignersStatement *statement, const SvSignersStatement *last,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Signs the statement after @last (or NULL) with one change. Returns: (transfer full). */
SvSignersStatement *sv_signers_statement_sign (const SvSignersStatement *last, gboolean is_addition,
                                               const SvSignerChange *change, const SvChainId *chain, const SvKeypair *keypair,
                                               gint64 signed_at, GError **error) G_GNUC_WARN_UNUSED_RESULT;
