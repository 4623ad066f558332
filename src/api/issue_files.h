/* The issue log of a window in the store (docs/protocol.md section 7): where it ends, and how a file is added. All of it can be
 * interrupted anywhere and done by several at once: which records a file has is decided by its signpost, of which there is one
 * for each first id, and whoever finds a signpost without its file writes the file. */
#pragma once

#include "keys/keypair.h"
#include "protocol/issued.h"
#include "protocol/manifest_index.h"
#include "state/state.h"
#include "store/object_store.h"

/* All borrowed. */
typedef struct
{
  SvObjectStore *store;
  SvState *state;
  const SvKeypair *keypair;
  const SvChainId *chain;
  guint rest; /* sv_issue_files_rest(): for how many times as long as it works it leaves the processor to others,
                 sv_thread_pause() */
} SvIssueFiles;

/* How long publishing rests at the most, by how long records have waited for it: 20 times as long as it works up to
 * @interval_us (> 0), then less and less, as long as it works from twice that on. */
guint sv_issue_files_rest (gint64 waited_us, gint64 interval_us);

/* The records of the window from @first to @last, at most @max of them. Returns: (transfer full) (element-type SvIssueRecord).
 */
GPtrArray *sv_issue_files_records (const SvIssueFiles *files, const char *window_id, guint64 first, guint64 last, guint max,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where the log of the window ends: *@next is the first id that no file covers, SV_ISSUED_END + 1 where it is closed. A file
 * that lacks behind its signpost is written on the way. @keys are for the closing line: NULL where the window is not over, and
 * then a log that is closed is SV_ERROR_VERIFY, as is one whose last record is not the state's: the state is an old one, or
 * another. */
gboolean sv_issue_files_find_end (const SvIssueFiles *files, const char *window_id, const GPtrArray *keys, guint64 *next,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* *@next: the first id that the signposts of the window's log do not lead over, whoever put them; SV_ISSUED_END + 1 where it is
 * closed. */
gboolean sv_issue_files_public_end (SvObjectStore *store, const char *window_id, guint64 *next,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Before the first challenge of the window is handed out: no id that its log covers is given (again), by whatever database it
 * was published, and of a window whose log is closed, whose K is public, nothing is issued any more. */
gboolean sv_issue_files_fence (SvObjectStore *store, SvState *state, const char *window_id,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a file with @records, which begin at @first or later and are all that there are up to their last. SV_ERROR_CONFLICT
 * where somebody else came first: find the end anew. */
gboolean sv_issue_files_add (const SvIssueFiles *files, const char *window_id, guint64 first, const GPtrArray *records,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Each K of the window's manifests, those of superseded ones too; no other may be public before the window is over. Returns:
 * (transfer full) (element-type SvIssuedKey). */
GPtrArray *sv_issue_files_keys (SvState *state, const SvIndex *index, const char *window_id,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the closing line. @keys (element-type SvIssuedKey). */
gboolean sv_issue_files_close (const SvIssueFiles *files, const char *window_id, guint64 first, guint64 last_id,
                               const GPtrArray *keys, GError **error) G_GNUC_WARN_UNUSED_RESULT;
