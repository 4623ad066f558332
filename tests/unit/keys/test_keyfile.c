/* Cases: a written file is read back, is private and is never overwritten; btcli's variations (order, absent, null and unknown
 * fields, the seed in either field); fields that disagree; sr25519, encrypted, public-only and malformed files; open modes;
 * absent, too big and odd files; seeds; wallets. No message may hold the secret. */
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
#define OTHER_ADDRESS "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"

static char *directory, *path;

static SvKeypair *
alice (void)
{
  guint8 seed[32];
  g_assert_true (sv_hex_decode (SEED, FALSE, seed, sizeof seed));
  return sv_keypair_from_seed (seed);
}

static void
write_file (const char *content)
{
  g_assert_true (g_file_set_contents_full (path, content, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

static void
assert_reads (const char *content)
{
  g_autoptr (GError) error = NULL;
  write_file (content);
  g_autoptr (SvKeypair) keypair = sv_keyfile_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_keypair_address (keypair), ==, ADDRESS);
}

static void
assert_error (GError *error, SvErrorCode code, const char *message)
{
  g_assert_error (error, SV_ERROR, (int)code);
  if (strstr (error->message, message) == NULL)
    g_error ("expected \"%s\" in \"%s\"", message, error->message);
  g_assert_null (strstr (error->message, "abf8e5bd"));
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
test_written_file_is_read_back (void)
{
  g_autoptr (SvKeypair) keypair = sv_keypair_generate ();
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
  g_autofree char *a = sv_keypair_sign (keypair, "m", 1);
  g_autofree char *b = sv_keypair_sign (read, "m", 1);
  g_assert_cmpstr (a, ==, b);

  g_assert_false (sv_keyfile_create (deep, keypair, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
  g_unlink (deep);
  g_rmdir (hotkeys);
  g_rmdir (wallet);
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
  g_autoptr (SvKeypair) a = sv_keypair_generate ();
  g_autoptr (SvKeypair) b = sv_keypair_generate ();
  g_assert_cmpstr (sv_keypair_address (a), !=, sv_keypair_address (b));
}

static void
test_variations_of_btcli (void)
{
  assert_reads ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\"}");
  assert_reads ("{\"cryptoType\":0,\"privateKey\":\"0x" SEED "\"}");
  assert_reads ("{\"secretSeed\":\"" SEED "\",\"cryptoType\":0}");
  assert_reads ("{\"ss58Address\":\"" ADDRESS "\",\"secretSeed\":\"0x" SEED "\",\"privateKey\":null,\"secretPhrase\":\"a b\","
                "\"accountId\":null,\"publicKey\":\"0x" PUBLIC "\",\"futureField\":[1],\"cryptoType\":0}\n");
}

static void
test_fields_must_agree (void)
{
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"privateKey\":\"0x" OTHER "\"}", SV_ERROR_VERIFY,
                  "secretSeed and privateKey are different");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"publicKey\":\"0x" OTHER "\"}", SV_ERROR_VERIFY,
                  "publicKey is not");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"accountId\":\"0x" OTHER "\"}", SV_ERROR_VERIFY,
                  "accountId is not");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"ss58Address\":\"" OTHER_ADDRESS "\"}", SV_ERROR_VERIFY,
                  "ss58Address is not");
  assert_refused ("{\"cryptoType\":0,\"secretSeed\":\"0x" SEED "\",\"ss58Address\":7}", SV_ERROR_VERIFY, "ss58Address is not");
}

static void
test_what_this_version_does_not_open (void)
{
  assert_refused ("{\"secretSeed\":\"0x" SEED "\"}", SV_ERROR_POLICY, "sr25519");
  assert_refused ("{\"secretSeed\":\"0x" SEED "\",\"cryptoType\":1}", SV_ERROR_POLICY, "sr25519");
  assert_refused ("{\"secretSeed\":\"0x" SEED "\",\"cryptoType\":null}", SV_ERROR_POLICY, "sr25519");
  assert_refused ("$NACL0123456789", SV_ERROR_POLICY, "encrypted");
  assert_refused ("{\"cryptoType\":0,\"ss58Address\":\"" ADDRESS "\",\"publicKey\":\"0x" PUBLIC "\"}", SV_ERROR_POLICY,
                  "neither secretSeed nor privateKey");
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
assert_no_seed (const char *content)
{
  g_autoptr (GError) error = NULL;
  write_file (content);
  g_assert_null (sv_seed_read (path, &error));
  assert_error (error, SV_ERROR_MALFORMED, "not a seed");
}

static void
test_seeds (void)
{
  g_autoptr (GError) error = NULL;
  write_file ("0x" SEED " \n");
  g_autoptr (SvKeypair) keypair = sv_seed_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_keypair_address (keypair), ==, ADDRESS);
  assert_no_seed (SEED);
  assert_no_seed ("0x" SEED "00");
  assert_no_seed ("0x" SEED " 0x" SEED);
  assert_no_seed ("");
  write_file ("0x" SEED);
  g_assert_cmpint (g_chmod (path, 0644), ==, 0);
  g_assert_null (sv_seed_read (path, &error));
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
  g_test_add_func ("/keyfile/what-this-version-does-not-open", test_what_this_version_does_not_open);
  g_test_add_func ("/keyfile/malformed-files", test_malformed_files);
  g_test_add_func ("/keyfile/open-modes-are-refused", test_open_modes_are_refused);
  g_test_add_func ("/keyfile/files-that-are-none", test_files_that_are_none);
  g_test_add_func ("/keyfile/seeds", test_seeds);
  g_test_add_func ("/keyfile/wallet", test_wallet);
  g_test_add_func ("/keyfile/wallet-names-are-no-paths", test_wallet_names_are_no_paths);
  int status = g_test_run ();
  g_unlink (path);
  g_rmdir (directory);
  g_free (path);
  g_free (directory);
  return status;
}
