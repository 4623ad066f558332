/* What the server counts of requests. Any thread may count, and counting takes no lock: a few relaxed additions into the
 * thread's own part. Endpoints and outcomes are static strings of ours, so nobody outside can make a new series. */
#pragma once

#include "api/exposition.h"
#include "base/log_limit.h"
#include "keys/signature.h"

typedef struct SvMetrics SvMetrics;

SvMetrics *sv_metrics_new (void);
void sv_metrics_free (SvMetrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvMetrics, sv_metrics_free)

/* Answers of one endpoint, status and outcome. */
typedef struct
{
  const char *endpoint;
  const char *outcome;
  guint status;
  SvLogLimit log_limit; /* of their lines */
} SvAnswerKind;

/* One answer. @endpoint and @outcome are static strings. Returns: (transfer none) its kind, which lives as long as @metrics. */
SvAnswerKind *sv_metrics_count (SvMetrics *metrics, const char *endpoint, guint status, const char *outcome,
                                gint64 duration_us);

/* What one challenge's time is spent on, in this order. */
typedef enum
{
  SV_STEP_HEAD,       /* from its first byte to its headers taken apart */
  SV_STEP_SIGNATURES, /* its form, and its signatures */
  SV_STEP_ADMISSION,  /* nonce, permission, rate */
  SV_STEP_JUDGING,
  SV_STEP_INDEX,   /* waiting for the manifest index to be read anew */
  SV_STEP_CHAIN,   /* waiting for the chain to be read anew */
  SV_STEP_QUEUED,  /* waiting for its turn in the issue log */
  SV_STEP_DURABLE, /* being written there */
  SV_STEP_SENT,    /* from there to the answer's last byte handed to the system */
  SV_N_STEPS,
} SvStep;

void sv_metrics_count_step (SvMetrics *metrics, SvStep step, gint64 duration_us);

/* One signature of a request. */
void sv_metrics_count_signature (SvMetrics *metrics, SvScheme scheme, gboolean is_valid);

/* What a suspended request waits for. */
typedef enum
{
  SV_WAIT_NONE,
  SV_WAIT_INDEX,
  SV_WAIT_CHAIN,
  SV_WAIT_STATE,
  SV_N_WAITS,
} SvWait;

/* @change: 1 when it begins to wait, -1 when it goes on. */
void sv_metrics_count_waiting (SvMetrics *metrics, SvWait wait, gint change);

/* Appends all of these. */
void sv_metrics_write (SvMetrics *metrics, GString *out);

/* Lines about answers that were left out of the log are told in the log: whoever leaves one out says so, and @is_pending holds
 * until all are told, a second later. */
void sv_metrics_note_left_out (SvMetrics *metrics);
gboolean sv_metrics_is_pending (const SvMetrics *metrics);
void sv_metrics_tell_left_out (SvMetrics *metrics, gint64 now_us, GString *log);
