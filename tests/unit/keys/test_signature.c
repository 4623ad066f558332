/* Cases: RFC 8032's vectors; each form of a signature, in documents and in requests; what has no form; signatures of another
 * message, account, or changed in one bit; unreduced scalars and keys of small order; sr25519, told by the signature's last
 * bit. */
#include <glib.h>
#include <string.h>

#include "base/hash.h"
#include "keys/keypair.h"

/* RFC 8032, section 7.1, test 2: the message is the byte 72. */
#define SEED "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define PUBLIC_KEY "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIGNATURE                                                                                                              \
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612" \
  "bb0c00"

static SvKeypair *
keypair (void)
{
  guint8 seed[32];
  g_assert_true (sv_hex_decode (SEED, FALSE, seed, sizeof seed));
  return sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
}

static gboolean
verifies (const char *signature, SvSignatureForm form)
{
  g_autoptr (SvKeypair) signer = keypair ();
  return sv_signature_verify (sv_keypair_address (signer), "\x72", 1, signature, form);
}

static void
test_rfc_8032 (void)
{
  g_autoptr (SvKeypair) signer = keypair ();
  g_autofree char *public_key = sv_hex_encode (sv_keypair_public_key (signer), SV_PUBLIC_KEY_SIZE);
  g_autofree char *signature = sv_keypair_sign (signer, "\x72", 1);
  g_assert_cmpstr (public_key, ==, PUBLIC_KEY);
  g_assert_cmpstr (signature, ==, "ed25519:" SIGNATURE);
  g_assert_cmpint (sv_keypair_scheme (signer), ==, SV_SCHEME_ED25519);
}

static void
test_forms (void)
{
  g_assert_true (verifies ("ed25519:" SIGNATURE, SV_SIGNATURE_DOCUMENT));
  g_assert_false (verifies (SIGNATURE, SV_SIGNATURE_DOCUMENT));
  g_assert_false (verifies ("0x" SIGNATURE, SV_SIGNATURE_DOCUMENT));
  g_assert_false (verifies ("sr25519:" SIGNATURE, SV_SIGNATURE_DOCUMENT));

  g_assert_true (verifies ("ed25519:" SIGNATURE, SV_SIGNATURE_REQUEST));
  g_assert_true (verifies ("sr25519:" SIGNATURE, SV_SIGNATURE_REQUEST));
  g_assert_true (verifies ("0x" SIGNATURE, SV_SIGNATURE_REQUEST));
  g_assert_true (verifies (SIGNATURE, SV_SIGNATURE_REQUEST));
}

static void
test_what_has_no_form (void)
{
  static const char *const cases[] = { "",
                                       "ed25519:",
                                       "ed25519:" SIGNATURE "00",
                                       "ed25519: " SIGNATURE,
                                       "ed25519:ed25519:" SIGNATURE,
                                       "ed25519:0x" SIGNATURE,
                                       "ed448:" SIGNATURE,
                                       "ED25519:" SIGNATURE };
  g_autofree char *upper = g_ascii_strup (SIGNATURE, -1);
  g_autofree char *shorter = g_strndup (SIGNATURE, 127);
  guint8 bytes[SV_SIGNATURE_SIZE];
  SvScheme scheme;
  for (int form = SV_SIGNATURE_DOCUMENT; form <= SV_SIGNATURE_REQUEST; form++)
  {
    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
      g_assert_false (sv_signature_parse (cases[i], (SvSignatureForm)form, bytes, &scheme));
    g_assert_false (sv_signature_parse (NULL, (SvSignatureForm)form, bytes, &scheme));
  }
  g_assert_false (sv_signature_parse (upper, SV_SIGNATURE_REQUEST, bytes, &scheme));
  g_assert_false (sv_signature_parse (shorter, SV_SIGNATURE_REQUEST, bytes, &scheme));
}

static void
test_format_is_what_parse_reads (void)
{
  guint8 bytes[SV_SIGNATURE_SIZE];
  SvScheme scheme;
  g_assert_true (sv_signature_parse ("0x" SIGNATURE, SV_SIGNATURE_REQUEST, bytes, &scheme));
  g_autofree char *text = sv_signature_format (bytes, scheme);
  g_assert_cmpstr (text, ==, "ed25519:" SIGNATURE);
}

static void
test_wrong_message_account_or_bit (void)
{
  g_autoptr (SvKeypair) signer = keypair ();
  g_autoptr (SvKeypair) other = sv_keypair_generate (SV_SCHEME_ED25519);
  const char *text = "ed25519:" SIGNATURE;
  g_assert_false (sv_signature_verify (sv_keypair_address (signer), "\x73", 1, text, SV_SIGNATURE_DOCUMENT));
  g_assert_false (sv_signature_verify (sv_keypair_address (signer), "\x72\x72", 2, text, SV_SIGNATURE_DOCUMENT));
  g_assert_false (sv_signature_verify (sv_keypair_address (signer), NULL, 0, text, SV_SIGNATURE_DOCUMENT));
  g_assert_false (sv_signature_verify (sv_keypair_address (other), "\x72", 1, text, SV_SIGNATURE_DOCUMENT));
  g_assert_false (sv_signature_verify ("5GrwvaEF", "\x72", 1, text, SV_SIGNATURE_DOCUMENT));
  for (gsize i = 0; i < 128; i++)
  {
    g_autofree char *changed = g_strdup (SIGNATURE);
    changed[i] = changed[i] == '0' ? '1' : '0';
    g_assert_false (verifies (changed, SV_SIGNATURE_REQUEST));
  }
}

static void
test_empty_message (void)
{
  g_autoptr (SvKeypair) signer = keypair ();
  g_autofree char *signature = sv_keypair_sign (signer, NULL, 0);
  g_assert_true (sv_signature_verify (sv_keypair_address (signer), NULL, 0, signature, SV_SIGNATURE_DOCUMENT));
}

/* S + L is the same point for a careless verifier: there would be two signatures for one message. */
static void
test_unreduced_scalar_is_refused (void)
{
  static const guint8 order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                    0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
  guint8 bytes[SV_SIGNATURE_SIZE];
  SvScheme scheme;
  guint carry = 0;
  g_assert_true (sv_signature_parse (SIGNATURE, SV_SIGNATURE_REQUEST, bytes, &scheme));
  for (gsize i = 0; i < 32; i++)
  {
    carry += bytes[32 + i] + order[i];
    bytes[32 + i] = (guint8)carry;
    carry >>= 8;
  }
  g_autofree char *text = sv_signature_format (bytes, SV_SCHEME_ED25519);
  g_assert_true (sv_signature_parse (text, SV_SIGNATURE_DOCUMENT, bytes, &scheme));
  g_assert_false (verifies (text, SV_SIGNATURE_DOCUMENT));
}

/* With the neutral element as key and as R, and S = 0, every message would verify. */
static void
test_key_of_small_order_is_refused (void)
{
  guint8 neutral[SV_PUBLIC_KEY_SIZE] = { 1 };
  guint8 bytes[SV_SIGNATURE_SIZE] = { 1 };
  g_autofree char *address = sv_ss58_encode (neutral);
  g_autofree char *text = sv_signature_format (bytes, SV_SCHEME_ED25519);
  g_assert_false (sv_signature_verify (address, "any", 3, text, SV_SIGNATURE_DOCUMENT));
}

/* Each signature is verified by the scheme that its last bit shows, whatever its prefix says. */
static void
test_the_bit_tells_the_scheme (void)
{
  guint8 seed[32], bytes[SV_SIGNATURE_SIZE];
  SvScheme scheme;
  g_assert_true (sv_hex_decode (SEED, FALSE, seed, sizeof seed));
  g_autoptr (SvKeypair) signer = sv_keypair_from_seed (seed, SV_SCHEME_SR25519);
  const char *address = sv_keypair_address (signer);
  g_autofree char *text = sv_keypair_sign (signer, "\x72", 1);
  g_assert_true (g_str_has_prefix (text, "sr25519:"));
  g_assert_true (sv_signature_parse (text, SV_SIGNATURE_DOCUMENT, bytes, &scheme));
  g_assert_cmpint (scheme, ==, SV_SCHEME_SR25519);
  g_assert_true (sv_signature_verify (address, "\x72", 1, text, SV_SIGNATURE_DOCUMENT));
  g_assert_false (sv_signature_verify (address, "\x73", 1, text, SV_SIGNATURE_DOCUMENT));
  g_assert_false (verifies (text, SV_SIGNATURE_DOCUMENT)); /* the same seed's ed25519 account */

  g_autofree char *mislabelled = g_strconcat ("ed25519:", text + strlen ("sr25519:"), NULL);
  g_assert_false (sv_signature_parse (mislabelled, SV_SIGNATURE_DOCUMENT, bytes, &scheme));
  g_assert_true (sv_signature_parse (mislabelled, SV_SIGNATURE_REQUEST, bytes, &scheme));
  g_assert_cmpint (scheme, ==, SV_SCHEME_SR25519);
  g_assert_true (sv_signature_verify (address, "\x72", 1, mislabelled, SV_SIGNATURE_REQUEST));

  bytes[SV_SIGNATURE_SIZE - 1] &= 0x7f;
  g_autofree char *unmarked = sv_signature_format (bytes, SV_SCHEME_ED25519);
  g_assert_false (sv_signature_verify (address, "\x72", 1, unmarked, SV_SIGNATURE_DOCUMENT));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signature/rfc-8032", test_rfc_8032);
  g_test_add_func ("/signature/forms", test_forms);
  g_test_add_func ("/signature/what-has-no-form", test_what_has_no_form);
  g_test_add_func ("/signature/format-is-what-parse-reads", test_format_is_what_parse_reads);
  g_test_add_func ("/signature/wrong-message-account-or-bit", test_wrong_message_account_or_bit);
  g_test_add_func ("/signature/empty-message", test_empty_message);
  g_test_add_func ("/signature/unreduced-scalar-is-refused", test_unreduced_scalar_is_refused);
  g_test_add_func ("/signature/key-of-small-order-is-refused", test_key_of_small_order_is_refused);
  g_test_add_func ("/signature/the-bit-tells-the-scheme", test_the_bit_tells_the_scheme);
  return g_test_run ();
}
