/* Cases: published seeds, with and without a password; every length; white space; wrong numbers of words, words that are not in
 * the list (told by their position, never by themselves), words in the wrong order; paths and passwords behind a phrase; what
 * cannot be derived. */
#include "keys/phrase.h"

#include <glib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "keys/secret_uri.h"

/* The development phrase of Substrate, known to everybody. */
#define PHRASE "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
#define PHRASE_SEED "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"
#define ALICE "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define ALICE_ED25519 "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu"

static void
assert_seed (const char *phrase, const char *password, const char *expected)
{
  guint8 seed[32];
  g_autoptr (GError) error = NULL;
  g_assert_true (sv_phrase_to_seed ("p", phrase, strlen (phrase), password, seed, &error));
  g_assert_no_error (error);
  g_autofree char *hex = sv_hex_encode (seed, sizeof seed);
  g_assert_cmpstr (hex, ==, expected);
}

static void
test_published_seeds (void)
{
  assert_seed (PHRASE, NULL, PHRASE_SEED);
  assert_seed (PHRASE, "", PHRASE_SEED);
  assert_seed ("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about", "Substrate",
               "44e9d125f037ac1d51f0a7d3649689d422c2af8b1ec8e00d71db4d7bf6d127e3");
  assert_seed ("letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid "
               "letter advice cage absurd amount doctor acoustic bless",
               "Substrate", "2c9c6144a06ae5a855453d98c3dea470e2a8ffb78179c2e9eb15208ccca7d831");
}

static void
test_white_space (void)
{
  g_autoptr (SvSecret) normal = sv_phrase_normalize ("  a\tb \n c ", 10);
  g_assert_cmpstr ((char *)normal, ==, "a b c");
  assert_seed (" bottom  drive obey lake curtain\tsmoke basket hold race\nlonely fit walk \n", NULL, PHRASE_SEED);
}

static void
assert_refused (const char *uri, SvScheme scheme, SvErrorCode code, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (sv_keypair_from_uri ("p", uri, scheme, &error));
  g_assert_error (error, SV_ERROR, (int)code);
  if (strstr (error->message, message) == NULL)
    g_error ("expected \"%s\" in \"%s\"", message, error->message);
  g_assert_null (strstr (error->message, "curtain"));
  g_assert_null (strstr (error->message, "hidden"));
}

static void
test_mistakes_are_told_by_their_place (void)
{
  static const SvScheme scheme = SV_SCHEME_SR25519;
  assert_refused ("", scheme, SV_ERROR_MALFORMED, "words, not 0");
  assert_refused ("//Alice", scheme, SV_ERROR_MALFORMED, "words, not 0");
  assert_refused ("bottom drive obey lake curtain smoke basket hold race lonely fit", scheme, SV_ERROR_MALFORMED,
                  "12, 15, 18, 21 or 24 words, not 11");
  assert_refused (PHRASE " " PHRASE " " PHRASE, scheme, SV_ERROR_MALFORMED, "words, not 36");
  assert_refused ("bottom drive obey lake curtains smoke basket hold race lonely fit walk", scheme, SV_ERROR_MALFORMED,
                  "word 5 of the phrase is not in BIP-39's English list");
  assert_refused ("bottom drive obey lake curtain smoke basket hold race lonely fit hiddenhiddenhidden", scheme,
                  SV_ERROR_MALFORMED, "word 12 of the phrase");
  assert_refused ("Bottom drive obey lake curtain smoke basket hold race lonely fit walk", scheme, SV_ERROR_MALFORMED,
                  "word 1 of the phrase");
  assert_refused ("drive bottom obey lake curtain smoke basket hold race lonely fit walk", scheme, SV_ERROR_MALFORMED,
                  "its checksum is wrong");
  assert_refused (PHRASE "\xff", scheme, SV_ERROR_MALFORMED, "not valid UTF-8");
}

static void
assert_account (const char *uri, SvScheme scheme, const char *address, const char *phrase)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SvKeypair) keypair = sv_keypair_from_uri ("p", uri, scheme, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_keypair_address (keypair), ==, address);
  g_assert_cmpstr (sv_keypair_phrase (keypair), ==, phrase);
}

static void
test_paths (void)
{
  assert_account (PHRASE "//Alice", SV_SCHEME_SR25519, ALICE, NULL);
  assert_account (PHRASE "//Alice", SV_SCHEME_ED25519, ALICE_ED25519, NULL);
  assert_account ("0x" PHRASE_SEED "//Alice", SV_SCHEME_SR25519, ALICE, NULL);
  assert_account (" " PHRASE "\n", SV_SCHEME_SR25519, "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV", PHRASE);
}

static void
test_what_is_not_derived (void)
{
  assert_refused (PHRASE "//a/hidden", SV_SCHEME_ED25519, SV_ERROR_POLICY, "step 2 of the derivation path is soft");
  assert_refused (PHRASE "/", SV_SCHEME_SR25519, SV_ERROR_MALFORMED, "step 1 of the derivation path is empty");
  assert_refused (PHRASE "//a//", SV_SCHEME_SR25519, SV_ERROR_MALFORMED, "step 2 of the derivation path is empty");
  assert_refused (PHRASE "//18446744073709551616", SV_SCHEME_SR25519, SV_ERROR_MALFORMED, "does not fit into 64 bits");
  assert_refused (PHRASE "//+5", SV_SCHEME_SR25519, SV_ERROR_MALFORMED, "a number with a sign");
  assert_refused ("0x" PHRASE_SEED "///hidden", SV_SCHEME_SR25519, SV_ERROR_MALFORMED, "belongs to a phrase");
  assert_refused ("0x00//a", SV_SCHEME_SR25519, SV_ERROR_MALFORMED, "not a seed");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/phrase/published-seeds", test_published_seeds);
  g_test_add_func ("/phrase/white-space", test_white_space);
  g_test_add_func ("/phrase/mistakes-are-told-by-their-place", test_mistakes_are_told_by_their_place);
  g_test_add_func ("/phrase/paths", test_paths);
  g_test_add_func ("/phrase/what-is-not-derived", test_what_is_not_derived);
  return g_test_run ();
}
