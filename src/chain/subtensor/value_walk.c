/* The parts of values, and the limits of a walk over them.
 *
 * Types may hold many parts of no bytes, so that the length of the bytes does not bound the work; a budget does. It grows with
 * the bytes left, because what is decoded from a few bytes should not fill the memory: SPEND_PER_BYTE is more than any
 * runtime's types need, where an object costs eight. */
#include "chain/subtensor/value_walk.h"

#include <string.h>

#define LEAST_BUDGET 4096
#define SPEND_PER_BYTE 64
#define MODE_BITS 2
#define MODE_MASK 3
#define MODE_BIG 3

SvValueWalk
sv_value_walk (const SvMetadata *metadata, SvScaleReader *reader)
{
  guint64 budget = LEAST_BUDGET + SPEND_PER_BYTE * (guint64)sv_scale_left (reader);
  return (SvValueWalk){ .metadata = metadata, .reader = reader, .budget = MIN (budget, SV_VALUE_MAX_VALUES) };
}

void
sv_value_spend (SvValueWalk *walk, guint64 cost)
{
  if (cost > walk->budget)
    sv_scale_fail (walk->reader, "a value has too many parts for its bytes");
  walk->budget -= MIN (cost, walk->budget);
}

const SvType *
sv_value_enter (SvValueWalk *walk, guint32 id)
{
  const SvType *type = sv_metadata_type (walk->metadata, id);
  walk->depth++;
  if (type == NULL)
    sv_scale_fail (walk->reader, "a type id has no type");
  if (walk->depth > SV_VALUE_MAX_DEPTH)
    sv_scale_fail (walk->reader, "a value nests too deep");
  sv_value_spend (walk, 1);
  return walk->reader->fault == NULL ? type : NULL;
}

void
sv_value_leave (SvValueWalk *walk)
{
  walk->depth--;
}

gsize
sv_value_primitive_size (SvPrimitive primitive)
{
  static const gsize sizes[] = {
    [SV_PRIMITIVE_BOOL] = 1,  [SV_PRIMITIVE_CHAR] = 4,  [SV_PRIMITIVE_STR] = 0,   [SV_PRIMITIVE_U8] = 1,
    [SV_PRIMITIVE_U16] = 2,   [SV_PRIMITIVE_U32] = 4,   [SV_PRIMITIVE_U64] = 8,   [SV_PRIMITIVE_U128] = 16,
    [SV_PRIMITIVE_U256] = 32, [SV_PRIMITIVE_I8] = 1,    [SV_PRIMITIVE_I16] = 2,   [SV_PRIMITIVE_I32] = 4,
    [SV_PRIMITIVE_I64] = 8,   [SV_PRIMITIVE_I128] = 16, [SV_PRIMITIVE_I256] = 32,
  };
  return sizes[primitive];
}

/* Of bool and char not every value is one, so they are read one by one. */
static gboolean
is_integer (const SvType *type)
{
  return type->kind == SV_TYPE_PRIMITIVE && type->primitive >= SV_PRIMITIVE_U8;
}

gsize
sv_value_read_length (SvValueWalk *walk, const SvType *sequence)
{
  const SvType *item = sv_metadata_type (walk->metadata, sequence->item);
  if (is_integer (item))
    return sv_scale_length (walk->reader, sv_value_primitive_size (item->primitive));
  return sv_scale_length (walk->reader, item->is_empty ? 0 : 1);
}

const guint8 *
sv_value_take_row (SvValueWalk *walk, guint32 item, guint64 n, gboolean *is_row)
{
  const SvType *type = sv_metadata_type (walk->metadata, item);
  *is_row = is_integer (type);
  return *is_row ? sv_scale_take (walk->reader, n * sv_value_primitive_size (type->primitive)) : NULL;
}

const SvVariant *
sv_value_read_variant (SvValueWalk *walk, const SvType *type)
{
  guint8 index = sv_scale_u8 (walk->reader);
  const SvVariant *variant = walk->reader->fault == NULL ? sv_type_variant_at (type, index) : NULL;
  if (variant == NULL)
    sv_scale_fail (walk->reader, "a variant is none of its type's");
  return variant;
}

static gboolean
is_utf8 (const char *text, gsize length)
{
  while (length > 0)
  {
    const char *end;
    if (g_utf8_validate_len (text, length, &end))
      return TRUE;
    if (*end != '\0')
      return FALSE;
    length -= (gsize)(end + 1 - text);
    text = end + 1;
  }
  return TRUE;
}

const char *
sv_value_take_str (SvValueWalk *walk, gsize *length)
{
  const char *text = (const char *)sv_scale_bytes (walk->reader, length);
  if (text == NULL || is_utf8 (text, *length))
    return text;
  sv_scale_fail (walk->reader, "a text is not UTF-8");
  return NULL;
}

gunichar
sv_value_read_char (SvValueWalk *walk)
{
  gunichar character = sv_scale_u32 (walk->reader);
  if (!g_unichar_validate (character))
    sv_scale_fail (walk->reader, "a char is no character");
  return character;
}

/* The path is that of bitvec's marker type. */
static gboolean
read_order (SvValueWalk *walk, const SvType *bits)
{
  const char *path = sv_metadata_type (walk->metadata, bits->order)->path;
  gboolean is_msb_first = g_str_has_suffix (path, "Msb0");
  if (!is_msb_first && !g_str_has_suffix (path, "Lsb0"))
    sv_scale_fail (walk->reader, "a bit sequence has no known order");
  return is_msb_first;
}

SvBits
sv_value_take_bits (SvValueWalk *walk, const SvType *type)
{
  const SvType *store = sv_metadata_type (walk->metadata, type->item);
  SvBits bits = { .unit = 1, .is_msb_first = read_order (walk, type) };
  if (is_integer (store) && store->primitive <= SV_PRIMITIVE_U64)
    bits.unit = sv_value_primitive_size (store->primitive);
  else
    sv_scale_fail (walk->reader, "a bit sequence has no known store");
  bits.n_bits = sv_scale_length (walk->reader, 0);
  if (walk->reader->fault != NULL)
    return bits;
  gsize n_units = (bits.n_bits + 8 * bits.unit - 1) / (8 * bits.unit);
  bits.bytes = sv_scale_take (walk->reader, n_units * bits.unit);
  return bits;
}

/* Bytes of the integer in a compact; 0 where there is none. Structures around it do not show, and types are not endless. */
static gsize
compact_size (const SvMetadata *metadata, const SvType *compact)
{
  const SvType *type = sv_metadata_type (metadata, compact->item);
  while ((type->kind == SV_TYPE_COMPOSITE || type->kind == SV_TYPE_TUPLE) && type->n_fields == 1)
    type = sv_metadata_type (metadata, type->fields[0].type);
  gboolean is_allowed = is_integer (type) && type->primitive <= SV_PRIMITIVE_U128;
  return is_allowed ? sv_value_primitive_size (type->primitive) : 0;
}

/* More than 8 bytes, as only a u128 has them. */
static void
read_wide_compact (SvScaleReader *reader, gsize n, guint8 value[16])
{
  sv_scale_u8 (reader);
  const guint8 *bytes = sv_scale_take (reader, n);
  if (bytes == NULL)
    return;
  if (bytes[n - 1] == 0)
    sv_scale_fail (reader, "a compact integer is not in its shortest form");
  memcpy (value, bytes, n);
}

void
sv_value_read_compact (SvValueWalk *walk, const SvType *compact, guint8 value[16])
{
  SvScaleReader *reader = walk->reader;
  gsize size = compact_size (walk->metadata, compact);
  memset (value, 0, 16);
  if (size == 0)
    sv_scale_fail (reader, "a compact is of what is no integer");
  guint8 first = reader->fault == NULL && sv_scale_left (reader) > 0 ? reader->data[reader->offset] : 0;
  gsize n = (first & MODE_MASK) == MODE_BIG ? (gsize)(first >> MODE_BITS) + 4 : 0;
  if (n > sizeof (guint64) && n <= size)
  {
    read_wide_compact (reader, n, value);
    return;
  }
  guint64 number = GUINT64_TO_LE (sv_scale_compact (reader));
  memcpy (value, &number, sizeof number);
  for (gsize i = size; i < sizeof number; i++)
  {
    if (value[i] != 0)
      sv_scale_fail (reader, "a compact integer is too large for its type");
  }
}
