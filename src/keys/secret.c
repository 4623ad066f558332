#include "keys/secret.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* The limit that children inherit stays as it may be raised again: they hold no secret. */
static void
forbid_core_dumps (void)
{
  struct rlimit limit;
  if (getrlimit (RLIMIT_CORE, &limit) != 0)
    g_error ("core dumps cannot be forbidden: %s", g_strerror (errno));
  limit.rlim_cur = 0;
  if (setrlimit (RLIMIT_CORE, &limit) != 0 || prctl (PR_SET_DUMPABLE, 0) != 0)
    g_error ("core dumps cannot be forbidden: %s", g_strerror (errno));
}

SvSecret *
sv_secret_alloc (gsize length)
{
  static gsize ready = 0;
  if (g_once_init_enter (&ready))
  {
    if (sodium_init () < 0)
      g_error ("libsodium cannot be initialised");
    forbid_core_dumps ();
    g_once_init_leave (&ready, 1);
  }
  SvSecret *secret = sodium_malloc (length);
  if (secret == NULL)
    g_error ("no memory for a secret of %" G_GSIZE_FORMAT " bytes", length);
  memset (secret, 0, length);
  return secret;
}

void
sv_secret_free (SvSecret *secret)
{
  sodium_free (secret);
}

SvSecret *
sv_secret_copy_string (const char *text, gsize length)
{
  SvSecret *copy = sv_secret_alloc (length + 1);
  memcpy (copy, text, length);
  return copy;
}
