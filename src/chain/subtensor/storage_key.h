/* Keys of a runtime's storage: twox128(prefix) ‖ twox128(name), then each key encoded and hashed as the metadata says. */
#pragma once

#include "chain/subtensor/metadata.h"

/* @keys are the SCALE-encoded keys, the first @n_keys of the entry's (fewer give the prefix of a map, for listing). Returns:
 * (transfer full) lower-case "0x…" as RPC takes it. */
char *sv_storage_key (const SvStorageEntry *entry, const GBytes *const *keys, guint n_keys);

/* The encoded key number @which (from 0) out of a whole storage key in hex, for hashers that keep it (identity and …_concat);
 * NULL for others and for a key that is malformed. @metadata tells how long earlier keys are. Returns: (transfer full). */
GBytes *sv_storage_key_part (const SvMetadata *metadata, const SvStorageEntry *entry, const char *key_hex, guint which);
