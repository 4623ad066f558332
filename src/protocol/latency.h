/* Latency, RTF and scores (docs/protocol.md section 8 and 9). Pure. */
#pragma once

#include "protocol/manifest.h"

#define SV_LATENCY_CALLS 5
#define SV_LATENCY_FAILED_MS 30000.0

typedef struct
{
  gboolean is_known; /* at least SV_LATENCY_CALLS calls; else p95 and RTF are null and the gate fails */
  double p95_ms;     /* nearest rank: ceil(0.95 n) */
  double rtf;        /* (p95_ms / 1000) × (service_rate_fps / 5) */
  gboolean pass;     /* RTF <= 1 and p95 <= latency_p95_ms */
} SvLatency;

void sv_latency_evaluate (const double *latencies_ms, gsize n, const SvElement *element, SvLatency *latency);

/* Σ weight·pillar; FALSE unless @metrics has exactly the element's pillars, each a number 0…1. */
gboolean sv_score_weighted (const json_t *metrics, const SvElement *element, double *score);
