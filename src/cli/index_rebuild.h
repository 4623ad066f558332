/* How `sv manifest publish --rebuild-index` tells what it makes of an index that is refused. */
#pragma once

#include "cli/command.h"
#include "distribution/publisher.h"

/* Prints what is kept and dropped to standard error, and asks. @rebuild may be NULL: nothing is asked then. */
gboolean sv_index_rebuild_confirm (SvContext *context, const SvIndexRebuild *rebuild, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lines for the command's output, with what is dropped; nothing for NULL. */
void sv_index_rebuild_print (const SvIndexRebuild *rebuild);

/* JSON null for NULL. Returns: (transfer full). */
json_t *sv_index_rebuild_to_json (const SvIndexRebuild *rebuild);
