/* Extrinsics made for a small runtime, compared with bytes written by hand; tests/peer/extrinsics.test.mjs has the real
 * runtimes.
 *
 * the call     - one field of the exact Raw; BigRaw where there is one; cut into full fields and a rest; the longest text
 *              - arguments in the runtime's order
 *              - refused: one byte too long, with both numbers; empty; no UTF-8; a runtime without the pallet
 * what is signed - immortal and mortal, every extension's part in its place; more than 256 bytes are hashed, 256 are not
 *              - eras: each period's two bytes; what is no period, and a block at which a long era cannot begin, are refused
 *              - an empty extension is passed over; one that wants data, or adds some, is refused by name
 *              - a runtime that takes version 5 only is refused; so is a nonce that does not fit
 * the extrinsic - its parts in place, a signature that verifies, the same bytes every time; a bare account as address
 */
#include "chain/subtensor/extrinsic.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "refusal.h"
#include "small_metadata.h"

#define COMMITMENTS_0 "1200"
#define NETUID_44 "2c00"

static SvExtrinsicContext
context (void)
{
  SvExtrinsicContext context = { .spec_version = 424, .transaction_version = 1, .nonce = 7 };
  memset (context.genesis_hash, 0xaa, sizeof context.genesis_hash);
  memset (context.era_hash, 0xbb, sizeof context.era_hash);
  return context;
}

static void
assert_hex (GBytes *bytes, const char *expected)
{
  g_autofree char *hex = sv_hex_encode (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_assert_cmpstr (hex, ==, expected);
}

static char *
hex_of (char letter, gsize n)
{
  g_autofree char *letters = g_strnfill (n, letter);
  return sv_hex_encode (letters, n);
}

static GBytes *
make_call (const SvMetadata *metadata, const char *text)
{
  g_autoptr (GError) error = NULL;
  GBytes *call = sv_commitment_call (metadata, 44, text, &error);
  g_assert_no_error (error);
  return call;
}

static void
assert_call (const SmallRuntime *runtime, const char *text, const char *expected)
{
  g_autoptr (SvMetadata) metadata = small_metadata_new (runtime);
  g_autoptr (GBytes) call = make_call (metadata, text);
  assert_hex (call, expected);
}

/* ── the call ── */

static void
test_one_field (void)
{
  g_autofree char *longest = g_strnfill (128, 'a'), *longest_hex = hex_of ('a', 128);
  g_autofree char *expected = g_strconcat (COMMITMENTS_0 NETUID_44 "0481", longest_hex, NULL);
  assert_call (&(SmallRuntime){ 0 }, "sv1", COMMITMENTS_0 NETUID_44 "0404737631");
  assert_call (&(SmallRuntime){ .max_fields = 3 }, "sv1", COMMITMENTS_0 NETUID_44 "0404737631");
  assert_call (&(SmallRuntime){ .max_fields = 3 }, longest, expected);
  assert_call (&(SmallRuntime){ .has_big_raw = TRUE }, "sv1", COMMITMENTS_0 NETUID_44 "04880c737631");
}

static void
test_several_fields (void)
{
  g_autofree char *raws = g_strnfill (257, 'b'), *bigs = g_strnfill (1025, 'b');
  g_autofree char *b128 = hex_of ('b', 128), *b512 = hex_of ('b', 512);
  g_autofree char *of_raws = g_strconcat (COMMITMENTS_0 NETUID_44 "0c81", b128, "81", b128, "0262", NULL);
  g_autofree char *of_bigs = g_strconcat (COMMITMENTS_0 NETUID_44 "0c880108", b512, "880108", b512, "880462", NULL);
  assert_call (&(SmallRuntime){ .max_fields = 3 }, raws, of_raws);
  assert_call (&(SmallRuntime){ .max_fields = 3, .has_big_raw = TRUE }, bigs, of_bigs);
}

static void
test_arguments_in_the_order_of_the_runtime (void)
{
  assert_call (&(SmallRuntime){ .swaps_arguments = TRUE }, "sv1", COMMITMENTS_0 "0404737631" NETUID_44);
}

static void
assert_longest (const SmallRuntime *runtime, gsize longest, const char *numbers)
{
  g_autoptr (SvMetadata) metadata = small_metadata_new (runtime);
  g_autofree char *text = g_strnfill (longest + 1, 'c');
  g_assert_cmpuint (sv_commitment_max_text (metadata), ==, longest);
  assert_fails_saying (sv_commitment_call (metadata, 44, text, refusal), SV_ERROR_POLICY, numbers);
  text[longest] = '\0';
  g_autoptr (GBytes) call = make_call (metadata, text);
  g_assert_cmpuint (g_bytes_get_size (call), >, longest);
}

static void
test_longest_text (void)
{
  assert_longest (&(SmallRuntime){ 0 }, 128, "129 bytes; this chain takes at most 128");
  assert_longest (&(SmallRuntime){ .max_fields = 3 }, 384, "385 bytes; this chain takes at most 384");
  assert_longest (&(SmallRuntime){ .max_fields = 3, .has_big_raw = TRUE }, 1536, "1537 bytes; this chain takes at most 1536");
  assert_longest (&(SmallRuntime){ .max_fields = G_MAXUINT32, .has_big_raw = TRUE }, 16384, "at most 16384");
}

static void
test_refused_texts (void)
{
  g_autoptr (SvMetadata) metadata = small_metadata_new (&(SmallRuntime){ 0 });
  g_autoptr (SvMetadata) without = small_metadata_new (&(SmallRuntime){ .has_no_commitments = TRUE });
  assert_fails_saying (sv_commitment_call (metadata, 44, "", refusal), SV_ERROR_MALFORMED, "not empty");
  assert_fails_saying (sv_commitment_call (metadata, 44, "\xff", refusal), SV_ERROR_MALFORMED, "UTF-8");
  assert_fails_saying (sv_commitment_call (without, 44, "sv1", refusal), SV_ERROR_NOT_FOUND, "Commitments");
  g_assert_cmpuint (sv_commitment_max_text (without), ==, 0);
}

/* ── what is signed ── */

#define CALL_HEX COMMITMENTS_0 NETUID_44 "0404737631"
#define VERSIONS "a801000001000000"
#define A_32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B_32 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static GBytes *
make_payload (const SmallRuntime *runtime, const SvExtrinsicContext *context, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvMetadata) metadata = small_metadata_new (runtime);
  g_autoptr (GBytes) call = make_call (metadata, text);
  GBytes *payload = sv_extrinsic_payload (metadata, context, call, &error);
  g_assert_no_error (error);
  return payload;
}

static void
assert_payload (const SmallRuntime *runtime, const SvExtrinsicContext *context, const char *expected)
{
  g_autoptr (GBytes) payload = make_payload (runtime, context, "sv1");
  assert_hex (payload, expected);
}

static void
assert_payload_refused (const SmallRuntime *runtime, const SvExtrinsicContext *context, gint code, const char *words)
{
  g_autoptr (SvMetadata) metadata = small_metadata_new (runtime);
  g_autoptr (GBytes) call = make_call (metadata, "sv1");
  assert_fails_saying (sv_extrinsic_payload (metadata, context, call, refusal), code, words);
}

static void
test_payload (void)
{
  SvExtrinsicContext immortal = context (), mortal = context (), large = context ();
  mortal.era_period = 64;
  mortal.era_block = 1000;
  large.nonce = 70000;
  assert_payload (&(SmallRuntime){ 0 }, &immortal,
                  CALL_HEX "00"
                           "1c"
                           "00"
                           "00" VERSIONS A_32 A_32 "00");
  assert_payload (&(SmallRuntime){ 0 }, &mortal,
                  CALL_HEX "8502"
                           "1c"
                           "00"
                           "00" VERSIONS A_32 B_32 "00");
  assert_payload (&(SmallRuntime){ 0 }, &large,
                  CALL_HEX "00"
                           "c2450400"
                           "00"
                           "00" VERSIONS A_32 A_32 "00");
}

static void
test_long_payloads_are_hashed (void)
{
  SvExtrinsicContext immortal = context ();
  const SmallRuntime runtime = { .max_fields = 3 };
  gsize around = 4 + 1 + 2 + 4 + 8 + 64 + 1; /* two fields of text, and what stands around it */
  g_autofree char *fits = g_strnfill (256 - around, 'd'), *longer = g_strnfill (257 - around, 'd');
  g_autoptr (GBytes) plain = make_payload (&runtime, &immortal, fits);
  g_autoptr (GBytes) hashed = make_payload (&runtime, &immortal, longer);
  g_autofree char *d128 = hex_of ('d', 128), *rest = hex_of ('d', 257 - around - 128);
  g_autofree char *hex =
      g_strconcat (COMMITMENTS_0 NETUID_44 "0881", d128, "2e", rest, "001c0000" VERSIONS A_32 A_32 "00", NULL);
  guint8 bytes[257], digest[32];
  g_assert_cmpuint (g_bytes_get_size (plain), ==, 256);
  g_assert_true (sv_hex_decode (hex, FALSE, bytes, sizeof bytes));
  sv_blake2b_256 (bytes, sizeof bytes, digest);
  g_assert_cmpmem (g_bytes_get_data (hashed, NULL), g_bytes_get_size (hashed), digest, sizeof digest);
}

/* The last two digits come first: the bytes are little-endian. */
static void
test_eras (void)
{
  static const struct
  {
    guint64 period, block;
    const char *hex;
  } cases[] = { { 4, 0, "0100" },         { 4, 7, "3100" },           { 8, 5, "5200" },         { 32, 20000, "0400" },
                { 64, 42, "a502" },       { 128, 123456789, "5601" }, { 2048, 2047, "fa7f" },   { 4096, 4095, "fbff" },
                { 8192, 8190, "fcff" },   { 16384, 4, "1d00" },       { 32768, 32760, "feff" }, { 65536, 65520, "ffff" },
                { 65536, 131072, "0f00" } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    SvExtrinsicContext mortal = context ();
    mortal.era_period = cases[i].period;
    mortal.era_block = cases[i].block;
    g_autofree char *expected = g_strconcat (CALL_HEX, cases[i].hex, "1c0000" VERSIONS A_32 B_32 "00", NULL);
    assert_payload (&(SmallRuntime){ 0 }, &mortal, expected);
  }
}

static void
test_refused_eras (void)
{
  static const guint64 periods[] = { 1, 2, 3, 5, 100, 131072, G_MAXUINT64 };
  SvExtrinsicContext mortal = context ();
  for (gsize i = 0; i < G_N_ELEMENTS (periods); i++)
  {
    mortal.era_period = periods[i];
    assert_payload_refused (&(SmallRuntime){ 0 }, &mortal, SV_ERROR_USAGE, "a power of two from 4 to 65536");
  }
  mortal.era_period = 16384;
  mortal.era_block = 1002;
  assert_payload_refused (&(SmallRuntime){ 0 }, &mortal, SV_ERROR_USAGE, "a multiple of 4");
}

static void
test_extensions (void)
{
  SvExtrinsicContext immortal = context (), huge = context ();
  huge.nonce = (guint64)G_MAXUINT32 + 1;
  assert_payload (&(SmallRuntime){ .extension = "SudoTransactionExtension" }, &immortal,
                  CALL_HEX "00"
                           "1c"
                           "00"
                           "00" VERSIONS A_32 A_32 "00");
  assert_payload_refused (&(SmallRuntime){ .extension = "CheckFuture", .extension_has_data = TRUE }, &immortal,
                          SV_ERROR_UNREACHABLE, "CheckFuture");
  assert_payload_refused (&(SmallRuntime){ .extension = "CheckFuture", .extension_adds_data = TRUE }, &immortal,
                          SV_ERROR_UNREACHABLE, "newer version of sv");
  assert_payload_refused (&(SmallRuntime){ .extension = "CheckNonce", .extension_has_data = TRUE }, &immortal,
                          SV_ERROR_UNREACHABLE, "CheckNonce");
  assert_payload_refused (&(SmallRuntime){ .extension = "CheckEra" }, &immortal, SV_ERROR_UNREACHABLE, "CheckEra");
  assert_payload_refused (&(SmallRuntime){ 0 }, &huge, SV_ERROR_UNREACHABLE, "CheckNonce");
  assert_payload_refused (&(SmallRuntime){ .takes_version_5 = TRUE }, &immortal, SV_ERROR_UNREACHABLE, "version 4");
}

/* ── the extrinsic ── */

static void
assert_signed (const SmallRuntime *runtime, const char *address_form)
{
  g_autoptr (GError) error = NULL;
  SvExtrinsicContext immortal = context ();
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (SvMetadata) metadata = small_metadata_new (runtime);
  g_autoptr (GBytes) call = make_call (metadata, "sv1");
  g_autoptr (GBytes) payload = sv_extrinsic_payload (metadata, &immortal, call, &error);
  g_autoptr (GBytes) one = sv_extrinsic_sign (metadata, &immortal, call, keypair, &error);
  g_autoptr (GBytes) again = sv_extrinsic_sign (metadata, &immortal, call, keypair, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (one, again));

  g_autofree char *account = sv_hex_encode (sv_keypair_public_key (keypair), SV_PUBLIC_KEY_SIZE);
  g_autofree char *signature = sv_keypair_sign (keypair, g_bytes_get_data (payload, NULL), g_bytes_get_size (payload));
  g_autofree char *body =
      g_strconcat ("84", address_form, account, "00", strchr (signature, ':') + 1, "001c0000" CALL_HEX, NULL);
  gsize n = strlen (body) / 2;
  g_autofree char *expected = g_strdup_printf ("%02x%02x%s", (guint)(n << 2 & 0xff) | 1, (guint)(n >> 6), body);
  assert_hex (one, expected);
}

static void
test_signed (void)
{
  assert_signed (&(SmallRuntime){ 0 }, "00");
  assert_signed (&(SmallRuntime){ .has_bare_address = TRUE }, "");
}

static void
test_hash (void)
{
  char hash[67];
  sv_extrinsic_hash ("\x28\x04\x02\x00\x0b\x5a\x56\x07\x16\xa2\x01", 11, hash);
  g_assert_cmpstr (hash, ==, "0x8b86fe1981f5796379f4606b92312d4b34bf51826dc89f4db929230e0ba0fb1d");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/extrinsic/one-field", test_one_field);
  g_test_add_func ("/extrinsic/several-fields", test_several_fields);
  g_test_add_func ("/extrinsic/arguments-in-the-order-of-the-runtime", test_arguments_in_the_order_of_the_runtime);
  g_test_add_func ("/extrinsic/longest-text", test_longest_text);
  g_test_add_func ("/extrinsic/refused-texts", test_refused_texts);
  g_test_add_func ("/extrinsic/payload", test_payload);
  g_test_add_func ("/extrinsic/long-payloads-are-hashed", test_long_payloads_are_hashed);
  g_test_add_func ("/extrinsic/eras", test_eras);
  g_test_add_func ("/extrinsic/refused-eras", test_refused_eras);
  g_test_add_func ("/extrinsic/extensions", test_extensions);
  g_test_add_func ("/extrinsic/signed", test_signed);
  g_test_add_func ("/extrinsic/hash", test_hash);
  return g_test_run ();
}
