/* Issue logs in the check and the copying of stores (docs/protocol.md sections 3 and 7). Their names say nothing of their
 * content, so they are read as an auditor reads them: from signpost to signpost, each line signed by an issuer whom the live
 * manifest of the window names. */
#pragma once

#include "distribution/issued_log.h"
#include "operator/store_check_state.h"
#include "operator/store_mirror_state.h"

/* Notes that an object of the window's log is listed. */
void sv_store_note_issued (SvStoreCheck *check, const SvStoreName *name);

/* Reads the logs of the windows noted. FALSE when they cannot be. */
gboolean sv_store_check_issued (SvStoreCheck *check, GError **error);

/* Copies the log of the window whose live entry this is, as far as it is right and no further. */
gboolean sv_mirror_copy_issued (SvMirror *mirror, const SvIndexEntry *entry, GError **error);
