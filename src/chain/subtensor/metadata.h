/* Runtime metadata, versions 14, 15 and 16: what a runtime says of itself, parsed once and asked by name. Nothing about a
 * runtime's indexes, orders or limits is known otherwise. Immutable after parsing; everything that is returned lives as long
 * as the metadata. Source: paritytech/frame-metadata (v14.rs, v15.rs, v16.rs), scale-info. */
#pragma once

#include <glib.h>

#define SV_METADATA_MAX_SIZE (16 * 1024 * 1024)

typedef enum
{
  SV_TYPE_COMPOSITE,
  SV_TYPE_VARIANT,
  SV_TYPE_SEQUENCE,
  SV_TYPE_ARRAY,
  SV_TYPE_TUPLE,
  SV_TYPE_PRIMITIVE,
  SV_TYPE_COMPACT,
  SV_TYPE_BIT_SEQUENCE,
} SvTypeKind;

typedef enum /* in scale-info's order */
{
  SV_PRIMITIVE_BOOL,
  SV_PRIMITIVE_CHAR,
  SV_PRIMITIVE_STR,
  SV_PRIMITIVE_U8,
  SV_PRIMITIVE_U16,
  SV_PRIMITIVE_U32,
  SV_PRIMITIVE_U64,
  SV_PRIMITIVE_U128,
  SV_PRIMITIVE_U256,
  SV_PRIMITIVE_I8,
  SV_PRIMITIVE_I16,
  SV_PRIMITIVE_I32,
  SV_PRIMITIVE_I64,
  SV_PRIMITIVE_I128,
  SV_PRIMITIVE_I256,
} SvPrimitive;

typedef struct
{
  const char *name; /* NULL for an unnamed field */
  guint32 type;
} SvField;

typedef struct
{
  const char *name;
  guint8 index;
  SvField *fields;
  guint n_fields;
  const char *docs; /* joined by spaces; "" when there are none */
} SvVariant;

typedef struct
{
  guint32 id;
  const char *path; /* "pallet_commitments::types::Data"; "" for none */
  SvTypeKind kind;
  SvField *fields; /* of a composite; of a tuple, unnamed */
  guint n_fields;
  SvVariant *variants; /* of a variant, in the metadata's order */
  guint n_variants;
  guint32 item;   /* type of the items of a sequence, array or compact; the store of a bit sequence */
  guint32 order;  /* type that names the order of a bit sequence */
  guint32 length; /* of an array */
  SvPrimitive primitive;
  gboolean is_empty; /* every value is encoded in no bytes at all */
} SvType;

typedef enum /* in the metadata's order */
{
  SV_HASHER_BLAKE2_128,
  SV_HASHER_BLAKE2_256,
  SV_HASHER_BLAKE2_128_CONCAT,
  SV_HASHER_TWOX_128,
  SV_HASHER_TWOX_256,
  SV_HASHER_TWOX_64_CONCAT,
  SV_HASHER_IDENTITY,
} SvHasher;

#define SV_MAX_STORAGE_KEYS 8

typedef struct
{
  const char *prefix; /* the pallet's storage prefix */
  const char *name;
  gboolean is_optional; /* without a value: absent; else the default holds */
  guint n_keys;         /* 0: a plain value */
  SvHasher hashers[SV_MAX_STORAGE_KEYS];
  guint32 key_types[SV_MAX_STORAGE_KEYS]; /* one per hasher */
  guint32 value_type;
  const guint8 *default_bytes;
  gsize default_length;
} SvStorageEntry;

typedef struct
{
  guint8 pallet;
  const SvVariant *call; /* index and fields */
} SvCallInfo;

typedef struct
{
  guint32 type;
  const guint8 *bytes;
  gsize length;
} SvConstant;

typedef struct
{
  const char *identifier;  /* "CheckMortality" */
  guint32 type;            /* of what stands in the extrinsic */
  guint32 additional_type; /* of what is signed besides */
} SvExtension;

typedef struct SvMetadata SvMetadata;

/* @data is what state_getMetadata gives ("meta", version, content). SV_ERROR_MALFORMED with the place for anything that is cut
 * short, inconsistent (a type id that is not there, an array type of itself …) or of a version other than 14, 15, 16.
 * Returns: (transfer full). */
SvMetadata *sv_metadata_parse (const void *data, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
SvMetadata *sv_metadata_ref (SvMetadata *metadata);
void sv_metadata_unref (SvMetadata *metadata);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvMetadata, sv_metadata_unref)

guint sv_metadata_version (const SvMetadata *metadata);
guint sv_metadata_n_types (const SvMetadata *metadata);
/* NULL for an id that is not there. */
const SvType *sv_metadata_type (const SvMetadata *metadata, guint32 id);

/* Each is NULL (FALSE), with SV_ERROR_NOT_FOUND naming pallet and item, where this runtime has none. */
const SvStorageEntry *sv_metadata_storage (const SvMetadata *metadata, const char *pallet, const char *entry,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_metadata_call (const SvMetadata *metadata, const char *pallet, const char *call, SvCallInfo *info,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean sv_metadata_constant (const SvMetadata *metadata, const char *pallet, const char *constant, SvConstant *value,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The pallet that has this index, its call, event or error of that index. NULL where there is none. */
const char *sv_metadata_pallet_name (const SvMetadata *metadata, guint8 pallet);
const SvVariant *sv_metadata_call_at (const SvMetadata *metadata, guint8 pallet, guint8 call);
const SvVariant *sv_metadata_event_at (const SvMetadata *metadata, guint8 pallet, guint8 event);
const SvVariant *sv_metadata_error_at (const SvMetadata *metadata, guint8 pallet, guint8 error_index);

/* The variant of a variant type by name or by index; NULL where there is none. */
const SvVariant *sv_type_variant (const SvType *type, const char *name);
const SvVariant *sv_type_variant_at (const SvType *type, guint8 index);

/* Extrinsics: whether the runtime takes this version, and the extensions of its version-4 extrinsics, in order. */
gboolean sv_metadata_takes_extrinsic (const SvMetadata *metadata, guint version);
const SvExtension *sv_metadata_extensions (const SvMetadata *metadata, guint *n_extensions);
/* Type ids of the parts of an extrinsic. */
guint32 sv_metadata_address_type (const SvMetadata *metadata);
guint32 sv_metadata_signature_type (const SvMetadata *metadata);
guint32 sv_metadata_call_type (const SvMetadata *metadata);
