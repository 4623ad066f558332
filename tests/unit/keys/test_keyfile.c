/* Cases: a written file of either scheme is read back, is private and is never overwritten; btcli's variations (order, absent,
 * null and unknown fields, any of the secrets); fields that disagree; public-only and malformed files; open modes; absent, too
 * big and odd files; imported seeds, phrases and private keys; wallets. No message may hold the
 * secret. test_keyfile_box.c has the encrypted files. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "keys/keypair.h"

/* Alice's ed25519 development key. */
#define SEED "abf8e5bdbe30c65656c0a3cbd181ff8a56294a69dfedd27982aace4a76909115"
#define PUBLIC "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee"
#define ADDRESS "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu"
#define OTHER "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48"
#define PHRASE "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
#define PHRASE_SEED "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"
#define PHRASE_PRIVATE                                                                                                         \
  "05d65584630d16cd4af6d0bec10f34bb504a5dcb62dba2122d49f5a663763d0afd190cce74df356432b410bd64682309d6dedb27c76845daf388557c"   \
  "bac3ca34"
#define PHRASE_ADDRESS "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV" /* sr25519 */
/* Alice's sr25519 development key: PHRASE//Alice. */
#define SR_SEED "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"
#define SR_PUBLIC "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
#define SR_ADDRESS "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define SR_NONCE_HALF "925a225d97aa00682d6a59b95b18780c10d7032336e88f3442b42361f4a66011"
#define SR_PRIVATE "33a6f3093f158a7109f679410bef1a0c54168145e0cecb4df006c1c2fffb1f09" SR_NONCE_HALF
#define SR_PRIVATE_TIMES_8 "98319d4ff8a9508c4bb0cf0b5a78d760a0b2082c02775e6e82370816fedfff48" SR_NONCE_HALF
#define OTHER_ADDRESS "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"

static char *directory, *path;

static SvKeypair *
alice (void)
{
  guint8 seed[32];
  g_assert_true (sv_hex_decode (SEED, FALSE, seed, sizeof seed));
  return sv_keypair_from_seed (seed, SV_SCHEME_ED25519);
}

static void
write_file (const char *content)
{
  g_assert_true (g_file_set_contents_full (path, content, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

static void
assert_reads_as (const char *content, const char *address)
{
  g_autoptr (GError) error = NULL;
  write_file (content);
  g_autoptr (SvKeypair) keypair = sv_keyfile_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_keypair_address (keypair), ==, address);
}

static void
assert_reads (const char *content)
{
  assert_reads_as (content, ADDRESS);
}

static void
assert_error (GError *error, SvErrorCode code, const char *message)
{
  g_assert_error (error, SV_ERROR, (int)code);
  if (strstr (error->message, message) == NULL)
    g_error ("expected \"%s\" in \"%s\"", message, error->message);
  g_assert_null (strstr (error->message, "abf8e5bd"));
  g_assert_null (strstr (error->message, "e5be9a50"));
  g_assert_null (strstr (error->message, "curtain"));
}

static void
assert_refused (const char *content, SvErrorCode code, const char *message)
{
  g_autoptr (GError) error = NULL;
  write_file (content);
  g_autoptr (SvKeypair) keypair = sv_keyfile_read (path, &error);
  g_assert_null (keypair);
  assert_error (error, code, message);
}

static void
assert_is_read_back (SvScheme scheme)
{
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (scheme);
  g_autofree char *deep = g_build_filename (directory, "wallet", "hotkeys", "new", NULL);
  g_autofree char *hotkeys = g_path_get_dirname (deep);
  g_autofree char *wallet = g_path_get_dirname (hotkeys);
  g_autoptr (GError) error = NULL;
  struct stat status;

  g_assert_true (sv_keyfile_create (deep, keypair, &error));
  g_assert_no_error (error);
  g_assert_cmpint (stat (deep, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0600);
  g_autoptr (SvKeypair) read = sv_keyfile_read (deep, &error);
  g_assert_no_error (error);
  g_assert_cmpint (sv_keypair_scheme (read), ==, scheme);
  g_autofree char *signature = sv_keypair_sign (read, "m", 1);
  g_assert_true (sv_signature_verify (sv_keypair_address (keypair), "m", 1, signature, SV_SIGNATURE_DOCUMENT));

  g_assert_false (sv_keyfile_create (deep, keypair, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  g_unlink (deep);
  g_rmdir (hotkeys);
  g_rmdir (wallet);
}

static void
test_written_file_is_read_back (void)
{
  assert_is_read_back (SV_SCHEME_ED25519);
  assert_is_read_back (SV_SCHEME_SR25519);
}

/* What an imported secret is written as. */
static void
assert_written_form (const char *secret, const char *expected)
{
  const SvKeyImport import = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *content = NULL;
  write_file (secret);
  g_autoptr (SvKeypair) keypair = sv_key_import (path, &import, &error);
  g_assert_no_error (error);
  g_unlink (path);
  g_assert_true (sv_keyfile_create (path, keypair, NULL));
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, expected);
  assert_reads_as (content, sv_keypair_address (keypair));
}

static void
test_written_forms_of_sr25519 (void)
{
  assert_written_form (PHRASE "//Alice",
                       "{\"accountId\": \"0x" SR_PUBLIC "\", \"publicKey\": \"0x" SR_PUBLIC
                       "\", \"privateKey\": \"0x" SR_PRIVATE "\", \"secretPhrase\": null, \"secretSeed\": \"0x" SR_SEED
                       "\", \"ss58Address\": \"" SR_ADDRESS "\"}");
  assert_written_form ("0x" SR_PRIVATE_TIMES_8,
                       "{\"accountId\": \"0x" SR_PUBLIC "\", \"publicKey\": \"0x" SR_PUBLIC
                       "\", \"privateKey\": \"0x" SR_PRIVATE
                       "\", \"secretPhrase\": null, \"secretSeed\": null, \"ss58Address\": \"" SR_ADDRESS "\"}");
  assert_written_form (" " PHRASE " \n",
                       "{\"accountId\": \"0x46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a\", \"publicKey\": "
                       "\"0x46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a\", \"privateKey\": "
                       "\"0x" PHRASE_PRIVATE "\", \"secretPhrase\": \"" PHRASE "\", \"secretSeed\": \"0x" PHRASE_SEED
                       "\", \"ss58Address\": \"" PHRASE_ADDRESS "\"}");
}

static void
test_written_form (void)
{
  g_autoptr (SvKeypair) keypair = alice ();
  g_autofree char *content = NULL;
  g_unlink (path);
  g_assert_true (sv_keyfile_create (path, keypair, NULL));
  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==,
                   "{\"accountId\": \"0x" PUBLIC "\", \"publicKey\": \"0x" PUBLIC "\", \"privateKey\": \"0x" SEED
                   "\", \"secretPhrase\": null, \"secretSeed\": \"0x" SEED "\", \"ss58Address\": \"" ADDRESS
                   "\", \"cryptoType\": 0}");
}

static void
test_generated_keys_differ (void)
{
  g_autoptr (SvKeypair) a = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (SvKeypair) b = sv_keypair_generate (SV_SCHEME_ED25519);
  g_assert_cmpstr (sv_keypair_address (a), !=, sv_keypair_address (b));
}

static void
test_variations_of_btcli (void)
{
  assert_reads ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\"}");
  assert_reads ("{\"cryptoType\":0,\"privateKey\":\"0x" SEED "\"}");
  assert_reads ("{\"secretSeed\":\"" SEED "\",\"cryptoType\":0}");
  assert_reads ("{\"ss58Address\":\"" ADDRESS "\",\"secretSeed\":\"0x" SEED "\",\"privateKey\":null,\"secretPhrase\":null,"
                "\"accountId\":null,\"publicKey\":\"0x" PUBLIC "\",\"futureField\":[1],\"cryptoType\":0}\n");
}

static void
test_fields_must_agree (void)
{
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"privateKey\":\"0x" OTHER "\"}", SV_ERROR_VERIFY,
                  "secretSeed and privateKey are different keys");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"publicKey\":\"0x" OTHER "\"}", SV_ERROR_VERIFY,
                  "publicKey is not");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"accountId\":\"0x" OTHER "\"}", SV_ERROR_VERIFY,
                  "accountId is not");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"ss58Address\":\"" OTHER_ADDRESS "\"}", SV_ERROR_VERIFY,
                  "ss58Address is not");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"ss58Address\":7}", SV_ERROR_VERIFY, "ss58Address is not");
}

static void
test_variations_of_sr25519 (void)
{
  static const char *const types[] = { "", "\"cryptoType\":1,", "\"cryptoType\":null," };
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
  {
    g_autofree char *seed = g_strconcat ("{", types[i], "\"secretSeed\":\"0x" SR_SEED "\"}", NULL);
    g_autofree char *phrase = g_strconcat ("{", types[i], "\"secretPhrase\":\"" PHRASE "//Alice\"}", NULL);
    g_autofree char *private = g_strconcat ("{", types[i], "\"privateKey\":\"0x" SR_PRIVATE "\"}", NULL);
    assert_reads_as (seed, SR_ADDRESS);
    assert_reads_as (phrase, SR_ADDRESS);
    assert_reads_as (private, SR_ADDRESS);
  }
  assert_reads_as ("{\"secretPhrase\":\"" PHRASE "\",\"secretSeed\":\"0x" PHRASE_SEED "\"}", PHRASE_ADDRESS);
  assert_reads_as ("{\"privateKey\":\"0x" SR_PRIVATE_TIMES_8 "\",\"accountType\":\"x\",\"secretPhrase\":null}", SR_ADDRESS);
  assert_reads_as ("{\"privateKey\":\"0x" SR_PRIVATE_TIMES_8 "\",\"publicKey\":\"0x" SR_PUBLIC "\"}", SR_ADDRESS);
  assert_reads_as ("{\"privateKey\":\"" SR_PRIVATE "\",\"ss58Address\":\"" SR_ADDRESS "\",\"secretSeed\":\"0x" SR_SEED "\"}",
                   SR_ADDRESS);
  assert_reads ("{\"cryptoType\":0,\"secretPhrase\":\"" PHRASE "//Alice\",\"secretSeed\":\"0x" SEED "\"}");
}

static void
test_fields_of_sr25519_must_agree (void)
{
  assert_refused ("{\"secretPhrase\":\"" PHRASE "\",\"secretSeed\":\"0x" SR_SEED "\"}", SV_ERROR_VERIFY,
                  "secretPhrase and secretSeed are different keys");
  assert_refused ("{\"secretSeed\":\"0x" PHRASE_SEED "\",\"privateKey\":\"0x" SR_PRIVATE "\"}", SV_ERROR_VERIFY,
                  "privateKey: this private key is another account's");
  assert_refused ("{\"privateKey\":\"0x" SR_PRIVATE "\",\"publicKey\":\"0x" OTHER "\"}", SV_ERROR_VERIFY,
                  "privateKey: this private key is another account's");
  assert_refused ("{\"privateKey\":\"0x" SR_PRIVATE "\",\"ss58Address\":\"" ADDRESS "\"}", SV_ERROR_VERIFY,
                  "privateKey: this private key is another account's");
  assert_refused ("{\"secretSeed\":\"0x" SR_SEED "\",\"ss58Address\":\"" ADDRESS "\"}", SV_ERROR_VERIFY,
                  "which is " SR_ADDRESS);
  /* ed25519's key, with the scheme forgotten */
  assert_refused ("{\"secretSeed\":\"0x" SEED "\",\"publicKey\":\"0x" PUBLIC "\"}", SV_ERROR_VERIFY, "publicKey is not");
  assert_refused ("{\"secretPhrase\":\"bottom drive obey lake curtain\"}", SV_ERROR_MALFORMED, "secretPhrase: a phrase has 12");
  assert_refused ("{\"secretPhrase\":7}", SV_ERROR_MALFORMED, "secretPhrase is not a text");
  assert_refused ("{\"privateKey\":\"0x" SR_SEED "\"}", SV_ERROR_MALFORMED, "privateKey is not the hex of 64 bytes");
}

static void
test_files_without_a_secret (void)
{
  assert_refused ("{\"cryptoType\":0,\"ss58Address\":\"" ADDRESS "\",\"publicKey\":\"0x" PUBLIC "\"}", SV_ERROR_POLICY,
                  "neither secretPhrase nor secretSeed nor privateKey");
  assert_refused ("{\"ss58Address\":\"" SR_ADDRESS "\",\"secretSeed\":null}", SV_ERROR_POLICY, "only the public half of a key");
}

static void
test_malformed_files (void)
{
  static const char *const no_json[] = { "", "{", "secret abf8e5bd", "{\"secretSeed\": 0xabf8e5bd}", "{\"a\":1,\"a\":2}" };
  for (gsize i = 0; i < G_N_ELEMENTS (no_json); i++)
    assert_refused (no_json[i], SV_ERROR_MALFORMED, "not a key file");
  assert_refused ("[]", SV_ERROR_MALFORMED, "a JSON object is expected");
  assert_refused ("{\"cryptoType\":2,\"secretSeed\":\"0x" SEED "\"}", SV_ERROR_MALFORMED, "unknown cryptoType");
  assert_refused ("{\"cryptoType\":\"0\",\"secretSeed\":\"0x" SEED "\"}", SV_ERROR_MALFORMED, "cryptoType is not a number");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "00\"}", SV_ERROR_MALFORMED, "secretSeed is not the hex");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":7}", SV_ERROR_MALFORMED, "secretSeed is not the hex");
  assert_refused ("{\"cryptoType\":0,\"privateKey\":\"0x" SEED SEED "\"}", SV_ERROR_MALFORMED, "privateKey is not the hex");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"publicKey\":\"0x12\"}", SV_ERROR_MALFORMED,
                  "publicKey is not the hex");
}

static void
test_open_modes_are_refused (void)
{
  static const int open_modes[] = { 0640, 0604, 0660, 0610, 0601, 0644, 0777 };
  for (gsize i = 0; i < G_N_ELEMENTS (open_modes); i++)
  {
    g_autoptr (GError) error = NULL;
    write_file ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\"}");
    g_assert_cmpint (g_chmod (path, open_modes[i]), ==, 0);
    g_autoptr (SvKeypair) keypair = sv_keyfile_read (path, &error);
    g_assert_null (keypair);
    assert_error (error, SV_ERROR_POLICY, "chmod 600 '");
  }
  g_assert_cmpint (g_chmod (path, 0400), ==, 0);
  g_autoptr (SvKeypair) keypair = sv_keyfile_read (path, NULL);
  g_assert_nonnull (keypair);
}

static void
test_files_that_are_none (void)
{
  g_autofree char *absent = g_build_filename (directory, "absent", NULL);
  g_autofree char *spaces = g_strnfill (16385, ' ');
  g_autoptr (GError) error = NULL;
  g_assert_null (sv_keyfile_read (absent, &error));
  assert_error (error, SV_ERROR_NOT_FOUND, absent);
  g_clear_error (&error);
  g_assert_null (sv_keyfile_read (directory, &error));
  assert_error (error, SV_ERROR_MALFORMED, "not a regular file");
  assert_refused (spaces, SV_ERROR_MALFORMED, "larger than 16384 bytes");
}

static void
assert_imports (const char *secret, const SvKeyImport *import, const char *address)
{
  g_autoptr (GError) error = NULL;
  write_file (secret);
  g_autoptr (SvKeypair) keypair = sv_key_import (path, import, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_keypair_address (keypair), ==, address);
}

static void
assert_not_imported (const char *secret, const SvKeyImport *import, SvErrorCode code, const char *message)
{
  g_autoptr (GError) error = NULL;
  write_file (secret);
  g_assert_null (sv_key_import (path, import, &error));
  assert_error (error, code, message);
}

static void
test_imports (void)
{
  static const SvKeyImport usual = { 0 }, sr25519 = { .has_scheme = TRUE, .scheme = SV_SCHEME_SR25519 },
                           ed25519 = { .has_scheme = TRUE, .scheme = SV_SCHEME_ED25519 }, known = { .account = SR_ADDRESS };
  assert_imports ("0x" SEED " \n", &usual, ADDRESS);
  assert_imports ("0x" SR_SEED, &sr25519, SR_ADDRESS);
  assert_imports (PHRASE "//Alice\n", &usual, SR_ADDRESS);
  assert_imports (PHRASE "//Alice\r\n", &known, SR_ADDRESS);
  assert_imports (PHRASE "//Alice", &ed25519, ADDRESS);
  assert_imports ("0x" PHRASE_SEED "//Alice", &ed25519, ADDRESS);
  assert_imports ("0x" SR_PRIVATE "\n", &usual, SR_ADDRESS);
  assert_imports ("0x" SR_PRIVATE_TIMES_8, &known, SR_ADDRESS);
  /* a space at the end is part of a path or a password */
  assert_not_imported (PHRASE "//Alice \n", &known, SV_ERROR_VERIFY, "does not give the account " SR_ADDRESS);
}

static void
test_what_is_not_imported (void)
{
  static const SvKeyImport usual = { 0 }, ed25519 = { .has_scheme = TRUE, .scheme = SV_SCHEME_ED25519 },
                           known = { .account = SR_ADDRESS };
  g_autoptr (GError) error = NULL;
  assert_not_imported (SEED, &usual, SV_ERROR_MALFORMED, "words, not 1");
  assert_not_imported ("0x" SEED "00", &usual, SV_ERROR_MALFORMED, "not a seed");
  assert_not_imported ("0x" SEED " 0x" SEED, &usual, SV_ERROR_MALFORMED, "not a seed");
  assert_not_imported ("", &usual, SV_ERROR_MALFORMED, "neither a seed");
  assert_not_imported ("\n\n", &usual, SV_ERROR_MALFORMED, "neither a seed");
  assert_not_imported ("0x" SR_PRIVATE, &ed25519, SV_ERROR_USAGE, "the private key of sr25519");
  assert_not_imported ("0x" SR_SEED, &known, SV_ERROR_VERIFY, "as an ed25519 key, ");
  write_file ("0x" SEED);
  g_assert_cmpint (g_chmod (path, 0644), ==, 0);
  g_assert_null (sv_key_import (path, &usual, &error));
  assert_error (error, SV_ERROR_POLICY, "chmod 600");
}

static void
test_wallet (void)
{
  g_autoptr (SvConfig) config = sv_config_new ();
  g_autoptr (SvKeypair) keypair = alice ();
  g_autoptr (GError) error = NULL;
  sv_config_set (config, "BITTENSOR_WALLET_PATH", directory);
  sv_config_set (config, "BITTENSOR_WALLET_COLD", "w");
  sv_config_set (config, "BITTENSOR_WALLET_HOT", "h");
  g_autofree char *hotkey = sv_wallet_hotkey_path (config);
  g_autofree char *expected = g_build_filename (directory, "w", "hotkeys", "h", NULL);
  g_assert_cmpstr (hotkey, ==, expected);

  g_assert_null (sv_wallet_load (config, &error));
  assert_error (error, SV_ERROR_NOT_FOUND, "sv key new --wallet w --hotkey h");
  g_clear_error (&error);
  g_assert_true (sv_keyfile_create (hotkey, keypair, NULL));
  g_autoptr (SvKeypair) loaded = sv_wallet_load (config, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_keypair_address (loaded), ==, ADDRESS);

  g_unlink (hotkey);
  g_autofree char *hotkeys = g_path_get_dirname (hotkey);
  g_autofree char *wallet = g_path_get_dirname (hotkeys);
  g_rmdir (hotkeys);
  g_rmdir (wallet);
}

static void
test_wallet_names_are_no_paths (void)
{
  static const char *const names[] = { "..", ".", "a/b", "/etc", "../x" };
  static const char *const settings[] = { "BITTENSOR_WALLET_COLD", "BITTENSOR_WALLET_HOT" };
  for (gsize s = 0; s < G_N_ELEMENTS (settings); s++)
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (SvConfig) config = sv_config_new ();
      g_autoptr (GError) error = NULL;
      sv_config_set (config, settings[s], names[i]);
      g_assert_false (sv_wallet_check_names (config, &error));
      assert_error (error, SV_ERROR_USAGE, settings[s]);
      g_assert_null (sv_wallet_load (config, NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  directory = g_dir_make_tmp ("sv-keys-XXXXXX", NULL);
  path = g_build_filename (directory, "key", NULL);
  g_test_add_func ("/keyfile/written-file-is-read-back", test_written_file_is_read_back);
  g_test_add_func ("/keyfile/written-form", test_written_form);
  g_test_add_func ("/keyfile/generated-keys-differ", test_generated_keys_differ);
  g_test_add_func ("/keyfile/variations-of-btcli", test_variations_of_btcli);
  g_test_add_func ("/keyfile/fields-must-agree", test_fields_must_agree);
  g_test_add_func ("/keyfile/written-forms-of-sr25519", test_written_forms_of_sr25519);
  g_test_add_func ("/keyfile/variations-of-sr25519", test_variations_of_sr25519);
  g_test_add_func ("/keyfile/fields-of-sr25519-must-agree", test_fields_of_sr25519_must_agree);
  g_test_add_func ("/keyfile/files-without-a-secret", test_files_without_a_secret);
  g_test_add_func ("/keyfile/malformed-files", test_malformed_files);
  g_test_add_func ("/keyfile/open-modes-are-refused", test_open_modes_are_refused);
  g_test_add_func ("/keyfile/files-that-are-none", test_files_that_are_none);
  g_test_add_func ("/keyfile/imports", test_imports);
  g_test_add_func ("/keyfile/what-is-not-imported", test_what_is_not_imported);
  g_test_add_func ("/keyfile/wallet", test_wallet);
  g_test_add_func ("/keyfile/wallet-names-are-no-paths", test_wallet_names_are_no_paths);
  int status = g_test_run ();
  g_unlink (path);
  g_rmdir (directory);
  g_free (path);
  g_free (directory);
  return status;
}
