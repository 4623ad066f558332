/* Which entry of an index rules at a block. Everything follows from one predicate, sv_entry_in_force(); superseded entries
 * take part, because they stay in force for the overlap. */
#include "protocol/window.h"

#include "protocol/commitment.h"

const char *
sv_window_state_name (SvWindowState state)
{
  static const char *const names[] = {
    [SV_WINDOW_UPCOMING] = "UPCOMING",     [SV_WINDOW_ACTIVE] = "ACTIVE",   [SV_WINDOW_IN_FORCE] = "IN_FORCE",
    [SV_WINDOW_SUPERSEDED] = "SUPERSEDED", [SV_WINDOW_EXPIRED] = "EXPIRED",
  };
  return names[state];
}

static guint64
first_block (const SvIndexEntry *entry)
{
  return MAX (entry->start_block, entry->active_from);
}

gboolean
sv_entry_expired (const SvIndexEntry *entry, guint64 block)
{
  return block >= entry->expiry_block;
}

static gboolean
is_replaced (const SvIndexEntry *entry, guint64 block)
{
  return entry->is_superseded && block >= entry->superseded_at_block;
}

gboolean
sv_entry_in_force (const SvIndexEntry *entry, guint64 block)
{
  return first_block (entry) <= block && !sv_entry_expired (entry, block) && !is_replaced (entry, block);
}

typedef gboolean (*EntryFunc) (const SvIndexEntry *entry, guint64 block);

/* Of the entries in @entries that have @hash (any, for NULL) and pass @test, and @best, the one added last. */
static const SvIndexEntry *
latest (const GPtrArray *entries, const char *hash, EntryFunc test, guint64 block, const SvIndexEntry *best)
{
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (entries, i);
    if ((hash == NULL || g_str_equal (entry->hash, hash)) && test (entry, block) &&
        (best == NULL || entry->added_sequence > best->added_sequence))
      best = entry;
  }
  return best;
}

static const SvIndexEntry *
latest_of_all (const SvIndex *index, const char *hash, EntryFunc test, guint64 block)
{
  return latest (index->superseded, hash, test, block, latest (index->entries, hash, test, block, NULL));
}

const SvIndexEntry *
sv_window_active (const SvIndex *index, guint64 block)
{
  return latest_of_all (index, NULL, sv_entry_in_force, block);
}

/* Live windows do not overlap, so those after the active one by expiry are just those that have not begun; an entry of the
 * active window that was published but is not final yet has not begun either. */
static gboolean
is_upcoming (const SvIndexEntry *entry, guint64 block)
{
  return first_block (entry) > block && !sv_entry_expired (entry, block);
}

const SvIndexEntry *
sv_window_upcoming (const SvIndex *index, guint64 block)
{
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (index->entries, i);
    if (is_upcoming (entry, block))
      return entry;
  }
  return NULL;
}

GPtrArray *
sv_window_all_upcoming (const SvIndex *index, guint64 block)
{
  GPtrArray *upcoming = g_ptr_array_new ();
  for (guint i = 0; i < index->entries->len; i++)
  {
    SvIndexEntry *entry = g_ptr_array_index (index->entries, i);
    if (is_upcoming (entry, block))
      g_ptr_array_add (upcoming, entry);
  }
  return upcoming;
}

/* Replaced, or sure to be before it could come into force. */
static gboolean
is_superseded_for_good (const SvIndexEntry *entry, guint64 block)
{
  return is_replaced (entry, block) || (entry->is_superseded && entry->superseded_at_block <= first_block (entry));
}

SvWindowState
sv_window_state (const SvIndex *index, const SvIndexEntry *entry, guint64 block)
{
  if (sv_entry_expired (entry, block))
    return SV_WINDOW_EXPIRED;
  if (sv_entry_in_force (entry, block))
    return entry == sv_window_active (index, block) ? SV_WINDOW_ACTIVE : SV_WINDOW_IN_FORCE;
  return is_superseded_for_good (entry, block) ? SV_WINDOW_SUPERSEDED : SV_WINDOW_UPCOMING;
}

/* A hash can have several entries: after a rollback it is live and superseded at once. */
SvWindowVerdict
sv_window_judge (const SvIndex *index, const char *manifest_hash, guint64 block, const SvIndexEntry **entry)
{
  *entry = latest_of_all (index, manifest_hash, sv_entry_in_force, block);
  if (*entry != NULL)
    return SV_WINDOW_SERVES;
  *entry = latest_of_all (index, manifest_hash, sv_entry_expired, block);
  return *entry != NULL ? SV_WINDOW_OVER : SV_WINDOW_UNKNOWN;
}

static gboolean
any_of_window (const GPtrArray *entries, const char *window_id, guint64 block, gboolean *any_unexpired)
{
  gboolean any = FALSE;
  for (guint i = 0; i < entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (entries, i);
    if (!g_str_equal (entry->window_id, window_id))
      continue;
    any = TRUE;
    *any_unexpired |= !sv_entry_expired (entry, block);
  }
  return any;
}

gboolean
sv_window_is_over (const SvIndex *index, const char *window_id, guint64 block)
{
  gboolean any_unexpired = FALSE;
  const gboolean any_live = any_of_window (index->entries, window_id, block, &any_unexpired);
  const gboolean any_superseded = any_of_window (index->superseded, window_id, block, &any_unexpired);
  return (any_live || any_superseded) && !any_unexpired;
}

gboolean
sv_window_follow_from (const SvIndex *index, guint64 block, guint64 *from_block)
{
  guint64 earliest = G_MAXUINT64;
  for (guint i = 0; i < index->entries->len; i++)
  {
    const SvIndexEntry *entry = g_ptr_array_index (index->entries, i);
    if (!sv_entry_expired (entry, block))
      earliest = MIN (earliest, entry->start_block);
  }
  if (earliest == G_MAXUINT64)
    return FALSE;
  *from_block = earliest > SV_COMMIT_EARLIEST ? earliest - SV_COMMIT_EARLIEST : 0;
  return TRUE;
}
