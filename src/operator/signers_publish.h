/* Adding and retiring signers by the next statement (docs/protocol.md section 2, "Rotation"). Each step may be the last one
 * before a crash; the same command run again does what is missing and nothing twice. */
#pragma once

#include "distribution/publisher.h"

typedef struct
{
  gboolean is_addition;
  const char *account; /* bare */
  gboolean has_from_block;
  guint64 from_block; /* without it the finalized head */
  gboolean dry_run;
} SvSignerRequest;

/* What was, or with dry_run would be, done. */
typedef struct
{
  gboolean was_there;  /* the account is in that state already: no statement */
  guint64 from_block;  /* from which it counts */
  guint64 number;      /* of the statement; 0 where there is none */
  char *hash;          /* its hash, or NULL */
  guint64 resigned;    /* sequence with which the wallet has signed the retired account's index again; 0 where it has not */
  gboolean owns_index; /* the wallet retires itself, later, and the index in the store is signed by it */
  char *index_fault;   /* why the index could not be looked at, or NULL */
} SvSignerPublication;

void sv_signer_publication_free (SvSignerPublication *publication);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSignerPublication, sv_signer_publication_free)

/* Who retires himself and has signed the index in the store leaves the others so many blocks, from the best one, to sign it. */
#define SV_RETIRE_NOTICE 10

/* SV_ERROR_POLICY where the wallet may not sign statements, the account is revoked, nobody would stay trusted, or readers would
 * be left without an index (SV_RETIRE_NOTICE); SV_ERROR_NOT_FOUND for retiring somebody whom nobody has named. An index by
 * somebody who is retired already is signed again, too; where that cannot be done it is SV_ERROR_VERIFY naming `sv manifest
 * publish FILE --rebuild-index`. Returns: (transfer full). */
SvSignerPublication *sv_publish_signer (SvPublisher *publisher, const SvSignerRequest *request,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
