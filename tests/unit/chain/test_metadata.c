/* Runtime metadata that is as it should be.
 *
 * fixture   - each version: types, storage, calls, constants, events, errors, extensions and parts of an extrinsic are as
 * written
 *           - what is not there is not found, by name and by index
 *           - it lives as long as somebody refers to it
 *           - types of which every value is empty are known
 * docs      - the lines about a variant are joined, without the space around them
 * 424       - the metadata of Bittensor's main network tells what is known of it otherwise
 */
#include "chain/subtensor/metadata.h"

#include <string.h>

#include "base/error.h"
#include "metadata_fixture.h"

#define FIRST_VERSION 14
#define LAST_VERSION 16

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

/* A type and nothing else: "A", with four lines about it. */
static void
test_docs (void)
{
  static const char *const lines[] = { " What it is", "", "\tand what it is ", "for. ü" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = fixture_start (15);
  sv_scale_put_compact (bytes, 1);
  fixture_put_type (bytes, 0, "", SV_TYPE_VARIANT);
  sv_scale_put_compact (bytes, 1);
  fixture_put_text (bytes, "A");
  sv_scale_put_raw (bytes, "\0\0", 2);
  sv_scale_put_compact (bytes, G_N_ELEMENTS (lines));
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    fixture_put_text (bytes, lines[i]);
  fixture_put_docs (bytes, NULL);
  /* No pallets; extrinsics of version 4; no APIs, no custom values. */
  sv_scale_put_raw (bytes, "\0\4\0\0\0\0\0\0\0\0\0\0\0", 13);
  g_autoptr (SvMetadata) metadata = sv_metadata_parse (bytes->data, bytes->len, &error);
  g_assert_no_error (error);
  const SvVariant *variant = sv_type_variant (sv_metadata_type (metadata, 0), "A");
  g_assert_cmpstr (variant->docs, ==, "What it is and what it is for. ü");
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metadata/fixture", test_fixture);
  g_test_add_func ("/metadata/references", test_references);
  g_test_add_func ("/metadata/docs", test_docs);
  g_test_add_func ("/metadata/empty-types", test_empty_types);
  g_test_add_func ("/metadata/main-network", test_main_network);
  return g_test_run ();
}
