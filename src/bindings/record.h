/* Inside bindings: one commitment of the chain, and immutable runs of them with their indexes. Both are shared by counted
 * reference among pictures. */
#pragma once

#include "chain/chain.h"
#include "protocol/proof.h"
#include "state/state.h"

typedef struct
{
  guint64 block;
  guint index;
  gboolean succeeded;
  char hash[SV_BLOCK_HASH_TEXT];
  char *signer;
  char *text;
  char *proof;     /* "{block}:0x…" */
  char *window_id; /* of a successful, well-formed `sv1 commit` text; else NULL */
} SvRecord;

SvRecord *sv_record_new (guint64 block, guint index, const char *hash, const char *signer, const char *text,
                         gboolean succeeded);
void sv_record_unref (SvRecord *record);

/* As the state keeps it. Returns: (transfer full). */
SvStoredCommitment *sv_record_to_stored (const SvRecord *record);

/* Records in chain order, found by signer, by proof and by window. Never changed once it is made. */
typedef struct SvSegment SvSegment;

/* Takes references to records [@first, @end) of @records (element-type SvRecord). */
SvSegment *sv_segment_new (const GPtrArray *records, guint first, guint end);
/* @a, then @b, without the records below @from_block. */
SvSegment *sv_segment_merge (const SvSegment *a, const SvSegment *b, guint64 from_block);
SvSegment *sv_segment_ref (SvSegment *segment);
void sv_segment_unref (SvSegment *segment);

guint sv_segment_length (const SvSegment *segment);
const SvRecord *sv_segment_get (const SvSegment *segment, guint i);
const SvRecord *sv_segment_find (const SvSegment *segment, guint64 block, const char hash[SV_BLOCK_HASH_TEXT]);
/* (transfer none) (element-type SvRecord) or NULL. */
const GPtrArray *sv_segment_by_signer (const SvSegment *segment, const char *signer);
/* Adds the signers who committed for the window to the set @signers; the strings live as long as the segment. */
void sv_segment_add_signers (const SvSegment *segment, const char *window_id, GHashTable *signers);
