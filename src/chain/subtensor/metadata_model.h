/* What the files of the metadata share: the parsed form, and the reading of its parts. Not for others.
 *
 * Texts are not copied. The metadata keeps one copy of its bytes, and a text in it is moved down by one byte, over the length
 * that stood before it, to make room for its NUL. Everything else stands in blocks that are freed together. So metadata of
 * 330 KiB takes 580, and nothing hostile takes more than 40 times its size: what takes most is a storage entry, 112 bytes for
 * the six that it has at least. */
#pragma once

#include "chain/subtensor/metadata.h"
#include "chain/subtensor/scale.h"

#define SV_NO_TYPE G_MAXUINT32

typedef struct
{
  const char *name;
  SvConstant value;
} SvNamedConstant;

typedef struct
{
  const char *name;
  guint8 index;
  SvStorageEntry *entries;
  guint n_entries;
  SvNamedConstant *constants;
  guint n_constants;
  guint32 calls; /* types, or SV_NO_TYPE */
  guint32 events;
  guint32 errors;
} SvPallet;

struct SvMetadata
{
  gatomicrefcount references;
  guint version;
  guint8 *bytes; /* texts and defaults point into it */
  GPtrArray *blocks;
  guint8 *free_space; /* of the last common block */
  gsize free_size;
  SvType *types;
  guint n_types;
  SvPallet *pallets;
  guint n_pallets;
  const SvPallet *by_index[256];
  const guint8 *extrinsic_versions;
  gsize n_extrinsic_versions;
  SvExtension *extensions;
  guint n_extensions;
  gboolean has_extensions; /* the order of extensions is known: of none at all too */
  guint32 address_type;
  guint32 signature_type;
  guint32 call_type;
};

/* Zeroed memory that lives as long as the metadata; NULL for none. */
gpointer sv_metadata_allocate (SvMetadata *metadata, gsize n, gsize size);

typedef struct
{
  SvScaleReader scale;
  SvMetadata *metadata;
  guint32 *parameters; /* by type: where its type parameters stand, of which only the extrinsic's are wanted */
} SvMetadataReader;

/* A text that is kept; "" on a fault. */
const char *sv_metadata_read_text (SvMetadataReader *reader);
void sv_metadata_skip_text (SvMetadataReader *reader);
/* Lines of documentation, without the space around each, joined by single spaces; or passed over. */
const char *sv_metadata_read_docs (SvMetadataReader *reader);
void sv_metadata_skip_docs (SvMetadataReader *reader);
/* A type id that is there. */
guint32 sv_metadata_read_type_id (SvMetadataReader *reader);

void sv_metadata_read_types (SvMetadataReader *reader);
void sv_metadata_read_pallets (SvMetadataReader *reader);
void sv_metadata_read_extrinsic (SvMetadataReader *reader);
/* What stands after the extrinsic: runtime APIs, outer enums, custom values; nobody asks for it. */
void sv_metadata_skip_rest (SvMetadataReader *reader);

/* Whether an item is deprecated, and which variants of a type are (metadata 16). */
void sv_metadata_skip_deprecation (SvMetadataReader *reader);
void sv_metadata_skip_variant_deprecations (SvMetadataReader *reader);
/* Names and types of the inputs of a function. */
void sv_metadata_skip_inputs (SvMetadataReader *reader);
