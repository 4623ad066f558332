/* SCALE, the codec of Substrate.
 *
 *  - integers are little-endian, written as they are read
 *  - compact integers: the known forms at the edges of each length, written and read; longer forms and larger ones are refused
 *  - every input that is cut short is refused, and nothing moves from then on: the first fault is the one told, with its place
 *  - a bool is 0 or 1
 *  - lengths are held against the bytes left, and against 2^24 where items are empty
 *  - texts are UTF-8 without NUL
 *  - bytes left over are a fault for finish, not for check
 *  - empty input, also from NULL, has nothing in it
 */
#include "chain/subtensor/scale.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "metadata_fixture.h"

static void
assert_hex (const GByteArray *bytes, const char *expected)
{
  g_autofree char *hex = sv_hex_encode (bytes->data, bytes->len);
  g_assert_cmpstr (hex, ==, expected);
}

static void
assert_fault (const SvScaleReader *reader, const char *expected)
{
  g_autoptr (GError) error = NULL;
  gboolean is_fine = sv_scale_check (reader, "input", &error);
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_false (is_fine);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_integers (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  sv_scale_put_u8 (out, 0x12);
  sv_scale_put_u16 (out, 0x3456);
  sv_scale_put_u32 (out, 0x789abcde);
  sv_scale_put_u64 (out, G_GUINT64_CONSTANT (0xf0123456789abcde));
  assert_hex (out, "125634debc9a78debc9a78563412f0");
  SvScaleReader reader = sv_scale_reader (out->data, out->len);
  g_assert_cmpuint (sv_scale_u8 (&reader), ==, 0x12);
  g_assert_cmpuint (sv_scale_u16 (&reader), ==, 0x3456);
  g_assert_cmpuint (sv_scale_u32 (&reader), ==, 0x789abcde);
  g_assert_cmpuint (sv_scale_left (&reader), ==, 8);
  g_assert_cmpuint (sv_scale_u64 (&reader), ==, G_GUINT64_CONSTANT (0xf0123456789abcde));
  g_assert_true (sv_scale_finish (&reader, "input", &error));
  g_assert_no_error (error);
}

static void
test_compact (void)
{
  static const struct
  {
    guint64 value;
    const char *hex;
  } cases[] = {
    { 0, "00" },
    { 1, "04" },
    { 63, "fc" },
    { 64, "0101" },
    { 16383, "fdff" },
    { 16384, "02000100" },
    { 1073741823, "feffffff" },
    { 1073741824, "0300000040" },
    { G_MAXUINT32, "03ffffffff" },
    { G_GUINT64_CONSTANT (1) << 32, "070000000001" },
    { (G_GUINT64_CONSTANT (1) << 40) - 1, "07ffffffffff" },
    { G_GUINT64_CONSTANT (1) << 40, "0b000000000001" },
    { G_GUINT64_CONSTANT (1) << 48, "0f00000000000001" },
    { G_GUINT64_CONSTANT (1) << 56, "130000000000000001" },
    { G_MAXUINT64, "13ffffffffffffffff" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (GByteArray) out = g_byte_array_new ();
    sv_scale_put_compact (out, cases[i].value);
    assert_hex (out, cases[i].hex);
    SvScaleReader reader = sv_scale_reader (out->data, out->len);
    g_assert_cmpuint (sv_scale_compact (&reader), ==, cases[i].value);
    g_assert_true (sv_scale_finish (&reader, "input", NULL));
  }
}

static void
test_compact_refused (void)
{
  static const struct
  {
    const char *hex;
    const char *message;
  } cases[] = {
    { "0100", "input: a compact integer is not in its shortest form at byte 0" },
    { "fd00", "input: a compact integer is not in its shortest form at byte 0" },
    { "feff0000", "input: a compact integer is not in its shortest form at byte 0" },
    { "03ffffff3f", "input: a compact integer is not in its shortest form at byte 0" },
    { "07ffffffff00", "input: a compact integer is not in its shortest form at byte 0" },
    { "13ffffffffffffff00", "input: a compact integer is not in its shortest form at byte 0" },
    { "17ffffffffffffffff00", "input: a compact integer is larger than 2^64-1 at byte 0" },
    { "", "input: ends too early at byte 0" },
    { "01", "input: ends too early at byte 0" },
    { "020001", "input: ends too early at byte 0" },
    { "13ffffffffffffff", "input: ends too early at byte 0" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_autoptr (GByteArray) bytes = fixture_bytes (cases[i].hex);
    SvScaleReader reader = sv_scale_reader (bytes->data, bytes->len);
    g_assert_cmpuint (sv_scale_compact (&reader), ==, 0);
    assert_fault (&reader, cases[i].message);
  }
}

static void
test_first_fault (void)
{
  g_autoptr (GError) error = NULL;
  SvScaleReader reader = sv_scale_reader ("\1\2\3\4\5", 5);
  g_assert_cmpuint (sv_scale_u16 (&reader), ==, 0x0201);
  g_assert_cmpuint (sv_scale_u32 (&reader), ==, 0);
  g_assert_cmpuint (sv_scale_u8 (&reader), ==, 0);
  g_assert_cmpuint (sv_scale_compact (&reader), ==, 0);
  g_assert_false (sv_scale_bool (&reader));
  g_assert_null (sv_scale_take (&reader, 0));
  g_autofree char *text = sv_scale_text (&reader);
  g_assert_cmpstr (text, ==, "");
  sv_scale_fail (&reader, "something else");
  assert_fault (&reader, "input: ends too early at byte 2");
  g_assert_false (sv_scale_finish (&reader, "input", &error));
  g_assert_cmpstr (error->message, ==, "input: ends too early at byte 2");
}

static void
test_bool (void)
{
  SvScaleReader reader = sv_scale_reader ("\0\1\2", 3);
  g_assert_false (sv_scale_bool (&reader));
  g_assert_true (sv_scale_bool (&reader));
  g_assert_null (reader.fault);
  g_assert_false (sv_scale_bool (&reader));
  g_assert_cmpstr (reader.fault, ==, "a bool is neither 0 nor 1");
}

static gsize
length_of (const char *hex, gsize item_size, const char **fault)
{
  g_autoptr (GByteArray) bytes = fixture_bytes (hex);
  SvScaleReader reader = sv_scale_reader (bytes->data, bytes->len);
  gsize length = sv_scale_length (&reader, item_size);
  *fault = reader.fault;
  return length;
}

static void
test_lengths (void)
{
  const char *fault;
  g_assert_cmpuint (length_of ("08aabb", 1, &fault), ==, 2);
  g_assert_null (fault);
  g_assert_cmpuint (length_of ("08aabbccdd", 2, &fault), ==, 2);
  g_assert_null (fault);
  g_assert_cmpuint (length_of ("08aabbcc", 2, &fault), ==, 0);
  g_assert_cmpstr (fault, ==, "a length is more than the bytes left can hold");
  g_assert_cmpuint (length_of ("0caabb", 1, &fault), ==, 0);
  g_assert_cmpstr (fault, ==, "a length is more than the bytes left can hold");
  g_assert_cmpuint (length_of ("02000004", 0, &fault), ==, 1 << 24);
  g_assert_null (fault);
  g_assert_cmpuint (length_of ("06000004", 0, &fault), ==, 0);
  g_assert_cmpstr (fault, ==, "a length is more than 2^24");
  g_assert_cmpuint (length_of ("13ffffffffffffffff", 1, &fault), ==, 0);
  g_assert_cmpstr (fault, ==, "a length is more than 2^24");
}

static void
test_texts (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  sv_scale_put_bytes (out, "für", strlen ("für"));
  sv_scale_put_bytes (out, "", 0);
  sv_scale_put_bytes (out, "a\0b", 3);
  SvScaleReader reader = sv_scale_reader (out->data, out->len);
  g_autofree char *first = sv_scale_text (&reader);
  g_assert_cmpstr (first, ==, "für");
  g_autofree char *second = sv_scale_text (&reader);
  g_assert_cmpstr (second, ==, "");
  g_assert_null (reader.fault);
  g_autofree char *third = sv_scale_text (&reader);
  g_assert_cmpstr (third, ==, "");
  g_assert_cmpstr (reader.fault, ==, "a text is not UTF-8, or has a NUL in it");
  SvScaleReader latin = sv_scale_reader ("\4\xfc", 2);
  g_autofree char *fourth = sv_scale_text (&latin);
  g_assert_cmpstr (fourth, ==, "");
  g_assert_nonnull (latin.fault);
}

static void
test_left_over (void)
{
  g_autoptr (GError) error = NULL;
  SvScaleReader reader = sv_scale_reader ("\4\7\0\0", 4);
  gsize length;
  const guint8 *bytes = sv_scale_bytes (&reader, &length);
  g_assert_cmpmem (bytes, length, "\7", 1);
  g_assert_true (sv_scale_check (&reader, "input", &error));
  g_assert_no_error (error);
  g_assert_false (sv_scale_finish (&reader, "input", &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
  g_assert_cmpstr (error->message, ==, "input: 2 bytes too many at byte 2");
}

static void
test_empty (void)
{
  SvScaleReader reader = sv_scale_reader (NULL, 0);
  g_assert_nonnull (sv_scale_take (&reader, 0));
  g_assert_true (sv_scale_finish (&reader, "input", NULL));
  g_assert_cmpuint (sv_scale_u8 (&reader), ==, 0);
  assert_fault (&reader, "input: ends too early at byte 0");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scale/integers", test_integers);
  g_test_add_func ("/scale/compact", test_compact);
  g_test_add_func ("/scale/compact-refused", test_compact_refused);
  g_test_add_func ("/scale/first-fault", test_first_fault);
  g_test_add_func ("/scale/bool", test_bool);
  g_test_add_func ("/scale/lengths", test_lengths);
  g_test_add_func ("/scale/texts", test_texts);
  g_test_add_func ("/scale/left-over", test_left_over);
  g_test_add_func ("/scale/empty", test_empty);
  return g_test_run ();
}
