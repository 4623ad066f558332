/* Snapshots. Every part is counted by itself (g_atomic_rc_box), so that a new block does not copy the manifests, nor a new clip
 * the bindings. The board's lock is held only to take a reference or to put the next snapshot in place; the work of building
 * one is done before, under a lock of the publishers'. */
#include "api/snapshot.h"

#include <sodium.h>
#include <string.h>

#include "base/rfc3339.h"

/* ── manifests ── */

/* Guarded memory costs two pages and four mappings a piece, so keys share it. */
#define KEYS_AT_ONCE 64

struct SvDrawKeys
{
  SvDrawKey *keys; /* in sodium_malloc memory */
  guint n;
};

static SvDrawKeys *
draw_keys_new (void)
{
  SvDrawKeys *keys = g_atomic_rc_box_new0 (SvDrawKeys);
  keys->keys = sodium_allocarray (KEYS_AT_ONCE, sizeof (SvDrawKey));
  g_assert (keys->keys != NULL);
  return keys;
}

static void
clear_draw_keys (gpointer keys)
{
  sodium_free (((SvDrawKeys *)keys)->keys);
}

void
sv_draw_keys_unref (SvDrawKeys *keys)
{
  if (keys != NULL)
    g_atomic_rc_box_release_full (keys, clear_draw_keys);
}

SvServedManifest *
sv_served_manifest_new (SvManifest *manifest, SvDrawKeys **keys, const guint8 draw_key[32])
{
  if (*keys == NULL || (*keys)->n == KEYS_AT_ONCE)
  {
    sv_draw_keys_unref (*keys);
    *keys = draw_keys_new ();
  }
  SvServedManifest *served = g_atomic_rc_box_new0 (SvServedManifest);
  sv_manifest_drop_json (manifest);
  served->manifest = manifest;
  served->keys = g_atomic_rc_box_acquire (*keys);
  SvDrawKey *place = &(*keys)->keys[(*keys)->n++];
  sv_draw_key_prepare (draw_key, place);
  served->draw_key = place;
  served->draw_commit = sv_draw_commit (draw_key);
  return served;
}

SvServedManifest *
sv_served_manifest_ref (SvServedManifest *served)
{
  return g_atomic_rc_box_acquire (served);
}

static void
clear_served_manifest (gpointer data)
{
  SvServedManifest *served = data;
  sv_manifest_free (served->manifest);
  sv_draw_keys_unref (served->keys);
  g_free (served->draw_commit);
}

void
sv_served_manifest_unref (gpointer served)
{
  g_atomic_rc_box_release_full (served, clear_served_manifest);
}

static void
free_part (gpointer data)
{
  SvIndex *part = data;
  g_ptr_array_unref (part->entries);
  g_ptr_array_unref (part->superseded);
  g_free (part);
}

/* (transfer none) the part of @parts for the key, made where there is none. */
static SvIndex *
part_of (GHashTable *parts, const char *key)
{
  SvIndex *part = g_hash_table_lookup (parts, key);
  if (part != NULL)
    return part;
  part = g_new0 (SvIndex, 1);
  part->entries = g_ptr_array_new ();
  part->superseded = g_ptr_array_new ();
  g_hash_table_insert (parts, (gpointer)key, part);
  return part;
}

static void
add_to_parts (SvCatalog *catalog, SvIndexEntry *entry, gboolean is_live)
{
  SvIndex *of_hash = part_of (catalog->by_hash, entry->hash), *of_window = part_of (catalog->by_window, entry->window_id);
  g_ptr_array_add (is_live ? of_hash->entries : of_hash->superseded, entry);
  g_ptr_array_add (is_live ? of_window->entries : of_window->superseded, entry);
}

static void
divide (SvCatalog *catalog)
{
  const SvIndex *index = catalog->index;
  catalog->by_hash = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_part);
  catalog->by_window = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_part);
  for (guint i = 0; i < index->entries->len; i++)
    add_to_parts (catalog, g_ptr_array_index (index->entries, i), TRUE);
  for (guint i = 0; i < index->superseded->len; i++)
    add_to_parts (catalog, g_ptr_array_index (index->superseded, i), FALSE);
  catalog->nothing = part_of (catalog->by_hash, "");
}

SvCatalog *
sv_catalog_new (SvIndex *index)
{
  SvCatalog *catalog = g_atomic_rc_box_new0 (SvCatalog);
  catalog->index = index;
  divide (catalog);
  catalog->manifests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, sv_served_manifest_unref);
  return catalog;
}

static void
clear_catalog (gpointer data)
{
  SvCatalog *catalog = data;
  g_hash_table_unref (catalog->by_hash);
  g_hash_table_unref (catalog->by_window);
  sv_index_free (catalog->index);
  g_hash_table_unref (catalog->manifests);
}

static const SvIndex *
find_part (const SvCatalog *catalog, GHashTable *parts, const char *key)
{
  const SvIndex *part = g_hash_table_lookup (parts, key);
  return part != NULL ? part : catalog->nothing;
}

const SvIndex *
sv_catalog_of_hash (const SvCatalog *catalog, const char *hash)
{
  return find_part (catalog, catalog->by_hash, hash);
}

const SvIndex *
sv_catalog_of_window (const SvCatalog *catalog, const char *window_id)
{
  return find_part (catalog, catalog->by_window, window_id);
}

void
sv_catalog_unref (SvCatalog *catalog)
{
  g_atomic_rc_box_release_full (catalog, clear_catalog);
}

/* ── clips ── */

SvClipTable *
sv_clip_table_new (GPtrArray *list)
{
  SvClipTable *clips = g_atomic_rc_box_new0 (SvClipTable);
  clips->list = list;
  clips->by_hash = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < list->len; i++)
  {
    SvClip *clip = g_ptr_array_index (list, i);
    g_hash_table_insert (clips->by_hash, clip->hash, clip);
  }
  return clips;
}

static void
clear_clip_table (gpointer data)
{
  SvClipTable *clips = data;
  g_hash_table_unref (clips->by_hash);
  g_ptr_array_unref (clips->list);
}

void
sv_clip_table_unref (SvClipTable *clips)
{
  g_atomic_rc_box_release_full (clips, clear_clip_table);
}

/* ── snapshots ── */

static void
clear_snapshot (gpointer data)
{
  SvSnapshot *snapshot = data;
  g_clear_pointer (&snapshot->catalog, sv_catalog_unref);
  g_clear_pointer (&snapshot->clips, sv_clip_table_unref);
  g_clear_pointer (&snapshot->lost, g_hash_table_unref);
  g_clear_pointer (&snapshot->bindings, sv_bindings_unref);
}

void
sv_snapshot_unref (SvSnapshot *snapshot)
{
  g_atomic_rc_box_release_full (snapshot, clear_snapshot);
}

const SvClip *
sv_snapshot_clip (const SvSnapshot *snapshot, const char *hash)
{
  if (snapshot->clips == NULL || (snapshot->lost != NULL && g_hash_table_contains (snapshot->lost, hash)))
    return NULL;
  return g_hash_table_lookup (snapshot->clips->by_hash, hash);
}

/* ── known askers ── */

static gboolean
any_open (const GPtrArray *entries, guint64 block)
{
  for (guint i = 0; i < entries->len; i++)
    if (!sv_entry_expired (g_ptr_array_index (entries, i), block))
      return TRUE;
  return FALSE;
}

static gboolean
is_open_window (const char *window_id, gpointer data)
{
  const SvSnapshot *snapshot = data;
  const SvIndex *part = sv_catalog_of_window (snapshot->catalog, window_id);
  guint64 block = sv_bindings_head (snapshot->bindings)->best.number;
  return any_open (part->entries, block) || any_open (part->superseded, block);
}

gboolean
sv_snapshot_knows (const SvSnapshot *snapshot, const char *account)
{
  return snapshot->catalog != NULL && snapshot->bindings != NULL &&
         sv_bindings_has_committed (snapshot->bindings, account, is_open_window, (gpointer)snapshot);
}

guint
sv_snapshot_count_known (const SvSnapshot *snapshot)
{
  if (snapshot->catalog == NULL || snapshot->bindings == NULL)
    return 0;
  return sv_bindings_count_committed (snapshot->bindings, is_open_window, (gpointer)snapshot);
}

/* ── the board ── */

struct SvBoard
{
  gint64 block_time_ms;
  gint64 max_lag_ms;
  GMutex publishing;
  GMutex lock; /* guards what follows */
  SvSnapshot *current;
  gint64 chain_seen_ms;
  gint64 state_seen_ms;
  gint64 index_seen_ms;
  gint64 store_seen_ms;
  gint64 made_ms;
  gint leads;         /* atomic */
  gint is_state_away; /* atomic */
  SvClipGaps gaps;
};

SvBoard *
sv_board_new (guint64 block_time_ms, guint64 max_lag_ms)
{
  SvBoard *board = g_new0 (SvBoard, 1);
  board->block_time_ms = (gint64)block_time_ms;
  board->max_lag_ms = (gint64)max_lag_ms;
  board->made_ms = sv_clock_ms ();
  g_mutex_init (&board->publishing);
  g_mutex_init (&board->lock);
  board->current = g_atomic_rc_box_new0 (SvSnapshot);
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
  SvSnapshot *snapshot = g_atomic_rc_box_acquire (board->current);
  g_mutex_unlock (&board->lock);
  return snapshot;
}

/* A copy of the current snapshot that shares its parts. */
static SvSnapshot *
begin_publishing (SvBoard *board)
{
  g_mutex_lock (&board->publishing);
  g_autoptr (SvSnapshot) current = sv_board_get (board);
  SvSnapshot *next = g_atomic_rc_box_new0 (SvSnapshot);
  next->catalog = current->catalog != NULL ? g_atomic_rc_box_acquire (current->catalog) : NULL;
  next->clips = current->clips != NULL ? g_atomic_rc_box_acquire (current->clips) : NULL;
  next->lost = current->lost != NULL ? g_hash_table_ref (current->lost) : NULL;
  next->bindings = current->bindings != NULL ? sv_bindings_ref (current->bindings) : NULL;
  return next;
}

static gboolean
covers_windows (const SvSnapshot *snapshot)
{
  guint64 follow_from;
  return snapshot->bindings == NULL || snapshot->catalog == NULL ||
         !sv_window_follow_from (snapshot->catalog->index, sv_bindings_head (snapshot->bindings)->best.number, &follow_from) ||
         sv_bindings_from_block (snapshot->bindings) <= follow_from;
}

static void
end_publishing (SvBoard *board, SvSnapshot *next)
{
  next->covers_windows = covers_windows (next);
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
  if (board->block_time_ms > 0)
    return now_ms - sv_bindings_head (snapshot->bindings)->best.time_ms;
  return now_ms - sv_board_chain_seen_ms (board);
}

const char *
sv_board_chain_fault (SvBoard *board, const SvSnapshot *snapshot, gint64 now_ms)
{
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
