/* The operator's clips: stored by content hash in private/clips/ and registered in the state of the Challenge API
 * (docs/protocol.md section 3). The object comes first, so what is registered is there. */
#pragma once

#include "state/state.h"
#include "store/object_store.h"

/* What people say about a clip: each [a-z0-9][a-z0-9_-]{0,31}, and where its objects are. */
typedef struct
{
  const char *sport;
  const char *scenario;
  const char *challenge_type;
  const char *ground_truth; /* of sv_ground_truth_parse(); NULL: what there is stays */
} SvClipLabels;

/* "private/clips/{hex}" of a stored hash. Returns: (transfer full). */
char *sv_clip_key (const char *hash);

/* Probes @path, stores it unless it is there, and registers it. The same call again changes nothing; with other labels or
 * ground truth it replaces them. @was_registered may be NULL. Returns: (transfer full). */
SvClip *sv_clip_add (SvObjectStore *store, SvState *state, const char *path, const SvClipLabels *labels,
                     gboolean *was_registered, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes the clip out of the register and, with @delete_object, out of the store. SV_ERROR_NOT_FOUND when there was nothing to
 * remove. */
gboolean sv_clip_remove (SvObjectStore *store, SvState *state, const char *hash, gboolean delete_object,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
