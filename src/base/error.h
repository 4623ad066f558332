/* The one error domain. Each code maps once to an exit status (docs/protocol.md section 11) and once to an HTTP status. A
 * message says what was wrong, where, and what to do about it; it never holds a secret. */
#pragma once

#include <glib.h>

#define SV_ERROR (sv_error_quark ())

typedef enum
{
  SV_ERROR_FAILED = 0,  /* a fault of ours or of the machine: disk full, out of memory      exit 1, HTTP 500 */
  SV_ERROR_USAGE,       /* wrong command line, configuration or request                      exit 2, HTTP 400 */
  SV_ERROR_MALFORMED,   /* a document breaks its format                                      exit 3, HTTP 400 */
  SV_ERROR_VERIFY,      /* a hash, signature, trust or agreement check failed                exit 3, HTTP 401 */
  SV_ERROR_NOT_FOUND,   /* the thing named does not exist                                    exit 4, HTTP 404 */
  SV_ERROR_UNREACHABLE, /* network, store, chain or database cannot be reached or read       exit 5, HTTP 503 */
  SV_ERROR_CONFLICT,    /* somebody else's change came first, or it exists already           exit 6, HTTP 409 */
  SV_ERROR_POLICY,      /* refused by a rule of the protocol or of the operator              exit 6, HTTP 403 */
} SvErrorCode;

GQuark sv_error_quark (void);

/* 0 for NULL; 1 for an error of another domain. */
int sv_error_exit_status (const GError *error);

/* 500 for an error of another domain. */
guint sv_error_http_status (const GError *error);

/* Text from outside, made fit for a message: valid UTF-8, at most 200 characters, control and formatting characters as \uXXXX,
 * so that it can neither forge a line nor steer a terminal. Returns: (transfer full). */
char *sv_text_printable (const char *text);
