/* Whom each owner of the subnet has revoked on the chain, as far as this home takes him for the owner (docs/protocol.md section
 * 5): a part of the reader's memory. Nothing is ever taken out. */
#pragma once

#include "base/schema.h"

typedef struct SvOwnerRevocations SvOwnerRevocations;

SvOwnerRevocations *sv_owner_revocations_new (void);
void sv_owner_revocations_free (SvOwnerRevocations *revocations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvOwnerRevocations, sv_owner_revocations_free)

/* TRUE where it was not there. All are bare addresses. */
gboolean sv_owner_revocations_add (SvOwnerRevocations *revocations, const char *owner, const char *account);
gboolean sv_owner_revocations_has (const SvOwnerRevocations *revocations, const char *owner, const char *account);

/* (transfer none) the accounts that somebody has revoked, NULL-terminated. */
const char *const *sv_owner_revocations_accounts (const SvOwnerRevocations *revocations);

/* `revoked_by`, {OWNER: [ACCOUNT…]}, and `revoked`, those of files that did not say by whom. */
void sv_owner_revocations_read (SvOwnerRevocations *revocations, const SvScope *top);
void sv_owner_revocations_write (const SvOwnerRevocations *revocations, json_t *json);
