/* What passing over values and decoding them share. Not for others. */
#pragma once

#include "chain/subtensor/value.h"

typedef struct
{
  const SvMetadata *metadata;
  SvScaleReader *reader;
  guint64 budget;
  guint depth;
} SvValueWalk;

/* How a bit sequence lies in its bytes. */
typedef struct
{
  const guint8 *bytes; /* NULL on a fault */
  gsize n_bits;
  gsize unit; /* bytes of one item of the store, little-endian */
  gboolean is_msb_first;
} SvBits;

/* A walk with a budget for what the bytes left can reasonably hold. */
SvValueWalk sv_value_walk (const SvMetadata *metadata, SvScaleReader *reader);

/* One level deeper, into a value of type @id. Returns: its type, or NULL with a fault; sv_value_leave() in both cases. */
const SvType *sv_value_enter (SvValueWalk *walk, guint32 id);
void sv_value_leave (SvValueWalk *walk);
void sv_value_spend (SvValueWalk *walk, guint64 cost);

/* Bytes of a primitive that has always as many, else 0. */
gsize sv_value_primitive_size (SvPrimitive primitive);
/* The length of a sequence, held against the bytes left. */
gsize sv_value_read_length (SvValueWalk *walk, const SvType *sequence);
/* The bytes of @n items in a row, where they are integers; NULL where they are not, or on a fault. *@is_row tells which. */
const guint8 *sv_value_take_row (SvValueWalk *walk, guint32 item, guint64 n, gboolean *is_row);
/* NULL with a fault for an index that the type does not have. */
const SvVariant *sv_value_read_variant (SvValueWalk *walk, const SvType *type);
/* UTF-8, NULs among it; NULL on a fault. */
const char *sv_value_take_str (SvValueWalk *walk, gsize *length);
gunichar sv_value_read_char (SvValueWalk *walk);
SvBits sv_value_take_bits (SvValueWalk *walk, const SvType *type);
/* A compact integer as little-endian bytes. */
void sv_value_read_compact (SvValueWalk *walk, const SvType *compact, guint8 value[16]);
