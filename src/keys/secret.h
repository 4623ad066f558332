/* Memory for secrets, for the files of this room that read, make and write them; no other room includes this. */
#pragma once

#include <glib.h>

/* Guarded memory that is locked, left out of core dumps, wiped when freed, and never too little (the program ends instead).
 * The first of it also sees to it that this process leaves no core dump and cannot be looked into by the owner's other
 * processes: what is copied to a stack or a register for a moment is a secret, too. */
typedef guint8 SvSecret;

SvSecret *sv_secret_alloc (gsize length);
void sv_secret_free (SvSecret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSecret, sv_secret_free)

/* A copy of a string, ended by NUL. Returns: (transfer full). */
SvSecret *sv_secret_copy_string (const char *text, gsize length);
