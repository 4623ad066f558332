/* Cases: the permutation and a transcript against published values; keys of seeds; a signature of another program; signatures
 * over every message differ and hold for that message and key only; each bit of a signature counts; unreduced scalars, missing
 * marks, what encodes no point, keys with a bit that no encoding has, everybody's key; both forms of private keys; derived keys
 * sign. tests/peer/sr25519.test.mjs compares thousands with a second implementation. */
#include "keys/sr25519.h"

#include <glib.h>
#include <string.h>

#include "base/hash.h"
#include "keys/keypair_secret.h"
#include "keys/merlin.h"
#include "keys/secret_uri.h"

/* Alice's development key. */
#define SEED "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"
#define PUBLIC "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
#define ADDRESS "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define SCALAR "33a6f3093f158a7109f679410bef1a0c54168145e0cecb4df006c1c2fffb1f09"
#define SCALAR_TIMES_8 "98319d4ff8a9508c4bb0cf0b5a78d760a0b2082c02775e6e82370816fedfff48"
#define NONCE_HALF "925a225d97aa00682d6a59b95b18780c10d7032336e88f3442b42361f4a66011"
/* Over "message", by @polkadot/util-crypto. */
#define SIGNATURE                                                                                                              \
  "806ff1c24deb6d01585e2fe6a762b38d78de00a7ac3fbe8ad8a50f7183ce463325b03b5f3260ac19600494e206e86b1c915fcf947a7b7674c50a8186de" \
  "8de98f"
#define MESSAGE "message"

static void
decode (const char *hex, guint8 *out, gsize length)
{
  g_assert_true (sv_hex_decode (hex, FALSE, out, length));
}

static void
assert_hex (const guint8 *bytes, gsize length, const char *expected)
{
  g_autofree char *hex = sv_hex_encode (bytes, length);
  g_assert_cmpstr (hex, ==, expected);
}

static SvKeypair *
alice (void)
{
  guint8 seed[32];
  decode (SEED, seed, sizeof seed);
  return sv_keypair_from_seed (seed, SV_SCHEME_SR25519);
}

static gboolean
verifies (const char *public_key_hex, const guint8 signature[SV_SIGNATURE_SIZE])
{
  guint8 public_key[SV_PUBLIC_KEY_SIZE];
  decode (public_key_hex, public_key, sizeof public_key);
  return sv_sr25519_verify (public_key, MESSAGE, strlen (MESSAGE), signature);
}

static void
test_permutation (void)
{
  guint8 state[SV_KECCAK_STATE_SIZE] = { 0 };
  sv_keccak_f1600 (state);
  assert_hex (state, 16, "e7dde140798f25f18a47c033f9ccd584");
  sv_keccak_f1600 (state);
  assert_hex (state, 16, "3ccb6ef94d955c2d6db55770d02c336a");
}

static void
test_transcript (void)
{
  g_auto (SvMerlin) transcript;
  guint8 challenge[32];
  sv_merlin_init (&transcript, "test protocol");
  sv_merlin_append (&transcript, "some label", "some data", 9);
  sv_merlin_challenge (&transcript, "challenge", challenge, sizeof challenge);
  assert_hex (challenge, sizeof challenge, "d5a21972d0d5fe320c0d263fac7fffb8145aa640af6e9bca177c03c7efcf0615");
}

static void
test_key_of_a_seed (void)
{
  g_autoptr (SvKeypair) keypair = alice ();
  assert_hex (sv_keypair_public_key (keypair), SV_PUBLIC_KEY_SIZE, PUBLIC);
  assert_hex (sv_keypair_secret (keypair), SV_SR25519_SECRET_SIZE, SCALAR NONCE_HALF);
  assert_hex (sv_keypair_seed (keypair), 32, SEED);
  g_assert_cmpstr (sv_keypair_address (keypair), ==, ADDRESS);
  g_assert_cmpint (sv_keypair_scheme (keypair), ==, SV_SCHEME_SR25519);
}

static void
test_signature_of_another_program (void)
{
  guint8 signature[SV_SIGNATURE_SIZE];
  decode (SIGNATURE, signature, sizeof signature);
  g_assert_true (verifies (PUBLIC, signature));
  for (guint bit = 0; bit < 8 * SV_SIGNATURE_SIZE; bit++)
  {
    signature[bit / 8] ^= (guint8)(1 << bit % 8);
    g_assert_false (verifies (PUBLIC, signature));
    signature[bit / 8] ^= (guint8)(1 << bit % 8);
  }
}

static void
test_own_signatures (void)
{
  g_autoptr (SvKeypair) signer = sv_keypair_generate (SV_SCHEME_SR25519), other = sv_keypair_generate (SV_SCHEME_SR25519);
  guint8 first[SV_SIGNATURE_SIZE], second[SV_SIGNATURE_SIZE], message[701] = { 0 };
  for (gsize length = 0; length < sizeof message; length += 7)
  {
    sv_keypair_sign_raw (signer, message, length, first);
    sv_keypair_sign_raw (signer, message, length, second);
    g_assert_cmpint (memcmp (first, second, 32), !=, 0); /* a nonce that comes twice gives the secret away */
    g_assert_true (sv_sr25519_verify (sv_keypair_public_key (signer), message, length, first));
    g_assert_true (sv_sr25519_verify (sv_keypair_public_key (signer), message, length, second));
    g_assert_false (sv_sr25519_verify (sv_keypair_public_key (signer), message, length + 1, first));
    g_assert_false (sv_sr25519_verify (sv_keypair_public_key (other), message, length, first));
  }
}

/* s + L is the same scalar for a careless verifier: there would be two signatures for one message. */
static void
test_unreduced_scalar_is_refused (void)
{
  static const guint8 order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                    0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
  guint8 signature[SV_SIGNATURE_SIZE];
  guint carry = 0;
  decode (SIGNATURE, signature, sizeof signature);
  for (gsize i = 0; i < 32; i++)
  {
    carry += signature[32 + i] + order[i];
    signature[32 + i] = (guint8)carry;
    carry >>= 8;
  }
  g_assert_cmpuint (signature[63] & 0x80, ==, 0x80);
  g_assert_false (verifies (PUBLIC, signature));
}

static void
test_what_is_no_point (void)
{
  static const char no_point[] = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
  static const char negative[] = "0100000000000000000000000000000000000000000000000000000000000000";
  guint8 signature[SV_SIGNATURE_SIZE];
  decode (SIGNATURE, signature, sizeof signature);
  g_assert_false (verifies (no_point, signature));
  g_assert_false (verifies (negative, signature));
  memset (signature, 0xff, 32);
  g_assert_false (verifies (PUBLIC, signature));
}

/* libsodium 1.0.18 takes it for the key without that bit. The signature is over the key as it is spelled. */
static void
test_key_with_the_highest_bit (void)
{
  g_autoptr (SvKeypair) signer = alice ();
  guint8 public_key[SV_PUBLIC_KEY_SIZE], signature[SV_SIGNATURE_SIZE];
  memcpy (public_key, sv_keypair_public_key (signer), sizeof public_key);
  sv_sr25519_sign (sv_keypair_secret (signer), public_key, MESSAGE, strlen (MESSAGE), signature);
  g_assert_true (sv_sr25519_verify (public_key, MESSAGE, strlen (MESSAGE), signature));
  public_key[SV_PUBLIC_KEY_SIZE - 1] |= 0x80;
  sv_sr25519_sign (sv_keypair_secret (signer), public_key, MESSAGE, strlen (MESSAGE), signature);
  g_assert_false (sv_sr25519_verify (public_key, MESSAGE, strlen (MESSAGE), signature));
}

/* With the neutral element as the key, R = s·B is all that a signature would need: here s is Alice's scalar, or 0. */
static void
test_everybodys_key_is_refused (void)
{
  static const char neutral[] = "0000000000000000000000000000000000000000000000000000000000000000";
  guint8 signature[SV_SIGNATURE_SIZE];
  decode (PUBLIC SCALAR, signature, sizeof signature);
  signature[63] |= 0x80;
  g_assert_false (verifies (neutral, signature));
  memset (signature, 0, sizeof signature);
  signature[63] = 0x80;
  g_assert_false (verifies (neutral, signature));
  g_assert_false (verifies (PUBLIC, signature));
}

static void
assert_private_key (const char *hex, const char *public_key_hex, const char *address)
{
  guint8 key[SV_SR25519_SECRET_SIZE], public_key[SV_PUBLIC_KEY_SIZE];
  g_autoptr (GError) error = NULL;
  decode (hex, key, sizeof key);
  if (public_key_hex != NULL)
    decode (public_key_hex, public_key, sizeof public_key);
  g_autoptr (SvKeypair) keypair = sv_keypair_from_private_key ("key", key, public_key_hex != NULL ? public_key : NULL, &error);
  g_assert_true ((keypair == NULL) == (error != NULL));
  g_assert_cmpstr (keypair != NULL ? sv_keypair_address (keypair) : NULL, ==, address);
  if (keypair != NULL)
    g_assert_null (sv_keypair_seed (keypair));
}

static void
test_private_keys_in_both_forms (void)
{
  static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000" NONCE_HALF;
  static const char either[] = "0800000000000000000000000000000000000000000000000000000000000000" NONCE_HALF;
  assert_private_key (SCALAR NONCE_HALF, NULL, ADDRESS);
  assert_private_key (SCALAR NONCE_HALF, PUBLIC, ADDRESS);
  assert_private_key (SCALAR_TIMES_8 NONCE_HALF, NULL, ADDRESS);
  assert_private_key (SCALAR_TIMES_8 NONCE_HALF, PUBLIC, ADDRESS);
  assert_private_key (zeros, NULL, NULL);
  assert_private_key (either, NULL, NULL); /* not guessed */
  assert_private_key (either, PUBLIC, NULL);
}

static void
test_derived_keys_sign (void)
{
  static const char *const paths[] = { "//hard", "/soft", "/soft//hard/7" };
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
  {
    g_autofree char *uri = g_strconcat ("0x" SEED, paths[i], NULL);
    g_autoptr (SvKeypair) keypair = sv_keypair_from_uri ("uri", uri, SV_SCHEME_SR25519, NULL);
    guint8 signature[SV_SIGNATURE_SIZE];
    sv_keypair_sign_raw (keypair, MESSAGE, strlen (MESSAGE), signature);
    g_assert_true (sv_sr25519_verify (sv_keypair_public_key (keypair), MESSAGE, strlen (MESSAGE), signature));
    g_assert_false (verifies (PUBLIC, signature));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sr25519/permutation", test_permutation);
  g_test_add_func ("/sr25519/transcript", test_transcript);
  g_test_add_func ("/sr25519/key-of-a-seed", test_key_of_a_seed);
  g_test_add_func ("/sr25519/signature-of-another-program", test_signature_of_another_program);
  g_test_add_func ("/sr25519/own-signatures", test_own_signatures);
  g_test_add_func ("/sr25519/unreduced-scalar-is-refused", test_unreduced_scalar_is_refused);
  g_test_add_func ("/sr25519/what-is-no-point", test_what_is_no_point);
  g_test_add_func ("/sr25519/key-with-the-highest-bit", test_key_with_the_highest_bit);
  g_test_add_func ("/sr25519/everybodys-key-is-refused", test_everybodys_key_is_refused);
  g_test_add_func ("/sr25519/private-keys-in-both-forms", test_private_keys_in_both_forms);
  g_test_add_func ("/sr25519/derived-keys-sign", test_derived_keys_sign);
  return g_test_run ();
}
