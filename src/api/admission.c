/* Admission in memory, under one lock: judging takes about a microsecond. Known askers are bounded by the chain. Strangers,
 * whom only v2 without a validator list admits, are apart and bounded by a number; who has become known meanwhile may not use a
 * nonce again that he used as a stranger. */
#include "api/admission.h"

#include <string.h>

#include "base/error.h"
#include "base/identifiers.h"
#include "state/request_memory.h"

struct SvAdmissionMemory
{
  guint limit;
  guint max_strangers;
  GMutex lock;
  SvRequestMemory *known;
  SvRequestMemory *strangers;
  gint n_nonces; /* atomic */
};

SvAdmissionMemory *
sv_admission_new (const SvAdmissionRules *rules, guint max_strangers)
{
  SvAdmissionMemory *memory = g_new0 (SvAdmissionMemory, 1);
  memory->limit = rules->limit;
  memory->max_strangers = max_strangers;
  memory->known = sv_request_memory_new (rules);
  memory->strangers = sv_request_memory_new (rules);
  g_mutex_init (&memory->lock);
  return memory;
}

void
sv_admission_free (SvAdmissionMemory *memory)
{
  if (memory == NULL)
    return;
  g_mutex_clear (&memory->lock);
  sv_request_memory_free (memory->known);
  sv_request_memory_free (memory->strangers);
  g_free (memory);
}

static SvRequest
request_of (const SvAdmissionRequest *request)
{
  return (SvRequest){ .asker = request->asker,
                      .nonce = request->nonce,
                      .x_nonce = request->x_nonce,
                      .client_id = request->client_id != NULL ? request->client_id : "",
                      .now_ms = request->time_ms };
}

static gboolean
is_replay_among (const SvRequestMemory *memory, const SvRequest *request)
{
  return sv_request_memory_nonces (memory) > 0 && sv_request_memory_is_replay (memory, request);
}

gboolean
sv_admission_is_replay (SvAdmissionMemory *memory, const SvAdmissionRequest *asked)
{
  SvRequest request = request_of (asked);
  g_mutex_lock (&memory->lock);
  gboolean is_replay = is_replay_among (memory->known, &request) || is_replay_among (memory->strangers, &request);
  g_mutex_unlock (&memory->lock);
  return is_replay;
}

static gboolean
has_room (const SvAdmissionMemory *memory, const SvAdmissionRequest *asked)
{
  return !asked->is_stranger || sv_request_memory_askers (memory->strangers) < memory->max_strangers ||
         sv_request_memory_knows (memory->strangers, asked->asker);
}

static SvAdmissionVerdict
judge (SvAdmissionMemory *memory, const SvAdmissionRequest *asked, guint *retry_after_s)
{
  SvRequest request = request_of (asked);
  sv_request_memory_pass_time (memory->strangers, asked->time_ms);
  if (is_replay_among (asked->is_stranger ? memory->known : memory->strangers, &request))
    return SV_ADMISSION_REPLAYED;
  if (!has_room (memory, asked))
    return SV_ADMISSION_FULL;
  switch (
      sv_request_memory_judge (asked->is_stranger ? memory->strangers : memory->known, memory->limit, &request, retry_after_s))
  {
  case SV_REPLAYED_NONCE:
    return SV_ADMISSION_REPLAYED;
  case SV_RATE_LIMITED:
    return SV_ADMISSION_LIMITED;
  default:
    return SV_ADMISSION_OK;
  }
}

/* For whoever wants to know how many there are, and shall not keep requests waiting for it. */
static void
note_size (SvAdmissionMemory *memory)
{
  guint n = sv_request_memory_nonces (memory->known) + sv_request_memory_nonces (memory->strangers);
  g_atomic_int_set (&memory->n_nonces, (gint)n);
}

SvAdmissionVerdict
sv_admission_admit (SvAdmissionMemory *memory, const SvAdmissionRequest *asked, guint *retry_after_s)
{
  g_mutex_lock (&memory->lock);
  SvAdmissionVerdict verdict = judge (memory, asked, retry_after_s);
  note_size (memory);
  g_mutex_unlock (&memory->lock);
  return verdict;
}

void
sv_admission_remember (SvAdmissionMemory *memory, const SvAdmissionRequest *asked)
{
  SvRequest request = request_of (asked);
  SvRequestMemory *own = asked->is_stranger ? memory->strangers : memory->known;
  g_mutex_lock (&memory->lock);
  if (!sv_request_memory_is_replay (own, &request))
    sv_request_memory_recall (own, memory->limit, &request);
  note_size (memory);
  g_mutex_unlock (&memory->lock);
}

guint
sv_admission_size (SvAdmissionMemory *memory)
{
  return (guint)g_atomic_int_get (&memory->n_nonces);
}

/* ── the setting ── */

static gboolean
parse_period (const char *text, guint64 *ms)
{
  static const struct
  {
    char unit;
    guint64 ms;
  } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 } };
  gsize length = strlen (text);
  for (gsize i = 0; length > 1 && i < G_N_ELEMENTS (units); i++)
  {
    g_autofree char *digits = g_strndup (text, length - 1);
    guint64 n;
    if (text[length - 1] != units[i].unit || !sv_integer_parse (digits, &n))
      continue;
    *ms = n * units[i].ms;
    return n >= 1 && n <= 86400 && *ms <= 86400000;
  }
  return FALSE;
}

gboolean
sv_admission_rules_parse (const char *setting, const char *text, SvAdmissionRules *rules, GError **error)
{
  guint64 limit, window_ms;
  g_auto (GStrv) halves = g_strsplit (text, "/", 3);
  if (g_strv_length (halves) != 2 || !sv_integer_parse (halves[0], &limit) || limit < 1 || limit > 1000000000 ||
      !parse_period (halves[1], &window_ms))
  {
    g_set_error (error, SV_ERROR, SV_ERROR_USAGE,
                 "%s: \"%s\" is not a rate; write requests per time, such as 60/60s or 1000/1h", setting, text);
    return FALSE;
  }
  rules->limit = (guint)limit;
  rules->window_ms = window_ms;
  rules->remember_ms = MAX (window_ms, 2 * SV_NONCE_WINDOW_MS);
  return TRUE;
}
