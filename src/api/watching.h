/* What the three watchers do in one step. Each has engines of its own, because an engine serves one thread. What a watcher is
 * made with is borrowed. */
#pragma once

#include "api/board.h"
#include "api/chain_opener.h"
#include "bindings/follower.h"
#include "bindings/validators.h"
#include "distribution/reader.h"

typedef struct SvManifestWatch SvManifestWatch;

/* Opens state and reader; the chain, and with signers of `chain:owner` the reader too, as soon as that answers. Returns:
 * (transfer full). */
SvManifestWatch *sv_manifest_watch_new (const SvConfig *config, SvBoard *board, SvChainOpener *opener,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_manifest_watch_free (SvManifestWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvManifestWatch, sv_manifest_watch_free)

/* An SvWatcherStep: the index (past caches when demanded), the manifests that it names, the registered clips. */
void sv_manifest_watch_step (gboolean is_demanded, gpointer watch);

typedef struct SvChainWatch SvChainWatch;

/* Opens the state; the chain as soon as that answers. @validators may be NULL. Returns: (transfer full). */
SvChainWatch *sv_chain_watch_new (const SvConfig *config, SvBoard *board, SvChainOpener *opener, SvValidators *validators,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_chain_watch_free (SvChainWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvChainWatch, sv_chain_watch_free)

/* An SvWatcherStep: the head, the validator list, the commitments. */
void sv_chain_watch_step (gboolean is_demanded, gpointer watch);

typedef struct SvClipWatch SvClipWatch;

/* Opens the store. Returns: (transfer full). */
SvClipWatch *sv_clip_watch_new (const SvConfig *config, SvBoard *board, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_clip_watch_free (SvClipWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvClipWatch, sv_clip_watch_free)

/* An SvWatcherStep: whether the registered clips are in the store. */
void sv_clip_watch_step (gboolean is_demanded, gpointer watch);

/* Logs @error unless it is the one that @last holds, and remembers it there; NULL: all is well again. */
void sv_watch_report (const char *what, const GError *error, char **last);

/* What a watcher that reads the state has told. */
typedef struct
{
  char *fault;
  gint64 since_us; /* monotonic: the state is away, and its keeper has not said so; 0: it is not */
} SvWatchTold;

void sv_watch_told_clear (SvWatchTold *told);

/* The same, but for a state that is away: of that there is one line, its keeper's, whoever meets it. A fault of the state that
 * the keeper does not meet is told after a while. */
void sv_watch_report_state (SvBoard *board, const char *what, const GError *error, SvWatchTold *told);

/* TRUE where @error is the keeper's to tell; *@since_us is kept between calls, 0 at first. */
gboolean sv_watch_is_told_by_keeper (SvBoard *board, const GError *error, gint64 *since_us);
