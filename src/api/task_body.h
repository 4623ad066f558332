/* What a task of the endpoints without manifest is: a clip drawn at random, and what is told of it (docs/protocol.md section
 * 7). The same for v2 and for the endpoints of today's client. */
#pragma once

#include "api/service.h"

/* (transfer none) one of the registered clips that can be handed out, or NULL. */
const SvClip *sv_task_draw_clip (const SvSnapshot *snapshot);

/* What is drawn for who asks for an element. All is (transfer none), the snapshot's. */
typedef struct
{
  const SvClip *clip;
  guint64 seed;
  const SvIndexEntry *entry; /* the window in force that has the element; NULL where any clip was drawn */
} SvTaskDraw;

/* Where the index names the element, one of its clips under the window in force, by their weights; else any clip. @element_id
 * may be NULL. Returns: (transfer full) 503 `chain_unavailable` or `no_challenge`, 404 `no_active_window`; NULL when @draw is
 * filled. */
SvReply *sv_task_draw (const SvService *service, const SvSnapshot *snapshot, const char *element_id, gint64 now_ms,
                       SvTaskDraw *draw);

/* {"video_url", "fps", "challenge_type", "seed"} of the clip; the link works from @now_ms on. Returns: (transfer full). */
json_t *sv_task_body (const SvService *service, const SvClip *clip, guint64 seed, gint64 now_ms);

/* 53 random bits. */
guint64 sv_task_seed (void);

/* 503 `no_challenge`. */
SvReply *sv_task_reply_no_clip (void);
