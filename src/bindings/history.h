/* Inside bindings: the final commitments, as a few segments. */
#pragma once

#include "bindings/record.h"

typedef struct
{
  GPtrArray *segments; /* (element-type SvSegment) in chain order, each longer than the next */
} SvHistory;

void sv_history_init (SvHistory *history);
void sv_history_clear (SvHistory *history);
void sv_history_empty (SvHistory *history);

/* Adds records [0, @end) of @records, all of them after what is there. */
void sv_history_append (SvHistory *history, const GPtrArray *records, guint end);
/* Adds records that lie before what is there. */
void sv_history_prepend (SvHistory *history, const GPtrArray *records);
/* Forgets the records below @block. */
void sv_history_drop_below (SvHistory *history, guint64 block);
/* The records with @first <= block <= @last. Returns: (transfer container) (element-type SvRecord). */
GPtrArray *sv_history_list (const SvHistory *history, guint64 first, guint64 last);
