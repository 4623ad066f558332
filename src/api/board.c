/* The board's lock is held only to take a reference or to put the next snapshot in place; the work of building one is done
 * before, under a lock of the publishers'. */
#include "api/board.h"

#include "base/rfc3339.h"

struct SvBoard
{
  gint64 max_lag_ms;
  GMutex publishing;
  GMutex lock; /* guards what follows */
  SvSnapshot *current;
  gint64 chain_seen_ms;
  gint64 state_seen_ms;
  gint64 index_seen_ms;
  gint64 store_seen_ms;
  gint64 made_ms;
  gint is_on_demand;  /* atomic */
  gint contact;       /* atomic: SvChainContact */
  gint leads;         /* atomic */
  gint is_state_away; /* atomic */
  SvClipGaps gaps;
};

SvBoard *
sv_board_new (guint64 max_lag_ms)
{
  SvBoard *board = g_new0 (SvBoard, 1);
  board->max_lag_ms = (gint64)max_lag_ms;
  board->made_ms = sv_clock_ms ();
  g_mutex_init (&board->publishing);
  g_mutex_init (&board->lock);
  board->current = sv_snapshot_new ();
  return board;
}

void
sv_board_free (SvBoard *board)
{
  if (board == NULL)
    return;
  sv_snapshot_unref (board->current);
  g_mutex_clear (&board->publishing);
  g_mutex_clear (&board->lock);
  g_free (board);
}

SvSnapshot *
sv_board_get (SvBoard *board)
{
  g_mutex_lock (&board->lock);
  SvSnapshot *snapshot = sv_snapshot_ref (board->current);
  g_mutex_unlock (&board->lock);
  return snapshot;
}

/* A copy of the current snapshot, to be changed; other publishers wait until end_publishing(). */
static SvSnapshot *
begin_publishing (SvBoard *board)
{
  g_mutex_lock (&board->publishing);
  g_autoptr (SvSnapshot) current = sv_board_get (board);
  return sv_snapshot_copy (current);
}

static void
end_publishing (SvBoard *board, SvSnapshot *next)
{
  next->covers_windows = sv_snapshot_covers_windows (next);
  g_mutex_lock (&board->lock);
  SvSnapshot *last = board->current;
  board->current = next;
  g_mutex_unlock (&board->lock);
  g_mutex_unlock (&board->publishing);
  sv_snapshot_unref (last);
}

void
sv_board_publish_catalog (SvBoard *board, SvCatalog *catalog)
{
  SvSnapshot *next = begin_publishing (board);
  g_clear_pointer (&next->catalog, sv_catalog_unref);
  next->catalog = catalog;
  end_publishing (board, next);
}

void
sv_board_publish_clips (SvBoard *board, SvClipTable *clips)
{
  SvSnapshot *next = begin_publishing (board);
  g_clear_pointer (&next->clips, sv_clip_table_unref);
  next->clips = clips;
  end_publishing (board, next);
}

void
sv_board_publish_lost_clips (SvBoard *board, GHashTable *lost)
{
  SvSnapshot *next = begin_publishing (board);
  g_clear_pointer (&next->lost, g_hash_table_unref);
  next->lost = lost;
  end_publishing (board, next);
}

void
sv_board_publish_bindings (SvBoard *board, SvBindings *bindings)
{
  SvSnapshot *next = begin_publishing (board);
  g_clear_pointer (&next->bindings, sv_bindings_unref);
  next->bindings = bindings;
  end_publishing (board, next);
}

void
sv_board_saw_chain (SvBoard *board, gint64 now_ms)
{
  g_mutex_lock (&board->lock);
  board->chain_seen_ms = now_ms;
  g_mutex_unlock (&board->lock);
}

void
sv_board_saw_state (SvBoard *board, gint64 now_ms)
{
  g_mutex_lock (&board->lock);
  board->state_seen_ms = now_ms;
  g_mutex_unlock (&board->lock);
}

void
sv_board_saw_index (SvBoard *board, gint64 now_ms)
{
  g_mutex_lock (&board->lock);
  board->index_seen_ms = now_ms;
  g_mutex_unlock (&board->lock);
}

void
sv_board_saw_store (SvBoard *board, gint64 now_ms)
{
  g_mutex_lock (&board->lock);
  board->store_seen_ms = now_ms;
  g_mutex_unlock (&board->lock);
}

void
sv_board_set_on_demand (SvBoard *board, gboolean is_on_demand)
{
  g_atomic_int_set (&board->is_on_demand, is_on_demand);
}

void
sv_board_set_chain_contact (SvBoard *board, SvChainContact contact)
{
  g_atomic_int_set (&board->contact, (gint)contact);
}

SvChainContact
sv_board_chain_contact (SvBoard *board)
{
  return (SvChainContact)g_atomic_int_get (&board->contact);
}

void
sv_board_set_leads (SvBoard *board, gboolean leads)
{
  g_atomic_int_set (&board->leads, leads);
}

gboolean
sv_board_leads (SvBoard *board)
{
  return g_atomic_int_get (&board->leads);
}

void
sv_board_set_state_away (SvBoard *board, gboolean is_away)
{
  g_atomic_int_set (&board->is_state_away, is_away);
}

gboolean
sv_board_state_is_away (SvBoard *board)
{
  return g_atomic_int_get (&board->is_state_away);
}

void
sv_board_set_clip_gaps (SvBoard *board, SvClipGaps gaps)
{
  g_mutex_lock (&board->lock);
  board->gaps = gaps;
  g_mutex_unlock (&board->lock);
}

SvClipGaps
sv_board_clip_gaps (SvBoard *board)
{
  g_mutex_lock (&board->lock);
  SvClipGaps gaps = board->gaps;
  g_mutex_unlock (&board->lock);
  return gaps;
}

void
sv_board_ages (SvBoard *board, gint64 now_ms, SvBoardAges *ages)
{
  gint64 made_ms = board->made_ms;
  g_mutex_lock (&board->lock);
  *ages = (SvBoardAges){ .index_ms = now_ms - MAX (board->index_seen_ms, made_ms),
                         .clips_ms = now_ms - MAX (board->state_seen_ms, made_ms),
                         .store_ms = now_ms - MAX (board->store_seen_ms, made_ms),
                         .chain_ms = now_ms - MAX (board->chain_seen_ms, made_ms) };
  g_mutex_unlock (&board->lock);
}

gint64
sv_board_chain_seen_ms (SvBoard *board)
{
  g_mutex_lock (&board->lock);
  gint64 seen = board->chain_seen_ms;
  g_mutex_unlock (&board->lock);
  return seen;
}

gint64
sv_board_state_seen_ms (SvBoard *board)
{
  g_mutex_lock (&board->lock);
  gint64 seen = board->state_seen_ms;
  g_mutex_unlock (&board->lock);
  return seen;
}

gint64
sv_board_head_age_ms (SvBoard *board, const SvSnapshot *snapshot, gint64 now_ms)
{
  if (g_atomic_int_get (&board->is_on_demand))
    return now_ms - sv_board_chain_seen_ms (board);
  return now_ms - sv_bindings_head (snapshot->bindings)->best.time_ms;
}

const char *
sv_board_chain_fault (SvBoard *board, const SvSnapshot *snapshot, gint64 now_ms)
{
  SvChainContact contact = sv_board_chain_contact (board);
  if (contact == SV_CHAIN_REFUSED)
    return "what the endpoint of the chain answers is refused, as of another chain: the log says why";
  if (contact == SV_CHAIN_AWAY && (snapshot->bindings == NULL || snapshot->catalog == NULL))
    return "the endpoint of the chain has not answered since this server was started";
  if (snapshot->bindings == NULL)
    return "the chain has not been read yet";
  gint64 age_ms = sv_board_head_age_ms (board, snapshot, now_ms);
  if (age_ms > board->max_lag_ms)
    return "the head of the chain is too old";
  if (age_ms < -board->max_lag_ms)
    return "the head of the chain is in the future: the endpoint's time or this machine's clock is wrong";
  if (snapshot->catalog == NULL)
    return "the manifest index, which tells where commitments begin, has not been read yet";
  if (!snapshot->covers_windows)
    return "the commitments of the open windows have not been read yet";
  return NULL;
}
