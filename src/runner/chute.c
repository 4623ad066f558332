#include "runner/chute.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "base/url.h"
#include "protocol/predictions.h"
#include "protocol/shard.h"

#define CALL_TIMEOUT_MS 30000
#define FIRST_BACKOFF_MS 400
#define TIMER_SLACK_MS 20 /* a time limit is kept to the millisecond, or nearly */

void
sv_prediction_clear (SvPrediction *prediction)
{
  json_decref (prediction->predictions);
  json_decref (prediction->telemetry);
  *prediction = (SvPrediction){ 0 };
}

/* A slug in the host name stands before a dot: in "https://{slug}" or "https://x{slug}" the domain would be the miner's choice,
 * and CHUTES_API_KEY would go there. */
static gboolean
has_own_domain (const char *template)
{
  const char *host = strstr (template, "://");
  host = host != NULL ? host + strlen ("://") : template;
  const char *end = host + strcspn (host, "/");
  for (const char *slug = host; (slug = strstr (slug, "{slug}")) != NULL && slug < end;)
  {
    slug += strlen ("{slug}");
    if (*slug != '.')
      return FALSE;
  }
  return TRUE;
}

/* What holds for every slug. */
static gboolean
check_template (const char *template, GError **error)
{
  if (template == NULL || strstr (template, "{slug}") == NULL)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "CHUTES_MINER_BASE_URL_TEMPLATE must hold {slug}, as in https://{slug}.chutes.ai");
    return FALSE;
  }
  if (!has_own_domain (template))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "CHUTES_MINER_BASE_URL_TEMPLATE must name the domain after {slug}, as in https://{slug}.chutes.ai");
    return FALSE;
  }
  return TRUE;
}

char *
sv_chute_url (const SvConfig *config, const char *slug, GError **error)
{
  const char *template = sv_config_get (config, "CHUTES_MINER_BASE_URL_TEMPLATE");
  const char *endpoint = sv_config_get (config, "CHUTES_MINER_PREDICT_ENDPOINT");
  if (!check_template (template, error))
    return NULL;
  if (!sv_chute_slug_is_valid (slug))
  {
    g_autofree char *shown = sv_text_printable (slug);
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE, "`%s` is not a chute slug (lower-case letters, digits, hyphens)", shown);
    return NULL;
  }
  g_auto (GStrv) parts = g_strsplit (template, "{slug}", -1);
  g_autofree char *base = g_strjoinv (slug, parts);
  gsize length = strlen (base);
  while (length > 0 && base[length - 1] == '/')
    base[--length] = '\0';
  return g_strdup_printf ("%s/%s", base, endpoint != NULL ? endpoint : "predict");
}

gboolean
sv_chute_check_settings (const SvConfig *config, GError **error)
{
  g_auto (SvUrl) url = { 0 };
  g_autofree char *text = sv_chute_url (config, "slug", error);
  if (text == NULL)
    return FALSE;
  if (sv_url_parse (text, &url, error))
    return TRUE;
  g_prefix_error (error, "CHUTES_MINER_BASE_URL_TEMPLATE and CHUTES_MINER_PREDICT_ENDPOINT give no address: ");
  return FALSE;
}

/* ── the answer ── */

static json_t *
take_telemetry (const json_t *answer)
{
  json_t *telemetry = json_object_get (answer, "telemetry");
  g_autoptr (GBytes) bytes = json_is_object (telemetry) ? sv_json_canonical (telemetry, NULL) : NULL;
  return bytes != NULL && g_bytes_get_size (bytes) <= SV_SHARD_MAX_TELEMETRY ? json_incref (telemetry) : json_object ();
}

static gboolean
read_answer (const SvHttpResponse *response, const SvChuteCall *call, SvPrediction *prediction, GError **error)
{
  g_autoptr (json_t) answer = sv_json_parse ("the chute's answer", g_bytes_get_data (response->body, NULL),
                                             g_bytes_get_size (response->body), SV_CHUTE_MAX_ANSWER, error);
  if (answer == NULL)
    return FALSE;
  if (!json_is_true (json_object_get (answer, "success")))
  {
    const char *problem = json_string_value (json_object_get (answer, "error"));
    g_autofree char *shown = sv_text_printable (problem != NULL ? problem : "no reason given");
    g_set_error (error, SV_ERROR, SV_ERROR_FAILED, "the chute says that it failed: %s", shown);
    return FALSE;
  }
  json_t *predictions = json_object_get (answer, "predictions");
  if (!sv_predictions_check (predictions, call->max_frames, error))
    return FALSE;
  prediction->predictions = json_incref (predictions);
  prediction->telemetry = take_telemetry (answer);
  return TRUE;
}

/* ── calling ── */

static gboolean
is_worth_another_try (const SvHttpResponse *response, const GError *error)
{
  if (response == NULL)
    return g_error_matches (error, SV_ERROR, SV_ERROR_UNREACHABLE);
  return response->status == 429 || response->status >= 500;
}

static void
back_off (guint first_ms, guint attempt)
{
  guint base = first_ms << attempt;
  g_usleep ((gulong)(base / 2 + randombytes_uniform (base)) * 1000);
}

static SvHttpResponse *
call_with_tries (SvHttpClient *http, const SvHttpRequest *request, guint backoff_ms, double *latency_ms, GError **error)
{
  for (guint attempt = 0;; attempt++)
  {
    GError *local = NULL;
    gint64 began = g_get_monotonic_time ();
    SvHttpResponse *response = sv_http_perform (http, request, &local);
    *latency_ms = (double)(g_get_monotonic_time () - began) / 1000.0;
    gboolean took_all_time = *latency_ms + TIMER_SLACK_MS >= request->limits.total_timeout_ms;
    if (attempt + 1 == SV_CHUTE_TRIES || took_all_time || !is_worth_another_try (response, local))
    {
      if (local != NULL)
        g_propagate_error (error, local);
      return response;
    }
    g_clear_error (&local);
    g_clear_pointer (&response, sv_http_response_free);
    back_off (backoff_ms, attempt);
  }
}

static GBytes *
request_body (const SvChuteCall *call)
{
  g_autoptr (json_t) body = json_object ();
  json_object_set_new (body, "url", json_string (call->clip_url));
  json_object_set_new (body, "frames", json_null ());
  json_object_set (body, "meta", (json_t *)call->meta);
  return sv_json_canonical (body, NULL);
}

gboolean
sv_call_miner_model_on_chutes (SvHttpClient *http, const SvConfig *config, const char *const *own_origins,
                               const SvChuteCall *call, SvPrediction *prediction, GError **error)
{
  g_autofree char *url = sv_chute_url (config, call->slug, error);
  if (url == NULL)
    return FALSE;
  const char *key = sv_config_get (config, "CHUTES_API_KEY");
  g_autofree char *authorization = key != NULL ? g_strdup_printf ("Authorization: Bearer %s", key) : NULL;
  const char *headers[] = { "Content-Type: application/json", authorization, NULL };
  g_autoptr (GBytes) body = request_body (call);
  guint timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : CALL_TIMEOUT_MS;
  guint backoff_ms = call->backoff_ms > 0 ? call->backoff_ms : FIRST_BACKOFF_MS;
  SvHttpRequest request = { .method = "POST",
                            .url = url,
                            .headers = headers,
                            .body = body,
                            .limits = { .max_bytes = SV_CHUTE_MAX_ANSWER,
                                        .total_timeout_ms = timeout_ms,
                                        .connect_timeout_ms = 10000,
                                        .stall_timeout_ms = timeout_ms,
                                        .policy = SV_HTTP_PUBLIC_ADDRESS,
                                        .own_origins = own_origins } };
  g_autoptr (SvHttpResponse) response = call_with_tries (http, &request, backoff_ms, &prediction->latency_ms, error);
  if (response == NULL)
    return FALSE;
  if (response->status != 200)
  {
    g_set_error (error, SV_ERROR, SV_ERROR_UNREACHABLE, "chute %s answered with status %u", call->slug, response->status);
    return FALSE;
  }
  return read_answer (response, call, prediction, error);
}
