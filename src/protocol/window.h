/* Windows: which entry of an index rules at a block (docs/protocol.md section 4). Pure. */
#pragma once

#include "protocol/manifest_index.h"

typedef enum
{
  SV_WINDOW_UPCOMING,   /* not yet in force */
  SV_WINDOW_ACTIVE,     /* the one that rules */
  SV_WINDOW_IN_FORCE,   /* in force beside the active one, during an overlap */
  SV_WINDOW_SUPERSEDED, /* replaced, and its overlap is over */
  SV_WINDOW_EXPIRED,
} SvWindowState;

const char *sv_window_state_name (SvWindowState state); /* "UPCOMING", "ACTIVE", … */

/* max(start_block, active_from) <= block < min(expiry_block, superseded_at_block) */
gboolean sv_entry_in_force (const SvIndexEntry *entry, guint64 block);
gboolean sv_entry_expired (const SvIndexEntry *entry, guint64 block);

/* (transfer none) of the entries in force the one with the greatest added_sequence, or NULL. */
const SvIndexEntry *sv_window_active (const SvIndex *index, guint64 block);

/* (transfer none) the next live entry by expiry_block after the active one, or the first with start_block > block. */
const SvIndexEntry *sv_window_upcoming (const SvIndex *index, guint64 block);

/* All that sv_window_upcoming() could name, nearest first. Returns: (transfer container) (element-type SvIndexEntry). */
GPtrArray *sv_window_all_upcoming (const SvIndex *index, guint64 block);

SvWindowState sv_window_state (const SvIndex *index, const SvIndexEntry *entry, guint64 block);

/* What the Challenge API answers for a manifest hash at a block. */
typedef enum
{
  SV_WINDOW_SERVES,  /* @entry in force */
  SV_WINDOW_UNKNOWN, /* 404: hash unknown, or no entry of it in force and not expired */
  SV_WINDOW_OVER,    /* 410: @entry expired */
} SvWindowVerdict;

SvWindowVerdict sv_window_judge (const SvIndex *index, const char *manifest_hash, guint64 block, const SvIndexEntry **entry);

/* Whether the window named is known to be over at @block (any entry of it, none of them unexpired). */
gboolean sv_window_is_over (const SvIndex *index, const char *window_id, guint64 block);

/* The smallest start_block - 14,400 of the unexpired live entries (0 at least), from which following begins; FALSE if none. */
gboolean sv_window_follow_from (const SvIndex *index, guint64 block, guint64 *from_block);
