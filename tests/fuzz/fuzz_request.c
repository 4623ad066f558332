/* A request as it comes from the network: the first line is the target, the others are headers. Whatever it holds, taking it
 * apart ends, within its bounds, and its form is either right or has a fault with a name. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/http.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
add_header (GArray *headers, const char *line)
{
  const char *colon = strchr (line, ':');
  g_autofree char *name = colon != NULL ? g_strndup (line, (gsize)(colon - line)) : NULL;
  g_autofree char *value = colon != NULL ? g_strstrip (g_strdup (colon + 1)) : NULL;
  if (name != NULL)
    sv_pairs_add (headers, name, value);
}

static void
check_form (SvChallengeRequest *request, gboolean legacy)
{
  g_autofree char *reason = NULL;
  const char *field = sv_challenge_check_form (request, 44, legacy, &reason);
  g_assert_true ((field == NULL) == (reason == NULL));
  if (field != NULL || legacy)
    return;
  g_autofree char *bound =
      sv_bound_nonce ("https://api.example", 44, request->validator_hotkey, request->nonce, request->element_id,
                      request->validator_hotkey, request->chute_slug != NULL ? request->chute_slug : "",
                      request->commitment_proof != NULL ? request->commitment_proof : "");
  g_assert_true (*bound == '\0' || strlen (bound) == 36);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *reason = NULL;
  SvChallengeRequest request;
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 32);
  g_autoptr (SvTarget) target = sv_target_parse (lines[0] != NULL ? lines[0] : "", &reason);
  g_autoptr (GArray) headers = sv_pairs_new ();

  g_assert_true ((target == NULL) == (reason != NULL));
  if (target == NULL)
    return 0;
  g_assert_true (target->path[0] == '/' && target->parameters->len <= SV_PARAMETERS_MAX);
  for (guint i = 1; lines[i] != NULL; i++)
    add_header (headers, lines[i]);
  if (sv_challenge_request_read (target->parameters, headers, &request) != NULL)
    return 0;
  check_form (&request, TRUE);
  check_form (&request, FALSE);
  return 0;
}
