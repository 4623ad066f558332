/* Cases: addresses known from other programs, both ways; more than are remembered; every single changed character; wrong
 * length, alphabet, network, checksum and overflow; the form of documents. */
#include <glib.h>
#include <string.h>

#include "base/hash.h"
#include "keys/ss58.h"

/* Development accounts of Substrate: Alice by sr25519, Alice by ed25519, Bob by sr25519; and the zero key. */
static const char *const known[][2] = {
  { "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d" },
  { "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu", "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee" },
  { "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty", "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48" },
  { "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM", "0000000000000000000000000000000000000000000000000000000000000000" },
};

static void
test_known_addresses (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
  {
    guint8 key[SV_PUBLIC_KEY_SIZE], decoded[SV_PUBLIC_KEY_SIZE];
    g_assert_true (sv_hex_decode (known[i][1], FALSE, key, sizeof key));
    g_autofree char *address = sv_ss58_encode (key);
    g_assert_cmpstr (address, ==, known[i][0]);
    g_assert_true (sv_ss58_decode (known[i][0], decoded));
    g_assert_cmpmem (decoded, sizeof decoded, key, sizeof key);
  }
}

static void
test_random_keys_come_back (void)
{
  for (guint i = 0; i < 200; i++)
  {
    guint8 key[SV_PUBLIC_KEY_SIZE], decoded[SV_PUBLIC_KEY_SIZE];
    for (gsize j = 0; j < sizeof key; j++)
      key[j] = (guint8)g_test_rand_int_range (0, 256);
    g_autofree char *address = sv_ss58_encode (key);
    g_assert_cmpuint (strlen (address), ==, 48);
    g_assert_true (sv_ss58_decode (address, decoded));
    g_assert_cmpmem (decoded, sizeof decoded, key, sizeof key);
  }
}

/* More of them than are remembered, twice, with some that are no addresses between. */
static void
test_many_addresses_are_told_apart (void)
{
  enum
  {
    N_KEYS = 3000
  };
  g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (g_free);
  guint8 key[SV_PUBLIC_KEY_SIZE] = { 0 }, decoded[SV_PUBLIC_KEY_SIZE];
  for (guint i = 0; i < 2 * N_KEYS; i++)
  {
    guint which = i % N_KEYS;
    memcpy (key, &which, sizeof which);
    if (i < N_KEYS)
      g_ptr_array_add (addresses, sv_ss58_encode (key));
    const char *address = g_ptr_array_index (addresses, which);
    g_autofree char *wrong = g_strdup (address);
    wrong[47] = wrong[47] == 'a' ? 'b' : 'a';
    g_assert_false (sv_ss58_decode (wrong, decoded));
    g_assert_true (sv_ss58_decode (address, decoded));
    g_assert_cmpmem (decoded, sizeof decoded, key, sizeof key);
    g_assert_false (sv_ss58_decode (wrong, decoded));
    g_assert_true (sv_ss58_decode (address, decoded));
    g_assert_cmpmem (decoded, sizeof decoded, key, sizeof key);
  }
}

static void
test_any_changed_character_is_noticed (void)
{
  guint8 key[SV_PUBLIC_KEY_SIZE];
  for (gsize i = 0; i < 48; i++)
  {
    g_autofree char *address = g_strdup (known[0][0]);
    g_assert_true (sv_ss58_decode (address, key)); /* what is remembered of it is of no use to another */
    address[i] = address[i] == 'a' ? 'b' : 'a';
    g_assert_false (sv_ss58_decode (address, key));
    g_assert_false (sv_ss58_decode (address, key));
  }
}

static void
test_what_is_no_address (void)
{
  static const char *const cases[] = {
    "",
    "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ",                  /* too short */
    "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQYY",                /* too long */
    "15GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",                /* a zero in front */
    " GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",                 /* not base58 */
    "0GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",                 /* not base58 */
    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",                 /* more than 35 bytes */
    "ss58:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",            /* the form of documents */
    "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",                 /* Alice on Polkadot */
    "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F",                  /* Alice on Kusama */
    "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d", /* a public key */
  };
  guint8 key[SV_PUBLIC_KEY_SIZE];
  g_assert_false (sv_ss58_decode (NULL, key));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    g_test_message ("%s", cases[i]);
    g_assert_false (sv_ss58_decode (cases[i], key));
  }
}

static void
test_form_of_documents (void)
{
  g_autofree char *written = sv_account_document_form (known[0][0]);
  g_autofree char *with = sv_account_normalize (written);
  g_autofree char *without = sv_account_normalize (known[0][0]);
  g_assert_cmpstr (written, ==, "ss58:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
  g_assert_cmpstr (with, ==, known[0][0]);
  g_assert_cmpstr (without, ==, known[0][0]);
  g_assert_null (sv_account_normalize ("ss58:ss58:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"));
  g_assert_null (sv_account_normalize ("SS58:5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"));
  g_assert_null (sv_account_normalize ("ss58:"));
  g_assert_null (sv_account_normalize (NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ss58/known-addresses", test_known_addresses);
  g_test_add_func ("/ss58/random-keys-come-back", test_random_keys_come_back);
  g_test_add_func ("/ss58/many-addresses-are-told-apart", test_many_addresses_are_told_apart);
  g_test_add_func ("/ss58/any-changed-character-is-noticed", test_any_changed_character_is_noticed);
  g_test_add_func ("/ss58/what-is-no-address", test_what_is_no_address);
  g_test_add_func ("/ss58/form-of-documents", test_form_of_documents);
  return g_test_run ();
}
