/* The audit of shards (docs/protocol.md section 9). Rules stand in protocol/shard.h; here is the world they are asked of: the
 * verified manifests, the chain's commitments, the validator list. Memory does not grow with the number of shards. */
#pragma once

#include "bindings/bindings.h"
#include "bindings/validators.h"
#include "distribution/reader.h"
#include "validator/issue_audit.h"
#include "validator/tally.h"

typedef struct SvAudit SvAudit;

/* How far the chain has been read. */
typedef void (*SvAuditProgress) (guint64 block, guint64 head, gpointer data);

/* Reads index and commitments once. @chain and @reader are borrowed; @progress may be NULL. SV_ERROR_USAGE with no validator
 * list configured. Returns: (transfer full). */
SvAudit *sv_audit_new (const SvConfig *config, SvChain *chain, SvReader *reader, SvAuditProgress progress, gpointer data,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_audit_free (SvAudit *audit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvAudit, sv_audit_free)

/* Judges one line and counts it. @source names it for people. */
gboolean sv_audit_line (SvAudit *audit, const char *line, gsize length, const char *source,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Counts something that is no shard, and cannot be read as one, as rejected by rule 1. */
gboolean sv_audit_reject (SvAudit *audit, const char *detail, const char *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Counts something that cannot be read now as undecided: the audit goes on with the rest. */
gboolean sv_audit_unreadable (SvAudit *audit, const char *detail, const char *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Judges every line of a stream; a line longer than a shard may be is rejected without being held in memory. @name is used in
 * sources. */
gboolean sv_audit_stream (SvAudit *audit, int fd, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A file of JSON lines, a directory (all *.jsonl below it), or a store URL (its scorevision/shards/). @window_id, if not NULL,
 * limits stores and directories to paths with that part. */
gboolean sv_audit_source (SvAudit *audit, const char *source, const char *window_id, const SvConfig *config,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) */
SvTally *sv_audit_tally (SvAudit *audit);
/* (transfer none) the published issue logs that were read. */
SvIssueAudit *sv_audit_issued (SvAudit *audit);

/* Shards whose challenge the log confirms and whose manifest's K is public: whether the answer had K's hash. */
typedef struct
{
  guint64 n_same;
  guint64 n_different;
  GPtrArray *different; /* (element-type char) for people: the first of them */
} SvDrawCommits;

/* (transfer none) */
const SvDrawCommits *sv_audit_draw_commits (const SvAudit *audit);
/* TRUE where a log that was read contradicts itself. */
gboolean sv_audit_has_contradiction (const SvAudit *audit);

guint64 sv_audit_lines (const SvAudit *audit);
guint64 sv_audit_finalized_block (const SvAudit *audit);
/* Blocks that could not be read, as sv_bindings_list_blocks() writes them; "" when there are none. Returns: (transfer full). */
char *sv_audit_unreadable_blocks (const SvAudit *audit);
