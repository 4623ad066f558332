/* Cases: a file that another program encrypted; a wrong passphrase, a changed file, a file cut short; the forms before this
 * one; what is written is read back, and is btcli's form; no passphrase, no file. Each passphrase costs seconds, by design:
 * there are as few as possible. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "keys/keypair.h"
#include "keys/passphrase.h"

#define ADDRESS "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
#define PASSPHRASE "correct horse"

/* Alice's development key, accountId, ss58Address and secretSeed, encrypted by PyNaCl's argon2i and SecretBox. */
static const char foreign[] =
    "244e41434c000102030405060708090a0b0c0d0e0f1011121314151617aeba5e91a1bbc02754216000d38ee8be9a6a29d809"
    "291366db3c1d066b0af883df4aeee937c26c67608674ccd662c215e5ac06a9624bd80c47f0236fc1869fdc25ea844936f79b"
    "fd2a11b5def056c25ade5a7e71419b9131592f7796af533c81b8ec39c7477fd32e98792a779a73a7dcee74feeba80e10089e"
    "71457d7bc1ff6affa1eac131d3cd3cd651cc6fbad39a66528117f02dc03ff1f85d07a0a240437e616248dd06624824077b34"
    "440753e32fbeaa9f594ec8e9db1ea430f1413e4694efdf8b50581b878fe5914fb29cfb71e0fc0067725bf89da0112365ce60"
    "0cf18f2f679f1752cb67f4bb9626159c8fbbc8d787fd7bb2d7df936cf8";

static char *directory, *path;

/* Puts the passphrase where btcli would. */
static void
set_passphrase (const char *passphrase)
{
  g_autofree char *variable = sv_passphrase_variable (path);
  g_autofree char *masked = g_strdup (passphrase);
  for (gsize i = 0; masked[i] != '\0'; i++)
    masked[i] ^= variable[i % strlen (variable)];
  g_autofree char *value = g_base64_encode ((guint8 *)masked, strlen (passphrase));
  g_setenv (variable, value, TRUE);
}

static void
write_file (const void *content, gsize length)
{
  g_assert_true (g_file_set_contents_full (path, content, (gssize)length, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

static void
write_foreign (guint8 last)
{
  guint8 bytes[sizeof foreign / 2];
  g_assert_true (sv_hex_decode (foreign, FALSE, bytes, sizeof bytes));
  bytes[sizeof bytes - 1] ^= last;
  write_file (bytes, sizeof bytes);
}

static void
assert_refused (SvErrorCode code, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (sv_keyfile_read (path, &error));
  g_assert_error (error, SV_ERROR, (int)code);
  if (strstr (error->message, message) == NULL)
    g_error ("expected \"%s\" in \"%s\"", message, error->message);
  g_assert_null (strstr (error->message, "horse"));
}

static void
test_file_of_another_program (void)
{
  g_autoptr (GError) error = NULL;
  set_passphrase (PASSPHRASE);
  write_foreign (0);
  g_autoptr (SvKeypair) keypair = sv_keyfile_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_keypair_address (keypair), ==, ADDRESS);
  g_assert_cmpint (sv_keypair_scheme (keypair), ==, SV_SCHEME_SR25519);
}

static void
test_wrong_passphrases_and_changed_files (void)
{
  set_passphrase ("correct hors");
  write_foreign (0);
  assert_refused (SV_ERROR_VERIFY, "the passphrase is wrong, or the file was changed");
  set_passphrase (PASSPHRASE);
  write_foreign (1);
  assert_refused (SV_ERROR_VERIFY, "the passphrase is wrong, or the file was changed");
}

static void
test_what_is_refused_without_a_passphrase (void)
{
  g_autofree char *variable = sv_passphrase_variable (path);
  g_unsetenv (variable);
  write_file ("$NACL", 5);
  assert_refused (SV_ERROR_MALFORMED, "cut short");
  write_file (foreign, 44); /* "244e4143…" is no mark */
  assert_refused (SV_ERROR_MALFORMED, "not a key file");
  write_file ("$ANSIBLE_VAULT;1.1;AES256\n00", 28);
  assert_refused (SV_ERROR_POLICY, "encrypt it anew with `btcli w update`");
  write_file ("gAAAAABm", 8);
  assert_refused (SV_ERROR_POLICY, "encrypt it anew with `btcli w update`");
}

static void
test_written_file_is_read_back (void)
{
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_SR25519);
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;
  struct stat status;
  gsize length;
  g_unlink (path);
  set_passphrase (PASSPHRASE);
  g_assert_true (sv_keyfile_create_encrypted (path, keypair, &error));
  g_assert_no_error (error);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0600);
  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  g_assert_cmpmem (content, 5, "$NACL", 5);
  g_assert_null (memmem (content, length, "accountId", 9));

  g_autoptr (SvKeypair) read = sv_keyfile_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (sv_keypair_address (read), ==, sv_keypair_address (keypair));
  g_assert_false (sv_keyfile_create_encrypted (path, keypair, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_CONFLICT);
}

static void
test_no_passphrase_no_file (void)
{
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (GError) error = NULL;
  g_unlink (path);
  set_passphrase ("horse");
  g_assert_false (sv_keyfile_create_encrypted (path, keypair, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_USAGE);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  directory = g_dir_make_tmp ("sv-box-XXXXXX", NULL);
  path = g_build_filename (directory, "key", NULL);
  g_test_add_func ("/keyfile-box/file-of-another-program", test_file_of_another_program);
  g_test_add_func ("/keyfile-box/wrong-passphrases-and-changed-files", test_wrong_passphrases_and_changed_files);
  g_test_add_func ("/keyfile-box/what-is-refused-without-a-passphrase", test_what_is_refused_without_a_passphrase);
  g_test_add_func ("/keyfile-box/written-file-is-read-back", test_written_file_is_read_back);
  g_test_add_func ("/keyfile-box/no-passphrase-no-file", test_no_passphrase_no_file);
  int status = g_test_run ();
  g_unlink (path);
  g_rmdir (directory);
  g_free (path);
  g_free (directory);
  return status;
}
