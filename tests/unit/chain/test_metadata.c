/* Runtime metadata.
 *
 * fixture   - each version: types, storage, calls, constants, events, errors, extensions and parts of an extrinsic are as
 * written
 *           - what is not there is not found, by name and by index
 *           - documentation is joined, without the space around its lines
 *           - types of which every value is empty are known
 * 424       - the metadata of Bittensor's main network tells what is known of it otherwise
 * refused   - another beginning, older and newer versions, bytes left over, more than any runtime has
 *           - every beginning of the fixture; any byte of it changed gives metadata or an error, and nothing else
 *           - one fault each, with its words: ids out of place or not there, types that contain themselves, unknown kinds,
 *             keys without hashers or with too many, pallets with one index, extensions that are not there
 */
#include "chain/subtensor/metadata.h"

#include <string.h>

#include "base/error.h"
#include "metadata_fixture.h"

#define FIRST_VERSION 14
#define LAST_VERSION 16

static void
assert_refused (const GByteArray *bytes, const char *fault)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvMetadata) metadata = sv_metadata_parse (bytes->data, bytes->len, &error);
  g_assert_null (metadata);
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  if (strstr (error->message, fault) == NULL)
    g_error ("expected a message with \"%s\", got \"%s\"", fault, error->message);
}

static void
check_types (const SvMetadata *metadata)
{
  g_assert_cmpuint (sv_metadata_n_types (metadata), ==, N_FIXTURE_TYPES);
  g_assert_null (sv_metadata_type (metadata, N_FIXTURE_TYPES));
  g_assert_null (sv_metadata_type (metadata, G_MAXUINT32));
  const SvType *account = sv_metadata_type (metadata, TYPE_ACCOUNT);
  g_assert_cmpuint (account->id, ==, TYPE_ACCOUNT);
  g_assert_cmpstr (account->path, ==, "sp_core::crypto::AccountId32");
  g_assert_cmpuint (account->kind, ==, SV_TYPE_COMPOSITE);
  g_assert_cmpuint (account->n_fields, ==, 1);
  g_assert_null (account->fields[0].name);
  g_assert_cmpuint (account->fields[0].type, ==, TYPE_BYTES_32);
  const SvType *record = sv_metadata_type (metadata, TYPE_RECORD);
  g_assert_cmpuint (record->n_fields, ==, 3);
  g_assert_cmpstr (record->fields[1].name, ==, "permits");
  const SvType *bytes = sv_metadata_type (metadata, TYPE_BYTES_32);
  g_assert_cmpuint (bytes->kind, ==, SV_TYPE_ARRAY);
  g_assert_cmpuint (bytes->length, ==, 32);
  g_assert_cmpuint (bytes->item, ==, SV_PRIMITIVE_U8);
  g_assert_cmpstr (bytes->path, ==, "");
  const SvType *bits = sv_metadata_type (metadata, TYPE_BITS_MSB0);
  g_assert_cmpuint (bits->kind, ==, SV_TYPE_BIT_SEQUENCE);
  g_assert_cmpuint (bits->item, ==, SV_PRIMITIVE_U16);
  g_assert_cmpuint (bits->order, ==, TYPE_MSB0);
  g_assert_cmpuint (sv_metadata_type (metadata, SV_PRIMITIVE_I128)->primitive, ==, SV_PRIMITIVE_I128);
}

static void
check_variants (const SvMetadata *metadata)
{
  const SvType *calls = sv_metadata_type (metadata, TYPE_CALL);
  const SvVariant *call = sv_type_variant (calls, "forget");
  g_assert_cmpuint (call->index, ==, 7);
  g_assert_true (sv_type_variant_at (calls, 7) == call);
  g_assert_null (sv_type_variant_at (calls, 0));
  g_assert_null (sv_type_variant_at (calls, 1));
  g_assert_null (sv_type_variant (calls, "set"));
  const SvType *option = sv_metadata_type (metadata, TYPE_OPTION);
  g_assert_cmpstr (sv_type_variant_at (option, 1)->name, ==, "Some");
  g_assert_cmpuint (sv_type_variant_at (option, 1)->fields[0].type, ==, SV_PRIMITIVE_U32);
}

static void
check_storage (const SvMetadata *metadata)
{
  g_autoptr (GError) error = NULL;
  const SvStorageEntry *count = sv_metadata_storage (metadata, "Commitments", "Count", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (count->prefix, ==, "CommitmentStore");
  g_assert_cmpstr (count->name, ==, "Count");
  g_assert_false (count->is_optional);
  g_assert_cmpuint (count->n_keys, ==, 0);
  g_assert_cmpuint (count->value_type, ==, SV_PRIMITIVE_U32);
  g_assert_cmpmem (count->default_bytes, count->default_length, "\5\1\1\1", 4);
  const SvStorageEntry *map = sv_metadata_storage (metadata, "Commitments", "CommitmentOf", &error);
  g_assert_no_error (error);
  g_assert_true (map->is_optional);
  g_assert_cmpuint (map->n_keys, ==, 2);
  g_assert_cmpuint (map->hashers[0], ==, SV_HASHER_TWOX_64_CONCAT);
  g_assert_cmpuint (map->hashers[1], ==, SV_HASHER_BLAKE2_128_CONCAT);
  g_assert_cmpuint (map->key_types[0], ==, SV_PRIMITIVE_U16);
  g_assert_cmpuint (map->key_types[1], ==, TYPE_ACCOUNT);
  g_assert_cmpuint (map->value_type, ==, TYPE_RECORD);
  const SvStorageEntry *pairs = sv_metadata_storage (metadata, "Commitments", "ByPair", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pairs->n_keys, ==, 1);
  g_assert_cmpuint (pairs->key_types[0], ==, TYPE_PAIR);
  g_assert_nonnull (sv_metadata_storage (metadata, "Commitments", "Three", &error));
  g_assert_null (sv_metadata_storage (metadata, "Commitments", "Wide", &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_NOT_FOUND);
}

static void
check_items (const SvMetadata *metadata)
{
  g_autoptr (GError) error = NULL;
  SvCallInfo call;
  SvConstant constant;
  g_assert_true (sv_metadata_call (metadata, "Commitments", "set_commitment", &call, &error));
  g_assert_cmpuint (call.pallet, ==, 18);
  g_assert_cmpuint (call.call->index, ==, 3);
  g_assert_cmpuint (call.call->n_fields, ==, 2);
  g_assert_true (sv_metadata_constant (metadata, "Commitments", "MaxFields", &constant, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (constant.type, ==, SV_PRIMITIVE_U32);
  g_assert_cmpmem (constant.bytes, constant.length, "\3\0\0\0", 4);
  g_assert_cmpstr (sv_metadata_pallet_name (metadata, 18), ==, "Commitments");
  g_assert_cmpstr (sv_metadata_pallet_name (metadata, 0), ==, "Bare");
  g_assert_cmpstr (sv_metadata_call_at (metadata, 18, 7)->name, ==, "forget");
  g_assert_cmpstr (sv_metadata_event_at (metadata, 18, 3)->name, ==, "set_commitment");
  g_assert_cmpstr (sv_metadata_error_at (metadata, 18, 0)->name, ==, "NotRegistered");
  g_assert_cmpstr (sv_metadata_error_at (metadata, 18, 0)->docs, ==, "The account is not registered.");
  g_assert_cmpstr (sv_metadata_error_at (metadata, 18, 4)->docs, ==, "");
}

static void
check_extrinsic (const SvMetadata *metadata)
{
  guint n;
  const SvExtension *extensions = sv_metadata_extensions (metadata, &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpstr (extensions[0].identifier, ==, "CheckGenesis");
  g_assert_cmpuint (extensions[0].type, ==, TYPE_UNIT);
  g_assert_cmpuint (extensions[0].additional_type, ==, TYPE_BYTES_32);
  g_assert_cmpstr (extensions[1].identifier, ==, "CheckNonce");
  g_assert_cmpuint (extensions[1].type, ==, TYPE_COMPACT_U32);
  g_assert_cmpuint (sv_metadata_address_type (metadata), ==, TYPE_ADDRESS);
  g_assert_cmpuint (sv_metadata_signature_type (metadata), ==, TYPE_SIGNATURE);
  g_assert_cmpuint (sv_metadata_call_type (metadata), ==, TYPE_CALL);
  g_assert_true (sv_metadata_takes_extrinsic (metadata, 4));
  g_assert_cmpint (sv_metadata_takes_extrinsic (metadata, 5), ==, sv_metadata_version (metadata) == 16);
  g_assert_false (sv_metadata_takes_extrinsic (metadata, 3));
}

static void
check_missing (const SvMetadata *metadata)
{
  SvCallInfo call;
  SvConstant constant;
  g_autoptr (GError) error = NULL;
  g_assert_false (sv_metadata_call (metadata, "Bare", "set_commitment", &call, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "no call Bare.set_commitment"));
  g_clear_error (&error);
  g_assert_false (sv_metadata_call (metadata, "Commitments", "set", &call, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (sv_metadata_constant (metadata, "Commitments", "Max", &constant, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (sv_metadata_storage (metadata, "Nowhere", "Count", &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "no storage Nowhere.Count"));
  g_assert_null (sv_metadata_pallet_name (metadata, 1));
  g_assert_null (sv_metadata_call_at (metadata, 1, 0));
  g_assert_null (sv_metadata_call_at (metadata, 0, 0));
  g_assert_null (sv_metadata_call_at (metadata, 18, 0));
  g_assert_null (sv_metadata_event_at (metadata, 0, 3));
  g_assert_null (sv_metadata_error_at (metadata, 18, 1));
}

static void
test_fixture (void)
{
  for (guint version = FIRST_VERSION; version <= LAST_VERSION; version++)
  {
    g_autoptr (SvMetadata) metadata = metadata_fixture_new (version);
    g_assert_cmpuint (sv_metadata_version (metadata), ==, version);
    check_types (metadata);
    check_variants (metadata);
    check_storage (metadata);
    check_items (metadata);
    check_extrinsic (metadata);
    check_missing (metadata);
  }
}

static void
test_references (void)
{
  SvMetadata *metadata = metadata_fixture_new (LAST_VERSION);
  g_assert_true (sv_metadata_ref (metadata) == metadata);
  sv_metadata_unref (metadata);
  check_items (metadata);
  sv_metadata_unref (metadata);
  sv_metadata_unref (NULL);
}

static void
test_empty_types (void)
{
  static const guint32 empty[] = { TYPE_UNIT, TYPE_COMPACT_UNIT, TYPE_LSB0, TYPE_MANY_UNITS };
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (LAST_VERSION);
  guint n = 0;
  for (guint32 id = 0; id < sv_metadata_n_types (metadata); id++)
    n += sv_metadata_type (metadata, id)->is_empty;
  for (guint i = 0; i < G_N_ELEMENTS (empty); i++)
    g_assert_true (sv_metadata_type (metadata, empty[i])->is_empty);
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (empty) + 1);
  g_assert_true (sv_metadata_type (metadata, TYPE_MSB0)->is_empty);
}

static SvMetadata *
read_main_network (void)
{
  const char *shared = g_getenv ("SCOREVISION_SHARED");
  g_autofree char *folder = shared != NULL ? g_strdup (shared) : g_build_filename (SV_SOURCE_ROOT, "..", "shared", NULL);
  g_autofree char *path = g_build_filename (folder, "chain", "subtensor-spec424-metadata-v16.scale", NULL);
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;
  if (!g_file_get_contents (path, &data, &length, NULL))
  {
    g_autofree char *message = g_strdup_printf ("NOT TESTED: no metadata at %s; set SCOREVISION_SHARED", path);
    g_test_skip (message);
    return NULL;
  }
  SvMetadata *metadata = sv_metadata_parse (data, length, &error);
  g_assert_no_error (error);
  return metadata;
}

static void
assert_last_extension (const SvMetadata *metadata, guint expected_number, const char *expected)
{
  guint n;
  const SvExtension *extensions = sv_metadata_extensions (metadata, &n);
  g_assert_cmpuint (n, ==, expected_number);
  g_assert_cmpstr (extensions[n - 1].identifier, ==, expected);
}

static void
test_main_network (void)
{
  g_autoptr (SvMetadata) metadata = read_main_network ();
  g_autoptr (GError) error = NULL;
  SvCallInfo call;
  SvConstant constant;
  if (metadata == NULL)
    return;
  g_assert_true (sv_metadata_call (metadata, "Commitments", "set_max_space", &call, &error));
  g_assert_cmpuint (call.pallet, ==, 18);
  g_assert_cmpuint (call.call->index, ==, 2);
  g_assert_true (sv_metadata_constant (metadata, "Commitments", "MaxFields", &constant, &error));
  g_assert_cmpmem (constant.bytes, constant.length, "\3\0\0\0", 4);
  const SvStorageEntry *uids = sv_metadata_storage (metadata, "SubtensorModule", "Uids", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (uids->n_keys, ==, 2);
  g_assert_cmpuint (uids->hashers[0], ==, SV_HASHER_IDENTITY);
  g_assert_cmpuint (uids->hashers[1], ==, SV_HASHER_BLAKE2_128_CONCAT);
  g_assert_cmpstr (sv_metadata_type (metadata, uids->key_types[1])->path, ==, "sp_core::crypto::AccountId32");
  g_assert_true (sv_metadata_takes_extrinsic (metadata, 4));
  assert_last_extension (metadata, 13, "CheckMetadataHash");
  g_assert_cmpstr (sv_metadata_error_at (metadata, 18, 1)->docs, ==, "Account is not allowed to make commitments to the chain");
}

static void
test_frame_refused (void)
{
  g_autoptr (GByteArray) bytes = metadata_fixture_bytes (14);
  bytes->data[0] = 'M';
  assert_refused (bytes, "does not begin with");
  bytes->data[0] = 'm';
  bytes->data[4] = 13;
  assert_refused (bytes, "is of version 13");
  bytes->data[4] = 17;
  assert_refused (bytes, "is of version 17");
  bytes->data[4] = 14;
  g_byte_array_append (bytes, (const guint8 *)"x", 1);
  assert_refused (bytes, "1 bytes too many");
  g_byte_array_set_size (bytes, SV_METADATA_MAX_SIZE + 1);
  assert_refused (bytes, "more than the 16777216");
  g_byte_array_set_size (bytes, 0);
  assert_refused (bytes, "does not begin with");
}

static void
test_cut_short (void)
{
  for (guint version = FIRST_VERSION; version <= LAST_VERSION; version++)
  {
    g_autoptr (GByteArray) bytes = metadata_fixture_bytes (version);
    while (bytes->len > 0)
    {
      /* A copy of the exact size, so that AddressSanitizer sees what is read beyond it. */
      g_byte_array_set_size (bytes, bytes->len - 1);
      g_autofree guint8 *copy = g_memdup2 (bytes->data, bytes->len);
      g_autoptr (GError) error = NULL;
      g_assert_null (sv_metadata_parse (copy, bytes->len, &error));
      g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
    }
  }
}

static void
test_changed (void)
{
  static const guint8 changes[] = { 0x01, 0x04, 0x80, 0xff };
  for (guint version = FIRST_VERSION; version <= LAST_VERSION; version++)
  {
    g_autoptr (GByteArray) bytes = metadata_fixture_bytes (version);
    for (gsize i = 0; i < bytes->len * G_N_ELEMENTS (changes); i++)
    {
      guint8 *byte = &bytes->data[i / G_N_ELEMENTS (changes)];
      g_autoptr (GError) error = NULL;
      *byte ^= changes[i % G_N_ELEMENTS (changes)];
      g_autoptr (SvMetadata) metadata = sv_metadata_parse (bytes->data, bytes->len, &error);
      g_assert_true ((metadata == NULL) == (error != NULL));
      *byte ^= changes[i % G_N_ELEMENTS (changes)];
    }
  }
}

/* A registry of one type more than the u8 with which it begins: @definition as it is written. */
static GByteArray *
with_type (SvTypeKind kind, const char *definition, gsize length)
{
  GByteArray *bytes = fixture_start (14);
  sv_scale_put_compact (bytes, 2);
  fixture_put_type (bytes, 0, "", SV_TYPE_PRIMITIVE);
  sv_scale_put_u8 (bytes, SV_PRIMITIVE_U8);
  fixture_put_docs (bytes, NULL);
  fixture_put_type (bytes, 1, "", kind);
  sv_scale_put_raw (bytes, definition, length);
  fixture_put_docs (bytes, NULL);
  return bytes;
}

static void
test_types_refused (void)
{
  static const struct
  {
    SvTypeKind kind;
    const char *definition;
    gsize length;
    const char *fault;
  } cases[] = {
    { SV_TYPE_SEQUENCE, "\10", 1, "a type id has no type" },
    { SV_TYPE_SEQUENCE, "\3\377\377\377\377", 5, "a type id has no type" },
    { SV_TYPE_TUPLE, "\4\10", 2, "a type id has no type" },
    { SV_TYPE_COMPOSITE, "\4\0\10\0\0", 5, "a type id has no type" },
    { SV_TYPE_COMPOSITE, "\4\2\0\0\0", 5, "a bool is neither 0 nor 1" },
    { SV_TYPE_BIT_SEQUENCE, "\0\10", 2, "a type id has no type" },
    { SV_TYPE_PRIMITIVE, "\17", 1, "a primitive is of no known kind" },
    { SV_TYPE_BIT_SEQUENCE + 1, "\0", 1, "a type is of no known kind" },
    { SV_TYPE_TUPLE, "\4\4", 2, "a type contains itself" },
    { SV_TYPE_ARRAY, "\1\0\0\0\4", 5, "a type contains itself" },
    { SV_TYPE_COMPACT, "\4", 1, "a type contains itself" },
    { SV_TYPE_COMPOSITE, "\4\0\4\0\0", 5, "a type contains itself" },
    { SV_TYPE_VARIANT, "\4\10\300\200\0\0\0", 7, "a text is not UTF-8" },
    { SV_TYPE_TUPLE, "\377\0", 2, "is larger than 2^64-1" },
    { SV_TYPE_TUPLE, "\376\0", 2, "ends too early" },
    { SV_TYPE_TUPLE, "\374\0", 2, "a length is more than the bytes left can hold" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (GByteArray) bytes = with_type (cases[i].kind, cases[i].definition, cases[i].length);
    assert_refused (bytes, cases[i].fault);
  }
}

/* What ends: a variant or a sequence of itself, an array of none of itself. */
static void
test_types_that_end (void)
{
  static const struct
  {
    SvTypeKind kind;
    const char *definition;
    gsize length;
  } cases[] = {
    { SV_TYPE_SEQUENCE, "\4", 1 },
    { SV_TYPE_ARRAY, "\0\0\0\0\4", 5 },
    { SV_TYPE_VARIANT, "\4\4A\4\0\4\0\0\0\0", 10 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    /* There are no pallets after the types, but that is the only fault. */
    g_autoptr (GByteArray) bytes = with_type (cases[i].kind, cases[i].definition, cases[i].length);
    g_autofree char *fault = g_strdup_printf ("ends too early at byte %u", bytes->len);
    assert_refused (bytes, fault);
  }
}

static void
test_ids_out_of_place (void)
{
  g_autoptr (GByteArray) bytes = fixture_start (14);
  sv_scale_put_compact (bytes, 1);
  fixture_put_type (bytes, 1, "", SV_TYPE_TUPLE);
  sv_scale_put_compact (bytes, 0);
  fixture_put_docs (bytes, NULL);
  assert_refused (bytes, "a type's id is not its place among the types");
}

/* Tuples in tuples, each around the next (or the one before): the last one holds nothing. */
static GByteArray *
nested_tuples (guint n, gboolean is_forward)
{
  GByteArray *bytes = fixture_start (14);
  sv_scale_put_compact (bytes, n);
  for (guint i = 0; i < n; i++)
  {
    gboolean is_last = i == (is_forward ? n - 1 : 0);
    fixture_put_type (bytes, i, "", SV_TYPE_TUPLE);
    sv_scale_put_compact (bytes, is_last ? 0 : 1);
    if (!is_last)
      sv_scale_put_compact (bytes, is_forward ? i + 1 : i - 1);
    fixture_put_docs (bytes, NULL);
  }
  return bytes;
}

static void
test_nesting (void)
{
  for (guint is_forward = FALSE; is_forward <= TRUE; is_forward++)
  {
    g_autoptr (GByteArray) deep = nested_tuples (128, is_forward);
    g_autoptr (GByteArray) deeper = nested_tuples (129, is_forward);
    g_autoptr (GByteArray) deepest = nested_tuples (100000, is_forward);
    assert_refused (deep, "ends too early");
    assert_refused (deeper, "nests too deep");
    assert_refused (deepest, "nests too deep");
  }
}

/* Two types, then one of two pallets, "P", with @rest after its name, and bytes enough for all that might follow; version 14.
 */
static void
assert_pallet_refused (const char *rest, gsize length, const char *fault)
{
  static const guint8 padding[16] = { 0 };
  g_autoptr (GByteArray) bytes = with_type (SV_TYPE_SEQUENCE, "\0", 1);
  sv_scale_put_compact (bytes, 2);
  fixture_put_text (bytes, "P");
  sv_scale_put_raw (bytes, rest, length);
  sv_scale_put_raw (bytes, padding, sizeof padding);
  assert_refused (bytes, fault);
}

static void
test_pallets_refused (void)
{
  /* Storage with the prefix "P" and one entry "E". */
  assert_pallet_refused ("\1\4P\4\4E\3\0\0\0\0", 11, "no known modifier");
  assert_pallet_refused ("\1\4P\4\4E\1\2\0\0\0", 11, "a storage entry is of no known kind");
  assert_pallet_refused ("\1\4P\4\4E\1\1\0\0\0\0\0", 13, "a storage map has no keys");
  assert_pallet_refused ("\1\4P\4\4E\1\1\4\7\0\0\0\0", 14, "a hasher is of no known kind");
  assert_pallet_refused ("\1\4P\4\4E\1\1\10\0\0\4\0\0\0", 15, "not a tuple with an item for each hasher");
  assert_pallet_refused ("\1\4P\4\4E\1\0\10\0\0", 11, "a type id has no type");
  assert_pallet_refused ("\2", 1, "a bool is neither 0 nor 1");
  assert_pallet_refused ("\0\1\10\0\0\0\0", 7, "a type id has no type");
  assert_pallet_refused ("\0\0\0\4\4C\10\0\0", 9, "a type id has no type");
  assert_pallet_refused ("\0\0\0\0\0\7" /* the second: */ "\4Q\0\0\0\0\0\7", 14, "two pallets have one index");
  assert_pallet_refused ("\0\0\0\0\0\7" /* the second: */ "\4Q\0\0\0\0\0\10" /* the extrinsic: */ "\0\4\0", 17,
                         "the type of extrinsics does not tell its parts");
}

/* The rest of metadata 16 from its extrinsics on: no pallets. */
static void
assert_extrinsic_refused (const char *rest, gsize length, const char *fault)
{
  g_autoptr (GByteArray) bytes = with_type (SV_TYPE_SEQUENCE, "\0", 1);
  bytes->data[4] = 16;
  sv_scale_put_compact (bytes, 0);
  sv_scale_put_raw (bytes, rest, length);
  assert_refused (bytes, fault);
}

static void
test_extrinsic_refused (void)
{
  /* Versions, three parts, lists of extensions, extensions. */
  assert_extrinsic_refused ("\4\4\0\0\10", 5, "a type id has no type");
  assert_extrinsic_refused ("\4\4\0\0\0\0\0", 7, "their extensions are not told");
  assert_extrinsic_refused ("\4\4\0\0\0\4\1\0\0", 9, "their extensions are not told");
  assert_extrinsic_refused ("\4\4\0\0\0\4\0\4\4\4\4E\0\0", 14, "names one that is not there");
  assert_extrinsic_refused ("\4\4\0\0\0\4\0\10\0\0\4\4E\0\0", 15, "longer than that of all");
  assert_extrinsic_refused ("\4\5\0\0\0\0\0", 7, "ends too early");
  assert_extrinsic_refused ("\4\4\0\0\0\4\0\4\0\4\4E\0\0", 14, "ends too early");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metadata/fixture", test_fixture);
  g_test_add_func ("/metadata/references", test_references);
  g_test_add_func ("/metadata/empty-types", test_empty_types);
  g_test_add_func ("/metadata/main-network", test_main_network);
  g_test_add_func ("/metadata/frame-refused", test_frame_refused);
  g_test_add_func ("/metadata/cut-short", test_cut_short);
  g_test_add_func ("/metadata/changed", test_changed);
  g_test_add_func ("/metadata/types-refused", test_types_refused);
  g_test_add_func ("/metadata/types-that-end", test_types_that_end);
  g_test_add_func ("/metadata/ids-out-of-place", test_ids_out_of_place);
  g_test_add_func ("/metadata/nesting", test_nesting);
  g_test_add_func ("/metadata/pallets-refused", test_pallets_refused);
  g_test_add_func ("/metadata/extrinsic-refused", test_extrinsic_refused);
  return g_test_run ();
}
