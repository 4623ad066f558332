/* The validator list: SCOREVISION_VALIDATORS, accounts or `chain:permit`. */
#pragma once

#include "chain/chain.h"

typedef struct SvValidators SvValidators;

/* NULL without an error when no list is configured. Returns: (transfer full). */
SvValidators *sv_validators_new (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_validators_free (SvValidators *validators);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvValidators, sv_validators_free)

/* Reads `chain:permit` at @block, unless that was done already for it; nothing to do for a fixed list. */
gboolean sv_validators_refresh (SvValidators *validators, SvChain *chain, guint64 block,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer full) the accounts of `chain:permit` that were read last, and at which block; NULL where none were, or the list is
 * a fixed one. */
char **sv_validators_permits (SvValidators *validators, guint64 *block);

/* Takes the accounts over from somebody who has read them; nothing to do for a fixed list. */
void sv_validators_set (SvValidators *validators, char *const *permits, guint64 block);

/* FALSE until `chain:permit` has been read once: nobody can be told yet that he is not on it. */
gboolean sv_validators_are_read (SvValidators *validators);

/* On the list that was read last. Safe to call from any thread while another refreshes. */
gboolean sv_validators_contain (SvValidators *validators, const char *address);
