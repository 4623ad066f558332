/* What clip_module.c expects of the module that clip_probe.c is built into. For these two files only. */
#pragma once

#include "operator/clip_probe.h"

#define SV_CLIP_MODULE "sv_clip_probe.so"
#define SV_CLIP_MODULE_PROBE sv_clip_probe_by_ffmpeg

/* sv_clip_probe(), in the module. */
gboolean SV_CLIP_MODULE_PROBE (const char *path, SvClipFacts *facts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
