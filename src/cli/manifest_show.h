/* The reading half of `sv manifest`; manifest.c has the table, manifest_diff.c compares. */
#pragma once

#include <stdio.h>

#include "cli/command.h"
#include "operator/manifest_source.h"

extern const GOptionEntry sv_manifest_list_options[];
extern const GOptionEntry sv_manifest_current_options[];
extern const GOptionEntry sv_manifest_source_options[];

int sv_manifest_run_list (SvContext *context, int argc, char **argv, GError **error);
int sv_manifest_run_current (SvContext *context, int argc, char **argv, GError **error);
int sv_manifest_run_show (SvContext *context, int argc, char **argv, GError **error);
int sv_manifest_run_diff (SvContext *context, int argc, char **argv, GError **error);

/* The manifest that a person named; see operator/manifest_source.h. Returns: (transfer full). */
SvManifestSource *sv_manifest_load_source (SvContext *context, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Prints what sv_manifest_diff() found. @max is 0 for all of it; else at most so many lines, none of them long, and how many
 * more there are. */
void sv_print_differences (const GPtrArray *differences, guint max, FILE *stream, gboolean use_color);

/* The same as an array of objects. Returns: (transfer full). */
json_t *sv_differences_to_json (const GPtrArray *differences);
