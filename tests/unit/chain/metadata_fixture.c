#include "metadata_fixture.h"

#include <string.h>

#include "base/hash.h"

#define DOCS "What it is for."

static void
put_lines (GByteArray *out, const char *const *lines)
{
  guint n = g_strv_length ((char **)lines);
  sv_scale_put_compact (out, n);
  for (guint i = 0; i < n; i++)
    fixture_put_text (out, lines[i]);
}

GByteArray *
fixture_bytes (const char *hex)
{
  GByteArray *bytes = g_byte_array_new ();
  g_byte_array_set_size (bytes, (guint)strlen (hex) / 2);
  gboolean is_hex = sv_hex_decode (hex, FALSE, bytes->data, bytes->len);
  g_assert_true (is_hex);
  return bytes;
}

void
fixture_put_text (GByteArray *out, const char *text)
{
  sv_scale_put_bytes (out, text, strlen (text));
}

void
fixture_put_docs (GByteArray *out, const char *line)
{
  const char *const lines[] = { line, NULL };
  put_lines (out, lines);
}

GByteArray *
fixture_start (guint version)
{
  GByteArray *out = g_byte_array_new ();
  sv_scale_put_raw (out, "meta", 4);
  sv_scale_put_u8 (out, (guint8)version);
  return out;
}

void
fixture_put_type (GByteArray *out, guint32 id, const char *path, SvTypeKind kind)
{
  g_auto (GStrv) segments = *path != '\0' ? g_strsplit (path, "::", -1) : g_new0 (char *, 1);
  sv_scale_put_compact (out, id);
  put_lines (out, (const char *const *)segments);
  sv_scale_put_compact (out, 0);
  sv_scale_put_u8 (out, (guint8)kind);
}

static void
put_primitive (GByteArray *out, SvPrimitive primitive)
{
  fixture_put_type (out, primitive, "", SV_TYPE_PRIMITIVE);
  sv_scale_put_u8 (out, (guint8)primitive);
  fixture_put_docs (out, NULL);
}

/* A sequence or a compact. */
static void
put_item (GByteArray *out, guint32 id, SvTypeKind kind, guint32 item)
{
  fixture_put_type (out, id, "", kind);
  sv_scale_put_compact (out, item);
  fixture_put_docs (out, NULL);
}

static void
put_array (GByteArray *out, guint32 id, guint32 length, guint32 item)
{
  fixture_put_type (out, id, "", SV_TYPE_ARRAY);
  sv_scale_put_u32 (out, length);
  sv_scale_put_compact (out, item);
  fixture_put_docs (out, NULL);
}

static void
put_bits (GByteArray *out, guint32 id, guint32 store, guint32 order)
{
  fixture_put_type (out, id, "", SV_TYPE_BIT_SEQUENCE);
  sv_scale_put_compact (out, store);
  sv_scale_put_compact (out, order);
  fixture_put_docs (out, NULL);
}

static void
put_tuple (GByteArray *out, guint32 id, const guint32 *items, guint n_items)
{
  fixture_put_type (out, id, "", SV_TYPE_TUPLE);
  sv_scale_put_compact (out, n_items);
  for (guint i = 0; i < n_items; i++)
    sv_scale_put_compact (out, items[i]);
  fixture_put_docs (out, NULL);
}

static void
put_field (GByteArray *out, const char *name, guint32 type)
{
  sv_scale_put_u8 (out, name != NULL);
  if (name != NULL)
    fixture_put_text (out, name);
  sv_scale_put_compact (out, type);
  sv_scale_put_u8 (out, TRUE);
  fixture_put_text (out, "as written in the source");
  fixture_put_docs (out, DOCS);
}

static void
put_fields (GByteArray *out, const SvField *fields, guint n_fields)
{
  sv_scale_put_compact (out, n_fields);
  for (guint i = 0; i < n_fields; i++)
    put_field (out, fields[i].name, fields[i].type);
}

static void
put_composite (GByteArray *out, guint32 id, const char *path, const SvField *fields, guint n_fields)
{
  fixture_put_type (out, id, path, SV_TYPE_COMPOSITE);
  put_fields (out, fields, n_fields);
  fixture_put_docs (out, DOCS);
}

/* Each variant's documentation is one line. */
static void
put_variants (GByteArray *out, guint32 id, const char *path, const SvVariant *variants, guint n_variants)
{
  fixture_put_type (out, id, path, SV_TYPE_VARIANT);
  sv_scale_put_compact (out, n_variants);
  for (guint i = 0; i < n_variants; i++)
  {
    fixture_put_text (out, variants[i].name);
    put_fields (out, variants[i].fields, variants[i].n_fields);
    sv_scale_put_u8 (out, variants[i].index);
    fixture_put_docs (out, variants[i].docs);
  }
  fixture_put_docs (out, DOCS);
}

static void
put_extrinsic_type (GByteArray *out)
{
  static const struct
  {
    const char *name;
    guint32 type;
  } parameters[] = {
    { "Address", TYPE_ADDRESS }, { "Call", TYPE_CALL }, { "Signature", TYPE_SIGNATURE }, { "Extra", TYPE_UNIT }
  };
  static const char *const path[] = { "sp_runtime", "generic", "UncheckedExtrinsic", NULL };
  sv_scale_put_compact (out, TYPE_EXTRINSIC);
  put_lines (out, path);
  sv_scale_put_compact (out, G_N_ELEMENTS (parameters));
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++)
  {
    fixture_put_text (out, parameters[i].name);
    sv_scale_put_u8 (out, TRUE);
    sv_scale_put_compact (out, parameters[i].type);
  }
  sv_scale_put_u8 (out, SV_TYPE_COMPOSITE);
  put_fields (out, &(SvField){ .type = TYPE_BYTES }, 1);
  fixture_put_docs (out, NULL);
}

static void
put_plain_types (GByteArray *out)
{
  for (SvPrimitive primitive = SV_PRIMITIVE_BOOL; primitive <= SV_PRIMITIVE_I256; primitive++)
    put_primitive (out, primitive);
  put_tuple (out, TYPE_UNIT, NULL, 0);
  put_item (out, TYPE_BYTES, SV_TYPE_SEQUENCE, SV_PRIMITIVE_U8);
  put_array (out, TYPE_BYTES_4, 4, SV_PRIMITIVE_U8);
  put_array (out, TYPE_BYTES_32, 32, SV_PRIMITIVE_U8);
  put_composite (out, TYPE_ACCOUNT, "sp_core::crypto::AccountId32", &(SvField){ .type = TYPE_BYTES_32 }, 1);
  put_composite (out, TYPE_WRAPPED, "Wrapped", &(SvField){ .type = SV_PRIMITIVE_U64 }, 1);
  put_item (out, TYPE_COMPACT_U8, SV_TYPE_COMPACT, SV_PRIMITIVE_U8);
  put_item (out, TYPE_COMPACT_U32, SV_TYPE_COMPACT, SV_PRIMITIVE_U32);
  put_item (out, TYPE_COMPACT_U128, SV_TYPE_COMPACT, SV_PRIMITIVE_U128);
  put_item (out, TYPE_COMPACT_WRAPPED, SV_TYPE_COMPACT, TYPE_WRAPPED);
  put_item (out, TYPE_COMPACT_UNIT, SV_TYPE_COMPACT, TYPE_UNIT);
  put_item (out, TYPE_COMPACT_BYTES, SV_TYPE_COMPACT, TYPE_BYTES);
}

static void
put_structures (GByteArray *out)
{
  static const guint32 pair[] = { SV_PRIMITIVE_U16, TYPE_ACCOUNT };
  SvField record[] = { { "block", SV_PRIMITIVE_U64 }, { "permits", TYPE_BOOLS }, { "limit", TYPE_OPTION } };
  SvVariant option[] = { { .name = "None" },
                         { .name = "Some", .index = 1, .fields = &(SvField){ .type = SV_PRIMITIVE_U32 }, .n_fields = 1 } };
  put_tuple (out, TYPE_PAIR, pair, G_N_ELEMENTS (pair));
  put_variants (out, TYPE_OPTION, "Option", option, G_N_ELEMENTS (option));
  put_item (out, TYPE_BOOLS, SV_TYPE_SEQUENCE, SV_PRIMITIVE_BOOL);
  put_composite (out, TYPE_RECORD, "Record", record, G_N_ELEMENTS (record));
}

static void
put_odd_types (GByteArray *out)
{
  SvVariant tree[] = { { .name = "Leaf" },
                       { .name = "Node", .index = 1, .fields = &(SvField){ .type = TYPE_TREES }, .n_fields = 1 } };
  SvVariant chain = { .name = "Link", .fields = &(SvField){ .type = TYPE_CHAIN }, .n_fields = 1 };
  put_composite (out, TYPE_LSB0, "bitvec::order::Lsb0", NULL, 0);
  put_composite (out, TYPE_MSB0, "bitvec::order::Msb0", NULL, 0);
  put_bits (out, TYPE_BITS, SV_PRIMITIVE_U8, TYPE_LSB0);
  put_bits (out, TYPE_BITS_MSB0, SV_PRIMITIVE_U16, TYPE_MSB0);
  put_bits (out, TYPE_BITS_ODD, SV_PRIMITIVE_STR, TYPE_LSB0);
  put_item (out, TYPE_UNITS, SV_TYPE_SEQUENCE, TYPE_UNIT);
  put_array (out, TYPE_MANY_UNITS, 4000000000, TYPE_UNIT);
  put_variants (out, TYPE_TREE, "Tree", tree, G_N_ELEMENTS (tree));
  put_item (out, TYPE_TREES, SV_TYPE_SEQUENCE, TYPE_TREE);
  put_variants (out, TYPE_CHAIN, "Chain", &chain, 1);
}

static void
put_runtime_types (GByteArray *out)
{
  static const guint32 numbers[] = { SV_PRIMITIVE_U16, SV_PRIMITIVE_U32, SV_PRIMITIVE_U64 };
  SvField commitment[] = { { "netuid", SV_PRIMITIVE_U16 }, { "info", TYPE_BYTES } };
  SvVariant calls[] = { { .name = "set_commitment", .index = 3, .fields = commitment, .n_fields = 2, .docs = "Commits." },
                        { .name = "forget", .index = 7 } };
  SvVariant errors[] = { { .name = "NotRegistered", .docs = "The account is not registered." },
                         { .name = "TooLong", .index = 4 } };
  SvVariant address = { .name = "Id", .fields = &(SvField){ .type = TYPE_ACCOUNT }, .n_fields = 1 };
  SvVariant signature = { .name = "Ed25519", .fields = &(SvField){ .type = TYPE_BYTES_4 }, .n_fields = 1 };
  put_item (out, TYPE_U16S, SV_TYPE_SEQUENCE, SV_PRIMITIVE_U16);
  put_variants (out, TYPE_CALL, "pallet_commitments::pallet::Call", calls, G_N_ELEMENTS (calls));
  put_variants (out, TYPE_ERROR, "pallet_commitments::pallet::Error", errors, G_N_ELEMENTS (errors));
  put_variants (out, TYPE_ADDRESS, "MultiAddress", &address, 1);
  put_variants (out, TYPE_SIGNATURE, "MultiSignature", &signature, 1);
  put_extrinsic_type (out);
  put_tuple (out, TYPE_NUMBERS, numbers, G_N_ELEMENTS (numbers));
  put_array (out, TYPE_MATRIX, 2, TYPE_U16S);
}

/* In metadata 16: deprecated with a note. */
static void
put_deprecation (GByteArray *out, guint version)
{
  if (version < 16)
    return;
  sv_scale_put_u8 (out, 2);
  fixture_put_text (out, "use the other");
  sv_scale_put_u8 (out, TRUE);
  fixture_put_text (out, "1.2.0");
}

static void
put_entry (GByteArray *out, guint version, const char *name, guint8 modifier, const char *hashers, guint32 key, guint32 value,
           const char *default_value)
{
  gsize n_hashers = strlen (hashers);
  fixture_put_text (out, name);
  sv_scale_put_u8 (out, modifier);
  sv_scale_put_u8 (out, n_hashers > 0);
  if (n_hashers > 0)
  {
    sv_scale_put_compact (out, n_hashers);
    for (gsize i = 0; i < n_hashers; i++)
      sv_scale_put_u8 (out, (guint8)(hashers[i] - '0'));
    sv_scale_put_compact (out, key);
  }
  sv_scale_put_compact (out, value);
  sv_scale_put_bytes (out, default_value, strlen (default_value));
  fixture_put_docs (out, DOCS);
  put_deprecation (out, version);
}

/* Hashers are given as digits, in SvHasher's order. */
static void
put_storage (GByteArray *out, guint version)
{
  sv_scale_put_u8 (out, TRUE);
  fixture_put_text (out, "CommitmentStore");
  sv_scale_put_compact (out, 5);
  put_entry (out, version, "Count", 1, "", 0, SV_PRIMITIVE_U32, "\5\1\1\1");
  put_entry (out, version, "CommitmentOf", 0, "52", TYPE_PAIR, TYPE_RECORD, "\1");
  put_entry (out, version, "ByPair", 0, "0", TYPE_PAIR, SV_PRIMITIVE_BOOL, "\1");
  put_entry (out, version, "Wide", 1, "666666666", TYPE_UNIT, SV_PRIMITIVE_BOOL, "\1");
  put_entry (out, version, "Three", 1, "613", TYPE_NUMBERS, SV_PRIMITIVE_BOOL, "\1");
}

static void
put_items (GByteArray *out, guint version, guint32 type)
{
  sv_scale_put_u8 (out, TRUE);
  sv_scale_put_compact (out, type);
  if (version < 16)
    return;
  sv_scale_put_compact (out, 2); /* two deprecated variants, one with a note */
  sv_scale_put_raw (out, "\0\1", 2);
  sv_scale_put_u8 (out, 4);
  put_deprecation (out, version);
}

static void
put_constant (GByteArray *out, guint version)
{
  sv_scale_put_compact (out, 1);
  fixture_put_text (out, "MaxFields");
  sv_scale_put_compact (out, SV_PRIMITIVE_U32);
  sv_scale_put_bytes (out, "\3\0\0\0", 4);
  fixture_put_docs (out, DOCS);
  put_deprecation (out, version);
}

static void
put_functions (GByteArray *out, guint version)
{
  static const guint8 id[32] = { 1 };
  sv_scale_put_compact (out, 1);
  fixture_put_text (out, "AccountId");
  sv_scale_put_compact (out, TYPE_ACCOUNT);
  fixture_put_docs (out, DOCS);
  sv_scale_put_compact (out, 1);
  sv_scale_put_raw (out, id, sizeof id);
  fixture_put_text (out, "count");
  sv_scale_put_compact (out, 1);
  fixture_put_text (out, "netuid");
  sv_scale_put_compact (out, SV_PRIMITIVE_U16);
  sv_scale_put_compact (out, SV_PRIMITIVE_U32);
  fixture_put_docs (out, DOCS);
  put_deprecation (out, version);
}

static void
put_pallet_end (GByteArray *out, guint version, guint8 index)
{
  sv_scale_put_u8 (out, index);
  if (version >= 15)
    fixture_put_docs (out, DOCS);
  put_deprecation (out, version);
}

/* One pallet with everything, and one with nothing. */
static void
put_pallets (GByteArray *out, guint version)
{
  sv_scale_put_compact (out, 2);
  fixture_put_text (out, "Commitments");
  put_storage (out, version);
  put_items (out, version, TYPE_CALL);
  put_items (out, version, TYPE_CALL);
  put_constant (out, version);
  put_items (out, version, TYPE_ERROR);
  if (version >= 16)
    put_functions (out, version);
  put_pallet_end (out, version, 18);
  fixture_put_text (out, "Bare");
  sv_scale_put_raw (out, "\0\0\0\0\0", 5);
  if (version >= 16)
    sv_scale_put_raw (out, "\0\0", 2);
  put_pallet_end (out, version, 0);
}

static void
put_extension (GByteArray *out, const char *identifier, guint32 type, guint32 additional)
{
  fixture_put_text (out, identifier);
  sv_scale_put_compact (out, type);
  sv_scale_put_compact (out, additional);
}

/* In metadata 16 extensions stand in an order of their own: version 0 of the list puts it right, version 1 has another one. */
static void
put_extensions_16 (GByteArray *out)
{
  sv_scale_put_compact (out, 2);
  sv_scale_put_u8 (out, 1);
  sv_scale_put_raw (out, "\4\4", 2);
  sv_scale_put_u8 (out, 0);
  sv_scale_put_raw (out, "\10\10\0", 3);
  sv_scale_put_compact (out, 3);
  put_extension (out, "CheckNonce", TYPE_COMPACT_U32, TYPE_UNIT);
  put_extension (out, "AuthorizeCall", TYPE_UNIT, TYPE_UNIT);
  put_extension (out, "CheckGenesis", TYPE_UNIT, TYPE_BYTES_32);
}

static void
put_extensions (GByteArray *out)
{
  sv_scale_put_compact (out, 2);
  put_extension (out, "CheckGenesis", TYPE_UNIT, TYPE_BYTES_32);
  put_extension (out, "CheckNonce", TYPE_COMPACT_U32, TYPE_UNIT);
}

static void
put_parts (GByteArray *out)
{
  sv_scale_put_compact (out, TYPE_ADDRESS);
  sv_scale_put_compact (out, TYPE_CALL);
  sv_scale_put_compact (out, TYPE_SIGNATURE);
}

static void
put_extrinsic (GByteArray *out, guint version)
{
  if (version == 14)
    sv_scale_put_compact (out, TYPE_EXTRINSIC);
  if (version == 16)
    sv_scale_put_compact (out, 2); /* versions */
  sv_scale_put_u8 (out, 4);
  if (version == 16)
    sv_scale_put_u8 (out, 5);
  if (version >= 15)
    put_parts (out);
  if (version == 15)
    sv_scale_put_compact (out, TYPE_UNIT);
  if (version == 16)
    put_extensions_16 (out);
  else
    put_extensions (out);
}

static void
put_api (GByteArray *out, guint version)
{
  sv_scale_put_compact (out, 1);
  fixture_put_text (out, "Core");
  sv_scale_put_compact (out, 1);
  fixture_put_text (out, "execute");
  sv_scale_put_compact (out, 1);
  fixture_put_text (out, "block");
  sv_scale_put_compact (out, TYPE_BYTES);
  sv_scale_put_compact (out, TYPE_UNIT);
  fixture_put_docs (out, DOCS);
  put_deprecation (out, version);
  fixture_put_docs (out, DOCS);
  if (version == 16)
    sv_scale_put_compact (out, 70);
  put_deprecation (out, version);
}

static void
put_rest (GByteArray *out, guint version)
{
  if (version <= 15)
    sv_scale_put_compact (out, TYPE_UNIT);
  if (version == 14)
    return;
  put_api (out, version);
  for (guint i = 0; i < 3; i++)
    sv_scale_put_compact (out, TYPE_CALL);
  sv_scale_put_compact (out, 1);
  fixture_put_text (out, "custom");
  sv_scale_put_compact (out, SV_PRIMITIVE_U8);
  sv_scale_put_bytes (out, "\1", 1);
}

GByteArray *
metadata_fixture_bytes (guint version)
{
  GByteArray *out = fixture_start (version);
  sv_scale_put_compact (out, N_FIXTURE_TYPES);
  put_plain_types (out);
  put_structures (out);
  put_odd_types (out);
  put_runtime_types (out);
  put_pallets (out, version);
  put_extrinsic (out, version);
  put_rest (out, version);
  return out;
}

SvMetadata *
metadata_fixture_new (guint version)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = metadata_fixture_bytes (version);
  SvMetadata *metadata = sv_metadata_parse (bytes->data, bytes->len, &error);
  g_assert_no_error (error);
  return metadata;
}
