/* The chain follower: reads the subnet's commitments block by block, keeps the finalized ones with a checkpoint in the state,
 * the unfinalized ones in memory, and after each step has a fresh picture (bindings.h). A reorganisation is noticed by hash and
 * its blocks are read again. */
#pragma once

#include "bindings/bindings.h"

typedef struct SvFollower SvFollower;

/* @chain and @state (which may be NULL: nothing is kept) are borrowed and used only inside sv_follower_step(). */
SvFollower *sv_follower_new (SvChain *chain, SvState *state);
void sv_follower_free (SvFollower *follower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvFollower, sv_follower_free)

/* Follow from this block on; going further back makes the next step read the missing blocks. May be called by any thread. */
void sv_follower_set_from (SvFollower *follower, guint64 from_block);

/* Reads all there is to read up to the present head. On failure the last picture stays. @progress may be NULL. */
gboolean sv_follower_step (SvFollower *follower, void (*progress) (guint64 block, guint64 head, gpointer data), gpointer data,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: (transfer full) the last picture, NULL before the first step. May be called by any thread. */
SvBindings *sv_follower_bindings (SvFollower *follower);
