/* Values of a runtime's types; each of the fixture's.
 *
 *  - decoded as the header says, and passed over to the same byte: structures, variants, sequences, compacts, bits, numbers
 *  - refused with its words, alike by both: cut short, bools, chars, texts, variants, compacts, bit sequences that are none
 *  - what is empty ends: a vector that claims 16 million, an array of four thousand million, a chain without an end
 *  - nesting is bounded; so are the parts of few bytes
 *  - a fault from before stays
 */
#include "chain/subtensor/value.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metadata_fixture.h"

#define ACCOUNT "0101010101010101010101010101010101010101010101010101010101010101"

typedef struct
{
  guint32 type;
  const char *hex;
  const char *expected;
} Case;

static void
check_value (const SvMetadata *metadata, const Case *one)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = fixture_bytes (one->hex);
  SvScaleReader reader = sv_scale_reader (bytes->data, bytes->len);
  g_autoptr (json_t) value = sv_value_decode (metadata, one->type, &reader);
  gboolean is_whole = sv_scale_finish (&reader, one->hex, &error);
  g_assert_no_error (error);
  g_assert_true (is_whole);
  g_autofree char *text = json_dumps (value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_PRESERVE_ORDER);
  g_assert_cmpstr (text, ==, one->expected);
  SvScaleReader skipped = sv_scale_reader (bytes->data, bytes->len);
  sv_value_skip (metadata, one->type, &skipped);
  is_whole = sv_scale_finish (&skipped, one->hex, &error);
  g_assert_no_error (error);
  g_assert_true (is_whole);
}

static void
test_values (void)
{
  static const Case cases[] = {
    { SV_PRIMITIVE_BOOL, "01", "true" },
    { SV_PRIMITIVE_CHAR, "fc000000", "\"ü\"" },
    { SV_PRIMITIVE_CHAR, "00000000", "\"\\u0000\"" },
    { SV_PRIMITIVE_STR, "1066c3bc72", "\"für\"" },
    { SV_PRIMITIVE_STR, "0c610062", "\"a\\u0000b\"" },
    { TYPE_UNIT, "", "[]" },
    { TYPE_BYTES, "0c010aff", "\"0x010aff\"" },
    { TYPE_BYTES, "00", "\"0x\"" },
    { TYPE_BYTES_4, "00000102", "\"0x00000102\"" },
    { TYPE_ACCOUNT, ACCOUNT, "\"0x" ACCOUNT "\"" },
    { TYPE_PAIR, "0100" ACCOUNT, "[1.0,\"0x" ACCOUNT "\"]" },
    { TYPE_OPTION, "00", "{\"None\":null}" },
    { TYPE_OPTION, "0107000000", "{\"Some\":7.0}" },
    { TYPE_BOOLS, "0c010001", "[true,false,true]" },
    { TYPE_RECORD, "0700000000000000040100", "{\"block\":7.0,\"permits\":[true],\"limit\":{\"None\":null}}" },
    { TYPE_LSB0, "", "null" },
    { TYPE_UNITS, "0c", "[[],[],[]]" },
    { TYPE_TREE, "0108000100", "{\"Node\":[{\"Leaf\":null},{\"Node\":[]}]}" },
    { TYPE_U16S, "0801000200", "[1.0,2.0]" },
    { TYPE_MATRIX, "04010000", "[[1.0],[]]" },
    { TYPE_CALL, "032c00086869", "{\"set_commitment\":{\"netuid\":44.0,\"info\":\"0x6869\"}}" },
    { TYPE_CALL, "07", "{\"forget\":null}" },
  };
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (14);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_value (metadata, &cases[i]);
}

static void
test_numbers (void)
{
  static const Case cases[] = {
    { SV_PRIMITIVE_U8, "ff", "255.0" },
    { SV_PRIMITIVE_U16, "ffff", "65535.0" },
    { SV_PRIMITIVE_U32, "ffffffff", "4294967295.0" },
    { SV_PRIMITIVE_U64, "ffffffffffff1f00", "9007199254740991.0" },
    { SV_PRIMITIVE_U64, "0000000000002000", "\"9007199254740992\"" },
    { SV_PRIMITIVE_U64, "ffffffffffffffff", "\"18446744073709551615\"" },
    { SV_PRIMITIVE_U128, "00000000000000000000000000000000", "0.0" },
    { SV_PRIMITIVE_U128, "00000000000000000100000000000000", "\"18446744073709551616\"" },
    { SV_PRIMITIVE_U128, "ffffffffffffffffffffffffffffffff", "\"340282366920938463463374607431768211455\"" },
    { SV_PRIMITIVE_U128, "000000e83c80d09f3c2e3b0300000000", "\"1000000000000000000000000000\"" },
    { SV_PRIMITIVE_U256, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "\"115792089237316195423570985008687907853269984665640564039457584007913129639935\"" },
    { SV_PRIMITIVE_I8, "80", "-128.0" },
    { SV_PRIMITIVE_I8, "7f", "127.0" },
    { SV_PRIMITIVE_I16, "ffff", "-1.0" },
    { SV_PRIMITIVE_I32, "00000080", "-2147483648.0" },
    { SV_PRIMITIVE_I64, "010000000000e0ff", "-9007199254740991.0" },
    { SV_PRIMITIVE_I64, "000000000000e0ff", "\"-9007199254740992\"" },
    { SV_PRIMITIVE_I64, "0000000000000080", "\"-9223372036854775808\"" },
    { SV_PRIMITIVE_I128, "00000000000000000000000000000080", "\"-170141183460469231731687303715884105728\"" },
    { SV_PRIMITIVE_I256, "0000000000000000000000000000000000000000000000000000000000000080",
      "\"-57896044618658097711785492504343953926634992332820282019728792003956564819968\"" },
    { TYPE_WRAPPED, "0500000000000000", "5.0" },
    { TYPE_COMPACT_U8, "04", "1.0" },
    { TYPE_COMPACT_U8, "fd03", "255.0" },
    { TYPE_COMPACT_U32, "03ffffffff", "4294967295.0" },
    { TYPE_COMPACT_WRAPPED, "13ffffffffffffffff", "\"18446744073709551615\"" },
    { TYPE_COMPACT_U128, "0101", "64.0" },
    { TYPE_COMPACT_U128, "17000000000000000001", "\"18446744073709551616\"" },
    { TYPE_COMPACT_U128, "33ffffffffffffffffffffffffffffffff", "\"340282366920938463463374607431768211455\"" },
    { TYPE_COMPACT_UNIT, "", "[]" },
  };
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (15);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_value (metadata, &cases[i]);
}

static void
test_bits (void)
{
  static const Case cases[] = {
    { TYPE_BITS, "00", "\"\"" },
    { TYPE_BITS, "1005", "\"1010\"" },
    { TYPE_BITS, "280102", "\"1000000001\"" },
    { TYPE_BITS_MSB0, "0c00a0", "\"101\"" },
    { TYPE_BITS_MSB0, "4401800080", "\"10000000000000011\"" },
  };
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (16);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_value (metadata, &cases[i]);
}

static void
assert_fault (const SvMetadata *metadata, guint32 type, const GByteArray *bytes, const char *expected)
{
  SvScaleReader reader = sv_scale_reader (bytes->data, bytes->len);
  g_autoptr (json_t) value = sv_value_decode (metadata, type, &reader);
  g_assert_null (value);
  g_assert_cmpstr (reader.fault, ==, expected);
}

static void
check_refused (const SvMetadata *metadata, const Case *one)
{
  g_autoptr (GByteArray) bytes = fixture_bytes (one->hex);
  SvScaleReader skipped = sv_scale_reader (bytes->data, bytes->len);
  sv_value_skip (metadata, one->type, &skipped);
  g_assert_cmpstr (skipped.fault, ==, one->expected);
  assert_fault (metadata, one->type, bytes, one->expected);
}

static void
test_refused (void)
{
  static const Case cases[] = {
    { SV_PRIMITIVE_U32, "000000", "ends too early" },
    { SV_PRIMITIVE_BOOL, "02", "a bool is neither 0 nor 1" },
    { TYPE_BOOLS, "0402", "a bool is neither 0 nor 1" },
    { SV_PRIMITIVE_CHAR, "00d80000", "a char is no character" },
    { SV_PRIMITIVE_CHAR, "00001100", "a char is no character" },
    { SV_PRIMITIVE_STR, "04ff", "a text is not UTF-8" },
    { SV_PRIMITIVE_STR, "0c6100ff", "a text is not UTF-8" },
    { TYPE_OPTION, "02", "a variant is none of its type's" },
    { TYPE_OPTION, "", "ends too early" },
    { TYPE_OPTION, "01000000", "ends too early" },
    { TYPE_CALL, "032c000c6869", "a length is more than the bytes left can hold" },
    { TYPE_BYTES, "0c0102", "a length is more than the bytes left can hold" },
    { TYPE_U16S, "08010002", "a length is more than the bytes left can hold" },
    { TYPE_BYTES_4, "000001", "ends too early" },
    { TYPE_TREES, "0c0000", "a length is more than the bytes left can hold" },
    { TYPE_COMPACT_U8, "0104", "a compact integer is too large for its type" },
    { TYPE_COMPACT_U8, "0100", "a compact integer is not in its shortest form" },
    { TYPE_COMPACT_U32, "070000000001", "a compact integer is too large for its type" },
    { TYPE_COMPACT_U32, "17000000000000000001", "a compact integer is larger than 2^64-1" },
    { TYPE_COMPACT_U128, "17ffffffffffffffff00", "a compact integer is not in its shortest form" },
    { TYPE_COMPACT_U128, "170000000000000000", "ends too early" },
    { TYPE_COMPACT_U128, "37ffffffffffffffffffffffffffffffffff", "a compact integer is larger than 2^64-1" },
    { TYPE_COMPACT_U128, "", "ends too early" },
    { TYPE_COMPACT_BYTES, "04", "a compact is of what is no integer" },
    { TYPE_BITS, "2801", "ends too early" },
    { TYPE_BITS_MSB0, "0c00", "ends too early" },
    { TYPE_BITS_ODD, "0c00", "a bit sequence has no known store" },
    { TYPE_CHAIN, "", "ends too early" },
    { N_FIXTURE_TYPES, "00", "a type id has no type" },
  };
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (16);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_refused (metadata, &cases[i]);
}

static void
test_left_over (void)
{
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (16);
  SvScaleReader reader = sv_scale_reader ("\7\1\0", 3);
  g_autoptr (json_t) call = sv_value_decode (metadata, TYPE_CALL, &reader);
  g_assert_nonnull (call);
  g_assert_cmpuint (reader.offset, ==, 1);
  sv_value_skip (metadata, SV_PRIMITIVE_U16, &reader);
  g_assert_true (sv_scale_finish (&reader, "input", NULL));
}

static void
test_endless (void)
{
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (16);
  g_autoptr (GByteArray) units = fixture_bytes ("02000004"); /* 2^24 of them */
  SvScaleReader reader = sv_scale_reader (units->data, units->len);
  sv_value_skip (metadata, TYPE_UNITS, &reader);
  g_assert_true (sv_scale_finish (&reader, "input", NULL));
  assert_fault (metadata, TYPE_UNITS, units, "a value has too many parts for its bytes");
  g_autoptr (GByteArray) none = g_byte_array_new ();
  SvScaleReader empty = sv_scale_reader (NULL, 0);
  sv_value_skip (metadata, TYPE_MANY_UNITS, &empty);
  g_assert_true (sv_scale_finish (&empty, "input", NULL));
  assert_fault (metadata, TYPE_MANY_UNITS, none, "a value has too many parts for its bytes");
  g_assert_true (sv_value_is_empty (metadata, TYPE_MANY_UNITS));
  g_assert_false (sv_value_is_empty (metadata, TYPE_UNITS));
  g_assert_false (sv_value_is_empty (metadata, N_FIXTURE_TYPES));
}

/* Trees with one branch, which nest three levels a node less one; and links of a chain, one each. */
static void
test_deep (void)
{
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (16);
  g_autoptr (GByteArray) tree = g_byte_array_new ();
  for (guint i = 0; i < SV_VALUE_MAX_DEPTH; i++)
    sv_scale_put_raw (tree, "\1\4", 2);
  sv_scale_put_u8 (tree, 0);
  assert_fault (metadata, TYPE_TREE, tree, "a value nests too deep");
  SvScaleReader skipped = sv_scale_reader (tree->data, tree->len);
  sv_value_skip (metadata, TYPE_TREE, &skipped);
  g_assert_cmpstr (skipped.fault, ==, "a value nests too deep");
  /* Half as many nodes: the last leaf is on the last level but one. */
  SvScaleReader fine = sv_scale_reader (tree->data + SV_VALUE_MAX_DEPTH + 2, tree->len - SV_VALUE_MAX_DEPTH - 2);
  g_autoptr (json_t) value = sv_value_decode (metadata, TYPE_TREE, &fine);
  g_assert_nonnull (value);
  g_autoptr (GByteArray) chain = g_byte_array_new ();
  g_byte_array_set_size (chain, 1000);
  memset (chain->data, 0, chain->len);
  assert_fault (metadata, TYPE_CHAIN, chain, "a value nests too deep");
}

static void
test_earlier_fault (void)
{
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (16);
  SvScaleReader reader = sv_scale_reader ("\1\0\0\0", 4);
  sv_scale_fail (&reader, "a fault from before");
  sv_value_skip (metadata, SV_PRIMITIVE_U32, &reader);
  sv_value_skip (metadata, TYPE_UNITS, &reader);
  g_assert_null (sv_value_decode (metadata, TYPE_UNIT, &reader));
  g_assert_cmpuint (reader.offset, ==, 0);
  g_assert_cmpstr (reader.fault, ==, "a fault from before");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/value/values", test_values);
  g_test_add_func ("/value/numbers", test_numbers);
  g_test_add_func ("/value/bits", test_bits);
  g_test_add_func ("/value/refused", test_refused);
  g_test_add_func ("/value/left-over", test_left_over);
  g_test_add_func ("/value/endless", test_endless);
  g_test_add_func ("/value/deep", test_deep);
  g_test_add_func ("/value/earlier-fault", test_earlier_fault);
  return g_test_run ();
}
