/* Cases: a whole request and a bare one; each part missing and malformed, with the name it is reported under; order of parts;
 * what the legacy endpoint does not look at; freshness of the nonce at both ends; the text that is signed. */
#include "sample.h"

#include "protocol/challenge.h"

#include <stddef.h>

#define NETUID 44
#define NONCE "1761177600000000000"
#define HEX_128 HEX_A HEX_A
#define PART(field) offsetof (SvChallengeRequest, field)

static SvChallengeRequest
whole_request (void)
{
  return (SvChallengeRequest){
    .validator_hotkey = ALICE,
    .signature = HEX_128,
    .nonce = NONCE,
    .netuid = "44",
    .element_id = "PlayerDetect_v1@1.0",
    .miner_hotkey = BOB,
    .chute_slug = "scorevision-lynx",
    .manifest_hash = HASH_A,
    .commitment_proof = "19000:0x" HEX_A,
    .client_id = "uid_123",
    .x_nonce = "01234567-abcd",
    .x_signature = "ed25519:" HEX_128,
  };
}

static SvChallengeRequest
bare_request (void)
{
  return (SvChallengeRequest){
    .validator_hotkey = ALICE,
    .signature = "0x" HEX_128,
    .nonce = NONCE,
    .netuid = "44",
    .element_id = "PlayerDetect_v1@1.0",
    .manifest_hash = HEX_A,
  };
}

static void
set_part (SvChallengeRequest *request, gsize offset, const char *value)
{
  G_STRUCT_MEMBER (const char *, request, offset) = value;
}

static void
assert_form (SvChallengeRequest *request, gboolean legacy, const char *field, const char *part_of_reason)
{
  g_autofree char *reason = NULL;
  const char *found = sv_challenge_check_form (request, NETUID, legacy, &reason);

  if (g_strcmp0 (found, field) != 0)
    g_error ("expected a fault in %s, got %s: %s", field, found, reason);
  g_assert_true ((found == NULL) == (reason == NULL));
  if (part_of_reason != NULL && strstr (reason, part_of_reason) == NULL)
    g_error ("expected \"…%s…\", got \"%s\"", part_of_reason, reason);
}

static void
test_whole_and_bare_requests_have_the_form (void)
{
  SvChallengeRequest whole = whole_request (), bare = bare_request ();
  assert_form (&whole, FALSE, NULL, NULL);
  assert_form (&bare, FALSE, NULL, NULL);
}

static const struct
{
  const char *name;
  gsize offset;
  gboolean required;
} parts[] = {
  { "validator_hotkey", PART (validator_hotkey), TRUE },
  { "signature", PART (signature), TRUE },
  { "nonce", PART (nonce), TRUE },
  { "netuid", PART (netuid), TRUE },
  { "element_id", PART (element_id), TRUE },
  { "miner_hotkey", PART (miner_hotkey), FALSE },
  { "chute_slug", PART (chute_slug), FALSE },
  { "X-Manifest-Hash", PART (manifest_hash), TRUE },
  { "X-Client-Id", PART (client_id), FALSE },
  { "X-Nonce", PART (x_nonce), FALSE },
  { "X-Signature", PART (x_signature), FALSE },
};

static void
test_required_parts_are_missed (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
  {
    SvChallengeRequest request = bare_request ();
    set_part (&request, parts[i].offset, NULL);
    assert_form (&request, FALSE, parts[i].required ? parts[i].name : NULL, parts[i].required ? "is missing" : NULL);
  }
}

static void
test_empty_parts_are_malformed (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
  {
    SvChallengeRequest request = whole_request ();
    set_part (&request, parts[i].offset, "");
    assert_form (&request, FALSE, parts[i].name, "is malformed");
  }
}

static void
test_the_first_bad_part_is_named (void)
{
  for (gsize i = 0; i + 1 < G_N_ELEMENTS (parts); i++)
  {
    SvChallengeRequest request = whole_request ();
    set_part (&request, parts[i].offset, "\x7f");
    set_part (&request, parts[i + 1].offset, "\x7f");
    assert_form (&request, FALSE, parts[i].name, NULL);
  }
}

static void
test_syntax_of_each_part (void)
{
  static const struct
  {
    gsize offset;
    const char *value;
    gboolean valid;
  } cases[] = {
    { PART (validator_hotkey), "ss58:" ALICE, FALSE },
    { PART (validator_hotkey), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ", FALSE },
    { PART (validator_hotkey), ALICE " ", FALSE },
    { PART (signature), "ed25519:" HEX_128, TRUE },
    { PART (signature), "sr25519:" HEX_128, TRUE },
    { PART (signature), HEX_A, FALSE },
    { PART (signature), HEX_128 "a", FALSE },
    { PART (signature), "rsa:" HEX_128, FALSE },
    { PART (nonce), "176117760000000000", FALSE },
    { PART (nonce), "17611776000000000000", FALSE },
    { PART (nonce), "176117760000000000x", FALSE },
    { PART (nonce), "-761177600000000000", FALSE },
    { PART (netuid), "45", FALSE },
    { PART (netuid), "044", FALSE },
    { PART (netuid), "44.0", FALSE },
    { PART (element_id), "../index", FALSE },
    { PART (element_id), "ns/Detect-Person", TRUE },
    { PART (miner_hotkey), "ss58:" BOB, FALSE },
    { PART (miner_hotkey), ALICE, TRUE },
    { PART (chute_slug), "www", FALSE },
    { PART (chute_slug), "UPPER", FALSE },
    { PART (manifest_hash), HEX_A, TRUE },
    { PART (manifest_hash), "sha256:AA", FALSE },
    { PART (manifest_hash), "sha512:" HEX_A, FALSE },
    { PART (client_id), "A-z.0_9", TRUE },
    { PART (client_id), HEX_A, TRUE },
    { PART (client_id), HEX_A "a", FALSE },
    { PART (client_id), "uid 123", FALSE },
    { PART (client_id), "uid/123", FALSE },
    { PART (x_nonce), "12345678", TRUE },
    { PART (x_nonce), "1234567", FALSE },
    { PART (x_nonce), HEX_A, TRUE },
    { PART (x_nonce), HEX_A "a", FALSE },
    { PART (x_nonce), "1234_5678", FALSE },
    { PART (x_signature), HEX_A, FALSE },
    { PART (x_signature), "0x" HEX_128, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
  {
    SvChallengeRequest request = whole_request ();
    const char *name = NULL;
    for (gsize p = 0; p < G_N_ELEMENTS (parts); p++)
      name = parts[p].offset == cases[i].offset ? parts[p].name : name;
    set_part (&request, cases[i].offset, cases[i].value);
    assert_form (&request, FALSE, cases[i].valid ? NULL : name, cases[i].valid ? NULL : name);
  }
}

static void
test_another_netuid_is_named (void)
{
  SvChallengeRequest request = whole_request ();
  request.netuid = "45";
  assert_form (&request, FALSE, "netuid", "netuid is 45; this server serves netuid 44");
}

static void
test_signature_needs_its_nonce (void)
{
  SvChallengeRequest request = whole_request ();
  request.x_nonce = NULL;
  assert_form (&request, FALSE, "X-Nonce", "X-Nonce is missing");
  request.x_signature = NULL;
  assert_form (&request, FALSE, NULL, NULL);
  request.x_nonce = "01234567-abcd";
  assert_form (&request, FALSE, NULL, NULL);
}

static void
test_form_of_the_proof_is_not_judged_here (void)
{
  SvChallengeRequest request = whole_request ();
  request.commitment_proof = "rubbish";
  assert_form (&request, FALSE, NULL, NULL);
  request.commitment_proof = NULL;
  assert_form (&request, FALSE, NULL, NULL);
}

static void
test_legacy_looks_at_four_parts (void)
{
  SvChallengeRequest request = whole_request ();

  for (gsize i = 4; i < G_N_ELEMENTS (parts); i++)
    set_part (&request, parts[i].offset, "\x7f");
  assert_form (&request, TRUE, NULL, NULL);
  for (gsize i = 0; i < 4; i++)
  {
    SvChallengeRequest spoilt = request;
    set_part (&spoilt, parts[i].offset, "\x7f");
    assert_form (&spoilt, TRUE, parts[i].name, NULL);
    set_part (&spoilt, parts[i].offset, NULL);
    assert_form (&spoilt, TRUE, parts[i].name, "is missing");
  }
}

static void
test_nonce_is_fresh_for_a_minute_either_way (void)
{
  const gint64 at = 1761177600000;

  g_assert_true (sv_nonce_is_fresh (NONCE, at));
  g_assert_true (sv_nonce_is_fresh (NONCE, at + 60000));
  g_assert_false (sv_nonce_is_fresh (NONCE, at + 60001));
  g_assert_true (sv_nonce_is_fresh (NONCE, at - 60000));
  g_assert_false (sv_nonce_is_fresh (NONCE, at - 60001));
  g_assert_false (sv_nonce_is_fresh ("9999999999999999999", at));
  g_assert_true (sv_nonce_is_fresh ("9999999999999999999", 9999999999999));
  g_assert_false (sv_nonce_is_fresh ("0000000000000000000", at));
  g_assert_false (sv_nonce_is_fresh ("rubbish", at));
}

static void
test_signed_text_has_the_hash_as_sent (void)
{
  g_autofree char *text = sv_challenge_signed_text (HEX_A, "01234567-abcd");
  g_assert_cmpstr (text, ==, HEX_A ":01234567-abcd");
  char same[SV_CHALLENGE_SIGNED_TEXT_SIZE];
  g_assert_cmpuint (sv_challenge_signed_text_into (HEX_A, "01234567-abcd", same), ==, strlen (text));
  g_assert_cmpstr (same, ==, text);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/challenge request/whole and bare requests have the form", test_whole_and_bare_requests_have_the_form);
  g_test_add_func ("/challenge request/required parts are missed", test_required_parts_are_missed);
  g_test_add_func ("/challenge request/empty parts are malformed", test_empty_parts_are_malformed);
  g_test_add_func ("/challenge request/the first bad part is named", test_the_first_bad_part_is_named);
  g_test_add_func ("/challenge request/syntax of each part", test_syntax_of_each_part);
  g_test_add_func ("/challenge request/another netuid is named", test_another_netuid_is_named);
  g_test_add_func ("/challenge request/signature needs its nonce", test_signature_needs_its_nonce);
  g_test_add_func ("/challenge request/form of the proof is not judged here", test_form_of_the_proof_is_not_judged_here);
  g_test_add_func ("/challenge request/legacy looks at four parts", test_legacy_looks_at_four_parts);
  g_test_add_func ("/challenge request/nonce is fresh for a minute either way", test_nonce_is_fresh_for_a_minute_either_way);
  g_test_add_func ("/challenge request/signed text has the hash as sent", test_signed_text_has_the_hash_as_sent);
  return g_test_run ();
}
