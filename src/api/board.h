/* Where the current snapshot is put up: watchers publish the part they watch, workers take a reference for as long as they
 * judge one request. And when each part was last read, so that nobody is judged by what is too old. Any thread. */
#pragma once

#include "api/chain_opener.h"
#include "api/snapshot.h"

typedef struct SvBoard SvBoard;

/* A head older, or further in the future, than @max_lag_ms is not judged by. */
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

/* For all instances that share a database and a store: why challenges of the windows in force fail. */
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
