/* Publishes the issue log (docs/protocol.md section 7) to the operator's store, on a thread of its own: of the instances that
 * share a state the one that leads. Requests never wait for it. */
#pragma once

#include "api/board.h"
#include "api/chain_opener.h"
#include "base/config.h"

/* Of SCOREVISION_ISSUE_INTERVAL, which is 1 at least. */
#define SV_ISSUE_INTERVAL_MAX_S 86400

typedef struct SvIssuePublisher SvIssuePublisher;

/* Opens state and store, and reads the hotkey. Without one that can be read nothing is published, which is told in the log and
 * in the metrics, and is no error. @board and @opener are borrowed. Returns: (transfer full). */
SvIssuePublisher *sv_issue_publisher_new (const SvConfig *config, SvBoard *board, SvChainOpener *opener,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of a server that has handed out nothing: what it asks the store is not wanted any more (sv_watcher_hurry()). */
void sv_issue_publisher_hurry (SvIssuePublisher *publisher);

/* Ends after the file in hand. */
void sv_issue_publisher_free (SvIssuePublisher *publisher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIssuePublisher, sv_issue_publisher_free)

/* Appends its metrics, from any thread. */
void sv_issue_publisher_write_metrics (SvIssuePublisher *publisher, GString *out);
