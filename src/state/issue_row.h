/* The form in which the SQLite engine keeps the issue records of one transaction: as one row of bytes (sqlite_issue.c). Pure.
 */
#pragma once

#include <glib.h>

/* What a record says in numbers, in the order in which they stand. */
typedef enum
{
  SV_ISSUE_ROW_ID,    /* above that of the record before */
  SV_ISSUE_ROW_ASKER, /* from here on, ids of names (sqlite_names.c) … */
  SV_ISSUE_ROW_MINER,
  SV_ISSUE_ROW_WINDOW,
  SV_ISSUE_ROW_MANIFEST,
  SV_ISSUE_ROW_ELEMENT,
  SV_ISSUE_ROW_CLIP, /* … up to here */
  SV_ISSUE_ROW_SEED, /* as 64 bits */
  SV_ISSUE_ROW_BLOCK,
  SV_ISSUE_ROW_TIME,
  SV_ISSUE_ROW_NONCE, /* the nonce itself, where that is 1 … G_MAXINT64; else minus the length of its text */
  SV_ISSUE_ROW_NUMBERS,
} SvIssueRowNumber;

#define SV_ISSUE_ROW_NAMES (SV_ISSUE_ROW_CLIP - SV_ISSUE_ROW_ASKER + 1)

/* ── writing ── */

/* A row that is being written; all zeros but for @bytes, which is empty, before its first record. */
typedef struct
{
  GString *bytes;
  guint n_records;
  gint64 last[SV_ISSUE_ROW_NUMBERS]; /* of the last one */
} SvIssueRow;

/* Begins an empty row in place of what was written. */
void sv_issue_row_empty (SvIssueRow *row);

/* @numbers are the record's, SV_ISSUE_ROW_NONCE is set here. The id is positive, and above that of the record before. */
void sv_issue_row_append (SvIssueRow *row, gint64 numbers[SV_ISSUE_ROW_NUMBERS], const char *nonce);

/* ── reading ── */

/* A part of a row that has not been read yet. */
typedef struct
{
  const guint8 *at;
  const guint8 *end;
  gint64 numbers[SV_ISSUE_ROW_NUMBERS]; /* of the record that was read last */
  const guint8 *text;                   /* its nonce, where that is no number */
} SvIssueRowRest;

/* The bytes are borrowed; NULL where there are none. */
void sv_issue_row_read (SvIssueRowRest *rest, const void *bytes, gsize length);

/* Reads the next record. FALSE: what stands there is none; so it is where @at is @end, for which the caller looks before. */
gboolean sv_issue_row_next (SvIssueRowRest *rest) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none) the nonce of the record that was read last, in @buffer. */
const char *sv_issue_row_nonce (const SvIssueRowRest *rest, GString *buffer);
