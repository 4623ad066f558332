/* Runtime metadata that is refused.
 *
 *  - another beginning, older and newer versions, bytes left over, more than any runtime has
 *  - every beginning of the fixture; any byte of it changed gives metadata or an error, and nothing else
 *  - one fault each, with its words: ids out of place or not there, types that contain themselves, unknown kinds, keys without
 *    hashers or with too many, pallets with one index, extensions that are not there
 *  - while types that end are taken: sequences and variants of themselves, and arrays of none
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
  g_test_add_func ("/metadata-refused/frame", test_frame_refused);
  g_test_add_func ("/metadata-refused/cut-short", test_cut_short);
  g_test_add_func ("/metadata-refused/changed", test_changed);
  g_test_add_func ("/metadata-refused/types", test_types_refused);
  g_test_add_func ("/metadata-refused/types-that-end", test_types_that_end);
  g_test_add_func ("/metadata-refused/ids-out-of-place", test_ids_out_of_place);
  g_test_add_func ("/metadata-refused/nesting", test_nesting);
  g_test_add_func ("/metadata-refused/pallets", test_pallets_refused);
  g_test_add_func ("/metadata-refused/extrinsic", test_extrinsic_refused);
  return g_test_run ();
}
