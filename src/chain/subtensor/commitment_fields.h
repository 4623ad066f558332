/* A commitment's text as fields of the runtime: CommitmentInfo { fields: BoundedVec<Data, MaxFields> }. Data's plain variants
 * are Raw0 … Raw128, arrays of that many bytes, and from some runtime on BigRaw, a vector of at most 512. */
#pragma once

#include "chain/subtensor/metadata.h"
#include "chain/subtensor/scale.h"

/* @info_type is the type of CommitmentInfo. 0 where the runtime has no plain fields, or says no MaxFields. */
gsize sv_commitment_fields_max_text (const SvMetadata *metadata, guint32 info_type);

/* Writes a CommitmentInfo: as few fields as hold the text, in the runtime's largest plain variant, all but the last full. */
gboolean sv_commitment_fields_put (const SvMetadata *metadata, guint32 info_type, const char *text, GByteArray *out,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads one, see SvCommitmentCall. What is wrong becomes the reader's fault; *@text is (transfer full). */
void sv_commitment_fields_read (const SvMetadata *metadata, guint32 info_type, SvScaleReader *reader, char **text,
                                guint64 *reveal_round);
