/* Predictions: what a chute answers for a clip (docs/protocol.md section 8). Pure. */
#pragma once

#include "base/json.h"

#define SV_PREDICTIONS_MAX_BOXES 1000 /* in a frame */

/* Every rule for {"frames": [{"frame_id", "boxes": [{"x1", "y1", "x2", "y2", "cls_id", "conf"}]}]}: at most @max_frames frames
 * with ids below it, each once, at most SV_PREDICTIONS_MAX_BOXES boxes a frame, six finite numbers a box. SV_ERROR_MALFORMED
 * with the first fault and its pointer. */
gboolean sv_predictions_check (const json_t *predictions, guint64 max_frames, GError **error) G_GNUC_WARN_UNUSED_RESULT;
