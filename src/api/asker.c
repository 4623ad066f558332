/* Who asks. The order is the protocol's: signatures before the nonce's age, age before replay, replay before permission,
 * permission before the rate. A nonce is used up only by a request whose signature was right, so nobody can use up another's.
 */
#include "api/asker.h"

#include <string.h>

#include "keys/signature.h"

gboolean
sv_asker_is_validator (const SvService *service, const char *asker)
{
  return service->validators != NULL && sv_validators_contain (service->validators, asker);
}

gboolean
sv_asker_is_known (const SvService *service, const SvSnapshot *snapshot, const char *asker)
{
  return sv_asker_is_validator (service, asker) || sv_snapshot_knows (snapshot, asker);
}

SvReply *
sv_reply_invalid (const char *field, const char *message)
{
  json_t *body = sv_error_body ("invalid_request", "%s", message);
  json_object_set_new (body, "field", json_string (field));
  return sv_reply_json (400, "invalid_request", body);
}

SvReply *
sv_asker_read (SvExchange *exchange, gboolean legacy, SvChallengeRequest *request)
{
  g_autofree char *reason = NULL;
  const char *field = sv_challenge_request_read (exchange->target->parameters, exchange->headers, request);
  if (field != NULL)
    reason = g_strdup_printf ("%s is given more than once", field);
  else
    field = sv_challenge_check_form (request, exchange->service->netuid, legacy, &reason);
  if (field != NULL)
    return sv_reply_invalid (field, reason);
  exchange->asker = request->validator_hotkey;
  return NULL;
}

SvReply *
sv_reply_unauthorized (const char *reason)
{
  static const struct
  {
    const char *reason;
    const char *message;
  } messages[] = {
    { "bad_signature", "Ed25519 signature verification failed" },
    { "stale_nonce", "The nonce is not within 60 s of the server's clock; it must be the time in nanoseconds" },
    { "replayed_nonce", "The nonce was used before; each request needs a new one" },
    { "not_permitted", "This account may not ask that: it is not on the validator list" },
    { "unbound_nonce", "Asking for another miner needs an X-Nonce bound to this request, with its X-Signature" },
  };
  const char *message = "";
  for (gsize i = 0; i < G_N_ELEMENTS (messages); i++)
    if (strcmp (messages[i].reason, reason) == 0)
      message = messages[i].message;
  json_t *body = sv_error_body ("invalid_signature", "%s", message);
  json_object_set_new (body, "reason", json_string (reason));
  return sv_reply_json (401, reason, body);
}

SvReply *
sv_reply_rate_limited (guint retry_after_s)
{
  json_t *body = sv_error_body ("rate_limit_exceeded", "Too many requests. Retry after: %us", retry_after_s);
  json_object_set_new (body, "retry_after", sv_json_integer (retry_after_s));
  SvReply *reply = sv_reply_json (409, "rate_limit_exceeded", body);
  sv_reply_set_retry_after (reply, retry_after_s);
  return reply;
}

SvReply *
sv_reply_overloaded (const char *message)
{
  SvReply *reply = sv_reply_error (503, "overloaded", "%s", message);
  sv_reply_set_retry_after (reply, 1);
  return reply;
}

SvReply *
sv_reply_chain_unavailable (const char *why)
{
  SvReply *reply = sv_reply_error (503, "chain_unavailable", "The chain cannot be relied on just now: %s", why);
  sv_reply_set_retry_after (reply, 5);
  return reply;
}

static gboolean
verify (SvMetrics *metrics, const SvChallengeRequest *request, const char *text, gsize length, const SvSignature *signature)
{
  gboolean is_valid = sv_signature_verify_by_key (request->asker_key, text, length, signature);
  sv_metrics_count_signature (metrics, signature->scheme, is_valid);
  return is_valid;
}

static gboolean
has_signed_nonce (SvMetrics *metrics, const SvChallengeRequest *request)
{
  return verify (metrics, request, request->nonce, strlen (request->nonce), &request->asker_signature);
}

static gboolean
has_signed_hash (SvMetrics *metrics, const SvChallengeRequest *request)
{
  char text[SV_CHALLENGE_SIGNED_TEXT_SIZE];
  gsize length = sv_challenge_signed_text_into (request->manifest_hash, request->x_nonce, text);
  return verify (metrics, request, text, length, &request->asker_x_signature);
}

SvReply *
sv_asker_verify (const SvService *service, const SvChallengeRequest *request, gboolean legacy, gint64 now_ms)
{
  if (!has_signed_nonce (service->metrics, request) ||
      (!legacy && request->x_signature != NULL && !has_signed_hash (service->metrics, request)))
    return sv_reply_unauthorized ("bad_signature");
  return sv_nonce_is_fresh (request->nonce, now_ms) ? NULL : sv_reply_unauthorized ("stale_nonce");
}

SvReply *
sv_asker_admit (SvService *service, const SvAdmissionRequest *request, const char *refusal, gboolean is_counted)
{
  guint retry_after_s = 0;
  if (refusal != NULL && is_counted && sv_admission_is_replay (service->admission, request))
    return sv_reply_unauthorized ("replayed_nonce");
  if (refusal != NULL)
    return sv_reply_unauthorized (refusal);
  if (!is_counted)
    return NULL;
  switch (sv_admission_admit (service->admission, request, &retry_after_s))
  {
  case SV_ADMISSION_REPLAYED:
    return sv_reply_unauthorized ("replayed_nonce");
  case SV_ADMISSION_LIMITED:
    return sv_reply_rate_limited (retry_after_s);
  case SV_ADMISSION_FULL:
    return sv_reply_overloaded ("Too many different accounts are asking; try again later");
  case SV_ADMISSION_OK:
    break;
  }
  return NULL;
}

void
sv_issue_entry_borrow (SvIssueEntry *entry, const SvAdmissionRequest *request)
{
  *entry = (SvIssueEntry){ .is_borrowed = TRUE,
                           .asker = (char *)request->asker,
                           .nonce = (char *)request->nonce,
                           .x_nonce = (char *)request->x_nonce,
                           .client_id = (char *)(request->client_id != NULL ? request->client_id : ""),
                           .now_ms = request->time_ms };
}

SvIssueEntry *
sv_issue_entry_new (const SvAdmissionRequest *request)
{
  SvIssueEntry *entry = g_new0 (SvIssueEntry, 1);
  entry->asker = g_strdup (request->asker);
  entry->nonce = g_strdup (request->nonce);
  entry->x_nonce = g_strdup (request->x_nonce);
  entry->client_id = g_strdup (request->client_id != NULL ? request->client_id : "");
  entry->now_ms = request->time_ms;
  return entry;
}

SvReply *
sv_issue_entry_fault (const SvIssueEntry *entry)
{
  if (!entry->is_durable)
    return sv_reply_overloaded ("The request cannot be recorded in the database just now; try again with a new nonce");
  switch (entry->outcome)
  {
  case SV_REPLAYED_NONCE:
    return sv_reply_unauthorized ("replayed_nonce");
  case SV_RATE_LIMITED:
    return sv_reply_rate_limited (entry->retry_after_s);
  case SV_WINDOW_CLOSED: /* whose request was for a window answers it by that */
  case SV_ADMITTED:
    break;
  }
  return NULL;
}
