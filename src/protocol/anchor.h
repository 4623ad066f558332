/* Chain anchor and revocations (docs/protocol.md section 5): the texts `sv1 manifest HASH SEQUENCE` and `sv1 revoke`, each
 * followed by one line per revoked account. Pure. */
#pragma once

#include <glib.h>

typedef struct
{
  char *hash; /* the index's `newest`; NULL in a bare `sv1 revoke` */
  guint64 sequence;
  char **revoked; /* bare addresses, NULL-terminated, never NULL */
} SvAnchor;

void sv_anchor_free (SvAnchor *anchor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvAnchor, sv_anchor_free)

/* Returns: (transfer full), or NULL (SV_ERROR_MALFORMED) for any text that is not one of the two forms exactly. */
SvAnchor *sv_anchor_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: (transfer full). @revoked may be NULL. */
char *sv_anchor_format (const char *hash, guint64 sequence, const char *const *revoked);
