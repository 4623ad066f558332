/* The chain follower: reads the subnet's commitments block by block, keeps the finalized ones with a checkpoint in the state,
 * the unfinalized ones in memory, and after each step has a fresh picture (bindings.h). A reorganisation is noticed by hash and
 * its blocks are read again. */
#pragma once

#include "bindings/bindings.h"

typedef struct SvFollower SvFollower;

/* @chain and @state (which may be NULL: nothing is kept) are borrowed and used only inside sv_follower_step(). */
SvFollower *sv_follower_new (SvChain *chain, SvState *state);

/* One whose chain cannot be reached yet: it reads what others share (sv_follower_read()), and does no more than that before it
 * is given the chain that @id names. */
SvFollower *sv_follower_new_without_chain (const SvChainId *id, SvState *state);
void sv_follower_set_chain (SvFollower *follower, SvChain *chain);
void sv_follower_free (SvFollower *follower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SvFollower, sv_follower_free)

/* Follow from this block on; going further back makes the next step read the missing blocks. May be called by any thread. */
void sv_follower_set_from (SvFollower *follower, guint64 from_block);

/* Reads all there is to read up to the present head. On failure the last picture stays. @progress may be NULL. */
gboolean sv_follower_step (SvFollower *follower, void (*progress) (guint64 block, guint64 head, gpointer data), gpointer data,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ── one follower for many instances (docs/architecture.md) ── */

/* What the leader shares beside the commitments. */
typedef struct
{
  char **permits; /* accounts of `chain:permit`, or NULL */
  guint64 permits_block;
  gint64 began_us;  /* monotonic: when the chain was begun to be read */
  guint64 answered; /* the last wish that there was before */
} SvSharing;

/* A step of the handle that leads the task "chain": what it has read is shared before it becomes the picture. One that has lost
 * the lead meanwhile fails with SV_ERROR_CONFLICT, shares nothing and begins anew. Whoever has just become the leader goes on
 * from the checkpoint, and fails with SV_ERROR_UNREACHABLE as long as his chain lies behind what was shared before. */
gboolean sv_follower_lead (SvFollower *follower, const SvSharing *sharing,
                           void (*progress) (guint64 block, guint64 head, gpointer data), gpointer data,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A step of any other: the picture becomes the one that is shared. *@shared (transfer full): it, NULL where it is unchanged.
 * *@status tells how old it is. The chain is not asked. */
gboolean sv_follower_read (SvFollower *follower, SvSharedStatus *status, SvSharedChain **shared,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: (transfer full) the last picture, NULL before the first step. May be called by any thread. */
SvBindings *sv_follower_bindings (SvFollower *follower);
