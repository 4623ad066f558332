/* Reading the published issue log of a window (docs/protocol.md sections 3 and 7) from the reader's mirrors. */
#pragma once

#include "distribution/reader.h"
#include "protocol/issued.h"

typedef struct
{
  /* A verified line. @file is where it was found, for people. FALSE with an error ends the reading. */
  gboolean (*line) (const SvIssuedLine *line, const char *file, gpointer data, GError **error);
  /* What cannot be read or is not to be used: from here on, or of that file alone. */
  void (*fault) (const char *file, const GError *fault, gpointer data);
} SvIssuedVisitor;

/* Visits every line that any mirror has, of each mirror in ascending order; what two mirrors have comes twice. Only lines
 * signed by an issuer of @manifest, the live one of its window, come out. A mirror can keep something back, it can neither make
 * up anything nor go on for ever. FALSE only with an error of the visitor's. */
gboolean sv_read_issued_log (SvReader *reader, const SvManifest *manifest, const SvIssuedVisitor *visitor, gpointer data,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The lines of one file that are right, up to the first that is not, which is the error. They must follow on each other from
 * @first to @last. */
typedef gboolean (*SvVisitIssuedLine) (const SvIssuedLine *line, gpointer data, GError **error);
gboolean sv_issued_file_read (GBytes *bytes, const SvManifest *manifest, const SvChainId *chain, guint64 first, guint64 last,
                              SvVisitIssuedLine visit, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
