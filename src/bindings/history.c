/* The history grows at its end by a few records a block. New records become a segment of their own; then, as long as the last
 * segment is at least as long as the one before it, the two are merged into one. So n records lie in at most log2(n) segments,
 * and each is copied (as a pointer) at most log2(n) times: adding is cheap, and old pictures keep the old segments. */
#include "bindings/history.h"

void
sv_history_init (SvHistory *history)
{
  history->segments = g_ptr_array_new_with_free_func ((GDestroyNotify)sv_segment_unref);
}

void
sv_history_clear (SvHistory *history)
{
  g_clear_pointer (&history->segments, g_ptr_array_unref);
}

void
sv_history_empty (SvHistory *history)
{
  g_ptr_array_set_size (history->segments, 0);
}

static void
merge_last_two (GPtrArray *segments, guint64 from_block)
{
  guint n = segments->len;
  SvSegment *merged = sv_segment_merge (segments->pdata[n - 2], segments->pdata[n - 1], from_block);
  g_ptr_array_set_size (segments, (gint)n - 2);
  g_ptr_array_add (segments, merged);
}

void
sv_history_append (SvHistory *history, const GPtrArray *records, guint end)
{
  GPtrArray *segments = history->segments;
  if (end == 0)
    return;
  g_ptr_array_add (segments, sv_segment_new (records, 0, end));
  while (segments->len >= 2 &&
         sv_segment_length (segments->pdata[segments->len - 2]) <= sv_segment_length (segments->pdata[segments->len - 1]))
    merge_last_two (segments, 0);
}

/* Both of the following are rare, and leave one segment. */
static void
merge_all (SvHistory *history, guint64 from_block)
{
  while (history->segments->len >= 2)
    merge_last_two (history->segments, from_block);
}

void
sv_history_prepend (SvHistory *history, const GPtrArray *records)
{
  if (records->len == 0)
    return;
  g_ptr_array_insert (history->segments, 0, sv_segment_new (records, 0, records->len));
  merge_all (history, 0);
}

void
sv_history_drop_below (SvHistory *history, guint64 block)
{
  g_ptr_array_add (history->segments, sv_segment_new (NULL, 0, 0)); /* so that a single one is filtered, too */
  merge_all (history, block);
  if (sv_segment_length (history->segments->pdata[0]) == 0)
    sv_history_empty (history);
}

GPtrArray *
sv_history_list (const SvHistory *history, guint64 first, guint64 last)
{
  GPtrArray *records = g_ptr_array_new ();
  for (guint i = 0; i < history->segments->len; i++)
  {
    const SvSegment *segment = history->segments->pdata[i];
    for (guint j = 0; j < sv_segment_length (segment); j++)
    {
      const SvRecord *record = sv_segment_get (segment, j);
      if (record->block >= first && record->block <= last)
        g_ptr_array_add (records, (gpointer)record);
    }
  }
  return records;
}
