/* How the runtime's extrinsics are made up, and what follows in the metadata.
 *
 * Version 14 names only the extrinsic's type, whose type parameters are the parts; 15 names the parts. 16 has several versions
 * of extrinsics, and lists of extensions by a version of their own, which only extrinsics of version 5 carry: version 4 has
 * the extensions of version 0. */
#include <string.h>

#include "chain/subtensor/metadata_model.h"

#define SIGNED_VERSION 4
#define SIGNED_EXTENSION_VERSION 0
#define MIN_EXTENSION_SIZE 3
#define MIN_EXTENSION_LIST_SIZE 2
#define MIN_API_SIZE 3
#define MIN_METHOD_SIZE 4
#define MIN_INPUT_SIZE 2
#define MIN_CUSTOM_SIZE 3
#define N_OUTER_ENUMS 3

enum
{
  NOT_DEPRECATED,
  DEPRECATED_WITHOUT_NOTE,
  DEPRECATED,
};

static void
skip_deprecation_note (SvMetadataReader *reader)
{
  sv_metadata_skip_text (reader);
  if (sv_scale_bool (&reader->scale))
    sv_metadata_skip_text (reader);
}

void
sv_metadata_skip_deprecation (SvMetadataReader *reader)
{
  guint8 kind = sv_scale_u8 (&reader->scale);
  if (kind == DEPRECATED)
    skip_deprecation_note (reader);
  else if (kind > DEPRECATED)
    sv_scale_fail (&reader->scale, "a deprecation is of no known kind");
}

void
sv_metadata_skip_variant_deprecations (SvMetadataReader *reader)
{
  gsize n = sv_scale_length (&reader->scale, 2);
  for (gsize i = 0; i < n && reader->scale.fault == NULL; i++)
  {
    sv_scale_u8 (&reader->scale);
    guint8 kind = sv_scale_u8 (&reader->scale);
    if (kind == DEPRECATED)
      skip_deprecation_note (reader);
    else if (kind != DEPRECATED_WITHOUT_NOTE)
      sv_scale_fail (&reader->scale, "the deprecation of a variant is of no known kind");
  }
}

void
sv_metadata_skip_inputs (SvMetadataReader *reader)
{
  gsize n = sv_scale_length (&reader->scale, MIN_INPUT_SIZE);
  for (gsize i = 0; i < n && reader->scale.fault == NULL; i++)
  {
    sv_metadata_skip_text (reader);
    sv_metadata_read_type_id (reader);
  }
}

/* Type parameters stand before the type's definition, in bytes that are not changed: see skip_parameters(). */
static guint32
read_parameter (SvMetadataReader *reader, guint32 type_id, const char *name)
{
  SvMetadataReader parameters = *reader;
  guint32 found = SV_NO_TYPE;
  if (reader->scale.fault != NULL)
    return SV_NO_TYPE;
  parameters.scale.offset = reader->parameters[type_id];
  gsize n = sv_scale_length (&parameters.scale, 1);
  for (gsize i = 0; i < n && found == SV_NO_TYPE; i++)
  {
    gsize length;
    const guint8 *text = sv_scale_bytes (&parameters.scale, &length);
    guint32 type = sv_scale_bool (&parameters.scale) ? sv_metadata_read_type_id (&parameters) : SV_NO_TYPE;
    if (length == strlen (name) && memcmp (text, name, length) == 0)
      found = type;
  }
  if (found == SV_NO_TYPE)
    sv_scale_fail (&reader->scale, "the type of extrinsics does not tell its parts");
  return found;
}

static void
read_version (SvMetadataReader *reader)
{
  reader->metadata->extrinsic_versions = sv_scale_take (&reader->scale, 1);
  reader->metadata->n_extrinsic_versions = 1;
}

static SvExtension *
read_extensions (SvMetadataReader *reader, guint *n_extensions)
{
  *n_extensions = (guint)sv_scale_length (&reader->scale, MIN_EXTENSION_SIZE);
  SvExtension *extensions = sv_metadata_allocate (reader->metadata, *n_extensions, sizeof *extensions);
  for (guint i = 0; i < *n_extensions && reader->scale.fault == NULL; i++)
  {
    extensions[i].identifier = sv_metadata_read_text (reader);
    extensions[i].type = sv_metadata_read_type_id (reader);
    extensions[i].additional_type = sv_metadata_read_type_id (reader);
  }
  return extensions;
}

static void
read_parts (SvMetadataReader *reader)
{
  SvMetadata *metadata = reader->metadata;
  metadata->address_type = sv_metadata_read_type_id (reader);
  metadata->call_type = sv_metadata_read_type_id (reader);
  metadata->signature_type = sv_metadata_read_type_id (reader);
}

static void
read_extrinsic_14 (SvMetadataReader *reader)
{
  SvMetadata *metadata = reader->metadata;
  guint32 type = sv_metadata_read_type_id (reader);
  metadata->address_type = read_parameter (reader, type, "Address");
  metadata->call_type = read_parameter (reader, type, "Call");
  metadata->signature_type = read_parameter (reader, type, "Signature");
  read_version (reader);
  metadata->extensions = read_extensions (reader, &metadata->n_extensions);
}

static void
read_extrinsic_15 (SvMetadataReader *reader)
{
  read_version (reader);
  read_parts (reader);
  sv_metadata_read_type_id (reader); /* of all extensions together */
  reader->metadata->extensions = read_extensions (reader, &reader->metadata->n_extensions);
}

/* The places of extensions in their list, which follows; those of one version are kept. */
static void
read_extension_places (SvMetadataReader *reader, GArray *places, gboolean *is_found)
{
  gsize n_versions = sv_scale_length (&reader->scale, MIN_EXTENSION_LIST_SIZE);
  for (gsize i = 0; i < n_versions && reader->scale.fault == NULL; i++)
  {
    gboolean is_kept = sv_scale_u8 (&reader->scale) == SIGNED_EXTENSION_VERSION && !*is_found;
    gsize n_places = sv_scale_length (&reader->scale, 1);
    for (gsize k = 0; k < n_places && reader->scale.fault == NULL; k++)
    {
      guint64 place = sv_scale_compact (&reader->scale);
      if (is_kept)
        g_array_append_val (places, place);
    }
    *is_found = *is_found || is_kept;
  }
}

static void
pick_extensions (SvMetadataReader *reader, const SvExtension *all, guint n_all, const GArray *places)
{
  SvMetadata *metadata = reader->metadata;
  if (places->len > n_all)
    sv_scale_fail (&reader->scale, "a list of extensions is longer than that of all");
  if (reader->scale.fault != NULL)
    return;
  SvExtension *picked = sv_metadata_allocate (metadata, places->len, sizeof *picked);
  for (guint i = 0; i < places->len && reader->scale.fault == NULL; i++)
  {
    guint64 place = g_array_index (places, guint64, i);
    if (place < n_all)
      picked[i] = all[place];
    else
      sv_scale_fail (&reader->scale, "a list of extensions names one that is not there");
  }
  metadata->extensions = picked;
  metadata->n_extensions = places->len;
}

static void
read_extrinsic_16 (SvMetadataReader *reader)
{
  SvMetadata *metadata = reader->metadata;
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (guint64));
  gboolean is_found = FALSE;
  guint n_all;
  metadata->extrinsic_versions = sv_scale_bytes (&reader->scale, &metadata->n_extrinsic_versions);
  read_parts (reader);
  read_extension_places (reader, places, &is_found);
  const SvExtension *all = read_extensions (reader, &n_all);
  pick_extensions (reader, all, n_all, places);
  if (!is_found && sv_metadata_takes_extrinsic (metadata, SIGNED_VERSION))
    sv_scale_fail (&reader->scale, "extrinsics of version 4 are taken, but their extensions are not told");
}

void
sv_metadata_read_extrinsic (SvMetadataReader *reader)
{
  if (reader->metadata->version == 14)
    read_extrinsic_14 (reader);
  else if (reader->metadata->version == 15)
    read_extrinsic_15 (reader);
  else
    read_extrinsic_16 (reader);
}

static void
skip_methods (SvMetadataReader *reader)
{
  gsize n = sv_scale_length (&reader->scale, MIN_METHOD_SIZE);
  for (gsize i = 0; i < n && reader->scale.fault == NULL; i++)
  {
    sv_metadata_skip_text (reader);
    sv_metadata_skip_inputs (reader);
    sv_metadata_read_type_id (reader);
    sv_metadata_skip_docs (reader);
    if (reader->metadata->version >= 16)
      sv_metadata_skip_deprecation (reader);
  }
}

static void
skip_apis (SvMetadataReader *reader)
{
  gsize n = sv_scale_length (&reader->scale, MIN_API_SIZE);
  for (gsize i = 0; i < n && reader->scale.fault == NULL; i++)
  {
    sv_metadata_skip_text (reader);
    skip_methods (reader);
    sv_metadata_skip_docs (reader);
    if (reader->metadata->version < 16)
      continue;
    sv_scale_compact (&reader->scale);
    sv_metadata_skip_deprecation (reader);
  }
}

static void
skip_custom_values (SvMetadataReader *reader)
{
  gsize n = sv_scale_length (&reader->scale, MIN_CUSTOM_SIZE);
  for (gsize i = 0; i < n && reader->scale.fault == NULL; i++)
  {
    gsize length;
    sv_metadata_skip_text (reader);
    sv_metadata_read_type_id (reader);
    sv_scale_bytes (&reader->scale, &length);
  }
}

void
sv_metadata_skip_rest (SvMetadataReader *reader)
{
  if (reader->metadata->version <= 15)
    sv_metadata_read_type_id (reader); /* of the runtime itself */
  if (reader->metadata->version == 14)
    return;
  skip_apis (reader);
  for (guint i = 0; i < N_OUTER_ENUMS; i++)
    sv_metadata_read_type_id (reader);
  skip_custom_values (reader);
}
