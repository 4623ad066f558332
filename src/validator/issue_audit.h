/* The published issue logs that an audit asks of (docs/protocol.md section 9, rule 7): each window's is read once, when the
 * first shard of it comes. */
#pragma once

#include "distribution/issued_log.h"
#include "protocol/shard.h"
#include "validator/issued_book.h"

/* What was read of one window's log. */
typedef struct
{
  char *window_id;
  char *contradiction; /* for people, naming both files: the issuer has signed two different things; or NULL */
  GPtrArray *keys;     /* (element-type SvIssuedKey): each K of its closing line; empty as long as there is none */
  GPtrArray *faults;   /* of char: what could not be read or used, the first ones */
  guint64 n_faults;    /* all of them */
} SvIssueWindow;

typedef struct SvIssueAudit SvIssueAudit;

/* Called while a log is read; may be NULL. */
typedef void (*SvIssueProgress) (const char *window_id, guint64 n_records, gpointer data);

/* @reader is borrowed. Returns: (transfer full). */
SvIssueAudit *sv_issue_audit_new (SvReader *reader, SvIssueProgress progress, gpointer data,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_issue_audit_free (SvIssueAudit *audit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvIssueAudit, sv_issue_audit_free)

/* (transfer none) what is known of the window, whose live manifest is @manifest; NULL for one that cannot be had: then nothing
 * can be read. The error is one of the temporary database. */
const SvIssueWindow *sv_issue_audit_window (SvIssueAudit *audit, const char *window_id, const SvManifest *manifest,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) NULL where it was not asked for yet. */
const SvIssueWindow *sv_issue_audit_known (SvIssueAudit *audit, const char *window_id);

/* The windows that were read, by id. Returns: (transfer container) (element-type SvIssueWindow). */
GPtrArray *sv_issue_audit_windows (const SvIssueAudit *audit);

/* What the log of the window says of the shard. */
gboolean sv_issue_audit_judge (SvIssueAudit *audit, const SvIssueWindow *window, const SvShard *shard, SvIssueStatus *status,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer full) the `draw_commit` that an answer for the shard must have had: of the K that was published of its manifest.
 * NULL where it is not public yet, or the log contradicts itself. */
char *sv_issue_window_draw_commit (const SvIssueWindow *window, const SvShard *shard);

/* (transfer none) */
SvIssuedBook *sv_issue_audit_book (SvIssueAudit *audit);
