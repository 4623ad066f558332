/* Inside state: what the leader shares, as the text that engines keep. Generation, final block, age and answered are columns of
 * their own, since the database judges by them. */
#pragma once

#include "state/state.h"

/* Returns: (transfer full). */
char *sv_shared_chain_to_text (const SvSharedChain *shared);

/* NULL where the text is not one of ours: SV_ERROR_UNREACHABLE. Returns: (transfer full), without @final. */
SvSharedChain *sv_shared_chain_from_text (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
