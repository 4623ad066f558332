/* What a clip is, read from its bytes (docs/protocol.md sections 7 and 8): mp4/mov or matroska/webm, at most SV_CLIP_MAX_BYTES.
 */
#pragma once

#include <glib.h>

typedef struct
{
  guint64 duration_ms;
  double fps; /* to three decimals */
  guint width;
  guint height;
} SvClipFacts;

/* Probes the file by its content, reads it to its end and decodes its first frame. SV_ERROR_MALFORMED for anything that is not
 * a whole clip of these containers: a playlist, an image, text, a file cut short, one whose name ends in another type. Only
 * this one file is ever opened. */
gboolean sv_clip_probe (const char *path, SvClipFacts *facts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
