/* Keys of a runtime's storage.
 *
 *  - System.Account of a known account, and the prefix of the map; each hasher over "abc"
 *  - several keys follow each other; fewer give a prefix
 *  - a key comes back out of a storage key, whichever it is, also behind hashes that keep nothing
 *  - none comes out of: a hash that keeps none, a number that the entry does not have, another entry's key, a key cut short or
 *    with bytes too many, a hash that is not that of its key, what is no hex
 */
#include "chain/subtensor/storage_key.h"

#include <string.h>

#include "base/hash.h"
#include "metadata_fixture.h"

#define ACCOUNT_PREFIX "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
#define ALICE "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
#define ALICE_HASH "de1e86a9a8c739864cf3cc5ec2bea59f"
#define NETUID_HASH "f1577fbf1d628fdd" /* twox64 of 0x0100 */

static const SvStorageEntry account = {
  .prefix = "System", .name = "Account", .n_keys = 1, .hashers = { SV_HASHER_BLAKE2_128_CONCAT }, .key_types = { TYPE_ACCOUNT }
};

static void
test_account (void)
{
  g_autoptr (GBytes) alice = g_byte_array_free_to_bytes (fixture_bytes (ALICE));
  const GBytes *keys[] = { alice };
  g_autofree char *key = sv_storage_key (&account, keys, 1);
  g_assert_cmpstr (key, ==, ACCOUNT_PREFIX ALICE_HASH ALICE);
  g_autofree char *prefix = sv_storage_key (&account, NULL, 0);
  g_assert_cmpstr (prefix, ==, ACCOUNT_PREFIX);
}

static void
test_hashers (void)
{
  static const char *const expected[] = {
    [SV_HASHER_BLAKE2_128] = "cf4ab791c62b8d2b2109c90275287816",
    [SV_HASHER_BLAKE2_256] = "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
    [SV_HASHER_BLAKE2_128_CONCAT] = "cf4ab791c62b8d2b2109c90275287816616263",
    [SV_HASHER_TWOX_128] = "990977adf52cbc440889329981caa9be",
    [SV_HASHER_TWOX_256] = "990977adf52cbc440889329981caa9bef7da5770b2b8a05303b75d95360dd62b",
    [SV_HASHER_TWOX_64_CONCAT] = "990977adf52cbc44616263",
    [SV_HASHER_IDENTITY] = "616263",
  };
  g_autoptr (GBytes) abc = g_byte_array_free_to_bytes (fixture_bytes ("616263"));
  const GBytes *keys[] = { abc };
  for (guint hasher = 0; hasher < G_N_ELEMENTS (expected); hasher++)
  {
    SvStorageEntry entry = account;
    entry.hashers[0] = (SvHasher)hasher;
    g_autofree char *key = sv_storage_key (&entry, keys, 1);
    g_assert_cmpstr (key + strlen (ACCOUNT_PREFIX), ==, expected[hasher]);
  }
}

static void
assert_part (const SvMetadata *metadata, const SvStorageEntry *entry, const char *key, guint which, const char *expected)
{
  g_autoptr (GBytes) part = sv_storage_key_part (metadata, entry, key, which);
  g_autofree char *hex = part != NULL ? sv_hex_encode (g_bytes_get_data (part, NULL), g_bytes_get_size (part)) : NULL;
  g_assert_cmpstr (hex, ==, expected);
}

static void
test_two_keys (void)
{
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (16);
  g_autoptr (GBytes) netuid = g_byte_array_free_to_bytes (fixture_bytes ("0100"));
  g_autoptr (GBytes) alice = g_byte_array_free_to_bytes (fixture_bytes (ALICE));
  const GBytes *keys[] = { netuid, alice };
  const SvStorageEntry *entry = sv_metadata_storage (metadata, "Commitments", "CommitmentOf", NULL);
  g_autofree char *prefix = sv_storage_key (entry, NULL, 0);
  g_autofree char *part = sv_storage_key (entry, keys, 1);
  g_autofree char *whole = sv_storage_key (entry, keys, 2);
  g_autofree char *expected_part = g_strconcat (prefix, NETUID_HASH "0100", NULL);
  g_autofree char *expected = g_strconcat (expected_part, ALICE_HASH ALICE, NULL);
  g_assert_cmpuint (strlen (prefix), ==, 66);
  g_assert_cmpstr (part, ==, expected_part);
  g_assert_cmpstr (whole, ==, expected);
  assert_part (metadata, entry, whole, 0, "0100");
  assert_part (metadata, entry, whole, 1, ALICE);
  assert_part (metadata, entry, whole, 2, NULL);
  assert_part (metadata, entry, part, 0, NULL);
}

/* Identity, a hash that keeps nothing, and an identity behind it. */
static void
test_lost_key (void)
{
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (16);
  SvStorageEntry entry = *sv_metadata_storage (metadata, "Commitments", "Three", NULL);
  g_autoptr (GBytes) first = g_byte_array_free_to_bytes (fixture_bytes ("0700"));
  g_autoptr (GBytes) second = g_byte_array_free_to_bytes (fixture_bytes ("01020304"));
  g_autoptr (GBytes) third = g_byte_array_free_to_bytes (fixture_bytes ("0800000000000000"));
  const GBytes *keys[] = { first, second, third };
  entry.hashers[2] = SV_HASHER_IDENTITY;
  g_autofree char *key = sv_storage_key (&entry, keys, 3);
  assert_part (metadata, &entry, key, 0, "0700");
  assert_part (metadata, &entry, key, 1, NULL);
  assert_part (metadata, &entry, key, 2, "0800000000000000");
}

static void
test_malformed_keys (void)
{
  g_autoptr (SvMetadata) metadata = metadata_fixture_new (16);
  static const char *const keys[] = {
    ACCOUNT_PREFIX ALICE_HASH ALICE "00",
    ACCOUNT_PREFIX ALICE_HASH,
    ACCOUNT_PREFIX "00",
    ACCOUNT_PREFIX,
    "0x",
    "",
    "0x26aa",
    "0x26a",
    "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9" ALICE_HASH ALICE,
    "0x16aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9" ALICE_HASH ALICE,
    ACCOUNT_PREFIX "ee1e86a9a8c739864cf3cc5ec2bea59f" ALICE,
    ACCOUNT_PREFIX ALICE_HASH "z43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
  };
  assert_part (metadata, &account, ACCOUNT_PREFIX ALICE_HASH ALICE, 0, ALICE);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    assert_part (metadata, &account, keys[i], 0, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/storage-key/account", test_account);
  g_test_add_func ("/storage-key/hashers", test_hashers);
  g_test_add_func ("/storage-key/two-keys", test_two_keys);
  g_test_add_func ("/storage-key/lost-key", test_lost_key);
  g_test_add_func ("/storage-key/malformed-keys", test_malformed_keys);
  return g_test_run ();
}
