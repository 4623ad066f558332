/* Inside bindings: what a picture is made of. */
#pragma once

#include "bindings/bindings.h"
#include "bindings/record.h"

/* An immutable set of commitments: segments in chain order, the unreadable blocks among them, and the folds computed from
 * them. Pictures that differ only in their head share one. */
typedef struct SvRecordSet SvRecordSet;

/* Takes references to @segments (element-type SvSegment, in chain order) and copies @unreadable (guint64, ascending). */
SvRecordSet *sv_record_set_new (guint64 from_block, const GPtrArray *segments, const GArray *unreadable);
SvRecordSet *sv_record_set_ref (SvRecordSet *set);
void sv_record_set_unref (SvRecordSet *set);

/* A picture at @head of a set that holds all commitments of its blocks up to there. Returns: (transfer full). */
SvBindings *sv_bindings_new (const SvHead *head, SvRecordSet *set);
/* (transfer none) */
SvRecordSet *sv_bindings_record_set (const SvBindings *bindings);
