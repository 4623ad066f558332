/* The tally of an audit: how many shards got which verdict, and why. It lives in a temporary SQLite database on disk, because
 * of several shards with the same validator and challenge only the one with the lowest SHA-256 counts (docs/protocol.md section
 * 9), which needs a memory of all of them: on disk it may grow, in memory it does not. */
#pragma once

#include "protocol/shard.h"

typedef struct SvTally SvTally;

/* The database is made in $TMPDIR and has no name there, so nothing is left behind. Returns: (transfer full). */
SvTally *sv_tally_new (GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sv_tally_free (SvTally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvTally, sv_tally_free)

/* Counts one shard. @shard is NULL for a line that is not one (rule 1); @hash is the line's. @source names it for people
 * ("FILE:LINE"). */
gboolean sv_tally_add (SvTally *tally, const SvShard *shard, const char *hash, const SvShardJudgement *judgement,
                       const char *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Notes that a chute serves a hotkey in a window; see sv_tally_shared_chutes(). TRUE in *@is_new the first time. */
gboolean sv_tally_note_chute (SvTally *tally, const char *window_id, const char *chute_id, const char *hotkey, gboolean *is_new,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct
{
  guint64 by_verdict[SV_SHARD_LEGACY + 1];
  guint64 duplicates;      /* shards that another one of the same validator and challenge stands for */
  guint64 issue_unchecked; /* accepted without an issue log to hold them against */
  guint64 unreadable;      /* of the undecided */
  guint64 shared_chutes;   /* (window, chute) pairs that several hotkeys have bound */
  json_t *reasons;         /* {"rejected: latency": 3, …} */
} SvTallyCounts;

void sv_tally_counts_clear (SvTallyCounts *counts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SvTallyCounts, sv_tally_counts_clear)

gboolean sv_tally_count (SvTally *tally, SvTallyCounts *counts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The shards that were rejected or undecided, in the order read, at most @limit. */
typedef void (*SvVisitTallied) (const char *source, const char *verdict, guint rule, const char *reason, const char *detail,
                                gpointer data);
gboolean sv_tally_visit (SvTally *tally, guint limit, SvVisitTallied visit, gpointer data,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
