/* What requests are judged by: an immutable, counted picture of manifests, clips and bindings (docs/architecture.md, "The way
 * of one challenge"). The board holds the current one; watchers publish the part they watch, workers take a reference for as
 * long as they judge one request. */
#pragma once

#include "api/chain_opener.h"
#include "bindings/bindings.h"
#include "protocol/window.h"
#include "state/state.h"

/* Guarded memory that several draw keys lie in, as long as one of them is used. */
typedef struct SvDrawKeys SvDrawKeys;

void sv_draw_keys_unref (SvDrawKeys *keys);

/* A verified manifest, without its JSON, with its draw key. */
typedef struct
{
  SvManifest *manifest;
  SvDrawKeys *keys;
  const SvDrawKey *draw_key; /* in @keys */
  char *draw_commit;
} SvServedManifest;

/* Takes @manifest. The key is put into *@keys, which is replaced when it is NULL or full. One thread at a time. */
SvServedManifest *sv_served_manifest_new (SvManifest *manifest, SvDrawKeys **keys, const guint8 draw_key[32]);
SvServedManifest *sv_served_manifest_ref (SvServedManifest *served);
void sv_served_manifest_unref (gpointer served);

/* The index with the verified manifests of its unexpired entries. */
typedef struct
{
  SvIndex *index;
  GHashTable *manifests; /* hash -> SvServedManifest */
  guint n_unfenced;      /* entries in force that are left out because the issue log of their window cannot be looked at */
  /* The index divided, so that a rule about one hash or one window looks at few entries: */
  GHashTable *by_hash;   /* hash -> SvIndex with no more than its entries, which are @index's */
  GHashTable *by_window; /* window id -> the same */
  const SvIndex *nothing;
} SvCatalog;

/* Takes @index. */
SvCatalog *sv_catalog_new (SvIndex *index);
void sv_catalog_unref (SvCatalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvCatalog, sv_catalog_unref)

/* (transfer none) the entries with the hash, or of the window, as an index that has nothing else; never NULL. */
const SvIndex *sv_catalog_of_hash (const SvCatalog *catalog, const char *hash);
const SvIndex *sv_catalog_of_window (const SvCatalog *catalog, const char *window_id);

/* The clips that are registered here. */
typedef struct
{
  GPtrArray *list;     /* of SvClip, by hash */
  GHashTable *by_hash; /* borrowed from the list */
} SvClipTable;

/* Takes @list. */
SvClipTable *sv_clip_table_new (GPtrArray *list);
void sv_clip_table_unref (SvClipTable *clips);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvClipTable, sv_clip_table_unref)

typedef struct
{
  SvCatalog *catalog;      /* NULL until the index was read, or found not to be there yet */
  SvClipTable *clips;      /* NULL until read */
  GHashTable *lost;        /* hashes of registered clips that the store has not; NULL until it was asked */
  SvBindings *bindings;    /* NULL until the chain was followed to its head */
  gboolean covers_windows; /* the commitments of all open windows are in @bindings */
} SvSnapshot;

void sv_snapshot_unref (SvSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSnapshot, sv_snapshot_unref)

/* (transfer none) the clip, where it is registered here and the store has it, else NULL. */
const SvClip *sv_snapshot_clip (const SvSnapshot *snapshot, const char *hash);

/* Whether the account has a commitment for an unexpired window, and how many accounts have. */
gboolean sv_snapshot_knows (const SvSnapshot *snapshot, const char *account);
guint sv_snapshot_count_known (const SvSnapshot *snapshot);

typedef struct SvBoard SvBoard;

SvBoard *sv_board_new (guint64 max_lag_ms);
void sv_board_free (SvBoard *board);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvBoard, sv_board_free)

/* Returns: (transfer full), never NULL. */
SvSnapshot *sv_board_get (SvBoard *board);

/* Each takes what it publishes. */
void sv_board_publish_catalog (SvBoard *board, SvCatalog *catalog);
void sv_board_publish_clips (SvBoard *board, SvClipTable *clips);
void sv_board_publish_lost_clips (SvBoard *board, GHashTable *lost);
void sv_board_publish_bindings (SvBoard *board, SvBindings *bindings);

/* When the chain, the state, the manifest index and the clips in the store were last read without an error (Unix
 * milliseconds). */
void sv_board_saw_chain (SvBoard *board, gint64 now_ms);
void sv_board_saw_state (SvBoard *board, gint64 now_ms);
void sv_board_saw_index (SvBoard *board, gint64 now_ms);
void sv_board_saw_store (SvBoard *board, gint64 now_ms);
gint64 sv_board_chain_seen_ms (SvBoard *board);
gint64 sv_board_state_seen_ms (SvBoard *board);

/* A chain that makes blocks only on demand has a head of any age. */
void sv_board_set_on_demand (SvBoard *board, gboolean is_on_demand);

/* Whether the endpoint of this instance has answered since the start; SV_CHAIN_ANSWERS until something else is set. */
void sv_board_set_chain_contact (SvBoard *board, SvChainContact contact);
SvChainContact sv_board_chain_contact (SvBoard *board);

/* Whether this instance is the one that reads the chain. */
void sv_board_set_leads (SvBoard *board, gboolean leads);
gboolean sv_board_leads (SvBoard *board);

/* Whether the state could not be asked when it was asked last; its keeper knows. Until he has said so it could. */
void sv_board_set_state_away (SvBoard *board, gboolean is_away);
gboolean sv_board_state_is_away (SvBoard *board);

/* Why challenges of the windows in force fail, for all instances that share a database and a store. */
typedef struct
{
  guint n_missing;  /* clips of these windows that are not registered, or that the store is known not to have */
  guint n_clipless; /* elements that have no clips at all */
} SvClipGaps;

SvClipGaps sv_snapshot_clip_gaps (const SvSnapshot *snapshot);
void sv_board_set_clip_gaps (SvBoard *board, SvClipGaps gaps);
SvClipGaps sv_board_clip_gaps (SvBoard *board);

typedef struct
{
  gint64 index_ms;
  gint64 clips_ms; /* the state's table of them */
  gint64 store_ms;
  gint64 chain_ms;
} SvBoardAges;

/* How long ago each of them was; before the first time, how long ago the board was made. */
void sv_board_ages (SvBoard *board, gint64 now_ms, SvBoardAges *ages);

/* Age of the head in milliseconds: since its block was made or, where blocks are made only on demand, since it was read. */
gint64 sv_board_head_age_ms (SvBoard *board, const SvSnapshot *snapshot, gint64 now_ms);

/* Why no answer can be given about the chain now (static, for people); NULL when one can. */
const char *sv_board_chain_fault (SvBoard *board, const SvSnapshot *snapshot, gint64 now_ms);
