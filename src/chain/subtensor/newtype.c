#include "chain/subtensor/newtype.h"

#include "chain/subtensor/value.h"

const SvType *
sv_newtype_under (const SvMetadata *metadata, guint32 type)
{
  const SvType *found = sv_metadata_type (metadata, type);
  for (guint depth = 0; found != NULL && depth < SV_VALUE_MAX_DEPTH; depth++)
  {
    gboolean wraps = (found->kind == SV_TYPE_COMPOSITE || found->kind == SV_TYPE_TUPLE) && found->n_fields == 1;
    if (!wraps)
      return found;
    found = sv_metadata_type (metadata, found->fields[0].type);
  }
  return NULL;
}

static gboolean
is_primitive (const SvMetadata *metadata, guint32 type, SvPrimitive primitive)
{
  const SvType *under = sv_newtype_under (metadata, type);
  return under != NULL && under->kind == SV_TYPE_PRIMITIVE && under->primitive == primitive;
}

gboolean
sv_newtype_is_byte_array (const SvMetadata *metadata, guint32 type, gsize length)
{
  const SvType *under = sv_newtype_under (metadata, type);
  return under != NULL && under->kind == SV_TYPE_ARRAY && under->length == length &&
         is_primitive (metadata, under->item, SV_PRIMITIVE_U8);
}

gboolean
sv_newtype_is_bytes (const SvMetadata *metadata, guint32 type)
{
  const SvType *under = sv_newtype_under (metadata, type);
  return under != NULL && (under->kind == SV_TYPE_ARRAY || under->kind == SV_TYPE_SEQUENCE) &&
         is_primitive (metadata, under->item, SV_PRIMITIVE_U8);
}

const guint8 *
sv_newtype_read_bytes (const SvMetadata *metadata, guint32 type, SvScaleReader *reader, gsize *length)
{
  const SvType *under = sv_newtype_under (metadata, type);
  *length = 0;
  if (!sv_newtype_is_bytes (metadata, type))
  {
    sv_scale_fail (reader, "bytes have a type that is not known here");
    return NULL;
  }
  if (under->kind == SV_TYPE_SEQUENCE)
    return sv_scale_bytes (reader, length);
  const guint8 *content = sv_scale_take (reader, under->length);
  *length = content != NULL ? under->length : 0;
  return content;
}

/* Bytes of an unsigned integer type; 0 for another type. */
static guint
integer_size (const SvType *type)
{
  if (type == NULL || type->kind != SV_TYPE_PRIMITIVE)
    return 0;
  switch (type->primitive)
  {
  case SV_PRIMITIVE_U8:
    return 1;
  case SV_PRIMITIVE_U16:
    return 2;
  case SV_PRIMITIVE_U32:
    return 4;
  case SV_PRIMITIVE_U64:
    return 8;
  case SV_PRIMITIVE_U128:
    return 16;
  default:
    return 0;
  }
}

static gboolean
fits (guint64 value, guint size)
{
  return size >= sizeof value || value >> (8 * size) == 0;
}

static guint
compact_size (const SvMetadata *metadata, const SvType *type)
{
  gboolean is_compact = type != NULL && type->kind == SV_TYPE_COMPACT;
  return is_compact ? integer_size (sv_newtype_under (metadata, type->item)) : 0;
}

gboolean
sv_newtype_put_integer (const SvMetadata *metadata, guint32 type, guint64 value, GByteArray *out)
{
  const SvType *under = sv_newtype_under (metadata, type);
  guint size = integer_size (under), size_of_compact = compact_size (metadata, under);
  if (size_of_compact != 0)
  {
    if (fits (value, size_of_compact))
      sv_scale_put_compact (out, value);
    return fits (value, size_of_compact);
  }
  if (size == 0 || size > sizeof value || !fits (value, size))
    return FALSE;
  for (guint i = 0; i < size; i++)
    sv_scale_put_u8 (out, (guint8)(value >> (8 * i)));
  return TRUE;
}

guint64
sv_newtype_read_integer (const SvMetadata *metadata, guint32 type, SvScaleReader *reader)
{
  const SvType *under = sv_newtype_under (metadata, type);
  guint size = integer_size (under), size_of_compact = compact_size (metadata, under);
  guint64 value = 0;
  if (size_of_compact != 0)
  {
    value = sv_scale_compact (reader);
    if (!fits (value, size_of_compact))
      sv_scale_fail (reader, "a compact integer is too large for its type");
    return value;
  }
  if (size == 0 || size > sizeof value)
    sv_scale_fail (reader, "an integer has a type that is not known here");
  for (guint i = 0; reader->fault == NULL && i < size; i++)
    value |= (guint64)sv_scale_u8 (reader) << (8 * i);
  return value;
}
