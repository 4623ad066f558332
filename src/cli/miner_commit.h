/* `sv miner commit`; miner.c has the table. */
#pragma once

#include "cli/command.h"

extern const GOptionEntry sv_miner_commit_options[];

int sv_miner_run_commit (SvContext *context, int argc, char **argv, GError **error);
