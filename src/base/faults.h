/* Faults: everything that is wrong with one document, each with its place (an RFC 6901 JSON pointer). Schema checks of
 * protocol/ add to a list and go on, so that `sv manifest validate` can show all of them at once; readers of the wire take
 * the first as their error. Warnings ride along and never make a document invalid. */
#pragma once

#include <glib.h>

typedef struct
{
  char *pointer; /* "" is the document itself */
  char *message; /* "weights sum to 0.95, not 1" */
  gboolean is_warning;
} SvFault;

typedef struct
{
  GPtrArray *items; /* of SvFault, in the order found */
  guint n_errors;
  guint n_warnings;
} SvFaults;

SvFaults *sv_faults_new (void);
void sv_faults_free (SvFaults *faults);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvFaults, sv_faults_free)

void sv_faults_add (SvFaults *faults, const char *pointer, const char *format, ...) G_GNUC_PRINTF (3, 4);
void sv_faults_warn (SvFaults *faults, const char *pointer, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* TRUE when there is no error in the list. Otherwise sets @error (SV_ERROR_MALFORMED) to
 * "WHAT: POINTER: MESSAGE", followed by " (and N more faults)" where more were found. */
gboolean sv_faults_check (const SvFaults *faults, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
