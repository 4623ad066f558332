/* Statements on signers that this home remembers (docs/protocol.md section 2, "Rotation"), for good: no store can take them
 * back. They lie beside the reader's memory in $SCOREVISION_HOME/memory/{genesis}-{netuid}/signers.jsonl, one on each line, the
 * n-th statement on the n-th, so that one rename replaces them all or none. */
#pragma once

#include "base/config.h"
#include "protocol/signers_fold.h"

/* An absent file is an empty list, a damaged one, or one beyond a history's limits, SV_ERROR_MALFORMED. Returns: (transfer
 * full) (element-type SvSignersStatement). */
GPtrArray *sv_signers_memory_read (const SvConfig *config, const SvChainId *chain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remembers @statements, which follow on each other from 1, are within a history's limits, and whose last has effect under
 * @roots. What another process of the home has remembered meanwhile stays where it goes further. SV_ERROR_VERIFY where what is
 * remembered and what is new part, and both have effect after that (sv_signers_check_agree()). */
gboolean sv_signers_memory_write (const SvConfig *config, const SvChainId *chain, const SvSignerRoots *roots,
                                  const GPtrArray *statements, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Two histories, each up to its last statement with effect: SV_ERROR_VERIFY naming both statements where they part, since
 * trusted accounts have then vouched for both. @where names the second one's origin. */
gboolean sv_signers_check_agree (const SvSignerRoots *roots, const GPtrArray *statements, const GPtrArray *others,
                                 const char *where, GError **error) G_GNUC_WARN_UNUSED_RESULT;
