/* Finding what moves in a clip: decode it with FFmpeg's libraries, take the median of some frames as the background, and box
 * every connected region that differs from it. No neural network, but real work on real frames. */
#pragma once

#include <glib.h>
#include <jansson.h>

#define DETECT_MAX_FRAMES 3000

/* @path is a local file; only mov/mp4 and matroska/webm are read. Returns: (transfer full)
 * {"frames":[{"frame_id":0,"boxes":[{"x1":…,"y1":…,"x2":…,"y2":…,"cls_id":…,"conf":…}]}]} in pixels of the clip, or NULL with
 * *@problem (transfer full) for people. cls_id is 0 for a player, 1 for a ball. */
json_t *detect_moving_blobs (const char *path, char **problem);
