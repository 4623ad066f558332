/* Commitments found in blocks and in storage.
 *
 * blocks  - what was signed is read back: signer, netuid, text of one and of several fields, in either order of arguments
 *         - not one: unsigned, another call, version 5, a batch that holds one, a signer that is looked up, a runtime without
 * it
 *         - no text: another field among the plain ones, no field, NUL, no UTF-8, longer than any text that is read
 *         - a time-locked field tells its round, the latest of several
 *         - refused: a wrong length, cut anywhere, bytes too many, an address or a field that the runtime does not know
 * storage - a registration's block, text and round; refused when cut anywhere or too long, or without the pallet
 */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "chain/subtensor/extrinsic.h"
#include "chain/subtensor/scale.h"
#include "refusal.h"
#include "small_metadata.h"

#define SIGNER                                                                                                                 \
  "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"                                                           \
  "\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x20"

static SvMetadata *metadata; /* of a runtime with three fields and BigRaw */

static void
put_hex (GByteArray *out, const char *hex)
{
  gsize length = strlen (hex) / 2;
  g_autofree guint8 *bytes = g_malloc (length + 1);
  g_assert_true (sv_hex_decode (hex, FALSE, bytes, length));
  sv_scale_put_raw (out, bytes, length);
}

/* A signed extrinsic around a call: its signature is nothing to who reads a block. */
static GBytes *
wrap (const char *start, const char *call)
{
  guint8 signature[64] = { 1, 2, 3 };
  g_autoptr (GByteArray) body = g_byte_array_new (), out = g_byte_array_new ();
  put_hex (body, start);
  if (g_str_has_prefix (start, "84"))
  {
    sv_scale_put_raw (body, SIGNER, 32);
    put_hex (body, "00");
    sv_scale_put_raw (body, signature, sizeof signature);
    put_hex (body, "001c0000");
  }
  put_hex (body, call);
  sv_scale_put_bytes (out, body->data, body->len);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

static gboolean
read_one (const SvMetadata *of, GBytes *extrinsic, SvCommitmentCall *call)
{
  g_autoptr (GError) error = NULL;
  gboolean is_one = TRUE;
  gboolean is_read = sv_extrinsic_read_commitment (of, g_bytes_get_data (extrinsic, NULL), g_bytes_get_size (extrinsic),
                                                   &is_one, call, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  return is_one;
}

static void
assert_fields (const char *fields, const char *text, guint64 reveal_round)
{
  g_auto (SvCommitmentCall) call = { 0 };
  g_autofree char *hex = g_strconcat ("12002c00", fields, NULL);
  g_autoptr (GBytes) extrinsic = wrap ("8400", hex);
  g_assert_true (read_one (metadata, extrinsic, &call));
  g_assert_cmpmem (call.signer, sizeof call.signer, SIGNER, 32);
  g_assert_cmpuint (call.netuid, ==, 44);
  g_assert_cmpstr (call.text, ==, text);
  g_assert_cmpuint (call.reveal_round, ==, reveal_round);
}

static void
assert_read_back (const SmallRuntime *runtime, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_auto (SvCommitmentCall) read = { 0 };
  const SvExtrinsicContext context = { .spec_version = 424, .nonce = 1000, .era_period = 64, .era_block = 17 };
  g_autofree char *text = g_strnfill (length, 'x');
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (SvMetadata) of = small_metadata_new (runtime);
  g_autoptr (GBytes) call = sv_commitment_call (of, 65535, text, &error);
  g_autoptr (GBytes) extrinsic = sv_extrinsic_sign (of, &context, call, keypair, &error);
  g_assert_no_error (error);
  g_assert_true (read_one (of, extrinsic, &read));
  g_assert_cmpmem (read.signer, sizeof read.signer, sv_keypair_public_key (keypair), SV_PUBLIC_KEY_SIZE);
  g_assert_cmpuint (read.netuid, ==, 65535);
  g_assert_cmpstr (read.text, ==, text);
  g_assert_cmpuint (read.reveal_round, ==, 0);
}

static void
test_signed_ones_are_read_back (void)
{
  assert_read_back (&(SmallRuntime){ 0 }, 1);
  assert_read_back (&(SmallRuntime){ 0 }, 128);
  assert_read_back (&(SmallRuntime){ .max_fields = 3 }, 300);
  assert_read_back (&(SmallRuntime){ .max_fields = 3, .has_big_raw = TRUE }, 1536);
  assert_read_back (&(SmallRuntime){ .swaps_arguments = TRUE, .has_bare_address = TRUE }, 100);
}

static void
assert_is_none (const SvMetadata *of, const char *start, const char *hex)
{
  g_auto (SvCommitmentCall) call = { 0 };
  g_autoptr (GBytes) extrinsic = wrap (start, hex);
  g_assert_false (read_one (of, extrinsic, &call));
  g_assert_null (call.text);
}

#define OURS "12002c000404737631"

static void
test_others (void)
{
  g_autoptr (SvMetadata) without = small_metadata_new (&(SmallRuntime){ .has_no_commitments = TRUE });
  assert_is_none (metadata, "04", OURS);
  assert_is_none (metadata, "05", OURS);
  assert_is_none (metadata, "45", OURS);
  assert_is_none (metadata, "85", OURS);
  assert_is_none (metadata, "8400", "000004ff");
  assert_is_none (metadata, "8400", "0b0004" OURS);
  assert_is_none (metadata, "8400", "1201");
  assert_is_none (metadata, "8403", OURS);
  assert_is_none (metadata, "840280", OURS); /* a raw address of 32 bytes */
  assert_is_none (without, "8400", OURS);
}

static void
test_texts (void)
{
  assert_fields ("0404737631", "sv1", 0);
  assert_fields ("08880c737631"
                 "0220",
                 "sv1 ", 0);
  assert_fields ("0802c3"
                 "02a9",
                 "é", 0); /* a character cut in two */
  assert_fields ("0401", "", 0);
}

#define HASH_32 "1111111111111111111111111111111111111111111111111111111111111111"
#define TIMELOCK(round)                                                                                                        \
  "86"                                                                                                                         \
  "0c010203" round

static void
test_what_is_no_text (void)
{
  assert_fields ("00", NULL, 0);
  assert_fields ("0400", NULL, 0);
  assert_fields ("0404730031", NULL, 0);
  assert_fields ("0403c328", NULL, 0);
  assert_fields ("0804737631"
                 "87",
                 NULL, 0);
  assert_fields ("0887"
                 "04737631",
                 NULL, 0);
  assert_fields ("0804737631"
                 "82" HASH_32,
                 NULL, 0);
  assert_fields ("0485" HASH_32, NULL, 0);
}

static void
test_time_locks (void)
{
  assert_fields ("04" TIMELOCK ("0807060504030201"), NULL, G_GUINT64_CONSTANT (0x0102030405060708));
  assert_fields ("0c" TIMELOCK ("0900000000000000") "04737631" TIMELOCK ("0500000000000000"), NULL, 9);
}

/* Two texts of the greatest length that is read, and of one byte more. */
static void
test_long_texts (void)
{
  for (gsize length = 16384; length <= 16385; length++)
  {
    g_auto (SvCommitmentCall) call = { 0 };
    g_autofree char *text = g_strnfill (length, 'y'), *hex = sv_hex_encode (text, length);
    g_autofree char *fields = g_strdup_printf ("12002c000488%02x%02x%02x00%s", (guint)(length << 2 & 0xff) | 2,
                                               (guint)(length >> 6 & 0xff), (guint)(length >> 14), hex);
    g_autoptr (GBytes) extrinsic = wrap ("8400", fields);
    g_assert_true (read_one (metadata, extrinsic, &call));
    g_assert_cmpstr (call.text, ==, length == 16384 ? text : NULL);
  }
}

static void
assert_unreadable (const char *start, const char *hex, const char *words)
{
  SvCommitmentCall call;
  gboolean is_one;
  g_autoptr (GBytes) extrinsic = wrap (start, hex);
  assert_fails_saying (sv_extrinsic_read_commitment (metadata, g_bytes_get_data (extrinsic, NULL), g_bytes_get_size (extrinsic),
                                                     &is_one, &call, refusal),
                       SV_ERROR_MALFORMED, words);
  g_assert_false (is_one);
  g_assert_null (call.text);
}

static void
test_refused (void)
{
  assert_unreadable ("8400", OURS "00", "extrinsic");
  assert_unreadable ("8400", "12002c000489", "a variant that the runtime does not know");
  assert_unreadable ("8400", "12002c000804737631", "extrinsic");
  assert_unreadable ("8401", OURS, "a form that the runtime does not know");
}

static void
test_cut (void)
{
  g_autoptr (GBytes) extrinsic = wrap ("8400", OURS);
  const guint8 *data = g_bytes_get_data (extrinsic, NULL);
  gsize n = g_bytes_get_size (extrinsic), n_length = 2;
  SvCommitmentCall call;
  gboolean is_one;
  for (gsize length = 0; length < n; length++)
    assert_fails (sv_extrinsic_read_commitment (metadata, data, length, &is_one, &call, refusal), SV_ERROR_MALFORMED);
  for (gsize length = 1; length < n - n_length; length++) /* cut, but with a length that agrees */
  {
    g_autoptr (GByteArray) out = g_byte_array_new ();
    sv_scale_put_bytes (out, data + n_length, length);
    assert_fails (sv_extrinsic_read_commitment (metadata, out->data, out->len, &is_one, &call, refusal), SV_ERROR_MALFORMED);
  }
}

/* ── the storage ── */

#define DEPOSIT_AND_BLOCK                                                                                                      \
  "0100000000000000"                                                                                                           \
  "d2040000"

static void
assert_registration (const char *fields, const char *text, guint64 reveal_round)
{
  g_autoptr (GError) error = NULL;
  g_auto (SvRegistration) registration = { 0 };
  g_autoptr (GByteArray) out = g_byte_array_new ();
  put_hex (out, DEPOSIT_AND_BLOCK);
  put_hex (out, fields);
  gboolean is_read = sv_registration_decode (metadata, out->data, out->len, &registration, &error);
  g_assert_no_error (error);
  g_assert_true (is_read);
  g_assert_cmpuint (registration.block, ==, 1234);
  g_assert_cmpstr (registration.text, ==, text);
  g_assert_cmpuint (registration.reveal_round, ==, reveal_round);
}

static void
test_registrations (void)
{
  assert_registration ("0404737631", "sv1", 0);
  assert_registration ("08880c737631"
                       "0220",
                       "sv1 ", 0);
  assert_registration ("04" TIMELOCK ("0900000000000000"), NULL, 9);
  assert_registration ("00", NULL, 0);
}

static void
test_refused_registrations (void)
{
  SvRegistration registration;
  g_autoptr (SvMetadata) without = small_metadata_new (&(SmallRuntime){ .has_no_commitments = TRUE });
  g_autoptr (GByteArray) whole = g_byte_array_new ();
  put_hex (whole, DEPOSIT_AND_BLOCK "0404737631"
                                    "00");
  for (gsize length = 0; length <= whole->len; length++)
    if (length != whole->len - 1)
      assert_fails (sv_registration_decode (metadata, whole->data, length, &registration, refusal), SV_ERROR_MALFORMED);
  assert_fails (sv_registration_decode (without, whole->data, whole->len - 1, &registration, refusal), SV_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  metadata = small_metadata_new (&(SmallRuntime){ .max_fields = 3, .has_big_raw = TRUE });
  g_test_add_func ("/extrinsic-read/signed-ones-are-read-back", test_signed_ones_are_read_back);
  g_test_add_func ("/extrinsic-read/others", test_others);
  g_test_add_func ("/extrinsic-read/texts", test_texts);
  g_test_add_func ("/extrinsic-read/what-is-no-text", test_what_is_no_text);
  g_test_add_func ("/extrinsic-read/time-locks", test_time_locks);
  g_test_add_func ("/extrinsic-read/long-texts", test_long_texts);
  g_test_add_func ("/extrinsic-read/refused", test_refused);
  g_test_add_func ("/extrinsic-read/cut", test_cut);
  g_test_add_func ("/extrinsic-read/registrations", test_registrations);
  g_test_add_func ("/extrinsic-read/refused-registrations", test_refused_registrations);
  int status = g_test_run ();
  sv_metadata_unref (metadata);
  return status;
}
