/* The evaluator (docs/protocol.md section 8): a program of the operator's choice that scores predictions. It reads
 * {challenge, element, predictions} as JSON and prints {"metrics": {pillar: 0…1}}. */
#pragma once

#include "protocol/manifest.h"

typedef struct
{
  const char *command; /* program and arguments, quoted as for a shell; no shell is started */
  guint timeout_ms;
  gsize max_output;
} SvEvaluator;

#define SV_EVALUATOR_DEFAULTS(command_line)                                                                                    \
  ((SvEvaluator){ .command = (command_line), .timeout_ms = 120000, .max_output = 1024 * 1024 })

/* Returns: (transfer full) the metrics object, with exactly the element's pillars. Every failure (not started, slow, endless,
 * killed, wrong exit, wrong output) is an error that becomes the shard's `error`. */
json_t *sv_evaluate (const SvEvaluator *evaluator, const json_t *input, const SvElement *element,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
