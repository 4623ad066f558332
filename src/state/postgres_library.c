/* libpq brings OpenSSL, Kerberos, LDAP and GnuTLS along, and only a server whose state is in a PostgreSQL needs it. */
#include "state/postgres_library.h"

#include "base/error.h"
#include "base/shared_library.h"

static SvPq pq;

#define FUNCTION(name) { "PQ" #name, &pq.name },
static const SvLibraryFunction functions[] = { SV_PQ_FUNCTIONS (FUNCTION) };
#undef FUNCTION

static SvLibrary library = { .name = "libpq.so.5", .functions = functions, .n_functions = G_N_ELEMENTS (functions) };

gboolean
sv_pq_load (GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (sv_library_load (&library, &failure))
    return TRUE;
  g_set_error (
      error, SV_ERROR, SV_ERROR_FAILED,
      "SCOREVISION_DATABASE: a postgresql: database needs libpq, which cannot be loaded: %s; install libpq 14 or newer "
      "(Debian's package is libpq5)",
      failure->message);
  return FALSE;
}

const SvPq *
sv_pq (void)
{
  return &pq;
}
