/* What requests are judged by: an immutable, counted picture of manifests, clips and bindings (docs/architecture.md, "The way
 * of one challenge"). board.h has the current one. */
#pragma once

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

/* Takes @manifest, which has no JSON any more. The key is put into *@keys, which is replaced when it is NULL or full. One
 * thread at a time. */
SvServedManifest *sv_served_manifest_new (SvManifest *manifest, SvDrawKeys **keys, const guint8 draw_key[SV_STATE_KEY_SIZE]);
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
  gboolean covers_windows; /* sv_snapshot_covers_windows(), which the board asks once */
} SvSnapshot;

/* Without parts, and with the same parts; whoever makes one may change it until he shows it to others. Returns: (transfer
 * full). */
SvSnapshot *sv_snapshot_new (void);
SvSnapshot *sv_snapshot_copy (const SvSnapshot *snapshot);

SvSnapshot *sv_snapshot_ref (SvSnapshot *snapshot);
void sv_snapshot_unref (SvSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvSnapshot, sv_snapshot_unref)

/* Whether its bindings reach back to the first block that counts for an open window; TRUE while a part is missing. */
gboolean sv_snapshot_covers_windows (const SvSnapshot *snapshot);

/* (transfer none) the clip, where it is registered here and the store has it, else NULL. */
const SvClip *sv_snapshot_clip (const SvSnapshot *snapshot, const char *hash);

/* Whether the account has a commitment for an unexpired window, and how many accounts have. */
gboolean sv_snapshot_knows (const SvSnapshot *snapshot, const char *account);
guint sv_snapshot_count_known (const SvSnapshot *snapshot);

/* Why challenges of the windows in force fail. */
typedef struct
{
  guint n_missing;  /* clips of these windows that are not registered, or that the store is known not to have */
  guint n_clipless; /* elements that have no clips at all */
} SvClipGaps;

SvClipGaps sv_snapshot_clip_gaps (const SvSnapshot *snapshot);
