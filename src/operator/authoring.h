/* Authored manifests: a file is read and judged as a whole, so that its author sees all that is wrong at once, each fault in
 * its place. */
#pragma once

#include "base/authored.h"
#include "protocol/manifest.h"

typedef struct
{
  char *name;
  json_t *json;
  SvPlaces *places;
  SvFaults *faults; /* errors and warnings of the schema, in the order found */
} SvAuthoredManifest;

/* Reads @path ("-": standard input). What is not one YAML or JSON document at all is an error with its place; what breaks a
 * rule is a fault. Returns: (transfer full). */
SvAuthoredManifest *sv_authored_manifest_load (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same from text; @name is used in messages. */
SvAuthoredManifest *sv_authored_manifest_read (const char *name, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_authored_manifest_free (SvAuthoredManifest *authored);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvAuthoredManifest, sv_authored_manifest_free)

/* TRUE when there is no fault (with @strict no warning either). Otherwise SV_ERROR_MALFORMED, which lists all of them, a line
 * each. */
gboolean sv_authored_manifest_check (const SvAuthoredManifest *authored, gboolean strict,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* {"file","valid","errors":[{"line","column","path","message"}],"warnings":[…]}. Returns: (transfer full). */
json_t *sv_authored_manifest_report (const SvAuthoredManifest *authored, gboolean strict);
