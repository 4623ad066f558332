/* Admission in memory: nonces seen and requests counted, per asker, before anything is written (docs/protocol.md section 7).
 * The same rules as sv_state_admit(), which has the last word for several instances; this one answers first and costs no disk.
 * Any thread may call it. */
#pragma once

#include "state/state.h"

typedef struct SvAdmissionMemory SvAdmissionMemory;

typedef enum
{
  SV_ADMISSION_OK,
  SV_ADMISSION_REPLAYED,
  SV_ADMISSION_LIMITED,
  SV_ADMISSION_FULL, /* a stranger came while the memory for strangers is used up */
} SvAdmissionVerdict;

/* One request. Strings are borrowed. */
typedef struct
{
  const char *asker;
  const char *nonce;
  const char *x_nonce;   /* or NULL */
  const char *client_id; /* or NULL */
  gint64 time_ms;
  gboolean is_stranger; /* not a known asker: remembered only while there is room */
} SvAdmissionRequest;

/* @max_strangers bounds the askers that are remembered without being known: keys cost nothing to make. */
SvAdmissionMemory *sv_admission_new (const SvAdmissionRules *rules, guint max_strangers);
void sv_admission_free (SvAdmissionMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvAdmissionMemory, sv_admission_free)

/* TRUE when a nonce of the request was admitted before. Changes nothing. */
gboolean sv_admission_is_replay (SvAdmissionMemory *memory, const SvAdmissionRequest *request);

/* Judges and, for SV_ADMISSION_OK, remembers the request. A replay or a refused request is not counted. @retry_after_s is set
 * for SV_ADMISSION_LIMITED, from 1. */
SvAdmissionVerdict sv_admission_admit (SvAdmissionMemory *memory, const SvAdmissionRequest *request, guint *retry_after_s);

/* Remembers a request that was admitted before a restart. */
void sv_admission_remember (SvAdmissionMemory *memory, const SvAdmissionRequest *request);

/* Nonces in memory, for /metrics. */
guint sv_admission_size (SvAdmissionMemory *memory);

/* "60/60s", "1000/1h" -> rules; SV_ERROR_USAGE naming @setting. Nonces are remembered as long as they could be fresh, and as
 * long as they count. */
gboolean sv_admission_rules_parse (const char *setting, const char *text, SvAdmissionRules *rules,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
