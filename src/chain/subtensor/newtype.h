/* What lies under the newtypes of a runtime: NetUid(u16), AccountId32([u8; 32]), BoundedVec(Vec<T>) are encoded as what they
 * hold, and a runtime may put one around any type between two versions. */
#pragma once

#include "chain/subtensor/metadata.h"
#include "chain/subtensor/scale.h"

/* (transfer none) the type under composites and tuples of one field each; NULL for one that never ends. */
const SvType *sv_newtype_under (const SvMetadata *metadata, guint32 type);

/* TRUE for [u8; @length]. */
gboolean sv_newtype_is_byte_array (const SvMetadata *metadata, guint32 type, gsize length);
/* TRUE for any [u8; N] and Vec<u8>. */
gboolean sv_newtype_is_bytes (const SvMetadata *metadata, guint32 type);
/* (transfer none) the content of such a value, NULL on a fault. */
const guint8 *sv_newtype_read_bytes (const SvMetadata *metadata, guint32 type, SvScaleReader *reader, gsize *length);

/* An unsigned integer of at most 64 bits, or a compact one (of any width): FALSE for any other type, and for a value that is
 * too large for it. */
gboolean sv_newtype_put_integer (const SvMetadata *metadata, guint32 type, guint64 value,
                                 GByteArray *out) G_GNUC_WARN_UNUSED_RESULT;
/* The same, read; another type is a fault. */
guint64 sv_newtype_read_integer (const SvMetadata *metadata, guint32 type, SvScaleReader *reader);
