/* The publishing half of `sv manifest`; manifest.c has the table. */
#pragma once

#include <stdio.h>

#include "cli/command.h"
#include "operator/authoring.h"

extern const GOptionEntry sv_manifest_publish_options[];
extern const GOptionEntry sv_manifest_rollback_options[];

int sv_manifest_run_publish (SvContext *context, int argc, char **argv, GError **error);
int sv_manifest_run_rollback (SvContext *context, int argc, char **argv, GError **error);

/* One line for each fault, in its place; with @is_strict warnings are errors. */
void sv_manifest_print_faults (const SvContext *context, const SvAuthoredManifest *authored, gboolean is_strict, FILE *stream);
