/* What a chain of statements on signers comes to (docs/protocol.md section 2, "Rotation"): who may sign the next statement, and
 * whose manifests and indexes count at a block. Pure: the same for every reader with the same setting and revocations,
 * whenever it comes. */
#pragma once

#include "protocol/signers_statement.h"

/* The most accounts that can be trusted at one block by being added, since each costs a question to the chain: an addition
 * beyond has no effect. */
#define SV_SIGNERS_MAX_TRUSTED 64

/* Whom the setting names, and whose word does not count any more. All NULL-terminated bare addresses. */
typedef struct
{
  char **accounts;           /* the setting's */
  char *owner;               /* the subnet's, where the setting names it; or NULL */
  char **revoked_by_owner;   /* on the chain */
  char **revoked_by_setting; /* by `!ACCOUNT` */
} SvSignerRoots;

SvSignerRoots *sv_signer_roots_copy (const SvSignerRoots *roots);
void sv_signer_roots_free (SvSignerRoots *roots);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSignerRoots, sv_signer_roots_free)

typedef enum
{
  SV_SIGNER_UNKNOWN, /* nobody trusted has named the account */
  SV_SIGNER_TRUSTED, /* its manifests and indexes count */
  SV_SIGNER_COMING,  /* added, from a later block on */
  SV_SIGNER_RETIRED, /* its manifests count where an index of a trusted one lists them, its indexes do not */
  SV_SIGNER_REVOKED, /* nothing of it counts */
} SvSignerState;

const char *sv_signer_state_name (SvSignerState state);

/* One account at one block, and why. */
typedef struct
{
  char *account;
  SvSignerState state;
  enum
  {
    SV_WHY_NOTHING,
    SV_WHY_SETTING,
    SV_WHY_OWNER,
    SV_WHY_ADDED,
    SV_WHY_RETIRED,
    SV_WHY_REVOKED_BY_OWNER,
    SV_WHY_REVOKED_BY_SETTING,
  } why;
  guint64 statement;  /* which added or retired it */
  char *by;           /* that statement's signer */
  guint64 from_block; /* since which block */
  gboolean has_until; /* a trusted one stops being it at @until, by a statement there is already */
  guint64 until;
} SvSigner;

void sv_signer_free (SvSigner *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSigner, sv_signer_free)

typedef struct SvSignersFold SvSignersFold;

/* Returns: (transfer full) before the first statement. */
SvSignersFold *sv_signers_fold_new (const SvSignerRoots *roots);

/* Over statements (element-type SvSignersStatement) that follow on each other from 1. Returns: (transfer full). */
SvSignersFold *sv_signers_fold_all (const SvSignerRoots *roots, const GPtrArray *statements);
void sv_signers_fold_free (SvSignersFold *fold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSignersFold, sv_signers_fold_free)

/* Adds the next statement. FALSE where it has no effect, because its signer may not sign it. */
gboolean sv_signers_fold_add (SvSignersFold *fold, const SvSignersStatement *statement);

/* The number of the last statement with an effect, which vouches for all before it; 0 for none. */
guint64 sv_signers_fold_last_effective (const SvSignersFold *fold);

/* Whether a next statement by the account has effect: order alone counts for that, no block. */
gboolean sv_signers_fold_may_sign (const SvSignersFold *fold, const char *account);
SvSignerState sv_signers_fold_state (const SvSignersFold *fold, const char *account, guint64 block);

/* Every account that setting, statements with effect or revocations name, at @block. Returns: (transfer full) (element-type
 * SvSigner): the setting's first, then in the order of the statements, then those that are only revoked. */
GPtrArray *sv_signers_fold_list (const SvSignersFold *fold, guint64 block);

/* Whether any account changes its state between the two blocks. */
gboolean sv_signers_fold_changes_between (const SvSignersFold *fold, guint64 after, guint64 upto);
