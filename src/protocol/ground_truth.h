/* Ground truth of a clip, as today's public client reads it (docs/protocol.md section 7). Pure. */
#pragma once

#include "base/json.h"

#define SV_GROUND_TRUTH_MAX_SIZE (16 << 20) /* bytes, as written by people and in canonical form */

/* Every rule for {"annotations": [{"bbox": [4 numbers], "class" or "label", "frame_idx", "polygon": [[x, y], …]}]}, with at
 * least one annotation; unknown fields are kept. SV_ERROR_MALFORMED names @name and the place of the first fault. Returns:
 * (transfer full) the canonical text. */
char *sv_ground_truth_parse (const char *name, const void *data, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
