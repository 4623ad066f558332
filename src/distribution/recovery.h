/* What a home still knows of a store's content when the store itself has lost it: for repairs (`sv store check --repair`). */
#pragma once

#include "distribution/reader.h"

/* The highest sequence of an index that is known from trusted signers, by this home's memory or by an anchor on the chain; 0
 * where none is. */
guint64 sv_known_sequence (SvReader *reader);

/* Whether the chain has been asked for an anchor: without one nobody can tell that no newer index was published. */
gboolean sv_knows_anchor (const SvReader *reader);

/* The index that this home remembers, if no higher one is known. SV_ERROR_NOT_FOUND when it remembers none, SV_ERROR_VERIFY
 * when a higher one is known, which is somewhere else, or its signer has retired. Returns: (transfer full). */
SvIndex *sv_recover_index (SvReader *reader, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What this home keeps of content with that hash, or NULL. Returns: (transfer full). */
GBytes *sv_recover_by_hash (SvReader *reader, const char *hash, gsize max_size) G_GNUC_WARN_UNUSED_RESULT;
