/* The events of a block (System.Events), read for what became of its extrinsics. */
#pragma once

#include <jansson.h>

#include "chain/subtensor/metadata.h"

typedef enum
{
  SV_OUTCOME_UNKNOWN, /* no event tells */
  SV_OUTCOME_SUCCESS,
  SV_OUTCOME_FAILURE,
} SvDispatchOutcome;

typedef struct
{
  SvDispatchOutcome *outcomes; /* by extrinsic index */
  char **failures;             /* by extrinsic index: "Commitments.AccountNotAllowedCommit: docs", or NULL */
  guint n;
} SvBlockOutcomes;

void sv_block_outcomes_clear (SvBlockOutcomes *outcomes);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvBlockOutcomes, sv_block_outcomes_clear)

/* Reads the value of System.Events for a block of @n_extrinsics extrinsics. */
gboolean sv_events_read_outcomes (const SvMetadata *metadata, const void *data, gsize length, guint n_extrinsics,
                                  SvBlockOutcomes *outcomes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A DispatchError as the JSON of sv_value_decode(), in words: "Commitments.AccountNotAllowedCommit: Account is not allowed to
 * make commitments to the chain", "BadOrigin", "Token.FundsUnavailable". Returns: (transfer full). */
char *sv_dispatch_error_text (const SvMetadata *metadata, const json_t *dispatch_error);
