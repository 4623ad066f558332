/* The registry of types, the first part of the metadata and the same in all versions (scale-info's PortableRegistry). */
#include <string.h>

#include "chain/subtensor/metadata_model.h"

/* What each takes at least: a type its id, path, parameters, definition of two bytes and documentation; a field its name, type,
 * type name and documentation; a variant its name, fields, index and documentation. */
#define MIN_TYPE_SIZE 6
#define MIN_FIELD_SIZE 4
#define MIN_VARIANT_SIZE 4
#define MIN_PARAMETER_SIZE 2

/* A value nests as deep as its type does, and deeper ones are not read (SV_VALUE_MAX_DEPTH). */
#define MAX_HEIGHT 128
#define IN_PROGRESS 255

/* The segments joined by "::". They have no room for that in the bytes themselves. */
static const char *
read_path (SvMetadataReader *reader)
{
  gsize n_segments = sv_scale_length (&reader->scale, 1);
  gsize size = 0;
  SvScaleReader ahead = reader->scale;
  for (gsize i = 0; i < n_segments; i++)
  {
    gsize length;
    sv_scale_bytes (&ahead, &length);
    size += length + 2;
  }
  char *path = ahead.fault == NULL ? sv_metadata_allocate (reader->metadata, size, 1) : NULL;
  char *end = path;
  for (gsize i = 0; i < n_segments && reader->scale.fault == NULL; i++)
  {
    const char *segment = sv_metadata_read_text (reader);
    if (path != NULL)
      end = g_stpcpy (i > 0 ? g_stpcpy (end, "::") : end, segment);
  }
  return path != NULL ? path : "";
}

static void
skip_parameters (SvMetadataReader *reader, guint32 type_id)
{
  reader->parameters[type_id] = (guint32)reader->scale.offset;
  gsize n_parameters = sv_scale_length (&reader->scale, MIN_PARAMETER_SIZE);
  for (gsize i = 0; i < n_parameters && reader->scale.fault == NULL; i++)
  {
    sv_metadata_skip_text (reader);
    if (sv_scale_bool (&reader->scale))
      sv_metadata_read_type_id (reader);
  }
}

static void
read_field (SvMetadataReader *reader, SvField *field)
{
  if (sv_scale_bool (&reader->scale))
    field->name = sv_metadata_read_text (reader);
  field->type = sv_metadata_read_type_id (reader);
  if (sv_scale_bool (&reader->scale))
    sv_metadata_skip_text (reader);
  sv_metadata_skip_docs (reader);
}

static SvField *
read_fields (SvMetadataReader *reader, guint *n_fields)
{
  *n_fields = (guint)sv_scale_length (&reader->scale, MIN_FIELD_SIZE);
  SvField *fields = sv_metadata_allocate (reader->metadata, *n_fields, sizeof *fields);
  for (guint i = 0; i < *n_fields && reader->scale.fault == NULL; i++)
    read_field (reader, &fields[i]);
  return fields;
}

static void
read_variants (SvMetadataReader *reader, SvType *type)
{
  type->n_variants = (guint)sv_scale_length (&reader->scale, MIN_VARIANT_SIZE);
  type->variants = sv_metadata_allocate (reader->metadata, type->n_variants, sizeof *type->variants);
  for (guint i = 0; i < type->n_variants && reader->scale.fault == NULL; i++)
  {
    SvVariant *variant = &type->variants[i];
    variant->name = sv_metadata_read_text (reader);
    variant->fields = read_fields (reader, &variant->n_fields);
    variant->index = sv_scale_u8 (&reader->scale);
    variant->docs = sv_metadata_read_docs (reader);
  }
}

static void
read_tuple (SvMetadataReader *reader, SvType *type)
{
  type->n_fields = (guint)sv_scale_length (&reader->scale, 1);
  type->fields = sv_metadata_allocate (reader->metadata, type->n_fields, sizeof *type->fields);
  for (guint i = 0; i < type->n_fields && reader->scale.fault == NULL; i++)
    type->fields[i].type = sv_metadata_read_type_id (reader);
}

static void
read_primitive (SvMetadataReader *reader, SvType *type)
{
  guint8 primitive = sv_scale_u8 (&reader->scale);
  if (primitive > SV_PRIMITIVE_I256)
    sv_scale_fail (&reader->scale, "a primitive is of no known kind");
  type->primitive = primitive;
}

static void
read_definition (SvMetadataReader *reader, SvType *type)
{
  guint8 kind = sv_scale_u8 (&reader->scale);
  type->kind = kind;
  switch (kind)
  {
  case SV_TYPE_COMPOSITE:
    type->fields = read_fields (reader, &type->n_fields);
    break;
  case SV_TYPE_VARIANT:
    read_variants (reader, type);
    break;
  case SV_TYPE_SEQUENCE:
  case SV_TYPE_COMPACT:
    type->item = sv_metadata_read_type_id (reader);
    break;
  case SV_TYPE_ARRAY:
    type->length = sv_scale_u32 (&reader->scale);
    type->item = sv_metadata_read_type_id (reader);
    break;
  case SV_TYPE_TUPLE:
    read_tuple (reader, type);
    break;
  case SV_TYPE_PRIMITIVE:
    read_primitive (reader, type);
    break;
  case SV_TYPE_BIT_SEQUENCE:
    type->item = sv_metadata_read_type_id (reader);
    type->order = sv_metadata_read_type_id (reader);
    break;
  default:
    sv_scale_fail (&reader->scale, "a type is of no known kind");
  }
}

static void
read_type (SvMetadataReader *reader, guint32 place)
{
  SvType *type = &reader->metadata->types[place];
  type->id = place;
  if (sv_scale_compact (&reader->scale) != place)
    sv_scale_fail (&reader->scale, "a type's id is not its place among the types");
  type->path = read_path (reader);
  skip_parameters (reader, place);
  read_definition (reader, type);
  sv_metadata_skip_docs (reader);
}

static guint measure (SvMetadata *metadata, guint8 *heights, guint32 id, guint depth);

/* Of a composite or a tuple. */
static guint
measure_fields (SvMetadata *metadata, guint8 *heights, SvType *type, guint depth)
{
  guint highest = 0;
  type->is_empty = TRUE;
  for (guint i = 0; i < type->n_fields; i++)
  {
    guint height = measure (metadata, heights, type->fields[i].type, depth);
    if (height == 0)
      return 0;
    highest = MAX (highest, height);
    type->is_empty = type->is_empty && metadata->types[type->fields[i].type].is_empty;
  }
  return highest + 1;
}

static guint
measure_parts (SvMetadata *metadata, guint8 *heights, SvType *type, guint depth)
{
  if (type->kind == SV_TYPE_COMPOSITE || type->kind == SV_TYPE_TUPLE)
    return measure_fields (metadata, heights, type, depth);
  if (type->kind == SV_TYPE_COMPACT || (type->kind == SV_TYPE_ARRAY && type->length > 0))
  {
    guint height = measure (metadata, heights, type->item, depth);
    type->is_empty = metadata->types[type->item].is_empty;
    return height > 0 ? height + 1 : 0;
  }
  type->is_empty = type->kind == SV_TYPE_ARRAY;
  return 1;
}

/* How deep a type nests whatever the value is: variants and sequences may come to an end, structures and arrays do not. Returns
 * 0 for one that contains itself, or is higher than MAX_HEIGHT: so the recursion is bounded too. */
static guint
measure (SvMetadata *metadata, guint8 *heights, guint32 id, guint depth)
{
  guint height = heights[id];
  if (height == IN_PROGRESS || depth > MAX_HEIGHT)
    return 0;
  if (height != 0)
    return height;
  heights[id] = IN_PROGRESS;
  height = measure_parts (metadata, heights, &metadata->types[id], depth + 1);
  if (height == 0 || height > MAX_HEIGHT)
    return 0;
  heights[id] = (guint8)height;
  return height;
}

static void
measure_types (SvMetadataReader *reader)
{
  SvMetadata *metadata = reader->metadata;
  g_autofree guint8 *heights = g_malloc0 (metadata->n_types);
  for (guint32 id = 0; id < metadata->n_types && reader->scale.fault == NULL; id++)
  {
    if (measure (metadata, heights, id, 0) == 0)
      sv_scale_fail (&reader->scale, "a type contains itself, or nests too deep");
  }
}

void
sv_metadata_read_types (SvMetadataReader *reader)
{
  SvMetadata *metadata = reader->metadata;
  guint n_types = (guint)sv_scale_length (&reader->scale, MIN_TYPE_SIZE);
  metadata->n_types = n_types;
  metadata->types = sv_metadata_allocate (metadata, n_types, sizeof *metadata->types);
  reader->parameters = g_new0 (guint32, n_types);
  for (guint32 place = 0; place < n_types && reader->scale.fault == NULL; place++)
    read_type (reader, place);
  if (reader->scale.fault == NULL)
    measure_types (reader);
}
