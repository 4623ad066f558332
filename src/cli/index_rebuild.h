/* How `sv manifest publish --rebuild-index` tells what it makes of an index that is refused. For NULL, where nothing has to be
 * rebuilt, nothing is told. */
#pragma once

#include <stdio.h>

#include "cli/command.h"
#include "distribution/publisher.h"

/* What a person is asked about: why, what is kept and what is dropped. */
void sv_index_rebuild_print_preview (const SvIndexRebuild *rebuild, FILE *stream);

/* Lines for the command's output, with what was kept and dropped. */
void sv_index_rebuild_print (const SvIndexRebuild *rebuild);

/* JSON null for NULL. Returns: (transfer full). */
json_t *sv_index_rebuild_to_json (const SvIndexRebuild *rebuild);
