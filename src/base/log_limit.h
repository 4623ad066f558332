/* How often lines of one kind are logged: so many a second, and with the next one how many were left out. A flood of requests
 * or faults shall not fill a disk, nor hide the other lines. All zero is a fresh one; any thread. */
#pragma once

#include <glib.h>
#include <stdatomic.h>

typedef struct
{
  _Atomic guint64 used; /* the second in the upper half, lines of it in the lower */
  _Atomic guint left_out;
} SvLogLimit;

/* TRUE: a line may be logged, and *@left_out tells how many of its kind were not since the last one. @now_us is monotonic. */
gboolean sv_log_limit_take (SvLogLimit *limit, guint per_second, gint64 now_us, guint *left_out) G_GNUC_WARN_UNUSED_RESULT;

/* Lines left out in seconds that are over, which no further line has told; they count as told then. */
guint sv_log_limit_drain (SvLogLimit *limit, gint64 now_us);

/* Lines left out that are not told yet. */
guint sv_log_limit_left_out (const SvLogLimit *limit);
