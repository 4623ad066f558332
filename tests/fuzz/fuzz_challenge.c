/* Both directions of the Challenge API: an input that begins with "{" is an answer, which is written and read again when it has
 * the form; any other is a request, one part per line in the order of SvChallengeRequest, an empty line being an absent part.
 */
#include "protocol/challenge.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

#define N_PARTS 12

static void
read_answer (const guint8 *data, size_t size)
{
  g_autoptr (json_t) json = sv_json_parse ("fuzz", data, size, 1024 * 1024, NULL);
  g_autoptr (SvChallenge) challenge = json != NULL ? sv_challenge_from_json (json, NULL) : NULL;
  if (challenge == NULL)
    return;
  g_autoptr (json_t) written = sv_challenge_to_json (challenge);
  g_autoptr (SvChallenge) again = sv_challenge_from_json (written, NULL);
  g_assert_nonnull (again);
  g_assert_cmpstr (again->clip_url, ==, challenge->clip_url);
  g_assert_cmpuint (again->seed, ==, challenge->seed);
}

static void
read_request (const guint8 *data, size_t size)
{
  const char *parts[N_PARTS] = { NULL };
  g_autofree char *input = g_strndup ((const char *)data, size);
  g_auto (GStrv) lines = g_strsplit (input, "\n", N_PARTS);
  for (guint i = 0; lines[i] != NULL; i++)
    parts[i] = *lines[i] != '\0' ? lines[i] : NULL;

  SvChallengeRequest request = {
    parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6], parts[7], parts[8], parts[9], parts[10], parts[11],
  };
  g_autofree char *legacy_reason = NULL, *reason = NULL;
  const char *legacy_field = sv_challenge_check_form (&request, 44, TRUE, &legacy_reason);
  const char *field = sv_challenge_check_form (&request, 44, FALSE, &reason);
  g_assert_true ((field == NULL) == (reason == NULL));
  g_assert_true (legacy_field == NULL || legacy_field == field);
  if (field != NULL)
    return;

  static const guint8 key[32] = { 1 };
  const char *miner = request.miner_hotkey != NULL ? request.miner_hotkey : request.validator_hotkey;
  (void)sv_nonce_is_fresh (request.nonce, 1761177600000);
  g_autofree char *bound = sv_bound_nonce ("http://127.0.0.1:8080", 44, request.validator_hotkey, request.nonce,
                                           request.element_id, miner, request.chute_slug, request.commitment_proof);
  g_assert_true (*bound == '\0' || strlen (bound) == 36);
  g_assert_cmpuint (
      sv_draw_seed (key, request.manifest_hash, request.element_id, request.validator_hotkey, miner, request.nonce), <=,
      SV_JSON_MAX_INTEGER);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (size > 0 && data[0] == '{')
    read_answer (data, size);
  else
    read_request (data, size);
  return 0;
}
