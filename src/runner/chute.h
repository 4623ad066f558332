/* The chute client (docs/protocol.md section 8): calls the miner's model by its committed slug and checks every part of the
 * answer before anything is scored. */
#pragma once

#include "base/config.h"
#include "base/http_client.h"
#include "base/json.h"

#define SV_CHUTE_MAX_ANSWER (16 * 1024 * 1024)
#define SV_CHUTE_TRIES 4

typedef struct
{
  const char *slug;
  const char *clip_url;
  const json_t *meta; /* what the body's "meta" holds */
  guint64 max_frames; /* of the clip */
  guint timeout_ms;   /* of one attempt; 0: 30 s */
  guint backoff_ms;   /* before the second attempt, doubled for each further one; 0: 400 */
} SvChuteCall;

typedef struct
{
  json_t *predictions; /* {"frames": […]}, checked */
  json_t *telemetry;   /* the answer's object, at most 16 KiB; else {} */
  double latency_ms;   /* of the attempt that answered */
} SvPrediction;

void sv_prediction_clear (SvPrediction *prediction);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvPrediction, sv_prediction_clear)

/* One call (the user's `call_miner_model_on_chutes`), with up to four tries on 429, 5xx and network faults; an attempt that has
 * used up its time is not repeated, since the call has failed by then whatever comes. FALSE with @error when none succeeded or
 * the answer breaks a rule; the chute is then at fault, not the runner. */
gboolean sv_call_miner_model_on_chutes (SvHttpClient *http, const SvConfig *config, const char *const *own_origins,
                                        const SvChuteCall *call, SvPrediction *prediction,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The address that is called: the template with the slug, "/", the endpoint. SV_ERROR_USAGE for a template without {slug},
 * and for a slug that is none: it stands in a host name that CHUTES_API_KEY is sent to.
 * Returns: (transfer full). */
char *sv_chute_url (const SvConfig *config, const char *slug, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the settings make an address of any slug. SV_ERROR_USAGE names them. */
gboolean sv_chute_check_settings (const SvConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
