/* `sv serve --check-config`. */
#pragma once

#include "cli/command.h"

/* Prints the table, or with --json the document. Returns: the exit status. */
int sv_check_serve (const SvContext *context);
