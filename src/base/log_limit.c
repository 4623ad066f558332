/* Second and count lie in one word, so that taking is one compare-and-swap. */
#include "base/log_limit.h"

static guint64
second_of (gint64 now_us)
{
  return (guint64)(now_us / G_USEC_PER_SEC);
}

gboolean
sv_log_limit_take (SvLogLimit *limit, guint per_second, gint64 now_us, guint *left_out)
{
  guint64 second = second_of (now_us), next;
  guint64 used = atomic_load_explicit (&limit->used, memory_order_relaxed);
  *left_out = 0;
  do
  {
    gboolean is_new = used >> 32 < second; /* another thread may be a moment ahead */
    if (!is_new && (guint32)used >= per_second)
    {
      atomic_fetch_add_explicit (&limit->left_out, 1, memory_order_relaxed);
      return FALSE;
    }
    next = is_new ? second << 32 | 1 : used + 1;
  } while (!atomic_compare_exchange_weak_explicit (&limit->used, &used, next, memory_order_relaxed, memory_order_relaxed));
  if (sv_log_limit_left_out (limit) > 0)
    *left_out = atomic_exchange_explicit (&limit->left_out, 0, memory_order_relaxed);
  return TRUE;
}

guint
sv_log_limit_drain (SvLogLimit *limit, gint64 now_us)
{
  guint64 used = atomic_load_explicit (&limit->used, memory_order_relaxed);
  if (sv_log_limit_left_out (limit) == 0 || used >> 32 >= second_of (now_us))
    return 0;
  return atomic_exchange_explicit (&limit->left_out, 0, memory_order_relaxed);
}

guint
sv_log_limit_left_out (const SvLogLimit *limit)
{
  return atomic_load_explicit (&limit->left_out, memory_order_relaxed);
}
