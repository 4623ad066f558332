/* Cases: SHA-256 and BLAKE2b-256 of known inputs; SHA-256 and HMAC of every length of some blocks, in pieces, as libsodium has
 * them; the stored form and what only looks like it; files: of more than one piece,
 * empty, absent, a directory, a device; hex both ways, with each way of being wrong; each byte at each
 * place of hashes and hex */
#include <glib.h>
#include <glib/gstdio.h>
#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/sha256.h"

#define ABC_HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY_HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_BLAKE2B "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"
#define MILLION_A_HEX "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void
test_known_hashes (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  g_autofree char *abc = sv_hash_bytes ("abc", 3);
  g_autofree char *of_bytes = sv_hash_gbytes (bytes);
  g_autofree char *empty = sv_hash_bytes (NULL, 0);
  g_autofree char *blake2b = NULL;
  guint8 digest[SV_BLAKE2B_256_SIZE];

  g_assert_cmpstr (abc, ==, "sha256:" ABC_HEX);
  g_assert_cmpstr (of_bytes, ==, abc);
  g_assert_cmpstr (empty, ==, "sha256:" EMPTY_HEX);
  g_assert_cmpstr (sv_hash_hex (abc), ==, ABC_HEX);
  sv_blake2b_256 ("abc", 3, digest);
  blake2b = sv_hex_encode (digest, sizeof digest);
  g_assert_cmpstr (blake2b, ==, ABC_BLAKE2B);
}

#define SOME_BLOCKS 300

static void
test_by_another_library (void)
{
  guint8 bytes[SOME_BLOCKS], ours[SV_SHA256_SIZE], theirs[SV_SHA256_SIZE];
  randombytes_buf (bytes, sizeof bytes);
  for (gsize length = 0; length <= sizeof bytes; length++)
  {
    SvSha256 hash;
    SvHmacSha256 prepared, mac;
    crypto_auth_hmacsha256_state state;
    gsize first = length / 3;
    crypto_hash_sha256 (theirs, bytes, length);
    sv_sha256_init (&hash);
    sv_sha256_update (&hash, bytes, first);
    sv_sha256_update (&hash, bytes + first, length - first);
    sv_sha256_final (&hash, ours);
    g_assert_cmpmem (ours, sizeof ours, theirs, sizeof theirs);

    crypto_auth_hmacsha256_init (&state, bytes, SOME_BLOCKS - length);
    crypto_auth_hmacsha256_update (&state, bytes, length);
    crypto_auth_hmacsha256_final (&state, theirs);
    sv_hmac_sha256_init (&prepared, bytes, SOME_BLOCKS - length);
    mac = prepared;
    sv_hmac_sha256_update (&mac, bytes, first);
    sv_hmac_sha256_update (&mac, bytes + first, length - first);
    sv_hmac_sha256_final (&mac, ours);
    g_assert_cmpmem (ours, sizeof ours, theirs, sizeof theirs);
  }
}

static const char *const malformed[] = {
  "",
  "sha256:",
  "sha256:" ABC_HEX "0",
  "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
  "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "sha256:ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "SHA256:" ABC_HEX,
  "sha512:" ABC_HEX,
  "0x" ABC_HEX,
  " " ABC_HEX,
  ABC_HEX "\n",
  "sha256:sha256:" ABC_HEX,
  "../../etc/passwd",
};

static void
test_forms (void)
{
  g_autofree char *from_bare = sv_hash_normalize (ABC_HEX);
  g_autofree char *from_stored = sv_hash_normalize ("sha256:" ABC_HEX);

  g_assert_true (sv_hash_is_valid ("sha256:" ABC_HEX));
  g_assert_false (sv_hash_is_valid (ABC_HEX));
  g_assert_true (sv_hash_is_bare (ABC_HEX));
  g_assert_false (sv_hash_is_bare ("sha256:" ABC_HEX));
  g_assert_false (sv_hash_is_valid (NULL));
  g_assert_cmpstr (from_bare, ==, "sha256:" ABC_HEX);
  g_assert_cmpstr (from_stored, ==, "sha256:" ABC_HEX);
  g_assert_null (sv_hash_normalize (NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (malformed); i++)
  {
    g_assert_false (sv_hash_is_valid (malformed[i]));
    g_assert_null (sv_hash_normalize (malformed[i]));
  }
}

static void
assert_hash_of_file (const char *path, const char *content, gsize length, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = NULL;

  g_assert_true (g_file_set_contents (path, content, (gssize)length, NULL));
  hash = sv_hash_file (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hash, ==, expected);
}

static void
test_files (void)
{
  g_autofree char *directory = g_dir_make_tmp ("sv-hash-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "file", NULL);
  g_autofree char *million = g_strnfill (1000000, 'a');
  g_autoptr (GError) absent = NULL;
  g_autoptr (GError) unreadable = NULL;

  assert_hash_of_file (path, "", 0, "sha256:" EMPTY_HEX);
  assert_hash_of_file (path, million, 1000000, "sha256:" MILLION_A_HEX);
  g_unlink (path);
  g_assert_null (sv_hash_file (path, &absent));
  g_assert_error (absent, SV_ERROR, SV_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (absent->message, path));
  g_assert_null (sv_hash_file (directory, &unreadable));
  g_assert_error (unreadable, SV_ERROR, SV_ERROR_MALFORMED);
  g_clear_error (&unreadable);
  g_assert_null (sv_hash_file ("/dev/zero", &unreadable));
  g_assert_error (unreadable, SV_ERROR, SV_ERROR_MALFORMED);
  g_rmdir (directory);
}

static void
test_hex (void)
{
  const guint8 bytes[] = { 0x00, 0x7f, 0xab, 0xff };
  guint8 out[4] = { 0 };
  g_autofree char *hex = sv_hex_encode (bytes, sizeof bytes);
  g_autofree char *none = sv_hex_encode (NULL, 0);

  g_assert_cmpstr (hex, ==, "007fabff");
  g_assert_cmpstr (none, ==, "");
  g_assert_true (sv_hex_decode ("007fabff", FALSE, out, 4));
  g_assert_cmpmem (out, 4, bytes, 4);
  g_assert_true (sv_hex_decode ("007FABff", TRUE, out, 4));
  g_assert_cmpmem (out, 4, bytes, 4);
  g_assert_true (sv_hex_decode ("", FALSE, out, 0));
  g_assert_false (sv_hex_decode ("007FABff", FALSE, out, 4));
  g_assert_false (sv_hex_decode ("007fabf", FALSE, out, 4));
  g_assert_false (sv_hex_decode ("007fab", FALSE, out, 4));
  g_assert_false (sv_hex_decode ("007fabff0", FALSE, out, 4));
  g_assert_false (sv_hex_decode ("007fabfg", TRUE, out, 4));
  g_assert_false (sv_hex_decode ("0x7fabff", TRUE, out, 4));
  g_assert_false (sv_hex_decode (" 07fabff", TRUE, out, 4));
  g_assert_false (sv_hex_decode ("00\xc3\xa9"
                                 "bff0",
                                 TRUE, out, 4));
  g_assert_false (sv_hex_decode (NULL, TRUE, out, 4));
}

/* A signature's length and one more byte, so that there is a rest. */
#define HEX_LENGTH (2 * 65)

static void
test_each_byte_at_each_place (void)
{
  guint8 out[HEX_LENGTH / 2];
  for (gsize at = 0; at < HEX_LENGTH; at++)
    for (guint byte = 1; byte < 256; byte++)
    {
      g_autofree char *hex = g_strnfill (HEX_LENGTH, '5');
      gboolean is_digit = byte < 0x80 && g_ascii_isxdigit ((char)byte), is_low = is_digit && !g_ascii_isupper ((char)byte);
      hex[at] = (char)byte;
      g_assert_cmpint (sv_hex_decode (hex, FALSE, out, sizeof out), ==, is_low);
      g_assert_cmpint (sv_hex_decode (hex, TRUE, out, sizeof out), ==, is_digit);
      for (gsize i = 0; is_digit && i < sizeof out; i++)
        g_assert_cmpint (out[i], ==, g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
      g_autofree char *hash = g_strconcat (SV_HASH_PREFIX, hex + HEX_LENGTH - 2 * SV_SHA256_SIZE, NULL);
      g_assert_cmpint (sv_hash_is_valid (hash), ==, is_low || at < HEX_LENGTH - 2 * SV_SHA256_SIZE);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hash/known-hashes", test_known_hashes);
  g_test_add_func ("/hash/by-another-library", test_by_another_library);
  g_test_add_func ("/hash/forms", test_forms);
  g_test_add_func ("/hash/files", test_files);
  g_test_add_func ("/hash/hex", test_hex);
  g_test_add_func ("/hash/each-byte-at-each-place", test_each_byte_at_each_place);
  return g_test_run ();
}
