/* The form of a ledger's extrinsics.
 *
 *  - what is signed opens again, with its hash, signer, text and nonce
 *  - the encoding is the canonical JSON that docs/protocol.md names
 *  - refused as malformed: not JSON, not canonical, a field too many, a field missing, another call, an empty text, a text too
 *    long, a NUL in it, a nonce that is no integer, a signer that is no account, a chain that is none
 *  - refused as unverified: another genesis, another netuid, a changed text, another signer, a signature without its prefix
 */
#include "chain/ledger_extrinsic.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

static SvChainId
test_chain (void)
{
  SvChainId chain = { .netuid = 44 };
  memset (chain.genesis, 'a', sizeof chain.genesis - 1);
  memcpy (chain.genesis, "0x", 2);
  return chain;
}

static GBytes *
sign (const SvKeypair *keypair, const char *text, guint64 nonce)
{
  g_autoptr (GError) error = NULL;
  SvChainId chain = test_chain ();
  GBytes *bytes = sv_ledger_extrinsic_sign (&chain, keypair, text, nonce, &error);
  g_assert_no_error (error);
  return bytes;
}

static void
what_is_signed_opens_again (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (SvLedgerExtrinsic) extrinsic = { 0 };
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (GBytes) bytes = sign (keypair, "sv1 commit\nline é", 7);
  SvChainId chain = test_chain ();
  g_assert_true (sv_ledger_extrinsic_open (&chain, bytes, &extrinsic, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (extrinsic.signer, ==, sv_keypair_address (keypair));
  g_assert_cmpstr (extrinsic.text, ==, "sv1 commit\nline é");
  g_assert_cmpuint (extrinsic.nonce, ==, 7);
  char hash[SV_BLOCK_HASH_TEXT];
  sv_ledger_hash (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), hash);
  g_assert_cmpstr (extrinsic.hash, ==, hash);
}

static void
the_encoding_is_the_one_that_is_documented (void)
{
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (GBytes) bytes = sign (keypair, "hello", 0);
  g_autoptr (json_t) json = json_loadb (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), JSON_REJECT_DUPLICATES, NULL);
  SvChainId chain = test_chain ();
  g_autofree char *expected = g_strdup_printf (
      "{\"call\":{\"name\":\"set_commitment\",\"text\":\"hello\"},\"chain\":{\"genesis\":\"%s\",\"netuid\":44},"
      "\"nonce\":0,\"signature\":\"%s\",\"signer\":\"ss58:%s\"}",
      chain.genesis, json_string_value (json_object_get (json, "signature")), sv_keypair_address (keypair));
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_assert_cmpstr (text, ==, expected);
}

/* ── what is refused ── */

typedef struct
{
  const char *name;
  const char *find; /* in the extrinsic's text, "" is its end … */
  const char *put;  /* … and what stands there instead */
  int code;
} Refusal;

static const Refusal refusals[] = {
  { "not-json", "{\"call\"", "{call", SV_ERROR_MALFORMED },
  { "not-canonical", ":0,", ": 0,", SV_ERROR_MALFORMED },
  { "trailing-newline", "", "\n", SV_ERROR_MALFORMED },
  { "a-field-too-many", "{\"call\"", "{\"a\":1,\"call\"", SV_ERROR_MALFORMED },
  { "a-field-missing", "\"nonce\":0,", "", SV_ERROR_MALFORMED },
  { "another-call", "set_commitment", "transfer", SV_ERROR_MALFORMED },
  { "a-call-argument-too-many", "\"text\":\"hello\"", "\"text\":\"hello\",\"z\":1", SV_ERROR_MALFORMED },
  { "an-empty-text", "hello", "", SV_ERROR_MALFORMED },
  { "a-NUL-in-the-text", "hello", "he\\u0000lo", SV_ERROR_MALFORMED },
  { "a-nonce-that-is-no-integer", ":0,", ":0.5,", SV_ERROR_MALFORMED },
  { "a-negative-nonce", ":0,", ":-1,", SV_ERROR_MALFORMED },
  { "a-signer-that-is-no-account", "\"ss58:", "\"ss58:x", SV_ERROR_MALFORMED },
  { "a-chain-that-is-none", "\"netuid\":44", "\"netuid\":\"44\"", SV_ERROR_MALFORMED },
  { "another-genesis", "0xaaaa", "0xbbbb", SV_ERROR_VERIFY },
  { "another-netuid", ":44", ":45", SV_ERROR_VERIFY },
  { "a-changed-text", "hello", "hullo", SV_ERROR_VERIFY },
  { "a-changed-nonce", ":0,", ":1,", SV_ERROR_VERIFY },
  { "a-signature-without-prefix", "\"ed25519:", "\"", SV_ERROR_VERIFY },
};

static GBytes *
change (GBytes *bytes, const char *find, const char *put)
{
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autoptr (GString) changed = g_string_new (text);
  if (*find)
    g_assert_cmpuint (g_string_replace (changed, find, put, 1), ==, 1);
  else
    g_string_append (changed, put);
  return g_bytes_new (changed->str, changed->len);
}

static void
is_refused (gconstpointer data)
{
  const Refusal *refusal = data;
  g_autoptr (GError) error = NULL;
  g_auto (SvLedgerExtrinsic) extrinsic = { 0 };
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (GBytes) good = sign (keypair, "hello", 0);
  g_autoptr (GBytes) bad = change (good, refusal->find, refusal->put);
  SvChainId chain = test_chain ();
  g_assert_false (sv_ledger_extrinsic_open (&chain, bad, &extrinsic, &error));
  g_assert_error (error, SV_ERROR, refusal->code);
}

static void
another_signer_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (SvLedgerExtrinsic) extrinsic = { 0 };
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (SvKeypair) other = sv_keypair_generate (SV_SCHEME_ED25519);
  g_autoptr (GBytes) good = sign (keypair, "hello", 0);
  g_autoptr (GBytes) bad = change (good, sv_keypair_address (keypair), sv_keypair_address (other));
  SvChainId chain = test_chain ();
  g_assert_false (sv_ledger_extrinsic_open (&chain, bad, &extrinsic, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_VERIFY);
}

static void
a_text_too_long_is_refused_and_the_longest_is_not (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (SvLedgerExtrinsic) taken = { 0 }, refused = { 0 };
  g_autoptr (SvKeypair) keypair = sv_keypair_generate (SV_SCHEME_ED25519);
  /* control characters are the longest in JSON */
  g_autofree char *longest = g_strnfill (SV_LEDGER_MAX_TEXT, '\x01');
  g_autofree char *too_long = g_strnfill (SV_LEDGER_MAX_TEXT + 1, 'x');
  g_autoptr (GBytes) good = sign (keypair, longest, 0);
  g_autoptr (GBytes) bad = sign (keypair, too_long, 0);
  SvChainId chain = test_chain ();
  g_assert_true (sv_ledger_extrinsic_open (&chain, good, &taken, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (taken.text, ==, longest);
  g_assert_false (sv_ledger_extrinsic_open (&chain, bad, &refused, &error));
  g_assert_error (error, SV_ERROR, SV_ERROR_MALFORMED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ledger-extrinsic/what-is-signed-opens-again", what_is_signed_opens_again);
  g_test_add_func ("/ledger-extrinsic/the-encoding-is-the-one-that-is-documented", the_encoding_is_the_one_that_is_documented);
  g_test_add_func ("/ledger-extrinsic/another-signer-is-refused", another_signer_is_refused);
  g_test_add_func ("/ledger-extrinsic/the-longest-text-and-one-more-byte", a_text_too_long_is_refused_and_the_longest_is_not);
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
  {
    g_autofree char *path = g_strconcat ("/ledger-extrinsic/refused/", refusals[i].name, NULL);
    g_test_add_data_func (path, &refusals[i], is_refused);
  }
  return g_test_run ();
}
