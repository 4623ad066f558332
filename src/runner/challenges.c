/* Requests are built here, sent by base/http_client, and answers judged by protocol/challenge. */
#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/schema.h"
#include "runner/challenges.h"

#define MAX_ANSWER (256 * 1024)

void
sv_refusal_clear (SvRefusal *refusal)
{
  g_free (refusal->error);
  g_free (refusal->reason);
  g_free (refusal->message);
  *refusal = (SvRefusal){ 0 };
}

/* ── asking ── */

/* Nanoseconds since the epoch. The clock gives microseconds; the rest is random, so that two requests of one microsecond (of
 * two runners with one key) still differ. */
static char *
make_nonce (void)
{
  return g_strdup_printf ("%019" G_GINT64_FORMAT, g_get_real_time () * 1000 + (gint64)randombytes_uniform (1000));
}

char *
sv_build_validator_query_params (const SvChallengeClient *client, char **nonce)
{
  *nonce = make_nonce ();
  g_autofree char *signature = sv_keypair_sign (client->keypair, *nonce, strlen (*nonce));
  const char *hex = strchr (signature, ':') + 1;
  return g_strdup_printf ("validator_hotkey=%s&signature=0x%s&nonce=%s&netuid=%u", sv_keypair_address (client->keypair), hex,
                          *nonce, client->netuid);
}

static char *
build_url (const SvChallengeClient *client, const SvChallengeAsk *ask, char **nonce)
{
  g_autofree char *params = sv_build_validator_query_params (client, nonce);
  g_autofree char *element = sv_url_escape (ask->bound->binding.element_id);
  return g_strdup_printf ("%s/api/challenge/v3?%s&element_id=%s&chute_slug=%s%s%s", client->base, params, element,
                          ask->bound->binding.chute_slug, ask->miner != NULL ? "&miner_hotkey=" : "",
                          ask->miner != NULL ? ask->miner : "");
}

/* The bound X-Nonce and its signature, so that the request is good for this server and this binding only. */
static GPtrArray *
build_headers (const SvChallengeClient *client, const SvChallengeAsk *ask, const char *nonce)
{
  const char *asker = sv_keypair_address (client->keypair);
  g_autofree char *x_nonce =
      sv_bound_nonce (client->base, client->netuid, asker, nonce, ask->bound->binding.element_id,
                      ask->miner != NULL ? ask->miner : asker, ask->bound->binding.chute_slug, ask->bound->proof);
  g_autofree char *text = sv_challenge_signed_text (ask->manifest->hash, x_nonce);
  g_autofree char *signature = sv_keypair_sign (client->keypair, text, strlen (text));
  GPtrArray *headers = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (headers, g_strdup_printf ("X-Manifest-Hash: %s", ask->manifest->hash));
  g_ptr_array_add (headers, g_strdup_printf ("X-Commitment-Proof: %s", ask->bound->proof));
  g_ptr_array_add (headers, g_strdup_printf ("X-Nonce: %s", x_nonce));
  g_ptr_array_add (headers, g_strdup_printf ("X-Signature: %s", signature));
  g_ptr_array_add (headers, NULL);
  return headers;
}

/* ── answers ── */

static char *
printable_or_null (const json_t *text)
{
  return json_is_string (text) ? sv_text_printable (json_string_value (text)) : NULL;
}

static void
read_refusal (const SvHttpResponse *response, SvRefusal *refusal)
{
  g_autoptr (json_t) json =
      sv_json_parse ("answer", g_bytes_get_data (response->body, NULL), g_bytes_get_size (response->body), MAX_ANSWER, NULL);
  const char *retry_after = sv_http_response_header (response, "retry-after");
  const char *message = json_string_value (json_object_get (json, "message"));
  refusal->status = response->status;
  refusal->error = printable_or_null (json_object_get (json, "error"));
  refusal->reason = printable_or_null (json_object_get (json, "reason"));
  refusal->message = message != NULL ? sv_text_printable (message) : g_strdup_printf ("status %u", response->status);
  refusal->retry_after_s = retry_after != NULL ? (guint)MIN (g_ascii_strtoull (retry_after, NULL, 10), 3600) : 0;
}

/* The JSON of a 200; NULL with @refusal or @error otherwise. */
static json_t *
ask_api (const SvChallengeClient *client, const char *url, const char *const *headers, SvRefusal *refusal, GError **error)
{
  SvHttpRequest request = { .url = url, .headers = headers, .limits = SV_HTTP_LIMITS_DEFAULT };
  request.limits.max_bytes = MAX_ANSWER;
  g_autoptr (SvHttpResponse) response = sv_http_perform (client->http, &request, error);
  if (response == NULL)
  {
    g_prefix_error (error, "the Challenge API (SCOREVISION_API, --api) does not answer: ");
    return NULL;
  }
  if (response->status != 200)
  {
    read_refusal (response, refusal);
    return NULL;
  }
  return sv_json_parse ("the Challenge API's answer", g_bytes_get_data (response->body, NULL),
                        g_bytes_get_size (response->body), MAX_ANSWER, error);
}

SvChallenge *
sv_get_next_challenge_v3 (const SvChallengeClient *client, const SvChallengeAsk *ask, SvRefusal *refusal, GError **error)
{
  g_autofree char *nonce = NULL;
  g_autofree char *url = build_url (client, ask, &nonce);
  g_autoptr (GPtrArray) headers = build_headers (client, ask, nonce);
  g_autoptr (json_t) json = ask_api (client, url, (const char *const *)headers->pdata, refusal, error);
  if (json == NULL)
    return NULL;
  g_autoptr (SvChallenge) challenge = sv_challenge_from_json (json, error);
  if (challenge == NULL || !sv_challenge_agrees (challenge, ask->manifest, ask->manifest->hash, ask->bound->binding.element_id,
                                                 &ask->bound->binding, error))
    return NULL;
  return g_steal_pointer (&challenge);
}

/* ── legacy ── */

void
sv_task_free (SvTask *task)
{
  if (task == NULL)
    return;
  g_free (task->task_id);
  g_free (task->video_url);
  g_free (task->challenge_type);
  g_free (task);
}

SvTask *
sv_get_next_challenge (const SvChallengeClient *client, SvRefusal *refusal, GError **error)
{
  g_autofree char *nonce = NULL;
  g_autofree char *params = sv_build_validator_query_params (client, &nonce);
  g_autofree char *url = g_strdup_printf ("%s/api/tasks/next/v2?%s", client->base, params);
  g_autoptr (json_t) json = ask_api (client, url, NULL, refusal, error);
  if (json == NULL)
    return NULL;
  g_autoptr (SvFaults) faults = sv_faults_new ();
  g_auto (SvScope) scope = { 0 };
  g_autoptr (SvTask) task = g_new0 (SvTask, 1);
  if (sv_scope_init (&scope, json, "", faults))
  {
    task->task_id = g_strdup (sv_scope_string (&scope, "task_id", SV_REQUIRED));
    task->video_url = g_strdup (sv_scope_string (&scope, "video_url", SV_REQUIRED));
    task->challenge_type = g_strdup (sv_scope_string (&scope, "challenge_type", SV_OPTIONAL));
    sv_scope_number (&scope, "fps", SV_REQUIRED, 0.001, 1000, &task->fps);
    sv_scope_integer (&scope, "seed", SV_OPTIONAL, &task->seed);
  }
  return sv_faults_check (faults, "the Challenge API's answer", error) ? g_steal_pointer (&task) : NULL;
}
