/* The secret half of a key pair, for the files of this room that read and write it; no other room includes this. */
#pragma once

#include "keys/keypair.h"

/* Guarded memory that is locked, wiped when freed, and never too little (the program ends instead). */
typedef guint8 SvSecret;

guint8 *sv_secret_alloc (gsize length);
void sv_secret_free (guint8 *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSecret, sv_secret_free)

/* (transfer none) 32 bytes. */
const guint8 *sv_keypair_seed (const SvKeypair *keypair);
