/* The audit of draws (docs/protocol.md section 7): once a window is closed and each K is public, every challenge of it can be
 * drawn again. What comes out was in nobody's hand, or is named. */
#pragma once

#include "validator/issue_audit.h"

typedef enum
{
  SV_DRAWS_RIGHT,
  SV_DRAWS_WRONG,
  SV_DRAWS_CONTRADICTED, /* an issuer has signed two different logs of the window */
  SV_DRAWS_UNREADABLE,   /* a part of the log, or a manifest, cannot be had */
  SV_DRAWS_NOT_CLOSED,   /* the window is not over, or its closing line is not public yet */
} SvDrawsVerdict;

/* "right", "wrong", … */
const char *sv_draws_verdict_name (SvDrawsVerdict verdict);

typedef struct
{
  guint64 challenge_id; /* 0: it is about the window as a whole */
  const char *reason;   /* static */
  char *detail;
} SvDrawFault;

typedef struct
{
  char *manifest_hash;
  char *draw_commit; /* SHA-256 of the K that was published, to be held against the answers; NULL where none was */
  guint64 n_records;
} SvDrawsOfManifest;

typedef struct
{
  SvDrawsVerdict verdict;
  char *window_id;
  guint64 n_records;
  guint64 n_wrong;
  char *detail;      /* for people: why it is unreadable or not closed; or NULL */
  GPtrArray *keys;   /* (element-type SvDrawsOfManifest) */
  GPtrArray *faults; /* (element-type SvDrawFault): the first of the wrong ones */
} SvDraws;

void sv_draws_free (SvDraws *draws);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvDraws, sv_draws_free)

/* Audits the window of @entry, a live entry of @index. @finalized_block is the chain's. Memory does not grow with the number of
 * records. The error is one of the temporary database. Returns: (transfer full). */
SvDraws *sv_draws_audit (SvIssueAudit *issued, SvReader *reader, const SvIndex *index, const SvIndexEntry *entry,
                         guint64 finalized_block, GError **error) G_GNUC_WARN_UNUSED_RESULT;
