/* Values passed over. */
#include "chain/subtensor/value.h"

#include "chain/subtensor/value_walk.h"

static void skip (SvValueWalk *walk, guint32 id);

static void
skip_fields (SvValueWalk *walk, const SvField *fields, guint n_fields)
{
  for (guint i = 0; i < n_fields && walk->reader->fault == NULL; i++)
    skip (walk, fields[i].type);
}

static void
skip_items (SvValueWalk *walk, guint32 item, guint64 n)
{
  gboolean is_row;
  sv_value_take_row (walk, item, n, &is_row);
  if (is_row || sv_value_is_empty (walk->metadata, item))
    return;
  for (guint64 i = 0; i < n && walk->reader->fault == NULL; i++)
    skip (walk, item);
}

static void
skip_variant (SvValueWalk *walk, const SvType *type)
{
  const SvVariant *variant = sv_value_read_variant (walk, type);
  if (variant != NULL)
    skip_fields (walk, variant->fields, variant->n_fields);
}

static void
skip_primitive (SvValueWalk *walk, const SvType *type)
{
  gsize length;
  if (type->primitive == SV_PRIMITIVE_BOOL)
    sv_scale_bool (walk->reader);
  else if (type->primitive == SV_PRIMITIVE_CHAR)
    sv_value_read_char (walk);
  else if (type->primitive == SV_PRIMITIVE_STR)
    sv_value_take_str (walk, &length);
  else
    sv_scale_take (walk->reader, sv_value_primitive_size (type->primitive));
}

static void
skip_content (SvValueWalk *walk, const SvType *type)
{
  guint8 number[16];
  switch (type->kind)
  {
  case SV_TYPE_COMPOSITE:
  case SV_TYPE_TUPLE:
    skip_fields (walk, type->fields, type->n_fields);
    break;
  case SV_TYPE_VARIANT:
    skip_variant (walk, type);
    break;
  case SV_TYPE_SEQUENCE:
    skip_items (walk, type->item, sv_value_read_length (walk, type));
    break;
  case SV_TYPE_ARRAY:
    skip_items (walk, type->item, type->length);
    break;
  case SV_TYPE_PRIMITIVE:
    skip_primitive (walk, type);
    break;
  case SV_TYPE_COMPACT:
    sv_value_read_compact (walk, type, number);
    break;
  case SV_TYPE_BIT_SEQUENCE:
    sv_value_take_bits (walk, type);
    break;
  }
}

static void
skip (SvValueWalk *walk, guint32 id)
{
  const SvType *type = sv_value_enter (walk, id);
  if (type != NULL && !type->is_empty)
    skip_content (walk, type);
  sv_value_leave (walk);
}

void
sv_value_skip (const SvMetadata *metadata, guint32 type, SvScaleReader *reader)
{
  SvValueWalk walk = sv_value_walk (metadata, reader);
  skip (&walk, type);
}

gboolean
sv_value_is_empty (const SvMetadata *metadata, guint32 type)
{
  const SvType *found = sv_metadata_type (metadata, type);
  return found != NULL && found->is_empty;
}
