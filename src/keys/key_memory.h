/* Prepared keys of those who come again and again: a subnet's few hundred accounts sign every request and every document. */
#pragma once

#include "keys/prepared_key.h"

typedef struct _SvKeyMemory SvKeyMemory;

/* Holds at most @capacity keys, one at least, and takes room for each as it comes. Any number of threads may use it at once.
 * Returns: (transfer full). */
SvKeyMemory *sv_key_memory_new (guint capacity);
void sv_key_memory_free (SvKeyMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvKeyMemory, sv_key_memory_free)

/* Returns: (transfer full) (nullable) the prepared key, which then counts as in use. */
SvPreparedKey *sv_key_memory_find (SvKeyMemory *memory, SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE]);

/* Tells that a key that was not found has signed: libsodium has accepted its signature. When it comes again, it is prepared. */
void sv_key_memory_accepted (SvKeyMemory *memory, SvScheme scheme, const guint8 public_key[SV_PUBLIC_KEY_SIZE]);
