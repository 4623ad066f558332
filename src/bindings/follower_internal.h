/* Inside the follower: what follower.c and follower_share.c have in common. */
#pragma once

#include "bindings/follower.h"
#include "bindings/history.h"

struct SvFollower
{
  SvChainId id;
  SvChain *chain; /* of that id; NULL while only what others share is read */
  SvState *state; /* or NULL */
  GMutex lock;
  guint64 wanted_from; /* under @lock */
  SvBindings *picture; /* under @lock; NULL before the first step */

  /* The rest belongs to the thread that steps. */
  gboolean is_started;
  guint64 from;
  guint64 next_final;
  gboolean has_tip;
  SvBlock tip; /* the last open block read */
  SvHistory history;
  GPtrArray *pending;   /* (element-type SvRecord) */
  GArray *unreadable;   /* of guint64, ascending */
  gboolean has_changed; /* the records are not those of the picture */
  gboolean has_saved;
  guint64 saved;       /* the checkpoint is at least here */
  gint64 looked_again; /* monotonic time at which unreadable blocks were found or tried last */
  guint n_told;        /* unreadable blocks that the log has been told of */

  /* Where it is shared (follower_share.c). */
  const SvSharing *sharing; /* borrowed during a step: its outcome is shared */
  gboolean is_reading;      /* what is here was read from the state, not from the chain */
  gint64 generation;        /* of what was begun last */
  guint64 content;          /* counts the changes of the records */
  guint64 floor;            /* best block that was shared by somebody else: ours is not shared before it is as high */
  char *shared;             /* what tells the picture that was shared last from others … */
  gint64 shared_us;         /* … and when that was; monotonic, 0: not yet */
  SvSharedStatus known;     /* of what was read */
};

/* Forgets all that was read, so that the next step begins anew. */
void sv_follower_forget (SvFollower *follower);

/* Makes a picture of what was read, and puts it in place of the last. */
void sv_follower_publish (SvFollower *follower, const SvHead *head);

/* Shares what was read at @head, where this step's outcome is shared. */
gboolean sv_follower_share (SvFollower *follower, const SvHead *head, GError **error) G_GNUC_WARN_UNUSED_RESULT;
